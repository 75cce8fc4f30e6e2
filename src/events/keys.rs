//! From keys to user numbers, which are the users' places in the input.

use crate::program::{Type, Value};
use crate::vector::array_of;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType, UInt32Type,
};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use std::hash::BuildHasher;

/// The number of no user.
pub(super) const NOBODY: u32 = u32::MAX;
/// A table by key may have so many places for a user before a hash table is smaller.
const MOST_PLACES_A_USER: u64 = 8;

/// Two users with one key, by their places in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Twice {
    pub first: u32,
    pub second: u32,
}

/// All users' numbers by their keys.
#[derive(Debug)]
pub(super) enum Numbers {
    /// Each key is one more than that of the user before.
    Consecutive { first: i64, count: u32 },
    /// By how far the key is from the least.
    Near { least: i64, numbers: Vec<u32> },
    /// Ints, and whatever is as short.
    Ints(HashMap<i64, u32>),
    /// Texts and decimals by their bytes.
    Bytes(ByBytes),
}

/// Users by the bytes of their keys, which lie one behind the other.
#[derive(Debug, Default)]
pub(super) struct ByBytes {
    hasher: DefaultHashBuilder,
    table: HashTable<u32>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl ByBytes {
    fn key(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        match (start, self.ends.get(number)) {
            (Some(start), Some(end)) => self.bytes.get(start..*end).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The number of the user with that key.
    fn get(&self, key: &[u8]) -> Option<u32> {
        self.table.find(self.hasher.hash_one(key), |number| self.key(*number) == key).copied()
    }

    /// Adds the next user; says who had the key before.
    fn add(&mut self, key: &[u8]) -> Option<u32> {
        let number = u32::try_from(self.ends.len()).unwrap_or(NOBODY);
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        let known = self.get(key);
        if known.is_none() {
            let (hasher, ends, bytes) = (&self.hasher, &self.ends, &self.bytes);
            let hash = |number: &u32| {
                let number = *number as usize;
                let start = number.checked_sub(1).and_then(|before| ends.get(before).copied()).unwrap_or(0);
                let end = ends.get(number).copied().unwrap_or(start);
                hasher.hash_one(bytes.get(start..end).unwrap_or(&[]))
            };
            self.table.insert_unique(hasher.hash_one(key), number, hash);
        }
        known
    }
}

/// A key column in one of two forms.
enum Keys<'a> {
    Ints(Vec<i64>),
    Plain(&'a [i64]),
    Bytes(Vec<&'a [u8]>),
    /// By distinct key, and each row's place there.
    Numbered(Vec<&'a [u8]>, &'a [i32]),
}

impl<'a> Keys<'a> {
    /// Of a canonical column; a missing key is anything.
    fn of(array: &'a ArrayRef) -> Option<Keys<'a>> {
        fn ints<T: ArrowPrimitiveType>(
            array: &ArrayRef,
            int: impl Fn(T::Native) -> i64,
        ) -> Option<Keys<'static>> {
            let array: &PrimitiveArray<T> = array.as_primitive_opt()?;
            Some(Keys::Ints(array.values().iter().map(|value| int(*value)).collect()))
        }
        match array.data_type() {
            DataType::Int64 => Some(Keys::Plain(array.as_primitive::<Int64Type>().values())),
            DataType::Timestamp(..) => {
                Some(Keys::Plain(array.as_primitive_opt::<TimestampMicrosecondType>()?.values()))
            }
            DataType::Time64(_) => {
                Some(Keys::Plain(array.as_primitive_opt::<Time64MicrosecondType>()?.values()))
            }
            DataType::Date32 => ints::<Date32Type>(array, i64::from),
            DataType::UInt32 => ints::<UInt32Type>(array, i64::from),
            DataType::Float64 => ints::<Float64Type>(array, |value| value.to_bits().cast_signed()),
            DataType::Boolean => {
                let bits = array.as_boolean().values();
                Some(Keys::Ints(bits.iter().map(i64::from).collect()))
            }
            DataType::Decimal128(..) => {
                let bytes = array.as_primitive::<Decimal128Type>().values().inner().as_slice();
                let (keys, _) = bytes.as_chunks::<16>();
                Some(Keys::Bytes(keys.iter().map(|key| &key[..]).collect()))
            }
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                Some(Keys::Bytes((0..texts.len()).map(|row| texts.value(row).as_bytes()).collect()))
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_dictionary_opt::<Int32Type>()?;
                let texts = dictionary.values().as_string_opt::<i32>()?;
                let keys = (0..texts.len()).map(|row| texts.value(row).as_bytes()).collect();
                Some(Keys::Numbered(keys, dictionary.keys().values()))
            }
            _ => None,
        }
    }
}

impl Numbers {
    /// The numbers of users with these keys, in their order. Where one comes twice, its first user
    /// has it, and the second place is told.
    pub fn new(columns: &[ArrayRef]) -> (Numbers, Option<Twice>) {
        let all: Option<Vec<&[i64]>> = columns
            .iter()
            .map(|column| column.as_any().downcast_ref::<Int64Array>().map(|ints| ints.values().as_ref()))
            .collect();
        match all {
            Some(ints) => Numbers::of_ints(&ints),
            None => Numbers::of_any(columns),
        }
    }

    fn of_ints(parts: &[&[i64]]) -> (Numbers, Option<Twice>) {
        let all = || parts.iter().flat_map(|part| part.iter().copied());
        let count: usize = parts.iter().map(|part| part.len()).sum();
        let (least, greatest) =
            all().fold((i64::MAX, i64::MIN), |(low, high), key| (low.min(key), high.max(key)));
        let room = greatest.wrapping_sub(least).cast_unsigned().saturating_add(1);
        if count == 0 {
            return (Numbers::Ints(HashMap::new()), None);
        }
        if greatest < least || room / MOST_PLACES_A_USER > count as u64 + 1024 {
            let mut numbers = HashMap::with_capacity(count);
            let mut twice = None;
            for (key, number) in all().zip(0..) {
                let first = *numbers.entry(key).or_insert(number);
                if first != number {
                    twice = twice.or(Some(Twice { first, second: number }));
                }
            }
            return (Numbers::Ints(numbers), twice);
        }
        if room == count as u64 && all().zip(0..).all(|(key, place)| key.wrapping_sub(least) == place) {
            let count = u32::try_from(count).unwrap_or(NOBODY);
            return (Numbers::Consecutive { first: least, count }, None);
        }
        let mut numbers = vec![NOBODY; usize::try_from(room).unwrap_or(0)];
        let mut twice = None;
        for (key, number) in all().zip(0..) {
            let place = usize::try_from(key.wrapping_sub(least).cast_unsigned()).ok();
            match place.and_then(|place| numbers.get_mut(place)) {
                Some(place) if *place == NOBODY => *place = number,
                Some(first) => twice = twice.or(Some(Twice { first: *first, second: number })),
                None => {}
            }
        }
        (Numbers::Near { least, numbers }, twice)
    }

    fn of_any(columns: &[ArrayRef]) -> (Numbers, Option<Twice>) {
        let mut ints: Vec<Vec<i64>> = Vec::new();
        let mut bytes = ByBytes::default();
        let mut twice = None;
        let mut add = |bytes: &mut ByBytes, key: &[u8]| {
            if let Some(first) = bytes.add(key) {
                let second = u32::try_from(bytes.ends.len() - 1).unwrap_or(NOBODY);
                twice = twice.or(Some(Twice { first, second }));
            }
        };
        for column in columns {
            match Keys::of(column) {
                Some(Keys::Plain(keys)) => ints.push(keys.to_vec()),
                Some(Keys::Ints(keys)) => ints.push(keys),
                Some(Keys::Bytes(keys)) => keys.iter().for_each(|key| add(&mut bytes, key)),
                Some(Keys::Numbered(keys, rows)) => {
                    for row in rows {
                        let key = usize::try_from(*row).ok().and_then(|row| keys.get(row));
                        add(&mut bytes, key.unwrap_or(&&[][..]));
                    }
                }
                None => {}
            }
        }
        if !ints.is_empty() {
            let parts: Vec<&[i64]> = ints.iter().map(Vec::as_slice).collect();
            return Numbers::of_ints(&parts);
        }
        (Numbers::Bytes(bytes), twice)
    }

    /// Puts the user number of each row's key into `out`: of an unknown key, or of none, that of nobody.
    pub fn look_up(&self, array: &ArrayRef, out: &mut Vec<u32>) {
        out.clear();
        match Keys::of(array) {
            Some(Keys::Plain(keys)) => self.ints(keys, out),
            Some(Keys::Ints(keys)) => self.ints(&keys, out),
            Some(Keys::Bytes(keys)) => out.extend(keys.iter().map(|key| self.bytes(key))),
            Some(Keys::Numbered(keys, rows)) => {
                let numbers: Vec<u32> = keys.iter().map(|key| self.bytes(key)).collect();
                let number = |row: &i32| usize::try_from(*row).ok().and_then(|row| numbers.get(row).copied());
                out.extend(rows.iter().map(|row| number(row).unwrap_or(NOBODY)));
            }
            None => out.resize(array.len(), NOBODY),
        }
        if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
            for (row, number) in out.iter_mut().enumerate() {
                if nulls.is_null(row) {
                    *number = NOBODY;
                }
            }
        }
    }

    fn ints(&self, keys: &[i64], out: &mut Vec<u32>) {
        match self {
            Numbers::Consecutive { first, count } => {
                let (first, count) = (*first, u64::from(*count));
                out.extend(keys.iter().map(|key| {
                    let place = key.wrapping_sub(first).cast_unsigned();
                    if place < count { place as u32 } else { NOBODY }
                }));
            }
            Numbers::Near { least, numbers } => out.extend(keys.iter().map(|key| {
                let place = usize::try_from(key.wrapping_sub(*least).cast_unsigned()).unwrap_or(usize::MAX);
                numbers.get(place).copied().unwrap_or(NOBODY)
            })),
            Numbers::Ints(numbers) => {
                out.extend(keys.iter().map(|key| numbers.get(key).copied().unwrap_or(NOBODY)))
            }
            Numbers::Bytes(_) => out.resize(keys.len(), NOBODY),
        }
    }

    fn bytes(&self, key: &[u8]) -> u32 {
        match self {
            Numbers::Bytes(numbers) => numbers.get(key).unwrap_or(NOBODY),
            _ => NOBODY,
        }
    }
}

/// Finds the rows of one user.
#[derive(Debug)]
pub struct KeyFinder {
    numbers: Numbers,
}

impl KeyFinder {
    /// Of the user with that key, of that type.
    pub fn new(key: &Value, ty: &Type) -> KeyFinder {
        KeyFinder { numbers: Numbers::new(&[array_of(std::slice::from_ref(key), ty)]).0 }
    }

    /// The rows of a canonical column that have the key.
    pub fn rows(&self, keys: &ArrayRef) -> Vec<usize> {
        let mut users = Vec::with_capacity(keys.len());
        self.numbers.look_up(keys, &mut users);
        (0..).zip(users).filter(|(_, user)| *user != NOBODY).map(|(row, _)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, DictionaryArray, StringArray};
    use std::sync::Arc;

    fn numbers(users: &[ArrayRef], events: &ArrayRef) -> (Vec<u32>, Option<Twice>) {
        let (numbers, twice) = Numbers::new(users);
        let mut found = Vec::new();
        numbers.look_up(events, &mut found);
        (found, twice)
    }

    fn ints(keys: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(keys.to_vec()))
    }

    #[test]
    fn ints_near_and_far() {
        let events: ArrayRef =
            Arc::new(Int64Array::from(vec![Some(5), None, Some(7), Some(i64::MIN), Some(6)]));
        assert_eq!(numbers(&[ints(&[5, 6]), ints(&[7])], &events).0, [0, NOBODY, 2, NOBODY, 1]);
        assert_eq!(numbers(&[ints(&[7, 5])], &events).0, [1, NOBODY, 0, NOBODY, NOBODY]);
        assert_eq!(numbers(&[ints(&[7, i64::MIN, i64::MAX])], &events).0, [NOBODY, NOBODY, 0, 1, NOBODY]);
        assert_eq!(numbers(&[], &events).0, [NOBODY; 5]);
    }

    #[test]
    fn the_first_user_of_a_key_has_it() {
        let twice = Some(Twice { first: 0, second: 2 });
        assert_eq!(numbers(&[ints(&[7, 5, 7, 5])], &ints(&[5, 7])), (vec![1, 0], twice));
        assert_eq!(numbers(&[ints(&[7, i64::MAX, 7])], &ints(&[7])), (vec![0], twice));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a"]));
        assert_eq!(numbers(std::slice::from_ref(&texts), &texts), (vec![0, 1, 0], twice));
    }

    #[test]
    fn texts_plain_or_numbered_and_decimals() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("用户"), None, Some("x"), Some("")]));
        let dictionary: ArrayRef = Arc::new(
            [Some("x"), None, Some("用户"), Some("y")].into_iter().collect::<DictionaryArray<Int32Type>>(),
        );
        let users: ArrayRef = Arc::new(StringArray::from(vec!["x", "用户"]));
        assert_eq!(numbers(std::slice::from_ref(&users), &texts).0, [1, NOBODY, 0, NOBODY]);
        assert_eq!(numbers(&[users], &dictionary).0, [0, NOBODY, 1, NOBODY]);
        assert_eq!(numbers(&[dictionary.slice(2, 2)], &texts).0, [0, NOBODY, NOBODY, NOBODY]);
        let decimals: ArrayRef = Arc::new(Decimal128Array::from(vec![3, -1, 4]));
        assert_eq!(numbers(&[decimals.slice(1, 2)], &decimals).0, [NOBODY, 0, 1]);
    }
}
