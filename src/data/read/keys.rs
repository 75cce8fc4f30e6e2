//! No key twice: exactly, in bounded memory. Where keys ascend the last one is all that has to be
//! remembered. Else every key goes into a set; when that grows too large, into files by its hash,
//! and the keys of one file are compared with each other at the end.

use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::data as codes;
use crate::program::Table;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType, UInt32Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hashbrown::{DefaultHashBuilder, HashMap, hash_map::Entry};
use std::cmp::Ordering;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::sync::Arc;

/// Into how many files the keys are divided.
const PARTS: usize = 64;
/// What an entry of a set costs besides its key's bytes.
const ENTRY_BYTES: usize = 40;

/// A key in a form that is equal where the keys are, and orders as ints and texts do.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Key {
    Int(i64),
    Bytes(Box<[u8]>),
}

/// Watches keys that come in ascending order.
#[derive(Debug)]
pub struct KeyCheck {
    memory: usize,
    first: Option<Key>,
    last: Option<Key>,
    rows: u64,
    ty: DataType,
}

/// What is wrong with the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// One comes twice.
    #[error("rows {first} and {second} have the same key `{key}`")]
    Twice {
        /// As text.
        key: String,
        /// Row of its first occurrence, from 1 over all files.
        first: u64,
        /// Row of its second.
        second: u64,
    },
    /// The files that the check needs cannot be written or read.
    #[error("the keys cannot be compared: {0}")]
    Spill(#[from] std::io::Error),
}

impl KeyFault {
    /// The same fault where so many rows come before.
    fn after(self, rows: u64) -> KeyFault {
        match self {
            KeyFault::Twice { key, first, second } => {
                KeyFault::Twice { key, first: first + rows, second: second + rows }
            }
            other => other,
        }
    }

    pub(super) fn finding(self, table: &Table) -> Diagnostic {
        let code = match self {
            KeyFault::Twice { .. } => codes::DUPLICATE_KEY,
            KeyFault::Spill(_) => codes::UNREADABLE,
        };
        Diagnostic::placeless(code, format!("table `{}`: {self}", table.name))
    }
}

impl KeyCheck {
    /// A check that may hold so many bytes, if it comes to a set.
    pub fn new(memory: usize) -> KeyCheck {
        KeyCheck { memory, first: None, last: None, rows: 0, ty: DataType::Null }
    }

    /// Looks at the next keys (a canonical column without nulls). `false`: they do not ascend, and
    /// all keys from the first on must go to [`KeyCheck::exact`].
    ///
    /// # Errors
    /// A key that equals the one before it.
    pub fn add(&mut self, keys: &ArrayRef) -> Result<bool, KeyFault> {
        if self.first.is_none() {
            self.ty = keys.data_type().clone();
            each(keys, |key| {
                self.first = Some(key);
                false
            });
        }
        // Plain ints are the common case: no key is built for each.
        if let (Some(ints), None | Some(Key::Int(_))) = (keys.as_primitive_opt::<Int64Type>(), &self.last) {
            let mut last = match self.last {
                Some(Key::Int(last)) => Some(last),
                _ => None,
            };
            for value in ints.values() {
                self.rows += 1;
                match last {
                    Some(last) if last == *value => {
                        return Err(self.repeated(&Key::Int(last), keys.data_type()));
                    }
                    Some(last) if last > *value => return Ok(false),
                    _ => last = Some(*value),
                }
            }
            self.last = last.map(Key::Int);
            return Ok(true);
        }
        if let (Some(texts), None | Some(Key::Bytes(_))) = (keys.as_string_opt::<i32>(), &self.last) {
            let last = self.last.take();
            let mut last = match &last {
                Some(Key::Bytes(bytes)) => Some(bytes.as_ref()),
                _ => None,
            };
            for row in 0..texts.len() {
                self.rows += 1;
                let text = texts.value(row).as_bytes();
                match last.map(|last| last.cmp(text)) {
                    Some(Ordering::Equal) => {
                        return Err(self.repeated(&Key::Bytes(text.into()), keys.data_type()));
                    }
                    Some(Ordering::Greater) => return Ok(false),
                    Some(Ordering::Less) | None => last = Some(text),
                }
            }
            self.last = last.map(|bytes| Key::Bytes(bytes.into()));
            return Ok(true);
        }
        let mut outcome = Ok(true);
        each(keys, |key| {
            self.rows += 1;
            match &self.last {
                Some(last) if *last == key => {
                    outcome = Err(self.repeated(&key, keys.data_type()));
                    false
                }
                Some(last) if *last > key => {
                    outcome = Ok(false);
                    false
                }
                _ => {
                    self.last = Some(key);
                    true
                }
            }
        });
        outcome
    }

