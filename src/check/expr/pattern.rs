//! Grid patterns: each is a condition over its dimension's value.

use super::Checker;
use crate::diagnostic::codes::types as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Expr, NodeId, Type, Value};
use crate::syntax::ast::{self, PatternKind};

impl Checker {
    /// The condition that a pattern stands for. `_` holds for a missing value too, `missing` for
    /// nothing else, the others for known values.
    pub(crate) fn pattern(&mut self, dimension: NodeId, pattern: &ast::Pattern) -> Option<NodeId> {
        let span = pattern.span;
        match &pattern.kind {
            PatternKind::Anything => Some(self.constant_node(Value::Bool(true), Type::Bool, span)),
            PatternKind::Missing => {
                let known = self.condition_node(Expr::IsKnown(dimension), span);
                Some(self.condition_node(Expr::Not(known), span))
            }
            PatternKind::Value(e) => {
                let value = self.pattern_constant(dimension, e, Some(ast::CompareOp::Eq))?;
                self.comparison(ast::CompareOp::Eq, dimension, value, span, span)
            }
            PatternKind::Range(low, high) => {
                let low_id = self.pattern_constant(dimension, low, Some(ast::CompareOp::Ge));
                let high_id = self.pattern_constant(dimension, high, Some(ast::CompareOp::Le));
                self.range(dimension, low_id?, high_id?, span, span)
            }
            PatternKind::Bound(op, e) => {
                let value = self.pattern_constant(dimension, e, Some(*op))?;
                self.comparison(*op, dimension, value, span, span)
            }
            PatternKind::AnyOf(patterns) => self.any_pattern(dimension, patterns, span),
        }
    }

    /// `a | b`: labels and numbers together are one membership test.
    fn any_pattern(&mut self, dimension: NodeId, patterns: &[ast::Pattern], span: Span) -> Option<NodeId> {
        let mut items = Vec::new();
        let mut tests = Vec::new();
        let mut faulty = false;
        for pattern in patterns {
            let id = match &pattern.kind {
                PatternKind::Value(e) => {
                    let id = self.pattern_constant(dimension, e, Some(ast::CompareOp::Eq));
                    items.extend(id);
                    id
                }
                _ => {
                    let id = self.pattern(dimension, pattern);
                    tests.extend(id);
                    id
                }
            };
            faulty |= id.is_none();
        }
        if faulty {
            return None;
        }
        if !items.is_empty() {
            tests.insert(0, self.one_of(dimension, &items, span)?);
        }
        match tests.as_slice() {
            [] => None,
            [one] => Some(*one),
            _ => Some(self.condition_node(Expr::Or(tests), span)),
        }
    }

    /// A constant of the dimension's type.
    fn pattern_constant(
        &mut self,
        dimension: NodeId,
        e: &ast::Expr,
        comparison: Option<ast::CompareOp>,
    ) -> Option<NodeId> {
        let node = self.node(dimension);
        let ty = node.ty.clone();
        let id = match (&ty, &e.kind) {
            // A pattern is a label wherever its dimension has labels, whatever else bears the name.
            (Type::Label(label_type), ast::ExprKind::Name(name)) => {
                match self.label_code(*label_type, &name.text) {
                    Some(code) => return Some(self.constant_node(Value::Label(code), ty, e.span)),
                    None => {
                        self.unknown_label(*label_type, &name.text, e.span);
                        return None;
                    }
                }
            }
            (_, ast::ExprKind::Name(name)) => {
                self.report(
                    Diagnostic::new(
                        codes::NOT_A_LITERAL,
                        e.span,
                        format!("`{}` is not a fixed value, and this dimension is {}", name.text, self.a_type(&ty)),
                    )
                    .help("a pattern is a value, a range such as `18 to 24`, a bound such as `>= 25`, `missing` or `_`"),
                );
                return None;
            }
            _ => self.value(e, Some(&ty))?,
        };
        if self.node(id).ty == Type::Date && ty == Type::Timestamp {
            self.report(
                Diagnostic::new(
                    codes::TYPE_CLASH,
                    e.span,
                    "this dimension is a timestamp, and a pattern a whole day",
                )
                .help("make the dimension a date: `by date(…)`"),
            );
            return None;
        }
        let fits = super::literals::number_of(match &self.node(id).expr {
            Expr::Constant(value) => value,
            _ => &Value::Missing,
        });
        if let Some(number) = fits
            && matches!(ty, Type::Int | Type::Float | Type::Decimal { .. })
        {
            return match super::literals::constant_in(number, &ty) {
                Some(value) => Some(self.constant_node(value, ty, e.span)),
                None => {
                    self.does_not_fit(number, &ty, comparison, e.span);
                    None
                }
            };
        }
        self.coerce(id, &ty, e.span, "this dimension")
    }
}
