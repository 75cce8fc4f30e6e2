//! The memory of the language: every `*.seg` under `tests/corpus/` gives exactly the diagnostics in
//! the `*.expected` file beside it. `UPDATE_CORPUS=1 cargo test --test corpus` rewrites those files;
//! review the difference.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use strata::diagnostic::{Diagnostic, FileId, Sources, codes};

/// What a rule file is checked with.
fn diagnose(path: &str, text: &str) -> (Sources, Vec<Diagnostic>) {
    let checked = strata::check::check_text(path, text);
    (checked.sources, checked.diagnostics)
}

/// Likewise, but for what is proved: a mended syntax error may well bring logic to light.
fn without_proofs(path: &str, text: &str) -> (Sources, Vec<Diagnostic>) {
    let checked = strata::check::check_text_without_proofs(path, text);
    (checked.sources, checked.diagnostics)
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All cases of a folder, in order of name.
fn cases(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(corpus().join(folder)) else { return Vec::new() };
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    cases.sort();
    cases
}

/// Diagnostics as stable text: one line each, with labels, help and fix below it.
fn render(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let place = |span: strata::diagnostic::Span| {
        let file = sources.get(span.file).unwrap();
        let start = file.line_column(span.start as usize);
        let end = file.line_column(span.end as usize);
        format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column)
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        let at = diagnostic.span.map_or_else(|| "-".to_owned(), place);
        writeln!(out, "{} {at} {}", diagnostic.code, diagnostic.message).unwrap();
        for label in &diagnostic.labels {
            writeln!(out, "  label {} {}", place(label.span), label.message).unwrap();
        }
        if let Some(help) = &diagnostic.help {
            writeln!(out, "  help: {help}").unwrap();
        }
        if let Some(fix) = &diagnostic.fix {
            writeln!(out, "  fix: {} {:?}", place(fix.span), fix.replacement).unwrap();
        }
        if let Some(witness) = &diagnostic.witness {
            writeln!(out, "  example: {}", serde_json::to_string(witness).unwrap()).unwrap();
        }
    }
    out
}

