//! Stacks, plays, splits, tests and guards as written.

use super::{CompareOp, Expr, Heading, Name, Number, Text};
use crate::diagnostic::Span;

/// `stack NAME on LAYER { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// The layer that it refines.
    pub base: Name,
    /// Its lines in order.
    pub lines: Vec<StackLine>,
}

/// `member, member by D, D`; `all by D`; `others by D`
#[derive(Clone, Debug, PartialEq)]
pub struct StackLine {
    /// Members of the base; `all` and `others` stand alone.
    pub members: Vec<Name>,
    /// The dimensions in order.
    pub dimensions: Vec<Expr>,
    /// All of it.
    pub span: Span,
}

/// `play NAME for X { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// What it speaks to.
    pub of: Name,
    /// Its lines in order.
    pub lines: Vec<PlayLine>,
}

/// `member when C -> "text"`
#[derive(Clone, Debug, PartialEq)]
pub struct PlayLine {
    /// A member, or the steps of a path.
    pub pattern: Vec<PathStep>,
    /// The condition after `when`.
    pub when: Option<Expr>,
    /// What is said.
    pub text: Template,
    /// All of it.
    pub span: Span,
}

/// One step of a path pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PathStep {
    /// What it matches.
    pub kind: StepPattern,
    /// Where it stands.
    pub span: Span,
}

/// What a step matches.
#[derive(Clone, Debug, PartialEq)]
pub enum StepPattern {
    /// `_`
    Anything,
    /// `-`: no value
    Nothing,
    /// This member.
    Member(Name),
}

/// A text with values in braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Its parts in order.
    pub parts: Vec<TemplatePart>,
    /// As written, without the quotes.
    pub written: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplatePart {
    /// As it stands, escapes and doubled braces resolved.
    Literal(String),
    /// `{expr}` or `{expr:.2}`
    Value {
        /// The value.
        value: Expr,
        /// What stands after the `:`.
        format: Option<Text>,
        /// Braces included.
        span: Span,
    },
}

/// `split NAME of SEGMENT seed "…" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// The segment that it divides, or `all`.
    pub of: Name,
    /// Its seed.
    pub seed: Text,
    /// Its arms in order.
    pub arms: Vec<Arm>,
}

/// `control 10%`
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// Its documentation comment.
    pub docs: Option<String>,
    /// Its share and where that stands; none where it could not be read.
    pub share: Option<(Number, Span)>,
    /// Whether a `%` was written.
    pub percent: bool,
}

/// `test "name" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Its name.
    pub name: Text,
    /// `now …`, each time it is written.
    pub now: Vec<Expr>,
    /// `given …` in order.
    pub given: Vec<Given>,
    /// `expect …` in order.
    pub expect: Vec<Expr>,
    /// A part could not be read.
    pub broken: bool,
}

/// `given TABLE { … }, { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The table.
    pub table: Name,
    /// Its rows.
    pub rows: Vec<GivenRow>,
}

/// `{ col: value, … }`
#[derive(Clone, Debug, PartialEq)]
pub struct GivenRow {
    /// Column and value.
    pub values: Vec<(Name, GivenValue)>,
    /// Where it stands.
    pub span: Span,
}

/// A made-up value.
#[derive(Clone, Debug, PartialEq)]
pub enum GivenValue {
    /// `missing`
    Missing(Span),
    /// `["a", "b"]`
    List(Vec<Expr>, Span),
    /// A literal.
    One(Expr),
}

/// `guard share(SEGMENT) between a and b`
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// `share` or `count`.
    pub measure: Name,
    /// Who is measured.
    pub condition: Expr,
    /// What is allowed; none where it could not be read.
    pub range: Option<GuardRange>,
}

/// What a guard allows.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardRange {
    /// `between a and b`
    Between(Expr, Expr),
    /// `>= a` and its kin, `= a` too
    Bound(CompareOp, Expr),
}
