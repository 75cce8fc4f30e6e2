//! The moves of one rule: each user's place then and now, by kind of move.

use super::super::super::declared::Kind;
use super::super::{Entry, Status};
use crate::data::facts::value_at;
use crate::program::Value;
use crate::semantics::{compare, wording};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use hashbrown::HashMap;
use indexmap::IndexMap;
use serde::Serialize;
use std::cmp::Ordering;

/// What stands for being in a segment.
const IN: &str = "in";
/// Kinds of moves of one rule that are told apart; a text that greets everybody by name has many.
const MOST_KINDS: usize = 10_000;
/// Kinds of moves of one rule that are told.
const MOST_TOLD: usize = 1_000;
/// Keys of users that are told of a kind of move.
const EXAMPLES: usize = 3;

/// How users move under one rule.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RuleMoves {
    /// What it is.
    pub kind: Option<Kind>,
    /// Its name; of what is gone the old one.
    pub name: String,
    /// Its name in the old file, where it is another one now.
    pub was: Option<String>,
    /// Users in it, or with a member, under the old rules; none where they do not have it.
    pub then: Option<u64>,
    /// The same under the new rules.
    pub now: Option<u64>,
    /// Users who are where they were.
    pub stayed: u64,
    /// Users who are in, or have a member, and did not.
    pub entered: u64,
    /// Users who were in, or had a member, and do not.
    pub left: u64,
    /// Users who have another member.
    pub moved: u64,
    /// From where to where, the most users first.
    pub moves: Vec<Move>,
    /// Users whose move is of none of these kinds, for there are too many of them.
    pub others: u64,
    /// Members that have but a new name; their users have stayed.
    pub renamed: Vec<Renamed>,
}

/// Users who went the same way.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Move {
    /// The member, path, text or arm then, by its new name; none where there was none.
    pub from: Option<String>,
    /// And now.
    pub to: Option<String>,
    /// How many.
    pub users: u64,
    /// The first of them, in order of their keys.
    pub examples: Vec<String>,
}

/// A member with a new name for the same users.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Renamed {
    /// Its old name.
    pub from: String,
    /// Its new name.
    pub to: String,
    /// Users who have it under both.
    pub users: u64,
}

type Place = Option<Box<str>>;

/// The counting of one rule.
pub(super) struct Watch {
    told: RuleMoves,
    /// The columns of both outputs.
    old: Option<usize>,
    new: Option<usize>,
    /// By a member's old name: its new one.
    new_names: HashMap<String, String>,
    kinds: IndexMap<(Place, Place), Users>,
}

#[derive(Default)]
struct Users {
    count: u64,
    /// The smallest keys, in order.
    first: Vec<Value>,
}

impl Users {
    fn add(&mut self, key: &ArrayRef, row: usize) {
        self.count += 1;
        let before = |a: &Value, b: &Value| compare::order(a, b) == Some(Ordering::Less);
        let key = value_at(key, row);
        if self.first.len() == EXAMPLES && self.first.last().is_some_and(|last| !before(&key, last)) {
            return;
        }
        let at = self.first.iter().position(|known| before(&key, known)).unwrap_or(self.first.len());
        self.first.insert(at, key);
        self.first.truncate(EXAMPLES);
    }
}

/// What has become of a user.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// In none of both.
    Nowhere,
    Stayed,
    Entered,
    Left,
    Moved,
}

/// What a pair of places is.
#[derive(Clone, Copy)]
struct Slot {
    turn: Turn,
    /// The kind of move, where it is one that is told apart; of a renamed member, who has stayed.
    kind: Option<usize>,
}

impl Watch {
    pub fn new(entry: &Entry) -> Watch {
        let has = |wanted: Status| (entry.status != wanted).then_some(0);
        // A text is what a user reads: other words are another text.
        let members = entry.members.iter().flatten().filter(|_| entry.kind != Some(Kind::Play));
        let renamed = members.filter_map(|member| Some((member.was.clone()?, member.name.clone())));
        Watch {
            told: RuleMoves {
                kind: entry.kind,
                name: entry.name.clone(),
                was: entry.was.clone(),
                then: has(Status::New),
                now: has(Status::Gone),
                stayed: 0,
                entered: 0,
                left: 0,
                moved: 0,
                moves: Vec::new(),
                others: 0,
                renamed: Vec::new(),
            },
            old: None,
            new: None,
            new_names: renamed.collect(),
            kinds: IndexMap::new(),
        }
    }

    /// Says in which column of an output the rule is.
    pub fn reads(&mut self, is_old: bool, column: Option<usize>) {
        *(if is_old { &mut self.old } else { &mut self.new }) = column;
    }

    /// Adds the same users under both.
    pub fn add(&mut self, old: &RecordBatch, new: &RecordBatch) {
        let (then, now) = (Places::in_column(old, self.old), Places::in_column(new, self.new));
        if let (Some(then), Some(now)) = (&then, &now) {
            self.hold(then, now, new);
        } else {
            for (places, count) in [(&then, &mut self.told.then), (&now, &mut self.told.now)] {
                if let (Some(places), Some(count)) = (places, count) {
                    *count += (0..new.num_rows()).filter(|row| places.code(*row).is_some()).count() as u64;
                }
            }
        }
    }

