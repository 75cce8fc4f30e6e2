//! Literals: what type a written value takes, and whether that type can hold it.

use super::{Checker, spell};
use crate::diagnostic::codes::{time as time_codes, types as codes};
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Decimal, Expr, NodeId, Type, Value};
use crate::syntax::ast::{self, ExprKind, Number};

impl Checker {
    /// A number where `expected` is wanted; an int or an exact decimal where nothing is.
    pub(super) fn number(&mut self, number: Number, expected: Option<&Type>, span: Span) -> Option<NodeId> {
        let number = trimmed(number);
        let (value, ty) = match expected {
            Some(Type::Float) => (Value::Float(to_float(number)), Type::Float),
            Some(ty @ Type::Decimal { precision, scale }) => match to_scale(number, *scale) {
                Some(unscaled) if digits(unscaled) <= u32::from(*precision) => {
                    (Value::Decimal(Decimal { unscaled, scale: *scale }), ty.clone())
                }
                _ => natural(number)?,
            },
            _ => match natural(number) {
                Some(natural) => natural,
                None => {
                    self.report(Diagnostic::new(
                        codes::TOO_MANY_DIGITS,
                        span,
                        format!("`{}` has more than 38 digits", spell::written(number)),
                    ));
                    return None;
                }
            },
        };
        Some(self.constant_node(value, ty, span))
    }

    /// A string: the label where a labelled type is expected, else a text.
    pub(super) fn text_literal(&mut self, text: &str, expected: Option<&Type>, span: Span) -> Option<NodeId> {
        if let Some(id) = self.label_constant(text, expected, span) {
            return Some(id);
        }
        if let Some(Type::Label(ty)) = expected {
            self.unknown_label(*ty, text, span);
            return None;
        }
        Some(self.constant_node(Value::Text(text.into()), Type::Text, span))
    }

    /// A date.
    pub(super) fn date_literal(&mut self, date: jiff::civil::Date, span: Span) -> Option<NodeId> {
        Some(self.constant_node(Value::Date(days(date)), Type::Date, span))
    }

    /// A moment: in the file's zone where no offset is written.
    pub(super) fn timestamp_literal(
        &mut self,
        local: jiff::civil::DateTime,
        offset: Option<i32>,
        span: Span,
    ) -> Option<NodeId> {
        match self.moment(local, offset) {
            Some(micros) => Some(self.constant_node(Value::Timestamp(micros), Type::Timestamp, span)),
            None => {
                self.report(Diagnostic::new(
                    time_codes::NEEDS_TIME,
                    span,
                    format!("`{local}` is beyond the moments that can be reckoned with"),
                ));
                None
            }
        }
    }

