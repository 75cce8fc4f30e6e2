//! Strata: user segmentation as checked, tested, compiled rules.
//!
//! The command `strata` is a thin layer over this library. Another program embeds it like this:
//!
//! ```
//! use std::sync::Arc;
//! use arrow::array::{ArrayRef, Int64Array, RecordBatch};
//! use strata::semantics::Facts;
//!
//! let rules = "table users key user_id {\n  user_id : int\n  age : int?\n}\nsegment adult when age >= 18\n";
//! let program = strata::check("rules.seg", rules).map_err(|findings| findings[0].message.clone())?;
//! let batch = RecordBatch::try_from_iter([
//!     ("user_id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
//!     ("age", Arc::new(Int64Array::from(vec![Some(17), Some(18), None])) as ArrayRef),
//! ])?;
//! let now = 1_731_628_800_000_000; // 2024-11-15T00:00Z, in microseconds
//! let assignment = program.at(now).evaluate(&batch, &Facts::default())?;
//! assert_eq!(assignment.rows, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A batch has the columns that [`semantics::columnar`] describes; [`data::read`] brings files into that form.

pub mod check;
pub mod cli;
pub mod data;
pub mod diagnostic;
pub mod events;
pub mod insight;
pub mod interpret;
mod levels;
pub mod program;
pub mod prove;
pub mod run;
pub mod semantics;
pub mod syntax;
pub mod vector;

/// Checks one text that uses no other file: the program, or everything that is wrong with it.
///
/// # Errors
/// All findings, in order of place, where one of them is an error.
pub fn check(name: &str, text: &str) -> Result<program::Program, Vec<diagnostic::Diagnostic>> {
    let checked = check::check_text(name, text);
    checked.program.ok_or(checked.diagnostics)
}
