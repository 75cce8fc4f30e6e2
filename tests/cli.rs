//! The command line as a user meets it: the binary, its exit status, what it says where.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::fs;
use std::process::Output;
use tempfile::TempDir;

const RULES: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15T00:00

type level = low < mid < high

table users key user_id from "users.csv" {
  user_id   : int
  score     : int between 0 and 100
  signup_at : timestamp past
}

scale expertise : level {
  high when score >= 80
  mid  when score >= 50
  low  otherwise
}

segment pro "专业" when expertise >= high
segment fresh when signup_at in last 30 days

layer stage {
  newcomer "新手" when days since signup_at <= 30
  settled  "成长" otherwise
}
"#;

const USERS: &str =
    "user_id,score,signup_at\n1,90,2024-11-01T08:00:00\n2,60,2020-01-01T00:00:00\n3,10,2024-10-31T00:00:00\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn good() -> TempDir {
    folder(&[("rules.seg", RULES), ("users.csv", USERS)])
}

fn strata(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::cargo_bin("strata").unwrap().current_dir(folder.path()).args(arguments).output().unwrap()
}

/// Runs the command and holds it to its exit status; gives stdout and stderr.
#[track_caller]
fn ends(status: i32, folder: &TempDir, arguments: &[&str]) -> (String, String) {
    let output = strata(folder, arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{out}\n{err}");
    assert!(!err.contains("panicked"), "{err}");
    (out, err)
}

#[test]
fn usage_errors_end_with_2_and_help_with_0() {
    let folder = good();
    for wrong in
        [&["nonsense"][..], &["check"], &["check", "rules.seg", "--format", "xml"], &["why", "rules.seg"]]
    {
        let (out, err) = ends(2, &folder, wrong);
        assert!(out.is_empty() && !err.is_empty(), "{wrong:?}");
    }
    assert!(ends(0, &folder, &["--help"]).0.contains("explain"));
    assert!(ends(0, &folder, &["--version"]).0.starts_with("strata "));
}

#[test]
fn files_that_cannot_be_read_end_with_2_and_say_which() {
    let folder = good();
    fs::write(folder.path().join("latin.seg"), b"strata 1\n# caf\xe9\n").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for path in ["nowhere.seg", "latin.seg", "empty"] {
        assert!(ends(2, &folder, &["check", path]).1.contains(path), "{path}");
    }
    assert!(ends(2, &folder, &["run", "empty"]).1.contains("empty"));
}

#[test]
fn findings_end_with_1_and_show_their_place() {
    let folder = folder(&[("rules.seg", &RULES.replace("score >= 80", "scroe >= 80"))]);
    let (out, err) = ends(1, &folder, &["check", "rules.seg"]);
    assert!(out.is_empty(), "{out}");
    assert!(err.contains("rules.seg:14:13"), "{err}");
    assert!(err.contains("`scroe`") && err.contains("`score`"), "{err}");
    assert!(err.contains("1 error"), "{err}");
    assert!(!err.contains('\u{1b}'), "no colours in a pipe: {err}");
    ends(1, &folder, &["run", "rules.seg"]);
    ends(1, &folder, &["build", "rules.seg", "-o", "rules.ir.json"]);
    assert!(!folder.path().join("rules.ir.json").exists());
}

#[test]
fn json_findings_keep_their_schema() {
    let schema: Value = serde_json::from_str(include_str!("../docs/src/schemas/check.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let broken = RULES.replace("score >= 80", "scroe >= 80").replace("in last 30 days", "in lst 30 days");
    let folder = folder(&[("good.seg", RULES), ("broken.seg", &broken)]);
    for (file, status) in [("good.seg", 0), ("broken.seg", 1)] {
        let (out, _) = ends(status, &folder, &["check", file, "--format", "json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        let faults: Vec<String> = validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}\n{out}");
        assert_eq!(report["errors"] == json!(0), status == 0, "{out}");
    }
    let (out, _) = ends(1, &folder, &["check", "broken.seg", "--format", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["diagnostics"][0]["start"]["line"], json!(14), "{out}");
    assert_eq!(report["diagnostics"][0]["start"]["column"], json!(13), "{out}");
}

#[test]
fn a_folder_is_every_rule_file_that_no_other_uses() {
    let folder = folder(&[
        ("all/rules.seg", &RULES.replace("segment pro", "use \"shared/more.seg\"\nsegment pro")),
        ("all/shared/more.seg", "segment strong when expertise >= mid\n"),
        ("all/notes.txt", "no rules"),
    ]);
    let (_, err) = ends(0, &folder, &["check", "all"]);
    assert!(err.contains("1 file checked"), "{err}");
}

#[test]
fn standard_files_are_listed_and_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (list, _) = ends(0, &folder, &["std"]);
    assert!(list.contains("rfm_segments.seg") && list.contains("lifecycle.seg"), "{list}");
    for name in ["rfm_value8.seg", "rfm_value8", "std:rfm_value8.seg"] {
        assert!(ends(0, &folder, &["std", name]).0.contains("重要价值"));
    }
    assert!(ends(2, &folder, &["std", "rfm_segment.seg"]).1.contains("did you mean `rfm_segments.seg`?"));
}

#[test]
fn codes_are_explained() {
    let folder = good();
    let (list, _) = ends(0, &folder, &["explain"]);
    assert!(list.contains("E0101  "), "{list}");
    assert!(ends(0, &folder, &["explain", "e0101"]).0.starts_with("# E0101"));
    assert!(ends(2, &folder, &["explain", "E0110O"]).1.contains("E0110O"));
}

#[test]
fn only_logic_findings_can_be_allowed() {
    let folder = good();
    let (_, err) = ends(2, &folder, &["check", "rules.seg", "--allow", "E0101"]);
    assert!(err.contains("E0101"), "{err}");
}

#[test]
fn data_that_do_not_fit_end_with_2() {
    let folder = folder(&[("rules.seg", RULES), ("users.csv", "user_id,signup_at\n1,2020-01-01T00:00:00\n")]);
    ends(0, &folder, &["check", "rules.seg"]);
    assert!(ends(2, &folder, &["check", "rules.seg", "--data"]).1.contains("`score`"));
    ends(0, &good(), &["check", "rules.seg", "--data"]);
}

fn counts(folder: &TempDir, file: &str) -> Value {
    let (out, _) = ends(0, folder, &["run", file, "--summary", "json"]);
    let summary: Value = serde_json::from_str(&out).unwrap();
    json!([summary["rows"], summary["segments"], summary["layers"], summary["program"]])
}

#[test]
fn a_built_program_runs_like_its_text_and_keeps_its_schema() {
    let folder = good();
    ends(0, &folder, &["build", "rules.seg", "-o", "rules.ir.json"]);
    assert_eq!(counts(&folder, "rules.ir.json"), counts(&folder, "rules.seg"));
    let schema: Value =
        serde_json::from_str(include_str!("../docs/src/schemas/program.schema.json")).unwrap();
    let file: Value =
        serde_json::from_slice(&fs::read(folder.path().join("rules.ir.json")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&file).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let text = ends(0, &folder, &["why", "rules.seg", "--user", "1"]).0;
    assert_eq!(ends(0, &folder, &["why", "rules.ir.json", "--user", "1"]).0, text);
    assert!(ends(2, &folder, &["build", "rules.seg", "-o", "rules.bin"]).1.contains(".json"));
}

#[test]
fn a_built_program_that_was_changed_is_refused() {
    let folder = good();
    let path = folder.path().join("rules.ir.json");
    ends(0, &folder, &["build", "rules.seg", "-o", "rules.ir.json"]);
    let text = fs::read_to_string(&path).unwrap();
    let built: Value = serde_json::from_str(&text).unwrap();
    let changes: [(&str, Value); 7] = [
        ("/strata/format", json!(2)),
        ("/hash", json!("sha256:0")),
        ("/program/timezone", json!("UTC")),
        ("/program/nodes/0", json!({})),
        ("/program/declarations", json!([])),
        ("/facts/calendar", json!([[0, true]])),
        ("/sources/0/text", json!("strata 1")),
    ];
    for (place, value) in changes {
        let mut changed = built.clone();
        *changed.pointer_mut(place).unwrap() = value;
        fs::write(&path, serde_json::to_vec(&changed).unwrap()).unwrap();
        for verb in [&["run", "rules.ir.json"][..], &["expand", "rules.ir.json"]] {
            let (out, err) = ends(2, &folder, verb);
            assert!(out.is_empty() && err.contains("rules.ir.json"), "{place}: {err}");
        }
    }
    for damaged in ["", "{}", "[]", "null", text.trim_end().trim_end_matches('}')] {
        fs::write(&path, damaged).unwrap();
        ends(2, &folder, &["run", "rules.ir.json"]);
    }
}

#[test]
fn the_expanded_program_checks_and_means_the_same() {
    let folder = good();
    let (expanded, _) = ends(0, &folder, &["expand", "rules.seg"]);
    assert!(expanded.contains("2024-10-16T00:00") && !expanded.contains("in last"), "{expanded}");
    fs::write(folder.path().join("expanded.seg"), &expanded).unwrap();
    ends(0, &folder, &["check", "expanded.seg"]);
    let (before, after) = (counts(&folder, "rules.seg"), counts(&folder, "expanded.seg"));
    for at in 0..3 {
        assert_eq!(before[at], after[at], "{expanded}");
    }
}

#[test]
fn why_finds_the_user_or_says_that_there_is_none() {
    let folder = good();
    assert!(ends(0, &folder, &["why", "rules.seg", "--user", "1"]).0.contains("pro"));
    assert!(ends(2, &folder, &["why", "rules.seg", "--user", "99"]).1.contains("99"));
    assert!(ends(2, &folder, &["why", "rules.seg", "--user", "1", "--only", "prow"]).1.contains("pro"));
}

const OPEN: &str = r#"strata 1
now 2024-11-15
table users key id from "users.csv" {
  id : int
  a  : int
  b  : int
}
layer l partial {
  odd when a * b = 62773913
  big when a > 5000 and b > 5000
}
assert never (a * b = 62773913 and a > 5000 and b > 5000)
"#;

#[test]
fn what_proofs_left_open_a_run_sees_to() {
    let fine = folder(&[("rules.seg", OPEN), ("users.csv", "id,a,b\n1,6000,2\n2,7,7\n")]);
    let (_, said) = ends(0, &fine, &["run", "rules.seg", "-o", "out.csv"]);
    assert!(said.contains("W1405"), "{said}");
    assert!(fine.path().join("out.csv").exists());
    let wrong = folder(&[("rules.seg", OPEN), ("users.csv", "id,a,b\n1,7919,7927\n2,7,7\n")]);
    let (_, said) = ends(1, &wrong, &["run", "rules.seg", "-o", "out.csv"]);
    for code in ["E0402", "E0405"] {
        assert!(said.contains(code), "{code}: {said}");
    }
    assert!(said.contains("does not hold for 1 user"), "{said}");
    assert!(!wrong.path().join("out.csv").exists());
    ends(0, &wrong, &["run", "rules.seg", "-o", "out.csv", "--force"]);
    assert!(wrong.path().join("out.csv").exists());
}

const DATED: &str = r#"strata 1
now 2024-11-15
table users key id from "users.csv" {
  id   : int
  seen : date
}
layer l partial {
  early  when seen < 2024-11-01
  lately when seen in last 10 days
}
assert never (l = lately and seen < 2024-11-05)
"#;

#[test]
fn what_was_proved_for_one_moment_is_tested_at_another() {
    let folder = folder(&[("rules.seg", DATED), ("users.csv", "id,seen\n1,2024-10-30\n2,2024-11-02\n")]);
    ends(0, &folder, &["run", "rules.seg", "-o", "out.csv"]);
    fs::remove_file(folder.path().join("out.csv")).unwrap();
    ends(0, &folder, &["build", "rules.seg", "-o", "rules.ir.json"]);
    for rules in ["rules.seg", "rules.ir.json"] {
        let (_, said) = ends(1, &folder, &["run", rules, "--now", "2024-11-05", "-o", "out.csv"]);
        for message in ["more than one member of `l` takes 1 user", "does not hold for 1 user"] {
            assert!(said.contains(message), "{rules}: {said}");
        }
        assert!(!folder.path().join("out.csv").exists());
    }
}

#[test]
fn a_logic_finding_can_be_allowed() {
    let rules = RULES.replace("mid  when score >= 50", "mid  when score >= 90");
    let folder = folder(&[("rules.seg", &rules), ("users.csv", USERS)]);
    let (_, said) = ends(1, &folder, &["check", "rules.seg"]);
    assert!(said.contains("E0404"), "{said}");
    ends(0, &folder, &["check", "rules.seg", "--allow", "E0404"]);
    ends(1, &folder, &["run", "rules.seg"]);
    ends(0, &folder, &["run", "rules.seg", "--allow", "E0404"]);
}
