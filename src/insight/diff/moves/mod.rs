//! What two versions of the rules make of the same data: how many users move from where to where.
//!
//! Both programs run over one table at once, so that each user's two answers stand side by side; only the
//! counts, the kinds of moves and a few keys of each are kept, whatever the number of users.

mod human;
mod lockstep;
mod markdown;
mod rule;

pub use human::human;
pub use markdown::markdown;
pub use rule::{Move, Renamed, RuleMoves};

use super::{Diff, Entry, Status};
use crate::diagnostic::{Diagnostic, codes::data as codes};
use crate::program::{Program, Table};
use crate::run::moment;
use crate::run::{BadColumn, RunOptions, Summary};
use rule::Watch;
use serde::Serialize;

/// Rules with what they are run with: tables, facts, separators.
#[derive(Debug)]
pub struct Side<'a> {
    /// The rules.
    pub program: &'a Program,
    /// How they are run. What is shown, when, and what becomes of guards is settled here.
    pub options: RunOptions,
}

/// Why there is nothing to tell.
#[derive(Debug, Default)]
pub struct Failure {
    /// What was found under the old rules.
    pub old: Vec<Diagnostic>,
    /// What was found under the new ones, but for what is said of the old ones already.
    pub new: Vec<Diagnostic>,
    /// The signal that stopped it.
    pub stopped: Option<i32>,
}

/// How users move.
#[derive(Clone, Debug, Serialize)]
pub struct Moves {
    /// Users looked at.
    pub users: u64,
    /// Where they come from.
    pub source: String,
    /// By segment, scale, layer, grid, stack, play and split: in the new file's order, then what is gone.
    pub rules: Vec<RuleMoves>,
    /// Values that broke their declaration and counted as missing.
    pub bad_values: BadOnBothSides,
}

/// Values that broke the declarations of either file.
#[derive(Clone, Debug, Serialize)]
pub struct BadOnBothSides {
    /// Those of the old file.
    pub old: Vec<BadColumn>,
    /// Those of the new file.
    pub new: Vec<BadColumn>,
}

/// Runs both versions at that moment over the data of the new one's users, and counts who moves.
/// `diff` says which rules belong together and which members have but a new name.
///
/// # Errors
/// Whatever keeps either run from its end, by side.
pub fn moves(diff: &Diff, old: Side, new: Side, now: i64) -> Result<Moves, Failure> {
    let source = same_users(&old, &new)?;
    let mut watches: Vec<Watch> = diff.rules.iter().map(Watch::new).collect();
    let old = prepared(old, diff, now, &mut watches, true);
    let new = prepared(new, diff, now, &mut watches, false);
    let (was, is) = lockstep::run_both(&old, &new, &mut |then, now| {
        for watch in &mut watches {
            watch.add(then, now);
        }
    })?;
    let rules = watches.into_iter().map(Watch::tell).collect();
    let Summary { bad_values, .. } = was;
    Ok(Moves {
        users: is.rows,
        source,
        rules,
        bad_values: BadOnBothSides { old: bad_values, new: is.bad_values },
    })
}

/// What shows only what is compared, at the moment of the comparison.
fn prepared<'a>(side: Side<'a>, diff: &Diff, now: i64, watches: &mut [Watch], is_old: bool) -> Side<'a> {
    let name = |entry: &Entry| side_name(entry, is_old).map(str::to_owned);
    let names: Vec<String> = diff.rules.iter().filter_map(name).collect();
    // The columns of an output: what assigns, then attributes, each in the file's order.
    let shown = |attributes: bool| {
        let names = &names;
        side.program
            .declarations
            .iter()
            .filter(move |found| crate::run::assigns(&found.kind) != attributes)
            .map(|found| found.heading.name.as_str())
            .filter(move |name| names.iter().any(|known| known == name))
    };
    let columns: Vec<&str> = shown(false).chain(shown(true)).collect();
    for (watch, entry) in watches.iter_mut().zip(&diff.rules) {
        let at = side_name(entry, is_old).and_then(|name| columns.iter().position(|known| *known == name));
        // The key stands before them.
        watch.reads(is_old, at.map(|at| at + 1));
    }
    let shown_now = moment::show(now, &side.program.zone());
    let options = RunOptions {
        now: Some(shown_now),
        nothing_shown: names.is_empty(),
        only: names,
        output: None,
        // Guards are about what is published, and this is not.
        force: true,
        // Both read the same keys: it is enough that one of them looks at them.
        check_keys: !is_old,
        ..side.options
    };
    Side { program: side.program, options }
}

/// A rule's name on a side; none where the side has no such rule.
fn side_name(entry: &Entry, is_old: bool) -> Option<&str> {
    match (entry.status, is_old) {
        (Status::New, true) | (Status::Gone, false) => None,
        (_, true) => Some(entry.was.as_ref().unwrap_or(&entry.name)),
        (_, false) => Some(&entry.name),
    }
}

/// That both read the same users by the same key; gives where from.
fn same_users(old: &Side, new: &Side) -> Result<String, Failure> {
    let (was, is) = match (&old.program.users, &new.program.users) {
        (Some(was), Some(is)) => (was, is),
        (None, _) => return Err(Failure { old: vec![no_users("old")], ..Failure::default() }),
        (_, None) => return Err(Failure { new: vec![no_users("new")], ..Failure::default() }),
    };
    let key = |table: &Table| table.columns.get(table.key).map(|key| key.source_name.clone());
    if let (Some(then), Some(now)) = (key(was), key(is))
        && then != now
    {
        let message = format!(
            "the old rules know users by the column `{then}`, the new ones by `{now}`, so nobody can be found again"
        );
        let help = "compare them without data, or let both name the same key";
        let place = is.columns.get(is.key).map_or(is.place, |key| key.place);
        let finding = Diagnostic::new(codes::NOT_RUNNABLE, place, message).help(help);
        return Err(Failure { new: vec![finding], ..Failure::default() });
    }
    let path = |side: &Side, table: &Table| side.options.tables.get(&table.name).cloned();
    Ok(path(new, is).or_else(|| path(old, was)).unwrap_or_default())
}

fn no_users(which: &str) -> Diagnostic {
    Diagnostic::placeless(
        codes::NOT_RUNNABLE,
        format!("the {which} rules declare no user table, so there is nobody to run them for"),
    )
    .help("declare one: `table users key user_id from \"users.csv\" { … }`")
}
