//! `rfm`: recency, frequency and monetary value of a user's events, and their scores.

use super::attributes::{Attribute, AttributeKind};
use super::expr::Selected;
use super::names::State;
use super::{Checker, Resolved};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::time as codes;
use crate::program::{AggregateFunction, CompareOp, Expr, NodeId, Type, Unit, Value};
use crate::syntax::ast::{self, RfmItemKind};

/// The traits of an `rfm`, in the order in which they are declared.
pub(super) const PARTS: [&str; 7] = ["recency_days", "frequency", "monetary", "r", "f", "m", "code"];

/// More would not be one digit each.
const MOST_BINS: u64 = 9;

/// The values of the parts.
pub(super) type Values = [NodeId; 7];

/// What the braces say, each at most once.
#[derive(Default)]
struct Said<'a> {
    recency: Option<&'a ast::Expr>,
    monetary: Option<&'a ast::Expr>,
    filter: Option<&'a ast::Expr>,
    window: Option<&'a ast::Window>,
    bins: Option<&'a ast::Expr>,
}

impl Checker {
    /// Declares the parts by their full names, `value.r` and so on.
    pub(super) fn declare_rfm(&mut self, written: &ast::Rfm, docs: Option<&String>) {
        let number = self.rfms.len();
        self.rfms.push((written.clone(), None));
        for (part, word) in PARTS.iter().enumerate() {
            let text = format!("{}.{word}", written.name.text);
            let name = ast::Name { text, ..written.name.clone() };
            let at = self.attributes.len();
            if part == 0
                && let Some(first) = self.names.values.get(&name.text)
            {
                let first = first.place;
                self.declared_twice(&written.name, first);
                return;
            }
            if !self.declare(&name, State::Waiting(at)) {
                return;
            }
            let kind = AttributeKind::RfmPart { name, number, part };
            self.attributes.push(Attribute { docs: docs.cloned(), kind });
            self.checked.push(None);
        }
    }

    /// The value of a part.
    pub(super) fn rfm_part(&mut self, number: usize, part: usize) -> Option<NodeId> {
        let (written, values) = self.rfms.get(number)?.clone();
        let values = match values {
            Some(values) => values,
            None => {
                let values = self.rfm(&written);
                self.rfms.get_mut(number)?.1 = Some(values);
                values
            }
        };
        values?.get(part).copied()
    }

    /// `value.r`, where an `rfm` of that name is declared. Reports a part that there is not.
    pub(super) fn rfm_name(&mut self, qualifier: &ast::Name, name: &ast::Name) -> Option<Resolved> {
        if !self.rfms.iter().any(|(written, _)| written.name.text == qualifier.text) {
            return None;
        }
        let text = format!("{}.{}", qualifier.text, name.text);
        Some(
            match self.resolve_of_user(&ast::Name { text, span: qualifier.span.to(name.span), quoted: true })
            {
                Resolved::Unknown => {
                    self.unknown_part(qualifier, name, &PARTS);
                    Resolved::Poisoned
                }
                found => found,
            },
        )
    }

