//! Numbers for values that have none of their own, texts and lists: the same for equal values, given
//! as they come, and put into the values' order when all are known.

use super::cells::Cells;
use crate::data::facts::value_at;
use crate::program::{Type, Value};
use crate::semantics::columnar::column_type;
use crate::semantics::compare::order;
use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray, UInt32Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use hashbrown::HashMap;
use std::cmp::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// Numbers given so far, shared by all threads.
#[derive(Debug, Default)]
pub(super) struct Texts {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    texts: HashMap<Arc<str>, u32>,
    lists: HashMap<Value, u32>,
}

impl Known {
    fn text(&mut self, text: &str) -> u32 {
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.insert(text.into(), number);
        number
    }

    fn list(&mut self, list: Value) -> u32 {
        let next = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        *self.lists.entry(list).or_insert(next)
    }
}

impl Texts {
    /// The numbers of those rows' values; of a missing one any.
    pub fn numbers(&self, array: &ArrayRef, rows: &[u32]) -> Vec<u32> {
        if let Some(texts) = array.as_string_opt::<i32>() {
            return self.of_texts(texts, rows);
        }
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>()
            && let Some(texts) = dictionary.values().as_string_opt::<i32>()
        {
            let used: Vec<u32> = (0..u32::try_from(texts.len()).unwrap_or(0)).collect();
            let numbers = self.of_texts(texts, &used);
            let codes = dictionary.keys().values();
            let number = |row: &u32| {
                let code = codes.get(*row as usize).and_then(|code| usize::try_from(*code).ok());
                code.and_then(|code| numbers.get(code).copied()).unwrap_or(0)
            };
            return rows.iter().map(number).collect();
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().map(|row| known.list(value_at(array, *row as usize))).collect()
    }

    fn of_texts(&self, texts: &StringArray, rows: &[u32]) -> Vec<u32> {
        // Each distinct text is looked up once, and all under one lock.
        let mut places: HashMap<&str, u32> = HashMap::new();
        let mut distinct: Vec<&str> = Vec::new();
        let mut numbers: Vec<u32> = Vec::with_capacity(rows.len());
        for row in rows {
            let row = *row as usize;
            let text = if row < texts.len() && texts.is_valid(row) { texts.value(row) } else { "" };
            let next = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
            let place = *places.entry(text).or_insert(next);
            if place == next {
                distinct.push(text);
            }
            numbers.push(place);
        }
        let found: Vec<u32> = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            distinct.iter().map(|text| known.text(text)).collect()
        };
        for number in &mut numbers {
            *number = found.get(*number as usize).copied().unwrap_or(0);
        }
        numbers
    }

    /// All values in order.
    pub fn ranks(&self, ty: &Type) -> Ranks {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<(Value, u32)> = match ty {
            Type::List(_) => known.lists.iter().map(|(list, number)| (list.clone(), *number)).collect(),
            _ => known.texts.iter().map(|(text, number)| (Value::Text(text.clone()), *number)).collect(),
        };
        all.sort_by(|(a, _), (b, _)| order(a, b).unwrap_or(Ordering::Equal));
        let mut rank = vec![0; all.len()];
        for ((_, number), at) in all.iter().zip(0..) {
            if let Some(rank) = rank.get_mut(*number as usize) {
                *rank = at;
            }
        }
        let values: Vec<Value> = all.into_iter().map(|(value, _)| value).collect();
        Ranks { rank, values: crate::vector::array_of(&values, ty) }
    }
}

/// All texts, or lists, in order.
#[derive(Clone, Debug)]
pub(super) struct Ranks {
    /// By number: the place in the order.
    rank: Vec<u32>,
    values: ArrayRef,
}

impl Ranks {
    /// Puts places in the order where numbers stood.
    pub fn put(&self, cells: &mut Cells) {
        if let Cells::Small(numbers) = cells {
            for number in numbers {
                *number = self.rank.get(*number as usize).copied().unwrap_or(0);
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rank.len()
    }

    /// The values at those places.
    pub fn values(&self, places: &UInt32Array, ty: &Type) -> ArrayRef {
        if *ty == Type::Text {
            let keys: Int32Array = places.unary(|place| i32::try_from(place).unwrap_or(0));
            if let Ok(array) = DictionaryArray::<Int32Type>::try_new(keys, self.values.clone()) {
                return Arc::new(array);
            }
        }
        take(&self.values, places, None).unwrap_or_else(|_| new_null_array(&column_type(ty), places.len()))
    }
}
