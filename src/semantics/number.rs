//! Numbers: ints of 64 bits, doubles, decimals of up to 38 digits. What does not fit is missing.

use crate::program::{ArithmeticOp, Decimal, NumberFunction, Type, Value};
use arrow::datatypes::i256;
use std::cmp::Ordering;

/// Most digits' worth: 38 nines.
const MOST: i128 = 10i128.pow(38) - 1;

/// A float as the language has it: never NaN or infinite, never -0.
pub fn float(value: f64) -> Value {
    if value.is_finite() { Value::Float(value + 0.0) } else { Value::Missing }
}

/// A decimal of at most 38 digits.
fn decimal(unscaled: Option<i128>, scale: u8) -> Value {
    match unscaled {
        Some(unscaled) if (-MOST..=MOST).contains(&unscaled) => Value::Decimal(Decimal { unscaled, scale }),
        _ => Value::Missing,
    }
}

fn int(value: Option<i64>) -> Value {
    value.map_or(Value::Missing, Value::Int)
}

/// A power of ten.
fn ten(power: u8) -> i256 {
    (0..power).fold(i256::ONE, |product, _| product.wrapping_mul(i256::from_i128(10)))
}

/// A decimal's digits at a scale not below its own.
fn at_scale(value: Decimal, scale: u8) -> i256 {
    i256::from_i128(value.unscaled).wrapping_mul(ten(scale.saturating_sub(value.scale)))
}

/// The order of two decimals by value.
pub fn compare_decimals(a: Decimal, b: Decimal) -> Ordering {
    let scale = a.scale.max(b.scale);
    at_scale(a, scale).cmp(&at_scale(b, scale))
}

/// `+ - * / mod` of two numbers of one type.
pub fn arithmetic(op: ArithmeticOp, a: &Value, b: &Value) -> Value {
    use ArithmeticOp::*;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(match op {
            Add => a.checked_add(*b),
            Subtract => a.checked_sub(*b),
            Multiply => a.checked_mul(*b),
            Modulo if *b == 0 => None,
            Modulo => Some(a.wrapping_rem(*b)),
            Divide => None,
        }),
        (Value::Float(a), Value::Float(b)) => float(match op {
            Add => a + b,
            Subtract => a - b,
            Multiply => a * b,
            Divide => a / b,
            Modulo => a % b,
        }),
        (Value::Decimal(a), Value::Decimal(b)) => {
            let scale = a.scale.max(b.scale);
            let (x, y) = (at_scale(*a, scale), at_scale(*b, scale));
            match op {
                Add => decimal(x.checked_add(y).and_then(i256::to_i128), scale),
                Subtract => decimal(x.checked_sub(y).and_then(i256::to_i128), scale),
                Multiply => {
                    let product = i256::from_i128(a.unscaled).checked_mul(i256::from_i128(b.unscaled));
                    decimal(product.and_then(i256::to_i128), a.scale.saturating_add(b.scale))
                }
                Modulo => decimal(x.checked_rem(y).and_then(i256::to_i128), scale),
                Divide => Value::Missing,
            }
        }
        _ => Value::Missing,
    }
}

/// A function of one number.
pub fn function(function: NumberFunction, value: &Value) -> Value {
    use NumberFunction::*;
    match value {
        Value::Int(x) => match function {
            Abs => int(x.checked_abs()),
            Negate => int(x.checked_neg()),
            Floor | Ceil => Value::Int(*x),
            Log | Sqrt => Value::Missing,
        },
        Value::Float(x) => float(match function {
            Abs => x.abs(),
            Negate => -x,
            Floor => x.floor(),
            Ceil => x.ceil(),
            Log => x.ln(),
            Sqrt => x.sqrt(),
        }),
        Value::Decimal(x) => {
            let one = ten(x.scale).to_i128();
            let down = |digits: i128| one.and_then(|one| digits.div_euclid(one).checked_mul(one));
            match function {
                Abs => decimal(x.unscaled.checked_abs(), x.scale),
                Negate => decimal(x.unscaled.checked_neg(), x.scale),
                Floor => decimal(down(x.unscaled), x.scale),
                Ceil => {
                    let up = x.unscaled.checked_neg().and_then(down).and_then(i128::checked_neg);
                    decimal(up, x.scale)
                }
                Log | Sqrt => Value::Missing,
            }
        }
        _ => Value::Missing,
    }
}

/// Rounds to so many digits after the point, half away from zero; a decimal gets the type's scale.
pub fn round(value: &Value, digits: i32, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Int(x), _) => match u8::try_from(digits.saturating_neg()) {
            Ok(places) if digits < 0 => {
                let rounded = round_to(i256::from_i128(i128::from(*x)), places);
                int(rounded.to_i128().and_then(|x| i64::try_from(x).ok()))
            }
            _ => Value::Int(*x),
        },
        (Value::Float(x), _) => {
            let power = 10f64.powi(digits.saturating_abs());
            let rounded = if digits < 0 { (x / power).round() * power } else { (x * power).round() / power };
            // So large a number has no digits to round off.
            if rounded.is_finite() { float(rounded) } else { float(*x) }
        }
        (Value::Decimal(x), Type::Decimal { scale, .. }) => {
            let places = i32::from(x.scale) - digits;
            let rounded = match u8::try_from(places) {
                Ok(places) if places > 0 => round_to(i256::from_i128(x.unscaled), places),
                _ => i256::from_i128(x.unscaled),
            };
            let at = if *scale >= x.scale {
                rounded.checked_mul(ten(scale - x.scale))
            } else {
                rounded.checked_div(ten(x.scale - scale))
            };
            decimal(at.and_then(i256::to_i128), *scale)
        }
        _ => Value::Missing,
    }
}

/// Sets the last so many places to zero, half away from zero.
fn round_to(digits: i256, places: u8) -> i256 {
    // Beyond this, even half a unit is more than any number has.
    if places > 70 {
        return i256::ZERO;
    }
    let unit = ten(places);
    let half = unit.wrapping_div(i256::from_i128(2));
    let away = if digits.is_negative() { digits.wrapping_sub(half) } else { digits.wrapping_add(half) };
    away.wrapping_div(unit).wrapping_mul(unit)
}

/// An int or decimal as a float: the nearest.
pub fn to_float(value: &Value) -> Value {
    match value {
        Value::Int(x) => float(*x as f64),
        Value::Decimal(x) => {
            format!("{}e-{}", x.unscaled, x.scale).parse::<f64>().map_or(Value::Missing, float)
        }
        _ => Value::Missing,
    }
}

/// An int or decimal as a decimal of that type; missing where it is not exactly one.
pub fn to_decimal(value: &Value, precision: u8, scale: u8) -> Value {
    let from = match value {
        Value::Int(x) => Decimal { unscaled: i128::from(*x), scale: 0 },
        Value::Decimal(x) => *x,
        _ => return Value::Missing,
    };
    let digits = if from.scale <= scale {
        Some(at_scale(from, scale))
    } else {
        let unit = ten(from.scale - scale);
        let exact = i256::from_i128(from.unscaled).checked_rem(unit) == Some(i256::ZERO);
        exact.then(|| i256::from_i128(from.unscaled).wrapping_div(unit))
    };
    let limit = ten(precision);
    let digits = digits.filter(|digits| *digits < limit && *digits > limit.wrapping_neg());
    decimal(digits.and_then(i256::to_i128), scale)
}
