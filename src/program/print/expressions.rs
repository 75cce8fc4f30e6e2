//! Expressions as text.

use super::{Printer, label, name, string, unit, unstated};
use crate::program::{
    ArithmeticOp, CompareOp, DatePart, Expr, NodeId, NumberFunction, Quantifier, TextFunction, TextTest,
    Type, TypeId, Value,
};

use std::fmt::Write as _;

impl Printer<'_> {
    /// A constant.
    pub(super) fn value(&self, value: &Value, ty: &Type) -> String {
        match value {
            // There is no literal for a missing value; this has none in any case.
            Value::Missing => format!("case {{ when false then {} }}", self.some_value(ty)),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => plain_float(*value),
            Value::Decimal(value) => value.to_string(),
            Value::Text(value) => string(value),
            Value::Date(days) => self.calendar.date(*days),
            Value::Timestamp(micros) => self.calendar.timestamp(*micros),
            Value::Time(micros) => {
                let seconds = micros / 1_000_000;
                format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
            }
            Value::Label(code) => match ty {
                Type::Label(TypeId::WEEKDAY) if self.weekdays_alone.get() => unstated::weekday(*code),
                Type::Label(ty) => label(self.program.label(*ty, *code)),
                _ => code.to_string(),
            },
            Value::List(items) => {
                let item = match ty {
                    Type::List(item) => item.as_ref(),
                    other => other,
                };
                let items: Vec<String> = items.iter().map(|value| self.value(value, item)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// Any value of a type.
    pub(super) fn some_value(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "false".to_owned(),
            Type::Int => "0".to_owned(),
            Type::Float => "0.5".to_owned(),
            Type::Decimal { .. } => "0.5".to_owned(),
            Type::Text | Type::List(_) => "\"\"".to_owned(),
            Type::Date => self.calendar.date(0),
            Type::Timestamp => self.calendar.timestamp(0),
            Type::Time => "00:00".to_owned(),
            Type::Label(ty) => label(self.program.label(*ty, 0)),
        }
    }

    /// A node: by name where it is declared, in parentheses where it is a part.
    pub(super) fn part(&self, id: NodeId) -> String {
        let text = self.expression(id);
        let simple = self.referred(id).is_some()
            || matches!(
                self.program.node(id).expr,
                Expr::Column(_)
                    | Expr::EventColumn { .. }
                    | Expr::Aggregate(_)
                    | Expr::Sequence(_)
                    | Expr::Score { .. }
                    | Expr::Digits(_)
                    | Expr::Texts(_)
                    | Expr::SplitHash { .. }
                    | Expr::Lookup { .. }
                    | Expr::LocalDate(_)
                    | Expr::DatePart(..)
                    | Expr::Case { .. }
            )
            || matches!(self.program.node(id).expr, Expr::Constant(_)) && !text.starts_with('-');
        if simple { text } else { format!("({text})") }
    }

    pub(super) fn referred(&self, id: NodeId) -> Option<&str> {
        self.named.get(&id).map(AsRef::as_ref).filter(|_| self.own != Some(id))
    }

    pub(super) fn list(&self, ids: &[NodeId], between: &str) -> String {
        ids.iter().map(|id| self.part(*id)).collect::<Vec<_>>().join(between)
    }

    pub(super) fn expression(&self, id: NodeId) -> String {
        if let Some(known) = self.referred(id) {
            return self.of_user(name(known));
        }
        let node = self.program.node(id);
        match &node.expr {
            Expr::Constant(value) => self.value(value, &node.ty),
            Expr::Column(index) => self
                .program
                .users
                .as_ref()
                .and_then(|users| users.columns.get(*index))
                .map_or(String::new(), |column| self.of_user(name(&column.name))),
            Expr::EventColumn { table, column } => self.event_column(*table, *column),
            Expr::Aggregate(of) => self.aggregate(of),
            Expr::Sequence(of) => self.sequence(of),
            Expr::Population(of) => self.population(of),
            Expr::Score { value, cuts, lowest_is_best } => self.score(*value, cuts, *lowest_is_best),
            Expr::Digits(parts) => format!("digits({})", self.list(parts, ", ")),
            Expr::Texts(arms) => self.texts(arms),
            Expr::SplitHash { seed, key } => format!("split({}, {})", self.expression(*key), string(seed)),
            Expr::Now => "now".to_owned(),
            Expr::Today => "today".to_owned(),
            Expr::And(parts) => self.list(parts, " and "),
            Expr::Or(parts) => self.list(parts, " or "),
            Expr::Not(inner) => match &self.program.node(*inner).expr {
                Expr::Compare { op: CompareOp::Eq, left, right } if self.referred(*inner).is_none() => {
                    format!("{} != {}", self.part(*left), self.part(*right))
                }
                Expr::IsKnown(x) if self.referred(*inner).is_none() => {
                    format!("{} is missing", self.part(*x))
                }
                _ => format!("not {}", self.part(*inner)),
            },
            Expr::CountOf { quantifier, count, conditions } => {
                let word = match quantifier {
                    Quantifier::AtLeast => "at least",
                    Quantifier::AtMost => "at most",
                    Quantifier::Exactly => "exactly",
                };
                format!("{word} {count} of ({})", self.list(conditions, ", "))
            }
            Expr::IsTrue(x) => self.expression(*x),
            Expr::IsKnown(x) => format!("{} is known", self.part(*x)),
            Expr::Compare { op, left, right } => {
                let op = match op {
                    CompareOp::Eq => "=",
                    CompareOp::Lt => "<",
                    CompareOp::Le => "<=",
                    CompareOp::Gt => ">",
                    CompareOp::Ge => ">=",
                };
                format!("{} {op} {}", self.part(*left), self.part(*right))
            }
            Expr::InSet { value, set } => {
                let ty = &self.program.node(*value).ty;
                let items: Vec<String> = set.iter().map(|item| self.value(item, ty)).collect();
                format!("{} in ({})", self.part(*value), items.join(", "))
            }
            Expr::TextTest { test, text, pattern } => {
                let word = match test {
                    TextTest::Contains => "contains",
                    TextTest::StartsWith => "starts with",
                    TextTest::EndsWith => "ends with",
                };
                format!("{} {word} {}", self.part(*text), self.part(*pattern))
            }
            Expr::Matches { text, pattern } => format!("{} matches {}", self.part(*text), string(pattern)),
            Expr::Has { list, item } => format!("{} has {}", self.part(*list), self.part(*item)),
            Expr::Workday(x) => format!("workday({})", self.expression(*x)),
            Expr::AnniversaryWithin { date, start, end } => self.anniversary(*date, *start, *end),
            Expr::Case { arms, otherwise } => {
                let mut text = "case {".to_owned();
                for (condition, value) in arms {
                    let _ = write!(text, " when {} then {}", self.expression(*condition), self.part(*value));
                }
                if let Some(value) = otherwise {
                    let _ = write!(text, " otherwise {}", self.part(*value));
                }
                text + " }"
            }
            Expr::Points(arms) => {
                let mut text = "points {".to_owned();
                for (condition, points) in arms {
                    let _ = write!(text, " when {} then {points}", self.expression(*condition));
                }
                text + " }"
            }
            Expr::OrElse(x, y) => format!("{} or_else {}", self.part(*x), self.part(*y)),
            Expr::Arithmetic { op, left, right } => {
                let op = match op {
                    ArithmeticOp::Add => "+",
                    ArithmeticOp::Subtract => "-",
                    ArithmeticOp::Multiply => "*",
                    ArithmeticOp::Divide => "/",
                    ArithmeticOp::Modulo => "mod",
                };
                format!("{} {op} {}", self.part(*left), self.part(*right))
            }
            Expr::NumberFunction(function, x) => {
                let word = match function {
                    NumberFunction::Abs => "abs",
                    NumberFunction::Floor => "floor",
                    NumberFunction::Ceil => "ceil",
                    NumberFunction::Log => "log",
                    NumberFunction::Sqrt => "sqrt",
                    NumberFunction::Negate => return format!("-{}", self.part(*x)),
                };
                format!("{word}({})", self.expression(*x))
            }
            Expr::Round(x, digits) => format!("round({}, {digits})", self.expression(*x)),
            Expr::Least(parts) => format!("min({})", self.list(parts, ", ")),
            Expr::Greatest(parts) => format!("max({})", self.list(parts, ", ")),
            Expr::Convert(x) => self.expression(*x),
            Expr::TextFunction(function, x) => {
                let word = match function {
                    TextFunction::Lower => "lower",
                    TextFunction::Upper => "upper",
                    TextFunction::Trim => "trim",
                };
                format!("{word}({})", self.expression(*x))
            }
            Expr::TextLength(x) => format!("length({})", self.expression(*x)),
            Expr::ListSize(x) => format!("size({})", self.expression(*x)),
            Expr::LocalDate(x) => format!("date({})", self.expression(*x)),
            Expr::TimeOfDay(x) => format!("time({})", self.expression(*x)),
            Expr::Hour(x) => format!("hour({})", self.expression(*x)),
            Expr::DatePart(part, x) => {
                let word = match part {
                    DatePart::Year => "year",
                    DatePart::Quarter => "quarter",
                    DatePart::Month => "month",
                    DatePart::Day => "day",
                    DatePart::Weekday => "weekday",
                };
                format!("{word}({})", self.expression(*x))
            }
            Expr::Shift { value, amount, unit: of } => match &self.program.node(*amount).expr {
                Expr::Constant(Value::Int(n)) if *n < 0 => {
                    format!("{} - {} {}", self.part(*value), n.unsigned_abs(), unit(*of))
                }
                Expr::Constant(Value::Int(n)) => format!("{} + {n} {}", self.part(*value), unit(*of)),
                _ => format!("{} + ({}) {}", self.part(*value), self.expression(*amount), unit(*of)),
            },
            Expr::Elapsed { unit: of, from, to } => {
                // A `case` is no end of a stretch of time as it stands.
                let end = |id: NodeId| match self.part(id) {
                    text if text.starts_with("case {") => format!("({text})"),
                    text => text,
                };
                format!("{} from {} to {}", unit(*of), end(*from), end(*to))
            }
            // Only a program without a moment still has these.
            Expr::ElapsedBound { unit: of, at_least, to } => {
                format!("{} - {at_least} {}", self.part(*to), unit(*of))
            }
            Expr::Lookup { lookup, column, key } => {
                let table = self.program.lookups.get(*lookup);
                let column = table.and_then(|table| table.columns.get(*column));
                format!(
                    "{}[{}].{}",
                    table.map_or(String::new(), |table| name(&table.name)),
                    self.expression(*key),
                    column.map_or(String::new(), |column| name(&column.name))
                )
            }
        }
    }
}

/// A double without an exponent, with a point.
fn plain_float(value: f64) -> String {
    value.to_string()
}
