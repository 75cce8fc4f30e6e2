//! One column of a row group: its pages, and the arrays that are read from them.

use super::bitmap::Bitmap;
use super::page::{DataPage, Dictionary, Number, Values, dictionary, is_coded, plain};
use super::spare::Memory;
use super::spread::{Movable, ROWS, greatest, spread, spread_bits};
use super::squeezed::Unsqueezer;
use super::window::Window;
use super::{Zeros, damage};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, DictionaryArray, Int32Array, PrimitiveArray,
    UInt16Array, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, UInt16Type};
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

/// A longer dictionary is not worth testing value by value.
const MOST_LISTED: usize = 1 << 16;

/// The pages of a column in a row group.
pub struct Pages {
    pub reader: Box<dyn PageReader>,
    /// Where they are read from.
    pub window: Arc<Window>,
    /// Who unsqueezes them, where the reader leaves them as they are.
    pub unsqueezer: Option<Unsqueezer>,
}

impl Pages {
    fn next(&mut self) -> Result<Option<Page>> {
        self.reader.get_next_page()
    }

    fn unsqueezed(&mut self, page: Page) -> Result<Page> {
        let Some(unsqueezer) = &mut self.unsqueezer else { return Ok(page) };
        let page = unsqueezer.page(page)?;
        self.window.let_go();
        Ok(page)
    }

    /// Nobody reads the last page any more.
    fn let_go(&mut self) {
        if let Some(unsqueezer) = &mut self.unsqueezer {
            drop(unsqueezer.last());
        }
    }

    /// Passes over as many of the next pages as have no more than so many rows together; gives the rest of these
    /// rows. Never passes over a dictionary.
    fn pass_over(&mut self, mut rows: usize) -> Result<usize> {
        self.window.pass(true);
        while rows > 0 {
            let next =
                self.reader.peek_next_page()?.ok_or_else(|| damage("fewer rows than there should be"))?;
            match next.num_rows.or(next.num_levels) {
                Some(all) if !next.is_dict && all <= rows => {
                    self.reader.skip_next_page()?;
                    rows -= all;
                }
                _ => break,
            }
        }
        self.window.pass(false);
        Ok(rows)
    }
}

/// A column that is being read.
pub struct Column {
    kind: Kind,
    ty: DataType,
    /// Whether values may be missing.
    optional: bool,
    /// Whether values may come as codes.
    coded: bool,
    /// Rows that were passed over since one was read.
    skipped: usize,
    page: Option<DataPage>,
    pages: Pages,
    /// The dictionary as an array, where values come as codes.
    listed: Option<ArrayRef>,
    dictionary: Dictionary,
    /// The page of the dictionary as it lies in the file, until somebody asks what a code stands for: rows that
    /// have none may be all that is read.
    packed: Option<Page>,
    /// The memory of the dictionary, dropped when nothing reads it any more.
    _memory: Memory,
    room: Room,
}

/// Room for codes that are on their way to something else.
#[derive(Default)]
struct Room {
    narrow: Vec<u16>,
    wide: Vec<u32>,
}

/// A number type of Arrow's that is read here.
trait Listed: ArrowPrimitiveType<Native: Number> {
    /// The values of a dictionary of this type.
    fn of(dictionary: &Dictionary) -> Option<&ScalarBuffer<Self::Native>>;
}

/// The values that codes stand for.
fn list<T: Listed>(dictionary: &Dictionary) -> &[T::Native] {
    T::of(dictionary).map_or(&[], |values| values)
}

macro_rules! listed {
    ($($arrow:ty: $kind:ident),*) => {$(
        impl Listed for $arrow {
            fn of(dictionary: &Dictionary) -> Option<&ScalarBuffer<Self::Native>> {
                match dictionary {
                    Dictionary::$kind(values) => Some(values),
                    _ => None,
                }
            }
        }
    )*};
}

listed!(Int32Type: Int32, Int64Type: Int64, Float64Type: Double);

/// Rows in the making: their known values one after the other, and which rows those are.
struct Making<T> {
    some: Vec<T>,
    known: Bitmap,
    rows: usize,
}

impl<T: Movable> Making<T> {
    fn new(rows: usize) -> Making<T> {
        // A spread fills whole words.
        Making {
            some: Vec::with_capacity(rows.next_multiple_of(ROWS)),
            known: Bitmap::with_capacity(rows),
            rows: 0,
        }
    }

