//! Stretches of attributes in words: "age 18 to 24, channel missing".

use super::draft::Draft;
use super::explain::Explained;
use super::group::Group;
use super::line::{Kind, Line, LineId, Span};
use super::rank;
use super::world::World;
use super::{Attribute, Example};
use crate::program::{Expr, NodeId, Type, Value, print};
use crate::semantics::show::{Zoned, value_text};
use std::collections::BTreeSet;

impl Group<'_> {
    /// An explained user as an example.
    pub(super) fn example(&self, explained: &Explained) -> Example {
        let Explained { draft, region } = explained;
        let mut region: Vec<(LineId, Span)> = region.clone();
        region.sort_by_key(|(line, _)| self.place(*line));
        let words: Vec<String> = region.iter().map(|(line, span)| self.words(*line, *span)).collect();
        let given = self.values(draft);
        let shown: BTreeSet<NodeId> = region.iter().flat_map(|(line, _)| self.inputs(*line)).collect();
        let attributes = shown
            .into_iter()
            .filter_map(|id| {
                let value = given.get(&id)?.clone();
                Some(Attribute { table: self.table(id), name: self.name(id), node: id, value })
            })
            .collect();
        let columns = self.columns(draft);
        Example { attributes, region: words.join(", "), columns, given }
    }

    /// Whether facts that are not here matter to a user.
    pub(super) fn is_unsure(&self, explained: &Explained) -> bool {
        explained.region.iter().any(|(line, _)| {
            self.inputs(*line)
                .into_iter()
                .any(|id| self.world.is_unknowable(&self.world.program.node(id).expr))
        })
    }

    /// Columns first, in the order of their table.
    fn place(&self, line: LineId) -> (usize, LineId) {
        let index = self
            .lines
            .get(line)
            .and_then(|line| line.kind.node())
            .map(|id| &self.world.program.node(id).expr);
        match index {
            Some(Expr::Column(index) | Expr::EventColumn { column: index, .. }) => (*index, line),
            _ => (usize::MAX, line),
        }
    }

    /// The given nodes that a line's value comes from.
    fn inputs(&self, line: LineId) -> Vec<NodeId> {
        let Some(of) = self.lines.get(line) else { return Vec::new() };
        match of.kind {
            Kind::Given(id) | Kind::Item(id, _) | Kind::Size(id) | Kind::Unknowable(id) => vec![id],
            Kind::Difference(a, b) => self.inputs(a).into_iter().chain(self.inputs(b)).collect(),
            Kind::Computed(id) => {
                let is_input = |id: &NodeId| {
                    let expr = &self.world.program.node(*id).expr;
                    self.world.is_given(expr) || self.world.is_unknowable(expr)
                };
                self.world.cone(&[id]).into_iter().filter(is_input).collect()
            }
        }
    }

    /// The whole row of the user table: what no rule asks for is missing, or whatever is allowed.
    fn columns(&self, draft: &Draft) -> Vec<Value> {
        let values = self.values(draft);
        let mut by_index = hashbrown::HashMap::new();
        for (id, value) in values {
            if let Expr::Column(index) = self.world.program.node(id).expr {
                by_index.insert(index, value);
            }
        }
        let columns = self.world.program.users.as_ref().map_or(&[][..], |users| &users.columns);
        columns
            .iter()
            .enumerate()
            .map(|(at, column)| match by_index.remove(&at) {
                Some(value) => value,
                None if column.optional => Value::Missing,
                None => match &column.ty {
                    Type::Text => Value::Text("other".into()),
                    Type::List(_) => Value::List([].into()),
                    ty => {
                        let (low, high) = self.world.column_range(column);
                        rank::value(ty, 0.clamp(low, high.max(low))).unwrap_or(Value::Missing)
                    }
                },
            })
            .collect()
    }

    /// The table that a node speaks of.
    fn table(&self, id: NodeId) -> String {
        match &self.world.program.node(id).expr {
            Expr::EventColumn { table, .. } => self
                .world
                .program
                .events
                .get(*table)
                .map_or(String::new(), |events| events.table.name.clone()),
            _ => self.world.program.users.as_ref().map_or("users".to_owned(), |users| users.name.clone()),
        }
    }

    fn name(&self, id: NodeId) -> String {
        name(self.world, id)
    }

    fn text_of(&self, ty: &Type, rank: i128) -> String {
        let value = match ty {
            Type::Text => {
                usize::try_from(rank).ok().and_then(|at| self.texts.get(at)).cloned().map(Value::Text)
            }
            ty => rank::value(ty, rank),
        };
        value.map_or_else(String::new, |value| value_text(self.world.program, &self.world.zone, ty, &value))
    }

    /// A stretch of a line in words.
    fn words(&self, line: LineId, span: Span) -> String {
        let Some(of) = self.lines.get(line) else { return String::new() };
        match (&of.kind, span) {
            (Kind::Difference(a, b), span) => self.difference_words(*a, *b, span, of),
            (Kind::Item(list, item), Span::Ranks(low, _)) => {
                let ty = match &self.world.program.node(*list).ty {
                    Type::List(item) => item.as_ref().clone(),
                    ty => ty.clone(),
                };
                let item = value_text(self.world.program, &self.world.zone, &ty, item);
                format!("{} {} {item}", self.name(*list), if low == 1 { "with" } else { "without" })
            }
            (Kind::Size(list), span) => format!("size of {} {}", self.name(*list), self.stretch(of, span)),
            (Kind::Given(id) | Kind::Computed(id) | Kind::Unknowable(id), Span::Ranks(low, high))
                if of.ty == Type::Bool && low == high =>
            {
                let name = self.name(*id);
                match (self.world.program.node(*id).expr.is_condition(), low == 1) {
                    (true, true) => name,
                    (true, false) => format!("not ({name})"),
                    (false, yes) => format!("{name} {yes}"),
                }
            }
            (kind, span) => {
                let name = kind.node().map_or(String::new(), |id| self.name(id));
                format!("{name} {}", self.stretch(of, span))
            }
        }
    }

    fn stretch(&self, line: &Line, span: Span) -> String {
        let Span::Ranks(low, high) = span else { return "missing".to_owned() };
        if low <= line.low && high >= line.high {
            return if line.low == line.high && !matches!(line.ty, Type::List(_)) {
                self.text_of(&line.ty, low)
            } else {
                "known".to_owned()
            };
        }
        match &line.ty {
            Type::Text => self.texts_in_words(line, low, high),
            Type::Label(ty) => {
                let ordered = self.world.program.label_type(*ty).is_some_and(|ty| ty.ordered);
                match (ordered, high - low) {
                    (_, 0) => self.text_of(&line.ty, low),
                    (true, _) if high >= line.high => format!("{} or higher", self.text_of(&line.ty, low)),
                    (true, _) if low <= line.low => format!("{} or lower", self.text_of(&line.ty, high)),
                    _ => self.listed(line, low, high),
                }
            }
            ty => self.range_in_words(ty, line, low, high),
        }
    }

    fn range_in_words(&self, ty: &Type, line: &Line, low: i128, high: i128) -> String {
        // A bound that is out is said as it was written: above 5, not 5.000…01.
        let dense = matches!(ty, Type::Float | Type::Decimal { .. } | Type::Timestamp);
        let length = |rank: i128| self.text_of(ty, rank).trim_end_matches('0').len();
        let above = dense && low > line.low && length(low - 1) < length(low);
        let below = dense && high < line.high && length(high + 1) < length(high);
        let time = matches!(ty, Type::Date | Type::Timestamp | Type::Time);
        let from = match (above, time) {
            (true, true) => format!("after {}", self.text_of(ty, low - 1)),
            (true, false) => format!("above {}", self.text_of(ty, low - 1)),
            (false, true) => format!("{} or later", self.text_of(ty, low)),
            (false, false) => format!("{} or more", self.text_of(ty, low)),
        };
        let to = match (below, time) {
            (true, true) => format!("before {}", self.text_of(ty, high + 1)),
            (true, false) => format!("below {}", self.text_of(ty, high + 1)),
            (false, true) => format!("{} or earlier", self.text_of(ty, high)),
            (false, false) => format!("{} or less", self.text_of(ty, high)),
        };
        match (low > line.low, high < line.high) {
            _ if low == high => self.text_of(ty, low),
            (true, false) => from,
            (false, true) => to,
            // A domain's own ends read better than "17 or less" where it has any.
            _ if above || below => format!("{from} and {to}"),
            _ => format!("{} to {}", self.text_of(ty, low), self.text_of(ty, high)),
        }
    }

    fn listed(&self, line: &Line, low: i128, high: i128) -> String {
        let texts: Vec<String> = (low..=high).map(|rank| self.text_of(&line.ty, rank)).collect();
        match texts.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => texts.concat(),
        }
    }

    fn texts_in_words(&self, line: &Line, low: i128, high: i128) -> String {
        const MOST_LISTED: i128 = 6;
        if high >= line.high {
            let others: Vec<String> = (line.low..low.min(line.low + MOST_LISTED))
                .map(|rank| self.text_of(&line.ty, rank))
                .collect();
            let more = if low > line.low + MOST_LISTED { ", …" } else { "" };
            return format!("other than {}{more}", others.join(", "));
        }
        self.listed(line, low, high.min(low + MOST_LISTED))
    }

    fn difference_words(&self, a: LineId, b: LineId, span: Span, of: &Line) -> String {
        let name = |line: LineId| {
            self.lines.get(line).and_then(|line| line.kind.node()).map_or(String::new(), |id| self.name(id))
        };
        let (a, b) = (name(a), name(b));
        let Span::Ranks(low, high) = span else { return format!("{a} or {b} missing") };
        match (low > of.low, high < of.high) {
            _ if (low, high) == (0, 0) => format!("{a} = {b}"),
            (true, false) if low == 0 => format!("{a} >= {b}"),
            (true, false) if low == 1 => format!("{a} > {b}"),
            (false, true) if high == 0 => format!("{a} <= {b}"),
            (false, true) if high == -1 => format!("{a} < {b}"),
            (true, true) if low == high => format!("{a} - {b} = {low}"),
            (true, true) => format!("{a} - {b} {low} to {high}"),
            (true, false) => format!("{a} - {b} {low} or more"),
            (false, true) => format!("{a} - {b} {high} or less"),
            (false, false) => format!("{a} and {b} known"),
        }
    }
}

/// What people call a node: its column, the trait that it is, or the expression itself.
pub(super) fn name(world: &World<'_>, id: NodeId) -> String {
    if let (Expr::Column(_) | Expr::EventColumn { .. }, Some(column)) =
        (&world.program.node(id).expr, world.column(id))
    {
        return column.name.clone();
    }
    let zoned = Zoned { zone: world.zone.clone(), now: world.dated.now };
    print::expression(world.program, &zoned, id)
}
