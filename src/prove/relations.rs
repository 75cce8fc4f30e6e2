//! What aggregates of one table have to do with each other: a narrower window or filter has no more
//! events, a smallest value is no larger than a largest, nothing is known of no events.

use super::group::Group;
use super::line::{Kind, LineId};
use super::rank;
use super::search::{Budget, Search};
use crate::program::{Aggregate, AggregateFunction, Edge, Expr, NodeId, Population, Statistic, Type, Window};

use AggregateFunction::{Average, Count, Distinct, First, Greatest, Last, Least, Mode, Sum};

/// Steps of the solver for holding one filter against another.
const FILTER_STEPS: u64 = 20_000;

impl Group<'_> {
    /// The ranks of an aggregate's known values.
    pub(super) fn aggregate_range(&self, of: &Aggregate, ty: &Type) -> (i128, i128) {
        let (low, high) = self.range(ty);
        let column = of.value.and_then(|value| self.world.column(value));
        match (of.function, column) {
            (Count | Distinct, _) => (0, high),
            (Least | Greatest | First | Last | Mode, Some(column)) if *ty != Type::Text => {
                let range = self.world.column_range(column);
                if self.is_time_of_event(of) { self.within_times(&of.window, ty, range) } else { range }
            }
            (Sum | Average, Some(column)) => {
                // Of values that are not negative neither is the sum, nor the average; likewise below.
                let (from, to) = self.world.column_range(column);
                (if from >= 0 { 0 } else { low }, if to <= 0 { 0 } else { high })
            }
            _ => (low, high),
        }
    }

    /// Whether it is about when the events happened.
    fn is_time_of_event(&self, of: &Aggregate) -> bool {
        let program = self.world.program;
        let at = program.events.get(of.table).map(|events| events.at);
        matches!(of.value.map(|value| &program.node(value).expr),
            Some(Expr::EventColumn { table, column }) if *table == of.table && Some(*column) == at)
    }

    /// The part of a range that lies in a window, as no other event counts.
    fn within_times(&self, window: &Window, ty: &Type, (low, high): (i128, i128)) -> (i128, i128) {
        let rank = |bound: NodeId| {
            let constant = self.world.constant(bound).filter(|_| self.world.program.node(bound).ty == *ty);
            constant.and_then(rank::of)
        };
        let from = window.low.and_then(|edge| Some(rank(edge.bound)? + i128::from(!edge.inclusive)));
        let to = window.high.and_then(|edge| Some(rank(edge.bound)? - i128::from(!edge.inclusive)));
        let narrowed = (
            from.map_or(low, |from| from.max(low)),
            [to, rank(window.now)].into_iter().flatten().fold(high, i128::min),
        );
        // Of no events at all there is no value, which needs no range.
        if narrowed.0 <= narrowed.1 { narrowed } else { (low, high) }
    }

    /// Relates a new line of an aggregate or population value to those that are there.
    pub(super) fn relate(&mut self, id: NodeId, line: LineId) {
        let others: Vec<(NodeId, LineId)> = self
            .lines
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != line)
            .filter_map(|(other, of)| match of.kind {
                Kind::Given(node) => Some((node, other)),
                _ => None,
            })
            .collect();
        let program = self.world.program;
        match &program.node(id).expr {
            Expr::Aggregate(of) => {
                for (other, other_line) in others {
                    if let Expr::Aggregate(with) = &program.node(other).expr
                        && with.table == of.table
                    {
                        self.relate_aggregates((of, line), (with, other_line));
                        self.relate_aggregates((with, other_line), (of, line));
                    }
                }
            }
            Expr::Population(of) => self.relate_population(of, line),
            _ => {}
        }
    }

    /// What follows where the events of the first are among those of the second.
    fn relate_aggregates(&mut self, first: (&Aggregate, LineId), second: (&Aggregate, LineId)) {
        let ((a, a_line), (b, b_line)) = (first, second);
        if !self.within_window(&a.window, &b.window) || !self.within_filter(a, b) {
            return;
        }
        let same_value = a.value == b.value;
        let same_events = a.filter == b.filter && a.window == b.window;
        // Texts lie in no order on their line.
        let ordered = |line: LineId| self.lines.get(line).is_some_and(|line| line.ty != Type::Text);
        let compared = same_value && ordered(a_line) && ordered(b_line);
        match (a.function, b.function) {
            (Count, Count) if same_value || b.value.is_none() => self.link(b_line, a_line, 0),
            (Distinct, Distinct) if same_value => self.link(b_line, a_line, 0),
            (Distinct, Count) if same_value || b.value.is_none() => self.link(b_line, a_line, 0),
            (Sum, Sum) if same_value && self.line_low(a_line) >= 0 && self.line_low(b_line) >= 0 => {
                self.link(b_line, a_line, 0);
            }
            (Least, Least) if compared => self.link(a_line, b_line, 0),
            (Greatest, Greatest) if compared => self.link(b_line, a_line, 0),
            (Least, Greatest | First | Last | Mode) if compared && same_events => {
                self.link(b_line, a_line, 0)
            }
            (First | Last | Mode, Greatest) if compared => self.link(b_line, a_line, 0),
            (First | Last | Mode, Least) if compared => self.link(a_line, b_line, 0),
            _ => {}
        }
        self.relate_presence(first, second, same_value);
    }

    /// A known value needs an event; an event whose value is never missing makes values known.
    fn relate_presence(
        &mut self,
        (a, a_line): (&Aggregate, LineId),
        (b, b_line): (&Aggregate, LineId),
        same_value: bool,
    ) {
        let counts = |of: &Aggregate| matches!(of.function, Count | Distinct);
        let needs_event = |of: &Aggregate| !matches!(of.function, Count | Sum | Distinct);
        let counted = |of: &Aggregate| same_value || of.function == Count && of.value.is_none();
        let has_value =
            same_value || a.value.is_none() && b.value.is_some_and(|value| self.always_there(value));
        if needs_event(a) {
            let known = self.line_known(a_line);
            if needs_event(b) && b.function != Average && same_value {
                let other = self.line_known(b_line);
                self.always(&[!known, other]);
            }
            if counts(b) && counted(b) {
                let some = self.line_at_least(b_line, 1);
                self.always(&[!known, some]);
            }
        }
        if counts(a) && has_value {
            let some = self.line_at_least(a_line, 1);
            if needs_event(b) && b.function != Average {
                let known = self.line_known(b_line);
                self.always(&[!some, known]);
            }
            if b.function == Distinct {
                let one = self.line_at_least(b_line, 1);
                self.always(&[!some, one]);
            }
        }
    }

    /// Whether every event has a value: a column that may not be missing.
    fn always_there(&self, value: NodeId) -> bool {
        self.world.column(value).is_some_and(|column| !column.optional)
    }

    fn line_low(&self, line: LineId) -> i128 {
        self.lines.get(line).map_or(i128::MIN, |line| line.low)
    }

    /// Whether each event that keeps the first filter keeps the second: all its parts are among the
    /// first's, or no event could keep the first without the second.
    fn within_filter(&self, a: &Aggregate, b: &Aggregate) -> bool {
        let parts = |filter: Option<NodeId>| match filter {
            None => Vec::new(),
            Some(id) => self.conjuncts(id),
        };
        let narrow = parts(a.filter);
        if parts(b.filter).iter().all(|part| narrow.contains(part)) {
            return true;
        }
        let goal: Vec<(NodeId, bool)> =
            a.filter.map(|id| (id, true)).into_iter().chain(b.filter.map(|id| (id, false))).collect();
        let roots: Vec<NodeId> = goal.iter().map(|(id, _)| *id).collect();
        let budget = Budget { steps: FILTER_STEPS, deadline: None };
        matches!(Group::new(self.world, &roots).search(&goal, budget), Search::Nobody(_))
    }

    fn conjuncts(&self, id: NodeId) -> Vec<NodeId> {
        match &self.world.program.node(id).expr {
            Expr::And(parts) => parts.iter().flat_map(|part| self.conjuncts(*part)).collect(),
            _ => vec![id],
        }
    }

    /// Whether each time in the first window is in the second.
    fn within_window(&self, a: &Window, b: &Window) -> bool {
        let bound = |id: NodeId| self.world.constant(id).and_then(rank::of);
        let no_later =
            |a: NodeId, b: NodeId| a == b || matches!((bound(a), bound(b)), (Some(a), Some(b)) if a <= b);
        let low_in = |a: Edge, b: Edge| {
            if a.bound == b.bound {
                return b.inclusive || !a.inclusive;
            }
            matches!((bound(a.bound), bound(b.bound)), (Some(a), Some(b)) if a > b)
        };
        let high_in = |a: Edge, b: Edge| {
            if a.bound == b.bound {
                return b.inclusive || !a.inclusive;
            }
            matches!((bound(a.bound), bound(b.bound)), (Some(a), Some(b)) if a < b)
        };
        no_later(a.now, b.now)
            && b.low.is_none_or(|b| a.low.is_some_and(|a| low_in(a, b)))
            && b.high.is_none_or(|b| a.high.is_some_and(|a| high_in(a, b)))
    }

    /// A user is one of the population: whoever has a known value and counts makes its values known.
    fn relate_population(&mut self, of: &Population, line: LineId) {
        let own = self.known(of.value);
        let counts = of.filter.map_or(super::solver::Literal::TRUE, |filter| self.condition(filter));
        let there = self.line_known(line);
        if matches!(of.statistic, Statistic::Least | Statistic::Greatest) {
            self.always(&[!own, !counts, there]);
        }
    }
}
