//! Reading a declared table: any supported file, folder or pattern as a stream of canonical batches.
//! Memory holds a few batches, whatever the number of rows.

mod arrow_ipc;
mod blocks;
mod csv;
mod files;
mod flat;
mod json;
mod keys;
mod parquet;
mod parts;
mod prune;
mod reader;
mod scan;
mod settled;
mod source;
mod store;
mod stretches;
mod table;

pub use keys::KeyCheck;
pub use parts::{PartReader, ReadTotals, TableParts};
pub use prune::ColumnRange;
pub use reader::TableReader;
pub(super) use source::{Layout, RawField};
pub use store::is_url;

use super::bad_values::BadValueMode;
use super::bind::{self, Binding};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Program, Table};
use crate::vector::Plan;
use files::{DataFile, finding};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use table::BoundTable;

/// How a table is read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Indices of the columns that are wanted, the key always among them; all without it.
    pub columns: Option<Vec<usize>>,
    /// What separates the fields of a CSV file.
    pub delimiter: u8,
    /// What happens to a value that breaks its declaration.
    pub bad_values: BadValueMode,
    /// Rows of a batch, at most.
    pub batch_rows: usize,
    /// The moment of the run, in microseconds since 1970-01-01T00:00Z: what `past` is measured by.
    pub now: i64,
    /// Whether two rows may not have the same key.
    pub keys: KeyMode,
    /// How many threads may parse a text file; with one nothing is started.
    pub threads: usize,
    /// Rows that matter: those with a known value within each of these ranges. Others may be left out
    /// where the file's statistics show that none of many is within; they are then neither counted
    /// nor checked, so this is for callers to whom they make no difference.
    pub ranges: Vec<ColumnRange>,
    /// Indices of the columns that may come as codes, where a file has them so: as
    /// `Dictionary(UInt16, …)` of the column's type. For callers that look at distinct values only.
    pub codes: Vec<usize>,
    /// What the rows are for, if nothing else is done with them: columns are not read where the file's
    /// statistics show that nothing turns on them. Other values may then stand in their places.
    pub plan: Option<Arc<Plan>>,
}

/// Whether keys are checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyMode {
    /// Two rows may have the same key.
    Skip,
    /// The same, and nobody asks for the keys: they are read only to find a row without one, where the
    /// files themselves do not say that there is none.
    Unread,
    /// Keys of another table's rows: several may have the same, and some none.
    Foreign,
    /// A key that comes twice stops the reading; the check may hold so many bytes in memory.
    Check {
        /// Bytes.
        memory: usize,
    },
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            columns: None,
            delimiter: b',',
            bad_values: BadValueMode::Missing,
            batch_rows: 1 << 16,
            now: 0,
            keys: KeyMode::Skip,
            threads: 1,
            ranges: Vec::new(),
            codes: Vec::new(),
            plan: None,
        }
    }
}

/// Opens the table at `path` (a file, a folder or a pattern, relative to the working folder), binds
/// every declared column, and stops there with all that is wrong, before a row is read.
///
/// # Errors
/// What E0601 to E0605, E0610 and E0612 find.
pub fn open(
    table: &Table,
    program: &Program,
    path: &str,
    options: &ReadOptions,
) -> Result<TableReader, Vec<Diagnostic>> {
    let files = bound_files(table, program, path, options)?;
    Ok(TableReader::new(BoundTable::new(table, program, files, options)))
}

/// Opens the table as [`open`] does, for several threads to read.
///
/// # Errors
/// As [`open`].
pub fn open_parts(
    table: &Table,
    program: &Program,
    path: &str,
    options: &ReadOptions,
) -> Result<Arc<TableParts>, Vec<Diagnostic>> {
    let files = bound_files(table, program, path, options)?;
    Ok(Arc::new(TableParts::new(BoundTable::new(table, program, files, options))))
}

/// Binds the table's columns without reading rows: all that `open` would complain about.
pub fn check_binding(table: &Table, program: &Program, path: &str, options: &ReadOptions) -> Vec<Diagnostic> {
    bound_files(table, program, path, options).err().unwrap_or_default()
}

/// Where a table's data lie: what the command line says, else what its `from` says, relative to the
/// file that declares it.
///
/// # Errors
/// E0611 where neither says it.
pub fn path_of(table: &Table, given: Option<&str>) -> Result<String, Diagnostic> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let Some(source) = &table.source else {
        let message = format!("nothing says where the data of table `{}` are", table.name);
        let help =
            format!("write `from \"…\"` after the table's name, or give `--table {}=PATH`", table.name);
        return Err(Diagnostic::new(codes::NO_SOURCE, table.place, message).help(help));
    };
    Ok(beside(&source.folder, &source.path))
}

/// A path as seen from a folder; a URL is seen alike from everywhere.
pub(super) fn beside(folder: &str, path: &str) -> String {
    if is_url(path) {
        return path.to_owned();
    }
    Path::new(folder).join(path).to_string_lossy().into_owned()
}

/// One file with its binding.
#[derive(Clone, Debug)]
struct BoundFile {
    file: DataFile,
    binding: Binding,
    rows: Option<u64>,
    /// Rows by group, where the file has groups that can be read one without the other.
    groups: Vec<u64>,
}

