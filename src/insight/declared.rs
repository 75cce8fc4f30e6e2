//! What the rules declare, as sets of users with names.

use super::union::Union;
use crate::program::{
    CompareOp, Declaration, DeclarationKind, Expr, Line, NodeId, Play, Program, Stack, TextPart, Type, Value,
};
use crate::prove::Reason;
use crate::semantics::wording;
use serde::Serialize;

/// What a declaration is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A named value.
    Trait,
    /// Labels by cases.
    Scale,
    /// A set of users.
    Segment,
    /// A partition.
    Layer,
    /// A partition by several dimensions.
    Grid,
    /// A layer refined.
    Stack,
    /// Texts.
    Play,
    /// A stable assignment to arms.
    Split,
}

impl Kind {
    /// Of a declaration.
    pub fn of(kind: &DeclarationKind) -> Kind {
        match kind {
            DeclarationKind::Trait => Kind::Trait,
            DeclarationKind::Scale(_) => Kind::Scale,
            DeclarationKind::Segment => Kind::Segment,
            DeclarationKind::Layer(layer) if layer.grid => Kind::Grid,
            DeclarationKind::Layer(_) => Kind::Layer,
            DeclarationKind::Stack(_) => Kind::Stack,
            DeclarationKind::Play(_) => Kind::Play,
            DeclarationKind::Split(_) => Kind::Split,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Trait => "trait",
            Kind::Scale => "scale",
            Kind::Segment => "segment",
            Kind::Layer => "layer",
            Kind::Grid => "grid",
            Kind::Stack => "stack",
            Kind::Play => "play",
            Kind::Split => "split",
        }
    }
}

/// How a set of users comes from a declaration's values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Set {
    /// Those whose value is the label of that code.
    Label(NodeId, u32),
    /// Those whose value is one of these ints.
    Numbers(NodeId, Vec<i64>),
    /// Those who pass all steps of a path.
    Path(Vec<Step>),
}

/// What a user is at a step of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The value is the label of that code.
    Label(NodeId, u32),
    /// The value is missing.
    Missing(NodeId),
    /// The condition holds or not.
    Condition(NodeId, bool),
}

impl Step {
    /// As a condition of a graph and whether it holds.
    pub fn goal(self, graph: &mut Union, here: &dyn Fn(&Union, NodeId) -> NodeId) -> (NodeId, bool) {
        match self {
            Step::Label(value, code) => {
                let value = here(graph, value);
                (graph.is_label(value, code), true)
            }
            Step::Missing(value) => {
                let value = here(graph, value);
                (graph.node(Expr::IsKnown(value), Type::Bool), false)
            }
            Step::Condition(condition, holds) => (here(graph, condition), holds),
        }
    }
}

impl Set {
    /// As a condition of a graph; `here` gives the number there of a node of the declaration's program.
    pub fn condition(&self, graph: &mut Union, here: &dyn Fn(&Union, NodeId) -> NodeId) -> NodeId {
        match self {
            Set::Label(value, code) => Step::Label(*value, *code).goal(graph, here).0,
            Set::Numbers(value, numbers) => {
                let left = here(graph, *value);
                let each: Vec<NodeId> = numbers
                    .iter()
                    .map(|number| {
                        let right = graph.node(Expr::Constant(Value::Int(*number)), Type::Int);
                        graph.node(Expr::Compare { op: CompareOp::Eq, left, right }, Type::Bool)
                    })
                    .collect();
                match each.as_slice() {
                    [one] => *one,
                    _ => graph.node(Expr::Or(each), Type::Bool),
                }
            }
            Set::Path(steps) => {
                let all: Vec<NodeId> = steps
                    .iter()
                    .map(|step| match step.goal(graph, here) {
                        (condition, true) => condition,
                        (condition, false) => graph.node(Expr::Not(condition), Type::Bool),
                    })
                    .collect();
                match all.as_slice() {
                    [one] => *one,
                    _ => graph.node(Expr::And(all), Type::Bool),
                }
            }
        }
    }
}

/// A member of a declaration with its users.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub name: String,
    pub label: Option<String>,
    pub set: Set,
    /// The nodes whose values stand in a play's text.
    pub said: Vec<NodeId>,
}

/// More paths of a stack than this are not looked at one by one.
pub(super) const MOST_PATHS: usize = 2_000;

