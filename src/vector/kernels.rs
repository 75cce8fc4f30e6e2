//! The innermost loops over words: bits with bits, bits counted, and values to distances. Each is written once
//! and compiled anew for each level of vector instructions; the tests compare what they give.

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX may only be called where the machine has it, which no type says"
)]

use crate::levels::compiled_for_each_level;

compiled_for_each_level! {
    /// `out = a & b`
    pub(super) and2, and2_at, (out: &mut [u64], a: &[u64], b: &[u64]), and2_body
}
compiled_for_each_level! {
    /// `out = a | b`
    pub(super) or2, or2_at, (out: &mut [u64], a: &[u64], b: &[u64]), or2_body
}
compiled_for_each_level! {
    /// `out = a & b & c & d`
    pub(super) and4, and4_at, (out: &mut [u64], a: &[u64], b: &[u64], c: &[u64], d: &[u64]), and4_body
}
compiled_for_each_level! {
    /// `out = a | b | c | d`
    pub(super) or4, or4_at, (out: &mut [u64], a: &[u64], b: &[u64], c: &[u64], d: &[u64]), or4_body
}
compiled_for_each_level! {
    /// `out &= a`
    pub(super) and_with, and_with_at, (out: &mut [u64], a: &[u64]), and_with_body
}
compiled_for_each_level! {
    /// `out |= a`
    pub(super) or_with, or_with_at, (out: &mut [u64], a: &[u64]), or_with_body
}
compiled_for_each_level! {
    /// `out &= !a`
    pub(super) and_not_with, and_not_with_at, (out: &mut [u64], a: &[u64]), and_not_with_body
}
compiled_for_each_level! {
    /// `out = known & !out`
    pub(super) complement, complement_at, (out: &mut [u64], known: &[u64]), complement_body
}
compiled_for_each_level! {
    /// How many bits are set.
    pub(super) count, count_at, (words: &[u64]) -> u64, count_body
}
compiled_for_each_level! {
    /// How many bits `a & b` has.
    pub(super) count_and2, count_and2_at, (a: &[u64], b: &[u64]) -> u64, count_and2_body
}
compiled_for_each_level! {
    /// How many bits `a | b` has.
    pub(super) count_or2, count_or2_at, (a: &[u64], b: &[u64]) -> u64, count_or2_body
}
compiled_for_each_level! {
    /// How many bits `a & b & c & d` has.
    pub(super) count_and4, count_and4_at, (a: &[u64], b: &[u64], c: &[u64], d: &[u64]) -> u64, count_and4_body
}
compiled_for_each_level! {
    /// How many bits `a | b | c | d` has.
    pub(super) count_or4, count_or4_at, (a: &[u64], b: &[u64], c: &[u64], d: &[u64]) -> u64, count_or4_body
}
compiled_for_each_level! {
    /// How many bits of bytes are set.
    pub(super) count_bytes, count_bytes_at, (bytes: &[u8]) -> u64, count_bytes_body
}
compiled_for_each_level! {
    /// `remaining &= !condition`; `out` has the rows of `condition` that remained. Whether any are in it.
    pub(super) peel, peel_at, (out: &mut [u64], remaining: &mut [u64], condition: &[u64]) -> bool, peel_body
}
compiled_for_each_level! {
    /// The distance of each value from `base`, from 0 to 255: what lies outside is at the nearer end.
    pub(super) distances_i64, distances_i64_at, (out: &mut [u8], values: &[i64], base: i64), distances_i64_body
}
compiled_for_each_level! {
    /// As [`distances_i64`].
    pub(super) distances_i32, distances_i32_at, (out: &mut [u8], values: &[i32], base: i32), distances_i32_body
}
compiled_for_each_level! {
    /// As [`distances_i64`].
    pub(super) distances_u32, distances_u32_at, (out: &mut [u8], values: &[u32], base: u32), distances_u32_body
}

macro_rules! word_by_word {
    ($name:ident, ($($operand:ident),*), |$out:ident| $result:expr) => {
        #[inline(always)]
        fn $name(out: &mut [u64], $($operand: &[u64]),*) {
            word_by_word!(@zip out, $out, $result, $($operand),*);
        }
    };
    (@zip $slice:ident, $out:ident, $result:expr, $a:ident) => {
        for ($out, $a) in $slice.iter_mut().zip($a) { *$out = $result; }
    };
    (@zip $slice:ident, $out:ident, $result:expr, $a:ident, $b:ident) => {
        for (($out, $a), $b) in $slice.iter_mut().zip($a).zip($b) { *$out = $result; }
    };
    (@zip $slice:ident, $out:ident, $result:expr, $a:ident, $b:ident, $c:ident, $d:ident) => {
        for (((($out, $a), $b), $c), $d) in $slice.iter_mut().zip($a).zip($b).zip($c).zip($d) { *$out = $result; }
    };
}

word_by_word!(and2_body, (a, b), |out| a & b);
word_by_word!(or2_body, (a, b), |out| a | b);
word_by_word!(and4_body, (a, b, c, d), |out| a & b & c & d);
word_by_word!(or4_body, (a, b, c, d), |out| a | b | c | d);
word_by_word!(and_with_body, (a), |out| *out & a);
word_by_word!(or_with_body, (a), |out| *out | a);
word_by_word!(and_not_with_body, (a), |out| *out & !a);
word_by_word!(complement_body, (known), |out| known & !*out);

