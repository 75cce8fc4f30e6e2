//! The checked program: typed, every name resolved, every shorthand spelled out, each distinct
//! expression once. Everything that evaluates, proves or translates starts here; nothing here
//! knows text, but for the opaque [`Span`] that each node carries.
//!
//! The heart is a directed acyclic graph of [`Node`]s in one list, operands before their users, so
//! that a single walk from front to back evaluates everything.

mod behaviour;
mod builder;
mod campaign;
mod expr;
mod hash;
pub mod print;
mod types;
mod validate;
mod value;
pub mod written;

pub use behaviour::{
    Aggregate, AggregateFunction, Edge, EventPattern, EventTable, Limit, Population, Scope, Sequence,
    SequenceStep, Share, Statistic, Window,
};
pub use builder::Builder;
pub use campaign::{
    Arm, Audience, Expectation, Guard, GuardEnd, Measure, Play, PlayLine, Slice, Split, Stack, StackStep,
    StepPattern, Test, TestRow, TextArm, TextFormat, TextPart,
};
pub use expr::{
    ArithmeticOp, CompareOp, DatePart, Expr, Node, NodeId, NumberFunction, Quantifier, TextFunction,
    TextTest, Unit,
};
pub use types::{Bound, Domain, LabelType, Type, TypeId};
pub use validate::validate;
pub use value::{Decimal, Value};

use crate::diagnostic::Span;
use serde::{Deserialize, Serialize};

/// A checked program. Made by `check`, or loaded from a built file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Language edition.
    pub edition: u32,
    /// IANA name of the zone in which calendar time is reckoned.
    pub timezone: String,
    /// The root file's `now`, in microseconds since 1970-01-01T00:00Z.
    pub now: Option<i64>,
    /// Labelled types; [`TypeId`] is an index. Number 0 is the built-in `weekday` (mon < … < sun).
    pub types: Vec<LabelType>,
    /// The user table; a program without one has no column and no key.
    pub users: Option<Table>,
    /// Tables of what users did.
    pub events: Vec<EventTable>,
    /// Lookup tables.
    pub lookups: Vec<Table>,
    /// The calendar's data.
    pub calendar: Option<Source>,
    /// The expression graph: operands stand before their users.
    pub nodes: Vec<Node>,
    /// Traits, scales, segments, layers, grids, stacks, plays and splits in the order of the
    /// program's text.
    pub declarations: Vec<Declaration>,
    /// What a run has to keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
    /// Made-up users and what is expected of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test>,
    /// What holds for every user, or for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<Assertion>,
    /// What proofs could not tell and a run sees to.
    #[serde(default, skip_serializing_if = "Undecided::is_empty")]
    pub undecided: Undecided,
}

/// `assert always C`, `assert never C`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assertion {
    /// The condition.
    pub condition: NodeId,
    /// Whether it holds for everybody; else for nobody.
    pub always: bool,
    /// As written, on one line.
    pub text: String,
    /// Where it stands.
    pub place: Span,
}

/// What was not decided when the rules were checked, and the moment that the other proofs hold for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// The moment that was proved for, in microseconds since 1970-01-01T00:00Z.
    pub now: Option<i64>,
    /// Indices of layers and grids of which two members may claim one user.
    pub overlaps: Vec<usize>,
    /// Likewise that may leave users out.
    pub gaps: Vec<usize>,
    /// Indices of assertions that may not hold.
    pub assertions: Vec<usize>,
    /// Layers and grids whose members were proved to exclude each other at that moment; at another
    /// they may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlaps_at_other_times: Vec<usize>,
    /// Likewise that leave nobody out at that moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps_at_other_times: Vec<usize>,
    /// Likewise assertions that hold at that moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions_at_other_times: Vec<usize>,
}

impl Undecided {
    /// Whether nothing was proved or left open.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is open at a moment. Of rules that nothing was proved about nothing is known to be open.
    #[must_use]
    pub fn at(&self, now: i64) -> Undecided {
        let mut open = self.clone();
        if self.now.is_some_and(|proved_for| proved_for != now) {
            open.overlaps.extend(&self.overlaps_at_other_times);
            open.gaps.extend(&self.gaps_at_other_times);
            open.assertions.extend(&self.assertions_at_other_times);
        }
        open
    }
}

