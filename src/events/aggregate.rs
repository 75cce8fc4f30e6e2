//! What each aggregate makes of the events of one part of the users. The definition is
//! [`crate::semantics::aggregate`].
//!
//! Counts, sums, extremes and ends are dense arrays by user, into which the events scatter. Distinct
//! values and the most common one need the values laid out by user, but where a few bits a user will
//! do, or where the values come in their order.

use super::cells::{Cell, cell_float};
use super::floats::FloatSums;
use super::part::{Bit, Part};
use super::schedule::AggregateWork;
use super::texts::Ranks;
use crate::program::{AggregateFunction, Type, Value};
use crate::semantics::aggregate::{float_average, whole_average, whole_value};
use crate::semantics::columnar::column_type;
use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array};
use arrow::datatypes::i256;
use std::sync::Arc;

/// How the values of a node lie in the blocks.
#[derive(Debug)]
pub(super) struct Source {
    pub ty: Type,
    /// No number in any block is further from zero.
    pub reach: u128,
    /// Whether some decimals are wide.
    pub wide: bool,
    /// Texts and lists in order.
    pub ranks: Option<Ranks>,
    /// How many different small numbers there may be.
    pub kinds: usize,
}

/// The aggregate's value for each user of the part, as a column of its type.
pub(super) fn aggregate(work: &AggregateWork, part: &Part, sources: &[Source]) -> ArrayRef {
    let place = work.value.and_then(|value| sources.get(value).map(|source| (value, source)));
    let Some((value, source)) = place else { return count(part, work) };
    match &source.ty {
        Type::Int | Type::Timestamp | Type::Time | Type::Float => {
            of_kind::<i64>(work, part, value, source, sources)
        }
        Type::Decimal { .. } if source.wide => of_kind::<i128>(work, part, value, source, sources),
        Type::Decimal { .. } => of_kind::<i64>(work, part, value, source, sources),
        _ => of_kind::<u32>(work, part, value, source, sources),
    }
}

fn count(part: &Part, work: &AggregateWork) -> ArrayRef {
    Arc::new(Int64Array::from(part.count(Bit::of(work.condition))))
}

/// An aggregate of values of one kind of number.
fn of_kind<T: Summand>(
    work: &AggregateWork,
    part: &Part,
    value: usize,
    source: &Source,
    sources: &[Source],
) -> ArrayRef {
    let bit = Bit::of(work.condition);
    let time = work.time.unwrap_or(value);
    let is_date = sources.get(time).is_some_and(|time| time.ty == Type::Date);
    let first = work.function == AggregateFunction::First;
    let (values, known) = match work.function {
        AggregateFunction::Count => return count(part, work),
        AggregateFunction::Sum => return sum::<T>(part, bit, value, source, &work.ty),
        AggregateFunction::Average => return average::<T>(part, bit, value, source),
        AggregateFunction::Distinct => {
            return Arc::new(Int64Array::from(distinct::<T>(part, bit, value, source.kinds)));
        }
        AggregateFunction::Least => extreme::<T>(part, bit, value, T::GREATEST, |a, b| a < b),
        AggregateFunction::Greatest => extreme::<T>(part, bit, value, T::LEAST, |a, b| a > b),
        AggregateFunction::First | AggregateFunction::Last if is_date => {
            at_end::<u32, T>(part, bit, (time, value), first)
        }
        AggregateFunction::First | AggregateFunction::Last => {
            at_end::<i64, T>(part, bit, (time, value), first)
        }
        AggregateFunction::Mode => most_common::<T>(part, bit, value),
    };
    T::column(values, known, &source.ty, source.ranks.as_ref())
}

/// The value that all others of the user stand on the other side of. `worst` is none that is better.
fn extreme<T: Cell>(
    part: &Part,
    bit: Bit,
    value: usize,
    worst: T,
    better: impl Fn(T, T) -> bool,
) -> (Vec<T>, Vec<bool>) {
    let (mut best, mut known) = (part.each(worst), part.each(false));
    part.every::<T>(bit, value, |user, holds, value| {
        if let (Some(best), Some(known)) = (best.get_mut(user), known.get_mut(user)) {
            let wins = holds && better(value, *best);
            *best = if wins { value } else { *best };
            *known |= holds;
        }
    });
    (best, known)
}

