//! JSON lines: an object a line. Each wanted value becomes the text that CSV would have: a string
//! its content, a number its digits as written, a list its JSON.

use super::csv::{MOST_BATCH_BYTES, text_batch, text_schema};
use super::files::DataFile;
use super::source::{Layout, RawBatches, RawField, RawOptions, damaged, open_text, why};
use crate::diagnostic::Diagnostic;
use arrow::array::{RecordBatch, StringBuilder};
use arrow::datatypes::Schema;
use hashbrown::HashMap;
use indexmap::IndexSet;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor, value};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

/// How many lines say which columns there are.
const SAMPLED_LINES: usize = 1000;
/// The longest line that is read.
const MOST_LINE_BYTES: u64 = 64 << 20;

struct Lines {
    file: DataFile,
    reader: BufReader<Box<dyn Read + Send>>,
    buffer: Vec<u8>,
    line: u64,
}

impl Lines {
    /// Reads the next line that is not blank into the buffer.
    fn advance(&mut self) -> Result<bool, Diagnostic> {
        loop {
            self.buffer.clear();
            let count = (&mut self.reader)
                .take(MOST_LINE_BYTES)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|error| damaged(&self.file, format!("after line {}: {}", self.line, why(&error))))?;
            if count == 0 {
                return Ok(false);
            }
            self.line += 1;
            if count as u64 == MOST_LINE_BYTES {
                return Err(damaged(&self.file, format!("line {} is longer than 64 MiB", self.line)));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn fault(&self, error: &serde_json::Error) -> Diagnostic {
        let (file, line) = (&self.file, self.line);
        if self.buffer.trim_ascii_start().starts_with(b"[") {
            return damaged(file, format!("line {line} begins a list, where each line must be one object"))
                .help("write one JSON object a line (JSON lines), without a list around them");
        }
        if std::str::from_utf8(&self.buffer).is_err() {
            return damaged(file, format!("line {line} is not UTF-8 text"));
        }
        let text = error.to_string();
        let what = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        damaged(file, format!("line {line}, column {}: {what}", error.column()))
    }
}

pub(super) fn layout(file: &DataFile) -> Result<Layout, Diagnostic> {
    let reader = open_text(file, Arc::default())?;
    let mut lines = Lines { file: file.clone(), reader, buffer: Vec::new(), line: 0 };
    let mut names = IndexSet::new();
    let mut sampled = 0;
    while sampled < SAMPLED_LINES && lines.advance()? {
        let mut parser = serde_json::Deserializer::from_slice(&lines.buffer);
        NamesSeed(&mut names).deserialize(&mut parser).map_err(|error| lines.fault(&error))?;
        sampled += 1;
    }
    let fields = names.into_iter().map(|name| RawField { name, ty: None }).collect();
    Ok(Layout { fields, rows: None, sampled: true, groups: Vec::new() })
}

struct NamesSeed<'a>(&'a mut IndexSet<String>);

impl<'de> DeserializeSeed<'de> for NamesSeed<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NamesSeed<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            self.0.insert(name);
        }
        Ok(())
    }
}

pub(super) fn batches(
    file: &DataFile,
    names: &[String],
    options: &RawOptions,
) -> Result<RawBatches, Diagnostic> {
    let reader = open_text(file, options.progress.clone())?;
    Ok(Box::new(Rows {
        lines: Lines { file: file.clone(), reader, buffer: Vec::new(), line: 0 },
        wanted: names.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect(),
        slots: names.iter().map(|_| Slot::default()).collect(),
        schema: text_schema(names.len()),
        batch_rows: options.batch_rows,
    }))
}

/// The value of one column of the line at hand.
#[derive(Default)]
struct Slot {
    known: bool,
    text: String,
}

impl Slot {
    fn set(&mut self, text: &str) {
        self.known = true;
        self.text.clear();
        self.text.push_str(text);
    }
}

struct Rows {
    lines: Lines,
    wanted: HashMap<String, usize>,
    slots: Vec<Slot>,
    schema: Arc<Schema>,
    batch_rows: usize,
}

impl Rows {
    fn batch(&mut self) -> Result<Option<RecordBatch>, Diagnostic> {
        let mut builders: Vec<StringBuilder> = self
            .slots
            .iter()
            .map(|_| StringBuilder::with_capacity(self.batch_rows, self.batch_rows * 8))
            .collect();
        let (mut rows, mut bytes) = (0, 0usize);
        while rows < self.batch_rows && bytes < MOST_BATCH_BYTES && self.lines.advance()? {
            for slot in &mut self.slots {
                slot.known = false;
            }
            let mut parser = serde_json::Deserializer::from_slice(&self.lines.buffer);
            RowSeed { wanted: &self.wanted, slots: &mut self.slots }
                .deserialize(&mut parser)
                .and_then(|()| parser.end())
                .map_err(|error| self.lines.fault(&error))?;
            for (builder, slot) in builders.iter_mut().zip(&self.slots) {
                bytes += slot.text.len();
                builder.append_option(slot.known.then_some(slot.text.as_str()));
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        text_batch(&self.lines.file, &self.schema, builders, rows).map(Some)
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

struct RowSeed<'a> {
    wanted: &'a HashMap<String, usize>,
    slots: &'a mut [Slot],
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            match self.wanted.get(name.as_ref()).and_then(|at| self.slots.get_mut(*at)) {
                Some(slot) => map.next_value_seed(SlotSeed(slot))?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

struct SlotSeed<'a>(&'a mut Slot);

impl<'de> DeserializeSeed<'de> for SlotSeed<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SlotSeed<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.known = false;
        Ok(())
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.set(if value { "true" } else { "false" });
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.set(text);
        Ok(())
    }
    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.set(&number.to_string());
        Ok(())
    }
    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.set(&number.to_string());
        Ok(())
    }
    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.set(&number.to_string());
        Ok(())
    }
    // A number with all its digits comes as a map too; `Value` knows which is which.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let value: Value = serde::Deserialize::deserialize(value::MapAccessDeserializer::new(map))?;
        self.0.set(&value.to_string());
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let value: Value = serde::Deserialize::deserialize(value::SeqAccessDeserializer::new(seq))?;
        self.0.set(&value.to_string());
        Ok(())
    }
}
