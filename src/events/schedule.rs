//! What has to be worked out of events and of the population before users can be evaluated, and in
//! which order.
//!
//! Which events an aggregate counts becomes one condition of an event: it is in the window, keeps the
//! filter, has a known value. So the vectorised evaluator sees the windows and filters of all
//! aggregates of a table together. These conditions are nodes at the end of the program's graph;
//! the others keep their numbers.

use crate::program::{
    Aggregate, AggregateFunction, Builder, CompareOp, Edge, EventPattern, Expr, Node, NodeId, Population,
    Scope, Sequence, Type, Value,
};
use crate::semantics::compare::order;
use crate::semantics::{Dated, calendar, sequence};
use crate::vector::{Plan, Wanted};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// All that has to be worked out, round by round.
#[derive(Debug)]
pub(super) struct Schedule {
    /// The program with the conditions of events.
    pub dated: Dated,
    /// In order: what comes later may need what came before.
    pub rounds: Vec<Round>,
}

/// The event tables that these declarations need, by their index in `Program::events`, ascending.
pub fn event_tables(dated: &Dated, wanted: &Wanted) -> Vec<usize> {
    let Some(schedule) = Schedule::new(dated, wanted) else { return Vec::new() };
    let tables = schedule.rounds.iter().flat_map(|round| round.tables.iter().map(|work| work.table));
    tables.collect::<BTreeSet<usize>>().into_iter().collect()
}

/// Whether these declarations need a value of the whole population.
pub fn needs_population(dated: &Dated, wanted: &Wanted) -> bool {
    let schedule = Schedule::new(dated, wanted);
    schedule.is_some_and(|schedule| schedule.rounds.iter().any(|round| !round.population.is_empty()))
}

/// What only needs the rounds before.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// One for each event table that has something to give.
    pub tables: Vec<TableWork>,
    pub sequences: Vec<SequenceWork>,
    pub population: Vec<PopulationWork>,
}

/// What is wanted of the events of one table.
#[derive(Debug)]
pub(super) struct TableWork {
    /// Index in `Program::events`.
    pub table: usize,
    /// When an event happened.
    pub at: NodeId,
    /// It happened after the moment of evaluation.
    pub later: NodeId,
    /// The distinct conditions of events.
    pub conditions: Vec<NodeId>,
    /// The distinct values of events, times among them where an order matters.
    pub values: Vec<NodeId>,
    pub aggregates: Vec<AggregateWork>,
    /// No event before this time counts.
    pub earliest: Earliest,
}

/// Before which time no event of a table counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Earliest {
    /// Nothing is known to count yet.
    Unused,
    /// Before this one, of the type of the table's times.
    At(Value),
    /// All times may count.
    Ever,
}

impl Earliest {
    /// Takes in that events from that time on count; without one all.
    fn or(&mut self, low: Option<Value>) {
        *self = match (&*self, low) {
            (Earliest::Ever, _) | (_, None) => Earliest::Ever,
            (Earliest::At(known), Some(low)) if order(known, &low) == Some(Ordering::Less) => return,
            (_, Some(low)) => Earliest::At(low),
        };
    }
}

#[derive(Debug)]
pub(super) struct AggregateWork {
    pub node: NodeId,
    pub function: AggregateFunction,
    /// Type of the outcome.
    pub ty: Type,
    /// Place in `TableWork::conditions`.
    pub condition: usize,
    /// Place in `TableWork::values`; none for a count.
    pub value: Option<usize>,
    /// Place of the time in `TableWork::values`, where it matters which event is first.
    pub time: Option<usize>,
}

