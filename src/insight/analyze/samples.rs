//! Sample users: the example of each segment, and mixtures of their columns. Each is a possible user, as
//! columns are free of each other.

use crate::program::{NodeId, Value};
use crate::prove::{Example, Prover};

/// So many mixtures are tried.
const MIXTURES: usize = 256;

/// Who of the sample users is in which segment.
pub(super) struct Samples {
    /// By segment: a bit a user for "is in", and one for "is not in"; neither where it is not known.
    bits: Vec<[Vec<u64>; 2]>,
}

impl Samples {
    pub fn of<'e>(
        prover: &Prover<'_>,
        conditions: &[NodeId],
        examples: impl Iterator<Item = &'e Example>,
    ) -> Samples {
        let examples: Vec<&Example> = examples.collect();
        let mixed = mixtures(&examples);
        let users: Vec<&Example> = examples.into_iter().chain(&mixed).collect();
        let words = users.len().div_ceil(64);
        let mut bits = vec![[vec![0; words], vec![0; words]]; conditions.len()];
        let tester = prover.tester(conditions);
        for (at, user) in users.iter().enumerate() {
            // A little time must be left for proofs.
            if prover.is_over() {
                break;
            }
            for (segment, holds) in bits.iter_mut().zip(tester.holds(user)) {
                let Some(holds) = holds else { continue };
                let [is_in, is_out] = segment;
                let side = if holds { is_in } else { is_out };
                if let Some(word) = side.get_mut(at / 64) {
                    *word |= 1 << (at % 64);
                }
            }
        }
        Samples { bits }
    }

    /// Whether a sample user is in (or not in) the one segment and in (or not in) the other.
    pub fn has(&self, a: usize, in_a: bool, b: usize, in_b: bool) -> bool {
        let side = |at: usize, is_in: bool| self.bits.get(at).map(|[yes, no]| if is_in { yes } else { no });
        match (side(a, in_a), side(b, in_b)) {
            (Some(a), Some(b)) => a.iter().zip(b).any(|(a, b)| a & b != 0),
            _ => false,
        }
    }
}

/// Users each of whose columns is some example's.
fn mixtures(examples: &[&Example]) -> Vec<Example> {
    let width = examples.iter().map(|example| example.columns.len()).max().unwrap_or(0);
    if examples.len() < 2 || width == 0 {
        return Vec::new();
    }
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |below: usize| {
        // Xorshift: the same users every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap_or(1)).unwrap_or(0)
    };
    (0..MIXTURES)
        .map(|_| {
            let columns = (0..width)
                .map(|column| {
                    let of = examples.get(next(examples.len()));
                    of.and_then(|of| of.columns.get(column)).cloned().unwrap_or(Value::Missing)
                })
                .collect();
            Example { attributes: Vec::new(), region: String::new(), columns, given: Default::default() }
        })
        .collect()
}
