//! `strata analyze` as a user meets it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const RULES: &str = r#"strata 1
now 2024-11-15

type level = low < mid < high

table users key user_id {
  user_id : int
  age     : int? between 0 and 120
  channel : social | search | ads ?
  orders  : int >= 0
  a       : int
  b       : int
  nothing : string
}
events visits of users by user_id at visited_on {
  user_id    : int
  visited_on : date
  page       : string
}

trait visits_30d = count(visits where page = "shop", last 30 days)

scale loyalty : level {
  high when orders >= 10
  mid  when orders >= 3
  low  otherwise
}

segment adult "成年" when age >= 18
segment young_adult when age between 18 and 25
segment minor when age < 18
segment grown_up when age >= 18 and orders >= 0
segment from_social when channel = social
segment loyal when loyalty = high
segment visitor when visits_30d >= 5
segment regular when visits_30d >= 1
segment odd when a * b > 10
segment odder when a * b > 20 or b * a > 20

layer lifecycle {
  newcomer when orders = 0
  buyer    otherwise
}
stack plan on lifecycle {
  all by loyalty, from_social
}
"#;

fn folder(rules: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.seg"), rules).unwrap();
    folder
}

#[track_caller]
fn analyze(folder: &TempDir, arguments: &[&str]) -> String {
    let output = Command::cargo_bin("strata")
        .unwrap()
        .current_dir(folder.path())
        .args(["analyze", "rules.seg"])
        .args(arguments)
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    String::from_utf8(output.stdout).unwrap()
}

fn report(folder: &TempDir, arguments: &[&str]) -> Value {
    let text = analyze(folder, &[&["--format", "json"], arguments].concat());
    let schema: Value =
        serde_json::from_str(include_str!("../docs/src/schemas/analyze.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let faults: Vec<String> = validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}\n{text}");
    report
}

/// Whether a pair stands in a list, in the file's order.
fn has_pair(list: &Value, a: &str, b: &str) -> bool {
    list.as_array()
        .unwrap()
        .iter()
        .any(|pair| *pair == json!([a, b]) || pair.get("segments") == Some(&json!([a, b])))
}

#[test]
fn says_what_lies_within_overlaps_and_excludes_what() {
    let report = report(&folder(RULES), &[]);
    let within = report["within"].as_array().unwrap();
    let is_within = |inner: &str, outer: &str| within.contains(&json!({ "inner": inner, "outer": outer }));
    assert!(is_within("young_adult", "adult"), "{within:?}");
    assert!(is_within("visitor", "regular"), "{within:?}");
    assert_eq!(report["equal"], json!([["adult", "grown_up"]]));
    assert!(has_pair(&report["disjoint"], "adult", "minor"));
    assert!(has_pair(&report["disjoint"], "young_adult", "minor"));
    let overlaps = report["overlaps"].as_array().unwrap();
    let overlap =
        overlaps.iter().find(|pair| pair["segments"] == json!(["young_adult", "from_social"])).unwrap();
    assert_eq!(overlap["region"], "age 18 to 25, channel social");
    assert_eq!(overlap["example"], json!({ "users": { "age": 18, "channel": "social" } }));
    assert_eq!(report["not_compared"], 0);
}

#[test]
fn says_what_each_rule_reads() {
    let report = report(&folder(RULES), &[]);
    let reads = report["reads"].as_array().unwrap();
    let of = |name: &str| reads.iter().find(|reads| reads["name"] == name).unwrap();
    assert_eq!(of("visitor")["events"], json!(["visits.visited_on", "visits.page"]));
    assert_eq!(of("visitor")["rules"], json!(["visits_30d"]));
    assert_eq!(of("visitor")["now"], true);
    assert_eq!(of("loyal")["columns"], json!(["orders"]));
    assert_eq!(of("loyal")["rules"], json!(["loyalty"]));
    assert_eq!(of("plan")["columns"], json!(["channel", "orders"]));
    assert_eq!(of("plan")["kind"], "stack");
    assert_eq!(report["unread"], json!(["users.nothing"]));
}

#[test]
fn says_which_paths_nobody_can_have() {
    let folder = folder(RULES);
    let report = report(&folder, &[]);
    let wanted =
        ["newcomer/mid/from_social", "newcomer/mid/-", "newcomer/high/from_social", "newcomer/high/-"];
    assert_eq!(report["paths"][0]["all"], 12);
    assert_eq!(report["paths"][0]["impossible"], json!(wanted));
    let text = analyze(&folder, &[]);
    assert!(text.contains("stack plan: 4 of 12 paths that no user can have (W1404)"), "{text}");
    let text = analyze(&folder, &["--allow", "W1404"]);
    assert!(!text.contains("W1404"), "{text}");
}

#[test]
fn draws_graphs() {
    let folder = folder(RULES);
    let mermaid = analyze(&folder, &["--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart BT\n"), "{mermaid}");
    assert!(mermaid.contains("s0[\"adult = grown_up<br>成年\"]"), "{mermaid}");
    assert!(mermaid.contains("s1 --> s0\n"), "{mermaid}");
    assert!(mermaid.contains("s1 -.- s4\n"), "{mermaid}");
    let dot = analyze(&folder, &["--format", "dot"]);
    assert!(dot.starts_with("digraph segments {") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("s1 -> s0;"), "{dot}");
}

#[test]
fn what_proofs_do_not_see_through_is_said_to_be_undecided() {
    let rules = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n  a : int\n  b : int\n}\n\
                 segment one when a * a * b > 1000003 and a * b * b < 7\n\
                 segment two when a * b * a = 12 and b > 100000\n";
    let report = report(&folder(rules), &[]);
    let undecided = report["undecided"].as_array().unwrap();
    let told = undecided.len() + report["disjoint"].as_array().unwrap().len();
    assert_eq!(told, 1, "{report:#}");
}

#[test]
fn many_segments_end_in_time() {
    let mut rules = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n".to_owned();
    for column in 0..40 {
        rules += &format!("  c{column} : int between 0 and 1000\n");
    }
    rules += "}\n";
    for at in 0..300 {
        let (a, b, c) = (at % 40, (at * 7 + 3) % 40, (at * 13 + 11) % 40);
        let bound = at % 17 * 50;
        rules += &format!("segment s{at} when c{a} >= {bound} and (c{b} < {} or c{c} > 700)\n", bound + 90);
    }
    let folder = folder(&rules);
    let start = Instant::now();
    let report = report(&folder, &["--seconds", "5"]);
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
    let told: usize =
        ["overlaps", "disjoint", "undecided"].iter().map(|kind| report[kind].as_array().unwrap().len()).sum();
    let left = report["not_compared"].as_u64().unwrap();
    assert!(told > 0 || left > 0);
    if left > 0 {
        let text = analyze(&folder, &["--seconds", "5"]);
        assert!(text.contains("pairs of segments were not compared"), "{text}");
    }
}
