//! Two outputs of a run held against each other: who entered, who left, who moved.

use crate::data::facts::value_at;
use crate::data::read::{self, KeyMode, ReadOptions};
use crate::diagnostic::{Diagnostic, FileId, Span, codes::data as codes};
use crate::program::{Column, Program, Table, Type, Value};
use crate::semantics::wording;
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use hashbrown::HashMap;
use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

/// What stands for a segment's member in texts.
const IN: &str = "true";

/// The most distinct moves that are told of one name.
const MOST_MOVES: usize = 2_000;

/// An output in memory: by name a code for each user, 0 for no value.
#[derive(Debug, Default)]
pub struct Snapshot {
    keys: HashMap<Box<str>, u32>,
    order: Vec<Box<str>>,
    names: IndexMap<String, Codes>,
}

#[derive(Debug, Default)]
struct Codes {
    /// Whether it may be a segment: true or false for everybody.
    segment: bool,
    texts: IndexSet<Box<str>>,
    codes: Vec<u32>,
}

impl Codes {
    fn code(&mut self, text: &str) -> u32 {
        let at = match self.texts.get_index_of(text) {
            Some(at) => at,
            None => self.texts.insert_full(text.into()).0,
        };
        u32::try_from(at + 1).unwrap_or(u32::MAX)
    }

    fn text(&self, code: u32) -> Option<&str> {
        self.texts.get_index((code as usize).checked_sub(1)?).map(|text| &**text)
    }

    fn at(&self, row: u32) -> Option<&str> {
        self.text(self.codes.get(row as usize).copied().unwrap_or(0))
    }
}

fn nowhere() -> Span {
    Span { file: FileId(0), start: 0, end: 0 }
}

/// The table that a file of outputs is.
fn table(path: &str, delimiter: u8) -> Result<(Table, bool), Diagnostic> {
    let described = read::describe(path, delimiter)?;
    let names: Vec<&str> = described.iter().map(|column| column.name.trim_end_matches('_')).collect();
    let long = names.get(1..) == Some(&["kind", "name", "member"]);
    let mut columns = Vec::new();
    for (at, column) in described.iter().enumerate() {
        let ty = match &column.ty {
            None => Type::Text,
            Some(DataType::Boolean) => Type::Bool,
            Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)) => {
                Type::Text
            }
            Some(ty) if at == 0 => match ty {
                ty if ty.is_integer() => Type::Int,
                DataType::Date32 | DataType::Date64 => Type::Date,
                DataType::Timestamp(..) => Type::Timestamp,
                DataType::Decimal128(precision, scale) => {
                    Type::Decimal { precision: *precision, scale: u8::try_from(*scale).unwrap_or(0) }
                }
                _ => continue,
            },
            // Values of traits say nothing about where users belong.
            Some(_) => continue,
        };
        columns.push(Column {
            name: column.name.clone(),
            source_name: column.name.clone(),
            ty,
            optional: at > 0,
            domain: None,
            format: None,
            docs: None,
            place: nowhere(),
        });
    }
    Ok((Table { name: "output".to_owned(), key: 0, source: None, columns, place: nowhere() }, long))
}

impl Snapshot {
    /// Reads an output of `run`, wide or long.
    ///
    /// # Errors
    /// Where it cannot be read, or is no such output.
    pub fn read(path: &str, delimiter: u8) -> Result<Snapshot, Vec<Diagnostic>> {
        let (table, long) = table(path, delimiter).map_err(|finding| vec![finding])?;
        if table.columns.len() < 2 {
            return Err(vec![
                Diagnostic::placeless(codes::NOT_RUNNABLE, format!("`{path}` is no output of `strata run`"))
                    .help("it has a key and a column for each segment or layer, or the columns `kind`, `name`, `member`"),
            ]);
        }
        let program = Program {
            edition: 1,
            timezone: "UTC".to_owned(),
            now: None,
            types: Vec::new(),
            users: Some(table.clone()),
            events: Vec::new(),
            lookups: Vec::new(),
            calendar: None,
            nodes: Vec::new(),
            declarations: Vec::new(),
            guards: Vec::new(),
            tests: Vec::new(),
            assertions: Vec::new(),
            undecided: crate::program::Undecided::default(),
        };
        let options = ReadOptions { delimiter, keys: KeyMode::Skip, ..ReadOptions::default() };
        let mut snapshot = Snapshot::default();
        for batch in read::open(&table, &program, path, &options)? {
            let batch = batch.map_err(|finding| vec![finding])?;
            let added =
                if long { snapshot.add_long(&batch, &table) } else { snapshot.add_wide(&batch, &table) };
            added.map_err(|key| {
                vec![
                    Diagnostic::placeless(codes::NOT_RUNNABLE, format!("`{path}` has the key `{key}` twice"))
                        .help("compare outputs of `strata run`, which have each key once"),
                ]
            })?;
        }
        let users = snapshot.order.len();
        for codes in snapshot.names.values_mut() {
            codes.codes.resize(users, 0);
            if long {
                // Whoever is in no segment has no row of it.
                codes.segment = codes.texts.len() == 1 && codes.texts.contains(IN);
            }
        }
        Ok(snapshot)
    }