    /// Microseconds since 1970 of a local time; one that does not exist moves forward by the gap,
    /// one that occurs twice is the first.
    pub(crate) fn moment(&self, local: jiff::civil::DateTime, offset: Option<i32>) -> Option<i64> {
        let zone = match offset {
            Some(seconds) => jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?),
            None => self.zone.clone(),
        };
        Some(zone.to_ambiguous_timestamp(local).compatible().ok()?.as_microsecond())
    }

    /// A time of day.
    pub(super) fn time_literal(&mut self, time: jiff::civil::Time, span: Span) -> NodeId {
        let seconds =
            i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        let micros = seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1000;
        self.constant_node(Value::Time(micros), Type::Time, span)
    }

    /// A literal of that type, for domains, `with`, points: anything else is reported.
    pub(crate) fn constant(&mut self, e: &ast::Expr, ty: &Type) -> Option<Value> {
        if !is_literal(e, ty) {
            if !matches!(e.kind, ExprKind::Error) {
                self.report(
                    Diagnostic::new(
                        codes::NOT_A_LITERAL,
                        e.span,
                        format!("{} is not a fixed value", spell::expression(e)),
                    )
                    .help(format!("write the {} itself here", self.type_name(ty))),
                );
            }
            return None;
        }
        let id = self.value(e, Some(ty))?;
        let id = self.coerce(id, ty, e.span, "what is asked for here")?;
        match &self.node(id).expr {
            Expr::Constant(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// Brings a value to a type: int to float or decimal, a date to its first moment, an exact
    /// constant to any number type that can hold it. A clash is reported at `span`; `what` names
    /// the place that wants the type.
    pub(crate) fn coerce(&mut self, id: NodeId, ty: &Type, span: Span, what: &str) -> Option<NodeId> {
        let node = self.node(id);
        let (found, optional, constant) = (node.ty.clone(), node.optional, node.expr.clone());
        if found == *ty {
            return Some(id);
        }
        if let (Expr::Constant(value), Type::Int | Type::Float | Type::Decimal { .. }) = (&constant, ty)
            && let Some(number) = number_of(value)
        {
            return match constant_in(number, ty) {
                Some(value) => Some(self.constant_node(value, ty.clone(), span)),
                None => {
                    self.does_not_fit(number, ty, None, span);
                    None
                }
            };
        }
        let convertible = match (&found, ty) {
            (Type::Int, Type::Float | Type::Decimal { .. })
            | (Type::Decimal { .. }, Type::Float)
            | (Type::Date, Type::Timestamp) => true,
            (Type::Decimal { scale: from, .. }, Type::Decimal { scale: to, .. }) => from <= to,
            _ => false,
        };
        if convertible {
            return Some(self.builder.node(Expr::Convert(id), ty.clone(), optional, span));
        }
        let finding = Diagnostic::new(
            codes::TYPE_CLASH,
            span,
            format!("{what} is {}, and this is {}", self.a_type(ty), self.a_type(&found)),
        );
        let finding = match self.mend_for(&constant, &found, ty) {
            Some(help) => finding.help(help),
            None => finding,
        };
        self.report(finding);
        None
    }

    /// How a value of one type is written as another, where there is a way.
    pub(super) fn mend_for(&self, expr: &Expr, found: &Type, wanted: &Type) -> Option<String> {
        let text = match expr {
            Expr::Constant(Value::Text(text)) => Some(text.trim()),
            _ => None,
        };
        match (found, wanted) {
            (Type::Text, Type::Int | Type::Float | Type::Decimal { .. }) => match text {
                Some(text) if text.parse::<f64>().is_ok() => {
                    Some(format!("write the number without quotes: `{text}`"))
                }
                _ => Some("write a number, without quotes".to_owned()),
            },
            (Type::Text, Type::Date | Type::Timestamp) => match text {
                Some(text) if text.parse::<jiff::civil::Date>().is_ok() => {
                    Some(format!("write the date without quotes: `{text}`"))
                }
                _ => Some("write a date without quotes, such as `2024-11-15`".to_owned()),
            },
            (Type::Int | Type::Float | Type::Decimal { .. }, Type::Text) => {
                Some("write the text in quotes".to_owned())
            }
            (Type::Int | Type::Decimal { .. }, Type::Date | Type::Timestamp) => {
                Some("write a date such as `2024-11-15`, or count with `days since …`".to_owned())
            }
            (Type::Text, Type::Bool) => match text {
                Some(text @ ("true" | "false")) => Some(format!("write it without quotes: `{text}`")),
                _ => Some("write `true` or `false`".to_owned()),
            },
            (Type::Int, Type::Bool) => Some("write `true` or `false`".to_owned()),
            (Type::Float, Type::Decimal { scale, .. }) => Some(format!(
                "a float is not exact; declare the column as `decimal(18,{scale})` to keep the digits"
            )),
            (Type::Float | Type::Decimal { .. }, Type::Int) => {
                Some("round it down with `floor(…)` or state the type with digits after the point".to_owned())
            }
            (Type::Decimal { .. }, Type::Decimal { scale, .. }) => {
                Some(format!("round it: `round(…, {scale})`"))
            }
            _ => None,
        }
    }

    /// Reports a number that a type cannot hold. `comparison` is what it is compared by.
    pub(super) fn does_not_fit(
        &mut self,
        number: Number,
        ty: &Type,
        comparison: Option<ast::CompareOp>,
        span: Span,
    ) {
        let number = trimmed(number);
        let shown = spell::written(number);
        let scale = match ty {
            Type::Decimal { scale, .. } => *scale,
            _ => 0,
        };
        let finding = if number.scale > scale {
            let digits = match scale {
                0 => "whole numbers only".to_owned(),
                1 => "one digit after the point".to_owned(),
                n => format!("{n} digits after the point"),
            };
            let finding = Diagnostic::new(
                codes::NUMBER_DOES_NOT_FIT,
                span,
                format!("{} holds {digits}, so it is never exactly `{shown}`", self.a_type(ty)),
            );
            let floor = floor_at(number, scale);
            let ceil = Number { unscaled: floor.unscaled.saturating_add(1), scale };
            let (floor, ceil) = (spell::written(floor), spell::written(ceil));
            match comparison {
                Some(ast::CompareOp::Ge | ast::CompareOp::Gt) => finding.help(format!("write `>= {ceil}`")),
                Some(ast::CompareOp::Le | ast::CompareOp::Lt) => finding.help(format!("write `<= {floor}`")),
                _ => finding.help(format!("write `{floor}` or `{ceil}`")),
            }
        } else {
            Diagnostic::new(
                codes::NUMBER_DOES_NOT_FIT,
                span,
                format!("`{shown}` is more than {} can hold", self.a_type(ty)),
            )
        };
        self.report(finding);
    }

    /// A type with its article: "an int", "a decimal(18,2)", "one of the labels of `channel`".
    pub(crate) fn a_type(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "a yes/no value (bool)".to_owned(),
            Type::Int => "an int".to_owned(),
            Type::Text => "a text (string)".to_owned(),
            Type::Time => "a time of day".to_owned(),
            Type::Label(_) => format!("a label of `{}`", self.type_name(ty)),
            _ => format!("a {}", self.type_name(ty)),
        }
    }
}

/// Whether something is written down as a value: a literal, perhaps with a minus, or a label.
fn is_literal(e: &ast::Expr, ty: &Type) -> bool {
    match &e.kind {
        ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::Text(_)
        | ExprKind::Date(_)
        | ExprKind::Timestamp(..)
        | ExprKind::Time(_)
        // Says for itself what is wrong with it.
        | ExprKind::Duration(..) => true,
        ExprKind::Negate(inner) => matches!(inner.kind, ExprKind::Number(_)),
        ExprKind::Parenthesised(inner) => is_literal(inner, ty),
        ExprKind::Name(_) => matches!(ty, Type::Label(_)),
        _ => false,
    }
}

/// Days since 1970-01-01.
pub(crate) fn days(date: jiff::civil::Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.until(date).map_or(0, |span| span.get_days())
}

/// Without trailing zeros after the point.
pub(super) fn trimmed(mut number: Number) -> Number {
    while number.scale > 0 && number.unscaled % 10 == 0 {
        number.unscaled /= 10;
        number.scale -= 1;
    }
    number
}

/// The largest number with so many digits after the point that is not above.
fn floor_at(number: Number, scale: u8) -> Number {
    let power = 10_i128.checked_pow(u32::from(number.scale.saturating_sub(scale))).unwrap_or(i128::MAX);
    Number { unscaled: number.unscaled.div_euclid(power), scale }
}

/// The unscaled form at another scale, where it is exact.
pub(super) fn to_scale(number: Number, scale: u8) -> Option<i128> {
    let number = trimmed(number);
    let more = scale.checked_sub(number.scale)?;
    number.unscaled.checked_mul(10_i128.checked_pow(u32::from(more))?)
}

/// How many digits.
pub(super) fn digits(unscaled: i128) -> u32 {
    unscaled.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1)
}

