//! What `why` says of users, and that each advised change does turn the rule.

use super::why::{self, Rule};
use crate::check::check_text_without_proofs as check_text;
use crate::diagnostic::Sources;
use crate::interpret::{self, PopulationValues, UserRows};
use crate::program::{Decimal, Program, Type, Value};
use crate::semantics::{Dated, Facts, LookupFacts, calendar};

/// A user without events.
fn alone(columns: Vec<Value>) -> UserRows {
    UserRows { columns, events: Vec::new() }
}

const HEAD: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15T07:30
table users key user_id from "users.csv" {
  user_id      : int
  age          : int? between 0 and 120
  quiz_score   : int between 0 and 100
  goal         : int
  invest_years : float
  level        : low < mid < high
  investable   : decimal(18,2) >= 0
  signup_at    : timestamp past
  last_visit   : date? past
  due          : date
  city         : string
}
lookup cities key city from "cities.csv" {
  city : string
  tier : int
}
"#;

fn dated(rules: &str) -> (Dated, Sources) {
    let checked = check_text("a.seg", &format!("{HEAD}{rules}"));
    let program = checked.program.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let now = program.now.unwrap();
    (program.at(now), checked.sources)
}

fn day(text: &str) -> Value {
    Value::Date(calendar::days(text.parse().unwrap()))
}

