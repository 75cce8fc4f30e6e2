//! The moves for people at a terminal.

use super::super::human::of_rule;
use super::{Move, Moves, RuleMoves};
use crate::run::BadColumn;
use std::fmt::Write;

/// Kinds of moves of a rule that are shown.
const SHOWN: usize = 10;

/// The moves as text.
pub fn human(moves: &Moves) -> String {
    let mut out = format!("{} in {}\n", users(moves.users), moves.source);
    for (side, columns) in [("old", &moves.bad_values.old), ("new", &moves.bad_values.new)] {
        for column in columns {
            let _ = writeln!(out, "  {}", bad(column, side));
        }
    }
    let (still, moving): (Vec<&RuleMoves>, Vec<&RuleMoves>) =
        moves.rules.iter().partition(|rule| is_still(rule));
    for rule in moving {
        let _ = writeln!(out, "\n{}: {}", of_rule(rule.kind, &rule.name, &rule.was), headline(rule));
        lines(&mut out, rule);
    }
    let still: Vec<&str> = still.iter().map(|rule| rule.name.as_str()).collect();
    if !still.is_empty() {
        let _ = writeln!(out, "\nnobody moves: {}", still.join(", "));
    }
    out
}

/// Whether there is nothing to say of a rule.
fn is_still(rule: &RuleMoves) -> bool {
    rule.then == rule.now && rule.moves.is_empty() && rule.others == 0 && rule.renamed.is_empty()
}

/// Values that counted as missing.
pub(super) fn bad(column: &BadColumn, side: &str) -> String {
    let (values, break_it) = match column.count {
        1 => ("value", "breaks what the"),
        _ => ("values", "break what the"),
    };
    let BadColumn { table, column, count, .. } = column;
    format!("{count} {values} of {table}.{column} {break_it} {side} file declares, and counted as missing")
}

/// A rule's counts in a line.
pub(super) fn headline(rule: &RuleMoves) -> String {
    let sizes = match (rule.then, rule.now) {
        (Some(then), Some(now)) => format!("{then} -> {now}"),
        (None, Some(now)) => format!("new, {}", users(now)),
        (Some(then), None) => format!("gone, had {}", users(then)),
        (None, None) => "nobody".to_owned(),
    };
    let counts = [(rule.entered, "entered"), (rule.left, "left"), (rule.moved, "moved")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    counts.fold(sizes, |line, (count, word)| format!("{line}, {count} {word}"))
}

fn lines(out: &mut String, rule: &RuleMoves) {
    for Move { from, to, users, examples } in rule.moves.iter().take(SHOWN) {
        let ways = (place(from), place(to));
        let _ = writeln!(out, "  {} -> {}: {users}, for example {}", ways.0, ways.1, examples.join(", "));
    }
    let more: u64 = rule.moves.iter().skip(SHOWN).map(|of| of.users).sum::<u64>() + rule.others;
    if more > 0 {
        let _ = writeln!(out, "  {} in other ways", users(more));
    }
    for renamed in &rule.renamed {
        let _ =
            writeln!(out, "  {} is called {} now: {} stayed", renamed.from, renamed.to, users(renamed.users));
    }
}

/// A place that may be none.
pub(super) fn place(place: &Option<String>) -> String {
    match place {
        None => "(none)".to_owned(),
        Some(text) => text.replace(['\n', '\r'], " "),
    }
}

/// How many.
pub(super) fn users(count: u64) -> String {
    if count == 1 { "1 user".to_owned() } else { format!("{count} users") }
}
