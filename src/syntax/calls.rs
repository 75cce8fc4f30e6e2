//! Calls: functions, and what sums up events or the population, which look like functions until
//! their brackets say more.

use super::ast::{
    AggregateCall, AsOf, EventSource, Expr, ExprKind, Into, Name, PopulationCall, ScoreCall, SequenceCall,
    Step, StepKind, Unit, Window, WindowKind,
};
use super::build::{Builder, Node};
use super::grammar::Rule;
use super::lexemes::unit_of;
use crate::diagnostic::codes::time as codes;
use crate::diagnostic::{Diagnostic, Span};

/// Functions that are of events, whatever stands in their brackets.
const OF_EVENTS: [&str; 10] =
    ["count", "sum", "avg", "first", "last", "distinct", "mode", "share", "any", "none"];

/// What stands between two commas of a call.
struct Argument {
    span: Span,
    value: Option<Expr>,
    /// After `of`.
    of: Option<Name>,
    filter: Option<Expr>,
    into: Option<Into>,
    steps: Vec<Step>,
    more: Option<More>,
}

/// A part that is no value.
enum More {
    Window(Window),
    Within(Expr, Unit),
    LowestIsBest,
}

impl Argument {
    fn is_plain(&self) -> bool {
        self.of.is_none()
            && self.filter.is_none()
            && self.into.is_none()
            && self.steps.is_empty()
            && self.more.is_none()
    }
}

