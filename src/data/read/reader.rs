//! The rows of a table, file after file, as canonical batches.

use super::source::{RawBatches, RawOptions, batches};
use super::{BoundFile, KeyCheck, KeyMode, ReadOptions, wanted};
use crate::data::bad_values::{BadRows, BadValue, BadValueMode, BadValues, EXAMPLES};
use crate::data::bind::{self, Clock, Origin};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::data as codes;
use crate::program::{Program, Table};
use crate::semantics::columnar::column_type;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stream of canonical batches: the wanted columns in the order of their declaration, by their
/// names in the rules. A required column is nullable too: a bad value is null. After an error the
/// stream has ended.
#[derive(Debug)]
pub struct TableReader {
    table: Table,
    /// Only what binding needs: types and zone.
    program: Program,
    options: ReadOptions,
    files: Vec<BoundFile>,
    next_file: usize,
    current: Option<Current>,
    clock: Clock,
    columns: Vec<usize>,
    rows_read: u64,
    bytes_read: Arc<AtomicU64>,
    bad: Vec<BadValues>,
    keys: Option<KeyCheck>,
    ended: bool,
}

/// The file that is being read.
struct Current {
    file: usize,
    rows: RawBatches,
    /// A raw batch that is too long for one, and from which row on it is still to be done.
    rest: Option<RecordBatch>,
    /// Rows of this file that were given out.
    done: u64,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("file", &self.file).field("done", &self.done).finish_non_exhaustive()
    }
}

impl TableReader {
    pub(super) fn new(
        table: &Table,
        program: &Program,
        files: Vec<BoundFile>,
        options: &ReadOptions,
    ) -> TableReader {
        let types = Program {
            edition: program.edition,
            timezone: program.timezone.clone(),
            now: program.now,
            types: program.types.clone(),
            ..program_without_rules()
        };
        let keys = match options.keys {
            KeyMode::Skip => None,
            KeyMode::Check { memory } => Some(KeyCheck::new(memory)),
        };
        TableReader {
            columns: wanted(table, options),
            clock: Clock::new(&program.timezone, options.now),
            table: table.clone(),
            program: types,
            options: ReadOptions { batch_rows: options.batch_rows.max(1), ..options.clone() },
            files,
            next_file: 0,
            current: None,
            rows_read: 0,
            bytes_read: Arc::default(),
            bad: Vec::new(),
            keys,
            ended: false,
        }
    }

    /// Indices of the columns that a batch has, in its order.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The schema of its batches, but that texts may come as dictionaries.
    pub fn schema(&self) -> SchemaRef {
        let columns = self.columns.iter().filter_map(|column| self.table.columns.get(*column));
        let fields: Vec<Field> =
            columns.map(|column| Field::new(&column.name, column_type(&column.ty), true)).collect();
        Arc::new(Schema::new(fields))
    }

    /// Rows of all files, where each says its own without being read.
    pub fn rows(&self) -> Option<u64> {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Rows that were given out so far.
    pub fn rows_read(&self) -> u64 {
        self.rows_read
    }

    /// Size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.file.bytes).sum()
    }

