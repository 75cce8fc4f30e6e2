//! What pest makes of `grammar/strata.pest`. Its rules are known in this folder only.

use pest_derive::Parser;

/// The parser that pest generates.
#[derive(Parser)]
#[grammar = "grammar/strata.pest"]
pub(super) struct Grammar;