    fn repeated(&self, key: &Key, ty: &DataType) -> KeyFault {
        KeyFault::Twice { key: shown(key, ty), first: self.rows - 1, second: self.rows }
    }

    /// The check for keys in any order.
    pub fn exact(&self) -> ExactKeys {
        ExactKeys {
            memory: self.memory,
            used: 0,
            rows: 0,
            set: HashMap::new(),
            parts: None,
            ty: DataType::Null,
        }
    }
}

/// What is known of the keys of consecutive rows that others may stand before.
#[derive(Debug)]
pub(super) enum Keys {
    /// They ascend.
    Ascending(KeyCheck),
    /// They do not: all have to be compared.
    Descending,
    /// They ascend up to one that comes twice in a row. The check ends there.
    Twice(KeyCheck, KeyFault),
}

impl Keys {
    /// These keys and the next.
    pub fn add(self, keys: &ArrayRef) -> Keys {
        let Keys::Ascending(mut check) = self else { return self };
        match check.add(keys) {
            Ok(true) => Keys::Ascending(check),
            Ok(false) => Keys::Descending,
            Err(fault) => Keys::Twice(check, fault),
        }
    }

    /// These keys and those of the rows that follow.
    pub fn followed_by(self, next: Keys) -> Keys {
        let Keys::Ascending(mut check) = self else { return self };
        let (after, fault) = match next {
            Keys::Ascending(after) => (after, None),
            Keys::Twice(after, fault) => (after, Some(fault)),
            Keys::Descending => return Keys::Descending,
        };
        let Some(first) = after.first else { return Keys::Ascending(check) };
        match check.last.as_ref().map(|last| last.cmp(&first)) {
            Some(Ordering::Greater) => return Keys::Descending,
            Some(Ordering::Equal) => {
                check.rows += 1;
                let fault = check.repeated(&first, &after.ty);
                return Keys::Twice(check, fault);
            }
            Some(Ordering::Less) => {}
            None => {
                check.first = Some(first);
                check.ty = after.ty;
            }
        }
        if let Some(fault) = fault {
            let fault = fault.after(check.rows);
            return Keys::Twice(check, fault);
        }
        check.last = after.last;
        check.rows += after.rows;
        Keys::Ascending(check)
    }
}

/// Remembers every key.
#[derive(Debug)]
pub struct ExactKeys {
    memory: usize,
    used: usize,
    rows: u64,
    set: HashMap<Key, u64>,
    parts: Option<Parts>,
    ty: DataType,
}

impl ExactKeys {
    /// Adds the next keys.
    ///
    /// # Errors
    /// A key that was there before, as far as this is known already; files that cannot be written.
    pub fn add(&mut self, keys: &ArrayRef) -> Result<(), KeyFault> {
        self.ty = keys.data_type().clone();
        let mut outcome = Ok(());
        each(keys, |key| {
            self.rows += 1;
            outcome = self.one(key);
            outcome.is_ok()
        });
        outcome
    }

    fn one(&mut self, key: Key) -> Result<(), KeyFault> {
        if let Some(parts) = &mut self.parts {
            return Ok(parts.write(&key, self.rows)?);
        }
        self.used += ENTRY_BYTES + if let Key::Bytes(bytes) = &key { bytes.len() } else { 0 };
        match self.set.entry(key) {
            Entry::Occupied(entry) => Err(KeyFault::Twice {
                key: shown(entry.key(), &self.ty),
                first: *entry.get(),
                second: self.rows,
            }),
            Entry::Vacant(entry) => {
                entry.insert(self.rows);
                if self.used > self.memory {
                    let mut parts = Parts::new()?;
                    for (key, row) in std::mem::take(&mut self.set) {
                        parts.write(&key, row)?;
                    }
                    self.parts = Some(parts);
                }
                Ok(())
            }
        }
    }

