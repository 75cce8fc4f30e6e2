//! Written types and domains.

use super::Checker;
use crate::diagnostic::codes::names as codes;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::program::{Bound, Domain, LabelType, Type, TypeId, Value};
use crate::syntax::ast::{self, TypeKind};

/// The built-in types by name; `decimal` and `list` have forms of their own.
const BUILT_IN: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("float", Type::Float),
    ("string", Type::Text),
    ("date", Type::Date),
    ("timestamp", Type::Timestamp),
];

/// What other tools call them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("integer", "int"),
    ("bigint", "int"),
    ("smallint", "int"),
    ("long", "int"),
    ("number", "int` or `float"),
    ("numeric", "decimal(18,2)"),
    ("money", "decimal(18,2)"),
    ("double", "float"),
    ("real", "float"),
    ("text", "string"),
    ("varchar", "string"),
    ("char", "string"),
    ("str", "string"),
    ("boolean", "bool"),
    ("datetime", "timestamp"),
    ("time", "timestamp"),
    ("array", "list of string"),
    ("enum", "a | b | c"),
];

/// A resolved type and whether it may be missing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resolved {
    pub ty: Type,
    pub optional: bool,
}

/// Whether a name is a built-in type's.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name) || matches!(name, "decimal" | "list")
}

impl Checker {
    /// Declares all named types. A name may stand for one that is declared later.
    pub(super) fn declare_types(&mut self, declarations: &[&ast::TypeDeclaration]) {
        for declaration in declarations {
            let name = &declaration.name;
            if is_built_in(&name.text) {
                self.report(
                    Diagnostic::new(
                        codes::RESERVED,
                        name.span,
                        format!("`{}` is a built-in type", name.text),
                    )
                    .help("give your type another name"),
                );
            } else if let Some(first) = self.names.types.get(&name.text).copied() {
                self.declared_twice(name, first);
            } else {
                self.names.types.insert(name.text.clone(), name.span);
                self.written_types.insert(name.text.clone(), declaration.ty.clone());
            }
        }
        for declaration in declarations {
            if self.names.types.get(&declaration.name.text) == Some(&declaration.name.span) {
                self.named_type(&declaration.name.text, declaration.name.span, &mut Vec::new());
            }
        }
    }

    /// The type of a declared name, resolved once.
    fn named_type(&mut self, name: &str, span: Span, open: &mut Vec<String>) -> Option<Resolved> {
        if let Some(known) = self.named_types.get(name) {
            return known.clone();
        }
        if open.iter().any(|other| other == name) || open.len() > 100 {
            self.report(
                Diagnostic::new(codes::CYCLE, span, format!("the type `{name}` needs itself"))
                    .help("say what its values are: `a | b | c`, `int`, …"),
            );
            self.named_types.insert(name.to_owned(), None);
            return None;
        }
        open.push(name.to_owned());
        let written = self.written_types.get(name).cloned()?;
        let resolved = self.resolve_type_within(&written, name, open);
        open.pop();
        self.named_types.entry(name.to_owned()).or_insert_with(|| resolved.clone());
        resolved
    }

    /// Layers, grids and labelled columns are labelled types too: the type of one of that name, none
    /// where it is at fault. No answer where there is no such name.
    fn type_of_labels(&mut self, name: &ast::Name) -> Option<Option<Type>> {
        match self.resolve_of_user(name) {
            super::Resolved::Node(id) => {
                let ty = self.node(id).ty.clone();
                matches!(ty, Type::Label(_)).then_some(Some(ty))
            }
            super::Resolved::Poisoned => Some(None),
            super::Resolved::Unknown => None,
        }
    }

    /// A written type. Labels written in place make a labelled type named `owner`.
    pub(super) fn resolve_type(&mut self, written: &ast::Type, owner: &str) -> Option<Resolved> {
        self.resolve_type_within(written, owner, &mut Vec::new())
    }