#[derive(Debug)]
pub(super) struct SequenceWork {
    pub node: NodeId,
    pub sequence: Sequence,
    /// In the order of [`Sequence::patterns`].
    pub patterns: Vec<PatternWork>,
    /// Whether times are counted in days.
    pub days: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PatternWork {
    /// Place in `Round::tables`.
    pub table: usize,
    /// Place in `TableWork::conditions`.
    pub condition: usize,
    /// Place of the time, as the sequence counts it, in `TableWork::values`.
    pub time: usize,
}

#[derive(Debug)]
pub(super) struct PopulationWork {
    pub node: NodeId,
    pub population: Population,
    /// Type of the outcome.
    pub ty: Type,
}

impl Schedule {
    /// What these declarations need; none where that is nothing.
    pub fn new(dated: &Dated, wanted: &Wanted) -> Option<Schedule> {
        let rounds = dated.program.rounds();
        // Most programs speak of users alone, and need no plan to show it.
        if rounds.iter().all(|round| *round == 0) {
            return None;
        }
        let mut needed = vec![false; rounds.len()];
        for id in Plan::new(dated, wanted).given() {
            if let Some(needed) = needed.get_mut(id.0 as usize) {
                *needed = true;
            }
        }
        for (at, node) in dated.program.nodes.iter().enumerate().rev() {
            if needed.get(at) == Some(&true) {
                for id in node.expr.operands() {
                    if let Some(needed) = needed.get_mut(id.0 as usize) {
                        *needed = true;
                    }
                }
            }
        }
        let last = rounds.iter().zip(&needed).filter(|(_, needed)| **needed).map(|(round, _)| *round).max();
        let mut making = Making { dated, builder: Builder::of(dated.program.nodes.clone()) };
        let mut planned: Vec<Round> = Vec::new();
        for number in 1..=last.unwrap_or(0) {
            let mut round = Round::default();
            for ((id, node), (of, needed)) in (0..).zip(&dated.program.nodes).zip(rounds.iter().zip(&needed))
            {
                if *needed && *of == number {
                    making.add(&mut round, NodeId(id), node);
                }
            }
            planned.push(round);
        }
        if planned.is_empty() {
            return None;
        }
        let mut dated = dated.clone();
        dated.program.nodes = making.builder.finish();
        Some(Schedule { dated, rounds: planned })
    }
}

struct Making<'a> {
    dated: &'a Dated,
    builder: Builder,
}

