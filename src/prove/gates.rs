//! Conditions as circuits: each gate is a literal that is true just when the gate's outcome is.

use super::solver::{Batsat, Literal, Sat};
use hashbrown::HashMap;

/// A solver with gates, each distinct one once.
pub(super) struct Gates {
    pub solver: Batsat,
    ands: HashMap<Vec<Literal>, Literal>,
}

impl Gates {
    pub fn new() -> Self {
        Gates { solver: Batsat::new(), ands: HashMap::new() }
    }

    /// All hold.
    pub fn and(&mut self, parts: impl IntoIterator<Item = Literal>) -> Literal {
        let mut parts: Vec<Literal> = parts.into_iter().filter(|part| *part != Literal::TRUE).collect();
        parts.sort_unstable();
        parts.dedup();
        let clash = parts.windows(2).any(|pair| matches!(pair, [a, b] if *a == !*b));
        if clash || parts.contains(&Literal::FALSE) {
            return Literal::FALSE;
        }
        match parts.as_slice() {
            [] => return Literal::TRUE,
            [one] => return *one,
            _ => {}
        }
        if let Some(known) = self.ands.get(&parts) {
            return *known;
        }
        let gate = self.solver.variable();
        let mut back: Vec<Literal> = Vec::with_capacity(parts.len() + 1);
        for part in &parts {
            self.solver.clause(&[!gate, *part]);
            back.push(!*part);
        }
        back.push(gate);
        self.solver.clause(&back);
        self.ands.insert(parts, gate);
        gate
    }

    /// One holds at least.
    pub fn or(&mut self, parts: impl IntoIterator<Item = Literal>) -> Literal {
        !self.and(parts.into_iter().map(|part| !part))
    }

    /// `then` where the condition holds, else the other.
    pub fn choose(&mut self, condition: Literal, then: Literal, other: Literal) -> Literal {
        let (yes, no) = (self.and([condition, then]), self.and([!condition, other]));
        self.or([yes, no])
    }

    /// For each count from 1 to `most`: whether at least so many hold (a sequential counter).
    pub fn counts(&mut self, parts: &[Literal], most: usize) -> Vec<Literal> {
        let mut counts = vec![Literal::FALSE; most];
        for part in parts {
            let before = counts.clone();
            for (at, count) in counts.iter_mut().enumerate() {
                let one_less = match at.checked_sub(1) {
                    Some(less) => before.get(less).copied().unwrap_or(Literal::FALSE),
                    None => Literal::TRUE,
                };
                let now = self.and([*part, one_less]);
                *count = self.or([*count, now]);
            }
        }
        counts
    }
}
