//! Declarations with braces: a head, then items.

use super::ast::{
    Column, DeclarationKind, Grid, Heading, Layer, LayerMode, Member, MemberCondition, Name, Scale, Table,
    Type, TypeKind,
};
use super::build::Node;
use super::declarations::error_at;
use super::grammar::Rule;
use super::recover::Reader;
use crate::diagnostic::Span;

impl<'p> Reader<'p> {
    /// The head of a block. Where it is broken it is answered, and the place moves past its `{` if
    /// that can be found; its name stays.
    pub(super) fn head(&mut self, rule: Rule, item_start: Rule) -> Result<(Node<'p>, Span), Option<Span>> {
        let start = self.at;
        let failure = match self.rule(rule) {
            Ok(node) => {
                let opener = self.span(self.at - 1, self.at);
                return Ok((node, opener));
            }
            Err(failure) => failure,
        };
        let resume = self.answer(&failure);
        let line_end = |at: usize| at + self.from(at).find('\n').unwrap_or(self.from(at).len());
        let head_line = self.clean.get(start..line_end(resume)).unwrap_or("");
        if let Some(brace) = head_line.rfind('{') {
            // `with { … }` may stand on the same line: the block's brace is the last.
            self.at = start + brace + 1;
            return Err(Some(self.span(self.at - 1, self.at)));
        }
        let next = line_end(resume);
        let next = next + (self.from(next).len() - self.from(next).trim_start().len());
        if self.from(next).starts_with('{') {
            self.at = next + 1;
            return Err(Some(self.span(next, next + 1)));
        }
        for place in [failure.at, next] {
            if failure.expected.contains(&Rule::lbrace) && self.fits(item_start, place) {
                self.at = place;
                return Err(Some(self.span(place, place)));
            }
        }
        self.skip_declaration(start, resume);
        Err(None)
    }

    pub(super) fn table(&mut self, word: &str) -> Option<Table> {
        self.table_with(Rule::table_head, word, &mut Vec::new())
    }