/// Where a table's data lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// As written after `from`.
    pub path: String,
    /// Folder of the declaring file, which a relative path starts from.
    pub folder: String,
    /// Where it is declared.
    pub place: Span,
}

/// A declared table: the users, or a lookup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Index of the key column.
    pub key: usize,
    /// Its data, unless they are named on the command line.
    pub source: Option<Source>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Where it is declared.
    pub place: Span,
}

/// A declared column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in rules.
    pub name: String,
    /// Its name in the data.
    pub source_name: String,
    /// Its type.
    pub ty: Type,
    /// Whether its value may be missing.
    pub optional: bool,
    /// What its values keep within.
    pub domain: Option<Domain>,
    /// How dates and timestamps are written in text files (strftime).
    pub format: Option<String>,
    /// Its documentation comment.
    pub docs: Option<String>,
    /// Where it is declared.
    pub place: Span,
}

/// What all declarations have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heading {
    /// Its name.
    pub name: String,
    /// Its label for people.
    pub label: Option<String>,
    /// Its documentation comment.
    pub docs: Option<String>,
    /// `with { … }`: names and values, as text.
    pub properties: Vec<(String, String)>,
    /// Its name's place.
    pub place: Span,
}

/// A declaration that gives each user a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    /// Name, label, properties.
    pub heading: Heading,
    /// The node that is its value: any type for a trait, labelled for scale, layer, grid and split,
    /// a condition for a segment, a text for stack and play.
    pub value: NodeId,
    /// What it is.
    pub kind: DeclarationKind,
}

/// The kinds of attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclarationKind {
    /// A named value.
    Trait,
    /// Labels by cases, first match wins.
    Scale(Vec<Line>),
    /// A set of users.
    Segment,
    /// A partition; grids too.
    Layer(Layer),
    /// A layer refined.
    Stack(Stack),
    /// Texts.
    Play(Play),
    /// A stable assignment to arms.
    Split(Split),
}

/// A layer or grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Declared as a grid.
    pub grid: bool,
    /// Earlier lines win by declaration (else members must exclude each other).
    pub first_match: bool,
    /// Users may be left out by declaration.
    pub partial: bool,
    /// Its labelled type, whose labels are its members in order of first appearance.
    pub ty: TypeId,
    /// Name, label, docs of each member, by label code.
    pub members: Vec<Heading>,
    /// Its lines in order. Several grid lines may lead to one member.
    pub lines: Vec<Line>,
}

/// One line of a scale, layer or grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Label code of its member.
    pub member: u32,
    /// Its own condition, whatever earlier lines say; none for `otherwise`.
    pub condition: Option<NodeId>,
    /// Where it stands.
    pub place: Span,
}

impl Program {
    /// The node of that number. Numbers come from the same program and are always there; a foreign
    /// one gives the first node.
    pub fn node(&self, id: NodeId) -> &Node {
        static NONE: Node = Node {
            expr: Expr::Constant(Value::Missing),
            ty: Type::Bool,
            optional: true,
            place: Span { file: crate::diagnostic::FileId(0), start: 0, end: 0 },
        };
        self.nodes.get(id.0 as usize).unwrap_or(&NONE)
    }

    /// The labelled type of that number.
    pub fn label_type(&self, id: TypeId) -> Option<&LabelType> {
        self.types.get(id.0 as usize)
    }

    /// The label of a code, empty for a foreign one.
    pub fn label(&self, ty: TypeId, code: u32) -> &str {
        self.label_type(ty).and_then(|ty| ty.labels.get(code as usize)).map_or("", String::as_str)
    }

    /// The declaration of that name.
    pub fn declaration(&self, name: &str) -> Option<&Declaration> {
        self.declarations.iter().find(|declaration| declaration.heading.name == name)
    }
}
