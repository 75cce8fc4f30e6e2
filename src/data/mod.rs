//! Files: checked batches in, assignments out.

pub mod write;
