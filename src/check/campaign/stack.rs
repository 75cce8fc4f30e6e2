//! Stacks: a layer refined step by step.

use super::Subject;
use crate::check::Checker;
use crate::check::expr::spell;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::tests as codes;
use crate::program::{
    DeclarationKind, Expr, NodeId, Stack, StackStep, TextArm, TextFormat, TextPart, Type, TypeId, Value,
};
use crate::semantics::wording;
use crate::syntax::ast::{self, ExprKind};

impl Checker {
    /// `stack NAME on LAYER { … }`: the path of each user as a text.
    pub(in crate::check) fn stack(&mut self, written: &ast::Stack) -> Option<(NodeId, DeclarationKind)> {
        let subject = self.subject(&written.base, "a stack refines", "a layer or grid");
        let (value, ty, base) = match subject {
            Some((Subject::Layer(value, ty), base)) => (value, ty, base),
            Some((Subject::Stack(_), _)) => {
                self.not_of(&written.base, "a stack refines", "a stack itself", "a layer or grid");
                return None;
            }
            Some((Subject::Segment(_), _)) => {
                self.not_of(&written.base, "a stack refines", "a segment", "a layer or grid");
                return None;
            }
            None => {
                for e in written.lines.iter().flat_map(|line| &line.dimensions) {
                    self.step(e);
                }
                return None;
            }
        };
        let members = self.types.get(ty.0 as usize).map(|ty| ty.labels.clone()).unwrap_or_default();
        let paths = self.paths(written, ty, &members)?;
        let mut arms = Vec::new();
        for (code, (member, steps)) in (0_u32..).zip(members.iter().zip(&paths)) {
            let condition = self.is_label(value, ty, code, written.name.span);
            let parts = self.path_parts(member, steps);
            arms.push(TextArm { condition, parts });
        }
        let optional = self.node(value).optional;
        let text = self.builder.node(Expr::Texts(arms), Type::Text, optional, written.name.span);
        Some((text, DeclarationKind::Stack(Stack { base, value, paths })))
    }

    /// By member of the base: its steps.
    fn paths(&mut self, written: &ast::Stack, ty: TypeId, members: &[String]) -> Option<Vec<Vec<StackStep>>> {
        let plain = |name: &ast::Name, word: &str| !name.quoted && name.text == word;
        let named: Vec<&str> =
            written.lines.iter().flat_map(|line| &line.members).map(|name| name.text.as_str()).collect();
        let mut paths: Vec<Vec<StackStep>> = vec![Vec::new(); members.len()];
        let mut sound = true;
        for line in &written.lines {
            let steps: Vec<Option<StackStep>> = line.dimensions.iter().map(|e| self.step(e)).collect();
            sound &= steps.iter().all(Option::is_some);
            let word = line.members.iter().find(|name| plain(name, "all") || plain(name, "others"));
            let takes: Vec<usize> = match word {
                Some(word) if line.members.len() > 1 => {
                    self.report(
                        Diagnostic::new(
                            codes::BAD_STACK,
                            word.span,
                            format!("`{}` stands alone before its `by`", word.text),
                        )
                        .help("write the members on a line of their own"),
                    );
                    sound = false;
                    continue;
                }
                Some(word) if word.text == "all" => (0..members.len()).collect(),
                Some(word) => {
                    let rest: Vec<usize> =
                        (0..members.len()).filter(|at| !named.contains(&members_at(members, *at))).collect();
                    if rest.is_empty() {
                        self.report(
                            Diagnostic::new(
                                codes::BAD_STACK,
                                word.span,
                                "no member is left for `others`: other lines name all of them",
                            )
                            .help("delete this line, or write `all` to add a step to everybody's path"),
                        );
                        sound = false;
                    }
                    rest
                }
                None => {
                    let mut takes = Vec::new();
                    for name in &line.members {
                        match members.iter().position(|member| *member == name.text) {
                            Some(at) => takes.push(at),
                            None => {
                                self.unknown_label(ty, &name.text, name.span);
                                sound = false;
                            }
                        }
                    }
                    takes
                }
            };
            for at in takes {
                for step in steps.iter().flatten() {
                    sound &= self.add_step(&mut paths, at, step, written, members);
                }
            }
        }
        sound.then_some(paths)
    }

