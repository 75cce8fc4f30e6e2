//! Comparisons and memberships of fixed-size values.
//!
//! All tests of one node against constants form a [`TestGroup`] and run in one visit of the node's
//! values, while they are in cache. Each ordering becomes a cut, `value >= c`: `>` is the cut at
//! the next value, `<` and `<=` are what a cut leaves out. So each distinct cut costs one bitmap,
//! however many rules mention it. A missing value fails all of them; above here everything is
//! two-valued.

use super::bits::{Bits, Pool, bits_of};
use super::codes::Outcomes;
use super::column::{Column, Data, Element, View, all_known};
use super::kernels;
use super::registers::Registers;
use super::tested::{Tested, has_bit};
use super::text::{Predicate, TextTests};
use crate::program::{CompareOp, Type, Value};
use crate::semantics::Extent;
use std::cmp::Ordering;

/// So many values are tested against all cuts before the next ones: they stay in the nearest cache.
const VISIT: usize = 2048;

/// Tests of one node's values against constants.
#[derive(Debug)]
pub(super) struct TestGroup {
    /// The values' register.
    pub source: usize,
    /// Number of its memory between chunks.
    pub memo: usize,
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
    Text(TextTests),
}

/// Distinct cuts and memberships, with the registers that want each.
#[derive(Debug)]
pub(super) struct Cuts<T> {
    /// Ascending cuts.
    pub cuts: Vec<Cut<T>>,
    /// Sorted sets of values; one value for `=`.
    pub sets: Vec<(Vec<T>, Vec<usize>)>,
    /// Registers of tests that hold for each known value.
    known: Vec<usize>,
    /// Registers of tests that never hold.
    never: Vec<usize>,
    near: Option<Near<T>>,
}

#[derive(Debug)]
pub(super) struct Cut<T> {
    pub at: T,
    /// Registers that want `value >= at`.
    at_least: Vec<usize>,
    /// Registers that want `value < at`.
    below: Vec<usize>,
}

/// Constants that lie so near to each other that values can be tested by their distance from the
/// least, in a byte each: 64 at a time instead of eight.
#[derive(Debug)]
struct Near<T> {
    /// Just below the least constant: at a distance of 0 is all that lies below.
    base: T,
    /// By cut, its distance.
    cuts: Vec<u8>,
    /// By set, its members' distances, ...
    sets: Vec<Vec<u8>>,
    /// ... and which of eight sets a distance is in, a bit each.
    planes: Vec<[u8; 256]>,
}

/// One test of a node against constants.
#[derive(Clone, Debug)]
pub(super) enum ConstantTest {
    Compare(CompareOp, Value),
    InSet(Vec<Value>),
    Text(Predicate),
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
            ConstantTest::Text(_) => *ty == Type::Text,
        }
    }
}

/// Whether values of that type are compared as numbers in memory.
fn matches_fixed_size(ty: &Type) -> bool {
    !matches!(ty, Type::Bool | Type::Text | Type::List(_))
}

