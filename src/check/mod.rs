//! From the syntax tree to the [`Program`]: names, types, lowering, lints. Every fault is found in
//! one run: a name or expression that is at fault is *poisoned* (`None`), and whoever uses it says
//! nothing more.

mod expr;

use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Builder, Expr, LabelType, Node, NodeId, Table, Type, TypeId, Value};
use crate::syntax::ast;

/// What a name in an expression stands for.
pub(crate) enum Resolved {
    /// A column, trait, scale, segment, layer or grid: its value.
    Node(NodeId),
    /// Declared, but at fault or unavailable: already reported.
    Poisoned,
    /// Declared nowhere. Not yet reported.
    Unknown,
}

/// The state of one check.
pub(crate) struct Checker {
    /// The expression graph so far.
    pub builder: Builder,
    /// All labelled types; number 0 is `weekday`.
    pub types: Vec<LabelType>,
    /// The user table.
    pub users: Option<Table>,
    /// The lookups.
    pub lookups: Vec<Table>,
    /// Whether a calendar is declared.
    pub has_calendar: bool,
    /// The zone of timestamps without an offset.
    pub zone: jiff::tz::TimeZone,
    /// What has been found.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checker {
    /// Reports a finding.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The node of that number.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        static NONE: Node = Node {
            expr: Expr::Constant(Value::Missing),
            ty: Type::Bool,
            optional: true,
            place: Span { file: crate::diagnostic::FileId(0), start: 0, end: 0 },
        };
        self.builder.get(id).unwrap_or(&NONE)
    }

    /// Code of a label in a labelled type.
    pub(crate) fn label_code(&self, ty: TypeId, label: &str) -> Option<u32> {
        let labels = &self.types.get(ty.0 as usize)?.labels;
        labels.iter().position(|known| known == label).and_then(|at| u32::try_from(at).ok())
    }

    /// What a name stands for here; checks its declaration first if that has not happened yet.
    pub(crate) fn resolve(&mut self, _name: &ast::Name) -> Resolved {
        Resolved::Unknown
    }

    /// Reports a name that is declared nowhere, with the nearest one in scope (columns, traits, …,
    /// and `also`: labels or functions that would fit).
    pub(crate) fn unknown_name(&mut self, _name: &ast::Name, _also: &[String]) {}

    /// Index of a lookup by name; reports an unknown one. `None` also where it is poisoned.
    pub(crate) fn resolve_lookup(&mut self, _name: &ast::Name) -> Option<usize> {
        None
    }

    /// A type in the reader's words: `int`, `decimal(18,2)`, `level`, `list of string`.
    pub(crate) fn type_name(&self, _ty: &Type) -> String {
        String::new()
    }
}
