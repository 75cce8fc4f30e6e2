//! `strata changes`: who entered, left and moved between two outputs, or two dates of the same rules.

use super::program::{self, CheckOptions};
use super::{FAULTY_CALL, output};
use crate::data::write::{self, Sink, SinkOptions};
use crate::diagnostic::{Diagnostic, Sources, codes::data as codes};
use crate::insight::changes::{Changes, LayerChange, Row, Snapshot, compare};
use crate::run::{self, RunError, RunOptions, Stop};
use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use clap::{Args, ValueEnum};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

/// What `strata changes` takes.
#[derive(Args, Debug)]
pub(super) struct ChangesArgs {
    /// The earlier output of `run`; with --rules the earlier date
    before: String,
    /// The later output of `run`; with --rules the later date
    after: String,
    /// Where to write a row for each change: key, name, from, to, change
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// Compare two dates of these rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Data of a table, in place of what the rules name
    #[arg(long = "table", value_name = "NAME=PATH", value_parser = super::run::table, requires = "rules")]
    tables: Vec<(String, String)>,
    /// Between the fields of CSV files; `tab` for a tabulator
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = super::run::delimiter)]
    delimiter: u8,
    /// How the counts are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    options: CheckOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// Runs the verb.
pub(super) fn changes(args: &ChangesArgs) -> u8 {
    let told = match &args.rules {
        None => told(args, &args.before, &args.after),
        Some(rules) => match of_dates(args, rules) {
            Ok(told) => told,
            Err(status) => return status,
        },
    };
    match told {
        Ok(changes) => {
            output::result(&match args.format {
                Format::Json => serde_json::to_string_pretty(&changes).unwrap_or_default() + "\n",
                Format::Human => human(&changes),
            });
            0
        }
        Err(findings) => program::surroundings(&Sources::new(), &findings),
    }
}

/// Runs the rules for both dates and compares what comes out.
fn of_dates(args: &ChangesArgs, rules: &Path) -> Result<Result<Changes, Vec<Diagnostic>>, u8> {
    let ready = program::load(rules, &args.options)?;
    let folder = tempfile::tempdir().map_err(|error| {
        output::say(&format!("error: cannot make a temporary folder: {error}"));
        FAULTY_CALL
    })?;
    let mut paths = Vec::new();
    for (date, name) in [(&args.before, "before.parquet"), (&args.after, "after.parquet")] {
        let path = folder.path().join(name);
        let options = RunOptions {
            tables: args.tables.iter().cloned().collect(),
            now: Some(date.clone()),
            output: Some(path.clone()),
            // Guards are about what is published, and this is not.
            force: true,
            delimiter: args.delimiter,
            facts: ready.facts.clone(),
            stop: Stop::on_signals().unwrap_or_default(),
            ..RunOptions::default()
        };
        match run::run(&ready.program, &options, &mut |_| {}) {
            Ok(_) => paths.push(path.display().to_string()),
            Err(RunError::Found(findings)) => return Err(program::surroundings(&ready.sources, &findings)),
            Err(RunError::Stopped(signal)) => {
                return Err(u8::try_from(128 + signal).unwrap_or(FAULTY_CALL));
            }
        }
    }
    let (Some(before), Some(after)) = (paths.first(), paths.get(1)) else { return Err(FAULTY_CALL) };
    Ok(told(args, before, after))
}

fn told(args: &ChangesArgs, before: &str, after: &str) -> Result<Changes, Vec<Diagnostic>> {
    let then = Snapshot::read(before, args.delimiter)?;
    let now = Snapshot::read(after, args.delimiter)?;
    let mut rows = match &args.out {
        Some(path) => Some(Rows::open(path, args.delimiter).map_err(found)?),
        None => None,
    };
    let mut changes = compare(&then, &now, &mut |row| match &mut rows {
        Some(rows) => rows.add(row),
        None => Ok(()),
    })
    .map_err(found)?;
    if let Some(rows) = rows {
        rows.finish().map_err(found)?;
    }
    changes.before.clone_from(&args.before);
    changes.after.clone_from(&args.after);
    changes.output = args.out.as_ref().map(|path| path.display().to_string());
    Ok(changes)
}

fn found(finding: Diagnostic) -> Vec<Diagnostic> {
    vec![finding]
}

/// Rows of one batch.
const BATCH: usize = 16 * 1024;

/// The rows on their way to a file.
struct Rows {
    sink: Box<dyn Sink>,
    schema: SchemaRef,
    columns: Vec<StringBuilder>,
    count: usize,
}

