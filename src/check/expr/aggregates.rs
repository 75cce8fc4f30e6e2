//! Aggregates over a user's events, and sequences.

use super::numbers::{is_moment, is_number};
use super::{Checker, spell};
use crate::diagnostic::codes::{time as codes, types as type_codes};
use crate::diagnostic::{Diagnostic, Span};
use crate::program::written::Role;
use crate::program::{
    Aggregate, AggregateFunction, ArithmeticOp, CompareOp, Edge, EventPattern, Expr, Limit, NodeId, Sequence,
    SequenceStep, Type, Unit, Value, Window,
};
use crate::syntax::ast::{self, ExprKind, StepKind, WindowKind};

/// How a word sums up events.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Core(AggregateFunction),
    Share,
    Any,
    None,
}

const WORDS: &[(&str, Word)] = &[
    ("count", Word::Core(AggregateFunction::Count)),
    ("sum", Word::Core(AggregateFunction::Sum)),
    ("avg", Word::Core(AggregateFunction::Average)),
    ("min", Word::Core(AggregateFunction::Least)),
    ("max", Word::Core(AggregateFunction::Greatest)),
    ("first", Word::Core(AggregateFunction::First)),
    ("last", Word::Core(AggregateFunction::Last)),
    ("distinct", Word::Core(AggregateFunction::Distinct)),
    ("mode", Word::Core(AggregateFunction::Mode)),
    ("share", Word::Share),
    ("any", Word::Any),
    ("none", Word::None),
];

