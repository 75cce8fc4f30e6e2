//! Conditions as literals.

use super::group::Group;
use super::line::{Kind, LineId};
use super::solver::Literal;
use crate::program::{CompareOp, Expr, NodeId, Quantifier, Type, Value};
use crate::semantics::{apply, compare};

/// Deeper than this a value is not taken apart.
const DEEPEST: usize = 2_000;

impl Group<'_> {
    /// The literal that is true just when a condition holds.
    pub fn condition(&mut self, id: NodeId) -> Literal {
        if let Some(known) = self.conditions.get(&id) {
            return *known;
        }
        let literal = self.lowered(id);
        self.conditions.insert(id, literal);
        literal
    }

    fn lowered(&mut self, id: NodeId) -> Literal {
        let node = self.world.program.node(id);
        match &node.expr {
            Expr::Constant(value) => Literal::constant(value.is_true()),
            Expr::And(parts) => {
                let parts: Vec<Literal> = parts.iter().map(|part| self.condition(*part)).collect();
                self.gates.and(parts)
            }
            Expr::Or(parts) => {
                let parts: Vec<Literal> = parts.iter().map(|part| self.condition(*part)).collect();
                self.gates.or(parts)
            }
            Expr::Not(inner) => !self.condition(*inner),
            Expr::CountOf { quantifier, count, conditions } => {
                self.count_of(*quantifier, *count as usize, conditions)
            }
            Expr::IsTrue(value) => self.at_least(*value, 1),
            Expr::IsKnown(value) => self.known(*value),
            Expr::Compare { op, left, right } => self.compare(id, *op, *left, *right),
            Expr::InSet { value, set } => self.one_of(*value, set),
            Expr::TextTest { text, pattern, .. } if self.world.constant(*pattern).is_some() => {
                self.text_test(id, *text)
            }
            Expr::Matches { text, .. } => self.text_test(id, *text),
            Expr::Has { list, item } => self.has(id, *list, *item),
            _ => self.computed_condition(id),
        }
    }

    fn count_of(&mut self, quantifier: Quantifier, count: usize, conditions: &[NodeId]) -> Literal {
        let parts: Vec<Literal> = conditions.iter().map(|part| self.condition(*part)).collect();
        let most = count.saturating_add(1).min(parts.len());
        let counts = self.gates.counts(&parts, most);
        let at_least = |count: usize| match count.checked_sub(1) {
            None => Literal::TRUE,
            Some(at) => counts.get(at).copied().unwrap_or(Literal::FALSE),
        };
        let (enough, too_many) = (at_least(count), at_least(count.saturating_add(1)));
        match quantifier {
            Quantifier::AtLeast => enough,
            Quantifier::AtMost => !too_many,
            Quantifier::Exactly => self.gates.and([enough, !too_many]),
        }
    }

    /// Whether a value is known and its rank lies within these, both in.
    pub(super) fn within(&mut self, id: NodeId, low: i128, high: i128) -> Literal {
        let (from, past) = (self.at_least(id, low), self.at_least(id, high + 1));
        self.gates.and([from, !past])
    }

    fn one_of(&mut self, value: NodeId, set: &[Value]) -> Literal {
        let mut ranks: Vec<i128> = set.iter().filter_map(|item| self.rank(item)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let mut runs: Vec<(i128, i128)> = Vec::new();
        for rank in ranks {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == rank => *last = rank,
                _ => runs.push((rank, rank)),
            }
        }
        let parts: Vec<Literal> = runs.into_iter().map(|(low, high)| self.within(value, low, high)).collect();
        self.gates.or(parts)
    }

    /// A comparison; the node is its own where nothing better is known of it.
    fn compare(&mut self, id: NodeId, op: CompareOp, left: NodeId, right: NodeId) -> Literal {
        if let Some(constant) = self.world.constant(right) {
            return self.compare_constant(op, left, constant);
        }
        if let Some(constant) = self.world.constant(left) {
            return self.compare_constant(super::values::flipped(op), right, constant);
        }
        self.depth += 1;
        let literal = self.compare_values(id, op, left, right);
        self.depth -= 1;
        literal
    }

    fn compare_values(&mut self, id: NodeId, op: CompareOp, left: NodeId, right: NodeId) -> Literal {
        for (inner, turned) in [(left, false), (right, true)] {
            let Some(parts) = self.parts(inner) else { continue };
            let (op, other) = if turned { (super::values::flipped(op), left) } else { (op, right) };
            // One case for each of the values that it may take.
            let mut cases = Vec::with_capacity(parts.len());
            for (chosen, value) in parts {
                let holds = match value {
                    None => Some(Literal::FALSE),
                    Some(value) => self.compare_part(op, value, other),
                };
                match holds {
                    Some(holds) => cases.push(self.gates.and([chosen, holds])),
                    None => return self.computed_condition(id),
                }
            }
            return self.gates.or(cases);
        }
        match self.compare_lines(op, left, right) {
            Some(literal) => literal,
            None if self.world.program.node(left).ty == Type::Text => self.same_text(id, left, right),
            None => self.computed_condition(id),
        }
    }

    /// A comparison that is no node of its own.
    fn compare_part(&mut self, op: CompareOp, left: NodeId, right: NodeId) -> Option<Literal> {
        match (self.world.constant(left), self.world.constant(right)) {
            (Some(a), Some(b)) => Some(Literal::constant(compare::holds(op, a, b))),
            (None, Some(b)) => Some(self.compare_constant(op, left, b)),
            (Some(a), None) => Some(self.compare_constant(super::values::flipped(op), right, a)),
            (None, None) => self.compare_lines(op, left, right),
        }
    }

    /// Whether two texts are equal: of those that rules name it is decided here.
    fn same_text(&mut self, id: NodeId, left: NodeId, right: NodeId) -> Literal {
        let holds = self.computed_condition(id);
        let (a, b) = (self.known(left), self.known(right));
        self.always(&[!holds, a]);
        self.always(&[!holds, b]);
        for at in 0..self.texts.len() {
            let Ok(rank) = i128::try_from(at) else { continue };
            let (a, b) = (self.within(left, rank, rank), self.within(right, rank, rank));
            self.always(&[!a, !b, holds]);
            self.always(&[!holds, !a, b]);
            self.always(&[!holds, !b, a]);
        }
        holds
    }

    /// A value of which rules tell the outcome for each of the texts that they name: on those it is
    /// decided here, on others it stays open.
    fn text_test(&mut self, id: NodeId, text: NodeId) -> Literal {
        if let Some(constant) = self.world.constant(text) {
            return Literal::constant(self.outcome(id, constant));
        }
        let line = self.computed_line(id, Type::Bool, (0, 1), false);
        let holds = self.line_at_least(line, 1);
        let known = self.known(text);
        self.always(&[known, !holds]);
        for (at, constant) in self.texts.clone().into_iter().enumerate() {
            let Ok(rank) = i128::try_from(at) else { continue };
            let outcome = self.outcome(id, &Value::Text(constant));
            let is = self.within(text, rank, rank);
            self.always(&[!is, if outcome { holds } else { !holds }]);
        }
        holds
    }

    /// What a text test gives for a text.
    fn outcome(&self, id: NodeId, text: &Value) -> bool {
        let node = self.world.program.node(id);
        let mut operands = vec![text.clone()];
        if let Expr::TextTest { pattern, .. } = &node.expr {
            operands.extend(self.world.constant(*pattern).cloned());
        }
        apply(node, &operands, &self.world.environment()).is_true()
    }

    fn has(&mut self, id: NodeId, list: NodeId, item: NodeId) -> Literal {
        match (self.world.constant(item), self.list_line(list)) {
            (Some(item), Some(_)) => self.item(list, item.clone()),
            _ => self.computed_condition(id),
        }
    }

    /// Whether a given list has an item.
    fn item(&mut self, list: NodeId, item: Value) -> Literal {
        let (line, new) = self.line(Kind::Item(list, item), Type::Bool, (0, 1), false);
        let holds = self.line_at_least(line, 1);
        if new {
            let known = self.known(list);
            self.always(&[!holds, known]);
        }
        holds
    }

    /// A condition that cells do not follow.
    pub(super) fn computed_condition(&mut self, id: NodeId) -> Literal {
        let line = self.computed_line(id, Type::Bool, (0, 1), false);
        self.line_at_least(line, 1)
    }

    /// The line of a node that is given, not knowable, or computed from others.
    pub(super) fn computed_line(
        &mut self,
        id: NodeId,
        ty: Type,
        range: (i128, i128),
        optional: bool,
    ) -> LineId {
        let expr = &self.world.program.node(id).expr;
        let kind = if self.world.is_unknowable(expr) {
            Kind::Unknowable(id)
        } else if self.world.is_given(expr) {
            Kind::Given(id)
        } else {
            Kind::Computed(id)
        };
        let computed = matches!(kind, Kind::Computed(_));
        let (line, new) = self.line(kind, ty, range, optional);
        if new && computed {
            self.with_inputs(id);
        }
        line
    }

    /// The given values that a computed one needs have lines too, so that an example has values for them.
    fn with_inputs(&mut self, id: NodeId) {
        for input in self.world.cone(&[id]) {
            let node = self.world.program.node(input);
            let conditional = node.expr.is_condition();
            if self.world.is_given(&node.expr) || self.world.is_unknowable(&node.expr) {
                if conditional {
                    self.condition(input);
                } else if input != id {
                    self.leaf(input);
                }
            }
        }
    }

    /// Whether a value is to be taken apart no further.
    pub(super) fn too_deep(&self) -> bool {
        self.depth > DEEPEST
    }
}
