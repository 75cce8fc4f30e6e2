//! Arrow IPC: the file form (`.arrow`, Feather version 2) and the stream form, told apart by the
//! first bytes.

use super::files::DataFile;
use super::source::{Layout, RawBatches, RawField, RawOptions, damaged, open, why};
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::sync::atomic::Ordering;

enum Reader {
    File(FileReader<BufReader<File>>),
    Stream(StreamReader<BufReader<File>>),
}

impl Reader {
    fn open(file: &DataFile, projection: Option<Vec<usize>>) -> Result<Reader, Diagnostic> {
        let mut opened = open(file)?;
        let mut magic = [0; 6];
        opened.read_exact(&mut magic).and_then(|()| opened.rewind()).map_err(|error| {
            damaged(file, if file.bytes == 0 { "it is empty".into() } else { why(&error) })
        })?;
        if magic.starts_with(b"FEA1") {
            return Err(damaged(file, "it is Feather version 1, which is not read; write version 2"));
        }
        let buffered = BufReader::with_capacity(1 << 18, opened);
        let reader = if &magic == b"ARROW1" {
            FileReader::try_new(buffered, projection).map(Reader::File)
        } else {
            StreamReader::try_new(buffered, projection).map(Reader::Stream)
        };
        reader.map_err(|error| damaged(file, words(&error)))
    }

    fn schema(&self) -> std::sync::Arc<Schema> {
        match self {
            Reader::File(reader) => reader.schema(),
            Reader::Stream(reader) => reader.schema(),
        }
    }

    fn next(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        match self {
            Reader::File(reader) => reader.next(),
            Reader::Stream(reader) => reader.next(),
        }
    }

    fn position(&mut self) -> u64 {
        let inner = match self {
            Reader::File(reader) => reader.get_mut(),
            Reader::Stream(reader) => reader.get_mut(),
        };
        inner.stream_position().unwrap_or(0)
    }
}

fn words(error: &ArrowError) -> String {
    match error {
        ArrowError::IoError(_, error) => why(error),
        other => {
            let text = other.to_string();
            text.split_once(": ").map_or(text.clone(), |(_, rest)| rest.trim_end_matches('.').to_owned())
        }
    }
}

pub(super) fn layout(file: &DataFile) -> Result<Layout, Diagnostic> {
    let schema = Reader::open(file, None)?.schema();
    let fields = schema
        .fields()
        .iter()
        .map(|field| RawField { name: field.name().clone(), ty: Some(field.data_type().clone()) })
        .collect();
    Ok(Layout { fields, rows: None, sampled: false })
}

pub(super) fn batches(
    file: &DataFile,
    fields: &[usize],
    options: &RawOptions,
) -> Result<RawBatches, Diagnostic> {
    let mut reader = Reader::open(file, Some(fields.to_vec()))?;
    let file = file.clone();
    let progress = options.progress.clone();
    let (mut done, mut counted) = (0u64, 0u64);
    Ok(Box::new(std::iter::from_fn(move || match reader.next()? {
        Ok(batch) => {
            done += batch.num_rows() as u64;
            let position = reader.position().min(file.bytes);
            progress.fetch_add(position.saturating_sub(counted), Ordering::Relaxed);
            counted = counted.max(position);
            Some(Ok(batch))
        }
        Err(error) => {
            Some(Err(damaged(&file, format!("it cannot be decoded after row {done}: {}", words(&error)))))
        }
    })))
}
