//! The vectorised evaluator: whole batches, each distinct test and condition once.
//!
//! A [`Plan`] lists what is to be done for the wanted declarations, in one order chosen once, over
//! a file of registers. Batches are worked on in chunks of some 32 Ki rows, so that a chunk's
//! registers stay in cache. Conditions are bitmaps, combined 64 rows at a time; a missing operand
//! makes a test false right where the test is made, so everything above is two-valued. Values are
//! typed columns with a bitmap of the known ones.
//!
//! Common operations have kernels; the rest, and rows at the edge (overflows, moments outside the
//! table of zone offsets), go through [`crate::semantics::apply`], the one definition of each.

mod bits;
mod choose;
mod chunk;
mod clock;
mod codes;
mod column;
mod compare;
mod compile;
mod dates;
mod evaluate;
mod explain;
mod kernels;
mod logic;
mod lookup;
mod numbers;
mod output;
mod plan;
mod registers;
mod scalar;
mod score;
mod settle;
mod tested;
mod text;
mod wording;

pub use crate::levels::{Level, use_at_most};
pub use column::array_of;
pub use evaluate::{NodeColumns, VectorError, Workspace};
pub use explain::PlanSummary;
pub use output::{Assignment, Counts, DeclaredCount, Output, OutputColumn, true_count};
pub use plan::{Plan, Wanted};
pub use settle::{Known, StandIn};
