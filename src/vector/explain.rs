//! What a plan does, to be looked at.

use super::plan::{Input, Plan, Work};
use crate::levels::{Level, level};
use std::fmt;

/// A plan in numbers; its `Display` is for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanSummary {
    /// Names of the columns that are read.
    pub columns: Vec<String>,
    /// Distinct comparisons with constants, each made once for each chunk.
    pub comparisons: usize,
    /// Visits of a column's values that make them.
    pub visits: usize,
    /// Other things that are computed.
    pub steps: usize,
    /// Declarations whose outcome is kept.
    pub kept: usize,
    /// Registers that all of this works in.
    pub registers: usize,
    /// Rows of a chunk.
    pub chunk_rows: usize,
    /// The vector instructions of this machine that are used.
    pub instructions: &'static str,
}

impl Plan {
    /// What the plan does.
    pub fn summary(&self) -> PlanSummary {
        let count =
            |wanted: fn(&Work) -> bool| self.actions.iter().filter(|action| wanted(&action.work)).count();
        let columns = self.inputs.iter().filter_map(|input| match &input.input {
            Input::Column(_, name) => Some(name.clone()),
            Input::Node(_) => None,
        });
        PlanSummary {
            columns: columns.collect(),
            comparisons: self.distinct_tests(),
            visits: count(|work| matches!(work, Work::Tests(_))),
            steps: count(|work| matches!(work, Work::Node(_))) - self.inputs.len(),
            kept: self.wanted.len(),
            registers: self.registers,
            chunk_rows: self.chunk_rows,
            instructions: match level() {
                Level::Plain => "no vector instructions",
                Level::Avx2 => "AVX2",
                Level::Avx512 => "AVX-512",
            },
        }
    }
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "reads {} columns: {}", self.columns.len(), self.columns.join(", "))?;
        writeln!(
            f,
            "makes {} distinct comparisons with constants in {} visits of a column",
            self.comparisons, self.visits
        )?;
        writeln!(f, "computes {} other conditions and values", self.steps)?;
        writeln!(f, "keeps the outcome of {} declarations", self.kept)?;
        writeln!(
            f,
            "works in {} registers, {} bytes for a chunk where all hold conditions",
            self.registers,
            self.registers * self.chunk_rows / 8
        )?;
        writeln!(f, "takes chunks of {} rows, with {}", self.chunk_rows, self.instructions)
    }
}
