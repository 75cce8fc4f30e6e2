//! Proofs about aggregates, sequences and values of the population against the truth: whatever is
//! proved holds for every user with up to three events of a small table, among any population.

use crate::checked;
use crate::random::Random;
use std::collections::BTreeSet;
use strata::check::Proofs;
use strata::interpret::{Evaluation, UserRows, evaluate_all};
use strata::program::{NodeId, Value};
use strata::prove::{Possibility, Prover, Verdict};
use strata::semantics::Facts;

const NOW: i64 = 1_731_628_800_000_000;

const SCHEMA: &str = "strata 1
now 2024-11-15
table users key id { id : int between 1 and 1 }
events visits of users by who at day {
  who    : int
  day    : date
  amount : int between 0 and 2
  kind   : x | y
  score  : int?
}
";

/// 2024-11-15 in days.
const TODAY: i32 = 20_042;

/// Every event that rules tell apart: days in and outside of each window, small amounts.
fn events() -> Vec<Vec<Value>> {
    let mut events = Vec::new();
    for ago in [-1, 0, 2, 5, 20] {
        for amount in [0, 2] {
            for kind in [0, 1] {
                for score in [Value::Missing, Value::Int(-1), Value::Int(3)] {
                    let day = Value::Date(TODAY - ago);
                    events.push(vec![Value::Int(1), day, Value::Int(amount), Value::Label(kind), score]);
                }
            }
        }
    }
    events
}

/// Users with no event, each one, and random two and three.
fn users(random: &mut Random) -> Vec<UserRows> {
    let events = events();
    let mut users = vec![Vec::new()];
    users.extend(events.iter().map(|event| vec![event.clone()]));
    users.extend((0..500).map(|_| {
        let count = 2 + random.below(2);
        (0..count).map(|_| random.pick(&events).clone()).collect()
    }));
    users
        .into_iter()
        .map(|rows: Vec<Vec<Value>>| UserRows { columns: vec![Value::Int(1)], events: vec![rows] })
        .collect()
}

fn filter(random: &mut Random) -> &'static str {
    random.pick::<&str>(&[
        "",
        "",
        " where kind = x",
        " where amount > 0",
        " where kind = x and amount > 0",
        " where kind = y or amount > 1",
        " where score is known",
        " where score > 0",
    ])
}

fn window(random: &mut Random) -> &'static str {
    random.pick::<&str>(&[
        "",
        "",
        ", last 3 days",
        ", last 10 days",
        ", last 30 days",
        ", 10 days ago to 3 days ago",
        ", last 4 days before 2024-11-13",
        ", since 2024-11-10",
    ])
}

fn selected(random: &mut Random) -> String {
    format!("visits{}{}", filter(random), window(random))
}

/// A whole number that is computed of events.
fn number(random: &mut Random) -> String {
    let of = selected(random);
    let value = *random.pick(&["amount", "amount", "score"]);
    match random.below(9) {
        0..=3 => format!("count({of})"),
        4 => format!("sum({value} of {of})"),
        5 => format!("min({value} of {of})"),
        6 => format!("max({value} of {of})"),
        7 => format!("{}({value} of {of})", random.pick(&["first", "last", "mode"])),
        _ => format!("count(distinct {value} of {of})"),
    }
}

fn part(random: &mut Random) -> String {
    let order = *random.pick(&["<", "<=", ">", ">=", "=", "!="]);
    match random.below(11) {
        10 => {
            let days = ["2024-10-26", "2024-11-10", "2024-11-12", "2024-11-15", "2024-11-16"];
            let word = random.pick(&["min", "max", "first", "last"]);
            format!("{word}(day of {}) {order} {}", selected(random), random.pick(&days))
        }
        0..=3 => format!("{} {order} {}", number(random), random.below(4)),
        4 => format!("{} {order} {}", number(random), number(random)),
        5 => format!("{} is {}", number(random), *random.pick(&["known", "missing"])),
        6 => format!("{}({})", random.pick(&["none", "any"]), selected(random)),
        7 => {
            let step = |random: &mut Random| format!("visits{}", filter(random));
            let (first, then) = (step(random), step(random));
            format!("sequence({first} then {then}, within 5 days)")
        }
        8 => {
            let measured = number(random);
            let word = random.pick(&["avg", "min", "max"]);
            format!("{measured} {order} population {word}({measured})")
        }
        _ => format!("score({} into 3) {order} {}", number(random), 1 + random.below(3)),
    }
}

