//! What a run has to tell, as plain data. [`Summary`] serialises to the JSON that
//! `docs/src/schemas/run-summary.schema.json` describes.

use super::guards::GuardOutcome;
use super::moment::NowFrom;
use super::paths::{self, Fragments, SmallPath};
use super::pipeline::Times;
use super::tally::{Count, Tally};
use crate::data::BadValues;
use crate::program::{DeclarationKind, Layer, Program};
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
    /// Outcomes of guards.
    pub guards: Vec<GuardOutcome>,
    /// By guard: users for whom its condition holds.
    #[serde(skip)]
    pub guard_counts: Vec<u64>,
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
            guards: Vec::new(),
            guard_counts: Vec::new(),
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
