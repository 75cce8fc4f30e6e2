//! The summary for people.

use super::moment::NowFrom;
use super::summary::{BadColumn, EventRows, Summary};
use crate::program::{DeclarationKind, Heading, Program};
use crate::semantics::wording;
use indexmap::IndexMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// How many paths that are too small are named.
const MOST_SMALL: usize = 20;

/// Cells of a full bar.
const BAR: u64 = 20;

enum Line {
    Heading(String),
    Count { name: String, label: String, users: u64 },
    Note(String),
}

/// The summary as text, with the program's labels beside the names. `verbose` adds where the time
/// went.
pub fn present(summary: &Summary, program: &Program, verbose: bool) -> String {
    let mut lines = Vec::new();
    segments(summary, program, &mut lines);
    layers(summary, program, &mut lines);
    stacks(summary, program, &mut lines);
    splits(summary, program, &mut lines);
    plays(summary, program, &mut lines);
    let mut text = String::new();
    let users = if summary.rows == 1 { "user" } else { "users" };
    let _ = writeln!(text, "{} {users}, now {} {}", grouped(summary.rows), summary.now, origin(summary));
    text.push_str(&table(&lines, summary.rows));
    text.push_str(&guards(summary));
    text.push_str(&small_paths(summary));
    if !summary.bad_values.is_empty() {
        text.push_str("\nbad values, which count as missing\n");
        for bad in &summary.bad_values {
            let _ = writeln!(text, "  {}", bad_line(bad));
        }
    }
    if !summary.events.is_empty() {
        text.push_str("\nevents\n");
        for rows in &summary.events {
            let _ = writeln!(text, "  {}", event_line(rows));
        }
    }
    text.push('\n');
    if let Some(output) = &summary.output {
        let _ = writeln!(text, "written to {output}");
    }
    let rate = if summary.seconds > 0.0 { summary.rows as f64 / summary.seconds } else { 0.0 };
    let _ = write!(text, "{:.2} seconds", summary.seconds);
    if rate >= 1.0 {
        let _ = write!(text, ", {} users a second", grouped(rate as u64));
    }
    text.push('\n');
    if verbose {
        let by = summary.seconds_by_stage;
        let _ = writeln!(
            text,
            "busy: read {:.2} s, evaluate {:.2} s, write {:.2} s (stages work at once)\nprogram {}",
            by.read, by.evaluate, by.write, summary.program
        );
    }
    text
}

fn origin(summary: &Summary) -> String {
    let zone = &summary.timezone;
    match summary.now_from {
        NowFrom::Option => format!("({zone}), as `--now` says"),
        NowFrom::File => format!("({zone}), fixed by the file"),
        NowFrom::Clock => format!("({zone}), by the clock"),
    }
}

fn label(heading: &Heading) -> String {
    heading.label.clone().unwrap_or_default()
}

fn segments(summary: &Summary, program: &Program, lines: &mut Vec<Line>) {
    if summary.segments.is_empty() {
        return;
    }
    lines.push(Line::Heading("segments".to_owned()));
    for (name, users) in &summary.segments {
        let label = program.declaration(name).map(|found| label(&found.heading)).unwrap_or_default();
        lines.push(Line::Count { name: plain(name), label: plain(&label), users: *users });
    }
}

fn layers(summary: &Summary, program: &Program, lines: &mut Vec<Line>) {
    for (name, members) in &summary.layers {
        let Some(declaration) = program.declaration(name) else { continue };
        let DeclarationKind::Layer(layer) = &declaration.kind else { continue };
        let word = if layer.grid { "grid" } else { "layer" };
        let heading = format!("{word} {name} {}", label(&declaration.heading));
        lines.push(Line::Heading(plain(heading.trim_end())));
        for member in &layer.members {
            let users = members.get(&member.name).copied().unwrap_or_default();
            lines.push(Line::Count { name: plain(&member.name), label: plain(&label(member)), users });
        }
        let none = members.get("").copied().unwrap_or_default();
        if none > 0 {
            lines.push(Line::Count { name: "(none)".to_owned(), label: String::new(), users: none });
        }
        let many = summary.overlaps.get(name).copied().unwrap_or_default();
        if many > 0 {
            let many = grouped(many);
            lines.push(Line::Note(format!(
                "claimed by more than one member: {many} (first in the file wins)"
            )));
        }
        let gap = summary.gaps.get(name).copied().unwrap_or_default();
        if gap > 0 {
            let gap = grouped(gap);
            lines.push(Line::Note(format!("taken by no member: {gap} (the {word} is not `partial`)")));
        }
    }
}

