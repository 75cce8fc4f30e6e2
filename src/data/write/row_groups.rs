//! Parquet files. Row groups are encoded apart from the file, by as many threads as there are, and
//! copied into it in their order.

use super::pages::{self, Chunk};
use super::target::{Buffered, Target, Trouble, buffered, settle};
use super::{Sink, SinkOptions};
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescPtr};
use std::path::Path;
use std::sync::Arc;

/// Rows of one row group, as long as rows come one batch after the other.
pub const ROW_GROUP: usize = 512 * 1024;

/// A Parquet file in the making.
pub struct Parquet {
    state: State,
    encoder: Arc<Encoder>,
    /// The row group that [`Sink::write`] fills.
    group: Option<Group>,
    trouble: Trouble,
}

enum State {
    Open(Box<SerializedFileWriter<Buffered>>),
    Closed(Target),
    Gone,
}

/// Makes row groups for one file; any thread may.
pub struct Encoder {
    schema: SchemaRef,
    descriptor: SchemaDescPtr,
    writers: ArrowRowGroupWriterFactory,
    roads: Vec<Road>,
    /// By column, how many leaves it has and the first of them.
    leaves: Vec<(usize, usize)>,
    trouble: Trouble,
}

/// How a column is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Road {
    /// A bitmap's own bytes.
    Bits,
    /// Texts as codes.
    Texts,
    /// Lists of texts as codes.
    Lists,
    /// Whole numbers as differences.
    Whole,
    /// Value by value.
    General,
}

/// A row group in the making.
pub struct Group {
    columns: Vec<Column>,
    rows: usize,
}

enum Column {
    Own(pages::Column),
    /// With a writer for each leaf.
    General(Vec<ArrowColumnWriter>),
}

/// A row group that is ready to be copied into its file.
pub struct EncodedGroup {
    chunks: Vec<EncodedChunk>,
}

enum EncodedChunk {
    Own(Box<Chunk>),
    General(Box<ArrowColumnChunk>),
}

impl Parquet {
    /// Opens the file.
    pub fn open(
        path: &Path,
        schema: &SchemaRef,
        options: &SinkOptions,
    ) -> std::result::Result<Self, Diagnostic> {
        let (buffer, trouble) = buffered(path)?;
        let metadata = options.metadata.iter().map(|(k, v)| KeyValue::new(k.clone(), v.clone())).collect();
        let mut properties = WriterProperties::builder()
            .set_created_by(format!("strata {}", env!("CARGO_PKG_VERSION")))
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(Some(metadata));
        // Keys are all different: a dictionary of them would be work for nothing.
        if let Some(key) = schema.fields().first() {
            let column = ColumnPath::new(vec![key.name().clone()]);
            properties = properties.set_column_dictionary_enabled(column, false);
        }
        let open = || {
            let writer = ArrowWriter::try_new(buffer, schema.clone(), Some(properties.build()))?;
            writer.into_serialized_writer()
        };
        let (file, writers) = open().map_err(|error| trouble.finding(&error))?;
        let descriptor: SchemaDescPtr = Arc::new(file.schema_descr().clone());
        let encoder = Encoder {
            schema: schema.clone(),
            writers,
            leaves: leaves(&descriptor, schema.fields().len()),
            roads: roads(schema),
            descriptor,
            trouble: trouble.clone(),
        };
        Ok(Parquet { state: State::Open(Box::new(file)), encoder: Arc::new(encoder), group: None, trouble })
    }

    fn append(&mut self, group: EncodedGroup) -> Result<()> {
        let State::Open(file) = &mut self.state else { return Ok(()) };
        let mut row_group = file.next_row_group()?;
        for chunk in group.chunks {
            match chunk {
                EncodedChunk::Own(chunk) => row_group.append_column(&chunk.bytes, chunk.close)?,
                EncodedChunk::General(chunk) => chunk.append_to_row_group(&mut row_group)?,
            }
        }
        row_group.close()?;
        Ok(())
    }

    fn flush(&mut self) -> std::result::Result<(), Diagnostic> {
        match self.group.take() {
            Some(group) => {
                let group = self.encoder.finish(group)?;
                self.write_group(group)
            }
            None => Ok(()),
        }
    }
}

/// By column, how many leaves it has and the first of them: leaves stand in the order of the columns.
fn leaves(descriptor: &SchemaDescPtr, columns: usize) -> Vec<(usize, usize)> {
    let mut leaves = vec![(0, 0); columns];
    for leaf in 0..descriptor.num_columns() {
        if let Some((count, first)) = leaves.get_mut(descriptor.get_column_root_idx(leaf)) {
            if *count == 0 {
                *first = leaf;
            }
            *count += 1;
        }
    }
    leaves
}

/// Whether these are codes of texts.
fn is_texts(ty: &DataType) -> bool {
    matches!(ty, DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8)
}

