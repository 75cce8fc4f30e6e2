//! What is done with segments: layers refined in stacks, texts said by plays, users held out by
//! splits, tests and guards.

use super::{
    Builder, Decimal, Declaration, DeclarationKind, Expr, Heading, Line, NodeId, Program, Type, TypeId, Value,
};
use crate::diagnostic::Span;
use serde::{Deserialize, Serialize};

/// How a value is written in a text.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextFormat {
    /// As it is: a number by its shortest form, a date as `2024-11-15`, a timestamp as
    /// `2024-11-15 08:00:00` in the program's zone, a missing value as nothing.
    Plain,
    /// A number with so many digits after the point, half away from zero.
    Digits(u8),
    /// A date, timestamp or time of day by a strftime pattern.
    Time(String),
    /// A text as a step of a stack's path: `/`, `-` and `\` escaped, missing as `-`.
    Step,
}

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPart {
    /// As it stands.
    Literal(String),
    /// The value of a node, written by a format. Labels have been turned into texts.
    Value(NodeId, TextFormat),
}

/// A text and when it is said.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TextArm {
    /// A condition.
    pub condition: NodeId,
    /// Its parts in order.
    pub parts: Vec<TextPart>,
}

impl TextArm {
    /// The nodes whose values stand in the text.
    pub fn values(&self) -> impl Iterator<Item = NodeId> {
        self.parts.iter().filter_map(|part| match part {
            TextPart::Value(id, _) => Some(*id),
            TextPart::Literal(_) => None,
        })
    }
}

/// Layered refinement of a layer. Its value is a text: the path, steps parted by `/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Name of the layer that it refines.
    pub base: String,
    /// The labelled value of that layer.
    pub value: NodeId,
    /// By label code of the base: the steps after the base member.
    pub paths: Vec<Vec<StackStep>>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackStep {
    /// How the dimension is named.
    pub name: String,
    /// Its value: labelled, or the condition of a segment.
    pub value: NodeId,
    /// What may stand here, without `-`.
    pub members: Vec<String>,
    /// Where it is written.
    pub place: Span,
}

/// What a play speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The members of a layer or grid.
    Layer,
    /// The paths of a stack.
    Stack,
    /// The users of a segment.
    Segment,
}

/// Texts by member; the first line that holds speaks. Its value is the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Play {
    /// What it is for.
    pub audience: Audience,
    /// The name of that.
    pub of: String,
    /// Its lines in order.
    pub lines: Vec<PlayLine>,
    /// The number of the line that speaks, from 0: an int; missing where none does.
    pub line: NodeId,
}

/// What a step of a path pattern matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepPattern {
    /// `_`
    Any,
    /// `-`: no value.
    Nothing,
    /// This member.
    Member(String),
}

impl std::fmt::Display for StepPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            StepPattern::Any => "_",
            StepPattern::Nothing => "-",
            StepPattern::Member(name) => name,
        })
    }
}

/// A line of a play.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlayLine {
    /// Whom it is for: a member's name, a segment's, or the steps of a path.
    pub pattern: Vec<StepPattern>,
    /// The condition after `when`.
    pub when: Option<NodeId>,
    /// Both together, whatever earlier lines say.
    pub condition: NodeId,
    /// Its text.
    pub parts: Vec<TextPart>,
    /// The text as written, for people.
    pub template: String,
    /// Where it stands.
    pub place: Span,
}

/// A stable assignment of users to arms. Its value is labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The segment that it divides; everybody without one.
    pub of: Option<String>,
    /// What tells it from other splits.
    pub seed: String,
    /// Its labelled type, whose labels are its arms.
    pub ty: TypeId,
    /// Its arms in order.
    pub arms: Vec<Arm>,
}

/// An arm of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Name, label, docs.
    pub heading: Heading,
    /// Its share, from 0 to 1.
    pub share: Decimal,
}

/// What a guard measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many users are in.
    Count,
    /// Their share of all users.
    Share,
}

/// An end of what a guard allows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardEnd {
    /// The end.
    pub value: Decimal,
    /// Whether it is allowed itself.
    pub inclusive: bool,
}

/// What a run has to keep before its output is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// As written, without its word.
    pub text: String,
    /// What is measured.
    pub measure: Measure,
    /// Who is in.
    pub condition: NodeId,
    /// Lower end.
    pub low: Option<GuardEnd>,
    /// Upper end.
    pub high: Option<GuardEnd>,
    /// Where it stands.
    pub place: Span,
}

/// A test: made-up rows and what is expected of the first user among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its own `now`, in microseconds since 1970-01-01T00:00Z.
    pub now: Option<i64>,
    /// Rows of the user table; the first is the one that is expected something of.
    pub users: Vec<TestRow>,
    /// By event table of the program: rows.
    pub events: Vec<Vec<TestRow>>,
    /// What is expected.
    pub expectations: Vec<Expectation>,
    /// Where it stands.
    pub place: Span,
}

/// A made-up row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRow {
    /// By column: its value, or none where it is left out.
    pub values: Vec<Option<Value>>,
    /// Where it stands.
    pub place: Span,
}

/// What a test expects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// A condition.
    pub condition: NodeId,
    /// As written.
    pub text: String,
    /// Where it stands.
    pub place: Span,
}

