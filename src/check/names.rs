//! Names: what they stand for, what is wrong with them.

use super::{Checker, Resolved};
use crate::diagnostic::codes::names as codes;
use crate::diagnostic::{Diagnostic, FileId, Span, nearest};
use crate::program::NodeId;
use crate::syntax::ast;
use hashbrown::HashMap;
use indexmap::IndexMap;

/// How far a declaration's check has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// Not looked at: its number in the list of attributes.
    Waiting(usize),
    /// Being checked right now.
    Open(usize),
    /// Its value, or none where it is poisoned.
    Done(Option<NodeId>),
}

/// A declared name of the value name space.
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    /// Where.
    pub place: Span,
    /// How far its check has come.
    pub state: State,
}

/// `with A = B` of a `use`: in the used file A stands for B, read where the `use` stands.
#[derive(Clone, Debug)]
pub(super) struct Substitute {
    pub expr: ast::Expr,
    pub name: Span,
    pub used: bool,
    pub state: State,
}

/// All names of a program.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Columns of the user table, traits, scales, segments, layers, grids.
    pub values: IndexMap<String, Symbol>,
    /// Types; their own name space.
    pub types: IndexMap<String, Span>,
    /// Tables and lookups; their own name space.
    pub tables: IndexMap<String, Span>,
    /// By file: the names that its `use` gives it.
    pub substitutes: HashMap<(FileId, String), Substitute>,
    /// Names that are declared nowhere and have been reported: number of the finding.
    unknown: HashMap<String, usize>,
    /// Open declarations, for showing a cycle.
    pub open: Vec<(String, Span)>,
}

/// So many rules may wait for each other; more can only be reached through a cycle.
const MOST_OPEN: usize = 400;

impl Checker {
    /// Declares a name of the value name space; a second declaration is reported and refused.
    pub(super) fn declare(&mut self, name: &ast::Name, state: State) -> bool {
        if let Some(first) = self.names.values.get(&name.text) {
            let first = first.place;
            self.declared_twice(name, first);
            return false;
        }
        self.names.values.insert(name.text.clone(), Symbol { place: name.span, state });
        true
    }

    /// Reports a second declaration.
    pub(super) fn declared_twice(&mut self, name: &ast::Name, first: Span) {
        self.report(
            Diagnostic::new(codes::DECLARED_TWICE, name.span, format!("`{}` is declared twice", name.text))
                .label(first, "the first one is here")
                .help("give one of them another name"),
        );
    }

    /// What a name stands for here: in the scope of an event table one of its columns.
    pub(crate) fn resolve(&mut self, name: &ast::Name) -> Resolved {
        match self.scope {
            Some(table) => self.event_column(table, name),
            None => self.resolve_of_user(name),
        }
    }

    /// What a name stands for as a value of the user; checks its declaration first if that has not
    /// happened yet.
    pub(crate) fn resolve_of_user(&mut self, name: &ast::Name) -> Resolved {
        self.in_scope(None, |checker| checker.resolve_declared(name))
    }

    fn resolve_declared(&mut self, name: &ast::Name) -> Resolved {
        let key = (name.span.file, name.text.clone());
        if let Some(substitute) = self.names.substitutes.get_mut(&key) {
            substitute.used = true;
            match substitute.state {
                State::Done(Some(id)) => return Resolved::Node(id),
                State::Done(None) => return Resolved::Poisoned,
                State::Open(_) => {
                    substitute.state = State::Done(None);
                    self.cycle(&name.text, name.span);
                    return Resolved::Poisoned;
                }
                State::Waiting(_) => {}
            }
            substitute.state = State::Open(0);
            let expr = substitute.expr.clone();
            self.names.open.push((name.text.clone(), name.span));
            let id = self.value(&expr, None);
            self.names.open.pop();
            if let Some(substitute) = self.names.substitutes.get_mut(&key) {
                substitute.state = State::Done(id);
            }
            return id.map_or(Resolved::Poisoned, Resolved::Node);
        }
        let Some(symbol) = self.names.values.get(&name.text) else { return Resolved::Unknown };
        match symbol.state {
            State::Done(Some(id)) => Resolved::Node(id),
            State::Done(None) => Resolved::Poisoned,
            State::Open(_) => {
                self.cycle(&name.text, name.span);
                Resolved::Poisoned
            }
            State::Waiting(_) if self.names.open.len() >= MOST_OPEN => {
                self.cycle(&name.text, name.span);
                Resolved::Poisoned
            }
            State::Waiting(attribute) => {
                self.check_attribute(attribute);
                match self.names.values.get(&name.text).map(|symbol| symbol.state) {
                    Some(State::Done(Some(id))) => Resolved::Node(id),
                    _ => Resolved::Poisoned,
                }
            }
        }
    }

