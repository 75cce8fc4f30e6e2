//! A table that several threads read: cut into parts (files, row groups of Parquet files, stretches of these)
//! that are handed out in the order of the rows. Which thread reads which part, and when, changes neither the
//! batches nor what is found wrong with them.

use super::keys::Keys;
use super::reader::{TableReader, check_all_keys};
use super::scan::Scan;
use super::table::BoundTable;
use super::{KeyCheck, KeyMode, Part};
use crate::data::bad_values::BadValues;
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A table in parts. Share it between threads; each calls [`TableParts::take`] until there is none,
/// reads what it got, and at the end one of them calls [`TableParts::finish`].
#[derive(Debug)]
pub struct TableParts {
    bound: Arc<BoundTable>,
    parts: Vec<Part>,
    next: AtomicUsize,
    /// The first part, in order, at which something is wrong.
    failed: AtomicUsize,
    outcomes: Mutex<Vec<Option<Outcome>>>,
}

/// What a whole reading gave besides its batches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadTotals {
    /// Rows that were given out.
    pub rows: u64,
    /// The bad values, by column in the order of the declaration; examples in the order of the rows.
    pub bad_values: Vec<BadValues>,
}

/// What one part gave besides its batches.
#[derive(Debug)]
struct Outcome {
    rows: u64,
    bad: Vec<BadValues>,
    keys: Option<Keys>,
    problem: Option<Diagnostic>,
}

impl TableParts {
    pub(super) fn new(bound: BoundTable) -> TableParts {
        let parts = bound.parts();
        TableParts::of(Arc::new(bound), parts)
    }

    fn of(bound: Arc<BoundTable>, parts: Vec<Part>) -> TableParts {
        TableParts {
            outcomes: Mutex::new(parts.iter().map(|_| None).collect()),
            bound,
            parts,
            next: AtomicUsize::new(0),
            failed: AtomicUsize::new(usize::MAX),
        }
    }

    /// The same table, with row groups of Parquet files cut into stretches of at most so many rows, or a few more.
    /// The batches stay the same.
    #[must_use]
    pub fn cut(&self, most: u64) -> TableParts {
        let options = &self.bound.options;
        let parts = self.parts.iter().flat_map(|part| match options.ranges.is_empty() {
            true => part.clone().cut(most, options.batch_rows as u64),
            // Which rows of a row group are read is settled for it as a whole.
            false => vec![part.clone()],
        });
        TableParts::of(self.bound.clone(), parts.collect())
    }

    /// A reader of the whole table in one thread, from the beginning.
    pub fn reader(&self) -> TableReader {
        TableReader::new(self.bound.clone())
    }

    /// How many parts there are.
    pub fn count(&self) -> usize {
        self.parts.len()
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

    /// The next part that nobody took yet; none where all are taken, or where what comes next does
    /// not matter because something before it is wrong.
    pub fn take(self: &Arc<Self>) -> Option<PartReader> {
        if self.failed.load(Ordering::Relaxed) != usize::MAX {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let part = self.parts.get(number)?.clone();
        let keys = match self.bound.options.keys {
            KeyMode::Skip | KeyMode::Unread | KeyMode::Foreign => None,
            KeyMode::Check { memory } => Some(Keys::Ascending(KeyCheck::new(memory))),
        };
        let outcome = Outcome { rows: 0, bad: Vec::new(), keys, problem: None };
        Some(PartReader { parts: self.clone(), number, part, scan: None, outcome: Some(outcome) })
    }

    /// The next parts that nobody took yet, as many as it takes for so many rows; none where there is
    /// none to take. Only one thread at a time may take, or the parts will not follow each other.
    pub fn take_rows(self: &Arc<Self>, rows: u64) -> Vec<PartReader> {
        let mut taken = Vec::new();
        let mut sum = 0;
        while sum < rows
            && let Some(part) = self.take()
        {
            sum += part.part.rows;
            taken.push(part);
        }
        taken
    }

    /// What all parts together gave. To be called when every part that was taken has been read to
    /// its end.
    ///
    /// # Errors
    /// What is wrong with the table: of several things the first in the order of the rows, and only
    /// then keys that come twice without being neighbours.
    pub fn finish(&self) -> Result<ReadTotals, Diagnostic> {
        let outcomes = std::mem::take(&mut *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner));
        let table = &self.bound.table;
        let mut totals = ReadTotals::default();
        let mut keys: Option<Keys> = None;
        for outcome in outcomes.into_iter().flatten() {
            if let Some(next) = outcome.keys {
                let all = match keys.take() {
                    None => next,
                    Some(before) => before.followed_by(next),
                };
                if let Keys::Twice(_, fault) = all {
                    return Err(fault.finding(table));
                }
                keys = Some(all);
            }
            if let Some(problem) = outcome.problem {
                return Err(problem);
            }
            totals.rows += outcome.rows;
            for bad in &outcome.bad {
                self.bound.count_bad(&mut totals.bad_values, bad);
            }
        }
        if let (Some(Keys::Descending), KeyMode::Check { memory }) = (keys, self.bound.options.keys) {
            check_all_keys(&self.bound, &KeyCheck::new(memory))?;
        }
        Ok(totals)
    }
}

/// One part of a table, as a stream of batches as [`super::TableReader`] gives them. It ends early
/// where something is wrong; what that is, [`TableParts::finish`] says.
#[derive(Debug)]
pub struct PartReader {
    parts: Arc<TableParts>,
    number: usize,
    part: Part,
    scan: Option<Scan>,
    outcome: Option<Outcome>,
}

impl PartReader {
    /// The part's place among all: batches of a lower number come before those of a higher one.
    pub fn number(&self) -> usize {
        self.number
    }

    fn advance(&mut self) -> Option<RecordBatch> {
        // What follows an error does not matter.
        if self.parts.failed.load(Ordering::Relaxed) < self.number {
            return None;
        }
        let outcome = self.outcome.as_mut()?;
        let bound = &self.parts.bound;
        let opened = match &self.scan {
            Some(_) => Ok(()),
            None => Scan::open(bound, &self.part).map(|scan| self.scan = scan),
        };
        let next = opened.and_then(|()| match &mut self.scan {
            Some(scan) => scan.next(bound, &mut outcome.bad),
            None => Ok(None),
        });
        match next {
            Ok(Some(batch)) => {
                outcome.rows += batch.num_rows() as u64;
                if let (Some(keys), Some(key)) = (outcome.keys.take(), bound.key(&batch)) {
                    outcome.keys = Some(keys.add(key));
                }
                match outcome.keys {
                    Some(Keys::Twice(..)) => self.fail(),
                    _ => Some(batch),
                }
            }
            Ok(None) => None,
            Err(problem) => {
                outcome.problem = Some(problem);
                self.fail()
            }
        }
    }

    fn fail(&mut self) -> Option<RecordBatch> {
        self.parts.failed.fetch_min(self.number, Ordering::Relaxed);
        None
    }

    fn settle(&mut self) {
        self.scan = None;
        let Some(outcome) = self.outcome.take() else { return };
        let mut outcomes = self.parts.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = outcomes.get_mut(self.number) {
            *place = Some(outcome);
        }
    }
}

impl Iterator for PartReader {
    type Item = RecordBatch;

    fn next(&mut self) -> Option<RecordBatch> {
        let next = self.advance();
        if next.is_none() {
            self.settle();
        }
        next
    }
}

impl Drop for PartReader {
    fn drop(&mut self) {
        self.settle();
    }
}
