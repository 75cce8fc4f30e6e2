//! Many values to one: what each aggregate makes of a user's events, and the windows in which they
//! count. This is the definition; the engine for millions of users has roads of its own and is
//! tested against it.

use super::compare::{holds, order};
use super::exact_sum::ExactSum;
use super::numbers;
use crate::program::{AggregateFunction, CompareOp, Decimal, Type, Value};
use arrow::datatypes::i256;
use std::cmp::Ordering;

/// The ends of a window, as values.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowValues {
    /// Nothing later counts.
    pub now: Value,
    /// Lower end, and whether it is in.
    pub low: Option<(Value, bool)>,
    /// Upper end, and whether it is in.
    pub high: Option<(Value, bool)>,
}

impl WindowValues {
    /// Whether an event of that time is in. One without a time never is, and none is in a window
    /// one of whose ends is missing.
    pub fn contains(&self, at: &Value) -> bool {
        let within = |end: &Option<(Value, bool)>, inclusive, exclusive| match end {
            None => true,
            Some((bound, is_in)) => holds(if *is_in { inclusive } else { exclusive }, at, bound),
        };
        holds(CompareOp::Le, at, &self.now)
            && within(&self.low, CompareOp::Ge, CompareOp::Gt)
            && within(&self.high, CompareOp::Le, CompareOp::Lt)
    }
}

/// The value of an aggregate. `events` are the times and values of the events that are in; a count of
/// rows gives each a known value. `ty` is the type of the result.
pub fn aggregate(function: AggregateFunction, ty: &Type, events: &[(Value, Value)]) -> Value {
    let known = || events.iter().filter(|(_, value)| !value.is_missing());
    let values = || known().map(|(_, value)| value);
    match function {
        AggregateFunction::Count => count(values().count()),
        AggregateFunction::Sum => sum(values(), ty),
        AggregateFunction::Average => average(values()),
        AggregateFunction::Least => extreme(values(), Ordering::Less),
        AggregateFunction::Greatest => extreme(values(), Ordering::Greater),
        AggregateFunction::First => at_end(known(), Ordering::Less),
        AggregateFunction::Last => at_end(known(), Ordering::Greater),
        AggregateFunction::Distinct => count(groups(values()).len()),
        AggregateFunction::Mode => {
            let mut best: Option<(Value, usize)> = None;
            for (value, times) in groups(values()) {
                if best.as_ref().is_none_or(|(_, most)| times > *most) {
                    best = Some((value, times));
                }
            }
            best.map_or(Value::Missing, |(value, _)| value)
        }
    }
}

fn count(count: usize) -> Value {
    i64::try_from(count).map_or(Value::Missing, Value::Int)
}

/// The sum of numbers of one type. Of none it is 0.
pub fn sum<'a>(values: impl Iterator<Item = &'a Value>, ty: &Type) -> Value {
    if *ty == Type::Float {
        return numbers::float(float_sum(values).round());
    }
    whole_sum(whole(values).map(|(digits, _)| digits), ty)
}

/// The sum of ints or of a decimal's digits as a value of that type.
pub fn whole_sum(digits: impl Iterator<Item = i256>, ty: &Type) -> Value {
    whole_value(digits.fold(i256::ZERO, i256::wrapping_add), ty)
}

/// A whole number as an int, or as the digits of a decimal; missing where it does not fit.
pub fn whole_value(sum: i256, ty: &Type) -> Value {
    match ty {
        Type::Int => sum.to_i128().and_then(|sum| i64::try_from(sum).ok()).map_or(Value::Missing, Value::Int),
        Type::Decimal { scale, .. } => numbers::decimal(sum, *scale),
        _ => Value::Missing,
    }
}

