//! Evaluating a batch: chunk by chunk, action by action, each node by the kernel that knows it.

use super::bits::{Bits, Pool, bits_of};
use super::clock::{DAY, HOUR};
use super::codes::Outcomes;
use super::column::{Column, Data, Element, all_known};
use super::output::{Assignment, Collector, Counts, DeclaredCount, Output, OutputColumn};
use super::plan::{Action, BatchInput, Declared, Input, Plan, Prepared, Step, Wanted, Work};
use super::{choose, compare, dates, kernels, numbers, scalar, score, wording};
use crate::program::{CompareOp, Expr, Node, NodeId, Type, Value};
use crate::semantics::{Dated, Environment, Facts};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, UInt16Type};
use hashbrown::HashMap;
use std::borrow::Cow;

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

/// What a register holds.
#[derive(Debug, Default)]
enum Register {
    #[default]
    Empty,
    Condition(Bits),
    Values(Column),
}

/// What evaluations work in: registers and what is remembered of dictionaries. Kept from batch to
/// batch it saves making them anew; whoever evaluates in several threads gives each its own.
#[derive(Debug)]
pub struct Workspace {
    registers: Vec<Register>,
    memos: Vec<Memo>,
    pool: Pool,
}

/// What a node remembers between chunks.
#[derive(Debug, Default)]
struct Memo {
    outcomes: Option<Outcomes>,
    table: Option<scalar::Table>,
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
            registers: (0..self.registers).map(|_| Register::Empty).collect(),
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
            for action in &self.actions {
                chunk.perform(action, &mut collectors);
            }
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

/// A part of a batch at work.
struct Chunk<'a> {
    plan: &'a Plan,
    inputs: &'a [ArrayRef],
    environment: Environment<'a>,
    /// Rows of the whole batch: a dictionary of more values is not worth testing as a whole.
    worthwhile: usize,
    /// First row of the batch that is in.
    start: usize,
    rows: usize,
    registers: Vec<Register>,
    memos: Vec<Memo>,
    pool: Pool,
}

/// An operator over the words of four conditions; the first place is the outcome's.
type FourWays = fn(&mut [u64], &[u64], &[u64], &[u64], &[u64]);

