//! The walk over a part of a program where some nodes have a value already: the reference for an
//! example user whose aggregates, scores or population values are simply said.

use crate::program::{NodeId, Value};
use crate::semantics::{Dated, Environment, Facts, apply};
use hashbrown::HashMap;

/// The values of `nodes`, operands before their users. A node that is given has that value; a
/// column, aggregate, sequence or population value that is not given is missing.
pub fn evaluate_given(
    dated: &Dated,
    facts: &Facts,
    nodes: &[NodeId],
    given: &HashMap<NodeId, Value>,
) -> HashMap<NodeId, Value> {
    let environment = Environment { zone: dated.program.zone(), now: dated.now, facts };
    let mut values: HashMap<NodeId, Value> = HashMap::with_capacity(nodes.len());
    for id in nodes {
        let value = match given.get(id) {
            Some(value) => value.clone(),
            None => {
                let node = dated.program.node(*id);
                let operands: Vec<Value> = node
                    .expr
                    .operands()
                    .into_iter()
                    .map(|operand| values.get(&operand).cloned().unwrap_or(Value::Missing))
                    .collect();
                apply(node, &operands, &environment)
            }
        };
        values.insert(*id, value);
    }
    values
}
