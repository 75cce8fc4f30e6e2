//! `strata analyze`: how the segments lie to each other, and what each rule reads.

use super::output;
use super::program::{self, CheckOptions};
use crate::diagnostic::codes::logic as codes;
use crate::insight::analyze::{self, Analysis, Limits};
use crate::run::moment::{self, NowFrom};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// What `strata analyze` takes.
#[derive(Args, Debug)]
pub(super) struct AnalyzeArgs {
    /// The rule file, or a built program (`.ir.json`)
    file: PathBuf,
    /// The moment to reckon from: a date or timestamp in the rules' time zone
    #[arg(long, value_name = "T")]
    now: Option<String>,
    /// How it is printed; `mermaid` and `dot` draw the segments as a graph
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// The most time that proofs may take
    #[arg(long, value_name = "N", default_value_t = 30)]
    seconds: u64,
    #[command(flatten)]
    options: CheckOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    Mermaid,
    Dot,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    file: String,
    now: String,
    now_from: NowFrom,
    timezone: &'a str,
    #[serde(flatten)]
    analysis: &'a Analysis,
}

/// Runs the verb.
pub(super) fn analyze(args: &AnalyzeArgs) -> u8 {
    let ready = match program::load(&args.file, &args.options) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let rules = &ready.program;
    let (now, now_from) = match moment::settle(rules, args.now.as_deref()) {
        Ok(settled) => settled,
        Err(finding) => return program::surroundings(&ready.sources, &[finding]),
    };
    let allowed = |code: &String| code.eq_ignore_ascii_case(codes::IMPOSSIBLE_PATH.id());
    let limits = Limits {
        time: Duration::from_secs(args.seconds),
        paths: !args.options.allow.iter().any(allowed),
        ..Limits::default()
    };
    let analysis = analyze::analyze(rules, &rules.at(now), limits);
    let shown = moment::show(now, &rules.zone());
    output::result(&match args.format {
        Format::Mermaid => analyze::mermaid(&analysis),
        Format::Dot => analyze::dot(&analysis),
        Format::Human => {
            let timezone = &rules.timezone;
            format!("{}, now {shown} ({timezone})\n\n{}", args.file.display(), analyze::human(&analysis))
        }
        Format::Json => {
            let report = Report {
                version: 1,
                file: args.file.display().to_string(),
                now: shown,
                now_from,
                timezone: &rules.timezone,
                analysis: &analysis,
            };
            serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
        }
    });
    0
}
