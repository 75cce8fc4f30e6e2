//! Each pair of segments: has it users in common, does one lie within the other. Cheap answers first:
//! sample users settle most pairs, segments that have no attribute in common settle themselves, and only
//! what is left is asked of the prover.

use super::samples::Samples;
use super::{Extent, Question};
use crate::program::{Expr, NodeId, Program};
use crate::prove::{Decision, Example, Possibility, Prover, Reason};
use hashbrown::HashSet;

/// The example of an answer.
pub(super) fn somebody(answer: Possibility) -> Option<Example> {
    match answer {
        Possibility::Somebody(example) => Some(example),
        _ => None,
    }
}

/// A segment on its own.
pub(super) struct Alone {
    pub extent: Option<Extent>,
    pub example: Option<Example>,
}

/// What could not be told of a pair.
pub(super) struct OpenPair {
    pub first: usize,
    pub second: usize,
    pub questions: Vec<Question>,
    pub reason: Reason,
}

/// What is known of all pairs.
pub(super) struct Relations {
    pub alone: Vec<Alone>,
    /// By pair, the first before the second in the file: whether anybody is in both; none where that is open.
    overlap: Vec<Option<bool>>,
    /// By pair in both orders: whether the first is known to lie within the second.
    within: Vec<bool>,
    pub open: Vec<OpenPair>,
    pub not_compared: usize,
    count: usize,
}

/// What a segment speaks of, as far as one attribute may have to do with another.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Attribute {
    Column(usize),
    /// Aggregates and sequences of one table are related.
    Events(usize),
    /// Values of the population, lookups: not told apart.
    Others,
}

impl Relations {
    /// Finds out about all pairs, as far as the prover's time reaches.
    pub fn find(prover: &Prover<'_>, conditions: &[NodeId]) -> Relations {
        let count = conditions.len();
        let alone: Vec<Alone> = conditions.iter().map(|condition| alone(prover, *condition)).collect();
        let examples = alone.iter().filter_map(|alone| alone.example.as_ref());
        let samples = Samples::of(prover, conditions, examples);
        let attributes: Vec<HashSet<Attribute>> =
            conditions.iter().map(|condition| attributes(prover, *condition)).collect();
        let mut relations = Relations {
            alone,
            overlap: vec![None; count * count],
            within: vec![false; count * count],
            open: Vec::new(),
            not_compared: 0,
            count,
        };
        for first in 0..count {
            for second in first + 1..count {
                let apart = attributes.get(first).zip(attributes.get(second)).is_some_and(|(a, b)| {
                    !a.contains(&Attribute::Others) && !b.contains(&Attribute::Others) && a.is_disjoint(b)
                });
                let mut pair = Pair { prover, conditions, samples: &samples, first, second };
                relations.settle(&mut pair, apart);
            }
        }
        relations
    }

    /// How many segments there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the first is known to lie within the second.
    pub fn is_within(&self, first: usize, second: usize) -> bool {
        first == second || self.within.get(first * self.count + second) == Some(&true)
    }

    /// Whether anybody is in both; none where that is open.
    pub fn overlap(&self, a: usize, b: usize) -> Option<bool> {
        self.overlap.get(a.min(b) * self.count + a.max(b)).copied().flatten()
    }

    fn extent(&self, at: usize) -> Option<Extent> {
        self.alone.get(at).and_then(|alone| alone.extent)
    }

