//! What a node may come to where some columns are left open: whether what a test leaves out matters.
//!
//! Each node has the set of its possible values: one, a few, or any. Tests of a few values are made for
//! each of them, so that `channel in (…)` over an open `channel` is open only where its labels differ.

use super::rows::Rows;
use crate::interpret::Evaluation;
use crate::program::{Expr, NodeId, Program, Scope, Type, Value};
use crate::semantics::{Dated, Environment, Facts, apply};
use hashbrown::HashSet;

/// The most values that are told apart.
const MOST: usize = 32;

#[derive(Clone, Debug, PartialEq)]
enum Possible {
    /// One or a few.
    Few(Vec<Value>),
    /// Any of its type.
    Any,
}

impl Possible {
    fn one(value: Value) -> Self {
        Possible::Few(vec![value])
    }

    fn known(&self) -> Option<&Value> {
        match self {
            Possible::Few(values) if values.len() == 1 => values.first(),
            _ => None,
        }
    }

    fn may_be(&self, truth: bool) -> bool {
        match self {
            Possible::Few(values) => values.iter().any(|value| value.is_true() == truth),
            Possible::Any => true,
        }
    }

    fn of(values: impl IntoIterator<Item = Value>) -> Self {
        let mut few: Vec<Value> = Vec::new();
        for value in values {
            if !few.contains(&value) {
                few.push(value);
            }
            if few.len() > MOST {
                return Possible::Any;
            }
        }
        Possible::Few(few)
    }
}

/// The possible values of all nodes for the first user.
pub struct Possibilities<'a> {
    program: &'a Program,
    possible: Vec<Possible>,
    rows: &'a Rows,
    scopes: Vec<Scope>,
}

impl<'a> Possibilities<'a> {
    /// Those of a program's nodes.
    pub fn new(dated: &'a Dated, facts: &Facts, evaluation: &Evaluation, rows: &'a Rows) -> Self {
        let program = &dated.program;
        let environment = Environment { zone: program.zone(), now: dated.now, facts };
        let mut all = Possibilities {
            program,
            possible: Vec::with_capacity(program.nodes.len()),
            rows,
            scopes: program.scopes(),
        };
        let nothing_open = !rows.left_out.iter().flatten().any(|open| *open)
            && !rows.events_left_out.iter().flatten().any(|open| *open);
        for (at, node) in (0_u32..).zip(&program.nodes) {
            let found = evaluation.value(NodeId(at)).clone();
            let possible =
                if nothing_open { Possible::one(found) } else { all.node(at, node, found, &environment) };
            all.possible.push(possible);
        }
        all
    }

    fn get(&self, id: NodeId) -> &Possible {
        self.possible.get(id.0 as usize).unwrap_or(&Possible::Any)
    }

    fn node(
        &self,
        at: u32,
        node: &crate::program::Node,
        found: Value,
        environment: &Environment<'_>,
    ) -> Possible {
        if self.scopes.get(at as usize) != Some(&Scope::User) {
            return Possible::one(Value::Missing);
        }
        let operands = node.expr.operands();
        match &node.expr {
            Expr::Column(column) if self.is_open(*column) => self.any_of(&node.ty),
            Expr::Aggregate(_) | Expr::Sequence(_) | Expr::Population(_) => {
                if self.open_below(NodeId(at)).is_empty() { Possible::one(found) } else { any(&node.ty) }
            }
            Expr::And(parts) => {
                if parts.iter().any(|part| !self.get(*part).may_be(true)) {
                    return Possible::one(Value::Bool(false));
                }
                bools(true, parts.iter().any(|part| self.get(*part).may_be(false)))
            }
            Expr::Or(parts) => {
                if parts.iter().any(|part| !self.get(*part).may_be(false)) {
                    return Possible::one(Value::Bool(true));
                }
                bools(parts.iter().any(|part| self.get(*part).may_be(true)), true)
            }
            Expr::IsKnown(value) if !self.program.node(*value).optional => Possible::one(Value::Bool(true)),
            Expr::Case { arms, otherwise } => {
                let mut values = Vec::new();
                for (condition, value) in arms {
                    let condition = self.get(*condition);
                    if condition.may_be(true) {
                        match self.get(*value) {
                            Possible::Few(few) => values.extend(few.iter().cloned()),
                            Possible::Any => return Possible::Any,
                        }
                    }
                    if !condition.may_be(false) {
                        return Possible::of(values);
                    }
                }
                match otherwise.map(|value| self.get(value)) {
                    None => values.push(Value::Missing),
                    Some(Possible::Few(few)) => values.extend(few.iter().cloned()),
                    Some(Possible::Any) => return Possible::Any,
                }
                Possible::of(values)
            }
            Expr::Texts(arms) => {
                let settled = arms.iter().find(|arm| self.get(arm.condition).may_be(true));
                match settled {
                    None => Possible::one(Value::Missing),
                    Some(arm)
                        if !self.get(arm.condition).may_be(false)
                            && arm.values().all(|value| self.get(value).known().is_some()) =>
                    {
                        Possible::one(found)
                    }
                    Some(_) => Possible::Any,
                }
            }
            _ if operands.iter().all(|id| self.get(*id).known().is_some()) => Possible::one(found),
            _ => self.combined(node, &operands, environment),
        }
    }

