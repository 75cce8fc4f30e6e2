//! The tree builder: places, names, strings, and the primaries of expressions.

use super::ast::{Expr, ExprKind, Quantifier, SinceKind, Unit};
use super::grammar::Rule;
use super::lexemes::{time_of, timestamp, unit_of};
use super::literals::read_number;
use super::prepare::{DECLARATION, Prepared, UNREADABLE};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, FileId, Span};
use pest::iterators::Pair;
use std::cell::RefCell;

/// A node of pest's.
pub(super) type Node<'i> = Pair<'i, Rule>;

/// Turns pest's nodes into the tree and answers the habits among them.
pub(super) struct Builder<'p> {
    pub file: FileId,
    pub prepared: &'p Prepared<'p>,
    /// Where in the clean text the slice begins that pest was given.
    pub base: std::cell::Cell<usize>,
    pub diagnostics: RefCell<Vec<Diagnostic>>,
}

/// Words for a missing value in other languages.
const NULLS: [&str; 5] = ["null", "NULL", "Null", "None", "nil"];

impl<'p> Builder<'p> {
    pub fn new(file: FileId, prepared: &'p Prepared<'p>) -> Self {
        Builder { file, prepared, base: std::cell::Cell::new(0), diagnostics: RefCell::new(Vec::new()) }
    }

