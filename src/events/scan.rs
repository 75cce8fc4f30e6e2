//! From a batch of events to a block: whose each event is, which conditions it keeps, its values.

use super::block::{Block, Parting, by_part, bytes_of};
use super::cells::{Cells, is_numbered};
use super::keys::{NOBODY, Numbers};
use super::schedule::TableWork;
use super::source::Origin;
use super::texts::Texts;
use crate::data::facts::{shown, value_at};
use crate::diagnostic::{Diagnostic, codes::data};
use crate::program::{Program, Table, Type};
use crate::semantics::{Dated, Facts};
use crate::vector::{NodeColumns, Plan};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use std::sync::Arc;

/// What became of the events of a table. Each row is counted once among the last five.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Name of the table.
    pub table: String,
    /// Rows of the table.
    pub rows: u64,
    /// Rows that were not read, for no rule looks at their time.
    pub skipped: u64,
    /// Events of a user.
    pub used: u64,
    /// Events of a user that happen after the moment of evaluation.
    pub later: u64,
    /// Rows whose key is no user's.
    pub orphans: u64,
    /// Rows without a key, or with a bad one.
    pub missing_key: u64,
    /// Rows with a key, but without a time, or with a bad one.
    pub missing_time: u64,
    /// Keys of the first orphans: different ones, three at most.
    pub orphan_examples: Vec<String>,
}

/// How many examples are kept.
const EXAMPLES: usize = 3;

impl EventCounts {
    /// Takes in what became of rows that come later.
    pub fn add(&mut self, more: &EventCounts) {
        self.rows += more.rows;
        self.skipped += more.skipped;
        self.used += more.used;
        self.later += more.later;
        self.orphans += more.orphans;
        self.missing_key += more.missing_key;
        self.missing_time += more.missing_time;
        for example in &more.orphan_examples {
            self.example(example);
        }
    }

    fn example(&mut self, key: &str) -> bool {
        if self.orphan_examples.len() < EXAMPLES && !self.orphan_examples.iter().any(|known| known == key) {
            self.orphan_examples.push(key.to_owned());
        }
        self.orphan_examples.len() < EXAMPLES
    }
}

/// What is the same for all batches of a table.
pub(super) struct Scan {
    pub plan: Plan,
    pub parting: Parting,
    pub numbers: Arc<Numbers>,
    pub facts: Arc<Facts>,
    /// What the conditions and values need to know of the users, by user number.
    pub of_users: NodeColumns,
    /// The table, and the program's types.
    pub program: Program,
    pub table: Table,
    /// How many conditions there are; they are the first of the plan's nodes.
    conditions: usize,
    /// Types of the values, which follow.
    pub types: Vec<Type>,
    /// Numbers of texts and lists, by value.
    pub texts: Vec<Option<Texts>>,
}

impl Scan {
    pub fn new(
        dated: &Dated,
        work: &TableWork,
        parting: Parting,
        numbers: Arc<Numbers>,
        facts: Arc<Facts>,
    ) -> Option<Scan> {
        let types: Vec<Type> =
            work.values.iter().map(|value| dated.program.node(*value).ty.clone()).collect();
        Some(Scan {
            plan: Plan::of_nodes(dated, work.scope(), &work.roots()),
            parting,
            numbers,
            facts,
            of_users: NodeColumns::new(),
            program: dated.program.without_rules(),
            table: dated.program.events.get(work.table)?.table.clone(),
            conditions: work.conditions.len(),
            texts: types.iter().map(|ty| is_numbered(ty).then(Texts::default)).collect(),
            types,
        })
    }

    /// The block of a batch, and what became of its rows.
    pub fn block(&self, origin: Origin, batch: &RecordBatch) -> Result<(Block, EventCounts), Diagnostic> {
        let failed = |cause: &dyn std::fmt::Display| {
            let message = format!("the events `{}` cannot be evaluated: {cause}", self.table.name);
            Diagnostic::placeless(data::NOT_RUNNABLE, message)
        };
        let key = self.table.columns.get(self.table.key).and_then(|key| batch.column_by_name(&key.name));
        let key = key.ok_or_else(|| failed(&"the key was not read"))?;
        let mut users = Vec::with_capacity(batch.num_rows());
        self.numbers.look_up(key, &mut users);
        let given = self.given(&users).map_err(|cause| failed(&cause))?;
        let found = self.plan.nodes(batch, &given, &self.facts).map_err(|cause| failed(&cause))?;
        let (conditions, values) = found.split_at_checked(self.conditions).unwrap_or_default();
        let conditions: Vec<&BooleanBuffer> =
            conditions.iter().map(|array| array.as_boolean().values()).collect();
        let (values, times) = values.split_at_checked(self.types.len()).unwrap_or_default();
        let [at, later] = times else { return Err(failed(&"the time was not read")) };

        let joined = BooleanBuffer::collect_bool(users.len(), |row| users.get(row) != Some(&NOBODY));
        let counts = self.counts(key, &joined, at, later.as_boolean());
        let block = self.sorted(origin, &users, &joined, &conditions, values);
        Ok((block, counts))
    }

