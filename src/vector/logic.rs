//! Conditions made of conditions, and the order of all that a plan does for a chunk.
//!
//! Ten thousand rules are gone through for every chunk. So what is to be done is told in few bytes for each, which
//! stay in cache beside the registers, and a segment that nobody else asks for is counted as it is computed,
//! without being written anywhere.

use super::bits::{Bits, Pool};
use super::kernels;
use super::output::Collector;
use super::plan::{Action, Declared, Prepared, Step, Work};
use super::registers::Registers;
use crate::program::{Expr, NodeId};

/// How conditions are made one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    And,
    Or,
    /// Of one.
    Not,
    /// Of one, which it is itself.
    Same,
}

/// Conditions made one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Join {
    operator: Operator,
    /// Place of the first operand in [`Script::operands`].
    first: u32,
    count: u32,
}

/// Something to do for a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction {
    /// An action of the plan, by its number.
    Perform(u32),
    /// A condition to be put into a register.
    Join(Join, u32),
    /// A condition that is the outcome of a wanted segment, by its place in `Plan::wanted`, and of no use to
    /// anybody else.
    Keep(Join, u32),
    /// The values of a register are not needed any more. Conditions leave theirs to the next ones.
    Free(u32),
}

/// All that is done for a chunk, in order.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub instructions: Vec<Instruction>,
    /// Registers, those of one instruction beside each other.
    operands: Vec<u32>,
}

impl Script {
    /// The script of a plan's actions.
    pub fn new(actions: &[Action], wanted: &[Declared], registers: usize) -> Self {
        let mut script = Script::default();
        // By register, whether it may hold anything but a condition.
        let mut values = vec![false; registers];
        let hold = |values: &mut Vec<bool>, register: usize, what: bool| {
            if let Some(place) = values.get_mut(register) {
                *place = what;
            }
        };
        for (number, action) in (0..).zip(actions) {
            let instruction = match &action.work {
                Work::Node(step) => {
                    let join = script.join(step);
                    hold(&mut values, step.register, join.is_none());
                    join.map(|join| Instruction::Join(join, short(step.register)))
                }
                Work::Tests(group) => {
                    group.registers().for_each(|register| hold(&mut values, register, false));
                    None
                }
                Work::Keep(place) => script.keep(*place, wanted.get(*place), &action.free),
            };
            script.instructions.push(instruction.unwrap_or(Instruction::Perform(number)));
            let values = action.free.iter().filter(|register| values.get(**register) == Some(&true));
            script.instructions.extend(values.map(|register| Instruction::Free(short(*register))));
        }
        script
    }

    /// A node as conditions made one, where it is that.
    fn join(&mut self, step: &Step) -> Option<Join> {
        let (Prepared::Nothing, expr) = (&step.prepared, &step.node.expr) else { return None };
        let (operator, operands): (Operator, &[NodeId]) = match expr {
            Expr::And(operands) if !operands.is_empty() => (Operator::And, operands),
            Expr::Or(operands) if !operands.is_empty() => (Operator::Or, operands),
            Expr::Not(operand) => (Operator::Not, std::slice::from_ref(operand)),
            Expr::IsTrue(operand) => (Operator::Same, std::slice::from_ref(operand)),
            _ => return None,
        };
        let first = short(self.operands.len());
        // The operands of a step are registers.
        self.operands.extend(operands.iter().map(|register| register.0));
        Some(Join { operator, first, count: short(operands.len()) })
    }

    /// What keeps a segment instead of what computes it, where that comes right before and nobody else needs it.
    fn keep(&mut self, place: usize, declared: Option<&Declared>, free: &[usize]) -> Option<Instruction> {
        let declared = declared?;
        let alone = declared.segment && declared.claims.is_none() && declared.line.is_none();
        match self.instructions.last() {
            Some(Instruction::Join(join, register))
                if alone && *register as usize == declared.value && free.contains(&declared.value) =>
            {
                let join = *join;
                self.instructions.pop();
                Some(Instruction::Keep(join, short(place)))
            }
            _ => None,
        }
    }

    /// The registers of its operands.
    pub fn operands(&self, join: &Join) -> &[u32] {
        let first = join.first as usize;
        self.operands.get(first..first + join.count as usize).unwrap_or_default()
    }
}

/// A number of a register, an action or a declaration, of which a program has far fewer than would not fit.
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

type WriteFour = fn(&mut [u64], &[u64], &[u64], &[u64], &[u64]);
type CountFour = fn(&[u64], &[u64], &[u64], &[u64]) -> u64;

/// The kernels of an operator over several conditions.
struct Kernels {
    two: fn(&mut [u64], &[u64], &[u64]),
    four: WriteFour,
    more: fn(&mut [u64], &[u64]),
    count_two: fn(&[u64], &[u64]) -> u64,
    count_four: CountFour,
}

