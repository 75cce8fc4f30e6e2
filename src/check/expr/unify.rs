//! Several operands, one type: the sides of a comparison, the results of a `case`, the items of
//! `in`. A literal or bare label takes the type of the first operand that has one of its own.

use super::literals::{constant_in, number_of};
use super::{Checker, Resolved, spell};
use crate::check::names::State;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::types as codes;
use crate::program::{Expr, NodeId, Type};
use crate::syntax::ast::{self, ExprKind};

impl Checker {
    /// Evaluates operands that belong together and brings them to one type. `expected` is what the
    /// surroundings want of all of them. `comparison` gives, for each, the operator that it stands
    /// on the right of, for a better message about numbers that do not fit.
    pub(super) fn together(
        &mut self,
        operands: &[&ast::Expr],
        expected: Option<&Type>,
        comparisons: &[Option<ast::CompareOp>],
    ) -> Option<Vec<NodeId>> {
        let mut ids: Vec<Option<NodeId>> = vec![None; operands.len()];
        let mut poisoned = false;
        let mut context = expected.cloned();
        let mut done: Vec<usize> = Vec::with_capacity(operands.len());
        // First what has a type of its own, whatever it is called; then names, which may be labels of that
        // type; then what takes its type from the others.
        for turn in [Turn::Calculations, Turn::Names, Turn::Rest] {
            let mut taken = Vec::new();
            for (at, e) in operands.iter().enumerate() {
                if !done.contains(&at) && self.is_turn_of(turn, e, at, operands, context.as_ref()) {
                    taken.push(at);
                }
            }
            for at in taken {
                let Some(e) = operands.get(at) else { continue };
                done.push(at);
                // Without a type to go by, a label would only be an unknown name: one fault is enough.
                if turn == Turn::Rest && poisoned && context.is_none() {
                    continue;
                }
                let id = self.value(e, context.as_ref());
                poisoned |= id.is_none();
                if context.is_none()
                    && let Some(id) = id
                {
                    context = Some(self.node(id).ty.clone());
                }
                if let Some(place) = ids.get_mut(at) {
                    *place = id;
                }
            }
        }
        if poisoned {
            return None;
        }
        let ids: Vec<NodeId> = ids.into_iter().collect::<Option<_>>()?;
        self.unify(operands, ids, comparisons)
    }

    /// Whether an operand is to be evaluated in this turn, if it was not before.
    fn is_turn_of(
        &mut self,
        turn: Turn,
        e: &ast::Expr,
        at: usize,
        operands: &[&ast::Expr],
        context: Option<&Type>,
    ) -> bool {
        let is_its_kind = match turn {
            Turn::Calculations => name_of(e).is_none(),
            Turn::Names => name_of(e).is_some_and(|name| !self.is_label_of(context, name)),
            Turn::Rest => return true,
        };
        is_its_kind && !self.is_label_beside(at, operands) && !self.needs_context(e)
    }

    /// Whether a name is a label of that type.
    fn is_label_of(&self, ty: Option<&Type>, name: &ast::Name) -> bool {
        matches!(ty, Some(Type::Label(ty)) if self.label_code(*ty, &name.text).is_some())
    }

