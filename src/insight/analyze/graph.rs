//! The analysis as a graph: an arrow from each set to the next larger ones, a dotted line between those
//! that overlap.

use super::{Analysis, Segment};
use std::fmt::Write;

/// For Mermaid: what Markdown pages draw.
pub fn mermaid(analysis: &Analysis) -> String {
    let mut out = "flowchart BT\n".to_owned();
    let number = numbers(analysis);
    for (at, segment) in shown(analysis) {
        let _ = writeln!(out, "  s{at}[\"{}\"]", mermaid_text(&title(analysis, segment)));
    }
    for edge in &analysis.within {
        if let (Some(inner), Some(outer)) = (number(&edge.inner), number(&edge.outer)) {
            let _ = writeln!(out, "  s{inner} --> s{outer}");
        }
    }
    for overlap in &analysis.overlaps {
        let [a, b] = &overlap.segments;
        if let (Some(a), Some(b)) = (number(a), number(b)) {
            let _ = writeln!(out, "  s{a} -.- s{b}");
        }
    }
    out
}

/// For Graphviz.
pub fn dot(analysis: &Analysis) -> String {
    let mut out = "digraph segments {\n  rankdir=BT;\n  node [shape=box];\n".to_owned();
    let number = numbers(analysis);
    for (at, segment) in shown(analysis) {
        let text = title(analysis, segment).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = writeln!(out, "  s{at} [label=\"{text}\"];");
    }
    for edge in &analysis.within {
        if let (Some(inner), Some(outer)) = (number(&edge.inner), number(&edge.outer)) {
            let _ = writeln!(out, "  s{inner} -> s{outer};");
        }
    }
    for overlap in &analysis.overlaps {
        let [a, b] = &overlap.segments;
        if let (Some(a), Some(b)) = (number(a), number(b)) {
            let _ = writeln!(out, "  s{a} -> s{b} [dir=none, style=dotted, constraint=false];");
        }
    }
    out.push_str("}\n");
    out
}

/// Each set once: of equal segments the first.
fn shown(analysis: &Analysis) -> impl Iterator<Item = (usize, &Segment)> {
    let later =
        |name: &str| analysis.equal.iter().any(|class| class.iter().skip(1).any(|equal| equal == name));
    analysis.segments.iter().enumerate().filter(move |(_, segment)| !later(&segment.name))
}

fn numbers(analysis: &Analysis) -> impl Fn(&str) -> Option<usize> {
    let by_name: hashbrown::HashMap<String, usize> =
        analysis.segments.iter().enumerate().map(|(at, segment)| (segment.name.clone(), at)).collect();
    move |name| by_name.get(name).copied()
}

/// The names of a set, and its label.
fn title(analysis: &Analysis, segment: &Segment) -> String {
    let class = analysis.equal.iter().find(|class| class.first() == Some(&segment.name));
    let names = class.map_or_else(|| segment.name.clone(), |class| class.join(" = "));
    match &segment.label {
        Some(label) => format!("{names}\n{label}"),
        None => names,
    }
}

fn mermaid_text(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\n' => out.push_str("<br>"),
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            other => out.push(other),
        }
    }
    out
}
