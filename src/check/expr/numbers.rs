//! Arithmetic. Ints stay int, int and decimal stay exact, with a float all is float; `/` is float.

use super::unify::exact_size;
use super::{Checker, literals, spell};
use crate::diagnostic::codes::{time as time_codes, types as codes};
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{ArithmeticOp, Expr, NodeId, NumberFunction, Type, Value};
use crate::syntax::ast::{self, ExprKind};

impl Checker {
    /// `-x`; of a literal a literal.
    pub(super) fn negate(
        &mut self,
        inner: &ast::Expr,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<NodeId> {
        if let ExprKind::Number(number) = &inner.kind {
            let number = ast::Number { unscaled: number.unscaled.checked_neg()?, scale: number.scale };
            return self.number(number, expected, span);
        }
        let id = self.value(inner, expected)?;
        let id = self.needs_number(id, inner, "`-`")?;
        let (ty, optional) = (self.node(id).ty.clone(), self.node(id).optional);
        Some(self.builder.node(Expr::NumberFunction(NumberFunction::Negate, id), ty, optional, span))
    }

    /// A value that is a number, or a report.
    pub(in crate::check) fn needs_number(&mut self, id: NodeId, e: &ast::Expr, what: &str) -> Option<NodeId> {
        let ty = self.node(id).ty.clone();
        if is_number(&ty) {
            return Some(id);
        }
        let constant = self.node(id).expr.clone();
        let finding = Diagnostic::new(
            codes::WRONG_TYPE,
            e.span,
            format!("{what} works on numbers, but {} is {}", spell::expression(e), self.a_type(&ty)),
        );
        self.report(match self.mend_for(&constant, &ty, &Type::Int) {
            Some(help) => finding.help(help),
            None => finding,
        });
        None
    }

    /// `a + b`, `date + 30 days`.
    pub(super) fn arithmetic(
        &mut self,
        left: &ast::Expr,
        op: ast::ArithmeticOp,
        at: Span,
        right: &ast::Expr,
        span: Span,
    ) -> Option<NodeId> {
        if let Some((amount, unit)) = duration(right) {
            return self.shifted(left, op, at, amount, unit, span);
        }
        if duration(left).is_some() {
            self.value(right, None)?;
            self.report(
                Diagnostic::new(
                    time_codes::STRAY_DURATION,
                    left.span,
                    format!("{} is a length of time, and stands on the wrong side", spell::expression(left)),
                )
                .help("write the date first: `signup_at + 30 days`"),
            );
            return None;
        }
        let (left_id, right_id) = (self.value(left, None), self.value(right, None));
        let (left_id, right_id) = (left_id?, right_id?);
        let (a, b) = (self.node(left_id).ty.clone(), self.node(right_id).ty.clone());
        if is_moment(&a) || is_moment(&b) {
            self.date_arithmetic(&a, &b, op, left, right, span);
            return None;
        }
        if a == Type::Text && b == Type::Text && op == ast::ArithmeticOp::Add {
            self.report(
                Diagnostic::new(codes::WRONG_TYPE, at, "texts are not added up")
                    .help("test each part by itself, with `and` between"),
            );
            return None;
        }
        let what = format!("`{}`", symbol(op));
        let left_id = self.needs_number(left_id, left, &what);
        let right_id = self.needs_number(right_id, right, &what);
        self.number_arithmetic(op, left_id?, right_id?, (left.span, right.span), span)
    }

    /// Arithmetic on two numbers.
    fn number_arithmetic(
        &mut self,
        op: ast::ArithmeticOp,
        left: NodeId,
        right: NodeId,
        (left_span, right_span): (Span, Span),
        span: Span,
    ) -> Option<NodeId> {
        let (a, b) = (self.node(left).ty.clone(), self.node(right).ty.clone());
        let optional = self.node(left).optional || self.node(right).optional;
        let op = match op {
            ast::ArithmeticOp::Add => ArithmeticOp::Add,
            ast::ArithmeticOp::Subtract => ArithmeticOp::Subtract,
            ast::ArithmeticOp::Multiply => ArithmeticOp::Multiply,
            ast::ArithmeticOp::Divide => ArithmeticOp::Divide,
            ast::ArithmeticOp::Modulo => ArithmeticOp::Modulo,
        };
        let float = a == Type::Float || b == Type::Float || op == ArithmeticOp::Divide;
        let (left, right, ty) = if float {
            (self.as_float(left, left_span)?, self.as_float(right, right_span)?, Type::Float)
        } else if (&a, &b) == (&Type::Int, &Type::Int) {
            (left, right, Type::Int)
        } else {
            let ty = self.exact_result(op, &a, &b, span)?;
            (self.as_decimal(left, left_span)?, self.as_decimal(right, right_span)?, ty)
        };
        // Division by zero is missing; overflow too, but no rule has to reckon with that.
        let divides = matches!(op, ArithmeticOp::Divide | ArithmeticOp::Modulo);
        let optional = optional || divides && !self.is_nonzero(right);
        Some(self.builder.node(Expr::Arithmetic { op, left, right }, ty, optional, span))
    }

    /// Whether a node is a constant other than zero.
    fn is_nonzero(&self, id: NodeId) -> bool {
        match &self.node(id).expr {
            Expr::Constant(Value::Int(n)) => *n != 0,
            Expr::Constant(Value::Float(x)) => *x != 0.0,
            Expr::Constant(Value::Decimal(x)) => x.unscaled != 0,
            _ => false,
        }
    }

    /// The type of exact arithmetic with a decimal.
    fn exact_result(&mut self, op: ArithmeticOp, a: &Type, b: &Type, span: Span) -> Option<Type> {
        let ((pa, sa), (pb, sb)) = (exact_size(a), exact_size(b));
        let (precision, scale) = match op {
            ArithmeticOp::Multiply => (u16::from(pa) + u16::from(pb), u16::from(sa) + u16::from(sb)),
            ArithmeticOp::Modulo => {
                let scale = sa.max(sb);
                (u16::from((pa - sa).max(pb - sb)) + u16::from(scale), u16::from(scale))
            }
            _ => {
                let scale = sa.max(sb);
                (u16::from((pa - sa).max(pb - sb)) + u16::from(scale) + 1, u16::from(scale))
            }
        };
        match (u8::try_from(precision.min(38)), u8::try_from(scale)) {
            (Ok(precision), Ok(scale)) if scale <= 38 => Some(Type::Decimal { precision, scale }),
            _ => {
                self.report(
                    Diagnostic::new(
                        codes::TOO_MANY_DIGITS,
                        span,
                        format!("the product has {scale} digits after the point, and 38 are the most"),
                    )
                    .help("round one of the factors first: `round(x, 4)`"),
                );
                None
            }
        }
    }

    /// A number as a float.
    pub(super) fn as_float(&mut self, id: NodeId, span: Span) -> Option<NodeId> {
        self.coerce(id, &Type::Float, span, "what is calculated with")
    }

    /// An int or decimal as a decimal of its own size.
    fn as_decimal(&mut self, id: NodeId, span: Span) -> Option<NodeId> {
        let node = self.node(id);
        match (&node.ty, &node.expr) {
            (Type::Int, Expr::Constant(value)) => {
                let number = literals::number_of(value)?;
                let precision = u8::try_from(literals::digits(number.unscaled)).ok()?;
                self.coerce(id, &Type::Decimal { precision, scale: 0 }, span, "a number")
            }
            (Type::Int, _) => self.coerce(id, &Type::Decimal { precision: 19, scale: 0 }, span, "a number"),
            _ => Some(id),
        }
    }

    /// `x + 30 days`, `x - (cycle) days`.
    fn shifted(
        &mut self,
        value: &ast::Expr,
        op: ast::ArithmeticOp,
        at: Span,
        amount: &ast::Expr,
        unit: ast::Unit,
        span: Span,
    ) -> Option<NodeId> {
        let forward = match op {
            ast::ArithmeticOp::Add => true,
            ast::ArithmeticOp::Subtract => false,
            _ => {
                self.report(
                    Diagnostic::new(
                        time_codes::STRAY_DURATION,
                        at,
                        "a length of time is added to a date or subtracted from one, and nothing else",
                    )
                    .help("write `(n) days` with the calculation inside the parentheses"),
                );
                return None;
            }
        };
        let (value_id, amount_id) = (self.value(value, None), self.whole_amount(amount));
        let (value_id, amount_id) = (self.moment_of(value_id?, value, unit.into())?, amount_id?);
        self.shift(value_id, amount_id, forward, unit.into(), span)
    }

    /// A shift by so many units, forward or back.
    pub(super) fn shift(
        &mut self,
        value: NodeId,
        amount: NodeId,
        forward: bool,
        unit: crate::program::Unit,
        span: Span,
    ) -> Option<NodeId> {
        let amount = match (forward, &self.node(amount).expr) {
            (true, _) => amount,
            (false, Expr::Constant(Value::Int(n))) => {
                let n = n.checked_neg()?;
                self.constant_node(Value::Int(n), Type::Int, span)
            }
            (false, _) => self.builder.node(
                Expr::NumberFunction(NumberFunction::Negate, amount),
                Type::Int,
                self.node(amount).optional,
                span,
            ),
        };
        let node = self.node(value);
        let ty = node.ty.clone();
        let clock = matches!(node.expr, Expr::Now | Expr::Today);
        let constant = matches!(self.node(amount).expr, Expr::Constant(_));
        // A shift may leave the calendar; one of the clock by a fixed number does not in earnest.
        let optional = !(clock && constant);
        Some(self.builder.node(Expr::Shift { value, amount, unit }, ty, optional, span))
    }

    /// How many units: an int.
    pub(super) fn whole_amount(&mut self, amount: &ast::Expr) -> Option<NodeId> {
        let id = self.value(amount, Some(&Type::Int))?;
        let ty = self.node(id).ty.clone();
        if ty == Type::Int {
            return Some(id);
        }
        self.report(
            Diagnostic::new(
                codes::WRONG_TYPE,
                amount.span,
                format!(
                    "a number of days and the like is a whole number, but {} is {}",
                    spell::expression(amount),
                    self.a_type(&ty)
                ),
            )
            .help("round it first and declare the column as `int`, or write a whole number"),
        );
        None
    }

    /// Reports dates that are calculated with like numbers.
    fn date_arithmetic(
        &mut self,
        a: &Type,
        b: &Type,
        op: ast::ArithmeticOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) {
        let (shown_left, shown_right) = (bare(left), bare(right));
        let finding = match (is_moment(a), is_moment(b), op) {
            (true, true, ast::ArithmeticOp::Subtract) => Diagnostic::new(
                time_codes::DATE_ARITHMETIC,
                span,
                "how far two dates lie apart has to be said with its unit",
            )
            .help(format!("write `days from {shown_right} to {shown_left}`")),
            (true, false, ast::ArithmeticOp::Add | ast::ArithmeticOp::Subtract) if is_number(b) => {
                Diagnostic::new(
                    time_codes::DATE_ARITHMETIC,
                    right.span,
                    format!("{} of what is added to or taken from the date?", spell::expression(right)),
                )
                .help(match &right.kind {
                    ExprKind::Number(_) => {
                        format!("write the unit: `{shown_left} {} {shown_right} days`", symbol(op))
                    }
                    _ => format!("write the unit: `{shown_left} {} ({shown_right}) days`", symbol(op)),
                })
            }
            _ => Diagnostic::new(
                time_codes::DATE_ARITHMETIC,
                span,
                format!("`{}` does not work on dates", symbol(op)),
            )
            .help("write `days from a to b` for the time between two dates, `a + 30 days` for a later one"),
        };
        self.report(finding);
    }
}

/// The amount and unit of a duration.
fn duration(e: &ast::Expr) -> Option<(&ast::Expr, ast::Unit)> {
    match &e.kind {
        ExprKind::Duration(amount, unit) => Some((amount, *unit)),
        ExprKind::Parenthesised(inner) => duration(inner),
        _ => None,
    }
}

/// An expression for use inside a mend, without backquotes.
fn bare(e: &ast::Expr) -> String {
    let shown = spell::expression(e);
    match shown.strip_prefix('`').and_then(|shown| shown.strip_suffix('`')) {
        Some(inner) => inner.to_owned(),
        None => "…".to_owned(),
    }
}

/// `+`
fn symbol(op: ast::ArithmeticOp) -> &'static str {
    match op {
        ast::ArithmeticOp::Add => "+",
        ast::ArithmeticOp::Subtract => "-",
        ast::ArithmeticOp::Multiply => "*",
        ast::ArithmeticOp::Divide => "/",
        ast::ArithmeticOp::Modulo => "mod",
    }
}

/// Whether a type is of numbers.
pub(super) fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Decimal { .. })
}

/// Whether a type is of dates or moments.
pub(super) fn is_moment(ty: &Type) -> bool {
    matches!(ty, Type::Date | Type::Timestamp)
}
