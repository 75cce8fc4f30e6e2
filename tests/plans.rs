//! Stacks, plays, splits, guards, tests, funnels and changes, end to end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use strata::interpret;
use strata::program::{Program, Type, Value};
use strata::semantics::Facts;
use tempfile::TempDir;

const RULES: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15
table users key user_id from "users.csv" {
  user_id : int
  age     : int?
  channel : social | search | "a/b-c"
  gmv     : float
  due     : date?
}
segment old when age >= 40
layer stage {
  new   when age < 18
  grown when 18 <= age < 60
  late  otherwise
}
stack plan "计划" on stage {
  new    by channel
  others by old
  all    by channel2
}
layer channel2 { web when channel = search
 rest otherwise }
play words for plan {
  new/social when gmv > 5 -> "hi {{you}}, {gmv:.2} {lower("ABC")}"
  new                     -> "{channel} {due or_else 2024-01-02:%m月%d日}"
  _/old                   -> "=1+1"
  grown                   -> "age {age or_else 0}"
  _                       -> "rest"
}
split trial of old seed "s1" {
  control 20%
  treated 30%
}
guard count(old) >= 1
guard share(stage = new) between 0% and 50%
"#;

struct Case {
    folder: TempDir,
}

impl Case {
    fn new(rules: &str, users: &str) -> Self {
        let case = Case { folder: tempfile::tempdir().unwrap() };
        std::fs::write(case.path("rules.seg"), rules).unwrap();
        std::fs::write(case.path("users.csv"), users).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn strata(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_strata"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.strata(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

fn users(count: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut text = "user_id,age,channel,gmv,due\n".to_owned();
    for user in 0..count {
        let age = if next(5) == 0 { String::new() } else { next(80).to_string() };
        let channel = ["social", "search", "a/b-c"][usize::try_from(next(3)).unwrap()];
        let due = if next(2) == 0 {
            String::new()
        } else {
            format!("2024-{:02}-{:02}", next(12) + 1, next(28) + 1)
        };
        writeln!(text, "{user},{age},{channel},{}.{:03},{due}", next(12), next(1000)).unwrap();
    }
    text
}

fn keeps_schema(value: &serde_json::Value, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/schemas").join(name);
    let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{name}: {faults:?}");
}

fn row(program: &Program, fields: &[&str]) -> Vec<Value> {
    let channels = ["social", "search", "a/b-c"];
    let date = |text: &str| {
        let date: jiff::civil::Date = text.parse().unwrap();
        Value::Date(jiff::civil::date(1970, 1, 1).until(date).unwrap().get_days())
    };
    let columns = &program.users.as_ref().unwrap().columns;
    columns
        .iter()
        .zip(fields)
        .map(|(column, text)| match (&column.ty, *text) {
            (_, "") => Value::Missing,
            (Type::Int, text) => Value::Int(text.parse().unwrap()),
            (Type::Float, text) => Value::Float(text.parse().unwrap()),
            (Type::Date, text) => date(text),
            (_, text) => {
                Value::Label(u32::try_from(channels.iter().position(|c| *c == text).unwrap()).unwrap())
            }
        })
        .collect()
}

/// Every cell of a run is what the reference interpreter says, over several batches and chunks.
#[test]
fn the_engines_agree_on_paths_texts_and_arms() {
    let users = users(70_000);
    let case = Case::new(RULES, &users);
    case.text(&["run", "rules.seg", "-o", "out.jsonl", "-q"]);
    let program = strata::check("rules.seg", RULES).unwrap();
    let dated = program.at(program.now.unwrap());
    let found = case.file("out.jsonl");
    let mut texts = std::collections::BTreeSet::new();
    for (line, user) in found.lines().zip(users.lines().skip(1)).step_by(7) {
        let found: serde_json::Value = serde_json::from_str(line).unwrap();
        let values = interpret::evaluate(
            &dated,
            &Facts::default(),
            &row(&program, &user.split(',').collect::<Vec<_>>()),
        );
        for declaration in &dated.program.declarations {
            let name = &declaration.heading.name;
            let ty = &dated.program.node(declaration.value).ty;
            let expected = match (values.value(declaration.value), ty) {
                (Value::Missing, _) => serde_json::Value::Null,
                (Value::Bool(value), _) => (*value).into(),
                (Value::Text(text), _) => {
                    texts.insert(text.to_string());
                    text.as_ref().into()
                }
                (Value::Label(code), Type::Label(ty)) => dated.program.label(*ty, *code).into(),
                (other, _) => unreachable!("{other:?}"),
            };
            assert_eq!(found[name], expected, "{name} of {user}");
        }
    }
    assert!(texts.len() > 500, "only {} texts", texts.len());
    assert!(texts.contains("new/a\\/b\\-c/rest") && texts.contains("late/-/web"), "{texts:?}");
}

#[test]
fn formats_hold_the_same_texts_and_only_csv_is_made_harmless() {
    let case = Case::new(RULES, &users(40_000));
    for name in ["out.csv", "raw.csv", "out.parquet", "out.arrow", "out.arrows", "out.jsonl"] {
        let raw = if name == "raw.csv" { ["--raw-csv"].as_slice() } else { &[] };
        case.text(&[&["run", "rules.seg", "-q", "-o", name], raw].concat());
    }
    assert!(case.file("out.csv").contains(",'=1+1,"));
    assert!(case.file("raw.csv").contains(",=1+1,"));
    // Read back, all say the same.
    for other in ["out.parquet", "out.arrow", "out.arrows", "out.jsonl"] {
        let changes = case.json(&["changes", "raw.csv", other, "--format", "json"]);
        assert_eq!(changes["users"]["both"], 40_000, "{other}");
        for (name, of) in changes["layers"].as_object().unwrap().iter() {
            assert_eq!(of["stayed"], 40_000, "{name} in {other}: {of}");
        }
        assert_eq!(changes["segments"]["old"]["entered"], 0);
    }
    case.text(&["run", "rules.seg", "-q", "--layout", "long", "-o", "long.arrow"]);
    case.text(&["run", "rules.seg", "-q", "--layout", "long", "-o", "long.csv", "--raw-csv"]);
    let changes = case.json(&["changes", "long.csv", "long.arrow", "--format", "json"]);
    assert_eq!(changes["layers"]["words"]["moved"], 0, "{changes}");
    assert_eq!(changes["segments"]["old"]["left"], 0);
}

#[test]
fn the_summary_counts_every_depth_and_keeps_its_schema() {
    let case = Case::new(RULES, &users(5_000));
    let summary = case.json(&["run", "rules.seg", "--summary", "json", "--min-size", "1000"]);
    keeps_schema(&summary, "run-summary.schema.json");
    let plan = summary["stacks"]["plan"].as_object().unwrap();
    let count = |path: &str| plan.get(path).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let leaves: u64 = plan
        .iter()
        .filter(|(path, _)| path.matches('/').count() == 2 || path.matches('/').count() == 3)
        .map(|(_, users)| users.as_u64().unwrap())
        .sum();
    assert_eq!(count("new") + count("grown") + count("late") + count(""), 5_000);
    assert_eq!(count("grown"), count("grown/old") + count("grown/-"));
    assert!(leaves > 0);
    // In the file's order, each path before what is below it.
    let text = case.text(&["run", "rules.seg", "--summary", "json"]);
    let places: Vec<usize> =
        ["\"new\":", "\"new/social\":", "\"new/search\":", "\"grown\":", "\"grown/old\":", "\"grown/-\":"]
            .iter()
            .map(|path| text.rfind(path).unwrap())
            .collect();
    assert!(places.is_sorted(), "{places:?}");
    let arms: u64 =
        summary["splits"]["trial"].as_object().unwrap().values().map(|users| users.as_u64().unwrap()).sum();
    assert_eq!(arms, 5_000);
    let words: u64 =
        summary["plays"]["words"].as_object().unwrap().values().map(|users| users.as_u64().unwrap()).sum();
    assert_eq!(words, 5_000);
    assert_eq!(summary["guards"].as_array().unwrap().len(), 2);
    assert!(!summary["small_paths"].as_array().unwrap().is_empty());
    let text = case.text(&["run", "rules.seg", "--min-size", "100000"]);
    assert!(text.contains("more than half of the paths are too small"), "{text}");
}

#[test]
fn a_failed_guard_keeps_the_output_back() {
    let rules = RULES.replace("guard count(old) >= 1", "guard count(old) >= 1_000_000");
    let case = Case::new(&rules, &users(100));
    let output = case.strata(&["run", "rules.seg", "-o", "out.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0511"));
    assert!(!case.path("out.csv").exists());
    let output = case.strata(&["run", "rules.seg", "-o", "out.csv", "--force"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--force"));
    assert!(case.path("out.csv").exists());
    // A share of nobody fails.
    let case = Case::new(RULES, "user_id,age,channel,gmv,due\n");
    let output = case.strata(&["run", "rules.seg"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("of nobody"));
}

#[test]
fn expanded_and_built_rules_say_the_same() {
    let tests = "test \"one\" {\n  given users { age: 10, channel: search, gmv: 1 }\n  expect plan = \"new/search/web\"\n  expect words = \"search 01月02日\"\n}\n";
    let case = Case::new(&format!("{RULES}{tests}"), &users(2_000));
    let expanded = case.text(&["expand", "rules.seg"]);
    std::fs::write(case.path("expanded.seg"), &expanded).unwrap();
    case.text(&["build", "rules.seg", "-o", "rules.ir.json", "-q"]);
    for (rules, output) in [("rules.seg", "a.csv"), ("expanded.seg", "b.csv"), ("rules.ir.json", "c.csv")] {
        case.text(&["run", rules, "-q", "-o", output]);
    }
    assert_eq!(case.file("a.csv"), case.file("b.csv"), "{expanded}");
    assert_eq!(case.file("a.csv"), case.file("c.csv"));
    assert!(case.text(&["test", "expanded.seg"]).contains("1 test passed"), "{expanded}");
    // Tests are no part of what a program means.
    let hash = |rules: &str| strata::check("rules.seg", rules).unwrap().hash();
    assert_eq!(hash(RULES), hash(&format!("{RULES}{tests}")));
}

#[test]
fn a_split_does_not_move_when_all_around_it_does() {
    let users = users(3_000);
    let arms = |rules: &str, users: &str| -> std::collections::BTreeMap<String, String> {
        let case = Case::new(rules, users);
        case.text(&["run", "rules.seg", "-q", "-o", "out.jsonl", "--force"]);
        let text = case.file("out.jsonl");
        let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.map(|row| (row["user_id"].to_string(), row["trial"].to_string())).collect()
    };
    let first = arms(RULES, &users);
    let mut lines: Vec<&str> = users.lines().skip(1).collect();
    lines.reverse();
    let reversed = format!("user_id,age,channel,gmv,due\n{}\n", lines.join("\n"));
    assert_eq!(first, arms(RULES, &reversed));
    let renamed = RULES
        .replace("segment old", "segment elders")
        .replace("of old", "of elders")
        .replace("others by old", "others by elders")
        .replace("_/old", "_/elders")
        .replace("count(old)", "count(elders)");
    assert_eq!(first, arms(&renamed, &users));
    let grown = arms(&RULES.replace("control 20%", "control 40%"), &users);
    let control = |arms: &std::collections::BTreeMap<String, String>| -> Vec<String> {
        arms.iter().filter(|(_, arm)| *arm == "\"control\"").map(|(key, _)| key.clone()).collect()
    };
    let (small, large) = (control(&first), control(&grown));
    assert!(small.len() > 100 && large.len() > small.len());
    assert!(small.iter().all(|key| large.contains(key)));
}

#[test]
fn a_funnel_is_exact() {
    let rules = RULES.to_owned() + "segment three when age >= 20 and channel = social and gmv > 3\n";
    let users = users(4_000);
    let case = Case::new(&rules, &users);
    let funnel = case.json(&["funnel", "rules.seg", "--of", "three", "--format", "json"]);
    keeps_schema(&funnel, "funnel.schema.json");
    let held: Vec<[bool; 3]> = users
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let age = fields[1].parse::<i64>().is_ok_and(|age| age >= 20);
            [age, fields[2] == "social", fields[3].parse::<f64>().unwrap() > 3.0]
        })
        .collect();
    let count = |wanted: &[usize]| held.iter().filter(|row| wanted.iter().all(|at| row[*at])).count();
    let all = count(&[0, 1, 2]);
    assert_eq!(funnel["passed"], all);
    for (at, before, others) in
        [(0, vec![0], vec![1, 2]), (1, vec![0, 1], vec![0, 2]), (2, vec![0, 1, 2], vec![0, 1])]
    {
        let step = &funnel["steps"][at];
        assert_eq!(step["alone"], count(&[at]), "{step}");
        assert_eq!(step["remaining"], count(&before), "{step}");
        assert_eq!(step["more_without"], count(&others) - all, "{step}");
    }
    for of in ["stage=new", "stage = grown", "stage.late", "new"] {
        let funnel = case.json(&["funnel", "rules.seg", "--of", of, "--format", "json"]);
        let member = of.trim_start_matches("stage").trim_matches(|c: char| " =.".contains(c));
        let summary = case.json(&["run", "rules.seg", "--summary", "json"]);
        assert_eq!(funnel["passed"], summary["layers"]["stage"][member], "{of}");
    }
    assert_eq!(case.strata(&["funnel", "rules.seg", "--of", "thre"]).status.code(), Some(2));
    assert!(case.text(&["funnel", "rules.seg", "--of", "three"]).contains("channel = social"));
}

#[test]
fn changes_tell_who_moved_and_who_came_and_went() {
    let case = Case::new(RULES, "user_id,age,channel,gmv,due\n");
    let then = "key,vip,stage\n1,true,new\n2,false,new\n3,true,old\n4,true,\n5,false,old\n";
    let now = "key,vip,stage\n2,true,old\n1,true,new\n3,false,old\n4,true,new\n6,true,new\n";
    std::fs::write(case.path("then.csv"), then).unwrap();
    std::fs::write(case.path("now.csv"), now).unwrap();
    let changes = case.json(&["changes", "then.csv", "now.csv", "-o", "rows.csv", "--format", "json"]);
    keeps_schema(&changes, "changes.schema.json");
    assert_eq!(changes["users"], serde_json::json!({ "both": 4, "only_before": 1, "only_after": 1 }));
    assert_eq!(
        changes["segments"]["vip"],
        serde_json::json!({ "stayed": 2, "entered": 1, "left": 1, "appeared": 1, "disappeared": 0 })
    );
    let stage = &changes["layers"]["stage"];
    assert_eq!(stage["moved"], 1);
    assert_eq!(stage["entered"], 1);
    assert_eq!(stage["stayed"], 2);
    assert_eq!(stage["appeared"], 1);
    assert_eq!(stage["disappeared"], 1);
    assert_eq!(
        case.file("rows.csv"),
        "key,name,from,to,change\n\
         2,vip,false,true,entered\n2,stage,new,old,moved\n\
         3,vip,true,false,left\n\
         4,stage,,new,entered\n\
         5,stage,old,,disappeared\n\
         6,vip,,true,appeared\n6,stage,,new,appeared\n"
    );
    assert!(case.text(&["changes", "then.csv", "now.csv"]).contains("from \\ to"));
}

#[test]
fn two_dates_of_the_same_rules() {
    let rules = "timezone \"UTC\"\ntable users key user_id from \"users.csv\" {\n  user_id : int\n  signup : date\n}\nlayer age {\n  new when days since signup <= 30\n  old otherwise\n}\n";
    let case = Case::new(rules, "user_id,signup\n1,2024-01-01\n2,2024-02-20\n3,2020-01-01\n");
    let arguments = ["changes", "--rules", "rules.seg", "2024-01-15", "2024-03-01", "--format", "json"];
    let changes = case.json(&arguments);
    assert_eq!(changes["layers"]["age"]["moved"], 1, "{changes}");
    assert_eq!(changes["layers"]["age"]["stayed"], 2);
}

const TESTS: &str = r#"
type level = low < high
table users key user_id { user_id : int
  age : int?
  channel : social | search
  score : int between 1 and 100
  signup : date }
scale skill : level { high when score >= 80
 low otherwise }
segment pro when skill = high and channel = social
layer stage { new when days since signup <= 30
 old otherwise }
test "passes" {
  now 2024-01-10
  given users { score: 90, channel: social, signup: 2024-01-01 }
  expect pro
  expect stage = new
}
test "fails" {
  given users { score: 50, channel: social }
  expect pro
  expect skill = high
}
test "leaves out" {
  given users { score: 50 }
  expect not pro
  expect channel = social
}
"#;

#[test]
fn tests_pass_fail_and_say_what_they_needed() {
    let case = Case::new(TESTS, "");
    let output = case.strata(&["test", "rules.seg", "--format", "json", "--coverage"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    keeps_schema(&report, "test.schema.json");
    assert_eq!((report["passed"].as_u64(), report["failed"].as_u64()), (Some(1), Some(2)));
    let failures = &report["tests"][1]["failures"];
    assert_eq!(failures[1]["got"], "low");
    assert!(failures[0]["tree"].to_string().contains("score >= 80"), "{failures}");
    // `skill` is low, so that the channel does not matter to `pro`; it does to the second.
    let failures = report["tests"][2]["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0]["needs"], serde_json::json!(["channel"]));
    assert_eq!(report["coverage"][0]["members"], serde_json::json!({ "reached": 1, "of": 2 }));
    let junit = case.strata(&["test", "rules.seg", "--format", "junit"]);
    let junit = String::from_utf8(junit.stdout).unwrap();
    assert!(junit.contains("<testsuites tests=\"3\" failures=\"2\""), "{junit}");
    let output = case.strata(&["test", "rules.seg", "--filter", "passes"]);
    assert_eq!(output.status.code(), Some(0));
    let output = case.strata(&["test", "rules.seg", "--filter", "passes", "--threshold", "99"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(case.strata(&["test", "nothing.seg"]).status.code(), Some(2));
}

#[test]
fn several_users_are_the_population_and_events_find_theirs() {
    let rules = r#"
table users key user_id { user_id : int
  points : int }
events orders of users by user_id at at { user_id : int
  at : date
  amount : int }
trait rank = score(points into 2)
trait spent = sum(amount of orders)
test "ranks" {
  given users { points: 30 }, { points: 10 }, { points: 20 }
  expect rank = 2
}
test "whose orders" {
  now 2024-01-10
  given users { user_id: 7 }, { user_id: 8 }
  given orders { at: 2024-01-01, amount: 5 }, { user_id: 8, at: 2024-01-01, amount: 100 }, { at: 2024-02-01, amount: 9 }
  expect spent = 5
}
"#;
    let case = Case::new(rules, "");
    let output = case.strata(&["test", "rules.seg", "-v"]);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
}

/// What is asked of events has its own numbers, which are no declarations': neither the stack nor the
/// play makes a text of a value that stands at their place.
#[test]
fn stacks_and_plays_stand_beside_values_of_events() {
    let rules = r#"now 2024-03-01
type level = low < high
table users key user_id from "users.csv" { user_id : int
  l : level }
events orders of users by who at at from "orders.csv" { who : int
  at : timestamp
  amount : float }
events visits of users by who at at from "visits.csv" { who : int
  at : date }
layer stage partial { back when sequence(orders then visits, within 100 hours) }
stack plan on stage { all by l }
play words for plan { _ -> "{spent} {last_visit or_else today}" }
trait spent = sum(amount of orders)
trait last_visit = last(at of visits)
segment big when spent > 5
"#;
    let case = Case::new(rules, "user_id,l\n1,low\n2,high\n3,high\n");
    std::fs::write(case.path("orders.csv"), "who,at,amount\n1,2024-02-01T10:00,2.5\n2,2024-02-01T10:00,9\n")
        .unwrap();
    std::fs::write(case.path("visits.csv"), "who,at\n1,2024-02-02\n2,2024-02-09\n").unwrap();
    case.text(&["run", "rules.seg", "-q", "-o", "out.csv"]);
    assert_eq!(
        case.file("out.csv"),
        "user_id,stage,plan,words,big\n1,back,back/low,2.5 2024-02-02,false\n2,,,,true\n3,,,,false\n"
    );
}
