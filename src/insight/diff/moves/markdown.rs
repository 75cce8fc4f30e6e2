//! The moves for a comment under a pull request.

use super::super::human::of_rule;
use super::super::markdown::{code, escape};
use super::human::{bad, headline, place, users};
use super::{Moves, RuleMoves};
use std::fmt::Write;

/// Kinds of moves of a rule that are shown.
const SHOWN: usize = 10;

/// The moves as Markdown: a table of them; what nobody moves in has no line.
pub fn markdown(moves: &Moves) -> String {
    let mut out = format!("### Who moves\n\n{} in {}.\n\n", users(moves.users), code(&moves.source));
    for (side, columns) in [("old", &moves.bad_values.old), ("new", &moves.bad_values.new)] {
        for column in columns {
            let _ = writeln!(out, "- {}", escape(&bad(column, side)));
        }
    }
    let mut rows = String::new();
    for rule in &moves.rules {
        of(&mut rows, rule);
    }
    if rows.is_empty() {
        out.push_str("Nobody moves.\n");
        return out;
    }
    out.push_str("| rule | from | to | users | for example |\n| --- | --- | --- | ---: | --- |\n");
    out.push_str(&rows);
    out
}

fn of(rows: &mut String, rule: &RuleMoves) {
    let name = escape(&of_rule(rule.kind, &rule.name, &rule.was));
    if rule.then.is_none() || rule.now.is_none() {
        let _ = writeln!(rows, "| {name} | {} |  |  |  |", headline(rule));
    }
    for moved in rule.moves.iter().take(SHOWN) {
        let _ = writeln!(
            rows,
            "| {name} | {} | {} | {} | {} |",
            escape(&place(&moved.from)),
            escape(&place(&moved.to)),
            moved.users,
            escape(&moved.examples.join(", "))
        );
    }
    let more: u64 = rule.moves.iter().skip(SHOWN).map(|of| of.users).sum::<u64>() + rule.others;
    if more > 0 {
        let _ = writeln!(rows, "| {name} | in other ways |  | {more} |  |");
    }
    for renamed in &rule.renamed {
        let (from, to) = (escape(&renamed.from), escape(&renamed.to));
        let _ = writeln!(rows, "| {name} | {from} | {to}: only a new name | {} stayed |  |", renamed.users);
    }
}
