//! Two programs in one graph, so that their conditions can be held against each other.
//!
//! The new program stays as it is and says which users there are. The old one's nodes are brought in
//! after it: its columns are read from the new one's of the same name, its labelled types are matched by
//! their labels, its event tables and lookups by name and columns. What has no counterpart, or none that
//! can be read as the old type, becomes a column of its own beside the new ones.

mod columns;
mod foreign;

pub(super) use columns::{Reading, reading};

use crate::program::{
    Builder, CompareOp, Declaration, Expr, LabelType, Node, NodeId, Program, Type, TypeId, Value,
};
use crate::semantics::Dated;
use hashbrown::HashMap;

/// Two programs at one moment in one graph.
#[derive(Debug)]
pub struct Union {
    /// The new program's tables. Its declarations are the new ones, then the old ones, as names for
    /// people only.
    program: Program,
    builder: Builder,
    now: i64,
    /// By node number of the old program (dated): its number here.
    numbers: Vec<NodeId>,
}

impl Union {
    /// The number of one of the old program's nodes.
    pub fn old(&self, id: NodeId) -> NodeId {
        self.numbers.get(id.0 as usize).copied().unwrap_or(NodeId(0))
    }

    /// The node of an expression whose operands are nodes of this graph.
    pub fn node(&mut self, expr: Expr, ty: Type) -> NodeId {
        self.builder.node(expr, ty, false, Default::default())
    }

    /// The condition that a labelled value is a label.
    pub fn is_label(&mut self, value: NodeId, code: u32) -> NodeId {
        let ty = self.builder.get(value).map_or(Type::Bool, |node| node.ty.clone());
        let label = self.node(Expr::Constant(Value::Label(code)), ty);
        self.node(Expr::Compare { op: CompareOp::Eq, left: value, right: label }, Type::Bool)
    }

    /// The graph.
    pub fn finish(self) -> Dated {
        Dated { program: Program { nodes: self.builder.finish(), ..self.program }, now: self.now }
    }
}

/// Brings two programs at one moment together.
pub fn union(old: &Dated, new: &Dated) -> Union {
    let mut merge = Merge::new(&old.program, &new.program);
    let mut numbers: Vec<NodeId> = Vec::with_capacity(old.program.nodes.len());
    for node in &old.program.nodes {
        let id = merge.import(node, &numbers);
        numbers.push(id);
    }
    let mut program = merge.target;
    let renumber = |id: NodeId| numbers.get(id.0 as usize).copied().unwrap_or(NodeId(0));
    let names: Vec<Declaration> = old
        .program
        .declarations
        .iter()
        .map(|of| Declaration {
            heading: of.heading.clone(),
            value: renumber(of.value),
            kind: crate::program::DeclarationKind::Trait,
        })
        .collect();
    program.declarations.extend(names);
    Union { program, builder: merge.builder, now: new.now, numbers }
}

/// One program alone, for conditions to be added to.
pub fn alone(dated: &Dated) -> Union {
    let mut builder = Builder::new();
    let numbers = dated
        .program
        .nodes
        .iter()
        .map(|node| builder.node(node.expr.clone(), node.ty.clone(), node.optional, node.place))
        .collect();
    Union { program: dated.program.clone(), builder, now: dated.now, numbers }
}

/// The state of a merge.
struct Merge<'a> {
    old: &'a Program,
    /// The new program with what is added to its tables and types.
    target: Program,
    builder: Builder,
    /// By number of an old type: its number in the target.
    types: Vec<TypeId>,
    /// By number of an old event table.
    events: Vec<EventMatch>,
    /// By number of an old lookup.
    lookups: Vec<usize>,
    /// By old column: what it is read from.
    columns: HashMap<columns::Place, NodeId>,
    /// Both reckon local time alike.
    same_zone: bool,
    /// By node of the old program: whether it rests on what cannot be seen from here.
    unseen: Vec<bool>,
    /// Lookups that stand for what cannot be seen from here, by what they give.
    foreign: HashMap<Type, usize>,
}

/// The target's event table for one of the old program's.
#[derive(Clone, Debug)]
struct EventMatch {
    table: usize,
}

impl<'a> Merge<'a> {
    fn new(old: &'a Program, new: &Program) -> Self {
        let mut builder = Builder::new();
        for node in &new.nodes {
            builder.node(node.expr.clone(), node.ty.clone(), node.optional, node.place);
        }
        let mut merge = Merge {
            old,
            target: new.clone(),
            builder,
            types: Vec::new(),
            events: Vec::new(),
            lookups: Vec::new(),
            columns: HashMap::new(),
            same_zone: old.timezone == new.timezone,
            unseen: Vec::new(),
            foreign: HashMap::new(),
        };
        merge.match_types();
        merge.match_events();
        merge.match_lookups();
        merge
    }

