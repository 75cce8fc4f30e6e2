//! Values of labels that no declaration names and whose type nothing beside them states, as
//! `lifecycle as of 30 days ago` makes them. Their labels can only be read again where a type is
//! written, so each becomes a trait of its own.

use super::{Printer, name};
use crate::program::{DeclarationKind, Expr, Node, NodeId, Program, Scope, Type, TypeId};
use std::borrow::Cow;
use hashbrown::{HashMap, HashSet};
use std::fmt::Write as _;

impl Printer<'_> {
    /// Such a value as a trait.
    pub(super) fn unstated(&mut self, id: NodeId) {
        let declared = self.named.get(&id).map_or(String::new(), |text| name(text));
        let ty = self.ty(&self.program.node(id).ty);
        let value = self.expression(id);
        let _ = writeln!(self.out, "\ntrait {declared} : {ty}? = {value}");
    }
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
        let (Type::Label(ty), Expr::Case { .. }) = (&node.ty, &node.expr) else { continue };
        let known_as = match (layers.get(ty), program.types.get(ty.0 as usize)) {
            (Some(layer), _) => *layer,
            (None, Some(declared)) if alone.contains(&id) => declared.name.as_str(),
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

/// The values that stand in tests where nothing but labels is beside them.
fn labels_alone(program: &Program, named: &HashMap<NodeId, Cow<'_, str>>) -> HashSet<NodeId> {
    let only_labels = only_labels(program, named);
    let is_alone = |id: &NodeId| only_labels.get(id.0 as usize).copied().unwrap_or(false);
    let tested = |node: &Node| match &node.expr {
        Expr::Compare { left, right, .. } => vec![*left, *right],
        Expr::InSet { value, .. } => vec![*value],
        Expr::IsKnown(value) => vec![*value],
        _ => Vec::new(),
    };
    program.nodes.iter().map(tested).filter(|sides| sides.iter().all(is_alone)).flatten().collect()
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
                _ => false,
            };
        only.push(labels);
    }
    only
}