    /// The answer for all keys that were added.
    ///
    /// # Errors
    /// The key that was the first to come again; files that cannot be read.
    pub fn finish(self) -> Result<(), KeyFault> {
        let Some(parts) = self.parts else { return Ok(()) };
        match parts.first_repeat()? {
            Some((key, first, second)) => Err(KeyFault::Twice { key: shown(&key, &self.ty), first, second }),
            None => Ok(()),
        }
    }
}

/// Keys on disk, divided by their hash; the files have no name and vanish with the process.
#[derive(Debug)]
struct Parts {
    hasher: DefaultHashBuilder,
    files: Vec<BufWriter<File>>,
}

impl Parts {
    fn new() -> std::io::Result<Parts> {
        let files = (0..PARTS).map(|_| tempfile::tempfile().map(BufWriter::new)).collect::<Result<_, _>>()?;
        Ok(Parts { hasher: DefaultHashBuilder::default(), files })
    }

    /// Row, then the length of the key's bytes (all ones for an int), then these.
    fn write(&mut self, key: &Key, row: u64) -> std::io::Result<()> {
        let part = usize::try_from(self.hasher.hash_one(key) % PARTS as u64).unwrap_or(0);
        let Some(file) = self.files.get_mut(part) else { return Ok(()) };
        file.write_all(&row.to_le_bytes())?;
        match key {
            Key::Int(value) => {
                file.write_all(&u32::MAX.to_le_bytes())?;
                file.write_all(&value.to_le_bytes())
            }
            Key::Bytes(bytes) => {
                let length = u32::try_from(bytes.len()).ok().filter(|length| *length < u32::MAX);
                let length = length.ok_or_else(|| std::io::Error::other("a key of 4 GiB"))?;
                file.write_all(&length.to_le_bytes())?;
                file.write_all(bytes)
            }
        }
    }

    /// The key whose second row is the first of all.
    fn first_repeat(self) -> std::io::Result<Option<(Key, u64, u64)>> {
        let mut found: Option<(Key, u64, u64)> = None;
        for file in self.files {
            let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            let mut reader = BufReader::with_capacity(1 << 16, file);
            let mut seen: HashMap<Key, u64> = HashMap::new();
            while let Some((key, row)) = next_key(&mut reader)? {
                match seen.entry(key) {
                    Entry::Vacant(entry) => {
                        entry.insert(row);
                    }
                    Entry::Occupied(entry) => {
                        // A set that was written out has its rows in no order.
                        let (first, second) = (row.min(*entry.get()), row.max(*entry.get()));
                        if found.as_ref().is_none_or(|(_, _, known)| second < *known) {
                            found = Some((entry.key().clone(), first, second));
                        }
                    }
                }
            }
        }
        Ok(found)
    }
}

fn next_key(reader: &mut impl Read) -> std::io::Result<Option<(Key, u64)>> {
    let mut row = [0; 8];
    match reader.read_exact(&mut row) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let key = match u32::from_le_bytes(length) {
        u32::MAX => {
            let mut value = [0; 8];
            reader.read_exact(&mut value)?;
            Key::Int(i64::from_le_bytes(value))
        }
        length => {
            let mut bytes = vec![0; length as usize];
            reader.read_exact(&mut bytes)?;
            Key::Bytes(bytes.into())
        }
    };
    Ok(Some((key, u64::from_le_bytes(row))))
}

