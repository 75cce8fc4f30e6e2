//! JSON lines: an object a line. Each wanted value becomes the text that CSV would have: a string
//! its content, a number its digits as written, a list its JSON.

use super::blocks::{self, Block, MOST_ROW_BYTES, Parsed, Rows};
use super::csv::{TextFault, builders, text_batch, text_schema};
use super::files::DataFile;
use super::source::{Layout, RawBatches, RawField, RawOptions, damaged, open_text, why};
use crate::diagnostic::Diagnostic;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use hashbrown::HashMap;
use indexmap::IndexSet;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

/// How many lines say which columns there are.
const SAMPLED_LINES: usize = 1000;

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
                .take(MOST_ROW_BYTES as u64)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|error| damaged(&self.file, format!("after line {}: {}", self.line, why(&error))))?;
            if count == 0 {
                return Ok(false);
            }
            self.line += 1;
            if count == MOST_ROW_BYTES {
                return Err(too_long(&self.file, self.line));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}

fn too_long(file: &DataFile, line: u64) -> Diagnostic {
    damaged(file, format!("line {line} is longer than 64 MiB"))
}

fn fault(file: &DataFile, line: u64, text: &[u8], error: &serde_json::Error) -> Diagnostic {
    if text.trim_ascii_start().starts_with(b"[") {
        return damaged(file, format!("line {line} begins a list, where each line must be one object"))
            .help("write one JSON object a line (JSON lines), without a list around them");
    }
    if std::str::from_utf8(text).is_err() {
        return damaged(file, format!("line {line} is not UTF-8 text"));
    }
    let text = error.to_string();
    let what = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    damaged(file, format!("line {line}, column {}: {what}", error.column()))
}

pub(super) fn layout(file: &DataFile) -> Result<Layout, Diagnostic> {
    let reader = open_text(file, Arc::default())?;
    let mut lines = Lines { file: file.clone(), reader, buffer: Vec::new(), line: 0 };
    let mut names = IndexSet::new();
    let mut sampled = 0;
    while sampled < SAMPLED_LINES && lines.advance()? {
        let mut parser = serde_json::Deserializer::from_slice(&lines.buffer);
        NamesSeed(&mut names)
            .deserialize(&mut parser)
            .map_err(|error| fault(file, lines.line, &lines.buffer, &error))?;
        sampled += 1;
    }
    let fields = names.into_iter().map(|name| RawField { name, ty: None }).collect();
    Ok(Layout { fields, rows: None, sampled: true, groups: Vec::new(), known: Vec::new() })
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
    let rows = JsonRows {
        file: file.clone(),
        wanted: names.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect(),
        schema: text_schema(names.len()),
        batch_rows: options.batch_rows,
    };
    let text = open_text(file, options.progress.clone())?;
    Ok(blocks::batches(file, Arc::new(rows), text, options.threads))
}

/// The value of one column of the line at hand.
#[derive(Clone, Default)]
enum Slot<'a> {
    #[default]
    Missing,
    /// As it stands in the line.
    Part(&'a str),
    Made(String),
}

impl Slot<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Slot::Missing => None,
            Slot::Part(text) => Some(text),
            Slot::Made(text) => Some(text),
        }
    }
}

/// A JSON value as the text that CSV would have.
fn slot(written: &str) -> serde_json::Result<Slot<'_>> {
    Ok(match written.as_bytes() {
        [b'"', .., b'"'] if !written.contains('\\') => {
            written.get(1..written.len() - 1).map_or(Slot::Missing, Slot::Part)
        }
        [b'"', ..] => Slot::Made(serde_json::from_str(written)?),
        [b'n', ..] => Slot::Missing,
        // Without the spaces that may be in it.
        [b'[' | b'{', ..] => Slot::Made(serde_json::from_str::<Value>(written)?.to_string()),
        _ => Slot::Part(written),
    })
}

struct JsonRows {
    file: DataFile,
    wanted: HashMap<String, usize>,
    schema: Arc<Schema>,
    batch_rows: usize,
}