/// The value at the user's earliest or latest time; of several the smallest.
fn at_end<A: Cell, T: Cell>(
    part: &Part,
    bit: Bit,
    (time, value): (usize, usize),
    first: bool,
) -> (Vec<T>, Vec<bool>) {
    let mut best = part.each((if first { A::GREATEST } else { A::LEAST }, T::GREATEST));
    let mut known = part.each(false);
    part.every_pair::<A, T>(bit, (time, value), |user, holds, at, value| {
        if let (Some(best), Some(known)) = (best.get_mut(user), known.get_mut(user)) {
            let nearer = if first { at < best.0 } else { at > best.0 };
            let wins = holds && (nearer || (at == best.0 && value <= best.1));
            *best = if wins { (at, value) } else { *best };
            *known |= holds;
        }
    });
    (best.into_iter().map(|(_, value)| value).collect(), known)
}

/// How many different values each user has.
fn distinct<T: Cell + Into<i128>>(part: &Part, bit: Bit, value: usize, kinds: usize) -> Vec<i64> {
    if kinds <= 64 {
        let mut sets = part.each(0_u64);
        part.every::<T>(bit, value, |user, holds, value| {
            if let Some(set) = sets.get_mut(user) {
                let place = u32::try_from(value.into()).unwrap_or(0);
                *set |= u64::from(holds) << (place & 63);
            }
        });
        return sets.into_iter().map(|set| i64::from(set.count_ones())).collect();
    }
    distinct_in_order::<T>(part, bit, value).unwrap_or_else(|| {
        let (mut values, starts) = part.by_user::<T>(bit, value);
        let mut counts = Vec::with_capacity(part.users);
        let mut rest = values.as_mut_slice();
        for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
            let (own, others) = rest.split_at_mut_checked(end - start).unwrap_or_default();
            rest = others;
            own.sort_unstable();
            let changes = own.iter().zip(own.iter().skip(1)).filter(|(a, b)| a != b).count();
            counts.push(i64::try_from(changes + usize::from(!own.is_empty())).unwrap_or(i64::MAX));
        }
        counts
    })
}

/// The same where each user's values come in ascending order, as those of time mostly do; none where
/// one does not.
fn distinct_in_order<T: Cell>(part: &Part, bit: Bit, value: usize) -> Option<Vec<i64>> {
    let mut last = part.each((T::LEAST, 0_i64));
    let mut ascending = true;
    part.every::<T>(bit, value, |user, holds, value| {
        if let Some((last, count)) = last.get_mut(user) {
            ascending &= !holds || *count == 0 || value >= *last;
            let another = holds && (*count == 0 || value != *last);
            *count += i64::from(another);
            *last = if another { value } else { *last };
        }
    });
    ascending.then(|| last.into_iter().map(|(_, count)| count).collect())
}

/// Each user's most common value; of several as common the smallest.
fn most_common<T: Cell>(part: &Part, bit: Bit, value: usize) -> (Vec<T>, Vec<bool>) {
    let (mut values, starts) = part.by_user::<T>(bit, value);
    let (mut found, mut known) = (Vec::with_capacity(part.users), Vec::with_capacity(part.users));
    let mut rest = values.as_mut_slice();
    for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
        let (own, others) = rest.split_at_mut_checked(end - start).unwrap_or_default();
        rest = others;
        own.sort_unstable();
        let mut best = (T::default(), 0);
        for run in own.chunk_by(|a, b| a == b) {
            if let Some(value) = run.first().filter(|_| run.len() > best.1) {
                best = (*value, run.len());
            }
        }
        found.push(best.0);
        known.push(best.1 > 0);
    }
    (found, known)
}

/// A kind of number that sums add up.
trait Summand: Cell + Into<i128> {
    /// The number as a double, where it stands for one.
    fn double(self) -> f64;
}

impl Summand for u32 {
    fn double(self) -> f64 {
        0.0
    }
}

impl Summand for i64 {
    fn double(self) -> f64 {
        cell_float(self)
    }
}

impl Summand for i128 {
    fn double(self) -> f64 {
        0.0
    }
}

/// Sums of whole numbers: as narrow as none of them can overflow.
enum WholeSums {
    Short(Vec<i64>),
    Long(Vec<i128>),
    Longest(Vec<i256>),
}

impl WholeSums {
    fn of<T: Summand>(part: &Part, bit: Bit, value: usize, source: &Source) -> WholeSums {
        let most = source.reach.checked_mul(part.events() as u128);
        let fits = |limit: u128| most.is_some_and(|most| most <= limit);
        if fits(i64::MAX.unsigned_abs().into()) {
            let mut sums = part.each(0_i64);
            part.every::<T>(bit, value, |user, holds, value| {
                if let Some(sum) = sums.get_mut(user) {
                    *sum += if holds { value.into() as i64 } else { 0 };
                }
            });
            return WholeSums::Short(sums);
        }
        if fits(i128::MAX.unsigned_abs()) {
            let mut sums = part.each(0_i128);
            part.every::<T>(bit, value, |user, holds, value| {
                if let Some(sum) = sums.get_mut(user) {
                    *sum += if holds { value.into() } else { 0 };
                }
            });
            return WholeSums::Long(sums);
        }
        let mut sums = part.each(i256::ZERO);
        part.known::<T>(bit, value, |user, value| {
            if let Some(sum) = sums.get_mut(user) {
                *sum = sum.wrapping_add(i256::from_i128(value.into()));
            }
        });
        WholeSums::Longest(sums)
    }

