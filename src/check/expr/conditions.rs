//! Conditions: a definite yes or no for every user.

use super::{Checker, spell};
use crate::diagnostic::codes::types as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::written::{Part, Role, Root};
use crate::program::{Expr, NodeId, Quantifier, Type};
use crate::syntax::ast::{self, ExprKind};

impl Checker {
    /// A condition: a bool that is never missing.
    pub(crate) fn condition(&mut self, e: &ast::Expr) -> Option<NodeId> {
        let node = self.condition_of(e)?;
        let named = matches!(e.kind, ExprKind::Name(_) | ExprKind::Qualified(..));
        self.written.parts.push(Part { node, span: e.span, named });
        Some(node)
    }

    /// The condition at the head of a rule or of one of its lines.
    pub(crate) fn whole_condition(&mut self, e: &ast::Expr, role: Role) -> Option<NodeId> {
        let node = self.condition(e)?;
        self.written.roots.push(Root { node, span: e.span, role });
        Some(node)
    }

    fn condition_of(&mut self, e: &ast::Expr) -> Option<NodeId> {
        match &e.kind {
            ExprKind::Parenthesised(inner) => self.condition(inner),
            ExprKind::Not(inner, _) => {
                let inner = self.condition(inner)?;
                Some(self.condition_node(Expr::Not(inner), e.span))
            }
            ExprKind::And(parts) => {
                let parts = self.conditions(parts)?;
                Some(self.condition_node(Expr::And(parts), e.span))
            }
            ExprKind::Or(parts) => {
                let parts = self.conditions(parts)?;
                Some(self.condition_node(Expr::Or(parts), e.span))
            }
            ExprKind::Implies(left, right) => {
                let (left_id, right_id) = (self.condition(left), self.condition(right));
                let not = self.condition_node(Expr::Not(left_id?), left.span);
                Some(self.condition_node(Expr::Or(vec![not, right_id?]), e.span))
            }
            ExprKind::Compare(first, rest) => self.chain(first, rest, e.span),
            ExprKind::Between { value, low, high, negated } => {
                let inside = self.between(value, low, high, e.span)?;
                Some(self.negated_if(*negated, inside, e.span))
            }
            ExprKind::In { value, items, negated } => {
                let inside = self.membership(value, items, e.span)?;
                Some(self.negated_if(*negated, inside, e.span))
            }
            ExprKind::InWindow { value, anniversary, direction, amount, unit, negated } => {
                let inside = self.window(value, *anniversary, *direction, amount, (*unit).into(), e.span)?;
                Some(self.negated_if(*negated, inside, e.span))
            }
            ExprKind::Order { left, before, right } => self.order(left, *before, right, e.span),
            ExprKind::TextTest { value, test, patterns, negated } => {
                let found = self.text_test(value, *test, patterns, e.span)?;
                Some(self.negated_if(*negated, found, e.span))
            }
            ExprKind::Matches { value, pattern, negated } => {
                let found = self.matches(value, pattern, e.span)?;
                Some(self.negated_if(*negated, found, e.span))
            }
            ExprKind::Has { value, kind, items, negated } => {
                let found = self.has(value, *kind, items, e.span)?;
                Some(self.negated_if(*negated, found, e.span))
            }
            ExprKind::Is { value, known } => {
                let id = self.value(value, None)?;
                let test = self.condition_node(Expr::IsKnown(id), e.span);
                Some(self.negated_if(!*known, test, e.span))
            }
            ExprKind::CountOf { quantifier, count, conditions } => {
                self.count_of(*quantifier, *count, conditions, e.span)
            }
            _ => {
                let id = self.value(e, Some(&Type::Bool))?;
                self.truth(id, e)
            }
        }
    }

    /// Several conditions; all are looked at, even where one is at fault.
    fn conditions(&mut self, parts: &[ast::Expr]) -> Option<Vec<NodeId>> {
        let ids: Vec<Option<NodeId>> = parts.iter().map(|part| self.condition(part)).collect();
        ids.into_iter().collect()
    }

    /// A value as a condition: a missing bool is false.
    fn truth(&mut self, id: NodeId, e: &ast::Expr) -> Option<NodeId> {
        let node = self.node(id);
        if node.ty != Type::Bool {
            let (ty, expr) = (node.ty.clone(), node.expr.clone());
            self.not_a_condition(&ty, &expr, e);
            return None;
        }
        if node.expr.is_condition() { Some(id) } else { Some(self.condition_node(Expr::IsTrue(id), e.span)) }
    }

    /// Reports a value where a condition is needed.
    fn not_a_condition(&mut self, ty: &Type, expr: &Expr, e: &ast::Expr) {
        let shown = spell::expression(e);
        let name = match &e.kind {
            ExprKind::Name(name) => name.text.clone(),
            _ => "…".to_owned(),
        };
        let help = match ty {
            _ if matches!(expr, Expr::Constant(_)) => {
                "a rule for everybody is `when true`; otherwise compare a column with this value".to_owned()
            }
            Type::Int | Type::Float | Type::Decimal { .. } => {
                format!("compare it with a number, such as `{name} > 0`, or ask `{name} is known`")
            }
            Type::Text => {
                format!("compare it with a text, such as `{name} = \"…\"`, or ask `{name} is known`")
            }
            Type::Label(id) => {
                let label = self.types.get(id.0 as usize).and_then(|ty| ty.labels.first());
                format!(
                    "compare it with a label: `{name} = {}`",
                    label.map_or(String::new(), |l| spell::label(l))
                )
            }
            Type::Date | Type::Timestamp => {
                format!(
                    "compare it with a date, ask `{name} is known`, or use a window: `{name} in last 30 days`"
                )
            }
            Type::Time => format!("compare it with a time of day: `{name} >= 22:00`"),
            Type::List(_) => format!("ask for an item: `{name} has \"…\"`"),
            Type::Bool => String::new(),
        };
        self.report(
            Diagnostic::new(
                codes::NOT_A_CONDITION,
                e.span,
                format!("a condition is needed here, but {shown} is {}", self.a_type(ty)),
            )
            .help(help),
        );
    }

    /// `at least 2 of (A, B, C)`.
    fn count_of(
        &mut self,
        quantifier: ast::Quantifier,
        (count, at): (ast::Number, Span),
        conditions: &[ast::Expr],
        span: Span,
    ) -> Option<NodeId> {
        let ids = self.conditions(conditions);
        let count = super::literals::trimmed(count);
        let whole = (count.scale == 0).then(|| u32::try_from(count.unscaled).ok()).flatten();
        let Some(count) = whole else {
            self.report(
                Diagnostic::new(
                    codes::NOT_A_LITERAL,
                    at,
                    format!("`{}` is no number of conditions", spell::written(count)),
                )
                .help(format!("write a whole number from 0 to {}", conditions.len())),
            );
            return None;
        };
        let quantifier = match quantifier {
            ast::Quantifier::AtLeast => Quantifier::AtLeast,
            ast::Quantifier::AtMost => Quantifier::AtMost,
            ast::Quantifier::Exactly => Quantifier::Exactly,
        };
        Some(self.condition_node(Expr::CountOf { quantifier, count, conditions: ids? }, span))
    }
}
