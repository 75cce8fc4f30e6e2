//! `strata diff` as a user meets it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const OLD: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15

type level = low < mid < high

table users key user_id {
  user_id   : int
  age       : int? between 0 and 120
  channel   : social | search | ads ?
  orders    : int >= 0
  spend     : decimal(10,2) >= 0
  city      : string?
  signup_at : timestamp past
  retired   : bool
}
events visits of users by user_id at visited_on {
  user_id    : int
  visited_on : date
  page       : string
}

trait shop_visits = count(visits where page = "shop", last 30 days)

scale loyalty : level {
  high when orders >= 10
  mid  when orders >= 3
  low  otherwise
}

segment adult when age >= 18
segment rich when spend >= 1000
segment from_social when channel = social
segment not_ads when channel != ads
segment fresh when days since signup_at <= 30
segment visitor when shop_visits >= 5
segment local when city = "上海"
segment oldish when age >= 60
segment away when retired

layer lifecycle {
  newcomer when orders = 0
  growing  when orders between 1 and 4
  loyal    otherwise
}
play greeting for lifecycle {
  newcomer -> "welcome"
  growing  -> "thank you for {orders} orders"
  loyal    -> "good to see you"
}
stack plan on lifecycle {
  all by loyalty
}
split trial of adult seed "one" {
  control 10%
  treated 90%
}
"#;

fn new() -> String {
    OLD.replace("age >= 18", "age >= 16")
        .replace("spend >= 1000", "spend > 1000")
        .replace("decimal(10,2)", "decimal(18,2)")
        .replace("social | search | ads ?", "social | search | ads | mail ?")
        .replace("days since signup_at <= 30", "days since signup_at < 31")
        .replace("shop_visits >= 5", "shop_visits >= 3")
        .replace("segment oldish", "segment senior")
        .replace("segment away when retired\n", "segment many when orders > 20\n")
        .replace("  retired   : bool\n", "")
        .replace("loyal    otherwise", "faithful otherwise")
        .replace("loyal    ->", "faithful ->")
        .replace("\"welcome\"", "\"a warm welcome\"")
        .replace("city = \"上海\"", "city in (\"上海\", \"北京\") and age < 60")
        .replace("control 10%\n  treated 90%", "control 20%\n  treated 80%")
}

fn folder(old: &str, new: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.seg"), old).unwrap();
    fs::write(folder.path().join("new.seg"), new).unwrap();
    folder
}

#[track_caller]
fn diff(status: i32, folder: &TempDir, arguments: &[&str]) -> String {
    let output = Command::cargo_bin("strata")
        .unwrap()
        .current_dir(folder.path())
        .args(["diff", "old.seg", "new.seg"])
        .args(arguments)
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{err}");
    String::from_utf8(output.stdout).unwrap()
}

fn report(old: &str, new: &str) -> Value {
    let text = diff(0, &folder(old, new), &["--format", "json"]);
    let schema: Value = serde_json::from_str(include_str!("../docs/src/schemas/diff.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let faults: Vec<String> = validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}\n{text}");
    report
}

fn rule<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == name).unwrap()
}

fn member<'a>(report: &'a Value, rule_name: &str, name: &str) -> &'a Value {
    let members = rule(report, rule_name)["members"].as_array().unwrap();
    members.iter().find(|member| member["name"] == name).unwrap()
}

#[test]
fn each_set_is_the_same_wider_narrower_or_changed() {
    let report = report(OLD, &new());
    let status = |name: &str| rule(&report, name)["status"].clone();
    assert_eq!(status("adult"), "wider");
    assert_eq!(rule(&report, "adult")["gained"]["region"], "age 16 to 17");
    assert_eq!(status("rich"), "narrower");
    assert_eq!(rule(&report, "rich")["lost"]["example"]["users"]["spend"].to_string(), "1000.00");
    assert_eq!(status("from_social"), "same");
    // To the old rules `mail` is no label: a missing value, which is not `ads`.
    assert_eq!(status("not_ads"), "same");
    assert_eq!(status("fresh"), "same");
    assert_eq!(status("visitor"), "wider");
    assert_eq!(status("local"), "changed");
    assert_eq!(status("many"), "new");
    assert_eq!(status("away"), "gone");
    assert_eq!(status("loyalty"), "same");
    assert_eq!((status("senior"), rule(&report, "senior")["was"].clone()), (json!("same"), json!("oldish")));
}

