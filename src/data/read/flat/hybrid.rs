//! Runs of numbers as Parquet has them, for levels and for codes: either one number many times, or numbers
//! packed to as few bits as they need, eight at a time. The format calls it the RLE/bit-packing hybrid.

use super::bitmap::Bitmap;
use super::{damage, spread};
use bytes::Bytes;
use parquet::errors::Result;

/// Numbers of a run that stand together.
const GROUP: usize = 8;

/// Groups that are unpacked at a time.
const STEP: usize = 256;

/// Reads numbers of so many bits, one run after the other.
pub struct Hybrid {
    bytes: Bytes,
    /// The next byte.
    at: usize,
    width: usize,
    run: Run,
}

enum Run {
    /// A number so many times.
    Same(u32, usize),
    /// Numbers that begin at that byte, of which so many were taken and so many there are.
    Packed { start: usize, taken: usize, count: usize },
}

impl Run {
    fn is_done(&self) -> bool {
        match self {
            Run::Same(_, times) => *times == 0,
            Run::Packed { taken, count, .. } => taken == count,
        }
    }
}

impl Hybrid {
    /// A reader of these bytes.
    pub fn new(bytes: Bytes, width: u8) -> Result<Hybrid> {
        if width > 32 {
            return Err(damage("a code of more than 32 bits"));
        }
        Ok(Hybrid { bytes, at: 0, width: usize::from(width), run: Run::Same(0, 0) })
    }

    /// How many bits a number has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number that each of the next `count` is, where one run says so.
    pub fn same(&mut self, count: usize) -> Result<Option<u32>> {
        if self.run.is_done() && count > 0 {
            self.run = self.next_run()?;
        }
        Ok(match self.run {
            Run::Same(number, times) if times >= count => Some(number),
            _ => None,
        })
    }

    /// Passes over so many numbers of a run that [`Hybrid::same`] has found.
    pub fn pass(&mut self, count: usize) {
        if let Run::Same(_, times) = &mut self.run {
            *times -= count.min(*times);
        }
    }

    /// Adds the next `count` numbers to `out`.
    pub fn read<C: Code>(&mut self, count: usize, out: &mut Vec<C>) -> Result<()> {
        let mut left = count;
        while left > 0 {
            match &mut self.run {
                Run::Same(_, 0) => self.run = self.next_run()?,
                Run::Same(number, times) => {
                    let take = left.min(*times);
                    out.extend(std::iter::repeat_n(C::of(*number), take));
                    *times -= take;
                    left -= take;
                }
                Run::Packed { taken, count, .. } if taken == count => self.run = self.next_run()?,
                Run::Packed { start, taken, count } => {
                    let take = left.min(*count - *taken);
                    let bytes = self.bytes.get(*start..).unwrap_or_default();
                    unpack(bytes, self.width, *taken, take, out);
                    *taken += take;
                    left -= take;
                }
            }
        }
        Ok(())
    }

    /// Adds the next `count` numbers, which are of one bit, to `out`; says how many are 1.
    pub fn read_bits(&mut self, count: usize, out: &mut Bitmap) -> Result<usize> {
        let (mut left, before) = (count, out.len());
        while left > 0 {
            if self.run.is_done() {
                (self.at, left) = out.short_runs(&self.bytes, self.at, left);
            }
            match &mut self.run {
                _ if left == 0 => {}
                Run::Same(_, 0) => self.run = self.next_run()?,
                Run::Same(number, times) => {
                    let take = left.min(*times);
                    out.same(*number != 0, take);
                    *times -= take;
                    left -= take;
                }
                Run::Packed { taken, count, .. } if taken == count => self.run = self.next_run()?,
                Run::Packed { start, taken, count } => {
                    let take = left.min(*count - *taken);
                    let (first, bytes) = (*taken, self.bytes.get(*start..).unwrap_or_default());
                    if bytes.len() < (first + take).div_ceil(8) {
                        return Err(damage("fewer levels than there should be"));
                    }
                    out.packed(bytes, first, take);
                    *taken += take;
                    left -= take;
                }
            }
        }
        Ok(out.set_from(before))
    }

