//! Segments that are the same set (W1403).
//!
//! Equal sets have the same least user, whose attributes, in order, lie as low as they can, and the same
//! greatest. So only segments that agree in both are compared.

use super::super::group::Group;
use super::super::line::{Kind, Span as Stretch};
use super::super::solver::Literal;
use super::Look;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::logic;
use crate::program::{Declaration, DeclarationKind, NodeId, Type};
use hashbrown::HashMap;

/// Where a set's least and greatest users lie: each attribute that is not at its very end.
type Ends = Vec<Vec<(Kind, i128)>>;

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
        let mut by_ends: HashMap<Ends, Vec<&Declaration>> = HashMap::new();
        for segment in segments {
            if self.prover.budget.is_over() {
                return;
            }
            let Some(ends) = self.ends(segment.value) else { continue };
            let known = by_ends.entry(ends).or_default();
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

    /// The least and the greatest user of a segment; none where it has nobody, or it cannot be told.
    fn ends(&self, condition: NodeId) -> Option<Ends> {
        let mut group = Group::new(&self.prover.world, &[condition]);
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
        let mut found = Vec::new();
        for highest in [false, true] {
            let mut ends = Vec::new();
            let mut fixed = vec![group.condition(condition)];
            for line in &order {
                let end = self.end(&mut group, &goal, *line, highest, &mut fixed)?;
                if let (Some(rank), Some(of)) = (end, group.lines.get(*line)) {
                    ends.push((of.kind.clone(), rank));
                }
            }
            found.push(ends);
        }
        Some(found)
    }

    /// Puts a line as low, or as high, as what is fixed allows: its rank there, or none where that is its
    /// very end.
    fn end(
        &self,
        group: &mut Group<'_>,
        goal: &[(NodeId, bool)],
        line: usize,
        highest: bool,
        fixed: &mut Vec<Literal>,
    ) -> Option<Option<i128>> {
        let of = group.lines.get(line)?;
        let (low, high, known) = (of.low, of.high, of.known);
        let mut starts: Vec<i128> = std::iter::once(low).chain(of.ranks()).collect();
        let ends: Vec<i128> = starts.iter().skip(1).map(|start| start - 1).chain([high]).collect();
        let mut cells: Vec<Stretch> =
            starts.drain(..).zip(ends).map(|(start, end)| Stretch::Ranks(start, end)).collect();
        if known != Literal::TRUE {
            cells.insert(0, Stretch::Missing);
        }
        if highest {
            cells.reverse();
        }
        for (at, cell) in cells.iter().enumerate() {
            let own = group.lines.get(line)?.ends(*cell);
            let wanted: Vec<Literal> = fixed.iter().copied().chain(own).collect();
            if !group.is_nobody_with(goal, &wanted, self.prover.budget) {
                fixed.extend(own);
                return Some(match cell {
                    _ if at == 0 => None,
                    Stretch::Ranks(start, _) if !highest => Some(*start),
                    Stretch::Ranks(_, end) => Some(*end),
                    Stretch::Missing => Some(i128::MIN),
                });
            }
        }
        None
    }
}