/// Each path is indented below what it is a part of, with its last step alone.
fn stacks(summary: &Summary, program: &Program, lines: &mut Vec<Line>) {
    for (name, paths) in &summary.stacks {
        lines.push(Line::Heading(headed("stack", name, program)));
        for (path, users) in paths.iter().filter(|(path, _)| !path.is_empty()) {
            let depth = wording::steps(path).len().saturating_sub(1);
            let last = last_step(path);
            lines.push(Line::Count {
                name: format!("{}{}", "  ".repeat(depth), plain(last)),
                label: String::new(),
                users: *users,
            });
        }
        none(paths, lines);
    }
}

/// What stands behind the last `/` that parts steps.
fn last_step(path: &str) -> &str {
    let mut start = 0;
    let mut escaped = false;
    for (at, letter) in path.char_indices() {
        if letter == wording::BETWEEN_STEPS && !escaped {
            start = at + letter.len_utf8();
        }
        escaped = letter == '\\' && !escaped;
    }
    path.get(start..).unwrap_or(path)
}

fn headed(word: &str, name: &str, program: &Program) -> String {
    let label = program.declaration(name).map(|found| label(&found.heading)).unwrap_or_default();
    plain(format!("{word} {name} {label}").trim_end())
}

fn none(counts: &IndexMap<String, u64>, lines: &mut Vec<Line>) {
    let users = counts.get("").copied().unwrap_or_default();
    if users > 0 {
        lines.push(Line::Count { name: "(none)".to_owned(), label: String::new(), users });
    }
}

fn splits(summary: &Summary, program: &Program, lines: &mut Vec<Line>) {
    for (name, arms) in &summary.splits {
        lines.push(Line::Heading(headed("split", name, program)));
        let declared = program.declaration(name).map(|found| &found.kind);
        for (arm, users) in arms.iter().filter(|(arm, _)| !arm.is_empty()) {
            let heading = match declared {
                Some(DeclarationKind::Split(split)) => {
                    split.arms.iter().map(|arm| &arm.heading).find(|heading| heading.name == *arm)
                }
                _ => None,
            };
            let label = heading.map(label).unwrap_or_default();
            lines.push(Line::Count { name: plain(arm), label: plain(&label), users: *users });
        }
        none(arms, lines);
    }
}

fn plays(summary: &Summary, program: &Program, lines: &mut Vec<Line>) {
    for (name, texts) in &summary.plays {
        lines.push(Line::Heading(headed("play", name, program)));
        for (text, users) in texts.iter().filter(|(text, _)| !text.is_empty()) {
            let name = plain(&shortened(text));
            lines.push(Line::Count { name, label: String::new(), users: *users });
        }
        none(texts, lines);
    }
}

fn guards(summary: &Summary) -> String {
    if summary.guards.is_empty() {
        return String::new();
    }
    let mut text = "\nguards\n".to_owned();
    for guard in &summary.guards {
        let mark = if guard.holds { "kept" } else { "FAILED" };
        let value = match guard.value {
            None => "of nobody".to_owned(),
            Some(value) if guard.text.starts_with("share") => super::guards::percentage(value),
            Some(value) => grouped(value as u64),
        };
        let _ = writeln!(text, "  {mark:<6}  {}: {value}", plain(&guard.text));
    }
    text
}

/// The leaves too small for a campaign, and what that says about the stack.
fn small_paths(summary: &Summary) -> String {
    let Some(small) = &summary.small_paths else { return String::new() };
    let mut text = String::new();
    for (stack, fragments) in &summary.fragments {
        if fragments.small == 0 {
            let paths = grouped(fragments.paths);
            let _ = writeln!(text, "\nstack {}: none of its {paths} paths is too small", plain(stack));
            continue;
        }
        let _ = writeln!(
            text,
            "\nstack {}: {} of {} paths are too small, with {} users in all ({} of everybody)",
            plain(stack),
            grouped(fragments.small),
            grouped(fragments.paths),
            grouped(fragments.users),
            share(fragments.users, summary.rows)
        );
        for path in small.iter().filter(|path| path.stack == *stack).take(MOST_SMALL) {
            let _ = writeln!(text, "  {}: {}", plain(&path.path), grouped(path.users));
        }
        let more = fragments.small.saturating_sub(MOST_SMALL as u64);
        if more > 0 {
            let _ = writeln!(text, "  and {} more", grouped(more));
        }
        if fragments.small * 2 > fragments.paths {
            let _ = writeln!(
                text,
                "  more than half of the paths are too small: leave a step out, or join members of a step"
            );
        }
    }
    text
}