    /// A value for each row, and which are known.
    fn finish(mut self, optional: bool) -> (Vec<T>, Option<NullBuffer>) {
        if self.some.len() == self.rows {
            return (self.some, None);
        }
        spread(self.known.words(), self.rows, &mut self.some);
        let known = NullBuffer::new(self.known.finish());
        (self.some, Some(known).filter(|_| optional))
    }
}

impl Column {
    /// A column of that type, from its pages. One that is `coded` gives a dictionary array where the
    /// file has one, and values where it has not.
    pub fn new(kind: Kind, ty: DataType, (optional, coded): (bool, bool), pages: Pages) -> Column {
        Column {
            kind,
            ty,
            optional,
            coded,
            skipped: 0,
            page: None,
            pages,
            listed: None,
            dictionary: Dictionary::None,
            packed: None,
            _memory: Memory::default(),
            room: Room::default(),
        }
    }

    /// The next rows, of which there must be so many.
    pub fn read(&mut self, rows: usize, zeros: &Zeros) -> Result<ArrayRef> {
        self.pass_over()?;
        let array = match self.kind {
            Kind::Int32 => self.numbers::<Int32Type>(rows, zeros),
            Kind::Int64 => self.numbers::<Int64Type>(rows, zeros),
            Kind::Double => self.numbers::<Float64Type>(rows, zeros),
            Kind::Texts => self.texts(rows, zeros),
            Kind::Bool => self.bools(rows),
        };
        // Other columns come before the next page, and take the memory while it is in a cache.
        if self.page.as_ref().is_some_and(|page| page.rows == 0) {
            self.page = None;
            self.pages.let_go();
        }
        array
    }

    fn numbers<T: Listed>(&mut self, rows: usize, zeros: &Zeros) -> Result<ArrayRef> {
        let mut making = Making::new(rows);
        if self.coded {
            let values = |column: &Column| {
                let values = T::of(&column.dictionary).cloned().unwrap_or_default();
                typed(PrimitiveArray::<T>::new(values, None), &column.ty)
            };
            let (alike, code) = self.run_of_one(rows)?;
            if let Some(code) = code.filter(|_| alike == rows) {
                return Ok(zeros.standing_in(&self.one(code, values)?, rows));
            }
            let codes = self.codes(rows, (alike, code))?;
            if codes.rows == rows && list::<T>(&self.dictionary).len() <= MOST_LISTED {
                return self.listed(codes, values);
            }
            // The writer gave its dictionary up before.
            gather(list::<T>(&self.dictionary), &codes.some, &mut making.some)?;
            (making.known, making.rows) = (codes.known, codes.rows);
        }
        while making.rows < rows {
            let (page, dictionary, Room { narrow, wide }) = self.page()?;
            let list = list::<T>(dictionary);
            let take = page.rows.min(rows - making.rows);
            let count = page.known(take, &mut making.known)?;
            match &mut page.values {
                Values::Plain(bytes, at) => plain(bytes, at, count, &mut making.some)?,
                Values::Codes(hybrid) if hybrid.width() <= 16 => {
                    narrow.clear();
                    hybrid.read(count, narrow)?;
                    gather(list, narrow, &mut making.some)?;
                }
                Values::Codes(hybrid) => {
                    wide.clear();
                    hybrid.read(count, wide)?;
                    gather(list, wide, &mut making.some)?;
                }
            }
            making.rows += take;
            page.rows -= take;
        }
        let (values, known) = making.finish(self.optional);
        typed(PrimitiveArray::<T>::new(values.into(), known), &self.ty)
    }

    /// Takes as many of the next rows as are of one code, page by page; how many these are, and the code.
    fn run_of_one(&mut self, rows: usize) -> Result<(usize, Option<u16>)> {
        let (mut done, mut alike) = (0, None);
        while done < rows {
            let (page, ..) = self.page()?;
            let take = page.rows.min(rows - done);
            let code = if page.has_narrow_codes() { page.run_of_one(take, alike)? } else { None };
            if code.is_none() {
                break;
            }
            (done, alike) = (done + take, code);
        }
        Ok((done, alike))
    }

