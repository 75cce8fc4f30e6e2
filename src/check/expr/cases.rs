//! Conditional values: `case`, `points`, `or_else`.

use super::Checker;
use crate::diagnostic::Span;
use crate::program::written::Role;
use crate::program::{Expr, NodeId, Type, Value};
use crate::syntax::ast;

impl Checker {
    /// `case { when c then A … otherwise C }`.
    pub(super) fn case(
        &mut self,
        arms: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<NodeId> {
        let conditions: Vec<Option<NodeId>> =
            arms.iter().map(|(condition, _)| self.whole_condition(condition, Role::Case)).collect();
        let results: Vec<&ast::Expr> = arms.iter().map(|(_, value)| value).chain(otherwise).collect();
        let none = vec![None; results.len()];
        let values = self.together(&results, expected, &none)?;
        let conditions: Vec<NodeId> = conditions.into_iter().collect::<Option<_>>()?;
        let ty = values.first().map(|id| self.node(*id).ty.clone())?;
        let optional = otherwise.is_none() || values.iter().any(|id| self.node(*id).optional);
        let rest = otherwise.and_then(|_| values.last().copied());
        let arms = conditions.into_iter().zip(values).collect();
        Some(self.builder.node(Expr::Case { arms, otherwise: rest }, ty, optional, span))
    }

    /// `points { when A then 30  when B then -20 }`.
    pub(super) fn points(&mut self, arms: &[(ast::Expr, ast::Expr)], span: Span) -> Option<NodeId> {
        let arms: Vec<Option<(NodeId, i64)>> = arms
            .iter()
            .map(|(condition, points)| {
                let condition = self.whole_condition(condition, Role::Case);
                let points = self.constant(points, &Type::Int);
                match (condition, points) {
                    (Some(condition), Some(Value::Int(points))) => Some((condition, points)),
                    _ => None,
                }
            })
            .collect();
        let arms = arms.into_iter().collect::<Option<Vec<_>>>()?;
        // Only a sum beyond 64 bits is missing.
        let reach = arms.iter().try_fold(0_i64, |sum, (_, points)| sum.checked_add(points.checked_abs()?));
        Some(self.builder.node(Expr::Points(arms), Type::Int, reach.is_none(), span))
    }

    /// `x or_else y`.
    pub(super) fn or_else(
        &mut self,
        value: &ast::Expr,
        default: &ast::Expr,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<NodeId> {
        let ids = self.together(&[value, default], expected, &[None, None])?;
        let [value_id, default_id] = ids.as_slice() else { return None };
        let (ty, optional) = {
            let (value, default) = (self.node(*value_id), self.node(*default_id));
            (value.ty.clone(), value.optional && default.optional)
        };
        Some(self.builder.node(Expr::OrElse(*value_id, *default_id), ty, optional, span))
    }
}
