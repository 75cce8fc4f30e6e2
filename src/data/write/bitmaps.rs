//! Columns of booleans: a PLAIN page of them is the bitmap itself.

use super::pages::{Body, Chunk, PAGE_ROWS, Pages, Squeeze, bytes_of, snappy};
use super::row_groups::ROW_GROUP;
use arrow::buffer::BooleanBuffer;
use arrow::util::bit_mask::set_bits;
use bytes::{Bytes, BytesMut};
use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;
use std::cell::RefCell;

/// More bitmaps than a thread keeps for its next row group.
const MOST_SPARE: usize = 512;

/// Bytes of a page that tell what the others are like.
const SAMPLE: usize = 2048;

thread_local! {
    /// Memory that is fresh from the system costs more than what is written into it.
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// Booleans of a column chunk, none missing: the first lowest, zeros past the last.
pub struct Bitmap {
    bytes: BytesMut,
    rows: usize,
}

impl Bitmap {
    /// Of no rows.
    pub fn new() -> Bitmap {
        let spare = SPARE.with_borrow_mut(Vec::pop);
        Bitmap { bytes: spare.unwrap_or_else(|| BytesMut::with_capacity(ROW_GROUP / 8)), rows: 0 }
    }

    /// Adds rows.
    pub fn append(&mut self, bits: &BooleanBuffer) {
        let rows = self.rows + bits.len();
        if self.rows.is_multiple_of(8) {
            match bits.values().get(bits.offset() / 8..(bits.offset() + bits.len()) / 8) {
                Some(bytes) if bits.offset().is_multiple_of(8) && bits.len().is_multiple_of(8) => {
                    self.bytes.extend_from_slice(bytes);
                }
                _ => self.bytes.extend_from_slice(&bytes_of(bits)),
            }
        } else {
            self.bytes.resize(rows.div_ceil(8), 0);
            set_bits(&mut self.bytes, bits.values(), self.rows, bits.offset(), bits.len());
        }
        self.rows = rows;
    }

    /// The chunk of all rows.
    pub fn finish(self, descriptor: &ColumnDescPtr) -> Result<Chunk> {
        let rows = self.rows;
        let bytes = self.bytes.freeze();
        let chunk = chunk(&bytes, rows, descriptor)?;
        if let Ok(mut spare) = bytes.try_into_mut() {
            spare.clear();
            SPARE.with_borrow_mut(|kept| {
                if kept.len() < MOST_SPARE {
                    kept.push(spare);
                }
            });
        }
        Ok(chunk)
    }
}

fn chunk(bytes: &Bytes, rows: usize, descriptor: &ColumnDescPtr) -> Result<Chunk> {
    // Pages begin at whole bytes: they are parts of the bitmap.
    let page = |start: usize| bytes.slice(start / 8..rows.min(start + PAGE_ROWS).div_ceil(8));
    let mut pages = Pages::new(descriptor.clone(), worth(&page(0))?);
    pages.expect(bytes.len());
    for start in (0..rows).step_by(PAGE_ROWS) {
        let here = PAGE_ROWS.min(rows - start);
        pages.data(Body { encoding: Encoding::PLAIN, rows: here, values: here, bytes: page(start) })?;
    }
    let some = bytes.iter().any(|byte| *byte != 0);
    let (full, rest) = bytes.split_at_checked(rows / 8).unwrap_or((bytes, &[]));
    let last = u8::try_from((1_u16 << (rows % 8)) - 1).unwrap_or(u8::MAX);
    let all = full.iter().all(|byte| *byte == u8::MAX) && rest.iter().all(|byte| *byte == last);
    let (least, most) = (rows > 0).then_some((all, some)).unzip();
    pages.finish(Statistics::boolean(least, most, None, Some(0), false))
}

/// What bitmaps like that page are worth. They are many, and what repeats in one where few bits are set (or
/// few are not) Snappy finds in a fifth of the time that Zstandard takes; where it does not halve them they are
/// as good as random.
fn worth(page: &[u8]) -> Result<Squeeze> {
    let middle = page.len().saturating_sub(SAMPLE) / 2;
    let sample = page.get(middle..page.len().min(middle + SAMPLE)).unwrap_or_default();
    Ok(match snappy(sample)?.len() < sample.len() / 2 {
        true => Squeeze::Snappy,
        false => Squeeze::No,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_follow_each_other_at_any_place() {
        let bit = |row: usize| row * 7 % 11 < 4 || row % 64 == 3;
        let whole = BooleanBuffer::collect_bool(1000, bit);
        let mut bitmap = Bitmap::new();
        let mut rows = 0;
        for count in [8, 64, 0, 16, 3, 61, 64, 5, 8, 7, 300] {
            bitmap.append(&whole.slice(rows, count));
            rows += count;
        }
        assert_eq!(bitmap.rows, rows);
        assert_eq!(bitmap.bytes, bytes_of(&whole.slice(0, rows)));
    }

    #[test]
    fn bitmaps_are_squeezed_where_that_halves_them() {
        let page = |bit: &dyn Fn(usize) -> bool| {
            let bits = BooleanBuffer::collect_bool(PAGE_ROWS, bit);
            worth(&bytes_of(&bits)).unwrap()
        };
        let mixed = |row: usize| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) % 1000;
        assert_eq!(page(&|_| false), Squeeze::Snappy);
        assert_eq!(page(&|row| mixed(row) < 5), Squeeze::Snappy);
        assert_eq!(page(&|row| row < PAGE_ROWS / 3), Squeeze::Snappy);
        assert_eq!(page(&|row| mixed(row) < 500), Squeeze::No);
        assert_eq!(worth(&[]).unwrap(), Squeeze::No);
    }
}
