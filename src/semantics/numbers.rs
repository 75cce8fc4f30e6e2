//! Numbers: 64-bit ints, doubles, exact decimals of up to 38 digits. What is beyond them is missing,
//! and so are a division by zero, NaN and infinity.

use crate::program::{ArithmeticOp, Decimal, NumberFunction, Type, Value};
use arrow::datatypes::i256;

/// The largest scale, and the most digits.
const MOST_DIGITS: u32 = 38;

/// A double as a value: NaN and infinity are missing, -0 is 0.
pub fn float(value: f64) -> Value {
    if value.is_finite() { Value::Float(if value == 0.0 { 0.0 } else { value }) } else { Value::Missing }
}

/// A decimal where it has at most 38 digits.
pub fn decimal(unscaled: i256, scale: u8) -> Value {
    match unscaled.to_i128() {
        Some(unscaled) if unscaled.unsigned_abs() < 10_u128.pow(MOST_DIGITS) => {
            Value::Decimal(Decimal { unscaled, scale })
        }
        _ => Value::Missing,
    }
}

/// `10^n` for n up to 76.
fn power(n: u32) -> i256 {
    i256::from_i128(10).wrapping_pow(n.min(76))
}

/// A decimal's digits at a scale no smaller than its own.
pub fn widened(value: Decimal, scale: u8) -> Option<i256> {
    let more = u32::from(scale.checked_sub(value.scale)?);
    i256::from_i128(value.unscaled).checked_mul(power(more))
}

/// An int or decimal at a scale, where that is exact and has at most 38 digits.
pub fn to_decimal(value: &Value, scale: u8) -> Option<Decimal> {
    let value = match value {
        Value::Int(value) => Decimal { unscaled: i128::from(*value), scale: 0 },
        Value::Decimal(value) => *value,
        _ => return None,
    };
    let unscaled = match widened(value, scale) {
        Some(unscaled) => unscaled,
        None => {
            let less = power(u32::from(value.scale.checked_sub(scale)?));
            let wide = i256::from_i128(value.unscaled);
            if wide.checked_rem(less)? != i256::ZERO {
                return None;
            }
            wide.checked_div(less)?
        }
    };
    match decimal(unscaled, scale) {
        Value::Decimal(value) => Some(value),
        _ => None,
    }
}

/// The double nearest to a number.
pub fn to_float(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        // Through text: dividing by a power of ten would round twice.
        Value::Decimal(value) if value.scale == 0 => Some(value.unscaled as f64),
        Value::Decimal(value) => format!("{}e-{}", value.unscaled, value.scale).parse().ok(),
        _ => None,
    }
}

/// `+ - * / mod` of two values of one type; the result has type `ty`.
pub fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value, ty: &Type) -> Value {
    match (left, right, ty) {
        (Value::Int(a), Value::Int(b), _) => {
            let result = match op {
                ArithmeticOp::Add => a.checked_add(*b),
                ArithmeticOp::Subtract => a.checked_sub(*b),
                ArithmeticOp::Multiply => a.checked_mul(*b),
                ArithmeticOp::Divide => None,
                ArithmeticOp::Modulo if *b == 0 => None,
                ArithmeticOp::Modulo => Some(a.wrapping_rem(*b)),
            };
            result.map_or(Value::Missing, Value::Int)
        }
        (Value::Float(a), Value::Float(b), _) => float(match op {
            ArithmeticOp::Add => a + b,
            ArithmeticOp::Subtract => a - b,
            ArithmeticOp::Multiply => a * b,
            ArithmeticOp::Divide if *b == 0.0 => f64::NAN,
            ArithmeticOp::Divide => a / b,
            ArithmeticOp::Modulo => a % b,
        }),
        (Value::Decimal(a), Value::Decimal(b), Type::Decimal { scale, .. }) => {
            decimal_arithmetic(op, *a, *b, *scale).map_or(Value::Missing, |result| decimal(result, *scale))
        }
        _ => Value::Missing,
    }
}

fn decimal_arithmetic(op: ArithmeticOp, a: Decimal, b: Decimal, scale: u8) -> Option<i256> {
    if op == ArithmeticOp::Multiply {
        return i256::from_i128(a.unscaled).checked_mul(i256::from_i128(b.unscaled));
    }
    let (a, b) = (widened(a, scale)?, widened(b, scale)?);
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Subtract => a.checked_sub(b),
        ArithmeticOp::Modulo if b != i256::ZERO => a.checked_rem(b),
        _ => None,
    }
}

