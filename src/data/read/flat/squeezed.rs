//! Pages squeezed by Zstandard, unsqueezed into memory that is used again: a page is gone once its rows are
//! read, and the next one needs as much. The state of a decompressor is larger than most pages, so each
//! thread has one.

use super::damage;
use super::spare::Memory;
use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::page::Page;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use std::cell::RefCell;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

thread_local! {
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Unsqueezes the pages of a chunk, one after the other.
pub struct Unsqueezer {
    /// The memory of the last page.
    last: Memory,
    /// Bytes of all pages of the chunk: no page has more.
    most: usize,
}

impl Unsqueezer {
    /// For a chunk that Zstandard has squeezed: what a reader of pages is to be told, that it leave them
    /// as they are, and who unsqueezes them. None where somebody else has.
    pub fn of(chunk: &ColumnChunkMetaData) -> Result<Option<(ColumnChunkMetaData, Unsqueezer)>> {
        if !matches!(chunk.compression(), Compression::ZSTD(_)) {
            return Ok(None);
        }
        let most = usize::try_from(chunk.uncompressed_size()).unwrap_or(0);
        let raw = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        Ok(Some((raw, Unsqueezer { last: Memory::default(), most })))
    }

    /// The memory of the last page, for whoever needs that page longer than until the next one.
    pub fn last(&mut self) -> Memory {
        std::mem::take(&mut self.last)
    }

    /// The page as it was before it was squeezed.
    pub fn page(&mut self, mut page: Page) -> Result<Page> {
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = self.bytes(buf, 0)?,
            // Levels stand before what is squeezed.
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, is_compressed, .. } => {
                if *is_compressed {
                    let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
                    *buf = self.bytes(buf, levels)?;
                }
            }
        }
        Ok(page)
    }

    /// The first bytes as they are, and the others unsqueezed.
    fn bytes(&mut self, squeezed: &[u8], as_they_are: usize) -> Result<Bytes> {
        let cut = || damage("a page that is cut off");
        let (before, squeezed) = squeezed.split_at_checked(as_they_are).ok_or_else(cut)?;
        let room = match get_frame_content_size(squeezed) {
            _ if squeezed.is_empty() => 0,
            Ok(Some(size)) => usize::try_from(size).unwrap_or(usize::MAX).min(self.most),
            // It does not say.
            _ => self.most,
        };
        let size = before.len() + room;
        // The page before is gone, and this one may have its memory.
        drop(self.last());
        let mut bytes = Memory::room(size);
        let (start, rest) = bytes.split_at_mut(before.len());
        start.copy_from_slice(before);
        let unsqueezed = match rest.get_mut(..room) {
            Some(rest) if room > 0 => unsqueeze(squeezed, rest)?,
            _ => 0,
        };
        self.last = Memory::filled(bytes);
        Ok(self.last.slice(..before.len() + unsqueezed))
    }
}

/// How many bytes there were.
fn unsqueeze(squeezed: &[u8], out: &mut [u8]) -> Result<usize> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor
            .decompress_to_buffer(squeezed, out)
            .map_err(|error| damage(&format!("a page that cannot be unsqueezed: {error}")))
    })
}