    /// Bytes read so far; a counter that another thread may watch.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        self.bytes_read.clone()
    }

    /// How far the reading is, from 0 to 1.
    pub fn progress(&self) -> f64 {
        let (done, all) = (self.bytes_read.load(Ordering::Relaxed), self.bytes());
        if all == 0 {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share to be shown")]
        let share = done as f64 / all as f64;
        share.min(1.0)
    }

    /// The bad values found so far, by column in the order of the declaration.
    pub fn bad_values(&self) -> &[BadValues] {
        &self.bad
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, Diagnostic> {
        loop {
            let Some(current) = &mut self.current else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            let raw = match current.rest.take() {
                Some(rest) => rest,
                None => match current.rows.next().transpose()? {
                    Some(batch) => batch,
                    None => {
                        self.current = None;
                        continue;
                    }
                },
            };
            if raw.num_rows() == 0 {
                continue;
            }
            let most = self.options.batch_rows;
            let raw = if raw.num_rows() > most {
                current.rest = Some(raw.slice(most, raw.num_rows() - most));
                raw.slice(0, most)
            } else {
                raw
            };
            let (file, before) = (current.file, current.done);
            current.done += raw.num_rows() as u64;
            return self.convert(file, before, &raw).map(Some);
        }
    }

    fn open_next(&mut self) -> Result<bool, Diagnostic> {
        let Some(BoundFile { file, binding, .. }) = self.files.get(self.next_file) else { return Ok(false) };
        let options = RawOptions {
            delimiter: self.options.delimiter,
            batch_rows: self.options.batch_rows,
            progress: self.bytes_read.clone(),
        };
        let rows = batches(file, &binding.fields, &binding.names, &options)?;
        self.current = Some(Current { file: self.next_file, rows, rest: None, done: 0 });
        self.next_file += 1;
        Ok(true)
    }

    /// One raw batch in canonical columns. `before` rows of the file came before it.
    fn convert(&mut self, file: usize, before: u64, raw: &RecordBatch) -> Result<RecordBatch, Diagnostic> {
        let Some(BoundFile { file, binding, .. }) = self.files.get(file) else {
            return Ok(raw.clone());
        };
        let rows = raw.num_rows();
        let mut fields = Vec::with_capacity(binding.columns.len());
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(binding.columns.len());
        let mut faults: Vec<Fault> = Vec::new();
        for bound in &binding.columns {
            let Some(column) = self.table.columns.get(bound.column) else { continue };
            let values = match &bound.origin {
                Origin::Field(at) => raw.columns().get(*at).cloned(),
                Origin::Folder(value) => Some(bind::folder_column(value.as_deref(), rows)),
            };
            let values = values.unwrap_or_else(|| bind::folder_column(None, rows));
            let converted =
                bind::convert(&self.program, column, &values, &mut self.clock).map_err(|error| {
                    Diagnostic::placeless(
                        codes::DAMAGED_FILE,
                        format!(
                            "column `{}` of `{}` cannot be read after row {before}: {error}",
                            column.name, file.shown
                        ),
                    )
                })?;
            if converted.bad.count > 0 {
                faults.push(Fault { column: bound.column, bad: converted.bad, values });
            } else if bound.column == self.table.key && converted.array.logical_null_count() > 0 {
                let nulls = converted.array.logical_nulls();
                let row = (0..rows).find(|row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(*row)));
                let bad = BadRows { count: 1, first: row.into_iter().collect() };
                faults.push(Fault { column: bound.column, bad, values });
            }
            fields.push(Field::new(&column.name, converted.array.data_type().clone(), true));
            arrays.push(converted.array);
        }
        let place = Place { table: &self.table, file: &file.shown, before };
        if let Some(fault) = faults.iter().find(|fault| fault.column == self.table.key) {
            return Err(place.bad_key(fault));
        }
        if self.options.bad_values == BadValueMode::Error
            && let Some(fault) = faults.iter().min_by_key(|fault| fault.bad.first.first().copied())
        {
            return Err(place.stop(&self.program, fault));
        }
        for fault in &faults {
            place.count(fault, &mut self.bad);
        }
        self.rows_read += rows as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(|error| super::source::damaged(file, error))?;
        self.check_keys(batch)
    }

    fn check_keys(&mut self, batch: RecordBatch) -> Result<RecordBatch, Diagnostic> {
        let Some(mut check) = self.keys.take() else { return Ok(batch) };
        let position = self.columns.iter().position(|column| *column == self.table.key);
        let Some(key) = position.and_then(|position| batch.columns().get(position)) else { return Ok(batch) };
        match check.add(key) {
            Ok(true) => self.keys = Some(check),
            // The keys do not ascend: those that came before are needed after all.
            Ok(false) => {
                let again = ReadOptions {
                    columns: Some(Vec::new()),
                    keys: KeyMode::Skip,
                    bad_values: BadValueMode::Missing,
                    ..self.options.clone()
                };
                let mut keys = TableReader::new(&self.table, &self.program, self.files_of_key(), &again);
                let mut exact = check.exact();
                for batch in &mut keys {
                    if let Some(key) = batch?.columns().first() {
                        exact.add(key).map_err(|fault| fault.finding(&self.table))?;
                    }
                }
                exact.finish().map_err(|fault| fault.finding(&self.table))?;
            }
            Err(fault) => return Err(fault.finding(&self.table)),
        }
        Ok(batch)
    }

    /// The same files, bound to the key alone.
    fn files_of_key(&self) -> Vec<BoundFile> {
        self.files
            .iter()
            .map(|bound| {
                let BoundFile { file, binding, rows } = bound;
                BoundFile { file: file.clone(), binding: binding.only(self.table.key), rows: *rows }
            })
            .collect()
    }
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        if self.ended {
            self.current = None;
        }
        next
    }
}