/// The average of numbers of one type; of none it is missing.
pub fn average<'a>(values: impl Iterator<Item = &'a Value>) -> Value {
    let values: Vec<&Value> = values.collect();
    let count = values.len() as u64;
    if values.iter().any(|value| matches!(value, Value::Float(_))) {
        return float_average(float_sum(values.into_iter()).round(), count);
    }
    let scale = whole(values.iter().copied()).map(|(_, scale)| scale).next().unwrap_or(0);
    let sum = whole(values.into_iter()).fold(i256::ZERO, |sum, (digits, _)| sum.wrapping_add(digits));
    whole_average(sum, scale, count)
}

/// The average of doubles whose exact, rounded sum this is.
pub fn float_average(sum: f64, count: u64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "2^53 events are out of reach")]
    if count == 0 { Value::Missing } else { numbers::float(sum / count as f64) }
}

/// The average of ints (scale 0), or of decimals, whose digits add up to this: the exact value, rounded
/// once.
pub fn whole_average(sum: i256, scale: u8, count: u64) -> Value {
    if count == 0 {
        return Value::Missing;
    }
    let divisor = i256::from_i128(i128::from(count));
    let sign = if sum < i256::ZERO { "-" } else { "" };
    // By hand, digit after digit, and then through text, which rounds once.
    let mut digits = sum.wrapping_div(divisor).to_string().trim_start_matches('-').to_owned();
    let mut rest = sum.wrapping_rem(divisor).to_i128().map_or(0, i128::unsigned_abs);
    let mut places = usize::from(scale);
    while rest != 0 && digits.len() < LONGEST {
        rest *= 10;
        let digit = rest / u128::from(count);
        rest %= u128::from(count);
        digits.push_str(&digit.to_string());
        places += 1;
    }
    if rest != 0 {
        // Something is left: the value is above what these digits say.
        digits.push('1');
        places += 1;
    }
    numbers::float(format!("{sign}{digits}e-{places}").parse().unwrap_or(f64::NAN))
}

/// More digits than lie between two doubles, leading zeros included.
const LONGEST: usize = 60;

fn float_sum<'a>(values: impl Iterator<Item = &'a Value>) -> ExactSum {
    let mut sum = ExactSum::default();
    for value in values {
        if let Value::Float(value) = value {
            sum.add(*value);
        }
    }
    sum
}

/// Digits and scale of ints and decimals.
fn whole<'a>(values: impl Iterator<Item = &'a Value>) -> impl Iterator<Item = (i256, u8)> {
    values.filter_map(|value| match value {
        Value::Int(value) => Some((i256::from_i128(i128::from(*value)), 0)),
        Value::Decimal(Decimal { unscaled, scale }) => Some((i256::from_i128(*unscaled), *scale)),
        _ => None,
    })
}

/// The value that all others stand on the other side of.
fn extreme<'a>(values: impl Iterator<Item = &'a Value>, better: Ordering) -> Value {
    let mut best: Option<&Value> = None;
    for value in values {
        if best.is_none_or(|best| order(value, best) == Some(better)) {
            best = Some(value);
        }
    }
    best.cloned().unwrap_or(Value::Missing)
}

/// The value at the earliest or latest time; of several the smallest.
fn at_end<'a>(events: impl Iterator<Item = &'a (Value, Value)>, better: Ordering) -> Value {
    let mut best: Option<(&Value, &Value)> = None;
    for (at, value) in events {
        let wins = best.is_none_or(|(best_at, best_value)| match order(at, best_at) {
            Some(Ordering::Equal) => order(value, best_value) == Some(Ordering::Less),
            other => other == Some(better),
        });
        if wins {
            best = Some((at, value));
        }
    }
    best.map_or(Value::Missing, |(_, value)| value.clone())
}

/// Different values, ascending, with how often each comes.
fn groups<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<(Value, usize)> {
    let mut values: Vec<&Value> = values.collect();
    values.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
    let mut groups: Vec<(Value, usize)> = Vec::new();
    for value in values {
        match groups.last_mut() {
            Some((known, times)) if order(known, value) == Some(Ordering::Equal) => *times += 1,
            _ => groups.push((value.clone(), 1)),
        }
    }
    groups
}
