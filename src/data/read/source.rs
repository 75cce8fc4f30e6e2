//! One file, whatever its format: which columns it has, and its rows as they lie there.

use super::files::{DataFile, Format, Packing, finding};
use super::store::Opened;
use super::table::BoundTable;
use super::{BoundFile, Part, arrow_ipc, csv, json, parquet};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use ::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use std::cell::Cell;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

/// A column as a file has it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RawField {
    pub name: String,
    /// Its type; none where it is text that is read as whatever is declared.
    pub ty: Option<DataType>,
}

/// What is known of a file before its rows are read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Layout {
    pub fields: Vec<RawField>,
    /// Number of rows, where the file says so.
    pub rows: Option<u64>,
    /// Whether the fields are only those that the first rows have (JSON lines): another one is
    /// missing in these.
    pub sampled: bool,
    /// Rows of each group that can be read alone; none where the file has no such groups.
    pub groups: Vec<u64>,
    /// The fields that the file says no row is without.
    pub known: Vec<usize>,
}

/// Rows of a file: the wanted fields in the order of the file. Text columns of CSV and JSON are
/// Utf8, null where the field is empty.
pub(super) type RawBatches = Box<dyn Iterator<Item = Result<RecordBatch, Diagnostic>> + Send>;

/// Rows of a part, and which rows of the file they are.
pub(super) struct Raw {
    pub rows: RawBatches,
    pub numbers: Numbers,
}

impl From<RawBatches> for Raw {
    /// All rows of a file.
    fn from(rows: RawBatches) -> Raw {
        Raw { rows, numbers: Numbers::all(0) }
    }
}

/// Which rows of a file are read.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// How many come before the part.
    before: u64,
    /// The rows of the part that are read, ascending; none for all.
    kept: Option<Vec<Range<u64>>>,
}

impl Numbers {
    /// All rows after so many.
    pub fn all(before: u64) -> Numbers {
        Numbers { before, kept: None }
    }

    /// Some rows of a part, so many rows into the file.
    pub fn some(before: u64, kept: Vec<Range<u64>>) -> Numbers {
        Numbers { before, kept: Some(kept) }
    }

    /// The number in the file, from 1, of the row that comes after so many read ones.
    pub fn row(&self, read: u64) -> u64 {
        let Some(kept) = &self.kept else { return self.before + read + 1 };
        let mut rest = read;
        for range in kept {
            let rows = range.end - range.start;
            if rest < rows {
                return self.before + range.start + rest + 1;
            }
            rest -= rows;
        }
        self.before + kept.last().map_or(0, |last| last.end) + rest + 1
    }
}

/// The footer of the Parquet file that was opened last: parts follow each other, so it serves many.
#[derive(Debug, Default)]
pub(super) struct Footers {
    last: Mutex<Option<(String, ArrowReaderMetadata)>>,
}

impl Footers {
    /// The file's footer; `load` reads it.
    pub fn get(
        &self,
        file: &DataFile,
        load: impl FnOnce() -> Result<ArrowReaderMetadata, Diagnostic>,
    ) -> Result<ArrowReaderMetadata, Diagnostic> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, footer)) = &*last
            && *name == file.shown
        {
            return Ok(footer.clone());
        }
        let footer = load()?;
        *last = Some((file.shown.clone(), footer.clone()));
        Ok(footer)
    }
}

/// How rows are asked for.
#[derive(Clone, Debug)]
pub(super) struct RawOptions {
    pub delimiter: u8,
    pub batch_rows: usize,
    /// So many threads parse text.
    pub threads: usize,
    /// Bytes that were read so far, over all files.
    pub progress: Arc<AtomicU64>,
}

/// The columns of a file.
pub(super) fn layout(file: &DataFile, place: Option<Span>, delimiter: u8) -> Result<Layout, Diagnostic> {
    guarded(file, || match file.format {
        Format::Parquet => parquet::layout(file),
        Format::Csv => csv::layout(file, delimiter, place),
        Format::JsonLines => json::layout(file),
        Format::Arrow => arrow_ipc::layout(file),
    })
}

