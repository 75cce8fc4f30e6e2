//! `strata test`: the tests that stand in rule files.

use super::program::CheckOptions;
use super::{FAULTY_CALL, FAULTY_RULES, check as checking, output};
use crate::check;
use crate::data::facts;
use crate::data::read::ReadOptions;
use crate::diagnostic::{Sources, human};
use crate::insight::testing::{Outcome, Runner, coverage};
use crate::insight::why;
use crate::program::Program;
use crate::semantics::Facts;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

/// What `strata test` takes.
#[derive(Args, Debug)]
pub(super) struct TestArgs {
    /// Rule files, or folders with rule files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How outcomes are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Say which members, lines and outcomes of conditions no test reached
    #[arg(long)]
    coverage: bool,
    /// Fail where less than this percentage is reached
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    threshold: Option<f64>,
    #[command(flatten)]
    options: CheckOptions,
    /// Print failures only
    #[arg(short, long)]
    quiet: bool,
    /// Name the tests that passed, too
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    Junit,
}

fn percentage(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a percentage from 0 to 100".to_owned()),
    }
}

/// What `--format json` prints; `docs/src/schemas/test.schema.json` describes it.
#[derive(Debug, Default, Serialize)]
struct Report {
    version: u32,
    passed: usize,
    failed: usize,
    seconds: f64,
    tests: Vec<Outcome>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coverage: Vec<FileCoverage>,
}

#[derive(Debug, Serialize)]
struct FileCoverage {
    file: String,
    #[serde(flatten)]
    report: coverage::Report,
}