impl Rows {
    fn open(path: &Path, delimiter: u8) -> Result<Rows, Diagnostic> {
        let names = [("key", false), ("name", false), ("from", true), ("to", true), ("change", false)];
        let fields: Vec<Field> =
            names.iter().map(|(name, nullable)| Field::new(*name, DataType::Utf8, *nullable)).collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let options = SinkOptions { delimiter, ..SinkOptions::default() };
        let sink = write::open(path, &schema, &options)?;
        Ok(Rows { sink, schema, columns: names.iter().map(|_| StringBuilder::new()).collect(), count: 0 })
    }

    fn add(&mut self, row: Row) -> Result<(), Diagnostic> {
        let cells = [Some(row.key), Some(row.name), row.from, row.to, Some(row.change)];
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.append_option(cell);
        }
        self.count += 1;
        if self.count >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Diagnostic> {
        self.count = 0;
        let columns: Vec<ArrayRef> =
            self.columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| Diagnostic::placeless(codes::OUTPUT_FAILED, error.to_string()))?;
        self.sink.write(&batch)
    }

    fn finish(mut self) -> Result<(), Diagnostic> {
        self.flush()?;
        self.sink.close()?;
        self.sink.finish()
    }
}

fn human(changes: &Changes) -> String {
    let users = changes.users;
    let mut out = format!(
        "{} users are in both, {} in {} alone, {} in {} alone\n",
        users.both, users.only_before, changes.before, users.only_after, changes.after
    );
    if !changes.segments.is_empty() {
        out.push_str("\nsegments\n");
        let rows: Vec<Vec<String>> = changes
            .segments
            .iter()
            .map(|(name, of)| {
                vec![
                    name.clone(),
                    of.stayed.to_string(),
                    of.entered.to_string(),
                    of.left.to_string(),
                    of.appeared.to_string(),
                    of.disappeared.to_string(),
                ]
            })
            .collect();
        table(&mut out, &["", "stayed", "entered", "left", "appeared", "disappeared"], &rows);
    }
    for (name, layer) in &changes.layers {
        let _ = writeln!(
            out,
            "\n{name}: {} stayed, {} moved, {} entered, {} left, {} appeared, {} disappeared",
            layer.stayed, layer.moved, layer.entered, layer.left, layer.appeared, layer.disappeared
        );
        matrix(&mut out, layer);
    }
    for (names, which) in
        [(&changes.names_only_before, &changes.before), (&changes.names_only_after, &changes.after)]
    {
        if !names.is_empty() {
            let _ = writeln!(out, "\nonly in {which}: {}", names.join(", "));
        }
    }
    if let Some(path) = &changes.output {
        let _ = writeln!(out, "\nwritten to {path}");
    }
    out
}

/// The most members that a matrix is drawn for; beyond that the largest moves are listed.
const WIDEST: usize = 10;

fn matrix(out: &mut String, layer: &LayerChange) {
    let shown = |member: &Option<String>| member.clone().unwrap_or_else(|| "(none)".to_owned());
    let mut members: Vec<String> = Vec::new();
    for of in &layer.matrix {
        for member in [&of.from, &of.to] {
            let member = shown(member);
            if !members.contains(&member) {
                members.push(member);
            }
        }
        if members.len() > WIDEST {
            break;
        }
    }
    if members.len() <= WIDEST && !layer.cut {
        members.sort();
        let users = |from: &str, to: &str| {
            let of = layer.matrix.iter().find(|of| shown(&of.from) == from && shown(&of.to) == to);
            of.map_or("·".to_owned(), |of| of.users.to_string())
        };
        let rows: Vec<Vec<String>> = members
            .iter()
            .map(|from| {
                std::iter::once(from.clone()).chain(members.iter().map(|to| users(from, to))).collect()
            })
            .collect();
        let head: Vec<&str> =
            std::iter::once("from \\ to").chain(members.iter().map(String::as_str)).collect();
        table(out, &head, &rows);
        return;
    }
    let mut moves: Vec<_> = layer.matrix.iter().filter(|of| of.from != of.to).collect();
    moves.sort_by_key(|of| std::cmp::Reverse(of.users));
    for of in moves.iter().take(WIDEST) {
        let _ = writeln!(out, "  {} -> {}: {}", shown(&of.from), shown(&of.to), of.users);
    }
    if moves.len() > WIDEST {
        let _ = writeln!(out, "  and {} more kinds of moves", moves.len() - WIDEST);
    }
}

fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.chain(head.get(column).map(|cell| cell.width())).max().unwrap_or(0)
    };
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        for (column, cell) in row.iter().enumerate() {
            let blanks = " ".repeat(width(column).saturating_sub(cell.width()));
            let _ =
                if column == 0 { write!(out, "  {cell}{blanks}") } else { write!(out, "  {blanks}{cell}") };
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}