/// The rows of a part of a file.
pub(super) fn batches(
    bound: &BoundTable,
    of: &BoundFile,
    part: &Part,
    options: &RawOptions,
) -> Result<Raw, Diagnostic> {
    let BoundFile { file, binding, .. } = of;
    let fields = &binding.fields;
    let raw = guarded(file, || match file.format {
        Format::Parquet => parquet::batches(bound, of, part, options),
        Format::Csv => csv::batches(file, fields, options).map(Raw::from),
        Format::JsonLines => json::batches(file, &binding.names, options).map(Raw::from),
        Format::Arrow => arrow_ipc::batches(file, fields, options).map(Raw::from),
    })?;
    let rows = Box::new(Guarded { file: file.clone(), inner: Some(raw.rows) });
    Ok(Raw { rows, numbers: raw.numbers })
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// The decoders of file formats are libraries that were not written against hostile files: where
/// one of them panics, the file is damaged, and nothing is printed.
pub(super) fn guarded<T>(
    file: &DataFile,
    f: impl FnOnce() -> Result<T, Diagnostic>,
) -> Result<T, Diagnostic> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    GUARDED.set(outer);
    result.unwrap_or_else(|_| Err(damaged(file, "its content contradicts itself")))
}

struct Guarded {
    file: DataFile,
    inner: Option<RawBatches>,
}

impl Iterator for Guarded {
    type Item = Result<RecordBatch, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        let inner = self.inner.as_mut()?;
        let next = guarded(&self.file, || inner.next().transpose());
        if !matches!(next, Ok(Some(_))) {
            // Nothing sensible follows an error.
            self.inner = None;
        }
        next.transpose()
    }
}

/// A file that cannot be decoded.
pub(super) fn damaged(file: &DataFile, why: impl std::fmt::Display) -> Diagnostic {
    match file.location.failure() {
        Some(failure) => unreadable(file, failure),
        None => Diagnostic::placeless(codes::DAMAGED_FILE, format!("`{}` is damaged: {why}", file.shown)),
    }
}

fn unreadable(file: &DataFile, why: impl std::fmt::Display) -> Diagnostic {
    finding(codes::UNREADABLE, None, format!("cannot read `{}`: {why}", file.shown))
}

/// Opens a file.
pub(super) fn open(file: &DataFile) -> Result<Opened, Diagnostic> {
    file.location.open().map_err(|error| unreadable(file, error))
}

/// Opens a file where nearly all of it will be read in many small steps.
pub(super) fn open_near(file: &DataFile) -> Result<Opened, Diagnostic> {
    file.location.open_near().map_err(|error| unreadable(file, error))
}

/// A text file, unpacked, without a byte-order mark.
pub(super) fn open_text(
    file: &DataFile,
    progress: Arc<AtomicU64>,
) -> Result<BufReader<Box<dyn Read + Send>>, Diagnostic> {
    let counted = Counted { inner: open(file)?, progress };
    let plain: Box<dyn Read + Send> = match file.packing {
        Packing::None => Box::new(counted),
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(counted))),
        Packing::Zstd => {
            Box::new(zstd::Decoder::new(counted).map_err(|error| damaged(file, error.to_string()))?)
        }
    };
    let mut reader = BufReader::with_capacity(1 << 18, plain);
    skip_mark(&mut reader).map_err(|error| damaged(file, why(&error)))?;
    Ok(reader)
}

/// What an I/O error while reading says about the file.
pub(super) fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it breaks off before its end".to_owned(),
        _ => error.to_string(),
    }
}

fn skip_mark(reader: &mut impl std::io::BufRead) -> std::io::Result<()> {
    if reader.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        reader.consume("\u{feff}".len());
    }
    Ok(())
}

/// Counts bytes as they are read.
struct Counted {
    inner: Opened,
    progress: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
