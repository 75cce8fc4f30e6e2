//! Walking over expressions as they are written.

use crate::syntax::ast::{Expr, ExprKind, Into, Name, WindowKind};

/// The direct parts of an expression.
pub(super) fn parts(e: &Expr) -> Vec<&Expr> {
    match &e.kind {
        ExprKind::Error
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::Text(_)
        | ExprKind::Date(_)
        | ExprKind::Timestamp(..)
        | ExprKind::Time(_)
        | ExprKind::Name(_)
        | ExprKind::Qualified(..) => Vec::new(),
        ExprKind::Duration(x, _)
        | ExprKind::Parenthesised(x)
        | ExprKind::Negate(x)
        | ExprKind::Not(x, _)
        | ExprKind::Lookup { key: x, .. }
        | ExprKind::Matches { value: x, .. }
        | ExprKind::Is { value: x, .. }
        | ExprKind::Since { value: x, .. } => vec![x],
        ExprKind::And(parts)
        | ExprKind::Or(parts)
        | ExprKind::Call(_, parts)
        | ExprKind::CountOf { conditions: parts, .. } => parts.iter().collect(),
        ExprKind::Implies(a, b) | ExprKind::OrElse(a, b) | ExprKind::Arithmetic(a, _, _, b) => vec![a, b],
        ExprKind::Order { left, right, .. } => vec![left, right],
        ExprKind::FromTo { from, to, .. } => vec![from, to],
        ExprKind::InWindow { value, amount, .. } => vec![value, amount],
        ExprKind::Between { value, low, high, .. } => vec![value, low, high],
        ExprKind::Compare(first, rest) => {
            std::iter::once(first.as_ref()).chain(rest.iter().map(|(_, _, e)| e)).collect()
        }
        ExprKind::In { value, items, .. }
        | ExprKind::TextTest { value, patterns: items, .. }
        | ExprKind::Has { value, items, .. } => std::iter::once(value.as_ref()).chain(items).collect(),
        ExprKind::Points(arms) => arms.iter().flat_map(|(a, b)| [a, b]).collect(),
        ExprKind::Aggregate(call) => {
            let window = call.window.iter().flat_map(|window| window_parts(&window.kind));
            call.value.iter().chain(&call.source.filter).chain(window).collect()
        }
        ExprKind::Sequence(call) => call
            .steps
            .iter()
            .flat_map(|step| &step.source.filter)
            .chain(call.within.iter().map(|it| &it.0))
            .collect(),
        ExprKind::Score(call) => {
            let into = match &call.into {
                Into::Bins(bins) => std::slice::from_ref(bins),
                Into::Cuts(cuts) => cuts,
            };
            std::iter::once(&call.value).chain(&call.filter).chain(into).collect()
        }
        ExprKind::Population(call) => call.arguments.iter().collect(),
        ExprKind::AsOf(as_of) => vec![&as_of.value, &as_of.amount],
        ExprKind::Case { arms, otherwise } => {
            arms.iter().flat_map(|(a, b)| [a, b]).chain(otherwise.as_deref()).collect()
        }
    }
}

/// The expressions of a window.
pub(super) fn window_parts(window: &WindowKind) -> Vec<&Expr> {
    match window {
        WindowKind::Last { amount, before, .. } => std::iter::once(amount).chain(before).collect(),
        WindowKind::Ago { from, to } => vec![&from.0, &to.0],
        WindowKind::Since(from) => vec![from],
    }
}

/// Calls `visit` on an expression and everything in it. Left-leaning chains of any length are fine.
pub(super) fn each<'a>(e: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
    let mut open = vec![e];
    while let Some(e) = open.pop() {
        visit(e);
        open.extend(parts(e));
    }
}

/// The names that an expression mentions; bare labels are among them.
pub(super) fn names<'a>(e: &'a Expr, found: &mut Vec<&'a Name>) {
    each(e, &mut |e| match &e.kind {
        ExprKind::Name(name) => found.push(name),
        ExprKind::Qualified(_, name) => found.push(name),
        _ => {}
    });
}