    /// All parts at once; `None` where something is at fault, which has been reported.
    pub(super) fn rfm(&mut self, written: &ast::Rfm) -> Option<Values> {
        if written.broken {
            return None;
        }
        let table = self.resolve_events(&written.events);
        let said = self.said(written);
        let (Some(table), Some(said)) = (table, said) else { return None };
        let span = written.name.span;
        let recency = said.recency.map(|e| (e, self.in_events(table, |checker| checker.value(e, None))));
        let monetary = said.monetary.map(|e| (e, self.in_events(table, |checker| checker.value(e, None))));
        let recency = recency.and_then(|(e, id)| self.moment_of(id?, e, Unit::Days));
        let monetary = monetary.and_then(|(e, id)| self.needs_number(id?, e, "`monetary`"));
        let filter = self.event_filter(table, said.filter);
        let window = match said.window {
            Some(window) => self.event_window(table, window),
            None => self.up_to_now(table, span),
        };
        let bins = match said.bins {
            Some(bins) => self.bins(bins, MOST_BINS),
            None => Some(5),
        };
        let events = Selected { table, filter: filter?, window: window? };
        let (recency, monetary, bins) = (recency?, monetary?, bins?);
        self.no_population(written, [recency, monetary], events)?;

        let count = self.count_of_events(events, span);
        let zero = self.constant_node(Value::Int(0), Type::Int, span);
        let some = Expr::Compare { op: CompareOp::Gt, left: count, right: zero };
        let some = self.builder.node(some, Type::Bool, false, span);
        let if_some = |checker: &mut Self, value: NodeId| {
            let ty = checker.node(value).ty.clone();
            let expr = Expr::Case { arms: vec![(some, value)], otherwise: None };
            checker.builder.node(expr, ty, true, span)
        };
        let frequency = if_some(self, count);
        let sum_type = match self.node(monetary).ty.clone() {
            Type::Decimal { scale, .. } => Type::Decimal { precision: 38, scale },
            ty => ty,
        };
        let sum = self.aggregate_node(AggregateFunction::Sum, Some(monetary), events, sum_type, span);
        let monetary = if_some(self, sum);
        let moment = self.node(recency).ty.clone();
        let last = self.aggregate_node(AggregateFunction::Greatest, Some(recency), events, moment, span);
        let (from, to) = (self.local_date(last, span), self.today(span));
        let elapsed = Expr::Elapsed { unit: Unit::Days, from, to };
        let recency_days = self.builder.node(elapsed, Type::Int, true, span);
        let r = self.quantile_score(recency_days, None, bins, true, span);
        let f = self.quantile_score(frequency, None, bins, false, span);
        let m = self.quantile_score(monetary, None, bins, false, span);
        let code = self.builder.node(Expr::Digits(vec![r, f, m]), Type::Text, true, span);
        Some([recency_days, frequency, monetary, r, f, m, code])
    }

    /// Its scores are measured by the population, so that nothing in it can be.
    fn no_population(
        &mut self,
        written: &ast::Rfm,
        [recency, monetary]: [NodeId; 2],
        events: Selected,
    ) -> Option<()> {
        let edges = [events.window.low, events.window.high];
        let bounds: Vec<NodeId> = edges.iter().flatten().map(|edge| edge.bound).collect();
        let mut sound = Some(());
        for item in &written.items {
            let parts = match &item.kind {
                RfmItemKind::Recency(_) => vec![recency],
                RfmItemKind::Monetary(_) => vec![monetary],
                RfmItemKind::Where(_) => events.filter.into_iter().collect(),
                RfmItemKind::Window(_) => bounds.clone(),
                RfmItemKind::Bins(_) => Vec::new(),
            };
            let sound_item = parts.into_iter().try_for_each(|part| self.not_nested(part, item.span));
            sound = sound.and(sound_item);
        }
        sound
    }

    /// Sorts the lines; reports what stands twice or is not there.
    fn said<'a>(&mut self, written: &'a ast::Rfm) -> Option<Said<'a>> {
        let mut said = Said::default();
        let mut sound = true;
        for item in &written.items {
            let (word, twice) = match &item.kind {
                RfmItemKind::Recency(e) => ("recency", said.recency.replace(e).is_some()),
                RfmItemKind::Monetary(e) => ("monetary", said.monetary.replace(e).is_some()),
                RfmItemKind::Where(e) => ("where", said.filter.replace(e).is_some()),
                RfmItemKind::Window(window) => ("window", said.window.replace(window).is_some()),
                RfmItemKind::Bins(e) => ("bins", said.bins.replace(e).is_some()),
            };
            if twice {
                self.report(
                    Diagnostic::new(codes::BAD_RFM, item.span, format!("`{word}` stands twice"))
                        .help("keep one of the two"),
                );
                sound = false;
            }
        }
        for (word, found, help) in [
            ("recency", said.recency.is_some(), "say when an event counts as bought: `recency ordered_at`"),
            ("monetary", said.monetary.is_some(), "say what an event is worth: `monetary amount`"),
        ] {
            if !found {
                self.report(
                    Diagnostic::new(
                        codes::BAD_RFM,
                        written.name.span,
                        format!("`{}` does not say its `{word}`", written.name.text),
                    )
                    .help(help),
                );
                sound = false;
            }
        }
        sound.then_some(said)
    }
}
