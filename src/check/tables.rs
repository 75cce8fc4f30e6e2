//! The user table and the lookups.

use super::names::State;
use super::{Checker, types};
use crate::diagnostic::codes::names as codes;
use crate::diagnostic::{Diagnostic, nearest};
use crate::program::{Column, Expr, NodeId, Source, Table, Type};
use crate::syntax::ast;

impl Checker {
    /// Declares the table of users. Its columns become names; one that is at fault is poisoned.
    pub(super) fn declare_users(&mut self, written: &ast::Table) {
        if let Some(first) = self.users_place {
            self.report(
                Diagnostic::new(
                    codes::BAD_TABLE,
                    written.name.span,
                    format!("`{}` is a second table of users", written.name.text),
                )
                .label(first, "the first one is here")
                .help("a program segments one table; small tables of facts are a `lookup`"),
            );
            return;
        }
        self.users_place = Some(written.name.span);
        self.names.tables.insert(written.name.text.clone(), written.name.span);
        let (table, places) = self.table(written);
        let table_is_whole = table.is_some();
        for (name, index) in places {
            let column = table.as_ref().and_then(|table| table.columns.get(index));
            let id = column.map(|column| {
                let (ty, optional, place) = (column.ty.clone(), column.optional, column.place);
                self.builder.node(Expr::Column(index), ty, optional, place)
            });
            let id: Option<NodeId> = if table_is_whole { id } else { None };
            self.declare(&name, State::Done(id));
        }
        self.users = table;
    }

    /// Declares a lookup.
    pub(super) fn declare_lookup(&mut self, written: &ast::Table) {
        if let Some(first) = self.names.tables.get(&written.name.text).copied() {
            self.declared_twice(&written.name, first);
            return;
        }
        self.names.tables.insert(written.name.text.clone(), written.name.span);
        let (table, _) = self.table(written);
        if let Some(table) = table {
            self.lookups.push(table);
        }
    }

    /// Index of a lookup by name; reports an unknown one. `None` also where it is poisoned.
    pub(crate) fn resolve_lookup(&mut self, name: &ast::Name) -> Option<usize> {
        if let Some(at) = self.lookups.iter().position(|lookup| lookup.name == name.text) {
            return Some(at);
        }
        if self.users.as_ref().is_some_and(|users| users.name == name.text) {
            self.report(
                Diagnostic::new(
                    codes::BAD_TABLE,
                    name.span,
                    format!("`{}` is the table of users, not a lookup", name.text),
                )
                .help("name the column by itself; only a `lookup` takes a key in brackets"),
            );
        } else if !self.names.tables.contains_key(&name.text) {
            let finding = Diagnostic::new(
                codes::UNKNOWN_NAME,
                name.span,
                format!("there is no lookup `{}`", name.text),
            );
            let known: Vec<String> = self.lookups.iter().map(|lookup| lookup.name.clone()).collect();
            self.report(match nearest(&name.text, known.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")).fix(name.span, near.to_owned()),
                None => {
                    finding.help("declare it: `lookup baby key week from \"baby.csv\" { week : int, … }`")
                }
            });
        }
        None
    }

    /// A table's columns, and its columns' names with their index. No table where a column or the
    /// key is at fault; the names are there all the same.
    fn table(&mut self, written: &ast::Table) -> (Option<Table>, Vec<(ast::Name, usize)>) {
        let (columns, places) = self.columns(written);
        let key = self.key(written, columns.as_deref(), &places);
        match (columns, key) {
            (Some(columns), Some(key)) => (Some(self.table_of(written, key, columns)), places),
            _ => (None, places),
        }
    }

    /// A table whose parts are sound.
    pub(super) fn table_of(&self, written: &ast::Table, key: usize, columns: Vec<Column>) -> Table {
        Table {
            name: written.name.text.clone(),
            key,
            source: written.path.as_ref().map(|path| self.source(path)),
            columns,
            place: written.name.span,
        }
    }

