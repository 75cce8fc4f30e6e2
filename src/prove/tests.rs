//! Questions with known answers, one idea each.

use super::*;
use crate::semantics::Dated;

const TABLE: &str = "strata 1
now 2024-11-15
type level = low < mid < high
type channel = social | search | ads
table users key id {
  id : int
  age : int? between 0 and 120
  channel : channel?
  level : level
  spent : decimal(10,2) >= 0
  saved : decimal(10,2) >= 0
  score : float?
  vip : bool
  city : string?
  tags : list of string?
  signup_at : timestamp past
  due : date?
  a : int
  b : int?
}
";

fn dated(rules: &str) -> Dated {
    let checked = crate::check::check_text_without_proofs("test.seg", &format!("{TABLE}{rules}\n"));
    let shown: Vec<&str> = checked.diagnostics.iter().map(|found| found.message.as_str()).collect();
    let program = checked.program.unwrap_or_else(|| panic!("{shown:?}"));
    let now = program.now.unwrap();
    program.at(now)
}

fn node(dated: &Dated, name: &str) -> NodeId {
    dated.program.declaration(name).unwrap().value
}

/// The answer to whether such a user can be, in a line.
fn possible(condition: &str) -> String {
    let dated = dated(&format!("segment s when {condition}"));
    let answer = Prover::new(&dated).possible(node(&dated, "s"));
    match answer {
        Possibility::Nobody => "nobody".to_owned(),
        Possibility::Undecided(reason) => format!("{reason:?}"),
        Possibility::Somebody(example) => {
            format!("{} | {}", example.sentence(&dated.program), example.region)
        }
    }
}

#[test]
fn numbers_and_labels() {
    assert_eq!(possible("age > 18 and age < 19"), "nobody");
    assert_eq!(possible("age >= 18 and age < 25"), "age 18 | age 18 to 24");
    assert_eq!(possible("age > 120"), "nobody");
    assert_eq!(possible("age is missing"), "age missing | age missing");
    assert_eq!(possible("not (age >= 18) and not (age < 18)"), "age missing | age missing");
    assert_eq!(possible("channel != social"), "channel search | channel search or ads");
    assert_eq!(possible("level >= mid"), "level mid | level mid or higher");
    assert_eq!(possible("level > low and level < high and level != mid"), "nobody");
    assert_eq!(possible("spent > 5万"), "spent 50001.00 | spent above 50000.00");
    assert_eq!(possible("score > 0.5 and score < 0.5"), "nobody");
    assert_eq!(possible("score > 0.25 and score <= 0.5"), "score 0.3 | score above 0.25 and 0.5 or less");
    assert_eq!(possible("vip and not vip"), "nobody");
    assert_eq!(possible("vip"), "vip true | vip true");
    assert_eq!(possible("spent < 0"), "nobody");
}

#[test]
fn dates() {
    assert_eq!(possible("days since signup_at <= 30 and signup_at <= 2024-10-01"), "nobody");
    assert_eq!(
        possible("days since signup_at <= 30"),
        "signup_at 2024-10-16T00:00 | signup_at 2024-10-16T00:00 or later"
    );
    assert_eq!(possible("signup_at > now"), "nobody");
    assert_eq!(possible("due in next 7 days and month(due) = 12"), "nobody");
    assert_eq!(
        possible("due in last 60 days and month(due) = 10"),
        "due 2024-10-01 | due 2024-09-17 to 2024-11-15, month(due) 10"
    );
    assert_eq!(possible("weekend(due) and due = 2024-11-15"), "nobody");
    assert_eq!(possible("year(due) > 2024 and due < 2025-01-01"), "nobody");
}

#[test]
fn texts_and_lists() {
    assert_eq!(possible("city = \"x\" and city = \"y\""), "nobody");
    assert_eq!(possible("city starts with \"x\" and city = \"y\""), "nobody");
    assert_eq!(
        possible("city starts with \"x\" and city != \"x\""),
        "city \"xx\" | city other than \"x\", city starts with \"x\""
    );
    assert_eq!(possible("tags has \"vip\" and tags is missing"), "nobody");
    assert_eq!(
        possible("tags has \"vip\" and not tags has \"kol\""),
        "tags [\"vip\"] | tags with \"vip\", tags without \"kol\""
    );
    assert_eq!(possible("tags has all (\"a\", \"b\") and size(tags) < 2"), "nobody");
    assert_eq!(
        possible("tags has \"a\" and size(tags) = 2"),
        "tags [\"a\", \"other\"] | tags with \"a\", size of tags 2"
    );
}

#[test]
fn attributes_that_relate() {
    assert_eq!(possible("spent > saved and saved > spent"), "nobody");
    assert_eq!(possible("spent > saved and saved > 10 and spent < 10"), "nobody");
    assert_eq!(possible("a - b > 5 and b - a > 5"), "nobody");
    assert_eq!(possible("a - b > 5 and a < 3 and b > 0"), "nobody");
    assert_eq!(possible("a > b and b > 7"), "a 9, b 8 | b 8 or more, a > b");
    assert_eq!(possible("days from due to due > 0"), "nobody");
    assert_eq!(possible("a * b > 10 and a = 0"), "Opaque");
    assert_eq!(possible("a * a = 49"), "a 7 | a * a 49");
    assert_eq!(possible("a mod 2 = 1 and a between 4 and 4"), "nobody");
    assert_eq!(possible("a + 1 > 10 and a < 9"), "nobody");
    assert_eq!(possible("a * 2 >= 10 and a < 5"), "nobody");
    assert_eq!(possible("10 - a > 5 and a >= 5"), "nobody");
}

#[test]
fn values_by_cases() {
    assert_eq!(
        possible("case { when age < 18 then 1 when age < 60 then 2 otherwise 3 } = 2 and age > 70"),
        "nobody"
    );
    assert_eq!(
        possible(
            "points { when vip then 30 when age >= 18 then 20 when age < 10 then -5 } >= 50 and age < 18"
        ),
        "nobody"
    );
    assert_eq!(possible("(age or_else 0) > 200"), "nobody");
    assert_eq!(possible("min(a, b) > 5 and a < 5"), "nobody");
    assert_eq!(possible("at least 2 of (vip, age > 3, age < 2) and not vip"), "nobody");
}
