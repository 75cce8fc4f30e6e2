//! The checked program is proved: what is found joins the other findings, what is left open goes into
//! the program for a run to see to.

use super::Options;
use crate::diagnostic::{Diagnostic, Sources};
use crate::program::written::Written;
use crate::program::{DeclarationKind, Program, Undecided};
use crate::prove::{Budget, findings};
use crate::semantics::calendar;
use std::time::Duration;

/// How much may be proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proofs {
    /// As much as a check takes.
    #[default]
    Generous,
    /// As much as can be done in so long.
    Within(Duration),
    /// Nothing.
    None,
}

/// Steps of the solver for one question, and time for all, of a check.
const STEPS: u64 = 1_000_000;
const TIME: Duration = Duration::from_secs(60);

/// Proves a program; what it finds.
pub(super) fn prove(
    program: &mut Program,
    written: &Written,
    sources: &Sources,
    options: &Options,
) -> Vec<Diagnostic> {
    let budget = match options.proofs {
        Proofs::None => return Vec::new(),
        Proofs::Generous => Budget::new(STEPS, TIME),
        Proofs::Within(time) => Budget::new(STEPS, time),
    };
    let now = program.now.unwrap_or_else(|| moment(program, options));
    let found = findings::find(program, now, written, sources, budget);
    let dated = |at: &usize| {
        let layer = program.declarations.get(*at).map(|declaration| &declaration.kind);
        matches!(layer, Some(DeclarationKind::Layer(layer))
            if program.depends_on_time(layer.lines.iter().filter_map(|line| line.condition)))
    };
    let dated_assertion = |at: &usize| {
        program.assertions.get(*at).is_some_and(|assertion| program.depends_on_time([assertion.condition]))
    };
    program.undecided = Undecided {
        now: Some(now),
        overlaps: found.open_overlaps,
        gaps: found.open_gaps,
        assertions: found.open_assertions,
        overlaps_at_other_times: found.proved_overlaps.into_iter().filter(dated).collect(),
        gaps_at_other_times: found.proved_gaps.into_iter().filter(dated).collect(),
        assertions_at_other_times: found.proved_assertions.into_iter().filter(dated_assertion).collect(),
    };
    found.diagnostics
}

/// The moment that proofs are about where the file fixes none: the first of the given day, or of
/// today, so that a day's checks all say the same.
fn moment(program: &Program, options: &Options) -> i64 {
    let zone = program.zone();
    let clock = jiff::Timestamp::now();
    let day = options.today.unwrap_or_else(|| zone.to_datetime(clock).date());
    calendar::moment(&zone, day.at(0, 0, 0, 0)).unwrap_or_else(|| clock.as_microsecond())
}
