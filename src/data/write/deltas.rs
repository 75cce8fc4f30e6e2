//! Whole numbers as differences, packed to as few bits as they need: Parquet's DELTA_BINARY_PACKED. Keys
//! mostly ascend, so their differences are small, and those of a sequence are all the same and take no bits.

use super::pages::{Body, Chunk, PAGE_ROWS, Pages, Squeeze};
use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

/// Differences of a block, which have their least in common.
const BLOCK: usize = 128;

/// Differences that are packed to the same number of bits.
const MINIBLOCK: usize = 32;

/// Numbers of a column chunk, none missing.
pub struct Deltas {
    /// Those of a page that is not full yet.
    numbers: Vec<i64>,
    pages: Pages,
    /// The least and the greatest of the full pages.
    ends: Option<(i64, i64)>,
}

impl Deltas {
    /// No numbers.
    pub fn new(descriptor: &ColumnDescPtr) -> Deltas {
        let pages = Pages::new(descriptor.clone(), Squeeze::No);
        Deltas { numbers: Vec::with_capacity(PAGE_ROWS), pages, ends: None }
    }

    /// Adds rows.
    pub fn append(&mut self, mut numbers: &[i64]) -> Result<()> {
        while !numbers.is_empty() {
            let (now, later) = numbers.split_at(numbers.len().min(PAGE_ROWS - self.numbers.len()));
            self.numbers.extend_from_slice(now);
            numbers = later;
            if self.numbers.len() == PAGE_ROWS {
                self.page()?;
            }
        }
        Ok(())
    }

    fn page(&mut self) -> Result<()> {
        let rows = self.numbers.len();
        let bytes = packed(&self.numbers, &mut self.ends).into();
        self.numbers.clear();
        self.pages.data(Body { encoding: Encoding::DELTA_BINARY_PACKED, rows, values: rows, bytes })
    }

    /// The chunk of all rows.
    pub fn finish(mut self) -> Result<Chunk> {
        if !self.numbers.is_empty() {
            self.page()?;
        }
        let (least, most) = self.ends.unzip();
        self.pages.finish(Statistics::int64(least, most, None, Some(0), false))
    }
}

fn widen(ends: &mut Option<(i64, i64)>, least: i64, most: i64) {
    let (before, after) = ends.unwrap_or((least, most));
    *ends = Some((before.min(least), after.max(most)));
}

/// A page: block size, miniblocks a block, how many numbers, the first; then blocks. The ends of all numbers
/// become wider by those of these.
fn packed(numbers: &[i64], ends: &mut Option<(i64, i64)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(numbers.len() / 8 + 64);
    varint(&mut out, BLOCK as u64);
    varint(&mut out, (BLOCK / MINIBLOCK) as u64);
    varint(&mut out, numbers.len() as u64);
    let Some((first, rest)) = numbers.split_first() else {
        varint(&mut out, 0);
        return out;
    };
    varint(&mut out, zigzag(*first));
    widen(ends, *first, *first);
    for (block, before) in rest.chunks(BLOCK).zip(numbers.iter().step_by(BLOCK)) {
        match sequence(block, *before) {
            Some(difference) => {
                varint(&mut out, zigzag(difference));
                out.extend([0; BLOCK / MINIBLOCK]);
                if let Some(last) = block.last() {
                    widen(ends, *before.min(last), *before.max(last));
                }
            }
            None => {
                packed_block(&mut out, block, *before);
                for number in block {
                    widen(ends, *number, *number);
                }
            }
        }
    }
    out
}

/// The difference of each number to the one before it, if it is the same for all of them.
fn sequence(numbers: &[i64], before: i64) -> Option<i64> {
    let (first, last) = (numbers.first()?, numbers.last()?);
    let difference = first.wrapping_sub(before);
    let mut other = 0;
    for (before, number) in numbers.iter().zip(numbers.iter().skip(1)) {
        other |= number.wrapping_sub(*before) ^ difference;
    }
    // What wraps around on its way is no sequence.
    let way = i128::from(difference) * numbers.len() as i128;
    (other == 0 && i128::from(*last) - i128::from(before) == way).then_some(difference)
}