    /// A user's number: a new one where the key is new.
    fn user(&mut self, key: &str) -> (u32, bool) {
        if let Some(user) = self.keys.get(key) {
            return (*user, false);
        }
        let user = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        self.keys.insert(key.into(), user);
        self.order.push(key.into());
        (user, true)
    }

    fn add_wide(&mut self, batch: &RecordBatch, table: &Table) -> Result<(), String> {
        let column = |column: &Column| batch.column_by_name(&column.name);
        let Some(keys) = table.columns.first().and_then(column) else { return Ok(()) };
        for row in 0..batch.num_rows() {
            let key = wording::key(&value_at(keys, row)).unwrap_or_default();
            if !self.user(&key).1 {
                return Err(key);
            }
        }
        for declared in table.columns.iter().skip(1) {
            let Some(values) = column(declared) else { continue };
            let names = self
                .names
                .entry(declared.name.clone())
                .or_insert_with(|| Codes { segment: true, ..Codes::default() });
            for row in 0..batch.num_rows() {
                let code = match value_at(values, row) {
                    Value::Bool(value) => names.code(if value { "true" } else { "false" }),
                    Value::Text(text) => {
                        names.segment &= matches!(&*text, "true" | "false");
                        names.code(&text)
                    }
                    _ => {
                        names.segment = false;
                        0
                    }
                };
                names.codes.push(code);
            }
        }
        Ok(())
    }

    fn add_long(&mut self, batch: &RecordBatch, table: &Table) -> Result<(), String> {
        let column = |at: usize| table.columns.get(at).and_then(|column| batch.column_by_name(&column.name));
        let (Some(keys), Some(names), Some(members)) = (column(0), column(2), column(3)) else {
            return Ok(());
        };
        for row in 0..batch.num_rows() {
            let key = wording::key(&value_at(keys, row)).unwrap_or_default();
            let (user, _) = self.user(&key);
            let Value::Text(name) = value_at(names, row) else { continue };
            let codes = self.names.entry(name.to_string()).or_default();
            let code = match value_at(members, row) {
                Value::Text(member) => codes.code(&member),
                _ => codes.code(IN),
            };
            let user = user as usize;
            if codes.codes.len() <= user {
                codes.codes.resize(user + 1, 0);
            }
            if let Some(place) = codes.codes.get_mut(user) {
                *place = code;
            }
        }
        Ok(())
    }
}

/// Users by whether their key is in both outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Users {
    /// In both.
    pub both: u64,
    /// In the first alone.
    pub only_before: u64,
    /// In the second alone.
    pub only_after: u64,
}

/// What became of one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SegmentChange {
    /// In, then and now.
    pub stayed: u64,
    /// In now, out then.
    pub entered: u64,
    /// Out now, in then.
    pub left: u64,
    /// In now, and not there then.
    pub appeared: u64,
    /// In then, and not there now.
    pub disappeared: u64,
}

/// How many went from where to where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Then; null for no member.
    pub from: Option<String>,
    /// Now; null for no member.
    pub to: Option<String>,
    /// So many.
    pub users: u64,
}

/// What became of a layer, grid, stack, split or play.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LayerChange {
    /// Same member, or none then and now.
    pub stayed: u64,
    /// Another member.
    pub moved: u64,
    /// A member now, none then.
    pub entered: u64,
    /// None now, a member then.
    pub left: u64,
    /// A member now, and not there then.
    pub appeared: u64,
    /// A member then, and not there now.
    pub disappeared: u64,
    /// From where to where, those who stayed included; the most common first beyond 2,000 kinds.
    pub matrix: Vec<Move>,
    /// Whether some of the matrix was left out.
    pub cut: bool,
}

/// All that changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    /// Of this form.
    pub version: u32,
    /// The first output.
    pub before: String,
    /// The second.
    pub after: String,
    /// Who is in which.
    pub users: Users,
    /// By segment.
    pub segments: IndexMap<String, SegmentChange>,
    /// By layer, grid, stack, split and play.
    pub layers: IndexMap<String, LayerChange>,
    /// Names that the first output alone has.
    pub names_only_before: Vec<String>,
    /// Names that the second output alone has.
    pub names_only_after: Vec<String>,
    /// Where the rows were written.
    pub output: Option<String>,
}

/// One change of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The user's key.
    pub key: &'a str,
    /// What changed.
    pub name: &'a str,
    /// Then.
    pub from: Option<&'a str>,
    /// Now.
    pub to: Option<&'a str>,
    /// `entered`, `left`, `moved`, `appeared` or `disappeared`.
    pub change: &'static str,
}