    /// What one code stands for, as an array of one.
    fn one(&mut self, code: u16, values: impl Fn(&Column) -> Result<ArrayRef>) -> Result<ArrayRef> {
        let (code, list) = (usize::from(code), self.list(values)?);
        match code < list.len() {
            true => Ok(list.slice(code, 1)),
            false => Err(damage("a code that stands for nothing")),
        }
    }

    /// The codes of the next rows, of no more than there are pages of codes for. The first were taken already:
    /// so many, of one code.
    fn codes(&mut self, rows: usize, (alike, code): (usize, Option<u16>)) -> Result<Making<u16>> {
        let mut making = Making::new(rows);
        making.some.resize(alike, code.unwrap_or_default());
        making.known.same(true, alike);
        making.rows = alike;
        while making.rows < rows {
            let (page, ..) = self.page()?;
            let take = page.rows.min(rows - making.rows);
            if !page.has_narrow_codes() {
                return Ok(making);
            }
            let count = page.known(take, &mut making.known)?;
            if let Values::Codes(hybrid) = &mut page.values {
                hybrid.read(count, &mut making.some)?;
            }
            making.rows += take;
            page.rows -= take;
        }
        Ok(making)
    }

    /// Codes as an array; `values` makes the array of what they stand for, once for each column chunk.
    fn listed(
        &mut self,
        codes: Making<u16>,
        values: impl Fn(&Column) -> Result<ArrayRef>,
    ) -> Result<ArrayRef> {
        let list = self.list(values)?;
        if !codes.some.is_empty() && usize::from(greatest(&codes.some)) >= list.len() {
            return Err(damage("a code that stands for nothing"));
        }
        let (codes, known) = codes.finish(self.optional);
        let codes = UInt16Array::new(codes.into(), known);
        #[expect(unsafe_code, reason = "the codes need no second look")]
        // SAFETY: each code of a known row stands for something, as was just found.
        let array = unsafe { DictionaryArray::<UInt16Type>::new_unchecked(codes, list) };
        Ok(Arc::new(array))
    }

    /// The values that codes stand for, as an array.
    fn list(&mut self, values: impl Fn(&Column) -> Result<ArrayRef>) -> Result<ArrayRef> {
        Ok(match &self.listed {
            Some(list) => list.clone(),
            None => self.listed.insert(values(self)?).clone(),
        })
    }

    fn texts(&mut self, rows: usize, zeros: &Zeros) -> Result<ArrayRef> {
        if self.coded {
            let values = |column: &Column| match &column.dictionary {
                Dictionary::Texts(list) => Ok(list.clone()),
                _ => Err(damage("codes without texts")),
            };
            let (alike, code) = self.run_of_one(rows)?;
            if let Some(code) = code.filter(|_| alike == rows) {
                return Ok(zeros.standing_in(&self.one(code, values)?, rows));
            }
            let codes = self.codes(rows, (alike, code))?;
            let few = matches!(&self.dictionary, Dictionary::Texts(list) if list.len() <= MOST_LISTED);
            if codes.rows == rows && few {
                return self.listed(codes, values);
            }
            return self.text_codes(
                rows,
                Making {
                    some: codes.some.into_iter().map(i32::from).collect(),
                    known: codes.known,
                    rows: codes.rows,
                },
            );
        }
        self.text_codes(rows, Making::new(rows))
    }

