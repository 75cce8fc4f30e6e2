//! `strata why`: the rules as trees with one user's values.

use super::program::{self, CheckOptions};
use super::{FAULTY_CALL, output};
use crate::data::facts::{self, value_at};
use crate::data::read::{self, ReadOptions};
use crate::diagnostic::{Diagnostic, codes::data as codes, nearest};
use crate::insight::why;
use crate::program::{Program, Table, Type, Value};
use crate::run::{self, RunError, RunOptions, moment};
use crate::vector::Wanted;
use clap::{Args, ValueEnum};
use indexmap::IndexMap;
use std::path::PathBuf;

/// What `strata why` takes.
#[derive(Args, Debug)]
pub(super) struct WhyArgs {
    /// The rule file, or a built program (`.ir.json`)
    file: PathBuf,
    /// The user's key
    #[arg(long, value_name = "KEY")]
    user: String,
    /// Only these declarations; of a layer also what would lead to its other members
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Data of a table, in place of what the rules name
    #[arg(long = "table", value_name = "NAME=PATH", value_parser = super::run::table)]
    tables: Vec<(String, String)>,
    /// The moment to reckon from: a date or timestamp in the rules' time zone
    #[arg(long, value_name = "T")]
    now: Option<String>,
    /// Between the fields of CSV files; `tab` for a tabulator
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = super::run::delimiter)]
    delimiter: u8,
    /// How the trees are printed
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
pub(super) fn why(args: &WhyArgs) -> u8 {
    let ready = match program::load(&args.file, &args.options) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let explained = explain(args, &ready);
    match explained {
        Ok(text) => {
            output::result(&text);
            0
        }
        Err(findings) => {
            output::findings(&ready.sources, &findings);
            FAULTY_CALL
        }
    }
}

fn explain(args: &WhyArgs, ready: &program::Ready) -> Result<String, Vec<Diagnostic>> {
    let rules = &ready.program;
    let users = rules.users.as_ref().ok_or_else(|| {
        vec![Diagnostic::placeless(
            codes::NOT_RUNNABLE,
            "the rules declare no user table, so there is no user to explain",
        )]
    })?;
    unknown_names(rules, &args.only)?;
    let (now, _) = moment::settle(rules, args.now.as_deref()).map_err(|finding| vec![finding])?;
    let tables: IndexMap<String, String> = args.tables.iter().cloned().collect();
    let options = ReadOptions { delimiter: args.delimiter, now, ..ReadOptions::default() };
    let loaded = match &ready.facts {
        Some(facts) => facts.clone(),
        None => facts::load(rules, &tables, &options)?.facts,
    };
    let row = row(rules, users, &tables, &options, &args.user)?;
    let dated = rules.at(now);
    let wanted = wanted(rules, &args.only);
    let run_options = RunOptions { tables, delimiter: args.delimiter, ..RunOptions::default() };
    let (user, population) = run::one_user(&dated, &wanted, &loaded, &run_options, row).map_err(found)?;
    let told = why::why(&dated, &loaded, &population, &ready.sources, &user, &args.only);
    Ok(match args.format {
        Format::Json => serde_json::to_string_pretty(&told).unwrap_or_default() + "\n",
        Format::Human => {
            let colour = output::stdout_has_colour();
            why::render(&told, |holds| match (holds, colour) {
                (true, true) => "\u{1b}[32myes\u{1b}[0m".to_owned(),
                (false, true) => "\u{1b}[31mno \u{1b}[0m".to_owned(),
                (true, false) => "yes".to_owned(),
                (false, false) => "no ".to_owned(),
            })
        }
    })
}

/// What is explained.
fn wanted(rules: &Program, only: &[String]) -> Wanted {
    match only.is_empty() {
        true => Wanted::all(rules),
        false => {
            let named = rules.declarations.iter().enumerate();
            Wanted::these(
                named.filter(|(_, found)| only.contains(&found.heading.name)).map(|(index, _)| index),
            )
        }
    }
}

/// What stands in the way of an explanation.
fn found(error: RunError) -> Vec<Diagnostic> {
    match error {
        RunError::Found(found) => found,
        RunError::Stopped(_) => Vec::new(),
    }
}

/// Names on the command line that the rules do not have.
fn unknown_names(rules: &Program, only: &[String]) -> Result<(), Vec<Diagnostic>> {
    let unknown: Vec<Diagnostic> = only
        .iter()
        .filter(|name| rules.declaration(name).is_none())
        .map(|name| {
            let finding = Diagnostic::placeless(
                codes::UNKNOWN_REQUEST,
                format!("`--only {name}`: the rules declare no `{name}`"),
            );
            let known = rules.declarations.iter().map(|declaration| declaration.heading.name.as_str());
            match nearest(name, known) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            }
        })
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(unknown) }
}

/// The values of the user with that key.
fn row(
    rules: &Program,
    users: &Table,
    tables: &IndexMap<String, String>,
    options: &ReadOptions,
    key: &str,
) -> Result<Vec<Value>, Vec<Diagnostic>> {
    let path =
        read::path_of(users, tables.get(&users.name).map(String::as_str)).map_err(|finding| vec![finding])?;
    let column = users.columns.get(users.key);
    let wanted = column.and_then(|column| key_value(rules, &column.ty, key)).ok_or_else(|| {
        let name = column.map_or("", |column| column.name.as_str());
        vec![Diagnostic::placeless(
            codes::UNKNOWN_REQUEST,
            format!("`--user {key}`: the key `{name}` never looks like that"),
        )]
    })?;
    let reader = read::open(users, rules, &path, options)?;
    let key_name = column.map_or("", |column| column.name.as_str());
    for batch in reader {
        let batch = batch.map_err(|finding| vec![finding])?;
        let Some(keys) = batch.column_by_name(key_name) else { continue };
        let Some(at) = (0..batch.num_rows()).find(|at| value_at(keys, *at) == wanted) else { continue };
        return Ok(users
            .columns
            .iter()
            .map(|column| {
                batch.column_by_name(&column.name).map_or(Value::Missing, |values| value_at(values, at))
            })
            .collect());
    }
    Err(vec![
        Diagnostic::placeless(codes::UNKNOWN_REQUEST, format!("no user in `{path}` has the key `{key}`"))
            .help(format!("`--user` takes a value of `{key_name}`")),
    ])
}

/// A key as it is written on the command line.
fn key_value(rules: &Program, ty: &Type, key: &str) -> Option<Value> {
    match ty {
        Type::Int => key.trim().parse().ok().map(Value::Int),
        Type::Text => Some(Value::Text(key.into())),
        Type::Date => {
            let date: jiff::civil::Date = key.trim().parse().ok()?;
            Some(Value::Date(crate::semantics::calendar::days(date)))
        }
        Type::Label(ty) => {
            let labels = &rules.label_type(*ty)?.labels;
            labels
                .iter()
                .position(|label| label == key)
                .and_then(|code| u32::try_from(code).ok())
                .map(Value::Label)
        }
        _ => None,
    }
}
