//! Changes in what is declared of tables, and in settings.

use super::super::union::{Reading, reading};
use crate::program::{Column, Program, Table, Type, print};
use crate::semantics::Dated;
use crate::semantics::show::Zoned;
use serde::Serialize;

/// A setting of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Setting {
    /// `timezone`, `now`, `calendar`.
    pub name: String,
    /// As it was; none where it was not set.
    pub old: Option<String>,
    /// As it is; none where it is not set.
    pub new: Option<String>,
}

/// A column that is not declared as it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ColumnChange {
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// What was declared of it; none where there was no such column.
    pub old: Option<String>,
    /// What is; none where there is no such column now.
    pub new: Option<String>,
    /// What that means for the comparison, where it is not plain.
    pub note: Option<String>,
}

/// Settings that changed.
pub(super) fn settings(old: &Program, new: &Program) -> Vec<Setting> {
    let now = |program: &Program| {
        let now = program.now?;
        Some(print::Calendar::timestamp(&Zoned { zone: program.zone(), now }, now))
    };
    let calendar = |program: &Program| program.calendar.as_ref().map(|source| source.path.clone());
    let each = [
        ("timezone", Some(old.timezone.clone()), Some(new.timezone.clone())),
        ("now", now(old), now(new)),
        ("calendar", calendar(old), calendar(new)),
    ];
    each.into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| Setting { name: name.to_owned(), old, new })
        .collect()
}

/// Columns that changed, in the new file's order, then what is gone.
pub(super) fn changes(old: &Dated, new: &Dated) -> Vec<ColumnChange> {
    let mut changes = Vec::new();
    let sides = Sides { old, new };
    if let (Some(old), Some(new)) = (&old.program.users, &new.program.users) {
        sides.table(old, new, &mut changes);
    }
    let (old_events, new_events) = (&old.program.events, &new.program.events);
    for events in new_events {
        let known = old_events.iter().find(|known| known.table.name == events.table.name);
        match known {
            Some(known) => sides.table(&known.table, &events.table, &mut changes),
            None => changes.push(whole(&events.table, true)),
        }
    }
    for events in old_events {
        if !new_events.iter().any(|known| known.table.name == events.table.name) {
            changes.push(whole(&events.table, false));
        }
    }
    let (old_lookups, new_lookups) = (&old.program.lookups, &new.program.lookups);
    for lookup in new_lookups {
        match old_lookups.iter().find(|known| known.name == lookup.name) {
            Some(known) => sides.table(known, lookup, &mut changes),
            None => changes.push(whole(lookup, true)),
        }
    }
    for lookup in old_lookups {
        if !new_lookups.iter().any(|known| known.name == lookup.name) {
            changes.push(whole(lookup, false));
        }
    }
    changes
}

/// A table that only one of the files has.
fn whole(table: &Table, is_new: bool) -> ColumnChange {
    let columns = format!("table with {} columns", table.columns.len());
    let (old, new) = if is_new { (None, Some(columns)) } else { (Some(columns), None) };
    ColumnChange { table: table.name.clone(), name: String::new(), old, new, note: None }
}

struct Sides<'a> {
    old: &'a Dated,
    new: &'a Dated,
}

impl Sides<'_> {
    fn table(&self, old: &Table, new: &Table, changes: &mut Vec<ColumnChange>) {
        let table_name = new.name.clone();
        let change =
            |name: &str, old: Option<String>, new: Option<String>, note: Option<&str>| ColumnChange {
                table: table_name.clone(),
                name: name.to_owned(),
                old,
                new,
                note: note.map(str::to_owned),
            };
        for column in &new.columns {
            let is = declared(self.new, column);
            match old.columns.iter().find(|known| known.name == column.name) {
                None => changes.push(change(&column.name, None, Some(is), None)),
                Some(known) => {
                    let was = declared(self.old, known);
                    if was != is {
                        changes.push(change(&column.name, Some(was), Some(is), self.note(known, column)));
                    }
                }
            }
        }
        for column in &old.columns {
            if !new.columns.iter().any(|known| known.name == column.name) {
                changes.push(change(&column.name, Some(declared(self.old, column)), None, None));
            }
        }
    }

    fn note(&self, old: &Column, new: &Column) -> Option<&'static str> {
        match (&old.ty, &new.ty) {
            (Type::Label(a), Type::Label(b)) => {
                let labels = |dated: &Dated, ty| {
                    dated.program.label_type(ty).map_or(Vec::new(), |ty| ty.labels.clone())
                };
                let (was, is) = (labels(self.old, *a), labels(self.new, *b));
                let more = is.iter().any(|label| !was.contains(label));
                more.then_some("to the old rules a label that they do not know is a missing value")
            }
            (Type::List(a), Type::List(b)) if matches!((&**a, &**b), (Type::Label(_), Type::Label(_))) => {
                None
            }
            (a, b) => match reading(b, a) {
                Some(Reading::Same | Reading::Number) => None,
                Some(Reading::Labels) => {
                    Some("to the old rules a text that is none of their labels is a missing value")
                        .filter(|_| matches!(a, Type::Label(_)))
                }
                None => Some("compared as if they were two columns"),
            },
        }
    }
}

/// What is declared of a column: `int? between 0 and 120`.
fn declared(dated: &Dated, column: &Column) -> String {
    let zoned = Zoned { zone: dated.program.zone(), now: dated.now };
    print::column(&dated.program, &zoned, column)
}