    /// Adds a step to a member's path; no dimension stands in it twice.
    fn add_step(
        &mut self,
        paths: &mut [Vec<StackStep>],
        at: usize,
        step: &StackStep,
        written: &ast::Stack,
        members: &[String],
    ) -> bool {
        let Some(path) = paths.get_mut(at) else { return false };
        let before = path.iter().find(|known| known.value == step.value).map(|known| known.place);
        if before.is_none() && step.name != written.base.text {
            path.push(step.clone());
            return true;
        }
        let member = members_at(members, at);
        self.report(
            Diagnostic::new(
                codes::BAD_STACK,
                step.place,
                format!("`{}` stands in the path of `{member}` already", step.name),
            )
            .label(before.unwrap_or(written.base.span), "it is here")
            .help("divide by each dimension once"),
        );
        false
    }

    /// A dimension of a stack: what has labels, or a segment.
    fn step(&mut self, e: &ast::Expr) -> Option<StackStep> {
        let name = match &e.kind {
            ExprKind::Error => return None,
            ExprKind::Name(name) => name.text.clone(),
            ExprKind::Qualified(qualifier, name) => format!("{}.{}", qualifier.text, name.text),
            _ => {
                self.not_a_step(e, "a calculation".to_owned());
                return None;
            }
        };
        let value = self.value(e, None)?;
        let declared = self.declared_as(&name, value);
        if let Some(declared) = declared
            && matches!(declared.kind, DeclarationKind::Segment)
        {
            let members = vec![declared.heading.name.clone()];
            return Some(StackStep { name, value, members, place: e.span });
        }
        match self.node(value).ty.clone() {
            Type::Label(ty) => {
                let members = self.types.get(ty.0 as usize).map(|ty| ty.labels.clone()).unwrap_or_default();
                Some(StackStep { name, value, members, place: e.span })
            }
            ty => {
                let what = self.a_type(&ty);
                self.not_a_step(e, what);
                None
            }
        }
    }

    fn not_a_step(&mut self, e: &ast::Expr, what: String) {
        self.report(
            Diagnostic::new(
                codes::BAD_STACK,
                e.span,
                format!("a stack divides by what has labels, and {} is {what}", spell::expression(e)),
            )
            .help("name a layer, grid, scale, labelled column or segment; make a layer of numbers first"),
        );
    }

    /// The text of a path: the member, then each step.
    fn path_parts(&mut self, member: &str, steps: &[StackStep]) -> Vec<TextPart> {
        let mut literal = String::new();
        wording::step(&mut literal, member);
        let mut parts = Vec::new();
        for step in steps {
            literal.push(wording::BETWEEN_STEPS);
            parts.push(TextPart::Literal(std::mem::take(&mut literal)));
            parts.push(TextPart::Value(self.step_text(step), TextFormat::Step));
        }
        if !literal.is_empty() {
            parts.push(TextPart::Literal(literal));
        }
        parts
    }

    /// A step's value as a text: the label, or the segment's name.
    fn step_text(&mut self, step: &StackStep) -> NodeId {
        let node = self.node(step.value);
        let (ty, optional) = (node.ty.clone(), node.optional);
        match ty {
            Type::Label(ty) => self.label_text(step.value, ty, optional, step.place),
            _ => {
                let name = step.members.first().cloned().unwrap_or_default();
                let text = self.constant_node(Value::Text(name.into()), Type::Text, step.place);
                let arms = vec![(step.value, text)];
                self.builder.node(Expr::Case { arms, otherwise: None }, Type::Text, true, step.place)
            }
        }
    }

    /// Whether a user may have no value at a step.
    pub(super) fn step_optional(&self, step: &StackStep) -> bool {
        let node = self.node(step.value);
        node.optional || node.ty == Type::Bool
    }
}

fn members_at(members: &[String], at: usize) -> &str {
    members.get(at).map_or("", String::as_str)
}
