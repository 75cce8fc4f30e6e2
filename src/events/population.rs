//! Values of the whole population: exact, whatever the order of the users. The definition is
//! [`crate::semantics::population`].

use super::cells::{Cell, Cells, cell_float};
use super::schedule::PopulationWork;
use crate::program::{Decimal, Statistic, Type, Value};
use crate::semantics::aggregate::{float_average, whole_average, whole_value};
use crate::semantics::population::{Between, Place};
use crate::semantics::{ExactSum, numbers};
use arrow::datatypes::i256;

/// The value of a statistic over the known values of the users that count; `of` is their type.
pub(super) fn statistic(work: &PopulationWork, of: &Type, values: &[Cells]) -> Value {
    let wide = values.iter().any(|cells| matches!(cells, Cells::Wide(_)));
    if wide { of_kind::<i128>(work, of, values) } else { of_kind::<i64>(work, of, values) }
}

fn of_kind<T: Number>(work: &PopulationWork, of: &Type, values: &[Cells]) -> Value {
    let parts: Vec<_> = values.iter().filter_map(|cells| T::of(cells, 0..cells.len())).collect();
    let parts: Vec<&[T]> = parts.iter().map(AsRef::as_ref).collect();
    let count: u64 = parts.iter().map(|part| part.len() as u64).sum();
    let all = || parts.iter().flat_map(|part| part.iter().copied());
    let around = |share| {
        let place = Place::of(share, count)?;
        let next = (place.below + 1).min(count - 1);
        match *select(&parts, &[place.below, next]) {
            [low, high] => Some(Between { low: low.value(of), high: high.value(of), place }),
            _ => None,
        }
    };
    match work.population.statistic {
        Statistic::Least => all().min().map_or(Value::Missing, |least| least.value(of)),
        Statistic::Greatest => all().max().map_or(Value::Missing, |greatest| greatest.value(of)),
        Statistic::Quantile(share) => around(share).map_or(Value::Missing, |between| between.float()),
        Statistic::Cut(share) => around(share).map_or(Value::Missing, |between| between.floor()),
        Statistic::Sum if *of == Type::Float => numbers::float(float_sum(all())),
        Statistic::Average if *of == Type::Float => float_average(float_sum(all()), count),
        Statistic::Sum => whole_value(whole_sum(all()), &work.ty),
        Statistic::Average => {
            let scale = if let Type::Decimal { scale, .. } = of { *scale } else { 0 };
            whole_average(whole_sum(all()), scale, count)
        }
    }
}

fn float_sum<T: Number>(values: impl Iterator<Item = T>) -> f64 {
    let mut sum = ExactSum::default();
    values.for_each(|value| sum.add(value.double()));
    sum.round()
}

fn whole_sum<T: Number>(values: impl Iterator<Item = T>) -> i256 {
    // Wide sums are slow: most values are added up in a narrower one as long as it has room.
    let (mut sum, mut short) = (i256::ZERO, 0_i128);
    for value in values {
        short = short.checked_add(value.into()).unwrap_or_else(|| {
            sum = sum.wrapping_add(i256::from_i128(short));
            value.into()
        });
    }
    sum.wrapping_add(i256::from_i128(short))
}

/// Numbers that stand for a user's int, float or decimal.
trait Number: Cell + Into<i128> {
    /// How far it is above another.
    fn above(self, least: Self) -> u128;
    /// What is so far above it.
    fn plus(self, distance: u128) -> Self;
    fn double(self) -> f64;
    fn value(self, ty: &Type) -> Value;
}

impl Number for i64 {
    #[inline(always)]
    fn above(self, least: Self) -> u128 {
        self.wrapping_sub(least).cast_unsigned().into()
    }

    fn plus(self, distance: u128) -> Self {
        self.wrapping_add(distance as i64)
    }

    fn double(self) -> f64 {
        cell_float(self)
    }

    fn value(self, ty: &Type) -> Value {
        match ty {
            Type::Float => Value::Float(cell_float(self)),
            Type::Decimal { .. } => i128::from(self).value(ty),
            _ => Value::Int(self),
        }
    }
}

impl Number for i128 {
    #[inline(always)]
    fn above(self, least: Self) -> u128 {
        self.wrapping_sub(least).cast_unsigned()
    }

    fn plus(self, distance: u128) -> Self {
        self.wrapping_add(distance.cast_signed())
    }

    fn double(self) -> f64 {
        0.0
    }

    fn value(self, ty: &Type) -> Value {
        let scale = if let Type::Decimal { scale, .. } = ty { *scale } else { 0 };
        Value::Decimal(Decimal { unscaled: self, scale })
    }
}

/// Distances are told apart by so many bits at a time.
const BITS: u32 = 12;
/// Few values are simply sorted.
const FEW: u64 = 2048;

/// The values at these places (ascending, all there are) of the ascending order of all values. Each
/// round counts how many values lie in which stretch of the range, and goes on with those stretches in
/// which a place is.
fn select<T: Number>(parts: &[&[T]], places: &[u64]) -> Vec<T> {
    let all = || parts.iter().flat_map(|part| part.iter().copied());
    let count: u64 = parts.iter().map(|part| part.len() as u64).sum();
    let (least, greatest) =
        all().fold((T::GREATEST, T::LEAST), |(low, high), value| (low.min(value), high.max(value)));
    if count == 0 || least == greatest {
        return vec![least; places.len()];
    }
    if count <= FEW {
        let mut sorted: Vec<T> = all().collect();
        sorted.sort_unstable();
        let at = |place: &u64| usize::try_from(*place).ok().and_then(|place| sorted.get(place)).copied();
        return places.iter().map(|place| at(place).unwrap_or(greatest)).collect();
    }
    let shift = (greatest.above(least).ilog2() + 1).saturating_sub(BITS);
    let mut counts = vec![0_u64; 1 << BITS];
    for value in all() {
        if let Some(count) = counts.get_mut((value.above(least) >> shift) as usize) {
            *count += 1;
        }
    }
    let mut found = Vec::with_capacity(places.len());
    let mut before = 0;
    for (stretch, count) in (0_u128..).zip(counts) {
        let here: Vec<u64> = places
            .iter()
            .filter(|place| (before..before + count).contains(place))
            .map(|place| place - before)
            .collect();
        before += count;
        if here.is_empty() {
            continue;
        }
        if shift == 0 {
            found.extend(here.iter().map(|_| least.plus(stretch)));
            continue;
        }
        let within: Vec<T> = all().filter(|value| value.above(least) >> shift == stretch).collect();
        found.extend(select(&[&within], &here));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn selecting_is_sorting_and_looking(seed in any::<u64>(), shift in 0_u32..64, count in 1_u64..9000, at in 0.0..1.0) {
            let mut next = seed;
            let values: Vec<i64> = (0..count).map(|_| {
                next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                next.cast_signed() >> shift
            }).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let place = ((count - 1) as f64 * at) as u64;
            let places = [place, (place + 1).min(count - 1)];
            let (a, b) = values.split_at(values.len() / 3);
            let expected: Vec<i64> = places.iter().map(|place| sorted[*place as usize]).collect();
            prop_assert_eq!(select(&[a, b], &places), expected.clone());
            let wide: Vec<i128> = values.iter().map(|value| i128::from(*value) << 40).collect();
            prop_assert_eq!(select(&[&wide], &places), expected.iter().map(|value| i128::from(*value) << 40).collect::<Vec<_>>());
        }
    }
}
