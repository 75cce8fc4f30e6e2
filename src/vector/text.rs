//! Tests of texts against constants: once per dictionary value, then gathered; plain text directly.

use super::bits::{Bits, bits_of};
use super::column::{Column, Data};
use crate::program::{TextTest, Value};
use arrow::array::{Array, ArrayRef, AsArray};
use hashbrown::HashSet;
use regex::Regex;
use std::sync::Arc;

/// A test of one text.
#[derive(Debug)]
pub(super) enum Predicate {
    Equal(Arc<str>),
    OneOf(HashSet<Arc<str>>),
    Test(TextTest, Arc<str>),
    Matches(Regex),
}

/// Outcomes per value of a dictionary, kept while batches of it follow each other.
#[derive(Debug)]
pub(super) struct Outcomes {
    texts: ArrayRef,
    holds: Vec<u8>,
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

    /// Evaluates it on a column. `memo` is this test's own between chunks of a batch; a dictionary of
    /// more than `worthwhile` values is not tested as a whole.
    pub fn evaluate(
        &self,
        column: &Column,
        rows: usize,
        worthwhile: usize,
        memo: &mut Option<Outcomes>,
    ) -> Bits {
        let mut bits = match &column.data {
            Data::Dictionary(codes, texts) if texts.len() <= worthwhile => {
                if memo.as_ref().is_none_or(|memo| !Arc::ptr_eq(&memo.texts, texts)) {
                    *memo = Some(self.outcomes(texts));
                }
                let holds = memo.as_ref().map_or(&[][..], |memo| &memo.holds);
                bits_of(codes, |code| {
                    usize::try_from(code)
                        .ok()
                        .and_then(|code| holds.get(code))
                        .is_some_and(|holds| *holds != 0)
                })
            }
            Data::Text(texts) => {
                Bits::from_fn(rows, |row| column.is_known(row) && self.holds(texts.value(row)))
            }
            Data::Constant(Value::Text(text)) => Bits::filled(rows, self.holds(text)),
            _ => Bits::from_fn(rows, |row| column.text(row).is_some_and(|text| self.holds(text))),
        };
        if let Some(known) = &column.known {
            bits.and(known);
        }
        bits
    }

    fn outcomes(&self, texts: &ArrayRef) -> Outcomes {
        let holds = texts.as_string_opt::<i32>().map_or_else(Vec::new, |texts| {
            texts.iter().map(|text| u8::from(text.is_some_and(|text| self.holds(text)))).collect()
        });
        Outcomes { texts: texts.clone(), holds }
    }
}
