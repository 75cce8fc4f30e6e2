//! Segments that are the same set (W1403).
//!
//! Equal sets have the same least user: the one whose attributes, in order, lie as low as they can.
//! So only segments whose least users are the same are compared.

use super::super::group::Group;
use super::super::line::{Kind, Span as Stretch};
use super::super::solver::Literal;
use super::Look;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::logic;
use crate::program::{Declaration, DeclarationKind, NodeId, Type};
use hashbrown::HashMap;

/// Where a set's least user lies, by the node of each attribute that is not at its very lowest.
type Least = Vec<(Kind, i128)>;

/// With more attributes than this a segment is compared with none.
const MOST_LINES: usize = 200;

impl Look<'_> {
    /// Compares all segments.
    pub(super) fn segments(&mut self) {
        let program = self.program();
        let segments: Vec<&Declaration> = program
            .declarations
            .iter()
            .filter(|found| matches!(found.kind, DeclarationKind::Segment))
            .collect();
        let mut by_least: HashMap<Least, Vec<&Declaration>> = HashMap::new();
        for segment in segments {
            if self.prover.budget.is_over() {
                return;
            }
            let Some(least) = self.least(segment.value) else { continue };
            let known = by_least.entry(least).or_default();
            let same = known.iter().find(|earlier| self.same(earlier.value, segment.value)).copied();
            known.push(segment);
            if let Some(earlier) = same {
                let (a, b) = (&earlier.heading.name, &segment.heading.name);
                self.report(
                    Diagnostic::new(
                        logic::SAME_SEGMENTS,
                        segment.heading.place,
                        format!("`{b}` is the same set of users as `{a}`"),
                    )
                    .label(earlier.heading.place, format!("`{a}` is here"))
                    .help("keep one of them, or mend the one that was meant to differ"),
                );
            }
        }
    }

    /// The least user of a segment; none where it has nobody, everybody, or it cannot be told.
    fn least(&self, condition: NodeId) -> Option<Least> {
        let mut group = Group::new(&self.prover.world, &[condition]);
        let mut fixed = vec![group.condition(condition)];
        let goal = [(condition, true)];
        if group.lines.len() > MOST_LINES || group.is_nobody(&goal, self.prover.budget) {
            return None;
        }
        // Texts are told apart by other constants in other groups, and what is computed has no place
        // of its own: neither says where the least user lies.
        let placed = |at: &usize| {
            let line = group.lines.get(*at);
            line.is_some_and(|line| {
                line.ty != Type::Text && !matches!(line.kind, Kind::Difference(..) | Kind::Computed(_))
            })
        };
        let mut order: Vec<usize> = (0..group.lines.len()).filter(placed).collect();
        order.sort_by_key(|at| {
            group.lines.get(*at).map(|line| (line.kind.node(), format!("{:?}", line.kind)))
        });
        let mut least = Vec::new();
        for line in order {
            let place = self.lowest(&mut group, &goal, line, &mut fixed)?;
            if let (Some(rank), Some(of)) = (place, group.lines.get(line)) {
                least.push((of.kind.clone(), rank));
            }
        }
        Some(least)
    }

    /// Puts a line as low as what is fixed allows: its rank, or none where that is its very lowest.
    fn lowest(
        &self,
        group: &mut Group<'_>,
        goal: &[(NodeId, bool)],
        line: usize,
        fixed: &mut Vec<Literal>,
    ) -> Option<Option<i128>> {
        let cuts: Vec<(i128, Literal)> = {
            let of = group.lines.get(line)?;
            let known = (of.known != Literal::TRUE).then_some((of.low, of.known));
            let ranks: Vec<i128> = of.ranks().collect();
            let ends: Vec<(i128, Literal)> =
                ranks.into_iter().map(|rank| (rank, of.ends(Stretch::Ranks(rank, of.high))[0])).collect();
            known.into_iter().chain(ends).collect()
        };
        let mut lowest = None;
        for (rank, cut) in cuts {
            let wanted: Vec<Literal> = fixed.iter().copied().chain([!cut]).collect();
            if group.is_nobody_with(goal, &wanted, self.prover.budget) {
                lowest = Some(rank);
            } else {
                fixed.push(!cut);
                return Some(lowest);
            }
        }
        Some(lowest)
    }
}
