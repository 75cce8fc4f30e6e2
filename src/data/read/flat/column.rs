//! One column of a row group: its pages, and the arrays that are read from them.

use super::damage;
use super::hybrid::Hybrid;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, DictionaryArray, Int32Array,
    PrimitiveArray, StringArray, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{ArrowNativeType, DataType, Float64Type, Int32Type, Int64Type};
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::Result;
use std::sync::Arc;

/// How a column's values are laid out in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Bits.
    Bool,
    /// Numbers of four bytes.
    Int32,
    /// Numbers of eight bytes.
    Int64,
    /// Floats of eight bytes.
    Double,
    /// Codes of texts.
    Texts,
}

/// A column that is being read.
pub struct Column {
    kind: Kind,
    ty: DataType,
    /// Whether values may be missing.
    optional: bool,
    pages: Box<dyn PageReader>,
    dictionary: Dictionary,
    page: Option<DataPage>,
    codes: Vec<u32>,
}

enum Dictionary {
    None,
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Double(Vec<f64>),
    Texts(ArrayRef),
}

/// What is left of a page.
struct DataPage {
    rows: usize,
    /// Which rows are known, where some may not be.
    known: Option<Levels>,
    values: Values,
}

enum Levels {
    Hybrid(Hybrid),
    /// As the oldest files have them: bits, the first highest; and the next one.
    Highest(Bytes, usize),
}

enum Values {
    /// One after the other; and the next one.
    Plain(Bytes, usize),
    Codes(Hybrid),
}

/// A number that a page holds as it is.
trait Number: ArrowNativeType {
    /// From its bytes, the lowest first.
    fn of(bytes: &[u8]) -> Self;
}

macro_rules! number {
    ($($ty:ty)*) => {$(
        impl Number for $ty {
            #[inline(always)]
            fn of(bytes: &[u8]) -> Self {
                bytes.first_chunk().copied().map(Self::from_le_bytes).unwrap_or_default()
            }
        }
    )*};
}

number!(i32 i64 f64);

impl Column {
    /// A column of that type, from its pages.
    pub fn new(kind: Kind, ty: DataType, optional: bool, pages: Box<dyn PageReader>) -> Column {
        Column { kind, ty, optional, pages, dictionary: Dictionary::None, page: None, codes: Vec::new() }
    }

    /// The next rows, of which there must be so many.
    pub fn read(&mut self, rows: usize) -> Result<ArrayRef> {
        match self.kind {
            Kind::Int32 => self.numbers::<Int32Type>(rows, |dictionary| match dictionary {
                Dictionary::Int32(values) => values,
                _ => &[],
            }),
            Kind::Int64 => self.numbers::<Int64Type>(rows, |dictionary| match dictionary {
                Dictionary::Int64(values) => values,
                _ => &[],
            }),
            Kind::Double => self.numbers::<Float64Type>(rows, |dictionary| match dictionary {
                Dictionary::Double(values) => values,
                _ => &[],
            }),
            Kind::Texts => self.texts(rows),
            Kind::Bool => self.bools(rows),
        }
    }

    fn numbers<T: ArrowPrimitiveType>(
        &mut self,
        rows: usize,
        dictionary: impl Fn(&Dictionary) -> &[T::Native],
    ) -> Result<ArrayRef>
    where
        T::Native: Number,
    {
        let mut values: Vec<T::Native> = Vec::with_capacity(rows + 1);
        let mut some: Vec<T::Native> = Vec::new();
        let mut validity = Validity::new(self.optional, rows);
        while values.len() < rows {
            let (page, list, codes) = self.page()?;
            let take = page.rows.min(rows - values.len());
            let known = page.known(take)?;
            let count = known.as_ref().map_or(take, BooleanBuffer::count_set_bits);
            let into = if count == take { &mut values } else { &mut some };
            match &mut page.values {
                Values::Plain(bytes, at) => plain(bytes, at, count, into)?,
                Values::Codes(hybrid) => {
                    codes.clear();
                    hybrid.read(count, codes)?;
                    gather(dictionary(list), codes, into)?;
                }
            }
            if let Some(known) = known.as_ref().filter(|_| count < take) {
                spread(known, &mut some, &mut values);
            }
            validity.add(known, take);
            page.rows -= take;
        }
        let array = PrimitiveArray::<T>::new(values.into(), validity.finish());
        if self.ty == T::DATA_TYPE {
            return Ok(Arc::new(array));
        }
        // The same numbers under the name of another type: days, moments.
        let data = array.into_data().into_builder().data_type(self.ty.clone());
        Ok(make_array(data.build()?))
    }

