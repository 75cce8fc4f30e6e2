//! Lookups and the calendar: small tables that are read whole before anything is evaluated.

use super::bad_values::BadValues;
use super::read::{self, KeyMode, ReadOptions, beside};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Column, Decimal, Program, Source, Table, Type, Value};
use crate::semantics::{Facts, LookupFacts};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType, UInt32Type,
};
use hashbrown::HashMap;
use indexmap::IndexMap;

/// Facts, and what was wrong with single values of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// Lookups and calendar.
    pub facts: Facts,
    /// Bad values by table and column.
    pub bad_values: Vec<BadValues>,
}

/// Reads all lookups of a program and its calendar. `overrides` are the command line's: table name
/// to path, relative to the working folder; the other paths start from the declaring file's folder.
/// Of `options` the wanted columns and the key check do not matter.
///
/// # Errors
/// All that `read::open` finds, a missing key, and two rows with one key (E0608).
pub fn load(
    program: &Program,
    overrides: &IndexMap<String, String>,
    options: &ReadOptions,
) -> Result<Loaded, Vec<Diagnostic>> {
    let options = ReadOptions { columns: None, keys: KeyMode::Skip, ranges: Vec::new(), ..options.clone() };
    let mut loaded = Loaded::default();
    let mut faults = Vec::new();
    for table in &program.lookups {
        match lookup(program, table, overrides, &options, &mut loaded.bad_values) {
            Ok(facts) => loaded.facts.lookups.push(facts),
            Err(found) => faults.extend(found),
        }
    }
    if let Some(source) = &program.calendar {
        match calendar(program, source, &options, &mut loaded.bad_values) {
            Ok(days) => loaded.facts.calendar = days,
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(loaded) } else { Err(faults) }
}

fn lookup(
    program: &Program,
    table: &Table,
    overrides: &IndexMap<String, String>,
    options: &ReadOptions,
    bad: &mut Vec<BadValues>,
) -> Result<LookupFacts, Vec<Diagnostic>> {
    let path =
        read::path_of(table, overrides.get(&table.name).map(String::as_str)).map_err(|fault| vec![fault])?;
    let mut facts = LookupFacts::default();
    rows(program, table, &path, options, bad, |row, number| {
        let key = row.get(table.key).cloned().unwrap_or(Value::Missing);
        let shown = shown(program, table, &key);
        match facts.rows.insert(key, row) {
            None => Ok(()),
            Some(_) => Err(twice(table.place, &table.name, &path, number, &shown)),
        }
    })?;
    Ok(facts)
}

fn twice(place: Span, table: &str, path: &str, row: u64, key: &str) -> Diagnostic {
    let message = format!("`{table}` has two rows for `{key}`: row {row} of `{path}` repeats an earlier one");
    Diagnostic::new(codes::DUPLICATE_LOOKUP_KEY, place, message)
}

fn calendar(
    program: &Program,
    source: &Source,
    options: &ReadOptions,
    bad: &mut Vec<BadValues>,
) -> Result<HashMap<i32, bool>, Vec<Diagnostic>> {
    let table = calendar_table(source);
    let path = beside(&source.folder, &source.path);
    let mut days = HashMap::new();
    rows(program, &table, &path, options, bad, |row, number| {
        if let [Value::Date(day), workday] = row.as_slice() {
            let shown = shown(program, &table, &Value::Date(*day));
            // A day whose bad value was reported goes by its weekday.
            if let Value::Bool(workday) = workday
                && days.insert(*day, *workday).is_some()
            {
                return Err(twice(source.place, "calendar", &path, number, &shown));
            }
        }
        Ok(())
    })?;
    Ok(days)
}

/// The calendar's file as a table with the columns `date, workday`.
pub fn calendar_table(source: &Source) -> Table {
    let column = |name: &str, ty: Type| Column {
        name: name.to_owned(),
        source_name: name.to_owned(),
        ty,
        optional: false,
        domain: None,
        format: None,
        docs: None,
        place: source.place,
    };
    Table {
        name: "calendar".to_owned(),
        key: 0,
        source: Some(source.clone()),
        columns: vec![column("date", Type::Date), column("workday", Type::Bool)],
        place: source.place,
    }
}

/// Gives each row of a table, and its number from 1, to `f`.
fn rows(
    program: &Program,
    table: &Table,
    path: &str,
    options: &ReadOptions,
    bad: &mut Vec<BadValues>,
    mut f: impl FnMut(Vec<Value>, u64) -> Result<(), Diagnostic>,
) -> Result<(), Vec<Diagnostic>> {
    let mut reader = read::open(table, program, path, options)?;
    let mut number = 0;
    for batch in &mut reader {
        let batch = batch.map_err(|fault| vec![fault])?;
        for row in 0..batch.num_rows() {
            number += 1;
            let values = batch.columns().iter().map(|column| value_at(column, row)).collect();
            f(values, number).map_err(|fault| vec![fault])?;
        }
    }
    bad.extend(reader.bad_values().iter().cloned());
    Ok(())
}

/// A key of that table as people write it.
pub(crate) fn shown(program: &Program, table: &Table, value: &Value) -> String {
    match value {
        Value::Int(value) => value.to_string(),
        Value::Text(text) => text.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Label(code) => match table.columns.get(table.key).map(|column| &column.ty) {
            Some(Type::Label(ty)) => program.label(*ty, *code).to_owned(),
            _ => String::new(),
        },
        Value::Date(day) => jiff::civil::Date::new(1970, 1, 1)
            .ok()
            .and_then(|epoch| epoch.checked_add(jiff::Span::new().try_days(*day).ok()?).ok())
            .map_or(String::new(), |date| date.to_string()),
        Value::Timestamp(micros) => {
            jiff::Timestamp::from_microsecond(*micros).map_or(String::new(), |moment| moment.to_string())
        }
        Value::Float(value) => value.to_string(),
        Value::Decimal(value) => arrow::datatypes::format_decimal_str(
            &value.unscaled.to_string(),
            38,
            i8::try_from(value.scale).unwrap_or(0),
        ),
        Value::Time(_) | Value::List(_) | Value::Missing => String::new(),
    }
}

/// One value of a canonical column; missing past its end.
pub fn value_at(column: &ArrayRef, row: usize) -> Value {
    if row >= column.len() || column.is_null(row) {
        return Value::Missing;
    }
    match column.data_type() {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Int64 => Value::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => Value::Decimal(Decimal {
            unscaled: column.as_primitive::<Decimal128Type>().value(row),
            scale: u8::try_from(*scale).unwrap_or(0),
        }),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).into()),
        DataType::Dictionary(..) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            let at = usize::try_from(dictionary.keys().value(row)).unwrap_or(usize::MAX);
            value_at(dictionary.values(), at)
        }
        DataType::Date32 => Value::Date(column.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(..) => {
            Value::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Time64(_) => Value::Time(column.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::UInt32 => Value::Label(column.as_primitive::<UInt32Type>().value(row)),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            Value::List((0..items.len()).map(|at| value_at(&items, at)).collect())
        }
        _ => Value::Missing,
    }
}