impl Chunk<'_> {
    fn perform(&mut self, action: &Action, collectors: &mut [Collector]) {
        match &action.work {
            Work::Node(step) => {
                let mut pool = std::mem::take(&mut self.pool);
                let logic = match step.prepared {
                    Prepared::Nothing => self.logic(&step.node.expr, &mut pool),
                    Prepared::Input(_) => None,
                };
                let outcome = match logic {
                    Some(bits) => Register::Condition(bits),
                    None => self.with_memo(step.memo, |chunk, memo| chunk.step(step, memo, &mut pool)),
                };
                self.pool = pool;
                self.put(step.register, outcome);
            }
            Work::Tests(group) => {
                let mut pool = std::mem::take(&mut self.pool);
                let source = self.registers.get_mut(group.source).map(std::mem::take).unwrap_or_default();
                if let Register::Values(column) = &source {
                    let size = (self.rows, self.worthwhile);
                    self.with_memo(group.memo, |chunk, memo| {
                        group.evaluate(column, size, &mut pool, &mut memo.outcomes, &mut |register, bits| {
                            if let Some(place) = chunk.registers.get_mut(register) {
                                *place = Register::Condition(bits);
                            }
                        });
                    });
                }
                self.pool = pool;
                self.put(group.source, source);
            }
            Work::Keep(place) => {
                if let (Some(declared), Some(collector)) =
                    (self.plan.wanted.get(*place), collectors.get_mut(*place))
                {
                    self.keep(declared, collector);
                }
            }
        }
        for register in &action.free {
            self.put(*register, Register::Empty);
        }
    }

    fn with_memo<T>(&mut self, memo: usize, work: impl FnOnce(&mut Self, &mut Memo) -> T) -> T {
        let mut kept = self.memos.get_mut(memo).map(std::mem::take).unwrap_or_default();
        let outcome = work(self, &mut kept);
        if let Some(place) = self.memos.get_mut(memo) {
            *place = kept;
        }
        outcome
    }

    fn put(&mut self, register: usize, outcome: Register) {
        let Some(place) = self.registers.get_mut(register) else { return };
        match std::mem::replace(place, outcome) {
            Register::Condition(bits) => self.pool.put(bits),
            Register::Values(column) => column.put_into(&mut self.pool),
            Register::Empty => {}
        }
    }

    fn keep(&self, declared: &Declared, collector: &mut Collector) {
        if declared.segment {
            collector.add_condition(&self.condition(declared.value));
        } else {
            collector.add_values(&self.values(declared.value), &declared.ty, self.rows);
        }
        if let Some(line) = declared.line {
            collector.add_lines(&self.values(line), self.rows);
        }
        if let Some(claims) = &declared.claims {
            let members = claims.iter().map(|lines| {
                let mut member = Bits::filled(self.rows, false);
                for line in lines {
                    member.or(&self.condition(*line));
                }
                member
            });
            collector.add_claims(members, self.rows);
        }
    }

    /// A register as a condition: a bool value counts where it is known and true.
    fn condition(&self, register: usize) -> Cow<'_, Bits> {
        match self.registers.get(register) {
            Some(Register::Condition(bits)) => Cow::Borrowed(bits),
            Some(Register::Values(column)) => match &column.data {
                Data::Bool(bits) => {
                    let mut bits = bits.clone();
                    if let Some(known) = &column.known {
                        bits.and(known);
                    }
                    Cow::Owned(bits)
                }
                data => {
                    Cow::Owned(Bits::filled(self.rows, matches!(data, Data::Constant(Value::Bool(true)))))
                }
            },
            _ => Cow::Owned(Bits::filled(self.rows, false)),
        }
    }

    /// A register as values.
    fn values(&self, register: usize) -> Cow<'_, Column> {
        match self.registers.get(register) {
            Some(Register::Values(column)) => Cow::Borrowed(column),
            Some(Register::Condition(bits)) => Cow::Owned(Column::from_condition(bits.clone())),
            _ => Cow::Owned(Column::constant(Value::Missing)),
        }
    }

    fn step(&self, step: &Step, memo: &mut Memo, pool: &mut Pool) -> Register {
        match &step.prepared {
            Prepared::Input(input) => {
                let array = self.inputs.get(*input).map(|array| array.slice(self.start, self.rows));
                let column = array.and_then(|array| Column::from_array_in(&array, &step.node.ty, pool));
                Register::Values(column.unwrap_or_else(|| Column::constant(Value::Missing)))
            }
            Prepared::Nothing => self
                .test(&step.node.expr)
                .map(Register::Condition)
                .or_else(|| self.kernel(step, pool).map(Register::Values))
                .unwrap_or_else(|| self.scalar(step, memo)),
        }
    }

    /// Conditions made of conditions.
    fn logic(&self, expr: &Expr, pool: &mut Pool) -> Option<Bits> {
        let at = |id: &NodeId| self.condition(id.0 as usize);
        match expr {
            Expr::And(operands) => self.joined(operands, pool, kernels::and2, kernels::and4, Bits::and),
            Expr::Or(operands) => self.joined(operands, pool, kernels::or2, kernels::or4, Bits::or),
            Expr::Not(operand) => {
                let mut bits = pool.copy(&at(operand));
                bits.not();
                Some(bits)
            }
            Expr::CountOf { quantifier, count, conditions } => {
                let conditions: Vec<Bits> = conditions.iter().map(|id| at(id).into_owned()).collect();
                Some(choose::count_of(*quantifier, *count, &conditions, self.rows))
            }
            Expr::IsTrue(operand) => Some(pool.copy(&at(operand))),
            _ => None,
        }
    }

    /// The conditions joined by one operator: up to four in one pass over the words.
    fn joined(
        &self,
        operands: &[NodeId],
        pool: &mut Pool,
        two: fn(&mut [u64], &[u64], &[u64]),
        four: FourWays,
        more: fn(&mut Bits, &Bits),
    ) -> Option<Bits> {
        let at = |id: &NodeId| self.condition(id.0 as usize);
        let mut bits = pool.bits(self.rows);
        match operands {
            [] => return None,
            [one] => bits.copy_from(&at(one)),
            [a, b] => two(bits.words_mut(), at(a).words(), at(b).words()),
            [a, b, c] => {
                let c = at(c);
                four(bits.words_mut(), at(a).words(), at(b).words(), c.words(), c.words());
            }
            [a, b, c, d, rest @ ..] => {
                four(bits.words_mut(), at(a).words(), at(b).words(), at(c).words(), at(d).words());
                for operand in rest {
                    more(&mut bits, &at(operand));
                }
            }
        }
        Some(bits)
    }

    /// Tests of values.
    fn test(&self, expr: &Expr) -> Option<Bits> {
        let at = |id: &NodeId| self.values(id.0 as usize);
        match expr {
            Expr::IsKnown(operand) => Some(at(operand).known_bits(self.rows)),
            Expr::Compare { op, left, right } => {
                let (left, right) = (at(left), at(right));
                compare::compare(*op, &left, &right, self.rows)
                    .or_else(|| equal_bools(*op, &left, &right, self.rows))
                    .or_else(|| equal_texts(*op, &left, &right, self.rows))
            }
            Expr::Has { list, item } => has(&at(list), &at(item), self.rows),
            _ => None,
        }
    }

    /// Values that a kernel computes; `None` for those that none knows.
    fn kernel(&self, step: &Step, pool: &mut Pool) -> Option<Column> {
        if let Some(column) = self.labels(&step.node, pool) {
            return Some(column);
        }
        let (node, rows) = (&step.node, self.rows);
        let at = |id: &NodeId| self.values(id.0 as usize);
        let operands: Vec<Cow<Column>> =
            step.operands.iter().map(|register| self.values(*register)).collect();
        let operands: Vec<&Column> = operands.iter().map(AsRef::as_ref).collect();
        let slow = |row: usize| scalar::at(node, &operands, row, &self.environment);
        match &node.expr {
            Expr::Constant(value) => Some(Column::constant(value.clone())),
            Expr::Case { arms, otherwise } => {
                let columns: Vec<Cow<Column>> = arms.iter().map(|(_, value)| at(value)).collect();
                let last = otherwise.as_ref().map(at);
                let conditions =
                    arms.iter().map(|(condition, _)| self.condition(condition.0 as usize).into_owned());
                let arms = conditions.zip(columns.iter().map(AsRef::as_ref));
                choose::choose(&choose::peel(arms, last.as_deref(), rows), &node.ty, rows)
            }
            Expr::OrElse(first, second) => {
                let (first, second) = (at(first), at(second));
                let arm = (first.known_bits(rows), first.as_ref());
                choose::choose(&choose::peel([arm], Some(&second), rows), &node.ty, rows)
            }
            Expr::Points(arms) => {
                let arms: Vec<(Bits, i64)> = arms
                    .iter()
                    .map(|(condition, points)| (self.condition(condition.0 as usize).into_owned(), *points))
                    .collect();
                choose::points(&arms, rows)
            }
            Expr::Arithmetic { op, left, right } => {
                numbers::arithmetic(*op, &at(left), &at(right), &node.ty, rows, &slow)
            }
            Expr::NumberFunction(function, operand) => {
                numbers::function(*function, &at(operand), &node.ty, rows, &slow)
            }
            Expr::Score { lowest_is_best, .. } => {
                let (value, cuts) = operands.split_first()?;
                score::score(value, cuts, *lowest_is_best, rows)
            }
            Expr::Digits(_) => score::digits(&operands, rows),
            Expr::Least(_) => numbers::extreme(&operands, false, &node.ty, rows),
            Expr::Greatest(_) => numbers::extreme(&operands, true, &node.ty, rows),
            Expr::Convert(operand) => numbers::convert(&at(operand), &node.ty, rows, &slow),
            Expr::LocalDate(operand) => self.local::<i32>(&at(operand), &node.ty, &slow, |local| {
                i32::try_from(local.div_euclid(DAY)).ok()
            }),
            Expr::TimeOfDay(operand) => {
                self.local::<i64>(&at(operand), &node.ty, &slow, |local| Some(local.rem_euclid(DAY)))
            }
            Expr::Hour(operand) => {
                self.local::<i64>(&at(operand), &node.ty, &slow, |local| Some(local.rem_euclid(DAY) / HOUR))
            }
            Expr::Elapsed { unit, from, to } => {
                dates::elapsed(*unit, &at(from), &at(to), &node.ty, rows, &slow)
            }
            Expr::DatePart(part, date) => dates::part(*part, &at(date), &node.ty, rows, &slow),
            Expr::Texts(arms) => {
                let conditions = arms.iter().map(|arm| self.condition(arm.condition.0 as usize).into_owned());
                let values: Vec<Vec<Cow<Column>>> =
                    arms.iter().map(|arm| arm.values().map(|id| at(&id)).collect()).collect();
                Some(wording::texts(arms, conditions, &values, rows, &self.environment))
            }
            _ => None,
        }
    }

    /// The first of labels whose condition holds, as layers and scales have it.
    fn labels(&self, node: &Node, pool: &mut Pool) -> Option<Column> {
        let Expr::Case { arms, otherwise } = &node.expr else { return None };
        let label = |id: &NodeId| match self.registers.get(id.0 as usize) {
            Some(Register::Values(Column { data: Data::Constant(Value::Label(code)), .. })) => Some(*code),
            _ => None,
        };
        let codes = arms.iter().map(|(_, value)| label(value)).collect::<Option<Vec<u32>>>()?;
        let otherwise = match otherwise {
            None => None,
            Some(id) => match self.registers.get(id.0 as usize) {
                Some(Register::Values(Column { data: Data::Constant(Value::Missing), .. })) => None,
                _ => Some(label(id)?),
            },
        };
        let conditions = arms.iter().map(|(condition, _)| self.condition(condition.0 as usize));
        Some(choose::labels(conditions.zip(codes), otherwise, self.rows, pool))
    }

    /// Something of the local time of moments.
    fn local<T: Element>(
        &self,
        moments: &Column,
        ty: &Type,
        slow: numbers::Slow,
        part: impl Fn(i64) -> Option<T>,
    ) -> Option<Column> {
        let Data::Timestamp(values) = &moments.data else { return None };
        let mut hint = 0;
        numbers::map(self.rows, all_known(&[moments], self.rows), ty, slow, |row| {
            part(self.plan.clock.local(*values.get(row)?, &mut hint)?)
        })
    }

    /// Any node by its scalar definition.
    fn scalar(&self, step: &Step, memo: &mut Memo) -> Register {
        let operands: Vec<Cow<Column>> =
            step.operands.iter().map(|register| self.values(*register)).collect();
        let operands: Vec<&Column> = operands.iter().map(AsRef::as_ref).collect();
        let (rows, worthwhile) = (self.rows, self.worthwhile);
        let column =
            scalar::column(&step.node, &operands, rows, worthwhile, &self.environment, &mut memo.table);
        if step.node.expr.is_condition() {
            Register::Condition(Bits::from_fn(rows, |row| column.value(row).is_true()))
        } else {
            Register::Values(column)
        }
    }
}

