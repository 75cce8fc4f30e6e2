//! Layers and grids: partitions of the users.

use super::Checker;
use crate::diagnostic::codes::names as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::written::{Role, Root};
use crate::program::{DeclarationKind, Expr, Heading, Layer, Line, NodeId, Type};
use crate::syntax::ast::{self, MemberCondition};

impl Checker {
    /// `layer NAME { … }`.
    pub(super) fn layer(&mut self, written: &ast::Layer) -> Option<(NodeId, DeclarationKind)> {
        self.otherwise_last(&written.members);
        if let Some(ast::Member { condition: MemberCondition::Otherwise(span), .. }) = written.members.last()
        {
            self.partial_with_otherwise(written.mode, *span);
        }
        let mut members: Vec<Heading> = Vec::new();
        let mut kept = Vec::new();
        for member in &written.members {
            self.member_name(&member.name);
            if let Some(first) = members.iter().find(|known| known.name == member.name.text) {
                let first = first.place;
                self.report(
                    Diagnostic::new(
                        codes::DECLARED_TWICE,
                        member.name.span,
                        format!("the member `{}` stands twice", member.name.text),
                    )
                    .label(first, "the first one is here")
                    .help("join both conditions with `or`, or give one of them another name"),
                );
                if let MemberCondition::When(condition) = &member.condition {
                    self.condition(condition);
                }
                continue;
            }
            let heading = self.heading(&member.name, &member.heading, member.docs.clone());
            members.push(heading);
            kept.push(member);
        }
        let names = members.iter().map(|member| member.name.clone()).collect();
        let ty = self.add_label_type(&written.name.text, names, false);
        let mut lines = Vec::new();
        for (code, member) in kept.into_iter().enumerate() {
            let condition = self.member_condition(member);
            let member_code = u32::try_from(code).unwrap_or(u32::MAX);
            lines.push(Line { member: member_code, condition, place: member.span });
        }
        let value = self.first_match(&lines, Type::Label(ty), written.name.span);
        let layer = Layer {
            grid: false,
            first_match: written.mode.first_match.is_some(),
            partial: written.mode.partial.is_some(),
            ty,
            members,
            lines,
        };
        Some((value, DeclarationKind::Layer(layer)))
    }

    /// A member's name is checked like a segment's, and is no built-in type's.
    pub(super) fn member_name(&mut self, name: &ast::Name) {
        self.reserved_name(name);
        if !name.quoted && super::types::is_built_in(&name.text) {
            self.report(
                Diagnostic::new(codes::RESERVED, name.span, format!("`{}` is a built-in type", name.text))
                    .help(format!(
                        "give the member another name, or write it in backquotes: `` `{}` ``",
                        name.text
                    )),
            );
        }
    }

    /// `partial` leaves users out, `otherwise` takes them all.
    fn partial_with_otherwise(&mut self, mode: ast::LayerMode, otherwise: Span) {
        if let Some(partial) = mode.partial {
            self.report(
                Diagnostic::new(
                    codes::BAD_MEMBERS,
                    partial,
                    "`partial` leaves users out, and `otherwise` takes everybody who is left",
                )
                .label(otherwise, "`otherwise` stands here")
                .help("keep one of the two"),
            );
        }
    }

    /// `grid NAME by A, B { … }`: a layer whose conditions are patterns.
    pub(super) fn grid(&mut self, written: &ast::Grid) -> Option<(NodeId, DeclarationKind)> {
        let dimensions: Vec<Option<NodeId>> = written.dimensions.iter().map(|e| self.dimension(e)).collect();
        if written.dimensions.len() < 2 {
            let place = written.dimensions.first().map_or(written.name.span, |e| e.span);
            self.report(
                Diagnostic::new(codes::GRID_SHAPE, place, "a grid crosses two or more dimensions")
                    .help("divide by one dimension with a `layer`"),
            );
        }
        let mut members: Vec<Heading> = Vec::new();
        let mut lines = Vec::new();
        let count = written.lines.len();
        for (at, line) in written.lines.iter().enumerate() {
            self.member_name(&line.member);
            let member = self.grid_member(line, &mut members);
            let condition = match line.otherwise {
                Some(span) => {
                    if at + 1 < count {
                        self.not_last(span);
                    } else {
                        self.partial_with_otherwise(written.mode, span);
                    }
                    None
                }
                None => {
                    Some(self.grid_line(line, &dimensions, written).unwrap_or_else(|| self.never(line.span)))
                }
            };
            lines.push(Line { member, condition, place: line.span });
        }
        let names = members.iter().map(|member| member.name.clone()).collect();
        let ty = self.add_label_type(&written.name.text, names, false);
        let value = self.first_match(&lines, Type::Label(ty), written.name.span);
        let layer = Layer {
            grid: true,
            first_match: written.mode.first_match.is_some(),
            partial: written.mode.partial.is_some(),
            ty,
            members,
            lines,
        };
        Some((value, DeclarationKind::Layer(layer)))
    }

