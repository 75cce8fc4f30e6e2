//! From the Arrow types that files have to the canonical ones. A value that does not fit becomes
//! null; nothing is rounded.

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX may only be called where the machine has it, which no type says"
)]

use super::clock::{Clock, FIRST_DAY, LAST_DAY, MICROS};
use super::{is_text, list, text};
use crate::data::bad_values::BadRows;
use crate::levels::compiled_for_each_level;
use crate::program::{Program, Type, TypeId};
use crate::semantics::columnar::column_type;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
    Int64Array, PrimitiveArray, StringArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt64Type, i256,
};
use arrow::error::ArrowError;
use hashbrown::HashMap;
use std::sync::Arc;

/// A canonical column.
pub(super) struct Cast {
    pub array: ArrayRef,
    /// Which values were there before the change (no buffer: all).
    pub present: Option<NullBuffer>,
    /// Rows with a fault that their own null does not show (items of lists).
    pub bad: BadRows,
}

impl Cast {
    pub fn of(array: ArrayRef, present: Option<NullBuffer>) -> Cast {
        Cast { array, present, bad: BadRows::default() }
    }
}

/// Changes a column whose type the binding allowed.
pub(super) fn cast(
    program: &Program,
    ty: &Type,
    format: Option<&str>,
    raw: &ArrayRef,
    clock: &mut Clock,
) -> Result<Cast, ArrowError> {
    let from = raw.data_type();
    if *from == DataType::Null {
        let array = new_null_array(&column_type(ty), raw.len());
        return Ok(Cast::of(array, Some(NullBuffer::new_null(raw.len()))));
    }
    let textual = is_text(from);
    if let DataType::Dictionary(_, value) = from
        && !textual
    {
        return cast(program, ty, format, &arrow_cast(raw, value)?, clock);
    }
    let present = raw.logical_nulls();
    let array: ArrayRef = match ty {
        Type::Text => texts(raw)?,
        Type::Label(id) => Arc::new(labels(program, *id, raw)?),
        Type::List(item) if textual => return list::parse(program, item, format, raw, clock),
        Type::List(item) => return list::cast(program, item, format, raw, clock),
        _ if textual => {
            let texts = arrow_cast(raw, &DataType::Utf8)?;
            return Ok(text::parse(ty, format, texts.as_string::<i32>(), clock));
        }
        Type::Bool | Type::Time => arrow_cast(raw, &column_type(ty))?,
        Type::Int => Arc::new(ints(raw)?),
        Type::Float => {
            let array = floats(raw)?;
            // NaN is how files write a missing number.
            return Ok(Cast::of(Arc::new(array.clone()), array.logical_nulls()));
        }
        Type::Decimal { precision, scale } => Arc::new(decimals(raw, *precision, *scale)?),
        Type::Date => Arc::new(dates(raw)?),
        Type::Timestamp => Arc::new(timestamps(raw, clock)?),
    };
    Ok(Cast::of(array, present))
}

fn texts(raw: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match raw.data_type() {
        DataType::Utf8 => Ok(raw.clone()),
        DataType::Dictionary(..) => {
            arrow_cast(raw, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)))
        }
        _ => arrow_cast(raw, &DataType::Utf8),
    }
}

fn labels(program: &Program, ty: TypeId, raw: &ArrayRef) -> Result<UInt32Array, ArrowError> {
    let codes: HashMap<&str, u32> = program.label_type(ty).map_or_else(HashMap::new, |ty| {
        (0u32..).zip(&ty.labels).map(|(code, label)| (label.as_str(), code)).collect()
    });
    let code = |text: &str| codes.get(text).copied();
    let texts = texts(raw)?;
    if let Some(dictionary) = texts.as_dictionary_opt::<Int32Type>() {
        let of: Vec<Option<u32>> =
            dictionary.values().as_string::<i32>().iter().map(|text| code(text?)).collect();
        let keys = dictionary.keys();
        if of.iter().all(Option::is_some) {
            // Every text is a label: a missing value stays missing, whatever its key says.
            let of: Vec<u32> = of.into_iter().flatten().collect();
            let label = |key: &i32| usize::try_from(*key).ok().and_then(|key| of.get(key)).copied();
            let codes: Vec<u32> = keys.values().iter().map(|key| label(key).unwrap_or_default()).collect();
            return Ok(UInt32Array::new(codes.into(), keys.nulls().cloned()));
        }
        return Ok(keys.iter().map(|key| *of.get(usize::try_from(key?).ok()?)?).collect());
    }
    Ok(texts.as_string::<i32>().iter().map(|text| code(text?)).collect())
}

