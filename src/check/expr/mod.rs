//! Typing and lowering of expressions.

use super::Checker;
use crate::diagnostic::Span;
use crate::program::{NodeId, Type, Value};
use crate::syntax::ast;

impl Checker {
    /// A value; `expected` is the type that its surroundings want (labels are found by it, numbers
    /// take it). The result may have another type: the caller checks with [`Checker::coerce`].
    pub(crate) fn value(&mut self, _e: &ast::Expr, _expected: Option<&Type>) -> Option<NodeId> {
        None
    }

    /// A condition: a bool that is never missing.
    pub(crate) fn condition(&mut self, _e: &ast::Expr) -> Option<NodeId> {
        None
    }

    /// Brings a value to a type (int to float or decimal, exact constants to anything that holds
    /// them); reports a clash at `span`, naming both types and `what` wants it.
    pub(crate) fn coerce(&mut self, _id: NodeId, _ty: &Type, _span: Span, _what: &str) -> Option<NodeId> {
        None
    }

    /// A literal of that type, for domains, `with`, `now`: reports anything else.
    pub(crate) fn constant(&mut self, _e: &ast::Expr, _ty: &Type) -> Option<Value> {
        None
    }

    /// The condition that a grid's pattern stands for, over its dimension's value.
    pub(crate) fn pattern(&mut self, _dimension: NodeId, _pattern: &ast::Pattern) -> Option<NodeId> {
        None
    }

    /// A constant node.
    pub(crate) fn constant_node(&mut self, value: Value, ty: Type, place: Span) -> NodeId {
        self.builder.node(crate::program::Expr::Constant(value), ty, false, place)
    }
}
