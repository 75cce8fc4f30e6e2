//! CSV: every field as text; what it means is for the binding to say.

use super::blocks::{self, Block, Parsed, Rows};
use super::files::{DataFile, finding};
use super::source::{Layout, RawBatches, RawField, RawOptions, damaged, open_text, why};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use arrow::array::{ArrayRef, BinaryBuilder, RecordBatch, RecordBatchOptions, StringArray};
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
        ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(1, |pos| pos.line());
            not_utf8(file, line)
        }
        ErrorKind::Io(error) => damaged(file, why(error)),
        _ => damaged(file, error),
    }
}

fn unequal(file: &DataFile, line: u64, fields: usize, headers: usize) -> Diagnostic {
    damaged(file, format!("line {line} has {fields} fields, but the header line has {headers}"))
        .help("a comma, quote or line break inside a field needs double quotes around the field")
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
    Ok(Layout { fields, rows: None, sampled: false, groups: Vec::new(), known: Vec::new() })
}

pub(super) fn batches(
    file: &DataFile,
    fields: &[usize],
    options: &RawOptions,
) -> Result<RawBatches, Diagnostic> {
    let headers = open(file, options.delimiter, Arc::default())?
        .byte_headers()
        .map_err(|error| fault(file, &error))?
        .len();
    let rows = CsvRows {
        file: file.clone(),
        delimiter: options.delimiter,
        headers,
        fields: fields.to_vec(),
        schema: text_schema(fields.len()),
        batch_rows: options.batch_rows,
    };
    let text = open_text(file, options.progress.clone())?;
    Ok(blocks::batches(file, Arc::new(rows), text, options.threads))
}

/// So many nullable text columns; the binding goes by position.
pub(super) fn text_schema(columns: usize) -> Arc<Schema> {
    let fields: Vec<Field> =
        (0..columns).map(|at| Field::new(at.to_string(), DataType::Utf8, true)).collect();
    Arc::new(Schema::new(fields))
}

/// A batch of finished text columns: all must be UTF-8, or else the row of the first that is not.
pub(super) fn text_batch(
    file: &DataFile,
    schema: &Arc<Schema>,
    builders: Vec<BinaryBuilder>,
    rows: usize,
) -> Result<RecordBatch, TextFault> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(builders.len());
    for mut builder in builders {
        let bytes = builder.finish();
        match StringArray::try_from_binary(bytes.clone()) {
            Ok(texts) => columns.push(Arc::new(texts)),
            Err(_) => {
                let wrong =
                    bytes.iter().position(|text| text.is_some_and(|text| std::str::from_utf8(text).is_err()));
                return Err(TextFault::NotUtf8(wrong.unwrap_or(0)));
            }
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|error| TextFault::Damaged(Box::new(damaged(file, error))))
}

/// Why texts make no batch.
pub(super) enum TextFault {
    /// The row, from 0, in which one is not UTF-8.
    NotUtf8(usize),
    Damaged(Box<Diagnostic>),
}

/// Empty columns for so many rows.
pub(super) fn builders(columns: usize, rows: usize) -> Vec<BinaryBuilder> {
    (0..columns).map(|_| BinaryBuilder::with_capacity(rows, rows * 8)).collect()
}

struct CsvRows {
    file: DataFile,
    delimiter: u8,
    /// How many fields the header line has.
    headers: usize,
    fields: Vec<usize>,
    schema: Arc<Schema>,
    batch_rows: usize,
}

