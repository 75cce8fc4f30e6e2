//! `strata diff`: what two versions of the rules make of the same users.

use super::program::{self, CheckOptions, Ready};
use super::{FAULTY_CALL, FAULTY_RULES, output};
use crate::data::read;
use crate::diagnostic::{Diagnostic, Sources, codes::data as codes, nearest};
use crate::insight::diff::moves::{self, Moves, Side};
use crate::insight::diff::{self, Diff};
use crate::program::{Program, Table};
use crate::prove::Budget;
use crate::run::moment::{self, NowFrom};
use crate::run::{RunOptions, Stop};
use clap::{Args, ValueEnum};
use indexmap::IndexMap;
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
    /// Count who moves in these data: the data of a table, for both, in place of what the rules name
    #[arg(long = "table", value_name = "NAME=PATH", value_parser = super::run::table)]
    tables: Vec<(String, String)>,
    /// Count who moves in the data that the rules name
    #[arg(long)]
    data: bool,
    /// The moment at which both are taken: a date or timestamp in the new rules' time zone
    #[arg(long, value_name = "T")]
    now: Option<String>,
    /// Between the fields of CSV files; `tab` for a tabulator
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = super::run::delimiter)]
    delimiter: u8,
    /// What the events of either version may take of memory before they go to the disk, such as 512M
    #[arg(long, value_name = "SIZE", value_parser = super::run::size)]
    memory: Option<usize>,
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
    /// Only with data.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Moves>,
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
    let moves = match (args.data || !args.tables.is_empty()).then(|| moves(args, &old, &new, &diff, now)) {
        None => None,
        Some(Ok(moves)) => Some(moves),
        Some(Err(status)) => return status,
    };
    let (old_name, new_name) = (args.old.display().to_string(), args.new.display().to_string());
    let shown = moment::show(now, &new.program.zone());
    let timezone = &new.program.timezone;
    output::result(&match args.format {
        Format::Human => {
            let moves = moves.as_ref().map_or(String::new(), |moves| format!("\n{}", moves::human(moves)));
            format!("{old_name} -> {new_name}, now {shown} ({timezone})\n\n{}{moves}", diff::human(&diff))
        }
        Format::Markdown => {
            let moves = moves.as_ref().map_or(String::new(), |moves| format!("\n{}", moves::markdown(moves)));
            diff::markdown(&diff, &old_name, &new_name, &format!("now {shown} ({timezone})")) + &moves
        }
        Format::Json => {
            let report = Report {
                version: 1,
                old: old_name,
                new: new_name,
                now: shown,
                now_from,
                timezone,
                diff: &diff,
                data: moves.as_ref(),
            };
            serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
        }
    });
    if args.exit_code && diff.changed { FAULTY_RULES } else { 0 }
}

/// Who moves in the data.
fn moves(args: &DiffArgs, old: &Ready, new: &Ready, diff: &Diff, now: i64) -> Result<Moves, u8> {
    let tables = tables(args, &old.program, &new.program)
        .map_err(|findings| program::surroundings(&Sources::new(), &findings))?;
    let stop = Stop::on_signals().unwrap_or_default();
    let threads = RunOptions::default().threads.div_ceil(2);
    let side = |ready: &Ready| RunOptions {
        tables: tables_of(&ready.program).filter_map(|of| bound(&tables, of, ready)).collect(),
        delimiter: args.delimiter,
        memory: args.memory,
        facts: ready.facts.clone(),
        threads,
        stop: stop.clone(),
        ..RunOptions::default()
    };
    let (old_side, new_side) = (
        Side { program: &old.program, options: side(old) },
        Side { program: &new.program, options: side(new) },
    );
    moves::moves(diff, old_side, new_side, now).map_err(|failure| {
        for (ready, path, findings) in [(old, &args.old, &failure.old), (new, &args.new, &failure.new)] {
            if !findings.is_empty() {
                output::say(&format!("with the rules of {}:", path.display()));
                output::findings(&ready.sources, findings);
            }
        }
        failure.stopped.and_then(|signal| u8::try_from(128 + signal).ok()).unwrap_or(FAULTY_CALL)
    })
}

/// Where the data of either version's tables are, by name: what the command line says, else what the new
/// rules say, else the old ones. `""` are the users, whatever they are called.
fn tables(
    args: &DiffArgs,
    old: &Program,
    new: &Program,
) -> Result<IndexMap<String, String>, Vec<Diagnostic>> {
    let names: Vec<&str> = tables_of(new).chain(tables_of(old)).map(|table| table.name.as_str()).collect();
    let unknown = args.tables.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    let findings: Vec<Diagnostic> = unknown
        .map(|(name, _)| {
            let message = format!("`--table {name}=…`: neither of the rule files declares a table `{name}`");
            let near = nearest(name, names.iter().copied()).unwrap_or("users");
            Diagnostic::placeless(codes::UNKNOWN_REQUEST, message).help(format!("did you mean `{near}`?"))
        })
        .collect();
    if !findings.is_empty() {
        return Err(findings);
    }
    let given: IndexMap<String, String> = args.tables.iter().cloned().collect();
    let users = |program: &Program| {
        let users = program.users.as_ref()?;
        given.get(&users.name).cloned()
    };
    let mut bound: IndexMap<String, String> = IndexMap::new();
    for program in [new, old] {
        for table in tables_of(program) {
            let is_users = program.users.as_ref().is_some_and(|users| users.name == table.name);
            let name = if is_users { String::new() } else { table.name.clone() };
            let said = match is_users {
                true => users(new).or_else(|| users(old)),
                false => given.get(&table.name).cloned(),
            };
            if let Ok(path) = read::path_of(table, said.as_deref()) {
                bound.entry(name).or_insert(path);
            }
        }
    }
    Ok(bound)
}

/// All tables of a program, users first.
fn tables_of(program: &Program) -> impl Iterator<Item = &Table> {
    let events = program.events.iter().map(|events| &events.table);
    program.users.iter().chain(events).chain(&program.lookups)
}

/// A table of a program with its data; none where nothing says where they are, or a built program
/// brings them along.
fn bound(tables: &IndexMap<String, String>, table: &Table, ready: &Ready) -> Option<(String, String)> {
    let is_users = ready.program.users.as_ref().is_some_and(|users| users.name == table.name);
    let is_lookup = ready.program.lookups.iter().any(|lookup| lookup.name == table.name);
    if is_lookup && ready.facts.is_some() {
        return None;
    }
    let path = tables.get(if is_users { "" } else { &table.name })?;
    Some((table.name.clone(), path.clone()))
}
