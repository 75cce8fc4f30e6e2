//! Comparisons and memberships of fixed-size values.
//!
//! All tests of one node against constants form a [`TestGroup`] and run in one visit of the node's
//! values, while they are in cache. Each ordering becomes a cut, `value >= c`: `>` is the cut at
//! the next value, `<` and `<=` are what a cut leaves out. So each distinct cut costs one bitmap,
//! however many rules mention it. A missing value fails all of them; above here everything is
//! two-valued.

use super::bits::{Bits, bits_of};
use super::column::{Column, Element, View, all_known};
use crate::program::{CompareOp, Type, Value};

/// Tests of one node's values against constants.
#[derive(Debug)]
pub(super) struct TestGroup {
    /// The values' register.
    pub source: usize,
    tests: Tests,
}

/// The tests by the kind of value.
#[derive(Debug)]
enum Tests {
    Whole(Cuts<i64>),
    Real(Cuts<f64>),
    Exact(Cuts<i128>),
    Day(Cuts<i32>),
    Code(Cuts<u32>),
}

/// Distinct cuts and memberships, with the registers that want each.
#[derive(Debug)]
struct Cuts<T> {
    /// Ascending cuts.
    cuts: Vec<Cut<T>>,
    /// Sorted sets of values; one value for `=`.
    sets: Vec<(Vec<T>, Vec<usize>)>,
    /// Registers of tests that hold for each known value.
    known: Vec<usize>,
    /// Registers of tests that never hold.
    never: Vec<usize>,
}

#[derive(Debug)]
struct Cut<T> {
    at: T,
    /// Registers that want `value >= at`.
    at_least: Vec<usize>,
    /// Registers that want `value < at`.
    below: Vec<usize>,
}

/// One test of a node against constants.
#[derive(Clone, Debug)]
pub(super) enum ConstantTest {
    Compare(CompareOp, Value),
    InSet(Vec<Value>),
}

impl ConstantTest {
    /// Whether kernels can do it on values of that type.
    pub fn fits(&self, ty: &Type) -> bool {
        let constant_fits = |value: &Value| match (ty, value) {
            (Type::Int, Value::Int(_))
            | (Type::Float, Value::Float(_))
            | (Type::Date, Value::Date(_))
            | (Type::Timestamp, Value::Timestamp(_))
            | (Type::Time, Value::Time(_))
            | (Type::Label(_), Value::Label(_)) => true,
            (Type::Decimal { scale, .. }, Value::Decimal(decimal)) => decimal.scale == *scale,
            _ => false,
        };
        match self {
            ConstantTest::Compare(_, value) => constant_fits(value),
            ConstantTest::InSet(set) => set.iter().all(constant_fits) && matches_fixed_size(ty),
        }
    }
}

/// Whether values of that type are compared as numbers in memory.
fn matches_fixed_size(ty: &Type) -> bool {
    !matches!(ty, Type::Bool | Type::Text | Type::List(_))
}

impl TestGroup {
    /// A group of tests that fit the type, each with the register of its outcome.
    pub fn new(source: usize, ty: &Type, tests: &[(ConstantTest, usize)]) -> Self {
        let tests = match ty {
            Type::Float => Tests::Real(Cuts::new(tests)),
            Type::Decimal { .. } => Tests::Exact(Cuts::new(tests)),
            Type::Date => Tests::Day(Cuts::new(tests)),
            Type::Label(_) => Tests::Code(Cuts::new(tests)),
            _ => Tests::Whole(Cuts::new(tests)),
        };
        TestGroup { source, tests }
    }

    /// How many distinct bitmaps a visit makes.
    pub fn distinct(&self) -> usize {
        fn count<T>(cuts: &Cuts<T>) -> usize {
            cuts.cuts.len() + cuts.sets.len()
        }
        match &self.tests {
            Tests::Whole(cuts) => count(cuts),
            Tests::Real(cuts) => count(cuts),
            Tests::Exact(cuts) => count(cuts),
            Tests::Day(cuts) => count(cuts),
            Tests::Code(cuts) => count(cuts),
        }
    }

    /// Evaluates all tests; `put` takes each outcome with its register.
    pub fn evaluate(&self, column: &Column, rows: usize, put: impl FnMut(usize, Bits)) {
        match &self.tests {
            Tests::Whole(cuts) => cuts.evaluate(column, rows, put),
            Tests::Real(cuts) => cuts.evaluate(column, rows, put),
            Tests::Exact(cuts) => cuts.evaluate(column, rows, put),
            Tests::Day(cuts) => cuts.evaluate(column, rows, put),
            Tests::Code(cuts) => cuts.evaluate(column, rows, put),
        }
    }
}

impl<T: Element> Cuts<T> {
    fn new(tests: &[(ConstantTest, usize)]) -> Self {
        let mut group = Cuts { cuts: Vec::new(), sets: Vec::new(), known: Vec::new(), never: Vec::new() };
        for (test, register) in tests {
            match test {
                ConstantTest::Compare(op, value) => match T::one(value) {
                    Some(constant) => group.add(*op, constant, *register),
                    None => group.never.push(*register),
                },
                ConstantTest::InSet(set) => {
                    group.add_set(set.iter().filter_map(T::one).collect(), *register);
                }
            }
        }
        group
    }

