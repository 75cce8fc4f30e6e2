//! Types of values and the domains that columns keep within.

use super::Value;
use serde::{Deserialize, Serialize};

/// Number of a labelled type in `Program::types`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeId(pub u32);

impl TypeId {
    /// The built-in labelled type of `weekday(x)`.
    pub const WEEKDAY: TypeId = TypeId(0);
}

/// The type of a value. Whether it may be missing is said beside it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// True or false. Conditions have this type and are never missing.
    Bool,
    /// 64-bit signed integer.
    Int,
    /// IEEE 754 double; never NaN, never -0.
    Float,
    /// Exact decimal number, `precision` digits in all (1 to 38), `scale` of them after the point.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// Text.
    Text,
    /// Calendar date.
    Date,
    /// Moment, to the microsecond.
    Timestamp,
    /// Time of day.
    Time,
    /// One of the labels of a labelled type.
    Label(TypeId),
    /// List of values, none of them missing.
    List(Box<Type>),
}

impl Type {
    /// The type in words of the language: `int`, `decimal(18,2)`, `list of string`. A type of labels is what
    /// `labels` makes of it, and a time of day, which no declaration has, what `time` says.
    pub fn words(&self, time: &str, labels: &dyn Fn(TypeId) -> String) -> String {
        match self {
            Type::Bool => "bool".to_owned(),
            Type::Int => "int".to_owned(),
            Type::Float => "float".to_owned(),
            Type::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Type::Text => "string".to_owned(),
            Type::Date => "date".to_owned(),
            Type::Timestamp => "timestamp".to_owned(),
            Type::Time => time.to_owned(),
            Type::Label(id) => labels(*id),
            Type::List(item) => format!("list of {}", item.words(time, labels)),
        }
    }
}

/// A labelled type: scales, layers and `a | b` columns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LabelType {
    /// The declared name; for a type written in place, the column's, layer's or grid's name.
    pub name: String,
    /// Its labels; a label's code is its index.
    pub labels: Vec<String>,
    /// Whether `<` has a meaning: the order of the labels.
    pub ordered: bool,
}

/// One end of a domain.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bound {
    /// The end, of the column's type.
    pub value: Value,
    /// Whether the end itself is in.
    pub inclusive: bool,
}

/// What a column's values keep within.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Domain {
    /// Lower end.
    pub low: Option<Bound>,
    /// Upper end.
    pub high: Option<Bound>,
    /// Never later than `now` (a date: than `today`).
    pub past: bool,
}
