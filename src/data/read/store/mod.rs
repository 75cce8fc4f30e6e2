//! Where the bytes of a file lie: on a disk of this machine or, with the feature `cloud`, in an
//! object store. Every format reads from an [`Opened`] and does not know which.

#[cfg(feature = "cloud")]
mod blocks;
#[cfg(feature = "cloud")]
mod connect;
#[cfg(feature = "cloud")]
mod listing;
#[cfg(feature = "cloud")]
mod object;
#[cfg(feature = "cloud")]
mod words;

#[cfg(feature = "cloud")]
pub(super) use listing::resolve;

use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// The schemes of URLs that a build with object stores reads.
#[cfg(feature = "cloud")]
pub const KNOWN_SCHEMES: &str = "`s3://`, `gs://`, `az://`, `https://`, `http://`";

/// Whether a path is a URL (`scheme://…`), which no folder stands before.
pub fn is_url(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| {
        let mut letters = scheme.chars();
        // A single letter is a drive.
        scheme.len() > 1
            && letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
    })
}

/// Where a file lies.
#[derive(Clone, Debug)]
pub(super) enum Location {
    /// On a disk.
    Local(PathBuf),
    /// In an object store.
    #[cfg(feature = "cloud")]
    Stored(object::Stored),
}

impl Location {
    /// Opens the file, to be read from its start to its end or here and there.
    pub fn open(&self) -> io::Result<Opened> {
        match self {
            Location::Local(path) => File::open(path).map(Opened::Local),
            #[cfg(feature = "cloud")]
            Location::Stored(object) => object.open(),
        }
    }

    /// Opens the file where nearly all of it will be read in many small steps: a copy on this
    /// machine's disk, if it lies elsewhere.
    pub fn open_near(&self) -> io::Result<Opened> {
        match self {
            Location::Local(_) => self.open(),
            #[cfg(feature = "cloud")]
            Location::Stored(object) => object.copy().map(Opened::Local),
        }
    }

    /// Why the store stopped giving bytes, where it did: then the file is not at fault.
    pub fn failure(&self) -> Option<String> {
        match self {
            Location::Local(_) => None,
            #[cfg(feature = "cloud")]
            Location::Stored(object) => object.failure(),
        }
    }
}

/// The bytes of a file.
pub(super) enum Opened {
    Local(File),
    #[cfg(feature = "cloud")]
    Stored(blocks::Reader),
}

impl Opened {
    /// Tells which column chunks there are: a store is then asked for each that is needed in one
    /// request, and for no other.
    #[cfg_attr(not(feature = "cloud"), expect(unused_variables, reason = "a disk needs no plan"))]
    pub fn by_chunks(self, metadata: &ParquetMetaData) -> Opened {
        match self {
            Opened::Local(_) => self,
            #[cfg(feature = "cloud")]
            Opened::Stored(reader) => Opened::Stored(reader.by_chunks(metadata)),
        }
    }
}

impl Opened {
    /// Fills these bytes with those from a place on, where the file lies on a disk and the system reads any
    /// place of it; says whether it has.
    #[cfg_attr(not(unix), expect(unused_variables, reason = "no place of a file is read there"))]
    pub fn fill(&self, bytes: &mut [u8], start: u64) -> io::Result<bool> {
        match self {
            #[cfg(unix)]
            Opened::Local(file) => {
                std::os::unix::fs::FileExt::read_exact_at(file, bytes, start).map(|()| true)
            }
            #[cfg(not(unix))]
            Opened::Local(_) => Ok(false),
            #[cfg(feature = "cloud")]
            Opened::Stored(_) => Ok(false),
        }
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Opened::Local(file) => file.read(buffer),
            #[cfg(feature = "cloud")]
            Opened::Stored(reader) => reader.read(buffer),
        }
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Opened::Local(file) => file.seek(to),
            #[cfg(feature = "cloud")]
            Opened::Stored(reader) => reader.seek(to),
        }
    }
}

impl Length for Opened {
    fn len(&self) -> u64 {
        match self {
            Opened::Local(file) => file.len(),
            #[cfg(feature = "cloud")]
            Opened::Stored(reader) => reader.len(),
        }
    }
}

impl ChunkReader for Opened {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> ::parquet::errors::Result<Box<dyn Read>> {
        match self {
            Opened::Local(file) => file.get_read(start).map(|read| Box::new(read) as Box<dyn Read>),
            #[cfg(feature = "cloud")]
            Opened::Stored(reader) => Ok(Box::new(reader.from(start))),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> ::parquet::errors::Result<Bytes> {
        match self {
            Opened::Local(file) => file.get_bytes(start, length),
            #[cfg(feature = "cloud")]
            Opened::Stored(reader) => reader.exactly(start, length).map_err(Into::into),
        }
    }
}

/// The files at a URL; this build reads none.
#[cfg(not(feature = "cloud"))]
pub(super) fn resolve(
    url: &str,
    place: Option<crate::diagnostic::Span>,
) -> Result<Vec<super::files::DataFile>, crate::diagnostic::Diagnostic> {
    let message = format!("`{url}` is in an object store, which this build of Strata does not read");
    Err(super::files::finding(crate::diagnostic::codes::data::NO_STORES, place, message).help(
        "the published binaries read object stores; a build of your own does with `--features cloud`; \
         or copy the data here and name the copy",
    ))
}
