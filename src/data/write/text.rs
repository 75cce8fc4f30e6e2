//! CSV and JSON lines, plain or squeezed.

use super::formula;
use super::target::{Buffered, Target, Trouble, buffered, settle};
use super::{Compression, Sink, SinkOptions};
use crate::diagnostic::Diagnostic;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder};
use arrow::compute::cast;
use arrow::csv::{Writer as CsvWriter, WriterBuilder as CsvBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::writer::{LineDelimited, Writer as JsonWriter, WriterBuilder as JsonBuilder};
use flate2::write::GzEncoder;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// Bytes on their way into a file, squeezed or not.
enum Pipe {
    Plain(Buffered),
    Gzip(Box<GzEncoder<Buffered>>),
    Zstandard(zstd::Encoder<'static, Buffered>),
}

impl Pipe {
    fn open(path: &Path, compression: Compression) -> Result<(Pipe, Trouble), Diagnostic> {
        let (buffer, trouble) = buffered(path)?;
        let pipe = match compression {
            Compression::None => Pipe::Plain(buffer),
            Compression::Gzip => Pipe::Gzip(Box::new(GzEncoder::new(buffer, flate2::Compression::fast()))),
            Compression::Zstandard => Pipe::Zstandard(
                zstd::Encoder::new(buffer, zstd::DEFAULT_COMPRESSION_LEVEL)
                    .map_err(|error| trouble.finding(&error))?,
            ),
        };
        Ok((pipe, trouble))
    }

    /// Writes what the compressor still holds, and brings all to the disk.
    fn settle(self, trouble: &Trouble) -> Result<Target, Diagnostic> {
        let buffer = match self {
            Pipe::Plain(buffer) => Ok(buffer),
            Pipe::Gzip(encoder) => encoder.finish(),
            Pipe::Zstandard(encoder) => encoder.finish(),
        };
        settle(buffer.map_err(|error| trouble.finding(&error))?, trouble)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Pipe::Plain(writer) => writer.write(bytes),
            Pipe::Gzip(writer) => writer.write(bytes),
            Pipe::Zstandard(writer) => writer.write(bytes),
        }
    }

    // Writers above flush after each batch, which would squeeze worse for nothing.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A CSV file: a header line, missing values as empty fields, lists as JSON arrays.
pub struct Csv {
    writer: Option<CsvWriter<Pipe>>,
    closed: Option<Target>,
    trouble: Trouble,
    schema: SchemaRef,
    empty: bool,
    raw: bool,
}

impl Csv {
    pub fn open(
        path: &Path,
        compression: Compression,
        schema: &SchemaRef,
        options: &SinkOptions,
    ) -> Result<Self, Diagnostic> {
        let (pipe, trouble) = Pipe::open(path, compression)?;
        let writer = CsvBuilder::new().with_header(true).with_delimiter(options.delimiter).build(pipe);
        Ok(Csv {
            writer: Some(writer),
            closed: None,
            trouble,
            schema: schema.clone(),
            empty: true,
            raw: options.raw_csv,
        })
    }
}

impl Sink for Csv {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        self.empty = false;
        for_text(batch, true)
            .and_then(|batch| if self.raw { Ok(batch) } else { harmless(&batch) })
            .and_then(|batch| writer.write(&batch))
            .map_err(|error| self.trouble.finding(&error))
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        if self.empty && self.writer.is_some() {
            // The header comes with the first batch.
            self.write(&RecordBatch::new_empty(self.schema.clone()))?;
        }
        if let Some(writer) = self.writer.take() {
            self.closed = Some(writer.into_inner().settle(&self.trouble)?);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Diagnostic> {
        self.close()?;
        self.closed.take().map_or(Ok(()), Target::publish)
    }
}

/// A file of one JSON object a line; missing values are `null`.
pub struct JsonLines {
    writer: Option<JsonWriter<Pipe, LineDelimited>>,
    closed: Option<Target>,
    trouble: Trouble,
}

impl JsonLines {
    pub fn open(path: &Path, compression: Compression, _schema: &SchemaRef) -> Result<Self, Diagnostic> {
        let (pipe, trouble) = Pipe::open(path, compression)?;
        let writer = JsonBuilder::new().with_explicit_nulls(true).build(pipe);
        Ok(JsonLines { writer: Some(writer), closed: None, trouble })
    }
}

impl Sink for JsonLines {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        for_text(batch, false)
            .and_then(|batch| writer.write(&batch))
            .map_err(|error| self.trouble.finding(&error))
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        if let Some(mut writer) = self.writer.take() {
            writer.finish().map_err(|error| self.trouble.finding(&error))?;
            self.closed = Some(writer.into_inner().settle(&self.trouble)?);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Diagnostic> {
        self.close()?;
        self.closed.take().map_or(Ok(()), Target::publish)
    }
}

/// The batch with no cell, and no name of a column, that a spreadsheet would run.
fn harmless(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let named = batch.schema_ref().fields().iter().map(|field| {
        let name = formula::harmless(field.name()).into_owned();
        Field::new(name, field.data_type().clone(), field.is_nullable())
    });
    let schema = Schema::new(named.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), batch.columns().iter().map(formula::harmless_column).collect())
}

/// The batch as text writers can take it: timestamps with a zone that needs no table of zones, and
/// for CSV lists as JSON arrays.
fn for_text(batch: &RecordBatch, flat: bool) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let ty = with_plain_zone(field.data_type());
        let mut column = if ty == *field.data_type() { column.clone() } else { cast(column, &ty)? };
        if flat && matches!(ty, DataType::List(_)) {
            column = lists_as_text(&column)?;
        }
        fields.push(Field::new(field.name(), column.data_type().clone(), field.is_nullable()));
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn with_plain_zone(ty: &DataType) -> DataType {
    match ty {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::List(item) => {
            DataType::List(Arc::new(item.as_ref().clone().with_data_type(with_plain_zone(item.data_type()))))
        }
        other => other.clone(),
    }
}

fn lists_as_text(lists: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let mut out = StringBuilder::new();
    for list in lists.as_list::<i32>().iter() {
        match list {
            None => out.append_null(),
            Some(items) => {
                let field = Arc::new(Field::new("x", items.data_type().clone(), true));
                let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![items])?;
                out.append_value(json_array(&rows)?);
            }
        }
    }
    Ok(Arc::new(out.finish()))
}

/// One column as a JSON array of its values.
fn json_array(rows: &RecordBatch) -> Result<String, ArrowError> {
    let mut writer = JsonBuilder::new()
        .with_explicit_nulls(true)
        .with_struct_mode(arrow::json::StructMode::ListOnly)
        .build::<_, LineDelimited>(Vec::new());
    writer.write(rows)?;
    writer.finish()?;
    let lines = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    // Each line is an array of one.
    let items: Vec<&str> = lines.lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']')).collect();
    Ok(format!("[{}]", items.join(",")))
}