    fn len(&self) -> usize {
        match self {
            WholeSums::Short(sums) => sums.len(),
            WholeSums::Long(sums) => sums.len(),
            WholeSums::Longest(sums) => sums.len(),
        }
    }

    fn get(&self, user: usize) -> i256 {
        match self {
            WholeSums::Short(sums) => sums.get(user).map(|sum| i256::from_i128(i128::from(*sum))),
            WholeSums::Long(sums) => sums.get(user).map(|sum| i256::from_i128(*sum)),
            WholeSums::Longest(sums) => sums.get(user).copied(),
        }
        .unwrap_or(i256::ZERO)
    }
}

fn float_sums<T: Summand>(part: &Part, bit: Bit, value: usize) -> FloatSums {
    let mut sums = FloatSums::new(part.users);
    part.every::<T>(bit, value, |user, holds, value| {
        sums.add(user, if holds { value.double() } else { 0.0 });
    });
    sums
}

fn sum<T: Summand>(part: &Part, bit: Bit, value: usize, source: &Source, ty: &Type) -> ArrayRef {
    if source.ty == Type::Float {
        let sums = float_sums::<T>(part, bit, value);
        return floats((0..part.users).map(|user| crate::semantics::numbers::float(sums.sum(user))));
    }
    match (WholeSums::of::<T>(part, bit, value, source), ty) {
        (WholeSums::Short(sums), Type::Int) => Arc::new(Int64Array::from(sums)),
        (WholeSums::Short(sums), _) => {
            let digits: Vec<i128> = sums.into_iter().map(i128::from).collect();
            Arc::new(Decimal128Array::from(digits).with_data_type(column_type(ty)))
        }
        (sums, Type::Int) => {
            let value = |user| match whole_value(sums.get(user), ty) {
                Value::Int(value) => Some(value),
                _ => None,
            };
            Arc::new((0..sums.len()).map(value).collect::<Int64Array>())
        }
        (sums, _) => {
            let value = |user| match whole_value(sums.get(user), ty) {
                Value::Decimal(value) => Some(value.unscaled),
                _ => None,
            };
            Arc::new((0..sums.len()).map(value).collect::<Decimal128Array>().with_data_type(column_type(ty)))
        }
    }
}

fn average<T: Summand>(part: &Part, bit: Bit, value: usize, source: &Source) -> ArrayRef {
    let counts = part.count(bit);
    if source.ty == Type::Float {
        let sums = float_sums::<T>(part, bit, value);
        let average = |(user, count): (usize, &i64)| float_average(sums.sum(user), count.unsigned_abs());
        return floats(counts.iter().enumerate().map(average));
    }
    let scale = if let Type::Decimal { scale, .. } = source.ty { scale } else { 0 };
    let sums = WholeSums::of::<T>(part, bit, value, source);
    floats(counts.iter().enumerate().map(|(user, count)| {
        let count = count.unsigned_abs();
        match &sums {
            WholeSums::Short(sums) => short_average(sums.get(user).copied().unwrap_or(0), scale, count),
            sums => whole_average(sums.get(user), scale, count),
        }
    }))
}

/// [`whole_average`] without the way through text, where both the sum and what it is divided by are doubles
/// exactly, so that their quotient is rounded once.
fn short_average(sum: i64, scale: u8, count: u64) -> Value {
    const EXACT: u64 = 1 << 53;
    let divisor = 10_u64.checked_pow(u32::from(scale)).and_then(|power| power.checked_mul(count));
    #[expect(clippy::cast_precision_loss, reason = "it is below 2^53")]
    match divisor.filter(|divisor| *divisor <= EXACT) {
        Some(divisor) if sum.unsigned_abs() <= EXACT => float_average(sum as f64, divisor),
        _ => whole_average(i256::from_i128(i128::from(sum)), scale, count),
    }
}

fn floats(values: impl Iterator<Item = Value>) -> ArrayRef {
    let value = |value| if let Value::Float(value) = value { Some(value) } else { None };
    Arc::new(values.map(value).collect::<Float64Array>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_to_an_average_is_right(sum in any::<i64>(), shift in 0..64, scale in 0_u8..25, count in 0_u64..9) {
            let sum = sum >> shift;
            prop_assert_eq!(short_average(sum, scale, count), whole_average(i256::from_i128(sum.into()), scale, count));
        }
    }
}
