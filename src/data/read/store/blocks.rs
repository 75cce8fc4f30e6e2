//! An object read in blocks: few requests, each for bytes that are wanted, and little memory.

use super::object::Stored;
use super::words::Fault;
use ::parquet::file::metadata::ParquetMetaData;
use bytes::Bytes;
use hashbrown::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A request asks for no more than this ahead of need.
const MOST: u64 = 8 << 20;
/// The first request asks for so much; each that follows on for four times as much as the last.
const FIRST: u64 = 64 << 10;

/// Reads an object; clones share their blocks.
#[derive(Clone)]
pub(in super::super) struct Reader {
    object: Stored,
    /// Where each column chunk lies, with its column; ascending. None where that is not known.
    chunks: Arc<Vec<(Range<u64>, usize)>>,
    blocks: Arc<Mutex<Blocks>>,
    position: u64,
}

/// The last block of each column, and under [`OTHER`] the last that is of none.
type Blocks = HashMap<usize, Block>;

const OTHER: usize = usize::MAX;

#[derive(Clone)]
struct Block {
    start: u64,
    bytes: Bytes,
}

impl Block {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// What it has from an offset on, if that is at least so much.
    fn from(&self, at: u64, least: u64) -> Option<Bytes> {
        if at < self.start || at.saturating_add(least) > self.end() {
            return None;
        }
        usize::try_from(at - self.start).ok().map(|skipped| self.bytes.slice(skipped..))
    }
}

impl Reader {
    pub fn new(object: Stored) -> Reader {
        Reader { object, chunks: Arc::default(), blocks: Arc::default(), position: 0 }
    }

    pub fn len(&self) -> u64 {
        self.object.bytes()
    }

    /// Reads column chunks from now on.
    pub fn by_chunks(mut self, metadata: &ParquetMetaData) -> Reader {
        let groups = metadata.row_groups().iter();
        let columns = groups.flat_map(|group| group.columns().iter().enumerate());
        let mut chunks: Vec<(Range<u64>, usize)> = columns
            .filter_map(|(column, chunk)| {
                let start = chunk.dictionary_page_offset().unwrap_or(i64::MAX).min(chunk.data_page_offset());
                let (start, length) =
                    (u64::try_from(start).ok()?, u64::try_from(chunk.compressed_size()).ok()?);
                Some((start..start.checked_add(length)?, column))
            })
            .collect();
        chunks.sort_by_key(|(range, _)| range.start);
        self.chunks = Arc::new(chunks);
        self
    }

    /// A reader from an offset on.
    pub fn from(&self, position: u64) -> Reader {
        Reader { position, ..self.clone() }
    }

    /// So many bytes.
    pub fn exactly(&self, at: u64, length: usize) -> io::Result<Bytes> {
        let bytes = self.at(at, length as u64).map_err(|fault| self.object.fail(&fault))?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes.slice(..length))
    }

    /// The bytes from an offset on: at least so many, but where the object ends before.
    fn at(&self, at: u64, least: u64) -> Result<Bytes, Fault> {
        let least = least.min(self.len().saturating_sub(at));
        if least == 0 {
            return Ok(Bytes::new());
        }
        let chunk = self.chunk(at);
        let slot = chunk.map_or(OTHER, |(_, column)| *column);
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let known = blocks.get(&slot);
        if let Some(bytes) = known.and_then(|block| block.from(at, least)) {
            return Ok(bytes);
        }
        let range = match chunk {
            Some((chunk, _)) => at..chunk.end.min(at + MOST).max(at + least),
            None => self.ahead(at, least, known),
        };
        let range = range.start..range.end.min(self.len());
        let block = Block { start: range.start, bytes: self.object.fetch(range)? };
        let bytes = block.from(at, least);
        blocks.insert(slot, block);
        // A store that gives less than it says is found out by whoever needs the rest.
        Ok(bytes.unwrap_or_default())
    }

    fn chunk(&self, at: u64) -> Option<&(Range<u64>, usize)> {
        let before = self.chunks.partition_point(|(range, _)| range.start <= at);
        let chunk = self.chunks.get(before.checked_sub(1)?)?;
        chunk.0.contains(&at).then_some(chunk)
    }

    /// What to ask for where nothing is known of the object: more and more as it is read on and on,
    /// and the whole of its end, where footers lie.
    fn ahead(&self, at: u64, least: u64, last: Option<&Block>) -> Range<u64> {
        if let Some(last) = last.filter(|last| (last.start..=last.end()).contains(&at)) {
            let more = (last.bytes.len() as u64).saturating_mul(4).clamp(FIRST, MOST);
            return at..at + more.max(least);
        }
        let tail = self.len().saturating_sub(FIRST);
        if at >= tail { tail..self.len() } else { at..at + least.max(FIRST) }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.at(self.position, 1).map_err(|fault| self.object.fail(&fault))?;
        if bytes.is_empty() && self.position < self.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = bytes.as_ref().read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
