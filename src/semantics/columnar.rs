//! How checked values lie in Arrow columns. Readers bring any file into this layout, the
//! vectorised evaluator knows no other.
//!
//! | type | column |
//! | --- | --- |
//! | bool | Boolean |
//! | int | Int64 |
//! | float | Float64, never NaN, never -0 |
//! | decimal(p, s) | Decimal128(p, s) |
//! | string | Utf8, or Dictionary(Int32, Utf8) |
//! | date | Date32 |
//! | timestamp | Timestamp(Microsecond, "UTC") |
//! | time | Time64(Microsecond) |
//! | labels | UInt32: the label's code |
//! | list of T | List of T's column, without null items |
//!
//! A column that is only tested may also be a Dictionary(UInt16, …) of its column, whose values are
//! none of them null: each distinct value is then tested once.
//!
//! Null is missing. Columns bear the names that the rules use.

use crate::program::Type;
use arrow::datatypes::{DataType, Field, TimeUnit};
use std::sync::Arc;

/// The Arrow type of a checked column. For text the plain one; a dictionary is welcome too.
pub fn column_type(ty: &Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal { precision, scale } => {
            DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(i8::MAX))
        }
        Type::Text => DataType::Utf8,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::Time => DataType::Time64(TimeUnit::Microsecond),
        Type::Label(_) => DataType::UInt32,
        Type::List(item) => DataType::List(Arc::new(Field::new_list_field(column_type(item), true))),
    }
}
