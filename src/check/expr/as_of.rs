//! `lifecycle as of 30 days ago`: the same value with an earlier `now`.

use super::{Checker, Resolved, spell};
use crate::diagnostic::codes::time as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Expr, NodeId, Type, Unit};
use crate::syntax::ast::{self, ExprKind};
use hashbrown::HashMap;

impl Checker {
    /// The value of a trait, scale, layer or segment as it was.
    pub(super) fn as_of(&mut self, as_of: &ast::AsOf, span: Span) -> Option<NodeId> {
        let unit = Unit::from(as_of.unit);
        let amount = self.in_scope(None, |checker| checker.window_length(&as_of.amount));
        let id = match &as_of.value.kind {
            ExprKind::Name(name) if self.scope.is_none() => match self.resolve(name) {
                Resolved::Unknown => {
                    self.unknown_name(name, &[]);
                    None
                }
                Resolved::Poisoned => None,
                Resolved::Node(id) => Some(id),
            },
            ExprKind::Qualified(qualifier, name) => self.qualified(qualifier, name),
            ExprKind::Error => None,
            _ => {
                self.report(
                    Diagnostic::new(
                        codes::BAD_AS_OF,
                        as_of.value.span,
                        format!("{} has no earlier value of its own", spell::expression(&as_of.value)),
                    )
                    .help("give it a name with `trait … = …`, then write `name as of 30 days ago`"),
                );
                None
            }
        };
        let (id, amount) = (id?, amount?);
        if !self.depends_on_time(id) {
            self.report(
                Diagnostic::new(
                    codes::BAD_AS_OF,
                    span,
                    format!(
                        "{} does not change with time as far as the data tell",
                        spell::expression(&as_of.value)
                    ),
                )
                .help("columns of the user table are as they are today; only dates and events have a past"),
            );
            return None;
        }
        let now = self.now(span);
        let then = self.shift(now, amount, false, unit, span)?;
        let today = self.today(span);
        let that_day = match unit {
            Unit::Hours | Unit::Minutes => self.builder.node(Expr::LocalDate(then), Type::Date, true, span),
            _ => self.shift(today, amount, false, unit, span)?,
        };
        Some(self.earlier(id, then, that_day))
    }

    fn depends_on_time(&self, id: NodeId) -> bool {
        let mut seen = hashbrown::HashSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let expr = &self.node(id).expr;
            if matches!(expr, Expr::Now | Expr::Today) {
                return true;
            }
            if seen.insert(id) {
                open.extend(expr.operands());
            }
        }
        false
    }

    /// The same graph with another `now` and `today`.
    fn earlier(&mut self, root: NodeId, now: NodeId, today: NodeId) -> NodeId {
        let mut done: HashMap<NodeId, NodeId> = HashMap::new();
        let mut open = vec![root];
        while let Some(id) = open.last().copied() {
            let node = self.node(id).clone();
            let waiting: Vec<NodeId> =
                node.expr.operands().into_iter().filter(|operand| !done.contains_key(operand)).collect();
            if done.contains_key(&id) {
                open.pop();
            } else if waiting.is_empty() {
                let moved = match node.expr {
                    Expr::Now => now,
                    Expr::Today => today,
                    expr => {
                        let expr =
                            expr.map_operands(|operand| done.get(&operand).copied().unwrap_or(operand));
                        self.builder.node(expr, node.ty, node.optional, node.place)
                    }
                };
                done.insert(id, moved);
                open.pop();
            } else {
                open.extend(waiting);
            }
        }
        done.get(&root).copied().unwrap_or(root)
    }
}