impl Making<'_> {
    fn add(&mut self, round: &mut Round, node: NodeId, of: &Node) {
        match &of.expr {
            Expr::Aggregate(aggregate) => self.aggregate(round, node, of, aggregate),
            Expr::Sequence(sequence) => self.sequence(round, node, sequence),
            Expr::Population(population) => {
                round.population.push(PopulationWork { node, population: *population, ty: of.ty.clone() });
            }
            _ => {}
        }
    }

    fn aggregate(&mut self, round: &mut Round, node: NodeId, of: &Node, aggregate: &Aggregate) {
        let (place, at) = self.table(round, aggregate.table);
        let window = &aggregate.window;
        let mut all = vec![self.compare(CompareOp::Le, at, window.now)];
        let end = |edge: &Edge, inclusive, exclusive| if edge.inclusive { inclusive } else { exclusive };
        if let Some(edge) = &window.low {
            all.push(self.compare(end(edge, CompareOp::Ge, CompareOp::Gt), at, edge.bound));
        }
        if let Some(edge) = &window.high {
            all.push(self.compare(end(edge, CompareOp::Le, CompareOp::Lt), at, edge.bound));
        }
        all.extend(aggregate.filter);
        if let Some(value) = aggregate.value {
            all.push(self.condition(Expr::IsKnown(value)));
        }
        let condition = self.all(all);
        let low = window.low.and_then(|edge| match self.builder.get(edge.bound).map(|node| &node.expr) {
            Some(Expr::Constant(value)) if !value.is_missing() => Some(value.clone()),
            _ => None,
        });
        let Some(work) = round.tables.get_mut(place) else { return };
        // The value of a count is of no interest once it is known; of the events of one time the
        // earliest and latest time are that time.
        let mut function = aggregate.function;
        let value = aggregate.value.filter(|_| function != AggregateFunction::Count);
        if value == Some(at) {
            function = match function {
                AggregateFunction::First => AggregateFunction::Least,
                AggregateFunction::Last => AggregateFunction::Greatest,
                other => other,
            };
        }
        work.earliest.or(low);
        let timed = matches!(function, AggregateFunction::First | AggregateFunction::Last);
        let condition = placed(&mut work.conditions, condition);
        let value = value.map(|value| placed(&mut work.values, value));
        let time = timed.then(|| placed(&mut work.values, at));
        work.aggregates.push(AggregateWork { node, function, ty: of.ty.clone(), condition, value, time });
    }

    fn sequence(&mut self, round: &mut Round, node: NodeId, of: &Sequence) {
        let days = sequence::counts_days(of, &self.dated.program);
        let patterns: Vec<EventPattern> = of.patterns().copied().collect();
        let mut places = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let (place, at) = self.table(round, pattern.table);
            let is_date = self.builder.get(at).is_some_and(|at| at.ty == Type::Date);
            let time = if is_date && !days { self.node(Expr::Convert(at), Type::Timestamp) } else { at };
            let now = if days { self.date_of(of.now) } else { of.now };
            let mut all = vec![self.compare(CompareOp::Le, time, now)];
            all.extend(pattern.filter);
            let condition = self.all(all);
            if let Some(work) = round.tables.get_mut(place) {
                work.earliest.or(None);
                places.push(PatternWork {
                    table: place,
                    condition: placed(&mut work.conditions, condition),
                    time: placed(&mut work.values, time),
                });
            }
        }
        round.sequences.push(SequenceWork { node, sequence: of.clone(), patterns: places, days });
    }

    /// The work of a table, and the node of its events' time.
    fn table(&mut self, round: &mut Round, table: usize) -> (usize, NodeId) {
        if let Some(place) = round.tables.iter().position(|work| work.table == table) {
            return (place, round.tables.get(place).map_or(NodeId(0), |work| work.at));
        }
        let events = self.dated.program.events.get(table);
        let column = events.map_or(0, |events| events.at);
        let ty = events.and_then(|events| events.table.columns.get(column)).map(|column| column.ty.clone());
        let ty = ty.unwrap_or(Type::Timestamp);
        let at = self.node(Expr::EventColumn { table, column }, ty.clone());
        let now = match ty {
            Type::Date => calendar::local_date(&self.dated.program.zone(), self.dated.now)
                .map_or(Value::Missing, Value::Date),
            _ => Value::Timestamp(self.dated.now),
        };
        let now = self.node(Expr::Constant(now), ty);
        let later = self.compare(CompareOp::Gt, at, now);
        round.tables.push(TableWork {
            table,
            at,
            later,
            conditions: Vec::new(),
            values: Vec::new(),
            aggregates: Vec::new(),
            earliest: Earliest::Unused,
        });
        (round.tables.len() - 1, at)
    }

    /// The local date of a moment.
    fn date_of(&mut self, now: NodeId) -> NodeId {
        match self.builder.get(now).map(|node| node.expr.clone()) {
            Some(Expr::Constant(Value::Timestamp(micros))) => {
                let date = calendar::local_date(&self.dated.program.zone(), micros);
                self.node(Expr::Constant(date.map_or(Value::Missing, Value::Date)), Type::Date)
            }
            _ => self.node(Expr::LocalDate(now), Type::Date),
        }
    }

    fn compare(&mut self, op: CompareOp, left: NodeId, right: NodeId) -> NodeId {
        self.condition(Expr::Compare { op, left, right })
    }

    fn all(&mut self, mut conditions: Vec<NodeId>) -> NodeId {
        conditions.sort_unstable();
        conditions.dedup();
        match conditions.as_slice() {
            [one] => *one,
            _ => self.condition(Expr::And(conditions)),
        }
    }

    fn condition(&mut self, expr: Expr) -> NodeId {
        self.node(expr, Type::Bool)
    }

    fn node(&mut self, expr: Expr, ty: Type) -> NodeId {
        self.builder.node(expr, ty, false, crate::diagnostic::Span::default())
    }
}

/// The place of a node in a list of distinct ones.
fn placed(list: &mut Vec<NodeId>, node: NodeId) -> usize {
    list.iter().position(|known| *known == node).unwrap_or_else(|| {
        list.push(node);
        list.len() - 1
    })
}

impl TableWork {
    /// What the evaluator is asked for each event: the conditions, the values, then time and whether
    /// it is later than now.
    pub fn roots(&self) -> Vec<NodeId> {
        self.conditions.iter().chain(&self.values).copied().chain([self.at, self.later]).collect()
    }

    /// What a row is.
    pub fn scope(&self) -> Scope {
        Scope::Event(self.table)
    }
}
