//! What is left of a page of a column, and what stands before the first: the dictionary.

use super::bitmap::Bitmap;
use super::column::Kind;
use super::damage;
use super::hybrid::Hybrid;
use super::spread::Movable;
use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::Page;
use parquet::errors::Result;
use std::sync::Arc;

/// What codes stand for.
pub enum Dictionary {
    None,
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
    Double(ScalarBuffer<f64>),
    Texts(ArrayRef),
}

/// What is left of a page.
pub struct DataPage {
    pub rows: usize,
    /// Which rows are known, where some may not be.
    known: Option<Levels>,
    pub values: Values,
}

enum Levels {
    Hybrid(Hybrid),
    /// As the oldest files have them: bits, the first highest; and the next one.
    Highest(Bytes, usize),
}

pub enum Values {
    /// One after the other; and the next one.
    Plain(Bytes, usize),
    Codes(Hybrid),
}

/// A number that a page holds as it is.
pub trait Number: Movable + ArrowNativeType {
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

/// Whether values are codes of a dictionary.
pub fn is_coded(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY)
}

impl DataPage {
    pub fn of(page: Page, kind: Kind, optional: bool) -> Result<DataPage> {
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
            encoding if is_coded(encoding) => {
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

    /// Passes over rows, no more than there are.
    pub fn skip(&mut self, rows: usize) -> Result<()> {
        // Nobody asks for what comes behind the last.
        if rows < self.rows {
            let count = self.known(rows, &mut Bitmap::default())?;
            match &mut self.values {
                Values::Plain(_, at) => *at += count,
                Values::Codes(hybrid) => hybrid.read::<u32>(count, &mut Vec::new())?,
            }
        }
        self.rows -= rows;
        Ok(())
    }

    /// Whether its values are codes of at most 16 bits.
    pub fn has_narrow_codes(&self) -> bool {
        matches!(&self.values, Values::Codes(hybrid) if hybrid.width() <= 16)
    }

    /// Takes the next rows where they are one run of known values of one code, and gives that code; not where it
    /// is another one than `like`.
    pub fn run_of_one(&mut self, rows: usize, like: Option<u16>) -> Result<Option<u16>> {
        let all_known = match &mut self.known {
            None => true,
            Some(Levels::Hybrid(levels)) => levels.same(rows)? == Some(1),
            Some(Levels::Highest(..)) => false,
        };
        let Values::Codes(codes) = &mut self.values else { return Ok(None) };
        // Where no value is known there may be no codes.
        let code = if all_known { codes.same(rows)? } else { None };
        let Some(code) = code.and_then(|code| u16::try_from(code).ok()) else { return Ok(None) };
        if like.is_some_and(|like| like != code) {
            return Ok(None);
        }
        codes.pass(rows);
        if let Some(Levels::Hybrid(levels)) = &mut self.known {
            levels.pass(rows);
        }
        self.rows -= rows;
        Ok(Some(code))
    }

    /// Adds which of the next rows are known; says how many are.
    pub fn known(&mut self, rows: usize, known: &mut Bitmap) -> Result<usize> {
        match &mut self.known {
            None => Ok(rows),
            Some(Levels::Hybrid(hybrid)) => hybrid.read_bits(rows, known),
            Some(Levels::Highest(bytes, at)) => {
                let mut set = 0;
                for bit in *at..*at + rows {
                    let byte =
                        bytes.get(bit / 8).ok_or_else(|| damage("fewer levels than there should be"))?;
                    let bit = byte >> (7 - bit % 8) & 1 == 1;
                    known.same(bit, 1);
                    set += usize::from(bit);
                }
                *at += rows;
                Ok(set)
            }
        }
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
pub fn plain<T: Number>(bytes: &Bytes, at: &mut usize, count: usize, out: &mut Vec<T>) -> Result<()> {
    let size = size_of::<T>();
    let start = *at * size;
    let some = bytes.get(start..start + count * size);
    let some = some.ok_or_else(|| damage("fewer values than there should be"))?;
    if cfg!(target_endian = "little") && some.as_ptr().align_offset(align_of::<T>()) == 0 {
        let numbers = Buffer::from(bytes.slice(start..start + count * size));
        out.extend_from_slice(numbers.typed_data());
    } else {
        out.extend(some.chunks_exact(size).map(T::of));
    }
    *at += count;
    Ok(())
}

/// The values that codes stand for.
pub fn dictionary(kind: Kind, bytes: &Bytes, count: usize) -> Result<Dictionary> {
    Ok(match kind {
        Kind::Int32 => Dictionary::Int32(numbers(bytes, count)?),
        Kind::Int64 => Dictionary::Int64(numbers(bytes, count)?),
        Kind::Double => Dictionary::Double(numbers(bytes, count)?),
        Kind::Texts => Dictionary::Texts(texts(bytes, count)?),
        Kind::Bool => Dictionary::None,
    })
}

/// The bytes of numbers are the numbers, where the machine has the lowest first too.
fn numbers<T: Number>(bytes: &Bytes, count: usize) -> Result<ScalarBuffer<T>> {
    let aligned = bytes.as_ptr().align_offset(align_of::<T>()) == 0;
    let size = count.checked_mul(size_of::<T>()).filter(|size| *size <= bytes.len());
    match size {
        Some(size) if cfg!(target_endian = "little") && aligned => {
            Ok(ScalarBuffer::new(Buffer::from(bytes.slice(..size)), 0, count))
        }
        _ => {
            let mut numbers = Vec::new();
            plain(bytes, &mut 0, count, &mut numbers)?;
            Ok(numbers.into())
        }
    }
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