    pub fn report(&self, mut diagnostic: Diagnostic) {
        // The marks of the preparation are not for readers.
        let marked = |text: &str| text.contains(UNREADABLE) || text.contains(DECLARATION);
        let plain = |text: &str| text.replace(UNREADABLE, "…").replace(DECLARATION, "");
        if marked(&diagnostic.message) {
            diagnostic.message = plain(&diagnostic.message);
        }
        diagnostic.help = diagnostic.help.map(|help| if marked(&help) { plain(&help) } else { help });
        diagnostic.fix = diagnostic.fix.filter(|fix| !marked(&fix.replacement));
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// A habit of another language, with what to write instead.
    pub fn habit(&self, place: Span, message: String, mend: &str) {
        let help = format!("write `{}`", mend.trim());
        self.report(Diagnostic::new(codes::HABIT, place, message).help(help).fix(place, mend));
    }

    /// The span of a stretch of the clean text.
    pub fn clean_span(&self, start: usize, end: usize) -> Span {
        let from = self.prepared.original(start);
        Span::new(self.file, from, self.prepared.original(end).max(from))
    }

    /// A node's place, without the white space after it.
    pub fn span(&self, node: &Node) -> Span {
        let inner = node.as_span();
        let start = self.base.get() + inner.start();
        self.clean_span(start, start + node.as_str().trim_end().len())
    }

    /// The items of `( … )`.
    pub fn items(&self, node: Node) -> Vec<Expr> {
        let span = self.span(&node);
        let mut items = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::expr => items.push(self.expression(part)),
                Rule::trailing_comma => self.trailing_comma(&part),
                Rule::semi => {
                    self.habit(self.span(&part), "items in round brackets are parted by `,`".to_owned(), ",")
                }
                _ => {}
            }
        }
        if items.is_empty() {
            self.report(
                Diagnostic::new(codes::EMPTY, span, "there is nothing between these brackets")
                    .help("write at least one value, such as `(a, b)`"),
            );
            items.push(Expr { kind: ExprKind::Error, span });
        }
        items
    }

    pub fn trailing_comma(&self, comma: &Node) {
        let place = self.span(comma);
        self.report(
            Diagnostic::new(codes::UNEXPECTED, place, "there is nothing after this comma")
                .help("delete the comma, or write the value that is left out")
                .fix(place, ""),
        );
    }

    /// `30 days`, `(cycle) days`: the amount and the unit.
    pub fn length_of_time(&self, node: Node) -> Option<(Expr, Unit)> {
        let mut parts = node.into_inner();
        let amount = parts.next()?;
        let unit = parts.next()?;
        let amount = match amount.as_rule() {
            Rule::number => self.number(&amount),
            Rule::unreadable => Expr { kind: ExprKind::Error, span: self.span(&amount) },
            _ => self.parentheses(amount),
        };
        Some((amount, self.unit(unit)))
    }

    /// A unit; one that stands on another line than its number is answered.
    fn unit(&self, node: Node) -> Unit {
        if node.as_rule() == Rule::moved_unit {
            let place = self.span(&node);
            self.report(
                Diagnostic::new(
                    codes::OTHER_LINE,
                    place,
                    format!("`{}` stands on another line than its number", node.as_str()),
                )
                .help("write a number and its unit on one line, like `30 days`"),
            );
        }
        unit_of(node.as_str().trim())
    }

    pub fn number(&self, node: &Node) -> Expr {
        let span = self.span(node);
        let kind = read_number(node.as_str()).map_or(ExprKind::Error, ExprKind::Number);
        Expr { kind, span }
    }

    /// `( … )` as it stands.
    fn parentheses(&self, node: Node) -> Expr {
        let span = self.span(&node);
        let inner = node.into_inner().find(|part| part.as_rule() == Rule::expr);
        let kind =
            inner.map_or(ExprKind::Error, |inner| ExprKind::Parenthesised(Box::new(self.expression(inner))));
        Expr { kind, span }
    }

    /// What an expression is made of.
    pub fn primary(&self, node: Node) -> Expr {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::kw_true => ExprKind::Bool(true),
            Rule::kw_false => ExprKind::Bool(false),
            Rule::string => ExprKind::Text(self.text(&node).value),
            Rule::number => return self.number(&node),
            Rule::date => node.as_str().parse().map_or(ExprKind::Error, ExprKind::Date),
            Rule::time => time_of(node.as_str()).map_or(ExprKind::Error, ExprKind::Time),
            Rule::timestamp => timestamp(node.as_str()),
            Rule::paren_expr => return self.parentheses(node),
            Rule::number_or_span | Rule::parenthesised => return self.maybe_length(node),
            Rule::since => self.since(node),
            Rule::since_operand => match node.into_inner().next() {
                Some(inner) => return self.primary(inner),
                None => ExprKind::Error,
            },
            Rule::anniversary => self.anniversary(node),
            Rule::count_of => self.count_of(node),
            Rule::points => {
                let arms = self.arms(node).0;
                if arms.is_empty() {
                    self.empty_braces(span, "points", "`points { when … then 10 }`");
                }
                ExprKind::Points(arms)
            }
            Rule::case => {
                let (arms, otherwise) = self.arms(node);
                if arms.is_empty() {
                    self.empty_braces(span, "case", "`case { when … then …  otherwise … }`");
                }
                ExprKind::Case { arms, otherwise: otherwise.map(Box::new) }
            }
            Rule::population => self.population(node),
            Rule::habit_list => {
                let items: Vec<Expr> = node
                    .into_inner()
                    .filter(|part| part.as_rule() == Rule::expr)
                    .map(|part| self.expression(part))
                    .collect();
                self.report(Diagnostic::new(codes::HABIT, span, "square brackets make no list here").help(
                    "after `in`, `has any` and `has all` the values stand in round brackets: `(a, b)`",
                ));
                drop(items);
                ExprKind::Error
            }
            Rule::path => return self.path(node),
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn empty_braces(&self, span: Span, word: &str, model: &str) {
        self.report(
            Diagnostic::new(codes::EMPTY, span, format!("`{word}` has no line in its braces"))
                .help(format!("write at least one, like {model}")),
        );
    }

    /// A number or parenthesis, with the unit after it where there is one.
    fn maybe_length(&self, node: Node) -> Expr {
        let span = self.span(&node);
        let mut parts = node.into_inner();
        let Some(first) = parts.next() else { return Expr { kind: ExprKind::Error, span } };
        let value = self.primary(first);
        match parts.next() {
            Some(unit) => Expr { kind: ExprKind::Duration(Box::new(value), self.unit(unit)), span },
            None => value,
        }
    }

    fn since(&self, node: Node) -> ExprKind {
        let mut parts = node.into_inner();
        let (Some(unit), Some(word)) = (parts.next(), parts.next()) else { return ExprKind::Error };
        let unit = unit_of(unit.as_str());
        let mut operands = parts
            .filter(|part| part.as_rule() == Rule::since_operand)
            .map(|part| Box::new(self.primary(part)));
        let Some(value) = operands.next() else { return ExprKind::Error };
        match word.as_rule() {
            Rule::kw_since => ExprKind::Since { unit, kind: SinceKind::Since, value },
            Rule::kw_until => ExprKind::Since { unit, kind: SinceKind::Until, value },
            _ => match operands.next() {
                Some(to) => ExprKind::FromTo { unit, from: value, to },
                None => ExprKind::Error,
            },
        }
    }

    fn anniversary(&self, node: Node) -> ExprKind {
        let mut value = None;
        let mut negated = false;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::since_operand => value = Some(self.primary(part)),
                Rule::kw_not => negated = true,
                Rule::in_window => {
                    let (Some(value), Some((direction, amount, unit))) = (value.take(), self.window(part))
                    else {
                        continue;
                    };
                    let value = Box::new(value);
                    return ExprKind::InWindow { value, anniversary: true, direction, amount, unit, negated };
                }
                _ => {}
            }
        }
        ExprKind::Error
    }

    fn count_of(&self, node: Node) -> ExprKind {
        let mut quantifier = Quantifier::Exactly;
        let mut count = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::kw_least => quantifier = Quantifier::AtLeast,
                Rule::kw_most => quantifier = Quantifier::AtMost,
                Rule::number => count = read_number(part.as_str()).map(|number| (number, self.span(&part))),
                Rule::items => {
                    let conditions = self.items(part);
                    return match count {
                        Some(count) => ExprKind::CountOf { quantifier, count, conditions },
                        None => ExprKind::Error,
                    };
                }
                _ => {}
            }
        }
        ExprKind::Error
    }

    /// The `when … then …` lines of `points` and `case`, and what `otherwise` gives.
    fn arms(&self, node: Node) -> (Vec<(Expr, Expr)>, Option<Expr>) {
        let mut arms = Vec::new();
        let mut otherwise = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::arm => {
                    let mut values = Vec::new();
                    for inner in part.into_inner() {
                        match inner.as_rule() {
                            Rule::expr => values.push(self.expression(inner)),
                            Rule::habit_if => self.habit_word(&inner, "when"),
                            Rule::trailing_comma => self.no_comma(self.span(&inner), "lines"),
                            Rule::arrow | Rule::habit_colon => self.habit_word(&inner, "then"),
                            _ => {}
                        }
                    }
                    let mut values = values.into_iter();
                    if let (Some(condition), Some(value)) = (values.next(), values.next()) {
                        let value = self
                            .no_null(value, "leave these users to no line; what no line takes is missing");
                        arms.push((condition, value));
                    }
                }
                Rule::habit_else => self.habit_word(&part, "otherwise"),
                Rule::expr => {
                    let value = self.expression(part);
                    otherwise =
                        Some(self.no_null(value, "leave `otherwise` out; what no line takes is missing"));
                }
                _ => {}
            }
        }
        (arms, otherwise)
    }

    /// A word or sign of another language, or a misspelt one, in the place of `mend`.
    pub fn habit_word(&self, node: &Node, mend: &str) {
        let written = node.as_str().trim();
        let place = self.span(node);
        let message = if written.chars().all(char::is_lowercase) && strsim::osa_distance(written, mend) <= 2 {
            format!("`{written}` is no word of the language; `{mend}` is")
        } else {
            format!("`{written}` is written `{mend}` here")
        };
        // Signs may touch their neighbours; words may not.
        let fix =
            if written.chars().all(char::is_alphabetic) { mend.to_owned() } else { format!(" {mend} ") };
        self.habit(place, message, &fix);
    }

    /// A name and what hangs on it.
    fn path(&self, node: Node) -> Expr {
        let span = self.span(&node);
        let mut parts = node.into_inner();
        let Some(first) = parts.next() else { return Expr { kind: ExprKind::Error, span } };
        let name = self.name(&first);
        let mut kind = ExprKind::Name(name.clone());
        for part in parts {
            kind = match part.as_rule() {
                Rule::qualifier => match part.into_inner().find(|inner| inner.as_rule() == Rule::name) {
                    Some(inner) => ExprKind::Qualified(name.clone(), self.name(&inner)),
                    None => ExprKind::Error,
                },
                Rule::index => {
                    let mut key = None;
                    let mut column = None;
                    for inner in part.into_inner() {
                        match inner.as_rule() {
                            Rule::expr => key = Some(Box::new(self.expression(inner))),
                            Rule::name => column = Some(self.name(&inner)),
                            _ => {}
                        }
                    }
                    match (key, column) {
                        (Some(key), Some(column)) => ExprKind::Lookup { table: name.clone(), key, column },
                        _ => ExprKind::Error,
                    }
                }
                Rule::moved_call => {
                    let inner = part.into_inner().next();
                    if let Some(inner) = &inner {
                        let open = self.span(inner).start as usize;
                        self.report(
                            Diagnostic::new(
                                codes::OTHER_LINE,
                                Span::new(self.file, open, open + 1),
                                format!("this bracket stands on another line than `{}`", name.text),
                            )
                            .label(name.span, "it belongs to this")
                            .help(format!("write `{}(` on one line", name.text)),
                        );
                    }
                    inner.map_or(ExprKind::Error, |inner| self.call(name.clone(), inner))
                }
                Rule::call => self.call(name.clone(), part),
                Rule::as_of => self.as_of(kind, span, part),
                _ => kind,
            };
        }
        Expr { kind, span }
    }

    /// A word for a missing value where a value stands: answered, with what to do instead.
    pub fn no_null(&self, value: Expr, help: &str) -> Expr {
        let ExprKind::Name(name) = &value.kind else { return value };
        if name.quoted || !NULLS.contains(&name.text.as_str()) || self.declares(&name.text) {
            return value;
        }
        self.report(
            Diagnostic::new(
                codes::NO_MISSING_LITERAL,
                value.span,
                format!("there is no value `{}`", name.text),
            )
            .help(help),
        );
        Expr { kind: ExprKind::Error, span: value.span }
    }

    /// `x = null` and its kin: answered, and read as the test that was meant.
    pub fn missing_by_habit(
        &self,
        left: &Expr,
        op: super::ast::CompareOp,
        place: Span,
        right: &Expr,
    ) -> Option<ExprKind> {
        let ExprKind::Name(name) = &right.kind else { return None };
        if name.quoted || !NULLS.contains(&name.text.as_str()) || self.declares(&name.text) {
            return None;
        }
        let known = match op {
            super::ast::CompareOp::Eq => false,
            super::ast::CompareOp::Ne => true,
            _ => return None,
        };
        let mend = if known { "is known" } else { "is missing" };
        let whole = place.to(right.span);
        self.report(
            Diagnostic::new(
                codes::NO_MISSING_LITERAL,
                whole,
                format!("there is no value `{}` to compare with", name.text),
            )
            .help(format!("write `{mend}`"))
            .fix(whole, format!(" {mend}")),
        );
        Some(ExprKind::Is { value: Box::new(left.clone()), known })
    }

    /// Whether the file seems to declare this word as a name or label.
    fn declares(&self, word: &str) -> bool {
        self.prepared.clean.match_indices(word).any(|(at, _)| {
            let before = self.prepared.clean.get(..at).unwrap_or("").trim_end();
            let after = self.prepared.clean.get(at + word.len()..).unwrap_or("").trim_start();
            after.starts_with(['|', ':', '<']) || before.ends_with('|') || before.ends_with("trait")
        })
    }
}
