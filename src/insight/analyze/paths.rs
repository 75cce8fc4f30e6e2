//! The paths of stacks that no user can have.

use super::super::declared::{self, MOST_PATHS, because};
use super::super::union::alone;
use crate::program::{DeclarationKind, NodeId};
use crate::prove::{Budget, Decision, Prover};
use crate::semantics::Dated;
use serde::Serialize;

/// A stack's paths.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Paths {
    /// The stack.
    pub stack: String,
    /// How many its text may have; none where there are too many to be looked at.
    pub all: Option<usize>,
    /// Those that no user can have, proved.
    pub impossible: Vec<String>,
    /// Those of which that could not be told.
    pub undecided: Vec<UndecidedPath>,
}

/// A path of which it could not be told whether any user can have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UndecidedPath {
    /// The path.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Looks at all paths of all stacks.
pub(super) fn paths(dated: &Dated, budget: Budget) -> Vec<Paths> {
    let mut graph = alone(dated);
    let mut stacks: Vec<(String, Option<Vec<Goal>>)> = Vec::new();
    for declaration in &dated.program.declarations {
        let DeclarationKind::Stack(stack) = &declaration.kind else { continue };
        let goals = declared::paths(&dated.program, stack).map(|paths| {
            paths
                .into_iter()
                .map(|path| Goal {
                    path: path.name,
                    goal: path
                        .steps
                        .iter()
                        .map(|step| step.goal(&mut graph, &|graph, id| graph.old(id)))
                        .collect(),
                })
                .collect()
        });
        stacks.push((declaration.heading.name.clone(), goals));
    }
    if stacks.is_empty() {
        return Vec::new();
    }
    let graph = graph.finish();
    let prover = Prover::with_budget(&graph, budget);
    stacks.into_iter().map(|(stack, goals)| look(&prover, stack, goals)).collect()
}

/// What a user on a path is like.
struct Goal {
    path: String,
    goal: Vec<(NodeId, bool)>,
}

fn look(prover: &Prover<'_>, stack: String, goals: Option<Vec<Goal>>) -> Paths {
    let all = goals.as_ref().map(Vec::len);
    let mut paths = Paths { stack, all, impossible: Vec::new(), undecided: Vec::new() };
    for Goal { path, goal } in goals.into_iter().flatten() {
        match prover.decide(&goal) {
            Decision::Somebody => {}
            Decision::Nobody => paths.impossible.push(path),
            Decision::Undecided(reason) => {
                paths.undecided.push(UndecidedPath { path, reason: because(reason).to_owned() });
            }
        }
    }
    paths
}

/// Says of a stack that it has too many paths.
pub(super) fn too_many(stack: &str) -> String {
    format!("stack {stack} has more than {MOST_PATHS} paths, which are not looked at one by one")
}
