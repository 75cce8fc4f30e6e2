//! Functions, by name.

use super::numbers::{is_moment, is_number};
use super::{Checker, spell};
use crate::diagnostic::codes::types as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{DatePart, Expr, NodeId, NumberFunction, TextFunction, Type, TypeId, Unit, Value};
use crate::syntax::ast;

/// A function of the language.
#[derive(Clone, Copy)]
enum Function {
    Text(TextFunction),
    Length,
    Size,
    Number(NumberFunction),
    Round,
    Extreme { least: bool },
    Date,
    Part(DatePart),
    Hour,
    Time,
    Weekend,
    Workday,
    Digits,
}

/// All functions with their names and how many values they take.
const FUNCTIONS: &[(&str, Function, std::ops::RangeInclusive<usize>)] = &[
    ("lower", Function::Text(TextFunction::Lower), 1..=1),
    ("upper", Function::Text(TextFunction::Upper), 1..=1),
    ("trim", Function::Text(TextFunction::Trim), 1..=1),
    ("length", Function::Length, 1..=1),
    ("size", Function::Size, 1..=1),
    ("abs", Function::Number(NumberFunction::Abs), 1..=1),
    ("floor", Function::Number(NumberFunction::Floor), 1..=1),
    ("ceil", Function::Number(NumberFunction::Ceil), 1..=1),
    ("log", Function::Number(NumberFunction::Log), 1..=1),
    ("sqrt", Function::Number(NumberFunction::Sqrt), 1..=1),
    ("round", Function::Round, 1..=2),
    ("min", Function::Extreme { least: true }, 2..=usize::MAX),
    ("max", Function::Extreme { least: false }, 2..=usize::MAX),
    ("date", Function::Date, 1..=1),
    ("year", Function::Part(DatePart::Year), 1..=1),
    ("quarter", Function::Part(DatePart::Quarter), 1..=1),
    ("month", Function::Part(DatePart::Month), 1..=1),
    ("day", Function::Part(DatePart::Day), 1..=1),
    ("weekday", Function::Part(DatePart::Weekday), 1..=1),
    ("hour", Function::Hour, 1..=1),
    ("time", Function::Time, 1..=1),
    ("weekend", Function::Weekend, 1..=1),
    ("workday", Function::Workday, 1..=1),
    ("digits", Function::Digits, 1..=usize::MAX),
];

/// What other tools call them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("len", "length(…)"),
    ("char_length", "length(…)"),
    ("strlen", "length(…)"),
    ("count", "size(…)"),
    ("lowercase", "lower(…)"),
    ("lcase", "lower(…)"),
    ("uppercase", "upper(…)"),
    ("ucase", "upper(…)"),
    ("ceiling", "ceil(…)"),
    ("ln", "log(…)"),
    ("least", "min(…)"),
    ("greatest", "max(…)"),
    ("coalesce", "a or_else b"),
    ("ifnull", "a or_else b"),
    ("nvl", "a or_else b"),
    ("isnull", "x is missing"),
    ("if", "case { when … then … otherwise … }"),
    ("datediff", "days from a to b"),
    ("date_diff", "days from a to b"),
    ("dateadd", "x + 30 days"),
    ("date_add", "x + 30 days"),
    ("now", "now"),
    ("today", "today"),
    ("current_date", "today"),
    ("curdate", "today"),
    ("getdate", "now"),
    ("dayofweek", "weekday(…)"),
    ("concat", "one test for each part, with `and`"),
    ("mod", "a mod b"),
    ("pow", "a * a"),
    ("power", "a * a"),
];

