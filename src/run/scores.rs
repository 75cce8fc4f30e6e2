//! The levels of scores against the population: how many users have each.

use crate::program::{Builder, CompareOp, DeclarationKind, Expr, Node, NodeId, Program, Type, Value};
use crate::semantics::Dated;

/// A declared score whose cut points come from the population.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Index of the declaration.
    pub declaration: usize,
    /// By level, from 1: the condition that a user has it.
    pub levels: Vec<NodeId>,
}

/// The program with a condition for each level of the scores that these declarations, and the guards,
/// need.
pub fn with_levels(mut dated: Dated, declarations: &[usize]) -> (Dated, Vec<Score>) {
    let needed = needed(&dated.program, declarations);
    let mut builder = Builder::of(std::mem::take(&mut dated.program.nodes));
    let mut scores = Vec::new();
    for (index, declaration) in dated.program.declarations.iter().enumerate() {
        let node = needed.get(declaration.value.0 as usize).filter(|needed| **needed);
        let Some(levels) = node.and_then(|_| levels(&builder, declaration.value)) else { continue };
        let place = declaration.heading.place;
        let mut level = |level: i64| {
            let right = builder.node(Expr::Constant(Value::Int(level)), Type::Int, false, place);
            let test = Expr::Compare { op: CompareOp::Eq, left: declaration.value, right };
            builder.node(test, Type::Bool, false, place)
        };
        scores.push(Score { declaration: index, levels: (1..=levels).map(&mut level).collect() });
    }
    dated.program.nodes = builder.finish();
    (dated, scores)
}

/// How many levels a score has, where it is one against the population.
fn levels(builder: &Builder, score: NodeId) -> Option<i64> {
    let Some(Node { expr: Expr::Score { cuts, .. }, .. }) = builder.get(score) else { return None };
    let of_population =
        |cut: &NodeId| builder.get(*cut).is_some_and(|cut| matches!(cut.expr, Expr::Population(_)));
    let levels = i64::try_from(cuts.len() + 1).ok()?;
    cuts.iter().any(of_population).then_some(levels)
}

/// By node: whether one of the declarations or a guard needs it.
fn needed(program: &Program, declarations: &[usize]) -> Vec<bool> {
    let mut needed = vec![false; program.nodes.len()];
    let mut need = |id: NodeId| {
        if let Some(needed) = needed.get_mut(id.0 as usize) {
            *needed = true;
        }
    };
    for declaration in declarations.iter().filter_map(|index| program.declarations.get(*index)) {
        need(declaration.value);
        if let DeclarationKind::Layer(layer) = &declaration.kind {
            layer.lines.iter().filter_map(|line| line.condition).for_each(&mut need);
        }
    }
    program.guards.iter().for_each(|guard| need(guard.condition));
    for (at, node) in program.nodes.iter().enumerate().rev() {
        if needed.get(at) == Some(&true) {
            for id in node.expr.operands() {
                if let Some(needed) = needed.get_mut(id.0 as usize) {
                    *needed = true;
                }
            }
        }
    }
    needed
}
