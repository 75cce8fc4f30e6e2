//! Ordered lines of which the first that holds wins: a line that earlier ones shadow entirely (E0404).

use super::super::group::Group;
use super::super::search::Search;
use super::super::solver::Literal;
use super::super::{Prover, Reason};
use super::Look;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::logic;
use crate::program::{DeclarationKind, Line, NodeId};

/// A line that nobody comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// Its place among the lines.
    pub line: usize,
    /// The places of earlier lines that take all of its users.
    pub by: Vec<usize>,
}

impl Prover<'_> {
    /// The lines that earlier ones shadow entirely, of lines of which the first that holds wins; one
    /// without a condition takes everybody. `within` says whom the lines are for, where that is not
    /// everybody. A line that cannot hold at all is not among them. Beside them the lines of which it
    /// could not be told.
    pub fn shadowed(
        &self,
        lines: &[Option<NodeId>],
        within: Option<NodeId>,
    ) -> (Vec<Shadowed>, Vec<(usize, Reason)>) {
        let roots: Vec<NodeId> = lines.iter().copied().flatten().chain(within).collect();
        let mut group = Group::new(&self.world, &roots);
        let (mut found, mut open) = (Vec::new(), Vec::new());
        let mut goal: Vec<(NodeId, bool)> = within.map(|id| (id, true)).into_iter().collect();
        let mut literals: Vec<Literal> = group.literals_of(&goal);
        let mut earlier: Vec<(Literal, usize)> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let mut own_goal = goal.clone();
            let mut own = literals.clone();
            if let Some(id) = line {
                own_goal.push((*id, true));
                own.push(group.condition(*id));
            }
            match group.search_with(&own_goal, &own, self.budget) {
                Search::Nobody(core) => {
                    let alone: Vec<(NodeId, bool)> =
                        within.into_iter().chain(*line).map(|id| (id, true)).collect();
                    if !group.is_nobody(&alone, self.budget) {
                        let own = line.map(|id| group.condition(id));
                        let by = self.blamed(&mut group, core, own, &earlier);
                        found.push(Shadowed { line: at, by });
                    }
                }
                Search::Open(reason) => open.push((at, reason)),
                Search::Somebody(..) => {}
            }
            if let Some(id) = line {
                let literal = !group.condition(*id);
                goal.push((*id, false));
                literals.push(literal);
                earlier.push((literal, at));
            }
        }
        (found, open)
    }

    /// The earlier lines that leave nobody to a line: one that does so alone, else all that it takes.
    /// `earlier` has the literals that say that they do not hold.
    fn blamed(
        &self,
        group: &mut Group<'_>,
        core: Vec<Literal>,
        own: Option<Literal>,
        earlier: &[(Literal, usize)],
    ) -> Vec<usize> {
        // A line that holds just where an earlier one does not has the very literal that says that the
        // earlier one does not: that one takes nobody from it.
        let others: Vec<(Literal, usize)> =
            earlier.iter().copied().filter(|(literal, _)| Some(*literal) != own).collect();
        if let Some(own) = own
            && let Some((_, at)) =
                others.iter().find(|(not, _)| group.refuted(&[own, *not], self.budget).is_some())
        {
            return vec![*at];
        }
        let core = self.smaller(group, core);
        others.iter().filter(|(literal, _)| core.contains(literal)).map(|(_, at)| *at).collect()
    }

    /// A core without what it does not need.
    fn smaller(&self, group: &mut Group<'_>, core: Vec<Literal>) -> Vec<Literal> {
        let mut core = core;
        core.sort_unstable();
        for literal in core.clone() {
            let without: Vec<Literal> = core.iter().copied().filter(|other| *other != literal).collect();
            if let Some(smaller) = group.refuted(&without, self.budget) {
                core = smaller;
            }
        }
        core
    }
}

impl Look<'_> {
    /// Looks at every scale.
    pub(super) fn scales(&mut self) {
        let program = self.program();
        for declaration in &program.declarations {
            if let DeclarationKind::Scale(lines) = &declaration.kind {
                self.shadowed_lines(lines);
            }
        }
    }

    /// Reports the lines that earlier ones shadow.
    pub(super) fn shadowed_lines(&mut self, lines: &[Line]) {
        let conditions: Vec<Option<NodeId>> = lines.iter().map(|line| line.condition).collect();
        let (found, open) = self.prover.shadowed(&conditions, None);
        for shadowed in found {
            self.report_shadowed(lines, &shadowed);
        }
        for (at, reason) in open.into_iter().filter(|(_, reason)| *reason == Reason::Budget) {
            if let Some(line) = lines.get(at) {
                self.report(
                    Diagnostic::new(
                        logic::UNDECIDED,
                        line.place,
                        format!(
                            "it could not be decided whether anybody comes to this line: {}",
                            super::because(reason)
                        ),
                    )
                    .help("see whether earlier lines can be said more simply"),
                );
            }
        }
    }

    /// An `otherwise` to which nobody comes, in a layer whose members exclude each other.
    pub(super) fn idle_otherwise(&mut self, lines: &[Line]) {
        if lines.last().is_none_or(|line| line.condition.is_some()) {
            return;
        }
        let conditions: Vec<NodeId> = lines.iter().filter_map(|line| line.condition).collect();
        let goal: Vec<(NodeId, bool)> = conditions.iter().map(|id| (*id, false)).collect();
        let mut group = Group::new(&self.prover.world, &conditions);
        if let Search::Nobody(core) = group.search(&goal, self.prover.budget) {
            let core = self.prover.smaller(&mut group, core);
            let by = lines
                .iter()
                .enumerate()
                .filter(|(_, line)| line.condition.is_some_and(|id| core.contains(&!group.condition(id))))
                .map(|(at, _)| at)
                .collect();
            let shadowed = Shadowed { line: lines.len() - 1, by };
            self.report_shadowed(lines, &shadowed);
        }
    }

    fn report_shadowed(&mut self, lines: &[Line], shadowed: &Shadowed) {
        const MOST_SHOWN: usize = 6;
        let Some(line) = lines.get(shadowed.line) else { return };
        let otherwise = line.condition.is_none();
        let message = match (otherwise, shadowed.by.len()) {
            (true, _) => "nobody is left for `otherwise`: the lines above take everybody",
            (false, 1) => "nobody comes to this line: an earlier one takes all of its users",
            (false, _) => "nobody comes to this line: earlier ones take all of its users",
        };
        let place = line.condition.and_then(|id| self.condition_within(id, line.place)).unwrap_or(line.place);
        let mut finding = Diagnostic::new(logic::SHADOWED, place, message);
        for at in shadowed.by.iter().take(MOST_SHOWN) {
            if let Some(earlier) = lines.get(*at) {
                let place = earlier
                    .condition
                    .and_then(|id| self.condition_within(id, earlier.place))
                    .unwrap_or(earlier.place);
                finding = finding.label(
                    place,
                    if shadowed.by.len() == 1 {
                        "this line takes them"
                    } else {
                        "this line takes some of them"
                    },
                );
            }
        }
        self.report(finding.help(if otherwise {
            "leave it out, or make a line above narrower"
        } else {
            "move it up, make the earlier lines narrower, or leave it out"
        }));
    }
}
