//! Counting who is where.

use super::scores::Score;
use super::select::Selection;
use crate::program::{DeclarationKind, Program};
use crate::vector::{Assignment, Counts, Output, OutputColumn, true_count};
use arrow::array::{Array, AsArray, DictionaryArray};
use arrow::datatypes::Int32Type;
use hashbrown::HashMap;

/// Counts of one declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Index of the declaration.
    pub declaration: usize,
    /// For a segment one number, for a layer or split one a member, for a play one a line.
    pub members: Vec<u64>,
    /// Users whom no member takes.
    pub none: u64,
    /// Users whom more than one member claims.
    pub claimed_by_many: u64,
    /// For a stack: users by path.
    pub paths: HashMap<String, u64>,
}

/// Counts of a run, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Users.
    pub rows: u64,
    /// All but traits and scales, in declaration order.
    pub counts: Vec<Count>,
    /// By guard: users for whom its condition holds.
    pub guards: Vec<u64>,
    /// By assertion that was left open: users for whom its condition holds.
    pub assertions: Vec<u64>,
    /// By level, of one score after the other: users who have it.
    pub levels: Vec<u64>,
}

impl Tally {
    /// Counts of nobody.
    pub fn new(program: &Program, selection: &Selection) -> Tally {
        let count = |index: &usize| {
            let members = match &program.declarations.get(*index)?.kind {
                DeclarationKind::Segment => 1,
                DeclarationKind::Layer(layer) => layer.members.len(),
                DeclarationKind::Split(split) => split.arms.len(),
                DeclarationKind::Play(play) => play.lines.len(),
                DeclarationKind::Stack(_) => 0,
                DeclarationKind::Trait | DeclarationKind::Scale(_) => return None,
            };
            Some(Count { declaration: *index, members: vec![0; members], ..Count::default() })
        };
        let counts = selection.shown.iter().filter_map(count).collect();
        Tally {
            rows: 0,
            counts,
            guards: vec![0; program.guards.len()],
            assertions: vec![0; super::undecided::conditions(program).len()],
            levels: Vec::new(),
        }
    }

    /// Counts the levels of these scores too.
    pub fn with_levels(mut self, scores: &[Score]) -> Tally {
        self.levels = vec![0; scores.iter().map(|score| score.levels.len()).sum()];
        self
    }

    /// Counts a batch's users too.
    pub fn add(&mut self, assignment: &Assignment) {
        self.rows += assignment.rows as u64;
        for count in &mut self.counts {
            if let Some(output) = assignment.output(count.declaration) {
                count.add(output);
            }
        }
        let counted = self.guards.iter_mut().chain(&mut self.assertions).chain(&mut self.levels);
        for (users, holds) in counted.zip(&assignment.conditions) {
            *users += true_count(holds);
        }
    }

    /// Counts users that were counted as they were evaluated.
    pub fn add_counts(&mut self, counted: &Counts) {
        self.rows += counted.rows;
        for count in &mut self.counts {
            let Some(found) = counted.of(count.declaration) else { continue };
            for (users, more) in count.members.iter_mut().zip(&found.members) {
                *users += more;
            }
            count.none += found.none;
            count.claimed_by_many += found.claimed_by_many;
        }
        let conditions = self.guards.iter_mut().chain(&mut self.assertions).chain(&mut self.levels);
        for (users, more) in conditions.zip(&counted.conditions) {
            *users += more;
        }
    }

    /// Takes in the counts of other users, by the same program and selection.
    pub fn merge(&mut self, other: &Tally) {
        self.rows += other.rows;
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            for (users, more) in count.members.iter_mut().zip(&more.members) {
                *users += more;
            }
            count.none += more.none;
            count.claimed_by_many += more.claimed_by_many;
            for (path, more) in &more.paths {
                count.more(path, *more);
            }
        }
        for (users, more) in self.guards.iter_mut().zip(&other.guards) {
            *users += more;
        }
        for (users, more) in self.assertions.iter_mut().zip(&other.assertions) {
            *users += more;
        }
        for (users, more) in self.levels.iter_mut().zip(&other.levels) {
            *users += more;
        }
    }
}

impl Count {
    fn add(&mut self, output: &Output) {
        match &output.column {
            OutputColumn::Segment(column) => {
                if let Some(users) = self.members.first_mut() {
                    *users += true_count(column);
                }
            }
            OutputColumn::Labels(column) => {
                self.none += column.null_count() as u64;
                self.add_codes(column.iter().flatten());
            }
            OutputColumn::Texts(column) => match &output.lines {
                Some(lines) => {
                    self.none += lines.null_count() as u64;
                    self.add_codes(lines.iter().flatten());
                }
                None => self.add_paths(column),
            },
            OutputColumn::Value(_) => {}
        }
        if let Some(many) = &output.claimed_by_many {
            self.claimed_by_many += true_count(many);
        }
    }

    fn add_codes(&mut self, codes: impl Iterator<Item = u32>) {
        for code in codes {
            if let Some(users) = self.members.get_mut(code as usize) {
                *users += 1;
            }
        }
    }

    fn add_paths(&mut self, column: &DictionaryArray<Int32Type>) {
        self.none += column.null_count() as u64;
        let mut users = vec![0_u64; column.values().len()];
        for code in column.keys().iter().flatten() {
            if let Some(users) = usize::try_from(code).ok().and_then(|code| users.get_mut(code)) {
                *users += 1;
            }
        }
        if let Some(paths) = column.values().as_string_opt::<i32>() {
            for (path, users) in paths.iter().zip(users).filter(|(_, users)| *users > 0) {
                self.more(path.unwrap_or_default(), users);
            }
        }
    }

    fn more(&mut self, path: &str, users: u64) {
        match self.paths.get_mut(path) {
            Some(known) => *known += users,
            None => {
                self.paths.insert(path.to_owned(), users);
            }
        }
    }
}
