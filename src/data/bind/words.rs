//! Types in the reader's words.

use crate::program::{Program, Type};
use arrow::datatypes::DataType;

/// A declared type as a rule file writes it.
pub(in crate::data) fn type_words(program: &Program, ty: &Type) -> String {
    ty.words("time", &|id| {
        program.label_type(id).map_or(String::new(), |ty| {
            let join = if ty.ordered { " < " } else { " | " };
            if ty.labels.len() > 6 { ty.name.clone() } else { ty.labels.join(join) }
        })
    })
}

/// A file's type for people.
pub(in crate::data) fn arrow_words(ty: &DataType) -> String {
    match ty {
        DataType::Null => "nothing but missing values".to_owned(),
        DataType::Boolean => "true and false".to_owned(),
        ty if ty.is_integer() => "whole numbers".to_owned(),
        ty if ty.is_floating() => "floating-point numbers".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            format!("decimals ({precision} digits, {scale} after the point)")
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Dictionary(_, value) => arrow_words(value),
        DataType::Date32 | DataType::Date64 => "dates".to_owned(),
        DataType::Timestamp(_, None) => "timestamps without a zone".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamps".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "times of day".to_owned(),
        DataType::Duration(_) | DataType::Interval(_) => "durations".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary data".to_owned()
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => format!("lists of {}", arrow_words(field.data_type())),
        DataType::Struct(_) => "records with fields of their own".to_owned(),
        DataType::Map(..) => "maps".to_owned(),
        _ => "values of a kind that no declared type reads".to_owned(),
    }
}

/// The type that such a column can be declared as.
pub(in crate::data) fn declare_as(ty: &DataType) -> Option<String> {
    Some(match ty {
        DataType::Boolean => "bool".to_owned(),
        ty if ty.is_integer() => "int".to_owned(),
        ty if ty.is_floating() => "float".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale)
            if *precision <= 38 && *scale >= 0 =>
        {
            format!("decimal({precision},{scale})")
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Dictionary(_, value) => return declare_as(value),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => match declare_as(field.data_type())? {
            item if item.starts_with("list") => return None,
            item => format!("list of {item}"),
        },
        _ => return None,
    })
}