#[test]
fn members_texts_paths_and_arms_are_compared_too() {
    let report = report(OLD, &new());
    let faithful = member(&report, "lifecycle", "faithful");
    assert_eq!((&faithful["status"], &faithful["was"]), (&json!("same"), &json!("loyal")));
    let welcome = member(&report, "greeting", "a warm welcome");
    assert_eq!((&welcome["status"], &welcome["was"]), (&json!("same"), &json!("welcome")));
    assert_eq!(member(&report, "plan", "faithful/high")["was"], "loyal/high");
    let control = member(&report, "trial", "control");
    assert!(control["status"] == "wider" || control["status"] == "undecided", "{control}");
    assert!(control["lost"].is_null());
}

#[test]
fn changes_of_columns_are_said() {
    let report = report(OLD, &new());
    let columns = report["columns"].as_array().unwrap();
    let of = |name: &str| columns.iter().find(|column| column["name"] == name).unwrap();
    assert_eq!(of("spend")["new"], "decimal(18,2) >= 0.00");
    assert_eq!(of("channel")["old"], "social | search | ads ?");
    assert!(of("channel")["note"].as_str().unwrap().contains("missing value"));
    assert!(of("retired")["new"].is_null());
    assert_eq!(columns.len(), 3);
}

#[test]
fn a_column_of_another_type_is_read_as_the_old_rules_read_it_where_it_can_be() {
    let old = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n  plan : string\n  n : int\n  x : int\n}\n\
               segment free when plan = \"free\"\nsegment many when n >= 5\nsegment odd when x > 3\n";
    let new = old
        .replace("plan : string", "plan : free | paid")
        .replace("n : int", "n : decimal(10,2)")
        .replace("x : int", "x : string")
        .replace("x > 3", "x = \"4\"");
    let report = report(old, &new);
    assert_eq!(rule(&report, "free")["status"], "same");
    // An int has no room for the new column's values: two columns.
    assert_eq!(rule(&report, "many")["status"], "changed");
    let columns = report["columns"].as_array().unwrap();
    assert!(columns.iter().all(|column| {
        (column["note"] == "compared as if they were two columns") == (column["name"] != "plan")
    }));
}

#[test]
fn another_time_zone_is_never_taken_for_the_same() {
    let rules = "strata 1\ntimezone \"Asia/Shanghai\"\nnow 2024-11-15T00:00Z\ntable users key id {\n  id : int\n  at : timestamp\n  n : int\n}\n\
                 segment night when hour(at) >= 22\nsegment early when score(hour(at) into 4) = 1\nsegment many when n > 5\n";
    let report = report(rules, &rules.replace("Asia/Shanghai", "Europe/Berlin"));
    assert_eq!(rule(&report, "many")["status"], "same");
    assert_eq!(rule(&report, "night")["status"], "undecided");
    assert_eq!(rule(&report, "early")["status"], "undecided");
    assert_eq!(report["settings"][0]["name"], "timezone");
}

#[test]
fn a_narrower_filter_of_events_has_no_more_of_them() {
    let old = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n}\n\
               events orders of users by id at day {\n  id : int\n  day : date\n  amount : int >= 0\n}\n\
               segment buyer when count(orders where amount > 100, last 30 days) >= 5\n\
               segment giver when count(orders where amount > 50, last 30 days) >= 5\n";
    let new = old
        .replace("amount > 100, last 30", "amount > 50, last 60")
        .replace("> 50, last 30 days) >= 5\n", "> 50, last 30 days) > 4\n");
    let report = report(old, &new);
    assert_eq!(rule(&report, "buyer")["status"], "wider");
    assert_eq!(rule(&report, "giver")["status"], "same");
}

#[test]
fn the_exit_status_tells_only_when_it_is_asked_to() {
    let same = folder(OLD, OLD);
    diff(0, &same, &["--exit-code"]);
    let other = folder(OLD, &new());
    diff(0, &other, &[]);
    diff(1, &other, &["--exit-code"]);
    let comment = folder(OLD, &OLD.replace("segment adult", "# older than 17\nsegment adult"));
    diff(0, &comment, &["--exit-code"]);
    let broken = folder(OLD, &OLD.replace("age >= 18", "agee >= 18"));
    diff(1, &broken, &[]);
    fs::remove_file(same.path().join("old.seg")).unwrap();
    diff(2, &same, &[]);
}

#[test]
fn people_and_pull_requests_read_it() {
    let folder = folder(OLD, &new());
    let text = diff(0, &folder, &[]);
    assert!(text.contains("> adult"), "{text}");
    assert!(text.contains("now in: age 16 to 17"), "{text}");
    assert!(text.contains("same, was called oldish"), "{text}");
    let markdown = diff(0, &folder, &["--format", "markdown"]);
    assert!(markdown.starts_with("### Segments change\n"), "{markdown}");
    assert!(
        markdown.contains("| `adult` | **wider** | age 16 to 17<br>for example age 16 |  |"),
        "{markdown}"
    );
    assert!(!markdown.contains("| `from_social` |"), "what is the same needs no line: {markdown}");
}
