//! Splits: a stable assignment to arms.

use super::Subject;
use crate::check::Checker;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::{names, tests as codes};
use crate::program::{Arm, CompareOp, Decimal, DeclarationKind, Expr, Heading, NodeId, Split, Type, Value};
use crate::semantics::split;
use crate::syntax::ast;

/// Digits after the point of a share.
const SHARE_SCALE: u8 = 18;

/// All of the users, at that scale.
const WHOLE: i128 = 1_000_000_000_000_000_000;

impl Checker {
    /// `split NAME of SEGMENT|all seed "…" { arm 10%  … }`.
    pub(in crate::check) fn split(&mut self, written: &ast::Split) -> Option<(NodeId, DeclarationKind)> {
        let everyone = !written.of.quoted && written.of.text == "all";
        let subject = match everyone {
            true => Some((None, None)),
            false => match self.subject(&written.of, "a split divides", "a segment or `all`") {
                Some((Subject::Segment(condition), name)) => Some((Some(condition), Some(name))),
                Some((subject, _)) => {
                    let kind = if matches!(subject, Subject::Stack(_)) { "a stack" } else { "a layer" };
                    self.report(
                        Diagnostic::new(
                            codes::BAD_BASE,
                            written.of.span,
                            format!(
                                "a split divides a segment or `all`, and `{}` is {kind}",
                                written.of.text
                            ),
                        )
                        .help(format!(
                            "name the members as a segment: `segment … when {} = …`",
                            written.of.text
                        )),
                    );
                    None
                }
                None => None,
            },
        };
        let arms = self.arms(written);
        let key = self.split_key(written);
        let ((segment, of), arms, key) = (subject?, arms?, key?);
        let seed = written.seed.value.clone();
        let place = written.name.span;
        let hash = Expr::SplitHash { seed: seed.clone(), key };
        let hash = self.builder.node(hash, Type::Int, false, place);
        let labels = arms.iter().map(|arm| arm.heading.name.clone()).collect();
        let ty = self.add_label_type(&written.name.text, labels, false);
        let mut sum = Decimal { unscaled: 0, scale: SHARE_SCALE };
        let mut cases = Vec::new();
        for (code, arm) in (0_u32..).zip(&arms) {
            sum.unscaled += rescaled(arm.share).unwrap_or(0);
            let end = self.constant_node(Value::Int(split::end(sum)), Type::Int, arm.heading.place);
            let below = match sum.unscaled {
                WHOLE => self.constant_node(Value::Bool(true), Type::Bool, arm.heading.place),
                _ => self.compare_nodes(CompareOp::Lt, hash, end, arm.heading.place),
            };
            let conditions = segment.into_iter().chain([below]).collect();
            let condition = self.all_of(conditions, arm.heading.place);
            let label = self.constant_node(Value::Label(code), Type::Label(ty), arm.heading.place);
            cases.push((condition, label));
        }
        let optional = segment.is_some() || sum.unscaled < WHOLE;
        let case = Expr::Case { arms: cases, otherwise: None };
        let value = self.builder.node(case, Type::Label(ty), optional, place);
        Some((value, DeclarationKind::Split(Split { of, seed, ty, arms })))
    }

    /// The arms; none where one is at fault.
    fn arms(&mut self, written: &ast::Split) -> Option<Vec<Arm>> {
        let mut arms: Vec<Arm> = Vec::new();
        let mut sum = 0_i128;
        let mut sound = true;
        for arm in &written.arms {
            self.member_name(&arm.name);
            if let Some(first) = arms.iter().find(|known| known.heading.name == arm.name.text) {
                let first = first.heading.place;
                self.report(
                    Diagnostic::new(
                        names::DECLARED_TWICE,
                        arm.name.span,
                        format!("the arm `{}` stands twice", arm.name.text),
                    )
                    .label(first, "the first one is here")
                    .help("give one of them another name, or add their shares"),
                );
                sound = false;
                continue;
            }
            let heading: Heading = self.heading(&arm.name, &arm.heading, arm.docs.clone());
            let Some((number, span)) = arm.share else {
                sound = false;
                continue;
            };
            let share = Decimal { unscaled: number.unscaled, scale: number.scale };
            let Some(part) = rescaled(share).filter(|_| arm.percent) else {
                let finding = Diagnostic::new(
                    codes::BAD_SPLIT,
                    span,
                    if arm.percent {
                        "this share has too many digits"
                    } else {
                        "the share of an arm is a percentage"
                    },
                );
                self.report(match arm.percent {
                    true => finding.help("round it"),
                    false => finding.help(format!("write `{}%`", share)).fix(span, format!("{share}%")),
                });
                sound = false;
                continue;
            };
            let before = sum;
            sum += part;
            if sum > WHOLE && before <= WHOLE {
                let total = Decimal { unscaled: sum.saturating_mul(100), scale: SHARE_SCALE }.to_string();
                let total = total.trim_end_matches('0').trim_end_matches('.');
                self.report(
                    Diagnostic::new(
                        codes::BAD_SPLIT,
                        span,
                        format!("with this the arms of `{}` take {total} % of the users", written.name.text),
                    )
                    .help("give them 100 % at most; the rest of less than that has no arm"),
                );
                sound = false;
            }
            arms.push(Arm { heading, share });
        }
        sound.then_some(arms)
    }

    /// The user's key as what is hashed.
    fn split_key(&mut self, written: &ast::Split) -> Option<NodeId> {
        let Some(users) = &self.users else {
            if self.users_place.is_none() {
                self.report(
                    Diagnostic::new(
                        codes::BAD_SPLIT,
                        written.name.span,
                        "a split deals users out by their key, and no table of users is declared",
                    )
                    .help("declare one: `table users key user_id { … }`"),
                );
            }
            return None;
        };
        let at = users.key;
        let ty = users.columns.get(at)?.ty.clone();
        let place = written.name.span;
        let key = self.builder.node(Expr::Column(at), ty.clone(), false, place);
        match ty {
            Type::Label(label) => Some(self.label_text(key, label, false, place)),
            _ => Some(key),
        }
    }
}

/// A share at the one scale; none where that cannot hold it.
fn rescaled(share: Decimal) -> Option<i128> {
    let more = SHARE_SCALE.checked_sub(share.scale)?;
    share.unscaled.checked_mul(10_i128.checked_pow(u32::from(more))?)
}
