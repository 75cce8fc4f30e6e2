//! Where rows come from, and how several threads go through them.

use crate::data::BadValues;
use crate::diagnostic::Diagnostic;
use crate::program::Value;
use arrow::array::RecordBatch;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// The tables of a program.
pub trait Tables: Send + Sync {
    /// The rows of the user table with these columns, by their index.
    ///
    /// # Errors
    /// All that keeps them from being read.
    fn users(&self, columns: &[usize]) -> Result<Arc<dyn Rows>, Vec<Diagnostic>>;

    /// The rows of that event table with these columns. Those that happened before `earliest` do not
    /// matter and may be left out.
    ///
    /// # Errors
    /// All that keeps them from being read.
    fn events(
        &self,
        table: usize,
        columns: &[usize],
        earliest: Option<&Value>,
    ) -> Result<Arc<dyn Rows>, Vec<Diagnostic>>;
}

/// The rows of one table, for several threads at once.
pub trait Rows: Send + Sync {
    /// Rows that nobody took yet, with their place: those of a lower one come before. Whenever a
    /// table is read, its rows are divided alike, unless some are left out.
    fn take(&self) -> Option<(usize, Batches)>;

    /// How many rows there are, or nearly, if that is known.
    fn expected(&self) -> Option<u64>;

    /// What all rows gave besides, once all were taken and read to their end.
    ///
    /// # Errors
    /// What is wrong with the rows. They ended early for it.
    fn finish(&self) -> Result<RowTotals, Diagnostic>;
}

/// Batches in the order of their rows.
pub type Batches = Box<dyn Iterator<Item = RecordBatch> + Send>;

/// What a table's rows gave besides.
#[derive(Clone, Debug, Default)]
pub struct RowTotals {
    /// Rows of the table that were left out.
    pub skipped: u64,
    /// Values that broke their declaration.
    pub bad_values: Vec<BadValues>,
}

/// Why there is no result.
#[derive(Debug)]
pub enum EventError {
    /// What was found.
    Found(Vec<Diagnostic>),
    /// Somebody asked for an end.
    Stopped,
}

impl From<Diagnostic> for EventError {
    fn from(found: Diagnostic) -> Self {
        EventError::Found(vec![found])
    }
}

impl From<Vec<Diagnostic>> for EventError {
    fn from(found: Vec<Diagnostic>) -> Self {
        EventError::Found(found)
    }
}

/// How the work is done.
#[derive(Clone)]
pub struct EventOptions {
    /// Threads that work.
    pub threads: usize,
    /// Users whose events are worked on together; the answer does not depend on it.
    pub part_users: usize,
    /// Whether two users with one key are a fault; else the first of them has the events.
    pub check_keys: bool,
    /// Bytes that events may take before they go to the disk; and what is known of the users likewise.
    pub memory: Option<usize>,
    /// Whether somebody asks for an end.
    pub stop: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl std::fmt::Debug for EventOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let EventOptions { threads, part_users, check_keys, memory, .. } = self;
        write!(f, "EventOptions({threads}, {part_users}, {check_keys}, {memory:?})")
    }
}

impl Default for EventOptions {
    fn default() -> Self {
        EventOptions {
            threads: thread::available_parallelism().map_or(1, usize::from),
            part_users: 1 << 14,
            check_keys: true,
            memory: None,
            stop: Arc::new(|| false),
        }
    }
}

/// How often whoever waits looks up to see whether to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// A batch's place: its rows' place in the table, and its own there.
pub(super) type Origin = (usize, usize);

/// Has all rows worked on, several batches at once; gives the outcomes in the order of the rows.
pub(super) fn each<T: Send + 'static>(
    rows: &Arc<dyn Rows>,
    options: &EventOptions,
    progress: &mut dyn FnMut(u64),
    work: impl Fn(Origin, &RecordBatch) -> Result<T, Diagnostic> + Send + Sync + 'static,
) -> Result<(Vec<(Origin, T)>, RowTotals), EventError> {
    let (done, results) = channel();
    let work = Arc::new(work);
    let workers: Vec<_> = (0..options.threads.max(1))
        .map(|_| {
            let (rows, work, done, stop) = (rows.clone(), work.clone(), done.clone(), options.stop.clone());
            thread::spawn(move || {
                while let Some((part, batches)) = rows.take() {
                    for (place, batch) in batches.enumerate() {
                        let origin = (part, place);
                        let outcome =
                            work(origin, &batch).map(|outcome| (origin, batch.num_rows() as u64, outcome));
                        let failed = outcome.is_err();
                        if stop() || done.send(outcome).is_err() || failed {
                            return;
                        }
                    }
                }
            })
        })
        .collect();
    drop(done);
    let mut outcomes = Vec::new();
    let mut count = 0;
    loop {
        // A thread that hangs on a pipe is not waited for.
        if (options.stop)() {
            return Err(EventError::Stopped);
        }
        match results.recv_timeout(GLANCE) {
            Ok(outcome) => {
                let (origin, rows, outcome) = outcome?;
                count += rows;
                outcomes.push((origin, outcome));
                progress(count);
            }
            Err(RecvTimeoutError::Timeout) => progress(count),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for worker in workers {
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
    let totals = rows.finish()?;
    outcomes.sort_by_key(|(origin, _)| *origin);
    Ok((outcomes, totals))
}
