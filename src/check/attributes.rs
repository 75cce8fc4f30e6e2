//! Attributes of a user: traits, scales, segments, layers, grids, stacks, plays, splits. Each is checked once, before
//! whatever mentions it.

use super::names::State;
use super::{Checker, types, walk};
use crate::diagnostic::codes::{logic, names as codes};
use crate::diagnostic::{Diagnostic, Span};
use crate::program::written::Role;
use crate::program::{Declaration, DeclarationKind, Expr, Heading, Line, NodeId, Type, Value};
use crate::syntax::ast::{self, MemberCondition};
use hashbrown::HashMap;

/// An attribute as written, with its documentation.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub docs: Option<String>,
    pub kind: AttributeKind,
}

#[expect(clippy::large_enum_variant, reason = "a program has few of them, and none is moved around")]
#[derive(Clone, Debug)]
pub(super) enum AttributeKind {
    Trait(ast::Trait),
    Scale(ast::Scale),
    Segment(ast::Segment),
    Layer(ast::Layer),
    Grid(ast::Grid),
    /// A trait of an `rfm`: its full name, the number of the `rfm`, which of its parts.
    RfmPart {
        name: ast::Name,
        number: usize,
        part: usize,
    },
    Stack(ast::Stack),
    Play(ast::Play),
    Split(ast::Split),
}

impl Attribute {
    /// Its name.
    pub(super) fn name(&self) -> &ast::Name {
        match &self.kind {
            AttributeKind::Trait(x) => &x.name,
            AttributeKind::Scale(x) => &x.name,
            AttributeKind::Segment(x) => &x.name,
            AttributeKind::Layer(x) => &x.name,
            AttributeKind::Grid(x) => &x.name,
            AttributeKind::RfmPart { name, .. } => name,
            AttributeKind::Stack(x) => &x.name,
            AttributeKind::Play(x) => &x.name,
            AttributeKind::Split(x) => &x.name,
        }
    }

    /// The expressions that it is made of.
    pub(super) fn expressions(&self) -> Vec<&ast::Expr> {
        fn of(members: &[ast::Member]) -> Vec<&ast::Expr> {
            members
                .iter()
                .filter_map(|member| match &member.condition {
                    MemberCondition::When(e) => Some(e),
                    MemberCondition::Otherwise(_) => None,
                })
                .collect()
        }
        match &self.kind {
            AttributeKind::Trait(x) => vec![&x.value],
            AttributeKind::Scale(x) => of(&x.members),
            AttributeKind::Segment(x) => vec![&x.condition],
            AttributeKind::Layer(x) => of(&x.members),
            AttributeKind::Grid(x) => x.dimensions.iter().collect(),
            AttributeKind::RfmPart { .. } => Vec::new(),
            AttributeKind::Stack(x) => x.lines.iter().flat_map(|line| &line.dimensions).collect(),
            AttributeKind::Play(x) => super::campaign::play_expressions(x),
            AttributeKind::Split(_) => Vec::new(),
        }
    }

    /// The names that it mentions outside of expressions.
    fn mentions(&self) -> Option<&ast::Name> {
        match &self.kind {
            AttributeKind::Stack(x) => Some(&x.base),
            AttributeKind::Play(x) => Some(&x.of),
            AttributeKind::Split(x) => Some(&x.of),
            _ => None,
        }
    }
}

impl Checker {
    /// The order in which attributes are checked: what is mentioned comes first. A label that looks
    /// like a name only makes an edge too many, and a circle is left for [`Checker::resolve`] to
    /// judge.
    pub(super) fn check_order(&self) -> Vec<usize> {
        let numbers: HashMap<&str, usize> = self
            .attributes
            .iter()
            .enumerate()
            .map(|(at, attribute)| (attribute.name().text.as_str(), at))
            .collect();
        let needs = |at: usize| -> Vec<usize> {
            let mut names: Vec<&ast::Name> =
                self.attributes.get(at).and_then(Attribute::mentions).into_iter().collect();
            for e in self.attributes.get(at).map(Attribute::expressions).unwrap_or_default() {
                walk::names(e, &mut names);
            }
            let mut needs: Vec<usize> =
                names.iter().filter_map(|name| numbers.get(name.text.as_str()).copied()).collect();
            needs.sort_unstable();
            needs.dedup();
            needs
        };
        let mut seen = vec![false; self.attributes.len()];
        let mut order = Vec::with_capacity(self.attributes.len());
        for start in 0..self.attributes.len() {
            let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
            if !std::mem::replace(seen.get_mut(start).unwrap_or(&mut true), true) {
                open.push((start, needs(start)));
            }
            while let Some((at, waiting)) = open.last_mut() {
                match waiting.pop() {
                    Some(next) => {
                        if !std::mem::replace(seen.get_mut(next).unwrap_or(&mut true), true) {
                            open.push((next, needs(next)));
                        }
                    }
                    None => {
                        order.push(*at);
                        open.pop();
                    }
                }
            }
        }
        order
    }

