//! `days since x <= 30` as a date against a bound.
//!
//! The whole units elapsed from x to a fixed end fall as x grows, so that
//! `elapsed(x) >= n` holds just when `x <= B(n)`, with B(n) the latest x for which it does. Thus
//! `> n` is `x <= B(n + 1)`, `< n` is `x > B(n)`, `<= n` is `x > B(n + 1)` and `= n` is
//! `B(n + 1) < x <= B(n)`. A missing x makes every one of them false, as it does the comparison.

use super::Checker;
use crate::diagnostic::Span;
use crate::program::{CompareOp, Expr, NodeId, NumberFunction, Type, Unit, Value};

impl Checker {
    /// The lowered comparison, where the left side counts units since a column's date and the right
    /// side is a constant that stays within the calendar; else nothing.
    pub(super) fn elapsed_comparison(
        &mut self,
        op: CompareOp,
        left: NodeId,
        right: NodeId,
        span: Span,
    ) -> Option<NodeId> {
        let Expr::Constant(Value::Int(constant)) = self.node(right).expr else { return None };
        let (op, elapsed, constant) = match &self.node(left).expr {
            // `days until x` is the negation of `days since x`.
            Expr::NumberFunction(NumberFunction::Negate, inner) => {
                (super::compare::flipped(op), *inner, constant.checked_neg()?)
            }
            _ => (op, left, constant),
        };
        let Expr::Elapsed { unit, from, to } = self.node(elapsed).expr else { return None };
        if !matches!(self.node(to).expr, Expr::Now | Expr::Today) || constant.abs() >= most(unit) {
            return None;
        }
        let mut bound = |at_least: i64| {
            let ty = match unit {
                Unit::Hours | Unit::Minutes => Type::Timestamp,
                _ => Type::Date,
            };
            self.builder.node(Expr::ElapsedBound { unit, at_least, to }, ty, false, span)
        };
        let (at, after) = (bound(constant), bound(constant + 1));
        let mut compare = |op, right| self.condition_node(Expr::Compare { op, left: from, right }, span);
        Some(match op {
            CompareOp::Ge => compare(CompareOp::Le, at),
            CompareOp::Gt => compare(CompareOp::Le, after),
            CompareOp::Lt => compare(CompareOp::Gt, at),
            CompareOp::Le => compare(CompareOp::Gt, after),
            CompareOp::Eq => {
                let (low, high) = (compare(CompareOp::Gt, after), compare(CompareOp::Le, at));
                self.condition_node(Expr::And(vec![low, high]), span)
            }
        })
    }
}

/// So many units keep any bound within the calendar (some 1,500 years either way).
fn most(unit: Unit) -> i64 {
    let days = 550_000;
    match unit {
        Unit::Minutes => days * 24 * 60,
        Unit::Hours => days * 24,
        Unit::Days => days,
        Unit::Weeks => days / 7,
        Unit::Months => days / 31,
        Unit::Years => days / 366,
    }
}
