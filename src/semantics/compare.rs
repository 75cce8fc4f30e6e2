//! Comparisons of two values of one type.

use crate::program::{CompareOp, Decimal, Value};
use arrow::datatypes::i256;
use std::cmp::Ordering;

/// Whether a comparison holds; false where a side is missing.
pub fn holds(op: CompareOp, left: &Value, right: &Value) -> bool {
    let Some(order) = order(left, right) else { return false };
    match op {
        CompareOp::Eq => order == Ordering::Equal,
        CompareOp::Lt => order == Ordering::Less,
        CompareOp::Le => order != Ordering::Greater,
        CompareOp::Gt => order == Ordering::Greater,
        CompareOp::Ge => order != Ordering::Less,
    }
}

/// How two known values of one type stand to each other. Texts go by their bytes, labels by their
/// place in the type, decimals by value whatever their scales.
pub fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b))
        | (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => Some(decimals(*a, *b)),
        (Value::Text(a), Value::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Label(a), Value::Label(b)) => Some(a.cmp(b)),
        (Value::List(a), Value::List(b)) => {
            let unequal =
                a.iter().zip(b.iter()).map(|(a, b)| order(a, b)).find(|o| *o != Some(Ordering::Equal));
            unequal.unwrap_or_else(|| Some(a.len().cmp(&b.len())))
        }
        _ => None,
    }
}

fn decimals(a: Decimal, b: Decimal) -> Ordering {
    let scale = a.scale.max(b.scale);
    super::numbers::widened(a, scale)
        .unwrap_or(i256::ZERO)
        .cmp(&super::numbers::widened(b, scale).unwrap_or(i256::ZERO))
}