    fn hold(&mut self, then: &Places, now: &Places, batch: &RecordBatch) {
        let Some(keys) = batch.columns().first() else { return };
        // Few pairs of codes occur in a batch, so each is looked at as text once.
        let mut slots: HashMap<(Option<i32>, Option<i32>), Slot> = HashMap::new();
        for row in 0..batch.num_rows() {
            let pair = (then.code(row), now.code(row));
            let slot = match slots.get(&pair) {
                Some(slot) => *slot,
                None => {
                    let slot = self.slot(then.text(pair.0), now.text(pair.1));
                    slots.insert(pair, slot);
                    slot
                }
            };
            let count = match slot.turn {
                Turn::Nowhere => continue,
                Turn::Stayed => &mut self.told.stayed,
                Turn::Entered => &mut self.told.entered,
                Turn::Left => &mut self.told.left,
                Turn::Moved => &mut self.told.moved,
            };
            *count += 1;
            match slot.kind.and_then(|kind| self.kinds.get_index_mut(kind)) {
                Some((_, users)) => users.add(keys, row),
                None if slot.turn != Turn::Stayed => self.told.others += 1,
                None => {}
            }
        }
    }

    fn slot(&mut self, from: Option<&str>, to: Option<&str>) -> Slot {
        let renamed = from.and_then(|from| self.new_names.get(from)).cloned();
        let from_now = renamed.as_deref().or(from);
        let turn = match (from_now, to) {
            (None, None) => Turn::Nowhere,
            (from, to) if from == to => Turn::Stayed,
            (None, _) => Turn::Entered,
            (_, None) => Turn::Left,
            _ => Turn::Moved,
        };
        let kind = match (turn, &renamed) {
            (Turn::Nowhere, _) | (Turn::Stayed, None) => None,
            (Turn::Stayed, Some(_)) => self.kind(from, to),
            _ => self.kind(from_now, to),
        };
        Slot { turn, kind }
    }

    fn kind(&mut self, from: Option<&str>, to: Option<&str>) -> Option<usize> {
        let pair: (Place, Place) = (from.map(Into::into), to.map(Into::into));
        match self.kinds.get_index_of(&pair) {
            Some(known) => Some(known),
            None if self.kinds.len() < MOST_KINDS => Some(self.kinds.insert_full(pair, Users::default()).0),
            None => None,
        }
    }

    /// What is to be told.
    pub fn tell(self) -> RuleMoves {
        let mut told = self.told;
        let both = told.then.is_some() && told.now.is_some();
        if both {
            told.then = Some(told.stayed + told.left + told.moved);
            told.now = Some(told.stayed + told.entered + told.moved);
        }
        for ((from, to), users) in self.kinds {
            let (from, to) = (from.map(String::from), to.map(String::from));
            match (from, to) {
                (Some(from), Some(to)) if self.new_names.get(&from) == Some(&to) => {
                    told.renamed.push(Renamed { from, to, users: users.count });
                }
                (from, to) => told.moves.push(Move {
                    from,
                    to,
                    users: users.count,
                    examples: users.first.iter().filter_map(wording::key).collect(),
                }),
            }
        }
        told.moves.sort_by(|a, b| (b.users, &a.from, &a.to).cmp(&(a.users, &b.from, &b.to)));
        told.others += told.moves.iter().skip(MOST_TOLD).map(|of| of.users).sum::<u64>();
        told.moves.truncate(MOST_TOLD);
        told.renamed.sort_by(|a, b| (&a.to, &a.from).cmp(&(&b.to, &b.from)));
        told
    }
}

/// Where the users of a batch are.
enum Places<'a> {
    Segment(&'a BooleanArray),
    Texts(&'a Int32Array, &'a StringArray),
}

impl<'a> Places<'a> {
    fn in_column(batch: &'a RecordBatch, column: Option<usize>) -> Option<Places<'a>> {
        Places::of(batch.columns().get(column?)?)
    }

    fn of(column: &'a ArrayRef) -> Option<Places<'a>> {
        if let Some(segment) = column.as_boolean_opt() {
            return Some(Places::Segment(segment));
        }
        let texts = column.as_dictionary_opt::<Int32Type>()?;
        Some(Places::Texts(texts.keys(), texts.values().as_string_opt::<i32>()?))
    }

    /// A number for the user's place in this batch; none where there is none.
    fn code(&self, row: usize) -> Option<i32> {
        match self {
            Places::Segment(segment) => (segment.is_valid(row) && segment.value(row)).then_some(0),
            Places::Texts(codes, _) => codes.is_valid(row).then(|| codes.value(row)),
        }
    }

    fn text(&self, code: Option<i32>) -> Option<&str> {
        let code = usize::try_from(code?).ok()?;
        match self {
            Places::Segment(_) => Some(IN),
            Places::Texts(_, texts) => (code < texts.len()).then(|| texts.value(code)),
        }
    }
}