    fn resolve_type_within(
        &mut self,
        written: &ast::Type,
        owner: &str,
        open: &mut Vec<String>,
    ) -> Option<Resolved> {
        let (ty, optional) = match &written.kind {
            TypeKind::Error => return None,
            TypeKind::Named(name) => {
                match BUILT_IN.iter().find(|(known, _)| *known == name.text && !name.quoted) {
                    Some((_, ty)) => (ty.clone(), false),
                    None if self.names.types.contains_key(&name.text) => {
                        let resolved = self.named_type(&name.text, name.span, open)?;
                        (resolved.ty, resolved.optional)
                    }
                    None => match self.type_of_labels(name) {
                        Some(found) => (found?, false),
                        None => {
                            self.unknown_type(name);
                            return None;
                        }
                    },
                }
            }
            TypeKind::Decimal { precision, scale } => {
                let fits = |n: u32| u8::try_from(n).ok().filter(|n| *n <= 38);
                match (fits(*precision), fits(*scale)) {
                    (Some(precision @ 1..), Some(scale)) if scale <= precision => {
                        (Type::Decimal { precision, scale }, false)
                    }
                    _ => {
                        self.report(
                            Diagnostic::new(
                                codes::BAD_TYPE,
                                written.span,
                                format!("there is no `decimal({precision},{scale})`"),
                            )
                            .help(
                                "the first number counts all digits, from 1 to 38, the second those after the \
                                 point, no more than all: `decimal(18,2)`",
                            ),
                        );
                        return None;
                    }
                }
            }
            TypeKind::List(item) => {
                let item_type = self.resolve_type_within(item, owner, open)?;
                if let Type::List(_) = item_type.ty {
                    self.report(
                        Diagnostic::new(codes::BAD_TYPE, item.span, "a list of lists is not possible")
                            .help("write `list of string`, or one of the other types"),
                    );
                    return None;
                }
                // `list of string?` is an optional list; its items are never missing.
                (Type::List(Box::new(item_type.ty)), item_type.optional)
            }
            TypeKind::Labels { labels, ordered } => {
                (self.label_type(labels, *ordered, owner, written.span)?, false)
            }
        };
        Some(Resolved { ty, optional: optional || written.optional })
    }

    /// A labelled type from its labels.
    fn label_type(&mut self, labels: &[ast::Name], ordered: bool, owner: &str, span: Span) -> Option<Type> {
        let mut names: Vec<String> = Vec::with_capacity(labels.len());
        let mut faulty = false;
        for label in labels {
            if !label.quoted && is_built_in(&label.text) {
                self.report(
                    Diagnostic::new(
                        codes::RESERVED,
                        label.span,
                        format!("`{}` is a built-in type", label.text),
                    )
                    .help(format!("write the label as a string: `\"{}\"`", label.text))
                    .fix(label.span, format!("\"{}\"", label.text)),
                );
                faulty = true;
            } else if names.contains(&label.text) {
                self.report(
                    Diagnostic::new(
                        codes::DECLARED_TWICE,
                        label.span,
                        format!("the label `{}` stands twice", label.text),
                    )
                    .help("leave one of them out"),
                );
            } else {
                names.push(label.text.clone());
            }
        }
        if faulty {
            return None;
        }
        if names.len() < 2 {
            self.report(
                Diagnostic::new(codes::BAD_TYPE, span, "a type of labels has two or more different ones")
                    .help("write them with `|` between, or with `<` where they have an order"),
            );
            return None;
        }
        Some(Type::Label(self.add_label_type(owner, names, ordered)))
    }

