//! What a list of bytes says for each of many codes. Short lists fit in registers: with AVX-512 VBMI one
//! instruction looks up 64 codes in 128 bytes, so that a look-up costs less than reading a code.

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX may only be called where the machine has it; and its vector loads take pointers"
)]

use crate::levels::{Level, level};

/// As many as there are codes of 16 bits.
pub(super) const CODES: usize = 1 << 16;

/// The bytes of a plane for these codes, of which only the first `values` occur. A plane of fewer than
/// [`CODES`] bytes says nothing.
pub(super) fn look_up(out: &mut [u8], codes: &[u16], plane: &[u8], values: usize) {
    look_up_at(level(), out, codes, plane, values);
}

fn look_up_at(level: Level, out: &mut [u8], codes: &[u16], plane: &[u8], values: usize) {
    let Some(plane) = plane.first_chunk::<CODES>() else { return };
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if level == Level::Avx512 && is_x86_feature_detected!("avx512vbmi") {
        let done = codes.len() / 64 * 64;
        // SAFETY: the machine has what these are compiled for.
        unsafe {
            match values {
                0..=256 => wide::<1>(out, codes, plane),
                257..=512 => wide::<2>(out, codes, plane),
                513..=1024 => wide::<4>(out, codes, plane),
                _ => return look_up_plain(out, codes, plane),
            }
        }
        let rest = (out.get_mut(done..), codes.get(done..));
        if let (Some(out), Some(codes)) = rest {
            look_up_plain(out, codes, plane);
        }
        return;
    }
    let _ = (level, values);
    look_up_plain(out, codes, plane);
}

#[expect(clippy::indexing_slicing, reason = "a code of 16 bits is an index below 65,536")]
fn look_up_plain(out: &mut [u8], codes: &[u16], plane: &[u8; CODES]) {
    for (out, code) in out.iter_mut().zip(codes) {
        *out = plane[usize::from(*code)];
    }
}

/// Whole blocks of 64 codes below `256 * PARTS`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn wide<const PARTS: usize>(out: &mut [u8], codes: &[u16], plane: &[u8; CODES]) {
    use std::arch::x86_64::*;
    let (parts, _) = plane.as_chunks::<256>();
    let mut tables = [[_mm512_setzero_si512(); 4]; PARTS];
    for (table, part) in tables.iter_mut().zip(parts) {
        for (register, bytes) in table.iter_mut().zip(part.as_chunks::<64>().0) {
            // SAFETY: 64 bytes are read from as many, at any alignment.
            *register = unsafe { _mm512_loadu_epi8(bytes.as_ptr().cast()) };
        }
    }
    for (out, block) in out.as_chunks_mut::<64>().0.iter_mut().zip(codes.as_chunks::<64>().0) {
        // SAFETY: twice 32 codes are read from a block of 64.
        let (first, second) = unsafe {
            let start = block.as_ptr().cast::<i16>();
            (_mm512_loadu_epi16(start), _mm512_loadu_epi16(start.add(32)))
        };
        let low = _mm512_castsi256_si512(_mm512_cvtepi16_epi8(first));
        let low = _mm512_inserti64x4::<1>(low, _mm512_cvtepi16_epi8(second));
        let upper_half = _mm512_movepi8_mask(low);
        let mut found = _mm512_setzero_si512();
        for (part, [a, b, c, d]) in (0..).zip(&tables) {
            let lower = _mm512_permutex2var_epi8(*a, low, *b);
            let upper = _mm512_permutex2var_epi8(*c, low, *d);
            let bytes = _mm512_mask_blend_epi8(upper_half, lower, upper);
            if PARTS == 1 {
                found = bytes;
            } else {
                let part = _mm512_set1_epi16(part);
                let of_first = _mm512_cmpeq_epi16_mask(_mm512_srli_epi16::<8>(first), part);
                let of_second = _mm512_cmpeq_epi16_mask(_mm512_srli_epi16::<8>(second), part);
                let here = u64::from(of_first) | u64::from(of_second) << 32;
                found = _mm512_mask_mov_epi8(found, here, bytes);
            }
        }
        // SAFETY: 64 bytes are written to as many, at any alignment.
        unsafe { _mm512_storeu_epi8(out.as_mut_ptr().cast(), found) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_finds_its_byte_whatever_the_machine() {
        let plane: Vec<u8> =
            (0..CODES as u32).map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        for values in [1, 3, 128, 129, 256, 257, 300, 512, 513, 1000, 1024, 1025, 40_000, CODES] {
            for rows in [0, 1, 63, 64, 65, 200, 1000] {
                let codes: Vec<u16> = (0..rows).map(|n| (n * 7919 % values) as u16).collect();
                let expected: Vec<u8> = codes.iter().map(|code| plane[usize::from(*code)]).collect();
                for level in [Level::Plain, level()] {
                    let mut out = vec![0; rows];
                    look_up_at(level, &mut out, &codes, &plane, values);
                    assert_eq!(out, expected, "{rows} codes of {values}, {level:?}");
                }
            }
        }
    }
}