    /// A table's columns, none where one is at fault, and the columns' names with their index.
    pub(super) fn columns(&mut self, written: &ast::Table) -> (Option<Vec<Column>>, Vec<(ast::Name, usize)>) {
        let mut columns: Vec<Column> = Vec::with_capacity(written.columns.len());
        let mut places: Vec<(ast::Name, usize)> = Vec::new();
        let mut faulty = false;
        for column in &written.columns {
            if let Some((first, _)) = places.iter().find(|(name, _)| name.text == column.name.text) {
                let first = first.span;
                self.declared_twice(&column.name, first);
                faulty = true;
                continue;
            }
            match self.column(column) {
                Some(checked) => {
                    places.push((column.name.clone(), columns.len()));
                    columns.push(checked);
                }
                None => {
                    faulty = true;
                    places.push((column.name.clone(), usize::MAX));
                }
            }
        }
        ((!faulty).then_some(columns), places)
    }

    /// The key column of a table of users or a lookup.
    fn key(
        &mut self,
        written: &ast::Table,
        columns: Option<&[Column]>,
        places: &[(ast::Name, usize)],
    ) -> Option<usize> {
        let Some(key) =
            places.iter().find(|(name, _)| name.text == written.key.text).map(|(_, index)| *index)
        else {
            let names: Vec<&str> = written.columns.iter().map(|column| column.name.text.as_str()).collect();
            let finding = Diagnostic::new(
                codes::BAD_TABLE,
                written.key.span,
                format!("the key `{}` is not among the columns of `{}`", written.key.text, written.name.text),
            );
            let finding = match nearest(&written.key.text, names.iter().copied()) {
                Some(near) => {
                    finding.help(format!("did you mean `{near}`?")).fix(written.key.span, near.to_owned())
                }
                None => finding.help("declare a column of that name, or name another one as the key"),
            };
            self.report(finding);
            return None;
        };
        if let Some(column) = columns.and_then(|columns| columns.get(key))
            && (column.optional || matches!(column.ty, Type::List(_) | Type::Float | Type::Bool))
        {
            let (message, help) = if column.optional {
                (
                    format!("the key `{}` may be missing", column.name),
                    "a key is always there: leave out the `?`",
                )
            } else {
                (
                    format!("the key `{}` is {}", column.name, self.a_type(&column.ty)),
                    "a key is an `int`, a `string`, a `date` or another exact value",
                )
            };
            let place = column.place;
            self.report(Diagnostic::new(codes::BAD_TABLE, place, message).help(help));
            return None;
        }
        Some(key)
    }

    /// Where data lie, seen from the declaring file.
    pub(super) fn source(&self, path: &ast::Text) -> Source {
        let folder = self.folders.get(path.span.file.0 as usize).cloned().unwrap_or_default();
        Source { path: path.value.clone(), folder, place: path.span }
    }

    fn column(&mut self, written: &ast::Column) -> Option<Column> {
        let types::Resolved { ty, optional } = self.resolve_type(&written.ty, &written.name.text)?;
        let domain = match &written.domain {
            Some(domain) => Some(self.domain(domain, &ty)?),
            None => None,
        };
        if let Some(format) = &written.format {
            if !matches!(ty, Type::Date | Type::Timestamp) {
                let what = self.a_type(&ty);
                self.report(
                    Diagnostic::new(
                        codes::BAD_TABLE,
                        format.span,
                        format!("`format` says how dates are written, and `{}` is {what}", written.name.text),
                    )
                    .help("leave it out"),
                );
                return None;
            }
            let sample = jiff::civil::date(2024, 2, 29)
                .at(13, 5, 9, 0)
                .to_zoned_datetime(jiff::tz::TimeZone::UTC)
                .ok()?;
            if jiff::fmt::strtime::format(&format.value, &sample).is_err() || !format.value.contains('%') {
                self.report(
                    Diagnostic::new(
                        codes::BAD_TABLE,
                        format.span,
                        format!("`{}` does not say how a date is written", format.value),
                    )
                    .help("write for example `format \"%Y%m%d\"`, `\"%d/%m/%Y\"` or `\"%Y-%m-%d %H:%M:%S\"`"),
                );
                return None;
            }
        }
        Some(Column {
            name: written.name.text.clone(),
            source_name: written
                .source
                .as_ref()
                .map_or_else(|| written.name.text.clone(), |source| source.value.clone()),
            ty,
            optional,
            domain,
            format: written.format.as_ref().map(|format| format.value.clone()),
            docs: written.docs.clone(),
            place: written.name.span,
        })
    }
}
