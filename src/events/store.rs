//! The blocks of a table while it is read: in memory, or, when they take too much of it, on disk. There
//! they are divided into groups of parts of the users, each of which is small enough to be taken back
//! into memory.

use super::block::{Block, Parting};
use super::cells::Cells;
use super::disk::{Spool, failed};
use super::source::Origin;
use crate::diagnostic::Diagnostic;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt8Array, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, UInt8Type, UInt32Type};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most groups that a table is divided into.
const MOST_GROUPS: usize = 64;

/// How much may be held in memory, and how much is.
#[derive(Debug, Default)]
pub(super) struct Budget {
    limit: Option<usize>,
    held: AtomicUsize,
}

impl Budget {
    pub fn new(limit: Option<usize>) -> Budget {
        Budget { limit, held: AtomicUsize::new(0) }
    }

    /// Takes note of bytes that are held from now on; whether that is too much.
    pub fn hold(&self, bytes: usize) -> bool {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.limit.is_some_and(|limit| held > limit)
    }

    /// Takes note of bytes that are held no longer.
    pub fn free(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The blocks of one table.
pub(super) struct Store {
    parting: Parting,
    budget: Arc<Budget>,
    /// How many rows the table has, if that is known.
    rows: Option<u64>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    blocks: Vec<Block>,
    bytes: usize,
    /// Rows that the blocks come from.
    rows: u64,
    reaches: Vec<(u128, bool)>,
    disk: Option<Disk>,
}

/// Blocks on disk, by group.
struct Disk {
    groups: Vec<Group>,
}

struct Group {
    parts: Range<usize>,
    /// By which values are wide: the events, and where each batch comes from.
    spools: BTreeMap<Vec<bool>, (Spool, Vec<Origin>)>,
}

impl Store {
    pub fn new(parting: Parting, budget: Arc<Budget>, rows: Option<u64>) -> Store {
        Store { parting, budget, rows, inner: Mutex::default() }
    }

    /// Adds a block, made of so many rows.
    pub fn add(&self, block: Block, rows: usize) -> Result<(), Diagnostic> {
        let bytes = block.bytes();
        let reaches: Vec<(u128, bool)> =
            block.values.iter().map(|cells| (cells.reach(), matches!(cells, Cells::Wide(_)))).collect();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        inner.rows += rows as u64;
        if block.users.is_empty() {
            return Ok(());
        }
        inner.reaches.resize(reaches.len().max(inner.reaches.len()), (0, false));
        for (known, (reach, wide)) in inner.reaches.iter_mut().zip(reaches) {
            *known = (known.0.max(reach), known.1 || wide);
        }
        if let Some(disk) = &mut inner.disk {
            return disk.write(&block, self.parting);
        }
        inner.blocks.push(block);
        inner.bytes += bytes;
        if self.budget.hold(bytes) {
            let groups = self.groups(inner);
            let disk = inner.disk.insert(Disk::new(self.parting.count(), groups));
            for block in inner.blocks.drain(..) {
                disk.write(&block, self.parting)?;
            }
            self.budget.free(std::mem::take(&mut inner.bytes));
        }
        Ok(())
    }

    /// So many groups that each takes an eighth of what may be held.
    fn groups(&self, inner: &Inner) -> usize {
        let part = self.budget.limit.unwrap_or(0) / 8;
        let expected = match (self.rows, usize::try_from(inner.rows)) {
            (Some(rows), Ok(seen)) if seen > 0 => {
                let rows = usize::try_from(rows).unwrap_or(usize::MAX).max(seen);
                inner.bytes.saturating_mul(rows / seen + 1)
            }
            _ => return MOST_GROUPS,
        };
        expected.checked_div(part).unwrap_or(MOST_GROUPS).clamp(4, MOST_GROUPS)
    }

    /// All blocks are there: how far from zero their values are, whether some are wide, and the blocks.
    pub fn finish(self) -> (Vec<(u128, bool)>, Blocks) {
        let mut inner = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        inner.blocks.sort_by_key(|block| block.origin);
        (
            inner.reaches,
            Blocks { blocks: inner.blocks, disk: inner.disk, bytes: inner.bytes, budget: self.budget },
        )
    }
}

/// The blocks of a table that was read.
pub(super) struct Blocks {
    blocks: Vec<Block>,
    disk: Option<Disk>,
    bytes: usize,
    budget: Arc<Budget>,
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.budget.free(self.bytes);
    }
}

impl Blocks {
    /// The blocks that are in memory.
    pub fn in_memory(&mut self) -> &mut [Block] {
        &mut self.blocks
    }

