//! Values by where they lie: whether one is known, whether it is at or past a rank. Conditional
//! values, defaults, smallest and largest, points and fixed scores are taken apart; sums and
//! differences of attributes become differences of lines; functions that only rise or only fall are
//! read backwards; the rest is computed and held against an example afterwards.

use super::group::Group;
use super::line::{Kind, LineId};
use super::solver::{Literal, Sat};
use crate::program::{CompareOp, DatePart, Expr, NodeId, NumberFunction, Type, Value};
use std::sync::Arc;

impl Group<'_> {
    /// Whether a value is known.
    pub fn known(&mut self, id: NodeId) -> Literal {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        self.depth += 1;
        let literal = self.find_known(id);
        self.depth -= 1;
        self.known.insert(id, literal);
        literal
    }

    /// Whether a value is known and at or past a rank of its type.
    pub fn at_least(&mut self, id: NodeId, rank: i128) -> Literal {
        if let Some(known) = self.reached.get(&(id, rank)) {
            return *known;
        }
        self.depth += 1;
        let literal = self.find_at_least(id, rank);
        self.depth -= 1;
        self.reached.insert((id, rank), literal);
        literal
    }

    fn find_known(&mut self, id: NodeId) -> Literal {
        let node = self.world.program.node(id);
        if node.expr.is_condition() {
            return Literal::constant(!matches!(node.expr, Expr::Constant(Value::Missing)));
        }
        if let Some(constant) = self.world.constant(id) {
            return Literal::constant(!constant.is_missing());
        }
        if let Some(parts) = self.parts(id) {
            let mut cases = Vec::with_capacity(parts.len());
            for (chosen, value) in parts {
                let known = value.map_or(Literal::FALSE, |value| self.known(value));
                cases.push(self.gates.and([chosen, known]));
            }
            return self.gates.or(cases);
        }
        match &node.expr {
            Expr::Least(parts) | Expr::Greatest(parts) if !self.too_deep() => {
                let known: Vec<Literal> = parts.iter().map(|part| self.known(*part)).collect();
                self.gates.and(known)
            }
            Expr::Points(_) if !node.optional => Literal::TRUE,
            Expr::Score { value, .. } if !self.world.is_given(&node.expr) && !self.too_deep() => {
                self.known(*value)
            }
            _ => match self.reading(id) {
                Some(reading) => self.reading_known(reading),
                None => {
                    let line = self.leaf(id);
                    self.line_known(line)
                }
            },
        }
    }

    fn find_at_least(&mut self, id: NodeId, rank: i128) -> Literal {
        let node = self.world.program.node(id);
        if let Some(constant) = self.world.constant(id) {
            return Literal::constant(self.rank(constant).is_some_and(|own| own >= rank));
        }
        if node.expr.is_condition() {
            return match rank {
                ..=0 => Literal::TRUE,
                1 => self.condition(id),
                _ => Literal::FALSE,
            };
        }
        if let Some(parts) = self.parts(id) {
            let mut cases = Vec::with_capacity(parts.len());
            for (chosen, value) in parts {
                let reached = value.map_or(Literal::FALSE, |value| self.at_least(value, rank));
                cases.push(self.gates.and([chosen, reached]));
            }
            return self.gates.or(cases);
        }
        match &node.expr {
            Expr::Least(parts) if !self.too_deep() => {
                let reached: Vec<Literal> = parts.iter().map(|part| self.at_least(*part, rank)).collect();
                self.gates.and(reached)
            }
            Expr::Greatest(parts) if !self.too_deep() => {
                let reached: Vec<Literal> = parts.iter().map(|part| self.at_least(*part, rank)).collect();
                let (one, known) = (self.gates.or(reached), self.known(id));
                self.gates.and([one, known])
            }
            Expr::Points(arms) if !node.optional => self.points_at_least(id, arms, rank),
            Expr::Score { value, cuts, lowest_is_best } if !self.world.is_given(&node.expr) => {
                self.score_at_least(*value, cuts, *lowest_is_best, rank)
            }
            _ => match self.reading(id) {
                Some(reading) => self.reading_at_least(id, reading, rank),
                None => {
                    let line = self.leaf(id);
                    self.line_at_least(line, rank)
                }
            },
        }
    }

    /// The values that a conditional one may take, each with when it does; `None` for missing.
    pub(super) fn parts(&mut self, id: NodeId) -> Option<Vec<(Literal, Option<NodeId>)>> {
        if self.too_deep() {
            return None;
        }
        match &self.world.program.node(id).expr {
            Expr::Case { arms, otherwise } => {
                let chosen = self.selections(id, arms);
                let mut parts: Vec<(Literal, Option<NodeId>)> =
                    chosen.iter().copied().zip(arms.iter().map(|(_, value)| Some(*value))).collect();
                parts.extend(chosen.last().map(|rest| (*rest, *otherwise)));
                Some(parts)
            }
            Expr::OrElse(value, default) => {
                let known = self.known(*value);
                Some(vec![(known, Some(*value)), (!known, Some(*default))])
            }
            _ => None,
        }
    }

    /// By arm: whether it is the first whose condition holds; at the end whether none is.
    fn selections(&mut self, id: NodeId, arms: &[(NodeId, NodeId)]) -> Arc<[Literal]> {
        if let Some(known) = self.selections.get(&id) {
            return known.clone();
        }
        let mut rest = Literal::TRUE;
        let mut chosen = Vec::with_capacity(arms.len() + 1);
        for (condition, _) in arms {
            let holds = self.condition(*condition);
            chosen.push(self.gates.and([rest, holds]));
            rest = self.gates.and([rest, !holds]);
        }
        chosen.push(rest);
        let chosen: Arc<[Literal]> = chosen.into();
        self.selections.insert(id, chosen.clone());
        chosen
    }

    /// Points as a decision over their conditions, each sum that is left to reach once.
    fn points_at_least(&mut self, id: NodeId, arms: &[(NodeId, i64)], rank: i128) -> Literal {
        const MOST_SUMS: usize = 20_000;
        // By how many arms are left, least and most that they can add.
        let mut reach = vec![(0_i128, 0_i128)];
        for (_, points) in arms.iter().rev() {
            let (least, most) = reach.last().copied().unwrap_or_default();
            let points = i128::from(*points);
            reach.push((least + points.min(0), most + points.max(0)));
        }
        reach.reverse();
        // What is still to be reached, layer by layer; then back.
        let mut layers: Vec<Vec<i128>> = vec![vec![rank]];
        let mut sums = 0;
        for (at, (_, points)) in arms.iter().enumerate() {
            let (least, most) = reach.get(at + 1).copied().unwrap_or_default();
            let mut next: Vec<i128> = layers
                .last()
                .into_iter()
                .flatten()
                .flat_map(|left| [*left, *left - i128::from(*points)])
                .map(|left| left.clamp(least, most + 1))
                .collect();
            next.sort_unstable();
            next.dedup();
            sums += next.len();
            if sums > MOST_SUMS {
                let line = self.leaf(id);
                return self.line_at_least(line, rank);
            }
            layers.push(next);
        }
        let mut below: Vec<(i128, Literal)> =
            layers.last().into_iter().flatten().map(|left| (*left, Literal::constant(*left <= 0))).collect();
        for (at, (condition, points)) in arms.iter().enumerate().rev() {
            let condition = self.condition(*condition);
            let (least, most) = reach.get(at + 1).copied().unwrap_or_default();
            let find = |left: i128| {
                let left = left.clamp(least, most + 1);
                below.binary_search_by_key(&left, |(left, _)| *left).ok().and_then(|at| below.get(at))
            };
            let literal = |left: i128| find(left).map_or(Literal::FALSE, |(_, literal)| *literal);
            let layer: Vec<(i128, Literal, Literal)> = layers
                .get(at)
                .into_iter()
                .flatten()
                .map(|left| (*left, literal(*left - i128::from(*points)), literal(*left)))
                .collect();
            below = layer
                .into_iter()
                .map(|(left, with, without)| (left, self.gates.choose(condition, with, without)))
                .collect();
        }
        below.first().map_or(Literal::FALSE, |(_, literal)| *literal)
    }

    /// A score against fixed cuts.
    fn score_at_least(
        &mut self,
        value: NodeId,
        cuts: &[NodeId],
        lowest_is_best: bool,
        rank: i128,
    ) -> Literal {
        let levels = i128::try_from(cuts.len()).unwrap_or(0) + 1;
        if rank <= 1 {
            return self.known(value);
        }
        if rank > levels {
            return Literal::FALSE;
        }
        // Of ascending cuts, a value is above at least k just where it is above the k-th.
        let k = if lowest_is_best { levels + 1 - rank } else { rank - 1 };
        let cut = usize::try_from(k - 1).ok().and_then(|at| cuts.get(at)).copied();
        let Some(constant) = cut.and_then(|cut| self.world.constant(cut)) else { return Literal::FALSE };
        let above = self.compare_constant(CompareOp::Gt, value, constant);
        if lowest_is_best {
            let known = self.known(value);
            self.gates.and([known, !above])
        } else {
            above
        }
    }

    /// A comparison with a constant of the value's type.
    pub(super) fn compare_constant(&mut self, op: CompareOp, value: NodeId, constant: &Value) -> Literal {
        if constant.is_missing() {
            return Literal::FALSE;
        }
        let ty = self.world.program.node(value).ty.clone();
        let rank = self.rank_as(&ty, constant).filter(|_| self.tells_apart(constant));
        let Some(rank) = rank else {
            // Nothing is known of such a comparison, so it is left open.
            return self.gates.solver.variable();
        };
        match op {
            CompareOp::Ge => self.at_least(value, rank),
            CompareOp::Gt => self.at_least(value, rank + 1),
            CompareOp::Eq => self.within(value, rank, rank),
            CompareOp::Lt | CompareOp::Le => {
                let past = if op == CompareOp::Lt { rank } else { rank + 1 };
                let (known, reached) = (self.known(value), self.at_least(value, past));
                self.gates.and([known, !reached])
            }
        }
    }

    /// A constant's rank in a type: decimals at its scale.
    fn rank_as(&self, ty: &Type, constant: &Value) -> Option<i128> {
        match (ty, constant) {
            (_, Value::Missing) => None,
            (Type::Decimal { scale, .. }, _) => {
                crate::semantics::numbers::to_decimal(constant, *scale).map(|decimal| decimal.unscaled)
            }
            _ => self.rank(constant),
        }
    }

    /// The line of a node that is not taken apart.
    pub(super) fn leaf(&mut self, id: NodeId) -> LineId {
        let node = self.world.program.node(id);
        if let Some(line) = self.list_line(id) {
            return line;
        }
        let column = self.world.column(id);
        let range = match (&node.ty, column) {
            (Type::Text, _) => self.range(&Type::Text),
            (_, Some(column)) => self.world.column_range(column),
            _ => self.computed_range(id),
        };
        let given = self.world.is_given(&node.expr);
        // An overflow gives a missing value that no type reckons with.
        let optional = match column {
            Some(column) if given => column.optional,
            _ => !given || node.optional,
        };
        if let Expr::ListSize(list) = node.expr
            && self.list_line(list).is_some()
        {
            return self.size_line(list);
        }
        let new = self.find(&Kind::Given(id)).is_none();
        let line = self.computed_line(id, node.ty.clone(), range, optional);
        if new && given {
            self.relate(id, line);
        }
        line
    }

    /// The line of a given list: one cell, or missing.
    pub(super) fn list_line(&mut self, id: NodeId) -> Option<LineId> {
        let node = self.world.program.node(id);
        let column = self.world.column(id)?;
        (matches!(node.ty, Type::List(_)) && self.world.is_given(&node.expr))
            .then(|| self.line(Kind::Given(id), node.ty.clone(), (0, 0), column.optional).0)
    }

    /// The line of how many items a given list has.
    fn size_line(&mut self, list: NodeId) -> LineId {
        let range = (0, i128::from(i32::MAX));
        let (line, new) = self.line(Kind::Size(list), Type::Int, range, true);
        if new {
            let (known, size) = (self.known(list), self.line_known(line));
            self.always(&[!known, size]);
            self.always(&[known, !size]);
        }
        line
    }

    /// The ranks that a computed value can have.
    fn computed_range(&self, id: NodeId) -> (i128, i128) {
        let node = self.world.program.node(id);
        let (low, high) = self.range(&node.ty);
        match &node.expr {
            Expr::DatePart(DatePart::Month, _) => (1, 12),
            Expr::DatePart(DatePart::Quarter, _) => (1, 4),
            Expr::DatePart(DatePart::Day, _) => (1, 31),
            Expr::Hour(_) => (0, 23),
            Expr::TextLength(_) | Expr::ListSize(_) => (0, high),
            Expr::NumberFunction(NumberFunction::Abs | NumberFunction::Sqrt, _) => (0, high),
            Expr::Score { cuts, .. } => (1, i128::try_from(cuts.len()).unwrap_or(0) + 1),
            Expr::Aggregate(of) => self.aggregate_range(of, &node.ty),
            _ => (low, high),
        }
    }
}

/// The comparison as read from the other side.
pub(super) fn flipped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}
