//! From cells to an example: a rank for each line, then values. Differences are kept by fixing one line
//! after the other; what is computed is evaluated, and where it does not come out as the model has it,
//! other values of the same cells are tried.

use super::differences::System;
use super::group::Group;
use super::line::{Kind, LineId, Span};
use super::nice;
use super::rank;
use super::solver::Literal;
use crate::interpret::evaluate_given;
use crate::program::{Expr, NodeId, Type, Value};
use hashbrown::HashMap;
use std::sync::Arc;

/// A value for each line.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// By line: its rank; none where it is missing.
    pub ranks: Vec<Option<i128>>,
    /// By line: a text that no rule names.
    pub texts: HashMap<LineId, Arc<str>>,
}

/// Why a draft is not as its cells are.
pub(super) struct Mismatch {
    /// Literals that cannot all hold, or of which no user was found for whom they do.
    pub literals: Vec<Literal>,
    /// No user at all can have them.
    pub impossible: bool,
}

/// So many combinations of values are tried.
const MOST_TRIALS: usize = 4_096;

/// Whether a rank means the same number in both.
fn have_like_ranks(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Decimal { scale: a, .. }, Type::Decimal { scale: b, .. }) => a == b,
        _ => a == b,
    }
}

/// Lines that hang together: inputs, and what is computed from them.
struct Part {
    inputs: Vec<LineId>,
    computed: Vec<(LineId, NodeId)>,
    cone: Vec<NodeId>,
}

/// A rank that is tried, with the text that it stands for.
type Choice = (i128, Option<Arc<str>>);

