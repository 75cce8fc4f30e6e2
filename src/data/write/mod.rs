//! Sinks: files that appear whole or not at all. A sink writes beside its place, and
//! [`Sink::finish`] brings the data to the disk and renames them into place in one step. A sink
//! that is dropped before leaves whatever stood there as it was.

mod ahead;
mod bitmaps;
mod columnar;
mod deltas;
mod dictionary;
mod formula;
mod lists;
mod pages;
mod partition;
mod row_groups;
mod target;
mod text;
mod texts;

pub use row_groups::{EncodedGroup, Encoder, Group, ROW_GROUP};

use crate::diagnostic::{Diagnostic, codes::data};
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use std::path::Path;
use std::sync::Arc;

/// A file, or a folder of files, in the making.
pub trait Sink: Send {
    /// Adds rows. The batch has the schema that the sink was opened with.
    ///
    /// # Errors
    /// E0642 if the data cannot be written.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic>;

    /// The maker of row groups, where these may be made apart from the sink and by several threads. A
    /// sink that got some through [`Sink::write_group`] gets all its rows so.
    fn encoder(&self) -> Option<Arc<Encoder>> {
        None
    }

    /// Adds a row group that the sink's own [`Sink::encoder`] made.
    ///
    /// # Errors
    /// E0642 if the data cannot be written.
    fn write_group(&mut self, group: EncodedGroup) -> Result<(), Diagnostic> {
        drop(group);
        Ok(())
    }

    /// Brings everything to the disk without showing it yet; nothing may be written after it.
    ///
    /// # Errors
    /// E0642 if the data cannot be written.
    fn close(&mut self) -> Result<(), Diagnostic>;

    /// Puts the file in its place, where it replaces an older one. Closes it before if need be.
    ///
    /// # Errors
    /// E0642 if it cannot be put there; then the older file stands untouched.
    fn finish(self: Box<Self>) -> Result<(), Diagnostic>;
}

/// How a file is written.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Kept in the file, by formats that have room for it (Parquet, Arrow).
    pub metadata: Vec<(String, String)>,
    /// Between the fields of a CSV file.
    pub delimiter: u8,
    /// The column whose values become folders (`name=value/`); the path is then a folder's.
    pub partition_by: Option<String>,
    /// Whether CSV cells keep what a spreadsheet would run as a formula.
    pub raw_csv: bool,
}

impl Default for SinkOptions {
    fn default() -> Self {
        SinkOptions { metadata: Vec::new(), delimiter: b',', partition_by: None, raw_csv: false }
    }
}

/// Squeezing of text files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// None.
    None,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstandard,
}

/// The kinds of file that can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `.parquet`
    Parquet,
    /// `.csv`, `.csv.gz`, `.csv.zst`
    Csv(Compression),
    /// `.jsonl`, `.ndjson`, likewise with `.gz` and `.zst`
    JsonLines(Compression),
    /// `.arrow`, `.feather`
    ArrowFile,
    /// `.arrows`
    ArrowStream,
}

impl Format {
    /// The format that a file's name asks for by its ending, whatever its case.
    pub fn of(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let (name, compression) = if let Some(name) = name.strip_suffix(".gz") {
            (name, Compression::Gzip)
        } else if let Some(name) = name.strip_suffix(".zst") {
            (name, Compression::Zstandard)
        } else {
            (name.as_str(), Compression::None)
        };
        let format = match (name.rsplit_once('.')?.1, compression) {
            ("csv", _) => Format::Csv(compression),
            ("jsonl" | "ndjson", _) => Format::JsonLines(compression),
            ("parquet", Compression::None) => Format::Parquet,
            ("arrow" | "feather", Compression::None) => Format::ArrowFile,
            ("arrows", Compression::None) => Format::ArrowStream,
            _ => return None,
        };
        Some(format)
    }
}

/// Opens a sink. Nothing is to be seen at `path` before [`Sink::finish`].
///
/// # Errors
/// E0641 for a name whose ending says no format, E0642 where nothing can be written, E0643 for a
/// folder of parts that cannot be made.
pub fn open(path: &Path, schema: &SchemaRef, options: &SinkOptions) -> Result<Box<dyn Sink>, Diagnostic> {
    target::local_only(path)?;
    if let Some(name) = &options.partition_by {
        return Ok(Box::new(partition::Partitions::open(path, schema, name, options)?));
    }
    let format = Format::of(path).ok_or_else(|| {
        Diagnostic::placeless(
            data::OUTPUT_FORMAT,
            format!("the name of `{}` does not say what kind of file to write", path.display()),
        )
        .help(
            "end it in `.parquet`, `.csv`, `.jsonl`, `.ndjson` (each text kind also with `.gz` or `.zst`), \
             `.arrow`, `.feather` or `.arrows`; for a folder of parts say `--partition-by NAME`",
        )
    })?;
    open_file(path, format, schema, options)
}

fn open_file(
    path: &Path,
    format: Format,
    schema: &SchemaRef,
    options: &SinkOptions,
) -> Result<Box<dyn Sink>, Diagnostic> {
    Ok(match format {
        Format::Parquet => Box::new(row_groups::Parquet::open(path, schema, options)?),
        Format::ArrowFile => Box::new(columnar::ArrowFile::open(path, schema, options)?),
        Format::ArrowStream => Box::new(columnar::ArrowStream::open(path, schema, options)?),
        Format::Csv(compression) => Box::new(text::Csv::open(path, compression, schema, options)?),
        Format::JsonLines(compression) => Box::new(text::JsonLines::open(path, compression, schema)?),
    })
}

/// The schema with the options' metadata in it.
fn with_metadata(schema: &Schema, options: &SinkOptions) -> SchemaRef {
    Arc::new(schema.clone().with_metadata(options.metadata.iter().cloned().collect()))
}

#[cfg(test)]
mod tests;
