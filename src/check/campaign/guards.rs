//! Guards: what a run has to keep.

use crate::check::Checker;
use crate::check::expr::spell;
use crate::diagnostic::codes::tests as codes;
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::program::{Decimal, Guard, GuardEnd, Measure};
use crate::syntax::ast::{self, CompareOp, DeclarationKind, ExprKind, GuardRange};

impl Checker {
    /// All guards of a program.
    pub(in crate::check) fn check_guards(
        &mut self,
        declarations: &[ast::Declaration],
        sources: &Sources,
    ) -> Vec<Guard> {
        let mut guards = Vec::new();
        for declaration in declarations {
            if let DeclarationKind::Guard(guard) = &declaration.kind {
                self.mixed_and_or(&guard.condition, sources);
                match self.guard(guard, declaration.span, sources) {
                    Some(guard) => guards.push(guard),
                    None => self.poisoned = true,
                }
            }
        }
        guards
    }

    fn guard(&mut self, written: &ast::Guard, span: Span, sources: &Sources) -> Option<Guard> {
        let measure = match written.measure.text.as_str() {
            "share" => Some(Measure::Share),
            "count" => Some(Measure::Count),
            other => {
                let near = spell::nearest(other, ["share", "count"].into_iter()).unwrap_or("share");
                self.report(
                    Diagnostic::new(
                        codes::BAD_GUARD,
                        written.measure.span,
                        format!("a guard measures a `share` or a `count`, not `{other}`"),
                    )
                    .help(format!("write `{near}(…)`"))
                    .fix(written.measure.span, near),
                );
                None
            }
        };
        let condition = self.condition(&written.condition);
        let measure = measure?;
        let (low, high) = match written.range.as_ref()? {
            GuardRange::Between(low, high) => {
                let (low, high) = (self.guard_end(low, measure), self.guard_end(high, measure));
                let (low, high) = (low?, high?);
                if ordered(low) > ordered(high) {
                    self.report(
                        Diagnostic::new(codes::BAD_GUARD, span, "nothing lies between these ends")
                            .help("write the lower one first"),
                    );
                    return None;
                }
                (Some(end(low, true)), Some(end(high, true)))
            }
            GuardRange::Bound(op, value) => {
                let value = self.guard_end(value, measure)?;
                match op {
                    CompareOp::Ge => (Some(end(value, true)), None),
                    CompareOp::Gt => (Some(end(value, false)), None),
                    CompareOp::Le => (None, Some(end(value, true))),
                    CompareOp::Lt => (None, Some(end(value, false))),
                    CompareOp::Eq | CompareOp::Ne => (Some(end(value, true)), Some(end(value, true))),
                }
            }
        };
        let text = sources.text(Span { start: written.measure.span.start, ..span });
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(Guard { text, measure, condition: condition?, low, high, place: span })
    }

    /// A plain number: a count, or a share from 0 to 1.
    fn guard_end(&mut self, e: &ast::Expr, measure: Measure) -> Option<Decimal> {
        let number = match &e.kind {
            ExprKind::Error => return None,
            ExprKind::Number(number) => Some(Decimal { unscaled: number.unscaled, scale: number.scale }),
            _ => None,
        };
        let whole = |value: &Decimal| 10_i128.checked_pow(u32::from(value.scale)).unwrap_or(i128::MAX);
        let (fits, message, help) = match measure {
            Measure::Share => (
                number.as_ref().is_some_and(|value| value.unscaled <= whole(value)),
                "a share lies between 0% and 100%",
                "write a percentage such as `5%`",
            ),
            Measure::Count => (
                number.as_ref().is_some_and(|value| value.unscaled % whole(value) == 0),
                "a count is a whole number",
                "write a number such as `1000`; for percentages there is `share(…)`",
            ),
        };
        if !fits {
            self.report(Diagnostic::new(codes::BAD_GUARD, e.span, message).help(help));
            return None;
        }
        number
    }
}

fn end(value: Decimal, inclusive: bool) -> GuardEnd {
    GuardEnd { value, inclusive }
}

/// For comparing two ends: shares and counts are small.
fn ordered(value: Decimal) -> i128 {
    let more = 18_u32.saturating_sub(u32::from(value.scale));
    value.unscaled.saturating_mul(10_i128.checked_pow(more).unwrap_or(1))
}
