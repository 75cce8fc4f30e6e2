//! The reference interpreter: one user, one walk over the program from front to back. Operands
//! stand before their users, so that each node finds their values ready; all values are kept, and
//! are the trace.

mod events;
mod given;

pub use given::evaluate_given;

use crate::program::{Expr, NodeId, Program, Scope, Value};
use crate::semantics::{Dated, Environment, Facts, population};
use hashbrown::HashMap;

/// What is known of one user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserRows {
    /// The value of each column of the user table. One that is not there is missing.
    pub columns: Vec<Value>,
    /// By event table: the user's rows, each with the value of each column.
    pub events: Vec<Vec<Vec<Value>>>,
}

/// The values of the program's population nodes; one that is not there is missing.
pub type PopulationValues = HashMap<NodeId, Value>;

/// The value of every node for one user.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// By node number; missing for a node that speaks of an event.
    pub values: Vec<Value>,
    /// For nodes that speak of an event: the value for each of the user's rows of its table.
    pub events: HashMap<NodeId, Vec<Value>>,
}

impl Evaluation {
    /// The value of a node.
    pub fn value(&self, id: NodeId) -> &Value {
        self.values.get(id.0 as usize).unwrap_or(&Value::Missing)
    }
}

/// Evaluates one user of a program without events, given as the value of each column of the user
/// table. A value that is not given is missing.
pub fn evaluate(dated: &Dated, facts: &Facts, row: &[Value]) -> Evaluation {
    let user = UserRows { columns: row.to_vec(), events: Vec::new() };
    evaluate_user(dated, facts, &PopulationValues::new(), &user)
}

/// Evaluates one user among a population that is known.
pub fn evaluate_user(
    dated: &Dated,
    facts: &Facts,
    population: &PopulationValues,
    user: &UserRows,
) -> Evaluation {
    Interpreter::new(dated, facts).user(population, user)
}

/// What is the same for every user.
struct Interpreter<'a> {
    program: &'a Program,
    scopes: Vec<Scope>,
    environment: Environment<'a>,
}

impl<'a> Interpreter<'a> {
    fn new(dated: &'a Dated, facts: &'a Facts) -> Self {
        let program = &dated.program;
        let environment = Environment { zone: program.zone(), now: dated.now, facts };
        Interpreter { program, scopes: program.scopes(), environment }
    }

    fn user(&self, population: &PopulationValues, user: &UserRows) -> Evaluation {
        let mut walk = events::Walk {
            program: self.program,
            scopes: &self.scopes,
            environment: &self.environment,
            user,
            evaluation: Evaluation { values: Vec::with_capacity(self.scopes.len()), events: HashMap::new() },
        };
        for (at, node) in self.program.nodes.iter().enumerate() {
            let value = match &node.expr {
                Expr::Population(_) => {
                    let id = u32::try_from(at).ok().and_then(|at| population.get(&NodeId(at)));
                    id.cloned().unwrap_or(Value::Missing)
                }
                _ => walk.node(at, node),
            };
            walk.evaluation.values.push(value);
        }
        walk.evaluation
    }
}

/// Evaluates users who are the whole population: first what all of them decide together, round by
/// round, then each.
pub fn evaluate_all(dated: &Dated, facts: &Facts, users: &[UserRows]) -> Vec<Evaluation> {
    let population = population_of(dated, facts, users);
    let interpreter = Interpreter::new(dated, facts);
    users.iter().map(|user| interpreter.user(&population, user)).collect()
}

/// The values of the population nodes where these users are the whole population.
pub fn population_of(dated: &Dated, facts: &Facts, users: &[UserRows]) -> PopulationValues {
    let program = &dated.program;
    let interpreter = Interpreter::new(dated, facts);
    let rounds = program.rounds();
    let mut known = PopulationValues::new();
    let waiting = |round: u32| {
        let numbered = (0_u32..).zip(&program.nodes).zip(&rounds);
        numbered.filter(move |(_, of)| **of == round).filter_map(|((id, node), _)| match &node.expr {
            Expr::Population(population) => Some((NodeId(id), node, *population)),
            _ => None,
        })
    };
    for round in 1..=rounds.iter().copied().max().unwrap_or(0) {
        if waiting(round).next().is_none() {
            continue;
        }
        let evaluations: Vec<Evaluation> = users.iter().map(|user| interpreter.user(&known, user)).collect();
        let found: Vec<(NodeId, Value)> = waiting(round)
            .map(|(id, node, of)| {
                let counts = |user: &&Evaluation| of.filter.is_none_or(|filter| user.value(filter).is_true());
                let values =
                    evaluations.iter().filter(counts).map(|user| user.value(of.value).clone()).collect();
                (id, population::statistic(&of, &node.ty, values))
            })
            .collect();
        known.extend(found);
    }
    known
}