#[inline(always)]
fn count_body(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

// Loops, as what iterators call may end up outside of the function that is compiled for a level.
macro_rules! counted {
    ($name:ident, ($a:ident, $b:ident), $result:expr) => {
        #[inline(always)]
        fn $name($a: &[u64], $b: &[u64]) -> u64 {
            let mut count = 0;
            for ($a, $b) in $a.iter().zip($b) {
                count += u64::from(u64::count_ones($result));
            }
            count
        }
    };
    ($name:ident, ($a:ident, $b:ident, $c:ident, $d:ident), $result:expr) => {
        #[inline(always)]
        fn $name($a: &[u64], $b: &[u64], $c: &[u64], $d: &[u64]) -> u64 {
            let mut count = 0;
            for ((($a, $b), $c), $d) in $a.iter().zip($b).zip($c).zip($d) {
                count += u64::from(u64::count_ones($result));
            }
            count
        }
    };
}

counted!(count_and2_body, (a, b), a & b);
counted!(count_or2_body, (a, b), a | b);
counted!(count_and4_body, (a, b, c, d), a & b & c & d);
counted!(count_or4_body, (a, b, c, d), a | b | c | d);

#[inline(always)]
fn count_bytes_body(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones()));
    words.sum::<u64>() + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

#[inline(always)]
fn peel_body(out: &mut [u64], remaining: &mut [u64], condition: &[u64]) -> bool {
    let mut any = 0;
    for ((out, remaining), condition) in out.iter_mut().zip(remaining).zip(condition) {
        *out = condition & *remaining;
        *remaining &= !condition;
        any |= *out;
    }
    any != 0
}

macro_rules! distances {
    ($name:ident, $type:ty) => {
        #[inline(always)]
        fn $name(out: &mut [u8], values: &[$type], base: $type) {
            let most = base.saturating_add(255);
            for (out, value) in out.iter_mut().zip(values) {
                // From 0 to 255 after the clamp.
                *out = (*value).clamp(base, most).wrapping_sub(base) as u8;
            }
        }
    };
}

distances!(distances_i64_body, i64);
distances!(distances_i32_body, i32);
distances!(distances_u32_body, u32);

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::levels::levels;

    pub(in crate::vector) fn spread(count: usize) -> impl Iterator<Item = u64> {
        (0..count as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31))
    }

    #[test]
    fn distances_end_at_both_ends() {
        for level in levels() {
            let mut out = [0; 6];
            distances_i64_at(level, &mut out, &[i64::MIN, 9, 10, 11, 265, i64::MAX], 10);
            assert_eq!(out, [0, 0, 0, 1, 255, 255]);
            distances_i64_at(level, &mut out, &[i64::MIN, i64::MAX, 0, 0, 0, 0], i64::MAX - 3);
            assert_eq!(out, [0, 3, 0, 0, 0, 0]);
            distances_i32_at(level, &mut out, &[i32::MIN, -3, 251, 252, 253, i32::MAX], -3);
            assert_eq!(out, [0, 0, 254, 255, 255, 255]);
            distances_u32_at(level, &mut out, &[0, 1, 2, 255, 256, u32::MAX], 0);
            assert_eq!(out, [0, 1, 2, 255, 255, 255]);
        }
    }

    #[test]
    fn words_with_words() {
        let words: Vec<Vec<u64>> =
            (1..6).map(|by| spread(40).map(|n| n.rotate_left(by * 9)).collect()).collect();
        let [a, b, c, d, e] = words.as_slice() else { panic!() };
        let at = |holds: &dyn Fn(usize) -> u64| (0..40).map(holds).collect::<Vec<u64>>();
        for level in levels() {
            let mut out = vec![0; 40];
            and2_at(level, &mut out, a, b);
            assert_eq!(out, at(&|n| a[n] & b[n]));
            or2_at(level, &mut out, a, b);
            assert_eq!(out, at(&|n| a[n] | b[n]));
            and4_at(level, &mut out, a, b, c, d);
            assert_eq!(out, at(&|n| a[n] & b[n] & c[n] & d[n]));
            and_with_at(level, &mut out, e);
            assert_eq!(out, at(&|n| a[n] & b[n] & c[n] & d[n] & e[n]));
            or4_at(level, &mut out, a, b, c, d);
            or_with_at(level, &mut out, e);
            assert_eq!(out, at(&|n| a[n] | b[n] | c[n] | d[n] | e[n]));
            complement_at(level, &mut out, a);
            assert_eq!(out, at(&|_| 0));
            out.copy_from_slice(a);
            and_not_with_at(level, &mut out, b);
            assert_eq!(out, at(&|n| a[n] & !b[n]));
            let mut remaining = a.clone();
            assert!(peel_at(level, &mut out, &mut remaining, b));
            assert_eq!((out.clone(), remaining.clone()), (at(&|n| a[n] & b[n]), at(&|n| a[n] & !b[n])));
            assert!(!peel_at(level, &mut out, &mut remaining, b));
            let ones = |words: Vec<u64>| words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            assert_eq!(count_and2_at(level, a, b), ones(at(&|n| a[n] & b[n])));
            assert_eq!(count_or2_at(level, a, b), ones(at(&|n| a[n] | b[n])));
            assert_eq!(count_and4_at(level, a, b, c, d), ones(at(&|n| a[n] & b[n] & c[n] & d[n])));
            assert_eq!(count_or4_at(level, a, b, c, d), ones(at(&|n| a[n] | b[n] | c[n] | d[n])));
            assert_eq!(count_at(level, a), ones(a.clone()));
            let bytes: Vec<u8> = a.iter().flat_map(|word| word.to_le_bytes()).collect();
            for count in [0, 1, 7, 8, 65, 320] {
                let set = bytes[..count].iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
                assert_eq!(count_bytes_at(level, &bytes[..count]), set);
            }
        }
    }
}
