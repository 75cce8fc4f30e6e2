//! The way of the batches: a thread reads, some evaluate, the caller's writes.
//!
//! A batch needs a permit before it is read and gives it back once it is written, so that only a
//! few are in memory, however slow any stage is. Batches bear their number and are written in its
//! order, so that the output does not depend on the number of threads.

use super::layout::Writer;
use super::stop::Stop;
use super::tally::Tally;
use crate::data::write::Sink;
use crate::diagnostic::{Diagnostic, codes::data};
use crate::events::Context;
use crate::semantics::Facts;
use crate::vector::{Counts, Plan, Workspace};
use arrow::array::RecordBatch;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the evaluators share.
pub struct Work {
    /// What to do with a batch.
    pub plan: Arc<Plan>,
    /// What to look up.
    pub facts: Arc<Facts>,
    /// What is known of the users besides their columns.
    pub context: Option<Context>,
    /// The counts to start from: zero.
    pub tally: Tally,
    /// Turns assignments into rows, where there is an output.
    pub writer: Option<Writer>,
    /// The key column's name.
    pub key: String,
    /// Whether it is enough to count.
    only_counts: bool,
}

/// How long each stage was busy. Evaluators' times add up, so the sum may exceed the run's time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// Reading, decoding, checking values and keys.
    pub read: Duration,
    /// Evaluating and counting.
    pub evaluate: Duration,
    /// Encoding and writing.
    pub write: Duration,
}

/// Why there is no result.
#[derive(Debug)]
pub enum Halt {
    /// Something was found.
    Found(Box<Diagnostic>),
    /// That signal asked for an end.
    Stopped(i32),
}

impl From<Diagnostic> for Halt {
    fn from(found: Diagnostic) -> Self {
        Halt::Found(Box::new(found))
    }
}

/// A batch on its way to an evaluator.
struct Numbered {
    number: u64,
    /// Rows of the table before its own.
    first_row: usize,
    batch: RecordBatch,
}

/// An evaluated batch.
struct Done {
    number: u64,
    rows: u64,
    output: Option<RecordBatch>,
    spent: Duration,
}

/// How often the writer looks up from waiting to see whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs all of the reader's batches through. Gives the reader back for what it has to tell.
pub fn pump<R>(
    reader: R,
    work: Work,
    threads: usize,
    mut sink: Option<&mut dyn Sink>,
    stop: &Stop,
    progress: &mut dyn FnMut(u64),
) -> Result<(R, Tally, Times), Halt>
where
    R: Iterator<Item = Result<RecordBatch, Diagnostic>> + Send + 'static,
{
    let (permit, permits) = channel();
    for _ in 0..2 * threads + 2 {
        let _ = permit.send(());
    }
    let (batch, batches) = channel();
    let (done, results) = channel();
    let reading = thread::spawn({
        let stop = stop.clone();
        move || read(reader, &permits, &batch, &stop)
    });
    let work = Arc::new(work);
    let batches = Arc::new(Mutex::new(batches));
    let evaluators: Vec<JoinHandle<Tally>> = (0..threads.max(1))
        .map(|_| {
            let (work, batches, done, stop) = (work.clone(), batches.clone(), done.clone(), stop.clone());
            thread::spawn(move || evaluate(&work, &batches, &done, &stop))
        })
        .collect();
    drop((batches, done));

    let mut times = Times::default();
    let written = write(&results, &permit, &mut sink, stop, progress, &mut times);
    // Whoever waits for a permit or a taker finds out that there is none.
    drop((permit, results));
    if let Some(signal) = stop.requested() {
        // A reader may hang on a pipe: it is not waited for.
        return Err(Halt::Stopped(signal));
    }
    let (reader, read) = joined(reading);
    let mut tally = work.tally.clone();
    for evaluator in evaluators {
        tally.merge(&joined(evaluator));
    }
    times.read = read.spent;
    // What the data are to blame for comes before what followed from it.
    if let Some(found) = read.problem {
        return Err(found.into());
    }
    written?;
    Ok((reader, tally, times))
}

pub(super) fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

struct Read {
    spent: Duration,
    problem: Option<Diagnostic>,
}

fn read<R>(mut reader: R, permits: &Receiver<()>, batches: &Sender<Numbered>, stop: &Stop) -> (R, Read)
where
    R: Iterator<Item = Result<RecordBatch, Diagnostic>>,
{
    let mut read = Read { spent: Duration::ZERO, problem: None };
    let mut first_row = 0;
    for number in 0u64.. {
        if permits.recv().is_err() || stop.requested().is_some() {
            break;
        }
        let start = Instant::now();
        let next = reader.next();
        read.spent += start.elapsed();
        match next {
            None => break,
            Some(Err(found)) => {
                read.problem = Some(found);
                break;
            }
            Some(Ok(batch)) => {
                let rows = batch.num_rows();
                if batches.send(Numbered { number, first_row, batch }).is_err() {
                    break;
                }
                first_row += rows;
            }
        }
    }
    (reader, read)
}

