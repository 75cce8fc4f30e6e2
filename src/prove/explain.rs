//! What it is about a user that brings something about: the stretches of attributes that suffice, as
//! few and as wide as can be. All users within them are like the one that was found, and the one to show is
//! chosen among them.

use super::draft::Draft;
use super::group::Group;
use super::line::{Kind, LineId, Span};
use super::search::{Budget, Search};
use super::solver::Literal;
use crate::program::NodeId;

/// A found user with what matters about them.
pub(super) struct Explained {
    pub draft: Draft,
    /// The lines that matter, with the stretch that each may have.
    pub region: Vec<(LineId, Span)>,
}

/// With more lines that may be missing than this, no other user is looked for of whom they are known.
const MOST_PREFERRED: usize = 24;

impl Group<'_> {
    /// Explains a found user: known values are preferred to missing ones.
    pub(super) fn explain(
        &mut self,
        goal: &[(NodeId, bool)],
        draft: Draft,
        cells: Vec<Span>,
        budget: Budget,
    ) -> Explained {
        let goal_literals = self.literals_of(goal);
        let mut best = (draft, cells);
        let mut settled: Vec<Literal> = Vec::new();
        for _ in 0..MOST_PREFERRED {
            let region = self.region(&goal_literals, &best.1, budget);
            let missing = region.iter().find_map(|(line, span)| {
                let of = self.lines.get(*line)?;
                // A calculation is missing where it leaves the range of numbers, which few think of.
                let preferred = matches!(of.kind, Kind::Given(_) | Kind::Computed(_))
                    && *span == Span::Missing
                    && !settled.contains(&!of.known);
                preferred.then_some(of.known)
            });
            let Some(known) = missing else { return self.shown(goal, best, region) };
            let wanted: Vec<Literal> = goal_literals.iter().chain(&settled).copied().chain([known]).collect();
            match self.search_with(goal, &wanted, budget) {
                Search::Somebody(draft, cells) => {
                    best = (draft, cells);
                    settled.push(known);
                }
                _ => settled.push(!known),
            }
        }
        let region = self.region(&goal_literals, &best.1, budget);
        self.shown(goal, best, region)
    }

    /// Chooses the user to show among those of a region.
    fn shown(
        &self,
        goal: &[(NodeId, bool)],
        best: (Draft, Vec<Span>),
        region: Vec<(LineId, Span)>,
    ) -> Explained {
        let (found, mut cells) = best;
        for (line, span) in &region {
            if let Some(cell) = cells.get_mut(*line) {
                *cell = *span;
            }
        }
        let (draft, mismatch) = self.draft(&cells);
        let draft = if mismatch.is_none() && self.holds(goal, &draft) { draft } else { found };
        Explained { draft, region }
    }

    /// The fewest and widest stretches around a user's cells within which the goal always holds.
    fn region(&mut self, goal: &[Literal], cells: &[Span], budget: Budget) -> Vec<(LineId, Span)> {
        let not_goal = !self.gates.and(goal.iter().copied());
        let mut spans: Vec<(LineId, Span)> = (0..).zip(cells.iter().copied()).collect();
        let all = self.bounds(&spans);
        let Some(core) = self.refuted(&with(not_goal, &all), budget) else { return spans };
        spans = self.widened(spans, |end| core.contains(&end));
        // Later attributes are left away first, so that an example speaks of those declared first.
        for at in (0..spans.len()).rev() {
            let kept = spans.get(at).copied();
            let without: Vec<(LineId, Span)> =
                spans.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, span)| *span).collect();
            if kept.is_some() && self.is_enough(not_goal, &without, budget) {
                spans = without;
            }
        }
        for at in 0..spans.len() {
            self.widen(not_goal, &mut spans, at, budget);
        }
        spans
    }

    /// Moves the ends of one stretch outward, cut by cut, as long as it suffices.
    fn widen(&mut self, not_goal: Literal, spans: &mut [(LineId, Span)], at: usize, budget: Budget) {
        let Some((line, Span::Ranks(low, high))) = spans.get(at).copied() else { return };
        let Some(of) = self.lines.get(line) else { return };
        let lower: Vec<i128> = of.ranks().rev().filter(|rank| *rank < low).chain([of.low]).collect();
        let higher: Vec<i128> =
            of.ranks().filter(|rank| *rank > high + 1).map(|rank| rank - 1).chain([of.high]).collect();
        let mut try_each = |ends: Vec<i128>, upward: bool| {
            for end in ends {
                let Some((_, span)) = spans.get(at).copied() else { return };
                let Span::Ranks(low, high) = span else { return };
                let wider =
                    if upward { Span::Ranks(low, end.max(high)) } else { Span::Ranks(end.min(low), high) };
                if wider == span {
                    continue;
                }
                let mut tried = spans.to_vec();
                if let Some(place) = tried.get_mut(at) {
                    place.1 = wider;
                }
                if !self.is_enough(not_goal, &tried, budget) {
                    return;
                }
                if let Some(place) = spans.get_mut(at) {
                    place.1 = wider;
                }
            }
        };
        // The far end first: it mostly is all or nothing.
        try_each(lower, false);
        try_each(higher, true);
    }

    /// Whether the goal holds for all users within stretches.
    fn is_enough(&mut self, not_goal: Literal, spans: &[(LineId, Span)], budget: Budget) -> bool {
        let bounds = self.bounds(spans);
        self.refuted(&with(not_goal, &bounds), budget).is_some()
    }

    fn bounds(&self, spans: &[(LineId, Span)]) -> Vec<Literal> {
        spans
            .iter()
            .filter_map(|(line, span)| Some(self.lines.get(*line)?.ends(*span)))
            .flatten()
            .filter(|end| *end != Literal::TRUE)
            .collect()
    }

    /// Each stretch without the ends that are not needed; none where neither is.
    fn widened(&self, spans: Vec<(LineId, Span)>, needed: impl Fn(Literal) -> bool) -> Vec<(LineId, Span)> {
        spans
            .into_iter()
            .filter_map(|(line, span)| {
                let of = self.lines.get(line)?;
                let [low_end, high_end] = of.ends(span);
                match span {
                    Span::Missing => needed(high_end).then_some((line, span)),
                    Span::Ranks(low, high) => {
                        let (keep_low, keep_high) = (needed(low_end), needed(high_end));
                        let wide = Span::Ranks(
                            if keep_low { low } else { of.low },
                            if keep_high { high } else { of.high },
                        );
                        (keep_low || keep_high).then_some((line, wide))
                    }
                }
            })
            .collect()
    }
}

fn with(first: Literal, rest: &[Literal]) -> Vec<Literal> {
    std::iter::once(first).chain(rest.iter().copied()).collect()
}
