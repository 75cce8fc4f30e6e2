//! Tests of texts against constants: once per dictionary value, then gathered; plain text directly.
//!
//! What holds for each text of a dictionary is kept as planes: a byte per text, a bit per test. So a
//! row's byte is looked up once for eight tests.

use super::bits::{Bits, Pool};
use super::codes::Outcomes;
use super::column::{Column, Data};
use super::compare::{ConstantTest, Give};
use super::kernels;
use super::lookup::{CODES, look_up};
use super::registers::Registers;
use super::tested::has_bit;
use crate::program::{TextTest, Value};
use crate::semantics::Extent;
use arrow::array::{Array, ArrayRef, AsArray};
use hashbrown::{HashMap, HashSet};
use regex::Regex;
use std::sync::Arc;

/// A test of one text.
#[derive(Clone, Debug)]
pub(super) enum Predicate {
    Equal(Arc<str>),
    OneOf(HashSet<Arc<str>>),
    Test(TextTest, Arc<str>),
    Matches(Regex),
}

/// All tests of one node's texts.
#[derive(Debug)]
pub(super) struct TextTests {
    /// The tests, each with the register of its outcome.
    tests: Vec<(Predicate, usize)>,
    /// By text, the tests that hold for just this and other listed texts.
    exact: HashMap<Arc<str>, Vec<usize>>,
    /// The tests that look at a text.
    searching: Vec<usize>,
}

impl Predicate {
    /// Membership in a set of texts.
    pub fn one_of(set: &[Value]) -> Option<Self> {
        let texts = set.iter().map(|value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        });
        texts.collect::<Option<_>>().map(Predicate::OneOf)
    }

    /// Whether it holds for the text.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Predicate::Equal(other) => text == &**other,
            Predicate::OneOf(set) => set.contains(text),
            Predicate::Test(TextTest::Contains, part) => text.contains(&**part),
            Predicate::Test(TextTest::StartsWith, part) => text.starts_with(&**part),
            Predicate::Test(TextTest::EndsWith, part) => text.ends_with(&**part),
            Predicate::Matches(regex) => regex.is_match(text),
        }
    }
}

impl TextTests {
    pub fn new(tests: Vec<(ConstantTest, usize)>) -> Self {
        let tests = tests.into_iter().filter_map(|(test, register)| match test {
            ConstantTest::Text(predicate) => Some((predicate, register)),
            _ => None,
        });
        let tests: Vec<(Predicate, usize)> = tests.collect();
        let mut exact: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        let mut searching = Vec::new();
        for (at, (predicate, _)) in tests.iter().enumerate() {
            match predicate {
                Predicate::Equal(text) => exact.entry(text.clone()).or_default().push(at),
                Predicate::OneOf(texts) => {
                    for text in texts {
                        exact.entry(text.clone()).or_default().push(at);
                    }
                }
                Predicate::Test(..) | Predicate::Matches(_) => searching.push(at),
            }
        }
        TextTests { tests, exact, searching }
    }

    /// How many tests.
    pub fn distinct(&self) -> usize {
        self.tests.len()
    }

    /// The registers of all outcomes.
    pub fn registers(&self) -> Vec<usize> {
        self.tests.iter().map(|(_, register)| *register).collect()
    }

    /// See [`super::compare::TestGroup::outcomes`].
    pub fn outcomes(&self, extent: &Extent, none: &dyn Fn(&[Value]) -> bool) -> Vec<(usize, Option<bool>)> {
        let ends = match (&extent.least, &extent.greatest) {
            (Value::Text(least), Value::Text(greatest)) => Some((least, greatest)),
            _ => None,
        };
        let may_be = |text: &Arc<str>| {
            ends.is_none_or(|(least, greatest)| {
                text.as_bytes() >= least.as_bytes() && text.as_bytes() <= greatest.as_bytes()
            })
        };
        let absent = |texts: &mut dyn Iterator<Item = &Arc<str>>| {
            let possible: Vec<Value> =
                texts.filter(|text| may_be(text)).map(|text| Value::Text(text.clone())).collect();
            possible.is_empty() || none(&possible)
        };
        let outcome = |predicate: &Predicate| {
            if let Some((least, _)) = ends.filter(|(least, greatest)| least == greatest) {
                return Some(predicate.holds(least));
            }
            let absent = match predicate {
                Predicate::Equal(text) => absent(&mut std::iter::once(text)),
                Predicate::OneOf(texts) => absent(&mut texts.iter()),
                Predicate::Test(..) | Predicate::Matches(_) => false,
            };
            absent.then_some(false)
        };
        self.tests.iter().map(|(test, register)| (*register, extent.outcome(outcome(test)))).collect()
    }

