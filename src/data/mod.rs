//! Files: readers that bring any supported file into the canonical columns of
//! [`crate::semantics::columnar`], every value checked against its declaration; and writers whose
//! files appear whole or not at all.

mod bad_values;
mod bind;
pub mod built;
pub mod facts;
pub mod read;
pub mod write;

pub use bad_values::{BadValue, BadValueMode, BadValues};
