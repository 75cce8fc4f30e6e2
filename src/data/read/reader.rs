//! The rows of a table, part after part, in one thread.

use super::scan::Scan;
use super::table::BoundTable;
use super::{KeyCheck, KeyMode, Part};
use crate::data::bad_values::BadValues;
use crate::diagnostic::Diagnostic;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A stream of canonical batches: the wanted columns in the order of their declaration, by their
/// names in the rules. A required column is nullable too: a bad value is null. After an error the
/// stream has ended.
#[derive(Debug)]
pub struct TableReader {
    bound: Arc<BoundTable>,
    parts: std::vec::IntoIter<Part>,
    current: Option<Scan>,
    rows_read: u64,
    bad: Vec<BadValues>,
    keys: Option<KeyCheck>,
    ended: bool,
}

impl TableReader {
    pub(super) fn new(bound: impl Into<Arc<BoundTable>>) -> TableReader {
        let bound = bound.into();
        let keys = match bound.options.keys {
            KeyMode::Skip | KeyMode::Unread | KeyMode::Foreign => None,
            KeyMode::Check { memory } => Some(KeyCheck::new(memory)),
        };
        TableReader {
            parts: bound.parts().into_iter(),
            bound,
            current: None,
            rows_read: 0,
            bad: Vec::new(),
            keys,
            ended: false,
        }
    }

    /// Indices of the columns that a batch has, in its order.
    pub fn columns(&self) -> &[usize] {
        &self.bound.columns
    }

    /// The schema of its batches, but that texts may come as dictionaries.
    pub fn schema(&self) -> SchemaRef {
        self.bound.schema()
    }

    /// Rows of all files, where each says its own without being read.
    pub fn rows(&self) -> Option<u64> {
        self.bound.rows()
    }

    /// Rows that were given out so far.
    pub fn rows_read(&self) -> u64 {
        self.rows_read
    }

    /// Size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.bound.bytes()
    }

    /// Bytes read so far; a counter that another thread may watch.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        self.bound.bytes_read.clone()
    }

    /// How far the reading is, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.bound.progress()
    }

    /// The bad values found so far, by column in the order of the declaration.
    pub fn bad_values(&self) -> &[BadValues] {
        &self.bad
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, Diagnostic> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(part) = self.parts.next() else { return Ok(None) };
                self.current = Scan::open(&self.bound, &part)?;
                continue;
            };
            match current.next(&self.bound, &mut self.bad)? {
                None => self.current = None,
                Some(batch) => {
                    self.rows_read += batch.num_rows() as u64;
                    if let Some(key) = self.bound.key(&batch).cloned() {
                        self.check_keys(&key)?;
                    }
                    return Ok(Some(batch));
                }
            }
        }
    }

    fn check_keys(&mut self, key: &ArrayRef) -> Result<(), Diagnostic> {
        let Some(mut check) = self.keys.take() else { return Ok(()) };
        match check.add(key) {
            Ok(true) => self.keys = Some(check),
            // The keys do not ascend: those that came before are needed after all.
            Ok(false) => check_all_keys(&self.bound, &check)?,
            Err(fault) => return Err(fault.finding(&self.bound.table)),
        }
        Ok(())
    }
}

/// Reads all keys again, to be compared in whatever order they come.
pub(super) fn check_all_keys(bound: &BoundTable, check: &KeyCheck) -> Result<(), Diagnostic> {
    let mut exact = check.exact();
    for batch in TableReader::new(bound.key_alone()) {
        if let Some(key) = batch?.columns().first() {
            exact.add(key).map_err(|fault| fault.finding(&bound.table))?;
        }
    }
    exact.finish().map_err(|fault| fault.finding(&bound.table))
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        if self.ended {
            self.current = None;
        }
        next
    }
}
