//! What a run has to tell, as plain data. [`Summary`] serialises to the JSON that
//! `docs/src/schemas/run-summary.schema.json` describes.

use super::guards::GuardOutcome;
use super::moment::NowFrom;
use super::paths::{self, Fragments, SmallPath};
use super::pipeline::Times;
use super::scores::Score;
use super::tally::{Count, Tally};
use crate::data::BadValues;
use crate::diagnostic::{Diagnostic, codes::logic};
use crate::events::EventCounts;
use crate::program::{DeclarationKind, Heading, Layer, Program};
use indexmap::IndexMap;
use serde::Serialize;
use std::time::Duration;

/// The outcome of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Users read.
    pub rows: u64,
    /// The moment of the run, with the zone's offset.
    pub now: String,
    /// Who said so.
    pub now_from: NowFrom,
    /// The zone of calendar time.
    pub timezone: String,
    /// The checked program's hash.
    pub program: String,
    /// Strata's version.
    pub version: &'static str,
    /// By segment: how many users are in it.
    pub segments: IndexMap<String, u64>,
    /// By layer or grid, by member in the file's order: how many users it took. `""` counts those
    /// with none.
    pub layers: IndexMap<String, IndexMap<String, u64>>,
    /// By stack, by path and every beginning of one.
    pub stacks: IndexMap<String, IndexMap<String, u64>>,
    /// By split, by arm.
    pub splits: IndexMap<String, IndexMap<String, u64>>,
    /// By play, by text as written.
    pub plays: IndexMap<String, IndexMap<String, u64>>,
    /// By layer or grid whose members must exclude each other: users whom more than one claimed.
    pub overlaps: IndexMap<String, u64>,
    /// By layer or grid that must take everyone: users whom no member took.
    pub gaps: IndexMap<String, u64>,
    /// Values that broke their declaration, by column.
    pub bad_values: Vec<BadColumn>,
    /// By event table that was read: what became of its rows.
    pub events: Vec<EventRows>,
    /// By score against the population: users by level; `""` counts those without a score.
    pub scores: IndexMap<String, IndexMap<String, u64>>,
    /// What whoever wrote the rules should know.
    #[serde(skip)]
    pub warnings: Vec<Diagnostic>,
    /// Outcomes of guards.
    pub guards: Vec<GuardOutcome>,
    /// By guard: users for whom its condition holds.
    #[serde(skip)]
    pub guard_counts: Vec<u64>,
    /// What proofs had left open and turned out not to be as it has to be.
    #[serde(skip)]
    pub failures: Vec<Diagnostic>,
    /// Whole paths with fewer users than asked for; only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub small_paths: Option<Vec<SmallPath>>,
    /// By stack, how it falls apart; only on request.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub fragments: IndexMap<String, Fragments>,
    /// Where the assignments were written.
    pub output: Option<String>,
    /// Elapsed time.
    pub seconds: f64,
    /// Time that each stage was busy. Stages work at once, so the sum may exceed `seconds`.
    pub seconds_by_stage: Stages,
}

/// Busy seconds of each stage.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Stages {
    /// Reading, decoding, checking values and keys.
    pub read: f64,
    /// Evaluating and counting, over all threads.
    pub evaluate: f64,
    /// Encoding and writing.
    pub write: f64,
}

/// The rows of an event table. All but `skipped` of them are counted once among the five that follow.
#[derive(Clone, Debug, Serialize)]
pub struct EventRows {
    /// Table.
    pub table: String,
    /// Rows of the table.
    pub rows: u64,
    /// Rows that were not read, for they are too old for every rule.
    pub skipped: u64,
    /// Events of a user.
    pub used: u64,
    /// Events of a user later than `now`.
    pub later: u64,
    /// Rows whose key is no user's.
    pub orphans: u64,
    /// Rows without a key, or with a bad one.
    pub missing_key: u64,
    /// Rows with a key, but without a time, or with a bad one.
    pub missing_time: u64,
    /// Keys of the first orphans.
    pub orphan_examples: Vec<String>,
}

/// Bad values of one column.
#[derive(Clone, Debug, Serialize)]
pub struct BadColumn {
    /// Table.
    pub table: String,
    /// Column, as the rules name it.
    pub column: String,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<BadExample>,
}

/// One bad value.
#[derive(Clone, Debug, Serialize)]
pub struct BadExample {
    /// As the data have it; null where a required value is missing.
    pub value: Option<String>,
    /// Row in the file, from 1, a header line not counted.
    pub row: u64,
    /// The file.
    pub file: String,
}

/// The moment of a run.
pub(super) struct Moment {
    pub now: String,
    pub from: NowFrom,
}

/// Seconds to the millisecond.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

