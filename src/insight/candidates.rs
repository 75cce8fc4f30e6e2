//! Values worth trying for a user's columns, given what a rule compares them with: the constant
//! itself and its neighbours, each label, a linear guess where the column is part of a sum, another
//! hour of the day, a day or month nearby, the keys of a lookup.

use super::change::{ColumnChange, Search};
use crate::interpret;
use crate::program::{Column, DatePart, Expr, NodeId, Program, Type, Unit, Value};
use crate::semantics::show::value_text;
use crate::semantics::{Dated, calendar, numbers};
use hashbrown::HashSet;
use jiff::civil::Time;

/// Keys of a larger lookup are not tried.
const MOST_KEYS: usize = 1_000;

impl Search<'_> {
    /// Values to try for each column that a part of the program reads, the smallest step first.
    pub(super) fn candidates(&self, part: &Dated) -> indexmap::IndexMap<usize, Vec<ColumnChange>> {
        let program = &part.program;
        let mut columns: indexmap::IndexMap<usize, HashSet<Value>> = indexmap::IndexMap::new();
        let key = program.users.as_ref().map(|users| users.key);
        for node in &program.nodes {
            if let Expr::Column(index) = node.expr
                && Some(index) != key
            {
                columns.entry(index).or_default();
            }
        }
        let evaluation = self.evaluate(part, self.user);
        for node in &program.nodes {
            for (value, constants) in tested(program, &node.expr, &evaluation) {
                for index in columns_below(program, value) {
                    let Some(options) = columns.get_mut(&index) else { continue };
                    for constant in &constants {
                        self.propose(part, value, index, constant, &evaluation, options);
                    }
                }
            }
        }
        let mut sorted = indexmap::IndexMap::new();
        for (index, mut options) in columns {
            let Some(column) = program.users.as_ref().and_then(|users| users.columns.get(index)) else {
                continue;
            };
            self.typical(column, &mut options);
            let current = self.user.columns.get(index).cloned().unwrap_or(Value::Missing);
            options.remove(&current);
            let mut changes: Vec<ColumnChange> = options
                .into_iter()
                .filter(|value| self.allowed(column, value))
                .map(|value| self.change(column, index, &current, value))
                .collect();
            changes.sort_by(|a, b| a.effort.total_cmp(&b.effort).then_with(|| a.to.cmp(&b.to)));
            sorted.insert(index, changes);
        }
        sorted
    }

    /// Values of a column that bring `value` near `constant`.
    fn propose(
        &self,
        part: &Dated,
        value: NodeId,
        index: usize,
        constant: &Value,
        evaluation: &interpret::Evaluation,
        options: &mut HashSet<Value>,
    ) {
        let program = &part.program;
        match &program.node(value).expr {
            Expr::Column(_) => options.extend(neighbours(constant)),
            Expr::LocalDate(_) => {
                let Value::Date(days) = constant else { return };
                for day in [days.saturating_sub(1), *days, days.saturating_add(1)] {
                    let start = calendar::first_moment(day, &self.zone).map(Value::Timestamp);
                    options.extend(start);
                }
            }
            Expr::Hour(_) => {
                let Value::Int(hour) = constant else { return };
                for hour in [hour.saturating_sub(1), *hour, hour.saturating_add(1)] {
                    options
                        .extend(hour.checked_mul(3_600_000_000).and_then(|time| self.at_time(index, time)));
                }
            }
            Expr::TimeOfDay(_) => {
                let Value::Time(time) = constant else { return };
                for time in [time - 1_000_000, *time, time + 1_000_000] {
                    options.extend(self.at_time(index, time));
                }
            }
            // A few days or months away there is any weekday, day, month and quarter.
            Expr::DatePart(part, _) if *part != DatePart::Year => {
                let Some(current) = self.user.columns.get(index) else { return };
                for (unit, most) in [(Unit::Days, 31), (Unit::Months, 11)] {
                    let moved = (-most..=most).map(|n| calendar::shift(current, n, unit, &self.zone));
                    options.extend(moved.filter(|value| !value.is_missing()));
                }
            }
            Expr::Lookup { lookup, key, .. } if matches!(program.node(*key).expr, Expr::Column(_)) => {
                let Some(facts) = self.facts.lookups.get(*lookup) else { return };
                if facts.rows.len() <= MOST_KEYS {
                    options.extend(facts.rows.keys().cloned());
                }
            }
            Expr::ListSize(_) | Expr::TextLength(_) => {}
            _ => self.linear_guess(part, value, index, constant, evaluation, options),
        }
    }

    /// A column's moment moved to another time of its day, in microseconds since midnight.
    fn at_time(&self, index: usize, time: i64) -> Option<Value> {
        let Some(Value::Timestamp(micros)) = self.user.columns.get(index) else { return None };
        let seconds = time / 1_000_000;
        let part = |n: i64| i8::try_from(n).ok();
        let clock =
            Time::new(part(seconds / 3600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, 0).ok()?;
        let day = calendar::local(&self.zone, *micros)?.date();
        calendar::moment(&self.zone, day.to_datetime(clock)).map(Value::Timestamp)
    }

    /// The local date of the evaluation.
    fn today(&self) -> Option<i32> {
        calendar::local_date(&self.zone, self.dated.now)
    }

    /// Where a number depends on a column by a straight line, the column's value that hits the constant.
    fn linear_guess(
        &self,
        part: &Dated,
        value: NodeId,
        index: usize,
        constant: &Value,
        evaluation: &interpret::Evaluation,
        options: &mut HashSet<Value>,
    ) {
        let (Some(now), Some(wanted)) = (number(evaluation.value(value)), number(constant)) else { return };
        let Some(current) = self.user.columns.get(index) else { return };
        let Some(at) = number(current) else { return };
        let step = 1.0_f64.max(at.abs() / 64.0).round();
        let mut user = self.user.clone();
        let Some(moved) = with_number(current, at + step) else { return };
        if let Some(place) = user.columns.get_mut(index) {
            *place = moved;
        }
        let Some(after) = number(self.evaluate(part, &user).value(value)) else { return };
        let slope = (after - now) / step;
        if slope == 0.0 || !slope.is_finite() {
            return;
        }
        let guess = at + (wanted - now) / slope;
        for guess in [guess.floor(), guess.ceil(), guess.floor() - 1.0, guess.ceil() + 1.0, guess] {
            options.extend(with_number(current, guess));
        }
    }

    /// Values worth trying whatever the rule says: labels, yes and no, missing, something known.
    fn typical(&self, column: &Column, options: &mut HashSet<Value>) {
        match &column.ty {
            Type::Bool => options.extend([Value::Bool(true), Value::Bool(false)]),
            Type::Label(ty) => {
                let labels = self.dated.program.label_type(*ty).map_or(0, |ty| ty.labels.len());
                options.extend((0..labels).filter_map(|code| u32::try_from(code).ok()).map(Value::Label));
            }
            Type::Int if options.is_empty() => options.extend([Value::Int(0), Value::Int(1)]),
            Type::Float if options.is_empty() => options.extend([Value::Float(0.0), Value::Float(1.0)]),
            Type::Decimal { scale, .. } if options.is_empty() => {
                options.insert(Value::Decimal(crate::program::Decimal { unscaled: 0, scale: *scale }));
            }
            Type::Date if options.is_empty() => {
                options.extend(self.today().map(Value::Date));
            }
            Type::Timestamp if options.is_empty() => {
                options.insert(Value::Timestamp(self.dated.now));
            }
            Type::Text if options.is_empty() => {
                options.insert(Value::Text("…".into()));
            }
            _ => {}
        }
        if column.optional {
            options.insert(Value::Missing);
        }
    }

    /// Whether the column may have that value by its declaration.
    fn allowed(&self, column: &Column, value: &Value) -> bool {
        if value.is_missing() {
            return column.optional;
        }
        let Some(domain) = &column.domain else { return true };
        let within = |bound: &crate::program::Bound, below: bool| match (number(value), number(&bound.value))
        {
            (Some(value), Some(end)) if below => value > end || bound.inclusive && value == end,
            (Some(value), Some(end)) => value < end || bound.inclusive && value == end,
            _ => true,
        };
        domain.low.as_ref().is_none_or(|bound| within(bound, true))
            && domain.high.as_ref().is_none_or(|bound| within(bound, false))
            && !(domain.past
                && match value {
                    Value::Timestamp(micros) => *micros > self.dated.now,
                    Value::Date(days) => self.today().is_some_and(|today| *days > today),
                    _ => false,
                })
    }

    fn change(&self, column: &Column, index: usize, current: &Value, value: Value) -> ColumnChange {
        let program = &self.dated.program;
        let effort = match (number(current), number(&value)) {
            // A value that nobody would write is the last resort.
            (Some(a), Some(b)) => {
                let long = matches!(value, Value::Float(x) if x.to_string().len() > 12);
                (a - b).abs() / (1.0 + a.abs().max(b.abs())) + if long { 0.5 } else { 0.0 }
            }
            // The next label is a smaller step than the one after it, where they have an order.
            _ => match (current, &value, &column.ty) {
                (Value::Label(a), Value::Label(b), Type::Label(ty))
                    if program.label_type(*ty).is_some_and(|ty| ty.ordered) =>
                {
                    1.0 + f64::from(a.abs_diff(*b)) / 1_000.0
                }
                // Losing what is known is no advice.
                (_, Value::Missing, _) => 3.0,
                _ => 1.0,
            },
        };
        ColumnChange {
            column: column.name.clone(),
            from: value_text(program, &self.zone, &column.ty, current),
            to: value_text(program, &self.zone, &column.ty, &value),
            index,
            value,
            effort,
        }
    }
}

