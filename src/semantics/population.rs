//! Values of a whole population: exact, and the same whatever the order of the users.
//!
//! A quantile is that of type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical
//! packages", 1996: between the two values around the place `(n - 1) p`, linearly.

use super::aggregate;
use super::compare::order;
use super::numbers;
use crate::program::{Decimal, Population, Share, Statistic, Type, Value};
use arrow::datatypes::i256;
use std::cmp::Ordering;

/// The value of a statistic over the known values of the users that count. `ty` is the type of the
/// result.
pub fn statistic(population: &Population, ty: &Type, mut values: Vec<Value>) -> Value {
    values.retain(|value| !value.is_missing());
    values.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
    match population.statistic {
        Statistic::Sum => aggregate::sum(values.iter(), ty),
        Statistic::Average => aggregate::average(values.iter()),
        Statistic::Least => values.first().cloned().unwrap_or(Value::Missing),
        Statistic::Greatest => values.last().cloned().unwrap_or(Value::Missing),
        Statistic::Quantile(share) => around(share, &values).map_or(Value::Missing, |it| it.float()),
        Statistic::Cut(share) => around(share, &values).map_or(Value::Missing, |it| it.floor()),
    }
}

fn around(share: Share, ascending: &[Value]) -> Option<Between> {
    let place = Place::of(share, ascending.len() as u64)?;
    let value = |at: u64| usize::try_from(at).ok().and_then(|at| ascending.get(at)).cloned();
    let low = value(place.below)?;
    let high = value(place.below + 1).unwrap_or_else(|| low.clone());
    Some(Between { low, high, place })
}

/// Where a quantile lies among n ascending values: after that many of them, and how far towards
/// the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the value below.
    pub below: u64,
    /// Share of the way to the next: `rest / of`.
    rest: u64,
    of: u64,
}

impl Place {
    /// None where there are no values.
    pub fn of(share: Share, count: u64) -> Option<Place> {
        let of = share.denominator.max(1);
        let way = u128::from(count.checked_sub(1)?) * u128::from(share.numerator.min(of));
        Some(Place {
            below: u64::try_from(way / u128::from(of)).ok()?,
            rest: u64::try_from(way % u128::from(of)).ok()?,
            of,
        })
    }
}

/// A quantile: the values around it and its place between them.
#[derive(Clone, Debug)]
pub struct Between {
    /// The value below.
    pub low: Value,
    /// The value above.
    pub high: Value,
    /// How far from the one to the other.
    pub place: Place,
}

impl Between {
    /// As a double: rounded once for ints and decimals.
    pub fn float(&self) -> Value {
        let Some((low, high, scale)) = self.whole() else { return self.interpolated() };
        let of = i256::from_i128(i128::from(self.place.of));
        let rest = i256::from_i128(i128::from(self.place.rest));
        let numerator = low.wrapping_mul(of).wrapping_add(high.wrapping_sub(low).wrapping_mul(rest));
        let (whole, rest) = (numerator.wrapping_div(of), numerator.wrapping_rem(of));
        if rest == i256::ZERO {
            return aggregate::whole_average(whole, scale, 1);
        }
        // 25 digits more than any double shows.
        let more = i256::from_i128(10_i128.pow(25));
        let fraction = numerator.checked_mul(more).map(|wide| wide.wrapping_div(of));
        match fraction {
            Some(digits) => aggregate::whole_average(digits, scale.saturating_add(25), 1),
            None => aggregate::whole_average(whole, scale, 1),
        }
    }

    /// As a value of the values' own type, rounded down where that cannot hold it.
    pub fn floor(&self) -> Value {
        let Some((low, high, scale)) = self.whole() else { return self.interpolated() };
        let of = i256::from_i128(i128::from(self.place.of));
        let rest = i256::from_i128(i128::from(self.place.rest));
        // Both factors are not negative, so that the quotient is rounded down.
        let way = high.wrapping_sub(low).wrapping_mul(rest).wrapping_div(of);
        let digits = low.wrapping_add(way).to_i128();
        match (digits, &self.low) {
            (Some(digits), Value::Int(_)) => i64::try_from(digits).map_or(Value::Missing, Value::Int),
            (Some(unscaled), Value::Decimal(_)) => Value::Decimal(Decimal { unscaled, scale }),
            _ => Value::Missing,
        }
    }

    fn whole(&self) -> Option<(i256, i256, u8)> {
        let digits = |value: i128| i256::from_i128(value);
        match (&self.low, &self.high) {
            (Value::Int(a), Value::Int(b)) => Some((digits(i128::from(*a)), digits(i128::from(*b)), 0)),
            (Value::Decimal(a), Value::Decimal(b)) => Some((digits(a.unscaled), digits(b.unscaled), a.scale)),
            _ => None,
        }
    }

    fn interpolated(&self) -> Value {
        let (Value::Float(a), Value::Float(b)) = (&self.low, &self.high) else { return Value::Missing };
        if a == b || self.place.rest == 0 {
            return numbers::float(*a);
        }
        #[expect(clippy::cast_precision_loss, reason = "a share, nearly")]
        let share = self.place.rest as f64 / self.place.of as f64;
        let way = b - a;
        numbers::float(if way.is_finite() { a + way * share } else { a * (1.0 - share) + b * share })
    }
}
