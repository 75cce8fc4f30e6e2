//! Whether a user's events have steps in order, in one pass over them. The definition is
//! [`crate::semantics::sequence`].
//!
//! Of all the ways to have come to a step only the latest start matters, for it leaves the most time
//! for the rest; an event that may not lie before the next step ends them all. Only where a last step
//! must not come do earlier starts matter too: their time is up earlier.

use super::part::{Bit, Part};
use super::schedule::SequenceWork;
use crate::program::Sequence;
use crate::semantics::sequence;
use arrow::array::{ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use std::collections::VecDeque;
use std::sync::Arc;

/// Patterns that a mask has room for.
const MOST_PATTERNS: usize = 64;

/// The events of one time: the time, and which patterns have an event then.
type Moment = (i64, u64);

/// The sequence's value for each user of the part. `parts` are those of the round's tables. `now` is
/// the moment of evaluation as the sequence counts time.
pub(super) fn sequence(work: &SequenceWork, parts: &[Part], users: usize, now: Option<i64>) -> ArrayRef {
    let limit = sequence::limit(&work.sequence, work.days);
    let (mut events, starts) = by_user(work, parts, users);
    let machine = Machine::new(&work.sequence, limit, now.unwrap_or(i64::MIN));
    let mut rest = events.as_mut_slice();
    let mut holds = Vec::with_capacity(users);
    for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
        let (own, others) = rest.split_at_mut_checked(end - start).unwrap_or_default();
        rest = others;
        if !own.is_sorted() {
            own.sort_unstable();
        }
        holds.push(now.is_some() && machine.holds(own));
    }
    Arc::new(BooleanArray::new(BooleanBuffer::from(holds), None))
}

/// What an event is for the sequence: its time, and the patterns that it keeps. Of more patterns than a
/// mask has room for there is an event for each.
type Found = (i64, u64);

