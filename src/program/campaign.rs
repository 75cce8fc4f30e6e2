//! What is done with segments: layers refined in stacks, texts said by plays, users held out by
//! splits, tests and guards.

use super::{Decimal, Expr, Heading, NodeId, Program, Type, TypeId, Value};
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
