//! Time: windows, elapsed units, order of dates.

use super::numbers::is_moment;
use super::{Checker, literals, spell};
use crate::diagnostic::codes::time as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{CompareOp, Expr, NodeId, NumberFunction, Type, Unit, Value};
use crate::syntax::ast::{self, ExprKind};

impl Checker {
    /// A date or timestamp, for a rule that counts in `unit`: hours and minutes need a timestamp.
    pub(in crate::check) fn moment_of(&mut self, id: NodeId, e: &ast::Expr, unit: Unit) -> Option<NodeId> {
        let ty = self.node(id).ty.clone();
        if !is_moment(&ty) {
            self.not_a_moment(id, e);
            return None;
        }
        if ty == Type::Date && matches!(unit, Unit::Hours | Unit::Minutes) {
            self.report(
                Diagnostic::new(
                    codes::NEEDS_TIMESTAMP,
                    e.span,
                    format!(
                        "{} is a plain date and has no time of day to count {} from",
                        spell::expression(e),
                        spell::unit_name(unit)
                    ),
                )
                .help("count in `days`, or declare it as a `timestamp`"),
            );
            return None;
        }
        Some(id)
    }

    /// Reports a value that is no date or timestamp.
    fn not_a_moment(&mut self, id: NodeId, e: &ast::Expr) {
        let (ty, expr) = (self.node(id).ty.clone(), self.node(id).expr.clone());
        let finding = Diagnostic::new(
            codes::NEEDS_TIME,
            e.span,
            format!(
                "a date or timestamp is needed here, but {} is {}",
                spell::expression(e),
                self.a_type(&ty)
            ),
        );
        self.report(match (&ty, self.mend_for(&expr, &ty, &Type::Date)) {
            (Type::Int | Type::Float | Type::Decimal { .. }, _) => {
                finding.help("if the column holds dates, declare it as `date` or `timestamp`")
            }
            (_, Some(help)) => finding.help(help),
            _ => finding,
        });
    }

    /// The date of a date or timestamp: local in the program's zone.
    pub(in crate::check) fn local_date(&mut self, id: NodeId, span: Span) -> NodeId {
        let node = self.node(id);
        if node.ty == Type::Date {
            return id;
        }
        if matches!(node.expr, Expr::Now) {
            return self.today(span);
        }
        let optional = node.optional;
        self.builder.node(Expr::LocalDate(id), Type::Date, optional, span)
    }

    pub(in crate::check) fn now(&mut self, span: Span) -> NodeId {
        self.builder.node(Expr::Now, Type::Timestamp, false, span)
    }

    pub(in crate::check) fn today(&mut self, span: Span) -> NodeId {
        self.builder.node(Expr::Today, Type::Date, false, span)
    }

    /// `days since x`, `days until x`.
    pub(super) fn since(
        &mut self,
        unit: ast::Unit,
        kind: ast::SinceKind,
        value: &ast::Expr,
        span: Span,
    ) -> Option<NodeId> {
        let unit = Unit::from(unit);
        let id = self.value(value, None)?;
        let id = self.moment_of(id, value, unit)?;
        let (from, to) = match unit {
            Unit::Hours | Unit::Minutes => (id, self.now(span)),
            _ => (self.local_date(id, value.span), self.today(span)),
        };
        let optional = self.node(from).optional;
        let elapsed = self.builder.node(Expr::Elapsed { unit, from, to }, Type::Int, optional, span);
        Some(match kind {
            ast::SinceKind::Since => elapsed,
            ast::SinceKind::Until => self.builder.node(
                Expr::NumberFunction(NumberFunction::Negate, elapsed),
                Type::Int,
                optional,
                span,
            ),
        })
    }

    /// `days from x to y`.
    pub(super) fn between_moments(
        &mut self,
        unit: ast::Unit,
        from: &ast::Expr,
        to: &ast::Expr,
        span: Span,
    ) -> Option<NodeId> {
        let unit = Unit::from(unit);
        let (a, b) = (self.value(from, None), self.value(to, None));
        let a = a.and_then(|id| self.moment_of(id, from, unit));
        let b = b.and_then(|id| self.moment_of(id, to, unit));
        let (mut a, mut b) = (a?, b?);
        if !matches!(unit, Unit::Hours | Unit::Minutes) {
            a = self.local_date(a, from.span);
            b = self.local_date(b, to.span);
        }
        let optional = self.node(a).optional || self.node(b).optional;
        Some(self.builder.node(Expr::Elapsed { unit, from: a, to: b }, Type::Int, optional, span))
    }

