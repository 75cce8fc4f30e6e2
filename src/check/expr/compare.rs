//! Comparisons: chains, `between`, `in`. `!=` is a negated `=`, a constant stands on the right,
//! `days since x` against a number becomes a date against a bound.

use super::{Checker, spell};
use crate::diagnostic::codes::types as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{CompareOp, Expr, NodeId, Type, Value};
use crate::syntax::ast;

impl Checker {
    /// `a < b <= c`.
    pub(super) fn chain(
        &mut self,
        first: &ast::Expr,
        rest: &[(ast::CompareOp, Span, ast::Expr)],
        span: Span,
    ) -> Option<NodeId> {
        let operands: Vec<&ast::Expr> =
            std::iter::once(first).chain(rest.iter().map(|(_, _, e)| e)).collect();
        // A number that does not fit is mended by the operator beside it, read from the other side.
        let mut comparisons: Vec<Option<ast::CompareOp>> = vec![rest.first().map(|(op, _, _)| mirrored(*op))];
        comparisons.extend(rest.iter().map(|(op, _, _)| Some(*op)));
        let ids = self.together(&operands, None, &comparisons)?;
        let mut links = Vec::with_capacity(rest.len());
        let mut faulty = false;
        for ((op, at, right), pair) in rest.iter().zip(ids.windows(2)) {
            let [left_id, right_id] = pair else { continue };
            match self.comparison(*op, *left_id, *right_id, *at, first.span.to(right.span)) {
                Some(id) => links.push(id),
                None => faulty = true,
            }
        }
        if faulty {
            return None;
        }
        match links.as_slice() {
            [one] => Some(*one),
            _ => Some(self.condition_node(Expr::And(links), span)),
        }
    }

    /// One comparison of two values of one type. `at` is the operator's place.
    pub(super) fn comparison(
        &mut self,
        op: ast::CompareOp,
        left: NodeId,
        right: NodeId,
        at: Span,
        span: Span,
    ) -> Option<NodeId> {
        let ty = self.node(left).ty.clone();
        if !matches!(op, ast::CompareOp::Eq | ast::CompareOp::Ne) && !self.is_ordered(&ty) {
            self.no_order(&ty, at);
            return None;
        }
        if matches!(ty, Type::List(_)) {
            self.report(
                Diagnostic::new(codes::WRONG_TYPE, at, "a list is not compared as a whole")
                    .help("ask for its items: `has \"vip\"`, `has any (…)`, `has all (…)`, `size(…) = 3`"),
            );
            return None;
        }
        let op = match op {
            ast::CompareOp::Eq => CompareOp::Eq,
            ast::CompareOp::Lt => CompareOp::Lt,
            ast::CompareOp::Le => CompareOp::Le,
            ast::CompareOp::Gt => CompareOp::Gt,
            ast::CompareOp::Ge => CompareOp::Ge,
            ast::CompareOp::Ne => {
                let equal = self.compare_nodes(CompareOp::Eq, left, right, span);
                return Some(self.condition_node(Expr::Not(equal), span));
            }
        };
        Some(self.compare_nodes(op, left, right, span))
    }

    /// The node of a comparison, in its normal form.
    pub(crate) fn compare_nodes(&mut self, op: CompareOp, left: NodeId, right: NodeId, span: Span) -> NodeId {
        let is_constant = |checker: &Checker, id: NodeId| {
            matches!(checker.node(id).expr, Expr::Constant(_) | Expr::Now | Expr::Today)
        };
        let (op, left, right) = if is_constant(self, left) && !is_constant(self, right) {
            (flipped(op), right, left)
        } else {
            (op, left, right)
        };
        if let Some(id) = self.elapsed_comparison(op, left, right, span) {
            return id;
        }
        self.condition_node(Expr::Compare { op, left, right }, span)
    }

    /// Whether `<` has a meaning.
    fn is_ordered(&self, ty: &Type) -> bool {
        match ty {
            Type::Int | Type::Float | Type::Decimal { .. } | Type::Date | Type::Timestamp | Type::Time => {
                true
            }
            Type::Label(ty) => self.types.get(ty.0 as usize).is_some_and(|ty| ty.ordered),
            Type::Bool | Type::Text | Type::List(_) => false,
        }
    }

    /// Reports an order where there is none.
    fn no_order(&mut self, ty: &Type, at: Span) {
        let (message, help) = match ty {
            Type::Label(id) => {
                let labels = self.types.get(id.0 as usize).map(|ty| ty.labels.clone()).unwrap_or_default();
                let order = labels.iter().map(|label| spell::label(label)).collect::<Vec<_>>().join(" < ");
                (
                    format!(
                        "the labels of `{}` have no order, so only `=`, `!=` and `in` work",
                        self.type_name(ty)
                    ),
                    format!("if they have one, declare it: `{order}`"),
                )
            }
            Type::Text => (
                "texts have no order, so only `=`, `!=` and `in` work".to_owned(),
                "compare a number or a date; a column of numbers or dates is declared as one".to_owned(),
            ),
            Type::List(_) => (
                "lists have no order".to_owned(),
                "ask for its items with `has`, or compare its `size(…)`".to_owned(),
            ),
            _ => (
                "yes/no values have no order, so only `=` and `!=` work".to_owned(),
                "write the condition itself, or `not` before it".to_owned(),
            ),
        };
        self.report(Diagnostic::new(codes::NO_ORDER, at, message).help(help));
    }

