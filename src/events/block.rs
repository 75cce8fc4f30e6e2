//! Events of one batch, in columns, those of the same users together.
//!
//! Users are divided into ranges of consecutive numbers, the parts, so small that whatever is summed
//! up for the users of one part stays in cache. A block has its events sorted by part, so that a part's
//! events are a stretch of each block.

use super::cells::Cells;
use std::ops::Range;

/// How users are divided into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parting {
    /// A part has `2^bits` users; 16 at most.
    bits: u32,
    users: usize,
}

impl Parting {
    /// Of so many users, as near as can be to so many a part.
    pub fn new(users: usize, part_users: usize) -> Parting {
        Parting { bits: part_users.max(1).ilog2().min(16), users }
    }

    /// How many users there are.
    pub fn users(self) -> usize {
        self.users
    }

    /// How many parts there are.
    pub fn count(self) -> usize {
        self.users.div_ceil(1 << self.bits)
    }

    /// The user numbers of a part.
    pub fn range(self, part: usize) -> Range<usize> {
        let start = part << self.bits;
        start.min(self.users)..(start + (1 << self.bits)).min(self.users)
    }

    /// The part that a user is in.
    #[inline(always)]
    pub fn part(self, user: u32) -> usize {
        (user >> self.bits) as usize
    }

    /// The user's place in that part.
    #[inline(always)]
    pub fn place(self, user: u32) -> u16 {
        (user & ((1 << self.bits) - 1)) as u16
    }
}

/// The events of a batch that count for something.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Which batch it comes from: the part of the table, and its place there.
    pub origin: (usize, usize),
    /// The first part of the users whose events it has.
    pub first_part: usize,
    /// By part from that one on: where its events begin; then where the last one's end.
    pub offsets: Vec<u32>,
    /// The user's place in the part.
    pub users: Vec<u16>,
    /// Which conditions hold, eight to a column: the first in the lowest bit.
    pub conditions: Vec<Vec<u8>>,
    /// By value.
    pub values: Vec<Cells>,
}

impl Block {
    /// Where a part's events lie.
    pub fn stretch(&self, part: usize) -> Range<usize> {
        let Some(part) = part.checked_sub(self.first_part) else { return 0..0 };
        let at = |part: usize| self.offsets.get(part).map_or(self.users.len(), |at| *at as usize);
        at(part)..at(part + 1)
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        let conditions: usize = self.conditions.iter().map(Vec::len).sum();
        let values: usize = self.values.iter().map(Cells::bytes).sum();
        self.offsets.len() * 4 + self.users.len() * 2 + conditions + values
    }
}

/// The order in which rows are sorted by part: the rows, and where each part's begin.
pub(super) fn by_part(rows: &[u32], users: &[u32], parting: Parting) -> (Vec<u32>, Vec<u32>) {
    let user = |row: u32| users.get(row as usize).copied().unwrap_or(0);
    let mut offsets = vec![0_u32; parting.count() + 1];
    for row in rows {
        if let Some(count) = offsets.get_mut(parting.part(user(*row)) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for offset in &mut offsets {
        sum += *offset;
        *offset = sum;
    }
    let mut next = offsets.clone();
    let mut sorted = vec![0; rows.len()];
    for row in rows {
        if let Some(next) = next.get_mut(parting.part(user(*row))) {
            if let Some(place) = sorted.get_mut(*next as usize) {
                *place = *row;
            }
            *next += 1;
        }
    }
    (sorted, offsets)
}

/// Up to eight bitmaps as a byte a row, the first in the lowest bit.
pub(super) fn bytes_of(bitmaps: &[&[u64]], rows: usize) -> Vec<u8> {
    let mut bytes = vec![0_u8; rows.div_ceil(8) * 8];
    let (eights, _) = bytes.as_chunks_mut::<8>();
    for (at, eight) in eights.iter_mut().enumerate() {
        let mut matrix = 0_u64;
        for (bitmap, place) in bitmaps.iter().zip((0..64).step_by(8)) {
            let word = bitmap.get(at / 8).copied().unwrap_or(0);
            matrix |= (word >> (at % 8 * 8) & 0xff) << place;
        }
        *eight = transposed(matrix).to_le_bytes();
    }
    bytes.truncate(rows);
    bytes
}

/// A matrix of eight times eight bits, its rows and columns exchanged (H. S. Warren, "Hacker's
/// Delight", 2nd edition, 7-3).
fn transposed(mut x: u64) -> u64 {
    for (shift, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let swap = (x ^ (x >> shift)) & mask;
        x ^= swap ^ (swap << shift);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_bytes() {
        let bitmaps: Vec<Vec<u64>> =
            (0..5_u64).map(|n| vec![0x9e37_79b9_7f4a_7c15 << n, 0x1234_5678 >> n]).collect();
        let words: Vec<&[u64]> = bitmaps.iter().map(Vec::as_slice).collect();
        let bytes = bytes_of(&words, 100);
        for row in 0..100 {
            for (place, bitmap) in bitmaps.iter().enumerate() {
                assert_eq!(
                    bytes[row] >> place & 1 == 1,
                    bitmap[row / 64] >> (row % 64) & 1 == 1,
                    "{row} {place}"
                );
            }
        }
        assert!(bytes.iter().all(|byte| *byte < 32));
    }

    #[test]
    fn rows_keep_their_order_within_a_part() {
        let parting = Parting::new(10, 4);
        assert_eq!((parting.count(), parting.range(2), parting.part(9), parting.place(9)), (3, 8..10, 2, 1));
        let users = [9, 0, 5, 1, 9, 4];
        let (rows, offsets) = by_part(&[0, 1, 2, 3, 4, 5], &users, parting);
        assert_eq!((rows, offsets), (vec![1, 3, 2, 5, 0, 4], vec![0, 2, 4, 6]));
    }
}
