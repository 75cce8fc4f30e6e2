//! Exact sums of doubles, user by user: the exact sum rounded once, whatever the order.
//!
//! A sum is kept as two doubles whose exact sum it is. What an addition loses goes from the first
//! into the second without loss (D. E. Knuth, "The Art of Computer Programming" 2, 4.2.2, theorem B);
//! a user for whom the second has no room left, or the first overflows, gets an [`ExactSum`].

use crate::semantics::ExactSum;
use hashbrown::HashMap;

/// A sum by user.
#[derive(Debug)]
pub(super) struct FloatSums {
    high: Vec<f64>,
    /// Not a number where the sum is in `exact`.
    low: Vec<f64>,
    exact: HashMap<usize, ExactSum>,
}

/// `a + b` rounded, and what that lost.
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

impl FloatSums {
    /// Zero for each user.
    pub fn new(users: usize) -> FloatSums {
        FloatSums { high: vec![0.0; users], low: vec![0.0; users], exact: HashMap::new() }
    }

    /// Adds a double; infinite ones are passed over.
    #[inline(always)]
    pub fn add(&mut self, user: usize, value: f64) {
        let (Some(high), Some(low)) = (self.high.get_mut(user), self.low.get_mut(user)) else { return };
        let value = if value.is_finite() { value } else { 0.0 };
        let (sum, lost) = two_sum(*high, value);
        let (rest, nothing) = two_sum(*low, lost);
        // Not so where one of them is infinite or not a number.
        if nothing == 0.0 {
            (*high, *low) = (sum, rest);
        } else {
            add_exactly(&mut self.exact, user, high, low, value);
        }
    }

    /// The user's sum, rounded once.
    pub fn sum(&self, user: usize) -> f64 {
        match self.exact.get(&user) {
            Some(exact) => exact.round(),
            None => self.high.get(user).zip(self.low.get(user)).map_or(0.0, |(high, low)| high + low),
        }
    }
}

#[cold]
fn add_exactly(exact: &mut HashMap<usize, ExactSum>, user: usize, high: &f64, low: &mut f64, value: f64) {
    let sum = exact.entry(user).or_insert_with(|| {
        let mut sum = ExactSum::default();
        sum.add(*high);
        sum.add(*low);
        sum
    });
    sum.add(value);
    *low = f64::NAN;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_those_of_the_definition(
            values in prop::collection::vec(
                prop_oneof![any::<f64>(), -1e3..1e3, Just(1e308), Just(-1e308), Just(1e-300), Just(0.1)], 0..30
            )
        ) {
            let mut sums = FloatSums::new(2);
            let mut exact = ExactSum::default();
            for value in values.into_iter().filter(|value| !value.is_nan()) {
                sums.add(1, value);
                exact.add(value);
            }
            prop_assert_eq!(sums.sum(1), exact.round());
            prop_assert_eq!(sums.sum(0), 0.0);
        }
    }
}
