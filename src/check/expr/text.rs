//! Tests of texts and lists.

use super::{Checker, spell};
use crate::diagnostic::codes::types as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{CompareOp, Expr, NodeId, TextTest, Type, TypeId, Value};
use crate::syntax::ast;

impl Checker {
    /// A value as a text: a labelled one gives its label.
    pub(super) fn text(&mut self, e: &ast::Expr, what: &str) -> Option<NodeId> {
        let id = self.value(e, None)?;
        let node = self.node(id);
        let (ty, optional) = (node.ty.clone(), node.optional);
        match ty {
            Type::Text => Some(id),
            Type::Label(label_type) => Some(self.label_text(id, label_type, optional, e.span)),
            _ => {
                let finding = Diagnostic::new(
                    codes::WRONG_TYPE,
                    e.span,
                    format!("{what} works on texts, but {} is {}", spell::expression(e), self.a_type(&ty)),
                );
                self.report(match ty {
                    Type::List(_) => finding.help("ask for an item of a list with `has`"),
                    Type::Bool => finding.help("write the condition itself"),
                    _ => finding.help("compare it with `=`, `<`, `between` or `in`"),
                });
                None
            }
        }
    }

    /// The label of a labelled value as a text, case by case.
    pub(crate) fn label_text(&mut self, id: NodeId, ty: TypeId, optional: bool, span: Span) -> NodeId {
        let labels = self.types.get(ty.0 as usize).map(|ty| ty.labels.clone()).unwrap_or_default();
        let mut arms = Vec::with_capacity(labels.len());
        for (code, label) in (0..).zip(labels) {
            let constant = self.constant_node(Value::Label(code), Type::Label(ty), span);
            let is = self.compare_nodes(CompareOp::Eq, id, constant, span);
            arms.push((is, self.constant_node(Value::Text(label.into()), Type::Text, span)));
        }
        self.builder.node(Expr::Case { arms, otherwise: None }, Type::Text, optional, span)
    }

    /// `x contains ("a", "b")`.
    pub(super) fn text_test(
        &mut self,
        value: &ast::Expr,
        test: ast::TextTest,
        patterns: &[ast::Expr],
        span: Span,
    ) -> Option<NodeId> {
        let (test, word) = match test {
            ast::TextTest::Contains => (TextTest::Contains, "`contains`"),
            ast::TextTest::StartsWith => (TextTest::StartsWith, "`starts with`"),
            ast::TextTest::EndsWith => (TextTest::EndsWith, "`ends with`"),
        };
        let text = self.text(value, word);
        let patterns: Vec<Option<NodeId>> = patterns.iter().map(|e| self.pattern_text(e, word)).collect();
        let (text, patterns) = (text?, patterns.into_iter().collect::<Option<Vec<_>>>()?);
        let tests: Vec<NodeId> = patterns
            .into_iter()
            .map(|pattern| self.condition_node(Expr::TextTest { test, text, pattern }, span))
            .collect();
        self.any_of(tests, span)
    }

    /// What is looked for: a text.
    fn pattern_text(&mut self, e: &ast::Expr, word: &str) -> Option<NodeId> {
        let id = self.value(e, Some(&Type::Text))?;
        if self.node(id).ty == Type::Text {
            return Some(id);
        }
        let found = self.node(id).ty.clone();
        self.report(
            Diagnostic::new(
                codes::WRONG_TYPE,
                e.span,
                format!("{word} looks for a text, but {} is {}", spell::expression(e), self.a_type(&found)),
            )
            .help("write it in quotes"),
        );
        None
    }

    /// One of several conditions.
    fn any_of(&mut self, tests: Vec<NodeId>, span: Span) -> Option<NodeId> {
        match tests.as_slice() {
            [] => None,
            [one] => Some(*one),
            _ => Some(self.condition_node(Expr::Or(tests), span)),
        }
    }

    /// `x matches "regex"`.
    pub(super) fn matches(&mut self, value: &ast::Expr, pattern: &ast::Text, span: Span) -> Option<NodeId> {
        let text = self.text(value, "`matches`");
        if let Err(error) = regex::Regex::new(&pattern.value) {
            self.bad_pattern(pattern, &error);
            return None;
        }
        Some(self.condition_node(Expr::Matches { text: text?, pattern: pattern.value.clone() }, span))
    }

    /// Reports a regular expression that is none.
    fn bad_pattern(&mut self, pattern: &ast::Text, error: &regex::Error) {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The library draws the pattern first; its last line says what is wrong.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or("");
                last.trim().trim_start_matches("error: ").to_owned()
            }
        };
        let finding = Diagnostic::new(
            codes::BAD_PATTERN,
            pattern.span,
            format!("this regular expression cannot be read: {reason}"),
        );
        self.report(if reason.contains("look-around") || reason.contains("backreference") {
            finding.help("write it as two tests, such as `matches \"a\" and not matches \"b\"`")
        } else {
            finding.help(
                "put a backslash before a character that is meant as itself, such as `\\\\(` or `\\\\.`",
            )
        });
    }

    /// `tags has any ("a", "b")`.
    pub(super) fn has(
        &mut self,
        value: &ast::Expr,
        kind: ast::HasKind,
        items: &[ast::Expr],
        span: Span,
    ) -> Option<NodeId> {
        let list = self.value(value, None)?;
        let Type::List(item_type) = self.node(list).ty.clone() else {
            let ty = self.node(list).ty.clone();
            let finding = Diagnostic::new(
                codes::WRONG_TYPE,
                value.span,
                format!("`has` works on lists, but {} is {}", spell::expression(value), self.a_type(&ty)),
            );
            self.report(match ty {
                Type::Text => finding.help("look for a part of a text with `contains`"),
                _ => finding.help("compare it with `=` or `in`"),
            });
            return None;
        };
        let ids: Vec<Option<NodeId>> = items
            .iter()
            .map(|item| {
                let id = self.value(item, Some(&item_type))?;
                self.coerce(id, &item_type, item.span, "an item of the list")
            })
            .collect();
        let tests: Vec<NodeId> = ids
            .into_iter()
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .map(|item| self.condition_node(Expr::Has { list, item }, span))
            .collect();
        match (kind, tests.len()) {
            (ast::HasKind::All, 2..) => Some(self.condition_node(Expr::And(tests), span)),
            _ => self.any_of(tests, span),
        }
    }
}
