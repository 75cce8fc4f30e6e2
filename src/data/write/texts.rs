//! A Parquet column chunk of texts that come as dictionaries: members of layers, paths of stacks, what
//! plays say. As long as the distinct texts are few, pages hold codes; from then on the texts themselves.

use super::dictionary::Grown;
use super::pages::{Body, Chunk, PAGE_ROWS, Pages, Squeeze, bytes_of, plain_text};
use arrow::array::{Array, AsArray, BooleanBufferBuilder, DictionaryArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int32Type;
use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

/// Bytes that distinct texts may take before a list of them is no gain, and bytes of a page of texts.
const MOST_BYTES: usize = 1 << 20;

/// A column of texts in the making.
#[derive(Default)]
pub struct Texts {
    /// Whether rows may be missing.
    optional: bool,
    /// The texts that codes stand for.
    list: Grown,
    pages: Vec<Body>,
    /// Of the page in the making: which rows are known.
    known: KnownRows,
    /// Their codes; those of missing rows mean nothing.
    codes: Vec<i32>,
    /// The known rows' texts, where pages hold no codes.
    texts: Vec<u8>,
    missing: usize,
}

struct KnownRows(BooleanBufferBuilder);

impl Default for KnownRows {
    fn default() -> Self {
        KnownRows(BooleanBufferBuilder::new(0))
    }
}

impl Texts {
    /// None yet.
    pub fn new(optional: bool) -> Texts {
        Texts { optional, ..Texts::default() }
    }

    /// Adds rows.
    pub fn append(&mut self, array: &DictionaryArray<Int32Type>) -> Result<()> {
        for start in (0..array.len()).step_by(PAGE_ROWS) {
            let rows = PAGE_ROWS.min(array.len() - start);
            let array = array.slice(start, rows);
            if self.in_codes() {
                self.append_codes(&array)?;
            } else {
                self.append_texts(&array);
            }
            if self.known.0.len() >= PAGE_ROWS || self.texts.len() >= MOST_BYTES {
                self.page();
            }
        }
        Ok(())
    }

    /// Whether the page in the making holds codes.
    fn in_codes(&self) -> bool {
        self.list.bytes() <= MOST_BYTES
    }

    fn append_codes(&mut self, array: &DictionaryArray<Int32Type>) -> Result<()> {
        let array = self.list.column(array)?;
        self.codes.extend_from_slice(array.keys().values());
        self.note(&array);
        if !self.in_codes() {
            self.page();
        }
        Ok(())
    }

    fn append_texts(&mut self, array: &DictionaryArray<Int32Type>) {
        let list = array.values().as_string_opt::<i32>();
        for code in array.keys().iter().flatten() {
            let text = usize::try_from(code).ok().zip(list).filter(|(code, list)| *code < list.len());
            plain_text(&mut self.texts, text.map_or("", |(code, list)| list.value(code)));
        }
        self.note(array);
    }

    /// Notes which rows are known.
    fn note(&mut self, array: &DictionaryArray<Int32Type>) {
        self.missing += array.keys().null_count();
        match array.keys().nulls() {
            None => self.known.0.append_n(array.len(), true),
            Some(nulls) => self.known.0.append_buffer(nulls.inner()),
        }
    }

    /// Ends the page in the making.
    fn page(&mut self) {
        let known = self.known.0.finish();
        if known.is_empty() {
            return;
        }
        let mut bytes = if self.optional { levels(&known) } else { Vec::new() };
        let encoding = if self.codes.is_empty() {
            bytes.append(&mut self.texts);
            Encoding::PLAIN
        } else {
            bytes.extend(packed_codes(&self.codes, &known, self.list.texts().len()));
            self.codes.clear();
            Encoding::RLE_DICTIONARY
        };
        self.pages.push(Body { encoding, rows: known.len(), values: known.len(), bytes: bytes.into() });
    }

    /// The chunk of all rows.
    pub fn finish(mut self, descriptor: &ColumnDescPtr) -> Result<Chunk> {
        self.page();
        let squeeze = match self.pages.first() {
            Some(first) if self.in_codes() => Squeeze::of(&first.bytes)?,
            _ => Squeeze::Zstandard,
        };
        let mut pages = Pages::new(descriptor.clone(), squeeze);
        pages.dictionary(self.list.texts())?;
        for body in self.pages {
            pages.data(body)?;
        }
        pages.finish(Statistics::byte_array(None, None, None, Some(self.missing as u64), false))
    }
}

/// Levels of 0 and 1, as a page begins with them: such as which rows are known.
pub(super) fn levels(known: &BooleanBuffer) -> Vec<u8> {
    let mut levels = Vec::new();
    if known.count_set_bits() == known.len() {
        // One run of ones.
        varint(&mut levels, (known.len() as u64) << 1);
        levels.push(1);
    } else {
        packed_header(&mut levels, known.len());
        levels.extend(bytes_of(known));
    }
    let mut body = u32::try_from(levels.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    body.extend(levels);
    body
}

/// The known rows' codes.
fn packed_codes(codes: &[i32], known: &BooleanBuffer, texts: usize) -> Vec<u8> {
    let count = known.count_set_bits();
    match count == codes.len() {
        true => packed(codes.iter().copied(), count, texts),
        false => packed(known.set_indices().filter_map(|row| codes.get(row).copied()), count, texts),
    }
}

/// So many codes of so many texts.
pub(super) fn packed(codes: impl Iterator<Item = i32>, count: usize, texts: usize) -> Vec<u8> {
    let width = width(texts);
    let mut body = vec![width];
    if width == 0 {
        // Nothing to choose from: one run of the only code.
        varint(&mut body, (count as u64) << 1);
    } else {
        packed_header(&mut body, count);
        pack(&mut body, codes, width);
    }
    body
}

/// How many bits a code among so many takes.
fn width(texts: usize) -> u8 {
    u8::try_from(usize::BITS - texts.saturating_sub(1).leading_zeros()).unwrap_or(u8::MAX)
}

/// Says that packed values follow, in groups of eight.
fn packed_header(out: &mut Vec<u8>, values: usize) {
    varint(out, (values.div_ceil(8) as u64) << 1 | 1);
}

/// ULEB128.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes().first().copied().unwrap_or(0) & 0x7f;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// Codes of so many bits each, the first lowest, filled up with zeros to a group of eight.
fn pack(out: &mut Vec<u8>, codes: impl Iterator<Item = i32>, width: u8) {
    let mask = (1u64 << width) - 1;
    let (mut word, mut filled, mut count) = (0u64, 0u32, 0usize);
    for code in codes {
        word |= (u64::from(code.cast_unsigned()) & mask) << filled;
        filled += u32::from(width);
        count += 1;
        if filled >= 32 {
            let [a, b, c, d, ..] = word.to_le_bytes();
            out.extend_from_slice(&[a, b, c, d]);
            word >>= 32;
            filled -= 32;
        }
    }
    let whole = count.div_ceil(8) * usize::from(width);
    let written = (count * usize::from(width) - filled as usize) / 8;
    let rest = word.to_le_bytes().into_iter().chain(std::iter::repeat(0));
    out.extend(rest.take(whole.saturating_sub(written)));
}