/// What people call them elsewhere.
const ELSEWHERE: &[(&str, &str)] = &[
    ("average", "avg"),
    ("mean", "avg"),
    ("total", "sum"),
    ("number", "count"),
    ("count_distinct", "distinct"),
    ("countdistinct", "distinct"),
    ("nunique", "distinct"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("latest", "last"),
    ("earliest", "first"),
    ("exists", "any"),
    ("has", "any"),
    ("ratio", "share"),
    ("most_common", "mode"),
];

/// A table, a condition and a window: which events.
#[derive(Clone, Copy)]
pub(in crate::check) struct Selected {
    pub table: usize,
    pub filter: Option<NodeId>,
    pub window: Window,
}

impl Checker {
    /// `sum(amount of orders where status = paid, last 90 days)`.
    pub(super) fn aggregate(&mut self, call: &ast::AggregateCall, span: Span) -> Option<NodeId> {
        let name = &call.function;
        let word = WORDS.iter().find(|(known, _)| *known == name.text).map(|(_, word)| *word);
        if word.is_none() {
            self.unknown_aggregate(name);
        }
        let table = self.resolve_events(&call.source.table)?;
        let value =
            call.value.as_ref().map(|value| self.in_events(table, |checker| checker.value(value, None)));
        let filter = self.event_filter(table, call.source.filter.as_ref());
        let window = match &call.window {
            Some(window) => self.event_window(table, window),
            None => self.up_to_now(table, span),
        };
        let (word, filter, window) = (word?, filter?, window?);
        let value = match value {
            Some(value) => Some(value?),
            None => None,
        };
        let events = Selected { table, filter, window };
        match word {
            Word::Core(function) => self.core_aggregate(function, call, value, events, span),
            Word::Any | Word::None | Word::Share if value.is_some() => {
                let place = call.value.as_ref().map_or(span, |value| value.span);
                self.report(
                    Diagnostic::new(
                        codes::BAD_AGGREGATE,
                        place,
                        format!("`{}` asks whether there are events, and takes no value of them", name.text),
                    )
                    .help(format!("write `{}({} where …)`", name.text, call.source.table.text)),
                );
                None
            }
            Word::Any => {
                let (count, zero) = (self.count_of_events(events, span), self.zero(span));
                Some(self.condition_node(Expr::Compare { op: CompareOp::Gt, left: count, right: zero }, span))
            }
            Word::None => {
                let (count, zero) = (self.count_of_events(events, span), self.zero(span));
                Some(self.condition_node(Expr::Compare { op: CompareOp::Eq, left: count, right: zero }, span))
            }
            Word::Share => {
                if filter.is_none() {
                    self.report(
                        Diagnostic::new(
                            codes::BAD_AGGREGATE,
                            span,
                            "`share` is a part of all events, and no part is named",
                        )
                        .help(format!("write `share({} where …)`", call.source.table.text)),
                    );
                    return None;
                }
                let part = self.count_of_events(events, span);
                let all = self.count_of_events(Selected { filter: None, ..events }, span);
                let (left, right) = (self.as_float(part, span)?, self.as_float(all, span)?);
                let op = ArithmeticOp::Divide;
                Some(self.builder.node(Expr::Arithmetic { op, left, right }, Type::Float, true, span))
            }
        }
    }

    fn zero(&mut self, span: Span) -> NodeId {
        self.constant_node(Value::Int(0), Type::Int, span)
    }

    /// The number of events.
    pub(in crate::check) fn count_of_events(&mut self, events: Selected, span: Span) -> NodeId {
        self.aggregate_node(AggregateFunction::Count, None, events, Type::Int, span)
    }

    /// An aggregate as a node.
    pub(in crate::check) fn aggregate_node(
        &mut self,
        function: AggregateFunction,
        value: Option<NodeId>,
        Selected { table, filter, window }: Selected,
        ty: Type,
        span: Span,
    ) -> NodeId {
        use AggregateFunction::{Count, Distinct, Sum};
        let optional = !matches!(function, Count | Distinct | Sum);
        let aggregate = Aggregate { table, function, value, filter, window };
        self.builder.node(Expr::Aggregate(aggregate), ty, optional, span)
    }

    fn core_aggregate(
        &mut self,
        function: AggregateFunction,
        call: &ast::AggregateCall,
        value: Option<NodeId>,
        events: Selected,
        span: Span,
    ) -> Option<NodeId> {
        use AggregateFunction::{Average, Count, Distinct, First, Greatest, Last, Least, Mode, Sum};
        let word = &call.function.text;
        let (Some(value), Some(written)) = (value, &call.value) else {
            if function == Count {
                return Some(self.count_of_events(events, span));
            }
            let table = self.events.get(events.table).map(|events| &events.table);
            let example = table
                .and_then(|table| {
                    let mut columns = table.columns.iter().enumerate();
                    columns.find(|(at, column)| *at != table.key && is_number(&column.ty))
                })
                .map_or("…".to_owned(), |(_, column)| spell::name(&column.name));
            self.report(
                Diagnostic::new(
                    codes::BAD_AGGREGATE,
                    call.function.span.to(call.source.table.span),
                    format!("`{word}` does not say of which value of the events"),
                )
                .help(format!("write `{word}({example} of {})`", call.source.table.text)),
            );
            return None;
        };
        let ty = self.node(value).ty.clone();
        let result = match (function, &ty) {
            (Count | Distinct, Type::List(_)) | (First | Last | Mode, Type::List(_)) => None,
            (Count | Distinct, _) => Some(Type::Int),
            (First | Last | Mode, ty) => Some(ty.clone()),
            (Sum, Type::Decimal { scale, .. }) => Some(Type::Decimal { precision: 38, scale: *scale }),
            (Sum, Type::Int | Type::Float) => Some(ty.clone()),
            (Average, ty) if is_number(ty) => Some(Type::Float),
            (Least | Greatest, ty) if is_number(ty) || is_moment(ty) || *ty == Type::Time => Some(ty.clone()),
            (Least | Greatest, Type::Label(id))
                if self.types.get(id.0 as usize).is_some_and(|ty| ty.ordered) =>
            {
                Some(ty.clone())
            }
            _ => None,
        };
        let Some(result) = result else {
            let (what, help) = match function {
                Sum | Average => (
                    "adds up numbers",
                    "count the events (`count(… where …)`), or how many different values there are (`distinct(… of …)`)",
                ),
                Least | Greatest => (
                    "needs values with an order",
                    "the most common value is `mode(… of …)`, the latest `last(… of …)`",
                ),
                _ => (
                    "works on single values, not on lists",
                    "ask for an item in the condition: `where tags has \"…\"`",
                ),
            };
            let shown = self.a_type(&ty);
            self.report(
                Diagnostic::new(
                    type_codes::WRONG_TYPE,
                    written.span,
                    format!("`{word}` {what}, but {} is {shown}", spell::expression(written)),
                )
                .help(help),
            );
            return None;
        };
        Some(self.aggregate_node(function, Some(value), events, result, span))
    }

    fn unknown_aggregate(&mut self, name: &ast::Name) {
        let finding = Diagnostic::new(
            type_codes::UNKNOWN_FUNCTION,
            name.span,
            format!("there is no `{}` of events", name.text),
        );
        let lowered = name.text.to_lowercase();
        let known = || WORDS.iter().map(|(known, _)| *known);
        let meant = known()
            .find(|known| *known == lowered)
            .or_else(|| ELSEWHERE.iter().find(|(theirs, _)| *theirs == lowered).map(|(_, ours)| *ours));
        let finding = match meant.or_else(|| spell::nearest(&name.text, known())) {
            Some(meant) => finding.help(format!("did you mean `{meant}`?")).fix(name.span, meant),
            None => finding.help(format!("there are {}", known().collect::<Vec<_>>().join(", "))),
        };
        self.report(finding);
    }

    /// Checks what stands where an event table's columns go by their bare names.
    pub(in crate::check) fn in_events<T>(&mut self, table: usize, check: impl FnOnce(&mut Self) -> T) -> T {
        self.in_scope(Some(table), check)
    }

    /// Checks something in the scope of an event table, or of the user.
    pub(in crate::check) fn in_scope<T>(
        &mut self,
        scope: Option<usize>,
        check: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = std::mem::replace(&mut self.scope, scope);
        let checked = check(self);
        self.scope = before;
        checked
    }

    /// The condition after `where`: `Some(None)` where there is none, `None` where it is at fault.
    pub(in crate::check) fn event_filter(
        &mut self,
        table: usize,
        filter: Option<&ast::Expr>,
    ) -> Option<Option<NodeId>> {
        match filter {
            Some(filter) => {
                self.in_events(table, |checker| checker.whole_condition(filter, Role::Where)).map(Some)
            }
            None => Some(None),
        }
    }

    /// The type of a table's `at`.
    fn time_of_events(&self, table: usize) -> Type {
        let at = self.events.get(table).and_then(|events| events.table.columns.get(events.at));
        at.map_or(Type::Timestamp, |column| column.ty.clone())
    }

    /// `now`, or for a date `at` `today`.
    fn present(&mut self, ty: &Type, span: Span) -> NodeId {
        if *ty == Type::Date { self.today(span) } else { self.now(span) }
    }

    /// The window of an aggregate that names none.
    pub(in crate::check) fn up_to_now(&mut self, table: usize, span: Span) -> Option<Window> {
        let ty = self.time_of_events(table);
        Some(Window { now: self.present(&ty, span), low: None, high: None })
    }

    /// `last 90 days`, `last 30 days before D`, `60 days ago to 30 days ago`, `since D`. Its parts
    /// are the user's.
    pub(in crate::check) fn event_window(&mut self, table: usize, window: &ast::Window) -> Option<Window> {
        self.in_scope(None, |checker| checker.user_window(table, window))
    }

    fn user_window(&mut self, table: usize, window: &ast::Window) -> Option<Window> {
        let ty = self.time_of_events(table);
        let span = window.span;
        let now = self.present(&ty, span);
        let edge = |bound, inclusive| Some(Edge { bound, inclusive });
        match &window.kind {
            WindowKind::Last { amount, unit, before: None } => {
                let low = self.so_long_before(now, amount, *unit, &ty, span)?;
                Some(Window { now, low: edge(low, false), high: None })
            }
            WindowKind::Last { amount, unit, before: Some(before) } => {
                let day = self.value(before, None).and_then(|id| self.moment_of(id, before, Unit::Days));
                let length = self.window_length_in(amount, *unit, &ty);
                let (day, length, unit) = (day?, length?, Unit::from(*unit));
                let high = self.time_of_end(day, &ty, before.span)?;
                // Days are counted from day to day, whatever moment a day begins at.
                let counted_from = if matches!(unit, Unit::Hours | Unit::Minutes) { high } else { day };
                let low = self.shift(counted_from, length, false, unit, span)?;
                let low = self.time_of_end(low, &ty, before.span)?;
                Some(Window { now, low: edge(low, true), high: edge(high, false) })
            }
            WindowKind::Ago { from, to } => {
                let low = self.so_long_before(now, &from.0, from.1, &ty, span);
                let high = self.so_long_before(now, &to.0, to.1, &ty, span);
                if let (ExprKind::Number(a), ExprKind::Number(b)) = (&from.0.kind, &to.0.kind)
                    && from.1 == to.1
                    && a.scale == 0
                    && b.scale == 0
                    && a.unscaled <= b.unscaled
                {
                    self.report(
                        Diagnostic::new(codes::BAD_WINDOW, span, "this window ends before it begins")
                            .help("write the longer time first: `60 days ago to 30 days ago`"),
                    );
                    return None;
                }
                Some(Window { now, low: edge(low?, false), high: edge(high?, true) })
            }
            WindowKind::Since(from) => {
                let low = self.window_end(from, &ty)?;
                Some(Window { now, low: edge(low, true), high: None })
            }
        }
    }

    /// The moment so long before another.
    fn so_long_before(
        &mut self,
        moment: NodeId,
        amount: &ast::Expr,
        unit: ast::Unit,
        ty: &Type,
        span: Span,
    ) -> Option<NodeId> {
        let length = self.window_length_in(amount, unit, ty)?;
        self.shift(moment, length, false, unit.into(), span)
    }

    /// The length of a window over events with that kind of time.
    fn window_length_in(&mut self, amount: &ast::Expr, unit: ast::Unit, ty: &Type) -> Option<NodeId> {
        let unit = Unit::from(unit);
        if *ty == Type::Date && matches!(unit, Unit::Hours | Unit::Minutes) {
            self.report(
                Diagnostic::new(
                    codes::NEEDS_TIMESTAMP,
                    amount.span,
                    format!(
                        "these events have a date and no time of day to count {} by",
                        spell::unit_name(unit)
                    ),
                )
                .help("count in `days`, or declare the table's `at` as a `timestamp`"),
            );
            return None;
        }
        self.window_length(amount)
    }

    /// The end of a window as the events count time.
    fn window_end(&mut self, e: &ast::Expr, ty: &Type) -> Option<NodeId> {
        let id = self.value(e, None)?;
        let id = self.moment_of(id, e, Unit::Days)?;
        self.time_of_end(id, ty, e.span)
    }

    /// A date or timestamp as the events count time.
    fn time_of_end(&mut self, id: NodeId, ty: &Type, span: Span) -> Option<NodeId> {
        match ty {
            Type::Date => Some(self.local_date(id, span)),
            _ => self.coerce(id, ty, span, "the end of a window"),
        }
    }

    /// `sequence(orders where … then … without … then no …, within 7 days)`.
    pub(super) fn sequence(&mut self, call: &ast::SequenceCall, span: Span) -> Option<NodeId> {
        let mut steps: Vec<SequenceStep> = Vec::new();
        let mut without: Vec<EventPattern> = Vec::new();
        let mut absent = None;
        let mut sound = self.steps_in_order(&call.steps);
        for step in &call.steps {
            let Some(pattern) = self.event_pattern(&step.source) else {
                sound = false;
                continue;
            };
            match step.kind {
                StepKind::Then => steps.push(SequenceStep { pattern, without: std::mem::take(&mut without) }),
                StepKind::ThenNo => absent = Some(pattern),
                StepKind::Without => without.push(pattern),
            }
        }
        let within = match &call.within {
            Some((amount, unit, at)) => match self.limit(amount, *unit, *at) {
                Some(limit) => Some(limit),
                None => {
                    sound = false;
                    None
                }
            },
            None => None,
        };
        if let Some((_, unit, at)) = &call.within
            && sound
            && matches!(unit, ast::Unit::Hours | ast::Unit::Minutes)
            && steps.iter().all(|step| self.time_of_events(step.pattern.table) == Type::Date)
        {
            self.report(
                Diagnostic::new(
                    codes::NEEDS_TIMESTAMP,
                    *at,
                    "these events have a date and no time of day to count hours by",
                )
                .help("count in `days`, or declare the tables' `at` as a `timestamp`"),
            );
            sound = false;
        }
        if !sound {
            return None;
        }
        let now = self.now(span);
        Some(self.condition_node(Expr::Sequence(Sequence { steps, absent, within, now }), span))
    }

    /// `then no` is the last, and `without` stands between two steps.
    fn steps_in_order(&mut self, steps: &[ast::Step]) -> bool {
        let mut sound = true;
        for (at, step) in steps.iter().enumerate() {
            let next = steps.get(at + 1).map(|step| step.kind);
            let (message, help) = match (step.kind, next) {
                (StepKind::ThenNo, Some(_)) => (
                    "nothing comes after a step that must not happen",
                    "what lies between two steps is left out with `without`: `then A without B then C`",
                ),
                (StepKind::Without, None) => (
                    "`without` says what does not lie between two steps, and no step follows",
                    "add the step with `then`, or end with `then no …`",
                ),
                (StepKind::Without, Some(StepKind::ThenNo)) => {
                    ("`without` stands before a step that happens", "one `then no … where a or b` says both")
                }
                _ => continue,
            };
            self.report(Diagnostic::new(codes::BAD_SEQUENCE, step.span, message).help(help));
            sound = false;
        }
        sound
    }

    fn event_pattern(&mut self, source: &ast::EventSource) -> Option<EventPattern> {
        let table = self.resolve_events(&source.table)?;
        let filter = self.event_filter(table, source.filter.as_ref())?;
        Some(EventPattern { table, filter })
    }

    /// The limit of a sequence: a fixed, positive length that is the same everywhere.
    fn limit(&mut self, amount: &ast::Expr, unit: ast::Unit, span: Span) -> Option<Limit> {
        let unit = Unit::from(unit);
        if matches!(unit, Unit::Months | Unit::Years) {
            self.report(
                Diagnostic::new(
                    codes::BAD_SEQUENCE,
                    span,
                    format!(
                        "{} are not all of one length, and a sequence is timed exactly",
                        spell::unit_name(unit)
                    ),
                )
                .help("count in `days`"),
            );
            return None;
        }
        match self.in_scope(None, |checker| checker.constant(amount, &Type::Int))? {
            Value::Int(n) if (1..=1_000_000).contains(&n) => Some(Limit { amount: n, unit }),
            _ => {
                self.report(
                    Diagnostic::new(
                        codes::BAD_WINDOW,
                        amount.span,
                        "a limit is a whole number from 1 to 1,000,000",
                    )
                    .help("write for example `within 7 days`"),
                );
                None
            }
        }
    }
}
