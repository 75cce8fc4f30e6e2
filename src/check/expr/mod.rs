//! Typing and lowering of expressions: what was written becomes nodes of the core.
//!
//! Every function gives `None` where something was at fault: it has been reported, and whoever
//! asked says nothing more.

mod aggregates;
mod as_of;
mod calls;
mod cases;
mod compare;
mod conditions;
mod elapsed;
pub(crate) mod literals;
mod numbers;
mod pattern;
mod population;
pub(crate) mod spell;
mod text;
mod time;
mod unify;

pub(super) use aggregates::Selected;

use super::{Checker, Resolved};
use crate::diagnostic::codes::{time as time_codes, types as codes};
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Expr, NodeId, Type, TypeId, Value};
use crate::syntax::ast::{self, ExprKind};

impl Checker {
    /// A value. `expected` is the type that its surroundings want: labels are found by it and
    /// literals take it. The result may still have another type; [`Checker::coerce`] sees to that.
    pub(crate) fn value(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<NodeId> {
        match &e.kind {
            ExprKind::Error => None,
            ExprKind::Parenthesised(inner) => self.value(inner, expected),
            ExprKind::Bool(value) => Some(self.constant_node(Value::Bool(*value), Type::Bool, e.span)),
            ExprKind::Number(number) => self.number(*number, expected, e.span),
            ExprKind::Text(text) => self.text_literal(text, expected, e.span),
            ExprKind::Date(date) => self.date_literal(*date, e.span),
            ExprKind::Timestamp(local, offset) => self.timestamp_literal(*local, *offset, e.span),
            ExprKind::Time(time) => Some(self.time_literal(*time, e.span)),
            ExprKind::Duration(..) => {
                self.report(
                    Diagnostic::new(
                        time_codes::STRAY_DURATION,
                        e.span,
                        format!("{} is a length of time, and a value is needed here", spell::expression(e)),
                    )
                    .help(
                        "leave the unit out where days are counted already (`days since x <= 30`); add a length \
                         of time to a date (`x + 30 days`)",
                    ),
                );
                None
            }
            ExprKind::Name(name) => self.name(name, expected),
            ExprKind::Qualified(qualifier, name) => self.qualified(qualifier, name),
            ExprKind::Lookup { table, key, column } => self.lookup(table, key, column, e.span),
            ExprKind::Negate(inner) => self.negate(inner, expected, e.span),
            ExprKind::OrElse(value, default) => self.or_else(value, default, expected, e.span),
            ExprKind::Arithmetic(left, op, at, right) => self.arithmetic(left, *op, *at, right, e.span),
            ExprKind::Call(name, arguments) => self.call(name, arguments, expected, e.span),
            ExprKind::Since { unit, kind, value } => self.since(*unit, *kind, value, e.span),
            ExprKind::FromTo { unit, from, to } => self.between_moments(*unit, from, to, e.span),
            ExprKind::Points(arms) => self.points(arms, e.span),
            ExprKind::Case { arms, otherwise } => self.case(arms, otherwise.as_deref(), expected, e.span),
            ExprKind::Aggregate(call) => self.aggregate(call, e.span),
            ExprKind::Sequence(call) => self.sequence(call, e.span),
            ExprKind::Score(call) => self.score(call, e.span),
            ExprKind::Population(call) => self.population(call, e.span),
            ExprKind::AsOf(as_of) => self.as_of(as_of, e.span),
            ExprKind::Not(..)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Implies(..)
            | ExprKind::Compare(..)
            | ExprKind::Between { .. }
            | ExprKind::In { .. }
            | ExprKind::InWindow { .. }
            | ExprKind::Order { .. }
            | ExprKind::TextTest { .. }
            | ExprKind::Matches { .. }
            | ExprKind::Has { .. }
            | ExprKind::Is { .. }
            | ExprKind::CountOf { .. } => self.condition(e),
        }
    }

    /// A constant node.
    pub(crate) fn constant_node(&mut self, value: Value, ty: Type, place: Span) -> NodeId {
        self.builder.node(Expr::Constant(value), ty, false, place)
    }

    /// A condition node.
    fn condition_node(&mut self, expr: Expr, place: Span) -> NodeId {
        self.builder.node(expr, Type::Bool, false, place)
    }

    /// The negation where `negated`, else the condition itself.
    fn negated_if(&mut self, negated: bool, condition: NodeId, place: Span) -> NodeId {
        if negated { self.condition_node(Expr::Not(condition), place) } else { condition }
    }

    /// A bare name: a label where a labelled type that owns it is expected, else a name.
    fn name(&mut self, name: &ast::Name, expected: Option<&Type>) -> Option<NodeId> {
        if let Some(id) = self.label_constant(&name.text, expected, name.span) {
            return Some(id);
        }
        match self.resolve(name) {
            Resolved::Node(id) => Some(id),
            Resolved::Poisoned => None,
            Resolved::Unknown => self.unresolved(name, expected),
        }
    }

    /// A name that is declared nowhere: `now`, `today`, a label of the wrong type, or unknown.
    fn unresolved(&mut self, name: &ast::Name, expected: Option<&Type>) -> Option<NodeId> {
        if !name.quoted && name.text == "now" {
            return Some(self.builder.node(Expr::Now, Type::Timestamp, false, name.span));
        }
        if !name.quoted && name.text == "today" {
            return Some(self.builder.node(Expr::Today, Type::Date, false, name.span));
        }
        match (expected, self.scope) {
            (Some(Type::Label(ty)), _) => self.unknown_label(*ty, &name.text, name.span),
            (_, Some(table)) => self.unknown_event_column(table, name),
            _ => self.unknown_name(name, &[]),
        }
        None
    }

    /// The constant of a label, where the expected type owns it.
    fn label_constant(&mut self, text: &str, expected: Option<&Type>, place: Span) -> Option<NodeId> {
        let Some(Type::Label(ty)) = expected else { return None };
        let code = self.label_code(*ty, text)?;
        Some(self.constant_node(Value::Label(code), Type::Label(*ty), place))
    }

    /// Reports a label that the type does not have.
    pub(crate) fn unknown_label(&mut self, ty: TypeId, text: &str, span: Span) {
        let Some(expected) = self.types.get(ty.0 as usize) else { return };
        let other = self
            .types
            .iter()
            .find(|other| *other != expected && other.labels.iter().any(|label| label == text));
        let labels = spell::list(expected.labels.iter().map(String::as_str));
        let diagnostic = match other {
            Some(other) => Diagnostic::new(
                codes::LABEL_OF_ANOTHER_TYPE,
                span,
                format!("`{text}` is a label of `{}`, not of `{}`", other.name, expected.name),
            )
            .help(format!("`{}` has the labels {labels}", expected.name)),
            None => {
                let finding = Diagnostic::new(
                    codes::UNKNOWN_LABEL,
                    span,
                    format!("`{}` has no label `{text}`", expected.name),
                );
                match spell::nearest(text, expected.labels.iter().map(String::as_str)) {
                    Some(nearest) => finding
                        .help(format!("did you mean `{nearest}`? its labels are {labels}"))
                        .fix(span, spell::label(nearest)),
                    None => finding.help(format!("its labels are {labels}")),
                }
            }
        };
        self.report(diagnostic);
    }

    /// `users.age`, `value.r`, and among an event table's columns `orders.amount`.
    fn qualified(&mut self, qualifier: &ast::Name, name: &ast::Name) -> Option<NodeId> {
        if let Some(found) = self.rfm_name(qualifier, name) {
            return match found {
                Resolved::Node(id) => Some(id),
                Resolved::Poisoned | Resolved::Unknown => None,
            };
        }
        if let Some(table) = self.events.iter().position(|events| events.table.name == qualifier.text) {
            return self.qualified_event(table, qualifier, name);
        }
        let of_users = self.users.as_ref().is_some_and(|users| users.name == qualifier.text);
        match of_users.then(|| self.resolve_of_user(name)) {
            Some(Resolved::Node(id)) => Some(id),
            Some(Resolved::Poisoned) => None,
            Some(Resolved::Unknown) => {
                self.unknown_name(name, &[]);
                None
            }
            None => {
                if let Some(lookup) = self.lookups.iter().find(|lookup| lookup.name == qualifier.text) {
                    let (table, key) =
                        (lookup.name.clone(), lookup.columns.get(lookup.key).map(|c| c.name.clone()));
                    self.report(
                        Diagnostic::new(
                            codes::WRONG_ARGUMENTS,
                            qualifier.span,
                            format!("`{table}` is a lookup, so it has to be said which row is meant"),
                        )
                        .help(format!(
                            "write `{table}[{}].{}`",
                            key.unwrap_or_default(),
                            name.text
                        )),
                    );
                } else if !matches!(self.resolve_of_user(qualifier), Resolved::Poisoned) {
                    let users = self.users.as_ref().map(|users| users.name.clone());
                    self.unknown_name(qualifier, &users.into_iter().collect::<Vec<_>>());
                }
                None
            }
        }
    }

    /// `orders.amount`: a column of the table in whose scope we are.
    fn qualified_event(&mut self, table: usize, qualifier: &ast::Name, name: &ast::Name) -> Option<NodeId> {
        if self.scope != Some(table) {
            self.report(
                Diagnostic::new(
                    codes::WRONG_ARGUMENTS,
                    qualifier.span.to(name.span),
                    format!("`{}` are events, many for one user", qualifier.text),
                )
                .help(format!(
                    "sum them up, such as `sum({1} of {0})` or `last({1} of {0})`",
                    qualifier.text, name.text
                )),
            );
            return None;
        }
        match self.event_column(table, name) {
            Resolved::Node(id) => Some(id),
            Resolved::Poisoned => None,
            Resolved::Unknown => {
                self.unknown_event_column(table, name);
                None
            }
        }
    }

    /// `baby[week].length_cm`.
    fn lookup(
        &mut self,
        table: &ast::Name,
        key: &ast::Expr,
        column: &ast::Name,
        span: Span,
    ) -> Option<NodeId> {
        let Some(lookup) = self.resolve_lookup(table) else {
            // The key's own faults are still worth saying.
            self.value(key, None);
            return None;
        };
        let facts = self.lookups.get(lookup)?;
        let key_type = facts.columns.get(facts.key)?.ty.clone();
        let found = facts.columns.iter().position(|known| known.name == column.text);
        let column_type = found.and_then(|at| facts.columns.get(at)).map(|column| column.ty.clone());
        let names: Vec<String> = facts.columns.iter().map(|column| column.name.clone()).collect();
        let key_id = self
            .value(key, Some(&key_type))
            .and_then(|id| self.coerce(id, &key_type, key.span, &format!("the key of `{}`", table.text)));
        let (Some(at), Some(ty)) = (found, column_type) else {
            self.unknown_column(table, column, &names);
            return None;
        };
        Some(self.builder.node(Expr::Lookup { lookup, column: at, key: key_id? }, ty, true, span))
    }

    /// Reports a column that a lookup does not have.
    fn unknown_column(&mut self, table: &ast::Name, column: &ast::Name, names: &[String]) {
        let known = spell::list(names.iter().map(String::as_str));
        let finding = Diagnostic::new(
            crate::diagnostic::codes::types::WRONG_ARGUMENTS,
            column.span,
            format!("the lookup `{}` has no column `{}`", table.text, column.text),
        );
        let finding = match spell::nearest(&column.text, names.iter().map(String::as_str)) {
            Some(nearest) => finding
                .help(format!("did you mean `{nearest}`? its columns are {known}"))
                .fix(column.span, spell::label(nearest)),
            None => finding.help(format!("its columns are {known}")),
        };
        self.report(finding);
    }
}