/// Each user's events that keep a pattern, one user's behind the other's; and by user where they begin.
fn by_user(work: &SequenceWork, parts: &[Part], users: usize) -> (Vec<Found>, Vec<usize>) {
    let mut found: Vec<(u16, i64, u64)> = Vec::new();
    for (table, part) in parts.iter().enumerate() {
        let mut patterns =
            work.patterns.iter().zip(0_u64..).filter(|(pattern, _)| pattern.table == table).peekable();
        let Some(time) = patterns.peek().map(|(pattern, _)| pattern.time) else { continue };
        let bits: Vec<(Bit, u64)> =
            patterns.map(|(pattern, place)| (Bit::of(pattern.condition), place)).collect();
        if work.patterns.len() <= MOST_PATTERNS {
            let bits: Vec<(Bit, u64)> = bits.into_iter().map(|(bit, place)| (bit, 1 << place)).collect();
            part.matches(&bits, time, |user, at, mask| found.push((user, at, mask)));
        } else {
            for (bit, place) in bits {
                part.matches(&[(bit, 1)], time, |user, at, _| found.push((user, at, place)));
            }
        }
    }
    let mut starts = vec![0_usize; users + 1];
    for (user, ..) in &found {
        if let Some(count) = starts.get_mut(usize::from(*user) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut events = vec![(0, 0); found.len()];
    for (user, at, mask) in found {
        if let Some(next) = next.get_mut(usize::from(user)) {
            if let Some(place) = events.get_mut(*next) {
                *place = (at, mask);
            }
            *next += 1;
        }
    }
    (events, starts)
}

/// A sequence made ready.
struct Machine<'a> {
    sequence: &'a Sequence,
    /// By step: the pattern of its own event, and those that may not lie before it.
    steps: Vec<(u64, u64)>,
    absent: u64,
    limit: Option<i64>,
    now: i64,
    fits: bool,
}

impl Machine<'_> {
    fn new(sequence: &Sequence, limit: Option<i64>, now: i64) -> Machine<'_> {
        let count = sequence.patterns().count();
        let mut next = 0;
        let mut take = |patterns: usize| {
            let bits = (next..next + patterns).map(|place| 1_u64.checked_shl(place as u32).unwrap_or(0));
            next += patterns;
            bits.fold(0, |all, bit| all | bit)
        };
        let steps = sequence.steps.iter().map(|step| {
            let without = take(step.without.len());
            (take(1), without)
        });
        let steps = steps.collect();
        let absent = if sequence.absent.is_some() { take(1) } else { 0 };
        Machine { sequence, steps, absent, limit, now, fits: count <= MOST_PATTERNS }
    }

    /// Whether one user's events, ascending, have the steps.
    fn holds(&self, events: &[Found]) -> bool {
        if !self.fits {
            let mut matches = vec![Vec::new(); self.sequence.patterns().count()];
            for (at, pattern) in events {
                if let Some(times) =
                    usize::try_from(*pattern).ok().and_then(|pattern| matches.get_mut(pattern))
                {
                    times.push(*at);
                }
            }
            return sequence::holds(self.sequence, &matches, self.limit, self.now);
        }
        let moments = events
            .chunk_by(|(a, _), (b, _)| a == b)
            .filter_map(|group| Some((group.first()?.0, group.iter().fold(0, |all, (_, mask)| all | mask))));
        match self.limit {
            Some(limit) if self.absent != 0 => self.passes(moments, limit),
            _ => self.reaches(moments),
        }
    }

    /// Whether the last step is reached, and without a limit not followed by what must not come.
    fn reaches(&self, moments: impl Iterator<Item = Moment>) -> bool {
        let Some(last) = self.steps.len().checked_sub(1) else { return false };
        // By step that was reached: the latest start of a way to it.
        let mut latest: Vec<Option<i64>> = vec![None; last];
        let mut done = false;
        for (at, mask) in moments {
            let in_time = |start: &i64| self.limit.is_none_or(|limit| at <= start.saturating_add(limit));
            let mut complete = last == 0 && self.is_step(0, mask);
            for step in (1..=last).rev() {
                let before = latest.get(step - 1).copied().flatten();
                let start = before.filter(|start| self.is_step(step, mask) && in_time(start));
                if step == last {
                    complete = start.is_some();
                } else if let Some(state) = latest.get_mut(step) {
                    let kept = if self.ends(step, mask) { None } else { *state };
                    *state = kept.max(start);
                }
            }
            if let Some(state) = latest.first_mut() {
                let kept = if self.ends(0, mask) { None } else { *state };
                *state = if self.is_step(0, mask) { Some(at) } else { kept };
            }
            if complete && self.absent == 0 {
                return true;
            }
            done = complete || done && mask & self.absent == 0;
        }
        done
    }

    /// Whether some start's time passes without what must not come.
    fn passes(&self, moments: impl Iterator<Item = Moment>, limit: i64) -> bool {
        let Some(last) = self.steps.len().checked_sub(1) else { return false };
        let mut starts: Vec<i64> = Vec::new();
        // By step that was reached: the starts of ways to it.
        let mut reached: Vec<Starts> = vec![Starts::default(); last];
        // The earliest start that has come to the last step, with nothing in the way since.
        let mut done: Option<i64> = None;
        for (at, mask) in moments {
            if mask & self.absent != 0
                && let Some(start) = done.take()
                && start.saturating_add(limit) < at
            {
                return true;
            }
            if last == 0 && self.is_step(0, mask) {
                done = done.or(Some(at));
            }
            let from = starts.partition_point(|start| start.saturating_add(limit) < at);
            for step in (1..=last).rev() {
                let before = reached.get_mut(step - 1).map(|before| {
                    before.drop_until(from);
                    before.clone()
                });
                let before = before.filter(|_| self.is_step(step, mask)).unwrap_or_default();
                if step == last {
                    let first = before.first().and_then(|first| starts.get(first).copied());
                    done = done.map_or(first, |done| Some(first.map_or(done, |first| first.min(done))));
                } else if let Some(state) = reached.get_mut(step) {
                    if self.ends(step, mask) {
                        state.clear();
                    }
                    state.add(&before);
                }
            }
            if let Some(state) = reached.first_mut() {
                if self.ends(0, mask) {
                    state.clear();
                }
                if self.is_step(0, mask) {
                    state.push(starts.len());
                    starts.push(at);
                }
            }
        }
        done.is_some_and(|start| start.saturating_add(limit) <= self.now)
    }

    fn is_step(&self, step: usize, mask: u64) -> bool {
        self.steps.get(step).is_some_and(|(own, _)| mask & own != 0)
    }

    /// Whether an event ends all ways that have come to a step and no further.
    fn ends(&self, step: usize, mask: u64) -> bool {
        self.steps.get(step + 1).is_some_and(|(_, without)| mask & without != 0)
    }
}

