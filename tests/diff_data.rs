//! `strata diff` with data: who moves from where to where.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

const OLD: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15
table users key user_id {
  user_id   : int
  age       : int? between 0 and 120
  channel   : social | search
  orders    : int
  signup_at : timestamp past
}
events visits of users by user_id at visited_at {
  user_id    : int
  visited_at : timestamp
}
trait visits_7d = count(visits, last 7 days)
segment adult when age >= 18
segment keen when visits_7d >= 2
segment elder when age >= 60
layer stage {
  newcomer when orders = 0
  growing  when orders between 1 and 4
  loyal    otherwise
}
stack plan on stage {
  newcomer by channel
  others by keen
}
play words for stage {
  newcomer -> "welcome"
  growing  -> "{orders} orders"
  loyal    -> "thank you"
}
split trial of adult seed "one" {
  control 10%
  treated 90%
}
"#;

fn new() -> String {
    OLD.replace("age >= 18", "age >= 16")
        .replace("visits_7d >= 2", "visits_7d >= 1")
        .replace("segment elder", "segment senior")
        .replace("between 1 and 4", "between 1 and 2")
        .replace("newcomer when", "starter  when")
        .replace("newcomer by", "starter  by")
        .replace("newcomer ->", "starter  ->")
        .replace("thank you", "thanks")
        .replace("control 10%\n  treated 90%", "control 20%\n  treated 80%")
}

const USERS: i64 = 40_000;

/// Users in falling order of their keys, more than a batch of them.
fn users() -> String {
    let mut text = "user_id,age,channel,orders,signup_at\n".to_owned();
    for user in (0..USERS).rev() {
        let age = if user % 11 == 0 { String::new() } else { (user * 7 % 90).to_string() };
        let channel = if user % 3 == 0 { "social" } else { "search" };
        writeln!(text, "{user},{age},{channel},{},2024-01-01T00:00", user * 13 % 8).unwrap();
    }
    text
}

fn visits() -> String {
    let mut text = "user_id,visited_at\n".to_owned();
    for visit in 0..USERS {
        writeln!(text, "{},2024-11-{:02}T12:00", visit * 31 % USERS / 2, 8 + visit % 7).unwrap();
    }
    text
}

struct Case {
    folder: TempDir,
}

