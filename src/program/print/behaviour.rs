//! Aggregates, sequences and population values as text. A window is written as what it is: bounds on
//! the event's time.

use super::{Printer, name, unit};
use crate::program::{
    Aggregate, AggregateFunction, Edge, EventPattern, Expr, Limit, NodeId, Population, Sequence, Share,
    Statistic, Type, Unit, Value,
};
use std::fmt::Write as _;

impl Printer<'_> {
    /// A column of an event table, or nothing for a foreign one.
    pub(super) fn event_column(&self, table: usize, column: usize) -> String {
        let events = self.program.events.get(table);
        events.and_then(|events| events.table.columns.get(column)).map_or(String::new(), |it| name(&it.name))
    }

    fn event_table(&self, table: usize) -> String {
        self.program.events.get(table).map_or(String::new(), |events| name(&events.table.name))
    }

    /// Within an event's scope the user's values are written with the user table's name.
    pub(super) fn of_user(&self, text: String) -> String {
        match &self.program.users {
            Some(users) if self.in_event.get() => format!("{}.{text}", name(&users.name)),
            _ => text,
        }
    }

    /// What is written where an event's columns go by their bare names.
    fn in_event<T>(&self, write: impl FnOnce() -> T) -> T {
        let before = self.in_event.replace(true);
        let written = write();
        self.in_event.set(before);
        written
    }

    fn pattern(&self, table: usize, filter: Option<NodeId>, more: Vec<String>) -> String {
        let mut conditions = Vec::new();
        if let Some(filter) = filter {
            conditions.push(if more.is_empty() { self.expression(filter) } else { self.part(filter) });
        }
        conditions.extend(more);
        let table = self.event_table(table);
        if conditions.is_empty() { table } else { format!("{table} where {}", conditions.join(" and ")) }
    }

    pub(super) fn aggregate(&self, of: &Aggregate) -> String {
        self.in_event(|| {
            let at = self.program.events.get(of.table).map_or(0, |events| events.at);
            let at = self.event_column(of.table, at);
            let bound = |edge: &Edge, in_sign: &str, out_sign: &str| {
                let sign = if edge.inclusive { in_sign } else { out_sign };
                format!("{at} {sign} {}", self.part(edge.bound))
            };
            let mut window: Vec<String> = Vec::new();
            if let Some(written) = self.hours_before_a_day(of) {
                let now = Edge { bound: of.window.now, inclusive: true };
                window.push(bound(&now, "<=", "<"));
                let events = self.pattern(of.table, of.filter, window);
                return self.function_of(of, &format!("{events}, {written}"));
            }
            window.extend(of.window.low.as_ref().map(|low| bound(low, ">=", ">")));
            window.extend(of.window.high.as_ref().map(|high| bound(high, "<=", "<")));
            let now = Edge { bound: of.window.now, inclusive: true };
            window.push(bound(&now, "<=", "<"));
            self.function_of(of, &self.pattern(of.table, of.filter, window))
        })
    }

    /// `last 12 hours before D`, where D is a date: no other words of the language say what moment is so
    /// long before a day begins.
    fn hours_before_a_day(&self, of: &Aggregate) -> Option<String> {
        let (low, high) = (of.window.low?, of.window.high?);
        let Expr::Convert(day) = self.program.node(high.bound).expr else { return None };
        let Expr::Shift { value, amount, unit: of @ (Unit::Hours | Unit::Minutes) } =
            self.program.node(low.bound).expr
        else {
            return None;
        };
        if value != high.bound {
            return None;
        }
        // The parts of a window are the user's.
        let before = self.in_event.replace(false);
        let length = match self.program.node(amount).expr {
            Expr::Constant(Value::Int(amount)) if amount < 0 => amount.unsigned_abs().to_string(),
            _ => format!("(-({}))", self.expression(amount)),
        };
        let written = format!("last {length} {} before {}", unit(of), self.part(day));
        self.in_event.set(before);
        Some(written)
    }

    fn function_of(&self, of: &Aggregate, events: &str) -> String {
        let function = match of.function {
            AggregateFunction::Count => "count",
            AggregateFunction::Sum => "sum",
            AggregateFunction::Average => "avg",
            AggregateFunction::Least => "min",
            AggregateFunction::Greatest => "max",
            AggregateFunction::First => "first",
            AggregateFunction::Last => "last",
            AggregateFunction::Distinct => "distinct",
            AggregateFunction::Mode => "mode",
        };
        match of.value {
            Some(value) => format!("{function}({} of {events})", self.expression(value)),
            None => format!("{function}({events})"),
        }
    }

    pub(super) fn sequence(&self, of: &Sequence) -> String {
        self.in_event(|| {
            let then = self.earlier_moment(of);
            let pattern = |it: &EventPattern| {
                let bound = then.map(|then| self.not_after(it.table, then));
                self.pattern(it.table, it.filter, bound.into_iter().collect())
            };
            let mut text = "sequence(".to_owned();
            for (at, step) in of.steps.iter().enumerate() {
                for without in &step.without {
                    let _ = write!(text, " without {}", pattern(without));
                }
                let word = if at == 0 { "" } else { " then " };
                let shown = match then {
                    Some(then) if at == 0 => {
                        let first = &step.pattern;
                        self.pattern(first.table, first.filter, vec![self.begins_before(of, first, then)])
                    }
                    _ => pattern(&step.pattern),
                };
                let _ = write!(text, "{word}{shown}");
            }
            if let Some(absent) = &of.absent {
                let _ = write!(text, " then no {}", pattern(absent));
            }
            if let Some(limit) = of.within {
                let _ = write!(text, ", within {} {}", limit.amount, unit(limit.unit));
            }
            text + ")"
        })
    }

    /// The moment of a sequence as it was. One of the program's own moment says it without words.
    fn earlier_moment(&self, of: &Sequence) -> Option<i64> {
        match self.program.node(of.now).expr {
            Expr::Constant(Value::Timestamp(moment)) if moment != self.calendar.now() => Some(moment),
            _ => None,
        }
    }

    fn has_dates(&self, table: usize) -> bool {
        let events = self.program.events.get(table);
        let at = events.and_then(|events| events.table.columns.get(events.at));
        at.is_some_and(|at| at.ty == Type::Date)
    }

    /// That an event of the table is not later than a moment; a date is its first moment.
    fn not_after(&self, table: usize, moment: i64) -> String {
        let at = self.event_column(table, self.program.events.get(table).map_or(0, |events| events.at));
        let text = self.calendar.timestamp(moment);
        match text.split_once('T') {
            Some((date, _)) if self.has_dates(table) => format!("{at} <= {date}"),
            _ => format!("{at} <= {text}"),
        }
    }

    /// The bound of the first step: where something must not come within a time, that time has passed.
    fn begins_before(&self, of: &Sequence, first: &EventPattern, then: i64) -> String {
        let (Some(_), Some(limit)) = (&of.absent, of.within) else {
            return self.not_after(first.table, then);
        };
        if of.patterns().all(|pattern| self.has_dates(pattern.table)) {
            let days = limit.micros() / Limit { amount: 1, unit: Unit::Days }.micros();
            return format!("{} - {days} days", self.not_after(first.table, then));
        }
        self.not_after(first.table, then.saturating_sub(limit.micros()))
    }

    pub(super) fn population(&self, of: &Population) -> String {
        let value = self.expression(of.value);
        let (function, more) = match of.statistic {
            Statistic::Average => ("avg", String::new()),
            Statistic::Least => ("min", String::new()),
            Statistic::Greatest => ("max", String::new()),
            Statistic::Sum => ("sum", String::new()),
            Statistic::Quantile(Share { numerator: 1, denominator: 2 }) => ("median", String::new()),
            Statistic::Quantile(share) | Statistic::Cut(share) => {
                ("quantile", format!(", {}", decimal(share)))
            }
        };
        format!("population {function}({value}{more})")
    }

    /// A score whose cuts are the population's quantiles, or written down.
    pub(super) fn score(&self, value: NodeId, cuts: &[NodeId], lowest_is_best: bool) -> String {
        let filter = cuts.first().and_then(|cut| match &self.program.node(*cut).expr {
            Expr::Population(of) => Some(of.filter),
            _ => None,
        });
        let mut text = format!("score({}", self.expression(value));
        match filter {
            Some(filter) => {
                if let Some(filter) = filter {
                    let _ = write!(text, " where {}", self.expression(filter));
                }
                let _ = write!(text, " into {}", cuts.len() + 1);
            }
            None => {
                let _ = write!(text, " into ({})", self.list(cuts, ", "));
            }
        }
        if lowest_is_best {
            text.push_str(", lowest is best");
        }
        text + ")"
    }
}

/// A share as the decimal that was written: its denominator is a power of ten.
fn decimal(share: Share) -> String {
    let digits = usize::try_from(share.denominator.checked_ilog10().unwrap_or(0)).unwrap_or(0);
    let text = format!("{:0>width$}", share.numerator, width = digits + 1);
    match text.split_at_checked(text.len() - digits) {
        Some((whole, fraction)) if digits > 0 => format!("{whole}.{fraction}"),
        _ => text,
    }
}
