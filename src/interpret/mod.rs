//! The reference interpreter: one user, one walk over the program from front to back. Operands
//! stand before their users, so that each node finds their values ready; all values are kept, and
//! are the trace.

use crate::program::{Expr, NodeId, Value};
use crate::semantics::{Dated, Environment, Facts, apply};

/// The value of every node for one user.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// By node number.
    pub values: Vec<Value>,
}

impl Evaluation {
    /// The value of a node.
    pub fn value(&self, id: NodeId) -> &Value {
        self.values.get(id.0 as usize).unwrap_or(&Value::Missing)
    }
}

/// Evaluates one user, given as the value of each column of the user table. A value that is not
/// given is missing.
pub fn evaluate(dated: &Dated, facts: &Facts, row: &[Value]) -> Evaluation {
    let environment = Environment { zone: dated.program.zone(), now: dated.now, facts };
    let mut values: Vec<Value> = Vec::with_capacity(dated.program.nodes.len());
    for node in &dated.program.nodes {
        let value = match &node.expr {
            Expr::Column(index) => row.get(*index).cloned().unwrap_or(Value::Missing),
            expr => {
                let operands: Vec<Value> = expr
                    .operands()
                    .into_iter()
                    .map(|id| values.get(id.0 as usize).cloned().unwrap_or(Value::Missing))
                    .collect();
                apply(node, &operands, &environment)
            }
        };
        values.push(value);
    }
    Evaluation { values }
}