fn condition(random: &mut Random) -> String {
    let parts: Vec<String> = (0..1 + random.below(3)).map(|_| part(random)).collect();
    let word = random.pick(&[" and ", " or "]);
    parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(word)
}

/// What came out how often, so that a test which proves nothing fails.
#[derive(Default)]
struct Told {
    proved: u32,
    refuted: u32,
    undecided: u32,
}

#[test]
fn what_is_proved_of_behaviour_is_so() {
    let mut told = Told::default();
    let mut refused = BTreeSet::new();
    let cases = crate::cases() * 2;
    for seed in 0..cases {
        let mut random = Random::new(seed ^ 0xBE4A);
        let users = users(&mut random);
        let s = condition(&mut random);
        // By chance alone hardly any two conditions have to do with each other.
        let t = match random.below(3) {
            0 => condition(&mut random),
            1 => format!("{s} and ({})", part(&mut random)),
            _ => s.replacen(" >= ", " > ", 1).replacen(", last 10 days", ", last 3 days", 1),
        };
        let text = format!("{SCHEMA}segment s when {s}\nsegment t when {t}\n");
        let (program, faults, _) = checked(&text, Proofs::None);
        let Some(program) = program else {
            refused.insert(faults[0].message.clone());
            assert!(refused.len() < 5, "{refused:?}\n{text}");
            continue;
        };
        let dated = program.at(NOW);
        let found = evaluate_all(&dated, &Facts::default(), &users);
        let id = |name: &str| dated.program.declaration(name).unwrap().value;
        let prover = Prover::new(&dated);
        check_pair(seed, &text, (id("s"), id("t")), &prover, &found, &mut told);
    }
    let all = told.proved + told.refuted + told.undecided;
    assert!(told.proved * 20 > all && told.refuted * 4 > all, "{} {} of {all}", told.proved, told.refuted);
    assert!(told.undecided * 4 < all, "{} of {all} undecided", told.undecided);
}

fn check_pair(
    seed: u64,
    text: &str,
    (s, t): (NodeId, NodeId),
    prover: &Prover<'_>,
    found: &[Evaluation],
    told: &mut Told,
) {
    let nobody = |holds: &dyn Fn(bool, bool) -> bool, claim: &str| {
        let user = found.iter().position(|user| holds(user.value(s).is_true(), user.value(t).is_true()));
        assert!(user.is_none(), "{seed}: {claim} is proved, but not so for user {user:?}\n{text}");
    };
    let mut verdict = |verdict: Verdict, holds: &dyn Fn(bool, bool) -> bool, claim: &str| match verdict {
        Verdict::Proved => {
            told.proved += 1;
            nobody(holds, claim);
        }
        Verdict::Refuted(_) => told.refuted += 1,
        Verdict::Undecided(_) => told.undecided += 1,
    };
    verdict(prover.always(s), &|s, _| !s, "that s is always so");
    verdict(prover.never(s), &|s, _| s, "that s never is");
    verdict(prover.implies(s, t), &|s, t| s && !t, "that s is in t");
    verdict(prover.implies(t, s), &|s, t| t && !s, "that t is in s");
    verdict(prover.equal(s, t), &|s, t| s != t, "that s is t");
    match prover.overlap(s, t) {
        Possibility::Nobody => nobody(&|s, t| s && t, "that s and t are apart"),
        Possibility::Somebody(_) | Possibility::Undecided(_) => {}
    }
}