/// Runs the verb.
pub(super) fn test(args: &TestArgs) -> u8 {
    let options = match args.options.options() {
        Ok(options) => options,
        Err(status) => return status,
    };
    let roots = match checking::roots(&args.paths, &options) {
        Ok(roots) => roots,
        Err(problem) => {
            output::say(&format!("error: {problem}"));
            return FAULTY_CALL;
        }
    };
    let start = Instant::now();
    let mut report = Report { version: 1, ..Report::default() };
    let mut status = 0;
    for root in &roots {
        let checked = check::check(root, &options);
        output::findings(&checked.sources, &checked.diagnostics);
        let Some(program) = checked.program else {
            status = status.max(if checked.unreadable { FAULTY_CALL } else { FAULTY_RULES });
            output::say(&format!(
                "{} in {}; its tests were not run",
                human::count(&checked.diagnostics),
                root.display()
            ));
            continue;
        };
        let facts = match facts_of(&program) {
            Ok(facts) => facts,
            Err(findings) => {
                output::findings(&checked.sources, &findings);
                status = FAULTY_CALL;
                continue;
            }
        };
        run(args, &program, &facts, &checked.sources, &root.display().to_string(), &mut report);
    }
    report.seconds = (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    report.passed = report.tests.iter().filter(|test| test.passed).count();
    report.failed = report.tests.len() - report.passed;
    show(args, &report);
    if report.failed > 0 || below(args, &report) {
        status = status.max(FAULTY_RULES);
    }
    status
}

/// Lookups and the calendar, where a program has some.
fn facts_of(program: &Program) -> Result<Facts, Vec<crate::diagnostic::Diagnostic>> {
    if program.lookups.is_empty() && program.calendar.is_none() || program.tests.is_empty() {
        return Ok(Facts::default());
    }
    Ok(facts::load(program, &indexmap::IndexMap::new(), &ReadOptions::default())?.facts)
}

fn run(
    args: &TestArgs,
    program: &Program,
    facts: &Facts,
    sources: &Sources,
    file: &str,
    report: &mut Report,
) {
    let coverage = args.coverage || args.threshold.is_some();
    let mut runner = Runner::new(program, facts, sources, coverage);
    let wanted = |name: &str| args.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    for test in program.tests.iter().filter(|test| wanted(&test.name)) {
        report.tests.push(runner.run(test));
    }
    if let Some(coverage) = &runner.coverage {
        report.coverage.push(FileCoverage { file: file.to_owned(), report: coverage.report(program) });
    }
}

fn below(args: &TestArgs, report: &Report) -> bool {
    args.threshold.is_some_and(|least| report.coverage.iter().any(|of| of.report.percent < least))
}

fn show(args: &TestArgs, report: &Report) {
    match args.format {
        Format::Json => {
            output::result(&(serde_json::to_string_pretty(report).unwrap_or_default() + "\n"));
        }
        Format::Junit => output::result(&junit(report)),
        Format::Human => output::result(&human_text(args, report)),
    }
}

fn human_text(args: &TestArgs, report: &Report) -> String {
    let mut out = String::new();
    for test in &report.tests {
        if test.passed {
            if args.verbose {
                let _ = writeln!(out, "passed  {}", test.name);
            }
            continue;
        }
        let _ = writeln!(out, "FAILED  {} ({}:{})", test.name, test.file, test.line);
        for failure in &test.failures {
            let _ = writeln!(out, "  expected {}: {}", failure.expected, failure.reason);
            if let Some(got) = &failure.got {
                let _ = writeln!(out, "  got {got}");
            }
            let row: Vec<String> =
                failure.row.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let _ = writeln!(out, "  of {{ {} }}", row.join(", "));
            for tree in &failure.tree {
                out.push_str(&why::tree_text(tree, 2, &|holds| if holds { "✓" } else { "✗" }.to_owned()));
            }
        }
        out.push('\n');
    }
    for of in &report.coverage {
        coverage_text(&mut out, of);
    }
    if args.threshold.is_some() && below(args, report) {
        let _ = writeln!(out, "that is less than {} %", args.threshold.unwrap_or_default());
    }
    if !args.quiet {
        let tests = if report.tests.len() == 1 { "test" } else { "tests" };
        let _ = match report.failed {
            0 => writeln!(out, "{} {tests} passed in {:.2} seconds", report.passed, report.seconds),
            failed => writeln!(
                out,
                "{failed} of {} {tests} failed in {:.2} seconds",
                report.tests.len(),
                report.seconds
            ),
        };
    }
    out
}

fn coverage_text(out: &mut String, of: &FileCoverage) {
    let report = &of.report;
    let _ = writeln!(
        out,
        "coverage of {}: {} %: {} of {} members, {} of {} lines, {} of {} outcomes of conditions",
        of.file,
        report.percent,
        report.members.reached,
        report.members.of,
        report.lines.reached,
        report.lines.of,
        report.outcomes.reached,
        report.outcomes.of
    );
    for gap in &report.gaps {
        let mut parts = Vec::new();
        if !gap.members.is_empty() {
            parts.push(format!("nobody is in {}", gap.members.join(", ")));
        }
        if !gap.lines.is_empty() {
            let lines: Vec<String> = gap.lines.iter().map(ToString::to_string).collect();
            parts.push(format!("no test is decided by line {}", lines.join(", ")));
        }
        for (line, outcome) in &gap.outcomes {
            let what =
                if *line == 0 { "its condition".to_owned() } else { format!("the condition of line {line}") };
            parts.push(format!("{what} never {}", if *outcome { "holds" } else { "fails" }));
        }
        let _ = writeln!(out, "  {}: {}", gap.name, parts.join("; "));
    }
}

/// Text between the tags and in the attributes of XML, without what XML cannot hold.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            control if control.is_control() => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

fn junit(report: &Report) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let (tests, failed, seconds) = (report.tests.len(), report.failed, report.seconds);
    let _ = writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failed}\" time=\"{seconds}\">");
    let _ = writeln!(
        out,
        "  <testsuite name=\"strata\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{seconds}\">"
    );
    for test in &report.tests {
        let (name, file, line) = (xml(&test.name), xml(&test.file), test.line);
        let _ =
            write!(out, "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\"");
        if test.passed {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        for failure in &test.failures {
            let message = xml(&format!("expected {}: {}", failure.expected, failure.reason));
            let mut body = String::new();
            if let Some(got) = &failure.got {
                let _ = writeln!(body, "got {got}");
            }
            for tree in &failure.tree {
                body.push_str(&why::tree_text(tree, 0, &|holds| if holds { "✓" } else { "✗" }.to_owned()));
            }
            let _ = writeln!(out, "      <failure message=\"{message}\">{}</failure>", xml(&body));
        }
        out.push_str("    </testcase>\n");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}