impl Program {
    /// The labelled value of which a node is the text, label by label.
    pub fn label_of_text(&self, id: NodeId) -> Option<NodeId> {
        let Expr::Case { arms, otherwise: None } = &self.node(id).expr else { return None };
        let Expr::Compare { left, .. } = &self.node(arms.first()?.0).expr else { return None };
        let Type::Label(ty) = &self.node(*left).ty else { return None };
        let labels = &self.label_type(*ty)?.labels;
        let each = labels.len() == arms.len()
            && (0_u32..).zip(labels).zip(arms).all(|((code, label), (condition, text))| {
                let compared = match &self.node(*condition).expr {
                    Expr::Compare { left: of, right, .. } => {
                        of == left && self.node(*right).expr == Expr::Constant(Value::Label(code))
                    }
                    _ => false,
                };
                let said = Expr::Constant(Value::Text(label.as_str().into()));
                compared && self.node(*text).expr == said
            });
        each.then_some(*left)
    }
}

impl Declaration {
    /// The same with every node replaced.
    #[must_use]
    pub fn renumbered(&self, number: &dyn Fn(NodeId) -> NodeId) -> Declaration {
        let lines = |lines: &[Line]| -> Vec<Line> {
            lines.iter().map(|line| Line { condition: line.condition.map(number), ..line.clone() }).collect()
        };
        let kind = match &self.kind {
            DeclarationKind::Trait => DeclarationKind::Trait,
            DeclarationKind::Segment => DeclarationKind::Segment,
            DeclarationKind::Scale(cases) => DeclarationKind::Scale(lines(cases)),
            DeclarationKind::Layer(layer) => {
                DeclarationKind::Layer(super::Layer { lines: lines(&layer.lines), ..layer.clone() })
            }
            DeclarationKind::Stack(stack) => {
                let mut stack = stack.clone();
                stack.value = number(stack.value);
                for step in stack.paths.iter_mut().flatten() {
                    step.value = number(step.value);
                }
                DeclarationKind::Stack(stack)
            }
            DeclarationKind::Play(play) => {
                let mut play = play.clone();
                play.line = number(play.line);
                for line in &mut play.lines {
                    line.when = line.when.map(number);
                    line.condition = number(line.condition);
                    for part in &mut line.parts {
                        if let TextPart::Value(id, _) = part {
                            *id = number(*id);
                        }
                    }
                }
                DeclarationKind::Play(play)
            }
            DeclarationKind::Split(split) => DeclarationKind::Split(split.clone()),
        };
        Declaration { heading: self.heading.clone(), value: number(self.value), kind }
    }
}

/// A part of a program: what some nodes need, and nothing else.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The program with those nodes alone, numbered anew.
    pub program: Program,
    /// By the number in the whole program: the number here.
    pub numbers: hashbrown::HashMap<NodeId, NodeId>,
}

impl Slice {
    /// The number of a node of the whole program here; the first node where it is not in.
    pub fn number(&self, id: NodeId) -> NodeId {
        self.numbers.get(&id).copied().unwrap_or(NodeId(0))
    }
}

impl Program {
    /// What these nodes need. It has no declarations, guards and tests.
    pub fn slice(&self, roots: &[NodeId]) -> Slice {
        let mut needed: Vec<NodeId> = Vec::new();
        let mut seen = hashbrown::HashSet::new();
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                needed.push(id);
                open.extend(self.node(id).expr.operands());
            }
        }
        needed.sort_unstable();
        let mut builder = Builder::new();
        let mut numbers = hashbrown::HashMap::with_capacity(needed.len());
        for id in needed {
            let node = self.node(id).clone();
            let expr = node.expr.map_operands(|operand| numbers.get(&operand).copied().unwrap_or(NodeId(0)));
            numbers.insert(id, builder.node(expr, node.ty, node.optional, node.place));
        }
        Slice { program: Program { nodes: builder.finish(), ..self.without_rules() }, numbers }
    }

    /// All but the expression graph and the declarations.
    pub fn without_rules(&self) -> Program {
        Program {
            edition: self.edition,
            timezone: self.timezone.clone(),
            now: self.now,
            types: self.types.clone(),
            users: self.users.clone(),
            events: self.events.clone(),
            lookups: self.lookups.clone(),
            calendar: self.calendar.clone(),
            nodes: Vec::new(),
            declarations: Vec::new(),
            guards: Vec::new(),
            tests: Vec::new(),
            assertions: Vec::new(),
            undecided: super::Undecided::default(),
        }
    }

    /// The same without its tests, and without what only they need.
    #[must_use]
    pub fn without_tests(&self) -> Program {
        if self.tests.is_empty() {
            return self.clone();
        }
        // Tests come last: what stands behind all else is theirs alone.
        let guards = self.guards.iter().map(|guard| guard.condition);
        let assertions = self.assertions.iter().map(|assertion| assertion.condition);
        let rest = self.declarations.iter().flat_map(Declaration::nodes).chain(guards).chain(assertions);
        let end = rest.map(|id| id.0 as usize + 1).max().unwrap_or(0);
        let mut program = self.clone();
        program.nodes.truncate(end);
        program.tests.clear();
        program
    }
}

impl Declaration {
    /// The nodes that it names.
    pub fn nodes(&self) -> Vec<NodeId> {
        let found = std::cell::RefCell::new(Vec::new());
        let _ = self.renumbered(&|id| {
            found.borrow_mut().push(id);
            id
        });
        found.into_inner()
    }
}