/// How each column is encoded. The first is the key; other numbers than keys seldom ascend.
fn roads(schema: &SchemaRef) -> Vec<Road> {
    let fields = schema.fields().iter().enumerate();
    let roads = fields.map(|(at, field)| match (at, field.data_type(), field.is_nullable()) {
        (0, DataType::Int64, false) => Road::Whole,
        (_, ty, nullable) => road(ty, nullable),
    });
    roads.collect()
}

fn road(ty: &DataType, nullable: bool) -> Road {
    match ty {
        DataType::Boolean if !nullable => Road::Bits,
        ty if is_texts(ty) => Road::Texts,
        DataType::List(item) if !nullable && !item.is_nullable() && is_texts(item.data_type()) => Road::Lists,
        _ => Road::General,
    }
}

impl Sink for Parquet {
    fn write(&mut self, batch: &RecordBatch) -> std::result::Result<(), Diagnostic> {
        let mut group = match self.group.take() {
            Some(group) => group,
            None => self.encoder.group()?,
        };
        self.encoder.add(&mut group, batch)?;
        let full = group.rows >= ROW_GROUP;
        self.group = Some(group);
        if full { self.flush() } else { Ok(()) }
    }

    fn encoder(&self) -> Option<Arc<Encoder>> {
        Some(self.encoder.clone())
    }

    fn write_group(&mut self, group: EncodedGroup) -> std::result::Result<(), Diagnostic> {
        self.append(group).map_err(|error| self.trouble.finding(&error))
    }

    fn close(&mut self) -> std::result::Result<(), Diagnostic> {
        self.flush()?;
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Open(file) => {
                let buffer = file.into_inner().map_err(|error| self.trouble.finding(&error))?;
                State::Closed(settle(buffer, &self.trouble)?)
            }
            other => other,
        };
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> std::result::Result<(), Diagnostic> {
        self.close()?;
        match self.state {
            State::Closed(target) => target.publish(),
            State::Open(_) | State::Gone => Ok(()),
        }
    }
}

impl Group {
    /// How many rows it has so far.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl Encoder {
    /// An empty row group.
    ///
    /// # Errors
    /// E0642, as for all that a sink does.
    pub fn group(&self) -> std::result::Result<Group, Diagnostic> {
        self.new_group().map_err(|error| self.trouble.finding(&error))
    }

    /// Adds rows to a row group.
    ///
    /// # Errors
    /// E0642.
    pub fn add(&self, group: &mut Group, batch: &RecordBatch) -> std::result::Result<(), Diagnostic> {
        self.append(group, batch).map_err(|error| self.trouble.finding(&error))
    }

    /// The row group as it goes into the file.
    ///
    /// # Errors
    /// E0642.
    pub fn finish(&self, group: Group) -> std::result::Result<EncodedGroup, Diagnostic> {
        self.encode(group).map_err(|error| self.trouble.finding(&error))
    }

    fn new_group(&self) -> Result<Group> {
        let mut leaves = match self.roads.contains(&Road::General) {
            true => self.writers.create_column_writers(0)?.into_iter(),
            false => Vec::new().into_iter(),
        };
        let mut columns = Vec::with_capacity(self.roads.len());
        for (road, (count, leaf)) in self.roads.iter().zip(&self.leaves) {
            let writers = leaves.by_ref().take(*count).collect();
            columns.push(match road {
                Road::Bits => Column::Own(pages::Column::bits()),
                Road::Lists => Column::Own(pages::Column::lists()),
                Road::Whole => Column::Own(pages::Column::whole(&self.descriptor.column(*leaf))),
                Road::Texts => Column::Own(pages::Column::texts(&self.descriptor.column(*leaf))),
                Road::General => Column::General(writers),
            });
        }
        Ok(Group { columns, rows: 0 })
    }

    fn append(&self, group: &mut Group, batch: &RecordBatch) -> Result<()> {
        let fields = self.schema.fields().iter();
        for ((column, array), field) in group.columns.iter_mut().zip(batch.columns()).zip(fields) {
            match column {
                Column::Own(column) => column.append(array)?,
                Column::General(writers) => {
                    for (writer, leaf) in writers.iter_mut().zip(compute_leaves(field, array)?) {
                        writer.write(&leaf)?;
                    }
                }
            }
        }
        group.rows += batch.num_rows();
        Ok(())
    }

    fn encode(&self, group: Group) -> Result<EncodedGroup> {
        let mut chunks = Vec::with_capacity(group.columns.len());
        for (column, (_, leaf)) in group.columns.into_iter().zip(&self.leaves) {
            match column {
                Column::Own(column) => {
                    chunks.push(EncodedChunk::Own(Box::new(column.finish(&self.descriptor.column(*leaf))?)));
                }
                Column::General(writers) => {
                    for writer in writers {
                        chunks.push(EncodedChunk::General(Box::new(writer.close()?)));
                    }
                }
            }
        }
        Ok(EncodedGroup { chunks })
    }
}
