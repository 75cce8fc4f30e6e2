//! Stacks, plays, splits, tests and guards: heads, items, texts with values in braces.

use super::ast::{
    Arm, DeclarationKind, Expr, ExprKind, Given, GivenRow, GivenValue, Guard, GuardRange, Heading, Name,
    PathStep, Play, PlayLine, Split, Stack, StackLine, StepPattern, Template, TemplatePart, Test, Text,
};
use super::build::{Builder, Node};
use super::declarations::error_at;
use super::grammar::Rule;
use super::literals::read_number;
use super::operators::comparison;
use super::recover::Reader;
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};

/// A line of a test.
enum TestItem {
    Now(Expr),
    Given(Given),
    Expect(Expr),
}

/// What the head of such a block says.
struct Head<'p> {
    name: Name,
    heading: Heading,
    /// The name after `on`, `for` or `of`.
    of: Name,
    string: Option<Node<'p>>,
    opener: Option<Span>,
}

impl<'p> Reader<'p> {
    /// A head of name, label, properties and what it is for.
    fn campaign_head(&mut self, rule: Rule, item_start: Rule) -> Option<Head<'p>> {
        let start = self.at;
        let mut named = None;
        let mut properties = Vec::new();
        let mut of = None;
        let mut string = None;
        let opener = match self.head(rule, item_start) {
            Ok((node, opener)) => {
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::named => named = Some(self.builder.named(part)),
                        Rule::properties => properties = self.builder.properties(part),
                        Rule::name => of = Some(self.builder.name(&part)),
                        Rule::string => string = Some(part),
                        _ => {}
                    }
                }
                Some(opener)
            }
            Err(opener) => {
                named = self.salvage(start);
                opener
            }
        };
        let (name, heading) = named?;
        // An empty name was not read: whoever looks for it says nothing.
        let of = of.unwrap_or_else(|| Name { text: String::new(), span: name.span, quoted: true });
        Some(Head { heading: Heading { properties, ..heading }, name, of, string, opener })
    }

    pub(super) fn stack(&mut self) -> Option<DeclarationKind> {
        let Head { name, heading, of: base, opener, .. } =
            self.campaign_head(Rule::stack_head, Rule::stack_line_start)?;
        let owner = format!("stack `{}`", name.text);
        let lines = opener.map_or_else(Vec::new, |opener| {
            self.items(opener, &owner, Rule::stack_line, Rule::stack_line_start, |reader, item| {
                item.ok().map(|node| reader.builder.stack_line(node))
            })
        });
        Some(DeclarationKind::Stack(Stack { name, heading, base, lines }))
    }

    pub(super) fn play(&mut self) -> Option<DeclarationKind> {
        let Head { name, heading, of, opener, .. } =
            self.campaign_head(Rule::play_head, Rule::play_line_start)?;
        let owner = format!("play `{}`", name.text);
        let before = self.builder.diagnostics.borrow().len();
        let lines = opener.map_or_else(Vec::new, |opener| {
            self.items(opener, &owner, Rule::play_line, Rule::play_line_start, |reader, item| {
                item.ok().map(|node| reader.builder.play_line(node))
            })
        });
        // A line that could not be read might have been any member's.
        let broken = self.builder.diagnostics.borrow().len() > before;
        let of = if broken { Name { text: String::new(), ..of } } else { of };
        Some(DeclarationKind::Play(Play { name, heading, of, lines }))
    }

    pub(super) fn split(&mut self) -> Option<DeclarationKind> {
        let Head { name, heading, of, string, opener } =
            self.campaign_head(Rule::split_head, Rule::split_arm_start)?;
        let seed = match string {
            Some(node) => self.builder.text(&node),
            None => Text { value: String::new(), span: name.span },
        };
        let owner = format!("split `{}`", name.text);
        let arms = opener.map_or_else(Vec::new, |opener| {
            self.items(opener, &owner, Rule::split_arm, Rule::split_arm_start, |reader, item| match item {
                Ok(node) => Some(reader.builder.split_arm(node)),
                Err(at) => reader.broken_arm(at),
            })
        });
        Some(DeclarationKind::Split(Split { name, heading, of, seed, arms }))
    }

    /// An arm whose share could not be read keeps its name.
    fn broken_arm(&mut self, at: usize) -> Option<Arm> {
        self.at = at;
        let node = self.rule(Rule::column_name).ok()?;
        let name = self.builder.name(&node.into_inner().next()?);
        Some(Arm { name, heading: Heading::default(), docs: None, share: None, percent: true })
    }

    pub(super) fn test(&mut self) -> Option<DeclarationKind> {
        let mut name = None;
        let opener = match self.head(Rule::test_head, Rule::test_item_start) {
            Ok((node, opener)) => {
                name = node
                    .into_inner()
                    .find(|part| part.as_rule() == Rule::string)
                    .map(|part| self.builder.text(&part));
                Some(opener)
            }
            Err(opener) => opener,
        };
        let opener = opener?;
        let mut test = Test {
            broken: name.is_none(),
            name: name.unwrap_or(Text { value: String::new(), span: opener }),
            now: Vec::new(),
            given: Vec::new(),
            expect: Vec::new(),
        };
        let owner = format!("test `{}`", test.name.value);
        let items = self.items(opener, &owner, Rule::test_item, Rule::test_item_start, |reader, item| {
            Some(item.ok().and_then(|node| reader.builder.test_item(node.into_inner().next()?)))
        });
        for item in items {
            match item {
                Some(TestItem::Now(now)) => test.now.push(now),
                Some(TestItem::Given(given)) => test.given.push(given),
                Some(TestItem::Expect(expect)) => test.expect.push(expect),
                None => test.broken = true,
            }
        }
        Some(DeclarationKind::Test(test))
    }

    pub(super) fn guard(&mut self) -> Option<DeclarationKind> {
        match self.rule(Rule::guard_decl) {
            Ok(node) => {
                let mut measure = None;
                let mut condition = None;
                let mut range = None;
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::name => measure = Some(self.builder.name(&part)),
                        Rule::expr => condition = Some(self.builder.expression(part)),
                        Rule::guard_range => range = self.builder.guard_range(part),
                        _ => {}
                    }
                }
                Some(DeclarationKind::Guard(Guard { measure: measure?, condition: condition?, range }))
            }
            Err(failure) => {
                let resume = self.answer(&failure);
                self.skip_declaration(failure.start, resume);
                None
            }
        }
    }
}

