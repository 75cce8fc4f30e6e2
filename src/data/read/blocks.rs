//! Text files in blocks of whole rows: one thread cuts, several parse, and the batches come in the
//! order of the file.

use super::files::DataFile;
use super::source::{RawBatches, guarded};
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A block has about so many bytes.
const BLOCK_BYTES: usize = 1 << 21;
/// The longest row that is read.
pub(super) const MOST_ROW_BYTES: usize = 64 << 20;

/// Some whole rows of a file.
pub(super) struct Block {
    pub bytes: Vec<u8>,
    /// Lines of the file before it.
    pub lines: u64,
}

/// What a format knows of its rows.
pub(super) trait Rows: Send + Sync {
    /// How many bytes at the front of these, which begin with a row, are whole rows.
    fn whole(&self, bytes: &[u8]) -> Option<usize>;
    /// That the row after so many lines does not end.
    fn endless(&self, lines: u64) -> Diagnostic;
    /// That reading failed somewhere after so many lines.
    fn failed(&self, lines: u64, error: &std::io::Error) -> Diagnostic;
    /// The rows of a block.
    fn parse(&self, block: &Block) -> Parsed;
}

/// The rows of a block, up to the first that is damaged.
#[derive(Default)]
pub(super) struct Parsed {
    pub batches: Vec<RecordBatch>,
    pub problem: Option<Diagnostic>,
}

/// Cuts a file into blocks.
pub(super) struct Blocks<R> {
    rows: Arc<dyn Rows>,
    reader: R,
    rest: Vec<u8>,
    lines: u64,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub fn new(rows: Arc<dyn Rows>, reader: R) -> Self {
        Blocks { rows, reader, rest: Vec::new(), lines: 0, ended: false }
    }

    fn block(&mut self) -> Result<Option<Block>, Diagnostic> {
        let mut wanted = BLOCK_BYTES;
        loop {
            let missing = wanted.saturating_sub(self.rest.len()) as u64;
            let count = (&mut self.reader)
                .take(missing)
                .read_to_end(&mut self.rest)
                .map_err(|error| self.rows.failed(self.lines, &error))?;
            let end = if (count as u64) < missing {
                self.ended = true;
                Some(self.rest.len())
            } else {
                self.rows.whole(&self.rest)
            };
            match end {
                Some(0) => return Ok(None),
                Some(end) => {
                    let rest = self.rest.split_off(end);
                    let bytes = std::mem::replace(&mut self.rest, rest);
                    let lines = self.lines;
                    self.lines += memchr::memchr_iter(b'\n', &bytes).count() as u64;
                    return Ok(Some(Block { bytes, lines }));
                }
                None if wanted >= MOST_ROW_BYTES => return Err(self.rows.endless(self.lines)),
                None => wanted *= 2,
            }
        }
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Result<Block, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.block().transpose();
        self.ended |= !matches!(next, Some(Ok(_)));
        next
    }
}

/// The batches of a file's blocks, parsed by so many threads where there is more than one block.
pub(super) fn batches<R: Read + Send + 'static>(
    file: &DataFile,
    rows: Arc<dyn Rows>,
    reader: R,
    threads: usize,
) -> RawBatches {
    let mut blocks = Blocks::new(rows.clone(), reader);
    let first = blocks.next();
    let file = file.clone();
    let parse = move |block: Result<Block, Diagnostic>| match block {
        Ok(block) => guarded(&file, || Ok(rows.parse(&block))).unwrap_or_else(Parsed::from),
        Err(problem) => Parsed::from(problem),
    };
    let small = blocks.ended;
    let all = first.into_iter().chain(blocks);
    match small || threads < 2 {
        true => Box::new(all.map(parse).flat_map(Parsed::into_batches)),
        false => Box::new(in_parallel(all, parse, threads).flat_map(Parsed::into_batches)),
    }
}

impl From<Diagnostic> for Parsed {
    fn from(problem: Diagnostic) -> Self {
        Parsed { batches: Vec::new(), problem: Some(problem) }
    }
}

impl Parsed {
    fn into_batches(self) -> impl Iterator<Item = Result<RecordBatch, Diagnostic>> {
        self.batches.into_iter().map(Ok).chain(self.problem.map(Err))
    }
}

/// Applies a function to what comes, in several threads, and gives the results in order. Only a few
/// are under way; the threads end when nobody takes the results any more.
fn in_parallel<T, U, F>(items: impl Iterator<Item = T> + Send + 'static, f: F, threads: usize) -> InOrder<U>
where
    T: Send + 'static,
    U: Send + 'static,
    F: Fn(T) -> U + Send + Sync + 'static,
{
    let (job, jobs) = sync_channel::<(T, SyncSender<U>)>(threads);
    let (promise, promises) = sync_channel::<Receiver<U>>(threads);
    let jobs = Arc::new(Mutex::new(jobs));
    let f = Arc::new(f);
    for _ in 0..threads {
        let (jobs, f) = (jobs.clone(), f.clone());
        thread::spawn(move || {
            loop {
                let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((item, result)) = next else { break };
                // Nobody may want it any more.
                let _ = result.send(f(item));
            }
        });
    }
    thread::spawn(move || {
        for item in items {
            let (result, kept) = sync_channel(1);
            if promise.send(kept).is_err() || job.send((item, result)).is_err() {
                break;
            }
        }
    });
    InOrder(promises)
}

struct InOrder<U>(Receiver<Receiver<U>>);

impl<U> Iterator for InOrder<U> {
    type Item = U;

    fn next(&mut self) -> Option<U> {
        self.0.recv().ok()?.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let found: Vec<u64> = in_parallel(
            0..1000_u64,
            |number| {
                if number % 7 == 0 {
                    thread::yield_now();
                }
                number * 2
            },
            3,
        )
        .collect();
        assert_eq!(found, (0..1000).map(|number| number * 2).collect::<Vec<_>>());
        let mut some = in_parallel(0_u64.., |number| number, 2);
        assert_eq!(some.next(), Some(0));
    }
}