/// The least difference, how many bits those of each miniblock need, and what they are more than the least.
fn packed_block(out: &mut Vec<u8>, numbers: &[i64], mut before: i64) {
    let mut differences = [0_i64; BLOCK];
    for (difference, number) in differences.iter_mut().zip(numbers) {
        // Readers add as they subtract here: what wraps around comes back.
        *difference = number.wrapping_sub(before);
        before = *number;
    }
    let differences = differences.get(..numbers.len()).unwrap_or_default();
    let least = differences.iter().copied().min().unwrap_or(0);
    varint(out, zigzag(least));
    let mut more = [0_u64; BLOCK];
    for (more, difference) in more.iter_mut().zip(differences) {
        *more = difference.wrapping_sub(least).cast_unsigned();
    }
    let (miniblocks, _) = more.as_chunks::<MINIBLOCK>();
    let mut widths = [0_u8; BLOCK / MINIBLOCK];
    for (width, numbers) in widths.iter_mut().zip(miniblocks) {
        let bits = numbers.iter().fold(0, |bits, number| bits | number);
        *width = u8::try_from(u64::BITS - bits.leading_zeros()).unwrap_or(0);
    }
    out.extend(widths);
    // Miniblocks without a number are left out.
    for (numbers, width) in miniblocks.iter().zip(widths).take(differences.len().div_ceil(MINIBLOCK)) {
        pack(out, numbers, u32::from(width));
    }
}

/// Numbers of so many bits, the lowest first.
fn pack(out: &mut Vec<u8>, numbers: &[u64; MINIBLOCK], width: u32) {
    if width == 0 {
        return;
    }
    let (mut word, mut filled) = (0_u64, 0);
    for number in numbers {
        word |= number << filled;
        if filled + width >= u64::BITS {
            out.extend(word.to_le_bytes());
            // Two shifts, as one by 64 is none.
            word = number >> 1 >> (u64::BITS - 1 - filled);
            filled = filled + width - u64::BITS;
        } else {
            filled += width;
        }
    }
    // 32 numbers fill whole groups of four bytes.
    let rest = filled.div_ceil(8) as usize;
    out.extend(word.to_le_bytes().iter().take(rest));
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// ULEB128.
fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use parquet::basic::{Repetition, Type as Physical};
    use parquet::column::reader::{ColumnReader, get_typed_column_reader};
    use parquet::data_type::Int64Type;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::types::Type;
    use std::sync::Arc;

    /// What another reader finds, and the least and greatest that the footer says.
    fn round_trip(parts: &[&[i64]]) -> (Vec<i64>, Option<(i64, i64)>) {
        let key = Type::primitive_type_builder("id", Physical::INT64).with_repetition(Repetition::REQUIRED);
        let schema = Type::group_type_builder("rows").with_fields(vec![Arc::new(key.build().unwrap())]);
        let mut file =
            SerializedFileWriter::new(Vec::new(), Arc::new(schema.build().unwrap()), Arc::default()).unwrap();
        let mut deltas = Deltas::new(&file.schema_descr().column(0));
        for part in parts {
            deltas.append(part).unwrap();
        }
        let chunk = deltas.finish().unwrap();
        let mut group = file.next_row_group().unwrap();
        group.append_column(&chunk.bytes, chunk.close).unwrap();
        group.close().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(file.into_inner().unwrap())).unwrap();
        let ends = match reader.metadata().row_group(0).column(0).statistics() {
            Some(Statistics::Int64(ends)) => ends.min_opt().copied().zip(ends.max_opt().copied()),
            _ => None,
        };
        let column: ColumnReader = reader.get_row_group(0).unwrap().get_column_reader(0).unwrap();
        let mut found = Vec::new();
        let count = parts.iter().map(|part| part.len()).sum::<usize>();
        get_typed_column_reader::<Int64Type>(column)
            .read_records(count.max(1), None, None, &mut found)
            .unwrap();
        (found, ends)
    }

    #[test]
    fn keys_of_any_order_are_read_by_others() {
        let mixed = |n: i64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
        let of =
            |count: usize, number: &dyn Fn(i64) -> i64| (0..count as i64).map(number).collect::<Vec<i64>>();
        let cases: Vec<Vec<i64>> = vec![
            of(1, &|_| i64::MIN),
            of(129, &|n| n * 3 + 1_000_000),
            of(400, &|n| 70 - n),
            of(400, &|_| 5),
            of(1000, &|n| if n < 500 { n } else { n * 2 }),
            of(1000, &mixed),
            of(1000, &|n| mixed(n) >> 40),
            // The same difference each time, once around.
            of(300, &|n| n.wrapping_mul(1 << 56)),
            of(300, &|n| if n % 2 == 0 { i64::MIN } else { i64::MAX }),
            of(PAGE_ROWS + 300, &|n| n / 2),
        ];
        for numbers in cases {
            let ends = numbers.iter().min().copied().zip(numbers.iter().max().copied());
            assert_eq!(round_trip(&[&numbers]), (numbers.clone(), ends));
            let (first, last) = numbers.split_at(numbers.len() / 3);
            assert_eq!(round_trip(&[first, &[], last]), (numbers.clone(), ends), "in two parts");
        }
    }
}