/// `abs`, `floor`, `ceil`, `log`, `sqrt` and unary minus.
pub fn function(function: NumberFunction, value: &Value) -> Value {
    match (function, value) {
        (NumberFunction::Abs, Value::Int(n)) => n.checked_abs().map_or(Value::Missing, Value::Int),
        (NumberFunction::Negate, Value::Int(n)) => n.checked_neg().map_or(Value::Missing, Value::Int),
        (NumberFunction::Floor | NumberFunction::Ceil, Value::Int(_)) => value.clone(),
        (NumberFunction::Abs, Value::Float(x)) => float(x.abs()),
        (NumberFunction::Negate, Value::Float(x)) => float(-x),
        (NumberFunction::Floor, Value::Float(x)) => float(x.floor()),
        (NumberFunction::Ceil, Value::Float(x)) => float(x.ceil()),
        (NumberFunction::Log, Value::Float(x)) => float(x.ln()),
        (NumberFunction::Sqrt, Value::Float(x)) => float(x.sqrt()),
        (NumberFunction::Abs, Value::Decimal(x)) => {
            decimal(i256::from_i128(x.unscaled).wrapping_abs(), x.scale)
        }
        (NumberFunction::Negate, Value::Decimal(x)) => {
            decimal(i256::from_i128(x.unscaled).wrapping_neg(), x.scale)
        }
        (NumberFunction::Floor | NumberFunction::Ceil, Value::Decimal(x)) => {
            let Some(one) = 10_i128.checked_pow(u32::from(x.scale)) else { return Value::Missing };
            let whole = x.unscaled.div_euclid(one);
            let up = function == NumberFunction::Ceil && x.unscaled.rem_euclid(one) != 0;
            let whole = i256::from_i128(whole + i128::from(up));
            whole
                .checked_mul(i256::from_i128(one))
                .map_or(Value::Missing, |unscaled| decimal(unscaled, x.scale))
        }
        _ => Value::Missing,
    }
}

/// Rounds to `digits` after the point (before it where negative), half away from zero. Of a double
/// it is the exact value of the double that is rounded, and the nearest double that is given.
pub fn round(value: &Value, digits: i32, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Int(n), _) => match digits {
            0.. => value.clone(),
            _ => {
                let rounded = rounded_to(i256::from_i128(i128::from(*n)), digits.unsigned_abs());
                rounded.to_i128().and_then(|n| i64::try_from(n).ok()).map_or(Value::Missing, Value::Int)
            }
        },
        (Value::Decimal(x), Type::Decimal { scale, .. }) => {
            let gone = i32::from(x.scale).saturating_sub(digits);
            let rounded = rounded_to(i256::from_i128(x.unscaled), u32::try_from(gone).unwrap_or(0));
            let rescaled = if x.scale > *scale {
                // The digits that are gone have left zeros behind at the old scale.
                rounded.checked_div(power(u32::from(x.scale - *scale)))
            } else {
                rounded.checked_mul(power(u32::from(*scale - x.scale)))
            };
            rescaled.map_or(Value::Missing, |unscaled| decimal(unscaled, *scale))
        }
        (Value::Float(x), _) => float(round_float(*x, digits)),
        _ => Value::Missing,
    }
}

/// Rounds the last `digits` digits away, leaving zeros.
fn rounded_to(value: i256, digits: u32) -> i256 {
    if digits > 76 {
        return i256::ZERO;
    }
    let unit = power(digits);
    let rest = value.wrapping_rem(unit);
    let base = value.wrapping_sub(rest);
    let twice = rest.wrapping_abs().wrapping_mul(i256::from_i128(2));
    if twice < unit {
        base
    } else if rest < i256::ZERO {
        base.wrapping_sub(unit)
    } else {
        base.wrapping_add(unit)
    }
}

