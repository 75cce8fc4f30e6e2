//! The innermost loops: values to bits, bits with bits, bits counted.
//!
//! Each is written once for any machine and, on x86-64, compiled or written again for AVX2 and
//! AVX-512, of which the best that the machine has is chosen when it runs ([`level`]). All give the
//! same words; the tests compare them. Under Miri the plain ones are taken.
//!
//! Values come with a word of 64 bits for each 64 of them, the first value lowest; bits past the last
//! value are zero.

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX may only be called where the machine has it, which no type says; and its vector loads take pointers"
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

/// Values that are tested 64 at a time.
pub(super) trait Tested: Copy + PartialOrd {
    /// Which values are at least `cut`.
    fn at_least(out: &mut [u64], values: &[Self], cut: Self);
    /// Which values equal `one`.
    fn equal(out: &mut [u64], values: &[Self], one: Self);
}

/// One word from up to 64 answers, made so that the compiler can use vector instructions: first a
/// byte each, then eight bytes at a time gathered into bits by a multiplication.
#[inline(always)]
pub(super) fn pack<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> u64 {
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bytes = [0u8; 64];
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = u8::from(holds(*value));
    }
    let (eights, _) = bytes.as_chunks::<8>();
    let mut word = 0;
    for (index, eight) in eights.iter().enumerate() {
        let gathered = (u64::from_le_bytes(*eight) & LOW_BITS).wrapping_mul(GATHER) >> 56;
        word |= gathered << (8 * index);
    }
    word
}

/// The plain road of all tests.
#[inline(always)]
fn pack_all<T: Copy>(out: &mut [u64], values: &[T], holds: impl Fn(T) -> bool + Copy) {
    for (word, values) in out.iter_mut().zip(values.chunks(64)) {
        *word = pack(values, holds);
    }
}

/// Tests by vectors: whole blocks of 64 with `$wide` and `$middle`, the rest plainly.
macro_rules! tested {
    ($type:ty, $at_least:ident, $equal:ident) => {
        impl Tested for $type {
            fn at_least(out: &mut [u64], values: &[Self], cut: Self) {
                $at_least(level(), out, values, cut);
            }

            fn equal(out: &mut [u64], values: &[Self], one: Self) {
                $equal(level(), out, values, one);
            }
        }

        tested!(@one $type, $at_least, at_least, |value, constant| value >= constant);
        tested!(@one $type, $equal, equal, |value, constant| value == constant);
    };
    (@one $type:ty, $name:ident, $test:ident, |$value:ident, $constant:ident| $holds:expr) => {
        fn $name(level: Level, out: &mut [u64], values: &[$type], $constant: $type) {
            #[cfg(target_arch = "x86_64")]
            {
                let (blocks, rest) = values.as_chunks::<64>();
                let (whole, last) = out.split_at_mut(blocks.len().min(out.len()));
                let done = match level {
                    // SAFETY: `detect` found these features.
                    Level::Avx512 => unsafe { <$type as Wide>::$test(whole, blocks, $constant) },
                    // SAFETY: likewise.
                    Level::Avx2 => unsafe { <$type as Middle>::$test(whole, blocks, $constant) },
                    Level::Plain => false,
                };
                if done {
                    return pack_all(last, rest, |$value| $holds);
                }
            }
            let _ = level;
            pack_all(out, values, |$value| $holds);
        }
    };
}

tested!(i64, at_least_i64, equal_i64);
tested!(f64, at_least_f64, equal_f64);
tested!(i32, at_least_i32, equal_i32);
tested!(u32, at_least_u32, equal_u32);
tested!(u8, at_least_u8, equal_u8);

impl Tested for i128 {
    fn at_least(out: &mut [u64], values: &[Self], cut: Self) {
        pack_all(out, values, |value| value >= cut);
    }

    fn equal(out: &mut [u64], values: &[Self], one: Self) {
        pack_all(out, values, |value| value == one);
    }
}

/// Which bytes have that bit.
pub(super) fn has_bit(out: &mut [u64], values: &[u8], bit: u8) {
    has_bit_at(level(), out, values, bit);
}

fn has_bit_at(level: Level, out: &mut [u64], values: &[u8], bit: u8) {
    #[cfg(target_arch = "x86_64")]
    {
        let (blocks, rest) = values.as_chunks::<64>();
        let (whole, last) = out.split_at_mut(blocks.len().min(out.len()));
        let done = match level {
            // SAFETY: `detect` found these features.
            Level::Avx512 => unsafe { x86::has_bit_wide(whole, blocks, bit) },
            // SAFETY: likewise.
            Level::Avx2 => unsafe { x86::has_bit_middle(whole, blocks, bit) },
            Level::Plain => false,
        };
        if done {
            return pack_all(last, rest, |value| value & bit != 0);
        }
    }
    let _ = level;
    pack_all(out, values, |value| value & bit != 0);
}

#[cfg(target_arch = "x86_64")]
use x86::{Middle, Wide};

