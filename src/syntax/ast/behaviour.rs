//! Events, what sums them up, and values of the whole population, as written.

use super::{Expr, Name, Table, Unit};
use crate::diagnostic::Span;

/// `events orders of users by user_id at ordered_at from "orders.csv" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Events {
    /// Name, columns and path; its key is the column after `by`.
    pub table: Table,
    /// The table after `of`.
    pub of: Name,
    /// The column after `at`.
    pub at: Name,
    /// Its head could not be read; already reported.
    pub broken: bool,
}

/// `rfm value from orders { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Rfm {
    /// What the traits' names begin with.
    pub name: Name,
    /// The events.
    pub events: Name,
    /// What the braces say, in order.
    pub items: Vec<RfmItem>,
    /// A part of it could not be read; already reported.
    pub broken: bool,
}

/// A line of an `rfm`.
#[derive(Clone, Debug, PartialEq)]
pub struct RfmItem {
    /// What it says.
    pub kind: RfmItemKind,
    /// All of it.
    pub span: Span,
}

/// What a line of an `rfm` says.
#[derive(Clone, Debug, PartialEq)]
pub enum RfmItemKind {
    /// `recency ordered_at`
    Recency(Expr),
    /// `monetary amount`
    Monetary(Expr),
    /// `where status = paid`
    Where(Expr),
    /// `window last 365 days`
    Window(Window),
    /// `bins 5`
    Bins(Expr),
}

/// `orders where status = paid`
#[derive(Clone, Debug, PartialEq)]
pub struct EventSource {
    /// The event table.
    pub table: Name,
    /// After `where`.
    pub filter: Option<Expr>,
}

/// A window after the comma of an aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// What it says.
    pub kind: WindowKind,
    /// All of it.
    pub span: Span,
}

/// What a window says.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowKind {
    /// `last 90 days`, `last 30 days before D`
    Last {
        /// How many.
        amount: Expr,
        /// Of what.
        unit: Unit,
        /// What they end before; `now` without it.
        before: Option<Expr>,
    },
    /// `60 days ago to 30 days ago`
    Ago {
        /// From so long ago.
        from: (Expr, Unit),
        /// To so long ago.
        to: (Expr, Unit),
    },
    /// `since D`
    Since(Expr),
}

/// `sum(amount of orders where status = paid, last 90 days)`
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateCall {
    /// `sum`
    pub function: Name,
    /// Before `of`.
    pub value: Option<Expr>,
    /// The events.
    pub source: EventSource,
    /// When they happened.
    pub window: Option<Window>,
}

/// How a part of a sequence is joined to what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// The first step, or `then`.
    Then,
    /// `then no`
    ThenNo,
    /// `without`
    Without,
}

/// A part of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// How it is joined.
    pub kind: StepKind,
    /// Its events.
    pub source: EventSource,
    /// All of it.
    pub span: Span,
}

/// `sequence(orders where … then … without … then no …, within 7 days)`
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceCall {
    /// Its parts in order.
    pub steps: Vec<Step>,
    /// `within 7 days`, with its place.
    pub within: Option<(Expr, Unit, Span)>,
}

/// What a score divides by.
#[derive(Clone, Debug, PartialEq)]
pub enum Into {
    /// `into 5`
    Bins(Expr),
    /// `into (10, 50, 200)`
    Cuts(Vec<Expr>),
}

/// `score(EXPR where C into 5, lowest is best)`
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreCall {
    /// What is scored.
    pub value: Expr,
    /// Whom it is measured by.
    pub filter: Option<Expr>,
    /// How it is divided.
    pub into: Into,
    /// `lowest is best` was written.
    pub lowest_is_best: bool,
}

/// `population quantile(EXPR, 0.8)`
#[derive(Clone, Debug, PartialEq)]
pub struct PopulationCall {
    /// `quantile`
    pub function: Name,
    /// Between the brackets.
    pub arguments: Vec<Expr>,
}

/// `lifecycle as of 30 days ago`
#[derive(Clone, Debug, PartialEq)]
pub struct AsOf {
    /// The name before `as of`, alone or qualified.
    pub value: Expr,
    /// How many.
    pub amount: Expr,
    /// Of what.
    pub unit: Unit,
}
