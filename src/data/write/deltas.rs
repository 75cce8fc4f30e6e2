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

/// The chunk of these numbers, none of which is missing.
pub(super) fn chunk(numbers: &[i64], descriptor: &ColumnDescPtr) -> Result<Chunk> {
    let mut pages = Pages::new(descriptor.clone(), Squeeze::No);
    for part in numbers.chunks(PAGE_ROWS) {
        let (rows, bytes) = (part.len(), packed(part));
        pages.data(Body {
            encoding: Encoding::DELTA_BINARY_PACKED,
            rows,
            values: rows,
            bytes: bytes.into(),
        })?;
    }
    let (least, most) = (numbers.iter().min().copied(), numbers.iter().max().copied());
    pages.finish(Statistics::int64(least, most, None, Some(0), false))
}

/// A page: block size, miniblocks a block, how many numbers, the first; then blocks.
fn packed(numbers: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(numbers.len() / 8 + 64);
    varint(&mut out, BLOCK as u64);
    varint(&mut out, (BLOCK / MINIBLOCK) as u64);
    varint(&mut out, numbers.len() as u64);
    let Some((first, rest)) = numbers.split_first() else {
        varint(&mut out, 0);
        return out;
    };
    varint(&mut out, zigzag(*first));
    let mut before = *first;
    for numbers in rest.chunks(BLOCK) {
        let mut differences = [0_i64; BLOCK];
        for (difference, number) in differences.iter_mut().zip(numbers) {
            // Readers add as they subtract here: what wraps around comes back.
            *difference = number.wrapping_sub(before);
            before = *number;
        }
        let used = differences.get(..numbers.len()).unwrap_or_default();
        block(&mut out, used);
    }
    out
}

/// The least difference, how many bits those of each miniblock need, and what they are more than the least.
fn block(out: &mut Vec<u8>, differences: &[i64]) {
    let least = differences.iter().copied().min().unwrap_or(0);
    varint(out, zigzag(least));
    let mut more = [0_u64; BLOCK];
    for (more, difference) in more.iter_mut().zip(differences) {
        *more = difference.wrapping_sub(least).cast_unsigned();
    }
    let (miniblocks, _) = more.as_chunks::<MINIBLOCK>();
    let widths = miniblocks.iter().map(|numbers| {
        let bits = numbers.iter().fold(0, |bits, number| bits | number);
        u8::try_from(u64::BITS - bits.leading_zeros()).unwrap_or(0)
    });
    let start = out.len();
    out.extend(widths.clone());
    // Miniblocks without a number are left out.
    for (numbers, width) in miniblocks.iter().zip(widths).take(differences.len().div_ceil(MINIBLOCK)) {
        pack(out, numbers, u32::from(width));
    }
    debug_assert!(out.len() >= start + BLOCK / MINIBLOCK, "there is a width for each miniblock");
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
