//! Expressions: the flat lists of the grammar, ordered by the Pratt parser, as a tree.

use super::ast::{CompareOp, Expr, ExprKind, HasKind, TextTest, Unit, WindowDirection};
use super::build::{Builder, Node};
use super::grammar::Rule;
use super::operators::{arithmetic, comparison, direction, is_test, mend_of, sign_of};
use super::prepare::{MAX_DEPTH, UNREADABLE};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};
use pest::pratt_parser::{Assoc, Op, PrattParser};
use std::sync::LazyLock;

/// Loosest first, as `language.md` section 5 has it.
static PRATT: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    PrattParser::new()
        .op(Op::infix(Rule::kw_implies, Assoc::Right))
        .op(Op::infix(Rule::kw_or, Assoc::Left) | Op::infix(Rule::habit_or, Assoc::Left))
        .op(Op::infix(Rule::kw_and, Assoc::Left) | Op::infix(Rule::habit_and, Assoc::Left))
        .op(Op::prefix(Rule::kw_not) | Op::prefix(Rule::habit_not))
        .op(Op::infix(Rule::op_le, Assoc::Left)
            | Op::infix(Rule::op_ge, Assoc::Left)
            | Op::infix(Rule::op_ne, Assoc::Left)
            | Op::infix(Rule::op_lt, Assoc::Left)
            | Op::infix(Rule::op_gt, Assoc::Left)
            | Op::infix(Rule::op_eq, Assoc::Left)
            | Op::infix(Rule::habit_ne, Assoc::Left)
            | Op::infix(Rule::habit_ge, Assoc::Left)
            | Op::infix(Rule::habit_le, Assoc::Left)
            | Op::infix(Rule::habit_eq, Assoc::Left)
            | Op::postfix(Rule::is_test)
            | Op::postfix(Rule::between_test)
            | Op::postfix(Rule::in_test)
            | Op::postfix(Rule::text_test)
            | Op::postfix(Rule::like_test)
            | Op::postfix(Rule::matches_test)
            | Op::postfix(Rule::has_test)
            | Op::postfix(Rule::order_test))
        .op(Op::infix(Rule::op_add, Assoc::Left) | Op::infix(Rule::op_sub, Assoc::Left))
        .op(Op::infix(Rule::op_mul, Assoc::Left)
            | Op::infix(Rule::op_div, Assoc::Left)
            | Op::infix(Rule::kw_mod, Assoc::Left)
            | Op::infix(Rule::habit_mod, Assoc::Left)
            | Op::infix(Rule::habit_power, Assoc::Left))
        .op(Op::prefix(Rule::negative))
        .op(Op::infix(Rule::kw_or_else, Assoc::Left))
});

