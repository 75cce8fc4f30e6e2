//! What all proofs about one program share.

use crate::program::{Column, Domain, Expr, NodeId, Program, Type, Value};
use crate::semantics::{Dated, Environment, Facts, calendar};
use jiff::Timestamp;

use super::rank;

/// A program at a moment, with what can be told of it once and for all.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub dated: &'a Dated,
    pub program: &'a Program,
    pub zone: jiff::tz::TimeZone,
    pub facts: Facts,
    /// Whether the local date never goes back as time goes on.
    pub dates_grow: bool,
    today: Option<i32>,
}

impl<'a> World<'a> {
    pub fn new(dated: &'a Dated) -> Self {
        let zone = dated.program.zone();
        World {
            dated,
            program: &dated.program,
            dates_grow: dates_grow(&zone),
            today: calendar::local_date(&zone, dated.now),
            zone,
            facts: Facts::default(),
        }
    }

    pub fn environment(&self) -> Environment<'_> {
        Environment { zone: self.zone.clone(), now: self.dated.now, facts: &self.facts }
    }

    /// How many labels a type has, 0 where it has none.
    pub fn labels(&self, ty: &Type) -> usize {
        match ty {
            Type::Label(ty) => self.program.label_type(*ty).map_or(0, |ty| ty.labels.len()),
            _ => 0,
        }
    }

    /// First and last rank of a column's known values.
    pub fn column_range(&self, column: &Column) -> (i128, i128) {
        let (mut low, mut high) = rank::data_range(&column.ty, self.labels(&column.ty));
        let Some(Domain { low: from, high: to, past }) = &column.domain else { return (low, high) };
        let end =
            |bound: &crate::program::Bound| Some((rank::of(&bound.value)?, i128::from(!bound.inclusive)));
        if let Some((rank, out)) = from.as_ref().and_then(end) {
            low = low.max(rank + out);
        }
        if let Some((rank, out)) = to.as_ref().and_then(end) {
            high = high.min(rank - out);
        }
        if *past {
            high = match column.ty {
                Type::Date => high.min(self.today.map_or(high, i128::from)),
                _ => high.min(i128::from(self.dated.now)),
            };
        }
        (low, high)
    }

    /// The column that a node is, of the users or of an event table.
    pub fn column(&self, id: NodeId) -> Option<&'a Column> {
        match &self.program.node(id).expr {
            Expr::Column(index) => self.program.users.as_ref()?.columns.get(*index),
            Expr::EventColumn { table, column } => {
                self.program.events.get(*table)?.table.columns.get(*column)
            }
            Expr::Lookup { lookup, column, .. } => self.program.lookups.get(*lookup)?.columns.get(*column),
            _ => None,
        }
    }

    /// The constant that a node is.
    pub fn constant(&self, id: NodeId) -> Option<&'a Value> {
        match &self.program.node(id).expr {
            Expr::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Whether a node's value depends on facts that are not here when rules are checked.
    pub fn is_unknowable(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Lookup { .. })
            || matches!(expr, Expr::Workday(_)) && self.program.calendar.is_some()
    }

    /// Whether an example user simply has the value of such a node.
    pub fn is_given(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Column(_)
            | Expr::EventColumn { .. }
            | Expr::Aggregate(_)
            | Expr::Sequence(_)
            | Expr::Population(_) => true,
            Expr::Score { cuts, .. } => cuts.iter().any(|cut| self.constant(*cut).is_none()),
            _ => false,
        }
    }

    /// All nodes that these need, in order; nothing below a given or unknowable one.
    pub fn cone(&self, roots: &[NodeId]) -> Vec<NodeId> {
        let mut seen = std::collections::BTreeSet::new();
        let mut open: Vec<NodeId> = roots.to_vec();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let expr = &self.program.node(id).expr;
            if !self.is_given(expr) && !self.is_unknowable(expr) {
                open.extend(expr.operands());
            }
        }
        seen.into_iter().collect()
    }
}

/// Changes of the clock are looked at up to this year; zones with rules of their own repeat them.
const LAST_YEAR_OF_CHANGES: i16 = 2200;

/// Whether no change of the clock goes back over midnight.
fn dates_grow(zone: &jiff::tz::TimeZone) -> bool {
    zone.following(Timestamp::MIN)
        .take_while(|change| zone.to_datetime(change.timestamp()).year() <= LAST_YEAR_OF_CHANGES)
        .all(|change| {
            let after = change.timestamp();
            let before = after.checked_sub(jiff::Span::new().microseconds(1)).unwrap_or(after);
            zone.to_datetime(before).date() <= zone.to_datetime(after).date()
        })
}
