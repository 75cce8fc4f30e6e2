//! Parquet files: only the wanted columns are decoded, row group by row group.

use super::files::DataFile;
use super::source::{Layout, Numbers, Raw, RawField, RawOptions, damaged, open};
use super::table::BoundTable;
use super::{BoundFile, Part, flat, prune, settled};
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The file's footer; with the page index where pages may be skipped.
fn footer(file: &DataFile, pages: bool) -> Result<ArrowReaderMetadata, Diagnostic> {
    let opened = open(file)?;
    if file.bytes < 12 {
        return Err(damaged(file, if file.bytes == 0 { "it is empty" } else { "it is no Parquet file" }));
    }
    let policy = if pages { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
    let options = ArrowReaderOptions::new().with_page_index_policy(policy);
    ArrowReaderMetadata::load(&opened, options).map_err(|error| fault(file, &error))
}

fn fault(file: &DataFile, error: &ParquetError) -> Diagnostic {
    let text = error.to_string();
    if text.contains("Corrupt footer") || text.contains("Invalid Parquet file") {
        return damaged(file, "its end is not that of a Parquet file; it was cut off or is something else");
    }
    let text = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
    damaged(file, text.trim_end_matches('.'))
}

pub(super) fn layout(file: &DataFile) -> Result<Layout, Diagnostic> {
    let footer = footer(file, false)?;
    let fields = footer
        .schema()
        .fields()
        .iter()
        .map(|field| RawField { name: field.name().clone(), ty: Some(field.data_type().clone()) })
        .collect();
    let rows = u64::try_from(footer.metadata().file_metadata().num_rows()).ok();
    let groups = footer.metadata().row_groups().iter();
    let groups = groups.map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).collect();
    let known = (0..footer.schema().fields().len()).filter(|field| all_known(&footer, *field)).collect();
    Ok(Layout { fields, rows, sampled: false, groups, known })
}

/// Whether the file says that no row is without that field.
fn all_known(footer: &ArrowReaderMetadata, field: usize) -> bool {
    let schema = footer.parquet_schema();
    let Some(leaf) = flat::only_leaf(schema, field) else { return false };
    let column = schema.column(leaf);
    let groups = footer.metadata().row_groups().iter();
    let mut missing = groups.map(|group| group.columns().get(leaf)?.statistics()?.null_count_opt());
    column.max_def_level() == 0 || missing.all(|missing| missing == Some(0))
}

/// The rows of a part of a file, without those that cannot matter.
pub(super) fn batches(
    bound: &BoundTable,
    of: &BoundFile,
    part: &Part,
    options: &RawOptions,
) -> Result<Raw, Diagnostic> {
    let BoundFile { file, binding, .. } = of;
    let pruning = !bound.options.ranges.is_empty();
    let pages = pruning || bound.options.plan.is_some();
    let footer = bound.footers.get(file, || footer(file, pages).map(with_dictionaries))?;
    let mut groups: Vec<usize> = part.groups.clone().collect();
    let mut numbers = Numbers::all(part.before);
    let mut selection = None;
    if pruning {
        let kept = prune::kept(bound, binding, &footer, &groups);
        selection = kept.selection();
        groups = kept.groups;
        numbers = Numbers::some(part.before, kept.rows);
    }
    let opened = open(file)?.by_chunks(footer.metadata());
    let rows = u64::try_from(footer.metadata().file_metadata().num_rows()).unwrap_or(0).max(1);
    let fits = |rows: &u64| usize::try_from(*rows).ok();
    let stretch = part.stretch.as_ref().and_then(|rows| Some(fits(&rows.start)?..fits(&rows.end)?));
    let opened = match &selection {
        Some(_) => Err(opened),
        None => {
            let coded = binding.coded(&bound.options.codes);
            let fields = (&binding.fields[..], &coded[..]);
            let settled = settled::all(bound, binding, &footer, &groups, &opened);
            flat::Rows::new(opened, &footer, fields, groups.clone(), options.batch_rows)
                .map(|rows| rows.with_settled(settled).within(stretch.clone()))
        }
    };
    let opened = match opened {
        Ok(reader) => {
            return Ok(Raw { rows: Rows::boxed(Box::new(reader), file, options, rows, part), numbers });
        }
        Err(opened) => opened,
    };
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, footer);
    let mask = ProjectionMask::roots(builder.parquet_schema(), binding.fields.iter().copied());
    let mut builder =
        builder.with_projection(mask).with_batch_size(options.batch_rows).with_row_groups(groups);
    if let Some(selection) = selection {
        builder = builder.with_row_selection(selection);
    }
    if let Some(stretch) = stretch {
        builder = builder.with_offset(stretch.start).with_limit(stretch.len());
    }
    let reader = builder.build().map_err(|error| fault(file, &error))?;
    Ok(Raw { rows: Rows::boxed(Box::new(reader), file, options, rows, part), numbers })
}

/// Asks for texts as dictionaries where the file has few distinct ones: each is then decoded, and
/// later tested, once.
fn with_dictionaries(metadata: ArrowReaderMetadata) -> ArrowReaderMetadata {
    let columns = metadata.parquet_schema();
    let few = |field: usize| {
        let Some(column) =
            (0..columns.num_columns()).find(|column| columns.get_column_root_idx(*column) == field)
        else {
            return false;
        };
        metadata.metadata().row_groups().iter().all(|group| {
            group.columns().get(column).is_some_and(|chunk| {
                chunk.dictionary_page_offset().is_some()
                    && chunk.uncompressed_size() <= chunk.num_values().saturating_mul(MOST_BYTES_A_KEY)
            })
        })
    };
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields: Vec<FieldRef> = metadata
        .schema()
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if few(at) => {
                Arc::new(field.as_ref().clone().with_data_type(dictionary.clone()))
            }
            _ => field.clone(),
        })
        .collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata.schema().metadata().clone()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    ArrowReaderMetadata::try_new(metadata.metadata().clone(), options).unwrap_or(metadata)
}

/// A column chunk larger than this by value is no list of keys into a small dictionary.
const MOST_BYTES_A_KEY: i64 = 3;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

struct Rows {
    file: DataFile,
    reader: Batches,
    options: RawOptions,
    /// Rows of the file.
    rows: u64,
    /// Rows before the part.
    before: u64,
    done: u64,
    counted: u64,
}

impl Rows {
    /// The batches of a part of a file that has so many rows in all.
    fn boxed(reader: Batches, file: &DataFile, options: &RawOptions, rows: u64, part: &Part) -> Box<Rows> {
        let (file, options) = (file.clone(), options.clone());
        Box::new(Rows { file, reader, options, rows, before: part.before, done: 0, counted: 0 })
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.reader.next()? {
            Ok(batch) => batch,
            Err(error) => {
                let why = format!("it cannot be decoded after row {}: {error}", self.before + self.done);
                return Some(Err(damaged(&self.file, why)));
            }
        };
        self.done += batch.num_rows() as u64;
        // Rows stand for the bytes: what the projection leaves out counts too.
        let bytes = u128::from(self.file.bytes) * u128::from(self.done) / u128::from(self.rows);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).min(self.file.bytes);
        self.options.progress.fetch_add(bytes.saturating_sub(self.counted), Ordering::Relaxed);
        self.counted = bytes;
        Some(Ok(batch))
    }
}
