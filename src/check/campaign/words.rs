//! Texts with values: what may stand in them, how it is written.

use crate::check::Checker;
use crate::check::expr::spell;
use crate::diagnostic::codes::tests as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Expr, NodeId, TextFormat, TextPart, Type, Value};
use crate::semantics::wording;
use crate::syntax::ast::{self, TemplatePart};

/// The expressions of a play: its conditions and what stands in its texts.
pub(in crate::check) fn play_expressions(play: &ast::Play) -> Vec<&ast::Expr> {
    let mut all = Vec::new();
    for line in &play.lines {
        all.extend(&line.when);
        all.extend(line.text.parts.iter().filter_map(|part| match part {
            TemplatePart::Value { value, .. } => Some(value),
            TemplatePart::Literal(_) => None,
        }));
    }
    all
}

impl Checker {
    /// The parts of a text; all its faults are found. `condition` holds for who reads it.
    pub(super) fn text_parts(
        &mut self,
        template: &ast::Template,
        condition: Option<NodeId>,
    ) -> Option<Vec<TextPart>> {
        let known = condition.map(|condition| self.known_where(condition)).unwrap_or_default();
        let mut parts = Vec::new();
        let mut sound = true;
        for part in &template.parts {
            match part {
                TemplatePart::Literal(literal) => parts.push(TextPart::Literal(literal.clone())),
                TemplatePart::Value { value, format, span } => {
                    match self.text_value(value, format.as_ref(), *span, &known) {
                        Some(part) => parts.push(part),
                        None => sound = false,
                    }
                }
            }
        }
        sound.then_some(parts)
    }

    fn text_value(
        &mut self,
        e: &ast::Expr,
        format: Option<&ast::Text>,
        span: Span,
        known: &[NodeId],
    ) -> Option<TextPart> {
        let id = self.value(e, None)?;
        let node = self.node(id);
        let (ty, optional) = (node.ty.clone(), node.optional);
        let format = match format {
            None => TextFormat::Plain,
            Some(format) => self.text_format(format, &ty, e)?,
        };
        if matches!(ty, Type::List(_)) {
            let what = spell::expression(e);
            self.report(
                Diagnostic::new(codes::NOT_WRITABLE, e.span, format!("{what} is a list, and a text holds one value"))
                    .help("say what matters about it, such as `{size(tags)}`, or ask for an item with `when … has …`"),
            );
            return None;
        }
        if optional && !known.contains(&id) {
            let what = spell::expression(e);
            let bare = what.trim_matches('`');
            let instead = match &ty {
                Type::Text | Type::Label(_) => "\"…\"".to_owned(),
                Type::Date | Type::Timestamp => "today".to_owned(),
                _ => "0".to_owned(),
            };
            self.report(
                Diagnostic::new(
                    codes::MAY_BE_MISSING,
                    span,
                    format!("{what} may be missing, and then nothing stands here"),
                )
                .help(match ty {
                    Type::Label(_) => {
                        format!("say this line only `when {bare} is known`, and something else otherwise")
                    }
                    _ => format!(
                        "write `{bare} or_else {instead}`, or say this line only `when {bare} is known`"
                    ),
                }),
            );
        }
        let id = match ty {
            Type::Label(label) => self.label_text(id, label, optional, e.span),
            _ => id,
        };
        Some(TextPart::Value(id, format))
    }

    /// A format as written after the `:`.
    fn text_format(&mut self, format: &ast::Text, ty: &Type, e: &ast::Expr) -> Option<TextFormat> {
        let written = format.value.as_str();
        let is_number = matches!(ty, Type::Int | Type::Float | Type::Decimal { .. });
        let example = match ty {
            Type::Date => Some(Value::Date(0)),
            Type::Timestamp => Some(Value::Timestamp(0)),
            Type::Time => Some(Value::Time(0)),
            _ => None,
        };
        let what = spell::expression(e);
        let kind = self.a_type(ty);
        let fault = if let Some(digits) = written.strip_prefix('.') {
            match digits.parse::<u8>() {
                Ok(digits) if digits <= wording::MOST_DIGITS && is_number => {
                    return Some(TextFormat::Digits(digits));
                }
                Ok(digits) if digits <= wording::MOST_DIGITS => (
                    format!("`:{written}` writes a number, and {what} is {kind}"),
                    match example {
                        Some(_) => "write a date with a pattern such as `:%Y-%m-%d`".to_owned(),
                        None => "leave the format out".to_owned(),
                    },
                ),
                _ => (
                    format!("`:{written}` is no format of a number"),
                    format!(
                        "write how many digits stand after the point, such as `:.2`; {} are the most",
                        wording::MOST_DIGITS
                    ),
                ),
            }
        } else if written.starts_with('%') {
            match example {
                Some(example) if wording::pattern_fits(written, &example) => {
                    return Some(TextFormat::Time(written.to_owned()));
                }
                Some(_) => (
                    format!("`:{written}` is no pattern for {kind}"),
                    "write it with `%Y`, `%m`, `%d`, and for moments `%H`, `%M`, `%S`".to_owned(),
                ),
                None => (
                    format!("`:{written}` writes a date or time, and {what} is {kind}"),
                    if is_number {
                        "write `:.2` for two digits after the point"
                    } else {
                        "leave the format out"
                    }
                    .to_owned(),
                ),
            }
        } else {
            (
                format!("`:{written}` is no format: it begins with neither `.` nor `%`"),
                "write `:.2` for two digits after the point, `:%m-%d` for a date".to_owned(),
            )
        };
        self.report(Diagnostic::new(codes::BAD_FORMAT, format.span, fault.0).help(fault.1));
        None
    }

    /// The values that are known wherever a condition holds, as far as its parts say so.
    fn known_where(&self, condition: NodeId) -> Vec<NodeId> {
        let mut known = Vec::new();
        let mut open = vec![condition];
        while let Some(id) = open.pop() {
            match &self.node(id).expr {
                Expr::And(parts) => open.extend(parts),
                Expr::IsKnown(value) | Expr::IsTrue(value) | Expr::InSet { value, .. } => known.push(*value),
                Expr::Compare { left, right, .. } => known.extend([*left, *right]),
                Expr::TextTest { text, .. } | Expr::Matches { text, .. } => known.push(*text),
                _ => {}
            }
        }
        known
    }
}
