//! Looking for a user: the solver proposes cells, differences and computed values are held against
//! them, and what cannot be is learnt until a user is found who is real, or there is none.

use super::draft::Draft;
use super::group::Group;
use super::line::{Kind, Span};
use super::solver::{Effort, Literal, Outcome, Sat};
use crate::interpret::evaluate_given;
use crate::program::NodeId;
use std::time::Instant;

/// What a search gave.
pub(super) enum Search {
    /// No user is like that; of the goal's literals these suffice to rule it out.
    Nobody(Vec<Literal>),
    /// A user who is, re-evaluated by the reference interpreter.
    Somebody(Draft, Vec<Span>),
    /// It could not be told.
    Open(Reason),
}

/// Why something is undecided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The budget was used up.
    Budget,
    /// It turns on a calculation or test that proofs do not see through, and no example was found.
    Opaque,
    /// It turns on facts that are not here when rules are checked: a lookup or a calendar.
    Facts,
}

/// So many combinations of cells without a user are put aside before a search is given up.
const MOST_ASIDE: usize = 24;

/// So many times something is learnt in one search.
const MOST_LEARNT: usize = 20_000;

/// How much work proofs may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Steps of the solver that a single question may take.
    pub steps: u64,
    /// When to end in any case.
    pub deadline: Option<Instant>,
}

impl Budget {
    /// So many steps a question, and an end after so much time.
    pub fn new(steps: u64, time: std::time::Duration) -> Self {
        Budget { steps, deadline: Instant::now().checked_add(time) }
    }

    pub(super) fn effort(self) -> Effort {
        Effort { steps: self.steps, deadline: self.deadline }
    }

    /// Whether the time is up.
    pub(super) fn is_over(self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }
}

impl Group<'_> {
    /// The literals of a goal.
    pub(super) fn literals_of(&mut self, goal: &[(NodeId, bool)]) -> Vec<Literal> {
        goal.iter()
            .map(|(id, holds)| {
                let literal = self.condition(*id);
                if *holds { literal } else { !literal }
            })
            .collect()
    }

    /// Looks for a user for whom all of a goal is so.
    pub(super) fn search(&mut self, goal: &[(NodeId, bool)], budget: Budget) -> Search {
        let literals = self.literals_of(goal);
        self.search_with(goal, &literals, budget)
    }

    /// Likewise, with further literals beside the goal's.
    pub(super) fn search_with(
        &mut self,
        goal: &[(NodeId, bool)],
        literals: &[Literal],
        budget: Budget,
    ) -> Search {
        let mut assumptions = literals.to_vec();
        let mut aside: Option<Literal> = None;
        let mut put_aside = 0;
        for _ in 0..MOST_LEARNT {
            match self.gates.solver.solve(&assumptions, budget.effort()) {
                Outcome::GaveUp => return Search::Open(Reason::Budget),
                Outcome::Unsatisfiable => {
                    let core = self.gates.solver.core();
                    return match aside {
                        Some(aside) if core.contains(&aside) => Search::Open(Reason::Opaque),
                        _ => Search::Nobody(core),
                    };
                }
                Outcome::Satisfiable => {}
            }
            let cells = self.cells();
            if let Some(conflict) = self.conflict(&cells) {
                self.forbid(&conflict, None);
                continue;
            }
            let (draft, mismatch) = self.draft(&cells);
            let Some(mismatch) = mismatch else {
                return match self.holds(goal, &draft) {
                    true => Search::Somebody(draft, cells),
                    false => Search::Open(Reason::Opaque),
                };
            };
            // What is computed need not come out as the model has it, if the goal does.
            if !mismatch.impossible && self.keeps_differences(&draft) && self.holds(goal, &draft) {
                let cells = self.cells_of(&draft);
                return Search::Somebody(draft, cells);
            }
            if mismatch.impossible {
                self.forbid(&mismatch.literals, None);
                continue;
            }
            put_aside += 1;
            if put_aside > MOST_ASIDE || budget.is_over() {
                return Search::Open(Reason::Opaque);
            }
            let guard = *aside.get_or_insert_with(|| self.gates.solver.variable());
            if put_aside == 1 {
                assumptions.push(guard);
            }
            self.forbid(&mismatch.literals, Some(guard));
        }
        Search::Open(Reason::Budget)
    }

    /// Whether it is proved that no user is like that.
    pub(super) fn is_nobody(&mut self, goal: &[(NodeId, bool)], budget: Budget) -> bool {
        let literals = self.literals_of(goal);
        self.is_nobody_with(goal, &literals, budget)
    }

    /// Likewise, with further literals beside the goal's.
    pub(super) fn is_nobody_with(
        &mut self,
        goal: &[(NodeId, bool)],
        literals: &[Literal],
        budget: Budget,
    ) -> bool {
        if self.computes() {
            return matches!(self.search_with(goal, literals, budget), Search::Nobody(_));
        }
        self.refuted(literals, budget).is_some()
    }

    /// Whether anything is computed that cells do not follow.
    pub(super) fn computes(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.kind, Kind::Computed(_)))
    }

    /// Whether no user is like that, by cells and differences alone; with the literals to blame.
    pub(super) fn refuted(&mut self, assumptions: &[Literal], budget: Budget) -> Option<Vec<Literal>> {
        match self.settle(assumptions, budget) {
            Outcome::Unsatisfiable => Some(self.gates.solver.core()),
            Outcome::Satisfiable | Outcome::GaveUp => None,
        }
    }

    /// Looks for a model in which all differences can be kept.
    pub(super) fn settle(&mut self, assumptions: &[Literal], budget: Budget) -> Outcome {
        for _ in 0..MOST_LEARNT {
            let outcome = self.gates.solver.solve(assumptions, budget.effort());
            if outcome != Outcome::Satisfiable {
                return outcome;
            }
            let cells = self.cells();
            match self.conflict(&cells) {
                Some(conflict) => self.forbid(&conflict, None),
                None => return outcome,
            }
        }
        Outcome::GaveUp
    }

    fn cells(&self) -> Vec<Span> {
        let model = |literal: Literal| self.gates.solver.value(literal);
        self.lines.iter().map(|line| line.cell(&model)).collect()
    }

    fn conflict(&self, cells: &[Span]) -> Option<Vec<Literal>> {
        if !self.has_differences() {
            return None;
        }
        self.system(cells).conflict()
    }

    fn keeps_differences(&self, draft: &Draft) -> bool {
        let rank = |line: usize| draft.ranks.get(line).copied().flatten();
        self.links.iter().all(|link| match (rank(link.above), rank(link.below)) {
            (Some(above), Some(below)) => above >= below + link.by,
            _ => true,
        })
    }

    /// These never hold together, or not as long as the guard holds.
    fn forbid(&mut self, literals: &[Literal], guard: Option<Literal>) {
        let mut clause: Vec<Literal> = literals.iter().map(|literal| !*literal).collect();
        clause.extend(guard.map(|guard| !guard));
        self.always(&clause);
    }

    /// Whether a goal is so for a user, by the reference interpreter.
    pub(super) fn holds(&self, goal: &[(NodeId, bool)], draft: &Draft) -> bool {
        let roots: Vec<NodeId> = goal.iter().map(|(id, _)| *id).collect();
        let cone = self.world.cone(&roots);
        let values = evaluate_given(self.world.dated, &self.world.facts, &cone, &self.values(draft));
        goal.iter().all(|(id, holds)| values.get(id).is_some_and(|value| value.is_true()) == *holds)
    }
}
