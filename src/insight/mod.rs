//! What people ask about a program and their data: why a user is in or out, and what would change it.

pub mod analyze;
mod candidates;
pub mod change;
pub mod changes;
mod declared;
pub mod diff;
pub mod funnel;
pub mod testing;

#[cfg(test)]
mod tests;
mod union;
pub mod why;

pub use crate::semantics::show::{Zoned, value_text};
