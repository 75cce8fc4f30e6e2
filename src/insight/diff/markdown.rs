//! The comparison for a comment under a pull request.

use super::human::{column, or_none, region, total};
use super::{Diff, Difference, Entry, Status};
use std::fmt::Write;

/// The comparison as Markdown: what changed as a table, what did not in one line.
pub fn markdown(diff: &Diff, old: &str, new: &str, moment: &str) -> String {
    let mut out = String::new();
    let title = if diff.changed { "Segments change" } else { "No segment changes" };
    let _ = writeln!(out, "### {title}\n");
    let _ = writeln!(out, "`{old}` → `{new}`, {moment}: {}\n", total(&diff.counts));
    for setting in &diff.settings {
        let _ = writeln!(
            out,
            "- **{}**: {} → {}",
            setting.name,
            code(or_none(&setting.old)),
            code(or_none(&setting.new))
        );
    }
    for change in &diff.columns {
        let _ = writeln!(out, "- column {}", escape(&column(change)));
    }
    if !diff.settings.is_empty() || !diff.columns.is_empty() {
        out.push('\n');
    }
    let mut rows = String::new();
    for rule in &diff.rules {
        match &rule.members {
            None => row(&mut rows, &rule.name, rule),
            Some(_) if matches!(rule.status, Status::New | Status::Gone) || rule.was.is_some() => {
                row(&mut rows, &rule.name, rule)
            }
            Some(_) => {}
        }
        for member in rule.members.iter().flatten() {
            if !matches!(rule.status, Status::New | Status::Gone) {
                row(&mut rows, &format!("{} = {}", rule.name, member.name), member);
            }
        }
    }
    if !rows.is_empty() {
        out.push_str("| set | change | now in | no longer in |\n| --- | --- | --- | --- |\n");
        out.push_str(&rows);
        out.push('\n');
    }
    if !diff.changed {
        out.push_str("Proved for every user that the new file allows.\n");
    }
    out
}

/// What is not the same.
fn row(out: &mut String, name: &str, entry: &Entry) {
    if entry.status == Status::Same && entry.was.is_none() {
        return;
    }
    let change = match (&entry.was, &entry.reason) {
        (Some(was), _) if entry.status == Status::Same => format!("same, was called {}", code(was)),
        (_, Some(reason)) => format!("{}: {}", entry.status.word(), escape(reason)),
        _ => format!("**{}**", entry.status.word()),
    };
    let cell = |difference: &Option<Difference>| {
        difference.as_ref().map_or(String::new(), |difference| {
            let example = if difference.sentence == difference.region || difference.sentence == "anybody" {
                String::new()
            } else {
                format!("<br>for example {}", escape(&difference.sentence))
            };
            escape(region(difference)) + &example
        })
    };
    let _ = writeln!(out, "| {} | {change} | {} | {} |", code(name), cell(&entry.gained), cell(&entry.lost));
}

/// As code; a stroke would end the cell.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|").replace('`', "'"))
}

/// Text that Markdown takes as it stands.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '[' | ']' | '~' | '\\' => out.extend(['\\', character]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
