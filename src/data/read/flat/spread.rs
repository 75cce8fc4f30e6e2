//! From the known values of rows, one after the other, to a place for each row; and from packed codes to
//! codes. Both are what a decoder does for each value, so both use what the machine has for them: on x86-64
//! an instruction or two put eight to thirty-two values or codes in their places.

#![expect(
    unsafe_code,
    reason = "a function compiled for certain instructions may only be called where the machine has them; and vector loads take pointers"
)]

use crate::levels::compiled_for_each_level;

/// A value whose bytes may go from one place to another.
pub trait Movable: Copy + Default {
    /// Moves values to the rows that are known, with vector instructions; says whether it has.
    fn spread_wide(known: &[u64], values: &mut [Self]) -> bool;
}

/// Rows of a word.
pub const ROWS: usize = 64;

/// Moves the known values, which are one after the other, to the places of the rows that are known; what
/// stands at the others means nothing. A value never moves to an earlier place, so that the last goes first and
/// nothing is in its way.
pub fn spread<T: Movable>(known: &[u64], rows: usize, values: &mut Vec<T>) {
    values.resize(known.len() * ROWS, T::default());
    if !T::spread_wide(known, values) {
        spread_plain(known, values);
    }
    values.truncate(rows);
}

compiled_for_each_level! {
    /// How many bits are set.
    pub set, set_at, (words: &[u64]) -> usize, set_plain
}
compiled_for_each_level! {
    /// The greatest code; 0 where there is none.
    pub greatest, greatest_at, (codes: &[u16]) -> u16, greatest_plain
}

#[inline(always)]
fn greatest_plain(codes: &[u16]) -> u16 {
    codes.iter().fold(0, |most, code| *code.max(&most))
}

#[inline(always)]
fn set_plain(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

fn spread_plain<T: Movable>(known: &[u64], values: &mut [T]) {
    let mut next = set(known);
    for (at, word) in known.iter().enumerate().rev() {
        for row in (0..ROWS).rev() {
            next -= (word >> row & 1) as usize;
            values.copy_within(next..next + 1, at * ROWS + row);
        }
    }
}

/// The same with bits; unknown rows get none.
pub fn spread_bits(known: &[u64], some: &[u64]) -> Vec<u64> {
    let mut next = 0;
    let places = known.iter().map(|known| {
        let (word, bit) = (next / ROWS, next % ROWS);
        let part = |at: usize| some.get(at).copied().unwrap_or(0);
        // Two shifts, as one by 64 is none.
        let bits = part(word) >> bit | part(word + 1) << 1 << (63 - bit);
        next += known.count_ones() as usize;
        deposit(bits, *known)
    });
    places.collect()
}

/// The lowest bits, in their order, at the places of the set bits of a mask.
fn deposit(bits: u64, mask: u64) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if is_x86_feature_detected!("bmi2") {
        // SAFETY: the machine has it.
        return unsafe { x86::deposit(bits, mask) };
    }
    deposit_plain(bits, mask)
}

fn deposit_plain(mut bits: u64, mask: u64) -> u64 {
    let (mut left, mut placed) = (mask, 0);
    while left != 0 && bits != 0 {
        let lowest = left & left.wrapping_neg();
        placed |= lowest * (bits & 1);
        bits >>= 1;
        left ^= lowest;
    }
    placed
}

/// Numbers of at most 16 bits that are packed, eight to `width` bytes. Says how many groups of eight
/// were done; a reader of single numbers does the others.
pub fn unpack(bytes: &[u8], width: usize, out: &mut [[u16; 8]]) -> usize {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if is_x86_feature_detected!("bmi2") {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi");
        // SAFETY: the machine has it.
        let done = if wide { unsafe { x86::unpack_wide(bytes, width, out) } } else { 0 };
        let (Some(bytes), Some(out)) = (bytes.get(done * width..), out.get_mut(done..)) else { return done };
        // SAFETY: the machine has it.
        return done + unsafe { x86::unpack(bytes, width, out) };
    }
    unpack_with(bytes, width, out, deposit_plain)
}

#[inline(always)]
fn unpack_with(bytes: &[u8], width: usize, out: &mut [[u16; 8]], deposit: impl Fn(u64, u64) -> u64) -> usize {
    let number = (1_u64 << width.min(16)) - 1;
    let places = number * 0x0001_0001_0001_0001;
    // Four numbers are half a group; of an odd width they begin in the middle of a byte.
    let (second, shift) = (width / 2, width % 2 * 4);
    for (group, out) in out.iter_mut().enumerate() {
        let start = group * width;
        let word = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map(u64::from_le_bytes);
        let (Some(low), Some(high)) = (word(start), word(start + second)) else { return group };
        let halves = [deposit(low, places), deposit(high >> shift, places)];
        for (out, half) in out.as_chunks_mut::<4>().0.iter_mut().zip(halves) {
            let lanes = half.to_le_bytes();
            for (out, lane) in out.iter_mut().zip(lanes.as_chunks::<2>().0) {
                *out = u16::from_le_bytes(*lane);
            }
        }
    }
    out.len()
}