impl Checker {
    /// `round(x, 2)`.
    pub(super) fn call(
        &mut self,
        name: &ast::Name,
        arguments: &[ast::Expr],
        expected: Option<&Type>,
        span: Span,
    ) -> Option<NodeId> {
        if name.text == "last" && !name.quoted {
            self.last_of_what(arguments, span);
            return None;
        }
        let Some((shown, function, takes)) = FUNCTIONS.iter().find(|(known, ..)| *known == name.text) else {
            self.unknown_function(name);
            return None;
        };
        if !takes.contains(&arguments.len()) {
            let wanted = match (takes.start(), takes.end()) {
                (1, 1) => "one value".to_owned(),
                (1, &usize::MAX) => "one or more values".to_owned(),
                (2, &usize::MAX) => "two or more values".to_owned(),
                (a, b) => format!("{a} or {b} values"),
            };
            let finding = Diagnostic::new(
                codes::WRONG_ARGUMENTS,
                span,
                format!("`{shown}` takes {wanted}, and {} stand here", arguments.len()),
            );
            self.report(match (function, arguments) {
                (Function::Extreme { .. }, [_]) => finding.help(format!(
                    "write at least two, such as `{shown}(a, b)`; of a user's events it is `{shown}(amount of orders)`"
                )),
                _ => finding,
            });
            return None;
        }
        let (first, rest) = arguments.split_first()?;
        match function {
            Function::Text(function) => {
                let text = self.text(first, &format!("`{shown}`"))?;
                Some(self.derived(Expr::TextFunction(*function, text), text, Type::Text, span))
            }
            Function::Length => {
                let id = self.value(first, None)?;
                if let Type::List(_) = self.node(id).ty {
                    self.report(
                        Diagnostic::new(
                            codes::WRONG_TYPE,
                            first.span,
                            "`length` counts the characters of a text",
                        )
                        .help("the number of items of a list is `size(…)`"),
                    );
                    return None;
                }
                let text = self.text(first, "`length`")?;
                Some(self.derived(Expr::TextLength(text), text, Type::Int, span))
            }
            Function::Size => self.size(first, span),
            Function::Number(function) => self.number_function(*function, first, expected, span),
            Function::Round => self.round(first, rest.first(), span),
            Function::Extreme { least } => self.extreme(*least, shown, arguments, expected, span),
            Function::Date => {
                let moment = self.moment_value(first)?;
                Some(self.local_date(moment, span))
            }
            Function::Part(part) => {
                let date = self.date_of(first)?;
                let ty = if *part == DatePart::Weekday { Type::Label(TypeId::WEEKDAY) } else { Type::Int };
                Some(self.derived(Expr::DatePart(*part, date), date, ty, span))
            }
            Function::Hour => {
                let moment = self.timestamp(first)?;
                Some(self.derived(Expr::Hour(moment), moment, Type::Int, span))
            }
            Function::Time => {
                let moment = self.timestamp(first)?;
                Some(self.derived(Expr::TimeOfDay(moment), moment, Type::Time, span))
            }
            Function::Weekend => {
                let date = self.date_of(first)?;
                Some(self.weekday_in(date, &[5, 6], span))
            }
            Function::Digits => self.digits_of(arguments, span),
            Function::Workday => {
                let date = self.date_of(first)?;
                Some(if self.has_calendar {
                    self.condition_node(Expr::Workday(date), span)
                } else {
                    self.weekday_in(date, &[0, 1, 2, 3, 4], span)
                })
            }
        }
    }

    /// `last(orders)`: the parser leaves it as a call, for it might have begun a window.
    fn last_of_what(&mut self, arguments: &[ast::Expr], span: Span) {
        let events = match arguments.first().map(|e| &e.kind) {
            Some(ast::ExprKind::Name(name)) => name.text.as_str(),
            _ => "orders",
        };
        self.report(
            Diagnostic::new(
                crate::diagnostic::codes::time::BAD_AGGREGATE,
                span,
                "`last` does not say of which value of the events",
            )
            .help(format!("write `last(amount of {events})`")),
        );
    }

    /// A node that is missing just when its operand is.
    fn derived(&mut self, expr: Expr, operand: NodeId, ty: Type, span: Span) -> NodeId {
        let optional = self.node(operand).optional;
        self.builder.node(expr, ty, optional, span)
    }

    /// The condition that a date falls on certain weekdays (Monday is 0).
    fn weekday_in(&mut self, date: NodeId, weekdays: &[u32], span: Span) -> NodeId {
        let weekday =
            self.derived(Expr::DatePart(DatePart::Weekday, date), date, Type::Label(TypeId::WEEKDAY), span);
        let set = weekdays.iter().map(|code| Value::Label(*code)).collect();
        self.condition_node(Expr::InSet { value: weekday, set }, span)
    }

    /// A date or timestamp.
    fn moment_value(&mut self, e: &ast::Expr) -> Option<NodeId> {
        let id = self.value(e, None)?;
        self.moment_of(id, e, Unit::Days)
    }

    /// The date of a date or timestamp.
    fn date_of(&mut self, e: &ast::Expr) -> Option<NodeId> {
        let moment = self.moment_value(e)?;
        Some(self.local_date(moment, e.span))
    }

    /// A timestamp.
    fn timestamp(&mut self, e: &ast::Expr) -> Option<NodeId> {
        let id = self.value(e, None)?;
        self.moment_of(id, e, Unit::Hours)
    }

    /// `size(tags)`.
    fn size(&mut self, e: &ast::Expr, span: Span) -> Option<NodeId> {
        let id = self.value(e, None)?;
        let ty = self.node(id).ty.clone();
        if let Type::List(_) = ty {
            return Some(self.derived(Expr::ListSize(id), id, Type::Int, span));
        }
        let finding = Diagnostic::new(
            codes::WRONG_TYPE,
            e.span,
            format!(
                "`size` counts the items of a list, but {} is {}",
                spell::expression(e),
                self.a_type(&ty)
            ),
        );
        self.report(match ty {
            Type::Text => finding.help("the number of characters of a text is `length(…)`"),
            _ => finding,
        });
        None
    }

