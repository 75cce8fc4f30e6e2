//! `events` and `rfm`.

use super::ast::{DeclarationKind, Events, Rfm, RfmItem, RfmItemKind};
use super::build::{Builder, Node};
use super::grammar::Rule;
use super::recover::Reader;

impl<'p> Reader<'p> {
    pub(super) fn events(&mut self) -> Option<DeclarationKind> {
        let mut names = Vec::new();
        let table = self.table_with(Rule::events_head, "events", &mut names)?;
        let mut names = names.into_iter();
        // A broken head has been answered; what it did not say is taken from the columns.
        let mut columns = table.columns.iter().map(|column| column.name.clone());
        let (of, at) = match (names.next(), names.next(), names.next()) {
            (Some(of), Some(_), Some(at)) => (Some(of), Some(at)),
            _ => (None, None),
        };
        let broken = of.is_none();
        let of = of.unwrap_or_else(|| table.name.clone());
        let at = at.or_else(|| columns.next_back()).unwrap_or_else(|| table.name.clone());
        Some(DeclarationKind::Events(Events { table, of, at, broken }))
    }

    pub(super) fn rfm(&mut self) -> Option<DeclarationKind> {
        let start = self.at;
        let mut name = None;
        let mut events = None;
        let opener = match self.head(Rule::rfm_head, Rule::rfm_item_start) {
            Ok((node, opener)) => {
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::declared => name = Some(self.builder.declared(&part)),
                        Rule::name => events = Some(self.builder.name(&part)),
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
        let owner = format!("rfm `{}`", name.text);
        let mut broken = events.is_none();
        let items = match opener {
            Some(opener) => {
                self.items(opener, &owner, Rule::rfm_item, Rule::rfm_item_start, |reader, item| match item {
                    Ok(node) => {
                        let item = reader.builder.rfm_item(node);
                        broken |= item.is_none();
                        item
                    }
                    Err(_) => {
                        broken = true;
                        None
                    }
                })
            }
            None => Vec::new(),
        };
        broken |= items.is_empty();
        let events = events.unwrap_or_else(|| name.clone());
        Some(DeclarationKind::Rfm(Rfm { name, events, items, broken }))
    }
}

impl Builder<'_> {
    fn rfm_item(&self, node: Node) -> Option<RfmItem> {
        let span = self.span(&node);
        let mut word = None;
        let mut kind = None;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::expr | Rule::operand => {
                    let value = self.expression(part);
                    kind = match word? {
                        Rule::kw_recency => Some(RfmItemKind::Recency(value)),
                        Rule::kw_monetary => Some(RfmItemKind::Monetary(value)),
                        Rule::kw_where => Some(RfmItemKind::Where(value)),
                        _ => Some(RfmItemKind::Bins(value)),
                    };
                }
                Rule::rfm_window => kind = self.lone_window(part).map(RfmItemKind::Window),
                Rule::trailing_comma => self.no_comma(self.span(&part), "lines"),
                rule => word = word.or(Some(rule)),
            }
        }
        Some(RfmItem { kind: kind?, span })
    }
}