    /// A table by its head's rule. `names` gets the names in the head; the last but one, or the only
    /// one, is the key.
    pub(super) fn table_with(&mut self, head: Rule, word: &str, names: &mut Vec<Name>) -> Option<Table> {
        let start = self.at;
        let mut name = None;
        let mut path = None;
        let opener = match self.head(head, Rule::column_start) {
            Ok((node, opener)) => {
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::declared => name = Some(self.builder.declared(&part)),
                        Rule::name => names.push(self.builder.name(&part)),
                        Rule::string => path = Some(self.builder.text(&part)),
                        _ => {}
                    }
                }
                Some(opener)
            }
            Err(opener) => {
                name = self.salvage(start).map(|(name, _)| name);
                opener
            }
        };
        let name = name?;
        let owner = format!("{word} `{}`", name.text);
        let columns = match opener {
            Some(opener) => {
                self.items(opener, &owner, Rule::column, Rule::column_start, |reader, item| match item {
                    Ok(node) => Some(reader.builder.column(node)),
                    Err(at) => reader.broken_column(at),
                })
            }
            None => Vec::new(),
        };
        let key = names.get(names.len().saturating_sub(2)).cloned();
        let key =
            key.or_else(|| columns.first().map(|column| column.name.clone())).unwrap_or_else(|| name.clone());
        Some(Table { name, key, path, columns })
    }

    /// A column whose type could not be read keeps its name.
    fn broken_column(&mut self, at: usize) -> Option<Column> {
        self.at = at;
        let node = self.rule(Rule::column_name).ok()?;
        let name = self.builder.name(&node.into_inner().next()?);
        let span = name.span;
        let ty = Type { kind: TypeKind::Error, optional: true, span };
        Some(Column { name, docs: None, ty, domain: None, source: None, format: None, span })
    }

    pub(super) fn scale(&mut self) -> Option<DeclarationKind> {
        let start = self.at;
        let mut named = None;
        let mut properties = Vec::new();
        let mut ty = None;
        let opener = match self.head(Rule::scale_head, Rule::member_start) {
            Ok((node, opener)) => {
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::named => named = Some(self.builder.named(part)),
                        Rule::properties => properties = self.builder.properties(part),
                        Rule::ty => ty = Some(self.builder.ty(part)),
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
        let heading = Heading { properties, ..heading };
        let ty = ty.unwrap_or(Type { kind: TypeKind::Error, optional: false, span: name.span });
        let owner = format!("scale `{}`", name.text);
        let members = opener.map_or_else(Vec::new, |opener| self.members(opener, &owner));
        Some(DeclarationKind::Scale(Scale { name, heading, ty, members }))
    }

    fn members(&mut self, opener: Span, owner: &str) -> Vec<Member> {
        self.items(opener, owner, Rule::member, Rule::member_start, |reader, item| match item {
            Ok(node) if node.as_rule() == Rule::otherwise_first => Some(reader.builder.otherwise_first(node)),
            Ok(node) => Some(reader.builder.member(node)),
            Err(at) => reader.broken_member(at),
        })
    }

    /// A member whose condition could not be read keeps its name.
    fn broken_member(&mut self, at: usize) -> Option<Member> {
        self.at = at;
        let node = self.rule(Rule::member_start).ok()?;
        let first = node.into_inner().next()?;
        let name = match first.as_rule() {
            Rule::string => {
                let text = self.builder.text(&first);
                Name { text: text.value, span: text.span, quoted: true }
            }
            _ => self.builder.name(&first),
        };
        let span = name.span;
        let condition = MemberCondition::When(error_at(span));
        Some(Member { name, heading: Heading::default(), docs: None, condition, span })
    }

    pub(super) fn layer(&mut self) -> Option<DeclarationKind> {
        let start = self.at;
        let mut named = None;
        let mut properties = Vec::new();
        let mut mode = LayerMode::default();
        let opener = match self.head(Rule::layer_head, Rule::member_start) {
            Ok((node, opener)) => {
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::named => named = Some(self.builder.named(part)),
                        Rule::properties => properties = self.builder.properties(part),
                        Rule::mode => self.builder.mode(&part, &mut mode),
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
        let heading = Heading { properties, ..heading };
        let owner = format!("layer `{}`", name.text);
        let members = opener.map_or_else(Vec::new, |opener| self.members(opener, &owner));
        Some(DeclarationKind::Layer(Layer { name, heading, mode, members }))
    }

    pub(super) fn grid(&mut self) -> Option<DeclarationKind> {
        let start = self.at;
        let mut named = None;
        let mut properties = Vec::new();
        let mut mode = LayerMode::default();
        let mut dimensions = Vec::new();
        let mut broken = false;
        let opener = match self.head(Rule::grid_head, Rule::grid_line_start) {
            Ok((node, opener)) => {
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::named => named = Some(self.builder.named(part)),
                        Rule::properties => properties = self.builder.properties(part),
                        Rule::mode => self.builder.mode(&part, &mut mode),
                        Rule::dimension => {
                            dimensions
                                .extend(part.into_inner().next().map(|inner| self.builder.expression(inner)));
                        }
                        _ => {}
                    }
                }
                Some(opener)
            }
            Err(opener) => {
                named = self.salvage(start);
                broken = true;
                opener
            }
        };
        let (name, heading) = named?;
        let heading = Heading { properties, ..heading };
        let owner = format!("grid `{}`", name.text);
        let lines = match opener {
            Some(opener) => {
                self.items(opener, &owner, Rule::grid_line, Rule::grid_line_start, |reader, item| {
                    item.ok().map(|node| reader.builder.grid_line(node))
                })
            }
            None => Vec::new(),
        };
        if broken {
            let count = lines.iter().map(|line| line.patterns.len()).max().unwrap_or(2).max(2);
            dimensions = (0..count).map(|_| error_at(name.span)).collect();
        }
        Some(DeclarationKind::Grid(Grid { name, heading, mode, dimensions, lines }))
    }
}