/// Numbers of starts, as ranges in ascending order that do not touch.
#[derive(Clone, Debug, Default)]
struct Starts {
    ranges: VecDeque<(usize, usize)>,
}

impl Starts {
    fn clear(&mut self) {
        self.ranges.clear();
    }

    fn first(&self) -> Option<usize> {
        self.ranges.front().map(|(start, _)| *start)
    }

    /// Takes out those below.
    fn drop_until(&mut self, from: usize) {
        while let Some((start, end)) = self.ranges.front_mut() {
            if *end > from {
                *start = from.max(*start);
                return;
            }
            self.ranges.pop_front();
        }
    }

    /// Adds one above all that are in.
    fn push(&mut self, number: usize) {
        match self.ranges.back_mut() {
            Some((_, end)) if *end == number => *end += 1,
            _ => self.ranges.push_back((number, number + 1)),
        }
    }

    /// Adds all of another's.
    fn add(&mut self, other: &Starts) {
        if other.ranges.is_empty() {
            return;
        }
        let mut all: Vec<(usize, usize)> = self.ranges.iter().chain(&other.ranges).copied().collect();
        all.sort_unstable();
        self.ranges.clear();
        for (start, end) in all {
            match self.ranges.back_mut() {
                Some((_, last)) if *last >= start => *last = end.max(*last),
                _ => self.ranges.push_back((start, end)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{EventPattern, Limit, NodeId, SequenceStep, Unit};
    use proptest::prelude::*;

    fn made(without: &[usize], absent: bool, limit: Option<i64>) -> Sequence {
        let pattern = EventPattern { table: 0, filter: None };
        let steps =
            without.iter().map(|count| SequenceStep { pattern, without: vec![pattern; *count] }).collect();
        let within = limit.map(|amount| Limit { amount, unit: Unit::Days });
        Sequence { steps, absent: absent.then_some(pattern), within, now: NodeId(0) }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]
        #[test]
        fn one_pass_finds_what_the_definition_finds(
            without in prop::collection::vec(0_usize..3, 1..4),
            absent in any::<bool>(),
            limit in prop::option::of(0_i64..12),
            events in prop::collection::vec((0_i64..20, 0_usize..9), 0..16),
            later in 0_i64..12,
        ) {
            let sequence = made(&without, absent, limit);
            let now = 20 - later;
            let mut matches = vec![Vec::new(); sequence.patterns().count()];
            let mut found: Vec<Found> = Vec::new();
            for (at, pattern) in events.into_iter().filter(|(at, _)| *at <= now) {
                if let Some(times) = matches.get_mut(pattern) {
                    times.push(at);
                    found.push((at, 1 << pattern));
                }
            }
            found.sort_unstable();
            let expected = sequence::holds(&sequence, &matches, limit, now);
            prop_assert_eq!(Machine::new(&sequence, limit, now).holds(&found), expected);
        }
    }
}
