//! Steps in order: the definition of `sequence`, tried start by start. The engine for millions of
//! users goes through the events once and is tested against it.

use super::calendar;
use crate::program::{Program, Sequence, Type, Value};

/// The times of a user's events that keep each pattern of a sequence, in the order of
/// [`Sequence::patterns`]. Events after `now` or without a time are not among them.
pub type Matches = Vec<Vec<i64>>;

/// Whether the times of a sequence are days (where all its tables have dates), else microseconds.
pub fn counts_days(sequence: &Sequence, program: &Program) -> bool {
    sequence.patterns().all(|pattern| {
        program.events.get(pattern.table).is_some_and(|events| {
            events.table.columns.get(events.at).is_some_and(|column| column.ty == Type::Date)
        })
    })
}

/// A time of an event, or `now`, as the sequence counts it; none where it is missing.
pub fn tick(at: &Value, days: bool, zone: &jiff::tz::TimeZone) -> Option<i64> {
    match (at, days) {
        (Value::Date(day), true) => Some(i64::from(*day)),
        (Value::Timestamp(micros), true) => calendar::local_date(zone, *micros).map(i64::from),
        (Value::Date(day), false) => calendar::first_moment(*day, zone),
        (Value::Timestamp(micros), false) => Some(*micros),
        _ => None,
    }
}

/// The longest time from the first step to the last, as the sequence counts it.
pub fn limit(sequence: &Sequence, days: bool) -> Option<i64> {
    let micros = sequence.within?.micros();
    Some(if days { micros / (24 * 60 * 60 * 1_000_000) } else { micros })
}

/// Whether the steps occur.
pub fn holds(sequence: &Sequence, matches: &Matches, limit: Option<i64>, now: i64) -> bool {
    let mut patterns = matches.iter();
    // By step: the times of its own events, and of those that may not lie before it.
    let mut steps: Vec<(&[i64], Vec<i64>)> = Vec::new();
    for step in &sequence.steps {
        let forbidden = patterns.by_ref().take(step.without.len()).flatten().copied().collect();
        steps.push((patterns.next().map_or(&[][..], Vec::as_slice), forbidden));
    }
    let absent = sequence.absent.as_ref().and(patterns.next());
    let Some(((first, _), rest)) = steps.split_first() else { return false };
    first.iter().any(|start| {
        let end = limit.map_or(i64::MAX, |limit| start.saturating_add(limit));
        let mut reached = vec![*start];
        for (own, forbidden) in rest {
            reached = own
                .iter()
                .copied()
                .filter(|at| *at <= end)
                .filter(|at| {
                    reached.iter().filter(|before| *before < at).max().is_some_and(|before| {
                        !forbidden.iter().any(|between| before < between && between < at)
                    })
                })
                .collect();
        }
        match absent {
            None => !reached.is_empty(),
            Some(absent) => {
                let passed = limit.is_none() || end <= now;
                passed && reached.iter().any(|last| !absent.iter().any(|at| last < at && *at <= end))
            }
        }
    })
}