/// The values that a test compares with constants.
fn tested(program: &Program, expr: &Expr, evaluation: &interpret::Evaluation) -> Vec<(NodeId, Vec<Value>)> {
    let constant = |id: NodeId| match &program.node(id).expr {
        Expr::Constant(value) => Some(value.clone()),
        _ => None,
    };
    match expr {
        Expr::Compare { left, right, .. } => match (constant(*left), constant(*right)) {
            (None, Some(value)) => vec![(*left, vec![value])],
            (Some(value), None) => vec![(*right, vec![value])],
            // Two values compared with each other: each is tried at what the other is.
            _ => {
                let other =
                    |id: NodeId| Some(evaluation.value(id).clone()).filter(|value| !value.is_missing());
                vec![
                    (*left, other(*right).into_iter().collect()),
                    (*right, other(*left).into_iter().collect()),
                ]
            }
        },
        Expr::InSet { value, set } => vec![(*value, set.clone())],
        Expr::TextTest { text, pattern, .. } => {
            constant(*pattern).map(|p| vec![(*text, vec![p])]).unwrap_or_default()
        }
        Expr::Has { list, item } => constant(*item)
            .map(|item| vec![(*list, vec![Value::List(vec![item].into())])])
            .unwrap_or_default(),
        Expr::AnniversaryWithin { date, start, end } => {
            let ends = constant(*start).into_iter().chain(constant(*end)).collect();
            vec![(*date, ends)]
        }
        _ => Vec::new(),
    }
}