fn round_float(x: f64, digits: i32) -> f64 {
    if x == 0.0 || digits > 340 {
        return x;
    }
    if digits <= 0 {
        if digits == 0 {
            return x.round();
        }
        let unit = 10_f64.powi(digits.saturating_neg());
        let rest = x % unit;
        let base = x - rest;
        return if rest.abs() * 2.0 >= unit { base + unit.copysign(x) } else { base };
    }
    let digits = usize::try_from(digits).unwrap_or(0);
    // A double lies exactly between two decimals of n digits only if its last binary digit stands
    // at place n + 1 after the point. The formatter rounds such ties to even, so they are nudged.
    let last = x.to_bits().trailing_zeros().min(52);
    let exponent = i64::try_from((x.to_bits() >> 52) & 0x7ff).unwrap_or(0).max(1) - 1075 + i64::from(last);
    let tie = exponent == -(i64::try_from(digits).unwrap_or(0) + 1);
    let nudged = if tie { f64::from_bits(x.to_bits() + 1) } else { x };
    format!("{nudged:.digits$}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(unscaled: i128, scale: u8) -> Value {
        Value::Decimal(Decimal { unscaled, scale })
    }

    #[test]
    fn ints_beyond_64_bits_are_missing() {
        let op = |op, a, b| arithmetic(op, &Value::Int(a), &Value::Int(b), &Type::Int);
        assert_eq!(op(ArithmeticOp::Add, i64::MAX, 1), Value::Missing);
        assert_eq!(op(ArithmeticOp::Modulo, -7, 3), Value::Int(-1));
        assert_eq!(op(ArithmeticOp::Modulo, i64::MIN, -1), Value::Int(0));
        assert_eq!(op(ArithmeticOp::Modulo, 7, 0), Value::Missing);
        assert_eq!(function(NumberFunction::Abs, &Value::Int(i64::MIN)), Value::Missing);
    }

    #[test]
    fn decimals_stay_exact_to_38_digits() {
        let ty = |scale| Type::Decimal { precision: 38, scale };
        let largest = 10_i128.pow(38) - 1;
        assert_eq!(arithmetic(ArithmeticOp::Add, &exact(largest, 0), &exact(1, 0), &ty(0)), Value::Missing);
        assert_eq!(
            arithmetic(ArithmeticOp::Add, &exact(10_i128.pow(36), 0), &exact(-1, 2), &ty(2)),
            exact(largest, 2),
            "the intermediate has 39 digits, the result 38"
        );
        assert_eq!(arithmetic(ArithmeticOp::Multiply, &exact(15, 1), &exact(15, 1), &ty(2)), exact(225, 2));
        assert_eq!(arithmetic(ArithmeticOp::Modulo, &exact(-75, 1), &exact(2, 0), &ty(1)), exact(-15, 1));
        assert_eq!(to_decimal(&exact(150, 2), 1), Some(Decimal { unscaled: 15, scale: 1 }));
        assert_eq!(to_decimal(&exact(155, 2), 1), None);
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        let float = |x, digits| match round(&Value::Float(x), digits, &Type::Float) {
            Value::Float(x) => x,
            _ => f64::NAN,
        };
        assert_eq!(float(2.5, 0), 3.0);
        assert_eq!(float(-2.5, 0), -3.0);
        assert_eq!(float(0.125, 2), 0.13, "a tie that binary holds exactly");
        assert_eq!(float(-0.125, 2), -0.13);
        assert_eq!(float(0.375, 2), 0.38);
        assert_eq!(float(2.675, 2), 2.67, "the double lies just below the tie");
        assert_eq!(float(1250.0, -2), 1300.0);
        assert_eq!(float(1e300, 2), 1e300);
        assert_eq!(round(&Value::Int(-1250), -2, &Type::Int), Value::Int(-1300));
        let ty = Type::Decimal { precision: 10, scale: 1 };
        assert_eq!(round(&exact(-225, 2), 1, &ty), exact(-23, 1));
        let whole = Type::Decimal { precision: 10, scale: 0 };
        assert_eq!(round(&exact(12_550, 1), -2, &whole), exact(1300, 0));
    }

    #[test]
    fn floor_and_ceil_of_decimals() {
        assert_eq!(function(NumberFunction::Floor, &exact(-25, 1)), exact(-30, 1));
        assert_eq!(function(NumberFunction::Ceil, &exact(-25, 1)), exact(-20, 1));
        assert_eq!(function(NumberFunction::Ceil, &exact(20, 1)), exact(20, 1));
    }

    #[test]
    fn what_is_no_number_is_missing() {
        let div = |a, b| arithmetic(ArithmeticOp::Divide, &Value::Float(a), &Value::Float(b), &Type::Float);
        assert_eq!(div(1.0, 0.0), Value::Missing);
        assert_eq!(function(NumberFunction::Log, &Value::Float(0.0)), Value::Missing);
        assert_eq!(function(NumberFunction::Sqrt, &Value::Float(-1.0)), Value::Missing);
        assert_eq!(div(0.0, -1.0), Value::Float(0.0));
    }
}