    /// `x between a and b`, both ends in. Times of day wrap past midnight.
    pub(super) fn between(
        &mut self,
        value: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        span: Span,
    ) -> Option<NodeId> {
        let comparisons = [None, Some(ast::CompareOp::Ge), Some(ast::CompareOp::Le)];
        let ids = self.together(&[value, low, high], None, &comparisons)?;
        let [value_id, low_id, high_id] = ids.as_slice() else { return None };
        self.range(*value_id, *low_id, *high_id, low.span.to(high.span), span)
    }

    /// The condition of a range over values of one type.
    pub(super) fn range(
        &mut self,
        value: NodeId,
        low: NodeId,
        high: NodeId,
        at: Span,
        span: Span,
    ) -> Option<NodeId> {
        let from = self.comparison(ast::CompareOp::Ge, value, low, at, span)?;
        let to = self.comparison(ast::CompareOp::Le, value, high, at, span)?;
        if self.node(value).ty != Type::Time {
            return Some(self.condition_node(Expr::And(vec![from, to]), span));
        }
        let constants = (&self.node(low).expr, &self.node(high).expr);
        if let (Expr::Constant(Value::Time(low)), Expr::Constant(Value::Time(high))) = constants {
            let expr = if low <= high { Expr::And(vec![from, to]) } else { Expr::Or(vec![from, to]) };
            return Some(self.condition_node(expr, span));
        }
        let upright = self.compare_nodes(CompareOp::Le, low, high, span);
        let wrapped = self.compare_nodes(CompareOp::Gt, low, high, span);
        let inside = self.condition_node(Expr::And(vec![upright, from, to]), span);
        let outside = self.condition_node(Expr::Or(vec![from, to]), span);
        let around = self.condition_node(Expr::And(vec![wrapped, outside]), span);
        Some(self.condition_node(Expr::Or(vec![inside, around]), span))
    }

    /// `x in (a, b, c)`.
    pub(super) fn membership(
        &mut self,
        value: &ast::Expr,
        items: &[ast::Expr],
        span: Span,
    ) -> Option<NodeId> {
        let operands: Vec<&ast::Expr> = std::iter::once(value).chain(items).collect();
        let mut comparisons = vec![None];
        comparisons.resize(operands.len(), Some(ast::CompareOp::Eq));
        let ids = self.together(&operands, None, &comparisons)?;
        let (value_id, item_ids) = ids.split_first()?;
        if let Type::List(_) = self.node(*value_id).ty {
            self.report(
                Diagnostic::new(
                    codes::WRONG_TYPE,
                    value.span,
                    format!("{} is a list", spell::expression(value)),
                )
                .help("write `has any (…)` to ask for its items"),
            );
            return None;
        }
        self.one_of(*value_id, item_ids, span)
    }

    /// The condition that a value equals one of others of its type.
    pub(super) fn one_of(&mut self, value: NodeId, items: &[NodeId], span: Span) -> Option<NodeId> {
        let mut set = Vec::new();
        let mut tests = Vec::new();
        for item in items {
            match &self.node(*item).expr {
                Expr::Constant(constant) => set.push(constant.clone()),
                _ => {
                    let test = self.compare_nodes(CompareOp::Eq, value, *item, span);
                    tests.push(test);
                }
            }
        }
        if let [one] = set.as_slice() {
            let ty = self.node(value).ty.clone();
            let constant = self.constant_node(one.clone(), ty, span);
            tests.insert(0, self.compare_nodes(CompareOp::Eq, value, constant, span));
        } else if !set.is_empty() {
            sort_constants(&mut set);
            tests.insert(0, self.condition_node(Expr::InSet { value, set }, span));
        }
        match tests.as_slice() {
            [] => None,
            [one] => Some(*one),
            _ => Some(self.condition_node(Expr::Or(tests), span)),
        }
    }
}

/// Sorts constants of one type, without repeats.
pub(super) fn sort_constants(set: &mut Vec<Value>) {
    set.sort_by(|a, b| match (a, b) {
        (Value::Int(a), Value::Int(b))
        | (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.unscaled.cmp(&b.unscaled),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Label(a), Value::Label(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    });
    set.dedup();
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

/// Likewise for the written operators.
fn mirrored(op: ast::CompareOp) -> ast::CompareOp {
    match op {
        ast::CompareOp::Lt => ast::CompareOp::Gt,
        ast::CompareOp::Le => ast::CompareOp::Ge,
        ast::CompareOp::Gt => ast::CompareOp::Lt,
        ast::CompareOp::Ge => ast::CompareOp::Le,
        same => same,
    }
}
