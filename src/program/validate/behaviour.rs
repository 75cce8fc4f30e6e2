//! Soundness of aggregates, sequences and population values.

use crate::program::{
    Aggregate, AggregateFunction, EventPattern, Expr, NodeId, Population, Program, Scope, Sequence,
    Statistic, Type,
};

/// That a node does not mix events of two tables, and that what closes a scope gets what is in it.
pub(super) fn scoped(program: &Program, scopes: &[Scope], expr: &Expr) -> Result<(), String> {
    let scope = |id: NodeId| scopes.get(id.0 as usize).copied().unwrap_or(Scope::User);
    let user = |id: NodeId| match scope(id) {
        Scope::User => Ok(()),
        Scope::Event(_) => Err("a value of an event stands where one of a user belongs".to_owned()),
    };
    let of_table = |id: Option<NodeId>, table: usize| match id.map_or(Scope::User, scope) {
        Scope::Event(other) if other != table => Err("a value of another table's event".to_owned()),
        _ => Ok(()),
    };
    let pattern = |it: &EventPattern| match program.events.get(it.table) {
        Some(_) => of_table(it.filter, it.table),
        None => Err("there are no such events".to_owned()),
    };
    match expr {
        Expr::Aggregate(of) => {
            pattern(&EventPattern { table: of.table, filter: of.filter })?;
            of_table(of.value, of.table)?;
            user(of.window.now)?;
            of.window.low.iter().chain(&of.window.high).try_for_each(|edge| user(edge.bound))
        }
        Expr::Sequence(of) => {
            of.patterns().try_for_each(pattern)?;
            user(of.now)
        }
        Expr::Population(of) => user(of.value).and(of.filter.map_or(Ok(()), user)),
        expr => {
            let mut table = None;
            for id in expr.operands() {
                if let Scope::Event(other) = scope(id) {
                    if table.is_some_and(|table| table != other) {
                        return Err("values of events of two tables meet".to_owned());
                    }
                    table = Some(other);
                }
            }
            Ok(())
        }
    }
}

fn condition(program: &Program, id: Option<NodeId>) -> Result<(), String> {
    match id.map(|id| program.node(id)) {
        Some(node) if node.ty != Type::Bool => Err("a filter is no condition".to_owned()),
        _ => Ok(()),
    }
}

pub(super) fn aggregate(program: &Program, of: &Aggregate, ty: &Type) -> Result<(), String> {
    condition(program, of.filter)?;
    let events = program.events.get(of.table).ok_or("there are no such events")?;
    let at = events.table.columns.get(events.at).map(|column| &column.ty);
    let ends = of.window.low.iter().chain(&of.window.high).map(|edge| edge.bound);
    for id in ends.chain([of.window.now]) {
        if Some(&program.node(id).ty) != at {
            return Err("a window has another kind of time than its events".to_owned());
        }
    }
    let value = of.value.map(|id| program.node(id).ty.clone());
    let is_number = |ty: &Type| matches!(ty, Type::Int | Type::Float | Type::Decimal { .. });
    let sound = match (of.function, &value) {
        (AggregateFunction::Count, _) => *ty == Type::Int,
        (_, None) => false,
        (AggregateFunction::Distinct, Some(_)) => *ty == Type::Int,
        (AggregateFunction::Average, Some(value)) => is_number(value) && *ty == Type::Float,
        (AggregateFunction::Sum, Some(Type::Decimal { scale, .. })) => {
            matches!(ty, Type::Decimal { scale: found, .. } if found == scale)
        }
        (AggregateFunction::Sum, Some(value)) => is_number(value) && value == ty,
        (_, Some(value)) => value == ty,
    };
    if sound { Ok(()) } else { Err("an aggregate has the wrong type".to_owned()) }
}

pub(super) fn sequence(program: &Program, of: &Sequence) -> Result<(), String> {
    if of.steps.is_empty() || program.node(of.now).ty != Type::Timestamp {
        return Err("a sequence is incomplete".to_owned());
    }
    of.patterns().try_for_each(|pattern| condition(program, pattern.filter))
}

pub(super) fn population(program: &Program, of: &Population, ty: &Type) -> Result<(), String> {
    condition(program, of.filter)?;
    let value = &program.node(of.value).ty;
    let sound = match of.statistic {
        Statistic::Average | Statistic::Quantile(_) => *ty == Type::Float,
        Statistic::Sum => match (value, ty) {
            (Type::Decimal { scale, .. }, Type::Decimal { scale: found, .. }) => scale == found,
            _ => value == ty,
        },
        Statistic::Least | Statistic::Greatest | Statistic::Cut(_) => value == ty,
    };
    if sound { Ok(()) } else { Err("a population value has the wrong type".to_owned()) }
}