    /// Checks one attribute, unless that has happened.
    pub(super) fn check_attribute(&mut self, at: usize) {
        let Some(attribute) = self.attributes.get(at).cloned() else { return };
        let name = attribute.name().clone();
        match self.names.values.get_mut(&name.text) {
            Some(symbol) if symbol.state == State::Waiting(at) => symbol.state = State::Open(at),
            _ => return,
        }
        self.names.open.push((name.text.clone(), name.span));
        let checked = match &attribute.kind {
            AttributeKind::Trait(x) => self.trait_value(x).map(|id| (id, DeclarationKind::Trait)),
            AttributeKind::Scale(x) => self.scale(x),
            AttributeKind::Segment(x) => Some((self.segment(x), DeclarationKind::Segment)),
            AttributeKind::Layer(x) => self.layer(x),
            AttributeKind::Grid(x) => self.grid(x),
            AttributeKind::RfmPart { number, part, .. } => {
                self.rfm_part(*number, *part).map(|id| (id, DeclarationKind::Trait))
            }
            AttributeKind::Stack(x) => self.stack(x),
            AttributeKind::Play(x) => self.play(x),
            AttributeKind::Split(x) => self.split(x),
        };
        self.names.open.pop();
        if let Some(symbol) = self.names.values.get_mut(&name.text) {
            symbol.state = State::Done(checked.as_ref().map(|(id, _)| *id));
        }
        let nothing = ast::Heading::default();
        let heading = match &attribute.kind {
            AttributeKind::Trait(_) | AttributeKind::RfmPart { .. } => &nothing,
            AttributeKind::Scale(x) => &x.heading,
            AttributeKind::Segment(x) => &x.heading,
            AttributeKind::Layer(x) => &x.heading,
            AttributeKind::Grid(x) => &x.heading,
            AttributeKind::Stack(x) => &x.heading,
            AttributeKind::Play(x) => &x.heading,
            AttributeKind::Split(x) => &x.heading,
        };
        let heading = self.heading(&name, heading, attribute.docs);
        if let (Some((value, kind)), Some(place)) = (checked, self.checked.get_mut(at)) {
            *place = Some(Declaration { heading, value, kind });
        }
    }

    /// Label, documentation and properties.
    pub(super) fn heading(
        &mut self,
        name: &ast::Name,
        written: &ast::Heading,
        docs: Option<String>,
    ) -> Heading {
        let mut properties: Vec<(String, String)> = Vec::new();
        for (key, value) in &written.properties {
            if properties.iter().any(|(known, _)| *known == key.text) {
                self.report(Diagnostic::new(
                    codes::DECLARED_TWICE,
                    key.span,
                    format!("`{}` stands twice", key.text),
                ));
                continue;
            }
            let wanted = match key.text.as_str() {
                "expires" => Some(Type::Date),
                "owner" | "because" => Some(Type::Text),
                _ => None,
            };
            let Some((text, constant)) = self.property(value, wanted.as_ref()) else { continue };
            if key.text == "expires"
                && let Value::Date(expires) = constant
                && expires < self.today
            {
                self.report(
                    Diagnostic::new(logic::EXPIRED, value.span, format!("`{}` expired on {text}", name.text))
                        .help("see whether it still holds; then give it a later date or leave it out"),
                );
            }
            properties.push((key.text.clone(), text));
        }
        Heading {
            name: name.text.clone(),
            label: written.label.as_ref().map(|label| label.value.clone()),
            docs,
            properties,
            place: name.span,
        }
    }

