//! The one definition of every scalar rule of the language: what an operator gives for its
//! operands. The interpreter calls it for each node, constant folding too, the vectorised
//! evaluator calls it or is tested against it.

pub mod aggregate;
mod apply;
pub mod calendar;
pub mod columnar;
pub mod compare;
mod dated;
mod exact_sum;
mod extent;
mod facts;
pub mod numbers;
pub mod population;
pub mod sequence;
pub mod show;
pub mod split;
#[cfg(test)]
mod tests;
pub mod text;
pub mod wording;

pub use apply::apply;
pub use dated::Dated;
pub use exact_sum::ExactSum;
pub use extent::{Absence, Extent};
pub use facts::{Facts, LookupFacts};

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
