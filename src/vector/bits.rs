//! Bitmaps: one bit per row, in words of 64, processed a word at a time.
//!
//! The bits past the last row are always zero, so counting and "is there any" need no care.

use super::kernels;
use super::tested::pack;
use arrow::buffer::{BooleanBuffer, Buffer};

/// One bit per row.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// All rows in, or none.
    pub fn filled(len: usize, all: bool) -> Self {
        let mut bits = Bits { words: vec![if all { u64::MAX } else { 0 }; len.div_ceil(64)], len };
        bits.trim();
        bits
    }

    /// From words made elsewhere; what lies past `len` is dropped.
    pub fn from_words(words: Vec<u64>, len: usize) -> Self {
        let mut bits = Bits { words, len };
        bits.words.resize(len.div_ceil(64), 0);
        bits.trim();
        bits
    }

    /// A row's bit by a question per row.
    pub fn from_fn(len: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut bits = Bits::filled(len, false);
        for (word, start) in bits.words.iter_mut().zip((0..len).step_by(64)) {
            for row in start..len.min(start + 64) {
                *word |= u64::from(holds(row)) << (row - start);
            }
        }
        bits
    }

    /// Sets the bits past the end to zero.
    pub fn trim(&mut self) {
        let rest = self.len % 64;
        if rest > 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << rest) - 1;
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Its words.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Its words, to be written; the bits past the end must stay zero.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// How many rows are in.
    pub fn count(&self) -> u64 {
        kernels::count(&self.words)
    }

    /// Has so many rows from now on; what it holds then means nothing.
    pub fn resize(&mut self, len: usize) {
        self.words.resize(len.div_ceil(64), 0);
        self.len = len;
    }

    /// Whether it has memory of its own.
    pub fn has_room(&self) -> bool {
        self.words.capacity() > 0
    }

    /// Becomes what another one is.
    pub fn copy_from(&mut self, other: &Bits) {
        self.words.clear();
        self.words.extend_from_slice(&other.words);
        self.len = other.len;
    }

    /// The row's bit; of a row past the end, none.
    pub fn get(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Takes the row out.
    pub fn clear(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Whether no row is in.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// `self &= other`
    pub fn and(&mut self, other: &Bits) {
        kernels::and_with(&mut self.words, &other.words);
    }

    /// `self &= !other`
    pub fn and_not(&mut self, other: &Bits) {
        kernels::and_not_with(&mut self.words, &other.words);
    }

    /// `self |= other`
    pub fn or(&mut self, other: &Bits) {
        kernels::or_with(&mut self.words, &other.words);
    }

    /// `self ^= other`
    pub fn xor(&mut self, other: &Bits) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word ^= other;
        }
    }

    /// `self = !self`
    pub fn not(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        self.trim();
    }

    /// The rows that are in, in order.
    pub fn rows(&self) -> impl Iterator<Item = usize> {
        self.words.iter().zip((0..).step_by(64)).flat_map(|(word, start)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    start + bit
                })
            })
        })
    }

    /// Appends another part's rows; this one must end at a word's end.
    pub fn append(&mut self, other: &Bits) {
        debug_assert_eq!(self.len % 64, 0, "a part in the middle ends at a word's end");
        self.words.extend_from_slice(&other.words);
        self.len += other.len;
    }

    /// As Arrow's bitmap.
    pub fn into_buffer(self) -> BooleanBuffer {
        BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.len)
    }
}

/// More bitmaps than a pool keeps: only the largest programs have so many at a time.
const MOST_SPARE: usize = 1024;

/// Bitmaps that are not needed any more, for the next ones: a chunk allocates next to nothing.
#[derive(Debug, Default)]
pub(super) struct Pool {
    spare: Vec<Vec<u64>>,
    bytes: Vec<Vec<u8>>,
}

impl Pool {
    /// A bitmap to be written; what it holds before means nothing.
    pub fn bits(&mut self, len: usize) -> Bits {
        let mut words = self.spare.pop().unwrap_or_default();
        words.resize(len.div_ceil(64), 0);
        Bits { words, len }
    }

    /// From Arrow's bitmap, at whatever bit it begins.
    pub fn of_buffer(&mut self, buffer: &BooleanBuffer) -> Bits {
        let mut words = self.spare.pop().unwrap_or_default();
        words.clear();
        let chunks = buffer.bit_chunks();
        words.extend(chunks.iter());
        if chunks.remainder_len() > 0 {
            words.push(chunks.remainder_bits());
        }
        Bits { words, len: buffer.len() }
    }

    /// All rows in, or none.
    pub fn filled(&mut self, len: usize, all: bool) -> Bits {
        let mut bits = self.bits(len);
        bits.words.fill(if all { u64::MAX } else { 0 });
        bits.trim();
        bits
    }

    /// The same bitmap again.
    pub fn copy(&mut self, other: &Bits) -> Bits {
        let mut bits = self.bits(0);
        bits.copy_from(other);
        bits
    }

    /// Takes a bitmap back.
    pub fn put(&mut self, bits: Bits) {
        if self.spare.len() < MOST_SPARE {
            self.spare.push(bits.words);
        }
    }

    /// Bytes to be written.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = self.bytes.pop().unwrap_or_default();
        bytes.resize(len, 0);
        bytes
    }

    /// Takes bytes back.
    pub fn put_bytes(&mut self, bytes: Vec<u8>) {
        self.bytes.push(bytes);
    }
}

/// A bitmap of the values for which `holds`.
#[inline(always)]
pub(super) fn bits_of<T: Copy>(values: &[T], holds: impl Fn(T) -> bool + Copy) -> Bits {
    let words = values.chunks(64).map(|values| pack(values, holds)).collect();
    Bits { words, len: values.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_past_the_end_stay_zero() {
        let mut bits = Bits::filled(70, false);
        bits.not();
        assert_eq!(bits.rows().count(), 70);
        assert_eq!(Bits::filled(70, true), bits);
        assert_eq!(Bits::from_words(vec![u64::MAX; 2], 70), bits);
    }

    #[test]
    fn packing_puts_the_first_value_lowest() {
        let values: Vec<i64> = (0..130).collect();
        let bits = bits_of(&values, |value| value % 3 == 0);
        assert_eq!(bits, Bits::from_fn(130, |row| row % 3 == 0));
        assert_eq!(bits.rows().collect::<Vec<_>>(), (0..130).step_by(3).collect::<Vec<_>>());
    }

    #[test]
    fn arrow_bitmaps_may_begin_at_any_bit() {
        let whole = BooleanBuffer::collect_bool(300, |row| row % 7 < 3);
        let bits = Pool::default().of_buffer(&whole.slice(13, 200));
        assert_eq!(bits, Bits::from_fn(200, |row| (row + 13) % 7 < 3));
        assert_eq!(bits.clone().into_buffer(), whole.slice(13, 200));
    }
}
