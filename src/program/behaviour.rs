//! What users did: event tables, and the nodes that turn many events, or a whole population, into
//! one value.
//!
//! All nodes of a program are one graph, but a node has a [`Scope`]: it speaks of a user, or of one
//! event of a table. [`Expr::EventColumn`] opens the scope of its table; whatever needs such a node is
//! in that scope too, until an aggregate or a sequence closes it. A node of the user's scope may be
//! used in an event's: it is the value of the user whose event it is.

use super::{Expr, NodeId, Program, Table, Unit};
use serde::{Deserialize, Serialize};

/// A declared table of events: many rows a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventTable {
    /// Name, columns, data; `key` is the column that holds the user's key.
    pub table: Table,
    /// Index of the column that says when it happened: a date or a timestamp.
    pub at: usize,
}

/// What an aggregate makes of the events that are in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateFunction {
    /// Number of events, or of events with a known value where there is one: 0 for none.
    Count,
    /// Sum of the known values, of their type: 0 for none. An int beyond 64 bits and a decimal
    /// beyond 38 digits are missing; what is summed on the way has no limit. The sum of floats is
    /// the exact sum, rounded once.
    Sum,
    /// The sum divided by how many there are, a float; missing for none.
    Average,
    /// Smallest known value; missing for none.
    Least,
    /// Largest known value; missing for none.
    Greatest,
    /// The known value of the earliest event; of several at one time the smallest. Missing for none.
    First,
    /// The known value of the latest event; of several at one time the smallest. Missing for none.
    Last,
    /// How many different known values: 0 for none.
    Distinct,
    /// The most common known value; of several as common the smallest. Missing for none.
    Mode,
}

/// One end of a window: a value of the user's scope, of the type of the table's `at`. An event is out
/// where it is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Edge {
    /// The end.
    pub bound: NodeId,
    /// Whether the end itself is in.
    pub inclusive: bool,
}

/// Which times are in: `at <= now`, and within the ends where there are any.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Window {
    /// Nothing later counts: the moment (the date, for a date `at`) that the value is of.
    pub now: NodeId,
    /// Lower end.
    pub low: Option<Edge>,
    /// Upper end.
    pub high: Option<Edge>,
}

/// One value of a user's events of one table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Aggregate {
    /// Index in `Program::events`.
    pub table: usize,
    /// What it makes of them.
    pub function: AggregateFunction,
    /// The value of an event; none for a count of rows.
    pub value: Option<NodeId>,
    /// The condition that an event keeps.
    pub filter: Option<NodeId>,
    /// When an event must have happened.
    pub window: Window,
}

/// Events of a table that keep a condition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct EventPattern {
    /// Index in `Program::events`.
    pub table: usize,
    /// The condition; none for any event.
    pub filter: Option<NodeId>,
}

/// One step of a sequence.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SequenceStep {
    /// The event of the step.
    pub pattern: EventPattern,
    /// No such event lies strictly between the step before and this one.
    pub without: Vec<EventPattern>,
}

/// A length of time that is the same everywhere: days of 24 hours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Limit {
    /// How many.
    pub amount: i64,
    /// Minutes, hours, days or weeks.
    pub unit: Unit,
}

impl Limit {
    /// In microseconds.
    pub fn micros(self) -> i64 {
        let minute = 60_000_000_i64;
        let unit = match self.unit {
            Unit::Minutes => minute,
            Unit::Hours => 60 * minute,
            Unit::Weeks => 7 * 24 * 60 * minute,
            Unit::Days | Unit::Months | Unit::Years => 24 * 60 * minute,
        };
        self.amount.saturating_mul(unit)
    }
}

/// Steps in strictly increasing time. A date is its first moment (local midnight), but where all
/// tables have dates the limit counts days.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Sequence {
    /// One or more.
    pub steps: Vec<SequenceStep>,
    /// A last step that must not come: no such event strictly after the last of `steps`, up to the
    /// limit after the first (and that moment is not after `now`); without a limit up to `now`.
    pub absent: Option<EventPattern>,
    /// From the first step to the last at most this.
    pub within: Option<Limit>,
    /// Nothing later counts: the moment (timestamp) that the value is of.
    pub now: NodeId,
}

impl Sequence {
    /// All patterns in the order of the operands.
    pub fn patterns(&self) -> impl Iterator<Item = &EventPattern> {
        self.steps
            .iter()
            .flat_map(|step| step.without.iter().chain(std::iter::once(&step.pattern)))
            .chain(&self.absent)
    }
}

/// A share of a whole, exactly: `numerator / denominator`, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Share {
    /// Above.
    pub numerator: u64,
    /// Below; not 0.
    pub denominator: u64,
}

/// What is known of a value over all users.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The exact sum divided by how many there are; a float.
    Average,
    /// Smallest, of the value's type.
    Least,
    /// Largest, of the value's type.
    Greatest,
    /// Sum, of the value's type; 0 of nobody.
    Sum,
    /// Quantile by linear interpolation (type 7); a float.
    Quantile(Share),
    /// The same as a cut point of a score: a value of the value's own type, such that `x > cut`
    /// holds just where `x` is above the exact quantile. For ints and decimals the quantile rounded
    /// down to what the type can hold.
    Cut(Share),
}

/// A value of the whole population: of all users with a known value for whom the filter holds.
/// Missing (a sum: 0) where there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Population {
    /// Which.
    pub statistic: Statistic,
    /// The value of a user; int, float or decimal.
    pub value: NodeId,
    /// Who counts; all without it.
    pub filter: Option<NodeId>,
}

/// What a node speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// A user.
    User,
    /// An event of the table of that index.
    Event(usize),
}

impl Expr {
    /// Whether it turns events or users into one value, so that its operands' scopes end here.
    pub fn closes_scope(&self) -> bool {
        matches!(self, Expr::Aggregate(_) | Expr::Sequence(_) | Expr::Population(_))
    }
}

impl Program {
    /// The scope of each node.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes: Vec<Scope> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let scope = match &node.expr {
                Expr::EventColumn { table, .. } => Scope::Event(*table),
                expr if expr.closes_scope() => Scope::User,
                expr => expr
                    .operands()
                    .into_iter()
                    .filter_map(|id| scopes.get(id.0 as usize).copied())
                    .find(|scope| *scope != Scope::User)
                    .unwrap_or(Scope::User),
            };
            scopes.push(scope);
        }
        scopes
    }

    /// For each node after how many rounds over events and population it is known: 0 for what needs
    /// a user's columns only; an aggregate, sequence or population value comes one round after
    /// whatever it needs.
    pub fn rounds(&self) -> Vec<u32> {
        let mut rounds: Vec<u32> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let before = node
                .expr
                .operands()
                .into_iter()
                .filter_map(|id| rounds.get(id.0 as usize).copied())
                .max()
                .unwrap_or(0);
            rounds.push(before.saturating_add(u32::from(node.expr.closes_scope())));
        }
        rounds
    }
}
