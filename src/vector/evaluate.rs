//! Evaluating a batch: chunk by chunk, so that what one works on stays in cache.

use super::bits::Pool;
use super::chunk::{Chunk, Memo};
use super::column::Column;
use super::output::{Assignment, Collector, Counts, DeclaredCount, Output, OutputColumn};
use super::plan::{BatchInput, Declared, Input, Plan, Wanted};
use super::registers::Registers;
use crate::program::{NodeId, Type};
use crate::semantics::{Dated, Environment, Facts};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, UInt16Type};
use hashbrown::HashMap;

/// Why a batch cannot be evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VectorError {
    /// A column that the rules need is not in the batch.
    #[error("the batch has no column `{name}`")]
    MissingColumn {
        /// The declared name.
        name: String,
    },
    /// A column is not laid out as its declared type asks.
    #[error("column `{name}` is {found}, which is not how its declared type is laid out")]
    ColumnType {
        /// The declared name.
        name: String,
        /// Its Arrow type.
        found: DataType,
    },
    /// Nobody gave the values of events or of the population, or they do not fit.
    #[error("the rules need values of events or of the whole population, which are not given")]
    NotGiven,
}

/// Values of nodes for the rows of a batch, laid out as columns of their type.
pub type NodeColumns = HashMap<NodeId, ArrayRef>;

/// What evaluations work in: registers and what is remembered of dictionaries. Kept from batch to
/// batch it saves making them anew; whoever evaluates in several threads gives each its own.
#[derive(Debug)]
pub struct Workspace {
    registers: Registers,
    memos: Vec<Memo>,
    pool: Pool,
}

impl Dated {
    /// Evaluates all declarations on a batch in checked layout. For many batches make one [`Plan`].
    ///
    /// # Errors
    /// Where the batch lacks a column that a declaration needs, or has it in another layout.
    pub fn evaluate(&self, batch: &RecordBatch, facts: &Facts) -> Result<Assignment, VectorError> {
        Plan::new(self, &Wanted::all(&self.program)).evaluate(batch, facts)
    }
}

impl Plan {
    /// Evaluates a batch in checked layout (see [`crate::semantics::columnar`]).
    ///
    /// # Errors
    /// Where the batch lacks a column of [`Plan::columns`], or has it in another layout; where the
    /// plan needs values of [`Plan::given`].
    pub fn evaluate(&self, batch: &RecordBatch, facts: &Facts) -> Result<Assignment, VectorError> {
        self.evaluate_with(batch, &NodeColumns::new(), facts)
    }

    /// The values of the nodes of a plan [`Plan::of_nodes`], in their order. Texts may come as a
    /// dictionary.
    ///
    /// # Errors
    /// Those of [`Plan::evaluate_with`].
    pub fn nodes(
        &self,
        batch: &RecordBatch,
        given: &NodeColumns,
        facts: &Facts,
    ) -> Result<Vec<ArrayRef>, VectorError> {
        let mut outputs = self.evaluate_with(batch, given, facts)?.outputs;
        outputs.sort_by_key(|output| output.declaration);
        Ok(outputs.iter().map(|output| output.column.to_array()).collect())
    }

    /// Evaluates a batch for whose rows the values of [`Plan::given`] are known.
    ///
    /// # Errors
    /// Where the batch lacks a column of [`Plan::columns`], or has it in another layout; where a
    /// value of [`Plan::given`] is not there for each row.
    pub fn evaluate_with(
        &self,
        batch: &RecordBatch,
        given: &NodeColumns,
        facts: &Facts,
    ) -> Result<Assignment, VectorError> {
        self.evaluate_in(&mut self.workspace(), batch, given, facts)
    }

    /// A place to evaluate in.
    pub fn workspace(&self) -> Workspace {
        Workspace {
            registers: Registers::new(self.registers),
            memos: self.actions.iter().map(|_| Memo::default()).collect(),
            pool: Pool::default(),
        }
    }

    /// The same as [`Plan::evaluate_with`] in a workspace of this plan.
    ///
    /// # Errors
    /// As [`Plan::evaluate_with`].
    pub fn evaluate_in(
        &self,
        workspace: &mut Workspace,
        batch: &RecordBatch,
        given: &NodeColumns,
        facts: &Facts,
    ) -> Result<Assignment, VectorError> {
        let collectors = self.wanted.iter().map(Collector::new).collect();
        let collectors = self.collect(workspace, batch, given, facts, collectors)?;
        let finished = collectors.into_iter().zip(&self.wanted);
        let mut outputs: Vec<Output> = finished.map(|(kept, declared)| kept.finish(declared)).collect();
        let conditions = outputs
            .split_off(self.outputs.min(outputs.len()))
            .into_iter()
            .filter_map(|output| match output.column {
                OutputColumn::Segment(holds) => Some(holds),
                _ => None,
            })
            .collect();
        Ok(Assignment { rows: batch.num_rows(), outputs, conditions })
    }