/// Users by where they were and where they are.
type Moves<'a> = HashMap<(Option<&'a str>, Option<&'a str>), u64>;

/// Holds two outputs against each other; `row` hears each change, users in the first output's order and
/// then those of the second alone.
///
/// # Errors
/// Those of `row`.
pub fn compare<'a, E>(
    before: &'a Snapshot,
    after: &'a Snapshot,
    row: &mut dyn FnMut(Row<'a>) -> Result<(), E>,
) -> Result<Changes, E> {
    let mut changes = Changes { version: 1, ..Changes::default() };
    let shared: Vec<(&'a str, &'a Codes, &'a Codes)> = before
        .names
        .iter()
        .filter_map(|(name, then)| Some((name.as_str(), then, after.names.get(name)?)))
        .collect();
    let lacking = |one: &Snapshot, other: &Snapshot| -> Vec<String> {
        one.names.keys().filter(|name| !other.names.contains_key(*name)).cloned().collect()
    };
    changes.names_only_before = lacking(before, after);
    changes.names_only_after = lacking(after, before);
    let mut moves: Vec<Moves> = vec![HashMap::new(); shared.len()];
    for (name, then, now) in &shared {
        if then.segment && now.segment {
            changes.segments.insert((*name).to_owned(), SegmentChange::default());
        } else {
            changes.layers.insert((*name).to_owned(), LayerChange::default());
        }
    }
    let of_before =
        (0_u32..).zip(&before.order).map(|(then, key)| (key, Some(then), after.keys.get(key).copied()));
    let of_after = (0_u32..)
        .zip(&after.order)
        .filter(|(_, key)| !before.keys.contains_key(*key))
        .map(|(now, key)| (key, None, Some(now)));
    for (key, then, now) in of_before.chain(of_after) {
        match (then, now) {
            (Some(_), Some(_)) => changes.users.both += 1,
            (Some(_), None) => changes.users.only_before += 1,
            _ => changes.users.only_after += 1,
        }
        for ((name, codes_then, codes_now), moves) in shared.iter().zip(&mut moves) {
            let from = then.and_then(|user| codes_then.at(user));
            let to = now.and_then(|user| codes_now.at(user));
            let change = match changes.segments.get_mut(*name) {
                Some(segment) => segment.add(then.is_some(), now.is_some(), from == Some(IN), to == Some(IN)),
                None => {
                    let layer = changes.layers.entry((*name).to_owned()).or_default();
                    if then.is_some() && now.is_some() {
                        *moves.entry((from, to)).or_default() += 1;
                    }
                    layer.add(then.is_some(), now.is_some(), from, to)
                }
            };
            if let Some(change) = change {
                row(Row { key, name, from, to, change })?;
            }
        }
    }
    for ((name, ..), moves) in shared.iter().zip(moves) {
        if let Some(layer) = changes.layers.get_mut(*name) {
            layer.tell(moves);
        }
    }
    Ok(changes)
}

impl SegmentChange {
    fn add(&mut self, there_then: bool, there_now: bool, then: bool, now: bool) -> Option<&'static str> {
        let (count, change) = match (there_then, there_now, then, now) {
            (true, true, true, true) => (&mut self.stayed, None),
            (true, true, false, true) => (&mut self.entered, Some("entered")),
            (true, true, true, false) => (&mut self.left, Some("left")),
            (false, _, _, true) => (&mut self.appeared, Some("appeared")),
            (_, false, true, _) => (&mut self.disappeared, Some("disappeared")),
            _ => return None,
        };
        *count += 1;
        change
    }
}

impl LayerChange {
    fn add(
        &mut self,
        there_then: bool,
        there_now: bool,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Option<&'static str> {
        let (count, change) = match (there_then, there_now, from, to) {
            (true, true, from, to) if from == to => (&mut self.stayed, None),
            (true, true, None, Some(_)) => (&mut self.entered, Some("entered")),
            (true, true, Some(_), None) => (&mut self.left, Some("left")),
            (true, true, ..) => (&mut self.moved, Some("moved")),
            (false, _, _, Some(_)) => (&mut self.appeared, Some("appeared")),
            (_, false, Some(_), _) => (&mut self.disappeared, Some("disappeared")),
            _ => return None,
        };
        *count += 1;
        change
    }

    /// The matrix, in order of the members' names; where there are too many kinds the most common.
    fn tell(&mut self, moves: Moves) {
        let mut moves: Vec<Move> = moves
            .into_iter()
            .map(|((from, to), users)| Move {
                from: from.map(str::to_owned),
                to: to.map(str::to_owned),
                users,
            })
            .collect();
        if moves.len() > MOST_MOVES {
            moves.sort_by(|a, b| (b.users, &a.from, &a.to).cmp(&(a.users, &b.from, &b.to)));
            moves.truncate(MOST_MOVES);
            self.cut = true;
        } else {
            moves.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        }
        self.matrix = moves;
    }
}
