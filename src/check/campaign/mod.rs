//! What is done with segments: stacks, plays, splits, tests and guards.

mod guards;
mod play;
mod split;
mod stack;
mod tests;
mod words;

pub(super) use words::play_expressions;

use super::{Checker, Resolved};
use crate::diagnostic::codes::tests as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Declaration, DeclarationKind, Expr, Layer, NodeId, Stack, Type, TypeId, Value};
use crate::syntax::ast;

/// What a stack, play or split is of.
enum Subject {
    /// A layer or grid: its labelled value.
    Layer(NodeId, TypeId),
    /// A stack.
    Stack(Box<Stack>),
    /// A segment's condition.
    Segment(NodeId),
}

impl Checker {
    /// What a name after `on`, `for` or `of` stands for; anything else is reported. `wanted` says what
    /// would fit.
    fn subject(&mut self, name: &ast::Name, what: &str, wanted: &str) -> Option<(Subject, String)> {
        if name.text.is_empty() {
            return None;
        }
        let id = match self.resolve(name) {
            Resolved::Node(id) => id,
            Resolved::Poisoned => return None,
            Resolved::Unknown => {
                self.unknown_name(name, &[]);
                return None;
            }
        };
        let declared = self.declared_as(&name.text, id).cloned();
        let found = match declared.as_ref().map(|declared| &declared.kind) {
            Some(DeclarationKind::Layer(Layer { ty, .. })) => Some(Subject::Layer(id, *ty)),
            Some(DeclarationKind::Stack(stack)) => Some(Subject::Stack(Box::new(stack.clone()))),
            Some(DeclarationKind::Segment) => Some(Subject::Segment(id)),
            _ => None,
        };
        match found {
            Some(found) => {
                Some((found, declared.map_or_else(|| name.text.clone(), |declared| declared.heading.name)))
            }
            None => {
                let kind = self.kind_of(declared.as_ref());
                self.not_of(name, what, kind, wanted);
                None
            }
        }
    }

    fn not_of(&mut self, name: &ast::Name, what: &str, kind: &str, wanted: &str) {
        let finding = Diagnostic::new(
            codes::BAD_BASE,
            name.span,
            format!("{what} {wanted}, and `{}` is {kind}", name.text),
        );
        self.report(match kind {
            "a column" | "a scale" | "a trait" => finding
                .help(format!("make a layer of it first: `layer by_{0} {{ … when {0} = … }}`", name.text)),
            _ => finding.help(format!("name {wanted}")),
        });
    }

    fn kind_of(&self, declared: Option<&Declaration>) -> &'static str {
        match declared.map(|declared| &declared.kind) {
            None => "a column",
            Some(DeclarationKind::Trait) => "a trait",
            Some(DeclarationKind::Scale(_)) => "a scale",
            Some(DeclarationKind::Segment) => "a segment",
            Some(DeclarationKind::Layer(layer)) if layer.grid => "a grid",
            Some(DeclarationKind::Layer(_)) => "a layer",
            Some(DeclarationKind::Stack(_)) => "a stack",
            Some(DeclarationKind::Play(_)) => "a play",
            Some(DeclarationKind::Split(_)) => "a split",
        }
    }

    /// The declaration of a name, or where another name was given to it the one of that value.
    fn declared_as(&self, name: &str, id: NodeId) -> Option<&Declaration> {
        let all = || self.checked.iter().flatten();
        let named = all().find(|declared| declared.heading.name == name);
        named.or_else(|| all().find(|declared| declared.value == id))
    }

    /// A labelled value is one of its labels.
    fn is_label(&mut self, value: NodeId, ty: TypeId, code: u32, place: Span) -> NodeId {
        let label = self.constant_node(Value::Label(code), Type::Label(ty), place);
        self.compare_nodes(crate::program::CompareOp::Eq, value, label, place)
    }

    /// All of some conditions.
    fn all_of(&mut self, conditions: Vec<NodeId>, place: Span) -> NodeId {
        let mut telling: Vec<NodeId> = Vec::new();
        for id in conditions {
            if self.node(id).expr != Expr::Constant(Value::Bool(true)) && !telling.contains(&id) {
                telling.push(id);
            }
        }
        match telling.as_slice() {
            [] => self.constant_node(Value::Bool(true), Type::Bool, place),
            [one] => *one,
            _ => self.builder.node(Expr::And(telling), Type::Bool, false, place),
        }
    }

    /// One of some conditions.
    fn one_of_them(&mut self, conditions: Vec<NodeId>, place: Span) -> NodeId {
        match conditions.as_slice() {
            [one] => *one,
            _ => self.builder.node(Expr::Or(conditions), Type::Bool, false, place),
        }
    }
}