    fn add(&mut self, op: CompareOp, constant: T, register: usize) {
        match (op, constant.next()) {
            (CompareOp::Eq, _) => self.add_set(vec![constant], register),
            (CompareOp::Ge, _) => self.cut(constant).at_least.push(register),
            (CompareOp::Lt, _) => self.cut(constant).below.push(register),
            (CompareOp::Gt, Some(next)) => self.cut(next).at_least.push(register),
            (CompareOp::Le, Some(next)) => self.cut(next).below.push(register),
            (CompareOp::Gt, None) => self.never.push(register),
            (CompareOp::Le, None) => self.known.push(register),
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the place was found or made just before")]
    fn cut(&mut self, at: T) -> &mut Cut<T> {
        let place = self.cuts.partition_point(|cut| cut.at < at);
        if self.cuts.get(place).is_none_or(|cut| cut.at != at) {
            self.cuts.insert(place, Cut { at, at_least: Vec::new(), below: Vec::new() });
        }
        &mut self.cuts[place]
    }

    fn add_set(&mut self, mut set: Vec<T>, register: usize) {
        set.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        match self.sets.iter_mut().find(|(known, _)| *known == set) {
            Some((_, registers)) => registers.push(register),
            None => self.sets.push((set, vec![register])),
        }
    }

    fn evaluate(&self, column: &Column, rows: usize, mut put: impl FnMut(usize, Bits)) {
        let known = all_known(&[column], rows);
        let mut put_all = |registers: &[usize], bits: Bits| {
            if let Some((last, others)) = registers.split_last() {
                for register in others {
                    put(*register, bits.clone());
                }
                put(*last, bits);
            }
        };
        let in_known = |mut bits: Bits| {
            if let Some(known) = &known {
                bits.and(known);
            }
            bits
        };
        put_all(&self.never, Bits::filled(rows, false));
        put_all(&self.known, column.known_bits(rows));
        // A column without a view has no known value.
        let view = View::of(column).unwrap_or(View::One(T::default()));
        let test = |holds: &dyn Fn(T) -> bool, many: &dyn Fn(&[T]) -> Bits| match view {
            View::One(value) => Bits::filled(rows, holds(value)),
            View::Many(values) => many(values),
        };
        for Cut { at, at_least, below } in &self.cuts {
            let cut = *at;
            let bits = test(&|value| value >= cut, &|values| bits_of(values, |value| value >= cut));
            if !below.is_empty() {
                let mut outside = bits.clone();
                outside.not();
                put_all(below, in_known(outside));
            }
            put_all(at_least, in_known(bits));
        }
        for (set, registers) in &self.sets {
            let bits = test(&|value| set.contains(&value), &|values| members(values, set));
            put_all(registers, in_known(bits));
        }
    }
}

/// Which values are in the sorted set: a few are compared one by one, many are searched.
fn members<T: Element>(values: &[T], set: &[T]) -> Bits {
    match set {
        [one] => {
            let one = *one;
            bits_of(values, |value| value == one)
        }
        [a, b] => {
            let (a, b) = (*a, *b);
            bits_of(values, |value| (value == a) | (value == b))
        }
        set if set.len() <= 8 => {
            bits_of(values, |value| set.iter().fold(false, |found, member| found | (*member == value)))
        }
        set => bits_of(values, |value| {
            let place = set.partition_point(|member| *member < value);
            set.get(place) == Some(&value)
        }),
    }
}

/// Compares two columns row by row; `None` for kinds that no kernel knows.
pub(super) fn compare(op: CompareOp, left: &Column, right: &Column, rows: usize) -> Option<Bits> {
    if left.scale() != right.scale() {
        return None;
    }
    let mut bits = compare_as::<i64>(op, left, right, rows)
        .or_else(|| compare_as::<f64>(op, left, right, rows))
        .or_else(|| compare_as::<i128>(op, left, right, rows))
        .or_else(|| compare_as::<i32>(op, left, right, rows))
        .or_else(|| compare_as::<u32>(op, left, right, rows))?;
    if let Some(known) = all_known(&[left, right], rows) {
        bits.and(&known);
    }
    Some(bits)
}

fn compare_as<T: Element>(op: CompareOp, left: &Column, right: &Column, rows: usize) -> Option<Bits> {
    let (left, right) = (View::<T>::of(left)?, View::<T>::of(right)?);
    Some(match op {
        CompareOp::Eq => pairs(left, right, rows, |a, b| a == b),
        CompareOp::Lt => pairs(left, right, rows, |a, b| a < b),
        CompareOp::Le => pairs(left, right, rows, |a, b| a <= b),
        CompareOp::Gt => pairs(left, right, rows, |a, b| a > b),
        CompareOp::Ge => pairs(left, right, rows, |a, b| a >= b),
    })
}

#[inline(always)]
fn pairs<T: Element>(left: View<T>, right: View<T>, rows: usize, holds: impl Fn(T, T) -> bool) -> Bits {
    Bits::from_fn(rows, |row| holds(left.get(row), right.get(row)))
}
