//! The one definition of every scalar rule of the language: what an operator gives for its
//! operands. The interpreter calls it for each node, constant folding too, the vectorised
//! evaluator calls it or is tested against it.

pub mod columnar;
mod dated;
mod facts;

pub use dated::Dated;
pub use facts::{Facts, LookupFacts};

use crate::program::{Node, Value};

/// What an evaluation may look at besides the user.
#[derive(Clone, Debug)]
pub struct Environment<'a> {
    /// The zone of calendar time.
    pub zone: jiff::tz::TimeZone,
    /// The moment of evaluation, in microseconds since 1970-01-01T00:00Z.
    pub now: i64,
    /// Lookups and calendar.
    pub facts: &'a Facts,
}

/// The value of a node, given the values of its operands in the order of `Expr::operands`.
/// [`crate::program::Expr::Column`] has none here: the caller knows the user.
pub fn apply(_node: &Node, _operands: &[Value], _environment: &Environment<'_>) -> Value {
    Value::Missing
}