fn moment(text: &str) -> Value {
    Value::Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// A user by column: someone young with a little money.
fn user(program: &Program) -> Vec<Value> {
    let columns = &program.users.as_ref().unwrap().columns;
    columns
        .iter()
        .map(|column| match column.name.as_str() {
            "user_id" => Value::Int(1),
            "age" => Value::Int(20),
            "quiz_score" => Value::Int(72),
            "goal" => Value::Int(75),
            "invest_years" => Value::Float(5.0),
            "level" => Value::Label(0),
            "investable" => Value::Decimal(Decimal { unscaled: 30_000_000, scale: 2 }),
            "signup_at" => moment("2024-01-01T12:30:00+08"),
            "last_visit" => day("2024-11-01"),
            "due" => day("2024-12-02"),
            "city" => Value::Text("Wuhan".into()),
            other => panic!("no value for {other}"),
        })
        .collect()
}

fn facts() -> Facts {
    let row = |name: &str, tier| {
        let name = Value::Text(name.into());
        (name.clone(), vec![name, Value::Int(tier)])
    };
    Facts {
        lookups: vec![LookupFacts { rows: [row("Wuhan", 2), row("Beijing", 1)].into_iter().collect() }],
        ..Facts::default()
    }
}

fn told(rules: &str, only: &[&str]) -> Vec<Rule> {
    let (dated, sources) = dated(rules);
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    why::why(&dated, &facts(), &PopulationValues::new(), &sources, &alone(user(&dated.program)), &only)
}

/// The changes that would bring the user into `segment s when …`: `column = value`.
fn advice(condition: &str) -> Vec<Vec<String>> {
    let rules = told(&format!("segment s when {condition}\n"), &[]);
    let turns = &rules[0].changes;
    let alternatives = turns.iter().flat_map(|turn| &turn.alternatives);
    alternatives
        .map(|change| change.iter().map(|one| format!("{} = {}", one.column, one.to)).collect())
        .collect()
}

#[track_caller]
fn least(condition: &str, wanted: &[&str]) {
    let found = advice(condition);
    assert_eq!(found.first().map(Vec::as_slice).unwrap_or_default(), wanted, "{condition}: {found:?}");
}

#[test]
fn the_least_change_of_one_column() {
    least("quiz_score >= 80", &["quiz_score = 80"]);
    least("quiz_score < 60", &["quiz_score = 59"]);
    least("quiz_score between 90 and 95", &["quiz_score = 90"]);
    least("investable >= 500000", &["investable = 500000.00"]);
    least("investable > 500000", &["investable = 500000.01"]);
    least("level >= mid", &["level = mid"]);
    least("age is missing", &["age = missing"]);
    least("city = \"Beijing\"", &["city = \"Beijing\""]);
    least("not (age < 30)", &["age = 30"]);
    least("quiz_score + 3 >= 80", &["quiz_score = 77"]);
}

#[test]
fn floats_are_moved_to_numbers_that_people_write() {
    least("invest_years < 3", &["invest_years = 2.99"]);
    least("invest_years >= 7.5", &["invest_years = 7.5"]);
}

#[test]
fn columns_compared_with_each_other() {
    least("quiz_score >= goal", &["quiz_score = 75"]);
}

#[test]
fn dates_and_times() {
    least("days since last_visit <= 3", &["last_visit = 2024-11-12"]);
    least("weekday(due) = fri", &["due = 2024-11-29"]);
    least("month(due) = 11", &["due = 2024-11-30"]);
    least("hour(signup_at) >= 20", &["signup_at = 2024-01-01T20:00"]);
    // The night of the fifteenth in Shanghai: in UTC it is still the fourteenth.
    least("last_visit >= 2024-11-15", &["last_visit = 2024-11-15"]);
}

#[test]
fn what_a_lookup_gives() {
    least("cities[city].tier = 1", &["city = \"Beijing\""]);
}

#[test]
fn several_columns_where_one_is_not_enough() {
    least("quiz_score >= 80 and level = high", &["quiz_score = 80", "level = high"]);
    least("quiz_score >= 80 or (level = high and age > 90)", &["quiz_score = 80"]);
    least("at least 2 of (quiz_score >= 80, level = high, age = 20)", &["quiz_score = 80"]);
    least("points { when quiz_score >= 80 then 10 when level = high then 20 } >= 20", &["level = high"]);
}

#[test]
fn what_no_user_can_be_gets_no_advice() {
    assert!(advice("length(city) > 1000").is_empty());
}

#[test]
fn whatever_is_advised_turns_the_rule() {
    for condition in [
        "quiz_score >= 80 and (level = high or investable >= 50万) and not (age < 30)",
        "days since signup_at <= 30 and quiz_score mod 7 = 3",
        "exactly 1 of (quiz_score >= 80, level = high) and weekday(due) = sun",
    ] {
        let (dated, sources) = dated(&format!("segment s when {condition}\n"));
        let row = user(&dated.program);
        let rules = why::why(&dated, &facts(), &PopulationValues::new(), &sources, &alone(row.clone()), &[]);
        let alternatives = &rules[0].changes[0].alternatives;
        assert!(!alternatives.is_empty(), "{condition}");
        for change in alternatives {
            let mut row = row.clone();
            for one in change {
                one.put(&mut row);
            }
            let root = dated.program.declarations[0].value;
            assert!(interpret::evaluate(&dated, &facts(), &row).value(root).is_true(), "{change:?}");
        }
    }
}

#[test]
fn a_layer_tells_the_way_into_each_other_member_when_it_is_named() {
    let rules = "layer band {\n  minor when age < 18\n  adult otherwise\n}\n";
    assert!(told(rules, &[])[0].changes.is_empty());
    let named = told(rules, &["band"]);
    assert_eq!(named[0].outcome, "adult");
    let turn = &named[0].changes[0];
    assert_eq!((turn.member.as_deref(), turn.alternatives[0][0].to.as_str()), (Some("minor"), "17"));
}

#[test]
fn the_tree_for_people() {
    let rules = r#"scale intent : low < high {
  high when investable >= 50万
  low  otherwise
}
segment rich "高意愿" when intent >= high and quiz_score >= 50
"#;
    let text = why::render(&told(rules, &[]), |holds| if holds { "yes" } else { "no" }.to_owned());
    insta::assert_snapshot!(text);
}

#[test]
fn conditions_and_their_negations_part_all_users() {
    let (dated, _) = dated(
        "segment a when age >= 30\nsegment b when not (age >= 30)\nsegment c when age < 30\n\
         segment d when not (a and c)\nsegment e when not a or not c\n",
    );
    let mut row = user(&dated.program);
    let column = dated.program.users.as_ref().unwrap().columns.iter().position(|c| c.name == "age").unwrap();
    assert_eq!(dated.program.users.as_ref().unwrap().columns[column].ty, Type::Int);
    for age in [Value::Missing, Value::Int(29), Value::Int(30)] {
        row[column] = age.clone();
        let values = interpret::evaluate(&dated, &Facts::default(), &row);
        let holds = |name: &str| values.value(dated.program.declaration(name).unwrap().value).is_true();
        assert_ne!(holds("a"), holds("b"), "{age:?}");
        assert_eq!(holds("d"), holds("e"), "{age:?}");
        assert_eq!(holds("c"), age == Value::Int(29), "a missing age is not below 30");
    }
}
