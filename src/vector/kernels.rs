//! The innermost loops over words: bits with bits, bits counted, and values to distances; and which vector
//! instructions there are.
//!
//! Each is written once for any machine and, on x86-64, compiled or written again for AVX2 and
//! AVX-512, of which the best that the machine has is chosen when it runs ([`level`]). All give the
//! same words; the tests compare them. Under Miri the plain ones are taken.

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX may only be called where the machine has it, which no type says"
)]

use std::sync::OnceLock;

/// Vector instructions that are used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Anything.
    Plain,
    /// 256 bits at a time.
    Avx2,
    /// 512 bits at a time, comparisons straight to bits.
    Avx512,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

/// The best level that this machine has, or what [`use_at_most`] left of it.
pub(super) fn level() -> Level {
    *LEVEL.get_or_init(detect)
}

/// Does without instructions of higher levels from now on, which is the same answer, later: for
/// measurements that shall not depend on the machine. Gives the level that is used; where something was
/// evaluated before, it stays as it was.
pub fn use_at_most(most: Level) -> Level {
    *LEVEL.get_or_init(|| detect().min(most))
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn detect() -> Level {
    let wide = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vpopcntdq");
    let middle = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt");
    match (middle, wide) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        (false, _) => Level::Plain,
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn detect() -> Level {
    Level::Plain
}

/// Defines a function that runs one body, compiled anew for each level.
macro_rules! compiled_for_each_level {
    ($(#[$doc:meta])* $name:ident, $at:ident, ($($argument:ident: $type:ty),*) $(-> $result:ty)?, $body:ident) => {
        $(#[$doc])*
        pub(super) fn $name($($argument: $type),*) $(-> $result)? {
            $at(level(), $($argument),*)
        }

        fn $at(level: Level, $($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,bmi1,bmi2,popcnt")]
                fn wide($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                fn middle($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
                match level {
                    // SAFETY: `detect` found these features.
                    Level::Avx512 => return unsafe { wide($($argument),*) },
                    // SAFETY: likewise.
                    Level::Avx2 => return unsafe { middle($($argument),*) },
                    Level::Plain => {}
                }
            }
            let _ = level;
            $body($($argument),*)
        }
    };
}

compiled_for_each_level! {
    /// `out = a & b`
    and2, and2_at, (out: &mut [u64], a: &[u64], b: &[u64]), and2_body
}
compiled_for_each_level! {
    /// `out = a | b`
    or2, or2_at, (out: &mut [u64], a: &[u64], b: &[u64]), or2_body
}
compiled_for_each_level! {
    /// `out = a & b & c & d`
    and4, and4_at, (out: &mut [u64], a: &[u64], b: &[u64], c: &[u64], d: &[u64]), and4_body
}
compiled_for_each_level! {
    /// `out = a | b | c | d`
    or4, or4_at, (out: &mut [u64], a: &[u64], b: &[u64], c: &[u64], d: &[u64]), or4_body
}
compiled_for_each_level! {
    /// `out &= a`
    and_with, and_with_at, (out: &mut [u64], a: &[u64]), and_with_body
}
compiled_for_each_level! {
    /// `out |= a`
    or_with, or_with_at, (out: &mut [u64], a: &[u64]), or_with_body
}
compiled_for_each_level! {
    /// `out &= !a`
    and_not_with, and_not_with_at, (out: &mut [u64], a: &[u64]), and_not_with_body
}
compiled_for_each_level! {
    /// `out = known & !out`
    complement, complement_at, (out: &mut [u64], known: &[u64]), complement_body
}
compiled_for_each_level! {
    /// How many bits are set.
    count, count_at, (words: &[u64]) -> u64, count_body
}
compiled_for_each_level! {
    /// How many bits of bytes are set.
    count_bytes, count_bytes_at, (bytes: &[u8]) -> u64, count_bytes_body
}
compiled_for_each_level! {
    /// `remaining &= !condition`; `out` has the rows of `condition` that remained. Whether any are in it.
    peel, peel_at, (out: &mut [u64], remaining: &mut [u64], condition: &[u64]) -> bool, peel_body
}
compiled_for_each_level! {
    /// The distance of each value from `base`, from 0 to 255: what lies outside is at the nearer end.
    distances_i64, distances_i64_at, (out: &mut [u8], values: &[i64], base: i64), distances_i64_body
}
compiled_for_each_level! {
    /// As [`distances_i64`].
    distances_i32, distances_i32_at, (out: &mut [u8], values: &[i32], base: i32), distances_i32_body
}
compiled_for_each_level! {
    /// As [`distances_i64`].
    distances_u32, distances_u32_at, (out: &mut [u8], values: &[u32], base: u32), distances_u32_body
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

    /// All levels that this machine has.
    pub(in crate::vector) fn levels() -> Vec<Level> {
        [Level::Plain, Level::Avx2, Level::Avx512].into_iter().filter(|at| *at <= level()).collect()
    }

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
            assert_eq!(count_at(level, a), a.iter().map(|word| u64::from(word.count_ones())).sum::<u64>());
            let bytes: Vec<u8> = a.iter().flat_map(|word| word.to_le_bytes()).collect();
            for count in [0, 1, 7, 8, 65, 320] {
                let set = bytes[..count].iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
                assert_eq!(count_bytes_at(level, &bytes[..count]), set);
            }
        }
    }
}