    /// `x in last 30 days`, `anniversary of x in next 7 days`.
    ///
    /// A timestamp: `now - N < x <= now`, `now < x <= now + N`. A date (and an anniversary):
    /// `today - N < x <= today`, `today <= x < today + N`.
    pub(super) fn window(
        &mut self,
        value: &ast::Expr,
        anniversary: bool,
        direction: ast::WindowDirection,
        amount: &ast::Expr,
        unit: Unit,
        span: Span,
    ) -> Option<NodeId> {
        let value_id = self.value(value, None);
        let amount_id = self.window_length(amount);
        let mut value_id = self.moment_of(value_id?, value, if anniversary { Unit::Days } else { unit })?;
        if anniversary {
            if matches!(unit, Unit::Hours | Unit::Minutes) {
                self.report(
                    Diagnostic::new(
                        codes::NEEDS_TIMESTAMP,
                        amount.span,
                        format!("an anniversary is a day, so {} do not apply", spell::unit_name(unit)),
                    )
                    .help("count in `days`, `weeks` or `months`"),
                );
                return None;
            }
            value_id = self.local_date(value_id, value.span);
        }
        let amount_id = amount_id?;
        let dates = self.node(value_id).ty == Type::Date;
        let here = if dates { self.today(span) } else { self.now(span) };
        let last = direction == ast::WindowDirection::Last;
        let there = self.shift(here, amount_id, !last, unit, span)?;
        if anniversary {
            let (start, end) = if last {
                let one = self.constant_node(Value::Int(1), Type::Int, span);
                (
                    self.shift(there, one, true, Unit::Days, span)?,
                    self.shift(here, one, true, Unit::Days, span)?,
                )
            } else {
                (here, there)
            };
            return Some(self.condition_node(Expr::AnniversaryWithin { date: value_id, start, end }, span));
        }
        let bounds = match (last, dates) {
            (true, _) => [(CompareOp::Gt, there), (CompareOp::Le, here)],
            (false, false) => [(CompareOp::Gt, here), (CompareOp::Le, there)],
            (false, true) => [(CompareOp::Ge, here), (CompareOp::Lt, there)],
        };
        let parts =
            bounds.into_iter().map(|(op, bound)| self.compare_nodes(op, value_id, bound, span)).collect();
        Some(self.condition_node(Expr::And(parts), span))
    }

    /// A window's length: an int, and where it is written down a positive one.
    pub(super) fn window_length(&mut self, amount: &ast::Expr) -> Option<NodeId> {
        let literal = match &amount.kind {
            ExprKind::Number(number) => Some(*number),
            ExprKind::Negate(inner) => match &inner.kind {
                ExprKind::Number(number) => {
                    Some(ast::Number { unscaled: number.unscaled.saturating_neg(), scale: number.scale })
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(number) = literal.map(literals::trimmed)
            && (number.scale > 0 || number.unscaled <= 0 || number.unscaled > 1_000_000_000)
        {
            self.report(
                Diagnostic::new(
                    codes::BAD_WINDOW,
                    amount.span,
                    format!("a window cannot be `{}` long", spell::written(number)),
                )
                .help("write a whole number from 1 up; `last` looks back, `next` looks ahead"),
            );
            return None;
        }
        self.whole_amount(amount)
    }

    /// `x before y`, `x after y`: strictly.
    pub(super) fn order(
        &mut self,
        left: &ast::Expr,
        before: bool,
        right: &ast::Expr,
        span: Span,
    ) -> Option<NodeId> {
        let ids = self.together(&[left, right], None, &[None, None])?;
        let [a, b] = ids.as_slice() else { return None };
        if !is_moment(&self.node(*a).ty) && self.node(*a).ty != Type::Time {
            self.not_a_moment(*a, left);
            return None;
        }
        let op = if before { CompareOp::Lt } else { CompareOp::Gt };
        Some(self.compare_nodes(op, *a, *b, span))
    }
}
