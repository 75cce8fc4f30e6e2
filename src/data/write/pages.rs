//! Column chunks of a Parquet file from what evaluation gives: bitmaps, codes of a list of texts, and the
//! keys of its rows.
//!
//! A PLAIN page of booleans is the bitmap itself, and a page of a dictionary is its codes, packed to
//! as few bits as they need ([`super::texts`]). Both are written as they are, where a general writer
//! would look at each value. The layout of pages is that of the Parquet format, version 1 of data pages.

use super::bitmaps::Bitmap;
use super::deltas::Deltas;
use super::lists::Lists;
use super::texts::Texts;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use std::cell::RefCell;
use zstd::bulk::Compressor;

/// Rows of a page: a bitmap of 16 KiB.
pub(super) const PAGE_ROWS: usize = 128 * 1024;

/// A column chunk, ready to be copied into a row group.
pub struct Chunk {
    /// Its pages.
    pub bytes: Bytes,
    /// What the footer says of it.
    pub close: ColumnCloseResult,
}

/// A column in the making.
pub enum Column {
    /// Booleans, none missing.
    Bits(Bitmap),
    /// Texts of a short list, or of a long one.
    Texts(Box<Texts>),
    /// Lists of texts of a short list.
    Lists(Box<Lists>),
    /// Whole numbers, none missing.
    Whole(Box<Deltas>),
}

impl Column {
    /// An empty column of booleans.
    pub fn bits() -> Column {
        Column::Bits(Bitmap::new())
    }

    /// An empty column of whole numbers.
    pub fn whole(descriptor: &ColumnDescPtr) -> Column {
        Column::Whole(Box::new(Deltas::new(descriptor)))
    }

    /// An empty column of texts.
    pub fn texts(descriptor: &ColumnDescPtr) -> Column {
        Column::Texts(Box::new(Texts::new(descriptor.max_def_level() > 0)))
    }

    /// An empty column of lists.
    pub fn lists() -> Column {
        Column::Lists(Box::default())
    }

    /// Adds rows. The array is a [`BooleanArray`] without nulls, a dictionary of texts, or lists of such.
    pub fn append(&mut self, array: &ArrayRef) -> Result<()> {
        match self {
            Column::Bits(bits) => {
                let array: &BooleanArray =
                    array.as_boolean_opt().ok_or_else(|| unfit("a column of booleans"))?;
                bits.append(array.values());
                Ok(())
            }
            Column::Texts(texts) => {
                texts.append(array.as_dictionary_opt().ok_or_else(|| unfit("a dictionary"))?)
            }
            Column::Lists(lists) => lists.append(array.as_list_opt().ok_or_else(|| unfit("lists"))?),
            Column::Whole(numbers) => {
                let array = array.as_primitive_opt::<Int64Type>().filter(|array| array.null_count() == 0);
                numbers.append(array.ok_or_else(|| unfit("whole numbers"))?.values())
            }
        }
    }

    /// The chunk of all rows.
    pub fn finish(self, descriptor: &ColumnDescPtr) -> Result<Chunk> {
        match self {
            Column::Bits(bits) => bits.finish(descriptor),
            Column::Texts(texts) => texts.finish(descriptor),
            Column::Lists(lists) => lists.finish(descriptor),
            Column::Whole(numbers) => numbers.finish(),
        }
    }
}

pub(super) fn unfit(wanted: &str) -> ParquetError {
    ParquetError::General(format!("a batch has not {wanted} where the file has"))
}

/// A data page that is still to be squeezed.
pub(super) struct Body {
    pub encoding: Encoding,
    /// Rows.
    pub rows: usize,
    /// Values, missing ones and empty lists included.
    pub values: usize,
    pub bytes: Bytes,
}

/// A bitmap's bytes, its first bit lowest.
pub(super) fn bytes_of(bits: &BooleanBuffer) -> Vec<u8> {
    let mut bytes: Vec<u8> = bits.sliced().as_slice().to_vec();
    bytes.truncate(bits.len().div_ceil(8));
    let rest = bits.len() % 8;
    if rest > 0
        && let Some(last) = bytes.last_mut()
    {
        *last &= (1u8 << rest) - 1;
    }
    bytes
}

/// A text as a PLAIN page has it: its length in bytes, then itself.
pub(super) fn plain_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(text.as_bytes());
}

/// The pages of a chunk, one after the other.
pub(super) struct Pages {
    descriptor: ColumnDescPtr,
    sink: TrackedWrite<Vec<u8>>,
    squeeze: Squeeze,
    rows: usize,
    values: usize,
    uncompressed: usize,
    dictionary: Option<u64>,
    data: Option<u64>,
    encodings: Vec<Encoding>,
    index: OffsetIndexBuilder,
}

