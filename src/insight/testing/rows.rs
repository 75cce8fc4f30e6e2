//! The made-up rows of a test as users.

use crate::interpret::UserRows;
use crate::program::{Bound, Column, Decimal, Domain, Program, Test, TestRow, Type, Value};
use crate::semantics::show::value_text;
use crate::semantics::{compare, numbers};
use std::cmp::Ordering;

/// The users of a test.
pub struct Rows {
    /// Their rows, with a stand-in for what was left out and is never missing.
    pub users: Vec<UserRows>,
    /// By user, by column: whether a stand-in is there.
    pub left_out: Vec<Vec<bool>>,
    /// By event table, by column: whether some row has a stand-in.
    pub events_left_out: Vec<Vec<bool>>,
    /// Columns that the first user was given.
    given: Vec<(usize, Value)>,
}

impl Rows {
    /// The rows of a test.
    pub fn new(program: &Program, test: &Test) -> Rows {
        let columns = program.users.as_ref().map(|users| users.columns.as_slice()).unwrap_or(&[]);
        let key = program.users.as_ref().map_or(0, |users| users.key);
        let mut users = Vec::new();
        let mut left_out = Vec::new();
        for (number, row) in (1_i64..).zip(&test.users) {
            let (mut values, missing) = filled(columns, row);
            if missing.get(key) == Some(&true)
                && let Some(place) = values.get_mut(key)
            {
                *place = numbered(place, number);
            }
            let events = vec![Vec::new(); program.events.len()];
            users.push(UserRows { columns: values, events });
            left_out.push(missing);
        }
        let mut rows = Rows { users, left_out, events_left_out: Vec::new(), given: Vec::new() };
        for (table, given) in test.events.iter().enumerate() {
            let missing = rows.events(program, table, given, key);
            rows.events_left_out.push(missing);
        }
        if let Some(first) = test.users.first() {
            let values = first.values.iter().enumerate();
            rows.given = values.filter_map(|(at, value)| Some((at, value.clone()?))).collect();
        }
        rows
    }

    /// Gives events to their users; those without a key are the first user's.
    fn events(&mut self, program: &Program, table: usize, given: &[TestRow], key: usize) -> Vec<bool> {
        let Some(events) = program.events.get(table) else { return Vec::new() };
        let columns = &events.table.columns;
        let mut left_out = vec![false; columns.len()];
        for row in given {
            let (mut values, missing) = filled(columns, row);
            let by = row.values.get(events.table.key).cloned().flatten();
            let user = match &by {
                None => 0,
                Some(by) => {
                    let same = |user: &UserRows| {
                        user.columns
                            .get(key)
                            .is_some_and(|own| compare::order(own, by) == Some(Ordering::Equal))
                    };
                    match self.users.iter().position(same) {
                        Some(user) => user,
                        // Nobody's events are nobody's.
                        None => continue,
                    }
                }
            };
            for (at, missing) in missing.iter().enumerate() {
                if *missing
                    && at != events.table.key
                    && let Some(place) = left_out.get_mut(at)
                {
                    *place = true;
                }
            }
            if let (None, Some(place), Some(own)) = (
                &by,
                values.get_mut(events.table.key),
                self.users.first().and_then(|user| user.columns.get(key)),
            ) {
                *place = own.clone();
            }
            if let Some(rows) = self.users.get_mut(user).and_then(|user| user.events.get_mut(table)) {
                rows.push(values);
            }
        }
        left_out
    }

    /// What the first user was given: column and value.
    pub fn shown(&self, program: &Program) -> Vec<(String, String)> {
        let zone = program.zone();
        let columns = program.users.as_ref().map(|users| users.columns.as_slice()).unwrap_or(&[]);
        let shown = self.given.iter().filter_map(|(at, value)| {
            let column = columns.get(*at)?;
            Some((column.name.clone(), value_text(program, &zone, &column.ty, value)))
        });
        shown.collect()
    }
}

/// A row's values, and where a stand-in is.
fn filled(columns: &[Column], row: &TestRow) -> (Vec<Value>, Vec<bool>) {
    let mut values = Vec::with_capacity(columns.len());
    let mut left_out = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let given = row.values.get(at).cloned().flatten();
        left_out.push(given.is_none() && !column.optional);
        values.push(match given {
            Some(value) => value,
            None if column.optional => Value::Missing,
            None => stand_in(column),
        });
    }
    (values, left_out)
}

/// A key like this with a number, so that users differ.
fn numbered(value: &Value, number: i64) -> Value {
    match value {
        Value::Int(_) => Value::Int(number),
        Value::Text(_) => Value::Text(number.to_string().into()),
        other => other.clone(),
    }
}

/// Some value that a column may have.
fn stand_in(column: &Column) -> Value {
    let plain = match &column.ty {
        Type::Bool => Value::Bool(false),
        Type::Int => Value::Int(0),
        Type::Float => Value::Float(0.0),
        Type::Decimal { scale, .. } => Value::Decimal(Decimal { unscaled: 0, scale: *scale }),
        Type::Text => Value::Text("".into()),
        Type::Date => Value::Date(0),
        Type::Timestamp => Value::Timestamp(0),
        Type::Time => Value::Time(0),
        Type::Label(_) => Value::Label(0),
        Type::List(_) => Value::List(std::sync::Arc::from([])),
    };
    let Some(Domain { low, high, .. }) = &column.domain else { return plain };
    let beyond = |end: &Bound, wrong: Ordering| match compare::order(&plain, &end.value) {
        Some(Ordering::Equal) => !end.inclusive,
        found => found == Some(wrong),
    };
    match (low, high) {
        (Some(end), _) if beyond(end, Ordering::Less) => past(end, 1),
        (_, Some(end)) if beyond(end, Ordering::Greater) => past(end, -1),
        _ => plain,
    }
}

/// The end itself, or the next value where it is out.
fn past(end: &Bound, step: i64) -> Value {
    if end.inclusive {
        return end.value.clone();
    }
    match &end.value {
        Value::Int(value) => Value::Int(value.saturating_add(step)),
        #[expect(clippy::cast_precision_loss, reason = "one or minus one")]
        Value::Float(value) => numbers::float(value + step as f64),
        Value::Decimal(value) => {
            Value::Decimal(Decimal { unscaled: value.unscaled.saturating_add(i128::from(step)), ..*value })
        }
        Value::Date(value) => Value::Date(value.saturating_add(i32::try_from(step).unwrap_or(0))),
        Value::Timestamp(value) => Value::Timestamp(value.saturating_add(step)),
        other => other.clone(),
    }
}
