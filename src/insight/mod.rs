//! What people ask about a program and their data: why a user is in or out, and what would change it.

mod candidates;
pub mod change;
pub mod changes;
pub mod funnel;
pub mod testing;
#[cfg(test)]
mod tests;
pub mod why;

pub use crate::semantics::show::{Zoned, value_text};
