//! Arrow IPC: the file form (`.arrow`, Feather version 2) and the stream form, told apart by the
//! first bytes.

use super::files::DataFile;
use super::source::{Layout, RawBatches, RawField, RawOptions, damaged, open_near, why};
use super::store::Opened;
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader, read_footer_length};
use arrow::ipc::{MessageHeader, RecordBatch as Batch, root_as_footer, root_as_message};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::Ordering;

enum Reader {
    File(FileReader<BufReader<Opened>>),
    Stream(StreamReader<BufReader<Opened>>),
}

impl Reader {
    /// The reader, and how many rows there are.
    fn open(file: &DataFile, projection: Option<Vec<usize>>) -> Result<(Reader, u64), Diagnostic> {
        let mut opened = open_near(file)?;
        let mut magic = [0; 6];
        opened.read_exact(&mut magic).map_err(|error| {
            damaged(file, if file.bytes == 0 { "it is empty".into() } else { why(&error) })
        })?;
        if magic.starts_with(b"FEA1") {
            return Err(damaged(file, "it is Feather version 1, which is not read; write version 2"));
        }
        let whole = &magic == b"ARROW1";
        let rows = if whole {
            rows_of_file(&mut opened, file.bytes)
        } else {
            rows_of_stream(&mut opened, file.bytes)
        };
        let rows = rows.map_err(|error| damaged(file, why(&error)))?;
        opened.rewind().map_err(|error| damaged(file, why(&error)))?;
        let buffered = BufReader::with_capacity(1 << 18, opened);
        let reader = if whole {
            FileReader::try_new(buffered, projection).map(Reader::File)
        } else {
            StreamReader::try_new(buffered, projection).map(Reader::Stream)
        };
        reader.map(|reader| (reader, rows)).map_err(|error| damaged(file, words(&error)))
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

/// The largest part of a file that describes another part.
const MOST_METADATA: u64 = 64 << 20;

/// The longest buffer of one batch, unpacked.
const MOST_BUFFER: i64 = 4 << 30;

/// Marks the beginning of a message.
const CONTINUATION: u32 = u32::MAX;

fn odd(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned())
}

fn cut() -> std::io::Error {
    std::io::ErrorKind::UnexpectedEof.into()
}

/// Walks the messages of a stream without reading what they hold: the decoder would reserve
/// whatever memory a damaged length asks for.
fn rows_of_stream(file: &mut Opened, bytes: u64) -> std::io::Result<u64> {
    let (mut at, mut rows) = (0, 0);
    while let Some((length, body, more)) = message(file, at, bytes)? {
        rows += more;
        at = length.checked_add(body).ok_or_else(|| odd("a length in it makes no sense"))?;
        if at > bytes {
            return Err(cut());
        }
    }
    Ok(rows)
}

/// The message at an offset: where its description ends, how long its body is, and its rows. None
/// at the end.
fn message(file: &mut Opened, at: u64, bytes: u64) -> std::io::Result<Option<(u64, u64, u64)>> {
    if at >= bytes {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut start = at + 4;
    let mut length = number(file)?;
    if length == CONTINUATION {
        length = number(file)?;
        start += 4;
    }
    if length == 0 {
        return Ok(None);
    }
    let end = start + u64::from(length);
    if u64::from(length) > MOST_METADATA {
        return Err(odd("it is neither an Arrow file nor an Arrow stream"));
    }
    if end > bytes {
        return Err(cut());
    }
    let mut buffer = vec![0; length as usize];
    file.read_exact(&mut buffer)?;
    let message =
        root_as_message(&buffer).map_err(|_| odd("it is neither an Arrow file nor an Arrow stream"))?;
    let body = u64::try_from(message.bodyLength()).map_err(|_| odd("a length in it makes no sense"))?;
    let (batch, counted) = match message.header_type() {
        MessageHeader::RecordBatch => (message.header_as_record_batch(), true),
        MessageHeader::DictionaryBatch => {
            (message.header_as_dictionary_batch().and_then(|batch| batch.data()), false)
        }
        _ => (None, false),
    };
    let Some(batch) = batch else { return Ok(Some((end, body, 0))) };
    buffers_fit(file, &batch, end, body)?;
    let rows = if counted { u64::try_from(batch.length()).unwrap_or(0) } else { 0 };
    Ok(Some((end, body, rows)))
}

/// Whether each buffer of a batch lies within its body, and does not claim to be huge unpacked.
fn buffers_fit(file: &mut Opened, batch: &Batch<'_>, start: u64, body: u64) -> std::io::Result<()> {
    for buffer in batch.buffers().into_iter().flatten() {
        let (Ok(offset), Ok(length)) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length()))
        else {
            return Err(odd("a length in it makes no sense"));
        };
        if offset.checked_add(length).is_none_or(|end| end > body) {
            return Err(odd("a part of it would lie past its end"));
        }
        if batch.compression().is_some() && length >= 8 {
            // The unpacked length comes first; -1 says that the buffer is not packed.
            file.seek(SeekFrom::Start(start.saturating_add(offset)))?;
            let mut unpacked = [0; 8];
            file.read_exact(&mut unpacked)?;
            if i64::from_le_bytes(unpacked) > MOST_BUFFER {
                return Err(odd("a length in it makes no sense"));
            }
        }
    }
    Ok(())
}