    /// How many rows each wanted declaration takes, without the rows themselves. Adds to `counts`.
    ///
    /// # Errors
    /// As [`Plan::evaluate_with`]; `counts` are then of no use.
    pub fn count_in(
        &self,
        workspace: &mut Workspace,
        batch: &RecordBatch,
        given: &NodeColumns,
        facts: &Facts,
        counts: &mut Counts,
    ) -> Result<(), VectorError> {
        counts.rows += batch.num_rows() as u64;
        let declared = std::mem::take(&mut counts.declared).into_iter().map(Collector::counting);
        let conditions = counts.conditions.iter().map(|rows| Collector::counting_condition(*rows));
        let collectors = declared.chain(conditions).collect();
        let collectors = self.collect(workspace, batch, given, facts, collectors)?;
        let mut counted: Vec<DeclaredCount> = collectors.into_iter().filter_map(Collector::counted).collect();
        let conditions = counted.split_off(self.outputs.min(counted.len()));
        counts.declared = counted;
        counts.conditions =
            conditions.iter().map(|count| count.members.first().copied().unwrap_or(0)).collect();
        Ok(())
    }

    /// Counts of no rows.
    pub fn no_counts(&self) -> Counts {
        let none =
            |declared: &Declared| DeclaredCount { declaration: declared.declaration, ..Default::default() };
        let conditions = vec![0; self.wanted.len().saturating_sub(self.outputs)];
        Counts { rows: 0, declared: self.wanted.iter().take(self.outputs).map(none).collect(), conditions }
    }

    /// Whether [`Plan::count_in`] counts all there is to count: not the paths of stacks, nor which
    /// line of a play speaks.
    pub fn counts_suffice(&self) -> bool {
        !self.wanted.iter().any(|declared| declared.texts)
    }

    fn collect(
        &self,
        workspace: &mut Workspace,
        batch: &RecordBatch,
        given: &NodeColumns,
        facts: &Facts,
        mut collectors: Vec<Collector>,
    ) -> Result<Vec<Collector>, VectorError> {
        let inputs = self.bind(batch, given)?;
        let rows = batch.num_rows();
        let mut chunk = Chunk {
            plan: self,
            inputs: &inputs,
            environment: Environment { zone: self.zone.clone(), now: self.now, facts },
            worthwhile: rows,
            start: 0,
            rows: 0,
            registers: std::mem::take(&mut workspace.registers),
            memos: std::mem::take(&mut workspace.memos),
            pool: std::mem::take(&mut workspace.pool),
        };
        for start in (0..rows).step_by(self.chunk_rows) {
            chunk.start = start;
            chunk.rows = self.chunk_rows.min(rows - start);
            chunk.work(&mut collectors);
        }
        let Chunk { registers, memos, pool, .. } = chunk;
        *workspace = Workspace { registers, memos, pool };
        Ok(collectors)
    }

    /// What comes with the batch, in the order of `inputs`.
    fn bind(&self, batch: &RecordBatch, given: &NodeColumns) -> Result<Vec<ArrayRef>, VectorError> {
        let fits = |array: &ArrayRef, ty: &Type| Column::from_array(&array.slice(0, 0), ty).is_some();
        // Values that are wanted themselves are none the worse for having come as codes.
        let whole = |array: &ArrayRef| match array.as_dictionary_opt::<UInt16Type>() {
            Some(codes) => arrow::compute::take(codes.values(), codes.keys(), None).ok(),
            None => Some(array.clone()),
        };
        let column = |BatchInput { input, ty, tested_only }: &BatchInput| match input {
            Input::Column(_, name) => {
                let missing = || VectorError::MissingColumn { name: name.clone() };
                let array = batch.column_by_name(name).ok_or_else(missing)?;
                let found =
                    || VectorError::ColumnType { name: name.clone(), found: array.data_type().clone() };
                let array = if *tested_only { Some(array.clone()) } else { whole(array) };
                array.filter(|array| fits(array, ty)).ok_or_else(found)
            }
            Input::Node(node) => {
                let array =
                    given.get(node).filter(|array| array.len() == batch.num_rows() && fits(array, ty));
                array.cloned().ok_or(VectorError::NotGiven)
            }
        };
        self.inputs.iter().map(column).collect()
    }
}
