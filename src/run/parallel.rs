//! The way of the batches where the table has parts and no row needs to wait for another: each thread
//! reads parts, evaluates and counts their batches, and encodes what is to be written, so that nothing
//! but finished row groups goes from thread to thread.
//!
//! Parts are taken in their order, and so are row groups written. A thread needs a permit before it
//! takes parts and the writer gives it back once their row group is written, so that only a few are in
//! memory.

use super::pipeline::{Desk, Halt, Times, Work, joined};
use super::stop::Stop;
use super::tally::Tally;
use crate::data::read::{PartReader, ReadTotals, TableParts};
use crate::data::write::{EncodedGroup, Encoder, Group, ROW_GROUP, Sink};
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Rows that a thread takes at a time where they are written: the parts of at least so many.
const TURN_ROWS: u64 = 256 * 1024;

/// A row group is not cut into stretches of fewer rows: pages in which stretches meet are unsqueezed for each.
const LEAST_STRETCH: u64 = 128 * 1024;

/// After so many rows a thread tells how far it is: each time wakes the writer.
const TELL_ROWS: u64 = 512 * 1024;

/// So many parts are worth sharing out, however many threads there are: one reader alone would hold
/// most of these up.
const ENOUGH_PARTS: usize = 4;

/// How often the writer looks up from waiting to see whether it is to stop.
const GLANCE: Duration = Duration::from_millis(20);

/// Whether to go this way: not where fewer parts than threads would leave some idle, where a row's
/// place in the table matters and is not known before all rows before it are read, or where the output
/// takes its rows only one after the other.
pub fn suits(parts: &TableParts, work: &Work, sink: Option<&dyn Sink>, threads: usize) -> bool {
    let placed = || work.context.as_ref().is_some_and(|context| !context.first_rows().is_empty());
    (work.plan.given().is_empty() || placed())
        && parts.count() >= threads.min(ENOUGH_PARTS)
        && sink.is_none_or(|sink| sink.encoder().is_some())
}

/// The table in parts for so many threads: row groups that are larger than a thread's share are cut into stretches.
/// How the rows of an output are cut does not depend on how many threads there are.
pub fn shared_out(parts: &Arc<TableParts>, work: &Work, writing: bool, threads: usize) -> Arc<TableParts> {
    // What is known by the number of a part is known of the parts as the files have them.
    if work.context.as_ref().is_some_and(|context| !context.first_rows().is_empty()) {
        return parts.clone();
    }
    let most = match parts.rows() {
        Some(rows) if !writing => rows.div_ceil(threads.max(1) as u64).max(LEAST_STRETCH),
        _ => 2 * TURN_ROWS,
    };
    Arc::new(parts.cut(most))
}

/// What the threads share.
struct Shared {
    parts: Arc<TableParts>,
    work: Work,
    encoder: Option<Arc<Encoder>>,
    /// Permits to take parts, and the number of the next turn.
    turns: Mutex<(Receiver<()>, u64)>,
    stop: Stop,
}

/// Rows that the writer has not been told of.
#[derive(Default)]
struct Untold {
    rows: u64,
}

impl Untold {
    /// Tells of them where they are at least so many.
    fn tell(&mut self, to: &Sender<News>, least: u64) {
        if self.rows >= least {
            // The writer may have gone home already.
            let _ = to.send(News::Rows(std::mem::take(&mut self.rows)));
        }
    }
}

/// What a thread tells the writer.
enum News {
    /// So many more rows are evaluated.
    Rows(u64),
    /// A turn is done.
    Turn(u64, Vec<EncodedGroup>),
    /// The data cannot be evaluated or written.
    Failed(Box<Diagnostic>),
}

/// Runs all parts through.
pub fn pump(
    parts: Arc<TableParts>,
    work: Work,
    threads: usize,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
    progress: &mut dyn FnMut(u64),
) -> Result<(ReadTotals, Tally, Times), Halt> {
    let threads = threads.max(1);
    let (permit, permits) = channel();
    for _ in 0..threads + 1 {
        let _ = permit.send(());
    }
    let (tell, news) = channel();
    let encoder = sink.as_ref().and_then(|sink| sink.encoder());
    let tally = work.tally.clone();
    let turns = Mutex::new((permits, 0));
    let shared = Arc::new(Shared { parts: parts.clone(), work, encoder, turns, stop: stop.clone() });
    let workers: Vec<JoinHandle<(Tally, Times)>> = (0..threads)
        .map(|_| {
            let (shared, tell) = (shared.clone(), tell.clone());
            thread::spawn(move || shared.work_off(&tell))
        })
        .collect();
    drop(tell);
    let mut times = Times::default();
    let written = write(&news, &permit, sink, stop, progress, &mut times);
    drop((permit, news));
    if let Some(signal) = stop.requested() {
        return Err(Halt::Stopped(signal));
    }
    let mut all = tally;
    for worker in workers {
        let (tally, spent) = joined(worker);
        all.merge(&tally);
        times.read += spent.read;
        times.evaluate += spent.evaluate;
        times.write += spent.write;
    }
    // What the data are to blame for comes before what followed from it.
    let totals = parts.finish()?;
    written?;
    Ok((totals, all, times))
}

