//! Proofs over every user that the declared types and domains allow, before any data is read.
//!
//! [`Prover`] answers questions about conditions of a program at a moment ([`Dated`]). Each answer is a
//! proof, an example user, or an honest "undecided". How it works: attributes are lines of ranks that
//! rules cut into cells (`line`), conditions are circuits over them (`conditions`, `values`,
//! `readings`), a SAT solver looks for a user (`search`), related attributes are difference constraints
//! (`differences`, `relations`), and a found user is made readable (`explain`, `nice`,
//! `words`) and re-evaluated by the reference interpreter before anybody sees them.

mod conditions;
mod differences;
mod draft;
mod explain;
pub mod findings;
mod gates;
mod group;
mod line;
mod nice;
mod pattern;
mod quick;
mod rank;
mod readings;
mod relations;
mod search;
mod solver;
#[cfg(test)]
mod tests;
mod values;
mod words;
mod world;

pub use quick::{Decision, Tester};
pub use search::{Budget, Reason};

use crate::diagnostic::Witness;
use crate::program::{NodeId, Program, Type, Value};
use crate::semantics::Dated;
use crate::semantics::show::value_text;
use group::Group;
use hashbrown::HashMap;
use search::Search;
use std::time::Duration;
use world::World;

/// The answer to "does this hold for every user?".
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds for every user.
    Proved,
    /// It does not hold for this one.
    Refuted(Example),
    /// It could not be told.
    Undecided(Reason),
}

/// The answer to "is there such a user?".
#[derive(Clone, Debug)]
pub enum Possibility {
    /// There is: for example this one.
    Somebody(Example),
    /// There is none.
    Nobody,
    /// It could not be told.
    Undecided(Reason),
}

impl Possibility {
    /// The answer to "is there none?".
    pub fn denied(self) -> Verdict {
        match self {
            Possibility::Somebody(example) => Verdict::Refuted(example),
            Possibility::Nobody => Verdict::Proved,
            Possibility::Undecided(reason) => Verdict::Undecided(reason),
        }
    }
}

/// An example user (or an event, where the question was about one).
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What matters about them, columns first in their table's order.
    pub attributes: Vec<Attribute>,
    /// All users like them, in words: "age 18 to 24, channel missing". Empty for everybody.
    pub region: String,
    /// The whole row of the user table.
    pub columns: Vec<Value>,
    /// The values of columns, aggregates, sequences, scores and population values by node.
    pub given: HashMap<NodeId, Value>,
}

/// One value of an example user.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The table that it belongs to; for aggregates and the like the users'.
    pub table: String,
    /// A column's name, a trait's, or an expression.
    pub name: String,
    /// The node.
    pub node: NodeId,
    /// The value.
    pub value: Value,
}

impl Example {
    /// As findings carry it: by table, by column, its value.
    pub fn witness(&self, program: &Program) -> Witness {
        let zone = program.zone();
        let mut witness = Witness::new();
        for attribute in &self.attributes {
            let ty = &program.node(attribute.node).ty;
            let value = json(program, &zone, ty, &attribute.value);
            witness.entry(attribute.table.clone()).or_default().insert(attribute.name.clone(), value);
        }
        if witness.is_empty() {
            witness.insert(
                program.users.as_ref().map_or("users".to_owned(), |users| users.name.clone()),
                Default::default(),
            );
        }
        witness
    }

    /// In words: `age 17, channel missing`.
    pub fn sentence(&self, program: &Program) -> String {
        let zone = program.zone();
        let parts: Vec<String> = self
            .attributes
            .iter()
            .map(|attribute| {
                let ty = &program.node(attribute.node).ty;
                format!("{} {}", attribute.name, value_text(program, &zone, ty, &attribute.value))
            })
            .collect();
        if parts.is_empty() { "anybody".to_owned() } else { parts.join(", ") }
    }
}