    /// Reports rules that need each other, once for each circle.
    fn cycle(&mut self, name: &str, place: Span) {
        let start = self.names.open.iter().position(|(open, _)| open == name).unwrap_or(0);
        let mut circle: Vec<(String, Span)> = self.names.open.iter().skip(start).cloned().collect();
        if let Some((first, _)) = circle.first().cloned() {
            circle.push((first, place));
        }
        let way: Vec<String> = circle.iter().take(6).map(|(name, _)| format!("`{name}`")).collect();
        let more = if circle.len() > 6 { " needs …" } else { "" };
        let finding = Diagnostic::new(
            codes::CYCLE,
            place,
            if circle.len() <= 2 {
                format!("`{name}` needs itself")
            } else {
                format!("these rules go in a circle: {}{more}", way.join(" needs "))
            },
        )
        .help("one of them has to be said without the others");
        self.report(finding);
    }

    /// Reports a name that is declared nowhere: once, with its other places.
    pub(crate) fn unknown_name(&mut self, name: &ast::Name, also: &[String]) {
        const MOST_PLACES: usize = 4;
        if let Some(at) = self.names.unknown.get(&name.text).copied() {
            if let Some(finding) = self.diagnostics.get_mut(at)
                && finding.labels.len() < MOST_PLACES
                && finding.span.is_some_and(|span| span != name.span)
            {
                finding
                    .labels
                    .push(crate::diagnostic::Label { span: name.span, message: "here too".to_owned() });
            }
            return;
        }
        let finding = Diagnostic::new(
            codes::UNKNOWN_NAME,
            name.span,
            format!("`{}` is not declared anywhere", name.text),
        );
        let owner = self.types.iter().find(|ty| ty.labels.contains(&name.text)).map(|ty| ty.name.clone());
        let substitutes: Vec<String> = self
            .names
            .substitutes
            .keys()
            .filter(|(file, _)| *file == name.span.file)
            .map(|(_, n)| n.clone())
            .collect();
        let candidates = self
            .names
            .values
            .keys()
            .map(String::as_str)
            .chain(also.iter().map(String::as_str))
            .chain(substitutes.iter().map(String::as_str))
            .chain(["now", "today"]);
        let near = nearest(&name.text, candidates).map(str::to_owned);
        let in_events = self.events_with_column(&name.text).map(str::to_owned);
        let finding = if self
            .folders
            .get(name.span.file.0 as usize)
            .is_some_and(|it| it == super::load::STANDARD)
        {
            finding.help(format!(
                "the standard file asks for it: say what it is where the file is used, `use \"std:…\" with {0} = …`",
                name.text
            ))
        } else if let Some(events) = in_events {
            finding.help(format!(
                "it is a column of the events `{events}`, which have many rows a user: sum it up, such as \
                 `sum({0} of {events})` or `last({0} of {events})`",
                name.text
            ))
        } else if let Some(owner) = owner {
            finding.help(format!("`{0}` is a label of `{owner}`; compare it: `{owner} = {0}`", name.text))
        } else if let Some(near) = near {
            let written = super::expr::spell::name(&near);
            finding.help(format!("did you mean `{near}`?")).fix(name.span, written)
        } else if self.names.types.contains_key(&name.text) {
            finding.help(format!("`{}` is a type; compare a column of that type", name.text))
        } else if self.names.tables.contains_key(&name.text) {
            finding.help(format!("`{}` is a table; name one of its columns", name.text))
        } else if self.users.is_none() && !self.names.users_poisoned() {
            finding.help(
                "no table of users is declared: `table users key user_id { … }` says which columns there are",
            )
        } else {
            finding.help("declare it as a column of the user table or as a `trait`, or put a text in quotes")
        };
        self.names.unknown.insert(name.text.clone(), self.diagnostics.len());
        self.report(finding);
    }
}

impl Names {
    /// Whether a user table was declared but is at fault.
    fn users_poisoned(&self) -> bool {
        !self.tables.is_empty()
    }
}