/// A constant and the values next to it.
fn neighbours(value: &Value) -> Vec<Value> {
    match value {
        Value::Int(n) => {
            vec![Value::Int(n.saturating_sub(1)), value.clone(), Value::Int(n.saturating_add(1))]
        }
        Value::Date(n) => {
            vec![Value::Date(n.saturating_sub(1)), value.clone(), Value::Date(n.saturating_add(1))]
        }
        Value::Timestamp(n) => {
            let second = 1_000_000;
            vec![
                Value::Timestamp(n.saturating_sub(second)),
                value.clone(),
                Value::Timestamp(n.saturating_add(second)),
            ]
        }
        Value::Time(n) => vec![Value::Time(n - 1_000_000), value.clone(), Value::Time(n + 1_000_000)],
        Value::Decimal(x) => [-1, 0, 1]
            .into_iter()
            .filter_map(|step| x.unscaled.checked_add(step))
            .map(|unscaled| Value::Decimal(crate::program::Decimal { unscaled, scale: x.scale }))
            .collect(),
        Value::Float(x) => [x - 0.01, *x, x + 0.01]
            .into_iter()
            .map(|x| numbers::float((x * 1e12).round() / 1e12))
            .chain([numbers::float(x.next_down()), numbers::float(x.next_up())])
            .filter(|value| !value.is_missing())
            .collect(),
        _ => vec![value.clone()],
    }
}

/// A value's place on the number line, where it has one.
fn number(value: &Value) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "only used to weigh and guess; what is found is tried exactly"
    )]
    match value {
        Value::Int(n) | Value::Timestamp(n) | Value::Time(n) => Some(*n as f64),
        Value::Date(n) => Some(f64::from(*n)),
        Value::Float(x) => Some(*x),
        Value::Decimal(x) => Some(x.unscaled as f64 / 10_f64.powi(i32::from(x.scale))),
        _ => None,
    }
}

/// A value of the same kind at another place on the number line.
fn with_number(like: &Value, at: f64) -> Option<Value> {
    if !at.is_finite() || at.abs() > 9e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    match like {
        Value::Int(_) => Some(Value::Int(at.round() as i64)),
        Value::Date(_) if at.abs() < 3e6 => Some(Value::Date(at.round() as i32)),
        Value::Timestamp(_) => Some(Value::Timestamp(at.round() as i64)),
        Value::Float(_) => Some(Value::Float(at)),
        Value::Decimal(x) => {
            let unscaled = (at * 10_f64.powi(i32::from(x.scale))).round();
            (unscaled.abs() < 1e30).then_some(Value::Decimal(crate::program::Decimal {
                unscaled: unscaled as i128,
                scale: x.scale,
            }))
        }
        _ => None,
    }
}

/// The columns that a node reads.
fn columns_below(program: &Program, node: NodeId) -> Vec<usize> {
    let mut seen = HashSet::new();
    let mut open = vec![node];
    let mut columns = Vec::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let expr = &program.node(id).expr;
        if let Expr::Column(index) = expr {
            columns.push(*index);
        }
        open.extend(expr.operands());
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}