impl CsvRows {
    /// Reads a block's rows into batches.
    fn read(&self, block: &Block, batches: &mut Vec<RecordBatch>) -> Result<(), Diagnostic> {
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(block.lines == 0)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(block.bytes.as_slice());
        let mut record = ByteRecord::new();
        let most = self.batch_rows.min(block.bytes.len() / self.headers.max(1) + 1);
        loop {
            let mut builders = builders(self.fields.len(), most);
            let mut lines: Vec<u64> = Vec::with_capacity(most);
            while lines.len() < self.batch_rows {
                if !reader.read_byte_record(&mut record).map_err(|error| fault(&self.file, &error))? {
                    break;
                }
                let line = block.lines + record.position().map_or(0, |position| position.line());
                if record.len() != self.headers {
                    return Err(unequal(&self.file, line, record.len(), self.headers));
                }
                lines.push(line);
                for (builder, field) in builders.iter_mut().zip(&self.fields) {
                    builder.append_option(record.get(*field).filter(|text| !text.is_empty()));
                }
            }
            if lines.is_empty() {
                return Ok(());
            }
            let batch = text_batch(&self.file, &self.schema, builders, lines.len());
            batches.push(batch.map_err(|fault| match fault {
                TextFault::NotUtf8(row) => not_utf8(&self.file, lines.get(row).copied().unwrap_or(0)),
                TextFault::Damaged(fault) => *fault,
            })?);
        }
    }
}

impl Rows for CsvRows {
    fn whole(&self, bytes: &[u8]) -> Option<usize> {
        whole_rows(bytes, self.delimiter)
    }

    fn endless(&self, lines: u64) -> Diagnostic {
        damaged(&self.file, format!("the row that begins at line {} is longer than 64 MiB", lines + 1))
            .help("a double quote that opens a field and is not closed takes all that follows into it")
    }

    fn failed(&self, _: u64, error: &std::io::Error) -> Diagnostic {
        damaged(&self.file, why(error))
    }

    fn parse(&self, block: &Block) -> Parsed {
        let mut batches = Vec::new();
        let problem = self.read(block, &mut batches).err();
        Parsed { batches, problem }
    }
}

/// Where the last row ends that ends within these bytes, which begin with a row. As the parser has it,
/// a double quote opens a field at its beginning only, and two of them in a row are one of its text.
fn whole_rows(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut end = None;
    let mut at = 0;
    while let Some(outside) = bytes.get(at..) {
        let opening = memchr::memchr_iter(b'"', outside)
            .map(|quote| at + quote)
            .find(|quote| begins_field(bytes, *quote, delimiter));
        let stop = opening.unwrap_or(bytes.len());
        if let Some(last) = bytes.get(at..stop).and_then(|rows| memchr::memrchr(b'\n', rows)) {
            end = Some(at + last + 1);
        }
        match opening.and_then(|quote| closing(bytes, quote + 1)) {
            Some(after) => at = after,
            None => break,
        }
    }
    end
}

fn begins_field(bytes: &[u8], at: usize, delimiter: u8) -> bool {
    match at.checked_sub(1).and_then(|before| bytes.get(before)) {
        None => true,
        Some(before) => *before == delimiter || matches!(before, b'\n' | b'\r'),
    }
}

/// The place after the quote that closes a field whose text begins here.
fn closing(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + memchr::memchr(b'"', bytes.get(at..)?)?;
        match bytes.get(quote + 1) {
            Some(b'"') => at = quote + 2,
            Some(_) => return Some(quote + 1),
            // The next byte is not here yet, so that it may be either.
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_outside_of_quotes_only() {
        for (text, whole) in [
            ("a,b\n1,2\n3", "a,b\n1,2\n"),
            ("a,b", ""),
            ("a\n\"x\ny\"\nz", "a\n\"x\ny\"\n"),
            ("a\n\"x\ny", "a\n"),
            ("a\n\"x\"\"\ny\"\n", "a\n\"x\"\"\ny\"\n"),
            ("a\n5\" pipe\nb\nc", "a\n5\" pipe\nb\n"),
            ("a\n\"x\"y\"\nb", "a\n\"x\"y\"\n"),
            ("a\n\"x\"", "a\n"),
            ("1,\"\n\",\"\n", ""),
        ] {
            let found = whole_rows(text.as_bytes(), b',').unwrap_or(0);
            assert_eq!(text.get(..found), Some(whole), "{text:?}");
        }
    }
}
