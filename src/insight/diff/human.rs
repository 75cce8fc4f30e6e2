//! The comparison for people at a terminal.

use super::super::declared::Kind;
use super::{ColumnChange, Counts, Diff, Difference, Entry, Setting, Status};
use std::fmt::Write;

/// The comparison as text, without a heading.
pub fn human(diff: &Diff) -> String {
    let mut out = String::new();
    if !diff.settings.is_empty() {
        out.push_str("settings\n");
        for Setting { name, old, new } in &diff.settings {
            let _ = writeln!(out, "  {name}: {} -> {}", or_none(old), or_none(new));
        }
        out.push('\n');
    }
    if !diff.columns.is_empty() {
        out.push_str("columns\n");
        for change in &diff.columns {
            let _ = writeln!(out, "  {}", column(change));
        }
        out.push('\n');
    }
    let (segments, others): (Vec<&Entry>, Vec<&Entry>) =
        diff.rules.iter().partition(|rule| rule.members.is_none());
    if !segments.is_empty() {
        out.push_str("segments\n");
        entries(&mut out, &segments);
        out.push('\n');
    }
    for rule in others {
        let _ = writeln!(out, "{}: {}", of_rule(rule.kind, &rule.name, &rule.was), rule.status.word());
        if let Some(reason) = &rule.reason {
            let _ = writeln!(out, "  {reason}");
        }
        let members: Vec<&Entry> = rule.members.iter().flatten().collect();
        if !matches!(rule.status, Status::Same | Status::New | Status::Gone) {
            entries(&mut out, &members);
        }
        out.push('\n');
    }
    out.push_str(&total(&diff.counts));
    out.push('\n');
    out
}

/// A declared value that may not be there.
pub(super) fn or_none(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("none")
}

/// A change of a column in a line.
pub(super) fn column(change: &ColumnChange) -> String {
    let name = match change.name.as_str() {
        "" => change.table.clone(),
        name => format!("{}.{name}", change.table),
    };
    let note = change.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
    match (&change.old, &change.new) {
        (None, Some(new)) => format!("{name}: new, {new}{note}"),
        (Some(old), None) => format!("{name}: gone, was {old}{note}"),
        (old, new) => format!("{name}: {} -> {}{note}", or_none(old), or_none(new)),
    }
}

/// More sets than this that are the same are only counted.
const MOST_SAME: usize = 12;

fn entries(out: &mut String, entries: &[&Entry]) {
    let is_same = |entry: &&Entry| entry.status == Status::Same && entry.was.is_none();
    let same = entries.iter().filter(|entry| is_same(entry)).count();
    let told: Vec<&Entry> =
        entries.iter().copied().filter(|entry| same <= MOST_SAME || !is_same(entry)).collect();
    each(out, &told);
    if told.len() < entries.len() {
        let others = if told.is_empty() { "" } else { " others" };
        let _ = writeln!(out, "  = {same}{others} the same");
    }
}

fn each(out: &mut String, entries: &[&Entry]) {
    let width = entries.iter().map(|entry| width(&entry.name)).max().unwrap_or(0);
    for entry in entries {
        let padding = " ".repeat(width - self::width(&entry.name));
        let _ =
            writeln!(out, "  {} {}{padding}  {}{}", sign(entry), entry.name, entry.status.word(), was(entry));
        for (head, difference) in [("now in", &entry.gained), ("no longer in", &entry.lost)] {
            if let Some(difference) = difference {
                let _ = writeln!(out, "      {head}: {}", region(difference));
                if difference.sentence != difference.region && difference.sentence != "anybody" {
                    let _ = writeln!(out, "        for example {}", difference.sentence);
                }
            }
        }
        if let Some(reason) = &entry.reason {
            let open = match (&entry.gained, &entry.lost) {
                _ if entry.status != Status::Undecided => "",
                (Some(_), _) => "whether anybody has left could not be told: ",
                (_, Some(_)) => "whether anybody has come could not be told: ",
                _ => "",
            };
            let _ = writeln!(out, "      {open}{reason}");
        }
    }
}

fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Users in words.
pub(super) fn region(difference: &Difference) -> &str {
    if difference.region.is_empty() { "everybody" } else { &difference.region }
}

/// A rule by kind and name, and what it was called.
pub(super) fn of_rule(kind: Option<Kind>, name: &str, was: &Option<String>) -> String {
    let word = kind.map_or("", |kind| kind.word());
    format!("{word} {name}{}", was_called(was))
}

fn was(entry: &Entry) -> String {
    was_called(&entry.was)
}

fn was_called(was: &Option<String>) -> String {
    was.as_ref().map_or(String::new(), |was| format!(", was called {was}"))
}

fn sign(entry: &Entry) -> char {
    match entry.status {
        Status::Same => '=',
        Status::Wider => '>',
        Status::Narrower => '<',
        Status::Changed => '~',
        Status::New => '+',
        Status::Gone => '-',
        Status::Undecided => '?',
    }
}

/// How many sets of users have changed which way.
pub(super) fn total(counts: &Counts) -> String {
    let each = [
        (counts.same, "same"),
        (counts.renamed, "renamed"),
        (counts.wider, "wider"),
        (counts.narrower, "narrower"),
        (counts.changed, "changed"),
        (counts.new, "new"),
        (counts.gone, "gone"),
        (counts.undecided, "undecided"),
    ];
    let parts: Vec<String> =
        each.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if parts.is_empty() { "no segments and layers".to_owned() } else { parts.join(", ") }
}
