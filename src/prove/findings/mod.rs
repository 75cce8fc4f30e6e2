//! What proofs have to say about a program: impossible and idle conditions, overlaps, gaps, shadowed
//! lines, equal segments, missing values that nobody thought of, assertions.

mod asserts;
mod conditions;
mod layers;
mod lines;
mod missing;
mod plays;
mod segments;

pub use lines::Shadowed;

use super::{Budget, Example, Prover, Reason};
use crate::diagnostic::codes::logic;
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::program::written::Written;
use crate::program::{Expr, NodeId, Program};

/// What was found, and what is left for a run to see.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// In no order.
    pub diagnostics: Vec<Diagnostic>,
    /// Indices in `Program::declarations` of layers and grids whose overlap was not decided.
    pub open_overlaps: Vec<usize>,
    /// Likewise whose gap was not.
    pub open_gaps: Vec<usize>,
    /// Indices in `Program::assertions` of those that were not decided.
    pub open_assertions: Vec<usize>,
    /// Indices of layers and grids whose members exclude each other.
    pub proved_overlaps: Vec<usize>,
    /// Likewise that leave nobody out.
    pub proved_gaps: Vec<usize>,
    /// Likewise of assertions that hold.
    pub proved_assertions: Vec<usize>,
}

/// What the findings about one program share.
struct Look<'a> {
    prover: Prover<'a>,
    sources: &'a Sources,
    /// By node of the program: its number in the dated program.
    numbers: &'a [NodeId],
    /// Where conditions stand, by dated node.
    written: Written,
    found: Findings,
    /// Whole conditions for which the time did not suffice.
    unlooked: Vec<Span>,
}

/// Proves everything that is to be proved about a program at a moment.
pub fn find(program: &Program, now: i64, written: &Written, sources: &Sources, budget: Budget) -> Findings {
    let (dated, numbers) = program.at_with_numbers(now);
    let number = |id: NodeId| numbers.get(id.0 as usize).copied().unwrap_or(id);
    let mut dated_written = written.clone();
    for root in &mut dated_written.roots {
        root.node = number(root.node);
    }
    // What only the clock decides is not the rule's fault.
    let constant = |program: &Program, id: NodeId| matches!(program.node(id).expr, Expr::Constant(_));
    let by_clock: hashbrown::HashSet<NodeId> = written
        .roots
        .iter()
        .filter(|root| !constant(program, root.node) && constant(&dated.program, number(root.node)))
        .map(|root| number(root.node))
        .collect();
    dated_written.roots.retain(|root| !by_clock.contains(&root.node));
    for part in &mut dated_written.parts {
        part.node = number(part.node);
    }
    dated_written.parts.sort_by_key(|part| (part.node, part.span));
    let mut look = Look {
        prover: Prover::with_budget(&dated, budget),
        sources,
        numbers: &numbers,
        written: dated_written,
        found: Findings::default(),
        unlooked: Vec::new(),
    };
    look.layers();
    look.scales();
    look.plays();
    look.assertions(program);
    look.conditions();
    look.segments();
    look.say_unlooked();
    // A standard file is meant for all kinds of arguments; what is idle with some is not with others.
    let mut found = look.found;
    found.diagnostics.retain(|found| {
        let standard = found
            .span
            .and_then(|span| sources.get(span.file))
            .is_some_and(|file| file.path.starts_with("std:"));
        !standard || found.code != logic::NEVER && !found.code.id().starts_with('W')
    });
    found
}

impl<'a> Look<'a> {
    fn program(&self) -> &'a Program {
        self.prover.program()
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.found.diagnostics.push(diagnostic);
    }

    /// A finding with an example user.
    fn with_example(&self, diagnostic: Diagnostic, example: &Example) -> Diagnostic {
        Diagnostic { witness: Some(example.witness(self.program())), ..diagnostic }
    }

    /// The text of a place.
    fn text(&self, span: Span) -> &'a str {
        self.sources.text(span)
    }

    /// Where a node is written within a stretch: the smallest such place that is no mere mention.
    fn place_within(&self, node: NodeId, stretch: Span) -> Option<crate::program::written::Part> {
        let from = self.written.parts.partition_point(|part| part.node < node);
        self.written
            .parts
            .iter()
            .skip(from)
            .take_while(|part| part.node == node)
            .filter(|part| contains(stretch, part.span))
            .min_by_key(|part| part.span.end - part.span.start)
            .copied()
    }

    /// The whole condition of that node that stands within a stretch.
    fn condition_within(&self, node: NodeId, stretch: Span) -> Option<Span> {
        self.written
            .roots
            .iter()
            .find(|root| root.node == node && contains(stretch, root.span))
            .map(|root| root.span)
    }

    /// Notes that time was up before a condition was looked at; all are said at once.
    fn say_unlooked(&mut self) {
        let Some(first) = self.unlooked.first().copied() else { return };
        let many = self.unlooked.len();
        let message = match many {
            1 => "time was up before it was decided whether this can ever be true".to_owned(),
            _ => format!(
                "time was up before it was decided whether this and {} other conditions can ever be true",
                many - 1
            ),
        };
        self.report(
            Diagnostic::new(logic::UNDECIDED, first, message)
                .help("give each layer fewer cross-cutting conditions, or divide the file"),
        );
    }
}

fn contains(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}

/// Why something was not decided, as the end of a sentence.
fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Budget => "the time did not suffice",
        Reason::Opaque => "it turns on a calculation that proofs do not see through",
        Reason::Facts => "it turns on a lookup or calendar, whose data are not here",
    }
}

/// " (age 18 to 24, channel missing)", or nothing for everybody.
fn whose(region: &str) -> String {
    if region.is_empty() { String::new() } else { format!(": {region}") }
}
