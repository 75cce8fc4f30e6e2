//! Values of the whole population: exact, whatever the order of the users. The definition is
//! [`crate::semantics::population`].

use super::cells::{Cell, Cells, cell_float};
use super::disk::{Shelf, Shelved, failed};
use super::schedule::PopulationWork;
use super::store::Budget;
use crate::diagnostic::Diagnostic;
use crate::program::{Decimal, Statistic, Type, Value};
use crate::semantics::aggregate::{float_average, whole_average, whole_value};
use crate::semantics::population::{Between, Place};
use crate::semantics::{ExactSum, numbers};
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Field, Schema, i256};
use std::sync::{Arc, Mutex, PoisonError};

/// The known values of the users that count, in any order: in memory, or past a limit on disk.
#[derive(Debug)]
pub(super) struct Sample {
    budget: Arc<Budget>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    memory: Vec<Cells>,
    shelf: Option<Shelf>,
    shelved: Vec<Shelved>,
    wide: bool,
}

impl Sample {
    /// Of nobody yet.
    pub fn new(budget: Arc<Budget>) -> Sample {
        Sample { budget, kept: Mutex::default() }
    }

    /// Adds some users' values.
    pub fn add(&self, cells: Cells) -> Result<(), Diagnostic> {
        let too_much = self.budget.hold(cells.bytes());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.wide |= matches!(cells, Cells::Wide(_));
        if !too_much {
            kept.memory.push(cells);
            return Ok(());
        }
        self.budget.free(cells.bytes());
        let column = cells.column();
        let field = Field::new("", column.data_type().clone(), false);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).map_err(failed)?;
        if kept.shelf.is_none() {
            kept.shelf = Some(Shelf::new()?);
        }
        let place = kept.shelf.as_ref().map(|shelf| shelf.put(&batch)).transpose()?;
        kept.shelved.extend(place);
        Ok(())
    }

    /// Gives all values to `f`, some at a time.
    fn each<T: Cell>(&self, f: &mut dyn FnMut(&[T])) -> Result<(), Diagnostic> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut give = |cells: &Cells| {
            if let Some(values) = T::of(cells, 0..cells.len()) {
                f(&values);
            }
        };
        kept.memory.iter().for_each(&mut give);
        for place in &kept.shelved {
            let batch = kept.shelf.as_ref().map(|shelf| shelf.get(*place)).transpose()?;
            let column = batch.as_ref().and_then(|batch| batch.columns().first());
            give(&column.and_then(Cells::of_column).ok_or_else(|| failed("a column is of another kind"))?);
        }
        Ok(())
    }

    fn is_wide(&self) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).wide
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.budget.free(kept.memory.iter().map(Cells::bytes).sum());
    }
}

/// The value of a statistic over a sample; `of` is the type of its values.
///
/// # Errors
/// Where what is on disk cannot be read.
pub(super) fn statistic(work: &PopulationWork, of: &Type, sample: &Sample) -> Result<Value, Diagnostic> {
    if sample.is_wide() { of_kind::<i128>(work, of, sample) } else { of_kind::<i64>(work, of, sample) }
}

fn of_kind<T: Number>(work: &PopulationWork, of: &Type, sample: &Sample) -> Result<Value, Diagnostic> {
    let all = |f: &mut dyn FnMut(&[T])| sample.each(f);
    let range = Extent::of(&all)?;
    let around = |share| -> Result<Option<Between>, Diagnostic> {
        let Some(place) = Place::of(share, range.count) else { return Ok(None) };
        let next = (place.below + 1).min(range.count - 1);
        Ok(match *select(&all, &range, &[place.below, next])? {
            [low, high] => Some(Between { low: low.value(of), high: high.value(of), place }),
            _ => None,
        })
    };
    let end = |value: T| if range.count == 0 { Value::Missing } else { value.value(of) };
    Ok(match work.population.statistic {
        Statistic::Least => end(range.least),
        Statistic::Greatest => end(range.greatest),
        Statistic::Quantile(share) => around(share)?.map_or(Value::Missing, |between| between.float()),
        Statistic::Cut(share) => around(share)?.map_or(Value::Missing, |between| between.floor()),
        Statistic::Sum if *of == Type::Float => numbers::float(float_sum(&all)?),
        Statistic::Average if *of == Type::Float => float_average(float_sum(&all)?, range.count),
        Statistic::Sum => whole_value(whole_sum(&all)?, &work.ty),
        Statistic::Average => {
            let scale = if let Type::Decimal { scale, .. } = of { *scale } else { 0 };
            whole_average(whole_sum(&all)?, scale, range.count)
        }
    })
}

/// Gives all values to a function, some at a time; as often as one likes.
type Pass<'a, T> = dyn Fn(&mut dyn FnMut(&[T])) -> Result<(), Diagnostic> + 'a;

