//! A program as text again: every shorthand spelled out, every name resolved. The text is a rule
//! file of its own and means the same.

mod anniversary;
mod behaviour;
mod campaign;
mod column;
mod declarations;
mod expressions;
mod unstated;

use super::{Expr, NodeId, Program, Source, TypeId, Unit};
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
}

/// A path as seen from the working folder.
fn path(source: &Source) -> String {
    if source.folder.is_empty() { source.path.clone() } else { format!("{}/{}", source.folder, source.path) }
}