macro_rules! movable {
    ($($type:ty: $wide:ident),*) => {$(
        impl Movable for $type {
            fn spread_wide(known: &[u64], values: &mut [Self]) -> bool {
                #[cfg(all(target_arch = "x86_64", not(miri)))]
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vbmi2")
                {
                    // SAFETY: the machine has them.
                    unsafe { x86::$wide(known, values) };
                    return true;
                }
                let _ = (known, values);
                false
            }
        }
    )*};
}

movable!(u16: spread_u16, i32: spread_i32, i64: spread_i64, f64: spread_f64);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::ROWS;
    use std::arch::x86_64::*;

    #[target_feature(enable = "bmi2")]
    pub fn deposit(bits: u64, mask: u64) -> u64 {
        _pdep_u64(bits, mask)
    }

    #[target_feature(enable = "bmi2")]
    pub fn unpack(bytes: &[u8], width: usize, out: &mut [[u16; 8]]) -> usize {
        super::unpack_with(bytes, width, out, |bits, mask| _pdep_u64(bits, mask))
    }

    /// Four groups at a time: each 64 bits get the bytes with four numbers, and from these eight bits
    /// from wherever a number, or the upper half of one, begins.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub fn unpack_wide(bytes: &[u8], width: usize, out: &mut [[u16; 8]]) -> usize {
        let (mut places, mut shifts) = ([0_u8; 64], [0_u8; 64]);
        for (lane, (places, shifts)) in
            places.as_chunks_mut::<8>().0.iter_mut().zip(shifts.as_chunks_mut::<8>().0).enumerate()
        {
            let first = lane * 4 * width;
            for (at, (place, shift)) in places.iter_mut().zip(shifts).enumerate() {
                // At most 7 * 4 * 16 bits, so that the last byte is the 64th.
                *place = (first / 8 + at) as u8;
                *shift = (first % 8 + at / 2 * width + at % 2 * 8) as u8;
            }
        }
        // SAFETY: 64 bytes are read from as many, at any alignment.
        let (places, shifts) =
            unsafe { (_mm512_loadu_epi8(places.as_ptr().cast()), _mm512_loadu_epi8(shifts.as_ptr().cast())) };
        let number = _mm512_set1_epi16(((1_u32 << width.min(16)) - 1) as i16);
        for (four, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let Some(some) = bytes.get(4 * four * width..).and_then(<[u8]>::first_chunk::<64>) else {
                return 4 * four;
            };
            // SAFETY: 64 bytes are read from as many and written to as many, at any alignment.
            unsafe {
                let some = _mm512_loadu_epi8(some.as_ptr().cast());
                let lanes = _mm512_permutexvar_epi8(places, some);
                let numbers = _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, lanes), number);
                _mm512_storeu_epi16(out.as_mut_ptr().cast(), numbers);
            }
        }
        out.len() / 4 * 4
    }

    macro_rules! spread {
        ($name:ident, $type:ty, $lanes:literal, $mask:ty, $load:ident $(as $from:ty)?, $expand:ident, $store:ident $(as $to:ty)?) => {
            #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
            pub fn $name(known: &[u64], values: &mut [$type]) {
                let mut next = super::set_plain(known);
                for (at, word) in known.iter().enumerate().rev() {
                    for part in (0..ROWS).step_by($lanes).rev() {
                        // The mask of these rows.
                        let known = (word >> part) as $mask;
                        next -= known.count_ones() as usize;
                        let Some(from) = values.get(next..).and_then(<[$type]>::first_chunk::<$lanes>) else { return };
                        // SAFETY: as many bytes as a vector has, at any alignment.
                        let moved = unsafe { $expand(known, $load(from.as_ptr()$(.cast::<$from>())?)) };
                        let to = values.get_mut(at * ROWS + part..).and_then(<[$type]>::first_chunk_mut::<$lanes>);
                        let Some(to) = to else { return };
                        // SAFETY: as many bytes as a vector has, at any alignment.
                        unsafe { $store(to.as_mut_ptr()$(.cast::<$to>())?, moved) };
                    }
                }
            }
        };
    }

    spread!(
        spread_u16,
        u16,
        32,
        u32,
        _mm512_loadu_epi16 as i16,
        _mm512_maskz_expand_epi16,
        _mm512_storeu_epi16 as i16
    );
    spread!(spread_i32, i32, 16, u16, _mm512_loadu_epi32, _mm512_maskz_expand_epi32, _mm512_storeu_epi32);
    spread!(spread_i64, i64, 8, u8, _mm512_loadu_epi64, _mm512_maskz_expand_epi64, _mm512_storeu_epi64);
    spread!(spread_f64, f64, 8, u8, _mm512_loadu_pd, _mm512_maskz_expand_pd, _mm512_storeu_pd);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::levels;

    fn words(count: usize) -> Vec<u64> {
        let mixed = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ n;
        let words = (0..count as u64).map(|n| match n % 4 {
            0 => u64::MAX,
            1 => mixed(n),
            2 => mixed(n) & mixed(n + 7) & mixed(n + 9),
            _ => 0,
        });
        words.collect()
    }

    fn spreads_like_one_by_one<T: Movable + PartialEq + std::fmt::Debug>(of: impl Fn(usize) -> T) {
        for count in [0, 1, 2, 5, 9] {
            let known = words(count);
            let rows = (count * ROWS).saturating_sub(13);
            let places: Vec<usize> =
                (0..rows).filter(|row| known[row / ROWS] >> (row % ROWS) & 1 == 1).collect();
            let some: Vec<T> = (0..count * ROWS).map(&of).collect();
            let mut out = some[..places.len()].to_vec();
            spread(&known, rows, &mut out);
            assert_eq!(out.len(), rows);
            let found: Vec<T> = places.iter().map(|row| out[*row]).collect();
            assert_eq!(found, some[..places.len()], "{count} words");
            let mut plain = some;
            spread_plain(&known, &mut plain);
            assert_eq!(places.iter().map(|row| plain[*row]).collect::<Vec<_>>(), found, "{count} words");
        }
    }

    #[test]
    fn values_go_to_the_rows_that_are_known() {
        spreads_like_one_by_one(|n| n as u16 ^ 0x5a5a);
        spreads_like_one_by_one(|n| n as i32 - 100);
        spreads_like_one_by_one(|n| n as i64 * -7);
        spreads_like_one_by_one(|n| n as f64 / 3.0);
    }

    #[test]
    fn bits_go_to_the_rows_that_are_known() {
        for count in [0, 1, 3, 8] {
            let (known, some) = (words(count), words(count + 2));
            let mut bits = some.iter().flat_map(|word| (0..64).map(move |bit| word >> bit & 1));
            let expected: Vec<u64> = known
                .iter()
                .map(|word| {
                    (0..64)
                        .filter(|bit| word >> bit & 1 == 1)
                        .fold(0, |all, bit| all | bits.next().unwrap() << bit)
                })
                .collect();
            assert_eq!(spread_bits(&known, &some), expected);
            for (word, bits) in known.iter().zip(&some) {
                assert_eq!(deposit(*bits, *word), deposit_plain(*bits, *word));
            }
        }
    }

    #[test]
    fn counts_and_maxima_are_the_same_for_any_instructions() {
        let (words, codes) = (words(37), [3, 900, 17, u16::MAX - 1, 40_000].repeat(21));
        for level in levels() {
            for count in [0, 1, 5, 37, 100] {
                let (words, codes) = (&words[..count.min(37)], &codes[..count]);
                assert_eq!(
                    set_at(level, words),
                    words.iter().map(|word| word.count_ones() as usize).sum::<usize>()
                );
                assert_eq!(greatest_at(level, codes), codes.iter().copied().max().unwrap_or(0));
            }
        }
    }

    #[test]
    fn codes_are_unpacked_as_far_as_whole_words_can_be_read() {
        let bytes: Vec<u8> = (0..200_u32).map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        for width in 0..=16 {
            let number = |at: usize| {
                (0..width).fold(0, |number, bit| {
                    let place = at * width + bit;
                    number | u16::from(bytes[place / 8] >> (place % 8) & 1) << bit
                })
            };
            for groups in [0, 1, 4, 5, 11] {
                let (mut found, mut plain) = (vec![[0; 8]; groups], vec![[0; 8]; groups]);
                assert_eq!(unpack(&bytes, width, &mut found), groups);
                assert_eq!(unpack_with(&bytes, width, &mut plain, deposit_plain), groups);
                let expected: Vec<u16> = (0..groups * 8).map(number).collect();
                assert_eq!(
                    (found.as_flattened(), plain.as_flattened()),
                    (&expected[..], &expected[..]),
                    "{width}"
                );
            }
            let mut all = vec![[0; 8]; 2];
            assert!(unpack(&bytes[..(2 * width).min(9)], width, &mut all) < 2, "{width}: too few bytes");
        }
    }
}
