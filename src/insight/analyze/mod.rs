//! How the segments of a program lie to each other, and what each rule reads.
//!
//! Every statement about sets is proved or shown by an example user; what could not be told in the
//! time is said to be so.

mod graph;
mod human;
mod lattice;
mod order;
mod paths;
mod reads;
mod samples;

pub use graph::{dot, mermaid};
pub use human::human;
pub use paths::{Paths, UndecidedPath};
pub use reads::Reads;

use super::declared::because;
use crate::diagnostic::Witness;
use crate::program::{DeclarationKind, NodeId, Program};
use crate::prove::{Budget, Prover};
use crate::semantics::Dated;
use serde::Serialize;
use std::time::{Duration, Instant};

/// A segment on its own.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Its label for people.
    pub label: Option<String>,
    /// Whether nobody, somebody or everybody is in; none where it could not be told.
    pub users: Option<Extent>,
    /// One user who is in, by table and column.
    pub example: Option<Witness>,
}

/// How many of all possible users.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Extent {
    /// None.
    Nobody,
    /// Some.
    Somebody,
    /// All.
    Everybody,
}

/// One set lies within another, with none between them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Containment {
    /// The smaller; of equal ones the first.
    pub inner: String,
    /// The larger; of equal ones the first.
    pub outer: String,
}

/// Two segments with users in common, neither within the other.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Overlap {
    /// Both, in the file's order.
    pub segments: [String; 2],
    /// Users who are in both, in words; none where the time did not suffice to put it into words.
    pub region: Option<String>,
    /// One of them, in words.
    pub sentence: Option<String>,
    /// One of them.
    pub example: Option<Witness>,
}

/// Two segments of which something could not be told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Open {
    /// Both, in the file's order.
    pub segments: [String; 2],
    /// What could not be told.
    pub questions: Vec<Question>,
    /// Why.
    pub reason: String,
}

/// What one may ask about two segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Whether anybody is in both.
    Overlap,
    /// Whether the first lies within the second.
    FirstWithinSecond,
    /// Whether the second lies within the first.
    SecondWithinFirst,
}

/// All that is told of a program.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Analysis {
    /// The segments in the file's order.
    pub segments: Vec<Segment>,
    /// Segments that are the same set, each group in the file's order.
    pub equal: Vec<Vec<String>>,
    /// Which set lies directly within which.
    pub within: Vec<Containment>,
    /// Which overlap.
    pub overlaps: Vec<Overlap>,
    /// Pairs without a user in common.
    pub disjoint: Vec<[String; 2]>,
    /// What could not be told.
    pub undecided: Vec<Open>,
    /// How many pairs were not held against each other at all, because the time was up.
    pub not_compared: usize,
    /// By stack: the paths that no user can have (W1404, unless that is allowed).
    pub paths: Vec<Paths>,
    /// What each rule reads.
    pub reads: Vec<Reads>,
    /// Columns that no rule reads, with their table.
    pub unread: Vec<String>,
}

/// How much work an analysis may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For all of it.
    pub time: Duration,
    /// Steps of the solver that a single question may take.
    pub steps: u64,
    /// The most overlaps that are put into words.
    pub explained: usize,
    /// Whether the paths of stacks are looked at.
    pub paths: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { time: Duration::from_secs(30), steps: 500_000, explained: 1_000, paths: true }
    }
}

/// Analyses a program at a moment. `program` is the same one before it was taken at that moment.
pub fn analyze(program: &Program, dated: &Dated, limits: Limits) -> Analysis {
    let start = Instant::now();
    let prover = Prover::with_budget(dated, Budget::new(limits.steps, limits.time));
    let segments: Vec<(&str, Option<&str>, NodeId)> = dated
        .program
        .declarations
        .iter()
        .filter(|declaration| matches!(declaration.kind, DeclarationKind::Segment))
        .map(|declaration| {
            let heading = &declaration.heading;
            (heading.name.as_str(), heading.label.as_deref(), declaration.value)
        })
        .collect();
    let conditions: Vec<NodeId> = segments.iter().map(|(_, _, condition)| *condition).collect();
    let relations = lattice::Relations::find(&prover, &conditions);
    let name = |at: usize| segments.get(at).map_or(String::new(), |(name, _, _)| (*name).to_owned());
    let both = |a: usize, b: usize| [name(a), name(b)];
    let order = order::Order::of(&relations);
    let mut analysis = Analysis {
        segments: segments
            .iter()
            .zip(&relations.alone)
            .map(|((name, label, _), alone)| Segment {
                name: (*name).to_owned(),
                label: label.map(str::to_owned),
                users: alone.extent,
                example: alone.example.as_ref().map(|example| example.witness(&dated.program)),
            })
            .collect(),
        equal: order.equal.iter().map(|class| class.iter().map(|at| name(*at)).collect()).collect(),
        within: order
            .edges
            .iter()
            .map(|(inner, outer)| Containment { inner: name(*inner), outer: name(*outer) })
            .collect(),
        overlaps: Vec::new(),
        disjoint: order.disjoint.iter().map(|(a, b)| both(*a, *b)).collect(),
        undecided: relations
            .open
            .iter()
            .map(|open| Open {
                segments: both(open.first, open.second),
                questions: open.questions.clone(),
                reason: because(open.reason).to_owned(),
            })
            .collect(),
        not_compared: relations.not_compared,
        paths: match limits.paths {
            true => {
                paths::paths(dated, Budget::new(limits.steps, limits.time.saturating_sub(start.elapsed())))
            }
            false => Vec::new(),
        },
        reads: reads::reads(program),
        unread: reads::unread(program),
    };
    for (place, (a, b)) in order.overlaps.iter().enumerate() {
        let in_time = place < limits.explained && start.elapsed() < limits.time;
        let goal = conditions.get(*a).zip(conditions.get(*b));
        let found = goal.filter(|_| in_time).and_then(|(a, b)| lattice::somebody(prover.overlap(*a, *b)));
        analysis.overlaps.push(Overlap {
            segments: both(*a, *b),
            region: found.as_ref().map(|example| example.region.clone()),
            sentence: found.as_ref().map(|example| example.sentence(&dated.program)),
            example: found.as_ref().map(|example| example.witness(&dated.program)),
        });
    }
    analysis
}