const AND: Kernels = Kernels {
    two: kernels::and2,
    four: kernels::and4,
    more: kernels::and_with,
    count_two: kernels::count_and2,
    count_four: kernels::count_and4,
};

const OR: Kernels = Kernels {
    two: kernels::or2,
    four: kernels::or4,
    more: kernels::or_with,
    count_two: kernels::count_or2,
    count_four: kernels::count_or4,
};

impl Join {
    /// Makes the condition.
    pub fn write(&self, operands: &[u32], registers: &Registers, rows: usize, out: &mut Bits) {
        let at = |register: &u32| registers.condition(*register as usize, rows);
        let kernels = match (self.operator, operands) {
            (_, []) => return,
            (Operator::And, _) => AND,
            (Operator::Or, _) => OR,
            (Operator::Same, [one, ..]) => return out.copy_from(&at(one)),
            (Operator::Not, [one, ..]) => {
                out.copy_from(&at(one));
                return out.not();
            }
        };
        let words = out.words_mut();
        match operands {
            [] => {}
            [one] => words.copy_from_slice(at(one).words()),
            [a, b] => (kernels.two)(words, at(a).words(), at(b).words()),
            [a, b, c] => {
                let c = at(c);
                (kernels.four)(words, at(a).words(), at(b).words(), c.words(), c.words());
            }
            [a, b, c, d, rest @ ..] => {
                (kernels.four)(words, at(a).words(), at(b).words(), at(c).words(), at(d).words());
                for operand in rest {
                    (kernels.more)(words, at(operand).words());
                }
            }
        }
    }

    /// For how many rows the condition holds.
    fn count(&self, operands: &[u32], registers: &Registers, rows: usize, pool: &mut Pool) -> u64 {
        let at = |register: &u32| registers.condition(*register as usize, rows);
        let kernels = match self.operator {
            Operator::And => AND,
            Operator::Or => OR,
            Operator::Same => return operands.first().map_or(0, |one| at(one).count()),
            Operator::Not => return operands.first().map_or(0, |one| rows as u64 - at(one).count()),
        };
        match operands {
            [] => 0,
            [one] => at(one).count(),
            [a, b] => (kernels.count_two)(at(a).words(), at(b).words()),
            [a, b, c] => {
                let c = at(c);
                (kernels.count_four)(at(a).words(), at(b).words(), c.words(), c.words())
            }
            [a, b, c, d] => (kernels.count_four)(at(a).words(), at(b).words(), at(c).words(), at(d).words()),
            [some @ .., a, b, c] => {
                let mut bits = pool.bits(rows);
                self.write(some, registers, rows, &mut bits);
                let count = (kernels.count_four)(bits.words(), at(a).words(), at(b).words(), at(c).words());
                pool.put(bits);
                count
            }
        }
    }

    /// Adds the condition to what is kept of a segment.
    pub fn keep(
        &self,
        operands: &[u32],
        registers: &Registers,
        rows: usize,
        pool: &mut Pool,
        collector: &mut Collector,
    ) {
        if let Some(counted) = collector.segment_count() {
            *counted += self.count(operands, registers, rows, pool);
            return;
        }
        let mut bits = pool.bits(rows);
        self.write(operands, registers, rows, &mut bits);
        collector.add_condition(&bits);
        pool.put(bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 200;

    #[test]
    fn conditions_are_joined_and_counted_alike() {
        let (mut registers, mut pool) = (Registers::new(9), Pool::default());
        let holds = |register: usize, row: usize| row * (register + 3) % 11 > 1 && row % (register + 2) < 5;
        for register in 0..9 {
            registers.put_condition(register, Bits::from_fn(ROWS, |row| holds(register, row)), &mut pool);
        }
        let operands: Vec<u32> = (0..9).collect();
        for count in 1..=9 {
            let operands = &operands[..count];
            let all = |row| (0..count).all(|register| holds(register, row));
            let any = |row| (0..count).any(|register| holds(register, row));
            let expected = [
                (Operator::And, Bits::from_fn(ROWS, all)),
                (Operator::Or, Bits::from_fn(ROWS, any)),
                (Operator::Not, Bits::from_fn(ROWS, |row| !holds(0, row))),
                (Operator::Same, Bits::from_fn(ROWS, |row| holds(0, row))),
            ];
            for (operator, expected) in expected {
                let join = Join { operator, first: 0, count: short(count) };
                let mut found = pool.bits(ROWS);
                join.write(operands, &registers, ROWS, &mut found);
                assert_eq!(found, expected, "{operator:?} of {count}");
                assert_eq!(join.count(operands, &registers, ROWS, &mut pool), expected.count());
            }
        }
    }
}