    #[inline]
    fn next_run(&mut self) -> Result<Run> {
        let header = match self.bytes.get(self.at) {
            // Nearly all of them.
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                u64::from(*byte)
            }
            _ => self.varint()?,
        };
        let count = usize::try_from(header >> 1).map_err(|_| damage("a run that is too long"))?;
        if header & 1 == 0 {
            let bytes = self.width.div_ceil(8);
            let number =
                self.bytes.get(self.at..self.at + bytes).ok_or_else(|| damage("a run is cut off"))?;
            self.at += bytes;
            if count == 0 {
                return Err(damage("a run of nothing"));
            }
            let number = number.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
            return Ok(Run::Same(number, count));
        }
        let start = self.at;
        let size =
            count.checked_mul(self.width).filter(|_| count > 0).ok_or_else(|| damage("a run of nothing"))?;
        // The last run of a page may be cut off where no number is missing.
        self.at =
            start.checked_add(size).ok_or_else(|| damage("a run that is too long"))?.min(self.bytes.len());
        let count = count.checked_mul(GROUP).ok_or_else(|| damage("a run that is too long"))?;
        let whole = match self.width {
            0 => count,
            width => count.min((self.at - start) * 8 / width),
        };
        if whole == 0 {
            return Err(damage("a run is cut off"));
        }
        Ok(Run::Packed { start, taken: 0, count: whole })
    }

    /// ULEB128.
    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.bytes.get(self.at).ok_or_else(|| damage("a run is missing"))?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(damage("a run without end"))
    }
}

/// Adds the numbers `first..first + count` of those packed in `bytes`; missing bytes are zeros.
fn unpack<C: Code>(bytes: &[u8], width: usize, first: usize, count: usize, out: &mut Vec<C>) {
    let end = first + count;
    out.reserve(count);
    // Up to a whole group, whole groups, and what is left.
    let head = end.min(first.next_multiple_of(GROUP));
    out.extend((first..head).map(|at| C::of(number(bytes, width, at))));
    let done = match bytes.get(head / GROUP * width..) {
        Some(bytes) if head < end => C::groups(bytes, width, (end - head) / GROUP, out),
        _ => 0,
    };
    out.extend((head + done * GROUP..end).map(|at| C::of(number(bytes, width, at))));
}

/// What numbers are read as.
pub trait Code: Copy {
    /// Of a number that is not larger than what there is room for.
    fn of(number: u32) -> Self;
    /// Adds groups of packed numbers, at most so many; says how many were added.
    fn groups(bytes: &[u8], width: usize, most: usize, out: &mut Vec<Self>) -> usize;
}

impl Code for u16 {
    fn of(number: u32) -> u16 {
        number as u16
    }

    fn groups(bytes: &[u8], width: usize, most: usize, out: &mut Vec<u16>) -> usize {
        let mut done = 0;
        while done < most {
            // What is blanked first is still in the nearest cache when it is written.
            let (start, step) = (out.len(), (most - done).min(STEP));
            out.resize(start + step * GROUP, 0);
            let (groups, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<GROUP>();
            let unpacked = spread::unpack(bytes.get(done * width..).unwrap_or_default(), width, groups);
            out.truncate(start + unpacked * GROUP);
            done += unpacked;
            if unpacked < step {
                break;
            }
        }
        done
    }
}

impl Code for u32 {
    fn of(number: u32) -> u32 {
        number
    }

    fn groups(bytes: &[u8], width: usize, most: usize, out: &mut Vec<u32>) -> usize {
        let whole = |group: &usize| {
            let bytes = bytes.get(group * width..);
            bytes.is_some_and(|bytes| group_of(bytes, width, out))
        };
        (0..most).take_while(whole).count()
    }
}

/// One number.
fn number(bytes: &[u8], width: usize, at: usize) -> u32 {
    let bit = at * width;
    let first = bit / 8;
    let word = (first..first + 5)
        .rev()
        .fold(0_u64, |word, place| word << 8 | u64::from(bytes.get(place).copied().unwrap_or(0)));
    mask_low(word >> (bit % 8), width)
}

fn mask_low(word: u64, width: usize) -> u32 {
    let low = word & ((1_u64 << width) - 1);
    u32::try_from(low).unwrap_or(u32::MAX)
}

/// A whole group, where there are bytes enough to read it in words; says whether there were.
fn group_of(bytes: &[u8], width: usize, out: &mut Vec<u32>) -> bool {
    macro_rules! widths {
        ($($width:literal)*) => {
            match width {
                0 => { out.extend([0; GROUP]); true }
                $($width => group::<$width>(bytes, out),)*
                _ => false,
            }
        };
    }
    widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24)
}

