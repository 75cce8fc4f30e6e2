//! Flat columns of Parquet files (numbers, bools, codes of texts), decoded straight into the arrays that
//! evaluation takes. The general reader builds each array from parts of its pages; here levels become a
//! bitmap as they are, and values go to their places at once. Columns of any other kind, and row groups
//! too small to be worth it, are left to the general reader. Where codes are welcome, what the file has as
//! codes stays so: whoever tests values tests each distinct one once.

mod bitmap;
mod column;
mod hybrid;
mod page;
mod spare;
mod spread;
mod squeezed;
mod window;

use super::store::Opened;
use arrow::array::{Array, ArrayRef, DictionaryArray, RecordBatch, RecordBatchOptions, UInt16Array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef, Schema, UInt16Type};
use arrow::error::ArrowError;
use column::{Column, Kind, Pages};
use page::is_coded;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::SchemaDescriptor;
use squeezed::Unsqueezer;
use std::ops::Range;
use std::sync::Arc;
use window::Window;

fn damage(what: &str) -> ParquetError {
    ParquetError::General(format!("a column has {what}"))
}

/// A column that is read here.
#[derive(Clone)]
struct Leaf {
    /// The field of the file that it is the only leaf of.
    field: usize,
    column: usize,
    kind: Kind,
    ty: DataType,
    optional: bool,
    /// Whether its values may come as codes.
    coded: bool,
}

/// Row groups of a file, batch by batch. A batch has rows of one group.
pub struct Rows {
    file: Arc<Opened>,
    footer: ArrowReaderMetadata,
    /// The wanted columns, in the order of the file; none where the general reader reads it.
    columns: Vec<Option<Leaf>>,
    /// The columns that the general reader reads.
    rest: Option<ProjectionMask>,
    schema: Arc<Schema>,
    groups: std::vec::IntoIter<usize>,
    batch_rows: usize,
    zeros: Zeros,
    group: Option<Group>,
    /// The rows of each group that are wanted, where they are not all.
    within: Option<Range<usize>>,
    /// What is not read.
    settled: Vec<Settled>,
    /// What the last batch was like.
    last: Option<Arc<Schema>>,
}

/// Rows of a column that are not read, as nothing turns on their values.
pub struct Settled {
    /// The row group.
    pub group: usize,
    pub field: usize,
    /// Rows of the group, as a batch has them; without them all.
    pub rows: Option<Range<usize>>,
    /// The value that stands for all, as an array of one; of none, where all count as missing.
    pub stand_in: ArrayRef,
}

/// A row group that is being read.
struct Group {
    index: usize,
    /// The next row.
    next: usize,
    /// Rows that are left.
    rows: usize,
    columns: Vec<Source>,
    rest: Option<ParquetRecordBatchReader>,
}

/// Where a column's values come from.
enum Source {
    Pages(Box<Column>),
    StandIn(ArrayRef),
}

impl Source {
    /// The next rows; where a value is given, it stands for theirs.
    fn read(&mut self, rows: usize, stand_in: Option<&ArrayRef>, zeros: &Zeros) -> Result<ArrayRef> {
        match (self, stand_in) {
            (Source::StandIn(value), _) => Ok(zeros.standing_in(value, rows)),
            (Source::Pages(column), None) => column.read(rows, zeros),
            (Source::Pages(column), Some(value)) => {
                column.skip(rows);
                Ok(zeros.standing_in(value, rows))
            }
        }
    }
}

/// One code for many rows, made once for all batches of a file.
#[derive(Clone)]
struct Zeros(ScalarBuffer<u16>);

impl Zeros {
    fn new(rows: usize) -> Zeros {
        Zeros(vec![0; rows].into())
    }

    /// A value for all rows, or none; as many as there are zeros, at most.
    fn standing_in(&self, value: &ArrayRef, rows: usize) -> ArrayRef {
        let nulls = value.is_empty().then(|| NullBuffer::new_null(rows));
        let codes = UInt16Array::new(self.0.slice(0, rows), nulls);
        #[expect(unsafe_code, reason = "the codes need no look")]
        // SAFETY: each code is 0, which stands for the value, or is missing where there is none.
        let array = unsafe { DictionaryArray::<UInt16Type>::new_unchecked(codes, value.clone()) };
        Arc::new(array)
    }
}

impl Rows {
    /// The same rows, without reading these.
    pub fn with_settled(self, settled: Vec<Settled>) -> Rows {
        Rows { settled, ..self }
    }

    /// Only these rows of each row group; they begin where a batch begins.
    pub fn within(self, rows: Option<Range<usize>>) -> Rows {
        Rows { within: rows, ..self }
    }

