//! One object of a store.

use super::Opened;
use super::blocks::Reader;
use super::connect::{Store, wait};
use super::words::{Fault, Kind};
use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt};
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::{NamedTempFile, TempPath};

/// An object as it was found; shared by all who read it.
#[derive(Clone, Debug)]
pub(in super::super) struct Stored(Arc<Object>);

#[derive(Debug)]
struct Object {
    store: Store,
    key: Key,
    bytes: u64,
    /// Names the content, where the store says so: a later one is not mixed with it.
    tag: Option<String>,
    /// Whether its server gives the whole of it and no parts.
    whole: bool,
    failure: Mutex<Option<String>>,
    copy: Mutex<Option<TempPath>>,
}

/// A copy is fetched in steps of so many bytes.
const STEP: u64 = 8 << 20;

impl Stored {
    /// An object that was found.
    pub(super) fn new(store: &Store, found: ObjectMeta) -> Stored {
        Stored::with(store, found, false)
    }

    /// An object of a web server, of which not each gives parts.
    pub(super) fn of_web(store: &Store, found: ObjectMeta) -> Result<Stored, Fault> {
        match Stored::new(store, found.clone()).fetch(0..found.size.min(1)) {
            Ok(_) => Ok(Stored::new(store, found)),
            Err(fault) if fault.kind == Kind::WholeOnly => Ok(Stored::with(store, found, true)),
            Err(fault) => Err(fault),
        }
    }

    fn with(store: &Store, found: ObjectMeta, whole: bool) -> Stored {
        // A weak tag names no bytes.
        let tag = found.e_tag.filter(|tag| !tag.starts_with("W/"));
        Stored(Arc::new(Object {
            store: store.clone(),
            key: found.location,
            bytes: found.size,
            tag,
            whole,
            failure: Mutex::default(),
            copy: Mutex::default(),
        }))
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Why the store stopped giving bytes, where it did.
    pub fn failure(&self) -> Option<String> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens it: to be read by parts, or a copy where its server gives none.
    pub fn open(&self) -> io::Result<Opened> {
        if self.0.whole {
            return self.copy().map(Opened::Local);
        }
        Ok(Opened::Stored(Reader::new(self.clone())))
    }

    /// The bytes of a range.
    pub(super) fn fetch(&self, range: Range<u64>) -> Result<Bytes, Fault> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let object = &self.0;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: object.tag.clone(),
            ..GetOptions::default()
        };
        wait(async { object.store.inner.get_opts(&object.key, options).await?.bytes().await })
    }

    /// Notes that the store stopped giving bytes.
    pub(super) fn fail(&self, fault: &Fault) -> io::Error {
        let mut failure = self.0.failure.lock().unwrap_or_else(PoisonError::into_inner);
        *failure = Some(fault.why.clone());
        io::Error::other(fault.why.clone())
    }

    /// A copy on this machine's disk, made once; it is gone when nobody knows the object any more.
    pub fn copy(&self) -> io::Result<File> {
        let mut copy = self.0.copy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*copy {
            return File::open(path);
        }
        let mut file = tempfile::Builder::new().prefix("strata-").tempfile()?;
        self.copy_to(&mut file)?;
        let path = file.into_temp_path();
        let opened = File::open(&path);
        *copy = Some(path);
        opened
    }

    fn copy_to(&self, file: &mut NamedTempFile) -> io::Result<()> {
        if self.0.whole {
            return self.whole(file);
        }
        let mut at = 0;
        while at < self.bytes() {
            let end = self.bytes().min(at + STEP);
            match self.fetch(at..end) {
                Ok(bytes) if bytes.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => {
                    file.write_all(&bytes)?;
                    at += bytes.len() as u64;
                }
                Err(fault) => return Err(self.fail(&fault)),
            }
        }
        Ok(())
    }

    /// Everything in one long answer.
    fn whole(&self, file: &mut NamedTempFile) -> io::Result<()> {
        use futures_util::TryStreamExt;
        let object = &self.0;
        let mut answer = wait(async { Ok(object.store.inner.get(&object.key).await?.into_stream()) })
            .map_err(|fault| self.fail(&fault))?;
        while let Some(bytes) = wait(answer.try_next()).map_err(|fault| self.fail(&fault))? {
            file.write_all(&bytes)?;
        }
        Ok(())
    }
}