/// Gives each key of a canonical column to `f`, until that says `false`.
fn each(keys: &ArrayRef, mut f: impl FnMut(Key) -> bool) {
    let rows = 0..keys.len();
    let bytes = |text: &str| Key::Bytes(text.as_bytes().into());
    let get = |row: usize| match keys.data_type() {
        DataType::Int64 => Key::Int(keys.as_primitive::<Int64Type>().value(row)),
        DataType::Date32 => Key::Int(keys.as_primitive::<Date32Type>().value(row).into()),
        DataType::UInt32 => Key::Int(keys.as_primitive::<UInt32Type>().value(row).into()),
        DataType::Timestamp(..) => Key::Int(keys.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Time64(_) => Key::Int(keys.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::Boolean => Key::Int(keys.as_boolean().value(row).into()),
        DataType::Float64 => Key::Bytes(keys.as_primitive::<Float64Type>().value(row).to_le_bytes().into()),
        DataType::Decimal128(..) => {
            Key::Bytes(keys.as_primitive::<Decimal128Type>().value(row).to_le_bytes().into())
        }
        DataType::Dictionary(..) => {
            let dictionary = keys.as_dictionary::<Int32Type>();
            let at = usize::try_from(dictionary.keys().value(row)).unwrap_or(0);
            bytes(dictionary.values().as_string::<i32>().value(at))
        }
        DataType::Utf8 => bytes(keys.as_string::<i32>().value(row)),
        // No other type can be a key.
        _ => Key::Int(i64::try_from(row).unwrap_or(i64::MAX)),
    };
    for row in rows {
        if !f(get(row)) {
            return;
        }
    }
}

/// A key as people read it.
fn shown(key: &Key, ty: &DataType) -> String {
    let array: ArrayRef = match key {
        Key::Int(value) => Arc::new(Int64Array::from(vec![*value])),
        Key::Bytes(bytes) => match ty {
            DataType::Decimal128(precision, scale) => {
                let Ok(digits) = <[u8; 16]>::try_from(bytes.as_ref()) else { return String::new() };
                let array = Decimal128Array::from(vec![i128::from_le_bytes(digits)]);
                match array.with_precision_and_scale(*precision, *scale) {
                    Ok(array) => Arc::new(array),
                    Err(_) => return String::new(),
                }
            }
            DataType::Float64 => {
                let bits = <[u8; 8]>::try_from(bytes.as_ref()).map(f64::from_le_bytes);
                return bits.map_or(String::new(), |value| value.to_string());
            }
            _ => return String::from_utf8_lossy(bytes).into_owned(),
        },
    };
    let narrow = match ty {
        DataType::Date32 => {
            arrow::compute::cast(&array, &DataType::Int32).and_then(|days| arrow::compute::cast(&days, ty))
        }
        DataType::Int64 | DataType::Decimal128(..) => Ok(array.clone()),
        other => arrow::compute::cast(&array, other),
    };
    let array = narrow.unwrap_or(array);
    ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())
        .ok()
        .and_then(|formatter| formatter.value(0).try_to_string().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    fn ints(values: impl IntoIterator<Item = i64>) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(values))
    }

    fn twice(fault: KeyFault) -> (String, u64, u64) {
        match fault {
            KeyFault::Twice { key, first, second } => (key, first, second),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn ascending_keys_need_no_set() {
        let mut check = KeyCheck::new(0);
        assert!(check.add(&ints(0..1000)).unwrap());
        assert!(check.add(&ints(1000..1001)).unwrap());
        assert_eq!(twice(check.add(&ints([1000])).unwrap_err()), ("1000".into(), 1001, 1002));
        let mut check = KeyCheck::new(0);
        assert!(!check.add(&ints([2, 1])).unwrap());
        let texts = |texts: &[&str]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
        let mut check = KeyCheck::new(0);
        assert!(check.add(&texts(&["a", "ab", "b"])).unwrap());
        assert!(check.add(&texts(&["用", "用户"])).unwrap());
        assert_eq!(twice(check.add(&texts(&["用户"])).unwrap_err()), ("用户".into(), 5, 6));
        let mut check = KeyCheck::new(0);
        assert!(!check.add(&texts(&["b", "a"])).unwrap());
    }

    #[test]
    fn the_set_spills_and_stays_exact() {
        for memory in [1 << 30, 0, 10_000] {
            let mut exact = KeyCheck::new(memory).exact();
            exact.add(&ints((0..5000).rev())).unwrap();
            exact.finish().unwrap();
            let mut exact = KeyCheck::new(memory).exact();
            let fault = exact.add(&ints((0..5000).rev())).and_then(|()| exact.add(&ints([6000, 17, 4999])));
            let fault = fault.and_then(|()| exact.finish()).unwrap_err();
            assert_eq!(twice(fault), ("17".into(), 4983, 5002), "{memory}");
        }
    }

    #[test]
    fn texts_are_keys_too() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["b", "a", "用户", "b"]));
        for memory in [1 << 20, 0] {
            let mut exact = KeyCheck::new(memory).exact();
            let fault = exact.add(&texts).and_then(|()| exact.finish()).unwrap_err();
            assert_eq!(twice(fault), ("b".into(), 1, 4));
        }
    }
}
