//! The plan: what is done for each chunk, in which order, in which registers.
//!
//! Only what the wanted declarations need is alive. A register is given to each living node when it
//! is computed and goes back after its last use, so a program of thousands of rules works in a few
//! hundred registers that stay in cache.

use super::clock::Clock;
use super::compare::TestGroup;
use super::logic::Script;
use crate::program::{DeclarationKind, Node, NodeId, Program, Type};
use jiff::tz::TimeZone;

/// A register that does not exist: of operands that are part of a prepared test.
pub(super) const NOWHERE: usize = u32::MAX as usize;

/// Rows of a chunk: a few registers of them fit the second-level cache.
pub(super) const CHUNK_ROWS: usize = 32 * 1024;

/// Which declarations are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub(super) declarations: Vec<usize>,
    pub(super) conditions: Vec<NodeId>,
}

impl Wanted {
    /// All of them.
    pub fn all(program: &Program) -> Self {
        Wanted { declarations: (0..program.declarations.len()).collect(), conditions: Vec::new() }
    }

    /// What an assignment consists of: all but traits and scales.
    pub fn assignments(program: &Program) -> Self {
        let wanted =
            |kind: &DeclarationKind| !matches!(kind, DeclarationKind::Trait | DeclarationKind::Scale(_));
        let declarations = program.declarations.iter().enumerate();
        Self::these(declarations.filter(|(_, found)| wanted(&found.kind)).map(|(index, _)| index))
    }

    /// The declarations of these indices in `Program::declarations`, in declaration order.
    pub fn these(declarations: impl IntoIterator<Item = usize>) -> Self {
        let mut declarations: Vec<usize> = declarations.into_iter().collect();
        declarations.sort_unstable();
        declarations.dedup();
        Wanted { declarations, conditions: Vec::new() }
    }

    /// These conditions too, which are nodes of the program at its moment.
    #[must_use]
    pub fn with_conditions(mut self, conditions: impl IntoIterator<Item = NodeId>) -> Self {
        self.conditions.extend(conditions);
        self
    }
}

/// What a plan takes as it comes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Input {
    /// The table's column of that index and name.
    Column(usize, String),
    /// A node that is not computed from a row of the table.
    Node(NodeId),
}

/// Something that comes with a batch.
#[derive(Clone, Debug)]
pub(super) struct BatchInput {
    pub input: Input,
    pub ty: Type,
    /// Whether nothing is done with its values but to test them against constants.
    pub tested_only: bool,
}

/// A program made ready to evaluate batches: compiled once, shared by any number of threads.
#[derive(Debug)]
pub struct Plan {
    pub(super) now: i64,
    pub(super) zone: TimeZone,
    pub(super) clock: Clock,
    pub(super) chunk_rows: usize,
    /// Indices of the table's columns that are read.
    pub(super) columns: Vec<usize>,
    /// Nodes whose values come with each batch.
    pub(super) given: Vec<NodeId>,
    /// All that comes with a batch.
    pub(super) inputs: Vec<BatchInput>,
    /// What is done for a chunk.
    pub(super) actions: Vec<Action>,
    /// The same in short.
    pub(super) script: Script,
    /// By input, which actions test it as it comes.
    pub(super) tests_of_inputs: Vec<Vec<usize>>,
    pub(super) registers: usize,
    pub(super) wanted: Vec<Declared>,
    /// How many of them are declarations; the rest are conditions.
    pub(super) outputs: usize,
}

/// Something to do for a chunk, and the registers that are free afterwards.
#[derive(Debug)]
pub(super) struct Action {
    pub work: Work,
    pub free: Vec<usize>,
}

#[derive(Debug)]
pub(super) enum Work {
    /// Compute a node.
    Node(Step),
    /// All tests of one node's values against constants.
    Tests(TestGroup),
    /// Keep the outcome of a wanted declaration, by its place in `Plan::wanted`.
    Keep(usize),
}

/// One node to compute. Its expression's operands are registers, not nodes.
#[derive(Debug)]
pub(super) struct Step {
    pub node: Node,
    /// Registers of the operands, in the order of `Expr::operands`.
    pub operands: Vec<usize>,
    /// Where the outcome goes.
    pub register: usize,
    pub prepared: Prepared,
    /// Number of its memory between chunks.
    pub memo: usize,
}

/// What is worked out once for a node.
#[derive(Debug)]
pub(super) enum Prepared {
    Nothing,
    /// Place in `Plan::inputs`.
    Input(usize),
}

/// A wanted declaration.
#[derive(Debug)]
pub(super) struct Declared {
    /// Index in `Program::declarations`; of a node that is wanted by itself its place among those.
    pub declaration: usize,
    pub ty: Type,
    /// Its outcome is a condition's, never missing.
    pub segment: bool,
    /// Texts may stay numbers in a list of texts.
    pub dictionaries: bool,
    /// Register of its value.
    pub value: usize,
    /// By member, the registers of its lines' conditions; for layers whose lines must not overlap.
    pub claims: Option<Vec<Vec<usize>>>,
    /// Whether its value is a text to be kept as a dictionary: a stack's or a play's.
    pub texts: bool,
    /// Register of the number of a play's line.
    pub line: Option<usize>,
}

impl Plan {
    /// The columns that a batch must have, as indices in the columns of the table whose rows it
    /// has, ascending.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Those of these columns of which only the distinct values matter: they may come as codes (see
    /// [`crate::semantics::columnar`]).
    pub fn tested_columns(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().filter(|input| input.tested_only).filter_map(|input| match input.input {
            Input::Column(column, _) => Some(column),
            Input::Node(_) => None,
        })
    }

    /// The nodes whose values must come with each batch: aggregates, sequences and population
    /// values that are not constants yet; for events also whatever speaks of their users.
    pub fn given(&self) -> &[NodeId] {
        &self.given
    }

    /// The same plan working on so many rows at a time (at least 64, in steps of 64). The answer
    /// does not depend on it.
    #[must_use]
    pub fn with_chunk_rows(mut self, rows: usize) -> Self {
        self.chunk_rows = rows.div_ceil(64).max(1).saturating_mul(64);
        self
    }

    /// How many distinct comparisons with constants the plan makes per chunk.
    pub fn distinct_tests(&self) -> usize {
        let tests = self.actions.iter().map(|action| match &action.work {
            Work::Tests(group) => group.distinct(),
            _ => 0,
        });
        tests.sum()
    }

    /// How many registers the plan works in.
    pub fn registers(&self) -> usize {
        self.registers
    }
}