/// `=` of bools.
fn equal_bools(op: CompareOp, left: &Column, right: &Column, rows: usize) -> Option<Bits> {
    let bits = |column: &Column| match &column.data {
        Data::Bool(bits) => Some(bits.clone()),
        Data::Constant(Value::Bool(value)) => Some(Bits::filled(rows, *value)),
        _ => None,
    };
    let (mut same, other) = (bits(left)?, bits(right)?);
    same.xor(&other);
    same.not();
    if let Some(known) = all_known(&[left, right], rows) {
        same.and(&known);
    }
    (op == CompareOp::Eq).then_some(same)
}

/// `=` of texts.
fn equal_texts(op: CompareOp, left: &Column, right: &Column, rows: usize) -> Option<Bits> {
    let texts = |column: &Column| {
        matches!(column.data, Data::Text(_) | Data::Dictionary(..) | Data::Constant(Value::Text(_)))
    };
    (op == CompareOp::Eq && texts(left) && texts(right)).then(|| {
        Bits::from_fn(rows, |row| match (left.text(row), right.text(row)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        })
    })
}

/// Whether lists have an item: one pass over all items, then a look at each list's part.
fn has(lists: &Column, item: &Column, rows: usize) -> Option<Bits> {
    let (Data::List(arrays, ty), Data::Constant(item)) = (&lists.data, &item.data) else { return None };
    let offsets = arrays.value_offsets();
    let (first, last) = (*offsets.first()?, *offsets.last()?);
    let (first, last) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
    let items = Column::from_array(&arrays.values().slice(first, last - first), ty)?;
    let equal = match item {
        Value::Text(text) => Bits::from_fn(last - first, |row| items.text(row) == Some(text)),
        Value::Label(code) => match &items.data {
            Data::Label(codes) => bits_of(codes, |found| found == *code),
            _ => return None,
        },
        Value::Int(value) => match &items.data {
            Data::Int(values) => bits_of(values, |found| found == *value),
            _ => return None,
        },
        _ => return None,
    };
    let known = items.known;
    Some(Bits::from_fn(rows, |row| {
        let place = |row: usize| offsets.get(row).and_then(|at| usize::try_from(*at).ok());
        let (Some(from), Some(to)) = (place(row), place(row + 1)) else { return false };
        lists.is_known(row)
            && (from - first..to - first)
                .any(|at| equal.get(at) && known.as_ref().is_none_or(|known| known.get(at)))
    }))
}
