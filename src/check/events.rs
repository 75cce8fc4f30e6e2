//! Tables of events.

use super::{Checker, Resolved};
use crate::diagnostic::codes::{names as name_codes, time as codes};
use crate::diagnostic::{Diagnostic, nearest};
use crate::program::{EventTable, Expr, Type};
use crate::syntax::ast;

impl Checker {
    /// Declares a table of events, after the table of users.
    pub(super) fn declare_events(&mut self, written: &ast::Events) {
        let name = &written.table.name;
        if let Some(first) = self.names.tables.get(&name.text).copied() {
            self.declared_twice(name, first);
            return;
        }
        self.names.tables.insert(name.text.clone(), name.span);
        let (columns, places) = self.columns(&written.table);
        let of_users = written.broken || self.is_of_users(written);
        let find = |wanted: &ast::Name| {
            places.iter().find(|(name, _)| name.text == wanted.text).map(|(_, index)| *index)
        };
        let (key, at) = (find(&written.table.key), find(&written.at));
        let names: Vec<String> = places.iter().map(|(name, _)| name.text.clone()).collect();
        if !written.broken {
            for (word, wanted, found) in [("by", &written.table.key, key), ("at", &written.at, at)] {
                if found.is_none() {
                    self.no_such_column(name, word, wanted, &names);
                }
            }
        }
        let (Some(columns), Some(key), Some(at)) = (columns, key, at) else { return };
        let timed = columns.get(at).is_some_and(|column| matches!(column.ty, Type::Date | Type::Timestamp));
        if !timed && let Some(column) = columns.get(at) {
            let what = self.a_type(&column.ty);
            self.report(
                Diagnostic::new(
                    codes::BAD_EVENTS,
                    written.at.span,
                    format!("events happen at a date or timestamp, but `{}` is {what}", written.at.text),
                )
                .label(column.place, "it is declared here")
                .help("name the column that says when an event happened, or declare it as a `timestamp`"),
            );
        }
        let keyed = self.has_users_key(written, columns.get(key).map(|column| &column.ty));
        if written.broken || !of_users || !timed || !keyed {
            return;
        }
        let table = self.table_of(&written.table, key, columns);
        self.events.push(EventTable { table, at });
    }

    /// Whether `of` names the table of users; otherwise it is reported.
    fn is_of_users(&mut self, written: &ast::Events) -> bool {
        let of = &written.of;
        match &self.users {
            Some(users) if users.name == of.text => true,
            Some(users) => {
                let users = users.name.clone();
                self.report(
                    Diagnostic::new(
                        codes::BAD_EVENTS,
                        of.span,
                        format!("`{}` is not the table of users", of.text),
                    )
                    .help(format!("write `of {users}`"))
                    .fix(of.span, users),
                );
                false
            }
            None => {
                if self.users_place.is_none() {
                    self.report(
                        Diagnostic::new(codes::BAD_EVENTS, of.span, "no table of users is declared")
                            .help("declare it: `table users key user_id { … }`"),
                    );
                }
                false
            }
        }
    }

    fn no_such_column(&mut self, table: &ast::Name, word: &str, wanted: &ast::Name, names: &[String]) {
        let finding = Diagnostic::new(
            codes::BAD_EVENTS,
            wanted.span,
            format!("`{}` after `{word}` is not among the columns of `{}`", wanted.text, table.text),
        );
        self.report(match nearest(&wanted.text, names.iter().map(String::as_str)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")).fix(wanted.span, near.to_owned()),
            None => finding.help("declare a column of that name, or name another one"),
        });
    }

    /// Whether the events' key is of the type of the users'.
    fn has_users_key(&mut self, written: &ast::Events, found: Option<&Type>) -> bool {
        let users_key = self.users.as_ref().and_then(|users| users.columns.get(users.key)).cloned();
        let (Some(users_key), Some(found)) = (users_key, found) else { return false };
        if users_key.ty == *found {
            return true;
        }
        let key = &written.table.key;
        let (wanted, found) = (self.a_type(&users_key.ty), self.a_type(found));
        self.report(
            Diagnostic::new(
                codes::BAD_EVENTS,
                key.span,
                format!("`{}` is {found}, but the users' key `{}` is {wanted}", key.text, users_key.name),
            )
            .label(users_key.place, "the users' key is declared here")
            .help("declare both with one type, the one that the data have"),
        );
        false
    }