impl Builder<'_> {
    /// `expr` or `operand`.
    pub fn expression(&self, node: Node) -> Expr {
        let span = self.span(&node);
        if let Some(place) = self.too_long(&node) {
            self.report(
                Diagnostic::new(
                    codes::TOO_DEEP,
                    place,
                    format!("more than {MAX_DEPTH} steps follow each other here"),
                )
                .help("give a part of it a name of its own with `trait … = …` and use that name here"),
            );
            return Expr { kind: ExprKind::Error, span };
        }
        PRATT
            .map_primary(|primary| self.primary(primary))
            .map_prefix(|sign, value| self.prefix(&sign, value))
            .map_postfix(|value, test| self.test(value, test))
            .map_infix(|left, sign, right| self.infix(left, &sign, right))
            .parse(node.into_inner())
    }

    /// The first sign too many, where signs would nest the tree too deep.
    fn too_long(&self, node: &Node) -> Option<Span> {
        let mut steps = 0;
        let mut implies = 0;
        for inner in node.clone().into_inner() {
            match inner.as_rule() {
                Rule::kw_and | Rule::kw_or | Rule::habit_and | Rule::habit_or => steps = 0,
                Rule::kw_implies => {
                    steps = 0;
                    implies += 1;
                }
                Rule::kw_not | Rule::habit_not | Rule::negative => steps += 1,
                Rule::op_add
                | Rule::op_sub
                | Rule::op_mul
                | Rule::op_div
                | Rule::kw_mod
                | Rule::kw_or_else => steps += 1,
                Rule::habit_mod | Rule::habit_power => steps += 1,
                _ => {}
            }
            if steps > MAX_DEPTH || implies > MAX_DEPTH {
                return Some(self.span(&inner));
            }
        }
        None
    }

    fn prefix(&self, sign: &Node, value: Expr) -> Expr {
        let place = self.span(sign);
        let span = place.to(value.span);
        if sign.as_rule() == Rule::negative {
            let value = self.no_bare_not(value, "-");
            return Expr { kind: ExprKind::Negate(Box::new(value)), span };
        }
        if sign.as_rule() == Rule::habit_not {
            let mend = if sign.as_str() == "!" { "not " } else { "not" };
            self.habit(place, format!("`{}` is written `not` here", sign.as_str()), mend);
        }
        Expr { kind: ExprKind::Not(Box::new(value), place), span }
    }

    fn infix(&self, left: Expr, sign: &Node, right: Expr) -> Expr {
        let place = self.span(sign);
        let span = left.span.to(right.span);
        let rule = sign.as_rule();
        if let Some(mend) = mend_of(rule) {
            self.habit(place, format!("`{}` is written `{mend}` here", sign.as_str()), mend);
        }
        let kind = match rule {
            Rule::kw_implies => ExprKind::Implies(Box::new(left), Box::new(right)),
            Rule::kw_or | Rule::habit_or => ExprKind::Or(match left.kind {
                ExprKind::Or(mut all) => {
                    all.push(right);
                    all
                }
                _ => vec![left, right],
            }),
            Rule::kw_and | Rule::habit_and => ExprKind::And(match left.kind {
                ExprKind::And(mut all) => {
                    all.push(right);
                    all
                }
                _ => vec![left, right],
            }),
            Rule::kw_or_else => {
                let right = self.no_null(
                    self.no_bare_not(right, "or_else"),
                    "leave `or_else` out; the value stays missing by itself",
                );
                ExprKind::OrElse(Box::new(left), Box::new(right))
            }
            Rule::habit_power => {
                self.report(
                    Diagnostic::new(codes::HABIT, place, format!("there is no `{}` here", sign.as_str()))
                        .help("multiply: `x * x`"),
                );
                ExprKind::Error
            }
            _ => match (arithmetic(rule), comparison(rule)) {
                (Some(op), _) => {
                    let right = self.no_bare_not(right, sign.as_str());
                    ExprKind::Arithmetic(Box::new(left), op, place, Box::new(right))
                }
                (None, Some(op)) => return self.compare(left, op, place, right),
                (None, None) => ExprKind::Error,
            },
        };
        Expr { kind, span }
    }

    /// One comparison, or one more link of a chain.
    fn compare(&self, left: Expr, op: CompareOp, place: Span, right: Expr) -> Expr {
        let span = left.span.to(right.span);
        let right = self.no_bare_not(right, "a comparison");
        if let Some(test) = self.missing_by_habit(&left, op, place, &right) {
            return Expr { kind: test, span };
        }
        if is_test(&left.kind) {
            self.report(
                Diagnostic::new(
                    codes::NEEDS_PARENTHESES,
                    place,
                    "a comparison follows a test without parentheses",
                )
                .label(left.span, "this is already in or out")
                .help("put the first test in parentheses, or join the two with `and`"),
            );
            return Expr { kind: ExprKind::Error, span };
        }
        let ExprKind::Compare(first, mut links) = left.kind else {
            return Expr { kind: ExprKind::Compare(Box::new(left), vec![(op, place, right)]), span };
        };
        let (before, before_place) = links.last().map_or((op, place), |link| (link.0, link.1));
        if direction(before) != direction(op) || direction(op).is_none() {
            let message = if direction(before).is_some() && direction(op).is_some() {
                "this chain of comparisons goes two ways".to_owned()
            } else {
                let odd = if direction(op).is_none() { op } else { before };
                format!("`{}` does not go into a chain of comparisons", sign_of(odd))
            };
            self.report(
                Diagnostic::new(codes::NEEDS_PARENTHESES, place, message)
                    .label(before_place, "the chain begins here")
                    .help("write each comparison out and join them with `and`; a chain goes one way, like `18 <= age < 25`"),
            );
            return Expr { kind: ExprKind::Error, span };
        }
        links.push((op, place, right));
        Expr { kind: ExprKind::Compare(first, links), span }
    }

    /// A `not` that stands as an operand without parentheses is reported.
    fn no_bare_not(&self, value: Expr, of: &str) -> Expr {
        let ExprKind::Not(_, place) = &value.kind else { return value };
        let of = if of.contains(' ') { of.to_owned() } else { format!("`{of}`") };
        self.report(
            Diagnostic::new(
                codes::NEEDS_PARENTHESES,
                *place,
                format!("`not` as a part of {of} needs parentheses"),
            )
            .help("write `(not …)`"),
        );
        Expr { kind: ExprKind::Error, span: value.span }
    }

    /// A test after its value: `is missing`, `between`, `in`, `contains`, ….
    fn test(&self, value: Expr, test: Node) -> Expr {
        let span = value.span.to(self.span(&test));
        let value = if is_test(&value.kind) || matches!(value.kind, ExprKind::Compare(..)) {
            self.report(
                Diagnostic::new(
                    codes::NEEDS_PARENTHESES,
                    self.span(&test),
                    "two tests follow each other without parentheses",
                )
                .label(value.span, "this is already in or out")
                .help("join two tests with `and`, or put the first in parentheses"),
            );
            return Expr { kind: ExprKind::Error, span };
        } else {
            Box::new(value)
        };
        let rule = test.as_rule();
        let mut parts: Vec<Node> = test.into_inner().collect();
        let negated =
            parts.first().is_some_and(|part| matches!(part.as_rule(), Rule::kw_not | Rule::habit_isnot));
        let is_word = rule == Rule::is_test;
        if negated && !is_word {
            self.upper_word(&parts.remove(0));
        }
        let kind = match rule {
            Rule::is_test => self.is_test(value, &parts),
            Rule::between_test => self.between(value, parts, negated),
            Rule::in_test => self.in_test(value, parts, negated),
            Rule::text_test => self.text_test(value, parts, negated),
            Rule::like_test => self.like(value, parts, negated),
            Rule::matches_test => match parts.pop() {
                Some(pattern) => ExprKind::Matches { value, pattern: self.text(&pattern), negated },
                None => ExprKind::Error,
            },
            Rule::has_test => {
                let word = |rule| parts.iter().any(|part| part.as_rule() == rule);
                let kind = if word(Rule::kw_any) {
                    HasKind::Any
                } else if word(Rule::kw_all) {
                    HasKind::All
                } else {
                    HasKind::One
                };
                let items = match parts.pop() {
                    Some(last) if last.as_rule() == Rule::items => self.items(last),
                    Some(last) if last.as_rule() == Rule::operand => vec![self.expression(last)],
                    _ => Vec::new(),
                };
                match parts.first().map(Node::as_rule) {
                    Some(_) => ExprKind::Has { value, kind, items, negated },
                    None => ExprKind::Error,
                }
            }
            Rule::order_test => {
                let before = parts.first().map(Node::as_rule) == Some(Rule::kw_before);
                match parts.pop() {
                    Some(right) => {
                        ExprKind::Order { left: value, before, right: Box::new(self.expression(right)) }
                    }
                    None => ExprKind::Error,
                }
            }
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    /// `IS`, `NOT`, `IN`: understood, and answered.
    fn upper_word(&self, word: &Node) {
        if matches!(word.as_rule(), Rule::habit_is | Rule::habit_isnot | Rule::habit_in | Rule::habit_between)
        {
            let lower = word.as_str().to_lowercase();
            self.habit(self.span(word), format!("`{}` is written `{lower}` here", word.as_str()), &lower);
        }
    }

    fn is_test(&self, value: Box<Expr>, parts: &[Node]) -> ExprKind {
        let negated = parts.iter().any(|part| matches!(part.as_rule(), Rule::kw_not | Rule::habit_isnot));
        let word = parts.last();
        let known = word.map(Node::as_rule) == Some(Rule::kw_known);
        if let (Some(first), Some(word)) = (parts.first(), word)
            && word.as_rule() == Rule::habit_null
        {
            let place = self.span(first).to(self.span(word));
            let mend = if negated { "is known" } else { "is missing" };
            let written = parts.iter().map(Node::as_str).collect::<Vec<_>>().join(" ");
            self.report(
                Diagnostic::new(
                    codes::NO_MISSING_LITERAL,
                    place,
                    format!("`{written}` is written `{mend}` here"),
                )
                .help(format!("write `{mend}`"))
                .fix(place, mend),
            );
        } else {
            parts.iter().for_each(|part| self.upper_word(part));
        }
        ExprKind::Is { value, known: known != negated }
    }

    fn between(&self, value: Box<Expr>, parts: Vec<Node>, negated: bool) -> ExprKind {
        let mut operands = Vec::new();
        for part in parts {
            match part.as_rule() {
                Rule::operand => operands.push(self.expression(part)),
                Rule::habit_and if part.as_str() == "AND" => {
                    self.habit(self.span(&part), "`AND` is written `and` here".to_owned(), "and");
                }
                Rule::habit_to | Rule::habit_and => {
                    let span = self.span(&part);
                    self.habit(
                        span,
                        format!("`between` joins its two ends with `and`, not with `{}`", part.as_str()),
                        " and ",
                    );
                }
                _ => self.upper_word(&part),
            }
        }
        let mut operands = operands.into_iter().map(Box::new);
        match (operands.next(), operands.next()) {
            (Some(low), Some(high)) => ExprKind::Between { value, low, high, negated },
            _ => ExprKind::Error,
        }
    }

    fn in_test(&self, value: Box<Expr>, mut parts: Vec<Node>, negated: bool) -> ExprKind {
        let Some(what) = parts.pop() else { return ExprKind::Error };
        parts.iter().for_each(|part| self.upper_word(part));
        match what.as_rule() {
            Rule::in_window => match self.window(what) {
                Some((direction, amount, unit)) => {
                    ExprKind::InWindow { value, anniversary: false, direction, amount, unit, negated }
                }
                None => ExprKind::Error,
            },
            Rule::items => ExprKind::In { value, items: self.items(what), negated },
            rule => {
                let span = self.span(&what);
                let shown = what.as_str().trim();
                let inside = shown.trim_start_matches('[').trim_end_matches(']').trim();
                let mend = format!("({inside})");
                let message = if rule == Rule::in_bracket {
                    "a list of values stands in round brackets"
                } else {
                    "the values after `in` stand in round brackets"
                };
                let finding = Diagnostic::new(codes::HABIT, span, message);
                self.report(if inside.contains(UNREADABLE) {
                    finding.help("write the values as `(a, b)`")
                } else {
                    finding.help(format!("write `{mend}`")).fix(span, mend)
                });
                let items = what
                    .into_inner()
                    .filter(|part| matches!(part.as_rule(), Rule::expr | Rule::operand))
                    .map(|part| self.expression(part))
                    .collect();
                ExprKind::In { value, items, negated }
            }
        }
    }

    /// `last 30 days`
    pub fn window(&self, node: Node) -> Option<(WindowDirection, Box<Expr>, Unit)> {
        let mut parts = node.into_inner();
        let direction = match parts.next()?.as_rule() {
            Rule::kw_last => WindowDirection::Last,
            _ => WindowDirection::Next,
        };
        let (amount, unit) = self.length_of_time(parts.next()?)?;
        Some((direction, Box::new(amount), unit))
    }

    fn text_test(&self, value: Box<Expr>, parts: Vec<Node>, negated: bool) -> ExprKind {
        let test = match parts.first().map(Node::as_rule) {
            Some(Rule::kw_starts_with) => TextTest::StartsWith,
            Some(Rule::kw_ends_with) => TextTest::EndsWith,
            _ => TextTest::Contains,
        };
        let patterns = match parts.into_iter().next_back() {
            Some(last) if last.as_rule() == Rule::items => self.items(last),
            Some(last) => vec![self.expression(last)],
            None => Vec::new(),
        };
        ExprKind::TextTest { value, test, patterns, negated }
    }

    /// SQL's `like`: the test that its pattern stands for.
    fn like(&self, value: Box<Expr>, mut parts: Vec<Node>, negated: bool) -> ExprKind {
        let (Some(operand), Some(word)) = (parts.pop(), parts.pop()) else { return ExprKind::Error };
        let place = self.span(&word).to(self.span(&operand));
        let pattern = self.expression(operand);
        let finding =
            Diagnostic::new(codes::HABIT, self.span(&word), format!("there is no `{}` here", word.as_str()));
        let ExprKind::Text(text) = &pattern.kind else {
            self.report(finding.help("use `contains`, `starts with`, `ends with` or `matches`"));
            return ExprKind::Error;
        };
        let core = text.trim_matches('%');
        let (words, test) = match (text.starts_with('%'), text.ends_with('%')) {
            (true, false) => ("ends with", TextTest::EndsWith),
            (false, true) => ("starts with", TextTest::StartsWith),
            _ => ("contains", TextTest::Contains),
        };
        if core.contains(['%', '_', '"', '\\']) || core.is_empty() {
            self.report(
                finding.help(
                    "use `contains`, `starts with`, `ends with` or `matches` with a regular expression",
                ),
            );
            return ExprKind::Error;
        }
        let mend = format!("{words} \"{core}\"");
        self.report(finding.help(format!("write `{mend}`")).fix(place, mend));
        let pattern = Expr { kind: ExprKind::Text(core.to_owned()), span: pattern.span };
        ExprKind::TextTest { value, test, patterns: vec![pattern], negated }
    }
}