impl Builder<'_> {
    fn stack_line(&self, node: Node) -> StackLine {
        let span = self.span(&node);
        let mut line = StackLine { members: Vec::new(), dimensions: Vec::new(), span };
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::stack_members => {
                    line.members = part
                        .into_inner()
                        .filter(|inner| inner.as_rule() == Rule::label_name)
                        .map(|inner| self.label_name(inner))
                        .collect();
                }
                Rule::dimension => {
                    line.dimensions.extend(part.into_inner().next().map(|inner| self.expression(inner)));
                }
                Rule::trailing_comma => self.no_comma(place, "lines"),
                _ => {}
            }
        }
        line
    }

    fn play_line(&self, node: Node) -> PlayLine {
        let span = self.span(&node);
        let empty = Template { parts: Vec::new(), written: String::new(), span };
        let mut line = PlayLine { pattern: Vec::new(), when: None, text: empty, span };
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::path_pattern => {
                    line.pattern = part
                        .into_inner()
                        .filter(|inner| inner.as_rule() == Rule::path_step)
                        .map(|inner| self.path_step(inner))
                        .collect();
                }
                Rule::when => {
                    let of = Name { text: "this line".to_owned(), span: place, quoted: false };
                    self.when(part, &of);
                }
                Rule::expr => line.when = Some(self.expression(part)),
                Rule::habit_ge => self.habit(place, "the arrow to a text is `->`".to_owned(), "->"),
                Rule::template => line.text = self.template(part),
                Rule::trailing_comma => self.no_comma(place, "lines"),
                _ => {}
            }
        }
        line
    }

    fn path_step(&self, node: Node) -> PathStep {
        let span = self.span(&node);
        let kind = match node.into_inner().next() {
            Some(inner) => match inner.as_rule() {
                Rule::anything => {
                    if inner.as_str().starts_with('*') {
                        self.habit(span, "`*` is written `_` in a pattern".to_owned(), "_");
                    }
                    StepPattern::Anything
                }
                Rule::op_sub => StepPattern::Nothing,
                _ => StepPattern::Member(self.label_name(inner)),
            },
            None => StepPattern::Anything,
        };
        PathStep { kind, span }
    }

    /// A text with values in braces.
    fn template(&self, node: Node) -> Template {
        let span = self.span(&node);
        let clean = node.as_str().trim_end();
        let written = clean.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(clean);
        let written = written.to_owned();
        let mut parts = Vec::new();
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::template_text => {
                    let start = self.base.get() + part.as_span().start();
                    let text = self.unescaped(part.as_str(), start);
                    parts.push(TemplatePart::Literal(text.replace("{{", "{").replace("}}", "}")));
                }
                Rule::hole => parts.extend(self.hole(part, place)),
                _ => {}
            }
        }
        Template { parts, written, span }
    }

    fn hole(&self, node: Node, span: Span) -> Option<TemplatePart> {
        let mut value = None;
        let mut format = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::hole_value => value = part.into_inner().next().map(|inner| self.expression(inner)),
                Rule::hole_format => {
                    format = part
                        .into_inner()
                        .next()
                        .map(|inner| Text { span: self.span(&inner), value: inner.as_str().to_owned() });
                }
                _ => {}
            }
        }
        Some(TemplatePart::Value { value: value?, format, span })
    }

    fn split_arm(&self, node: Node) -> Arm {
        let span = self.span(&node);
        let mut arm = Arm {
            name: Name { text: String::new(), span, quoted: false },
            heading: Heading::default(),
            docs: self.docs(span),
            share: None,
            percent: false,
        };
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::member_named => (arm.name, arm.heading) = self.named(part),
                Rule::properties => arm.heading.properties = self.properties(part),
                Rule::habit_colon | Rule::assign => {
                    let message =
                        format!("no `{}` stands between an arm and its share", part.as_str().trim());
                    self.report(
                        Diagnostic::new(codes::HABIT, place, message).help("delete it").fix(place, " "),
                    );
                }
                Rule::number => {
                    let written = part.as_str().trim();
                    arm.percent = written.ends_with('%');
                    arm.share = read_number(written).map(|number| (number, place));
                }
                Rule::trailing_comma => self.no_comma(place, "arms"),
                _ => {}
            }
        }
        arm
    }

    fn test_item(&self, node: Node) -> Option<TestItem> {
        match node.as_rule() {
            Rule::test_now => {
                let moment = node
                    .into_inner()
                    .find(|part| matches!(part.as_rule(), Rule::timestamp | Rule::date | Rule::unreadable));
                moment.map(|moment| TestItem::Now(self.primary(moment)))
            }
            Rule::given => self.given(node).map(TestItem::Given),
            Rule::expect => {
                let condition = node.into_inner().find(|part| part.as_rule() == Rule::expr);
                condition.map(|condition| TestItem::Expect(self.expression(condition)))
            }
            _ => None,
        }
    }

    fn given(&self, node: Node) -> Option<Given> {
        let mut table = None;
        let mut rows = Vec::new();
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::name => table = Some(self.name(&part)),
                Rule::given_row => {
                    let values = part
                        .into_inner()
                        .filter(|inner| inner.as_rule() == Rule::given_value)
                        .filter_map(|inner| self.given_value(inner))
                        .collect();
                    rows.push(GivenRow { values, span: place });
                }
                Rule::trailing_comma => self.no_comma(place, "lines"),
                _ => {}
            }
        }
        Some(Given { table: table?, rows })
    }

    fn given_value(&self, node: Node) -> Option<(Name, GivenValue)> {
        let mut name = None;
        let mut value = None;
        for part in node.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::assign => {
                    self.habit(place, "a column and its value are parted by `:`".to_owned(), ": ");
                }
                Rule::kw_missing => value = Some(GivenValue::Missing(place)),
                Rule::habit_null => {
                    self.habit_word(&part, "missing");
                    value = Some(GivenValue::Missing(place));
                }
                Rule::given_list => {
                    let items = part
                        .into_inner()
                        .filter(|inner| inner.as_rule() == Rule::operand)
                        .map(|inner| self.expression(inner))
                        .collect();
                    value = Some(GivenValue::List(items, place));
                }
                Rule::operand => value = Some(GivenValue::One(self.expression(part))),
                _ => {}
            }
        }
        let name = name?;
        let value = value.unwrap_or(GivenValue::One(Expr { kind: ExprKind::Error, span: name.span }));
        Some((name, value))
    }

    fn guard_range(&self, node: Node) -> Option<GuardRange> {
        let span = self.span(&node);
        let mut bound = None;
        let mut operands = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::operand => operands.push(self.expression(part)),
                rule => bound = comparison(rule).or(bound),
            }
        }
        let mut operands = operands.into_iter();
        match (bound, operands.next(), operands.next()) {
            (Some(op), Some(value), _) => Some(GuardRange::Bound(op, value)),
            (None, Some(low), Some(high)) => Some(GuardRange::Between(low, high)),
            (None, ..) => Some(GuardRange::Between(error_at(span), error_at(span))),
            _ => None,
        }
    }
}
