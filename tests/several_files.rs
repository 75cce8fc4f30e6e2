//! Programs of several files: what `use` finds, refuses and hands over.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::fs;
use std::path::Path;
use strata::check::{Options, check};

/// Writes files into a folder and checks the first: the codes, each with its message.
fn findings(folder: &Path, files: &[(&str, &str)]) -> Vec<String> {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let checked = check(&folder.join(files.first().unwrap().0), &Options::default());
    checked.diagnostics.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect()
}

const USERS: &str = "table users key user_id {\n  user_id : int\n  score : int\n}\n";

#[test]
fn a_used_file_shares_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let root = format!("{USERS}use \"shared/bands.seg\" with points = score\nsegment top when band = high\n");
    let found = findings(
        folder.path(),
        &[
            ("rules.seg", &root),
            ("shared/bands.seg", "layer band {\n  high when points >= 80\n  low otherwise\n}\n"),
        ],
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn files_that_use_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = format!("{USERS}use \"a.seg\"\n");
    let found = findings(
        folder.path(),
        &[("rules.seg", &root), ("a.seg", "use \"b.seg\"\n"), ("b.seg", "use \"a.seg\"\n")],
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("E0106"), "{found:#?}");
}

#[test]
fn a_file_outside_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("outside.seg"), "trait one = 1\n").unwrap();
    let inner = folder.path().join("inner");
    let root = format!("{USERS}use \"../outside.seg\"\n");
    let found = findings(&inner, &[("rules.seg", &root)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("E0107"), "{found:#?}");
}

#[test]
fn a_with_that_the_file_does_not_ask_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = format!("{USERS}use \"bands.seg\" with pints = score\n");
    let found = findings(
        folder.path(),
        &[("rules.seg", &root), ("bands.seg", "layer band {\n  high when score >= 80\n  low otherwise\n}\n")],
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("E0119"), "{found:#?}");
}

#[test]
fn a_mistake_in_a_used_file_is_found_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = format!("{USERS}use \"a.seg\"\nuse \"a.seg\"\nsegment top when good\n");
    let found =
        findings(folder.path(), &[("rules.seg", &root), ("a.seg", "segment good when score >= 80 &&\n")]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("E00"), "{found:#?}");
}