fn table(lines: &[Line], rows: u64) -> String {
    let (mut names, mut labels, mut counts) = (0, 0, 0);
    for line in lines {
        if let Line::Count { name, label, users } = line {
            names = names.max(name.width());
            labels = labels.max(label.width());
            counts = counts.max(grouped(*users).len());
        }
    }
    let mut text = String::new();
    for line in lines {
        match line {
            Line::Heading(heading) => {
                let _ = write!(text, "\n{heading}\n");
            }
            Line::Note(note) => {
                let _ = writeln!(text, "  {note}");
            }
            Line::Count { name, label, users } => {
                let mut row = format!("  {name}{}", " ".repeat(names - name.width()));
                if labels > 0 {
                    let _ = write!(row, "  {label}{}", " ".repeat(labels - label.width()));
                }
                let _ = write!(
                    row,
                    "  {:>counts$}  {:>6}  {}",
                    grouped(*users),
                    share(*users, rows),
                    bar(*users, rows)
                );
                text.push_str(row.trim_end());
                text.push('\n');
            }
        }
    }
    text
}

fn bad_line(bad: &BadColumn) -> String {
    let examples: Vec<String> = bad
        .examples
        .iter()
        .map(|example| match &example.value {
            Some(value) => format!("`{}` in row {}", plain(&shortened(value)), grouped(example.row)),
            None => format!("no value in row {}", grouped(example.row)),
        })
        .collect();
    let mut line = format!("{}.{}: {}", plain(&bad.table), plain(&bad.column), grouped(bad.count));
    if !examples.is_empty() {
        let _ = write!(line, ", such as {}", examples.join(", "));
    }
    line
}

/// What became of the rows of an event table: all that were left out are told of.
fn event_line(rows: &EventRows) -> String {
    let used = if rows.used == 1 { "event" } else { "events" };
    let mut line = format!("{}: {} {used} of users", plain(&rows.table), grouped(rows.used));
    let left_out = [
        (rows.later, "later than now"),
        (rows.orphans, "of nobody"),
        (rows.missing_key, "without a key"),
        (rows.missing_time, "without a time"),
        (rows.skipped, "not read, too old for every rule"),
    ];
    for (count, what) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(line, "; {} {what}", grouped(count));
        if what == "of nobody" {
            let keys: Vec<String> =
                rows.orphan_examples.iter().map(|key| format!("`{}`", plain(&shortened(key)))).collect();
            let _ = write!(line, ", such as {}", keys.join(", "));
        }
    }
    line
}

fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

/// Text from files, without what a terminal would take as an order.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn share(users: u64, rows: u64) -> String {
    if rows == 0 {
        return "–".to_owned();
    }
    format!("{:.1}%", users as f64 / rows as f64 * 100.0)
}

/// A bar to the eighth of a cell. Whoever is there at all is to be seen.
fn bar(users: u64, rows: u64) -> String {
    if rows == 0 || users == 0 {
        return String::new();
    }
    let eighths = (u128::from(users) * u128::from(BAR) * 8 / u128::from(rows)).max(1);
    let mut bar = "█".repeat(usize::try_from(eighths / 8).unwrap_or_default());
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    bar.push_str(part.get(usize::try_from(eighths % 8).unwrap_or_default()).unwrap_or(&""));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_shares_and_bars() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(share(1, 3), "33.3%");
        assert_eq!(share(0, 0), "–");
        assert_eq!(bar(1, 1), "█".repeat(20));
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(0, 10), "");
        assert_eq!(bar(3, 80), "▊");
    }

    #[test]
    fn rows_line_up_whatever_the_script() {
        let lines = [
            Line::Heading("segments".into()),
            Line::Count { name: "pro_strong".into(), label: "专业 · 意愿强".into(), users: 1234 },
            Line::Count { name: "沉默".into(), label: "silent".into(), users: 1 },
        ];
        insta::assert_snapshot!(table(&lines, 2000).trim(), @"
        segments
          pro_strong  专业 · 意愿强  1,234   61.7%  ████████████▎
          沉默        silent             1    0.1%  ▏
        ");
    }

    #[test]
    fn examples_are_short_and_harmless() {
        let examples = vec![super::super::summary::BadExample {
            value: Some(format!("\u{1b}[31m{}", "x".repeat(50))),
            row: 1200,
            file: "users.csv".into(),
        }];
        let bad = BadColumn { table: "users".into(), column: "age".into(), count: 1200, examples };
        let line = bad_line(&bad);
        assert!(line.starts_with("users.age: 1,200, such as `\u{fffd}[31mxxx"));
        assert!(line.ends_with("…` in row 1,200"));
    }
}
