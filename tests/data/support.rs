//! A table in rule text, a file, and its rows as text: `1|Berlin|-`, where `-` is missing.

use std::path::{Path, PathBuf};
use strata::data::facts::value_at;
use strata::data::read::{self, ReadOptions};
use strata::diagnostic::Diagnostic;
use strata::program::{Program, Table, Type, Value};

/// What a file was read as.
#[derive(Debug)]
pub struct Rows {
    /// A line a row.
    pub rows: Vec<String>,
    /// A line a column with bad values: `age 2: x (row 1), - (row 3)`.
    pub bad: Vec<String>,
}

/// A fixture's path.
pub fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/files")
        .join(name)
        .to_string_lossy()
        .into_owned()
}

/// A program whose user table has the key `id` and these columns, in that zone.
pub fn program_in(zone: &str, columns: &str) -> Program {
    let text = format!("strata 1\ntimezone \"{zone}\"\ntable users key id {{\n{columns}\n}}\n");
    from_text(&text)
}

/// A checked program.
pub fn from_text(text: &str) -> Program {
    let checked = strata::check::check_text_without_proofs("test.seg", text);
    checked.program.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics))
}

/// The same in UTC.
pub fn program(columns: &str) -> Program {
    program_in("UTC", columns)
}

/// 2024-11-15T12:00Z.
pub const NOW: i64 = 1_731_672_000_000_000;

pub fn options() -> ReadOptions {
    ReadOptions { now: NOW, ..ReadOptions::default() }
}

/// Reads all columns.
pub fn read(program: &Program, path: &str) -> Result<Rows, Vec<Diagnostic>> {
    read_with(program, path, &options())
}

pub fn read_with(program: &Program, path: &str, options: &ReadOptions) -> Result<Rows, Vec<Diagnostic>> {
    let table = program.users.as_ref().unwrap();
    let mut reader = read::open(table, program, path, options)?;
    let columns = reader.columns().to_vec();
    let known = reader.rows();
    let mut rows = Vec::new();
    for batch in &mut reader {
        let batch = batch.map_err(|fault| vec![fault])?;
        assert!(batch.num_rows() <= options.batch_rows);
        for row in 0..batch.num_rows() {
            let values: Vec<String> = batch
                .columns()
                .iter()
                .zip(&columns)
                .map(|(array, column)| shown(program, &ty(table, *column), &value_at(array, row)))
                .collect();
            rows.push(values.join("|"));
        }
    }
    assert_eq!(reader.rows_read(), rows.len() as u64);
    let whole = options.ranges.is_empty();
    assert!(!whole || known.is_none_or(|known| known == rows.len() as u64));
    let bad = reader.bad_values().iter().map(|bad| {
        let examples: Vec<String> = bad
            .examples
            .iter()
            .map(|example| format!("{} (row {})", example.value.as_deref().unwrap_or("-"), example.row))
            .collect();
        format!("{} {}: {}", bad.column, bad.count, examples.join(", "))
    });
    Ok(Rows { rows, bad: bad.collect() })
}

fn ty(table: &Table, column: usize) -> Type {
    table.columns[column].ty.clone()
}

fn shown(program: &Program, ty: &Type, value: &Value) -> String {
    match value {
        Value::Missing => "-".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Decimal(value) => format!("{}e-{}", value.unscaled, value.scale),
        Value::Text(text) => text.to_string(),
        Value::Date(days) => {
            let epoch = jiff::civil::date(1970, 1, 1);
            (epoch + jiff::Span::new().days(*days)).to_string()
        }
        Value::Timestamp(micros) => jiff::Timestamp::from_microsecond(*micros).unwrap().to_string(),
        Value::Time(micros) => micros.to_string(),
        Value::Label(code) => match ty {
            Type::Label(id) => program.label(*id, *code).to_owned(),
            other => panic!("a label in {other:?}"),
        },
        Value::List(items) => {
            let Type::List(item) = ty else { panic!("a list in {ty:?}") };
            let items: Vec<String> = items.iter().map(|value| shown(program, item, value)).collect();
            format!("[{}]", items.join(","))
        }
    }
}

/// The findings as `E0603: message`.
pub fn lines(faults: &[Diagnostic]) -> Vec<String> {
    faults.iter().map(|fault| format!("{}: {}", fault.code, fault.message)).collect()
}

/// A folder that goes away, with a file of that content in it.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Scratch {
        Scratch { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    }
}
