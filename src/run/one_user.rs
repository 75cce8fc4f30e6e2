//! All that rules look at of one user.

use super::behaviour::Files;
use super::{RunError, RunOptions};
use crate::data::facts::value_at;
use crate::data::read::{self, KeyMode, ReadOptions};
use crate::events::{KeyFinder, event_tables, needs_population};
use crate::interpret::{PopulationValues, UserRows};
use crate::program::{Column, Value};
use crate::semantics::{Dated, Facts};
use crate::vector::Wanted;
use std::sync::Arc;

/// The user's events in the tables that these declarations need, and the values of the population, which
/// take a pass over everybody where there are any. `columns` are the user's own.
///
/// # Errors
/// All that is wrong with the data.
pub fn one_user(
    dated: &Dated,
    wanted: &Wanted,
    facts: &Facts,
    options: &RunOptions,
    columns: Vec<Value>,
) -> Result<(UserRows, PopulationValues), RunError> {
    let mut user = UserRows { columns, events: vec![Vec::new(); dated.program.events.len()] };
    let Some(users) = &dated.program.users else { return Ok((user, PopulationValues::new())) };
    let read_options = ReadOptions {
        delimiter: options.delimiter,
        bad_values: options.bad_values,
        now: dated.now,
        keys: KeyMode::Foreign,
        ..ReadOptions::default()
    };
    let files = Files::bind(dated, wanted, users, options, &read_options)?;
    let key = user.columns.get(users.key).cloned().unwrap_or(Value::Missing);
    for number in event_tables(dated, wanted) {
        let Some(events) = dated.program.events.get(number) else { continue };
        let path = super::source(&events.table, options)?;
        let reader = read::open(&events.table, &dated.program, &path, &read_options)?;
        let key_column = events.table.columns.get(events.table.key);
        let finder = key_column.map(|column| KeyFinder::new(&key, &column.ty));
        for batch in reader {
            let batch = batch?;
            let keys = key_column.and_then(|column| batch.column_by_name(&column.name));
            let (Some(finder), Some(keys)) = (&finder, keys) else { continue };
            let row = |row: usize| -> Vec<Value> {
                let value = |column: &Column| {
                    batch.column_by_name(&column.name).map_or(Value::Missing, |values| value_at(values, row))
                };
                events.table.columns.iter().map(value).collect()
            };
            if let Some(rows) = user.events.get_mut(number) {
                rows.extend(finder.rows(keys).into_iter().map(row));
            }
        }
    }
    let population = match needs_population(dated, wanted) {
        true => files.context(dated, wanted, &Arc::new(facts.clone()), options, &mut |_, _| {})?,
        false => None,
    };
    Ok((user, population.map(|context| context.population).unwrap_or_default()))
}
