//! `strata run`: evaluates the rules over the users and writes who is where.

use crate::data::BadValueMode;
use crate::program::Program;
use crate::run::{self, Layout, RunError, RunOptions, Stop, Summary};
use crate::semantics::Facts;
use clap::{Args, ValueEnum};
use indexmap::IndexMap;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What `strata run` takes.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The rule file, or a built program (`.ir.json`)
    pub file: PathBuf,
    /// Data of a table, in place of what the rules name
    #[arg(long = "table", value_name = "NAME=PATH", value_parser = table)]
    pub tables: Vec<(String, String)>,
    /// The moment to reckon from: a date or timestamp in the rules' time zone
    #[arg(long, value_name = "T")]
    pub now: Option<String>,
    /// Where to write who is where: .parquet, .csv, .jsonl, .ndjson (text also .gz, .zst), .arrow, .feather, .arrows
    #[arg(short, long, value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// wide: a row per user; long: a row per user and thing that holds; lists: a row per user with a
    /// list of the segments that hold
    #[arg(long, value_enum, default_value_t = LayoutArg::Wide)]
    pub layout: LayoutArg,
    /// Only these segments, layers, grids, scales or traits, and the columns that they need
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Write the traits and scales too
    #[arg(long)]
    pub with_traits: bool,
    /// Threads that evaluate [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// What events may take of memory before they go to the disk, such as 512M or 2G; so too the search for
    /// duplicate keys, which takes 256M where nothing is said
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<usize>,
    /// Values that break their declaration: count as missing, or stop the run
    #[arg(long, value_enum, default_value_t = BadValuesArg::Missing)]
    pub bad_values: BadValuesArg,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = SummaryArg::Human)]
    pub summary: SummaryArg,
    /// Whether two rows with one key stop a run that writes an output
    #[arg(long, value_enum, default_value_t = KeysArg::Check)]
    pub keys: KeysArg,
    /// Between the fields of CSV files, read and written; `tab` for a tabulator
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    pub delimiter: u8,
    /// Make OUT a folder with a folder for each value of this column
    #[arg(long, value_name = "NAME", requires = "out")]
    pub partition_by: Option<String>,
    /// What evaluates
    #[arg(long, value_name = "ENGINE", default_value = "native", value_parser = engine)]
    pub engine: String,
    /// Write the output even if a guard fails
    #[arg(long)]
    pub force: bool,
    /// Name the leaves of stacks with fewer users than this
    #[arg(long, value_name = "N")]
    pub min_size: Option<u64>,
    /// Write CSV cells as they are, even those that a spreadsheet would run as a formula
    #[arg(long)]
    pub raw_csv: bool,
    #[command(flatten)]
    pub(super) check: super::program::CheckOptions,
    /// Run nothing; print what would be read, compared and computed for each chunk of rows
    #[arg(long)]
    pub explain_plan: bool,
    /// Print no summary and no progress
    #[arg(short, long)]
    pub quiet: bool,
    /// Print where the time went
    #[arg(short, long)]
    pub verbose: bool,
}

/// `--layout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    /// A row per user.
    Wide,
    /// A row per user and thing that holds.
    Long,
    /// A row per user, with a list of the segments that hold.
    Lists,
}

/// `--bad-values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BadValuesArg {
    /// They count as missing and are reported.
    Missing,
    /// The first one stops the run.
    Error,
}

/// `--summary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SummaryArg {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// `--keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeysArg {
    /// Duplicate keys stop the run.
    Check,
    /// Nobody looks for them.
    Skip,
}

pub(super) fn table(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.trim().is_empty() && !path.is_empty() => {
            Ok((name.trim().to_owned(), path.to_owned()))
        }
        _ => Err("write it as `NAME=PATH`, such as `users=users.csv`".to_owned()),
    }
}

pub(super) fn size(text: &str) -> Result<usize, String> {
    let lowered = text.trim().to_lowercase();
    let digits = lowered.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = lowered.strip_prefix(digits).unwrap_or_default().trim();
    let shift = match unit {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err("write it like `512M` or `2G`".to_owned()),
    };
    let number: usize = digits.parse().map_err(|_| "write it like `512M` or `2G`".to_owned())?;
    number
        .checked_mul(1 << shift)
        .filter(|size| *size > 0)
        .ok_or_else(|| "no such size is possible".to_owned())
}

pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" || text == "\\t" => Ok(b'\t'),
        [b'"' | b'\n' | b'\r'] => {
            Err("quotes and line ends have a meaning of their own in CSV files".to_owned())
        }
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("one ASCII character, or `tab`".to_owned()),
    }
}

