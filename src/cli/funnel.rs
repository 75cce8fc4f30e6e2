//! `strata funnel`: how many users pass each condition of one rule.

use super::program::{self, CheckOptions};
use super::{FAULTY_CALL, output};
use crate::diagnostic::{Diagnostic, codes::data as codes};
use crate::insight::funnel::{Funnel, Report};
use crate::run::{self, RunError, RunOptions, Stop};
use clap::{Args, ValueEnum};
use std::fmt::Write;
use std::path::PathBuf;
use unicode_width::UnicodeWidthStr;

/// What `strata funnel` takes.
#[derive(Args, Debug)]
pub(super) struct FunnelArgs {
    /// The rule file, or a built program (`.ir.json`)
    file: PathBuf,
    /// A segment, or a member such as `lifecycle=newcomer`
    #[arg(long, value_name = "NAME")]
    of: String,
    /// Data of a table, in place of what the rules name
    #[arg(long = "table", value_name = "NAME=PATH", value_parser = super::run::table)]
    tables: Vec<(String, String)>,
    /// The moment to reckon from: a date or timestamp in the rules' time zone
    #[arg(long, value_name = "T")]
    now: Option<String>,
    /// Between the fields of CSV files; `tab` for a tabulator
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = super::run::delimiter)]
    delimiter: u8,
    /// How the funnel is printed
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
pub(super) fn funnel(args: &FunnelArgs) -> u8 {
    let ready = match program::load(&args.file, &args.options) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let funnel = match Funnel::new(&ready.program, &ready.sources, &args.of) {
        Ok(funnel) => funnel,
        Err(refusal) => {
            let message = format!("`--of {}`: {refusal}", args.of);
            return program::surroundings(
                &ready.sources,
                &[Diagnostic::placeless(codes::UNKNOWN_REQUEST, message)],
            );
        }
    };
    let options = RunOptions {
        tables: args.tables.iter().cloned().collect(),
        now: args.now.clone(),
        delimiter: args.delimiter,
        facts: ready.facts.clone(),
        stop: Stop::on_signals().unwrap_or_default(),
        nothing_shown: true,
        ..RunOptions::default()
    };
    match run::run(&funnel.program, &options, &mut |_| {}) {
        Ok(summary) => {
            let report = funnel.report(summary.now, summary.rows, &summary.guard_counts);
            output::result(&match args.format {
                Format::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
                Format::Human => human(&report),
            });
            0
        }
        Err(RunError::Found(findings)) => program::surroundings(&ready.sources, &findings),
        Err(RunError::Stopped(signal)) => u8::try_from(128 + signal).unwrap_or(FAULTY_CALL),
    }
}

fn human(report: &Report) -> String {
    let mut out =
        format!("{}: {} of {} users, now {}\n\n", report.of, report.passed, report.rows, report.now);
    let head = ["condition", "alone", "remaining", "more without it"];
    let rows = report.steps.iter().map(|step| {
        let more = if step.more_without == 0 { "-".to_owned() } else { format!("+{}", step.more_without) };
        [step.text.clone(), step.alone.to_string(), step.remaining.to_string(), more]
    });
    let rows: Vec<[String; 4]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let blanks = " ".repeat(width(column).unwrap_or(0).saturating_sub(cell.width()));
            let _ = match column {
                0 => write!(out, "  {cell}{blanks}"),
                _ => write!(out, "  {blanks}{cell}"),
            };
        }
        out.push('\n');
    }
    out
}