impl Group<'_> {
    /// Values within the cells; with them what does not come out as the cells say.
    pub(super) fn draft(&self, cells: &[Span]) -> (Draft, Option<Mismatch>) {
        let system = self.system(cells);
        let mut draft = Draft::default();
        for (at, line) in self.lines.iter().enumerate() {
            let rank = match cells.get(at) {
                Some(Span::Ranks(low, high)) => Some(nice::choose(self.world, line, *low, *high)),
                _ => None,
            };
            draft.ranks.push(rank);
            if line.ty == Type::Text && rank == Some(line.high) {
                draft.texts.insert(at, self.other_text(0));
            }
        }
        // Fixing ranks narrows a system, so that it has one of its own.
        self.keep_differences(self.system(cells), cells, &mut draft);
        let mut mismatch = self.too_many_items(cells);
        for part in self.parts_of_computed(&system) {
            if mismatch.is_none() && !self.matches(&part, cells, &draft, &system) {
                mismatch = self.try_others(&part, cells, &mut draft, &system);
            }
        }
        (draft, mismatch)
    }

    /// Moves ranks so that all differences are kept.
    fn keep_differences(&self, mut system: System, cells: &[Span], draft: &mut Draft) {
        for id in system.lines().to_vec() {
            let (Some(Span::Ranks(low, high)), Some(line)) = (cells.get(id).copied(), self.lines.get(id))
            else {
                continue;
            };
            let wanted = nice::choose(self.world, line, low, high);
            let (least, most) = system.interval(id);
            let (low, high) =
                (least.map_or(low, |least| least.max(low)), most.map_or(high, |most| most.min(high)));
            let rank = wanted.clamp(low.min(high), high);
            system.fix(id, rank);
            if let Some(place) = draft.ranks.get_mut(id) {
                *place = Some(rank);
            }
        }
    }

    /// More items than a list is long.
    fn too_many_items(&self, cells: &[Span]) -> Option<Mismatch> {
        for (at, line) in self.lines.iter().enumerate() {
            let (Kind::Size(list), Some(size @ Span::Ranks(_, most))) = (&line.kind, cells.get(at).copied())
            else {
                continue;
            };
            let held: Vec<LineId> =
                self.items(*list, |item| matches!(cells.get(item), Some(Span::Ranks(1, _))));
            if i128::try_from(held.len()).unwrap_or(i128::MAX) > most {
                let mut literals = line.ends(size).to_vec();
                let one = |item: &LineId| self.lines.get(*item).map(|line| line.ends(Span::Ranks(1, 1))[0]);
                literals.extend(held.iter().filter_map(one));
                return Some(Mismatch { literals, impossible: true });
            }
        }
        None
    }

    /// The item lines of a list that are so.
    fn items(&self, list: NodeId, wanted: impl Fn(LineId) -> bool) -> Vec<LineId> {
        self.lines
            .iter()
            .enumerate()
            .filter(|(at, line)| matches!(&line.kind, Kind::Item(of, _) if *of == list) && wanted(*at))
            .map(|(at, _)| at)
            .collect()
    }

    /// What is computed, with what it is computed from, by what hangs together.
    fn parts_of_computed(&self, system: &System) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let Kind::Computed(id) = line.kind else { continue };
            let cone = self.world.cone(&[id]);
            let mut inputs: Vec<LineId> = cone
                .iter()
                .flat_map(|id| [Kind::Given(*id), Kind::Unknowable(*id), Kind::Size(*id)])
                .filter_map(|kind| self.find(&kind))
                .collect();
            if inputs.iter().any(|input| system.lines().contains(input)) {
                inputs.extend_from_slice(system.lines());
            }
            let mut joined = Part { inputs, computed: vec![(at, id)], cone };
            let (apart, together): (Vec<Part>, Vec<Part>) = parts
                .into_iter()
                .partition(|part| !part.inputs.iter().any(|input| joined.inputs.contains(input)));
            for part in together {
                joined.inputs.extend(part.inputs);
                joined.computed.extend(part.computed);
                joined.cone.extend(part.cone);
            }
            joined.inputs.sort_unstable();
            joined.inputs.dedup();
            joined.cone.sort_unstable();
            joined.cone.dedup();
            parts = apart;
            parts.push(joined);
        }
        parts
    }

    /// Whether what is computed comes out within its cells, and differences are kept.
    fn matches(&self, part: &Part, cells: &[Span], draft: &Draft, system: &System) -> bool {
        let values = evaluate_given(self.world.dated, &self.world.facts, &part.cone, &self.values(draft));
        let mut ranks: HashMap<LineId, Option<i128>> =
            part.inputs.iter().map(|line| (*line, draft.ranks.get(*line).copied().flatten())).collect();
        for (line, id) in &part.computed {
            let rank = values.get(id).and_then(|value| self.rank(value));
            let fits = match cells.get(*line) {
                Some(Span::Ranks(low, high)) => rank.is_some_and(|rank| (*low..=*high).contains(&rank)),
                _ => rank.is_none(),
            };
            if !fits {
                return false;
            }
            ranks.insert(*line, rank);
        }
        system.allows(|line| ranks.get(&line).copied().flatten())
    }

    /// Tries other values of the same cells.
    fn try_others(
        &self,
        part: &Part,
        cells: &[Span],
        draft: &mut Draft,
        system: &System,
    ) -> Option<Mismatch> {
        let free: Vec<LineId> = part
            .inputs
            .iter()
            .copied()
            .filter(|input| !part.computed.iter().any(|(line, _)| line == input))
            .filter(|input| matches!(cells.get(*input), Some(Span::Ranks(low, high)) if low < high || self.is_open_text(*input, *low)))
            .collect();
        let count = u32::try_from(free.len().max(1)).unwrap_or(1);
        let each = match count {
            1 => MOST_TRIALS,
            _ => (MOST_TRIALS as f64).powf(1.0 / f64::from(count)).floor().max(2.0) as usize,
        };
        let mut exhaustive = part.inputs.iter().all(|input| self.has_plain_cells(*input));
        let mut choices: Vec<Vec<(i128, Option<Arc<str>>)>> = Vec::new();
        for input in &free {
            let (options, all) = self.options(*input, cells, each, part);
            exhaustive &= all;
            choices.push(options);
        }
        let mut at = vec![0_usize; free.len()];
        let before = draft.clone();
        for _ in 0..2 * MOST_TRIALS {
            for ((line, place), options) in free.iter().zip(&at).zip(&choices) {
                if let (Some((rank, text)), Some(slot)) = (options.get(*place), draft.ranks.get_mut(*line)) {
                    *slot = Some(*rank);
                    if let Some(text) = text {
                        draft.texts.insert(*line, text.clone());
                    }
                }
            }
            if self.matches(part, cells, draft, system) {
                return None;
            }
            if !advance(&mut at, &choices) {
                *draft = before;
                return Some(Mismatch {
                    literals: self.literals(part, cells, system),
                    impossible: exhaustive,
                });
            }
        }
        *draft = before;
        Some(Mismatch { literals: self.literals(part, cells, system), impossible: false })
    }

    /// Whether a line's values are all on it: not so for lists, and for what is not knowable.
    fn has_plain_cells(&self, line: LineId) -> bool {
        self.lines.get(line).is_some_and(|line| !matches!(line.ty, Type::List(_)))
    }

    fn is_open_text(&self, line: LineId, low: i128) -> bool {
        self.lines.get(line).is_some_and(|line| line.ty == Type::Text && low == line.high)
    }

    fn options(&self, line: LineId, cells: &[Span], most: usize, part: &Part) -> (Vec<Choice>, bool) {
        let (Some(of), Some(Span::Ranks(low, high))) = (self.lines.get(line), cells.get(line).copied())
        else {
            return (Vec::new(), false);
        };
        if of.ty == Type::Text {
            let mut options: Vec<(i128, Option<Arc<str>>)> = (low..=high).map(|rank| (rank, None)).collect();
            let open = high == of.high;
            if open {
                options.pop();
                options.extend(self.other_texts(part).into_iter().map(|text| (of.high, Some(text))));
            }
            options.truncate(most.max(64));
            return (options, !open);
        }
        let most = i128::try_from(most).unwrap_or(i128::MAX);
        // What a sum is held against is mostly reached by one of what it is of.
        let reached = part.computed.iter().filter_map(|(computed, _)| {
            let line = self.lines.get(*computed).filter(|line| have_like_ranks(&line.ty, &of.ty))?;
            match cells.get(*computed) {
                Some(Span::Ranks(from, to)) => Some(
                    [(*from, line.low), (*to, line.high)].into_iter().filter(|(end, limit)| end != limit),
                ),
                _ => None,
            }
        });
        let hints: Vec<i128> = reached.flatten().map(|(end, _)| end).collect();
        let (mut ranks, all) = nice::candidates(self.world, of, (low, high), &hints, most);
        let cut = i128::try_from(ranks.len()).unwrap_or(0) > most;
        ranks.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        (ranks.into_iter().map(|rank| (rank, None)).collect(), all && !cut)
    }

    /// Literals that say how a part's lines lie.
    fn literals(&self, part: &Part, cells: &[Span], system: &System) -> Vec<Literal> {
        let mut literals: Vec<Literal> = part
            .inputs
            .iter()
            .chain(part.computed.iter().map(|(line, _)| line))
            .filter_map(|line| Some(self.lines.get(*line)?.ends(*cells.get(*line)?)))
            .flatten()
            .collect();
        if part.inputs.iter().any(|input| system.lines().contains(input)) {
            literals.extend(system.reasons());
        }
        literals.retain(|literal| *literal != Literal::TRUE);
        literals.sort_unstable();
        literals.dedup();
        literals
    }

    /// A text that no rule names.
    fn other_text(&self, number: usize) -> Arc<str> {
        let mut number = number;
        loop {
            let text = if number == 0 { "other".to_owned() } else { format!("other {number}") };
            if self.texts.binary_search_by(|known| known.as_ref().cmp(&text)).is_err() {
                return text.into();
            }
            number += 1;
        }
    }

    /// Texts that no rule names as a whole, of all kinds that tests may ask for.
    fn other_texts(&self, part: &Part) -> Vec<Arc<str>> {
        let mut texts: Vec<String> =
            vec![self.other_text(0).to_string(), self.other_text(1).to_string(), String::new()];
        for id in &part.cone {
            match &self.world.program.node(*id).expr {
                Expr::Matches { pattern, .. } => texts.extend(super::pattern::example(pattern)),
                Expr::TextTest { pattern, .. } => {
                    if let Some(Value::Text(pattern)) = self.world.constant(*pattern) {
                        texts.extend([format!("{pattern}x"), format!("x{pattern}"), format!("x{pattern}x")]);
                    }
                }
                _ => {}
            }
        }
        for text in self.texts.iter().take(50) {
            texts.extend([text.to_uppercase(), text.to_lowercase(), format!(" {text}"), format!("{text}x")]);
        }
        texts.extend((1..=30).map(|length| "a".repeat(length)));
        let mut seen = hashbrown::HashSet::new();
        texts
            .into_iter()
            .map(Arc::<str>::from)
            .filter(|text| self.texts.binary_search(text).is_err() && seen.insert(text.clone()))
            .collect()
    }

    /// The values of the given nodes.
    pub(super) fn values(&self, draft: &Draft) -> HashMap<NodeId, Value> {
        let mut values = HashMap::new();
        for (at, line) in self.lines.iter().enumerate() {
            let (Kind::Given(id) | Kind::Unknowable(id)) = line.kind else { continue };
            let value = match draft.ranks.get(at).copied().flatten() {
                None => Value::Missing,
                Some(_) if matches!(line.ty, Type::List(_)) => self.list(id, &line.ty, draft),
                Some(rank) if line.ty == Type::Text => self.text(at, rank, draft),
                Some(rank) => rank::value(&line.ty, rank).unwrap_or(Value::Missing),
            };
            values.insert(id, value);
        }
        values
    }

    fn text(&self, line: LineId, rank: i128, draft: &Draft) -> Value {
        let named = usize::try_from(rank).ok().and_then(|at| self.texts.get(at));
        Value::Text(match (named, draft.texts.get(&line)) {
            (Some(text), _) => text.clone(),
            (None, Some(text)) => text.clone(),
            (None, None) => self.other_text(0),
        })
    }

    /// A list with the items that it has, and others up to its length.
    fn list(&self, id: NodeId, ty: &Type, draft: &Draft) -> Value {
        let held = self.items(id, |item| draft.ranks.get(item) == Some(&Some(1)));
        let mut items: Vec<Value> = held
            .into_iter()
            .filter_map(|item| match self.lines.get(item).map(|line| &line.kind) {
                Some(Kind::Item(_, value)) => Some(value.clone()),
                _ => None,
            })
            .collect();
        let size = self.find(&Kind::Size(id)).and_then(|line| draft.ranks.get(line).copied().flatten());
        let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0).min(1_000);
        let fillers = self.fillers(id, ty, size.saturating_sub(items.len()));
        items.extend(fillers);
        Value::List(items.into())
    }

    /// Items that no rule asks for.
    fn fillers(&self, list: NodeId, ty: &Type, count: usize) -> Vec<Value> {
        let Type::List(item) = ty else { return Vec::new() };
        let asked: Vec<&Value> = self
            .lines
            .iter()
            .filter_map(|line| match &line.kind {
                Kind::Item(of, value) if *of == list => Some(value),
                _ => None,
            })
            .collect();
        let filler = |number: usize| match item.as_ref() {
            Type::Text => Some(Value::Text(self.other_text(number))),
            ty => rank::value(ty, i128::try_from(number).unwrap_or(0)),
        };
        let fillers: Vec<Value> =
            (0..count + asked.len() + 2).filter_map(filler).filter(|value| !asked.contains(&value)).collect();
        fillers.iter().cycle().take(if fillers.is_empty() { 0 } else { count }).cloned().collect()
    }

    /// The cells in which a draft's values lie, what is computed included.
    pub(super) fn cells_of(&self, draft: &Draft) -> Vec<Span> {
        let computed: Vec<NodeId> = self
            .lines
            .iter()
            .filter_map(|line| match line.kind {
                Kind::Computed(id) => Some(id),
                _ => None,
            })
            .collect();
        let cone = self.world.cone(&computed);
        let values = evaluate_given(self.world.dated, &self.world.facts, &cone, &self.values(draft));
        self.lines
            .iter()
            .enumerate()
            .map(|(at, line)| {
                let rank_of = |line: LineId| draft.ranks.get(line).copied().flatten();
                let rank = match &line.kind {
                    Kind::Computed(id) => values.get(id).and_then(|value| self.rank(value)),
                    Kind::Difference(a, b) => rank_of(*a).zip(rank_of(*b)).map(|(a, b)| a.saturating_sub(b)),
                    _ => rank_of(at),
                };
                rank.map_or(Span::Missing, |rank| line.cell_of(rank))
            })
            .collect()
    }
}

/// The next combination; false after the last.
fn advance<T>(at: &mut [usize], choices: &[Vec<T>]) -> bool {
    for (place, options) in at.iter_mut().zip(choices).rev() {
        *place += 1;
        if *place < options.len() {
            return true;
        }
        *place = 0;
    }
    false
}
