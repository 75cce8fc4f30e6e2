//! The general road: any node by its scalar definition, a row at a time. Texts of a dictionary are
//! computed once per distinct text.

use super::bits::Bits;
use super::column::{Column, Data, Element, View};
use crate::program::{Node, Value};
use crate::semantics::{Environment, apply};
use arrow::array::{Array, ArrayRef};
use arrow::buffer::ScalarBuffer;
use std::sync::Arc;

/// Values per distinct text of a dictionary, kept while chunks of it follow each other.
#[derive(Debug)]
pub(super) struct Table {
    texts: ArrayRef,
    values: Column,
}

/// The node's value of one row.
pub(super) fn at(node: &Node, operands: &[&Column], row: usize, environment: &Environment) -> Value {
    let values: Vec<Value> = operands.iter().map(|column| column.value(row)).collect();
    apply(node, &values, environment)
}

/// The node's values, row by row.
pub(super) fn column(
    node: &Node,
    operands: &[&Column],
    rows: usize,
    worthwhile: usize,
    environment: &Environment,
    memo: &mut Option<Table>,
) -> Column {
    let mut varying = operands.iter().filter(|column| !matches!(column.data, Data::Constant(_)));
    match (varying.next(), varying.next()) {
        (None, _) => Column::constant(at(node, operands, 0, environment)),
        (Some(Column { data: Data::Dictionary(codes, texts), known }), None) if texts.len() <= worthwhile => {
            if memo.as_ref().is_none_or(|memo| !Arc::ptr_eq(&memo.texts, texts)) {
                *memo = Some(table(node, operands, texts, environment));
            }
            let missing = Column::constant(at(node, &vec![&MISSING; operands.len()], 0, environment));
            memo.as_ref().map_or(missing, |memo| gather(node, &memo.values, codes, known.as_ref(), rows))
        }
        _ => {
            let values: Vec<Value> = (0..rows).map(|row| at(node, operands, row, environment)).collect();
            Column::from_values(&values, &node.ty)
        }
    }
}

static MISSING: Column = Column { data: Data::Constant(Value::Missing), known: None };

/// The node's values for each text of the dictionary.
fn table(node: &Node, operands: &[&Column], texts: &ArrayRef, environment: &Environment) -> Table {
    let each = Column::from_array(texts.as_ref(), &crate::program::Type::Text);
    let each = each.unwrap_or_else(|| MISSING.clone());
    let operands: Vec<&Column> = operands
        .iter()
        .map(|column| if matches!(column.data, Data::Constant(_)) { *column } else { &each })
        .collect();
    let values: Vec<Value> = (0..texts.len()).map(|row| at(node, &operands, row, environment)).collect();
    let values = Column::from_values(&values, &node.ty);
    // Texts of texts stay a dictionary, so that tests of them are made per distinct text too.
    let values = match values.data {
        Data::Text(texts) => {
            let codes: Vec<i32> = (0..).take(texts.len()).collect();
            Column { data: Data::Dictionary(codes.into(), Arc::new(texts)), known: values.known }
        }
        data => Column { data, known: values.known },
    };
    Table { texts: texts.clone(), values }
}

/// A table's values by code. Functions of a missing text are missing.
fn gather(
    node: &Node,
    table: &Column,
    codes: &ScalarBuffer<i32>,
    known: Option<&Bits>,
    rows: usize,
) -> Column {
    let code = |row: usize| codes.get(row).and_then(|code| usize::try_from(*code).ok()).unwrap_or(usize::MAX);
    let gathered = Bits::from_fn(rows, |row| {
        known.is_none_or(|known| known.get(row)) && code(row) < codes_in(table) && table.is_known(code(row))
    });
    let data = match &table.data {
        Data::Dictionary(_, texts) => Some(Data::Dictionary(codes.clone(), texts.clone())),
        Data::Bool(bits) => Some(Data::Bool(Bits::from_fn(rows, |row| bits.get(code(row))))),
        _ => pick::<i64>(node, table, rows, code)
            .or_else(|| pick::<f64>(node, table, rows, code))
            .or_else(|| pick::<i128>(node, table, rows, code))
            .or_else(|| pick::<i32>(node, table, rows, code))
            .or_else(|| pick::<u32>(node, table, rows, code)),
    };
    match data {
        Some(data) => Column { data, known: Some(gathered) },
        None => {
            let value = |row: usize| if gathered.get(row) { table.value(code(row)) } else { Value::Missing };
            Column::from_values(&(0..rows).map(value).collect::<Vec<_>>(), &node.ty)
        }
    }
}

/// How many values a table has.
fn codes_in(table: &Column) -> usize {
    match &table.data {
        Data::Constant(_) => usize::MAX,
        Data::Bool(bits) => bits.len(),
        Data::Int(values) | Data::Timestamp(values) | Data::Time(values) => values.len(),
        Data::Float(values) => values.len(),
        Data::Decimal(values, _) => values.len(),
        Data::Text(texts) => texts.len(),
        Data::Dictionary(codes, _) => codes.len(),
        Data::Coded(codes, ..) => codes.len(),
        Data::Date(values) => values.len(),
        Data::Label(values) => values.len(),
        Data::List(lists, _) => lists.len(),
    }
}

fn pick<T: Element>(node: &Node, table: &Column, rows: usize, code: impl Fn(usize) -> usize) -> Option<Data> {
    let view = View::<T>::of(table)?;
    T::wrap((0..rows).map(|row| view.get(code(row))).collect(), &node.ty)
}
