//! Splits: where a user lies, and which interval an arm takes.
//!
//! With d the first 13 hexadecimal digits of the MD5 sum of the seed, the character U+001F and the
//! key as text, all in UTF-8, a user lies at d / 16^13. An arm takes the places from the sum of the
//! shares before it, in, up to that sum and its own, out. Digits and ends are whole numbers, so that
//! nothing is rounded. `docs/src/split.md` has vectors to test another implementation with.

use super::wording;
use crate::program::{Decimal, Value};
use md5::{Digest, Md5};

/// 16^13: one more than the last place.
pub const PLACES: i64 = 1 << 52;

/// The place of a user, from 0 to [`PLACES`] - 1; missing for a key that is none.
pub fn place(seed: &str, key: &Value) -> Value {
    let Some(key) = wording::key(key) else { return Value::Missing };
    let mut md5 = Md5::new();
    md5.update(seed);
    md5.update([0x1f]);
    md5.update(key);
    let digits = md5.finalize().iter().take(7).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    // Seven bytes are 14 digits.
    Value::Int(digits >> 4)
}

/// The first place past the arms whose shares add up to this: a place is theirs where it is lower.
pub fn end(share: Decimal) -> i64 {
    let whole = 10_i128.checked_pow(u32::from(share.scale)).unwrap_or(i128::MAX);
    let places = share.unscaled.saturating_mul(i128::from(PLACES));
    let end = places.div_euclid(whole) + i128::from(places.rem_euclid(whole) != 0);
    i64::try_from(end).unwrap_or(PLACES).clamp(0, PLACES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(seed: &str, keys: impl Iterator<Item = i64>, below: i64) -> Vec<bool> {
        keys.map(|key| matches!(place(seed, &Value::Int(key)), Value::Int(at) if at < below)).collect()
    }

    #[test]
    fn the_documented_vectors() {
        let page = include_str!("../../docs/src/split.md");
        let rows = page.lines().filter_map(|line| {
            let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
            match cells.as_slice() {
                [seed, key, digits, ..] if digits.len() == 15 && digits.starts_with('`') => {
                    Some((seed.trim_matches('`'), key.trim_matches('`'), digits.trim_matches('`')))
                }
                _ => None,
            }
        });
        let mut seen = 0;
        for (seed, key, digits) in rows {
            let expected = i64::from_str_radix(digits, 16).unwrap();
            assert_eq!(place(seed, &Value::Text(key.into())), Value::Int(expected), "{seed} {key}");
            seen += 1;
        }
        assert!(seen >= 6, "{seen} vectors");
    }

    #[test]
    fn ends_are_exact() {
        let percent = |n: i128| Decimal { unscaled: n, scale: 2 };
        assert_eq!(end(percent(0)), 0);
        assert_eq!(end(percent(50)), PLACES / 2);
        assert_eq!(end(percent(100)), PLACES);
        assert_eq!(end(percent(10)), 450_359_962_737_050);
    }

    #[test]
    fn a_larger_arm_keeps_its_users() {
        let ten = share("2024q4", 0..20_000, end(Decimal { unscaled: 1, scale: 1 }));
        let twenty = share("2024q4", 0..20_000, end(Decimal { unscaled: 2, scale: 1 }));
        assert!(ten.iter().zip(&twenty).all(|(small, large)| !small || *large));
    }

    #[test]
    fn seeds_are_independent_and_shares_are_kept() {
        const USERS: i64 = 100_000;
        let half = end(Decimal { unscaled: 5, scale: 1 });
        let (a, b) = (share("a", 0..USERS, half), share("b", 0..USERS, half));
        let count = |of: &[bool]| of.iter().filter(|is| **is).count() as f64;
        let both = a.iter().zip(&b).filter(|(a, b)| **a && **b).count() as f64;
        // Five standard deviations of a binomial count.
        let within = |found: f64, p: f64| {
            let n = USERS as f64;
            (found - n * p).abs() < 5.0 * (n * p * (1.0 - p)).sqrt()
        };
        assert!(within(count(&a), 0.5) && within(count(&b), 0.5), "{} {}", count(&a), count(&b));
        assert!(within(both, 0.25), "{both}");
    }
}
