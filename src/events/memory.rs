//! Tables that are in memory already.

use super::source::{Batches, EventError, EventOptions, RowTotals, Rows, Tables};
use super::{Context, compute};
use crate::diagnostic::Diagnostic;
use crate::program::{Program, Table, Value};
use crate::semantics::{Dated, Facts};
use crate::vector::{Assignment, Plan, VectorError, Wanted, array_of};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The tables of a program, in batches as [`crate::semantics::columnar`] describes them.
#[derive(Clone, Debug, Default)]
pub struct MemoryTables {
    /// The users.
    pub users: Vec<RecordBatch>,
    /// By event table: its rows.
    pub events: Vec<Vec<RecordBatch>>,
}

impl MemoryTables {
    /// Tables from the values of each column of each row, in batches of so many rows.
    ///
    /// # Errors
    /// None that values of the columns' types bring about.
    pub fn from_rows(
        program: &Program,
        users: &[Vec<Value>],
        events: &[Vec<Vec<Value>>],
        batch_rows: usize,
    ) -> Result<MemoryTables, ArrowError> {
        let batches = |table: &Table, rows: &[Vec<Value>]| {
            rows.chunks(batch_rows.max(1)).map(|rows| batch(table, rows)).collect::<Result<Vec<_>, _>>()
        };
        let of = |(number, events_of): (usize, &crate::program::EventTable)| {
            batches(&events_of.table, events.get(number).map_or(&[][..], Vec::as_slice))
        };
        Ok(MemoryTables {
            users: program
                .users
                .iter()
                .map(|table| batches(table, users))
                .collect::<Result<Vec<_>, _>>()?
                .concat(),
            events: program.events.iter().enumerate().map(of).collect::<Result<_, _>>()?,
        })
    }
}

/// Rows of a table as a batch.
fn batch(table: &Table, rows: &[Vec<Value>]) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (at, column) in table.columns.iter().enumerate() {
        let values: Vec<Value> =
            rows.iter().map(|row| row.get(at).cloned().unwrap_or(Value::Missing)).collect();
        let array = array_of(&values, &column.ty);
        fields.push(Field::new(&column.name, array.data_type().clone(), true));
        columns.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

impl Tables for MemoryTables {
    fn users(&self, _: &[usize]) -> Result<Arc<dyn Rows>, Vec<Diagnostic>> {
        Ok(Arc::new(MemoryRows { batches: self.users.clone(), next: AtomicUsize::new(0) }))
    }

    fn events(&self, table: usize, _: &[usize], _: Option<&Value>) -> Result<Arc<dyn Rows>, Vec<Diagnostic>> {
        let batches = self.events.get(table).cloned().unwrap_or_default();
        Ok(Arc::new(MemoryRows { batches, next: AtomicUsize::new(0) }))
    }
}

struct MemoryRows {
    batches: Vec<RecordBatch>,
    next: AtomicUsize,
}

impl Rows for MemoryRows {
    fn take(&self) -> Option<(usize, Batches)> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let batch = self.batches.get(place)?.clone();
        Some((place, Box::new(std::iter::once(batch))))
    }

    fn expected(&self) -> Option<u64> {
        Some(self.batches.iter().map(|batch| batch.num_rows() as u64).sum())
    }

    fn finish(&self) -> Result<RowTotals, Diagnostic> {
        Ok(RowTotals::default())
    }
}

/// Why rows in memory could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// What the engine found.
    #[error("{0:?}")]
    Events(EventError),
    /// What the evaluator found.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The rows are no table.
    #[error(transparent)]
    Rows(#[from] ArrowError),
}

/// Evaluates all declarations for users and events that are given as the values of each column of each
/// row; the users are the whole population. An assignment for each batch of so many users.
///
/// # Errors
/// What is wrong with the rows.
pub fn evaluate_rows(
    dated: &Dated,
    facts: &Facts,
    users: &[Vec<Value>],
    events: &[Vec<Vec<Value>>],
    batch_rows: usize,
    options: &EventOptions,
) -> Result<(Vec<Assignment>, Option<Context>), MemoryError> {
    let tables = MemoryTables::from_rows(&dated.program, users, events, batch_rows)?;
    let wanted = Wanted::all(&dated.program);
    let context = compute(dated, &wanted, &Arc::new(facts.clone()), &tables, options, &mut |_, _| {});
    let context = context.map_err(MemoryError::Events)?;
    let plan = Plan::new(context.as_ref().map_or(dated, |context| &context.dated), &wanted);
    let mut assignments = Vec::new();
    let mut first = 0;
    for batch in &tables.users {
        let rows = first..first + batch.num_rows();
        first = rows.end;
        let given = context.as_ref().map(|context| context.of_rows(&rows)).transpose();
        let given = given.map_err(|found| MemoryError::Events(found.into()))?.unwrap_or_default();
        assignments.push(plan.evaluate_with(batch, &given, facts)?);
    }
    Ok((assignments, context))
}
