//! Bits that are read one run after the other: which rows are known, and bools.

use super::spread::set;
use arrow::buffer::{BooleanBuffer, Buffer};

/// Bits in words, the first lowest; those past the end are zero.
#[derive(Default)]
pub struct Bitmap {
    /// The full ones; at the end also the last.
    words: Vec<u64>,
    /// Those that fill no word yet.
    last: u64,
    len: usize,
}

impl Bitmap {
    /// None, with room for so many.
    pub fn with_capacity(len: usize) -> Bitmap {
        Bitmap { words: Vec::with_capacity(len.div_ceil(64) + 1), last: 0, len: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds the lowest `count` bits of a word, at most 64; the others are zero.
    #[inline(always)]
    fn add(&mut self, word: u64, count: usize) {
        let at = self.len % 64;
        self.last |= word << at;
        self.len += count;
        if at + count >= 64 {
            self.words.push(self.last);
            // Two shifts, as one by 64 is none.
            self.last = word >> 1 >> (63 - at);
        }
    }

    /// Adds the same bit so many times.
    #[inline(always)]
    pub fn same(&mut self, bit: bool, count: usize) {
        let ones = if bit { u64::MAX } else { 0 };
        let mut left = count;
        while left >= 64 {
            self.add(ones, 64);
            left -= 64;
        }
        self.add(ones & ((1 << left) - 1), left);
    }

    /// Adds bits `first..first + count` of bytes, the first bit of a byte lowest; missing bytes are
    /// zeros.
    #[inline(always)]
    pub fn packed(&mut self, bytes: &[u8], first: usize, count: usize) {
        let (mut first, mut left) = (first, count);
        while left > 0 {
            let shift = first % 8;
            let take = left.min(64 - shift);
            let word = word_at(bytes, first / 8) >> shift & (u64::MAX >> (64 - take));
            self.add(word, take);
            first += take;
            left -= take;
        }
    }

    /// Adds short runs of bits, as the RLE/bit-packing hybrid has them: up to seven bytes of bits, or up to
    /// 63 times the same. They begin at byte `at`; gives the place behind the last, and how many of `left` bits
    /// are still to come, which is none too few. Runs are as random as the rows that are missing, so both
    /// kinds go one way, on which a processor has nothing to guess.
    pub fn short_runs(&mut self, bytes: &[u8], mut at: usize, mut left: usize) -> (usize, usize) {
        let full = self.words.len();
        self.words.resize(full + left / 64 + 1, 0);
        let (mut last, mut fill, mut next) = (self.last, self.len % 64, full);
        while left >= 64 {
            let Some([header, data @ ..]) = bytes.get(at..).and_then(<[u8]>::first_chunk::<9>) else { break };
            let (count, packed) = (usize::from(header >> 1), header & 1 == 1);
            let short = if packed { count <= 7 } else { data[0] <= 1 };
            if *header >= 0x80 || count == 0 || !short {
                break;
            }
            let data = u64::from_le_bytes(*data);
            let bits = if packed { 8 * count } else { count };
            let word = if packed { data } else { (data & 1).wrapping_neg() };
            let word = word & ((1 << bits) - 1);
            at += if packed { 1 + count } else { 2 };
            left -= bits;
            last |= word << fill;
            if let Some(place) = self.words.get_mut(next) {
                *place = last;
            }
            let full = fill + bits >= 64;
            last = if full { word >> 1 >> (63 - fill) } else { last };
            next += usize::from(full);
            fill = (fill + bits) % 64;
        }
        self.words.truncate(next);
        self.last = last;
        self.len = next * 64 + fill;
        (at, left)
    }

    /// How many bits from that one on are set.
    pub fn set_from(&self, first: usize) -> usize {
        let words = self.words.get(first / 64..).unwrap_or_default();
        let before = words.first().copied().unwrap_or(self.last) & ((1 << (first % 64)) - 1);
        set(words) + set(&[self.last]) - set(&[before])
    }

    /// The words, all of them.
    pub fn words(&mut self) -> &[u64] {
        self.flush();
        &self.words
    }

    /// Puts the last word to the others, once.
    fn flush(&mut self) {
        if self.words.len() < self.len.div_ceil(64) {
            self.words.push(self.last);
        }
    }

    /// The same bits as Arrow has them.
    pub fn finish(mut self) -> BooleanBuffer {
        self.flush();
        BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.len)
    }
}

/// Eight bytes from that one on; missing ones are zeros.
#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..).unwrap_or_default();
    match bytes.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_packed_bits_follow_each_other_at_any_place() {
        let bytes: Vec<u8> = (0..40_u32).map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
        let (mut bitmap, mut expected) = (Bitmap::default(), Vec::new());
        for (first, count) in [(0, 1), (3, 64), (7, 65), (1, 0), (13, 130), (250, 90), (5, 63)] {
            let before = expected.len();
            bitmap.packed(&bytes, first, count);
            expected.extend((first..first + count).map(bit));
            for (bit, count) in [(true, count / 2), (false, 3), (true, 70)] {
                bitmap.same(bit, count);
                expected.extend(vec![bit; count]);
            }
            assert_eq!(bitmap.len(), expected.len());
            assert_eq!(bitmap.set_from(before), expected[before..].iter().filter(|bit| **bit).count());
        }
        assert_eq!(bitmap.finish().iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn short_runs_are_read_as_far_as_they_are_short() {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for n in 0..300_usize {
            let mixed = n.wrapping_mul(0x9e37_79b9).rotate_left(11);
            if mixed.is_multiple_of(3) {
                let count = 1 + mixed % 7;
                bytes.push((count << 1 | 1) as u8);
                let some: Vec<u8> = (0..count).map(|at| (mixed >> at) as u8).collect();
                expected.extend((0..8 * count).map(|bit| some[bit / 8] >> (bit % 8) & 1 == 1));
                bytes.extend(some);
            } else {
                let count = 1 + mixed % 63;
                bytes.extend([(count << 1) as u8, (mixed >> 9 & 1) as u8]);
                expected.extend(vec![mixed >> 9 & 1 == 1; count]);
            }
        }
        let short = expected.len();
        // A run of eight bytes is none of these.
        bytes.extend([17; 20]);
        for before in [0, 5, 63, 64] {
            let mut bitmap = Bitmap::default();
            bitmap.same(true, before);
            let (at, left) = bitmap.short_runs(&bytes, 0, short + 200);
            assert_eq!((at, left, bitmap.len()), (bytes.len() - 20, 200, before + short));
            assert_eq!(bitmap.set_from(before), expected.iter().filter(|bit| **bit).count());
            assert_eq!(bitmap.finish().iter().skip(before).collect::<Vec<_>>(), expected);
            let mut part = Bitmap::default();
            let (_, left) = part.short_runs(&bytes, 0, 1000);
            assert!(left < 64, "as many as may be taken are");
            assert_eq!(part.len(), 1000 - left);
            assert_eq!(part.finish().iter().collect::<Vec<_>>(), expected[..1000 - left]);
        }
    }
}
