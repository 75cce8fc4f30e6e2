//! A group of conditions that are proved together: one solver, one set of lines. What a condition
//! does not mention plays no part, so that proofs about different rules cost nothing to each other.

use super::gates::Gates;
use super::line::{Kind, Line, LineId};
use super::rank;
use super::solver::{Literal, Sat};
use super::world::World;
use crate::program::{Expr, NodeId, Type, Value};
use hashbrown::HashMap;
use std::sync::Arc;

/// The lines and circuits of some conditions.
pub(super) struct Group<'a> {
    pub world: &'a World<'a>,
    pub gates: Gates,
    pub lines: Vec<Line>,
    by_kind: HashMap<Kind, LineId>,
    /// `a - b >= c` wherever both are known.
    pub links: Vec<Link>,
    /// The texts that the conditions tell apart, in order.
    pub texts: Vec<Arc<str>>,
    pub(super) conditions: HashMap<NodeId, Literal>,
    pub(super) known: HashMap<NodeId, Literal>,
    pub(super) reached: HashMap<(NodeId, i128), Literal>,
    pub(super) selections: HashMap<NodeId, Arc<[Literal]>>,
    pub(super) depth: usize,
}

/// One line lies so far above another at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub above: LineId,
    pub below: LineId,
    pub by: i128,
}

impl<'a> Group<'a> {
    /// For conditions, all of whose parts may be asked about.
    pub fn new(world: &'a World<'a>, roots: &[NodeId]) -> Self {
        let cone = world.cone(&with_populations(world, roots));
        let mut texts: Vec<Arc<str>> = Vec::new();
        for id in &cone {
            let text = |value: &Value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            };
            match &world.program.node(*id).expr {
                Expr::Constant(value) => texts.extend(text(value)),
                Expr::InSet { set, .. } => texts.extend(set.iter().filter_map(text)),
                _ => {}
            }
        }
        texts.sort();
        texts.dedup();
        let mut group = Group {
            world,
            gates: Gates::new(),
            lines: Vec::new(),
            by_kind: HashMap::new(),
            links: Vec::new(),
            texts,
            conditions: HashMap::new(),
            known: HashMap::new(),
            reached: HashMap::new(),
            selections: HashMap::new(),
            depth: 0,
        };
        // Operands first, so that no chain of rules is followed by recursion. Conditions about an
        // event lie beyond an aggregate and are not met here.
        for id in cone {
            if world.program.node(id).expr.is_condition() {
                group.condition(id);
            }
        }
        group
    }

    /// A value's place on the line of its type; of a text its place among those that are told apart.
    pub fn rank(&self, value: &Value) -> Option<i128> {
        match value {
            Value::Text(text) => {
                let place = self.texts.binary_search(text).unwrap_or(self.texts.len());
                i128::try_from(place).ok()
            }
            value => rank::of(value),
        }
    }

    /// Whether a constant is one that this group tells apart.
    pub(super) fn tells_apart(&self, constant: &Value) -> bool {
        match constant {
            Value::Text(text) => self.texts.binary_search(text).is_ok(),
            _ => true,
        }
    }

    /// The ranks of a computed value of a type.
    pub(super) fn range(&self, ty: &Type) -> (i128, i128) {
        match ty {
            Type::Text => (0, i128::try_from(self.texts.len()).unwrap_or(0)),
            ty => rank::range(ty, self.world.labels(ty)),
        }
    }

    /// The line of that kind; made where there is none.
    pub(super) fn line(
        &mut self,
        kind: Kind,
        ty: Type,
        range: (i128, i128),
        optional: bool,
    ) -> (LineId, bool) {
        if let Some(id) = self.by_kind.get(&kind) {
            return (*id, false);
        }
        let line = Line::new(&mut self.gates, kind.clone(), ty, range, optional);
        (self.add(kind, line), true)
    }

    fn add(&mut self, kind: Kind, line: Line) -> LineId {
        let id = self.lines.len();
        self.lines.push(line);
        self.by_kind.insert(kind, id);
        id
    }

    /// A line of that kind, where there is one.
    pub(super) fn find(&self, kind: &Kind) -> Option<LineId> {
        self.by_kind.get(kind).copied()
    }

    /// Whether a line's value is known.
    pub(super) fn line_known(&self, line: LineId) -> Literal {
        self.lines.get(line).map_or(Literal::FALSE, |line| line.known)
    }

    /// Whether a line's value is known and at or past a rank.
    pub(super) fn line_at_least(&mut self, line: LineId, rank: i128) -> Literal {
        match self.lines.get_mut(line) {
            Some(line) => line.at_least(&mut self.gates, rank),
            None => Literal::FALSE,
        }
    }

    /// Whether a line's value is known and below a rank.
    pub(super) fn line_below(&mut self, line: LineId, rank: i128) -> Literal {
        let (known, reached) = (self.line_known(line), self.line_at_least(line, rank));
        self.gates.and([known, !reached])
    }

    /// Whether `a - b`, as ranks, is known and at least `rank`.
    pub(super) fn difference_at_least(&mut self, a: LineId, b: LineId, rank: i128) -> Literal {
        if a > b {
            let line = self.difference(b, a);
            return self.line_below(line, 1_i128.saturating_sub(rank));
        }
        let line = self.difference(a, b);
        self.line_at_least(line, rank)
    }

    /// The line of a difference of two lines, the first of which is the earlier.
    fn difference(&mut self, a: LineId, b: LineId) -> LineId {
        let kind = Kind::Difference(a, b);
        if let Some(id) = self.by_kind.get(&kind) {
            return *id;
        }
        let ends = |line: Option<&Line>| line.map_or((0, 0), |line| (line.low, line.high));
        let ((a_low, a_high), (b_low, b_high)) = (ends(self.lines.get(a)), ends(self.lines.get(b)));
        let known = [self.line_known(a), self.line_known(b)];
        let known = self.gates.and(known);
        let mut line = Line::new(
            &mut self.gates,
            kind.clone(),
            Type::Int,
            (a_low.saturating_sub(b_high), a_high.saturating_sub(b_low)),
            false,
        );
        line.known = known;
        self.add(kind, line)
    }

    /// Says that one line lies so far above another wherever both are known.
    pub(super) fn link(&mut self, above: LineId, below: LineId, by: i128) {
        self.links.push(Link { above, below, by });
    }

    /// Whether any lines have to do with each other.
    pub(super) fn has_differences(&self) -> bool {
        !self.links.is_empty() || self.lines.iter().any(|line| matches!(line.kind, Kind::Difference(..)))
    }

    /// Says that one of these always holds.
    pub(super) fn always(&mut self, literals: &[Literal]) {
        self.gates.solver.clause(literals);
    }
}

/// The conditions, and what their population values are made of: it says when those are known.
fn with_populations(world: &World<'_>, roots: &[NodeId]) -> Vec<NodeId> {
    let mut roots = roots.to_vec();
    loop {
        let more: Vec<NodeId> = world
            .cone(&roots)
            .into_iter()
            .filter_map(|id| match &world.program.node(id).expr {
                Expr::Population(of) => Some(of),
                _ => None,
            })
            .flat_map(|of| [Some(of.value), of.filter])
            .flatten()
            .filter(|id| !roots.contains(id))
            .collect();
        if more.is_empty() {
            return roots;
        }
        roots.extend(more);
    }
}
