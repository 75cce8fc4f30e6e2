//! The lines of a grid and their patterns.

use super::ast::{CompareOp, Expr, ExprKind, GridLine, Heading, Name, Pattern, PatternKind};
use super::build::{Builder, Node};
use super::grammar::Rule;
use super::operators::comparison;

impl Builder<'_> {
    /// A line of a grid.
    pub fn grid_line(&self, node: Node) -> GridLine {
        let span = self.span(&node);
        let mut line = GridLine {
            patterns: Vec::new(),
            otherwise: None,
            member: Name { text: String::new(), span, quoted: false },
            heading: Heading::default(),
            docs: self.docs(span),
            span,
        };
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::kw_otherwise => line.otherwise = Some(place),
                Rule::habit_else => {
                    self.habit_word(&part, "otherwise");
                    line.otherwise = Some(place);
                }
                Rule::pattern_list => {
                    line.patterns = part
                        .into_inner()
                        .filter(|inner| inner.as_rule() == Rule::pattern)
                        .map(|inner| self.pattern(inner))
                        .collect();
                }
                Rule::habit_ge => self.habit(place, "the arrow to a member is `->`".to_owned(), "->"),
                Rule::grid_named => (line.member, line.heading) = self.named(part),
                Rule::properties => line.heading.properties = self.properties(part),
                Rule::trailing_comma => self.no_comma(place, "lines"),
                _ => {}
            }
        }
        line
    }

    fn pattern(&self, node: Node) -> Pattern {
        let span = self.span(&node);
        let mut alternatives = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::alternative => {
                    alternatives.extend(part.into_inner().next().map(|inner| self.alternative(inner)))
                }
                Rule::habit_or | Rule::kw_or => {
                    self.habit(
                        self.span(&part),
                        format!("`{}` is written `|` between labels", part.as_str()),
                        "|",
                    );
                }
                _ => {}
            }
        }
        if alternatives.len() == 1
            && let Some(only) = alternatives.pop()
        {
            return only;
        }
        Pattern { kind: PatternKind::AnyOf(alternatives), span }
    }

    fn alternative(&self, node: Node) -> Pattern {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::anything => {
                if node.as_str().starts_with('*') {
                    self.habit(span, "`*` is written `_` in a pattern".to_owned(), "_");
                }
                PatternKind::Anything
            }
            Rule::kw_missing => PatternKind::Missing,
            Rule::bound => {
                let mut op = CompareOp::Eq;
                let mut value = Expr { kind: ExprKind::Error, span };
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::operand_value => value = self.operand_value(part),
                        rule => op = comparison(rule).unwrap_or(op),
                    }
                }
                PatternKind::Bound(op, value)
            }
            _ => {
                let mut values = node
                    .into_inner()
                    .filter(|part| part.as_rule() == Rule::operand_value)
                    .map(|part| self.operand_value(part));
                match (values.next(), values.next()) {
                    (Some(low), Some(high)) => PatternKind::Range(low, high),
                    (Some(value), None) => PatternKind::Value(value),
                    _ => PatternKind::Value(Expr { kind: ExprKind::Error, span }),
                }
            }
        };
        Pattern { kind, span }
    }

    /// A literal or name in a pattern, with its sign.
    fn operand_value(&self, node: Node) -> Expr {
        let span = self.span(&node);
        let mut negative = false;
        let mut value = Expr { kind: ExprKind::Error, span };
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::negative => negative = true,
                Rule::name => value = Expr { span: self.span(&part), kind: ExprKind::Name(self.name(&part)) },
                _ => value = self.primary(part),
            }
        }
        if negative { Expr { kind: ExprKind::Negate(Box::new(value)), span } } else { value }
    }
}