impl Shared {
    fn work_off(&self, tell: &Sender<News>) -> (Tally, Times) {
        let mut tally = self.work.tally.clone();
        let mut times = Times::default();
        let mut desk = self.work.desk();
        while self.stop.requested().is_none()
            && let Some((number, parts)) = self.take()
        {
            let done = self.turn(parts, &mut desk, &mut tally, &mut times, tell);
            let failed = done.is_err();
            let news =
                done.map_or_else(|found| News::Failed(Box::new(found)), |groups| News::Turn(number, groups));
            if tell.send(news).is_err() || failed {
                break;
            }
        }
        self.work.settle(desk, &mut tally);
        (tally, times)
    }

    /// The next parts, once there is a permit for them.
    fn take(&self) -> Option<(u64, Vec<PartReader>)> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.0.recv().ok()?;
        let parts = self.parts.take_rows(if self.encoder.is_some() { TURN_ROWS } else { 1 });
        if parts.is_empty() {
            return None;
        }
        turns.1 += 1;
        Some((turns.1 - 1, parts))
    }

    fn turn(
        &self,
        parts: Vec<PartReader>,
        desk: &mut Desk,
        tally: &mut Tally,
        times: &mut Times,
        tell: &Sender<News>,
    ) -> Result<Vec<EncodedGroup>, Diagnostic> {
        let mut groups = Vec::new();
        let mut group: Option<Group> = None;
        let mut told = Untold::default();
        for mut part in parts {
            let context = self.work.context.as_ref();
            let first = context.and_then(|context| context.first_rows().get(part.number()).copied());
            let mut first_row = first.unwrap_or(0);
            loop {
                let start = Instant::now();
                let next = part.next();
                times.read += start.elapsed();
                let Some(batch) = next else { break };
                if self.stop.requested().is_some() {
                    return Ok(Vec::new());
                }
                let start = Instant::now();
                let output = self.work.one(first_row, &batch, desk, tally)?;
                first_row += batch.num_rows();
                times.evaluate += start.elapsed();
                told.rows += batch.num_rows() as u64;
                told.tell(tell, TELL_ROWS);
                let start = Instant::now();
                self.encode(output, &mut group, &mut groups)?;
                times.write += start.elapsed();
            }
        }
        told.tell(tell, 1);
        if let (Some(encoder), Some(group)) = (&self.encoder, group) {
            let start = Instant::now();
            groups.push(encoder.finish(group)?);
            times.write += start.elapsed();
        }
        Ok(groups)
    }

    fn encode(
        &self,
        output: Option<RecordBatch>,
        group: &mut Option<Group>,
        groups: &mut Vec<EncodedGroup>,
    ) -> Result<(), Diagnostic> {
        let (Some(encoder), Some(output)) = (&self.encoder, output) else { return Ok(()) };
        let mut filling = match group.take() {
            Some(group) => group,
            None => encoder.group()?,
        };
        encoder.add(&mut filling, &output)?;
        if filling.rows() >= 2 * ROW_GROUP {
            groups.push(encoder.finish(filling)?);
        } else {
            *group = Some(filling);
        }
        Ok(())
    }
}

fn write(
    news: &Receiver<News>,
    permits: &Sender<()>,
    mut sink: Option<&mut dyn Sink>,
    stop: &Stop,
    progress: &mut dyn FnMut(u64),
    times: &mut Times,
) -> Result<(), Halt> {
    let mut early: BTreeMap<u64, Vec<EncodedGroup>> = BTreeMap::new();
    let (mut next, mut rows) = (0, 0);
    loop {
        if let Some(signal) = stop.requested() {
            return Err(Halt::Stopped(signal));
        }
        match news.recv_timeout(GLANCE) {
            Ok(News::Rows(more)) => rows += more,
            Ok(News::Turn(number, groups)) => {
                early.insert(number, groups);
            }
            Ok(News::Failed(found)) => return Err(Halt::Found(found)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        while let Some(groups) = early.remove(&next) {
            next += 1;
            let start = Instant::now();
            if let Some(sink) = sink.as_deref_mut() {
                for group in groups {
                    sink.write_group(group)?;
                }
            }
            times.write += start.elapsed();
            // The last threads may have gone home already.
            let _ = permits.send(());
        }
        progress(rows);
    }
}