fn run(folder: &str) {
    let update = std::env::var_os("UPDATE_CORPUS").is_some();
    let mut wrong = String::new();
    for case in cases(folder) {
        let text = std::fs::read_to_string(&case).unwrap();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let (sources, diagnostics) = diagnose(&name, &text);
        let found = render(&sources, &diagnostics);
        let expected_path = case.with_extension("expected");
        if update {
            std::fs::write(&expected_path, &found).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if found != expected {
            writeln!(wrong, "── {folder}/{name}\n{text}\n── expected\n{expected}── found\n{found}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn good_files_have_no_diagnostics() {
    for case in cases("ok") {
        let text = std::fs::read_to_string(&case).unwrap();
        let (sources, diagnostics) = diagnose("ok.seg", &text);
        assert_eq!(render(&sources, &diagnostics), "", "{}", case.display());
    }
}

#[test]
fn syntax() {
    run("syntax");
}

#[test]
fn names() {
    run("names");
}

#[test]
fn types() {
    run("types");
}

#[test]
fn events() {
    run("events");
}

#[test]
fn logic() {
    run("logic");
}

#[test]
fn plans() {
    run("plans");
}

#[test]
fn data() {
    run("data");
}

/// The codes in the corpus' expected files.
fn codes_with_a_case() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["syntax", "names", "types", "events", "logic", "plans", "data"] {
        for case in cases(folder) {
            let expected = std::fs::read_to_string(case.with_extension("expected")).unwrap_or_default();
            found.extend(
                expected
                    .lines()
                    .filter(|line| !line.starts_with(' '))
                    .filter_map(|line| line.split(' ').next())
                    .map(str::to_owned),
            );
        }
    }
    found
}

/// Codes that no rule file alone can show, with what shows them instead.
const SHOWN_ELSEWHERE: &[(&str, &str)] = &[
    ("E0104", "every word of this edition is evaluated"),
    ("E0106", "needs two files; `tests/several_files.rs`"),
    ("E0107", "needs a file outside the folder; `tests/several_files.rs`"),
    ("W1404", "needs `strata analyze`; `tests/analyze.rs`"),
    ("W1602", "needs data; `tests/examples.rs` and `tests/behaviour.rs`"),
    ("E0122", "needs millions of expressions"),
];

/// Whether a code is about data, outputs or the command line, whose own tests show it.
fn beyond_rule_files(id: &str) -> bool {
    id.starts_with("E06") || id == "E0511"
}

#[test]
fn what_is_shown_elsewhere_is_said_once_and_truly() {
    let found = codes_with_a_case();
    for (id, _) in SHOWN_ELSEWHERE {
        assert!(codes::all().any(|code| code.id() == *id), "{id} is no code");
        assert!(!found.contains(*id), "{id} has a case and needs no excuse");
    }
}

#[test]
fn every_code_has_a_case() {
    let found = codes_with_a_case();
    let elsewhere = |id: &str| beyond_rule_files(id) || SHOWN_ELSEWHERE.iter().any(|(code, _)| *code == id);
    let without: Vec<&str> =
        codes::all().map(|code| code.id()).filter(|id| !found.contains(*id) && !elsewhere(id)).collect();
    assert!(without.is_empty(), "no case in tests/corpus shows {without:?}");
}

/// The first ```strata block under a heading of an explain page.
fn example(page: &str, heading: &str) -> Option<String> {
    let after = page.split_once(&format!("\n## {heading}\n"))?.1;
    let body = after.split("\n## ").next()?;
    let code = body.split_once("```strata\n")?.1;
    Some(code.split_once("```")?.0.to_owned())
}

#[test]
fn every_code_has_an_explain_page() {
    for code in codes::all() {
        let page = code.page();
        assert!(page.starts_with(&format!("# {}: ", code.id())), "the page of {code} has another title");
        for heading in ["What it finds", "Why it matters", "Wrong", "Right"] {
            let (_, body) = page
                .split_once(&format!("\n## {heading}\n"))
                .unwrap_or_else(|| panic!("the page of {code} has no `{heading}`"));
            let body = body.split("\n## ").next().unwrap();
            assert!(!body.trim().is_empty(), "`{heading}` of {code} is empty");
        }
    }
}

/// The wrong example shows its code and the right one shows nothing. Pages about data and the
/// surroundings have prose in place of rule files.
#[test]
fn examples_of_explain_pages_show_what_they_say() {
    let mut wrong_pages = String::new();
    for code in codes::all() {
        let (Some(wrong), Some(right)) = (example(code.page(), "Wrong"), example(code.page(), "Right"))
        else {
            assert!(!code.id().starts_with("E00"), "{code} has no example");
            continue;
        };
        if SHOWN_ELSEWHERE.iter().any(|(id, _)| *id == code.id()) {
            continue;
        }
        let (sources, found) = diagnose("wrong.seg", &wrong);
        if found.is_empty() || found.iter().any(|diagnostic| diagnostic.code != code) {
            writeln!(wrong_pages, "the wrong example of {code} gives\n{}", render(&sources, &found)).unwrap();
        }
        let (sources, found) = diagnose("right.seg", &right);
        if !found.is_empty() {
            writeln!(wrong_pages, "the right example of {code} gives\n{}", render(&sources, &found)).unwrap();
        }
    }
    assert!(wrong_pages.is_empty(), "{wrong_pages}");
}

#[test]
fn a_fix_mends_its_fault() {
    let mut stubborn = String::new();
    for case in cases("syntax") {
        let text = std::fs::read_to_string(&case).unwrap();
        let (sources, before) = without_proofs("case.seg", &text);
        for diagnostic in &before {
            let Some(fix) = &diagnostic.fix else { continue };
            assert_eq!(fix.span.file, FileId(0));
            let mut mended = text.clone();
            mended.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.replacement);
            let (_, after) = without_proofs("case.seg", &mended);
            if after.len() >= before.len() {
                writeln!(
                    stubborn,
                    "{}: {}",
                    case.display(),
                    render(&sources, std::slice::from_ref(diagnostic))
                )
                .unwrap();
            }
        }
    }
    assert!(stubborn.is_empty(), "these fixes leave as many findings as before:\n{stubborn}");
}

/// A mended program has no such finding there any more.
#[test]
fn a_fix_of_a_logic_finding_mends_it() {
    for case in cases("logic") {
        let text = std::fs::read_to_string(&case).unwrap();
        let (_, before) = diagnose("case.seg", &text);
        for diagnostic in &before {
            let Some(fix) = &diagnostic.fix else { continue };
            let mut mended = text.clone();
            mended.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.replacement);
            let (sources, after) = diagnose("case.seg", &mended);
            let same = |found: &[Diagnostic]| found.iter().filter(|one| one.code == diagnostic.code).count();
            assert!(same(&after) < same(&before), "{}: {}", case.display(), render(&sources, &after));
        }
    }
}
