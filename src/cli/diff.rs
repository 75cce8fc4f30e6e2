//! `strata diff`: what two versions of the rules make of the same users.

use super::program::{self, CheckOptions};
use super::{FAULTY_RULES, output};
use crate::insight::diff::{self, Diff};
use crate::prove::Budget;
use crate::run::moment::{self, NowFrom};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// What `strata diff` takes.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The rules as they were: a rule file, or a built program (`.ir.json`)
    old: PathBuf,
    /// The rules as they are to be
    new: PathBuf,
    /// The moment at which both are taken: a date or timestamp in the new rules' time zone
    #[arg(long, value_name = "T")]
    now: Option<String>,
    /// How it is printed; `markdown` is for a comment under a pull request
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// End with 1 if anything is other than the same
    #[arg(long)]
    exit_code: bool,
    /// The most time that proofs may take
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    #[command(flatten)]
    options: CheckOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    Markdown,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    old: String,
    new: String,
    now: String,
    now_from: NowFrom,
    timezone: &'a str,
    #[serde(flatten)]
    diff: &'a Diff,
}

/// Steps of the solver that a single question may take.
const STEPS: u64 = 2_000_000;

/// Runs the verb.
pub(super) fn diff(args: &DiffArgs) -> u8 {
    let (old, new) = match program::load(&args.old, &args.options)
        .and_then(|old| Ok((old, program::load(&args.new, &args.options)?)))
    {
        Ok(both) => both,
        Err(status) => return status,
    };
    let (now, now_from) = match moment::settle(&new.program, args.now.as_deref()) {
        Ok(settled) => settled,
        Err(finding) => return program::surroundings(&new.sources, &[finding]),
    };
    let budget = Budget::new(STEPS, Duration::from_secs(args.seconds));
    let diff = diff::diff(&old.program, &new.program, now, budget);
    let (old_name, new_name) = (args.old.display().to_string(), args.new.display().to_string());
    let shown = moment::show(now, &moment::zone(&new.program));
    let timezone = &new.program.timezone;
    output::result(&match args.format {
        Format::Human => {
            format!("{old_name} -> {new_name}, now {shown} ({timezone})\n\n{}", diff::human(&diff))
        }
        Format::Markdown => diff::markdown(&diff, &old_name, &new_name, &format!("now {shown} ({timezone})")),
        Format::Json => {
            let report = Report {
                version: 1,
                old: old_name,
                new: new_name,
                now: shown,
                now_from,
                timezone,
                diff: &diff,
            };
            serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
        }
    });
    if args.exit_code && diff.changed { FAULTY_RULES } else { 0 }
}