impl Summary {
    pub(super) fn new(program: &Program, moment: Moment, tally: &Tally, hash: String) -> Summary {
        let mut summary = Summary {
            rows: tally.rows,
            now: moment.now,
            now_from: moment.from,
            timezone: program.timezone.clone(),
            program: hash,
            version: env!("CARGO_PKG_VERSION"),
            segments: IndexMap::new(),
            layers: IndexMap::new(),
            stacks: IndexMap::new(),
            splits: IndexMap::new(),
            plays: IndexMap::new(),
            overlaps: IndexMap::new(),
            gaps: IndexMap::new(),
            bad_values: Vec::new(),
            events: Vec::new(),
            scores: IndexMap::new(),
            warnings: Vec::new(),
            guards: Vec::new(),
            guard_counts: Vec::new(),
            failures: Vec::new(),
            small_paths: None,
            fragments: IndexMap::new(),
            output: None,
            seconds: 0.0,
            seconds_by_stage: Stages { read: 0.0, evaluate: 0.0, write: 0.0 },
        };
        for count in &tally.counts {
            let Some(declaration) = program.declarations.get(count.declaration) else { continue };
            let name = declaration.heading.name.clone();
            let layer = match &declaration.kind {
                DeclarationKind::Layer(layer) => layer,
                DeclarationKind::Stack(stack) => {
                    summary.stacks.insert(name, paths::tree(program, stack, count));
                    continue;
                }
                DeclarationKind::Split(split) => {
                    let arms = split.arms.iter().map(|arm| arm.heading.name.as_str());
                    summary.splits.insert(name, by_name(arms, count));
                    continue;
                }
                DeclarationKind::Play(play) => {
                    let texts = play.lines.iter().map(|line| line.template.as_str());
                    summary.plays.insert(name, by_name(texts, count));
                    continue;
                }
                _ => {
                    summary.segments.insert(name, count.members.first().copied().unwrap_or_default());
                    continue;
                }
            };
            if !layer.first_match {
                summary.overlaps.insert(name.clone(), count.claimed_by_many);
            }
            if takes_everyone(layer) {
                summary.gaps.insert(name.clone(), count.none);
            }
            let members = layer.members.iter().map(|member| member.name.as_str());
            summary.layers.insert(name, by_name(members, count));
        }
        summary
    }

    /// Says which paths have fewer users than that.
    pub(super) fn tell_small_paths(&mut self, program: &Program, tally: &Tally, least: u64) {
        let mut small = Vec::new();
        for count in &tally.counts {
            let Some(declaration) = program.declarations.get(count.declaration) else { continue };
            if matches!(declaration.kind, DeclarationKind::Stack(_)) {
                let name = declaration.heading.name.clone();
                small.extend(paths::small(&name, count, least));
                self.fragments.insert(name, paths::fragments(count, least));
            }
        }
        self.small_paths = Some(small);
    }

    /// Says which values were bad.
    pub(super) fn with_bad_values<'a>(mut self, bad: impl IntoIterator<Item = &'a BadValues>) -> Summary {
        self.bad_values = bad
            .into_iter()
            .filter(|bad| bad.count > 0)
            .map(|bad| BadColumn {
                table: bad.table.clone(),
                column: bad.column.clone(),
                count: bad.count,
                examples: bad
                    .examples
                    .iter()
                    .map(|bad| BadExample { value: bad.value.clone(), row: bad.row, file: bad.file.clone() })
                    .collect(),
            })
            .collect();
        self
    }

    /// Says what became of events.
    pub(super) fn with_events(mut self, tables: Vec<EventCounts>) -> Summary {
        let rows = |counts: EventCounts| EventRows {
            table: counts.table,
            rows: counts.rows,
            skipped: counts.skipped,
            used: counts.used,
            later: counts.later,
            orphans: counts.orphans,
            missing_key: counts.missing_key,
            missing_time: counts.missing_time,
            orphan_examples: counts.orphan_examples,
        };
        self.events = tables.into_iter().map(rows).collect();
        self
    }

    /// Says who has which score, and which levels nobody has.
    pub(super) fn with_scores(mut self, program: &Program, scores: &[Score], tally: &Tally) -> Summary {
        let mut counts = tally.levels.iter().copied();
        for score in scores {
            let levels: Vec<u64> = counts.by_ref().take(score.levels.len()).collect();
            let Some(declaration) = program.declarations.get(score.declaration) else { continue };
            let scored: u64 = levels.iter().sum();
            if scored > 0 {
                self.warnings.extend(empty_levels(&declaration.heading, &levels));
            }
            let mut levels: IndexMap<String, u64> =
                (1..).zip(levels).map(|(level, users): (u64, u64)| (level.to_string(), users)).collect();
            levels.insert(String::new(), self.rows.saturating_sub(scored));
            self.scores.insert(declaration.heading.name.clone(), levels);
        }
        self
    }

    /// Says how long it took.
    pub(super) fn with_times(mut self, total: Duration, times: Times) -> Summary {
        self.seconds = seconds(total);
        self.seconds_by_stage = Stages {
            read: seconds(times.read),
            evaluate: seconds(times.evaluate),
            write: seconds(times.write),
        };
        self
    }

    /// The summary as JSON.
    ///
    /// # Errors
    /// None that data can bring about.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// Users by name, in that order; of a name that stands twice the sum. `""` counts the rest.
fn by_name<'n>(names: impl Iterator<Item = &'n str>, count: &Count) -> IndexMap<String, u64> {
    let mut counts: IndexMap<String, u64> = IndexMap::new();
    for (name, users) in names.zip(&count.members) {
        *counts.entry(name.to_owned()).or_default() += users;
    }
    *counts.entry(String::new()).or_default() += count.none;
    counts
}

/// Neither `partial` nor with `otherwise`: members should take every user.
fn takes_everyone(layer: &Layer) -> bool {
    !layer.partial && layer.lines.iter().all(|line| line.condition.is_some())
}

/// That some levels of a score are nobody's.
fn empty_levels(heading: &Heading, levels: &[u64]) -> Option<Diagnostic> {
    let empty: Vec<String> = (1..)
        .zip(levels)
        .filter(|(_, users)| **users == 0)
        .map(|(level, _): (u64, _)| format!("`{level}`"))
        .collect();
    let (last, others) = empty.split_last()?;
    let levels = match others {
        [] => format!("the level {last}"),
        _ => format!("the levels {} and {last}", others.join(", ")),
    };
    let message = format!("nobody has {levels} of the score `{}`", heading.name);
    let help = "many users have the same value, and equal values have equal scores; ask for fewer levels, or give cut \
                points: `score(… into (1, 2, 5))`";
    Some(Diagnostic::new(logic::EMPTY_SCORE_LEVEL, heading.place, message).help(help))
}