    fn texts(&mut self, rows: usize) -> Result<ArrayRef> {
        let mut values: Vec<i32> = Vec::with_capacity(rows + 1);
        let mut some: Vec<i32> = Vec::new();
        let mut validity = Validity::new(self.optional, rows);
        while values.len() < rows {
            let (page, _, codes) = self.page()?;
            let take = page.rows.min(rows - values.len());
            let known = page.known(take)?;
            let count = known.as_ref().map_or(take, BooleanBuffer::count_set_bits);
            let Values::Codes(hybrid) = &mut page.values else {
                return Err(damage("texts where it says that there are codes"));
            };
            codes.clear();
            hybrid.read(count, codes)?;
            let into = if count == take { &mut values } else { &mut some };
            into.extend(codes.iter().map(|code| code.cast_signed()));
            if let Some(known) = known.as_ref().filter(|_| count < take) {
                spread(known, &mut some, &mut values);
            }
            validity.add(known, take);
            page.rows -= take;
        }
        let Dictionary::Texts(list) = &self.dictionary else { return Err(damage("codes without texts")) };
        let codes = Int32Array::new(values.into(), validity.finish());
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, list.clone())?))
    }

    fn bools(&mut self, rows: usize) -> Result<ArrayRef> {
        let mut bits = BooleanBufferBuilder::new(rows);
        let mut validity = Validity::new(self.optional, rows);
        while bits.len() < rows {
            let (page, ..) = self.page()?;
            let take = page.rows.min(rows - bits.len());
            let known = page.known(take)?;
            let count = known.as_ref().map_or(take, BooleanBuffer::count_set_bits);
            let mut some = BooleanBufferBuilder::new(count);
            match &mut page.values {
                Values::Plain(bytes, at) => {
                    if bytes.len() < (*at + count).div_ceil(8) {
                        return Err(damage("fewer bools than there should be"));
                    }
                    some.append_packed_range(*at..*at + count, bytes);
                    *at += count;
                }
                Values::Codes(hybrid) => hybrid.read_bits(count, &mut some)?,
            }
            let some = some.finish();
            match known.as_ref().filter(|_| count < take) {
                None => bits.append_buffer(&some),
                Some(known) => bits.append_buffer(&spread_bits(known, &some)),
            }
            validity.add(known, take);
            page.rows -= take;
        }
        Ok(Arc::new(BooleanArray::new(bits.finish(), validity.finish())))
    }

    /// The page that has the next row, the dictionary, and room for codes.
    fn page(&mut self) -> Result<(&mut DataPage, &Dictionary, &mut Vec<u32>)> {
        while self.page.as_ref().is_none_or(|page| page.rows == 0) {
            match self.pages.get_next_page()? {
                None => return Err(damage("fewer rows than there should be")),
                Some(Page::DictionaryPage { buf, num_values, .. }) => {
                    self.dictionary = dictionary(self.kind, &buf, num_values as usize)?;
                }
                Some(page) => self.page = Some(DataPage::of(page, self.kind, self.optional)?),
            }
        }
        let page = self.page.as_mut().ok_or_else(|| damage("no page"))?;
        Ok((page, &self.dictionary, &mut self.codes))
    }
}