    /// A dimension: a value with labels, yes or no, or numbers to make ranges of.
    fn dimension(&mut self, e: &ast::Expr) -> Option<NodeId> {
        let id = self.value(e, None)?;
        let ty = self.node(id).ty.clone();
        if matches!(ty, Type::List(_)) {
            self.report(
                Diagnostic::new(codes::GRID_SHAPE, e.span, "a list cannot be a dimension")
                    .help("make a segment of what it should have, `segment vip when tags has \"vip\"`, and cross by that"),
            );
            return None;
        }
        Some(id)
    }

    /// The code of a line's member: it may stand on several lines, with one label.
    fn grid_member(&mut self, line: &ast::GridLine, members: &mut Vec<Heading>) -> u32 {
        let heading = self.heading(&line.member, &line.heading, line.docs.clone());
        let at = members.iter().position(|known| known.name == heading.name);
        let at = match at {
            None => {
                members.push(heading);
                members.len() - 1
            }
            Some(at) => {
                if let Some(known) = members.get_mut(at) {
                    match (&known.label, &heading.label) {
                        (Some(first), Some(second)) if first != second => {
                            let place = known.place;
                            let label =
                                line.heading.label.as_ref().map_or(line.member.span, |label| label.span);
                            self.report(
                                Diagnostic::new(
                                    codes::DECLARED_TWICE,
                                    label,
                                    format!("`{}` has another label already", heading.name),
                                )
                                .label(place, "the first one is here")
                                .help("give the label once"),
                            );
                        }
                        (None, Some(_)) => known.label = heading.label,
                        _ => {}
                    }
                    if known.docs.is_none() {
                        known.docs = heading.docs;
                    }
                    if known.properties.is_empty() {
                        known.properties = heading.properties;
                    }
                }
                at
            }
        };
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// All patterns of a line hold.
    fn grid_line(
        &mut self,
        line: &ast::GridLine,
        dimensions: &[Option<NodeId>],
        grid: &ast::Grid,
    ) -> Option<NodeId> {
        if line.patterns.len() != dimensions.len() {
            let names: Vec<String> = grid.dimensions.iter().map(super::expr::spell::expression).collect();
            let place = match (line.patterns.first(), line.patterns.last()) {
                (Some(first), Some(last)) => first.span.to(last.span),
                _ => line.span,
            };
            self.report(
                Diagnostic::new(
                    codes::GRID_SHAPE,
                    place,
                    format!(
                        "this line has {} {}, and the grid has {} dimensions: {}",
                        line.patterns.len(),
                        if line.patterns.len() == 1 { "pattern" } else { "patterns" },
                        dimensions.len(),
                        names.join(", ")
                    ),
                )
                .help("write one for each, with commas between; `_` stands for anything"),
            );
            return None;
        }
        let parts: Vec<Option<NodeId>> = line
            .patterns
            .iter()
            .zip(dimensions)
            .map(|(pattern, dimension)| self.pattern((*dimension)?, pattern))
            .collect();
        let parts: Vec<NodeId> = parts.into_iter().collect::<Option<_>>()?;
        let place = line.patterns.first()?.span.to(line.patterns.last()?.span);
        let telling: Vec<NodeId> = parts
            .iter()
            .copied()
            .filter(|part| !matches!(self.node(*part).expr, Expr::Constant(_)))
            .collect();
        let node = match telling.as_slice() {
            [] => return parts.first().copied(),
            [one] => *one,
            _ => self.builder.node(Expr::And(telling), Type::Bool, false, place),
        };
        self.written.roots.push(Root { node, span: place, role: Role::GridLine });
        Some(node)
    }
}
