//! Domains: what lies outside becomes null. One pass over the values of a column.

use super::clock::Clock;
use crate::program::{Bound, Domain, Value};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    UInt32Type,
};
use std::sync::Arc;

/// The column without the values that lie outside the domain.
pub(super) fn keep(domain: &Domain, array: &ArrayRef, clock: &Clock) -> ArrayRef {
    match array.data_type() {
        DataType::Int64 => within(array.as_primitive::<Int64Type>(), range(domain, as_int)),
        DataType::UInt32 => within(array.as_primitive::<UInt32Type>(), range(domain, as_label)),
        DataType::Float64 => within(array.as_primitive::<Float64Type>(), range(domain, as_float)),
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).unwrap_or(0);
            within(array.as_primitive::<Decimal128Type>(), range(domain, |value| as_decimal(value, scale)))
        }
        DataType::Date32 => {
            let mut range = range(domain, as_date);
            if domain.past {
                range.limit(clock.today);
            }
            within(array.as_primitive::<Date32Type>(), range)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let mut range = range(domain, as_timestamp);
            if domain.past {
                range.limit(clock.now);
            }
            within(array.as_primitive::<TimestampMicrosecondType>(), range)
        }
        _ => array.clone(),
    }
}

/// Both ends, each with whether it is in itself.
struct Range<T> {
    low: Option<(T, bool)>,
    high: Option<(T, bool)>,
}

impl<T: PartialOrd + Copy> Range<T> {
    fn has(&self, value: T) -> bool {
        self.low.is_none_or(|(end, inclusive)| value > end || (inclusive && value == end))
            && self.high.is_none_or(|(end, inclusive)| value < end || (inclusive && value == end))
    }

    /// Nothing past `last`.
    fn limit(&mut self, last: T) {
        if self.high.is_none_or(|(end, _)| last < end) {
            self.high = Some((last, true));
        }
    }
}

fn range<T>(domain: &Domain, value: impl Fn(&Value) -> Option<T>) -> Range<T> {
    let end = |bound: &Option<Bound>| {
        bound.as_ref().and_then(|bound| Some((value(&bound.value)?, bound.inclusive)))
    };
    Range { low: end(&domain.low), high: end(&domain.high) }
}

fn within<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, range: Range<T::Native>) -> ArrayRef
where
    T::Native: PartialOrd + Copy,
{
    let values = array.values();
    let kept =
        BooleanBuffer::collect_bool(values.len(), |at| values.get(at).is_some_and(|value| range.has(*value)));
    if kept.count_set_bits() == values.len() {
        return Arc::new(array.clone());
    }
    let nulls = NullBuffer::union(array.nulls(), Some(&NullBuffer::new(kept)));
    Arc::new(PrimitiveArray::<T>::new(values.clone(), nulls).with_data_type(array.data_type().clone()))
}

fn as_int(value: &Value) -> Option<i64> {
    if let Value::Int(value) = value { Some(*value) } else { None }
}

fn as_label(value: &Value) -> Option<u32> {
    if let Value::Label(value) = value { Some(*value) } else { None }
}

fn as_date(value: &Value) -> Option<i32> {
    if let Value::Date(value) = value { Some(*value) } else { None }
}

fn as_timestamp(value: &Value) -> Option<i64> {
    if let Value::Timestamp(value) = value { Some(*value) } else { None }
}

fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        #[expect(clippy::cast_precision_loss, reason = "a bound of a float column is the nearest float")]
        Value::Int(value) => Some(*value as f64),
        _ => None,
    }
}

/// The bound in the column's digits.
fn as_decimal(value: &Value, scale: u8) -> Option<i128> {
    let (unscaled, from) = match value {
        Value::Decimal(value) => (value.unscaled, value.scale),
        Value::Int(value) => (i128::from(*value), 0),
        _ => return None,
    };
    match scale.checked_sub(from) {
        Some(up) => unscaled.checked_mul(10i128.checked_pow(u32::from(up))?),
        None => unscaled.checked_div(10i128.checked_pow(u32::from(from - scale))?),
    }
}
