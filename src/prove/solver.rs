//! The satisfiability solver behind a small trait of our own: literals, clauses, assumptions, a core.

use batsat::{Callbacks, Lit, Solver, SolverInterface, SolverOpts, lbool};
use std::cell::Cell;
use std::ops::Not;
use std::time::Instant;

/// A variable or its negation. [`Literal::TRUE`] holds in every model.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct Literal(u32);

impl Literal {
    pub const TRUE: Literal = Literal(0);
    pub const FALSE: Literal = Literal(1);

    /// The literal that always has this value.
    pub fn constant(value: bool) -> Literal {
        if value { Literal::TRUE } else { Literal::FALSE }
    }

    /// Its value, where it is a constant.
    pub fn known(self) -> Option<bool> {
        (self.0 < 2).then_some(self == Literal::TRUE)
    }

    fn variable(self) -> u32 {
        self.0 / 2
    }

    fn negative(self) -> bool {
        self.0 % 2 == 1
    }
}

impl Not for Literal {
    type Output = Literal;

    fn not(self) -> Literal {
        Literal(self.0 ^ 1)
    }
}

/// How much work a search may take: steps of the solver, and a moment at which it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    pub steps: u64,
    pub deadline: Option<Instant>,
}

/// What a search gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// There is a model.
    Satisfiable,
    /// There is none; [`Sat::core`] says which assumptions are to blame.
    Unsatisfiable,
    /// The effort did not suffice.
    GaveUp,
}

/// What the prover needs of a solver.
pub(super) trait Sat {
    /// A new variable.
    fn variable(&mut self) -> Literal;
    /// One of these holds, from now on.
    fn clause(&mut self, literals: &[Literal]);
    /// Looks for a model in which all assumptions hold.
    fn solve(&mut self, assumptions: &[Literal], effort: Effort) -> Outcome;
    /// A literal's value in the last model.
    fn value(&self, literal: Literal) -> bool;
    /// Assumptions of the last search that cannot hold together.
    fn core(&self) -> Vec<Literal>;
}

/// Counts the solver's steps and stops it.
#[derive(Default)]
struct Meter {
    steps: Cell<u64>,
    deadline: Option<Instant>,
}

/// So many steps between two looks at the clock.
const STEPS_A_LOOK: u64 = 256;

impl Callbacks for Meter {
    fn stop(&self) -> bool {
        let left = self.steps.get();
        let late = left.is_multiple_of(STEPS_A_LOOK)
            && self.deadline.is_some_and(|deadline| Instant::now() > deadline);
        if left == 0 || late {
            self.steps.set(0);
            return true;
        }
        self.steps.set(left - 1);
        false
    }
}

/// `batsat`.
pub(super) struct Batsat {
    solver: Solver<Meter>,
    core: Vec<Literal>,
}

impl Batsat {
    pub fn new() -> Self {
        let mut solver = Solver::new(SolverOpts::default(), Meter::default());
        let always = Lit::new(solver.new_var_default(), true);
        solver.add_clause_reuse(&mut vec![always]);
        Batsat { solver, core: Vec::new() }
    }

    fn translated(&mut self, literals: &[Literal]) -> Vec<Lit> {
        literals
            .iter()
            .map(|literal| Lit::new(self.solver.var_of_int(literal.variable()), !literal.negative()))
            .collect()
    }
}

impl Sat for Batsat {
    fn variable(&mut self) -> Literal {
        Literal(self.solver.new_var_default().idx() * 2)
    }

    fn clause(&mut self, literals: &[Literal]) {
        let mut literals = self.translated(literals);
        self.solver.add_clause_reuse(&mut literals);
    }

    fn solve(&mut self, assumptions: &[Literal], effort: Effort) -> Outcome {
        let assumptions = self.translated(assumptions);
        let meter = self.solver.cb_mut();
        meter.steps.set(effort.steps);
        meter.deadline = effort.deadline;
        if effort.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Outcome::GaveUp;
        }
        let result = self.solver.solve_limited(&assumptions);
        if result == lbool::TRUE {
            Outcome::Satisfiable
        } else if result == lbool::FALSE {
            // The solver's core holds the negations of the assumptions.
            self.core = self
                .solver
                .unsat_core()
                .iter()
                .map(|lit| Literal(lit.var().idx() * 2 + u32::from(lit.sign())))
                .collect();
            Outcome::Unsatisfiable
        } else {
            Outcome::GaveUp
        }
    }

    fn value(&self, literal: Literal) -> bool {
        if let Some(value) = literal.known() {
            return value;
        }
        let model = self.solver.get_model();
        let value = model.get(literal.variable() as usize).copied().unwrap_or(lbool::FALSE);
        (value == lbool::TRUE) != literal.negative()
    }

    fn core(&self) -> Vec<Literal> {
        self.core.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EFFORT: Effort = Effort { steps: 100_000, deadline: None };

    #[test]
    fn models_and_cores() {
        let mut solver = Batsat::new();
        let (a, b, c) = (solver.variable(), solver.variable(), solver.variable());
        solver.clause(&[!a, b]);
        assert_eq!(solver.solve(&[a, c], EFFORT), Outcome::Satisfiable);
        assert!(solver.value(a) && solver.value(b) && solver.value(!(!c)) && solver.value(Literal::TRUE));
        assert_eq!(solver.solve(&[c, a, !b], EFFORT), Outcome::Unsatisfiable);
        let mut core = solver.core();
        core.sort();
        assert_eq!(core, [a, !b]);
        assert_eq!(solver.solve(&[Literal::TRUE, !b], EFFORT), Outcome::Satisfiable);
        assert!(!solver.value(a) && !solver.value(Literal::FALSE));
        assert_eq!(solver.solve(&[a, !b], Effort { steps: 0, ..EFFORT }), Outcome::GaveUp);
    }
}