    /// What the evaluator needs to know of the users of these events.
    fn given(&self, users: &[u32]) -> Result<NodeColumns, arrow::error::ArrowError> {
        let mut given = NodeColumns::new();
        if self.of_users.is_empty() {
            return Ok(given);
        }
        let rows: UInt32Array = users.iter().map(|user| (*user != NOBODY).then_some(*user)).collect();
        for (node, column) in &self.of_users {
            let column = match column.len() {
                0 => new_null_array(column.data_type(), rows.len()),
                _ => take(column, &rows, None)?,
            };
            given.insert(*node, column);
        }
        Ok(given)
    }

    fn counts(
        &self,
        key: &ArrayRef,
        joined: &BooleanBuffer,
        at: &ArrayRef,
        later: &BooleanArray,
    ) -> EventCounts {
        let all = || BooleanBuffer::new_set(key.len());
        let known = |array: &ArrayRef| array.logical_nulls().map_or_else(all, |nulls| nulls.inner().clone());
        let (has_key, has_time) = (known(key), known(at));
        let count = |bits: &BooleanBuffer| bits.count_set_bits() as u64;
        let complete = &has_key & &has_time;
        let own = joined & &has_time;
        let orphans = &complete & &!joined;
        let later = count(&(&own & later.values()));
        let mut counts = EventCounts {
            table: self.table.name.clone(),
            rows: key.len() as u64,
            used: count(&own) - later,
            later,
            orphans: count(&orphans),
            missing_key: key.len() as u64 - count(&has_key),
            missing_time: count(&has_key) - count(&complete),
            ..EventCounts::default()
        };
        if counts.orphans > 0 {
            for row in orphans.set_indices() {
                if !counts.example(&shown(&self.program, &self.table, &value_at(key, row))) {
                    break;
                }
            }
        }
        counts
    }

    /// The events for which a condition holds, sorted by part of the users.
    fn sorted(
        &self,
        origin: Origin,
        users: &[u32],
        joined: &BooleanBuffer,
        conditions: &[&BooleanBuffer],
        values: &[ArrayRef],
    ) -> Block {
        let joined = words(joined);
        let bitmaps: Vec<Vec<u64>> = conditions.iter().map(|bits| words(bits)).collect();
        let mut rows: Vec<u32> = Vec::with_capacity(users.len());
        for (at, joined) in joined.iter().enumerate() {
            let any = bitmaps.iter().fold(0, |any, words| any | words.get(at).copied().unwrap_or(0));
            let mut rest = any & joined;
            while rest != 0 {
                rows.push((at * 64) as u32 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        let (rows, offsets) = by_part(&rows, users, self.parting);
        let user = |row: &u32| self.parting.place(users.get(*row as usize).copied().unwrap_or(0));
        let conditions = bitmaps.chunks(8).map(|bitmaps| {
            let bitmaps: Vec<&[u64]> = bitmaps.iter().map(Vec::as_slice).collect();
            let bytes = bytes_of(&bitmaps, users.len());
            rows.iter().map(|row| bytes.get(*row as usize).copied().unwrap_or(0)).collect()
        });
        let values = values.iter().zip(&self.types).zip(&self.texts);
        let values = values.map(|((array, ty), texts)| Cells::gather(array, ty, &rows, texts.as_ref()));
        Block {
            origin,
            first_part: 0,
            users: rows.iter().map(user).collect(),
            conditions: conditions.collect(),
            values: values.collect(),
            offsets,
        }
    }
}

/// A bitmap's words; what lies past its end is zero.
fn words(bits: &BooleanBuffer) -> Vec<u64> {
    let chunks = bits.bit_chunks();
    chunks.iter_padded().collect()
}
