//! A small world: a schema of which every user can be listed, random rules over it, and the truth
//! about them by evaluating every user.

use crate::random::Random;
use std::sync::Arc;
use strata::interpret::{UserRows, evaluate_all};
use strata::program::{NodeId, Program, Value};
use strata::semantics::{Dated, Facts};

pub const NOW: i64 = 1_731_628_800_000_000;

pub const SCHEMA: &str = "strata 1
now 2024-11-15
type level = low < mid < high
table users key id {
  id : int between 1 and 1
  vip : bool
  opted : bool?
  channel : x | y | z?
  level : level
  a : int? between 0 and 3
  b : int between 0 and 2
  city : string?
}
";

/// The columns, in the table's order, as JSON has them.
pub const COLUMNS: [&str; 8] = ["id", "vip", "opted", "channel", "level", "a", "b", "city"];

/// Every user of the schema: of texts two that rules name, and one of each kind that they tell apart.
pub fn users() -> Vec<Vec<Value>> {
    let bools = [Value::Bool(false), Value::Bool(true)];
    let optional = |mut values: Vec<Value>| {
        values.push(Value::Missing);
        values
    };
    let labels = |count: u32| (0..count).map(Value::Label).collect::<Vec<_>>();
    let ints = |last: i64| (0..=last).map(Value::Int).collect::<Vec<_>>();
    let text = |text: &str| Value::Text(Arc::from(text));
    let choices = [
        vec![Value::Int(1)],
        bools.to_vec(),
        optional(bools.to_vec()),
        optional(labels(3)),
        labels(3),
        optional(ints(3)),
        ints(2),
        optional(vec![text("p"), text("pq"), text("px"), text("r")]),
    ];
    let mut users = vec![Vec::new()];
    for values in choices {
        users = users
            .into_iter()
            .flat_map(|user: Vec<Value>| {
                values.iter().map(move |value| user.iter().cloned().chain([value.clone()]).collect())
            })
            .collect();
    }
    users
}

/// A condition as text.
pub fn condition(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.percent(30) {
        return test(random);
    }
    let part = |random: &mut Random| {
        let inner = condition(random, depth - 1);
        if inner.contains(' ') { format!("({inner})") } else { inner }
    };
    match random.below(8) {
        0..=2 => format!("{} and {}", part(random), part(random)),
        3 | 4 => format!("{} or {}", part(random), part(random)),
        5 => format!("not {}", part(random)),
        6 => format!("{} and {} and {}", part(random), part(random), part(random)),
        _ => {
            let quantifier = *random.pick(&["at least", "at most", "exactly"]);
            format!(
                "{quantifier} {} of ({}, {}, {})",
                random.below(4),
                part(random),
                part(random),
                part(random)
            )
        }
    }
}

fn order(random: &mut Random) -> &'static str {
    random.pick::<&str>(&["<", "<=", ">", ">=", "=", "!="])
}

fn test(random: &mut Random) -> String {
    let label = |random: &mut Random| *random.pick(&["x", "y", "z"]);
    let level = |random: &mut Random| *random.pick(&["low", "mid", "high"]);
    match random.below(21) {
        0 => "vip".to_owned(),
        1 => "opted".to_owned(),
        2 => format!("channel {} {}", random.pick(&["=", "!="]), label(random)),
        3 => format!("channel {}in ({}, {})", random.pick(&["", "not "]), label(random), label(random)),
        4 => format!("level {} {}", order(random), level(random)),
        5 | 6 => format!("a {} {}", order(random), random.below(4)),
        7 => format!("b {} {}", order(random), random.below(3)),
        8 => format!("a {} b", order(random)),
        9 => format!("a + b {} {}", order(random), random.below(6)),
        10 => format!("a - b {} {}", order(random), random.below(4)),
        11 => format!(
            "{} is {}",
            random.pick(&["a", "channel", "opted", "city"]),
            random.pick(&["known", "missing"])
        ),
        12 if random.percent(30) => "city starts with \"p\"".to_owned(),
        12 => format!("city {} \"{}\"", random.pick(&["=", "!="]), random.pick(&["p", "pq"])),
        13 => format!("(a or_else {}) {} {}", random.below(4), order(random), random.below(4)),
        14 => format!("a mod 2 = {}", random.below(2)),
        15 => format!(
            "points {{ when vip then 2 when a > 1 then 1 when opted then -1 }} {} {}",
            order(random),
            random.below(4)
        ),
        16 => format!(
            "case {{ when vip then 1 when b > 0 then a otherwise 3 }} {} {}",
            order(random),
            random.below(4)
        ),
        17 => format!("min(a, b) {} {}", order(random), random.below(3)),
        18 => format!("score(a into (0, 1)) {} {}", order(random), random.below(4)),
        19 => format!("a * b {} {}", order(random), random.below(7)),
        _ => format!("a between {} and {}", random.below(2), 1 + random.below(3)),
    }
}

/// The truth about each node for each user.
pub struct Truth {
    pub dated: Dated,
    /// By node, then by user.
    holds: Vec<Vec<bool>>,
}

impl Truth {
    pub fn new(program: &Program, users: &[Vec<Value>]) -> Self {
        let dated = program.at(NOW);
        let facts = Facts::default();
        let rows: Vec<UserRows> =
            users.iter().map(|user| UserRows { columns: user.clone(), events: Vec::new() }).collect();
        let mut holds = vec![Vec::with_capacity(rows.len()); dated.program.nodes.len()];
        for user in evaluate_all(&dated, &facts, &rows) {
            for (holds, value) in holds.iter_mut().zip(&user.values) {
                holds.push(value.is_true());
            }
        }
        Truth { dated, holds }
    }

    /// By user: whether a condition holds.
    pub fn of(&self, id: NodeId) -> Vec<bool> {
        self.holds[id.0 as usize].clone()
    }
}
