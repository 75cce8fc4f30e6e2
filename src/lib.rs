//! Strata: user segmentation as checked, tested, compiled rules.

pub mod check;
pub mod cli;
pub mod data;
pub mod diagnostic;
pub mod insight;
pub mod interpret;
pub mod program;
pub mod run;
pub mod semantics;
pub mod syntax;
pub mod vector;
