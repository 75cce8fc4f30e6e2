//! Values of the language, missing included.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An exact decimal number: `unscaled / 10^scale`, at most 38 digits. Equality here is of
/// representation; `semantics` compares by value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Decimal {
    /// All digits.
    #[serde(with = "digits")]
    pub unscaled: i128,
    /// How many of them stand after the point.
    pub scale: u8,
}

/// All digits, those after the point too: `5.00` at scale 2.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = usize::from(self.scale);
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.unscaled.unsigned_abs(), width = scale + 1);
        match digits.split_at_checked(digits.len() - scale) {
            Some((whole, fraction)) if scale > 0 => write!(f, "{sign}{whole}.{fraction}"),
            _ => write!(f, "{sign}{digits}"),
        }
    }
}

/// JSON readers lose digits of long numbers, so the digits are written as text.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &i128, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.to_string())
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<i128, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// One value. Which type it has is said by the node or column that it belongs to; a value of a
/// decimal type has that type's scale.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Not known.
    Missing,
    /// True or false.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Double; never NaN (that is [`Value::Missing`]), never -0.
    Float(f64),
    /// Exact decimal.
    Decimal(Decimal),
    /// Text.
    Text(Arc<str>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00Z.
    Timestamp(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// Label code: its index in the labelled type.
    Label(u32),
    /// List without missing items.
    List(Arc<[Value]>),
}

impl Value {
    /// Whether it is missing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Value::Missing)
    }

    /// A condition's outcome: known and true.
    pub fn is_true(&self) -> bool {
        matches!(self, Value::Bool(true))
    }
}

// Floats are compared by their bits: a value is a key of the hash-consed graph.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        use Value::*;
        match (self, other) {
            (Missing, Missing) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) | (Timestamp(a), Timestamp(b)) | (Time(a), Time(b)) => a == b,
            (Float(a), Float(b)) => a.to_bits() == b.to_bits(),
            (Decimal(a), Decimal(b)) => a == b,
            (Text(a), Text(b)) => a == b,
            (Date(a), Date(b)) => a == b,
            (Label(a), Label(b)) => a == b,
            (List(a), List(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl std::hash::Hash for Value {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Missing => {}
            Value::Bool(x) => x.hash(state),
            Value::Int(x) | Value::Timestamp(x) | Value::Time(x) => x.hash(state),
            Value::Float(x) => x.to_bits().hash(state),
            Value::Decimal(x) => x.hash(state),
            Value::Text(x) => x.hash(state),
            Value::Date(x) => x.hash(state),
            Value::Label(x) => x.hash(state),
            Value::List(x) => x.hash(state),
        }
    }
}