impl TestGroup {
    /// A group of tests that fit the type, each with the register of its outcome.
    pub fn new(source: usize, memo: usize, ty: &Type, tests: Vec<(ConstantTest, usize)>) -> Self {
        let tests = match ty {
            Type::Float => Tests::Real(Cuts::new(&tests)),
            Type::Decimal { .. } => Tests::Exact(Cuts::new(&tests)),
            Type::Date => Tests::Day(Cuts::new(&tests)),
            Type::Label(_) => Tests::Code(Cuts::new(&tests)),
            Type::Text => Tests::Text(TextTests::new(tests)),
            _ => Tests::Whole(Cuts::new(&tests)),
        };
        TestGroup { source, memo, tests }
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
            Tests::Text(tests) => tests.distinct(),
        }
    }

    /// The registers of all outcomes.
    pub fn registers(&self) -> impl Iterator<Item = usize> {
        let registers: Vec<usize> = match &self.tests {
            Tests::Whole(cuts) => cuts.registers(),
            Tests::Real(cuts) => cuts.registers(),
            Tests::Exact(cuts) => cuts.registers(),
            Tests::Day(cuts) => cuts.registers(),
            Tests::Code(cuts) => cuts.registers(),
            Tests::Text(tests) => tests.registers(),
        };
        registers.into_iter()
    }

    /// By register, what its test comes to for all rows of which that much is known, if for all the same.
    /// `none` says whether it is known that no row has any of some values.
    pub fn outcomes(
        &self,
        extent: &Extent,
        ty: &Type,
        none: &dyn Fn(&[Value]) -> bool,
    ) -> Vec<(usize, Option<bool>)> {
        match &self.tests {
            Tests::Whole(cuts) => cuts.outcomes(extent, ty, none),
            Tests::Real(cuts) => cuts.outcomes(extent, ty, none),
            Tests::Exact(cuts) => cuts.outcomes(extent, ty, none),
            Tests::Day(cuts) => cuts.outcomes(extent, ty, none),
            Tests::Code(cuts) => cuts.outcomes(extent, ty, none),
            Tests::Text(tests) => tests.outcomes(extent, none),
        }
    }

    /// Whether more of the tests may be settled for values from `extent` than for those from `than`: whether
    /// other constants lie between their ends.
    pub fn tells_more(&self, extent: &Extent, than: &Extent) -> bool {
        match &self.tests {
            Tests::Whole(cuts) => cuts.tells_more(extent, than),
            Tests::Real(cuts) => cuts.tells_more(extent, than),
            Tests::Exact(cuts) => cuts.tells_more(extent, than),
            Tests::Day(cuts) => cuts.tells_more(extent, than),
            Tests::Code(cuts) => cuts.tells_more(extent, than),
            Tests::Text(_) => extent != than,
        }
    }

    /// Evaluates all tests and puts each outcome into its register. `memo` is this group's own
    /// between chunks; a dictionary of more than `worthwhile` texts is not tested as a whole.
    pub fn evaluate(
        &self,
        column: &Column,
        (rows, worthwhile): (usize, usize),
        pool: &mut Pool,
        memo: &mut Option<Outcomes>,
        registers: &mut Registers,
    ) {
        match &self.tests {
            Tests::Whole(cuts) => cuts.evaluate(column, rows, pool, memo, registers),
            Tests::Real(cuts) => cuts.evaluate(column, rows, pool, memo, registers),
            Tests::Exact(cuts) => cuts.evaluate(column, rows, pool, memo, registers),
            Tests::Day(cuts) => cuts.evaluate(column, rows, pool, memo, registers),
            Tests::Code(cuts) => cuts.evaluate(column, rows, pool, memo, registers),
            Tests::Text(tests) => tests.evaluate(column, rows, worthwhile, pool, memo, registers),
        }
    }
}

impl<T: Element> Cuts<T> {
    /// All tests of one column against constants, each with its register.
    pub fn new(tests: &[(ConstantTest, usize)]) -> Self {
        let mut group =
            Cuts { cuts: Vec::new(), sets: Vec::new(), known: Vec::new(), never: Vec::new(), near: None };
        for (test, register) in tests {
            match test {
                ConstantTest::Compare(op, value) => match T::one(value) {
                    Some(constant) => group.add(*op, constant, *register),
                    None => group.never.push(*register),
                },
                ConstantTest::InSet(set) => {
                    group.add_set(set.iter().filter_map(T::one).collect(), *register);
                }
                // Of texts only.
                ConstantTest::Text(_) => group.never.push(*register),
            }
        }
        group.near = group.near();
        group
    }

    fn registers(&self) -> Vec<usize> {
        let cuts = self.cuts.iter().flat_map(|cut| cut.at_least.iter().chain(&cut.below));
        let sets = self.sets.iter().flat_map(|(_, registers)| registers);
        cuts.chain(sets).chain(&self.known).chain(&self.never).copied().collect()
    }

    fn outcomes(
        &self,
        extent: &Extent,
        ty: &Type,
        none: &dyn Fn(&[Value]) -> bool,
    ) -> Vec<(usize, Option<bool>)> {
        let ends = T::one(&extent.least).zip(T::one(&extent.greatest));
        let mut outcomes = Vec::new();
        let mut give = |registers: &[usize], holds: Option<bool>| {
            let outcome = extent.outcome(holds);
            outcomes.extend(registers.iter().map(|register| (*register, outcome)));
        };
        for cut in &self.cuts {
            let reached = match ends {
                Some((least, _)) if least >= cut.at => Some(true),
                Some((_, greatest)) if greatest < cut.at => Some(false),
                _ => None,
            };
            give(&cut.at_least, reached);
            give(&cut.below, reached.map(|reached| !reached));
        }
        for (set, registers) in &self.sets {
            let within = |(least, greatest): (T, T)| set.iter().any(|one| *one >= least && *one <= greatest);
            let holds = match ends {
                Some(ends) if !within(ends) => Some(false),
                Some((least, greatest)) if least == greatest => Some(true),
                _ => {
                    let values = T::wrap(set.clone(), ty).map(|data| Column { data, known: None });
                    let values = values.map(|column| (0..set.len()).map(|row| column.value(row)).collect());
                    values.is_some_and(|values: Vec<Value>| none(&values)).then_some(false)
                }
            };
            give(registers, holds);
        }
        give(&self.known, Some(true));
        give(&self.never, Some(false));
        outcomes
    }