impl Builder<'_> {
    /// A call of any kind.
    pub fn call(&self, name: Name, node: Node) -> ExprKind {
        let mut arguments = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::argument => arguments.push(self.argument(part)),
                Rule::trailing_comma => self.trailing_comma(&part),
                _ => {}
            }
        }
        let known = !name.quoted;
        match name.text.as_str() {
            "score" if known => self.score(&name, arguments),
            "sequence" if known => self.sequence(&name, arguments),
            word => {
                // `last (n)` begins a window, and only what follows tells.
                let may_be_window = word == "last" && matches!(arguments.as_slice(), [one] if one.is_plain());
                let of_events = known && OF_EVENTS.contains(&word) && !may_be_window;
                if of_events || arguments.iter().any(|argument| !argument.is_plain()) {
                    return self.aggregate(name, arguments);
                }
                ExprKind::Call(name, arguments.into_iter().filter_map(|argument| argument.value).collect())
            }
        }
    }

    fn argument(&self, node: Node) -> Argument {
        let span = self.span(&node);
        let mut argument =
            Argument { span, value: None, of: None, filter: None, into: None, steps: Vec::new(), more: None };
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::window => argument.more = self.more(part),
                Rule::expr => argument.value = Some(self.expression(part)),
                Rule::of_events => {
                    for inner in part.into_inner() {
                        match inner.as_rule() {
                            Rule::name => argument.of = Some(self.name(&inner)),
                            Rule::where_events => argument.filter = self.filter(inner),
                            _ => {}
                        }
                    }
                }
                Rule::where_events => argument.filter = self.filter(part),
                Rule::into => argument.into = self.parts_of_score(part),
                Rule::steps => argument.steps.extend(self.step(part)),
                Rule::window_tail => {
                    let window = argument.value.take().and_then(|value| self.window_tail(value, part, span));
                    argument.more = window.map(More::Window);
                }
                _ => {}
            }
        }
        argument
    }

    /// The condition after `where`.
    fn filter(&self, node: Node) -> Option<Expr> {
        let inner = node.into_inner().find(|part| part.as_rule() == Rule::expr)?;
        Some(self.expression(inner))
    }

    fn parts_of_score(&self, node: Node) -> Option<Into> {
        let inner = node.into_inner().find(|part| part.as_rule() != Rule::kw_into)?;
        match inner.as_rule() {
            Rule::items => Some(Into::Cuts(self.items(inner))),
            Rule::expr => Some(Into::Bins(self.expression(inner))),
            _ => None,
        }
    }

    fn step(&self, node: Node) -> Option<Step> {
        let span = self.span(&node);
        let mut kind = StepKind::Then;
        let mut table = None;
        let mut filter = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::kw_no => kind = StepKind::ThenNo,
                Rule::kw_without => kind = StepKind::Without,
                Rule::name => table = Some(self.name(&part)),
                Rule::where_events => filter = self.filter(part),
                _ => {}
            }
        }
        Some(Step { kind, source: EventSource { table: table?, filter }, span })
    }

    /// `last 90 days`, `since x`, `within 7 days`, `lowest is best`.
    fn more(&self, node: Node) -> Option<More> {
        let span = self.span(&node);
        let mut word = None;
        let mut length = None;
        let mut value = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::span => length = self.length_of_time(part),
                Rule::expr => value = Some(self.expression(part)),
                rule => word = word.or(Some(rule)),
            }
        }
        Some(match (word?, length, value) {
            (Rule::kw_last, Some((amount, unit)), before) => {
                More::Window(Window { kind: WindowKind::Last { amount, unit, before }, span })
            }
            (Rule::kw_since, _, Some(from)) => More::Window(Window { kind: WindowKind::Since(from), span }),
            (Rule::kw_within, Some((amount, unit)), _) => More::Within(amount, unit),
            (Rule::kw_lowest, ..) => More::LowestIsBest,
            _ => return None,
        })
    }

    /// A window whose first words read as an expression: `60 days ago to 30 days ago`, `last (n) days`.
    fn window_tail(&self, value: Expr, node: Node, span: Span) -> Option<Window> {
        let mut length = None;
        let mut unit = None;
        let mut before = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::span => length = self.length_of_time(part),
                Rule::unit => unit = Some(unit_of(part.as_str().trim())),
                Rule::expr => before = Some(self.expression(part)),
                _ => {}
            }
        }
        let kind = match (value.kind, length, unit) {
            (ExprKind::Duration(amount, from), Some(to), _) => WindowKind::Ago { from: (*amount, from), to },
            (ExprKind::Call(name, mut arguments), _, Some(unit))
                if name.text == "last" && arguments.len() == 1 =>
            {
                WindowKind::Last { amount: arguments.pop()?, unit, before }
            }
            (ExprKind::Error, ..) => return None,
            _ => {
                self.no_window(span);
                return None;
            }
        };
        Some(Window { kind, span })
    }

    /// The lines of an `rfm` name their window alone.
    pub fn lone_window(&self, node: Node) -> Option<Window> {
        let span = self.span(&node);
        let mut value = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::window => match self.more(part) {
                    Some(More::Window(window)) => return Some(window),
                    _ => {
                        self.no_window(span);
                        return None;
                    }
                },
                Rule::expr => value = Some(self.expression(part)),
                Rule::window_tail => return self.window_tail(value.take()?, part, span),
                _ => {}
            }
        }
        None
    }

    fn no_window(&self, span: Span) {
        self.report(
            Diagnostic::new(codes::BAD_WINDOW, span, "this is no window of time")
                .help("write `last 90 days`, `since x`, or `60 days ago to 30 days ago`"),
        );
    }

    /// A table's name where an argument has one.
    fn table_of(&self, argument: &mut Argument) -> Option<Name> {
        match argument.value.take().map(|value| (value.kind, value.span)) {
            Some((ExprKind::Name(name), _)) => Some(name),
            Some((ExprKind::Error, _)) | None => None,
            Some((_, span)) => {
                self.report(
                    Diagnostic::new(codes::BAD_AGGREGATE, span, "the name of an event table belongs here")
                        .help("write it like `orders where …`; a value of each event stands before `of`: `sum(amount of orders)`"),
                );
                None
            }
        }
    }

    fn aggregate(&self, function: Name, arguments: Vec<Argument>) -> ExprKind {
        let mut arguments = arguments.into_iter();
        let Some(mut first) = arguments.next() else {
            self.report(
                Diagnostic::new(
                    codes::BAD_AGGREGATE,
                    function.span,
                    format!("`{}` does not say of which events", function.text),
                )
                .help(format!("write `{0}(orders)` or `{0}(amount of orders)`", function.text)),
            );
            return ExprKind::Error;
        };
        let faulty = std::cell::Cell::new(false);
        let odd = |builder: &Self, span: Span, message: String| {
            builder.report(
                Diagnostic::new(codes::BAD_AGGREGATE, span, message)
                    .help("after the events a window may follow: `, last 90 days`"),
            );
            faulty.set(true);
        };
        if first.into.is_some() || !first.steps.is_empty() {
            let word = if first.into.is_some() { "score" } else { "sequence" };
            odd(self, first.span, format!("this belongs into `{word}(…)`, not into `{}`", function.text));
        }
        let mut window = None;
        if first.more.take().is_some() {
            odd(self, first.span, format!("`{}` does not say of which events", function.text));
        }
        for argument in arguments {
            match argument.more {
                Some(More::Window(found)) if window.is_none() && argument.value.is_none() => {
                    window = Some(found);
                }
                Some(More::Window(_)) => odd(self, argument.span, "there is a window already".to_owned()),
                Some(More::Within(..)) => odd(
                    self,
                    argument.span,
                    format!(
                        "`within` is the limit of a `sequence`; the window of `{}` is `last …`",
                        function.text
                    ),
                ),
                Some(More::LowestIsBest) => {
                    odd(self, argument.span, "`lowest is best` belongs into `score(…)`".to_owned());
                }
                None if argument.value.as_ref().is_some_and(|value| value.kind == ExprKind::Error) => {
                    faulty.set(true);
                    continue;
                }
                None if argument
                    .value
                    .as_ref()
                    .is_some_and(|it| matches!(it.kind, ExprKind::Duration(..))) =>
                {
                    self.report(
                        Diagnostic::new(
                            codes::BAD_WINDOW,
                            argument.span,
                            "this length of time does not say which stretch of time is meant",
                        )
                        .help("write `last` before it for the time up to now: `last 90 days`"),
                    );
                    faulty.set(true);
                }
                None => odd(
                    self,
                    argument.span,
                    format!("`{}` takes one kind of events, and this is one thing more", function.text),
                ),
            }
        }
        let (value, table) = match first.of.take() {
            Some(table) => (first.value.take(), Some(table)),
            None => (None, self.table_of(&mut first)),
        };
        match table {
            Some(table) if !faulty.get() => ExprKind::Aggregate(Box::new(AggregateCall {
                function,
                value,
                source: EventSource { table, filter: first.filter },
                window,
            })),
            _ => ExprKind::Error,
        }
    }

    fn sequence(&self, name: &Name, arguments: Vec<Argument>) -> ExprKind {
        let mut steps = Vec::new();
        let mut within = None;
        let mut faulty = false;
        for (at, mut argument) in arguments.into_iter().enumerate() {
            match argument.more.take() {
                Some(More::Within(amount, unit)) if within.is_none() && argument.value.is_none() => {
                    within = Some((amount, unit, argument.span));
                    continue;
                }
                None if at == 0 && argument.into.is_none() && argument.of.is_none() => {}
                _ => {
                    self.report(
                        Diagnostic::new(codes::BAD_SEQUENCE, argument.span, "this is no part of a sequence")
                            .help("write steps joined by `then`, and the limit after a comma: `, within 7 days`"),
                    );
                    faulty = true;
                    continue;
                }
            }
            match self.table_of(&mut argument) {
                Some(table) => {
                    let span =
                        argument.filter.as_ref().map_or(table.span, |filter| table.span.to(filter.span));
                    let source = EventSource { table, filter: argument.filter };
                    steps.push(Step { kind: StepKind::Then, source, span });
                }
                None => faulty = true,
            }
            steps.extend(argument.steps);
        }
        if steps.is_empty() && !faulty {
            self.report(
                Diagnostic::new(codes::BAD_SEQUENCE, name.span, "this sequence has no steps")
                    .help("write `sequence(visits then orders, within 7 days)`"),
            );
            faulty = true;
        }
        if faulty { ExprKind::Error } else { ExprKind::Sequence(Box::new(SequenceCall { steps, within })) }
    }

    fn score(&self, name: &Name, arguments: Vec<Argument>) -> ExprKind {
        let mut arguments = arguments.into_iter();
        let first = arguments.next();
        let mut lowest_is_best = false;
        let mut faulty = false;
        for argument in arguments {
            match argument.more {
                Some(More::LowestIsBest) if !lowest_is_best => lowest_is_best = true,
                _ => {
                    self.report(
                        Diagnostic::new(codes::BAD_SCORE, argument.span, "this is no part of a score")
                            .help("after a comma `lowest is best` may follow, and nothing else"),
                    );
                    faulty = true;
                }
            }
        }
        match first {
            Some(Argument {
                value: Some(value),
                filter,
                into: Some(into),
                of: None,
                steps,
                more: None,
                ..
            }) if steps.is_empty() => {
                if faulty {
                    return ExprKind::Error;
                }
                ExprKind::Score(Box::new(ScoreCall { value, filter, into, lowest_is_best }))
            }
            Some(Argument { value: Some(Expr { kind: ExprKind::Error, .. }), .. }) => ExprKind::Error,
            _ => {
                self.report(
                    Diagnostic::new(
                        codes::BAD_SCORE,
                        first.map_or(name.span, |first| first.span),
                        "this score does not say what it is of and into how many parts it divides",
                    )
                    .help("write `score(x into 5)`, or with cut points of your own `score(x into (10, 50, 200))`"),
                );
                ExprKind::Error
            }
        }
    }

    /// `population avg(x)`.
    pub fn population(&self, node: Node) -> ExprKind {
        let Some(path) = node.into_inner().find(|part| part.as_rule() == Rule::path) else {
            return ExprKind::Error;
        };
        let span = self.span(&path);
        let mut parts = path.into_inner();
        let function = parts.next().map(|part| self.name(&part));
        let call = parts.next();
        let (Some(function), Some(call)) = (function, call.filter(|part| part.as_rule() == Rule::call))
        else {
            self.report(
                Diagnostic::new(codes::BAD_POPULATION, span, "this is no value of the population")
                    .help("write `population avg(x)`, or `median`, `min`, `max`, `sum`, `quantile(x, 0.8)`"),
            );
            return ExprKind::Error;
        };
        let mut arguments = Vec::new();
        for part in call.into_inner() {
            match part.as_rule() {
                Rule::argument => {
                    let argument = self.argument(part);
                    if !argument.is_plain() {
                        self.report(
                            Diagnostic::new(
                                codes::BAD_POPULATION,
                                argument.span,
                                "a value of the population is of one value a user",
                            )
                            .help("name it first, `trait x = …`, then write `population avg(x)`"),
                        );
                        return ExprKind::Error;
                    }
                    arguments.extend(argument.value);
                }
                Rule::trailing_comma => self.trailing_comma(&part),
                _ => {}
            }
        }
        ExprKind::Population(Box::new(PopulationCall { function, arguments }))
    }

    /// `lifecycle as of 30 days ago`.
    pub fn as_of(&self, before: ExprKind, span: Span, node: Node) -> ExprKind {
        let length = node.into_inner().find(|part| part.as_rule() == Rule::span);
        let Some((amount, unit)) = length.and_then(|length| self.length_of_time(length)) else {
            return ExprKind::Error;
        };
        ExprKind::AsOf(Box::new(AsOf { value: Expr { kind: before, span }, amount, unit }))
    }
}
