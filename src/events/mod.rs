//! The event engine: from what many users did to the values of the program's aggregates, sequences and
//! population nodes, one for each user, at scale.
//!
//! What has to be worked out is divided into rounds (`schedule`); most programs have one, and a second
//! for scores. In a round each event table is read once. Its batches go through the vectorised
//! evaluator, which answers for all aggregates at once which events are in and what their values are;
//! what is left of a batch is a `block`, whose events are sorted by parts of the users, so small that
//! whatever is summed up for the users of a part stays in cache. Then each part's events are gone
//! through (`part`), once for each distinct aggregate, into arrays with a place for each user.
//! The population's values come from the users' at the end of the round.
//!
//! Neither the number of threads, nor the size of batches and parts, nor the order of rows has a say in
//! the outcome.

mod aggregate;
mod block;
mod cells;
mod columns;
mod compute;
mod disk;
mod floats;
mod keys;
mod memory;
mod part;
mod population;
mod scan;
mod schedule;
mod source;
mod steps;
mod store;
mod texts;

pub use compute::{Context, compute};
pub use keys::KeyFinder;
pub use memory::{MemoryTables, evaluate_rows};
pub use scan::EventCounts;
pub use schedule::{event_tables, needs_population};
pub use source::{Batches, EventError, EventOptions, RowTotals, Rows, Tables};
