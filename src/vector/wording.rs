//! Texts by cases: each row's text by the first condition that holds, each distinct text once.

use super::bits::Bits;
use super::choose::first_match;
use super::column::{Column, Data};
use crate::program::{TextArm, TextPart, Value};
use crate::semantics::{Environment, wording};
use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray};
use arrow::datatypes::Int32Type;
use hashbrown::HashMap;
use std::borrow::Cow;
use std::sync::Arc;

/// Numbers texts in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: HashMap<Box<str>, i32>,
    texts: Vec<Box<str>>,
}

impl Interner {
    /// The number of a text.
    fn number(&mut self, text: &str) -> i32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = i32::try_from(self.texts.len()).unwrap_or(i32::MAX);
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        number
    }

    /// Adds a number for each row of a column of texts; -1 for a missing one.
    pub fn add(&mut self, column: &Column, rows: usize, codes: &mut Vec<i32>) {
        let Data::Dictionary(numbers, texts) = &column.data else {
            codes.extend((0..rows).map(|row| column.text(row).map_or(-1, |text| self.number(text))));
            return;
        };
        let known: Vec<i32> = match texts.as_string_opt::<i32>() {
            Some(texts) => texts.iter().map(|text| text.map_or(-1, |text| self.number(text))).collect(),
            None => Vec::new(),
        };
        codes.extend((0..rows).map(|row| {
            let number = numbers.get(row).and_then(|number| usize::try_from(*number).ok());
            let code = number.and_then(|number| known.get(number)).copied();
            code.filter(|_| column.is_known(row)).unwrap_or(-1)
        }));
    }

    fn array(&self) -> StringArray {
        StringArray::from_iter_values(&self.texts)
    }

    /// The rows' texts as one array.
    pub fn finish(&self, codes: Vec<i32>) -> DictionaryArray<Int32Type> {
        let keys: Int32Array = codes.into_iter().map(|code| (code >= 0).then_some(code)).collect();
        let texts: ArrayRef = Arc::new(self.array());
        DictionaryArray::try_new(keys, texts)
            .unwrap_or_else(|_| DictionaryArray::from_iter(std::iter::empty::<Option<&str>>()))
    }
}

/// The texts of a chunk. `values` are, arm by arm, those that stand in its text.
pub(super) fn texts(
    arms: &[TextArm],
    conditions: impl Iterator<Item = Bits>,
    values: &[Vec<Cow<Column>>],
    rows: usize,
    environment: &Environment,
) -> Column {
    let mut interner = Interner::default();
    let mut codes = vec![-1; rows];
    let mut known = Bits::filled(rows, false);
    for (at, chosen) in first_match(conditions, rows) {
        let (Some(arm), Some(values)) = (arms.get(at), values.get(at)) else { continue };
        write_arm(arm, values, &chosen, environment, &mut interner, &mut codes);
        known.or(&chosen);
    }
    Column { data: Data::Dictionary(codes.into(), Arc::new(interner.array())), known: Some(known) }
}

fn write_arm(
    arm: &TextArm,
    values: &[Cow<Column>],
    chosen: &Bits,
    environment: &Environment,
    interner: &mut Interner,
    codes: &mut [i32],
) {
    // Texts that only combine a few known ones are written once a combination.
    let mut known: HashMap<u64, i32> = HashMap::new();
    let mut text = String::new();
    for row in chosen.rows() {
        let combination = combination(values, row);
        let number = combination.and_then(|combination| known.get(&combination).copied());
        let number = number.unwrap_or_else(|| {
            write(&mut text, arm, values, row, environment);
            interner.number(&text)
        });
        if let Some(combination) = combination {
            known.insert(combination, number);
        }
        if let Some(code) = codes.get_mut(row) {
            *code = number;
        }
    }
}

/// A number for the row's values where all of them come from dictionaries.
fn combination(values: &[Cow<Column>], row: usize) -> Option<u64> {
    let mut number = 0_u64;
    for column in values {
        let (choices, code) = match &column.data {
            Data::Constant(_) => continue,
            Data::Dictionary(codes, texts) => {
                let code = codes.get(row).filter(|_| column.is_known(row)).map_or(-1, |code| *code);
                (texts.len(), u64::try_from(code.max(-1) + 1).ok()?)
            }
            Data::Bool(bits) => (2, if column.is_known(row) { u64::from(bits.get(row)) + 1 } else { 0 }),
            _ => return None,
        };
        number = number.checked_mul(u64::try_from(choices).ok()?.checked_add(1)?)?.checked_add(code)?;
    }
    Some(number)
}

fn write(out: &mut String, arm: &TextArm, values: &[Cow<Column>], row: usize, environment: &Environment) {
    out.clear();
    let mut values = values.iter();
    for part in &arm.parts {
        match part {
            TextPart::Literal(literal) => out.push_str(literal),
            TextPart::Value(_, format) => {
                let value = values.next().map_or(Value::Missing, |column| column.value(row));
                wording::write(out, &value, format, environment);
            }
        }
    }
}
