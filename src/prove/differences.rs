//! Difference constraints: `x >= y + c` between lines, and between a line and zero. They can hold
//! together just where no chain of them leads from a line to more than itself (Bellman–Ford, longest
//! ways); the literals along such a chain are a clause that the solver did not know.

use super::group::Group;
use super::line::{Kind, LineId, Span};
use super::solver::Literal;
use hashbrown::HashMap;

/// `above >= below + by`; none stands for zero.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    pub above: Option<LineId>,
    pub below: Option<LineId>,
    pub by: i128,
    /// Literals that hold and from which it follows.
    pub reasons: Vec<Literal>,
}

/// Ends this far out are left away, so that no sum overflows.
const FAR: i128 = 10_i128.pow(36);

/// The constraints of lines that have to do with each other.
pub(super) struct System {
    constraints: Vec<Constraint>,
    places: HashMap<Option<LineId>, usize>,
    lines: Vec<LineId>,
}

impl Group<'_> {
    /// The constraints that hold with each value in its cell.
    pub(super) fn system(&self, cells: &[Span]) -> System {
        let mut constraints = Vec::new();
        let mut lines: Vec<LineId> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            if let Kind::Difference(a, b) = line.kind
                && let Some(span @ Span::Ranks(low, high)) = cells.get(at).copied()
            {
                lines.extend([a, b]);
                let [from, to] = line.ends(span);
                constraints.push(constraint(Some(a), Some(b), low, vec![from, line.known]));
                constraints.push(constraint(Some(b), Some(a), -high, vec![to, line.known]));
            }
        }
        for link in &self.links {
            let known = [self.line_known(link.above), self.line_known(link.below)];
            let missing = |line: LineId| matches!(cells.get(line), None | Some(Span::Missing));
            if !missing(link.above) && !missing(link.below) {
                lines.extend([link.above, link.below]);
                constraints.push(constraint(Some(link.above), Some(link.below), link.by, known.to_vec()));
            }
        }
        lines.sort_unstable();
        lines.dedup();
        for id in &lines {
            if let (Some(line), Some(span @ Span::Ranks(low, high))) =
                (self.lines.get(*id), cells.get(*id).copied())
            {
                let [from, to] = line.ends(span);
                constraints.push(constraint(Some(*id), None, low, vec![from, line.known]));
                constraints.push(constraint(None, Some(*id), -high, vec![to, line.known]));
            }
        }
        constraints.retain(|constraint| constraint.by.abs() < FAR);
        System::new(constraints, lines)
    }
}

fn constraint(
    above: Option<LineId>,
    below: Option<LineId>,
    by: i128,
    mut reasons: Vec<Literal>,
) -> Constraint {
    reasons.retain(|literal| *literal != Literal::TRUE);
    Constraint { above, below, by, reasons }
}

impl System {
    fn new(constraints: Vec<Constraint>, lines: Vec<LineId>) -> Self {
        let places = std::iter::once(None).chain(lines.iter().copied().map(Some));
        System { places: places.enumerate().map(|(at, line)| (line, at)).collect(), constraints, lines }
    }

    /// The lines that have to do with each other.
    pub fn lines(&self) -> &[LineId] {
        &self.lines
    }

    /// Literals that cannot all hold, where the constraints contradict each other.
    pub fn conflict(&self) -> Option<Vec<Literal>> {
        let (_, cycle) = self.longest(None);
        let mut reasons: Vec<Literal> = cycle?
            .into_iter()
            .flat_map(|at| self.constraints.get(at))
            .flat_map(|c| c.reasons.clone())
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        Some(reasons)
    }

    /// Least and greatest rank that a line may have; none where nothing bounds it.
    pub fn interval(&self, line: LineId) -> (Option<i128>, Option<i128>) {
        let from_zero = self.longest(Some(None)).0;
        let from_line = self.longest(Some(Some(line))).0;
        let at = |distances: &[Option<i128>], line: Option<LineId>| {
            self.places.get(&line).and_then(|at| distances.get(*at)).copied().flatten()
        };
        (at(&from_zero, Some(line)), at(&from_line, None).map(|distance| -distance))
    }

    /// Gives a line a rank.
    pub fn fix(&mut self, line: LineId, rank: i128) {
        self.constraints.push(constraint(Some(line), None, rank, Vec::new()));
        self.constraints.push(constraint(None, Some(line), -rank, Vec::new()));
    }

    /// Whether ranks keep all constraints between them; a line that has none is passed over.
    pub fn allows(&self, rank: impl Fn(LineId) -> Option<i128>) -> bool {
        let rank = |line: Option<LineId>| line.map_or(Some(0), &rank);
        self.constraints.iter().all(|constraint| match (rank(constraint.above), rank(constraint.below)) {
            (Some(above), Some(below)) => above >= below.saturating_add(constraint.by),
            _ => true,
        })
    }

    /// All literals that constraints follow from.
    pub fn reasons(&self) -> Vec<Literal> {
        self.constraints.iter().flat_map(|constraint| constraint.reasons.clone()).collect()
    }

    /// The longest ways from one place, or from all at once, and a circle that gains where there is one.
    fn longest(&self, start: Option<Option<LineId>>) -> (Vec<Option<i128>>, Option<Vec<usize>>) {
        let count = self.places.len();
        let mut distance: Vec<Option<i128>> = vec![start.is_none().then_some(0); count];
        if let Some(start) = start
            && let Some(first) = self.places.get(&start).and_then(|at| distance.get_mut(*at))
        {
            *first = Some(0);
        }
        let mut last: Vec<Option<usize>> = vec![None; count];
        let ends: Vec<(usize, usize)> = self
            .constraints
            .iter()
            .map(|constraint| {
                let place = |line| self.places.get(&line).copied().unwrap_or(0);
                (place(constraint.below), place(constraint.above))
            })
            .collect();
        let mut gaining = None;
        for _ in 0..=count {
            gaining = None;
            for (at, ((from, to), constraint)) in ends.iter().zip(&self.constraints).enumerate() {
                let Some(reached) = distance.get(*from).copied().flatten() else { continue };
                let longer = reached.saturating_add(constraint.by);
                if distance.get(*to).copied().flatten().is_none_or(|known| longer > known) {
                    if let (Some(distance), Some(last)) = (distance.get_mut(*to), last.get_mut(*to)) {
                        *distance = Some(longer);
                        *last = Some(at);
                    }
                    gaining = Some(*to);
                }
            }
            if gaining.is_none() {
                return (distance, None);
            }
        }
        let cycle = gaining.map(|start| {
            let before =
                |place: usize| last.get(place).copied().flatten().and_then(|at| Some((at, ends.get(at)?.0)));
            // So many steps back lead into the circle.
            let mut place = start;
            for _ in 0..count {
                place = before(place).map_or(place, |(_, from)| from);
            }
            let mut cycle = Vec::new();
            let mut at = place;
            while let Some((constraint, from)) = before(at) {
                cycle.push(constraint);
                at = from;
                if at == place || cycle.len() > count {
                    break;
                }
            }
            cycle
        });
        (distance, cycle)
    }
}