fn engine(text: &str) -> Result<String, String> {
    match text {
        "native" => Ok(text.to_owned()),
        "datafusion" | "ballista" => {
            Err(format!("this build has no `{text}`; `native` gives the same answer on one machine"))
        }
        _ => Err("the engines are `native`, `datafusion` and `ballista`".to_owned()),
    }
}

impl RunArgs {
    fn options(&self, stop: Stop) -> RunOptions {
        let defaults = RunOptions::default();
        RunOptions {
            tables: self.tables.iter().cloned().collect::<IndexMap<_, _>>(),
            now: self.now.clone(),
            output: self.out.clone(),
            layout: match self.layout {
                LayoutArg::Wide => Layout::Wide,
                LayoutArg::Long => Layout::Long,
                LayoutArg::Lists => Layout::Lists,
            },
            only: self
                .only
                .iter()
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            with_traits: self.with_traits,
            threads: self.threads.map_or(defaults.threads, usize::from),
            bad_values: match self.bad_values {
                BadValuesArg::Missing => BadValueMode::Missing,
                BadValuesArg::Error => BadValueMode::Error,
            },
            check_keys: self.keys == KeysArg::Check,
            memory: self.memory,
            delimiter: self.delimiter,
            nothing_shown: false,
            force: self.force,
            min_size: self.min_size,
            raw_csv: self.raw_csv,
            partition_by: self.partition_by.clone(),
            stop,
            ..RunOptions::default()
        }
    }

    /// What a run would do with each chunk of rows.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub(super) fn explain(&self, program: &Program) -> Result<String, RunError> {
        Ok(run::plan(program, &self.options(Stop::default()))?.to_string())
    }

    /// Runs a checked program: the summary's text for stdout, and the summary.
    ///
    /// # Errors
    /// What was found, or which signal stopped it.
    pub(super) fn run(&self, program: &Program, facts: Option<Facts>) -> Result<(String, Summary), RunError> {
        // Without a handler a signal still ends the process; it only leaves a temporary file behind.
        let stop = Stop::on_signals().unwrap_or_default();
        let mut progress = Progress::new(!self.quiet && io::stderr().is_terminal());
        let options = RunOptions { facts, ..self.options(stop) };
        let outcome = run::run(program, &options, &mut |step| progress.show(step));
        progress.clear();
        let summary = outcome?;
        Ok((self.text(&summary, program), summary))
    }

    fn text(&self, summary: &Summary, program: &Program) -> String {
        match self.summary {
            SummaryArg::Json => summary.to_json().map(|json| json + "\n").unwrap_or_default(),
            SummaryArg::Human if self.quiet => String::new(),
            SummaryArg::Human => run::present(summary, program, self.verbose),
        }
    }
}

/// How far the run is, for who waits longer than a second.
struct Progress {
    wanted: bool,
    start: Instant,
    /// What is being counted, and since when.
    what: Option<String>,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(wanted: bool) -> Self {
        Progress { wanted, start: Instant::now(), what: None, begun: Instant::now(), bar: None }
    }

    fn show(&mut self, step: run::Progress) {
        if !self.wanted || self.start.elapsed() < Duration::from_secs(1) {
            return;
        }
        let (what, done, of) = match step {
            run::Progress::Events { table, rows } => (table, rows, None),
            run::Progress::Users { rows, of } => ("users", rows, of),
        };
        if self.what.as_deref() != Some(what) {
            self.clear();
            (self.bar, self.what) = (None, Some(what.to_owned()));
            self.begun = Instant::now();
        }
        let begun = self.begun;
        let bar = self.bar.get_or_insert_with(|| bar(of).with_elapsed(begun.elapsed()));
        bar.set_position(done);
        let seconds = begun.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        bar.set_message(format!("{} {what}, {} a second", HumanCount(done), HumanCount(rate as u64)));
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(of: Option<u64>) -> ProgressBar {
    let (bar, template) = match of {
        Some(of) => (ProgressBar::new(of), "{bar:30} {percent:>3}%  {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_delimiters_and_tables() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("2 GiB"), Ok(2 << 30));
        assert_eq!(size("1000"), Ok(1000));
        for wrong in ["", "M", "0", "-1", "1.5G", "2X", "99999999999999T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(delimiter(";"), Ok(b';'));
        assert_eq!(delimiter("tab"), Ok(b'\t'));
        assert!(delimiter("，").is_err());
        assert!(delimiter("\"").is_err());
        assert_eq!(table("users=a=b.csv"), Ok(("users".into(), "a=b.csv".into())));
        assert!(table("users.csv").is_err());
        assert!(engine("ballista").unwrap_err().contains("this build has no `ballista`"));
    }
}
