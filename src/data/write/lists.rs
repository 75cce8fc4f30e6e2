//! A Parquet column chunk of lists of texts that come as dictionaries: the segments that a user is in.
//! Where a list begins and whether it has items are bitmaps, as the format has it; items are codes.

use super::dictionary::Grown;
use super::pages::{Body, Chunk, PAGE_ROWS, Pages, Squeeze, unfit};
use super::texts::{levels, packed};
use arrow::array::{Array, AsArray, BooleanBufferBuilder, ListArray};
use arrow::datatypes::Int32Type;
use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

/// Rows that are added at a time.
const STEP: usize = 16 * 1024;

/// A column of lists in the making; neither lists nor items are missing.
pub struct Lists {
    /// The texts that codes stand for.
    texts: Grown,
    pages: Vec<Body>,
    /// Of the page in the making: lists.
    rows: usize,
    /// By item or empty list: whether it goes on with the list before it.
    goes_on: BooleanBufferBuilder,
    /// By item or empty list: whether it is an item.
    items: BooleanBufferBuilder,
    codes: Vec<i32>,
}

impl Default for Lists {
    fn default() -> Self {
        Lists {
            texts: Grown::default(),
            pages: Vec::new(),
            rows: 0,
            goes_on: BooleanBufferBuilder::new(0),
            items: BooleanBufferBuilder::new(0),
            codes: Vec::new(),
        }
    }
}

impl Lists {
    /// Adds rows.
    pub fn append(&mut self, array: &ListArray) -> Result<()> {
        for start in (0..array.len()).step_by(STEP) {
            self.add(&array.slice(start, STEP.min(array.len() - start)))?;
            if self.items.len() >= PAGE_ROWS {
                self.page();
            }
        }
        Ok(())
    }

    fn add(&mut self, array: &ListArray) -> Result<()> {
        let place = |at: &i32| usize::try_from(*at).unwrap_or_default();
        let offsets = array.value_offsets();
        let (first, last) = (offsets.first().map_or(0, place), offsets.last().map_or(0, place));
        let items = array.values().slice(first, last - first);
        let items = items.as_dictionary_opt::<Int32Type>().ok_or_else(|| unfit("lists of a dictionary"))?;
        self.codes.extend_from_slice(self.texts.column(items)?.keys().values());
        let ends = offsets.iter().skip(1).map(place);
        for (start, end) in offsets.iter().map(place).zip(ends) {
            self.goes_on.append(false);
            self.goes_on.append_n((end - start).saturating_sub(1), true);
            self.items.append_n((end - start).max(1), end > start);
        }
        self.rows += array.len();
        Ok(())
    }

    /// Ends the page in the making.
    fn page(&mut self) {
        let (goes_on, items) = (self.goes_on.finish(), self.items.finish());
        let mut bytes = levels(&goes_on);
        bytes.extend(levels(&items));
        bytes.extend(packed(self.codes.iter().copied(), self.codes.len(), self.texts.texts().len()));
        self.codes.clear();
        let rows = std::mem::take(&mut self.rows);
        self.pages.push(Body {
            encoding: Encoding::RLE_DICTIONARY,
            rows,
            values: items.len(),
            bytes: bytes.into(),
        });
    }

    /// The chunk of all rows.
    pub fn finish(mut self, descriptor: &ColumnDescPtr) -> Result<Chunk> {
        if self.rows > 0 {
            self.page();
        }
        let squeeze = self.pages.first().map_or(Ok(Squeeze::No), |first| Squeeze::of(&first.bytes))?;
        let mut pages = Pages::new(descriptor.clone(), squeeze);
        pages.dictionary(self.texts.texts())?;
        for body in self.pages {
            pages.data(body)?;
        }
        pages.finish(Statistics::byte_array(None, None, None, Some(0), false))
    }
}
