//! A program as text again: every shorthand spelled out, every name resolved. The text is a rule
//! file of its own and means the same.

mod anniversary;
mod behaviour;
mod campaign;
mod column;
mod unstated;

use super::{
    ArithmeticOp, CompareOp, DatePart, Declaration, DeclarationKind, Domain, Expr, Heading, Layer, Line,
    NodeId, NumberFunction, Program, Quantifier, Source, Table, TextFunction, TextTest, Type, TypeId, Unit,
    Value,
};
use hashbrown::HashMap;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Write as _;

pub use column::column;

/// Words that cannot name anything without backquotes.
const RESERVED: &[&str] = &[
    "and",
    "or",
    "not",
    "implies",
    "in",
    "is",
    "when",
    "then",
    "otherwise",
    "true",
    "false",
    "missing",
    "known",
    "contains",
    "matches",
    "has",
    "mod",
    "or_else",
    "between",
    "where",
    "of",
    "now",
    "today",
    "case",
    "points",
    "at",
    "days",
    "weeks",
    "months",
    "years",
    "hours",
    "minutes",
    "anniversary",
    "exactly",
    "population",
    "first",
    "partial",
    "by",
    "with",
    "last",
    "next",
    "starts",
    "ends",
    "before",
    "after",
    "since",
    "until",
    "from",
    "to",
    "count",
    "score",
];

/// How dates and moments are written, which needs a calendar.
pub trait Calendar {
    /// A date in days since 1970-01-01, as `2024-11-15`.
    fn date(&self, days: i32) -> String;
    /// A moment in microseconds, with its offset, as `2024-11-15T08:00:00+08:00`.
    fn timestamp(&self, micros: i64) -> String;
    /// The local date of the program's moment, in days.
    fn today(&self) -> i32;
    /// The moment itself.
    fn now(&self) -> i64;
}

/// The whole program as a rule file that fixes its `now`.
pub fn program(program: &Program, calendar: &dyn Calendar) -> String {
    let mut printer = Printer::new(program, calendar);
    printer.file();
    printer.out
}

/// One expression of a program.
pub fn expression(program: &Program, calendar: &dyn Calendar, id: NodeId) -> String {
    Printer::new(program, calendar).expression(id)
}

struct Printer<'a> {
    program: &'a Program,
    calendar: &'a dyn Calendar,
    /// Declarations by their node.
    named: HashMap<NodeId, Cow<'a, str>>,
    /// Values that become traits because nothing beside them states their type.
    unstated: Vec<NodeId>,
    /// The declaration that is being printed.
    own: Option<NodeId>,
    /// Whether bare names are an event's columns.
    in_event: Cell<bool>,
    /// Whether weekdays are written as those of a date, because nothing says that a name is one.
    weekdays_alone: Cell<bool>,
    types: HashMap<TypeId, String>,
    out: String,
}

/// A name as it is written.
fn name(text: &str) -> String {
    let mut characters = text.chars();
    let plain = characters.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first))
        && characters.all(unicode_ident::is_xid_continue)
        && text != "_"
        && !RESERVED.contains(&text);
    if plain { text.to_owned() } else { format!("`{text}`") }
}

/// A string as it is written.
fn string(text: &str) -> String {
    let mut out = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A label: a name where it is one, else a string.
fn label(text: &str) -> String {
    let written = name(text);
    if written == text { written } else { string(text) }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Minutes => "minutes",
        Unit::Hours => "hours",
        Unit::Days => "days",
        Unit::Weeks => "weeks",
        Unit::Months => "months",
        Unit::Years => "years",
    }
}

impl<'a> Printer<'a> {
    fn new(program: &'a Program, calendar: &'a dyn Calendar) -> Self {
        let mut named = HashMap::new();
        for declaration in &program.declarations {
            if !matches!(program.node(declaration.value).expr, Expr::Column(_) | Expr::Constant(_)) {
                named.entry(declaration.value).or_insert(Cow::Borrowed(declaration.heading.name.as_str()));
            }
        }
        let unstated = unstated::name_unstated(program, &mut named);
        let mut types: HashMap<TypeId, String> = HashMap::new();
        for (number, ty) in (0_u32..).zip(&program.types) {
            let mut unique = ty.name.clone();
            while types.values().any(|known| *known == unique) {
                unique.push('_');
            }
            types.insert(TypeId(number), unique);
        }
        Printer {
            program,
            calendar,
            named,
            unstated,
            own: None,
            in_event: Cell::new(false),
            weekdays_alone: Cell::new(false),
            types,
            out: String::new(),
        }
    }

