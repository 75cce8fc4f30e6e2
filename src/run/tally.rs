//! Counting who is where.

use super::select::Selection;
use crate::program::{DeclarationKind, Program};
use crate::vector::{Assignment, OutputColumn};
use arrow::array::Array;

/// Counts of one declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Index of the declaration.
    pub declaration: usize,
    /// For a segment one number, for a layer one a member.
    pub members: Vec<u64>,
    /// Users whom no member takes.
    pub none: u64,
    /// Users whom more than one member claims.
    pub claimed_by_many: u64,
}

/// Counts of a run, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Users.
    pub rows: u64,
    /// Segments, layers and grids in declaration order.
    pub counts: Vec<Count>,
}

impl Tally {
    /// Counts of nobody.
    pub fn new(program: &Program, selection: &Selection) -> Tally {
        let count = |index: &usize| {
            let members = match &program.declarations.get(*index)?.kind {
                DeclarationKind::Segment => 1,
                DeclarationKind::Layer(layer) => layer.members.len(),
                DeclarationKind::Trait | DeclarationKind::Scale(_) => return None,
            };
            Some(Count { declaration: *index, members: vec![0; members], ..Count::default() })
        };
        Tally { rows: 0, counts: selection.shown.iter().filter_map(count).collect() }
    }

    /// Counts a batch's users too.
    pub fn add(&mut self, assignment: &Assignment) {
        self.rows += assignment.rows as u64;
        for count in &mut self.counts {
            let Some(output) = assignment.outputs.iter().find(|o| o.declaration == count.declaration) else {
                continue;
            };
            match &output.column {
                OutputColumn::Segment(column) => {
                    if let Some(users) = count.members.first_mut() {
                        *users += column.true_count() as u64;
                    }
                }
                OutputColumn::Labels(column) => {
                    count.none += column.null_count() as u64;
                    for code in column.iter().flatten() {
                        if let Some(users) = count.members.get_mut(code as usize) {
                            *users += 1;
                        }
                    }
                }
                OutputColumn::Value(_) => {}
            }
            if let Some(many) = &output.claimed_by_many {
                count.claimed_by_many += many.true_count() as u64;
            }
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
        }
    }
}