fn ints(raw: &ArrayRef) -> Result<Int64Array, ArrowError> {
    match raw.data_type() {
        DataType::UInt64 => Ok(raw.as_primitive::<UInt64Type>().unary_opt(|value| i64::try_from(value).ok())),
        _ => Ok(arrow_cast(raw, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
    }
}

/// Doubles without NaN and without a negative zero.
fn floats(raw: &ArrayRef) -> Result<Float64Array, ArrowError> {
    let wide = arrow_cast(raw, &DataType::Float64)?;
    let wide = wide.as_primitive::<Float64Type>();
    let (nan, signs) = oddities(wide.values());
    // Without a sign no value is the negative zero.
    if !nan && !signs {
        return Ok(wide.clone());
    }
    if nan {
        return Ok(wide.unary_opt(|value| (!value.is_nan()).then_some(value + 0.0)));
    }
    // -0 + 0 is 0; every other number stays.
    Ok(wide.unary(|value| value + 0.0))
}

compiled_for_each_level! {
    /// Whether any is NaN, and whether any has a sign.
    oddities, oddities_at, (values: &[f64]) -> (bool, bool), oddities_plain
}

#[inline(always)]
fn oddities_plain(values: &[f64]) -> (bool, bool) {
    let (mut nan, mut signs) = (false, 0);
    for value in values {
        nan |= value.is_nan();
        signs |= value.to_bits();
    }
    (nan, signs.cast_signed() < 0)
}

/// Whether a number fits in so many digits.
pub(super) fn fits(unscaled: i128, precision: u8) -> bool {
    10u128.checked_pow(u32::from(precision)).is_none_or(|limit| unscaled.unsigned_abs() < limit)
}

/// The same number with another count of digits after the point; none where digits would be lost.
pub(super) fn rescale(unscaled: i128, from: i32, to: i32) -> Option<i128> {
    if unscaled == 0 {
        return Some(0);
    }
    let up = to.checked_sub(from)?;
    let factor = 10i128.checked_pow(up.unsigned_abs())?;
    if up >= 0 {
        return unscaled.checked_mul(factor);
    }
    (unscaled % factor == 0).then_some(unscaled / factor)
}

fn decimals(raw: &ArrayRef, precision: u8, scale: u8) -> Result<Decimal128Array, ArrowError> {
    let to = i32::from(scale);
    let exact = |value: i128, from: i32| rescale(value, from, to).filter(|value| fits(*value, precision));
    let array: Decimal128Array = match raw.data_type() {
        DataType::Decimal32(_, from) | DataType::Decimal64(_, from) | DataType::Decimal128(_, from) => {
            let wide = arrow_cast(raw, &DataType::Decimal128(38, *from))?;
            let from = i32::from(*from);
            wide.as_primitive::<Decimal128Type>().unary_opt(|value| exact(value, from))
        }
        DataType::Decimal256(_, from) => {
            let from = i32::from(*from);
            raw.as_primitive::<Decimal256Type>().unary_opt(|value| {
                let (value, from) = narrow(value, from, to)?;
                exact(value, from)
            })
        }
        DataType::UInt64 => raw.as_primitive::<UInt64Type>().unary_opt(|value| exact(i128::from(value), 0)),
        _ => ints(raw)?.unary_opt(|value| exact(i128::from(value), 0)),
    };
    array.with_precision_and_scale(precision, i8::try_from(scale).unwrap_or(i8::MAX))
}

/// A wide decimal in 128 bits: digits past `to` after the point are dropped where they are zeros.
fn narrow(value: i256, from: i32, to: i32) -> Option<(i128, i32)> {
    let (mut value, mut from) = (value, from);
    let ten = i256::from_i128(10);
    while from > to {
        if value.checked_rem(ten)? != i256::ZERO {
            return None;
        }
        value = value.checked_div(ten)?;
        from -= 1;
    }
    Some((value.to_i128()?, from))
}

fn dates(raw: &ArrayRef) -> Result<Date32Array, ArrowError> {
    let known = |day: i64| i32::try_from(day).ok().filter(|_| (FIRST_DAY..=LAST_DAY).contains(&day));
    if let Some(days) = raw.as_primitive_opt::<Date32Type>() {
        if days.values().iter().all(|day| known(i64::from(*day)).is_some()) {
            return Ok(days.clone());
        }
        return Ok(days.unary_opt(|day| known(i64::from(day))));
    }
    match raw.as_primitive_opt::<Date64Type>() {
        Some(millis) => Ok(millis.unary_opt(|millis| known(millis.div_euclid(86_400_000)))),
        None => Ok(arrow_cast(raw, &DataType::Date32)?.as_primitive::<Date32Type>().clone()),
    }
}

fn timestamps(raw: &ArrayRef, clock: &mut Clock) -> Result<TimestampMicrosecondArray, ArrowError> {
    let DataType::Timestamp(unit, zone) = raw.data_type() else {
        return Ok(arrow_cast(raw, &column_type(&Type::Timestamp))?
            .as_primitive::<TimestampMicrosecondType>()
            .clone());
    };
    let local = zone.is_none();
    let micros = match unit {
        TimeUnit::Second => moments(raw.as_primitive::<TimestampSecondType>(), local, clock, |value| {
            value.checked_mul(MICROS)
        }),
        TimeUnit::Millisecond => {
            moments(raw.as_primitive::<TimestampMillisecondType>(), local, clock, |value| {
                value.checked_mul(1000)
            })
        }
        TimeUnit::Microsecond => moments(raw.as_primitive::<TimestampMicrosecondType>(), local, clock, Some),
        TimeUnit::Nanosecond => {
            moments(raw.as_primitive::<TimestampNanosecondType>(), local, clock, |value| {
                Some(value.div_euclid(1000))
            })
        }
    };
    Ok(micros)
}

/// Microseconds, in UTC; a moment past what calendars reach is none.
fn moments<T: ArrowPrimitiveType<Native = i64>>(
    raw: &PrimitiveArray<T>,
    local: bool,
    clock: &mut Clock,
    micros: impl Fn(i64) -> Option<i64>,
) -> TimestampMicrosecondArray {
    // Only microseconds stay what they are.
    let same = micros(1) == Some(1);
    if same && !local && all_in_reach(raw.values()) {
        // They are what is wanted already.
        return TimestampMicrosecondArray::new(raw.values().clone(), raw.nulls().cloned())
            .with_timezone("UTC");
    }
    let array: TimestampMicrosecondArray = raw
        .iter()
        .map(|value| {
            let value = micros(value?)?;
            if local { clock.moment(value) } else { Some(value).filter(|value| in_reach(*value)) }
        })
        .collect();
    array.with_timezone("UTC")
}

compiled_for_each_level! {
    /// Whether all moments lie within the years 1 to 9999.
    all_in_reach, all_in_reach_at, (moments: &[i64]) -> bool, all_in_reach_plain
}

#[inline(always)]
fn all_in_reach_plain(moments: &[i64]) -> bool {
    moments.iter().fold(0, |bad, moment| bad | out_of_reach(*moment)) >= 0
}

/// Whether a moment lies within the years 1 to 9999.
pub(super) fn in_reach(micros: i64) -> bool {
    out_of_reach(micros) >= 0
}

/// Negative where a moment does not lie within the years 1 to 9999.
#[inline(always)]
fn out_of_reach(micros: i64) -> i64 {
    const DAY: i64 = MICROS * 86_400;
    // Both ends are so near to zero that what wraps around becomes negative too.
    micros.wrapping_sub(FIRST_DAY * DAY) | ((LAST_DAY + 1) * DAY - 1).wrapping_sub(micros)
}

/// An array of the canonical type of `ty` from values already parsed.
pub(super) fn strings(array: &StringArray) -> ArrayRef {
    Arc::new(array.clone())
}

/// Bools from texts.
pub(super) fn bools(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::levels;

    #[test]
    fn oddities_are_found_by_any_instructions() {
        let last = (LAST_DAY + 1) * MICROS * 86_400 - 1;
        for level in levels() {
            for count in [0, 1, 7, 64, 100] {
                let numbers: Vec<f64> = (0..count).map(f64::from).collect();
                assert_eq!(oddities_at(level, &numbers), (false, false));
                let moments: Vec<i64> = (0..count).map(|n| last - i64::from(n)).collect();
                assert!(all_in_reach_at(level, &moments));
                for at in 0..numbers.len() {
                    let with = |odd: f64| {
                        let mut numbers = numbers.clone();
                        numbers[at] = odd;
                        oddities_at(level, &numbers)
                    };
                    assert!(with(f64::NAN).0 && !with(f64::INFINITY).0);
                    assert_eq!(
                        (with(-0.0), with(-5.5), with(7.0)),
                        ((false, true), (false, true), (false, false))
                    );
                    for beyond in [last + 1, i64::MAX, i64::MIN, FIRST_DAY * MICROS * 86_400 - 1] {
                        let mut moments = moments.clone();
                        moments[at] = beyond;
                        assert!(!all_in_reach_at(level, &moments));
                    }
                }
            }
        }
    }
}