fn float_sum<T: Number>(all: &Pass<T>) -> Result<f64, Diagnostic> {
    let mut sum = ExactSum::default();
    all(&mut |values| values.iter().for_each(|value| sum.add(value.double())))?;
    Ok(sum.round())
}

fn whole_sum<T: Number>(all: &Pass<T>) -> Result<i256, Diagnostic> {
    // Wide sums are slow: most values are added up in a narrower one as long as it has room.
    let (mut sum, mut short) = (i256::ZERO, 0_i128);
    all(&mut |values| {
        for value in values {
            let value: i128 = (*value).into();
            short = short.checked_add(value).unwrap_or_else(|| {
                sum = sum.wrapping_add(i256::from_i128(short));
                value
            });
        }
    })?;
    Ok(sum.wrapping_add(i256::from_i128(short)))
}

/// Numbers that stand for a user's int, float or decimal.
trait Number: Cell + Into<i128> {
    /// How far it is above another.
    fn above(self, least: Self) -> u128;
    /// That distance without its last bits.
    fn stretch(self, least: Self, shift: u32) -> usize;
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

    #[inline(always)]
    fn stretch(self, least: Self, shift: u32) -> usize {
        (self.wrapping_sub(least).cast_unsigned() >> shift) as usize
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

    #[inline(always)]
    fn stretch(self, least: Self, shift: u32) -> usize {
        (self.wrapping_sub(least).cast_unsigned() >> shift) as usize
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
const FEW: u64 = 1 << 16;

/// How many values there are, and between which.
#[derive(Clone, Copy, Debug)]
struct Extent<T> {
    count: u64,
    least: T,
    greatest: T,
}

impl<T: Number> Extent<T> {
    fn of(all: &Pass<T>) -> Result<Extent<T>, Diagnostic> {
        let mut extent = Extent { count: 0, least: T::GREATEST, greatest: T::LEAST };
        all(&mut |values| {
            extent.count += values.len() as u64;
            for value in values {
                extent.least = extent.least.min(*value);
                extent.greatest = extent.greatest.max(*value);
            }
        })?;
        Ok(extent)
    }
}

/// The values at these places (ascending, all there are) of the ascending order of all values. Each
/// round counts how many values lie in which stretch of the range, and goes on with those stretches in
/// which a place is.
fn select<T: Number>(all: &Pass<T>, extent: &Extent<T>, places: &[u64]) -> Result<Vec<T>, Diagnostic> {
    let Extent { count, least, greatest } = *extent;
    if count == 0 || least == greatest {
        return Ok(vec![least; places.len()]);
    }
    if count <= FEW {
        let mut sorted: Vec<T> = Vec::new();
        all(&mut |values| sorted.extend_from_slice(values))?;
        sorted.sort_unstable();
        let at = |place: &u64| usize::try_from(*place).ok().and_then(|place| sorted.get(place)).copied();
        return Ok(places.iter().map(|place| at(place).unwrap_or(greatest)).collect());
    }
    let shift = (greatest.above(least).ilog2() + 1).saturating_sub(BITS);
    let mut counts = vec![0_u64; 1 << BITS];
    all(&mut |values| {
        for value in values {
            if let Some(count) = counts.get_mut(value.stretch(least, shift)) {
                *count += 1;
            }
        }
    })?;
    let mut found = Vec::with_capacity(places.len());
    let mut before = 0;
    for (stretch, count) in counts.into_iter().enumerate() {
        let here: Vec<u64> = places
            .iter()
            .filter(|place| (before..before + count).contains(place))
            .map(|place| place - before)
            .collect();
        before += count;
        if here.is_empty() {
            continue;
        }
        let within = |f: &mut dyn FnMut(&[T])| {
            let mut some = Vec::new();
            all(&mut |values| {
                some.clear();
                some.extend(values.iter().filter(|value| value.stretch(least, shift) == stretch));
                f(&some);
            })
        };
        let extent = match shift {
            0 => {
                let value = least.plus(stretch as u128);
                Extent { count, least: value, greatest: value }
            }
            _ => Extent::of(&within)?,
        };
        found.extend(select(&within, &extent, &here)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn selecting_is_sorting_and_looking(seed in any::<u64>(), shift in 0_u32..64, count in 1_u64..90_000, at in 0.0..1.0) {
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
            let halves = |f: &mut dyn FnMut(&[i64])| { f(a); f(b); Ok(()) };
            let extent = Extent::of(&halves).unwrap();
            prop_assert_eq!(select(&halves, &extent, &places).unwrap(), expected.clone());
            let wide: Vec<i128> = values.iter().map(|value| i128::from(*value) << 40).collect();
            let all = |f: &mut dyn FnMut(&[i128])| { f(&wide); Ok(()) };
            let extent = Extent::of(&all).unwrap();
            let expected: Vec<i128> = expected.iter().map(|value| i128::from(*value) << 40).collect();
            prop_assert_eq!(select(&all, &extent, &places).unwrap(), expected);
        }
    }
}
