//! Every type with an order is a line of whole numbers: a value's *rank* is its place on it. Between
//! two neighbouring ranks there is no value, for doubles too, so that `x > 5` is "at rank 5 + 1 or
//! past it" whatever the type.

use crate::program::{Decimal, Type, Value};
use crate::semantics::calendar;
use jiff::civil::{Date, date};

/// The rank of a known value that has an order of its own.
pub(super) fn of(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(value) => Some(i128::from(*value)),
        Value::Int(value) | Value::Timestamp(value) | Value::Time(value) => Some(i128::from(*value)),
        Value::Float(value) => Some(of_double(*value)),
        Value::Decimal(value) => Some(value.unscaled),
        Value::Date(value) => Some(i128::from(*value)),
        Value::Label(code) => Some(i128::from(*code)),
        Value::Missing | Value::Text(_) | Value::List(_) => None,
    }
}

/// The value of a type at a rank.
pub(super) fn value(ty: &Type, rank: i128) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(rank != 0),
        Type::Int => Value::Int(i64::try_from(rank).ok()?),
        Type::Float => Value::Float(double(rank)?),
        Type::Decimal { scale, .. } => Value::Decimal(Decimal { unscaled: rank, scale: *scale }),
        Type::Date => Value::Date(i32::try_from(rank).ok()?),
        Type::Timestamp => Value::Timestamp(i64::try_from(rank).ok()?),
        Type::Time => Value::Time(i64::try_from(rank).ok()?),
        Type::Label(_) => Value::Label(u32::try_from(rank).ok()?),
        Type::Text | Type::List(_) => return None,
    })
}

/// Doubles are ordered as their bits are, negative ones the other way round.
fn of_double(value: f64) -> i128 {
    let magnitude = i128::from(value.abs().to_bits());
    if value.is_sign_negative() { -magnitude } else { magnitude }
}

fn double(rank: i128) -> Option<f64> {
    let magnitude = f64::from_bits(u64::try_from(rank.unsigned_abs()).ok()?);
    let value = if rank < 0 { -magnitude } else { magnitude };
    value.is_finite().then_some(value)
}

/// The first and the last rank of a computed value's type. Labels: of as many as there are.
pub(super) fn range(ty: &Type, labels: usize) -> (i128, i128) {
    let days = |date: Date| i128::from(calendar::days(date));
    match ty {
        Type::Bool => (0, 1),
        Type::Int => (i128::from(i64::MIN), i128::from(i64::MAX)),
        Type::Float => (of_double(f64::MIN), of_double(f64::MAX)),
        Type::Decimal { .. } => (1 - 10_i128.pow(38), 10_i128.pow(38) - 1),
        Type::Date => (days(Date::MIN), days(Date::MAX)),
        Type::Timestamp => (i128::from(i64::MIN), i128::from(i64::MAX)),
        Type::Time => (0, MICROS_A_DAY - 1),
        Type::Label(_) => (0, i128::try_from(labels).unwrap_or(1) - 1),
        Type::Text | Type::List(_) => (0, 0),
    }
}

/// Microseconds of a day.
pub(super) const MICROS_A_DAY: i128 = 86_400_000_000;

/// What data of a type keep within: dates and moments of the years 1 to 9999, decimals their digits.
pub(super) fn data_range(ty: &Type, labels: usize) -> (i128, i128) {
    let day = |year, month, day_of_month| i128::from(calendar::days(date(year, month, day_of_month)));
    let (first, last) = (day(1, 1, 1), day(9999, 12, 31));
    match ty {
        Type::Decimal { precision, .. } => {
            let end = 10_i128.checked_pow(u32::from(*precision)).unwrap_or(i128::MAX) - 1;
            (-end, end)
        }
        Type::Date => (first, last),
        // Local dates reach a day further in UTC.
        Type::Timestamp => ((first - 1) * MICROS_A_DAY, (last + 2) * MICROS_A_DAY),
        ty => range(ty, labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_go_with_the_order_and_back() {
        let doubles = [f64::MIN, -1.5, -f64::MIN_POSITIVE, 0.0, f64::MIN_POSITIVE, 1.5, f64::MAX];
        for pair in doubles.windows(2) {
            assert!(of_double(pair[0]) < of_double(pair[1]));
        }
        for x in doubles {
            assert_eq!(value(&Type::Float, of_double(x)), Some(Value::Float(x)));
        }
        assert_eq!(of_double(1.0) + 1, of_double(1.0_f64.next_up()));
        assert_eq!(value(&Type::Float, range(&Type::Float, 0).1 + 1), None);
    }
}