    /// Index of an event table by name; reports an unknown one. `None` also where it is poisoned.
    pub(super) fn resolve_events(&mut self, name: &ast::Name) -> Option<usize> {
        if let Some(at) = self.events.iter().position(|events| events.table.name == name.text) {
            return Some(at);
        }
        if self.users.as_ref().is_some_and(|users| users.name == name.text) {
            self.report(
                Diagnostic::new(
                    codes::UNKNOWN_EVENTS,
                    name.span,
                    format!("`{}` is the table of users, not of events", name.text),
                )
                .help(
                    "an aggregate sums up one user's events; a value of all users is `population avg(x)` and its kin",
                ),
            );
        } else if self.lookups.iter().any(|lookup| lookup.name == name.text) {
            self.report(
                Diagnostic::new(
                    codes::UNKNOWN_EVENTS,
                    name.span,
                    format!("`{}` is a lookup, not a table of events", name.text),
                )
                .help("declare the table with `events … of users by … at …`"),
            );
        } else if !self.names.tables.contains_key(&name.text) {
            let known: Vec<String> = self.events.iter().map(|events| events.table.name.clone()).collect();
            let finding = Diagnostic::new(
                codes::UNKNOWN_EVENTS,
                name.span,
                format!("there are no events `{}`", name.text),
            );
            self.report(match nearest(&name.text, known.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")).fix(name.span, near.to_owned()),
                None if known.is_empty() => finding.help(
                    "declare them: `events orders of users by user_id at ordered_at from \"orders.csv\" { … }`",
                ),
                None => finding.help(format!("the tables of events are `{}`", known.join("`, `"))),
            });
        }
        None
    }

    /// A column of the event table in whose scope we are.
    pub(super) fn event_column(&mut self, table: usize, name: &ast::Name) -> Resolved {
        let events = self.events.get(table).map(|events| &events.table);
        let found = events.and_then(|table| {
            let index = table.columns.iter().position(|column| column.name == name.text)?;
            Some((index, table.columns.get(index)?.clone()))
        });
        match found {
            Some((index, column)) => {
                let expr = Expr::EventColumn { table, column: index };
                Resolved::Node(self.builder.node(expr, column.ty, column.optional, column.place))
            }
            None => Resolved::Unknown,
        }
    }

    /// Reports a name that is no column of the event table in whose scope it stands.
    pub(super) fn unknown_event_column(&mut self, table: usize, name: &ast::Name) {
        let Some(events) = self.events.get(table).map(|events| &events.table) else { return };
        let columns: Vec<String> = events.columns.iter().map(|column| column.name.clone()).collect();
        let finding = Diagnostic::new(
            codes::UNKNOWN_EVENT_COLUMN,
            name.span,
            format!("`{}` is no column of the events `{}`", name.text, events.name),
        );
        let users = self.users.as_ref().map(|users| users.name.clone()).unwrap_or_default();
        let of_user = self.names.values.contains_key(&name.text);
        let finding = if of_user {
            let mend =
                format!("{}.{}", super::expr::spell::name(&users), super::expr::spell::name(&name.text));
            finding
                .help(format!("it is a value of the user; here it is written `{mend}`"))
                .fix(name.span, mend)
        } else {
            match nearest(&name.text, columns.iter().map(String::as_str)) {
                Some(near) => finding
                    .help(format!("did you mean `{near}`?"))
                    .fix(name.span, super::expr::spell::name(near)),
                None => finding.help(format!("its columns are `{}`", columns.join("`, `"))),
            }
        };
        self.report(finding);
    }

    /// For an unknown name: the table of events that has such a column, if one has.
    pub(super) fn events_with_column(&self, name: &str) -> Option<&str> {
        let owner =
            self.events.iter().find(|events| events.table.columns.iter().any(|column| column.name == name));
        owner.map(|events| events.table.name.as_str())
    }

    /// Where a name of an `rfm` is at fault, all of them are.
    pub(super) fn unknown_part(&mut self, qualifier: &ast::Name, name: &ast::Name, parts: &[&str]) {
        let finding = Diagnostic::new(
            name_codes::UNKNOWN_NAME,
            name.span,
            format!("`{}` has no part `{}`", qualifier.text, name.text),
        );
        self.report(match nearest(&name.text, parts.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")).fix(name.span, near.to_owned()),
            None => finding.help(format!("its parts are `{}`", parts.join("`, `"))),
        });
    }
}