    fn text_codes(&mut self, rows: usize, mut making: Making<i32>) -> Result<ArrayRef> {
        while making.rows < rows {
            let (page, _, Room { narrow, wide }) = self.page()?;
            let take = page.rows.min(rows - making.rows);
            let count = page.known(take, &mut making.known)?;
            match &mut page.values {
                Values::Codes(hybrid) if hybrid.width() <= 16 => {
                    narrow.clear();
                    hybrid.read(count, narrow)?;
                    making.some.extend(narrow.iter().map(|code| i32::from(*code)));
                }
                Values::Codes(hybrid) => {
                    wide.clear();
                    hybrid.read(count, wide)?;
                    making.some.extend(wide.iter().map(|code| code.cast_signed()));
                }
                Values::Plain(..) => return Err(damage("texts where it says that there are codes")),
            }
            making.rows += take;
            page.rows -= take;
        }
        let Dictionary::Texts(list) = &self.dictionary else { return Err(damage("codes without texts")) };
        let (codes, known) = making.finish(self.optional);
        let codes = Int32Array::new(codes.into(), known);
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, list.clone())?))
    }

    fn bools(&mut self, rows: usize) -> Result<ArrayRef> {
        let (mut some, mut known) = (Bitmap::with_capacity(rows), Bitmap::with_capacity(rows));
        let mut done = 0;
        while done < rows {
            let (page, ..) = self.page()?;
            let take = page.rows.min(rows - done);
            let count = page.known(take, &mut known)?;
            match &mut page.values {
                Values::Plain(bytes, at) => {
                    if bytes.len() < (*at + count).div_ceil(8) {
                        return Err(damage("fewer bools than there should be"));
                    }
                    some.packed(bytes, *at, count);
                    *at += count;
                }
                Values::Codes(hybrid) => {
                    hybrid.read_bits(count, &mut some)?;
                }
            }
            done += take;
            page.rows -= take;
        }
        if some.len() == rows {
            return Ok(Arc::new(BooleanArray::new(some.finish(), None)));
        }
        let words = spread_bits(known.words(), some.words());
        let known = NullBuffer::new(known.finish());
        let bits = BooleanBuffer::new(Buffer::from_vec(words), 0, rows);
        Ok(Arc::new(BooleanArray::new(bits, Some(known))))
    }

    /// Passes over the next rows, of which there must be so many. Pages that have no other rows will not be
    /// decoded.
    pub fn skip(&mut self, rows: usize) {
        self.skipped += rows;
    }

    /// Goes to the row that is to be read next.
    fn pass_over(&mut self) -> Result<()> {
        let mut rows = std::mem::take(&mut self.skipped);
        while rows > 0 {
            if let Some(page) = self.page.as_mut().filter(|page| page.rows > 0) {
                let take = page.rows.min(rows);
                page.skip(take)?;
                rows -= take;
                continue;
            }
            rows = self.pages.pass_over(rows)?;
            if rows > 0 {
                self.next_page()?;
            }
        }
        Ok(())
    }

    /// Takes the next page, of rows or of the dictionary.
    fn next_page(&mut self) -> Result<()> {
        self.page = None;
        match self.pages.next()? {
            None => return Err(damage("fewer rows than there should be")),
            Some(page @ Page::DictionaryPage { .. }) => self.packed = Some(page),
            Some(page) => {
                if is_coded(page.encoding()) {
                    self.unpack()?;
                }
                let page = self.pages.unsqueezed(page)?;
                self.page = Some(DataPage::of(page, self.kind, self.optional)?);
            }
        }
        Ok(())
    }

    /// Takes the dictionary out of its page.
    fn unpack(&mut self) -> Result<()> {
        let Some(page) = self.packed.take() else { return Ok(()) };
        if let Page::DictionaryPage { buf, num_values, .. } = self.pages.unsqueezed(page)? {
            self.dictionary = dictionary(self.kind, &buf, num_values as usize)?;
            self._memory = self.pages.unsqueezer.as_mut().map(Unsqueezer::last).unwrap_or_default();
        }
        Ok(())
    }

    /// The page that has the next row, the dictionary, and room for codes.
    fn page(&mut self) -> Result<(&mut DataPage, &Dictionary, &mut Room)> {
        while self.page.as_ref().is_none_or(|page| page.rows == 0) {
            self.next_page()?;
        }
        let page = self.page.as_mut().ok_or_else(|| damage("no page"))?;
        Ok((page, &self.dictionary, &mut self.room))
    }
}

/// Numbers under the name of a type that is laid out alike: days, moments.
fn typed<T: ArrowPrimitiveType>(numbers: PrimitiveArray<T>, ty: &DataType) -> Result<ArrayRef> {
    if *ty == T::DATA_TYPE {
        return Ok(Arc::new(numbers));
    }
    let data = numbers.into_data().into_builder().data_type(ty.clone());
    Ok(make_array(data.build()?))
}

/// Adds what the codes stand for.
fn gather<T: Copy + Default, C: Copy + Into<u32>>(list: &[T], codes: &[C], out: &mut Vec<T>) -> Result<()> {
    let mut all = true;
    out.extend(codes.iter().map(|code| match list.get((*code).into() as usize) {
        Some(value) => *value,
        None => {
            all = false;
            T::default()
        }
    }));
    if all { Ok(()) } else { Err(damage("a code that stands for nothing")) }
}