impl DataPage {
    fn of(page: Page, kind: Kind, optional: bool) -> Result<DataPage> {
        let (rows, encoding, known, values) = match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                let rows = num_values as usize;
                let (known, values) = match optional {
                    true => levels(&buf, def_level_encoding, rows)?,
                    false => (None, buf),
                };
                (rows, encoding, known, values)
            }
            Page::DataPageV2 {
                buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, ..
            } => {
                let start = rep_levels_byte_len as usize;
                let end = start + def_levels_byte_len as usize;
                if end > buf.len() {
                    return Err(damage("levels that are cut off"));
                }
                let known = match optional {
                    true => Some(Levels::Hybrid(Hybrid::new(buf.slice(start..end), 1)?)),
                    false => None,
                };
                (num_values as usize, encoding, known, buf.slice(end..))
            }
            Page::DictionaryPage { .. } => return Err(damage("a dictionary among the rows")),
        };
        let values = match encoding {
            Encoding::PLAIN => Values::Plain(values, 0),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                // A page without known rows may be empty.
                let width = values.first().copied().unwrap_or(0);
                Values::Codes(Hybrid::new(values.slice(values.len().min(1)..), width)?)
            }
            Encoding::RLE if kind == Kind::Bool => {
                Values::Codes(Hybrid::new(values.slice(values.len().min(4)..), 1)?)
            }
            _ => return Err(damage("an encoding that it does not name")),
        };
        Ok(DataPage { rows, known, values })
    }

    /// Which of the next rows are known; none where all must be.
    fn known(&mut self, rows: usize) -> Result<Option<BooleanBuffer>> {
        let Some(levels) = &mut self.known else { return Ok(None) };
        let mut known = BooleanBufferBuilder::new(rows);
        match levels {
            Levels::Hybrid(hybrid) => hybrid.read_bits(rows, &mut known)?,
            Levels::Highest(bytes, at) => {
                for bit in *at..*at + rows {
                    let byte =
                        bytes.get(bit / 8).ok_or_else(|| damage("fewer levels than there should be"))?;
                    known.append(byte >> (7 - bit % 8) & 1 == 1);
                }
                *at += rows;
            }
        }
        Ok(Some(known.finish()))
    }
}

/// The levels that a page of the first version begins with, and what comes behind them.
fn levels(buf: &Bytes, encoding: Encoding, rows: usize) -> Result<(Option<Levels>, Bytes)> {
    let cut = || damage("levels that are cut off");
    #[expect(deprecated, reason = "old files have it")]
    if encoding == Encoding::BIT_PACKED {
        let size = rows.div_ceil(8);
        let levels = (size <= buf.len()).then(|| buf.slice(..size)).ok_or_else(cut)?;
        return Ok((Some(Levels::Highest(levels, 0)), buf.slice(size..)));
    }
    let size = buf.first_chunk().map(|size| u32::from_le_bytes(*size) as usize).ok_or_else(cut)?;
    let end = size.checked_add(4).filter(|end| *end <= buf.len()).ok_or_else(cut)?;
    Ok((Some(Levels::Hybrid(Hybrid::new(buf.slice(4..end), 1)?)), buf.slice(end..)))
}

/// Adds the next numbers of a PLAIN page.
fn plain<T: Number>(bytes: &Bytes, at: &mut usize, count: usize, out: &mut Vec<T>) -> Result<()> {
    let size = size_of::<T>();
    let start = *at * size;
    let some = bytes.get(start..start + count * size);
    let some = some.ok_or_else(|| damage("fewer values than there should be"))?;
    out.extend(some.chunks_exact(size).map(T::of));
    *at += count;
    Ok(())
}

/// Adds what the codes stand for.
fn gather<T: Number>(list: &[T], codes: &[u32], out: &mut Vec<T>) -> Result<()> {
    let mut all = true;
    out.extend(codes.iter().map(|code| match list.get(*code as usize) {
        Some(value) => *value,
        None => {
            all = false;
            T::default()
        }
    }));
    if all { Ok(()) } else { Err(damage("a code that stands for nothing")) }
}