    fn settle(&mut self, pair: &mut Pair<'_, '_>, apart: bool) {
        let (first, second) = (pair.first, pair.second);
        let extents = [self.extent(first), self.extent(second)];
        let known = |place: usize, is: Extent| extents.get(place) == Some(&Some(is));
        if known(0, Extent::Nobody) || known(1, Extent::Nobody) {
            self.note(first, second, Some(false), known(0, Extent::Nobody), known(1, Extent::Nobody));
            return;
        }
        if apart && extents.iter().all(Option::is_some) {
            let (first_in, second_in) = (known(1, Extent::Everybody), known(0, Extent::Everybody));
            self.note(first, second, Some(true), first_in, second_in);
            return;
        }
        if pair.prover.is_over() && !pair.is_settled_by_samples() {
            self.not_compared += 1;
            return;
        }
        let overlap = pair.ask(true, true);
        let (outside, beyond) = match overlap {
            // Neither is within the other, as nobody is in both and both have users.
            Decision::Nobody if extents.iter().all(Option::is_some) => {
                (Decision::Somebody, Decision::Somebody)
            }
            _ => (pair.ask(true, false), pair.ask(false, true)),
        };
        let told = match overlap {
            Decision::Somebody => Some(true),
            Decision::Nobody => Some(false),
            Decision::Undecided(_) => None,
        };
        self.note(first, second, told, outside == Decision::Nobody, beyond == Decision::Nobody);
        let asked = [
            (overlap, Question::Overlap),
            (outside, Question::FirstWithinSecond),
            (beyond, Question::SecondWithinFirst),
        ];
        let open: Vec<(Question, Reason)> = asked
            .into_iter()
            .filter_map(|(decision, question)| match decision {
                Decision::Undecided(reason) => Some((question, reason)),
                _ => None,
            })
            .collect();
        if let Some((_, reason)) = open.first() {
            let questions = open.iter().map(|(question, _)| *question).collect();
            self.open.push(OpenPair { first, second, questions, reason: *reason });
        }
    }

    fn note(&mut self, first: usize, second: usize, overlap: Option<bool>, first_in: bool, second_in: bool) {
        if let Some(place) = self.overlap.get_mut(first * self.count + second) {
            *place = overlap;
        }
        for (at, is_in) in [(first * self.count + second, first_in), (second * self.count + first, second_in)]
        {
            if let Some(place) = self.within.get_mut(at) {
                *place = is_in;
            }
        }
    }
}

/// Two segments.
struct Pair<'a, 'p> {
    prover: &'a Prover<'p>,
    conditions: &'a [NodeId],
    samples: &'a Samples,
    first: usize,
    second: usize,
}

impl Pair<'_, '_> {
    fn is_settled_by_samples(&self) -> bool {
        [(true, true), (true, false), (false, true)]
            .into_iter()
            .all(|(a, b)| self.samples.has(self.first, a, self.second, b))
    }

    /// Whether somebody is in the first or not, and in the second or not.
    fn ask(&self, in_first: bool, in_second: bool) -> Decision {
        if self.samples.has(self.first, in_first, self.second, in_second) {
            return Decision::Somebody;
        }
        let (Some(a), Some(b)) = (self.conditions.get(self.first), self.conditions.get(self.second)) else {
            return Decision::Undecided(Reason::Budget);
        };
        if a == b && in_first != in_second {
            return Decision::Nobody;
        }
        self.prover.decide(&[(*a, in_first), (*b, in_second)])
    }
}

fn alone(prover: &Prover<'_>, condition: NodeId) -> Alone {
    let possible = prover.possible(condition);
    let extent = match (&possible, prover.decide(&[(condition, false)])) {
        (Possibility::Nobody, _) => Some(Extent::Nobody),
        (Possibility::Somebody(_), Decision::Somebody) => Some(Extent::Somebody),
        (_, Decision::Nobody) => Some(Extent::Everybody),
        _ => None,
    };
    Alone { extent, example: somebody(possible) }
}

fn attributes(prover: &Prover<'_>, condition: NodeId) -> HashSet<Attribute> {
    let program: &Program = prover.program();
    prover
        .inputs(condition)
        .into_iter()
        .flat_map(|id| match &program.node(id).expr {
            Expr::Column(column) => vec![Attribute::Column(*column)],
            Expr::Aggregate(of) => vec![Attribute::Events(of.table)],
            Expr::Sequence(of) => of.patterns().map(|pattern| Attribute::Events(pattern.table)).collect(),
            _ => vec![Attribute::Others],
        })
        .collect()
}
