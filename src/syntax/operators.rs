//! What the grammar's signs and words stand for.

use super::ast::{ArithmeticOp, CompareOp, ExprKind};
use super::grammar::Rule;

/// What a habit's sign is written as.
pub(super) fn mend_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::habit_and => "and",
        Rule::habit_or => "or",
        Rule::habit_ne => "!=",
        Rule::habit_ge => ">=",
        Rule::habit_le => "<=",
        Rule::habit_eq => "=",
        Rule::habit_mod => "mod",
        _ => return None,
    })
}

pub(super) fn arithmetic(rule: Rule) -> Option<ArithmeticOp> {
    Some(match rule {
        Rule::op_add => ArithmeticOp::Add,
        Rule::op_sub => ArithmeticOp::Subtract,
        Rule::op_mul => ArithmeticOp::Multiply,
        Rule::op_div => ArithmeticOp::Divide,
        Rule::kw_mod | Rule::habit_mod => ArithmeticOp::Modulo,
        _ => return None,
    })
}

/// The comparison that a sign stands for.
pub(super) fn comparison(rule: Rule) -> Option<CompareOp> {
    Some(match rule {
        Rule::op_eq | Rule::habit_eq => CompareOp::Eq,
        Rule::op_ne | Rule::habit_ne => CompareOp::Ne,
        Rule::op_lt => CompareOp::Lt,
        Rule::op_le | Rule::habit_le => CompareOp::Le,
        Rule::op_gt => CompareOp::Gt,
        Rule::op_ge | Rule::habit_ge => CompareOp::Ge,
        _ => return None,
    })
}

/// Which way a comparison goes in a chain; `=` and `!=` go none.
pub(super) fn direction(op: CompareOp) -> Option<bool> {
    match op {
        CompareOp::Lt | CompareOp::Le => Some(true),
        CompareOp::Gt | CompareOp::Ge => Some(false),
        CompareOp::Eq | CompareOp::Ne => None,
    }
}

pub(super) fn sign_of(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "=",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

/// Whether an expression is a test without parentheses around it.
pub(super) fn is_test(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::Between { .. }
            | ExprKind::In { .. }
            | ExprKind::InWindow { .. }
            | ExprKind::TextTest { .. }
            | ExprKind::Matches { .. }
            | ExprKind::Has { .. }
            | ExprKind::Is { .. }
            | ExprKind::Order { .. }
    )
}
