//! Two programs run over the same table at once, batch beside batch. Only a few batches of each are
//! in memory: whoever is ahead waits.

use super::{Failure, Side};
use crate::data::write::Sink;
use crate::diagnostic::{Diagnostic, codes::data as codes};
use crate::run::{self, RunError, Summary};
use arrow::array::RecordBatch;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Evaluated batches that may wait to be looked at.
const WAITING: usize = 2;

/// Hands a run's rows over to whoever compares them.
struct Handover {
    to: SyncSender<RecordBatch>,
    /// Nobody wants more rows; what the run says of that is no fault of the data.
    unwanted: Arc<AtomicBool>,
}

impl Sink for Handover {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic> {
        self.to.send(batch.clone()).map_err(|_| {
            self.unwanted.store(true, Ordering::SeqCst);
            Diagnostic::placeless(codes::NOT_RUNNABLE, "the comparison came to an early end")
        })
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Diagnostic> {
        Ok(())
    }
}

/// One run's rows.
struct Rows {
    from: Receiver<RecordBatch>,
    current: Option<RecordBatch>,
}

impl Rows {
    /// How many rows are at hand; 0 at the end.
    fn at_hand(&mut self) -> usize {
        while self.current.as_ref().is_none_or(|batch| batch.num_rows() == 0) {
            match self.from.recv() {
                Ok(batch) => self.current = Some(batch),
                Err(_) => return 0,
            }
        }
        self.current.as_ref().map_or(0, RecordBatch::num_rows)
    }

    /// The next `count` rows of those at hand.
    fn take(&mut self, count: usize) -> Option<RecordBatch> {
        let batch = self.current.take()?;
        self.current = Some(batch.slice(count, batch.num_rows() - count));
        Some(batch.slice(0, count))
    }
}

/// Runs both; `each` hears the rows of both for the same users, in the table's order.
pub(super) fn run_both(
    old: &Side,
    new: &Side,
    each: &mut dyn FnMut(&RecordBatch, &RecordBatch),
) -> Result<(Summary, Summary), Failure> {
    let unwanted = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
    let (old_run, new_run, uneven) = thread::scope(|scope| {
        let [old_unwanted, new_unwanted] = &unwanted;
        let (handover, mut old_rows) = handover(old_unwanted);
        let old_running = scope.spawn(move || run_side(old, handover));
        let (handover, mut new_rows) = self::handover(new_unwanted);
        let new_running = scope.spawn(move || run_side(new, handover));
        let uneven = loop {
            let (was, is) = (old_rows.at_hand(), new_rows.at_hand());
            let count = was.min(is);
            if count == 0 {
                break was != is;
            }
            if let (Some(then), Some(now)) = (old_rows.take(count), new_rows.take(count)) {
                each(&then, &now);
            }
        };
        // Whoever still has rows finds out that they are not wanted.
        drop((old_rows, new_rows));
        (joined(old_running), joined(new_running), uneven)
    });
    settle(old_run, new_run, uneven, &unwanted)
}

fn handover(unwanted: &Arc<AtomicBool>) -> (Handover, Rows) {
    let (to, from) = sync_channel(WAITING);
    (Handover { to, unwanted: unwanted.clone() }, Rows { from, current: None })
}

fn run_side(side: &Side, handover: Handover) -> Outcome {
    run::run_into(side.program, &side.options, Box::new(handover), &mut |_| {})
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

type Outcome = Result<Summary, RunError>;

fn settle(
    old: Outcome,
    new: Outcome,
    uneven: bool,
    unwanted: &[Arc<AtomicBool>; 2],
) -> Result<(Summary, Summary), Failure> {
    let mut failure = Failure::default();
    let mut summaries = Vec::new();
    let [old_unwanted, new_unwanted] = unwanted;
    for (outcome, found, unwanted) in
        [(old, &mut failure.old, old_unwanted), (new, &mut failure.new, new_unwanted)]
    {
        match outcome {
            Ok(summary) => summaries.push(summary),
            Err(RunError::Stopped(signal)) => failure.stopped = Some(signal),
            Err(RunError::Found(_)) if unwanted.load(Ordering::SeqCst) => {}
            Err(RunError::Found(findings)) => *found = findings,
        }
    }
    // What both say is said once.
    let said = |finding: &Diagnostic| {
        failure.old.iter().any(|known| (known.code, &known.message) == (finding.code, &finding.message))
    };
    failure.new.retain(|finding| !said(finding));
    let nothing_found = failure.old.is_empty() && failure.new.is_empty() && failure.stopped.is_none();
    if uneven && nothing_found {
        failure.new.push(Diagnostic::placeless(
            codes::NOT_RUNNABLE,
            "the old and the new rules read different numbers of users, so they cannot be held side by side",
        ));
    }
    let mut summaries = summaries.into_iter();
    match (summaries.next(), summaries.next()) {
        (Some(old), Some(new)) if !uneven => Ok((old, new)),
        _ => Err(failure),
    }
}
