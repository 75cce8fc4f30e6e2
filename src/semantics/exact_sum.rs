//! Exact sums: of doubles, rounded once at the end, and of whole numbers of any size on the way. So
//! a sum does not depend on the order of what is summed.
//!
//! A double is a whole number of 2^-1074. The sum is kept as such a number in limbs of 32 bits, each
//! with room for 2^31 additions before its carries have to move on (the "small superaccumulator" of
//! R. M. Neal, "Fast exact summation using small and large superaccumulators", 2015).

/// Bits of a limb.
const LIMB: u32 = 32;
/// Limbs for 2^-1074 to 2^1024, and room above for 2^63 summands.
const LIMBS: usize = 68;
/// Additions before the carries have to move on.
const MOST_PENDING: u32 = 1 << 30;

/// An exact sum of doubles.
#[derive(Clone, Debug)]
pub struct ExactSum {
    limbs: [i64; LIMBS],
    pending: u32,
}

impl Default for ExactSum {
    fn default() -> Self {
        ExactSum { limbs: [0; LIMBS], pending: 0 }
    }
}

impl ExactSum {
    /// Adds a finite double; others are passed over.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() || value == 0.0 {
            return;
        }
        if self.pending >= MOST_PENDING {
            self.carry();
        }
        self.pending += 1;
        let bits = value.to_bits();
        let exponent = u32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
        let fraction = bits & ((1 << 52) - 1);
        // A subnormal number has no hidden bit, and the exponent of the smallest normal one.
        let (mantissa, shift) =
            if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        let mut rest = u128::from(mantissa) << (shift % LIMB);
        let mut limb = (shift / LIMB) as usize;
        while rest != 0 {
            let part = i64::try_from(rest & u128::from(u32::MAX)).unwrap_or(0);
            if let Some(place) = self.limbs.get_mut(limb) {
                *place += if value < 0.0 { -part } else { part };
            }
            rest >>= LIMB;
            limb += 1;
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, mut other: ExactSum) {
        self.carry();
        other.carry();
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            *limb += more;
        }
        self.pending = 2;
    }

    /// Brings every limb but the last into 0..2^32.
    fn carry(&mut self) {
        let mut carry = 0;
        let last = LIMBS - 1;
        for limb in self.limbs.iter_mut().take(last) {
            let sum = *limb + carry;
            carry = sum >> LIMB;
            *limb = sum - (carry << LIMB);
        }
        if let Some(limb) = self.limbs.last_mut() {
            *limb += carry;
        }
        self.pending = 0;
    }

    /// The nearest double, ties to even; infinite beyond the largest.
    pub fn round(&self) -> f64 {
        let mut sum = self.clone();
        sum.carry();
        let negative = sum.limbs.last().is_some_and(|limb| *limb < 0);
        if negative {
            for limb in &mut sum.limbs {
                *limb = -*limb;
            }
            sum.carry();
        }
        let Some(top) = sum.limbs.iter().rposition(|limb| *limb != 0) else { return 0.0 };
        let bit = |at: usize| sum.limbs.get(at / 32).is_some_and(|limb| limb >> (at % 32) & 1 == 1);
        let highest = top * 32
            + (0..63)
                .rev()
                .find(|bit| sum.limbs.get(top).is_some_and(|limb| limb >> bit & 1 == 1))
                .unwrap_or(0);
        // 53 bits from the highest down, or all that there are.
        let lowest = highest.saturating_sub(52);
        let mut mantissa = (lowest..=highest).rev().fold(0_u64, |m, at| m << 1 | u64::from(bit(at)));
        let half = lowest > 0 && bit(lowest - 1);
        let more = half && (0..lowest - 1).any(bit);
        if half && (more || mantissa & 1 == 1) {
            mantissa += 1;
        }
        // Two factors, for a power of two alone may be out of range where the product is not.
        let exponent = i32::try_from(lowest).unwrap_or(i32::MAX) - 1074;
        #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
        let value = mantissa as f64 * power_of_two(exponent / 2) * power_of_two(exponent - exponent / 2);
        if negative { -value } else { value }
    }
}

/// `2^exponent`, exactly, for exponents within reach of a normal double.
fn power_of_two(exponent: i32) -> f64 {
    let biased = u64::try_from(exponent + 1023).unwrap_or(0);
    f64::from_bits(biased << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(values: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.round()
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[0.1]), 0.1);
        assert_eq!(sum(&[1e308, 1e308, -1e308]), 1e308);
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[1.0, 1e-30, -1.0]), 1e-30);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[f64::MIN_POSITIVE / 4.0, f64::MIN_POSITIVE / 4.0]), f64::MIN_POSITIVE / 2.0);
        assert_eq!(sum(&[-5e-324]), -5e-324);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        // Half-way cases go to the even neighbour, and a trace above half goes up.
        let one_up = 1.0 + f64::EPSILON;
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0]), 1.0);
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0, 1e-40]), one_up);
        assert_eq!(sum(&[one_up, f64::EPSILON / 2.0]), 1.0 + 2.0 * f64::EPSILON);
    }

    proptest! {
        #[test]
        fn one_double_comes_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite() && value != 0.0);
            prop_assert_eq!(sum(&[value]), value);
        }

        #[test]
        fn two_doubles_round_like_the_machine_adds(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(a.is_finite() && b.is_finite());
            prop_assert_eq!(sum(&[a, b]), if a + b == 0.0 { 0.0 } else { a + b });
        }

        #[test]
        fn order_and_grouping_do_not_matter(values in prop::collection::vec(any::<f64>(), 0..40), at in 0_usize..40) {
            let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            let mut backwards = values.clone();
            backwards.reverse();
            prop_assert_eq!(sum(&values), sum(&backwards));
            let (a, b) = values.split_at(at.min(values.len()));
            let (mut left, mut right) = (ExactSum::default(), ExactSum::default());
            a.iter().for_each(|value| left.add(*value));
            b.iter().for_each(|value| right.add(*value));
            left.merge(right);
            prop_assert_eq!(left.round(), sum(&values));
        }
    }
}