    fn tells_more(&self, extent: &Extent, than: &Extent) -> bool {
        let ends = |extent: &Extent| T::one(&extent.least).zip(T::one(&extent.greatest));
        let Some((least, greatest)) = ends(extent) else { return false };
        let Some((low, high)) = ends(than) else { return true };
        let reached = |value: T| self.cuts.partition_point(|cut| cut.at <= value);
        let beyond = |one: &T| *one >= low && *one <= high && (*one < least || *one > greatest);
        let alone = least == greatest && low != high;
        alone && !self.sets.is_empty()
            || reached(least) != reached(low)
            || reached(greatest) != reached(high)
            || self.sets.iter().any(|(set, _)| set.iter().any(beyond))
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
        set.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        match self.sets.iter_mut().find(|(known, _)| *known == set) {
            Some((_, registers)) => registers.push(register),
            None => self.sets.push((set, vec![register])),
        }
    }

    /// The distances of the constants, if they are near and there is more than one.
    fn near(&self) -> Option<Near<T>> {
        let constants = || {
            self.cuts
                .iter()
                .map(|cut| cut.at)
                .chain(self.sets.iter().flat_map(|(set, _)| set.iter().copied()))
        };
        let least = constants().min_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal))?;
        let base = least.before()?;
        // The farthest distance stands for all that lies beyond.
        let distance =
            |value: T| value.distance(base).and_then(|far| u8::try_from(far).ok()).filter(|far| *far < 255);
        constants().nth(1)?;
        let cuts = self.cuts.iter().map(|cut| distance(cut.at)).collect::<Option<_>>()?;
        let sets = self.sets.iter().map(|(set, _)| set.iter().map(|value| distance(*value)).collect());
        let sets: Vec<Vec<u8>> = sets.collect::<Option<_>>()?;
        let planes = sets.chunks(8).map(plane).collect();
        Some(Near { base, cuts, sets, planes })
    }

    fn evaluate(
        &self,
        column: &Column,
        rows: usize,
        pool: &mut Pool,
        memo: &mut Option<Outcomes>,
        registers: &mut Registers,
    ) {
        let missing = matches!(&column.data, Data::Constant(value) if value.is_missing());
        let none = missing.then(|| pool.filled(rows, false));
        let known = none.as_ref().or(column.known.as_ref());
        let mut give = Give { known, registers };
        if !self.never.is_empty() {
            give.give_all(&self.never, pool.filled(rows, false), pool);
        }
        if !self.known.is_empty() {
            let all = match known {
                Some(known) => pool.copy(known),
                None => pool.filled(rows, true),
            };
            give.give_all(&self.known, all, pool);
        }
        if let Data::Coded(codes, values, ty) = &column.data {
            return self.by_code((codes, values, ty), pool, memo, &mut give);
        }
        match View::of(column) {
            Some(View::Many(values)) => match &self.near {
                Some(near) => self.by_distance(near, values, &mut give, pool),
                None => self.directly(values, &mut give, pool),
            },
            // A column without a view has no known value.
            other => {
                let value = if let Some(View::One(value)) = other { value } else { T::default() };
                for cut in &self.cuts {
                    give.cut(cut, pool.filled(rows, value >= cut.at), pool);
                }
                for (set, registers) in &self.sets {
                    give.known(registers, pool.filled(rows, set.contains(&value)), pool);
                }
            }
        }
    }

    fn directly(&self, values: &[T], give: &mut Give, pool: &mut Pool) {
        let mut outcomes: Vec<Bits> = self.cuts.iter().map(|_| pool.bits(values.len())).collect();
        for (visit, values) in values.chunks(VISIT).enumerate() {
            for (cut, bits) in self.cuts.iter().zip(&mut outcomes) {
                let words = bits.words_mut().get_mut(visit * VISIT / 64..).unwrap_or_default();
                let end = words.len().min(VISIT / 64);
                T::at_least(words.get_mut(..end).unwrap_or_default(), values, cut.at);
            }
        }
        for (cut, bits) in self.cuts.iter().zip(outcomes) {
            give.cut(cut, bits, pool);
        }
        for (set, registers) in &self.sets {
            let bits = members(values, set, pool);
            give.known(registers, bits, pool);
        }
    }

    fn by_distance(&self, near: &Near<T>, values: &[T], give: &mut Give, pool: &mut Pool) {
        let mut distances = pool.bytes(values.len());
        T::distances(&mut distances, values, near.base);
        for (cut, distance) in self.cuts.iter().zip(&near.cuts) {
            let mut bits = pool.bits(values.len());
            u8::at_least(bits.words_mut(), &distances, *distance);
            give.cut(cut, bits, pool);
        }
        for (plane, (sets, members)) in near.planes.iter().zip(self.sets.chunks(8).zip(near.sets.chunks(8))) {
            let wide = members.iter().any(|members| members.len() != 1);
            let mut within = pool.bytes(if wide { values.len() } else { 0 });
            for (within, distance) in within.iter_mut().zip(&distances) {
                *within = plane.get(usize::from(*distance)).copied().unwrap_or(0);
            }
            for (at, ((_, registers), members)) in sets.iter().zip(members).enumerate() {
                let mut bits = pool.bits(values.len());
                match members.as_slice() {
                    [one] => u8::equal(bits.words_mut(), &distances, *one),
                    _ => has_bit(bits.words_mut(), &within, 1 << at),
                }
                give.known(registers, bits, pool);
            }
            pool.put_bytes(within);
        }
        pool.put_bytes(distances);
    }
}