/// The nearest double.
pub(super) fn to_float(number: Number) -> f64 {
    let shown = spell::written(number);
    let value: f64 = shown.parse().unwrap_or(0.0);
    if value == 0.0 { 0.0 } else { value }
}

/// An int where it is whole and fits, else a decimal with just its digits.
fn natural(number: Number) -> Option<(Value, Type)> {
    if number.scale == 0
        && let Ok(value) = i64::try_from(number.unscaled)
    {
        return Some((Value::Int(value), Type::Int));
    }
    let precision = digits(number.unscaled).max(u32::from(number.scale));
    let precision = u8::try_from(precision).ok().filter(|precision| *precision <= 38)?;
    let value = Value::Decimal(Decimal { unscaled: number.unscaled, scale: number.scale });
    Some((value, Type::Decimal { precision, scale: number.scale }))
}

/// The number of a constant.
pub(super) fn number_of(value: &Value) -> Option<Number> {
    match value {
        Value::Int(value) => Some(Number { unscaled: i128::from(*value), scale: 0 }),
        Value::Decimal(value) => Some(trimmed(Number { unscaled: value.unscaled, scale: value.scale })),
        _ => None,
    }
}

/// An exact number as a constant of a number type that can hold it.
pub(super) fn constant_in(number: Number, ty: &Type) -> Option<Value> {
    match ty {
        Type::Int => i64::try_from(to_scale(number, 0)?).ok().map(Value::Int),
        Type::Float => Some(Value::Float(to_float(number))),
        Type::Decimal { precision, scale } => {
            let unscaled = to_scale(number, *scale)?;
            (digits(unscaled) <= u32::from(*precision))
                .then_some(Value::Decimal(Decimal { unscaled, scale: *scale }))
        }
        _ => None,
    }
}
