//! What tests have reached: members, lines, and both outcomes of each condition.

use super::rows::Rows;
use crate::interpret;
use crate::program::{Declaration, DeclarationKind, NodeId, Program, Slice, Type, Value};
use crate::semantics::Facts;
use serde::Serialize;

/// What a rule has of things to be reached.
#[derive(Clone, Debug, Default, PartialEq)]
struct Reached {
    /// By member or arm.
    members: Vec<bool>,
    /// By line: whether it was the one that decided.
    lines: Vec<bool>,
    /// By condition: seen to hold, seen not to.
    conditions: Vec<(bool, bool)>,
}

/// What the tests of a program have reached.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// By declaration.
    reached: Vec<Reached>,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// So many were reached.
    pub reached: usize,
    /// Of so many.
    pub of: usize,
}

impl Part {
    fn add(&mut self, reached: usize, of: usize) {
        self.reached += reached;
        self.of += of;
    }
}

/// What no test reached in one declaration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// Its name.
    pub name: String,
    /// Members that no test's user is in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Lines that decided no test, as their places in the block, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<usize>,
    /// Conditions of which one outcome was never seen: the line's place (0 for a segment) and the outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<(usize, bool)>,
}

/// Coverage in numbers, and what is missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Members and arms that a test's user is in.
    pub members: Part,
    /// Lines that decided a test.
    pub lines: Part,
    /// Outcomes of conditions, two each.
    pub outcomes: Part,
    /// Of all of them together, in percent.
    pub percent: f64,
    /// What no test reached.
    pub gaps: Vec<Gap>,
}

/// Members, lines and conditions of a declaration.
fn shape(declaration: &Declaration) -> (Vec<String>, usize, Vec<Option<NodeId>>) {
    let names = |headings: &[crate::program::Heading]| headings.iter().map(|it| it.name.clone()).collect();
    match &declaration.kind {
        DeclarationKind::Segment => (Vec::new(), 0, vec![Some(declaration.value)]),
        DeclarationKind::Scale(lines) => {
            (Vec::new(), lines.len(), lines.iter().map(|line| line.condition).collect())
        }
        DeclarationKind::Layer(layer) => {
            let conditions = layer.lines.iter().map(|line| line.condition).collect();
            (names(&layer.members), layer.lines.len(), conditions)
        }
        DeclarationKind::Split(split) => {
            (split.arms.iter().map(|arm| arm.heading.name.clone()).collect(), 0, Vec::new())
        }
        DeclarationKind::Play(play) => {
            let conditions = play.lines.iter().map(|line| Some(line.condition)).collect();
            (Vec::new(), play.lines.len(), conditions)
        }
        DeclarationKind::Trait | DeclarationKind::Stack(_) => (Vec::new(), 0, Vec::new()),
    }
}

impl Coverage {
    /// Nothing is reached yet.
    pub fn new(program: &Program) -> Self {
        let reached = program.declarations.iter().map(|declaration| {
            let (members, lines, conditions) = shape(declaration);
            Reached {
                members: vec![false; members.len()],
                lines: vec![false; lines],
                conditions: conditions.iter().map(|_| (false, false)).collect(),
            }
        });
        Coverage { reached: reached.collect() }
    }

    /// Adds what the expectations of one test rest on, for its first user.
    pub(super) fn add(&mut self, program: &Program, slice: &Slice, now: i64, facts: &Facts, rows: &Rows) {
        let number = |id| slice.number(id);
        let resting: Vec<(usize, Declaration)> = program
            .declarations
            .iter()
            .enumerate()
            .filter(|(_, declaration)| slice.numbers.contains_key(&declaration.value))
            .map(|(at, declaration)| (at, declaration.renumbered(&number)))
            .collect();
        let mut part = slice.program.clone();
        part.declarations = resting.iter().map(|(_, declaration)| declaration.clone()).collect();
        let dated = part.at(now);
        let evaluations = interpret::evaluate_all(&dated, facts, &rows.users);
        let Some(values) = evaluations.first() else { return };
        for ((at, _), declaration) in resting.iter().zip(&dated.program.declarations) {
            let Some(reached) = self.reached.get_mut(*at) else { continue };
            let (_, lines, conditions) = shape(declaration);
            let labelled = matches!(dated.program.node(declaration.value).ty, Type::Label(_));
            if let Value::Label(code) = values.value(declaration.value)
                && labelled
                && let Some(member) = reached.members.get_mut(*code as usize)
            {
                *member = true;
            }
            let mut decided = false;
            for (line, condition) in conditions.iter().enumerate() {
                let holds = condition.is_none_or(|id| values.value(id).is_true());
                if let Some(seen) = reached.conditions.get_mut(line)
                    && condition.is_some()
                {
                    seen.0 |= holds;
                    seen.1 |= !holds;
                }
                if holds && !decided && line < lines {
                    decided = true;
                    if let Some(line) = reached.lines.get_mut(line) {
                        *line = true;
                    }
                }
            }
        }
    }

    /// What was reached, in numbers.
    pub fn report(&self, program: &Program) -> Report {
        let (mut members, mut lines, mut outcomes) = (Part::default(), Part::default(), Part::default());
        let mut gaps = Vec::new();
        let count = |seen: &[bool]| seen.iter().filter(|seen| **seen).count();
        for (declaration, reached) in program.declarations.iter().zip(&self.reached) {
            let (names, _, conditions) = shape(declaration);
            members.add(count(&reached.members), reached.members.len());
            lines.add(count(&reached.lines), reached.lines.len());
            let mut gap = Gap {
                name: declaration.heading.name.clone(),
                members: Vec::new(),
                lines: Vec::new(),
                outcomes: Vec::new(),
            };
            let silent = names.iter().zip(&reached.members).filter(|(_, reached)| !**reached);
            gap.members.extend(silent.map(|(name, _)| name.clone()));
            gap.lines.extend((1..).zip(&reached.lines).filter(|(_, seen)| !**seen).map(|(line, _)| line));
            for (at, (condition, (yes, no))) in conditions.iter().zip(&reached.conditions).enumerate() {
                if condition.is_none() {
                    continue;
                }
                outcomes.add(usize::from(*yes) + usize::from(*no), 2);
                let line = if reached.lines.is_empty() { 0 } else { at + 1 };
                gap.outcomes.extend(
                    [(*yes, true), (*no, false)]
                        .into_iter()
                        .filter(|(seen, _)| !seen)
                        .map(|(_, outcome)| (line, outcome)),
                );
            }
            if !gap.members.is_empty() || !gap.lines.is_empty() || !gap.outcomes.is_empty() {
                gaps.push(gap);
            }
        }
        let (reached, of) = [members, lines, outcomes]
            .iter()
            .fold((0, 0), |sum, part| (sum.0 + part.reached, sum.1 + part.of));
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let percent = if of == 0 { 100.0 } else { (reached as f64 * 1000.0 / of as f64).round() / 10.0 };
        Report { members, lines, outcomes, percent, gaps }
    }
}
