//! Hash-consing: each distinct expression once, operands before their users.

use super::{Expr, Node, NodeId, Type};
use crate::diagnostic::Span;
use hashbrown::HashMap;

/// Collects the nodes of a program.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    nodes: Vec<Node>,
    known: HashMap<(Expr, Type), NodeId>,
}

impl Builder {
    /// No node yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on where that graph ends.
    pub fn of(nodes: Vec<Node>) -> Self {
        let mut known = HashMap::with_capacity(nodes.len());
        for (node, id) in nodes.iter().zip(0..) {
            known.entry((node.expr.clone(), node.ty.clone())).or_insert(NodeId(id));
        }
        Builder { nodes, known }
    }

    /// The node of this expression: the one there is, or a new one. The operands must come from
    /// this builder. `place` is kept for the first.
    pub fn node(&mut self, expr: Expr, ty: Type, optional: bool, place: Span) -> NodeId {
        let key = (expr, ty);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { expr: key.0.clone(), ty: key.1.clone(), optional, place });
        self.known.insert(key, id);
        id
    }

    /// The node of that number, where it is this builder's.
    pub fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All nodes in order.
    pub fn finish(self) -> Vec<Node> {
        self.nodes
    }
}
