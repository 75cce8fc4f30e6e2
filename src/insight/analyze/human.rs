//! The analysis for people at a terminal.

use super::paths::too_many;
use super::{Analysis, Extent, Open, Overlap, Paths, Question, Reads};
use crate::diagnostic::codes::logic as codes;
use std::fmt::Write;

/// So many of a kind are listed.
const MOST_LISTED: usize = 20;

/// The analysis as text, without a heading.
pub fn human(analysis: &Analysis) -> String {
    let mut out = String::new();
    segments(&mut out, analysis);
    containment(&mut out, analysis);
    let equal: Vec<String> = analysis.equal.iter().map(|class| class.join(" = ")).collect();
    list(&mut out, "the same set", &equal);
    let overlaps: Vec<String> = analysis.overlaps.iter().map(overlap).collect();
    list(&mut out, "overlaps", &overlaps);
    let disjoint: Vec<String> = analysis.disjoint.iter().map(|[a, b]| format!("{a}, {b}")).collect();
    list(&mut out, "nobody in both", &disjoint);
    let open: Vec<String> = analysis.undecided.iter().map(undecided).collect();
    list(&mut out, "undecided", &open);
    if analysis.not_compared > 0 {
        let _ = writeln!(
            out,
            "{} pairs of segments were not compared: the time was up (`--seconds` gives more)\n",
            analysis.not_compared
        );
    }
    for stack in &analysis.paths {
        paths(&mut out, stack);
    }
    reads(&mut out, analysis);
    let mut text = out.trim_end().to_owned();
    text.push('\n');
    text
}

fn segments(out: &mut String, analysis: &Analysis) {
    if analysis.segments.is_empty() {
        out.push_str("no segments\n\n");
        return;
    }
    let _ = writeln!(out, "{} segments", analysis.segments.len());
    for (extent, what) in [
        (Some(Extent::Nobody), "nobody can be in"),
        (Some(Extent::Everybody), "everybody is in"),
        (None, "undecided whether anybody is in"),
    ] {
        let names: Vec<&str> = analysis
            .segments
            .iter()
            .filter(|segment| segment.users == extent)
            .map(|segment| segment.name.as_str())
            .collect();
        if !names.is_empty() {
            let _ = writeln!(out, "  {what}: {}", names.join(", "));
        }
    }
    out.push('\n');
}

/// The larger sets with the smaller ones under them. What lies within several stands under each.
fn containment(out: &mut String, analysis: &Analysis) {
    if analysis.within.is_empty() {
        return;
    }
    out.push_str("what lies within what\n");
    let tops: Vec<&str> = analysis
        .segments
        .iter()
        .map(|segment| segment.name.as_str())
        .filter(|name| analysis.within.iter().any(|edge| edge.outer == *name))
        .filter(|name| !analysis.within.iter().any(|edge| edge.inner == *name))
        .collect();
    let mut left = MOST_LISTED * 5;
    for top in tops {
        branch(out, analysis, top, 1, &mut left);
    }
    if left == 0 {
        out.push_str("  … (`--format json` has them all)\n");
    }
    out.push('\n');
}

fn branch(out: &mut String, analysis: &Analysis, name: &str, depth: usize, left: &mut usize) {
    // Lines, not depth, bound the walk: a chain is as long as there are segments.
    if *left == 0 {
        return;
    }
    *left -= 1;
    let _ = writeln!(out, "{}{name}", "  ".repeat(depth));
    for edge in analysis.within.iter().filter(|edge| edge.outer == name) {
        branch(out, analysis, &edge.inner, depth + 1, left);
    }
}

fn list(out: &mut String, head: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{head}");
    for line in lines.iter().take(MOST_LISTED) {
        let _ = writeln!(out, "  {line}");
    }
    if let Some(more) = lines.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        let _ = writeln!(out, "  … and {more} more (`--format json` has them all)");
    }
    out.push('\n');
}

fn overlap(overlap: &Overlap) -> String {
    let [a, b] = &overlap.segments;
    let region = match overlap.region.as_deref() {
        None => String::new(),
        Some("") => ": everybody".to_owned(),
        Some(region) => format!(": {region}"),
    };
    let example = match (&overlap.sentence, overlap.region.as_deref()) {
        (Some(sentence), Some(region)) if sentence != region && sentence != "anybody" => {
            format!("\n    for example {sentence}")
        }
        _ => String::new(),
    };
    format!("{a}, {b}{region}{example}")
}

fn undecided(open: &Open) -> String {
    let [a, b] = &open.segments;
    let asked: Vec<String> = open
        .questions
        .iter()
        .map(|question| match question {
            Question::Overlap => "whether anybody is in both".to_owned(),
            Question::FirstWithinSecond => format!("whether {a} lies within {b}"),
            Question::SecondWithinFirst => format!("whether {b} lies within {a}"),
        })
        .collect();
    format!("{a}, {b}: {}; {}", asked.join(", "), open.reason)
}

fn paths(out: &mut String, paths: &Paths) {
    let Some(all) = paths.all else {
        let _ = writeln!(out, "{}\n", too_many(&paths.stack));
        return;
    };
    let Paths { stack, impossible, undecided, .. } = paths;
    if impossible.is_empty() && undecided.is_empty() {
        let _ = writeln!(out, "stack {stack}: some user can have each of its {all} paths\n");
        return;
    }
    let code = codes::IMPOSSIBLE_PATH;
    let head = format!("stack {stack}: {} of {all} paths that no user can have ({code})", impossible.len());
    list(out, &head, impossible);
    let open: Vec<String> = undecided.iter().map(|open| format!("{}: {}", open.path, open.reason)).collect();
    list(out, &format!("stack {stack}: paths that could not be decided"), &open);
}

fn reads(out: &mut String, analysis: &Analysis) {
    if analysis.reads.is_empty() {
        return;
    }
    out.push_str("what each rule reads\n");
    let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let head = |reads: &Reads| format!("{} {}", reads.kind.word(), reads.name);
    let widest = analysis.reads.iter().map(|reads| width(&head(reads))).max().unwrap_or(0);
    for reads in &analysis.reads {
        let head = head(reads);
        let padding = " ".repeat(widest - width(&head));
        let _ = writeln!(out, "  {head}{padding}  {}", sources(reads));
    }
    if !analysis.unread.is_empty() {
        let _ = writeln!(out, "  no rule reads {}", analysis.unread.join(", "));
    }
}

fn sources(reads: &Reads) -> String {
    let mut parts = Vec::new();
    let all: Vec<&str> =
        reads.columns.iter().chain(&reads.events).chain(&reads.lookups).map(String::as_str).collect();
    if !all.is_empty() {
        parts.push(all.join(", "));
    }
    if reads.now {
        parts.push("now".to_owned());
    }
    if reads.population {
        parts.push("the whole population".to_owned());
    }
    let text = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    match reads.rules.is_empty() {
        true => text,
        false => format!("{text}; through {}", reads.rules.join(", ")),
    }
}