/// The members of a declaration: of a play its texts, of a stack its paths, of a segment or trait none.
/// Nothing at all for a stack with too many paths.
pub(super) fn members(program: &Program, declaration: &Declaration) -> Option<Vec<Member>> {
    let value = declaration.value;
    let labelled = |name: &str, label: Option<&String>, code: u32| Member {
        name: name.to_owned(),
        label: label.cloned(),
        set: Set::Label(value, code),
        said: Vec::new(),
    };
    Some(match &declaration.kind {
        DeclarationKind::Trait | DeclarationKind::Segment => Vec::new(),
        DeclarationKind::Layer(layer) => (0..)
            .zip(&layer.members)
            .map(|(code, member)| labelled(&member.name, member.label.as_ref(), code))
            .collect(),
        DeclarationKind::Split(split) => (0..)
            .zip(&split.arms)
            .map(|(code, arm)| labelled(&arm.heading.name, arm.heading.label.as_ref(), code))
            .collect(),
        DeclarationKind::Scale(lines) => {
            let Type::Label(ty) = program.node(value).ty else { return Some(Vec::new()) };
            let labels = program.label_type(ty).map_or(&[][..], |ty| ty.labels.as_slice());
            (0..)
                .zip(labels)
                .filter(|(code, _)| lines.iter().any(|line: &Line| line.member == *code))
                .map(|(code, name)| labelled(name, None, code))
                .collect()
        }
        DeclarationKind::Play(play) => texts(play),
        DeclarationKind::Stack(stack) => paths(program, stack)?
            .into_iter()
            .map(|path| Member { name: path.name, label: None, set: Set::Path(path.steps), said: Vec::new() })
            .collect(),
    })
}

/// The texts of a play, each once, with those who are told it.
fn texts(play: &Play) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for (number, line) in (0_i64..).zip(&play.lines) {
        let known = members.iter_mut().find(|member| member.name == line.template);
        if let Some(Member { set: Set::Numbers(_, numbers), .. }) = known {
            numbers.push(number);
            continue;
        }
        let value = |part: &TextPart| match part {
            TextPart::Value(id, _) => Some(*id),
            TextPart::Literal(_) => None,
        };
        members.push(Member {
            name: line.template.clone(),
            label: None,
            set: Set::Numbers(play.line, vec![number]),
            said: line.parts.iter().filter_map(value).collect(),
        });
    }
    members
}

/// A path of a stack.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub name: String,
    pub steps: Vec<Step>,
}

/// All paths that a stack's text may have, in order; none where there are too many.
pub(super) fn paths(program: &Program, stack: &Stack) -> Option<Vec<Path>> {
    let Type::Label(base) = program.node(stack.value).ty else { return Some(Vec::new()) };
    let mut all: Vec<Path> = Vec::new();
    for (code, steps) in (0_u32..).zip(&stack.paths) {
        let mut name = String::new();
        wording::step(&mut name, program.label(base, code));
        let mut open = vec![Path { name, steps: vec![Step::Label(stack.value, code)] }];
        for step in steps {
            let choices = choices(program, step.value, &step.members);
            if all.len() + open.len() * choices.len() > MOST_PATHS {
                return None;
            }
            open = open
                .iter()
                .flat_map(|path| {
                    choices.iter().map(|(word, is)| {
                        let mut path = path.clone();
                        path.name.push(wording::BETWEEN_STEPS);
                        path.name.push_str(word);
                        path.steps.push(*is);
                        path
                    })
                })
                .collect();
        }
        all.extend(open);
    }
    Some(all)
}

/// What may stand at a step, as it stands in a path.
fn choices(program: &Program, value: NodeId, members: &[String]) -> Vec<(String, Step)> {
    let node = program.node(value);
    let escaped = |member: &String| {
        let mut out = String::new();
        wording::step(&mut out, member);
        out
    };
    let nothing = wording::NO_STEP.to_string();
    match node.ty {
        Type::Label(_) => {
            let labels =
                (0_u32..).zip(members).map(|(code, member)| (escaped(member), Step::Label(value, code)));
            let missing = node.optional.then_some((nothing, Step::Missing(value)));
            labels.chain(missing).collect()
        }
        _ => {
            let name = members.first().map(escaped).unwrap_or_default();
            vec![(name, Step::Condition(value, true)), (nothing, Step::Condition(value, false))]
        }
    }
}

/// The nodes that a declaration is made of.
pub(super) fn roots(declaration: &Declaration) -> Vec<NodeId> {
    let lines: &[Line] = match &declaration.kind {
        DeclarationKind::Scale(lines) => lines,
        DeclarationKind::Layer(layer) => &layer.lines,
        _ => &[],
    };
    std::iter::once(declaration.value).chain(lines.iter().filter_map(|line| line.condition)).collect()
}

/// Why something could not be told, in words.
pub(super) fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Budget => "the time did not suffice",
        Reason::Opaque => "it turns on a calculation that proofs do not see through",
        Reason::Facts => "it turns on data that are not here: a lookup, a calendar, or another time zone",
    }
}