fn evaluate(
    work: &Work,
    batches: &Mutex<Receiver<Numbered>>,
    done: &Sender<Result<Done, Diagnostic>>,
    stop: &Stop,
) -> Tally {
    let mut tally = work.tally.clone();
    let mut desk = work.desk();
    while stop.requested().is_none() {
        let next = match batches.lock() {
            Ok(batches) => batches.recv(),
            Err(_) => break,
        };
        let Ok(Numbered { number, first_row, batch }) = next else { break };
        let start = Instant::now();
        let result = work.one(first_row, &batch, &mut desk, &mut tally).map(|output| Done {
            number,
            rows: batch.num_rows() as u64,
            output,
            spent: start.elapsed(),
        });
        let failed = result.is_err();
        if done.send(result).is_err() || failed {
            break;
        }
    }
    work.settle(desk, &mut tally);
    tally
}

/// Where a thread works: what it keeps from batch to batch.
pub struct Desk {
    workspace: Workspace,
    counts: Counts,
}

impl Work {
    /// What there is to do.
    pub fn new(
        plan: Arc<Plan>,
        facts: Arc<Facts>,
        context: Option<Context>,
        tally: Tally,
        writer: Option<Writer>,
        key: String,
    ) -> Work {
        let only_counts = writer.is_none() && plan.counts_suffice();
        Work { plan, facts, context, tally, writer, key, only_counts }
    }

    /// A place to work at.
    pub fn desk(&self) -> Desk {
        Desk { workspace: self.plan.workspace(), counts: self.plan.no_counts() }
    }

    /// Evaluates a batch and counts its rows, in the tally or for the time being at the desk. Gives
    /// the output's rows, where there is one. `first_row` is the batch's place in the table.
    pub fn one(
        &self,
        first_row: usize,
        batch: &RecordBatch,
        desk: &mut Desk,
        tally: &mut Tally,
    ) -> Result<Option<RecordBatch>, Diagnostic> {
        let failed = |cause: &dyn std::fmt::Display| {
            Diagnostic::placeless(data::NOT_RUNNABLE, format!("the data cannot be evaluated: {cause}"))
        };
        let rows = first_row..first_row + batch.num_rows();
        let given = self.context.as_ref().map(|context| context.of_rows(&rows)).transpose();
        let given = given?.unwrap_or_default();
        let workspace = &mut desk.workspace;
        if self.only_counts {
            let counted = self.plan.count_in(workspace, batch, &given, &self.facts, &mut desk.counts);
            return counted.map(|()| None).map_err(|cause| failed(&cause));
        }
        let assignment = self.plan.evaluate_in(workspace, batch, &given, &self.facts);
        let assignment = assignment.map_err(|cause| failed(&cause))?;
        tally.add(&assignment);
        let Some(writer) = &self.writer else { return Ok(None) };
        let key = batch.column_by_name(&self.key).ok_or_else(|| failed(&"the key was not read"))?;
        writer.rows(key, &assignment).map(Some).map_err(|cause| failed(&cause))
    }

    /// Puts into the tally what was counted at the desk.
    pub fn settle(&self, desk: Desk, tally: &mut Tally) {
        tally.add_counts(&desk.counts);
    }
}

fn write(
    results: &Receiver<Result<Done, Diagnostic>>,
    permits: &Sender<()>,
    sink: &mut Option<&mut dyn Sink>,
    stop: &Stop,
    progress: &mut dyn FnMut(u64),
    times: &mut Times,
) -> Result<(), Halt> {
    let mut early: BTreeMap<u64, Done> = BTreeMap::new();
    let mut next = 0;
    let mut rows = 0;
    loop {
        if let Some(signal) = stop.requested() {
            return Err(Halt::Stopped(signal));
        }
        match results.recv_timeout(GLANCE) {
            Ok(done) => {
                let done = done?;
                early.insert(done.number, done);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        while let Some(done) = early.remove(&next) {
            next += 1;
            rows += done.rows;
            times.evaluate += done.spent;
            if let (Some(sink), Some(output)) = (sink.as_deref_mut(), &done.output) {
                let start = Instant::now();
                sink.write(output)?;
                times.write += start.elapsed();
            }
            // The reader may have gone home already.
            let _ = permits.send(());
        }
        progress(rows);
    }
}
