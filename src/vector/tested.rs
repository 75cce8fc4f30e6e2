//! The innermost loops over values: which of them reach a constant, or are it. Values come with a word of 64
//! bits for each 64 of them, the first value lowest; bits past the last value are zero.
//!
//! Each is written plainly for any machine, and again for AVX2 and AVX-512. All give the same words; the tests
//! compare them.

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX may only be called where the machine has it, which no type says; and its vector loads take pointers"
)]

use crate::levels::{Level, compiled_for_each_level, level};

/// Values that are tested 64 at a time.
pub(super) trait Tested: Copy + PartialOrd {
    /// Which values are at least `cut`.
    fn at_least(out: &mut [u64], values: &[Self], cut: Self);
    /// Which values equal `one`.
    fn equal(out: &mut [u64], values: &[Self], one: Self);
    /// Counts one more for each value that is at least `cut`.
    fn count_at_least(counts: &mut [u8], values: &[Self], cut: Self);
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
    ($type:ty, $at_least:ident, $equal:ident, $count:ident, $count_at:ident) => {
        compiled_for_each_level! {
            $count, $count_at, (counts: &mut [u8], values: &[$type], cut: $type), count_at_least_body
        }

        impl Tested for $type {
            fn count_at_least(counts: &mut [u8], values: &[Self], cut: Self) {
                $count(counts, values, cut);
            }

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

tested!(i64, at_least_i64, equal_i64, count_i64, count_i64_at);
tested!(f64, at_least_f64, equal_f64, count_f64, count_f64_at);
tested!(i32, at_least_i32, equal_i32, count_i32, count_i32_at);
tested!(u32, at_least_u32, equal_u32, count_u32, count_u32_at);
tested!(u8, at_least_u8, equal_u8, count_u8, count_u8_at);

#[inline(always)]
fn count_at_least_body<T: Copy + PartialOrd>(counts: &mut [u8], values: &[T], cut: T) {
    for (count, value) in counts.iter_mut().zip(values) {
        *count = count.wrapping_add(u8::from(*value >= cut));
    }
}

impl Tested for i128 {
    fn count_at_least(counts: &mut [u8], values: &[Self], cut: Self) {
        count_at_least_body(counts, values, cut);
    }

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
        ($out:ident, $blocks:ident, $lanes:literal, |$part:ident| $load:expr, |$vector:ident| $mask:expr, $joined:ident) => {{
            for (word, block) in $out.iter_mut().zip($blocks) {
                let (parts, _) = block.as_chunks::<$lanes>();
                let mut masks = [0; 64 / $lanes];
                for (mask, $part) in masks.iter_mut().zip(parts) {
                    // SAFETY: the reference is to as many bytes as are loaded, at any alignment.
                    let $vector = unsafe { $load };
                    *mask = $mask;
                }
                *word = $joined(masks);
            }
            true
        }};
    }

    /// Masks of parts as one, the first lowest.
    #[inline(always)]
    fn shifted<const PARTS: usize>(masks: [u32; PARTS]) -> u64 {
        let mut word = 0;
        for (at, mask) in masks.into_iter().enumerate() {
            word |= u64::from(mask) << (64 / PARTS * at);
        }
        word
    }

    /// The same, by the instructions for masks: shifts of them would become shuffles of vectors, which cost
    /// more than the comparisons.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn eight_masks([a, b, c, d, e, f, g, h]: [u8; 8]) -> u64 {
        let two = |low: u8, high: u8| _mm512_kunpackb(high.into(), low.into());
        four_masks([two(a, b), two(c, d), two(e, f), two(g, h)])
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn four_masks([a, b, c, d]: [u16; 4]) -> u64 {
        let two = |low: u16, high: u16| _mm512_kunpackw(high.into(), low.into());
        _mm512_kunpackd(two(c, d).into(), two(a, b).into())
    }

    /// A part is all of it.
    #[inline(always)]
    fn one_mask([mask]: [u64; 1]) -> u64 {
        mask
    }

    macro_rules! wide {
        ($type:ty, $lanes:literal as $joined:ident, $load:ident $(as $cast:ty)?, $set:ident $(as $as:ty)?, $at_least:expr, $equal:expr) => {
            impl Wide for $type {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                unsafe fn at_least(out: &mut [u64], blocks: &[[Self; 64]], cut: Self) -> bool {
                    let cut = $set(cut $(as $as)?);
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($at_least)(vector, cut), $joined)
                }

                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                unsafe fn equal(out: &mut [u64], blocks: &[[Self; 64]], one: Self) -> bool {
                    let one = $set(one $(as $as)?);
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($equal)(vector, one), $joined)
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
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($at_least)(vector, cut), shifted)
                }

                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                unsafe fn equal(out: &mut [u64], blocks: &[[Self; 64]], one: Self) -> bool {
                    let one = $set(one $(as $as)?);
                    words!(out, blocks, $lanes, |part| $load(part.as_ptr()$(.cast::<$cast>())?), |vector| ($equal)(vector, one), shifted)
                }
            }
        };
    }

    wide!(
        i64,
        8 as eight_masks,
        _mm512_loadu_epi64,
        _mm512_set1_epi64,
        |a, b| _mm512_cmpge_epi64_mask(a, b),
        |a, b| { _mm512_cmpeq_epi64_mask(a, b) }
    );
    wide!(
        f64,
        8 as eight_masks,
        _mm512_loadu_pd,
        _mm512_set1_pd,
        |a, b| _mm512_cmp_pd_mask::<_CMP_GE_OQ>(a, b),
        |a, b| { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b) }
    );
    wide!(
        i32,
        16 as four_masks,
        _mm512_loadu_epi32,
        _mm512_set1_epi32,
        |a, b| _mm512_cmpge_epi32_mask(a, b),
        |a, b| { _mm512_cmpeq_epi32_mask(a, b) }
    );
    wide!(
        u32,
        16 as four_masks,
        _mm512_loadu_epi32 as i32,
        _mm512_set1_epi32 as i32,
        |a, b| _mm512_cmpge_epu32_mask(a, b),
        |a, b| _mm512_cmpeq_epu32_mask(a, b)
    );
    wide!(
        u8,
        64 as one_mask,
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
        words!(
            out,
            blocks,
            64,
            |part| _mm512_loadu_epi8(part.as_ptr().cast::<i8>()),
            |vector| _mm512_test_epi8_mask(vector, bit),
            one_mask
        )
    }

    /// # Safety
    /// The machine must have what `Level::Avx2` stands for.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub unsafe fn has_bit_middle(out: &mut [u64], blocks: &[[u8; 64]], bit: u8) -> bool {
        let bit = _mm256_set1_epi8(bit.cast_signed());
        words!(
            out,
            blocks,
            32,
            |part| _mm256_loadu_si256(part.as_ptr().cast::<__m256i>()),
            |vector| thirty_two(_mm256_cmpeq_epi8(_mm256_and_si256(vector, bit), bit)),
            shifted
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernels::tests::spread;
    use super::*;
    use crate::levels::levels;

    fn expected<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> Vec<u64> {
        let word = |values: &[T]| (0..).zip(values).map(|(at, value)| u64::from(holds(*value)) << at).sum();
        values.chunks(64).map(word).collect()
    }

    /// Checks one kind of value against the definition, at every level, for lengths around a block.
    macro_rules! check {
        ($type:ty, $at_least:ident, $equal:ident, $count:ident, $values:expr, $constants:expr) => {
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
                        let mut counts = vec![4; count];
                        $count(level, &mut counts, values, constant);
                        let expected = values.iter().map(|value| 4 + u8::from(*value >= constant));
                        assert!(
                            counts.into_iter().eq(expected),
                            "{level:?}: {count} from {start}, {constant}"
                        );
                    }
                }
            }
        };
    }

    #[test]
    fn every_level_gives_what_the_definition_gives() {
        check!(
            i64,
            at_least_i64,
            equal_i64,
            count_i64_at,
            |n| (n % 9) as i64 - 4,
            [-4, 0, 3, i64::MIN, i64::MAX]
        );
        check!(i64, at_least_i64, equal_i64, count_i64_at, |n| n as i64, [-4, 0, i64::MIN, i64::MAX]);
        check!(
            i32,
            at_least_i32,
            equal_i32,
            count_i32_at,
            |n| (n % 9) as i32 - 4,
            [-4, 0, 3, i32::MIN, i32::MAX]
        );
        check!(u32, at_least_u32, equal_u32, count_u32_at, |n| n as u32, [0, 3, 1 << 31, u32::MAX]);
        check!(u32, at_least_u32, equal_u32, count_u32_at, |n| (n % 5) as u32, [0, 3, 1 << 31]);
        check!(u8, at_least_u8, equal_u8, count_u8_at, |n| n as u8, [0, 3, 127, 128, 255]);
        let float = |n: u64| match n % 7 {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            n => n as f64 - 4.0,
        };
        check!(
            f64,
            at_least_f64,
            equal_f64,
            count_f64_at,
            float,
            [0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY]
        );
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
}
