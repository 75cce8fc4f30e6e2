//! One part of a table, batch by batch.

use super::Part;
use super::source::{Raw, RawOptions, batches};
use super::table::{BoundTable, Conversions};
use crate::data::bad_values::BadValues;
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;

/// A part that is being read.
pub(super) struct Scan {
    file: usize,
    raw: Raw,
    /// A raw batch that is too long for one, and from which row on it is still to be done.
    rest: Option<RecordBatch>,
    /// Rows that were given out.
    done: u64,
    conversions: Conversions,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("file", &self.file).field("done", &self.done).finish_non_exhaustive()
    }
}

impl Scan {
    pub fn open(bound: &BoundTable, part: &Part) -> Result<Option<Scan>, Diagnostic> {
        let Some(file) = bound.files.get(part.file) else { return Ok(None) };
        let options = RawOptions {
            delimiter: bound.options.delimiter,
            batch_rows: bound.options.batch_rows,
            threads: bound.threads_of_a_part(),
            progress: bound.bytes_read.clone(),
        };
        let raw = batches(bound, file, part, &options)?;
        Ok(Some(Scan { file: part.file, raw, rest: None, done: 0, conversions: bound.conversions() }))
    }

    /// The next rows, at most as many as a batch may have; bad values go to `counted`.
    pub fn next(
        &mut self,
        bound: &BoundTable,
        counted: &mut Vec<BadValues>,
    ) -> Result<Option<RecordBatch>, Diagnostic> {
        loop {
            let raw = match self.rest.take() {
                Some(rest) => rest,
                None => match self.raw.rows.next().transpose()? {
                    Some(batch) => batch,
                    None => return Ok(None),
                },
            };
            if raw.num_rows() == 0 {
                continue;
            }
            let most = bound.options.batch_rows;
            let raw = if raw.num_rows() > most {
                self.rest = Some(raw.slice(most, raw.num_rows() - most));
                raw.slice(0, most)
            } else {
                raw
            };
            let before = self.done;
            self.done += raw.num_rows() as u64;
            let place = (&self.raw.numbers, before);
            return bound.convert(self.file, place, &raw, &mut self.conversions, counted).map(Some);
        }
    }
}
