//! A part of a batch at work: action by action, each node by the kernel that knows it.

use super::bits::{Bits, Pool, bits_of};
use super::clock::{DAY, HOUR};
use super::codes::Outcomes;
use super::column::{Column, Data, Element, all_known};
use super::logic::Instruction;
use super::output::Collector;
use super::plan::{Action, Declared, Plan, Prepared, Step, Work};
use super::registers::Registers;
use super::{choose, compare, dates, numbers, scalar, score, wording};
use crate::program::{CompareOp, Expr, Node, NodeId, Type, Value};
use crate::semantics::Environment;
use arrow::array::{Array, ArrayRef};
use std::borrow::Cow;

/// What a node has come to.
enum Outcome {
    Condition(Bits),
    Values(Column),
}

/// What a node remembers between chunks.
#[derive(Debug, Default)]
pub(super) struct Memo {
    pub outcomes: Option<Outcomes>,
    pub table: Option<scalar::Table>,
}

/// A part of a batch at work.
pub(super) struct Chunk<'a> {
    pub plan: &'a Plan,
    pub inputs: &'a [ArrayRef],
    pub environment: Environment<'a>,
    /// Rows of the whole batch: a dictionary of more values is not worth testing as a whole.
    pub worthwhile: usize,
    /// First row of the batch that is in.
    pub start: usize,
    pub rows: usize,
    pub registers: Registers,
    pub memos: Vec<Memo>,
    pub pool: Pool,
}

impl Chunk<'_> {
    /// Does all that the plan does.
    pub fn work(&mut self, collectors: &mut [Collector]) {
        let script = &self.plan.script;
        for instruction in &script.instructions {
            match instruction {
                Instruction::Perform(number) => {
                    if let Some(action) = self.plan.actions.get(*number as usize) {
                        self.perform(action, collectors);
                    }
                }
                Instruction::Join(join, register) => {
                    let register = *register as usize;
                    let mut bits = self.registers.room(register, self.rows);
                    join.write(script.operands(join), &self.registers, self.rows, &mut bits);
                    self.registers.put_condition(register, bits, &mut self.pool);
                }
                Instruction::Keep(join, place) => {
                    if let Some(collector) = collectors.get_mut(*place as usize) {
                        let operands = script.operands(join);
                        join.keep(operands, &self.registers, self.rows, &mut self.pool, collector);
                    }
                }
                Instruction::Free(register) => self.registers.free(*register as usize, &mut self.pool),
            }
        }
    }

    /// Does an action of the plan.
    fn perform(&mut self, action: &Action, collectors: &mut [Collector]) {
        match &action.work {
            Work::Node(step) => {
                let mut pool = std::mem::take(&mut self.pool);
                let outcome = self.with_memo(step.memo, |chunk, memo| chunk.step(step, memo, &mut pool));
                match outcome {
                    Outcome::Condition(bits) => self.registers.put_condition(step.register, bits, &mut pool),
                    Outcome::Values(column) => {
                        self.registers.put_values(step.register, Box::new(column), &mut pool);
                    }
                }
                self.pool = pool;
            }
            Work::Tests(group) => {
                if let Some(column) = self.registers.take_values(group.source) {
                    let size = (self.rows, self.worthwhile);
                    self.with_memo(group.memo, |chunk, memo| {
                        let Chunk { registers, pool, .. } = chunk;
                        group.evaluate(&column, size, pool, &mut memo.outcomes, registers);
                    });
                    self.registers.put_values(group.source, column, &mut self.pool);
                }
            }
            Work::Keep(place) => {
                if let (Some(declared), Some(collector)) =
                    (self.plan.wanted.get(*place), collectors.get_mut(*place))
                {
                    self.keep(declared, collector);
                }
            }
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

    fn condition(&self, register: usize) -> Cow<'_, Bits> {
        self.registers.condition(register, self.rows)
    }

    fn values(&self, register: usize) -> Cow<'_, Column> {
        self.registers.values(register)
    }

    fn step(&self, step: &Step, memo: &mut Memo, pool: &mut Pool) -> Outcome {
        match &step.prepared {
            Prepared::Input(input) => {
                let array = self.inputs.get(*input).map(|array| array.slice(self.start, self.rows));
                let column = array.and_then(|array| Column::from_array_in(&array, &step.node.ty, pool));
                Outcome::Values(column.unwrap_or_else(|| Column::constant(Value::Missing)))
            }
            Prepared::Nothing => self
                .test(&step.node.expr)
                .map(Outcome::Condition)
                .or_else(|| self.kernel(step, pool).map(Outcome::Values))
                .unwrap_or_else(|| self.scalar(step, memo)),
        }
    }

    /// Tests of values.
    fn test(&self, expr: &Expr) -> Option<Bits> {
        let at = |id: &NodeId| self.values(id.0 as usize);
        match expr {
            Expr::IsKnown(operand) => Some(at(operand).known_bits(self.rows)),
            Expr::CountOf { quantifier, count, conditions } => {
                let conditions: Vec<Cow<Bits>> =
                    conditions.iter().map(|id| self.condition(id.0 as usize)).collect();
                Some(choose::count_of(*quantifier, *count, &conditions, self.rows))
            }
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
        let label = |id: &NodeId| match self.registers.constant(id.0 as usize) {
            Some(Value::Label(code)) => Some(*code),
            _ => None,
        };
        let codes = arms.iter().map(|(_, value)| label(value)).collect::<Option<Vec<u32>>>()?;
        let otherwise = match otherwise {
            None => None,
            Some(id) => match self.registers.constant(id.0 as usize) {
                Some(Value::Missing) => None,
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
    fn scalar(&self, step: &Step, memo: &mut Memo) -> Outcome {
        let operands: Vec<Cow<Column>> =
            step.operands.iter().map(|register| self.values(*register)).collect();
        let operands: Vec<&Column> = operands.iter().map(AsRef::as_ref).collect();
        let (rows, worthwhile) = (self.rows, self.worthwhile);
        let column =
            scalar::column(&step.node, &operands, rows, worthwhile, &self.environment, &mut memo.table);
        if step.node.expr.is_condition() {
            Outcome::Condition(Bits::from_fn(rows, |row| column.value(row).is_true()))
        } else {
            Outcome::Values(column)
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