impl Case {
    fn new(old: &str, new: &str, users: &str) -> Case {
        let case = Case { folder: tempfile::tempdir().unwrap() };
        case.write("old.seg", old);
        case.write("new.seg", new);
        case.write("users.csv", users);
        case.write("visits.csv", &visits());
        case
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn strata(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_strata"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn diff(&self, arguments: &[&str]) -> Output {
        self.strata(&[&["diff", "old.seg", "new.seg"], arguments].concat())
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.diff(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn report(&self, arguments: &[&str]) -> Value {
        let text = self.text(&[arguments, &["--format", "json"]].concat());
        let report: Value = serde_json::from_str(&text).unwrap();
        let schema = include_str!("../docs/src/schemas/diff.schema.json");
        let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        let faults: Vec<String> = validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}\n{text}");
        report
    }

    /// What the command says when it cannot do it.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.diff(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(output.stdout.is_empty(), "nothing is told by halves");
        text
    }

    /// By key the whole row of a run.
    fn rows(&self, rules: &str) -> BTreeMap<i64, Value> {
        let run = self.strata(
            &["run", rules, "-q", "-o", "out.jsonl", "--table", "users=users.csv"]
                .map(|of| of)
                .iter()
                .copied()
                .chain(["--table", "visits=visits.csv"])
                .collect::<Vec<_>>(),
        );
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let text = fs::read_to_string(self.folder.path().join("out.jsonl")).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.map(|row| (row["user_id"].as_i64().unwrap(), row)).collect()
    }
}

const TABLES: [&str; 4] = ["--table", "users=users.csv", "--table", "visits=visits.csv"];

fn rule<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["data"]["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == name).unwrap()
}

/// Every count and example of the report is what two runs and a loop over their rows give.
#[test]
fn the_moves_are_those_of_two_runs() {
    let case = Case::new(OLD, &new(), &users());
    let report = case.report(&TABLES);
    let (then, now) = (case.rows("old.seg"), case.rows("new.seg"));
    assert_eq!(report["data"]["users"], USERS);
    let new_name = |text: &str| text.replace("newcomer", "starter");
    for (old, new) in [
        ("adult", "adult"),
        ("keen", "keen"),
        ("elder", "senior"),
        ("stage", "stage"),
        ("plan", "plan"),
        ("words", "words"),
        ("trial", "trial"),
    ] {
        let mut kinds: BTreeMap<(String, String), Vec<i64>> = BTreeMap::new();
        let mut stayed = 0;
        for (key, row) in &then {
            let place = |value: &Value| match value {
                Value::Bool(true) => json!("in"),
                Value::Bool(false) => Value::Null,
                Value::String(text) if new != "words" => json!(new_name(text)),
                other => other.clone(),
            };
            let (from, to) = (place(&row[old]), place(&now[key][new]));
            if from != to {
                kinds.entry((from.to_string(), to.to_string())).or_default().push(*key);
            } else if !from.is_null() {
                stayed += 1;
            }
        }
        let told = rule(&report, new);
        assert_eq!(told["stayed"], stayed, "{told}");
        assert_eq!(told["moves"].as_array().unwrap().len(), kinds.len(), "{told}");
        for of in told["moves"].as_array().unwrap() {
            let users = &kinds[&(of["from"].to_string(), of["to"].to_string())];
            assert_eq!(of["users"], users.len(), "{new}: {of}");
            // The first by key, wherever they stand in the file.
            let first: Vec<String> = users.iter().take(3).map(ToString::to_string).collect();
            assert_eq!(of["examples"], json!(first), "{new}: {of}");
        }
        let moved: usize = kinds.values().map(Vec::len).sum();
        let sum = ["entered", "left", "moved"].map(|word| told[word].as_u64().unwrap()).iter().sum::<u64>();
        assert_eq!(sum, moved as u64);
        assert_eq!(told["others"], 0);
    }
    assert!(rule(&report, "adult")["entered"].as_u64().unwrap() > 0);
    assert!(rule(&report, "plan")["moved"].as_u64().unwrap() > 0);
}

#[test]
fn a_new_name_is_no_move() {
    let case = Case::new(OLD, &new(), &users());
    let report = case.report(&TABLES);
    let newcomers = case.rows("old.seg").values().filter(|row| row["stage"] == "newcomer").count();
    let stage = rule(&report, "stage");
    assert_eq!(stage["renamed"], json!([{ "from": "newcomer", "to": "starter", "users": newcomers }]));
    assert!(!stage["moves"].to_string().contains("starter"), "{stage}");
    assert_eq!(rule(&report, "plan")["renamed"][1]["from"], "newcomer/social");
    let senior = rule(&report, "senior");
    assert_eq!(
        (&senior["was"], &senior["moves"], &senior["then"]),
        (&json!("elder"), &json!([]), &senior["now"])
    );
    // Other words are another text to whoever reads them.
    let words = rule(&report, "words");
    let thanks = words["moves"].as_array().unwrap().iter().find(|of| of["from"] == "thank you").unwrap();
    assert_eq!(thanks["to"], "thanks");
}

#[test]
fn people_and_pull_requests_read_it() {
    let users = "user_id,age,channel,orders,signup_at\n2,16,social,0,2024-01-01T00:00\n1,17,social,3,2024-01-01T00:00\n9,300,search,9,2024-01-01T00:00\n";
    let case = Case::new(OLD, &new(), users);
    let text = case.text(&TABLES);
    let told = text.split("\n3 users in users.csv\n").nth(1).unwrap();
    assert!(
        told.contains("1 value of users.age breaks what the old file declares, and counted as missing"),
        "{told}"
    );
    assert!(
        told.contains("\nsegment adult: 0 -> 2, 2 entered\n  (none) -> in: 2, for example 1, 2\n"),
        "{told}"
    );
    assert!(
        told.contains(
            "\nlayer stage: 3 -> 3, 1 moved\n  growing -> loyal: 1, for example 1\n  \
             newcomer is called starter now: 1 user stayed\n"
        ),
        "{told}"
    );
    assert!(told.ends_with("\nnobody moves: keen, senior\n"), "{told}");
    let markdown = case.text(&[&TABLES[..], &["--format", "markdown"]].concat());
    let told = markdown.split("### Who moves\n").nth(1).unwrap();
    assert!(told.contains("| layer stage | growing | loyal | 1 | 1 |\n"), "{told}");
    assert!(told.contains("| layer stage | newcomer | starter: only a new name | 1 stayed |  |\n"), "{told}");
    assert!(!told.contains("senior"), "{told}");
    // Without data nothing is said of them.
    assert!(!case.text(&[]).contains("users.csv"));
    assert!(case.report(&[])["data"].is_null());
}

#[test]
fn what_only_one_file_has_is_counted_there() {
    let new = OLD.replace("segment elder when age >= 60", "segment many when orders > 5");
    let case = Case::new(OLD, &new, &users());
    let report = case.report(&TABLES);
    let (many, elder) = (rule(&report, "many"), rule(&report, "elder"));
    let count = |rules: &str, name: &str| case.rows(rules).values().filter(|row| row[name] == true).count();
    assert_eq!((&many["then"], &many["now"]), (&Value::Null, &json!(count("new.seg", "many"))));
    assert_eq!((&elder["then"], &elder["now"]), (&json!(count("old.seg", "elder")), &Value::Null));
    assert!(many["moves"].as_array().unwrap().is_empty());
}

/// Texts that greet everybody by name are as many as the users: they are counted, not kept.
#[test]
fn many_kinds_of_moves_are_cut() {
    let texts = |word: &str| OLD.replace("\"{orders} orders\"", &format!("\"{word} {{user_id}}\""));
    let case = Case::new(&texts("hi"), &texts("hello"), &users());
    let words = rule(&case.report(&TABLES), "words").clone();
    let growing = case.rows("old.seg").values().filter(|row| row["stage"] == "growing").count();
    assert!(growing > 15_000);
    let told = words["moves"].as_array().unwrap();
    assert_eq!(told.len(), 1_000);
    assert_eq!(words["moved"], growing);
    assert_eq!(words["others"], growing - told.len());
    assert!(case.text(&TABLES).contains(&format!("  {} users in other ways\n", growing - 10)));
}

/// Both versions are taken at one moment, whatever their own `now` and zone say.
#[test]
fn both_are_taken_at_one_moment() {
    let rules = |head: &str| {
        format!(
            "strata 1\n{head}\ntable users key user_id {{\n  user_id : int\n  signup_at : timestamp\n}}\n\
             segment fresh when signup_at in last 24 hours\n"
        )
    };
    let old = rules("timezone \"Europe/Berlin\"\nnow 2020-01-01");
    let new = rules("timezone \"Asia/Shanghai\"\nnow 2024-11-15T12:00");
    let case = Case::new(&old, &new, "user_id,signup_at\n1,2024-11-15T03:00Z\n2,2024-11-14T03:00Z\n");
    let report = case.report(&["--table", "users=users.csv"]);
    let fresh = rule(&report, "fresh");
    assert_eq!((&fresh["stayed"], &fresh["then"], &fresh["now"]), (&json!(1), &json!(1), &json!(1)));
    let later = case.report(&["--table", "users=users.csv", "--now", "2024-11-18"]);
    assert_eq!(rule(&later, "fresh")["then"], 0);
}

#[test]
fn the_data_that_the_new_rules_name_are_those_of_both() {
    let from = |rules: &str, path: &str| {
        rules
            .replace("key user_id {", &format!("key user_id from \"{path}\" {{"))
            .replace("at visited_at {", "at visited_at from \"visits.csv\" {")
    };
    let case = Case::new(&from(OLD, "gone.csv"), &from(&new(), "users.csv"), &users());
    let report = case.report(&["--data"]);
    assert_eq!(report["data"]["users"], USERS);
    assert!(report["data"]["source"].as_str().unwrap().ends_with("users.csv"));
    // Users under another name are the users all the same.
    let other = Case::new(&OLD.replace("users", "people"), &new(), &users());
    let arguments = ["--table", "people=users.csv", "--table", "visits=visits.csv"];
    assert_eq!(other.report(&arguments)["data"]["users"], USERS);
}

#[test]
fn what_cannot_be_done_is_said_plainly() {
    let case = Case::new(OLD, &new(), &users());
    let message = case.refusal(&["--table", "user=users.csv"]);
    assert!(message.contains("neither of the rule files declares a table `user`"), "{message}");
    assert!(message.contains("did you mean `users`?"), "{message}");
    // Nothing says where the visits are; that is said once, though both need them.
    let message = case.refusal(&["--table", "users=users.csv"]);
    assert_eq!(message.matches("E0611").count(), 1, "{message}");
    assert!(message.contains("`visits`") && message.contains("old.seg"), "{message}");
    let message = case.refusal(&["--table", "users=nobody.csv", "--table", "visits=visits.csv"]);
    assert_eq!(message.matches("E0601").count(), 1, "{message}");

    // A column and a table that the old rules alone read are asked for in their name.
    let retired = OLD.replace("  orders ", "  retired   : bool\n  orders ").replace("age >= 60", "retired");
    let case = Case::new(&retired, OLD, &users());
    let message = case.refusal(&TABLES);
    assert!(message.starts_with("with the rules of old.seg:\n"), "{message}");
    assert!(
        message.contains("E0603") && message.contains("retired") && !message.contains("new.seg"),
        "{message}"
    );
    let without = OLD
        .replace("visits_7d = count(visits, last 7 days)", "visits_7d = orders")
        .split("events")
        .next()
        .map(|head| {
            head.to_owned() + "trait visits_7d = orders\n" + OLD.split("last 7 days)\n").nth(1).unwrap()
        })
        .unwrap();
    let case = Case::new(OLD, &without, &users());
    let message = case.refusal(&["--table", "users=users.csv"]);
    assert!(message.contains("with the rules of old.seg:") && message.contains("`visits`"), "{message}");
    assert_eq!(case.report(&TABLES)["data"]["users"], USERS);

    let other_key =
        OLD.replace("key user_id {\n  user_id   : int", "key member {\n  member : int\n  user_id : int");
    let case = Case::new(OLD, &other_key, &users());
    let message = case.refusal(&TABLES);
    assert!(message.contains("by the column `user_id`, the new ones by `member`"), "{message}");

    let case = Case::new(OLD, &new(), &users().replace("\n7,", "\n8,"));
    let message = case.refusal(&TABLES);
    assert!(message.contains("E0607"), "{message}");
    let case = Case::new(OLD, &new(), &users().replace("\n7,", "\n,"));
    let message = case.refusal(&TABLES);
    assert_eq!(message.matches("E0606").count(), 1, "{message}");
}

#[test]
fn the_exit_status_is_that_of_the_rules() {
    let case = Case::new(OLD, &new(), &users());
    let status = |case: &Case| case.diff(&[&TABLES[..], &["--exit-code"]].concat()).status.code();
    assert_eq!(status(&case), Some(1));
    assert_eq!(status(&Case::new(OLD, OLD, &users())), Some(0));
}