    /// A property's literal, as text and as a value.
    fn property(&mut self, e: &ast::Expr, wanted: Option<&Type>) -> Option<(String, Value)> {
        let natural = match &e.kind {
            ast::ExprKind::Date(_) => Type::Date,
            ast::ExprKind::Bool(_) => Type::Bool,
            ast::ExprKind::Timestamp(..) => Type::Timestamp,
            ast::ExprKind::Number(number) if number.scale == 0 => Type::Int,
            ast::ExprKind::Number(_) => Type::Float,
            _ => Type::Text,
        };
        let value = self.constant(e, wanted.unwrap_or(&natural))?;
        let text = match (&e.kind, &value) {
            (_, Value::Text(text)) => text.to_string(),
            (ast::ExprKind::Date(date), _) => date.to_string(),
            (ast::ExprKind::Timestamp(local, _), _) => local.to_string(),
            (ast::ExprKind::Number(number), _) => super::expr::spell::written(*number),
            (ast::ExprKind::Bool(value), _) => value.to_string(),
            _ => String::new(),
        };
        Some((text, value))
    }

    /// `trait NAME : TYPE = EXPR`.
    fn trait_value(&mut self, written: &ast::Trait) -> Option<NodeId> {
        let stated = match &written.ty {
            None => None,
            Some(ty) => {
                let Some(resolved) = self.resolve_type(ty, &written.name.text) else {
                    // The value's own faults are still worth saying.
                    self.value(&written.value, None);
                    return None;
                };
                Some(resolved)
            }
        };
        let id = self.value(&written.value, stated.as_ref().map(|stated| &stated.ty))?;
        let Some(types::Resolved { ty, optional }) = stated else { return Some(id) };
        let id = self.coerce(id, &ty, written.value.span, &format!("`{}`", written.name.text))?;
        if let Some(domain) = &written.domain {
            let domain = self.domain(domain, &ty)?;
            self.constant_in_domain(id, &domain, written.value.span)?;
        }
        if self.node(id).optional && !optional {
            let shown = self.type_name(&ty);
            self.report(
                Diagnostic::new(
                    codes::STATED_TYPE,
                    written.value.span,
                    format!("this may be missing, and `{}` says that it never is", written.name.text),
                )
                .help(format!("write `{shown}?`, or say what to take instead: `… or_else 0`")),
            );
            return None;
        }
        Some(id)
    }

    /// A constant outside its stated domain is a slip; anything else is left to proofs.
    fn constant_in_domain(&mut self, id: NodeId, domain: &crate::program::Domain, span: Span) -> Option<()> {
        let Expr::Constant(Value::Int(value)) = self.node(id).expr else { return Some(()) };
        let outside = |bound: &crate::program::Bound, low: bool| match bound.value {
            Value::Int(end) if low => value < end || value == end && !bound.inclusive,
            Value::Int(end) => value > end || value == end && !bound.inclusive,
            _ => false,
        };
        if domain.low.as_ref().is_some_and(|bound| outside(bound, true))
            || domain.high.as_ref().is_some_and(|bound| outside(bound, false))
        {
            self.report(
                Diagnostic::new(codes::BAD_DOMAIN, span, format!("`{value}` lies outside the stated range"))
                    .help("mend the value or the range"),
            );
            return None;
        }
        Some(())
    }

    /// `segment NAME when EXPR`. At fault it stands for nobody, so that other rules can be checked.
    fn segment(&mut self, written: &ast::Segment) -> NodeId {
        self.reserved_name(&written.name);
        self.whole_condition(&written.condition, Role::Segment)
            .unwrap_or_else(|| self.never(written.condition.span))
    }

    /// A condition that stands in for one that is at fault. The program is not made then.
    pub(super) fn never(&mut self, span: Span) -> NodeId {
        self.poisoned = true;
        self.constant_node(Value::Bool(false), Type::Bool, span)
    }