impl JsonRows {
    /// Reads lines, so many lines into the file, into batches.
    fn read(&self, before: u64, text: &str, batches: &mut Vec<RecordBatch>) -> Result<(), Diagnostic> {
        let mut slots = vec![Slot::Missing; self.wanted.len()];
        let mut order = Vec::new();
        let mut lines =
            (before + 1..).zip(lines(text)).filter(|(_, line)| !line.trim_ascii().is_empty()).peekable();
        while lines.peek().is_some() {
            let mut builders = builders(slots.len(), self.batch_rows.min(text.len() / 16 + 1));
            let mut rows = 0;
            for (number, line) in lines.by_ref().take(self.batch_rows) {
                slots.fill(Slot::Missing);
                let mut parser = serde_json::Deserializer::from_str(line);
                RowSeed { wanted: &self.wanted, order: &mut order, slots: &mut slots }
                    .deserialize(&mut parser)
                    .and_then(|()| parser.end())
                    .map_err(|error| fault(&self.file, number, line.as_bytes(), &error))?;
                for (builder, slot) in builders.iter_mut().zip(&slots) {
                    builder.append_option(slot.text());
                }
                rows += 1;
            }
            let batch = text_batch(&self.file, &self.schema, builders, rows);
            batches.push(batch.map_err(|fault| match fault {
                TextFault::NotUtf8(_) => damaged(&self.file, "it is not UTF-8 text"),
                TextFault::Damaged(fault) => *fault,
            })?);
        }
        Ok(())
    }
}

/// The lines of a text, each with its end.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
    ends.chain([text.len()])
        .scan(0, |from, end| Some(text.get(std::mem::replace(from, end)..end).unwrap_or_default()))
}

impl Rows for JsonRows {
    fn whole(&self, bytes: &[u8]) -> Option<usize> {
        memchr::memrchr(b'\n', bytes).map(|last| last + 1)
    }

    fn endless(&self, lines: u64) -> Diagnostic {
        too_long(&self.file, lines + 1)
    }

    fn failed(&self, lines: u64, error: &std::io::Error) -> Diagnostic {
        damaged(&self.file, format!("after line {lines}: {}", why(error)))
    }

    fn parse(&self, block: &Block) -> Parsed {
        let mut batches = Vec::new();
        let (text, not_utf8) = match std::str::from_utf8(&block.bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                // All lines before the one in which it happens.
                let valid = block.bytes.get(..error.valid_up_to()).unwrap_or_default();
                let text =
                    memchr::memrchr(b'\n', valid).and_then(|last| valid.get(..=last)).unwrap_or_default();
                let line = block.lines + memchr::memchr_iter(b'\n', text).count() as u64 + 1;
                let problem = damaged(&self.file, format!("line {line} is not UTF-8 text"));
                (std::str::from_utf8(text).unwrap_or_default(), Some(problem))
            }
        };
        let problem = self.read(block.lines, text, &mut batches).err().or(not_utf8);
        Parsed { batches, problem }
    }
}

/// The names of the line before, in their order, and which column each is: the next line mostly has
/// them again.
type Order = Vec<(String, Option<usize>)>;

struct RowSeed<'a, 'de> {
    wanted: &'a HashMap<String, usize>,
    order: &'a mut Order,
    slots: &'a mut [Slot<'de>],
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, 'de> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, 'de> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(name) = map.next_key_seed(Name)? {
            if self.order.get(place).is_none_or(|(known, _)| *known != name) {
                let column = self.wanted.get(name.as_ref()).copied();
                self.order.truncate(place);
                self.order.push((name.into_owned(), column));
            }
            let column = self.order.get(place).and_then(|(_, column)| *column);
            place += 1;
            match column.and_then(|column| self.slots.get_mut(column)) {
                Some(value) => {
                    let written: &'de RawValue = map.next_value()?;
                    *value = slot(written.get()).map_err(serde::de::Error::custom)?;
                }
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
