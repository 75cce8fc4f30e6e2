//! Tests: made-up rows and what is expected.

use crate::check::Checker;
use crate::check::expr::spell;
use crate::diagnostic::codes::{names, tests as codes};
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::program::{Column, Domain, Expectation, Expr, NodeId, Test, TestRow, Type, Value};
use crate::semantics::compare;
use crate::syntax::ast::{self, DeclarationKind, GivenValue};
use hashbrown::HashSet;
use std::cmp::Ordering;

/// Which table a row is of.
enum Table {
    Users,
    Events(usize),
}

impl Checker {
    /// All tests of a program.
    pub(in crate::check) fn check_tests(
        &mut self,
        declarations: &[ast::Declaration],
        sources: &Sources,
        file_now: Option<i64>,
    ) -> Vec<Test> {
        let mut tests = Vec::new();
        for declaration in declarations {
            if let DeclarationKind::Test(test) = &declaration.kind {
                for e in &test.expect {
                    self.mixed_and_or(e, sources);
                }
                match self.test(test, declaration, sources, file_now) {
                    Some(test) => tests.push(test),
                    None => self.poisoned = true,
                }
            }
        }
        tests
    }

    fn test(
        &mut self,
        written: &ast::Test,
        declaration: &ast::Declaration,
        sources: &Sources,
        file_now: Option<i64>,
    ) -> Option<Test> {
        let mut sound = !written.broken;
        let now = match written.now.as_slice() {
            [] => None,
            [first, rest @ ..] => {
                if let Some(second) = rest.first() {
                    self.bad_test(second.span, "`now` stands twice in this test", "keep one of them");
                    sound = false;
                }
                let now = self.now_literal(first);
                sound &= now.is_some();
                now
            }
        };
        let mut users = Vec::new();
        let mut events = vec![Vec::new(); self.events.len()];
        for given in &written.given {
            let Some(table) = self.given_table(&given.table) else {
                sound = false;
                continue;
            };
            for row in &given.rows {
                match self.given_row(row, &table, &given.table.text) {
                    Some(made) => match table {
                        Table::Users => users.push(made),
                        Table::Events(at) => {
                            events.get_mut(at).into_iter().for_each(|rows| rows.push(made.clone()))
                        }
                    },
                    None => sound = false,
                }
            }
        }
        if users.is_empty() {
            let columns = self.users.as_ref().map_or(0, |users| users.columns.len());
            users.push(TestRow { values: vec![None; columns], place: declaration.word });
        }
        if written.expect.is_empty() && sound {
            self.bad_test(written.name.span, "this test expects nothing", "add a line: `expect …`");
            return None;
        }
        let mut expectations = Vec::new();
        for e in &written.expect {
            match self.condition(e) {
                Some(condition) => {
                    let text = sources.text(e.span).split_whitespace().collect::<Vec<_>>().join(" ");
                    expectations.push(Expectation { condition, text, place: e.span });
                }
                None => sound = false,
            }
        }
        if now.or(file_now).is_none() && written.now.is_empty() {
            let needy = expectations.iter().find(|of| self.needs_now(of.condition)).map(|of| of.place);
            if let Some(place) = needy {
                self.report(
                    Diagnostic::new(
                        codes::BAD_TEST,
                        written.name.span,
                        "this test needs to know when it takes place, and nothing says so",
                    )
                    .label(place, "this depends on `now`")
                    .help("add a line to the test: `now 2024-11-15`"),
                );
                sound = false;
            }
        }
        sound.then(|| Test {
            name: written.name.value.clone(),
            now,
            users,
            events,
            expectations,
            place: written.name.span,
        })
    }

    fn bad_test(&mut self, span: Span, message: &str, help: &str) {
        self.report(Diagnostic::new(codes::BAD_TEST, span, message).help(help));
    }

    fn given_table(&mut self, name: &ast::Name) -> Option<Table> {
        if let Some(users) = &self.users
            && users.name == name.text
        {
            return Some(Table::Users);
        }
        if let Some(at) = self.events.iter().position(|events| events.table.name == name.text) {
            return Some(Table::Events(at));
        }
        if self.names.tables.contains_key(&name.text) && self.users.is_none() {
            // It is declared and at fault.
            return None;
        }
        let known: Vec<String> = self
            .users
            .iter()
            .chain(self.events.iter().map(|events| &events.table))
            .map(|table| table.name.clone())
            .collect();
        let message = if self.lookups.iter().any(|lookup| lookup.name == name.text) {
            format!("`{}` is a lookup, and a test uses its real rows", name.text)
        } else {
            format!("there is no table `{}` to make rows of", name.text)
        };
        let finding = Diagnostic::new(codes::BAD_ROW, name.span, message);
        let finding = match spell::nearest(&name.text, known.iter().map(String::as_str)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")).fix(name.span, spell::name(near)),
            None if known.is_empty() => finding.help("declare a table of users first"),
            None => finding.help(format!("the tables are {}", spell::list(known.iter().map(String::as_str)))),
        };
        self.report(finding);
        None
    }

