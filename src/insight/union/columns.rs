//! Old columns read from new ones.

use super::{EventMatch, Merge};
use crate::program::{Column, CompareOp, Expr, Node, NodeId, Table, Type, TypeId, Value};

/// A column of the old program: of the users, or of the event table of that number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Place {
    pub table: Option<usize>,
    pub column: usize,
}

/// How an old column's values come from a new column's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::insight) enum Reading {
    /// They are the same.
    Same,
    /// By label: a label that the other does not have is missing.
    Labels,
    /// As a number of another kind.
    Number,
}

/// How values of the second type are had from values of the first; none where they cannot be.
pub(in crate::insight) fn reading(from: &Type, to: &Type) -> Option<Reading> {
    match (from, to) {
        (from, to) if from == to => Some(Reading::Same),
        (Type::Decimal { scale: a, .. }, Type::Decimal { scale: b, .. }) if a == b => Some(Reading::Same),
        (Type::Label(_) | Type::Text, Type::Label(_)) | (Type::Label(_), Type::Text) => Some(Reading::Labels),
        (Type::Int, Type::Float | Type::Decimal { .. }) | (Type::Decimal { .. }, Type::Float) => {
            Some(Reading::Number)
        }
        _ => None,
    }
}

impl Merge<'_> {
    /// What an old column is read from.
    pub(super) fn column(&mut self, place: Place, node: &Node) -> NodeId {
        if let Some(id) = self.columns.get(&place) {
            return *id;
        }
        let id = self.find_column(place, node);
        self.columns.insert(place, id);
        id
    }

    fn find_column(&mut self, place: Place, node: &Node) -> NodeId {
        let Some(column) = self.old_table(place).and_then(|table| table.columns.get(place.column)).cloned()
        else {
            return NodeId(0);
        };
        let ty = self.ty(&column.ty);
        let found = self.target_table(place).and_then(|table| {
            let at = table.columns.iter().position(|known| known.name == column.name)?;
            let known = table.columns.get(at)?;
            Some((at, known.ty.clone(), known.optional, reading(&known.ty, &ty)?))
        });
        let Some((at, from, optional, how)) = found else { return self.own_column(place, column, ty, node) };
        let expr = self.column_expr(place, at);
        let base = self.builder.node(expr, from.clone(), optional, node.place);
        match how {
            Reading::Same => base,
            Reading::Number => self.builder.node(Expr::Convert(base), ty, optional, node.place),
            Reading::Labels => self.by_label(base, &from, &ty, node),
        }
    }

    fn old_table(&self, place: Place) -> Option<&Table> {
        match place.table {
            None => self.old.users.as_ref(),
            Some(events) => self.old.events.get(events).map(|events| &events.table),
        }
    }

    fn target_table(&self, place: Place) -> Option<&Table> {
        match place.table {
            None => self.target.users.as_ref(),
            Some(events) => {
                let at = self.events.get(events)?.table;
                self.target.events.get(at).map(|events| &events.table)
            }
        }
    }

    fn column_expr(&self, place: Place, column: usize) -> Expr {
        match place.table {
            None => Expr::Column(column),
            Some(events) => {
                let table = self.events.get(events).map_or(events, |of| of.table);
                Expr::EventColumn { table, column }
            }
        }
    }

    /// A column that only the old program has, or that had another type there.
    fn own_column(&mut self, place: Place, column: Column, ty: Type, node: &Node) -> NodeId {
        let table = match place.table {
            None => Some(self.target.users.get_or_insert_with(|| Table {
                name: "users".to_owned(),
                key: 0,
                source: None,
                columns: Vec::new(),
                place: node.place,
            })),
            Some(events) => {
                let at = self.events.get(events).map_or(events, |of| of.table);
                self.target.events.get_mut(at).map(|events| &mut events.table)
            }
        };
        let Some(table) = table else { return NodeId(0) };
        let mut name = column.name.clone();
        if table.columns.iter().any(|known| known.name == name) {
            name.push_str(" (old)");
        }
        let at = table.columns.len();
        table.columns.push(Column { name, ty: ty.clone(), ..column.clone() });
        let expr = self.column_expr(place, at);
        self.builder.node(expr, ty, column.optional, node.place)
    }

    /// Label by label.
    fn by_label(&mut self, base: NodeId, from: &Type, to: &Type, node: &Node) -> NodeId {
        let labels = |ty: TypeId| self.target.label_type(ty).map_or(&[][..], |ty| ty.labels.as_slice());
        let text = |label: &str| Value::Text(label.into());
        let coded = |labels: &[String]| -> Vec<(String, Value)> {
            (0_u32..).zip(labels).map(|(code, label)| (label.clone(), Value::Label(code))).collect()
        };
        let pairs: Vec<(Value, Value)> = match (from, to) {
            (Type::Label(from), Type::Label(to)) => {
                let known = coded(labels(*from));
                let value =
                    |label: &str| known.iter().find(|(of, _)| of == label).map(|(_, value)| value.clone());
                coded(labels(*to))
                    .into_iter()
                    .filter_map(|(label, code)| Some((value(&label)?, code)))
                    .collect()
            }
            (Type::Label(from), _) => {
                coded(labels(*from)).into_iter().map(|(label, code)| (code, text(&label))).collect()
            }
            (_, Type::Label(to)) => {
                coded(labels(*to)).into_iter().map(|(label, code)| (text(&label), code)).collect()
            }
            _ => Vec::new(),
        };
        let arms = pairs
            .into_iter()
            .map(|(is, then)| {
                let right = self.builder.node(Expr::Constant(is), from.clone(), false, node.place);
                let compare = Expr::Compare { op: CompareOp::Eq, left: base, right };
                let condition = self.builder.node(compare, Type::Bool, false, node.place);
                (condition, self.builder.node(Expr::Constant(then), to.clone(), false, node.place))
            })
            .collect();
        self.builder.node(Expr::Case { arms, otherwise: None }, to.clone(), true, node.place)
    }

    /// Event tables of one name, whose key and time are the same columns, are one.
    pub(super) fn match_events(&mut self) {
        for (number, events) in self.old.events.iter().enumerate() {
            let named = |table: &Table, at: usize| {
                table.columns.get(at).map(|column| (column.name.clone(), column.ty.clone()))
            };
            let (key, at) = (named(&events.table, events.table.key), named(&events.table, events.at));
            let found = self.target.events.iter().position(|known| {
                known.table.name == events.table.name
                    && named(&known.table, known.table.key) == key
                    && named(&known.table, known.at) == at
            });
            let table = found.unwrap_or_else(|| {
                let mut own = events.clone();
                if self.target.events.iter().any(|known| known.table.name == own.table.name) {
                    own.table.name.push_str(" (old)");
                }
                for column in &mut own.table.columns {
                    column.ty = self.ty(&column.ty);
                }
                self.target.events.push(own);
                self.target.events.len() - 1
            });
            debug_assert_eq!(self.events.len(), number, "tables are matched in order");
            self.events.push(EventMatch { table });
        }
    }

    /// Lookups of one name with the same columns from the same place are one.
    pub(super) fn match_lookups(&mut self) {
        for lookup in &self.old.lookups {
            let mut own = lookup.clone();
            for column in &mut own.columns {
                column.ty = self.ty(&column.ty);
            }
            let path = |table: &Table| table.source.as_ref().map(|source| source.path.clone());
            let columns = |table: &Table| -> Vec<(String, Type)> {
                table.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect()
            };
            let found = self.target.lookups.iter().position(|known| {
                known.name == own.name
                    && known.key == own.key
                    && path(known) == path(&own)
                    && columns(known) == columns(&own)
            });
            let at = found.unwrap_or_else(|| {
                if self.target.lookups.iter().any(|known| known.name == own.name) {
                    own.name.push_str(" (old)");
                }
                self.target.lookups.push(own);
                self.target.lookups.len() - 1
            });
            self.lookups.push(at);
        }
    }
}
