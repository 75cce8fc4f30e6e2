//! Attributes as lines of ranks, cut where a rule tells values apart. Between two neighbouring cuts
//! lies a *cell*: values that no rule tells apart. A missing value is the cell below all others.
//!
//! The solver has a variable "at or past this cut" for each cut, with clauses that order them (order
//! encoding); a cut comes into being when a rule first asks for it.

use super::gates::Gates;
use super::solver::{Literal, Sat};
use crate::program::{NodeId, Type, Value};
use std::collections::BTreeMap;

/// Number of a line in its group.
pub(super) type LineId = usize;

/// What a line is of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    /// A node whose value the example user simply has: a column, an aggregate, a score, ….
    Given(NodeId),
    /// Whether a given list has this item.
    Item(NodeId, Value),
    /// How many items a given list has.
    Size(NodeId),
    /// A node that is computed from given ones in a way that cells do not follow: its values are
    /// held against those that it is computed from once a model is there.
    Computed(NodeId),
    /// A node that depends on facts which are not here at check time.
    Unknowable(NodeId),
    /// One line less another, as ranks.
    Difference(LineId, LineId),
}

impl Kind {
    /// The node that it is about, where it is one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Kind::Given(id)
            | Kind::Item(id, _)
            | Kind::Size(id)
            | Kind::Computed(id)
            | Kind::Unknowable(id) => Some(*id),
            Kind::Difference(..) => None,
        }
    }
}

/// A line with its cuts.
#[derive(Debug)]
pub(super) struct Line {
    pub kind: Kind,
    pub ty: Type,
    /// First rank of a known value.
    pub low: i128,
    /// Last rank of a known value.
    pub high: i128,
    /// Whether a value is there; a constant where it always is.
    pub known: Literal,
    cuts: BTreeMap<i128, Literal>,
}

/// Where a value lies: missing, or from one rank to another, both in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Span {
    Missing,
    Ranks(i128, i128),
}

impl Line {
    pub fn new(gates: &mut Gates, kind: Kind, ty: Type, range: (i128, i128), optional: bool) -> Self {
        let known = if optional { gates.solver.variable() } else { Literal::TRUE };
        Line { kind, ty, low: range.0, high: range.1, known, cuts: BTreeMap::new() }
    }

    /// At or past a rank, and known.
    pub fn at_least(&mut self, gates: &mut Gates, rank: i128) -> Literal {
        if rank <= self.low {
            return self.known;
        }
        if rank > self.high {
            return Literal::FALSE;
        }
        if let Some(cut) = self.cuts.get(&rank) {
            return *cut;
        }
        let cut = gates.solver.variable();
        let below = self.cuts.range(..rank).next_back().map_or(self.known, |(_, below)| *below);
        gates.solver.clause(&[!cut, below]);
        if let Some((_, above)) = self.cuts.range(rank..).next() {
            gates.solver.clause(&[!*above, cut]);
        }
        self.cuts.insert(rank, cut);
        cut
    }

    /// The cell in which the solver's last model has the value.
    pub fn cell(&self, model: &impl Fn(Literal) -> bool) -> Span {
        if !model(self.known) {
            return Span::Missing;
        }
        let (mut low, mut high) = (self.low, self.high);
        for (rank, cut) in &self.cuts {
            if model(*cut) {
                low = *rank;
            } else {
                high = *rank - 1;
                break;
            }
        }
        Span::Ranks(low, high)
    }

    /// The cell of a rank.
    pub fn cell_of(&self, rank: i128) -> Span {
        let low = self.cuts.range(..=rank).next_back().map_or(self.low, |(cut, _)| *cut);
        let high = self.cuts.range(rank + 1..).next().map_or(self.high, |(cut, _)| *cut - 1);
        Span::Ranks(low, high)
    }

    /// The literals that keep a value within a span whose ends are cuts: lower end, upper end.
    pub fn ends(&self, span: Span) -> [Literal; 2] {
        match span {
            Span::Missing => [Literal::TRUE, !self.known],
            Span::Ranks(low, high) => {
                let low = if low <= self.low { self.known } else { self.cut(low) };
                let high = if high >= self.high { Literal::TRUE } else { !self.cut(high + 1) };
                [low, high]
            }
        }
    }

    fn cut(&self, rank: i128) -> Literal {
        self.cuts.get(&rank).copied().unwrap_or(Literal::TRUE)
    }

    /// The ranks that are cuts, in order.
    pub fn ranks(&self) -> impl DoubleEndedIterator<Item = i128> + '_ {
        self.cuts.keys().copied()
    }
}