    fn given_row(&mut self, row: &ast::GivenRow, table: &Table, name: &str) -> Option<TestRow> {
        let columns: Vec<Column> = match table {
            Table::Users => self.users.as_ref()?.columns.clone(),
            Table::Events(at) => self.events.get(*at)?.table.columns.clone(),
        };
        let mut values: Vec<Option<Value>> = vec![None; columns.len()];
        let mut seen: HashSet<usize> = HashSet::new();
        let mut sound = true;
        for (column_name, written) in &row.values {
            let Some(at) = columns.iter().position(|column| column.name == column_name.text) else {
                self.row_without_column(name, column_name, &columns);
                sound = false;
                continue;
            };
            if !seen.insert(at) {
                self.report(
                    Diagnostic::new(
                        names::DECLARED_TWICE,
                        column_name.span,
                        format!("`{}` stands twice in this row", column_name.text),
                    )
                    .help("keep one of them"),
                );
                sound = false;
                continue;
            }
            let (Some(column), Some(place)) = (columns.get(at), values.get_mut(at)) else { continue };
            match self.given_value(written, column) {
                Some(value) => *place = Some(value),
                None => sound = false,
            }
        }
        sound.then_some(TestRow { values, place: row.span })
    }

    fn row_without_column(&mut self, table: &str, name: &ast::Name, columns: &[Column]) {
        let names = || columns.iter().map(|column| column.name.as_str());
        let finding =
            Diagnostic::new(codes::BAD_ROW, name.span, format!("`{table}` has no column `{}`", name.text));
        let near = spell::nearest(&name.text, names()).map(str::to_owned);
        self.report(match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")).fix(name.span, spell::name(&near)),
            None if self.names.values.contains_key(&name.text) => finding.help(format!(
                "`{}` is worked out from the columns; give the columns that it needs",
                name.text
            )),
            None => finding.help(format!("its columns are {}", spell::list(names()))),
        });
    }

    /// A made-up value: a literal that the column can have.
    fn given_value(&mut self, written: &GivenValue, column: &Column) -> Option<Value> {
        let (value, span) = match written {
            GivenValue::Missing(span) => {
                if !column.optional {
                    self.report(
                        Diagnostic::new(
                            codes::BAD_ROW,
                            *span,
                            format!("`{}` is never missing: its type says so", column.name),
                        )
                        .help("give it a value, or leave it out where it does not matter"),
                    );
                    return None;
                }
                return Some(Value::Missing);
            }
            GivenValue::List(items, span) => {
                let Type::List(item) = &column.ty else {
                    let what = self.a_type(&column.ty);
                    self.report(
                        Diagnostic::new(
                            codes::BAD_ROW,
                            *span,
                            format!("this is a list, and `{}` is {what}", column.name),
                        )
                        .help("write one value without brackets"),
                    );
                    return None;
                };
                let values: Vec<Option<Value>> = items.iter().map(|e| self.constant(e, item)).collect();
                (Value::List(values.into_iter().collect::<Option<Vec<_>>>()?.into()), *span)
            }
            GivenValue::One(e) => {
                if matches!(e.kind, ast::ExprKind::Error) {
                    return None;
                }
                if let Type::List(_) = &column.ty {
                    self.report(
                        Diagnostic::new(codes::BAD_ROW, e.span, format!("`{}` is a list", column.name))
                            .help("write its items in brackets, such as `[\"vip\", \"kol\"]`"),
                    );
                    return None;
                }
                (self.given_literal(e, &column.ty)?, e.span)
            }
        };
        if let Some(domain) = &column.domain
            && outside(&value, domain)
        {
            self.report(
                Diagnostic::new(
                    codes::BAD_ROW,
                    span,
                    format!("`{}` never has this value: it lies outside the declared range", column.name),
                )
                .label(column.place, "the range is declared here")
                .help("give it a value within the range"),
            );
            return None;
        }
        Some(value)
    }

    /// A literal; where a moment is needed, a date is its first.
    fn given_literal(&mut self, e: &ast::Expr, ty: &Type) -> Option<Value> {
        if let (Type::Timestamp, ast::ExprKind::Date(date)) = (ty, &e.kind) {
            return self.moment(date.at(0, 0, 0, 0), None).map(Value::Timestamp);
        }
        self.constant(e, ty)
    }

    /// Whether a node depends on the moment of evaluation.
    fn needs_now(&self, id: NodeId) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let expr = &self.node(id).expr;
            if matches!(expr, Expr::Now | Expr::Today) {
                return true;
            }
            open.extend(expr.operands());
        }
        false
    }
}

/// Whether a value lies outside a range of fixed ends.
fn outside(value: &Value, domain: &Domain) -> bool {
    let past = |end: &Option<crate::program::Bound>, wrong: Ordering| {
        end.as_ref().is_some_and(|end| match compare::order(value, &end.value) {
            Some(Ordering::Equal) => !end.inclusive,
            found => found == Some(wrong),
        })
    };
    past(&domain.low, Ordering::Less) || past(&domain.high, Ordering::Greater)
}
