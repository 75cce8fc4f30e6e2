//! A user's events in the walk: a node that speaks of an event has a value for each of the user's
//! rows of its table; an aggregate or a sequence makes one value of them.

use super::{Evaluation, UserRows};
use crate::program::{Aggregate, Edge, EventPattern, Expr, Node, NodeId, Program, Scope, Sequence, Value};
use crate::semantics::aggregate::{WindowValues, aggregate};
use crate::semantics::{Environment, apply, sequence};

pub(super) struct Walk<'a> {
    pub program: &'a Program,
    pub scopes: &'a [Scope],
    pub environment: &'a Environment<'a>,
    pub user: &'a UserRows,
    pub evaluation: Evaluation,
}

impl Walk<'_> {
    /// The value of the node that comes next; its operands have theirs. Of a node that speaks of an
    /// event the values are kept and it has none.
    pub fn node(&mut self, at: usize, node: &Node) -> Value {
        if let Some(Scope::Event(table)) = self.scopes.get(at).copied() {
            let values = (0..self.rows(table).len()).map(|row| self.of_event(node, table, row)).collect();
            if let Ok(id) = u32::try_from(at) {
                self.evaluation.events.insert(NodeId(id), values);
            }
            return Value::Missing;
        }
        match &node.expr {
            Expr::Column(index) => self.user.columns.get(*index).cloned().unwrap_or(Value::Missing),
            Expr::Aggregate(of) => self.aggregate(of, node),
            Expr::Sequence(of) => Value::Bool(self.sequence(of)),
            expr => {
                let operands: Vec<Value> =
                    expr.operands().into_iter().map(|id| self.evaluation.value(id).clone()).collect();
                apply(node, &operands, self.environment)
            }
        }
    }

    /// The user's rows of an event table.
    fn rows(&self, table: usize) -> &[Vec<Value>] {
        self.user.events.get(table).map_or(&[], Vec::as_slice)
    }

    /// A node's value for an event: of a node of the user's scope the user's.
    fn value(&self, id: NodeId, row: usize) -> &Value {
        match self.evaluation.events.get(&id) {
            Some(values) => values.get(row).unwrap_or(&Value::Missing),
            None => self.evaluation.value(id),
        }
    }

    fn of_event(&self, node: &Node, table: usize, row: usize) -> Value {
        match &node.expr {
            Expr::EventColumn { column, .. } => self.column(table, *column, row).clone(),
            expr => {
                let operands: Vec<Value> =
                    expr.operands().into_iter().map(|id| self.value(id, row).clone()).collect();
                apply(node, &operands, self.environment)
            }
        }
    }

    fn column(&self, table: usize, column: usize, row: usize) -> &Value {
        self.rows(table).get(row).and_then(|row| row.get(column)).unwrap_or(&Value::Missing)
    }

    /// When an event of a table happened.
    fn at(&self, table: usize, row: usize) -> &Value {
        self.program.events.get(table).map_or(&Value::Missing, |events| self.column(table, events.at, row))
    }

    fn aggregate(&self, of: &Aggregate, node: &Node) -> Value {
        let edge = |edge: Edge| (self.evaluation.value(edge.bound).clone(), edge.inclusive);
        let window = WindowValues {
            now: self.evaluation.value(of.window.now).clone(),
            low: of.window.low.map(edge),
            high: of.window.high.map(edge),
        };
        let events: Vec<(Value, Value)> = (0..self.rows(of.table).len())
            .filter(|row| window.contains(self.at(of.table, *row)))
            .filter(|row| of.filter.is_none_or(|filter| self.value(filter, *row).is_true()))
            .map(|row| {
                let value = of.value.map_or(Value::Bool(true), |value| self.value(value, row).clone());
                (self.at(of.table, row).clone(), value)
            })
            .collect();
        aggregate(of.function, &node.ty, &events)
    }

    fn sequence(&self, of: &Sequence) -> bool {
        let days = sequence::counts_days(of, self.program);
        let tick = |at: &Value| sequence::tick(at, days, &self.environment.zone);
        let Some(now) = tick(self.evaluation.value(of.now)) else { return false };
        let times = |pattern: &EventPattern| -> Vec<i64> {
            (0..self.rows(pattern.table).len())
                .filter(|row| pattern.filter.is_none_or(|filter| self.value(filter, *row).is_true()))
                .filter_map(|row| tick(self.at(pattern.table, row)))
                .filter(|at| *at <= now)
                .collect()
        };
        let matches = of.patterns().map(times).collect();
        sequence::holds(of, &matches, sequence::limit(of, days), now)
    }
}
