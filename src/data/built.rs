//! A checked program as a file: what CI validated is what production runs.
//!
//! The file is JSON: its format's number, a hash over all the rest, the program, its facts (lookups
//! and calendar) and its texts, so that `why` can show a rule as it was written. Loading refuses
//! another format, a hash that does not fit, and a program that could not have been built.

use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Sources};
use crate::program::{Program, Value};
use crate::semantics::{Facts, LookupFacts};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// The number of this form of file.
pub const FORMAT: u32 = 1;

/// A program that was loaded.
#[derive(Clone, Debug)]
pub struct Built {
    /// The program.
    pub program: Program,
    /// Its lookups and calendar as they were when it was built.
    pub facts: Facts,
    /// Its texts.
    pub sources: Sources,
}

#[derive(Serialize, Deserialize)]
struct File {
    strata: Version,
    hash: String,
    program: Program,
    facts: FactsFile,
    sources: Vec<Text>,
}

#[derive(Serialize, Deserialize)]
struct Version {
    format: u32,
    version: String,
}

#[derive(Serialize, Deserialize)]
struct Text {
    path: String,
    text: String,
}

/// Facts in a fixed order.
#[derive(Serialize, Deserialize)]
struct FactsFile {
    lookups: Vec<Vec<(Value, Vec<Value>)>>,
    calendar: Vec<(i32, bool)>,
}

impl From<&Facts> for FactsFile {
    fn from(facts: &Facts) -> Self {
        let lookups = facts
            .lookups
            .iter()
            .map(|lookup| {
                let mut rows: Vec<(Value, Vec<Value>)> =
                    lookup.rows.iter().map(|(key, row)| (key.clone(), row.clone())).collect();
                rows.sort_by(|(a, _), (b, _)| {
                    crate::semantics::compare::order(a, b).unwrap_or(std::cmp::Ordering::Equal)
                });
                rows
            })
            .collect();
        let mut calendar: Vec<(i32, bool)> = facts.calendar.iter().map(|(day, is)| (*day, *is)).collect();
        calendar.sort_unstable();
        FactsFile { lookups, calendar }
    }
}

impl From<FactsFile> for Facts {
    fn from(file: FactsFile) -> Self {
        Facts {
            lookups: file
                .lookups
                .into_iter()
                .map(|rows| LookupFacts { rows: rows.into_iter().collect() })
                .collect(),
            calendar: file.calendar.into_iter().collect(),
        }
    }
}

impl File {
    /// `sha256:` and the digest of all that makes a difference.
    fn digest(&self) -> String {
        let json = serde_json::to_vec(&(&self.program, &self.facts, &self.sources)).unwrap_or_default();
        let mut text = "sha256:".to_owned();
        for byte in Sha256::digest(&json) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// Writes a program, whole or not at all; gives its hash.
///
/// # Errors
/// E0651 where the file cannot be written.
pub fn save(path: &Path, program: &Program, facts: &Facts, sources: &Sources) -> Result<String, Diagnostic> {
    let mut file = File {
        strata: Version { format: FORMAT, version: env!("CARGO_PKG_VERSION").to_owned() },
        hash: String::new(),
        program: program.clone(),
        facts: facts.into(),
        sources: sources
            .iter()
            .map(|file| Text { path: file.path.clone(), text: file.text.clone() })
            .collect(),
    };
    file.hash = file.digest();
    let hash = file.hash.clone();
    let cannot = |error: std::io::Error| {
        Diagnostic::placeless(codes::BUILT_NOT_WRITTEN, format!("cannot write `{}`: {error}", path.display()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let json = serde_json::to_vec_pretty(&file).map_err(|error| cannot(error.into()))?;
    beside.write_all(&json).and_then(|()| beside.as_file().sync_all()).map_err(cannot)?;
    beside.persist(path).map_err(|error| cannot(error.error))?;
    Ok(hash)
}

/// Reads a built program.
///
/// # Errors
/// E0652 where it cannot be read, is of another format, was changed by hand or is not sound.
pub fn load(path: &Path) -> Result<Built, Diagnostic> {
    let shown = path.display();
    let refuse = |reason: String| {
        Diagnostic::placeless(codes::BUILT_NOT_READ, format!("cannot run `{shown}`: {reason}"))
    };
    let rebuild = "build it again from the rule file: `strata build rules.seg -o rules.ir.json`";
    let json = std::fs::read(path).map_err(|error| {
        refuse(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })
    })?;
    #[derive(Deserialize)]
    struct Head {
        strata: Version,
    }
    let head: Head = serde_json::from_slice(&json)
        .map_err(|_| refuse("it is no program that `strata build` wrote".to_owned()).help(rebuild))?;
    if head.strata.format != FORMAT {
        return Err(refuse(format!(
            "it has format {} (written by strata {}), and this version of strata reads format {FORMAT}",
            head.strata.format, head.strata.version
        ))
        .help(rebuild));
    }
    let file: File = serde_json::from_slice(&json)
        .map_err(|error| refuse(format!("it is damaged near line {}", error.line())).help(rebuild))?;
    if file.digest() != file.hash {
        return Err(refuse("it was changed after it was built".to_owned()).help(rebuild));
    }
    crate::program::validate(&file.program)
        .map_err(|fault| refuse(format!("it is no sound program: {fault}")).help(rebuild))?;
    if file.facts.lookups.len() != file.program.lookups.len() {
        return Err(refuse("its lookups are not all there".to_owned()).help(rebuild));
    }
    let mut sources = Sources::new();
    for text in file.sources {
        sources.add(text.path, text.text);
    }
    Ok(Built { program: file.program, facts: file.facts.into(), sources })
}
