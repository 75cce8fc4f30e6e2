//! The bytes of one column chunk, read some hundred kilobytes at a time: pages are small, and asking the
//! file for each of them, and for each of their headers, costs more than decoding some.

use super::spare::Memory;
use crate::data::read::store::Opened;
use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are asked for at a time, where a page is not larger. Those of all columns together are still in
/// a cache of their processor when they are decoded.
const WINDOW: usize = 64 * 1024;

/// Most headers of pages are shorter; longer ones are read on.
const HEADER: usize = 1024;

/// A column chunk of a file. Clones share nothing but the file.
pub struct Window {
    file: Arc<Opened>,
    /// Bytes of the file.
    len: u64,
    /// Where the chunk lies in the file.
    chunk: Range<u64>,
    /// Whether pages are passed over: then what lies behind a header is not wanted.
    passing: AtomicBool,
    last: Mutex<Last>,
}

/// Bytes that were read last, and where they begin.
#[derive(Default)]
struct Last {
    start: u64,
    length: usize,
    /// So many of them were asked for.
    asked: usize,
    memory: Memory,
}

impl Window {
    /// The bytes of a chunk; outside of it the file is read as it is asked.
    pub fn new(file: Arc<Opened>, chunk: Range<u64>) -> Window {
        let len = file.len();
        Window { file, len, chunk, passing: AtomicBool::new(false), last: Mutex::default() }
    }

    /// From now on no more is read than is asked for, or as much as is worth it again.
    pub fn pass(&self, passing: bool) {
        self.passing.store(passing, Ordering::Relaxed);
    }

    /// Nobody reads any more what was asked for before. What was asked for to its end is let go, for another column
    /// to be read into the same memory.
    pub fn let_go(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.asked >= last.length {
            *last = Last::default();
        }
    }

    /// At least so many bytes, unless the chunk ends before.
    fn from(&self, start: u64, least: usize) -> Result<Bytes> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let at = start.checked_sub(last.start).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = at.filter(|at| at.checked_add(least).is_some_and(|end| end <= last.length)) {
            last.asked = last.asked.max(at + least);
            return Ok(last.memory.slice(at..last.length));
        }
        if !self.chunk.contains(&start) {
            return self.file.get_bytes(start, least);
        }
        let rest = usize::try_from(self.chunk.end - start).unwrap_or(usize::MAX);
        let ahead = if self.passing.load(Ordering::Relaxed) { 0 } else { WINDOW };
        let length = rest.min(least.max(ahead));
        // Pages that were decoded do not hold on to what they were read from.
        *last = Last::default();
        let mut room = Memory::room(length);
        let filled = self.file.fill(room.get_mut(..length).unwrap_or_default(), start)?;
        let memory = if filled { Memory::filled(room) } else { self.file.get_bytes(start, length)?.into() };
        *last = Last { start, length, asked: least, memory };
        Ok(last.memory.slice(..length))
    }
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Window {
    type T = Onwards;

    fn get_read(&self, start: u64) -> Result<Onwards> {
        let rest = usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX);
        let bytes = self.from(start, HEADER.min(rest))?;
        // A copy, so that the window can be read anew while the reader of a header is still there.
        let bytes = Bytes::copy_from_slice(bytes.get(..HEADER).unwrap_or(&bytes));
        Ok(Onwards { file: self.file.clone(), next: start + bytes.len() as u64, len: self.len, bytes })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.from(start, length)?;
        match length <= bytes.len() {
            true => Ok(bytes.slice(..length)),
            false => Err(ParquetError::EOF(format!(
                "{length} bytes at {start}, of which {} are there",
                bytes.len()
            ))),
        }
    }
}

/// Bytes from some place on, to the end of the file.
pub struct Onwards {
    file: Arc<Opened>,
    bytes: Bytes,
    /// Where the file goes on behind them.
    next: u64,
    /// Bytes of the file.
    len: u64,
}

impl Read for Onwards {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            let rest = usize::try_from(self.len.saturating_sub(self.next)).unwrap_or(usize::MAX);
            self.bytes = self.file.get_bytes(self.next, rest.min(8 * HEADER)).map_err(io::Error::other)?;
            self.next += self.bytes.len() as u64;
        }
        let take = buffer.len().min(self.bytes.len());
        if let Some(buffer) = buffer.get_mut(..take) {
            self.bytes.copy_to_slice(buffer);
        }
        Ok(take)
    }
}