    /// Whether an operand can only be read by the type of what stands beside it.
    fn needs_context(&mut self, e: &ast::Expr) -> bool {
        match &e.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Error => true,
            ExprKind::Name(name) => matches!(self.resolve(name), Resolved::Unknown) && !is_clock(name),
            ExprKind::Parenthesised(inner) | ExprKind::Negate(inner) => self.needs_context(inner),
            ExprKind::OrElse(value, _) => self.needs_context(value),
            ExprKind::Case { arms, otherwise } => arms
                .iter()
                .map(|(_, value)| value)
                .chain(otherwise.as_deref())
                .all(|value| self.needs_context(value)),
            _ => false,
        }
    }

    /// Whether a name, or all names that an operand may come to, are labels of what stands beside it,
    /// although they are declared as well: there the label wins. Where each could be the other's label,
    /// the left one is the name.
    fn is_label_beside(&mut self, at: usize, operands: &[&ast::Expr]) -> bool {
        let Some(results) = operands.get(at).and_then(|e| results(e)).filter(|names| !names.is_empty())
        else {
            return false;
        };
        (0..operands.len()).filter(|other| *other != at).any(|other| {
            let Some(neighbour) = operands.get(other).and_then(|e| name_of(e)) else { return false };
            results
                .iter()
                .all(|name| self.owns(neighbour, name) && !(at < other && self.owns(name, neighbour)))
        })
    }

    /// Whether a declared attribute's labelled type has this label.
    fn owns(&mut self, attribute: &ast::Name, label: &ast::Name) -> bool {
        // A rule that bears a label's name may compare with that label: it does not need itself.
        let state = self.names.values.get(&attribute.text).map(|symbol| symbol.state);
        if matches!(state, Some(State::Open(_))) {
            return false;
        }
        let Resolved::Node(id) = self.resolve(attribute) else { return false };
        match self.node(id).ty {
            Type::Label(ty) => self.label_code(ty, &label.text).is_some(),
            _ => false,
        }
    }

    /// Brings values to one type, or reports the first that clashes.
    fn unify(
        &mut self,
        operands: &[&ast::Expr],
        ids: Vec<NodeId>,
        comparisons: &[Option<ast::CompareOp>],
    ) -> Option<Vec<NodeId>> {
        let mut target: Option<(Type, usize)> = None;
        for (at, id) in ids.iter().enumerate() {
            let node = self.node(*id);
            let (ty, constant) = (node.ty.clone(), matches!(node.expr, Expr::Constant(_)));
            target = match target {
                None => Some((ty, at)),
                Some((current, first)) => {
                    let first_constant =
                        ids.get(first).is_some_and(|id| matches!(self.node(*id).expr, Expr::Constant(_)));
                    match common(&current, first_constant, &ty, constant) {
                        Some(common) => {
                            let anchor = if first_constant && !constant { at } else { first };
                            Some((common, anchor))
                        }
                        None => {
                            self.clash(operands, &ids, first, at);
                            return None;
                        }
                    }
                }
            };
        }
        let (target, _) = target?;
        let mut unified = Vec::with_capacity(ids.len());
        for (at, id) in ids.into_iter().enumerate() {
            let span = operands.get(at).map(|e| e.span)?;
            let comparison = comparisons.get(at).copied().flatten();
            unified.push(self.adapt(id, &target, comparison, span)?);
        }
        Some(unified)
    }

    /// Brings a value to the common type that [`common`] found.
    fn adapt(
        &mut self,
        id: NodeId,
        ty: &Type,
        comparison: Option<ast::CompareOp>,
        span: crate::diagnostic::Span,
    ) -> Option<NodeId> {
        let node = self.node(id);
        if node.ty == *ty {
            return Some(id);
        }
        if let Expr::Constant(value) = &node.expr
            && let Some(number) = number_of(value)
        {
            return match constant_in(number, ty) {
                Some(value) => Some(self.constant_node(value, ty.clone(), span)),
                None => {
                    self.does_not_fit(number, ty, comparison, span);
                    None
                }
            };
        }
        if (&node.ty, ty) == (&Type::Timestamp, &Type::Date) {
            return Some(self.local_date(id, span));
        }
        self.coerce(id, ty, span, "the other side")
    }

    /// Reports two operands whose types do not go together.
    fn clash(&mut self, operands: &[&ast::Expr], ids: &[NodeId], first: usize, second: usize) {
        let (Some(a), Some(b), Some(left), Some(right)) =
            (ids.get(first), ids.get(second), operands.get(first), operands.get(second))
        else {
            return;
        };
        let (a, b) = (self.node(*a).clone(), self.node(*b).clone());
        if let (Type::Label(_), Type::Label(_)) = (&a.ty, &b.ty) {
            self.report(
                Diagnostic::new(
                    codes::DIFFERENT_LABELS,
                    left.span.to(right.span),
                    format!(
                        "{} has labels of `{}` and {} labels of `{}`: two types do not compare",
                        spell::expression(left),
                        self.type_name(&a.ty),
                        spell::expression(right),
                        self.type_name(&b.ty)
                    ),
                )
                .help("if both mean the same, declare one `type` and give it to both"),
            );
            return;
        }
        // The literal is at fault, if one of them is.
        let (culprit, wanted, other) =
            if matches!(a.expr, Expr::Constant(_)) && !matches!(b.expr, Expr::Constant(_)) {
                ((&a, *left), &b, *right)
            } else {
                ((&b, *right), &a, *left)
            };
        let finding = Diagnostic::new(
            codes::TYPE_CLASH,
            culprit.1.span,
            format!(
                "{} is {}, but {} is {}",
                spell::expression(other),
                self.a_type(&wanted.ty),
                spell::expression(culprit.1),
                self.a_type(&culprit.0.ty)
            ),
        );
        let finding = match self.mend_for(&culprit.0.expr, &culprit.0.ty, &wanted.ty) {
            Some(help) => finding.help(help),
            None => finding,
        };
        self.report(finding);
    }
}

/// When an operand is evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Calculations,
    Names,
    Rest,
}

/// The name that an operand is, in parentheses or not.
fn name_of(e: &ast::Expr) -> Option<&ast::Name> {
    match &e.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Parenthesised(inner) => name_of(inner),
        _ => None,
    }
}

/// The names of which one is what an operand comes to, where it can come to nothing but names and texts.
fn results(e: &ast::Expr) -> Option<Vec<&ast::Name>> {
    match &e.kind {
        ExprKind::Name(name) => Some(vec![name]),
        ExprKind::Text(_) => Some(Vec::new()),
        ExprKind::Parenthesised(inner) => results(inner),
        ExprKind::Case { arms, otherwise } => {
            let values = arms.iter().map(|(_, value)| value).chain(otherwise.as_deref());
            values.map(results).collect::<Option<Vec<_>>>().map(|names| names.concat())
        }
        _ => None,
    }
}

/// `now` and `today` have a type of their own.
fn is_clock(name: &ast::Name) -> bool {
    !name.quoted && matches!(name.text.as_str(), "now" | "today")
}

/// The type that two values are brought to. A number literal takes the other's type.
pub(super) fn common(a: &Type, a_constant: bool, b: &Type, b_constant: bool) -> Option<Type> {
    use Type::*;
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Int | Decimal { .. }, Int | Decimal { .. }) if a_constant != b_constant => {
            Some(if a_constant { b.clone() } else { a.clone() })
        }
        (Float, Int | Decimal { .. }) | (Int | Decimal { .. }, Float) => Some(Float),
        (Int | Decimal { .. }, Int | Decimal { .. }) => {
            let (pa, sa) = exact_size(a);
            let (pb, sb) = exact_size(b);
            let scale = sa.max(sb);
            let whole = (pa - sa).max(pb - sb);
            Some(Decimal { precision: (whole + scale).min(38), scale })
        }
        (Date, Timestamp) | (Timestamp, Date) => Some(Date),
        _ => None,
    }
}

/// Digits in all and after the point of an exact number type.
pub(super) fn exact_size(ty: &Type) -> (u8, u8) {
    match ty {
        Type::Decimal { precision, scale } => (*precision, *scale),
        _ => (19, 0),
    }
}