fn program_without_rules() -> Program {
    Program {
        edition: 1,
        timezone: String::new(),
        now: None,
        types: Vec::new(),
        users: None,
        events: Vec::new(),
        lookups: Vec::new(),
        calendar: None,
        nodes: Vec::new(),
        declarations: Vec::new(),
    }
}

/// The bad rows of a column, with the values as the file has them.
struct Fault {
    column: usize,
    bad: BadRows,
    values: ArrayRef,
}

/// Where a batch stands.
struct Place<'a> {
    table: &'a Table,
    file: &'a str,
    before: u64,
}

impl Place<'_> {
    fn name(&self, fault: &Fault) -> &str {
        self.table.columns.get(fault.column).map_or("", |column| column.name.as_str())
    }

    fn examples(&self, fault: &Fault) -> Vec<BadValue> {
        fault
            .bad
            .first
            .iter()
            .map(|row| BadValue {
                value: shown(&fault.values, *row),
                row: self.before + *row as u64 + 1,
                file: self.file.to_owned(),
            })
            .collect()
    }

    fn bad_key(&self, fault: &Fault) -> Diagnostic {
        let (name, file) = (self.name(fault), self.file);
        let message = match self.examples(fault).into_iter().next() {
            Some(BadValue { value: Some(value), row, .. }) => {
                format!("row {row} of `{file}` has the key `{value}`, which is no value of `{name}`")
            }
            Some(BadValue { row, .. }) => format!("row {row} of `{file}` has no key (`{name}` is missing)"),
            None => format!("a row of `{file}` has no key (`{name}` is missing)"),
        };
        Diagnostic::placeless(codes::MISSING_KEY, message)
    }

    fn stop(&self, program: &Program, fault: &Fault) -> Diagnostic {
        let (name, file) = (self.name(fault), self.file);
        let declared = self.table.columns.get(fault.column);
        let ty = declared.map_or(String::new(), |column| bind::type_words(program, &column.ty));
        let message = match self.examples(fault).into_iter().next() {
            Some(BadValue { value: Some(value), row, .. }) => {
                format!("row {row} of `{file}`: `{value}` is no value that column `{name}` (`{ty}`) may have")
            }
            Some(BadValue { row, .. }) => {
                format!("row {row} of `{file}`: column `{name}` is missing, but is not declared `{ty}?`")
            }
            None => format!("column `{name}` of `{file}` has a value that breaks its declaration"),
        };
        let finding = Diagnostic::placeless(codes::BAD_VALUE, message);
        match declared {
            Some(column) => finding.label(column.place, "declared here"),
            None => finding,
        }
    }

    fn count(&self, fault: &Fault, all: &mut Vec<BadValues>) {
        let name = self.name(fault);
        let order = |column: &str| self.table.columns.iter().position(|known| known.name == column);
        let at = match all.iter().position(|bad| bad.column == name) {
            Some(at) => at,
            None => {
                let at = all.partition_point(|bad| order(&bad.column) < order(name));
                let (table, column) = (self.table.name.clone(), name.to_owned());
                all.insert(at, BadValues { table, column, count: 0, examples: Vec::new() });
                at
            }
        };
        if let Some(bad) = all.get_mut(at) {
            bad.count += fault.bad.count;
            let room = EXAMPLES.saturating_sub(bad.examples.len());
            bad.examples.extend(self.examples(fault).into_iter().take(room));
        }
    }
}

/// A value as the file has it; none where it is missing there.
fn shown(values: &ArrayRef, row: usize) -> Option<String> {
    if values.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        return None;
    }
    let formatter = ArrayFormatter::try_new(values.as_ref(), &FormatOptions::default()).ok()?;
    formatter.value(row).try_to_string().ok()
}