/// Which of up to eight sets each distance is in.
fn plane(sets: &[Vec<u8>]) -> [u8; 256] {
    let mut plane = [0; 256];
    for (at, set) in sets.iter().enumerate() {
        for distance in set {
            if let Some(bits) = plane.get_mut(usize::from(*distance)) {
                *bits |= 1 << at;
            }
        }
    }
    plane
}

/// Hands outcomes to the registers that want them.
pub(super) struct Give<'a> {
    /// The rows whose value is known; all without it.
    pub known: Option<&'a Bits>,
    pub registers: &'a mut Registers,
}

impl Give<'_> {
    /// To each of the registers.
    pub fn give_all(&mut self, registers: &[usize], bits: Bits, pool: &mut Pool) {
        let Some((last, others)) = registers.split_last() else { return pool.put(bits) };
        for register in others {
            let copy = pool.copy(&bits);
            self.registers.put_condition(*register, copy, pool);
        }
        self.registers.put_condition(*last, bits, pool);
    }

    /// The same for rows whose value is known.
    pub fn known(&mut self, registers: &[usize], mut bits: Bits, pool: &mut Pool) {
        if let Some(known) = self.known {
            bits.and(known);
        }
        self.give_all(registers, bits, pool);
    }

    /// Both sides of a cut.
    pub fn cut<T>(&mut self, cut: &Cut<T>, bits: Bits, pool: &mut Pool) {
        if cut.below.is_empty() {
            return self.known(&cut.at_least, bits, pool);
        }
        let mut below = if cut.at_least.is_empty() {
            bits
        } else {
            let below = pool.copy(&bits);
            self.known(&cut.at_least, bits, pool);
            below
        };
        match self.known {
            Some(known) => kernels::complement(below.words_mut(), known.words()),
            None => below.not(),
        }
        self.give_all(&cut.below, below, pool);
    }
}

/// Which values are in the sorted set: a few are compared one by one, many are searched.
fn members<T: Element>(values: &[T], set: &[T], pool: &mut Pool) -> Bits {
    if set.len() > 8 {
        return bits_of(values, |value| {
            let place = set.partition_point(|member| *member < value);
            set.get(place) == Some(&value)
        });
    }
    let mut bits = pool.filled(values.len(), false);
    let mut one = pool.bits(values.len());
    for member in set {
        T::equal(one.words_mut(), values, *member);
        bits.or(&one);
    }
    pool.put(one);
    bits
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
