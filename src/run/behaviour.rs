//! What a run needs of events and of the population, from the files.

use super::{BATCH_ROWS, RunError, RunOptions, source};
use crate::data::read::{self, ColumnRange, KeyMode, ReadOptions, TableParts};
use crate::diagnostic::Diagnostic;
use crate::events::{
    self, Batches, Context, EventError, EventOptions, RowTotals, Rows, Tables, event_tables,
};
use crate::program::{Program, Table, Value};
use crate::semantics::{Dated, Facts};
use crate::vector::Wanted;
use std::sync::Arc;

/// The files of a program.
pub struct Files {
    program: Program,
    users: Table,
    path: String,
    /// By event table, where one is needed.
    events: Vec<Option<String>>,
    options: ReadOptions,
}

impl Files {
    /// The files of what these declarations need. All of them are bound, so that whatever is wrong with
    /// their columns is said at once.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn bind(
        dated: &Dated,
        wanted: &Wanted,
        users: &Table,
        options: &RunOptions,
        read_options: &ReadOptions,
    ) -> Result<Files, Vec<Diagnostic>> {
        let mut files = Files {
            program: dated.program.without_rules(),
            users: users.clone(),
            path: source(users, options).map_err(|fault| vec![fault])?,
            events: vec![None; dated.program.events.len()],
            options: ReadOptions { ranges: Vec::new(), keys: KeyMode::Skip, ..read_options.clone() },
        };
        let mut faults = Vec::new();
        for number in event_tables(dated, wanted) {
            let Some(table) = dated.program.events.get(number).map(|events| &events.table) else { continue };
            match source(table, options) {
                Ok(path) => {
                    let options = ReadOptions { columns: None, ..files.options.clone() };
                    faults.extend(read::check_binding(table, &files.program, &path, &options));
                    if let Some(place) = files.events.get_mut(number) {
                        *place = Some(path);
                    }
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(files) } else { Err(faults) }
    }

    /// Whether events are joined to the users.
    pub fn joins(&self) -> bool {
        self.events.iter().any(Option::is_some)
    }

    /// Works out what the declarations need; none where that is nothing.
    ///
    /// # Errors
    /// What is wrong with the data, or that the run was stopped.
    pub fn context(
        &self,
        dated: &Dated,
        wanted: &Wanted,
        facts: &Arc<Facts>,
        options: &RunOptions,
        progress: &mut dyn FnMut(&str, u64),
    ) -> Result<Option<Context>, RunError> {
        let stop = options.stop.clone();
        let event_options = EventOptions {
            threads: options.threads,
            check_keys: options.check_keys,
            memory: options.memory,
            stop: Arc::new(move || stop.requested().is_some()),
            ..EventOptions::default()
        };
        events::compute(dated, wanted, facts, self, &event_options, progress).map_err(|error| match error {
            EventError::Found(found) => RunError::Found(found),
            EventError::Stopped => RunError::Stopped(options.stop.requested().unwrap_or(2)),
        })
    }
}

impl Tables for Files {
    fn users(&self, columns: &[usize]) -> Result<Arc<dyn Rows>, Vec<Diagnostic>> {
        let options = ReadOptions { columns: Some(columns.to_vec()), ..self.options.clone() };
        let parts = read::open_parts(&self.users, &self.program, &self.path, &options)?;
        Ok(Arc::new(FileRows { parts, all: None }))
    }

    fn events(
        &self,
        table: usize,
        columns: &[usize],
        earliest: Option<&Value>,
    ) -> Result<Arc<dyn Rows>, Vec<Diagnostic>> {
        let (Some(events), Some(Some(path))) = (self.program.events.get(table), self.events.get(table))
        else {
            return Err(Vec::new());
        };
        let range = earliest.map(|low| ColumnRange { column: events.at, low: Some(low.clone()), high: None });
        let options = ReadOptions {
            columns: Some(columns.to_vec()),
            batch_rows: BATCH_ROWS,
            keys: KeyMode::Foreign,
            ranges: range.into_iter().collect(),
            ..self.options.clone()
        };
        let parts = read::open_parts(&events.table, &self.program, path, &options)?;
        let all = parts.rows();
        Ok(Arc::new(FileRows { parts, all }))
    }
}

/// The rows of a table in files.
struct FileRows {
    parts: Arc<TableParts>,
    /// How many there are, where some may be left out.
    all: Option<u64>,
}

impl Rows for FileRows {
    fn take(&self) -> Option<(usize, Batches)> {
        let part = self.parts.take()?;
        Some((part.number(), Box::new(part)))
    }

    fn expected(&self) -> Option<u64> {
        self.parts.rows()
    }

    fn finish(&self) -> Result<RowTotals, Diagnostic> {
        let totals = self.parts.finish()?;
        let skipped = self.all.map_or(0, |all| all.saturating_sub(totals.rows));
        Ok(RowTotals { skipped, bad_values: totals.bad_values })
    }
}
