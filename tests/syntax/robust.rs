//! No text makes the parser fail, loop or point outside the text.

use proptest::prelude::*;
use std::time::{Duration, Instant};
use strata::diagnostic::FileId;
use strata::syntax::parse;

const WHOLE: &str = include_str!("whole_file.seg");

/// Parses and checks all places.
fn survives(text: &str) -> usize {
    let (file, diagnostics) = parse(FileId(0), text);
    let spans = diagnostics
        .iter()
        .flat_map(|diagnostic| {
            let labels = diagnostic.labels.iter().map(|label| label.span);
            diagnostic.span.into_iter().chain(labels).chain(diagnostic.fix.iter().map(|fix| fix.span))
        })
        .chain(file.declarations.iter().flat_map(|declaration| [declaration.span, declaration.word]))
        .chain(file.comments.iter().map(|comment| comment.span))
        .chain(file.allows.iter().flat_map(|allow| [allow.span, allow.covers]));
    for span in spans {
        let (start, end) = (span.start as usize, span.end as usize);
        assert!(text.get(start..end).is_some(), "{start}..{end} is no stretch of {text:?}");
    }
    // The marks of the preparation reach no reader, unless he wrote them himself.
    let own = text.contains(['\u{1}', '\u{2}']);
    for diagnostic in &diagnostics {
        assert!(
            !diagnostic.message.is_empty() && !diagnostic.message.ends_with('.'),
            "{}",
            diagnostic.message
        );
        assert!(own || !diagnostic.message.contains(['\u{1}', '\u{2}']), "{:?}", diagnostic.message);
        for text in diagnostic.help.iter().chain(diagnostic.fix.iter().map(|fix| &fix.replacement)) {
            assert!(own || !text.contains(['\u{1}', '\u{2}']), "{text:?}");
        }
    }
    diagnostics.len()
}

/// Pieces that meet each other in odd places.
const PIECES: &[&str] = &[
    "segment",
    "layer",
    "{",
    "}",
    "(",
    ")",
    "\"",
    "“",
    "”",
    "'",
    "`",
    "#",
    "##",
    "\n",
    " ",
    "，",
    "年龄",
    "a",
    "when",
    "and",
    "or",
    "not",
    "<=",
    "=>",
    "->",
    "5",
    "万",
    "5 万",
    ".5",
    "1e5",
    "2024-1-5",
    "22:",
    "\\",
    "\u{200b}",
    "\u{3000}",
    "аge",
    "in last 30 days",
    "otherwise",
    "\u{feff}",
    "\u{1}",
    "\u{2}",
    "case {",
    "points {",
    "type t = a | b",
    "[",
    "]",
    ":",
    "%",
    "..",
    "?",
    "—",
    "99999999999999999999999999999999999999999",
    "0.",
    "-",
    "*",
    "days since",
    "of",
    "🙂",
    "e\u{301}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutations_of_a_good_file(edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, prop::sample::select(PIECES)), 1..6)) {
        let mut chars: Vec<char> = WHOLE.chars().collect();
        for (place, length, piece) in edits {
            let start = place.index(chars.len() + 1);
            let end = (start + length).min(chars.len());
            chars.splice(start..end, piece.chars());
        }
        survives(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn pieces_thrown_together(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        survives(&pieces.join(" "));
        survives(&pieces.concat());
    }

    #[test]
    fn any_characters(text in "\\PC{0,60}") {
        survives(&text);
        survives(&format!("segment a when {text}\nsegment b when c\n"));
    }
}

#[test]
fn prefixes_of_a_good_file() {
    for (at, _) in WHOLE.char_indices().step_by(7) {
        survives(&WHOLE[..at]);
    }
}

#[test]
fn a_good_file_stays_quick_when_it_is_long() {
    let rules: String = (0..2000)
        .map(|n| {
            format!(
                "segment s{n} \"标签 {n}\" when age >= {} and (x = \"a{n}\" or y in (\"b\", \"c\"))\n",
                n % 90
            )
        })
        .collect();
    let start = Instant::now();
    let (file, diagnostics) = parse(FileId(0), &rules);
    assert!(diagnostics.is_empty() && file.declarations.len() == 2000);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn nesting_is_quick_and_limited() {
    let nested = |open: &str, count: usize, inner: &str, close: &str| {
        format!("segment a when {}{inner}{}\nsegment b when c\n", open.repeat(count), close.repeat(count))
    };
    let start = Instant::now();
    for (open, close) in
        [("(", ")"), ("min(", ", 1)"), ("x in (", ")"), ("not (", ")"), ("tags has any (", ")")]
    {
        assert_eq!(survives(&nested(open, 200, "x", close)), 0, "{open}");
        assert!(survives(&nested(open, 201, "x", close)) > 0, "{open}");
    }
    for open in [
        "(",
        "min(",
        "min (",
        "last (",
        "x in (",
        "x contains (",
        "case { when ",
        "points { when ",
        "b[",
        "days since (",
        "at least 2 of (",
        "x in last (",
        "x between (",
        "x not in [",
        "not ",
        "- ",
        "[",
        "list of ",
        "x + ",
        "x implies ",
        "in (",
        "{",
        "population (",
        "days from (",
        "x has any (",
        "`",
        "\"",
        "“",
    ] {
        survives(&nested(open, 10_000, "x", ""));
        survives(&nested(open, 150, "x", ""));
        survives(&format!("trait t : {} int = 3\n", open.repeat(5_000)));
    }
    for close in [")", "}", "]"] {
        survives(&close.repeat(2_000));
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let (file, diagnostics) = parse(FileId(0), &" ".repeat(strata::syntax::MAX_FILE_BYTES + 1));
    assert!(file.declarations.is_empty());
    assert_eq!(diagnostics[0].code.id(), "E0005");
}
