//! What two versions of the rules make of the same users: proved, with an example for each difference.
//!
//! Both are taken at one moment and brought into one graph (`union`); then
//! each pair of sets of one name is held against the other in both directions. The users are those whom
//! the new file's declarations allow.

mod columns;
mod compare;
mod human;
mod markdown;
pub mod moves;

pub use columns::{ColumnChange, Setting};
pub use human::human;
pub use markdown::markdown;

use super::declared::Kind;
use super::union::union;
use crate::diagnostic::Witness;
use crate::program::Program;
use crate::prove::{Budget, Prover};
use serde::Serialize;

/// How a set of users has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The same users, proved.
    Same,
    /// All who were in, and more.
    Wider,
    /// Fewer, and nobody else.
    Narrower,
    /// Some came, some went; of a layer: a member is not the same.
    Changed,
    /// Only in the new file.
    New,
    /// Only in the old file.
    Gone,
    /// It could not be told.
    Undecided,
}

impl Status {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Status::Same => "same",
            Status::Wider => "wider",
            Status::Narrower => "narrower",
            Status::Changed => "changed",
            Status::New => "new",
            Status::Gone => "gone",
            Status::Undecided => "undecided",
        }
    }
}

/// Users who are in one version only.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Difference {
    /// Some of them in words: everybody like the example. Empty for everybody.
    pub region: String,
    /// One of them, in words.
    pub sentence: String,
    /// One of them, by table and column.
    pub example: Witness,
}

/// A set of users, or a layer with its members.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Entry {
    /// What it is; a member has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Its name; of what is gone the old one.
    pub name: String,
    /// Its label for people.
    pub label: Option<String>,
    /// How it has changed.
    pub status: Status,
    /// Its name in the old file, where it is another one now: the users are the same.
    pub was: Option<String>,
    /// Users who are in now and were not.
    pub gained: Option<Difference>,
    /// Users who were in and are not now.
    pub lost: Option<Difference>,
    /// Why it could not be told.
    pub reason: Option<String>,
    /// The members of a scale, layer or grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Entry>>,
}

/// How many entries have a status: segments and members.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub same: usize,
    pub renamed: usize,
    pub wider: usize,
    pub narrower: usize,
    pub changed: usize,
    pub new: usize,
    pub gone: usize,
    pub undecided: usize,
}

/// All that is different.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Diff {
    /// Whether anything is other than the same: a column, a setting, a set, a name. What could not be
    /// decided counts.
    pub changed: bool,
    /// Settings that changed.
    pub settings: Vec<Setting>,
    /// Columns of tables that changed.
    pub columns: Vec<ColumnChange>,
    /// Segments, scales, layers and grids: in the new file's order, then what is gone.
    pub rules: Vec<Entry>,
    /// How many sets of users have which status.
    pub counts: Counts,
}

/// Compares two programs at a moment. `budget` is for all of it.
pub fn diff(old: &Program, new: &Program, now: i64, budget: Budget) -> Diff {
    let (old_dated, new_dated) = (old.at(now), new.at(now));
    let settings = columns::settings(old, new);
    let columns = columns::changes(&old_dated, &new_dated);
    let mut united = union(&old_dated, &new_dated);
    let pairs = compare::pairs(&old_dated.program, &new_dated.program, &mut united);
    let united = united.finish();
    let prover = Prover::with_budget(&united, budget);
    let rules = compare::Comparison::new(&prover).entries(pairs);
    let counts = counts(&rules);
    let all_same = rules.iter().all(is_same);
    let changed = !all_same || !settings.is_empty() || !columns.is_empty();
    Diff { changed, settings, columns, rules, counts }
}

fn is_same(entry: &Entry) -> bool {
    entry.status == Status::Same && entry.was.is_none() && entry.members.iter().flatten().all(is_same)
}

fn counts(rules: &[Entry]) -> Counts {
    let mut counts = Counts::default();
    let sets = rules.iter().flat_map(|rule| match &rule.members {
        Some(members) => members.iter().collect::<Vec<_>>(),
        None => vec![rule],
    });
    for set in sets {
        let place = match (set.status, &set.was) {
            (Status::Same, Some(_)) => &mut counts.renamed,
            (Status::Same, None) => &mut counts.same,
            (Status::Wider, _) => &mut counts.wider,
            (Status::Narrower, _) => &mut counts.narrower,
            (Status::Changed, _) => &mut counts.changed,
            (Status::New, _) => &mut counts.new,
            (Status::Gone, _) => &mut counts.gone,
            (Status::Undecided, _) => &mut counts.undecided,
        };
        *place += 1;
    }
    counts
}