/// A value as JSON, in the notation of data files.
fn json(program: &Program, zone: &jiff::tz::TimeZone, ty: &Type, value: &Value) -> serde_json::Value {
    match value {
        Value::Missing => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => {
            serde_json::Number::from_f64(*value).map_or(serde_json::Value::Null, Into::into)
        }
        Value::Decimal(_) => {
            let text = value_text(program, zone, ty, value);
            text.parse::<serde_json::Number>().map_or_else(|_| text.into(), Into::into)
        }
        Value::Text(text) => text.to_string().into(),
        Value::List(items) => {
            let item = match ty {
                Type::List(item) => item.as_ref(),
                ty => ty,
            };
            items.iter().map(|value| json(program, zone, item, value)).collect()
        }
        Value::Date(_) | Value::Timestamp(_) | Value::Time(_) | Value::Label(_) => {
            value_text(program, zone, ty, value).into()
        }
    }
}

/// A question's budget unless told otherwise.
const STEPS: u64 = 2_000_000;
const TIME: Duration = Duration::from_secs(30);

/// Answers questions about the conditions of a program at a moment.
///
/// Node numbers are those of the dated program. A question costs what the conditions that it asks about
/// are made of, not what the whole program is.
#[derive(Debug)]
pub struct Prover<'a> {
    world: World<'a>,
    budget: Budget,
}

impl<'a> Prover<'a> {
    /// With a generous budget.
    pub fn new(dated: &'a Dated) -> Self {
        Self::with_budget(dated, Budget::new(STEPS, TIME))
    }

    /// With a budget of one's own.
    pub fn with_budget(dated: &'a Dated, budget: Budget) -> Self {
        Prover { world: World::new(dated), budget }
    }

    /// The program that it is about.
    pub fn program(&self) -> &'a Program {
        self.world.program
    }

    /// Whether some user has each of these conditions so (true) or not so (false).
    pub fn find(&self, goal: &[(NodeId, bool)]) -> Possibility {
        let roots: Vec<NodeId> = goal.iter().map(|(id, _)| *id).collect();
        self.find_in(&mut Group::new(&self.world, &roots), goal)
    }

    fn find_in(&self, group: &mut Group<'_>, goal: &[(NodeId, bool)]) -> Possibility {
        match group.search(goal, self.budget) {
            Search::Nobody(_) => Possibility::Nobody,
            Search::Open(reason) => Possibility::Undecided(reason),
            Search::Somebody(draft, cells) => {
                let explained = group.explain(goal, draft, cells, self.budget);
                match group.is_unsure(&explained) {
                    true => Possibility::Undecided(Reason::Facts),
                    false => Possibility::Somebody(group.example(&explained)),
                }
            }
        }
    }

    /// Whether a condition can hold.
    pub fn possible(&self, condition: NodeId) -> Possibility {
        self.find(&[(condition, true)])
    }

    /// Whether two conditions can hold at once.
    pub fn overlap(&self, a: NodeId, b: NodeId) -> Possibility {
        self.find(&[(a, true), (b, true)])
    }

    /// Whether a condition holds for everybody; else somebody for whom it does not.
    pub fn always(&self, condition: NodeId) -> Verdict {
        self.find(&[(condition, false)]).denied()
    }

    /// Whether a condition holds for nobody; else somebody for whom it does.
    pub fn never(&self, condition: NodeId) -> Verdict {
        self.possible(condition).denied()
    }

    /// Whether the second holds wherever the first does; else somebody in the first and not in the second.
    pub fn implies(&self, a: NodeId, b: NodeId) -> Verdict {
        self.find(&[(a, true), (b, false)]).denied()
    }

    /// Whether both hold for the same users; else somebody for whom only one does.
    pub fn equal(&self, a: NodeId, b: NodeId) -> Verdict {
        if a == b {
            return Verdict::Proved;
        }
        match self.implies(a, b) {
            Verdict::Proved => self.implies(b, a),
            Verdict::Refuted(example) => Verdict::Refuted(example),
            Verdict::Undecided(reason) => match self.implies(b, a) {
                Verdict::Refuted(example) => Verdict::Refuted(example),
                _ => Verdict::Undecided(reason),
            },
        }
    }
}