    /// Types with the same labels in the same order are one; of several the one of that name.
    fn match_types(&mut self) {
        for ty in &self.old.types {
            let alike =
                |known: &&(usize, &LabelType)| known.1.labels == ty.labels && known.1.ordered == ty.ordered;
            let known: Vec<(usize, &LabelType)> = self.target.types.iter().enumerate().collect();
            let found = known
                .iter()
                .filter(alike)
                .find(|(_, known)| known.name == ty.name)
                .or_else(|| known.iter().find(alike))
                .map(|(at, _)| *at);
            let at = found.unwrap_or_else(|| {
                self.target.types.push(ty.clone());
                self.target.types.len() - 1
            });
            self.types.push(TypeId(u32::try_from(at).unwrap_or(0)));
        }
    }

    /// A type of the old program in the target.
    fn ty(&self, ty: &Type) -> Type {
        match ty {
            Type::Label(id) => Type::Label(self.types.get(id.0 as usize).copied().unwrap_or(*id)),
            Type::List(item) => Type::List(Box::new(self.ty(item))),
            other => other.clone(),
        }
    }

    fn import(&mut self, node: &Node, numbers: &[NodeId]) -> NodeId {
        let is_unseen = |id: &NodeId| self.unseen.get(id.0 as usize) == Some(&true);
        let rests_on_unseen = node.expr.operands().iter().any(is_unseen);
        // What is simply said of an example user hides what it is made of.
        let hides = node.expr.closes_scope() || matches!(node.expr, Expr::Score { .. });
        if rests_on_unseen && hides {
            self.unseen.push(true);
            return self.unseen(None, node);
        }
        let old_calendar =
            matches!(node.expr, Expr::Workday(_)) && !self.same_calendar() && self.old.calendar.is_some();
        let old_zone = !self.same_zone && foreign::needs_zone(&node.expr, self.old);
        self.unseen.push(rests_on_unseen || old_calendar || old_zone);
        self.import_seen(node, numbers)
    }

    fn import_seen(&mut self, node: &Node, numbers: &[NodeId]) -> NodeId {
        let renumber = |id: NodeId| numbers.get(id.0 as usize).copied().unwrap_or(NodeId(0));
        match &node.expr {
            Expr::Column(column) => {
                return self.column(columns::Place { table: None, column: *column }, node);
            }
            Expr::EventColumn { table, column } => {
                return self.column(columns::Place { table: Some(*table), column: *column }, node);
            }
            Expr::Workday(date) if !self.same_calendar() => {
                let date = renumber(*date);
                return self.old_workday(date, node);
            }
            expr if !self.same_zone && foreign::needs_zone(expr, self.old) => {
                let key = expr.operands().first().copied().filter(|_| !expr.closes_scope()).map(renumber);
                return self.unseen(key, node);
            }
            _ => {}
        }
        let optional = self.optional(node, numbers);
        let mut expr = node.expr.clone().map_operands(renumber);
        let table_of = |events: &[EventMatch], table: usize| events.get(table).map_or(table, |of| of.table);
        match &mut expr {
            Expr::Aggregate(of) => of.table = table_of(&self.events, of.table),
            Expr::Sequence(of) => {
                for step in &mut of.steps {
                    step.pattern.table = table_of(&self.events, step.pattern.table);
                    for without in &mut step.without {
                        without.table = table_of(&self.events, without.table);
                    }
                }
                if let Some(absent) = &mut of.absent {
                    absent.table = table_of(&self.events, absent.table);
                }
            }
            Expr::Lookup { lookup, .. } => *lookup = self.lookups.get(*lookup).copied().unwrap_or(*lookup),
            _ => {}
        }
        let ty = self.ty(&node.ty);
        self.builder.node(expr, ty, optional, node.place)
    }

    /// Whether a value may be missing for a user who keeps the new program's declaration.
    fn optional(&self, node: &Node, numbers: &[NodeId]) -> bool {
        let here = |id: &NodeId| {
            let number = numbers.get(id.0 as usize).copied().unwrap_or(NodeId(0));
            self.builder.get(number).is_some_and(|node| node.optional)
        };
        match &node.expr {
            expr if expr.is_condition() || expr.closes_scope() => node.optional,
            Expr::Constant(_) | Expr::Points(_) | Expr::Lookup { .. } => node.optional,
            Expr::OrElse(value, default) => here(value) && here(default),
            Expr::Case { arms, otherwise } => {
                otherwise.as_ref().is_none_or(here) || arms.iter().any(|(_, value)| here(value))
            }
            Expr::Score { value, cuts, .. } => {
                let filtered = |cut: &NodeId| match &self.old.node(*cut).expr {
                    Expr::Population(of) => of.filter.is_some(),
                    _ => false,
                };
                here(value) || cuts.iter().any(filtered)
            }
            expr => node.optional || expr.operands().iter().any(here),
        }
    }
}