fn number(file: &mut Opened) -> std::io::Result<u32> {
    let mut number = [0; 4];
    file.read_exact(&mut number)?;
    Ok(u32::from_le_bytes(number))
}

/// Follows the footer of a file to each of its parts.
fn rows_of_file(file: &mut Opened, bytes: u64) -> std::io::Result<u64> {
    let mut tail = [0; 10];
    let end = bytes.checked_sub(10).ok_or_else(cut)?;
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut tail)?;
    let length = read_footer_length(tail).map_err(|_| cut())? as u64;
    let start = end.checked_sub(length).filter(|_| length <= MOST_METADATA).ok_or_else(cut)?;
    file.seek(SeekFrom::Start(start))?;
    let mut footer = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact(&mut footer)?;
    let footer = root_as_footer(&footer).map_err(|_| odd("its footer makes no sense"))?;
    let mut rows = 0;
    let blocks =
        footer.recordBatches().into_iter().flatten().chain(footer.dictionaries().into_iter().flatten());
    for block in blocks {
        let lengths = (
            u64::try_from(block.offset()),
            u64::try_from(block.metaDataLength()),
            u64::try_from(block.bodyLength()),
        );
        let (Ok(offset), Ok(metadata), Ok(body)) = lengths else {
            return Err(odd("a length in it makes no sense"));
        };
        let end = offset.checked_add(metadata).and_then(|end| end.checked_add(body));
        if end.is_none_or(|end| end > bytes) || metadata > MOST_METADATA {
            return Err(odd("a part of it would lie past its end"));
        }
        match message(file, offset, bytes)? {
            // The decoder goes by the footer's lengths, what was looked at by the message's own.
            Some((end, own, more)) if end == offset + metadata && own == body => rows += more,
            _ => return Err(odd("its footer makes no sense")),
        }
    }
    Ok(rows)
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
    let (reader, rows) = Reader::open(file, None)?;
    let schema = reader.schema();
    let fields = schema
        .fields()
        .iter()
        .map(|field| RawField { name: field.name().clone(), ty: Some(field.data_type().clone()) })
        .collect();
    Ok(Layout { fields, rows: Some(rows), sampled: false, groups: Vec::new(), known: Vec::new() })
}

pub(super) fn batches(
    file: &DataFile,
    fields: &[usize],
    options: &RawOptions,
) -> Result<RawBatches, Diagnostic> {
    let (mut reader, _) = Reader::open(file, Some(fields.to_vec()))?;
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