    fn file(&mut self) {
        let program = self.program;
        let _ = writeln!(self.out, "strata {}", program.edition);
        let _ = writeln!(self.out, "timezone {}", string(&program.timezone));
        let now = self.calendar.timestamp(self.calendar.now());
        let _ = writeln!(self.out, "now {now}\n");
        let layers: Vec<TypeId> = program
            .declarations
            .iter()
            .filter_map(|declaration| match &declaration.kind {
                DeclarationKind::Layer(layer) => Some(layer.ty),
                DeclarationKind::Split(split) => Some(split.ty),
                _ => None,
            })
            .collect();
        for (number, ty) in (0_u32..).zip(&program.types).skip(1) {
            if !layers.contains(&TypeId(number)) {
                let labels: Vec<String> = ty.labels.iter().map(|text| label(text)).collect();
                let between = if ty.ordered { " < " } else { " | " };
                let declared = self.types.get(&TypeId(number)).map_or(String::new(), |text| name(text));
                let _ = writeln!(self.out, "type {declared} = {}", labels.join(between));
            }
        }
        for (word, table) in program
            .users
            .iter()
            .map(|table| ("table", table))
            .chain(program.lookups.iter().map(|table| ("lookup", table)))
        {
            let key = table.columns.get(table.key).map_or(String::new(), |column| name(&column.name));
            self.table(&format!("{word} {} key {key}", name(&table.name)), table);
        }
        let users = program.users.as_ref().map_or(String::new(), |users| name(&users.name));
        for events in &program.events {
            let column =
                |at: usize| events.table.columns.get(at).map_or(String::new(), |column| name(&column.name));
            let declared = name(&events.table.name);
            let (by, at) = (column(events.table.key), column(events.at));
            self.table(&format!("events {declared} of {users} by {by} at {at}"), &events.table);
        }
        if let Some(source) = &program.calendar {
            let _ = writeln!(self.out, "\ncalendar from {}", string(&path(source)));
        }
        for id in self.unstated.clone() {
            self.own = Some(id);
            self.unstated(id);
        }
        for declaration in &program.declarations {
            self.own = Some(declaration.value);
            self.declaration(declaration);
        }
        self.own = None;
        self.tests();
        self.guards();
        self.assertions();
    }

    fn table(&mut self, head: &str, table: &Table) {
        let _ = write!(self.out, "\n{head}");
        if let Some(source) = &table.source {
            let _ = write!(self.out, " from {}", string(&path(source)));
        }
        self.out.push_str(" {\n");
        for column in &table.columns {
            let _ = write!(self.out, "  {} : {}", name(&column.name), self.ty(&column.ty));
            if column.optional {
                self.out.push('?');
            }
            if let Some(domain) = &column.domain {
                let text = self.domain(domain, &column.ty);
                self.out.push_str(&text);
            }
            if column.source_name != column.name {
                let _ = write!(self.out, " from {}", string(&column.source_name));
            }
            if let Some(format) = &column.format {
                let _ = write!(self.out, " format {}", string(format));
            }
            self.out.push('\n');
        }
        self.out.push_str("}\n");
    }

    fn domain(&self, domain: &Domain, ty: &Type) -> String {
        if domain.past {
            return " past".to_owned();
        }
        let value = |value: &Value| self.value(value, ty);
        match (&domain.low, &domain.high) {
            (Some(low), Some(high)) => format!(" between {} and {}", value(&low.value), value(&high.value)),
            (Some(low), None) => format!(" {} {}", if low.inclusive { ">=" } else { ">" }, value(&low.value)),
            (None, Some(high)) => {
                format!(" {} {}", if high.inclusive { "<=" } else { "<" }, value(&high.value))
            }
            (None, None) => String::new(),
        }
    }

    fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "bool".to_owned(),
            Type::Int => "int".to_owned(),
            Type::Float => "float".to_owned(),
            Type::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Type::Text => "string".to_owned(),
            Type::Date => "date".to_owned(),
            Type::Timestamp | Type::Time => "timestamp".to_owned(),
            Type::Label(id) => self.types.get(id).map_or(String::new(), |text| name(text)),
            Type::List(item) => format!("list of {}", self.ty(item)),
        }
    }

    fn heading(heading: &Heading) -> String {
        let mut text = name(&heading.name);
        if let Some(label) = &heading.label {
            let _ = write!(text, " {}", string(label));
        }
        if !heading.properties.is_empty() {
            let properties: Vec<String> = heading
                .properties
                .iter()
                .map(|(key, value)| {
                    let value = if key == "expires" { value.clone() } else { string(value) };
                    format!("{} {value}", name(key))
                })
                .collect();
            let _ = write!(text, " with {{ {} }}", properties.join("; "));
        }
        text
    }

    fn declaration(&mut self, declaration: &Declaration) {
        for line in declaration.heading.docs.iter().flat_map(|docs| docs.lines()) {
            let _ = write!(self.out, "\n## {line}");
        }
        self.out.push('\n');
        let heading = Self::heading(&declaration.heading);
        match &declaration.kind {
            DeclarationKind::Trait => {
                let node = self.program.node(declaration.value);
                let stated = match &node.ty {
                    // A conversion is not written, so the type that asks for it is.
                    ty @ (Type::Float | Type::Decimal { .. } | Type::Timestamp) => {
                        format!(" : {}?", self.ty(ty))
                    }
                    Type::Label(_) => {
                        self.labels(&heading, declaration.value);
                        return;
                    }
                    _ => String::new(),
                };
                // As a value, a segment whose bool is missing is false.
                let value = match &node.expr {
                    Expr::IsTrue(x) if self.program.node(*x).optional => {
                        format!("{} or_else false", self.part(*x))
                    }
                    _ => self.expression(declaration.value),
                };
                let _ = writeln!(self.out, "trait {heading}{stated} = {value}");
            }
            DeclarationKind::Segment => {
                let value = self.expression(declaration.value);
                let _ = writeln!(self.out, "segment {heading} when {value}");
            }
            DeclarationKind::Scale(lines) => {
                let ty = &self.program.node(declaration.value).ty;
                let _ = writeln!(self.out, "scale {heading} : {} {{", self.ty(ty));
                for line in lines {
                    let member = match ty {
                        Type::Label(ty) => name(self.program.label(*ty, line.member)),
                        _ => String::new(),
                    };
                    self.line(&member, line.condition.map(|id| self.expression(id)));
                }
                self.out.push_str("}\n");
            }
            DeclarationKind::Layer(layer) => self.layer(&heading, layer),
            DeclarationKind::Stack(stack) => self.stack(&heading, stack),
            DeclarationKind::Play(play) => self.play(&heading, play),
            DeclarationKind::Split(split) => self.split(&heading, split),
        }
    }

    fn line(&mut self, member: &str, condition: Option<String>) {
        let _ = match condition {
            Some(condition) => writeln!(self.out, "  {member} when {condition}"),
            None => writeln!(self.out, "  {member} otherwise"),
        };
    }

    /// A layer, or a grid as a layer: several lines of one member become one.
    fn layer(&mut self, heading: &str, layer: &Layer) {
        let _ = write!(self.out, "layer {heading}");
        if layer.first_match {
            self.out.push_str(" first match");
        }
        if layer.partial {
            self.out.push_str(" partial");
        }
        self.out.push_str(" {\n");
        let mut rest: Option<String> = None;
        for (code, member) in (0_u32..).zip(&layer.members) {
            let shown = Self::heading(member);
            let lines: Vec<(usize, &Line)> =
                layer.lines.iter().enumerate().filter(|(_, line)| line.member == code).collect();
            let repeated = lines.len() > 1;
            let mut conditions = Vec::new();
            let mut otherwise = false;
            for (at, line) in lines {
                let Some(condition) = line.condition else {
                    otherwise = true;
                    continue;
                };
                let text = self.expression(condition);
                // Where a member has several lines, each has to leave out what other members took before
                // it: all of them where earlier lines win, else those that are printed after it, for
                // where an overlap was allowed the first line wins as well.
                let earlier: Vec<String> = layer
                    .lines
                    .iter()
                    .take(at)
                    .filter(|line| repeated && line.member != code)
                    .filter(|line| layer.first_match || line.member > code)
                    .filter_map(|line| line.condition)
                    .map(|id| format!("not ({})", self.expression(id)))
                    .collect();
                conditions.push(if earlier.is_empty() {
                    text
                } else {
                    format!("({text}) and {}", earlier.join(" and "))
                });
            }
            match (otherwise, conditions.as_slice()) {
                (true, []) => rest = Some(shown),
                (true, _) => rest = Some(shown),
                (false, [one]) => {
                    let one = one.clone();
                    self.line(&shown, Some(one));
                }
                (false, _) => {
                    let any: Vec<String> = conditions.iter().map(|text| format!("({text})")).collect();
                    self.line(&shown, Some(any.join(" or ")));
                }
            }
        }
        if let Some(shown) = rest {
            self.line(&shown, None);
        }
        self.out.push_str("}\n");
    }

    /// A constant.
    fn value(&self, value: &Value, ty: &Type) -> String {
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
    fn some_value(&self, ty: &Type) -> String {
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
    fn part(&self, id: NodeId) -> String {
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

    fn referred(&self, id: NodeId) -> Option<&str> {
        self.named.get(&id).map(AsRef::as_ref).filter(|_| self.own != Some(id))
    }

    fn list(&self, ids: &[NodeId], between: &str) -> String {
        ids.iter().map(|id| self.part(*id)).collect::<Vec<_>>().join(between)
    }

    fn expression(&self, id: NodeId) -> String {
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

/// A path as seen from the working folder.
fn path(source: &Source) -> String {
    if source.folder.is_empty() { source.path.clone() } else { format!("{}/{}", source.folder, source.path) }
}
