//! Segments that are the same set (W1403).
//!
//! Equal sets have the same least user, whose attributes, in order, lie as low as they can, and the same
//! greatest. So only segments that agree in both are compared. Where attributes are calculated with, how low
//! one can lie is not told; such segments are compared with those that take the same ones of some example
//! users.

use super::super::group::Group;
use super::super::line::{Kind, Span as Stretch};
use super::super::solver::Literal;
use super::super::{Example, Possibility};
use super::Look;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::logic;
use crate::program::{Declaration, DeclarationKind, NodeId, Type};
use hashbrown::HashMap;

/// Where a set's least and greatest users lie: each attribute that is not at its very end.
type Ends = Vec<Vec<(Kind, i128)>>;

/// What is known of a segment before it is compared.
struct Known<'a> {
    declaration: &'a Declaration,
    ends: Ends,
    /// Whether attributes are calculated with.
    calculates: bool,
    /// Which of the example users it takes; none where that cannot be told.
    takes: Vec<Option<bool>>,
}

impl Known<'_> {
    /// Whether nothing tells the two apart yet.
    fn is_like(&self, other: &Known<'_>) -> bool {
        if !self.calculates && !other.calculates {
            return self.ends == other.ends;
        }
        self.takes.iter().zip(&other.takes).all(|pair| !matches!(pair, (Some(a), Some(b)) if a != b))
    }
}

/// So many segments that calculate give an example user who is in and one who is not.
const MOST_EXAMPLES: usize = 48;

/// A segment is compared with at most so many.
const MOST_COMPARED: usize = 64;

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
        let mut known: Vec<Known<'_>> = Vec::new();
        for segment in segments {
            if self.prover.budget.is_over() {
                return;
            }
            if let Some((ends, calculates)) = self.ends(segment.value) {
                known.push(Known { declaration: segment, ends, calculates, takes: Vec::new() });
            }
        }
        self.try_examples(&mut known);
        // By ends, and those that calculate: the places of the segments before.
        let mut by_ends: HashMap<&Ends, Vec<usize>> = HashMap::new();
        let mut calculating: Vec<usize> = Vec::new();
        for (at, segment) in known.iter().enumerate() {
            if self.prover.budget.is_over() {
                return;
            }
            let before: Vec<usize> = match segment.calculates {
                true => (0..at).collect(),
                false => {
                    by_ends.get(&segment.ends).into_iter().flatten().chain(&calculating).copied().collect()
                }
            };
            let like =
                before.iter().filter_map(|at| known.get(*at)).filter(|earlier| earlier.is_like(segment));
            let same = like
                .take(MOST_COMPARED)
                .find(|earlier| self.same(earlier.declaration.value, segment.declaration.value));
            if let Some(earlier) = same {
                let (earlier, heading) = (&earlier.declaration.heading, &segment.declaration.heading);
                let (a, b) = (&earlier.name, &heading.name);
                self.report(
                    Diagnostic::new(
                        logic::SAME_SEGMENTS,
                        heading.place,
                        format!("`{b}` is the same set of users as `{a}`"),
                    )
                    .label(earlier.place, format!("`{a}` is here"))
                    .help("keep one of them, or mend the one that was meant to differ"),
                );
            }
            match segment.calculates {
                true => calculating.push(at),
                false => by_ends.entry(&segment.ends).or_default().push(at),
            }
        }
    }

    /// Finds out which example users each segment takes, where some calculate.
    fn try_examples(&self, known: &mut [Known<'_>]) {
        let calculating = known.iter().filter(|segment| segment.calculates).take(MOST_EXAMPLES);
        let goals =
            calculating.flat_map(|segment| [true, false].map(|is_in| [(segment.declaration.value, is_in)]));
        let found = goals.filter_map(|goal| match self.prover.find(&goal) {
            Possibility::Somebody(example) => Some(example),
            _ => None,
        });
        let examples: Vec<Example> = found.collect();
        if examples.is_empty() {
            return;
        }
        let conditions: Vec<NodeId> = known.iter().map(|segment| segment.declaration.value).collect();
        let tester = self.prover.tester(&conditions);
        for example in &examples {
            for (segment, takes) in known.iter_mut().zip(tester.holds(example)) {
                segment.takes.push(takes);
            }
        }
    }

    /// The least and the greatest user of a segment, and whether attributes are calculated with; none where
    /// it has nobody, or it cannot be told.
    fn ends(&self, condition: NodeId) -> Option<(Ends, bool)> {
        let mut group = Group::new(&self.prover.world, &[condition]);
        let goal = [(condition, true)];
        if group.lines.len() > MOST_LINES || group.is_nobody(&goal, self.prover.budget) {
            return None;
        }
        let calculates =
            group.lines.iter().any(|line| matches!(line.kind, Kind::Difference(..) | Kind::Computed(_)));
        if calculates {
            return Some((Vec::new(), true));
        }
        // Texts are told apart by other constants in other groups: they do not say where the least user lies.
        let placed = |at: &usize| group.lines.get(*at).is_some_and(|line| line.ty != Type::Text);
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
        Some((found, false))
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
