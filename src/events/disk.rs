//! Batches on disk, in files without a name that vanish with the process.

use crate::diagnostic::{Diagnostic, codes::data};
use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use std::fs::File;
use std::io::{BufReader, BufWriter, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

/// What went wrong with a temporary file.
pub(super) fn failed(cause: impl std::fmt::Display) -> Diagnostic {
    let folder = std::env::temp_dir();
    let message = format!("cannot keep what does not fit in memory in `{}`: {cause}", folder.display());
    Diagnostic::placeless(data::SPILL_FAILED, message)
        .help("free space there, name another folder in `TMPDIR`, or give `--memory` a larger size")
}

/// Batches of one schema, written one after the other, then read as often as one likes.
pub(super) struct Spool {
    writer: Option<StreamWriter<BufWriter<File>>>,
    file: File,
}

impl Spool {
    /// An empty one for batches like this.
    pub fn new(like: &RecordBatch) -> Result<Spool, Diagnostic> {
        let file = tempfile::tempfile().map_err(failed)?;
        let buffered = BufWriter::with_capacity(1 << 16, file.try_clone().map_err(failed)?);
        let writer = StreamWriter::try_new(buffered, &like.schema()).map_err(failed)?;
        Ok(Spool { writer: Some(writer), file })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic> {
        match &mut self.writer {
            Some(writer) => writer.write(batch).map_err(failed),
            None => Err(failed("the file is complete already")),
        }
    }

    /// Nothing more will be written.
    pub fn close(&mut self) -> Result<(), Diagnostic> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        writer.finish().map_err(failed)?;
        writer.into_inner().map_err(failed)?.flush().map_err(failed)
    }

    /// All batches in their order. Only one can read at a time.
    pub fn read(
        &mut self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, Diagnostic>> + use<>, Diagnostic> {
        self.close()?;
        let mut file = self.file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let reader = StreamReader::try_new(BufReader::with_capacity(1 << 18, file), None).map_err(failed)?;
        Ok(reader.map(|batch| batch.map_err(failed)))
    }
}

/// Batches of any schema, each to be found again by its place.
pub(super) struct Shelf {
    file: Mutex<File>,
}

/// A batch's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shelved {
    start: u64,
    length: usize,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

impl Shelf {
    pub fn new() -> Result<Shelf, Diagnostic> {
        Ok(Shelf { file: Mutex::new(tempfile::tempfile().map_err(failed)?) })
    }

    pub fn put(&self, batch: &RecordBatch) -> Result<Shelved, Diagnostic> {
        let mut bytes = Vec::new();
        let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).map_err(failed)?;
        writer.write(batch).and_then(|()| writer.finish()).map_err(failed)?;
        drop(writer);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let start = file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        Ok(Shelved { start, length: bytes.len() })
    }

    pub fn get(&self, place: Shelved) -> Result<RecordBatch, Diagnostic> {
        let mut bytes = vec![0; place.length];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(place.start)).map_err(failed)?;
            file.read_exact(&mut bytes).map_err(failed)?;
        }
        let mut reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(failed)?;
        reader.next().ok_or_else(|| failed("a part is missing"))?.map_err(failed)
    }
}