    /// Adds a labelled type.
    pub(super) fn add_label_type(&mut self, name: &str, labels: Vec<String>, ordered: bool) -> TypeId {
        let id = TypeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX));
        self.types.push(LabelType { name: name.to_owned(), labels, ordered });
        id
    }

    fn unknown_type(&mut self, name: &ast::Name) {
        let finding =
            Diagnostic::new(codes::UNKNOWN_TYPE, name.span, format!("there is no type `{}`", name.text));
        let known: Vec<&str> = BUILT_IN
            .iter()
            .map(|(known, _)| *known)
            .chain(self.names.types.keys().map(String::as_str))
            .collect();
        let lowered = name.text.to_lowercase();
        let finding = if let Some((_, ours)) = ELSEWHERE.iter().find(|(theirs, _)| *theirs == lowered) {
            finding.help(format!("here it is written `{ours}`"))
        } else if let Some(near) = nearest(&name.text, known.iter().copied()) {
            finding.help(format!("did you mean `{near}`?")).fix(name.span, near.to_owned())
        } else {
            finding.help(
                "the types are `bool`, `int`, `float`, `decimal(18,2)`, `string`, `date`, `timestamp`, `list of …`, \
                 labels such as `a | b`, and what `type` declares",
            )
        };
        self.report(finding);
    }

    /// A written domain for values of a type.
    pub(super) fn domain(&mut self, written: &ast::Domain, ty: &Type) -> Option<Domain> {
        let mut domain = Domain::default();
        match written {
            ast::Domain::Past(span) => {
                if !matches!(ty, Type::Date | Type::Timestamp) {
                    self.bad_domain(
                        *span,
                        format!("`past` is for dates and timestamps, and this is {}", self.a_type(ty)),
                    );
                    return None;
                }
                domain.past = true;
            }
            ast::Domain::Between(low, high) => {
                if !self.has_range(ty, low.span.to(high.span)) {
                    return None;
                }
                let (low_value, high_value) = (self.constant(low, ty), self.constant(high, ty));
                let (low_value, high_value) = (low_value?, high_value?);
                if is_above(&low_value, &high_value) {
                    self.bad_domain(
                        low.span.to(high.span),
                        "the lower end is above the upper one, so nothing lies between".to_owned(),
                    );
                    return None;
                }
                domain.low = Some(Bound { value: low_value, inclusive: true });
                domain.high = Some(Bound { value: high_value, inclusive: true });
            }
            ast::Domain::Bound(op, e) => {
                if !self.has_range(ty, e.span) {
                    return None;
                }
                let value = self.constant(e, ty)?;
                let bound = |inclusive| Some(Bound { value: value.clone(), inclusive });
                match op {
                    ast::CompareOp::Ge => domain.low = bound(true),
                    ast::CompareOp::Gt => domain.low = bound(false),
                    ast::CompareOp::Le => domain.high = bound(true),
                    ast::CompareOp::Lt => domain.high = bound(false),
                    ast::CompareOp::Eq | ast::CompareOp::Ne => {
                        self.bad_domain(
                            e.span,
                            "a range is given with `>=`, `<=`, `>`, `<` or `between`".to_owned(),
                        );
                        return None;
                    }
                }
            }
        }
        Some(domain)
    }

    /// Whether values of a type have an order, so that a range has a meaning.
    fn has_range(&mut self, ty: &Type, span: Span) -> bool {
        let ordered = match ty {
            Type::Label(ty) => self.types.get(ty.0 as usize).is_some_and(|ty| ty.ordered),
            Type::Bool | Type::Text | Type::List(_) => false,
            _ => true,
        };
        if !ordered {
            let what = self.a_type(ty);
            self.bad_domain(span, format!("{what} has no order, so it has no range"));
        }
        ordered
    }

    fn bad_domain(&mut self, span: Span, message: String) {
        self.report(
            Diagnostic::new(codes::BAD_DOMAIN, span, message)
                .help("write for example `int between 0 and 120`, `decimal(18,2) >= 0` or `date past`"),
        );
    }

    /// A type in the reader's words: `int`, `decimal(18,2)`, `level`, `list of string`.
    pub(crate) fn type_name(&self, ty: &Type) -> String {
        ty.words("time of day", &|id| {
            self.types.get(id.0 as usize).map_or(String::new(), |ty| ty.name.clone())
        })
    }
}

/// Whether one end lies above the other; both are of one ordered type.
fn is_above(low: &Value, high: &Value) -> bool {
    match (low, high) {
        (Value::Int(a), Value::Int(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => a > b,
        (Value::Date(a), Value::Date(b)) => a > b,
        (Value::Float(a), Value::Float(b)) => a > b,
        (Value::Decimal(a), Value::Decimal(b)) => a.unscaled > b.unscaled,
        (Value::Label(a), Value::Label(b)) => a > b,
        _ => false,
    }
}