    /// Evaluates all tests on a column. A dictionary of more than `worthwhile` values is not tested as
    /// a whole.
    pub fn evaluate(
        &self,
        column: &Column,
        rows: usize,
        worthwhile: usize,
        pool: &mut Pool,
        memo: &mut Option<Outcomes>,
        registers: &mut Registers,
    ) {
        let mut give = Give { known: column.known.as_ref(), registers };
        if let Data::Coded(codes, texts, _) = &column.data {
            let planes = Outcomes::planes(memo, texts, CODES, |_| self.planes(texts, CODES));
            let mut holds = pool.bytes(codes.len());
            for (plane, tests) in planes.iter().zip(self.tests.chunks(8)) {
                look_up(&mut holds, codes, plane, texts.len());
                give_eight(&holds, tests, pool, &mut give);
            }
            return pool.put_bytes(holds);
        }
        if let Data::Dictionary(codes, texts) = &column.data
            && texts.len() <= worthwhile
        {
            let bytes = texts.len().max(SMALL);
            let planes = Outcomes::planes(memo, texts, bytes, |_| self.planes(texts, bytes));
            return self.gather(codes, texts.len(), planes, pool, &mut give);
        }
        for (predicate, register) in &self.tests {
            let bits = match &column.data {
                Data::Text(texts) => {
                    Bits::from_fn(rows, |row| column.is_known(row) && predicate.holds(texts.value(row)))
                }
                Data::Constant(Value::Text(text)) => pool.filled(rows, predicate.holds(text)),
                Data::Constant(_) => pool.filled(rows, false),
                _ => Bits::from_fn(rows, |row| column.text(row).is_some_and(|text| predicate.holds(text))),
            };
            give.known(&[*register], bits, pool);
        }
    }

    /// What holds for each row's text.
    fn gather(&self, codes: &[i32], texts: usize, planes: &[Vec<u8>], pool: &mut Pool, give: &mut Give) {
        let mut narrow = pool.bytes(codes.len());
        let few = texts <= SMALL;
        if few {
            kernels::distances_i32(&mut narrow, codes, 0);
        }
        let mut holds = pool.bytes(codes.len());
        for (plane, tests) in planes.iter().zip(self.tests.chunks(8)) {
            match plane.first_chunk::<SMALL>() {
                Some(plane) if few => look_up_few(&mut holds, &narrow, plane),
                _ => look_up_many(&mut holds, codes, plane),
            }
            give_eight(&holds, tests, pool, give);
        }
        pool.put_bytes(holds);
        pool.put_bytes(narrow);
    }

    /// What holds for each text: a plane for eight tests, a bit for each, of so many bytes.
    fn planes(&self, texts: &ArrayRef, codes: usize) -> Vec<Vec<u8>> {
        let mut planes = vec![vec![0; codes]; self.tests.len().div_ceil(8)];
        let mut set = |test: usize, at: usize| {
            if let Some(byte) = planes.get_mut(test / 8).and_then(|plane| plane.get_mut(at)) {
                *byte |= 1 << (test % 8);
            }
        };
        let strings = texts.as_string_opt::<i32>();
        for (at, text) in strings.into_iter().flatten().enumerate() {
            let Some(text) = text else { continue };
            for test in self.exact.get(text).into_iter().flatten() {
                set(*test, at);
            }
            for test in &self.searching {
                if self.tests.get(*test).is_some_and(|(predicate, _)| predicate.holds(text)) {
                    set(*test, at);
                }
            }
        }
        planes
    }
}

/// Hands out eight tests whose outcomes are bits of bytes.
fn give_eight(holds: &[u8], tests: &[(Predicate, usize)], pool: &mut Pool, give: &mut Give) {
    for (at, (_, register)) in tests.iter().enumerate() {
        let mut bits = pool.bits(holds.len());
        has_bit(bits.words_mut(), holds, 1 << at);
        give.known(&[*register], bits, pool);
    }
}

/// A dictionary of so many texts has codes of a byte.
const SMALL: usize = 256;

#[expect(clippy::indexing_slicing, reason = "a byte is an index below 256")]
fn look_up_few(out: &mut [u8], codes: &[u8], plane: &[u8; SMALL]) {
    for (out, code) in out.iter_mut().zip(codes) {
        *out = plane[usize::from(*code)];
    }
}

fn look_up_many(out: &mut [u8], codes: &[i32], plane: &[u8]) {
    for (out, code) in out.iter_mut().zip(codes) {
        // What a missing value's code is means nothing.
        *out = usize::try_from(*code).ok().and_then(|code| plane.get(code)).copied().unwrap_or(0);
    }
}
