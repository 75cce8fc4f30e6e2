//! Types, headings, columns, members and grid lines as parts of the tree.

use super::ast::{
    Column, Domain, Expr, ExprKind, Heading, LayerMode, Member, MemberCondition, Name, Type, TypeKind,
};
use super::build::{Builder, Node};
use super::grammar::Rule;
use super::operators::comparison;
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};

impl Builder<'_> {
    /// A written type.
    pub fn ty(&self, node: Node) -> Type {
        let span = self.span(&node);
        let mut lists = 0;
        let mut optional = false;
        let mut kind = TypeKind::Error;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::list_prefix => lists += 1,
                Rule::question => optional = true,
                Rule::decimal => {
                    let mut numbers = part.into_inner().filter(|inner| inner.as_rule() == Rule::number);
                    let mut next =
                        || numbers.next().and_then(|number| number.as_str().trim().parse().ok()).unwrap_or(0);
                    kind = TypeKind::Decimal { precision: next(), scale: next() };
                }
                Rule::labels => kind = self.labels(part),
                _ => {}
            }
        }
        // A list of lists is refused by the checker; a tower of them only by its height.
        if lists > 8 {
            self.report(
                Diagnostic::new(codes::TOO_DEEP, span, "lists nest too deep here")
                    .help("write `list of` once"),
            );
            return Type { kind: TypeKind::Error, optional, span };
        }
        for _ in 0..lists {
            kind = TypeKind::List(Box::new(Type { kind, optional: false, span }));
        }
        Type { kind, optional, span }
    }

    fn labels(&self, node: Node) -> TypeKind {
        let mut ordered = false;
        let mut labels = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::op_lt => ordered = true,
                Rule::label_name => labels.push(self.label_name(part)),
                _ => {}
            }
        }
        if labels.len() == 1
            && let Some(only) = labels.pop()
        {
            return TypeKind::Named(only);
        }
        TypeKind::Labels { labels, ordered }
    }

    /// A label in a type, or a member: a name, a string, or a reserved word, which is answered.
    pub(super) fn label_name(&self, node: Node) -> Name {
        let Some(inner) = node.clone().into_inner().next() else { return self.name(&node) };
        match inner.as_rule() {
            Rule::string => self.string_name(&inner),
            Rule::reserved_name => {
                let name = self.name(&inner);
                let mend = format!("\"{}\"", name.text);
                self.report(
                    Diagnostic::new(
                        codes::RESERVED_NAME,
                        name.span,
                        format!(
                            "`{}` is a word of the language and cannot be a label as it stands",
                            name.text
                        ),
                    )
                    .help(format!("write it as a string: `{mend}`"))
                    .fix(name.span, mend),
                );
                name
            }
            _ => self.name(&inner),
        }
    }

    fn string_name(&self, node: &Node) -> Name {
        let text = self.text(node);
        Name { text: text.value, span: text.span, quoted: true }
    }

    /// A domain after a type.
    pub fn domain(&self, node: Node) -> Option<Domain> {
        let span = self.span(&node);
        let mut bound = None;
        let mut operands = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::kw_past => return Some(Domain::Past(span)),
                Rule::operand => operands.push(self.expression(part)),
                rule => bound = comparison(rule).or(bound),
            }
        }
        let mut operands = operands.into_iter();
        match (bound, operands.next(), operands.next()) {
            (Some(op), Some(value), _) => Some(Domain::Bound(op, value)),
            (None, Some(low), Some(high)) => Some(Domain::Between(low, high)),
            _ => None,
        }
    }

    /// A declared column.
    pub fn column(&self, node: Node) -> Column {
        let span = self.span(&node);
        let docs = self.docs(span);
        let mut column = Column {
            name: Name { text: String::new(), span, quoted: false },
            docs,
            ty: Type { kind: TypeKind::Error, optional: false, span },
            domain: None,
            source: None,
            format: None,
            span,
        };
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::declared => column.name = self.declared(&part),
                Rule::assign => {
                    self.habit(place, "a column and its type are parted by `:`".to_owned(), " : ");
                }
                Rule::ty => column.ty = self.ty(part),
                Rule::domain => column.domain = self.domain(part),
                Rule::source => column.source = self.once(part, column.source.is_some(), "from"),
                Rule::format => column.format = self.once(part, column.format.is_some(), "format"),
                _ => {}
            }
        }
        column
    }

    /// The string of `from "…"` or `format "…"`; a second one is reported.
    fn once(&self, node: Node, again: bool, word: &str) -> Option<super::ast::Text> {
        let place = self.span(&node);
        if again {
            self.report(
                Diagnostic::new(codes::UNEXPECTED, place, format!("`{word}` stands twice in this column"))
                    .help("keep one of them"),
            );
        }
        node.into_inner().find(|inner| inner.as_rule() == Rule::string).map(|inner| self.text(&inner))
    }

    /// `named`, `grid_named`, `member_named`: a name and its label.
    pub fn named(&self, node: Node) -> (Name, Heading) {
        let fallback = self.span(&node);
        let mut name = Name { text: String::new(), span: fallback, quoted: false };
        let mut heading = Heading::default();
        for (at, part) in node.into_inner().enumerate() {
            match part.as_rule() {
                Rule::declared => name = self.declared(&part),
                Rule::label if at == 0 => {
                    if let Some(inner) = part.into_inner().next() {
                        name = self.string_name(&inner);
                    }
                }
                rule @ (Rule::label | Rule::moved_label | Rule::moved_grid_label) => {
                    let Some(inner) = part.into_inner().next() else { continue };
                    let label = self.text(&inner);
                    if rule != Rule::label {
                        self.report(
                            Diagnostic::new(
                                codes::OTHER_LINE,
                                label.span,
                                format!("this label stands on another line than `{}`", name.text),
                            )
                            .label(name.span, "it belongs to this")
                            .help(format!("write `{}` and its label on one line", name.text)),
                        );
                    }
                    heading.label = Some(label);
                }
                _ => {}
            }
        }
        (name, heading)
    }

    /// `with { owner "crm"; … }`
    pub fn properties(&self, node: Node) -> Vec<(Name, Expr)> {
        let span = self.span(&node);
        let mut properties = Vec::new();
        for part in node.into_inner().filter(|part| part.as_rule() == Rule::property) {
            let mut name = None;
            for inner in part.into_inner() {
                match inner.as_rule() {
                    Rule::name => name = Some(self.name(&inner)),
                    Rule::operand => {
                        let value = self.expression(inner);
                        properties.extend(name.take().map(|name| (name, value)));
                    }
                    Rule::habit_colon | Rule::assign => {
                        let place = self.span(&inner);
                        self.report(
                            Diagnostic::new(
                                codes::HABIT,
                                place,
                                format!("no `{}` stands between a property and its value", inner.as_str()),
                            )
                            .help("write the value right after the name, like `owner \"crm\"`")
                            .fix(place, ""),
                        );
                    }
                    _ => {}
                }
            }
        }
        if properties.is_empty() {
            self.report(
                Diagnostic::new(codes::EMPTY, span, "there is nothing in the braces of this `with`")
                    .help("write a property, like `with { owner \"crm\" }`, or leave it out"),
            );
        }
        properties
    }

    /// `first match`, `partial`.
    pub fn mode(&self, node: &Node, mode: &mut LayerMode) {
        let place = self.span(node);
        let slot = if node.as_str().starts_with("first") { &mut mode.first_match } else { &mut mode.partial };
        if let Some(before) = *slot {
            self.report(
                Diagnostic::new(codes::UNEXPECTED, place, format!("`{}` stands twice", node.as_str().trim()))
                    .label(before, "the first")
                    .help("delete one of them")
                    .fix(place, ""),
            );
        }
        *slot = Some(place);
    }

    /// The word before a condition: anything but `when` is answered.
    pub fn when(&self, node: Node, of: &Name) {
        let place = self.span(&node);
        let Some(inner) = node.into_inner().next() else { return };
        match inner.as_rule() {
            Rule::habit_if => self.habit_when(&inner),
            Rule::when_sign => {
                let written = inner.as_str().trim();
                self.report(
                    Diagnostic::new(
                        codes::MISSING_WHEN,
                        place,
                        format!("a condition begins with `when`, not with `{written}`"),
                    )
                    .help("write `when`")
                    .fix(place, " when "),
                );
            }
            Rule::no_when => {
                let place = Span { end: place.start, ..place };
                self.report(
                    Diagnostic::new(
                        codes::MISSING_WHEN,
                        of.span,
                        format!("`{}` has a condition, but no `when` before it", of.text),
                    )
                    .help("write `when` before the condition")
                    .fix(place, "when "),
                );
            }
            _ => {}
        }
    }

    fn habit_when(&self, node: &Node) {
        let place = self.span(node);
        self.report(
            Diagnostic::new(
                codes::MISSING_WHEN,
                place,
                format!("a condition begins with `when`, not with `{}`", node.as_str().trim()),
            )
            .help("write `when`")
            .fix(place, "when"),
        );
    }

    /// A member of a layer or scale.
    pub fn member(&self, node: Node) -> Member {
        let span = self.span(&node);
        let docs = self.docs(span);
        let mut name = Name { text: String::new(), span, quoted: false };
        let mut heading = Heading::default();
        let mut condition = MemberCondition::When(Expr { kind: ExprKind::Error, span });
        let node_text = (node.as_span().start(), node.as_str());
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::member_named => (name, heading) = self.named(part),
                Rule::properties => heading.properties = self.properties(part),
                Rule::kw_otherwise => condition = MemberCondition::Otherwise(place),
                Rule::habit_else => {
                    self.habit_word(&part, "otherwise");
                    condition = MemberCondition::Otherwise(place);
                }
                Rule::habit_colon_when => {
                    self.report(
                        Diagnostic::new(codes::HABIT, place, "no `:` stands between a member and its `when`")
                            .help("delete the `:`")
                            .fix(place, ""),
                    );
                }
                // `old otherwse` reads like a condition without `when`.
                Rule::when if part.as_str().is_empty() && misspelt_otherwise(after(&node_text, &part)) => {
                    let word = after(&node_text, &part);
                    let start = self.base.get() + part.as_span().end();
                    let place = self.clean_span(start, start + word.len());
                    self.habit(
                        place,
                        format!("`{word}` is no word of the language; `otherwise` is"),
                        "otherwise",
                    );
                    condition = MemberCondition::Otherwise(place);
                    break;
                }
                Rule::when => self.when(part, &name),
                Rule::expr => condition = MemberCondition::When(self.expression(part)),
                Rule::trailing_comma => self.no_comma(place, "members"),
                _ => {}
            }
        }
        Member { name, heading, docs, condition, span }
    }

    pub(super) fn no_comma(&self, place: Span, what: &str) {
        self.report(
            Diagnostic::new(codes::HABIT, place, format!("{what} are not parted by commas"))
                .help("begin each on a new line; a `;` may end it")
                .fix(place, ""),
        );
    }

    /// `otherwise low`, written the wrong way round.
    pub fn otherwise_first(&self, node: Node) -> Member {
        let span = self.span(&node);
        let docs = self.docs(span);
        let mut name = Name { text: String::new(), span, quoted: false };
        let mut word = span;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::kw_otherwise | Rule::habit_else => word = self.span(&part),
                Rule::name => name = self.name(&part),
                _ => {}
            }
        }
        let mend = format!("{} otherwise", name.text);
        self.report(
            Diagnostic::new(codes::HABIT, word, "the name of a member comes before its `otherwise`")
                .help(format!("write `{mend}`"))
                .fix(word.to(name.span), mend),
        );
        Member { name, heading: Heading::default(), docs, condition: MemberCondition::Otherwise(word), span }
    }

    /// The documentation comment above a place: the `##` lines, joined.
    pub fn docs(&self, place: Span) -> Option<String> {
        let comments = &self.prepared.comments;
        let before = comments.partition_point(|comment| comment.span.start < place.start);
        let mut lines = Vec::new();
        let mut below = place.start;
        for comment in comments.get(..before).unwrap_or(&[]).iter().rev() {
            if !comment.own_line || !self.prepared.only_blanks(comment.span.end, below) {
                break;
            }
            if let Some(text) = comment.text.strip_prefix("##") {
                lines.push(text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned());
            }
            below = comment.span.start;
        }
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// The text of a node from the end of one of its parts on.
fn after<'t>(node: &(usize, &'t str), part: &Node) -> &'t str {
    node.1.get(part.as_span().end() - node.0..).unwrap_or("").trim_end()
}

fn misspelt_otherwise(text: &str) -> bool {
    text.chars().all(char::is_alphabetic) && strsim::osa_distance(text, "otherwise") <= 2
}
