//! What of the old program cannot be computed under the new one: local time of another zone, working
//! days of another calendar. It is looked up, as it were, in a table that is not here, so that no proof
//! and no example rests on it.

use super::Merge;
use crate::program::{
    Column, CompareOp, DatePart, Expr, Node, NodeId, Program, Source, Table, Type, TypeId, Unit, Value,
};

/// Whether a node of a program at a moment still depends on its time zone.
pub(super) fn needs_zone(expr: &Expr, program: &Program) -> bool {
    let is_timestamp = |id: &NodeId| program.node(*id).ty == Type::Timestamp;
    match expr {
        Expr::LocalDate(_) | Expr::TimeOfDay(_) | Expr::Hour(_) | Expr::Sequence(_) => true,
        Expr::Convert(value) => program.node(*value).ty == Type::Date,
        Expr::Shift { value, unit, .. } => {
            is_timestamp(value) && !matches!(unit, Unit::Hours | Unit::Minutes)
        }
        _ => false,
    }
}

/// Saturday in the order of the days of the week, Monday being 0.
const SATURDAY: u32 = 5;

impl Merge<'_> {
    /// Whether working days are the same days.
    pub(super) fn same_calendar(&self) -> bool {
        let path = |calendar: &Option<Source>| calendar.as_ref().map(|source| source.path.clone());
        path(&self.old.calendar) == path(&self.target.calendar)
    }

    /// A working day of the old program: by its own calendar, or from Monday to Friday.
    pub(super) fn old_workday(&mut self, date: NodeId, node: &Node) -> NodeId {
        if self.old.calendar.is_some() {
            return self.unseen(Some(date), node);
        }
        let weekday = Type::Label(TypeId::WEEKDAY);
        let optional = self.builder.get(date).is_some_and(|date| date.optional);
        let day = Expr::DatePart(DatePart::Weekday, date);
        let left = self.builder.node(day, weekday.clone(), optional, node.place);
        let right = self.builder.node(Expr::Constant(Value::Label(SATURDAY)), weekday, false, node.place);
        self.builder.node(Expr::Compare { op: CompareOp::Lt, left, right }, Type::Bool, false, node.place)
    }

    /// A value that depends on another in a way that is not seen from here.
    pub(super) fn unseen(&mut self, key: Option<NodeId>, node: &Node) -> NodeId {
        let ty = self.ty(&node.ty);
        let anything = Expr::Constant(Value::Int(0));
        let key = key.unwrap_or_else(|| self.builder.node(anything, Type::Int, false, node.place));
        // Two different computations of one operand are two columns.
        let name = format!("{:?}", node.expr);
        let lookup = self.table_of_unseen(&ty);
        let columns = self.target.lookups.get_mut(lookup).map(|table| &mut table.columns);
        let Some(columns) = columns else { return NodeId(0) };
        let column = columns.iter().position(|known| known.name == name).unwrap_or_else(|| {
            columns.push(unseen_column(name, ty.clone()));
            columns.len() - 1
        });
        let value = self.builder.node(Expr::Lookup { lookup, column, key }, ty, true, node.place);
        match node.expr.is_condition() {
            true => self.builder.node(Expr::IsTrue(value), Type::Bool, false, node.place),
            false => value,
        }
    }

    fn table_of_unseen(&mut self, ty: &Type) -> usize {
        if let Some(at) = self.foreign.get(ty) {
            return *at;
        }
        let at = self.target.lookups.len();
        self.target.lookups.push(Table {
            name: "as the old file reckons".to_owned(),
            key: 0,
            source: None,
            columns: vec![unseen_column("value".to_owned(), ty.clone())],
            place: Default::default(),
        });
        self.foreign.insert(ty.clone(), at);
        at
    }
}

fn unseen_column(name: String, ty: Type) -> Column {
    Column {
        source_name: name.clone(),
        name,
        ty,
        optional: true,
        domain: None,
        format: None,
        docs: None,
        place: Default::default(),
    }
}
