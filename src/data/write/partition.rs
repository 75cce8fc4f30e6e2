//! A folder of Parquet files, one for each value of a column: `out/lifecycle=newcomer/part-0.parquet`.
//! The whole folder is made beside its place and swapped in at the end.

use super::target::{cannot_write, cause, folder_of, sync_folder};
use super::{Format, Sink, SinkOptions, open_file};
use crate::diagnostic::{Diagnostic, codes::data};
use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use indexmap::IndexMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Files that stand open at once; a column with more values is hardly meant as folders.
const MOST: usize = 1000;

/// The folder name that Hive and its kin read as a missing value.
const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// A folder of parts in the making.
pub struct Partitions {
    place: PathBuf,
    folder: TempDir,
    column: usize,
    name: String,
    schema: SchemaRef,
    options: SinkOptions,
    parts: IndexMap<String, Box<dyn Sink>>,
    closed: bool,
}

impl Partitions {
    pub fn open(
        path: &Path,
        schema: &SchemaRef,
        name: &str,
        options: &SinkOptions,
    ) -> Result<Self, Diagnostic> {
        let column = schema.index_of(name).map_err(|_| {
            Diagnostic::placeless(
                data::OUTPUT_PARTS,
                format!("the output has no column `{name}` to divide it by"),
            )
        })?;
        if column == 0 || schema.fields().len() < 2 {
            return Err(Diagnostic::placeless(
                data::OUTPUT_PARTS,
                format!("the key `{name}` is different for every user, so it would give a folder for each"),
            )
            .help("divide by a layer, a grid or a segment"));
        }
        // `out/` and `out` are one place.
        let place: PathBuf = path.components().collect();
        free_or_ours(&place)?;
        let fail = |error: io::Error| cannot_write(path, &cause(&error));
        let folder = tempfile::Builder::new()
            .prefix(".strata-")
            .suffix(".part")
            .tempdir_in(folder_of(&place))
            .map_err(fail)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).map_err(fail)?;
        }
        let mut fields = schema.fields().to_vec();
        fields.remove(column);
        let schema = Arc::new(Schema::new(fields));
        let options = SinkOptions { partition_by: None, ..options.clone() };
        let (name, parts) = (name.to_owned(), IndexMap::new());
        Ok(Partitions { place, folder, column, name, schema, options, parts, closed: false })
    }

    fn part(&mut self, value: &str) -> Result<&mut Box<dyn Sink>, Diagnostic> {
        if !self.parts.contains_key(value) {
            if self.parts.len() == MOST {
                return Err(Diagnostic::placeless(
                    data::OUTPUT_PARTS,
                    format!("`{}` has more than {MOST} values, each of which would be a folder", self.name),
                )
                .help("divide by a layer, a grid or a segment"));
            }
            let folder = self.folder.path().join(format!("{}={}", escaped(&self.name), value));
            fs::create_dir(&folder).map_err(|error| cannot_write(&self.place, &cause(&error)))?;
            let file = folder.join("part-0.parquet");
            let sink = open_file(&file, Format::Parquet, &self.schema, &self.options)?;
            self.parts.insert(value.to_owned(), sink);
        }
        self.parts.get_mut(value).ok_or_else(|| cannot_write(&self.place, "a part is lost"))
    }

    fn swap_in(self) -> Result<(), Diagnostic> {
        let fail = |error: io::Error| cannot_write(&self.place, &cause(&error));
        // Whatever is there goes aside first: a folder cannot be renamed over a full one.
        let aside = tempfile::Builder::new()
            .prefix(".strata-")
            .suffix(".old")
            .tempdir_in(folder_of(&self.place))
            .map_err(fail)?;
        let old = aside.path().join("old");
        let replaced = match fs::rename(&self.place, &old) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(fail(error)),
        };
        if let Err(error) = fs::rename(self.folder.path(), &self.place) {
            if replaced {
                let _ = fs::rename(&old, &self.place);
            }
            return Err(fail(error));
        }
        sync_folder(&self.place);
        Ok(())
    }
}

impl Sink for Partitions {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic> {
        let failed = |error: &dyn std::fmt::Display| cannot_write(&self.place, &error.to_string());
        let values = batch.column(self.column);
        let options = FormatOptions::default();
        let texts = ArrayFormatter::try_new(values, &options).map_err(|e| failed(&e))?;
        let mut rows: IndexMap<String, Vec<u32>> = IndexMap::new();
        for (row, number) in (0..values.len()).zip(0u32..) {
            let value =
                if values.is_null(row) { MISSING.to_owned() } else { escaped(&texts.value(row).to_string()) };
            rows.entry(value).or_default().push(number);
        }
        let others: Vec<usize> = (0..batch.num_columns()).filter(|column| *column != self.column).collect();
        let batch = batch.project(&others).map_err(|e| failed(&e))?;
        for (value, rows) in rows {
            let part = take_record_batch(&batch, &UInt32Array::from(rows))
                .and_then(|part| RecordBatch::try_new(self.schema.clone(), part.columns().to_vec()))
                .map_err(|e| cannot_write(&self.place, &e.to_string()))?;
            self.part(&value)?.write(&part)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        if !std::mem::replace(&mut self.closed, true) {
            for (_, part) in self.parts.drain(..) {
                part.finish()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Diagnostic> {
        self.close()?;
        self.swap_in()
    }
}

/// A value as a folder's name: percent signs stand for what file systems or readers of such folders
/// trip over.
pub(super) fn escaped(value: &str) -> String {
    if value.is_empty() {
        return MISSING.to_owned();
    }
    let mut name = String::new();
    for letter in value.chars() {
        match letter {
            '/' | '\\' | '=' | '%' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\0'..='\x1f' | '\x7f' => {
                name.push_str(&format!("%{:02X}", u32::from(letter)));
            }
            _ => name.push(letter),
        }
    }
    // Not the folder itself, nor the one above.
    if name.chars().all(|letter| letter == '.') { name.replace('.', "%2E") } else { name }
}

/// A folder that a run may replace: none, an empty one, or one of such parts only.
fn free_or_ours(place: &Path) -> Result<(), Diagnostic> {
    let entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_write(place, &cause(&error))),
    };
    for entry in entries {
        let entry = entry.map_err(|error| cannot_write(place, &cause(&error)))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_part = name.contains('=') && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_part {
            return Err(Diagnostic::placeless(
                data::OUTPUT_PARTS,
                format!(
                    "`{}` holds `{name}`, which no run wrote, so the folder is not replaced",
                    place.display()
                ),
            )
            .help(
                "name a folder that is not there yet, or one that an earlier run with `--partition-by` made",
            ));
        }
    }
    Ok(())
}
