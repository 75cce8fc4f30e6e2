//! A program at a moment: every relative date has become a constant.

use super::{Environment, Facts, apply, calendar};
use crate::program::{Assertion, Builder, Expectation, Expr, Guard, Node, NodeId, Program, Test, Value};
use hashbrown::HashMap;

/// A program whose `now` is fixed: no node is `Now`, `Today` or a computation over constants only.
/// Made by [`Program::at`].
#[derive(Clone, Debug)]
pub struct Dated {
    /// The folded program. Node numbers differ from the original's.
    pub program: Program,
    /// The moment, in microseconds since 1970-01-01T00:00Z.
    pub now: i64,
}

impl Program {
    /// The zone of calendar time; UTC where the name is unknown (a checked program's is not).
    pub fn zone(&self) -> jiff::tz::TimeZone {
        calendar::zone(&self.timezone)
    }

    /// Whether any of these turns on `now`: through a relative date, or a column that is never later.
    pub fn depends_on_time(&self, roots: impl IntoIterator<Item = NodeId>) -> bool {
        let past = |column: usize| {
            let column = self.users.as_ref().and_then(|users| users.columns.get(column));
            column.and_then(|column| column.domain.as_ref()).is_some_and(|domain| domain.past)
        };
        let mut seen = hashbrown::HashSet::new();
        let mut open: Vec<NodeId> = roots.into_iter().collect();
        while let Some(id) = open.pop() {
            let expr = &self.node(id).expr;
            if matches!(expr, Expr::Now | Expr::Today) || matches!(expr, Expr::Column(at) if past(*at)) {
                return true;
            }
            if seen.insert(id) {
                open.extend(expr.operands());
            }
        }
        false
    }

    /// The program at a moment, in microseconds since 1970-01-01T00:00Z.
    pub fn at(&self, now: i64) -> Dated {
        self.at_with_numbers(now).0
    }

    /// The program at a moment, with the dated number of each of its nodes.
    pub fn at_with_numbers(&self, now: i64) -> (Dated, Vec<NodeId>) {
        let nothing = Facts::default();
        let environment = Environment { zone: self.zone(), now, facts: &nothing };
        let mut builder = Builder::new();
        let mut numbers: Vec<NodeId> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut node = node.clone();
            node.expr = node.expr.map_operands(|id| numbers.get(id.0 as usize).copied().unwrap_or(NodeId(0)));
            let constants: Option<Vec<Value>> = node
                .expr
                .operands()
                .into_iter()
                .map(|id| match builder.get(id).map(|operand| &operand.expr) {
                    Some(Expr::Constant(value)) => Some(value.clone()),
                    _ => None,
                })
                .collect();
            if let Some(constants) = constants.filter(|_| depends_on_operands_only(&node.expr)) {
                let value = apply(&node, &constants, &environment);
                node.optional = value.is_missing();
                node.expr = Expr::Constant(value);
            }
            numbers.push(builder.node(node.expr, node.ty, node.optional, node.place));
        }
        let renumber = |id: NodeId| numbers.get(id.0 as usize).copied().unwrap_or(NodeId(0));
        let declarations = self.declarations.iter().map(|of| of.renumbered(&renumber)).collect();
        let guards = self
            .guards
            .iter()
            .map(|guard| Guard { condition: renumber(guard.condition), ..guard.clone() })
            .collect();
        let expectation = |of: &Expectation| Expectation { condition: renumber(of.condition), ..of.clone() };
        let tests = self
            .tests
            .iter()
            .map(|test| Test {
                expectations: test.expectations.iter().map(expectation).collect(),
                ..test.clone()
            })
            .collect();
        let assertions = self
            .assertions
            .iter()
            .map(|assertion| Assertion { condition: renumber(assertion.condition), ..assertion.clone() })
            .collect();
        let undecided = self.undecided.at(now);
        let nodes = builder.finish();
        let program =
            Program { nodes, declarations, guards, tests, assertions, undecided, ..self.without_rules() };
        (Dated { program, now }, numbers)
    }
}

impl Dated {
    /// The same program once values of the population are known: they are constants, and so is
    /// what follows from them alone. Node numbers stay as they are.
    #[must_use]
    pub fn knowing(&self, values: &HashMap<NodeId, Value>) -> Dated {
        let nothing = Facts::default();
        let environment = Environment { zone: self.program.zone(), now: self.now, facts: &nothing };
        let mut dated = self.clone();
        for (at, id) in (0..dated.program.nodes.len()).zip(0..) {
            let constant = match values.get(&NodeId(id)) {
                Some(value) => Some(value.clone()),
                None => {
                    dated.program.nodes.get(at).and_then(|node| folded(node, &dated.program, &environment))
                }
            };
            if let (Some(value), Some(node)) = (constant, dated.program.nodes.get_mut(at)) {
                node.optional = value.is_missing();
                node.expr = Expr::Constant(value);
            }
        }
        dated
    }
}

/// The value of a node whose operands are constants.
fn folded(node: &Node, program: &Program, environment: &Environment<'_>) -> Option<Value> {
    let constant = |id: NodeId| match &program.node(id).expr {
        Expr::Constant(value) => Some(value.clone()),
        _ => None,
    };
    let operands: Option<Vec<Value>> = node.expr.operands().into_iter().map(constant).collect();
    let operands = operands.filter(|_| depends_on_operands_only(&node.expr))?;
    Some(apply(node, &operands, environment))
}

/// Whether a node is the same for every user and on every engine once its operands are known.
fn depends_on_operands_only(expr: &Expr) -> bool {
    !expr.closes_scope()
        && !matches!(
            expr,
            Expr::Column(_)
                | Expr::EventColumn { .. }
                | Expr::Constant(_)
                | Expr::Lookup { .. }
                | Expr::Workday(_)
        )
}
