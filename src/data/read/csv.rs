//! CSV: every field as text; what it means is for the binding to say.

use super::files::{DataFile, finding};
use super::source::{Layout, RawBatches, RawField, RawOptions, damaged, open_text, why};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

type TextReader = Reader<BufReader<Box<dyn Read + Send>>>;

fn open(file: &DataFile, delimiter: u8, progress: Arc<AtomicU64>) -> Result<TextReader, Diagnostic> {
    let text = open_text(file, progress)?;
    Ok(ReaderBuilder::new().delimiter(delimiter).has_headers(true).from_reader(text))
}

fn fault(file: &DataFile, error: &::csv::Error) -> Diagnostic {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, |pos| pos.line());
            damaged(file, format!("line {line} has {len} fields, but the header line has {expected_len}"))
                .help("a comma, quote or line break inside a field needs double quotes around the field")
        }
        ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(1, |pos| pos.line());
            not_utf8(file, line)
        }
        ErrorKind::Io(error) => damaged(file, why(error)),
        _ => damaged(file, error),
    }
}

fn not_utf8(file: &DataFile, line: u64) -> Diagnostic {
    damaged(file, format!("line {line} is not UTF-8 text")).help("save or export the file as UTF-8")
}

pub(super) fn layout(file: &DataFile, delimiter: u8, place: Option<Span>) -> Result<Layout, Diagnostic> {
    let mut reader = open(file, delimiter, Arc::default())?;
    let headers = reader.headers().map_err(|error| fault(file, &error))?;
    if headers.is_empty() {
        return Err(finding(
            codes::NO_DATA,
            place,
            format!("`{}` is empty: not even a header line is there", file.shown),
        ));
    }
    let fields = headers.iter().map(|name| RawField { name: name.trim().to_owned(), ty: None }).collect();
    Ok(Layout { fields, rows: None, sampled: false, groups: Vec::new() })
}

pub(super) fn batches(
    file: &DataFile,
    fields: &[usize],
    options: &RawOptions,
) -> Result<RawBatches, Diagnostic> {
    let mut reader = open(file, options.delimiter, options.progress.clone())?;
    reader.byte_headers().map_err(|error| fault(file, &error))?;
    let schema = text_schema(fields.len());
    Ok(Box::new(Rows {
        file: file.clone(),
        reader,
        fields: fields.to_vec(),
        schema,
        record: ByteRecord::new(),
        batch_rows: options.batch_rows,
    }))
}

/// So many nullable text columns; the binding goes by position.
pub(super) fn text_schema(columns: usize) -> Arc<Schema> {
    let fields: Vec<Field> =
        (0..columns).map(|at| Field::new(at.to_string(), DataType::Utf8, true)).collect();
    Arc::new(Schema::new(fields))
}

/// A batch of finished text columns.
pub(super) fn text_batch(
    file: &DataFile,
    schema: &Arc<Schema>,
    builders: Vec<StringBuilder>,
    rows: usize,
) -> Result<RecordBatch, Diagnostic> {
    let columns = builders.into_iter().map(|mut builder| Arc::new(builder.finish()) as ArrayRef).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(|error| damaged(file, error))
}

/// A batch is closed early where its texts grow past this, so that memory stays bounded.
pub(super) const MOST_BATCH_BYTES: usize = 256 << 20;

struct Rows {
    file: DataFile,
    reader: TextReader,
    fields: Vec<usize>,
    schema: Arc<Schema>,
    record: ByteRecord,
    batch_rows: usize,
}

impl Rows {
    fn batch(&mut self) -> Result<Option<RecordBatch>, Diagnostic> {
        let mut builders: Vec<StringBuilder> = self
            .fields
            .iter()
            .map(|_| StringBuilder::with_capacity(self.batch_rows, self.batch_rows * 8))
            .collect();
        let (mut rows, mut bytes) = (0, 0usize);
        while rows < self.batch_rows && bytes < MOST_BATCH_BYTES {
            if !self.reader.read_byte_record(&mut self.record).map_err(|error| fault(&self.file, &error))? {
                break;
            }
            for (builder, field) in builders.iter_mut().zip(&self.fields) {
                match self.record.get(*field) {
                    None | Some(b"") => builder.append_null(),
                    Some(value) => {
                        bytes += value.len();
                        let Ok(value) = std::str::from_utf8(value) else {
                            let line = self.record.position().map_or(0, |position| position.line());
                            return Err(not_utf8(&self.file, line));
                        };
                        builder.append_value(value);
                    }
                }
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        text_batch(&self.file, &self.schema, builders, rows).map(Some)
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}