    /// Where the groups end that are best worked on one after the other.
    pub fn ends(&self) -> Vec<usize> {
        let groups = self.disk.iter().flat_map(|disk| &disk.groups);
        groups.map(|group| group.parts.end).collect()
    }

    /// The blocks of the groups that have some of these parts; none where all blocks are in memory.
    pub fn around(
        &mut self,
        parts: &Range<usize>,
        parting: Parting,
    ) -> Result<Option<Vec<Block>>, Diagnostic> {
        let Some(disk) = &mut self.disk else { return Ok(None) };
        let mut blocks = Vec::new();
        let some = |group: &&mut Group| group.parts.start < parts.end && parts.start < group.parts.end;
        for group in disk.groups.iter_mut().filter(some) {
            for (spool, origins) in group.spools.values_mut() {
                for (batch, origin) in spool.read()?.zip(origins) {
                    blocks.push(block(&batch?, *origin, &group.parts, parting)?);
                }
            }
        }
        blocks.sort_by_key(|block| block.origin);
        Ok(Some(blocks))
    }

    /// The blocks that are in memory, as they lie there.
    pub fn all(&self) -> &[Block] {
        &self.blocks
    }
}

impl Disk {
    fn new(parts: usize, groups: usize) -> Disk {
        let size = parts.div_ceil(groups.max(1)).max(1);
        let groups = (0..parts).step_by(size);
        let groups =
            groups.map(|start| Group { parts: start..(start + size).min(parts), spools: BTreeMap::new() });
        Disk { groups: groups.collect() }
    }

    fn write(&mut self, block: &Block, parting: Parting) -> Result<(), Diagnostic> {
        let wide: Vec<bool> = block.values.iter().map(|cells| matches!(cells, Cells::Wide(_))).collect();
        for group in &mut self.groups {
            let rows = block.stretch(group.parts.start).start..block.stretch(group.parts.end - 1).end;
            if rows.is_empty() {
                continue;
            }
            let batch = batch(block, &group.parts, &rows, parting)?;
            let (spool, origins) = match group.spools.entry(wide.clone()) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert((Spool::new(&batch)?, Vec::new()))
                }
            };
            spool.write(&batch)?;
            origins.push(block.origin);
        }
        Ok(())
    }
}

/// The events of some parts as a batch: the user's number, the conditions, the values.
fn batch(
    block: &Block,
    parts: &Range<usize>,
    rows: &Range<usize>,
    parting: Parting,
) -> Result<RecordBatch, Diagnostic> {
    let mut users: Vec<u32> = Vec::with_capacity(rows.len());
    for part in parts.clone() {
        let start = parting.range(part).start as u32;
        let places = block.users.get(block.stretch(part)).unwrap_or(&[]);
        users.extend(places.iter().map(|place| start + u32::from(*place)));
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from(users))];
    for bytes in &block.conditions {
        columns.push(Arc::new(UInt8Array::from(bytes.get(rows.clone()).unwrap_or(&[]).to_vec())));
    }
    columns.extend(block.values.iter().map(|cells| cells.slice(rows.clone()).column()));
    let field =
        |(at, column): (usize, &ArrayRef)| Field::new(at.to_string(), column.data_type().clone(), false);
    let fields: Vec<Field> = columns.iter().enumerate().map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(failed)
}

/// The block that a batch was made of, as far as these parts go.
fn block(
    batch: &RecordBatch,
    origin: Origin,
    parts: &Range<usize>,
    parting: Parting,
) -> Result<Block, Diagnostic> {
    let (users, columns) = batch.columns().split_first().ok_or_else(|| failed("a column is missing"))?;
    let users =
        users.as_primitive_opt::<UInt32Type>().ok_or_else(|| failed("a column is of another kind"))?;
    let mut block =
        Block { origin, first_part: parts.start, offsets: vec![0; parts.len() + 1], ..Block::default() };
    for user in users.values() {
        if let Some(count) = block.offsets.get_mut((parting.part(*user) + 1).saturating_sub(parts.start)) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for offset in &mut block.offsets {
        sum += *offset;
        *offset = sum;
    }
    block.users = users.values().iter().map(|user| parting.place(*user)).collect();
    for column in columns {
        match column.data_type() {
            DataType::UInt8 => block.conditions.push(column.as_primitive::<UInt8Type>().values().to_vec()),
            _ => {
                let cells = Cells::of_column(column);
                block.values.push(cells.ok_or_else(|| failed("a column is of another kind"))?);
            }
        }
    }
    Ok(block)
}
