//! Answers without an example to show: for those who ask about very many pairs of conditions.

use super::group::Group;
use super::search::Search;
use super::world::World;
use super::{Example, Possibility, Prover, Reason};
use crate::interpret::evaluate_given;
use crate::program::{Expr, NodeId, Value};
use hashbrown::HashSet;

/// Whether there is such a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// There is one.
    Somebody,
    /// There is none.
    Nobody,
    /// It could not be told.
    Undecided(Reason),
}

impl From<&Possibility> for Decision {
    fn from(answer: &Possibility) -> Self {
        match answer {
            Possibility::Somebody(_) => Decision::Somebody,
            Possibility::Nobody => Decision::Nobody,
            Possibility::Undecided(reason) => Decision::Undecided(*reason),
        }
    }
}

impl Prover<'_> {
    /// Whether some user has each of these conditions so (true) or not so (false).
    pub fn decide(&self, goal: &[(NodeId, bool)]) -> Decision {
        let roots: Vec<NodeId> = goal.iter().map(|(id, _)| *id).collect();
        let unsure = |id: &NodeId| self.world.is_unknowable(&self.world.program.node(*id).expr);
        // Whether facts that are not here matter is told by the explanation alone.
        if self.world.cone(&roots).iter().any(unsure) {
            return (&self.find(goal)).into();
        }
        match Group::new(&self.world, &roots).search(goal, self.budget) {
            Search::Nobody(_) => Decision::Nobody,
            Search::Somebody(..) => Decision::Somebody,
            Search::Open(reason) => Decision::Undecided(reason),
        }
    }

    /// Whether no question is worth asking any more: the time is up.
    pub fn is_over(&self) -> bool {
        self.budget.is_over()
    }

    /// What a condition is made of: columns, aggregates, sequences, scores, population values, lookups.
    pub fn inputs(&self, condition: NodeId) -> Vec<NodeId> {
        let is_input = |id: &NodeId| {
            let expr = &self.world.program.node(*id).expr;
            self.world.is_given(expr) || self.world.is_unknowable(expr)
        };
        self.world.cone(&[condition]).into_iter().filter(is_input).collect()
    }

    /// For asking about conditions of many users.
    pub fn tester(&self, conditions: &[NodeId]) -> Tester<'_> {
        let cone = self.world.cone(conditions);
        Tester { world: &self.world, cone, conditions: conditions.to_vec() }
    }
}

/// Conditions that are evaluated for one user after another by the reference interpreter.
#[derive(Debug)]
pub struct Tester<'p> {
    world: &'p World<'p>,
    cone: Vec<NodeId>,
    conditions: Vec<NodeId>,
}

impl Tester<'_> {
    /// Whether each condition holds for a user who has the example's columns and what else it says; none
    /// where a condition needs more than that.
    pub fn holds(&self, example: &Example) -> Vec<Option<bool>> {
        let program = self.world.program;
        let mut given = example.given.clone();
        let mut open: HashSet<NodeId> = HashSet::new();
        for id in &self.cone {
            match &program.node(*id).expr {
                Expr::Column(column) => {
                    let value = example.columns.get(*column).cloned().unwrap_or(Value::Missing);
                    given.entry(*id).or_insert(value);
                }
                expr if self.world.is_unknowable(expr) => {
                    open.insert(*id);
                }
                expr if self.world.is_given(expr) && !given.contains_key(id) => {
                    open.insert(*id);
                }
                expr if !open.is_empty() && expr.operands().iter().any(|operand| open.contains(operand)) => {
                    open.insert(*id);
                }
                _ => {}
            }
        }
        let values = evaluate_given(self.world.dated, &self.world.facts, &self.cone, &given);
        self.conditions
            .iter()
            .map(|id| (!open.contains(id)).then(|| values.get(id).is_some_and(Value::is_true)))
            .collect()
    }
}