/// A part of a table that can be read alone: a file, some row groups of one, or some rows of one row group.
#[derive(Clone, Debug)]
struct Part {
    /// Index in the table's files.
    file: usize,
    /// The row groups; meaningless in files without.
    groups: Range<usize>,
    /// The rows of the only row group, where they are not all.
    stretch: Option<Range<u64>>,
    /// Rows of the file before it.
    before: u64,
    /// Its rows, or what they are guessed to be.
    rows: u64,
}

/// A row of a file that does not say how many it has is taken to be so many bytes long.
const ROW_BYTES: u64 = 64;

/// A part of row groups has at least so many rows, if the file has them.
const PART_ROWS: u64 = 128 * 1024;

impl BoundFile {
    /// The parts of this file, which is number `file` of its table.
    fn parts(&self, file: usize) -> Vec<Part> {
        if self.groups.is_empty() {
            let rows = self.rows.unwrap_or(self.file.bytes / ROW_BYTES);
            return vec![Part { file, groups: 0..0, stretch: None, before: 0, rows }];
        }
        let mut parts = Vec::new();
        let mut part = Part { file, groups: 0..0, stretch: None, before: 0, rows: 0 };
        for (index, more) in self.groups.iter().enumerate() {
            part.rows += more;
            part.groups.end = index + 1;
            if part.rows >= PART_ROWS || part.groups.end == self.groups.len() {
                let before = part.before + part.rows;
                let next = Part { file, groups: index + 1..index + 1, stretch: None, before, rows: 0 };
                parts.push(std::mem::replace(&mut part, next));
            }
        }
        parts
    }
}

impl Part {
    /// The part in stretches of at most so many rows, where it is one row group. They begin where batches of
    /// `batch` rows begin, so that the batches stay what they are.
    fn cut(self, most: u64, batch: u64) -> Vec<Part> {
        let rows = most.max(1).next_multiple_of(batch.max(1));
        if self.groups.len() != 1 || self.stretch.is_some() || self.rows <= rows {
            return vec![self];
        }
        let starts = (0..self.rows.div_ceil(rows)).map(|number| number * rows);
        let stretches = starts.map(|start| start..self.rows.min(start + rows));
        let part = |stretch: Range<u64>| Part {
            before: self.before + stretch.start,
            rows: stretch.end - stretch.start,
            stretch: Some(stretch),
            groups: self.groups.clone(),
            ..self
        };
        stretches.map(part).collect()
    }
}

fn bound_files(
    table: &Table,
    program: &Program,
    path: &str,
    options: &ReadOptions,
) -> Result<Vec<BoundFile>, Vec<Diagnostic>> {
    let place = path_place(table, path);
    let wanted = wanted(table, options);
    let mut bound = Vec::new();
    let mut faults: Vec<Diagnostic> = Vec::new();
    let mut keys_known = options.keys == KeyMode::Unread;
    for file in files::resolve(path, place).map_err(|fault| vec![fault])? {
        let layout = match source::layout(&file, place, options.delimiter) {
            Ok(layout) => layout,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        match bind::bind(program, table, &file.shown, &layout, &file.partitions, &wanted) {
            Ok(binding) => {
                keys_known &= bind::all_known(table, table.key, &layout, &binding);
                bound.push(BoundFile { file, binding, rows: layout.rows, groups: layout.groups });
            }
            // What is wrong in one file of a folder is mostly wrong in the next: each column once.
            Err(found) => {
                for fault in found {
                    if !faults.iter().any(|known| known.code == fault.code && known.span == fault.span) {
                        faults.push(fault);
                    }
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let asked = options.columns.as_ref().is_none_or(|columns| columns.contains(&table.key));
    if keys_known && !asked {
        for file in &mut bound {
            file.binding = file.binding.without(table.key);
        }
    }
    Ok(bound)
}

/// That two rows of a table (from 1 over all files) have the same key.
pub(crate) fn twice(table: &Table, key: &str, first: u64, second: u64) -> Diagnostic {
    keys::KeyFault::Twice { key: key.to_owned(), first, second }.finding(table)
}

/// The place of the declaration's `from`, where that is where the path comes from.
fn path_place(table: &Table, path: &str) -> Option<Span> {
    let source = table.source.as_ref()?;
    (beside(&source.folder, &source.path) == path).then_some(source.place)
}

/// The wanted columns with the key, ascending.
fn wanted(table: &Table, options: &ReadOptions) -> Vec<usize> {
    let mut wanted = match &options.columns {
        Some(columns) => columns.clone(),
        None => (0..table.columns.len()).collect(),
    };
    wanted.push(table.key);
    wanted.retain(|column| *column < table.columns.len());
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// A column of a data file: its name and its type in the format's own words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileColumn {
    /// Its name in the file.
    pub name: String,
    /// Its Arrow type; none for text formats, which know no types.
    pub ty: Option<arrow::datatypes::DataType>,
}

/// The columns of the table at a path: those of its first file, then those of its folders.
///
/// # Errors
/// E0601, E0602, E0605, E0610.
pub fn describe(path: &str, delimiter: u8) -> Result<Vec<FileColumn>, Diagnostic> {
    let files = files::resolve(path, None)?;
    let Some(file) = files.first() else {
        return Err(finding(codes::NO_DATA, None, format!("no file fits `{path}`")));
    };
    let fields = source::layout(file, None, delimiter)?.fields;
    let folders = file.partitions.iter().map(|(name, _)| FileColumn { name: name.clone(), ty: None });
    Ok(fields.into_iter().map(|field| FileColumn { name: field.name, ty: field.ty }).chain(folders).collect())
}