/// The tests in vector instructions. Each gives a word for each block of 64 values and says that it
/// has done so.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// With AVX-512.
    pub trait Wide: Sized {
        /// # Safety
        /// The machine must have what `Level::Avx512` stands for.
        unsafe fn at_least(out: &mut [u64], blocks: &[[Self; 64]], cut: Self) -> bool;
        /// # Safety
        /// As above.
        unsafe fn equal(out: &mut [u64], blocks: &[[Self; 64]], one: Self) -> bool;
    }

    /// With AVX2.
    pub trait Middle: Sized {
        /// # Safety
        /// The machine must have what `Level::Avx2` stands for.
        unsafe fn at_least(out: &mut [u64], blocks: &[[Self; 64]], cut: Self) -> bool;
        /// # Safety
        /// As above.
        unsafe fn equal(out: &mut [u64], blocks: &[[Self; 64]], one: Self) -> bool;
    }

    /// A word of a block: parts of `$lanes` values, each loaded and turned into a mask of as many bits.
    macro_rules! words {
        ($out:ident, $blocks:ident, $lanes:literal, |$part:ident| $load:expr, |$vector:ident| $mask:expr) => {{
            for (word, block) in $out.iter_mut().zip($blocks) {
                let (parts, _) = block.as_chunks::<$lanes>();
                *word = 0;
                for ($part, at) in parts.iter().zip((0u32..).step_by($lanes)) {
                    // SAFETY: the reference is to as many bytes as are loaded, at any alignment.
                    let $vector = unsafe { $load };
                    *word |= u64::from($mask) << at;
                }
            }
            true
        }};
    }

    macro_rules! wide {
        ($type:ty, $lanes:literal, $load:ident $(as $cast:ty)?, $set:ident $(as $as:ty)?, $at_least:expr, $equal:expr) => {
            impl Wide for $type {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                unsafe fn at_least(out: &mut [u64], blocks: &[[Self; 64]], cut: Self) -> bool {
                    let cut = $set(cut $(as $as)?);
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($at_least)(vector, cut))
                }

                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                unsafe fn equal(out: &mut [u64], blocks: &[[Self; 64]], one: Self) -> bool {
                    let one = $set(one $(as $as)?);
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($equal)(vector, one))
                }
            }
        };
    }

    macro_rules! middle {
        ($type:ty, $lanes:literal, $load:ident $(as $cast:ty)?, $set:ident $(as $as:ty)?, $at_least:expr, $equal:expr) => {
            impl Middle for $type {
                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                unsafe fn at_least(out: &mut [u64], blocks: &[[Self; 64]], cut: Self) -> bool {
                    let cut = $set(cut $(as $as)?);
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($at_least)(vector, cut))
                }

                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                unsafe fn equal(out: &mut [u64], blocks: &[[Self; 64]], one: Self) -> bool {
                    let one = $set(one $(as $as)?);
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($equal)(vector, one))
                }
            }
        };
    }

    wide!(i64, 8, _mm512_loadu_epi64, _mm512_set1_epi64, |a, b| _mm512_cmpge_epi64_mask(a, b), |a, b| {
        _mm512_cmpeq_epi64_mask(a, b)
    });
    wide!(f64, 8, _mm512_loadu_pd, _mm512_set1_pd, |a, b| _mm512_cmp_pd_mask::<_CMP_GE_OQ>(a, b), |a, b| {
        _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b)
    });
    wide!(i32, 16, _mm512_loadu_epi32, _mm512_set1_epi32, |a, b| _mm512_cmpge_epi32_mask(a, b), |a, b| {
        _mm512_cmpeq_epi32_mask(a, b)
    });
    wide!(
        u32,
        16,
        _mm512_loadu_epi32 as i32,
        _mm512_set1_epi32 as i32,
        |a, b| _mm512_cmpge_epu32_mask(a, b),
        |a, b| _mm512_cmpeq_epu32_mask(a, b)
    );
    wide!(
        u8,
        64,
        _mm512_loadu_epi8 as i8,
        _mm512_set1_epi8 as i8,
        |a, b| _mm512_cmpge_epu8_mask(a, b),
        |a, b| _mm512_cmpeq_epu8_mask(a, b)
    );

    middle!(
        i64,
        4,
        _mm256_loadu_si256 as __m256i,
        _mm256_set1_epi64x,
        |a, b| four(_mm256_cmpgt_epi64(b, a)) ^ 0xf,
        |a, b| four(_mm256_cmpeq_epi64(a, b))
    );
    middle!(
        f64,
        4,
        _mm256_loadu_pd,
        _mm256_set1_pd,
        |a, b| four(_mm256_castpd_si256(_mm256_cmp_pd::<_CMP_GE_OQ>(a, b))),
        |a, b| four(_mm256_castpd_si256(_mm256_cmp_pd::<_CMP_EQ_OQ>(a, b)))
    );
    middle!(
        i32,
        8,
        _mm256_loadu_si256 as __m256i,
        _mm256_set1_epi32,
        |a, b| eight(_mm256_cmpgt_epi32(b, a)) ^ 0xff,
        |a, b| eight(_mm256_cmpeq_epi32(a, b))
    );
    middle!(
        u32,
        8,
        _mm256_loadu_si256 as __m256i,
        _mm256_set1_epi32 as i32,
        |a, b| eight(_mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a)),
        |a, b| eight(_mm256_cmpeq_epi32(a, b))
    );
    middle!(
        u8,
        32,
        _mm256_loadu_si256 as __m256i,
        _mm256_set1_epi8 as i8,
        |a, b| thirty_two(_mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a)),
        |a, b| thirty_two(_mm256_cmpeq_epi8(a, b))
    );

    /// The top bits of four lanes of 64 bits.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn four(lanes: __m256i) -> u32 {
        _mm256_movemask_pd(_mm256_castsi256_pd(lanes)).cast_unsigned()
    }

    /// The top bits of eight lanes of 32 bits.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn eight(lanes: __m256i) -> u32 {
        _mm256_movemask_ps(_mm256_castsi256_ps(lanes)).cast_unsigned()
    }

    /// The top bits of 32 bytes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn thirty_two(lanes: __m256i) -> u32 {
        _mm256_movemask_epi8(lanes).cast_unsigned()
    }

    /// # Safety
    /// The machine must have what `Level::Avx512` stands for.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    pub unsafe fn has_bit_wide(out: &mut [u64], blocks: &[[u8; 64]], bit: u8) -> bool {
        let bit = _mm512_set1_epi8(bit.cast_signed());
        words!(out, blocks, 64, |part| _mm512_loadu_epi8(part.as_ptr().cast::<i8>()), |vector| {
            _mm512_test_epi8_mask(vector, bit)
        })
    }

    /// # Safety
    /// The machine must have what `Level::Avx2` stands for.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub unsafe fn has_bit_middle(out: &mut [u64], blocks: &[[u8; 64]], bit: u8) -> bool {
        let bit = _mm256_set1_epi8(bit.cast_signed());
        words!(out, blocks, 32, |part| _mm256_loadu_si256(part.as_ptr().cast::<__m256i>()), |vector| {
            thirty_two(_mm256_cmpeq_epi8(_mm256_and_si256(vector, bit), bit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All levels that this machine has.
    fn levels() -> Vec<Level> {
        [Level::Plain, Level::Avx2, Level::Avx512].into_iter().filter(|at| *at <= level()).collect()
    }

    fn spread(count: usize) -> impl Iterator<Item = u64> {
        (0..count as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31))
    }

    fn expected<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> Vec<u64> {
        let word = |values: &[T]| (0..).zip(values).map(|(at, value)| u64::from(holds(*value)) << at).sum();
        values.chunks(64).map(word).collect()
    }

    /// Checks one kind of value against the definition, at every level, for lengths around a block.
    macro_rules! check {
        ($type:ty, $at_least:ident, $equal:ident, $values:expr, $constants:expr) => {
            let all: Vec<$type> = spread(320).map($values).collect();
            // Every length around a block and around two, and every place of the first value in a vector.
            for (start, count) in
                (0..20).flat_map(|start| (0..=200).chain([300]).map(move |count| (start, count)))
            {
                let values = &all[start..start + count];
                for constant in $constants {
                    let (least, same) = (
                        expected(values, |value| value >= constant),
                        expected(values, |value| value == constant),
                    );
                    for level in levels() {
                        let mut out = vec![7; count.div_ceil(64)];
                        $at_least(level, &mut out, values, constant);
                        assert_eq!(out, least, "{level:?}: {count} from {start}, {constant}");
                        $equal(level, &mut out, values, constant);
                        assert_eq!(out, same, "{level:?}: {count} from {start}, {constant}");
                    }
                }
            }
        };
    }

    #[test]
    fn every_level_gives_what_the_definition_gives() {
        check!(i64, at_least_i64, equal_i64, |n| (n % 9) as i64 - 4, [-4, 0, 3, i64::MIN, i64::MAX]);
        check!(i64, at_least_i64, equal_i64, |n| n as i64, [-4, 0, i64::MIN, i64::MAX]);
        check!(i32, at_least_i32, equal_i32, |n| (n % 9) as i32 - 4, [-4, 0, 3, i32::MIN, i32::MAX]);
        check!(u32, at_least_u32, equal_u32, |n| n as u32, [0, 3, 1 << 31, u32::MAX]);
        check!(u32, at_least_u32, equal_u32, |n| (n % 5) as u32, [0, 3, 1 << 31]);
        check!(u8, at_least_u8, equal_u8, |n| n as u8, [0, 3, 127, 128, 255]);
        let float = |n: u64| match n % 7 {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            n => n as f64 - 4.0,
        };
        check!(f64, at_least_f64, equal_f64, float, [0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY]);
    }

    #[test]
    fn bits_of_bytes() {
        let all: Vec<u8> = spread(300).map(|n| n as u8).collect();
        for (start, count) in (0..70).flat_map(|start| (0..=200).map(move |count| (start, count))) {
            let values = &all[start..start + count];
            for bit in [1, 16, 128] {
                for level in levels() {
                    let mut out = vec![7; count.div_ceil(64)];
                    has_bit_at(level, &mut out, values, bit);
                    assert_eq!(
                        out,
                        expected(values, |value| value & bit != 0),
                        "{level:?}: {count} from {start}"
                    );
                }
            }
        }
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
        }
    }
}
