//! From what a user names (a file, a folder, a pattern) to the files of one table.

use super::store::{self, Location};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use std::path::{Path, PathBuf};

/// The formats that can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Parquet,
    Csv,
    JsonLines,
    Arrow,
}

/// How a text file is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
}

/// One file of a table.
#[derive(Clone, Debug)]
pub(super) struct DataFile {
    pub location: Location,
    /// As it is named in messages.
    pub shown: String,
    pub format: Format,
    pub packing: Packing,
    /// Size in bytes.
    pub bytes: u64,
    /// `key=value` folders on the way, outermost first; the value is none for Hive's null.
    pub partitions: Vec<(String, Option<String>)>,
}

/// How the name of every file that can be read ends.
pub const KNOWN_ENDINGS: &str = "`.parquet`, `.csv`, `.jsonl`, `.ndjson` (these three also packed: `.gz`, `.zst`), `.arrow`, `.feather`, `.arrows`";

/// How deep folders are followed.
const MOST_FOLDERS: usize = 32;

/// What Hive writes for a missing value in a folder's name.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

pub(super) fn format_of(path: &Path) -> Option<(Format, Packing)> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let (name, packing) = if let Some(name) = name.strip_suffix(".gz") {
        (name, Packing::Gzip)
    } else if let Some(name) = name.strip_suffix(".zst") {
        (name, Packing::Zstd)
    } else {
        (name.as_str(), Packing::None)
    };
    let format = match name.rsplit_once('.')?.1 {
        "csv" => Format::Csv,
        "jsonl" | "ndjson" => Format::JsonLines,
        "parquet" if packing == Packing::None => Format::Parquet,
        "arrow" | "feather" | "arrows" if packing == Packing::None => Format::Arrow,
        _ => return None,
    };
    Some((format, packing))
}

/// A finding, at the place of the table's declaration where the path is written there.
pub(super) fn finding(code: crate::diagnostic::Code, place: Option<Span>, message: String) -> Diagnostic {
    match place {
        Some(place) => Diagnostic::new(code, place, message),
        None => Diagnostic::placeless(code, message),
    }
}

fn unreadable(place: Option<Span>, shown: &str, error: &std::io::Error) -> Diagnostic {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    finding(codes::UNREADABLE, place, format!("cannot read `{shown}`: {why}"))
}

/// The files of the table at `path`: a file, all files under a folder that can be read, or those
/// that fit a pattern, on a disk or (a URL) in an object store; sorted by name. `place` is where the path is written, if it is.
pub(super) fn resolve(path: &str, place: Option<Span>) -> Result<Vec<DataFile>, Diagnostic> {
    if store::is_url(path) {
        return store::resolve(path, place);
    }
    let whole = Path::new(path);
    match std::fs::metadata(whole) {
        Ok(metadata) if metadata.is_dir() => {
            let mut found = Vec::new();
            walk(whole, &mut found, MOST_FOLDERS).map_err(|error| unreadable(place, path, &error))?;
            let files = collect(found, whole, place)?;
            if files.is_empty() {
                let message = format!("the folder `{path}` has no file that can be read in it");
                return Err(finding(codes::NO_DATA, place, message).help(known_endings()));
            }
            Ok(files)
        }
        Ok(metadata) => {
            let Some((format, packing)) = format_of(whole) else {
                return Err(unknown_format(path, place));
            };
            Ok(vec![DataFile {
                location: Location::Local(whole.to_path_buf()),
                shown: path.to_owned(),
                format,
                packing,
                bytes: metadata.len(),
                partitions: Vec::new(),
            }])
        }
        Err(error) if is_pattern(path) && error.kind() == std::io::ErrorKind::NotFound => {
            pattern(path, place)
        }
        Err(error) => Err(unreadable(place, path, &error)),
    }
}

pub(super) fn unknown_format(path: &str, place: Option<Span>) -> Diagnostic {
    finding(codes::UNKNOWN_FORMAT, place, format!("`{path}` ends in no format that can be read"))
        .help(known_endings())
}

pub(super) fn known_endings() -> String {
    format!("names of files that can be read end in {KNOWN_ENDINGS}")
}

/// Whether a name stands for all that fit it.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Whether a folder's own affairs are in what has this name: no part of a table.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

fn pattern(path: &str, place: Option<Span>) -> Result<Vec<DataFile>, Diagnostic> {
    let paths = glob::glob(path).map_err(|error| {
        finding(
            codes::UNREADABLE,
            place,
            format!("`{path}` is no pattern that can be followed: {}", error.msg),
        )
    })?;
    let mut found = Vec::new();
    let mut folders = Vec::new();
    for entry in paths {
        let entry = entry.map_err(|error| unreadable(place, path, error.error()))?;
        if entry.is_dir() { folders.push(entry) } else { found.push(entry) }
    }
    for folder in folders {
        walk(&folder, &mut found, MOST_FOLDERS).map_err(|error| unreadable(place, path, &error))?;
    }
    found.sort();
    found.dedup();
    let (first, any) = (found.first().cloned(), !found.is_empty());
    // Partition folders count from the part of the pattern that is fixed.
    let fixed: PathBuf = Path::new(path)
        .components()
        .take_while(|part| !is_pattern(&part.as_os_str().to_string_lossy()))
        .collect();
    let files = collect(found, &fixed, place)?;
    match first {
        Some(first) if any && files.is_empty() => Err(unknown_format(&first.to_string_lossy(), place)),
        _ if files.is_empty() => Err(finding(codes::NO_DATA, place, format!("no file fits `{path}`"))),
        _ => Ok(files),
    }
}

/// All files under a folder, hidden ones (`.x`, `_x`) left out.
fn walk(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| is_hidden(&name.to_string_lossy())) {
            continue;
        }
        if path.is_dir() {
            if let Some(depth) = depth.checked_sub(1) {
                walk(&path, found, depth)?;
            }
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Keeps the files of known formats, in order of their names, with the columns in their folders.
fn collect(mut paths: Vec<PathBuf>, root: &Path, place: Option<Span>) -> Result<Vec<DataFile>, Diagnostic> {
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let Some((format, packing)) = format_of(&path) else { continue };
        let shown = path.to_string_lossy().replace('\\', "/");
        let metadata = std::fs::metadata(&path).map_err(|error| unreadable(place, &shown, &error))?;
        let partitions = partitions(path.strip_prefix(root).unwrap_or(&path));
        files.push(DataFile {
            location: Location::Local(path),
            shown,
            format,
            packing,
            bytes: metadata.len(),
            partitions,
        });
    }
    Ok(files)
}

pub(super) fn partitions(path: &Path) -> Vec<(String, Option<String>)> {
    let Some(folder) = path.parent() else { return Vec::new() };
    folder
        .components()
        .filter_map(|part| {
            let part = part.as_os_str().to_string_lossy();
            let (key, value) = part.split_once('=')?;
            let value = (value != HIVE_NULL).then(|| unescape(value));
            Some((unescape(key), value))
        })
        .collect()
}

/// Undoes `%2F` and its kin.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