    /// `all` and `others` mean everybody and the rest.
    pub(super) fn reserved_name(&mut self, name: &ast::Name) {
        if matches!(name.text.as_str(), "all" | "others") {
            self.report(
                Diagnostic::new(
                    codes::RESERVED,
                    name.span,
                    format!("`{}` has a meaning of its own and cannot name a segment or member", name.text),
                )
                .help("give it another name"),
            );
        }
    }

    /// `scale NAME : TYPE { … }`: first match wins.
    fn scale(&mut self, written: &ast::Scale) -> Option<(NodeId, DeclarationKind)> {
        let Some(types::Resolved { ty, .. }) = self.resolve_type(&written.ty, &written.name.text) else {
            for member in &written.members {
                if let MemberCondition::When(condition) = &member.condition {
                    self.condition(condition);
                }
            }
            return None;
        };
        let Type::Label(label_type) = ty else {
            let what = self.a_type(&ty);
            self.report(
                Diagnostic::new(
                    codes::BAD_MEMBERS,
                    written.ty.span,
                    format!("a scale gives labels, and this type is {what}"),
                )
                .help("give it a type with labels: `type level = low < mid < high`"),
            );
            return None;
        };
        self.otherwise_last(&written.members);
        let mut lines = Vec::new();
        for member in &written.members {
            let code = self.label_code(label_type, &member.name.text);
            if code.is_none() {
                self.unknown_label(label_type, &member.name.text, member.name.span);
                self.poisoned = true;
            }
            let condition = self.member_condition(member);
            if let Some(code) = code {
                lines.push(Line { member: code, condition, place: member.span });
            }
        }
        let value = self.first_match(&lines, Type::Label(label_type), written.name.span);
        Some((value, DeclarationKind::Scale(lines)))
    }

    /// A line's own condition; none for `otherwise`.
    pub(super) fn member_condition(&mut self, member: &ast::Member) -> Option<NodeId> {
        match &member.condition {
            MemberCondition::When(condition) => Some(
                self.whole_condition(condition, Role::Member).unwrap_or_else(|| self.never(condition.span)),
            ),
            MemberCondition::Otherwise(_) => None,
        }
    }

    /// `otherwise` takes the rest, so nothing may come after it.
    pub(super) fn otherwise_last(&mut self, members: &[ast::Member]) {
        for member in members.iter().rev().skip(1) {
            if let MemberCondition::Otherwise(span) = member.condition {
                self.not_last(span);
            }
        }
    }

    pub(super) fn not_last(&mut self, span: Span) {
        self.report(
            Diagnostic::new(
                codes::BAD_MEMBERS,
                span,
                "`otherwise` takes everybody who is left, so no line may follow it",
            )
            .help("move it to the end"),
        );
    }

    /// The value of lines of which the first that holds wins.
    pub(super) fn first_match(&mut self, lines: &[Line], ty: Type, place: Span) -> NodeId {
        let mut arms = Vec::new();
        let mut otherwise = None;
        for line in lines {
            let label = self.constant_node(Value::Label(line.member), ty.clone(), line.place);
            match line.condition {
                Some(condition) => arms.push((condition, label)),
                None if otherwise.is_none() => otherwise = Some(label),
                None => {}
            }
        }
        let optional = otherwise.is_none();
        self.builder.node(Expr::Case { arms, otherwise }, ty, optional, place)
    }
}

/// The attribute that a declaration declares, if it does.
pub(super) fn of(kind: &ast::DeclarationKind) -> Option<Attribute> {
    let kind = match kind {
        ast::DeclarationKind::Trait(x) => AttributeKind::Trait(x.clone()),
        ast::DeclarationKind::Scale(x) => AttributeKind::Scale(x.clone()),
        ast::DeclarationKind::Segment(x) => AttributeKind::Segment(x.clone()),
        ast::DeclarationKind::Layer(x) => AttributeKind::Layer(x.clone()),
        ast::DeclarationKind::Grid(x) => AttributeKind::Grid(x.clone()),
        ast::DeclarationKind::Stack(x) => AttributeKind::Stack(x.clone()),
        ast::DeclarationKind::Play(x) => AttributeKind::Play(x.clone()),
        ast::DeclarationKind::Split(x) => AttributeKind::Split(x.clone()),
        _ => return None,
    };
    Some(Attribute { docs: None, kind })
}