/// A group of numbers of `WIDTH` bits: the compiler makes shifts by constants of it.
#[inline(always)]
fn group<const WIDTH: usize>(bytes: &[u8], out: &mut Vec<u32>) -> bool {
    let Some(bytes) = bytes.first_chunk::<32>() else { return false };
    let mut numbers = [0_u32; GROUP];
    for (place, number) in numbers.iter_mut().enumerate() {
        let bit = place * WIDTH;
        // At most 7 + 24 bits, from a byte within the first 22.
        let word = bytes.get(bit / 8..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_le_bytes);
        *number = word >> (bit % 8) & ((1_u32 << WIDTH) - 1);
    }
    out.extend(numbers);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs numbers, the first lowest.
    fn packed(numbers: &[u32], width: usize) -> Vec<u8> {
        let mut bytes = vec![0; (numbers.len().next_multiple_of(8) * width).div_ceil(8)];
        for (at, number) in numbers.iter().enumerate() {
            for bit in 0..width {
                if number >> bit & 1 == 1 {
                    bytes[(at * width + bit) / 8] |= 1 << ((at * width + bit) % 8);
                }
            }
        }
        bytes
    }

    fn header(out: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn numbers(width: usize, count: usize) -> Vec<u32> {
        let most = if width == 32 { u32::MAX } else { (1 << width) - 1 };
        (0..count as u32).map(|n| n.wrapping_mul(0x9e37_79b9).rotate_left(7) & most).collect()
    }

    #[test]
    fn runs_of_every_width_read_in_pieces_of_any_length() {
        for width in 0..=32 {
            let (first, last) = (numbers(width, 200), numbers(width, 77));
            let mut bytes = Vec::new();
            header(&mut bytes, 25 << 1 | 1);
            bytes.extend(packed(&first, width));
            header(&mut bytes, 1000 << 1);
            bytes.extend(&first[3].to_le_bytes()[..width.div_ceil(8)]);
            header(&mut bytes, 10 << 1 | 1);
            bytes.extend(packed(&last, width));
            let expected: Vec<u32> = first.iter().copied().chain(vec![first[3]; 1000]).chain(last).collect();
            for piece in [1, 3, 7, 8, 9, 64, 100, 1277] {
                let mut hybrid = Hybrid::new(bytes.clone().into(), width as u8).unwrap();
                let mut found: Vec<u32> = Vec::new();
                while found.len() < expected.len() {
                    hybrid.read(piece.min(expected.len() - found.len()), &mut found).unwrap();
                }
                assert_eq!(found, expected, "{width} bits, {piece} at a time");
                let (mut hybrid, mut found) =
                    (Hybrid::new(bytes.clone().into(), width as u8).unwrap(), Vec::new());
                while width <= 16 && found.len() < expected.len() {
                    hybrid.read::<u16>(piece.min(expected.len() - found.len()), &mut found).unwrap();
                }
                assert!(found.iter().zip(&expected).all(|(found, expected)| u32::from(*found) == *expected));
            }
        }
    }

    #[test]
    fn bits_are_those_that_numbers_of_one_bit_are() {
        let bits = numbers(1, 333);
        let mut bytes = Vec::new();
        header(&mut bytes, 42 << 1 | 1);
        bytes.extend(packed(&bits, 1));
        header(&mut bytes, 90 << 1);
        bytes.push(1);
        // 42 groups have 336 numbers, and the last three are filling.
        let expected: Vec<bool> =
            bits.iter().map(|bit| *bit == 1).chain([false; 3]).chain([true; 90]).collect();
        for piece in [1, 5, 64, 426] {
            let mut hybrid = Hybrid::new(bytes.clone().into(), 1).unwrap();
            let (mut found, mut set) = (Bitmap::default(), 0);
            while found.len() < expected.len() {
                set += hybrid.read_bits(piece.min(expected.len() - found.len()), &mut found).unwrap();
            }
            assert_eq!(set, expected.iter().filter(|bit| **bit).count());
            assert_eq!(found.finish().iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn damage_is_told() {
        for (bytes, width) in
            [(vec![], 3), (vec![3], 3), (vec![0], 1), (vec![1], 1), (vec![0x80; 20], 2), (vec![10], 9)]
        {
            let mut hybrid = Hybrid::new(bytes.into(), width).unwrap();
            assert!(hybrid.read::<u32>(5, &mut Vec::new()).is_err());
        }
        assert!(Hybrid::new(Bytes::new(), 33).is_err());
    }
}