    /// `abs`, `floor`, `ceil`, `log`, `sqrt`.
    fn number_function(
        &mut self,
        function: NumberFunction,
        e: &ast::Expr,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<NodeId> {
        let expected = expected.filter(|ty| is_number(ty));
        let id = self.value(e, expected)?;
        let name = match function {
            NumberFunction::Abs => "`abs`",
            NumberFunction::Floor => "`floor`",
            NumberFunction::Ceil => "`ceil`",
            NumberFunction::Log => "`log`",
            NumberFunction::Sqrt => "`sqrt`",
            NumberFunction::Negate => "`-`",
        };
        let id = self.needs_number(id, e, name)?;
        if matches!(function, NumberFunction::Log | NumberFunction::Sqrt) {
            let id = self.as_float(id, e.span)?;
            // Of what is below zero there is none.
            return Some(self.builder.node(Expr::NumberFunction(function, id), Type::Float, true, span));
        }
        let ty = self.node(id).ty.clone();
        Some(self.derived(Expr::NumberFunction(function, id), id, ty, span))
    }

    /// `round(x)`, `round(x, 2)`.
    fn round(&mut self, e: &ast::Expr, digits: Option<&ast::Expr>, span: Span) -> Option<NodeId> {
        let id = self.value(e, None).and_then(|id| self.needs_number(id, e, "`round`"));
        let digits = match digits {
            None => 0,
            Some(digits) => match self.constant(digits, &Type::Int)? {
                Value::Int(n) if (-38..=38).contains(&n) => i32::try_from(n).ok()?,
                _ => {
                    self.report(Diagnostic::new(
                        codes::WRONG_ARGUMENTS,
                        digits.span,
                        "`round` keeps at most 38 digits",
                    ));
                    return None;
                }
            },
        };
        let id = id?;
        let ty = match self.node(id).ty.clone() {
            Type::Decimal { precision, scale } => {
                let kept = u8::try_from(digits.max(0)).unwrap_or(0).min(scale);
                // Rounding up may need a digit more: 9.9 becomes 10.
                let precision = (precision - (scale - kept)).saturating_add(1).min(38);
                Type::Decimal { precision: precision.max(1), scale: kept }
            }
            ty => ty,
        };
        Some(self.derived(Expr::Round(id, digits), id, ty, span))
    }

    /// `min(a, b, …)` and `max`.
    fn extreme(
        &mut self,
        least: bool,
        shown: &str,
        arguments: &[ast::Expr],
        expected: Option<&Type>,
        span: Span,
    ) -> Option<NodeId> {
        let operands: Vec<&ast::Expr> = arguments.iter().collect();
        let expected = expected.filter(|ty| is_number(ty) || is_moment(ty));
        let ids = self.together(&operands, expected, &vec![None; operands.len()])?;
        let ty = ids.first().map(|id| self.node(*id).ty.clone())?;
        if !is_number(&ty) && !is_moment(&ty) {
            let (first, id) = (operands.first()?, ids.first()?);
            self.needs_number(*id, first, &format!("`{shown}`"))?;
        }
        let optional = ids.iter().any(|id| self.node(*id).optional);
        let expr = if least { Expr::Least(ids) } else { Expr::Greatest(ids) };
        Some(self.builder.node(expr, ty, optional, span))
    }

    /// Reports a function that does not exist.
    fn unknown_function(&mut self, name: &ast::Name) {
        let finding = Diagnostic::new(
            codes::UNKNOWN_FUNCTION,
            name.span,
            format!("there is no function `{}`", name.text),
        );
        let lowered = name.text.to_lowercase();
        let known = || FUNCTIONS.iter().map(|(known, ..)| *known);
        let same = known().find(|known| *known == lowered);
        let elsewhere = ELSEWHERE.iter().find(|(theirs, _)| *theirs == lowered);
        let finding = if let Some(same) = same {
            finding.help(format!("write it in lower case: `{same}`")).fix(name.span, same)
        } else if let Some((_, ours)) = elsewhere {
            finding.help(format!("here it is written `{ours}`"))
        } else if let Some(nearest) = spell::nearest(&name.text, known()) {
            finding.help(format!("did you mean `{nearest}`?")).fix(name.span, nearest)
        } else {
            finding.help(format!("the functions are {}", known().collect::<Vec<_>>().join(", ")))
        };
        self.report(finding);
    }
}