/// Puts the known values, in their order, to the places of the rows that are known; what stands at the
/// others means nothing. `some` is empty afterwards.
fn spread<T: Number>(known: &BooleanBuffer, some: &mut Vec<T>, out: &mut Vec<T>) {
    // Behind the last known row stands something too.
    some.push(T::default());
    let mut next = 0;
    for word in known.bit_chunks().iter_padded().zip((0..known.len()).step_by(64)) {
        let (word, start) = word;
        let rows = 64.min(known.len() - start);
        let set = word.count_ones() as usize;
        let values = some.get(next..next + set + 1).unwrap_or_default();
        if set == rows {
            out.extend_from_slice(values.get(..rows).unwrap_or_default());
        } else {
            let mut at = 0;
            out.extend((0..rows).map(|row| {
                let value = values.get(at).copied().unwrap_or_default();
                at += (word >> row & 1) as usize;
                value
            }));
        }
        next += set;
    }
    some.clear();
}

/// The same with bits; unknown rows get none.
fn spread_bits(known: &BooleanBuffer, some: &BooleanBuffer) -> BooleanBuffer {
    let mut words = Vec::with_capacity(known.len().div_ceil(64));
    let mut next = some.iter();
    for word in known.bit_chunks().iter_padded() {
        let (mut rows, mut bits) = (word, 0_u64);
        while rows != 0 {
            // The lowest row that is left.
            let row = rows & rows.wrapping_neg();
            if next.next().unwrap_or(false) {
                bits |= row;
            }
            rows ^= row;
        }
        words.push(bits);
    }
    BooleanBuffer::new(Buffer::from_vec(words), 0, known.len())
}

/// The values that codes stand for.
fn dictionary(kind: Kind, bytes: &Bytes, count: usize) -> Result<Dictionary> {
    Ok(match kind {
        Kind::Int32 => Dictionary::Int32(numbers(bytes, count)?),
        Kind::Int64 => Dictionary::Int64(numbers(bytes, count)?),
        Kind::Double => Dictionary::Double(numbers(bytes, count)?),
        Kind::Texts => Dictionary::Texts(texts(bytes, count)?),
        Kind::Bool => Dictionary::None,
    })
}

fn numbers<T: Number>(bytes: &Bytes, count: usize) -> Result<Vec<T>> {
    let mut numbers = Vec::new();
    plain(bytes, &mut 0, count, &mut numbers)?;
    Ok(numbers)
}

/// Texts, each behind its length.
fn texts(mut bytes: &[u8], count: usize) -> Result<ArrayRef> {
    let cut = || damage("texts that are cut off");
    let (mut ends, mut all) = (vec![0_i32], Vec::with_capacity(bytes.len()));
    for _ in 0..count {
        let (length, rest) = bytes.split_first_chunk().ok_or_else(cut)?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
        all.extend_from_slice(text);
        ends.push(i32::try_from(all.len()).map_err(|_| damage("too long texts"))?);
        bytes = rest;
    }
    Ok(Arc::new(StringArray::try_new(OffsetBuffer::new(ends.into()), all.into(), None)?))
}

/// Which rows of an array are known.
struct Validity(Option<BooleanBufferBuilder>);

impl Validity {
    fn new(optional: bool, rows: usize) -> Validity {
        Validity(optional.then(|| BooleanBufferBuilder::new(rows)))
    }

    fn add(&mut self, known: Option<BooleanBuffer>, rows: usize) {
        match (&mut self.0, known) {
            (Some(all), Some(known)) => all.append_buffer(&known),
            (Some(all), None) => all.append_n(rows, true),
            (None, _) => {}
        }
    }

    fn finish(self) -> Option<NullBuffer> {
        let nulls = NullBuffer::new(self.0?.finish());
        (nulls.null_count() > 0).then_some(nulls)
    }
}
