//! Where conditions were written. A node knows one place only, the first; findings about a rule need the
//! place in that rule. This lies beside a program, never in it.

use super::NodeId;
use crate::diagnostic::Span;

/// What a whole condition belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// `segment … when C`
    Segment,
    /// A member of a layer or scale.
    Member,
    /// A line of a grid.
    GridLine,
    /// An arm of `case` or `points`.
    Case,
    /// `where C`
    Where,
    /// A line of a play.
    PlayLine,
}

/// A whole condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Root {
    /// Its node.
    pub node: NodeId,
    /// Where it stands.
    pub span: Span,
    /// What it belongs to.
    pub role: Role,
}

/// A condition or part of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its node.
    pub node: NodeId,
    /// Where it stands.
    pub span: Span,
    /// Whether it is only mentioned there, by its name.
    pub named: bool,
}

/// Everything of this kind in a program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Whole conditions, in the order in which they were checked.
    pub roots: Vec<Root>,
    /// Conditions and their parts.
    pub parts: Vec<Part>,
}