    /// Reads these fields of these row groups; none where nothing would be gained. Those of `coded` may
    /// come as codes of 16 bits.
    pub fn new(
        file: Opened,
        footer: &ArrowReaderMetadata,
        (fields, coded): (&[usize], &[usize]),
        groups: Vec<usize>,
        batch_rows: usize,
    ) -> std::result::Result<Rows, Opened> {
        let metadata = footer.metadata();
        let rows = groups.iter().filter_map(|group| metadata.row_groups().get(*group));
        let rows: Vec<usize> = rows.map(|group| usize::try_from(group.num_rows()).unwrap_or(0)).collect();
        let large =
            groups.len() == 1 || rows.iter().sum::<usize>() >= groups.len().saturating_mul(batch_rows);
        let natural = parquet_to_arrow_schema(metadata.file_metadata().schema_descr(), None);
        let (true, Ok(natural)) = (large && !fields.is_empty(), natural) else { return Err(file) };
        let mut fields = fields.to_vec();
        fields.sort_unstable();
        fields.dedup();
        let columns: Vec<Option<Leaf>> = fields
            .iter()
            .map(|field| leaf(footer, &natural, (*field, coded.contains(field)), &groups))
            .collect();
        if columns.iter().all(Option::is_none) {
            return Err(file);
        }
        let others = fields.iter().zip(&columns).filter(|(_, leaf)| leaf.is_none()).map(|(field, _)| *field);
        let others: Vec<usize> = others.collect();
        let rest = (!others.is_empty()).then(|| ProjectionMask::roots(footer.parquet_schema(), others));
        let Ok(schema) = footer.schema().project(&fields) else { return Err(file) };
        Ok(Rows {
            file: Arc::new(file),
            footer: footer.clone(),
            columns,
            rest,
            schema: Arc::new(schema),
            groups: groups.into_iter(),
            batch_rows,
            zeros: Zeros::new(rows.into_iter().max().unwrap_or(0).min(batch_rows)),
            group: None,
            within: None,
            settled: Vec::new(),
            last: None,
        })
    }

    fn open(&self, index: usize) -> Result<Group> {
        let group = self.footer.metadata().row_groups().get(index);
        let group = group.ok_or_else(|| damage("no such row group"))?;
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let wanted = self.within.clone().map_or(0..rows, |within| within.start..within.end.min(rows));
        let mut columns = Vec::with_capacity(self.columns.len());
        for leaf in self.columns.iter().flatten() {
            let mut settled =
                self.settled.iter().filter(|rows| (rows.group, rows.field) == (index, leaf.field)).peekable();
            let some = settled.peek().is_some();
            if let Some(whole) = settled.find(|settled| settled.rows.is_none()) {
                columns.push(Source::StandIn(whole.stand_in.clone()));
                continue;
            }
            // Where pages are passed over, it helps to know where they lie.
            let some = some || self.within.is_some();
            let offsets = self.footer.metadata().offset_index().filter(|_| some);
            let pages = offsets.and_then(|offsets| offsets.get(index)?.get(leaf.column));
            let pages = pages.map(|pages| pages.page_locations().clone());
            let chunk = group.columns().get(leaf.column).ok_or_else(|| damage("no data"))?;
            let (start, length) = chunk.byte_range();
            let window = Arc::new(Window::new(self.file.clone(), start..start.saturating_add(length)));
            let (raw, unsqueezer) = Unsqueezer::of(chunk)?.unzip();
            let chunk = raw.as_ref().unwrap_or(chunk);
            let reader = SerializedPageReader::new(window.clone(), chunk, rows, pages)?;
            let pages = Pages { reader: Box::new(reader), window, unsqueezer };
            let how = (leaf.optional, leaf.coded);
            let mut column = Column::new(leaf.kind, leaf.ty.clone(), how, pages);
            column.skip(wanted.start);
            columns.push(Source::Pages(Box::new(column)));
        }
        let rest = self.rest.clone().map(|mask| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(
                Window::new(self.file.clone(), 0..0),
                self.footer.clone(),
            )
            .with_projection(mask)
            .with_row_groups(vec![index])
            .with_offset(wanted.start)
            .with_limit(wanted.len())
            .with_batch_size(self.batch_rows)
            .build()
        });
        Ok(Group { index, next: wanted.start, rows: wanted.len(), columns, rest: rest.transpose()? })
    }

    fn advance(&mut self) -> std::result::Result<Option<RecordBatch>, ArrowError> {
        while self.group.as_ref().is_none_or(|group| group.rows == 0) {
            let Some(index) = self.groups.next() else { return Ok(None) };
            self.group = Some(self.open(index)?);
        }
        let Some(group) = &mut self.group else { return Ok(None) };
        let rows = group.rows.min(self.batch_rows);
        let rest = group.rest.as_mut().map(|rest| rest.next().transpose()).transpose()?.flatten();
        if group.rest.is_some() && rest.as_ref().is_none_or(|rest| rest.num_rows() != rows) {
            return Err(damage("another number of rows than the others").into());
        }
        let mut rest = rest.iter().flat_map(|rest| rest.columns());
        let mut own = group.columns.iter_mut();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let batch = group.next..group.next + rows;
        for leaf in &self.columns {
            arrays.push(match leaf {
                Some(leaf) => {
                    let mut settled = self.settled.iter();
                    let here = settled.find(|settled| {
                        (settled.group, settled.field) == (group.index, leaf.field)
                            && settled.rows.as_ref() == Some(&batch)
                    });
                    let stand_in = here.map(|settled| &settled.stand_in);
                    own.next().ok_or_else(|| damage("no data"))?.read(rows, stand_in, &self.zeros)?
                }
                None => rest.next().cloned().ok_or_else(|| damage("no data"))?,
            });
        }
        group.rows -= rows;
        group.next += rows;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let same = |schema: &Arc<Schema>| {
            schema.fields().iter().zip(&arrays).all(|(field, array)| field.data_type() == array.data_type())
        };
        if let Some(schema) = self.last.clone().filter(same) {
            return RecordBatch::try_new_with_options(schema, arrays, &options).map(Some);
        }
        let fields = self.schema.fields().iter().zip(&arrays);
        // Codes may follow values, and values codes; what is not read may be missing for once.
        let fields = fields.map(|(field, array)| match field.data_type() == array.data_type() {
            true => field.clone(),
            false => {
                let ty = array.data_type().clone();
                Arc::new(field.as_ref().clone().with_data_type(ty).with_nullable(true))
            }
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<FieldRef>>()));
        self.last = Some(schema.clone());
        RecordBatch::try_new_with_options(schema, arrays, &options).map(Some)
    }
}

