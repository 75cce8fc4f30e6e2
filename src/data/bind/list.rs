//! Lists of every layout: items change like columns do, missing ones are dropped, bad ones are
//! dropped and counted.

use super::cast::Cast;
use super::clock::Clock;
use crate::data::bad_values::BadRows;
use crate::program::{Program, Type};
use crate::semantics::columnar::column_type;
use arrow::array::BooleanArray;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringBuilder, UInt64Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast as arrow_cast, filter, take};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use serde_json::Value;
use std::sync::Arc;

/// Where the items of each row lie among all items.
struct Items {
    values: ArrayRef,
    /// Start and length by row; an absent list has none.
    rows: Vec<(usize, usize)>,
    present: Option<NullBuffer>,
}

fn items(raw: &ArrayRef) -> Result<Items, ArrowError> {
    let size = |size: i64| usize::try_from(size).unwrap_or(0);
    let (values, rows): (ArrayRef, Vec<(usize, usize)>) = match raw.data_type() {
        DataType::LargeList(_) => {
            let list = raw.as_list::<i64>();
            let bounds = list.offsets().iter().zip(list.offsets().iter().skip(1));
            (list.values().clone(), bounds.map(|(from, to)| (size(*from), size(to - from))).collect())
        }
        DataType::ListView(_) => {
            let list = raw.as_list_view::<i32>();
            let bounds = list.offsets().iter().zip(list.sizes().iter());
            (
                list.values().clone(),
                bounds.map(|(from, count)| (size((*from).into()), size((*count).into()))).collect(),
            )
        }
        DataType::LargeListView(_) => {
            let list = raw.as_list_view::<i64>();
            let bounds = list.offsets().iter().zip(list.sizes().iter());
            (list.values().clone(), bounds.map(|(from, count)| (size(*from), size(*count))).collect())
        }
        DataType::FixedSizeList(_, width) => {
            let list = raw.as_fixed_size_list();
            let width = size((*width).into());
            (list.values().clone(), (0..list.len()).map(|row| (row * width, width)).collect())
        }
        _ => {
            let plain = arrow_cast(raw, &as_list(raw.data_type()))?;
            let list = plain.as_list::<i32>();
            let bounds = list.offsets().iter().zip(list.offsets().iter().skip(1));
            (
                list.values().clone(),
                bounds.map(|(from, to)| (size((*from).into()), size((to - from).into()))).collect(),
            )
        }
    };
    Ok(Items { values, rows, present: raw.logical_nulls() })
}

/// The type itself where it is a list already.
fn as_list(ty: &DataType) -> DataType {
    match ty {
        DataType::List(_) => ty.clone(),
        other => DataType::List(Arc::new(Field::new_list_field(other.clone(), true))),
    }
}

/// Changes a column of lists.
pub(super) fn cast(
    program: &Program,
    item: &Type,
    format: Option<&str>,
    raw: &ArrayRef,
    clock: &mut Clock,
) -> Result<Cast, ArrowError> {
    let Items { values, rows, present } = items(raw)?;
    let mut picked = Vec::new();
    let mut owners = Vec::new();
    for (row, (start, count)) in rows.iter().enumerate() {
        if present.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            picked.extend((*start..start + count).map(|at| at as u64));
            owners.extend(std::iter::repeat_n(row, *count));
        }
    }
    let values = take(&values, &UInt64Array::from(picked), None)?;
    build(program, item, format, &values, &owners, present, raw.len(), clock)
}

/// Reads a column of JSON arrays.
pub(super) fn parse(
    program: &Program,
    item: &Type,
    format: Option<&str>,
    raw: &ArrayRef,
    clock: &mut Clock,
) -> Result<Cast, ArrowError> {
    let texts = arrow_cast(raw, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let mut items = StringBuilder::new();
    let mut owners = Vec::new();
    let mut readable = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let list = text.and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
        readable.push(list.is_some());
        for value in list.unwrap_or_default() {
            match value {
                Value::Null => continue,
                Value::String(text) => items.append_value(text),
                other => items.append_value(other.to_string()),
            }
            owners.push(row);
        }
    }
    let values: ArrayRef = Arc::new(items.finish());
    let readable = NullBuffer::from(readable);
    let mut built = build(program, item, format, &values, &owners, Some(readable), texts.len(), clock)?;
    built.present = texts.nulls().cloned();
    Ok(built)
}

/// Lists from items and the row that each belongs to (ascending).
#[expect(clippy::too_many_arguments, reason = "the parts of a list column and what its items need")]
fn build(
    program: &Program,
    item: &Type,
    format: Option<&str>,
    values: &ArrayRef,
    owners: &[usize],
    present: Option<NullBuffer>,
    rows: usize,
    clock: &mut Clock,
) -> Result<Cast, ArrowError> {
    let cast = super::cast::cast(program, item, format, values, clock)?;
    let mut array = cast.array;
    if let DataType::Dictionary(..) = array.data_type() {
        array = arrow_cast(&array, &DataType::Utf8)?;
    }
    let mut bad = BadRows::default();
    let kept: BooleanArray = match array.logical_nulls() {
        Some(nulls) => (0..array.len()).map(|at| Some(nulls.is_valid(at))).collect(),
        None => std::iter::repeat_n(Some(true), array.len()).collect(),
    };
    let mut lengths = vec![0usize; rows];
    let mut last_bad = None;
    for (at, (owner, kept)) in owners.iter().zip(kept.values()).enumerate() {
        if kept {
            if let Some(length) = lengths.get_mut(*owner) {
                *length += 1;
            }
        } else if cast.present.as_ref().is_none_or(|nulls| nulls.is_valid(at)) && last_bad != Some(*owner) {
            // One list is one value, however many of its items are bad.
            last_bad = Some(*owner);
            bad.push(*owner);
        }
    }
    let array = if kept.true_count() == kept.len() { array } else { filter(&array, &kept)? };
    let field = Arc::new(Field::new_list_field(column_type(item), true));
    let list = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), array, present.clone())?;
    Ok(Cast { array: Arc::new(list), present, bad })
}
