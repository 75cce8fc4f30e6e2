//! What each rule reads: columns, events, lookups, other rules.

use super::super::declared::{Kind, roots};
use crate::program::{Declaration, Expr, NodeId, Program, Table};
use hashbrown::HashSet;
use serde::Serialize;
use std::collections::BTreeSet;

/// What a rule reads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reads {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Columns of the user table, itself and through other rules, in the table's order.
    pub columns: Vec<String>,
    /// Columns of event tables, as `orders.amount`; a table of which only rows are counted by its name.
    pub events: Vec<String>,
    /// Columns of lookups, as `baby.length_cm`.
    pub lookups: Vec<String>,
    /// Other rules that are part of it, in the file's order.
    pub rules: Vec<String>,
    /// Whether it depends on `now`.
    pub now: bool,
    /// Whether it depends on the whole population.
    pub population: bool,
}

/// What each declaration reads, in the file's order.
pub(super) fn reads(program: &Program) -> Vec<Reads> {
    program.declarations.iter().map(|declaration| read_by(program, declaration)).collect()
}

/// Everything that some nodes need.
fn cone(program: &Program, roots: Vec<NodeId>) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut open = roots;
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(program.node(id).expr.operands());
        }
    }
    seen
}

fn read_by(program: &Program, declaration: &Declaration) -> Reads {
    let cone = cone(program, roots(declaration));
    let mut columns = BTreeSet::new();
    let mut events = BTreeSet::new();
    let mut tables = BTreeSet::new();
    let mut lookups = BTreeSet::new();
    let (mut now, mut population) = (false, false);
    for id in &cone {
        match &program.node(*id).expr {
            Expr::Column(column) => {
                columns.insert(*column);
            }
            Expr::EventColumn { table, column } => {
                events.insert((*table, *column));
            }
            Expr::Aggregate(of) => {
                tables.insert(of.table);
                // Windows, and what is first or last, go by the time.
                let timed = of.window.low.is_some()
                    || of.window.high.is_some()
                    || matches!(
                        of.function,
                        crate::program::AggregateFunction::First | crate::program::AggregateFunction::Last
                    );
                if let Some(of_table) = program.events.get(of.table).filter(|_| timed) {
                    events.insert((of.table, of_table.at));
                }
            }
            Expr::Sequence(of) => {
                for pattern in of.patterns() {
                    tables.insert(pattern.table);
                    if let Some(table) = program.events.get(pattern.table) {
                        events.insert((pattern.table, table.at));
                    }
                }
            }
            Expr::Lookup { lookup, column, .. } => {
                lookups.insert((*lookup, *column));
            }
            Expr::Now | Expr::Today => now = true,
            Expr::Population(_) => population = true,
            _ => {}
        }
    }
    let named = |table: &Table, column: usize| {
        let column = table.columns.get(column).map_or("", |column| column.name.as_str());
        format!("{}.{column}", table.name)
    };
    let event_table = |at: usize| program.events.get(at).map(|events| &events.table);
    let mut event_names: Vec<String> = Vec::new();
    for table in tables {
        let own: Vec<String> = events
            .iter()
            .filter(|(of, _)| *of == table)
            .filter_map(|(of, column)| Some(named(event_table(*of)?, *column)))
            .collect();
        match own.is_empty() {
            true => event_names.extend(event_table(table).map(|table| table.name.clone())),
            false => event_names.extend(own),
        }
    }
    Reads {
        kind: Kind::of(&declaration.kind),
        name: declaration.heading.name.clone(),
        columns: columns
            .into_iter()
            .filter_map(|at| Some(program.users.as_ref()?.columns.get(at)?.name.clone()))
            .collect(),
        events: event_names,
        lookups: lookups
            .into_iter()
            .filter_map(|(lookup, column)| Some(named(program.lookups.get(lookup)?, column)))
            .collect(),
        rules: rules_in(program, declaration, &cone),
        now,
        population,
    }
}

/// Other declarations whose value is part of it.
fn rules_in(program: &Program, declaration: &Declaration, cone: &BTreeSet<NodeId>) -> Vec<String> {
    program
        .declarations
        .iter()
        .filter(|other| {
            let plain = matches!(program.node(other.value).expr, Expr::Column(_) | Expr::Constant(_));
            other.value != declaration.value && !plain && cone.contains(&other.value)
        })
        .map(|other| other.heading.name.clone())
        .collect()
}

/// Columns of the users and of events that no rule reads. Keys and times of events are read by joining.
pub(super) fn unread(program: &Program) -> Vec<String> {
    let cone = cone(program, program.declarations.iter().flat_map(roots).collect());
    let mut users = HashSet::new();
    let mut events = HashSet::new();
    for id in cone {
        match &program.node(id).expr {
            Expr::Column(column) => {
                users.insert(*column);
            }
            Expr::EventColumn { table, column } => {
                events.insert((*table, *column));
            }
            _ => {}
        }
    }
    let full = |table: &Table, column: &str| format!("{}.{column}", table.name);
    let of_users = program.users.iter().flat_map(|table| {
        let unread =
            table.columns.iter().enumerate().filter(|(at, _)| *at != table.key && !users.contains(at));
        unread.map(|(_, column)| full(table, &column.name)).collect::<Vec<_>>()
    });
    let of_events =
        program.events.iter().enumerate().flat_map(|(number, of)| {
            let unread =
                of.table.columns.iter().enumerate().filter(|(at, _)| {
                    *at != of.table.key && *at != of.at && !events.contains(&(number, *at))
                });
            unread.map(|(_, column)| full(&of.table, &column.name)).collect::<Vec<_>>()
        });
    of_users.chain(of_events).collect()
}