impl Iterator for Rows {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// The only leaf of a field that is no list and no group.
pub fn only_leaf(schema: &SchemaDescriptor, field: usize) -> Option<usize> {
    let mut leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == field);
    let (leaf, None) = (leaves.next()?, leaves.next()) else { return None };
    let described = schema.column(leaf);
    (described.max_rep_level() == 0 && described.max_def_level() <= 1).then_some(leaf)
}

/// How that field is read here, where it can be. `natural` is the schema that the file's own types have.
fn leaf(
    footer: &ArrowReaderMetadata,
    natural: &Schema,
    (field, coded): (usize, bool),
    groups: &[usize],
) -> Option<Leaf> {
    let schema = footer.parquet_schema();
    let column = only_leaf(schema, field)?;
    let described = schema.column(column);
    let ty = footer.schema().fields().get(field)?.data_type().clone();
    let kind = kind(described.physical_type(), natural.fields().get(field)?.data_type(), &ty)?;
    let metadata = footer.metadata();
    let chunks = groups.iter().map(|group| metadata.row_groups().get(*group)?.columns().get(column));
    let readable = |chunk: Option<&ColumnChunkMetaData>| chunk.is_some_and(|chunk| readable(chunk, kind));
    if !chunks.into_iter().all(readable) {
        return None;
    }
    Some(Leaf { field, column, kind, ty, optional: described.max_def_level() == 1, coded })
}

/// How values of that type lie in the file, where they are as they are wanted.
fn kind(physical: PhysicalType, natural: &DataType, wanted: &DataType) -> Option<Kind> {
    let same = natural == wanted;
    match (physical, wanted) {
        (PhysicalType::BOOLEAN, DataType::Boolean) => Some(Kind::Bool),
        (PhysicalType::INT32, DataType::Int32 | DataType::Date32) if same => Some(Kind::Int32),
        (PhysicalType::INT64, DataType::Int64) if same => Some(Kind::Int64),
        (PhysicalType::INT64, DataType::Timestamp(unit, _)) => match natural {
            DataType::Timestamp(stored, _) if stored == unit => Some(Kind::Int64),
            _ => None,
        },
        (PhysicalType::DOUBLE, DataType::Float64) => Some(Kind::Double),
        (PhysicalType::BYTE_ARRAY, DataType::Dictionary(key, value)) => {
            let texts = **key == DataType::Int32 && **value == DataType::Utf8 && *natural == DataType::Utf8;
            texts.then_some(Kind::Texts)
        }
        _ => None,
    }
}

/// Whether all pages of a chunk are encoded in ways that are known here.
fn readable(chunk: &ColumnChunkMetaData, kind: Kind) -> bool {
    let known = |encoding| match kind {
        Kind::Texts => is_coded(encoding),
        Kind::Bool => matches!(encoding, Encoding::PLAIN | Encoding::RLE),
        Kind::Int32 | Kind::Int64 | Kind::Double => is_coded(encoding) || encoding == Encoding::PLAIN,
    };
    match (chunk.page_encoding_stats_mask(), kind) {
        (Some(pages), _) => pages.encodings().all(known),
        // The encodings of a chunk are those of levels and of dictionaries too.
        (None, Kind::Texts) => false,
        #[expect(deprecated, reason = "levels of old files have it")]
        (None, _) => {
            let of_levels = |encoding| matches!(encoding, Encoding::RLE | Encoding::BIT_PACKED);
            chunk.encodings().all(|encoding| known(encoding) || of_levels(encoding))
        }
    }
}

#[cfg(test)]
mod tests;