/// Whether a chunk's pages are squeezed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Squeeze {
    /// Best.
    Zstandard,
    /// Quickly.
    Snappy,
    /// They are not.
    No,
}

impl Squeeze {
    /// What pages like that one are worth.
    pub fn of(page: &[u8]) -> Result<Squeeze> {
        let small = squeeze(page)?.len();
        // What loses less than a third is left as it is: writing it takes less time, and so does reading it.
        Ok(if small + page.len() / 3 < page.len() { Squeeze::Zstandard } else { Squeeze::No })
    }
}

/// The fastest of its own levels; codes gain nothing from a slower one.
const LEVEL: i32 = 1;

pub(super) fn snappy(body: &[u8]) -> Result<Vec<u8>> {
    SNAPPY.with_borrow_mut(|encoder| {
        encoder.compress_vec(body).map_err(|error| ParquetError::External(Box::new(error)))
    })
}

thread_local! {
    /// A compressor is large and pages are many.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static SNAPPY: RefCell<snap::raw::Encoder> = RefCell::new(snap::raw::Encoder::new());
}

fn squeeze(body: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(body)
    })
}

impl Pages {
    /// No pages yet.
    pub fn new(descriptor: ColumnDescPtr, squeeze: Squeeze) -> Pages {
        Pages {
            descriptor,
            sink: TrackedWrite::new(Vec::new()),
            squeeze,
            rows: 0,
            values: 0,
            uncompressed: 0,
            dictionary: None,
            data: None,
            encodings: vec![Encoding::RLE],
            index: OffsetIndexBuilder::new(),
        }
    }

    /// Adds the list of texts that codes stand for; before all data.
    pub fn dictionary(&mut self, texts: &[String]) -> Result<()> {
        let mut body = Vec::new();
        for text in texts {
            plain_text(&mut body, text);
        }
        let size = body.len();
        let page = Page::DictionaryPage {
            buf: self.squeezed(body.into())?,
            num_values: u32::try_from(texts.len()).unwrap_or(u32::MAX),
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.encodings.push(Encoding::PLAIN);
        self.dictionary = Some(self.write(page, size)?.0);
        Ok(())
    }

    /// Adds rows.
    pub fn data(&mut self, body: Body) -> Result<()> {
        let Body { encoding, rows, values, bytes } = body;
        let size = bytes.len();
        let page = Page::DataPage {
            buf: self.squeezed(bytes)?,
            num_values: u32::try_from(values).unwrap_or(u32::MAX),
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let (offset, written) = self.write(page, size)?;
        self.data.get_or_insert(offset);
        self.index.append_row_count(i64::try_from(rows).unwrap_or(i64::MAX));
        self.index.append_offset_and_size(
            i64::try_from(offset).unwrap_or(i64::MAX),
            i32::try_from(written).unwrap_or(i32::MAX),
        );
        self.rows += rows;
        self.values += values;
        if !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
        Ok(())
    }

    /// Makes room for so many bytes, if they are not squeezed.
    pub fn expect(&mut self, bytes: usize) {
        if self.squeeze == Squeeze::No {
            // Headers of pages are short.
            self.sink.inner_mut().reserve(bytes + bytes / 256 + 256);
        }
    }

    fn squeezed(&self, body: Bytes) -> Result<Bytes> {
        match self.squeeze {
            Squeeze::Zstandard => Ok(squeeze(&body)?.into()),
            Squeeze::Snappy => snappy(&body).map(Bytes::from),
            Squeeze::No => Ok(body),
        }
    }

    /// Says where it begins and how long it is.
    fn write(&mut self, page: Page, size: usize) -> Result<(u64, u64)> {
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(CompressedPage::new(page, size))?;
        self.uncompressed += spec.uncompressed_size;
        Ok((spec.offset, spec.bytes_written))
    }

    /// The chunk.
    pub fn finish(self, statistics: Statistics) -> Result<Chunk> {
        let bytes: Bytes = self.sink.into_inner()?.into();
        let compression = match self.squeeze {
            Squeeze::Zstandard => Compression::ZSTD(ZstdLevel::try_new(LEVEL)?),
            Squeeze::Snappy => Compression::SNAPPY,
            Squeeze::No => Compression::UNCOMPRESSED,
        };
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let offset = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let metadata = ColumnChunkMetaData::builder(self.descriptor)
            .set_compression(compression)
            .set_encodings(self.encodings)
            .set_num_values(number(self.values))
            .set_total_compressed_size(number(bytes.len()))
            .set_total_uncompressed_size(number(self.uncompressed))
            .set_dictionary_page_offset(self.dictionary.map(offset))
            .set_data_page_offset(offset(self.data.unwrap_or_default()))
            .set_statistics(statistics)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(self.index.build()),
        };
        Ok(Chunk { bytes, close })
    }
}
