//! Arrow files.

use super::dictionary::Dictionaries;
use super::target::{Buffered, Target, Trouble, buffered, settle};
use super::{Sink, SinkOptions, with_metadata};
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use std::path::Path;

/// Either still taking rows, or on the disk and waiting for its name.
enum State<W> {
    Open(W),
    Closed(Target),
    Gone,
}

impl<W> State<W> {
    fn publish(self) -> Result<(), Diagnostic> {
        match self {
            State::Closed(target) => target.publish(),
            State::Open(_) | State::Gone => Ok(()),
        }
    }
}

macro_rules! sink {
    ($name:ident, $inner:ty, $into_inner:expr) => {
        /// A sink of that kind.
        pub struct $name {
            state: State<$inner>,
            trouble: Trouble,
            /// For formats in which a dictionary may only grow.
            dictionaries: Option<Dictionaries>,
        }

        impl Sink for $name {
            fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic> {
                match &mut self.state {
                    State::Open(writer) => match &mut self.dictionaries {
                        Some(known) => {
                            known.grown(batch).map_err(Box::<dyn std::error::Error>::from).and_then(|batch| {
                                writer.write(&batch).map_err(Box::<dyn std::error::Error>::from)
                            })
                        }
                        None => writer.write(batch).map_err(Box::<dyn std::error::Error>::from),
                    }
                    .map_err(|error| self.trouble.finding(&error)),
                    _ => Ok(()),
                }
            }

            fn close(&mut self) -> Result<(), Diagnostic> {
                let into_inner: fn($inner) -> Result<Buffered, Box<dyn std::error::Error>> = $into_inner;
                self.state = match std::mem::replace(&mut self.state, State::Gone) {
                    State::Open(writer) => {
                        let buffer = into_inner(writer).map_err(|e| self.trouble.finding(&e))?;
                        State::Closed(settle(buffer, &self.trouble)?)
                    }
                    other => other,
                };
                Ok(())
            }

            fn finish(mut self: Box<Self>) -> Result<(), Diagnostic> {
                self.close()?;
                self.state.publish()
            }
        }
    };
}

sink!(ArrowFile, FileWriter<Buffered>, |mut writer| {
    writer.finish()?;
    Ok(writer.into_inner()?)
});
sink!(ArrowStream, StreamWriter<Buffered>, |mut writer| {
    writer.finish()?;
    Ok(writer.into_inner()?)
});

fn ipc_options(trouble: &Trouble) -> Result<IpcWriteOptions, Diagnostic> {
    IpcWriteOptions::default()
        .with_dictionary_handling(DictionaryHandling::Delta)
        .try_with_compression(Some(CompressionType::LZ4_FRAME))
        .map_err(|error| trouble.finding(&error))
}

impl ArrowFile {
    pub fn open(path: &Path, schema: &SchemaRef, options: &SinkOptions) -> Result<Self, Diagnostic> {
        let (buffer, trouble) = buffered(path)?;
        let schema = with_metadata(schema, options);
        let writer = FileWriter::try_new_with_options(buffer, &schema, ipc_options(&trouble)?)
            .map_err(|error| trouble.finding(&error))?;
        Ok(ArrowFile { state: State::Open(writer), trouble, dictionaries: Some(Dictionaries::default()) })
    }
}

impl ArrowStream {
    pub fn open(path: &Path, schema: &SchemaRef, options: &SinkOptions) -> Result<Self, Diagnostic> {
        let (buffer, trouble) = buffered(path)?;
        let schema = with_metadata(schema, options);
        let writer = StreamWriter::try_new_with_options(buffer, &schema, ipc_options(&trouble)?)
            .map_err(|error| trouble.finding(&error))?;
        Ok(ArrowStream { state: State::Open(writer), trouble, dictionaries: Some(Dictionaries::default()) })
    }
}
