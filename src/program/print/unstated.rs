//! Values of labels that no declaration names and whose type nothing beside them states, as
//! `lifecycle as of 30 days ago` makes them. Their labels can only be read again where a type is
//! written, so each becomes a trait of its own.

use super::{Printer, name};
use crate::program::{DeclarationKind, Expr, NodeId, Program, Scope, Type, TypeId};
use hashbrown::{HashMap, HashSet};
use std::borrow::Cow;
use std::fmt::Write as _;

impl Printer<'_> {
    /// Such a value as a trait.
    pub(super) fn unstated(&mut self, id: NodeId) {
        let declared = self.named.get(&id).map_or(String::new(), |text| name(text));
        self.out.push('\n');
        self.labels(&declared, id);
    }

    /// A trait whose values are labels, with their type; that of weekdays has no name to be written.
    pub(super) fn labels(&mut self, heading: &str, id: NodeId) {
        let ty = &self.program.node(id).ty;
        if *ty == Type::Label(TypeId::WEEKDAY) {
            let alone = only_labels(self.program, &HashMap::new()).get(id.0 as usize).copied();
            self.weekdays_alone.set(alone.unwrap_or(false));
            let value = self.expression(id);
            self.weekdays_alone.set(false);
            let _ = writeln!(self.out, "trait {heading} = {value}");
        } else {
            let (ty, value) = (self.ty(ty), self.expression(id));
            let _ = writeln!(self.out, "trait {heading} : {ty}? = {value}");
        }
    }
}

/// A weekday as that of a date in the first week of 2024, which begins on a Monday.
pub(super) fn weekday(code: u32) -> String {
    format!("weekday(2024-01-{:02})", code + 1)
}

/// Finds these values and gives them names.
pub(super) fn name_unstated<'a>(
    program: &'a Program,
    named: &mut HashMap<NodeId, Cow<'a, str>>,
) -> Vec<NodeId> {
    let layers: HashMap<TypeId, &str> = program
        .declarations
        .iter()
        .filter_map(|declaration| match &declaration.kind {
            DeclarationKind::Layer(layer) => Some((layer.ty, declaration.heading.name.as_str())),
            _ => None,
        })
        .collect();
    let alone = labels_alone(program, named);
    let mut found = Vec::new();
    for ((id, node), scope) in (0_u32..).map(NodeId).zip(&program.nodes).zip(program.scopes()) {
        let Type::Label(ty) = &node.ty else { continue };
        if matches!(node.expr, Expr::Constant(_)) {
            continue;
        }
        let known_as = match (layers.get(ty), program.types.get(ty.0 as usize)) {
            (Some(layer), _) if matches!(node.expr, Expr::Case { .. }) => *layer,
            (_, Some(declared)) if alone.contains(&id) => declared.name.as_str(),
            _ => continue,
        };
        if scope == Scope::User && !named.contains_key(&id) {
            let mut unique = format!("{known_as} at another time");
            while named.values().any(|known| *known == unique) {
                unique.push('\'');
            }
            named.insert(id, Cow::Owned(unique));
            found.push(id);
        }
    }
    found
}

/// The values that stand where nothing but labels is beside them.
fn labels_alone(program: &Program, named: &HashMap<NodeId, Cow<'_, str>>) -> HashSet<NodeId> {
    let only_labels = only_labels(program, named);
    let is_alone = |id: &NodeId| only_labels.get(id.0 as usize).copied().unwrap_or(false);
    let mut alone = HashSet::new();
    for node in &program.nodes {
        let passes_type_on = matches!(node.ty, Type::Label(_)) && !node.expr.closes_scope();
        let operands = node.expr.operands();
        let stated = matches!(node.expr, Expr::Compare { .. }) && !operands.iter().all(is_alone);
        if !passes_type_on && !stated {
            alone.extend(operands.into_iter().filter(is_alone));
        }
    }
    alone
}

/// For each node whether it is made of written labels only.
fn only_labels(program: &Program, named: &HashMap<NodeId, Cow<'_, str>>) -> Vec<bool> {
    let mut only: Vec<bool> = Vec::with_capacity(program.nodes.len());
    for (id, node) in (0_u32..).map(NodeId).zip(&program.nodes) {
        let of = |id: &NodeId| only.get(id.0 as usize).copied().unwrap_or(false);
        let labels = matches!(node.ty, Type::Label(_))
            && !named.contains_key(&id)
            && match &node.expr {
                Expr::Constant(_) => true,
                Expr::Case { arms, otherwise } => {
                    arms.iter().map(|(_, value)| value).chain(otherwise).all(of)
                }
                Expr::OrElse(..) | Expr::Least(_) | Expr::Greatest(_) => node.expr.operands().iter().all(of),
                _ => false,
            };
        only.push(labels);
    }
    only
}
