//! A table bound to its files: what every reader of a part of it shares, and the change of a raw
//! batch into a canonical one.

use super::source::{Footers, Numbers};
use super::{BoundFile, KeyMode, Part, ReadOptions, wanted};
use crate::data::bad_values::{BadRows, BadValue, BadValueMode, BadValues, EXAMPLES};
use crate::data::bind::{self, Clock, Dictionaries, Origin};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::data as codes;
use crate::program::{Program, Table};
use crate::semantics::columnar::column_type;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a reader remembers from one conversion to the next.
pub(super) struct Conversions {
    clock: Clock,
    dictionaries: Dictionaries,
}

/// What all readers of one table share.
#[derive(Debug)]
pub(super) struct BoundTable {
    pub table: Table,
    /// Only what binding needs: types and zone.
    pub program: Program,
    pub options: ReadOptions,
    pub files: Vec<BoundFile>,
    /// Indices of the columns that a batch has, in its order.
    pub columns: Vec<usize>,
    pub bytes_read: Arc<AtomicU64>,
    pub footers: Footers,
}

impl BoundTable {
    pub fn new(table: &Table, program: &Program, files: Vec<BoundFile>, options: &ReadOptions) -> Self {
        let types = Program {
            edition: program.edition,
            timezone: program.timezone.clone(),
            now: program.now,
            types: program.types.clone(),
            ..program_without_rules()
        };
        let columns =
            files.first().map(|file| file.binding.columns.iter().map(|bound| bound.column).collect());
        BoundTable {
            columns: columns.unwrap_or_else(|| wanted(table, options)),
            table: table.clone(),
            program: types,
            options: ReadOptions { batch_rows: options.batch_rows.max(1), ..options.clone() },
            files,
            bytes_read: Arc::default(),
            footers: Footers::default(),
        }
    }

    /// The same files, bound to the key alone; keys are not checked.
    pub fn key_alone(&self) -> BoundTable {
        let options = ReadOptions {
            columns: Some(Vec::new()),
            keys: KeyMode::Skip,
            bad_values: BadValueMode::Missing,
            ranges: Vec::new(),
            codes: Vec::new(),
            plan: None,
            ..self.options.clone()
        };
        let files = self.files.iter();
        let files = files.map(|bound| BoundFile {
            binding: bound.binding.only(self.table.key),
            file: bound.file.clone(),
            rows: bound.rows,
            groups: bound.groups.clone(),
        });
        BoundTable::new(&self.table, &self.program, files.collect(), &options)
    }

    /// The parts that can be read one without the other, in the order of the rows.
    pub fn parts(&self) -> Vec<Part> {
        self.files.iter().enumerate().flat_map(|(at, bound)| bound.parts(at)).collect()
    }

    /// How many threads parse the text of one part: several parts have a thread each.
    pub fn threads_of_a_part(&self) -> usize {
        if self.files.len() == 1 { self.options.threads } else { 1 }
    }

    /// What a reader needs for conversions.
    pub fn conversions(&self) -> Conversions {
        Conversions { clock: self.clock(), dictionaries: Dictionaries::default() }
    }

    /// A clock for conversions; each reader needs its own.
    pub fn clock(&self) -> Clock {
        Clock::new(&self.program.timezone, self.options.now)
    }

    /// The schema of batches, but that texts may come as dictionaries.
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

    /// Size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.file.bytes).sum()
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

    /// The key of a canonical batch.
    pub fn key<'a>(&self, batch: &'a RecordBatch) -> Option<&'a ArrayRef> {
        let position = self.columns.iter().position(|column| *column == self.table.key)?;
        batch.columns().get(position)
    }

    /// One raw batch in canonical columns, its bad values counted. `numbers` say which rows of the
    /// file its rows are, of which `before` were given out.
    pub fn convert(
        &self,
        file: usize,
        (numbers, before): (&Numbers, u64),
        raw: &RecordBatch,
        Conversions { clock, dictionaries }: &mut Conversions,
        counted: &mut Vec<BadValues>,
    ) -> Result<RecordBatch, Diagnostic> {
        let Some(BoundFile { file, binding, .. }) = self.files.get(file) else {
            return Ok(raw.clone());
        };
        let rows = raw.num_rows();
        let own_keys = self.options.keys != KeyMode::Foreign;
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
            let coded = match self.options.codes.contains(&bound.column) {
                true => {
                    let column = (bound.column, column);
                    bind::convert_codes(&self.program, column, &values, clock, dictionaries)
                }
                false => Ok(None),
            };
            let converted = match coded {
                Ok(None) => bind::convert(&self.program, column, &values, clock),
                Ok(Some(converted)) => Ok(converted),
                Err(error) => Err(error),
            };
            let converted = converted.map_err(|error| {
                let after = numbers.row(before).saturating_sub(1);
                Diagnostic::placeless(
                    codes::DAMAGED_FILE,
                    format!(
                        "column `{}` of `{}` cannot be read after row {after}: {error}",
                        column.name, file.shown
                    ),
                )
            })?;
            if converted.bad.count > 0 {
                faults.push(Fault { column: bound.column, bad: converted.bad, values });
            } else if own_keys && bound.column == self.table.key && converted.array.logical_null_count() > 0 {
                let nulls = converted.array.logical_nulls();
                let row = (0..rows).find(|row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(*row)));
                let bad = BadRows { count: 1, first: row.into_iter().collect() };
                faults.push(Fault { column: bound.column, bad, values });
            }
            fields.push(Field::new(&column.name, converted.array.data_type().clone(), true));
            arrays.push(converted.array);
        }
        let place = Place { table: &self.table, file: &file.shown, numbers, before };
        if let Some(fault) = faults.iter().find(|fault| own_keys && fault.column == self.table.key) {
            return Err(place.bad_key(fault));
        }
        if self.options.bad_values == BadValueMode::Error
            && let Some(fault) = faults.iter().min_by_key(|fault| fault.bad.first.first().copied())
        {
            return Err(place.stop(&self.program, fault));
        }
        for fault in &faults {
            place.count(fault, counted);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(|error| super::source::damaged(file, error))
    }

    /// Counts more bad values, of rows that come after those counted so far.
    pub fn count_bad(&self, all: &mut Vec<BadValues>, more: &BadValues) {
        merge(&self.table, all, &more.column, more.count, more.examples.clone());
    }
}

/// Adds bad values of a column; columns keep the order of the declaration.
fn merge(table: &Table, all: &mut Vec<BadValues>, name: &str, count: u64, examples: Vec<BadValue>) {
    let order = |column: &str| table.columns.iter().position(|known| known.name == column);
    let at = match all.iter().position(|bad| bad.column == name) {
        Some(at) => at,
        None => {
            let at = all.partition_point(|bad| order(&bad.column) < order(name));
            let (table, column) = (table.name.clone(), name.to_owned());
            all.insert(at, BadValues { table, column, count: 0, examples: Vec::new() });
            at
        }
    };
    if let Some(bad) = all.get_mut(at) {
        bad.count += count;
        let room = EXAMPLES.saturating_sub(bad.examples.len());
        bad.examples.extend(examples.into_iter().take(room));
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
        guards: Vec::new(),
        tests: Vec::new(),
        assertions: Vec::new(),
        undecided: crate::program::Undecided::default(),
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
    numbers: &'a Numbers,
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
                row: self.numbers.row(self.before + *row as u64),
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
        merge(self.table, all, self.name(fault), fault.bad.count, self.examples(fault));
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