    /// A node for each combination of its operands' values.
    fn combined(
        &self,
        node: &crate::program::Node,
        operands: &[NodeId],
        environment: &Environment<'_>,
    ) -> Possible {
        let mut combinations: Vec<Vec<Value>> = vec![Vec::new()];
        for id in operands {
            let Possible::Few(few) = self.get(*id) else { return any(&node.ty) };
            if combinations.len().saturating_mul(few.len()) > MOST * MOST {
                return any(&node.ty);
            }
            combinations = combinations
                .into_iter()
                .flat_map(|known| {
                    few.iter().map(move |value| known.iter().cloned().chain([value.clone()]).collect())
                })
                .collect();
        }
        let possible = Possible::of(combinations.iter().map(|values| apply(node, values, environment)));
        if possible == Possible::Any { any(&node.ty) } else { possible }
    }

    fn is_open(&self, column: usize) -> bool {
        self.rows.left_out.first().and_then(|open| open.get(column)) == Some(&true)
    }

    fn any_of(&self, ty: &Type) -> Possible {
        match ty {
            Type::Label(label) => {
                let labels = self.program.label_type(*label).map_or(0, |ty| ty.labels.len());
                Possible::of((0_u32..).take(labels).map(Value::Label))
            }
            ty => any(ty),
        }
    }

    /// The columns that were left out and decide about a node; none where it is settled.
    pub fn needs(&self, id: NodeId) -> Vec<String> {
        if self.get(id).known().is_some() {
            return Vec::new();
        }
        self.open_below(id)
    }

    /// The open columns below a node, in the tables' order; only where the way to them is open.
    fn open_below(&self, id: NodeId) -> Vec<String> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![(id, false)];
        while let Some((id, summed)) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = self.program.node(id);
            match &node.expr {
                Expr::Column(column) => {
                    // What is summed up over users is open where it is for any of them.
                    let for_any =
                        summed && self.rows.left_out.iter().any(|row| row.get(*column) == Some(&true));
                    if self.is_open(*column) || for_any {
                        found.push((0, *column));
                    }
                }
                Expr::EventColumn { table, column } => {
                    self.event_column(*table, *column, &mut found);
                }
                Expr::Aggregate(of) => {
                    self.event_at(of.table, &mut found);
                }
                Expr::Sequence(of) => {
                    of.patterns().for_each(|pattern| self.event_at(pattern.table, &mut found));
                }
                _ => {}
            }
            let settled = self.possible.get(id.0 as usize).is_some_and(|it| it.known().is_some());
            let user = self.scopes.get(id.0 as usize) == Some(&Scope::User);
            if settled && user && !summed {
                continue;
            }
            let summed = summed || node.expr.closes_scope();
            open.extend(node.expr.operands().into_iter().map(|operand| (operand, summed)));
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|(table, column)| self.name(table, column)).collect()
    }

    fn event_column(&self, table: usize, column: usize, found: &mut Vec<(usize, usize)>) {
        let open = self.rows.events_left_out.get(table).and_then(|open| open.get(column)) == Some(&true);
        if open {
            found.push((table + 1, column));
        }
    }

    fn event_at(&self, table: usize, found: &mut Vec<(usize, usize)>) {
        if let Some(events) = self.program.events.get(table) {
            self.event_column(table, events.at, found);
        }
    }

    fn name(&self, table: usize, column: usize) -> Option<String> {
        let Some(table) = table.checked_sub(1) else {
            return Some(self.program.users.as_ref()?.columns.get(column)?.name.clone());
        };
        let events = &self.program.events.get(table)?.table;
        Some(format!("{}.{}", events.name, events.columns.get(column)?.name))
    }
}

/// Any value of a type: a bool is one of two.
fn any(ty: &Type) -> Possible {
    match ty {
        Type::Bool => bools(true, true),
        _ => Possible::Any,
    }
}

fn bools(yes: bool, no: bool) -> Possible {
    let values = [(yes, true), (no, false)];
    Possible::Few(values.into_iter().filter(|(may, _)| *may).map(|(_, value)| Value::Bool(value)).collect())
}
