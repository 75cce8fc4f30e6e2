//! From a URL to the files of one table: an object, all that lie under a prefix, or those that fit
//! a pattern; by the same rules as on a disk.

use super::super::files::{
    self, DataFile, finding, format_of, is_hidden, is_pattern, known_endings, unknown_format,
};
use super::Location;
use super::connect::{Address, connect, wait};
use super::object::Stored;
use super::words::{self, Fault, Kind};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use futures_util::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStoreExt};
use std::path::Path;

/// The files of the table at a URL, sorted by name.
pub(in super::super) fn resolve(url: &str, place: Option<Span>) -> Result<Vec<DataFile>, Diagnostic> {
    let address = connect(url, place)?;
    let fail = |fault| words::finding(url, place, fault);
    if !address.lists {
        return web(&address, url, place).map(|file| vec![file]);
    }
    if is_pattern(&address.key) {
        return pattern(&address, url, place);
    }
    if !address.key.is_empty() && !address.key.ends_with('/') {
        match address.find() {
            Ok(found) => {
                let file = address.file(found, "").ok_or_else(|| unknown_format(url, place))?;
                return Ok(vec![DataFile { partitions: Vec::new(), ..file }]);
            }
            Err(fault) if fault.kind == Kind::Missing => {}
            Err(fault) => return Err(fail(fault)),
        }
    }
    folder(&address, url, place)
}

impl Address {
    /// The object that the key names.
    fn find(&self) -> Result<ObjectMeta, Fault> {
        let key = Key::parse(&self.key).map_err(|error| words::of(&error.into()))?;
        wait(async { self.store.inner.head(&key).await })
    }

    /// All objects whose keys begin with these folders.
    fn list(&self, folder: &str) -> Result<Vec<ObjectMeta>, Fault> {
        let prefix = Key::parse(folder).map_err(|error| words::of(&error.into()))?;
        let prefix = (!prefix.as_ref().is_empty()).then_some(prefix);
        let mut found: Vec<ObjectMeta> =
            wait(async { self.store.inner.list(prefix.as_ref()).try_collect().await })?;
        // In the order that paths on a disk have: folder by folder.
        found.sort_by(|a, b| Path::new(a.location.as_ref()).cmp(Path::new(b.location.as_ref())));
        Ok(found)
    }

    /// An object as a file of a table, if its format is known; folders under `root` may be columns.
    fn file(&self, found: ObjectMeta, root: &str) -> Option<DataFile> {
        let key = found.location.to_string();
        let path = Path::new(&key);
        let (format, packing) = format_of(path)?;
        Some(DataFile {
            shown: format!("{}{key}", self.store.root),
            format,
            packing,
            bytes: found.size,
            partitions: files::partitions(path.strip_prefix(root).unwrap_or(path)),
            location: Location::Stored(Stored::new(&self.store, found)),
        })
    }
}

/// A file of a web server, which has neither folders nor patterns.
fn web(address: &Address, url: &str, place: Option<Span>) -> Result<DataFile, Diagnostic> {
    let fail = |fault| words::finding(url, place, fault);
    let shown = words::shown(url);
    let key = Key::from_url_path(&address.key).map_err(|error| fail(words::of(&error.into())))?;
    let Some((format, packing)) = format_of(Path::new(key.as_ref())) else {
        return Err(unknown_format(shown, place));
    };
    let found = wait(async { address.store.inner.head(&key).await }).map_err(fail)?;
    let bytes = found.size;
    let object = Stored::of_web(&address.store, found).map_err(fail)?;
    let location = Location::Stored(object);
    Ok(DataFile { location, shown: shown.to_owned(), format, packing, bytes, partitions: Vec::new() })
}

/// All files under a folder that can be read.
fn folder(address: &Address, url: &str, place: Option<Span>) -> Result<Vec<DataFile>, Diagnostic> {
    let found = address.list(&address.key).map_err(|fault| words::finding(url, place, fault))?;
    if found.is_empty() {
        let fault = Fault::of("there is no such object or folder".to_owned());
        return Err(words::finding(url, place, fault));
    }
    let root = address.key.trim_end_matches('/');
    let files: Vec<DataFile> = found
        .into_iter()
        .filter(|object| {
            let key = Path::new(object.location.as_ref());
            !key.strip_prefix(root).unwrap_or(key).iter().any(|part| is_hidden(&part.to_string_lossy()))
        })
        .filter_map(|object| address.file(object, root))
        .collect();
    if files.is_empty() {
        let message = format!("the folder `{url}` has no file that can be read in it");
        return Err(finding(codes::NO_DATA, place, message).help(known_endings()));
    }
    Ok(files)
}

/// The files that fit a pattern, and those under folders that do.
fn pattern(address: &Address, url: &str, place: Option<Span>) -> Result<Vec<DataFile>, Diagnostic> {
    let pattern = Pattern::new(address.key.trim_end_matches('/')).map_err(|error| {
        let message = format!("`{url}` is no pattern that can be followed: {}", error.msg);
        finding(codes::UNREADABLE, place, message)
    })?;
    // Partition folders count from the part of the pattern that is fixed.
    let fixed: Vec<&str> = address.key.split('/').take_while(|part| !is_pattern(part)).collect();
    let fixed = fixed.join("/");
    let found = address.list(&fixed).map_err(|fault| words::finding(url, place, fault))?;
    let fitting: Vec<ObjectMeta> =
        found.into_iter().filter(|object| fits(&pattern, object.location.as_ref())).collect();
    let Some(first) = fitting.first().map(|object| format!("{}{}", address.store.root, object.location))
    else {
        return Err(finding(codes::NO_DATA, place, format!("no file fits `{url}`")));
    };
    let files: Vec<DataFile> =
        fitting.into_iter().filter_map(|object| address.file(object, &fixed)).collect();
    if files.is_empty() { Err(unknown_format(&first, place)) } else { Ok(files) }
}

/// Whether a key fits a pattern, or lies openly under a folder that does.
fn fits(pattern: &Pattern, key: &str) -> bool {
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
    let mut hidden = false;
    let mut part = key;
    loop {
        if pattern.matches_with(part, options) {
            return !hidden;
        }
        let Some((folder, name)) = part.rsplit_once('/') else { return false };
        hidden |= is_hidden(name);
        part = folder;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_objects_and_what_lies_under_folders() {
        let fits = |pattern: &str, key: &str| fits(&Pattern::new(pattern).unwrap(), key);
        assert!(fits("a/*.csv", "a/x.csv"));
        assert!(!fits("a/*.csv", "a/b/x.csv"));
        assert!(fits("a/**/*.csv", "a/b/c/x.csv"));
        assert!(fits("a/day=*", "a/day=1/x.csv"));
        assert!(!fits("a/day=*", "a/day=1/_temporary/x.csv"));
        assert!(fits("a/*.csv", "a/_x.csv"), "named by the pattern itself");
        assert!(!fits("a/*.csv", "b/x.csv"));
    }
}
