//! The least change of a user's columns that would turn a rule.
//!
//! The values to try come from `candidates`. Whatever is proposed has been tried in the reference
//! interpreter. A conjunction is turned part by part, so that long
//! rules stay quick; a part is turned by one column where that is enough, else by two.

use crate::interpret::{self, UserRows};
use crate::program::{Expr, NodeId, Program, Value};
use crate::semantics::{Dated, Facts};
use hashbrown::{HashMap, HashSet};
use serde::Serialize;

/// One column that would have to be different.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnChange {
    /// The column.
    pub column: String,
    /// What it is now.
    pub from: String,
    /// What would do.
    pub to: String,
    #[serde(skip)]
    pub(super) index: usize,
    #[serde(skip)]
    pub(super) value: Value,
    #[serde(skip)]
    pub(super) effort: f64,
}

impl ColumnChange {
    /// Makes the change in a user's row.
    pub fn put(&self, row: &mut [Value]) {
        if let Some(place) = row.get_mut(self.index) {
            *place = self.value.clone();
        }
    }
}

/// A set of columns that would have to be different, all of them.
pub type Change = Vec<ColumnChange>;

/// How many alternatives are kept for a part, and for the whole.
const KEPT: usize = 3;
/// How many users are tried for one part of a rule.
const TRIES: usize = 4_000;

/// What is asked of a node's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// A condition that holds.
    Holds,
    /// A condition that does not.
    Fails,
    /// A labelled value with this label.
    Is(u32),
}

impl Goal {
    fn met(&self, value: &Value) -> bool {
        match self {
            Goal::Holds => value.is_true(),
            Goal::Fails => !value.is_true(),
            Goal::Is(code) => matches!(value, Value::Label(found) if found == code),
        }
    }
}

/// The least changes of the user's columns that meet the goal, the smallest first: fewest columns, then the
/// smallest steps. Empty where none was found (or the goal is met already).
pub fn least_changes(
    dated: &Dated,
    facts: &Facts,
    user: &UserRows,
    node: NodeId,
    goal: &Goal,
) -> Vec<Change> {
    let search = Search { dated, facts, user, zone: dated.program.zone() };
    let values = search.evaluate(dated, user);
    if goal.met(values.value(node)) {
        return Vec::new();
    }
    let mut found = search.turn(node, goal, &values);
    let (part, root) = part(dated, node);
    found.retain(|change| search.meets(&part, root, goal, change));
    sort(&mut found);
    // Of one set of columns the smallest step is enough; the alternatives are other columns.
    let mut sets = HashSet::new();
    found.retain(|change| sets.insert(change.iter().map(|one| one.index).collect::<Vec<_>>()));
    found.truncate(KEPT);
    found
}

pub(super) struct Search<'a> {
    pub(super) dated: &'a Dated,
    pub(super) facts: &'a Facts,
    pub(super) user: &'a UserRows,
    pub(super) zone: jiff::tz::TimeZone,
}

impl Search<'_> {
    /// A user among a population that is part of the program as constants.
    pub(super) fn evaluate(&self, part: &Dated, user: &UserRows) -> interpret::Evaluation {
        interpret::evaluate_user(part, self.facts, &interpret::PopulationValues::new(), user)
    }

    /// Changes that turn a node, put together from those that turn its parts.
    fn turn(&self, node: NodeId, goal: &Goal, values: &interpret::Evaluation) -> Vec<Change> {
        let program = &self.dated.program;
        match (&program.node(node).expr, goal) {
            (Expr::Not(inner), Goal::Holds) => self.turn(*inner, &Goal::Fails, values),
            (Expr::Not(inner), Goal::Fails) => self.turn(*inner, &Goal::Holds, values),
            (Expr::And(parts), Goal::Holds) | (Expr::Or(parts), Goal::Fails) => {
                self.turn_all(parts, goal, values).into_iter().chain(self.try_columns(node, goal)).collect()
            }
            (Expr::Or(parts), Goal::Holds) | (Expr::And(parts), Goal::Fails) => {
                let mut found: Vec<Change> =
                    parts.iter().flat_map(|part| self.turn(*part, goal, values)).collect();
                sort(&mut found);
                found.truncate(KEPT * 2);
                found
            }
            _ => self.try_columns(node, goal),
        }
    }

    /// Changes that turn each of several parts which do not meet the goal yet.
    fn turn_all(&self, parts: &[NodeId], goal: &Goal, values: &interpret::Evaluation) -> Vec<Change> {
        let mut combined: Vec<Change> = vec![Vec::new()];
        for part in parts.iter().filter(|part| !goal.met(values.value(**part))) {
            let options = self.turn(*part, goal, values);
            let mut next = Vec::new();
            for base in &combined {
                for option in &options {
                    next.extend(merged(base, option));
                }
            }
            sort(&mut next);
            next.truncate(KEPT * 4);
            combined = next;
        }
        combined.retain(|change| !change.is_empty());
        combined
    }

    /// Changes of one column that turn a node; of two where no single one does.
    fn try_columns(&self, node: NodeId, goal: &Goal) -> Vec<Change> {
        let (part, root) = part(self.dated, node);
        let candidates = self.candidates(&part);
        let mut tries = 0;
        let mut found = Vec::new();
        for options in candidates.values() {
            // The smallest step of each column that is enough.
            let enough = options.iter().find(|change| {
                tries += 1;
                tries < TRIES && self.meets(&part, root, goal, std::slice::from_ref(change))
            });
            found.extend(enough.map(|change| vec![change.clone()]));
        }
        if !found.is_empty() {
            sort(&mut found);
            return found;
        }
        let columns: Vec<&Vec<ColumnChange>> = candidates.values().collect();
        for (at, first) in columns.iter().enumerate() {
            for second in columns.iter().skip(at + 1) {
                let pairs = first.iter().flat_map(|a| second.iter().map(move |b| vec![a.clone(), b.clone()]));
                for pair in pairs {
                    tries += 1;
                    if tries >= TRIES {
                        sort(&mut found);
                        found.truncate(KEPT * 2);
                        return found;
                    }
                    if self.meets(&part, root, goal, &pair) {
                        found.push(pair);
                    }
                }
            }
        }
        sort(&mut found);
        found.truncate(KEPT * 2);
        found
    }

    /// Whether the changed user meets the goal, in the reference interpreter.
    fn meets(&self, part: &Dated, root: NodeId, goal: &Goal, change: &[ColumnChange]) -> bool {
        let mut user = self.user.clone();
        for one in change {
            one.put(&mut user.columns);
        }
        goal.met(self.evaluate(part, &user).value(root))
    }
}

/// Fewest columns first, then the smallest steps; deterministic; no repeats.
fn sort(changes: &mut Vec<Change>) {
    let effort = |change: &Change| change.iter().map(|one| one.effort).sum::<f64>();
    let place = |change: &Change| change.iter().map(|one| one.index).collect::<Vec<_>>();
    changes.sort_by(|a, b| {
        a.len().cmp(&b.len()).then(effort(a).total_cmp(&effort(b))).then_with(|| place(a).cmp(&place(b)))
    });
    changes.dedup();
}

/// Both changes at once, unless they want different values of one column.
fn merged(a: &Change, b: &Change) -> Option<Change> {
    let mut both = a.clone();
    for one in b {
        match both.iter().find(|other| other.index == one.index) {
            Some(other) if other.value != one.value => return None,
            Some(_) => {}
            None => both.push(one.clone()),
        }
    }
    both.sort_by_key(|one| one.index);
    Some(both)
}

/// Just the nodes below one, as a program of their own: trying many users stays quick in a large
/// program.
fn part(dated: &Dated, root: NodeId) -> (Dated, NodeId) {
    let program = &dated.program;
    let mut needed = HashSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            open.extend(program.node(id).expr.operands());
        }
    }
    let mut needed: Vec<NodeId> = needed.into_iter().collect();
    needed.sort_unstable();
    let numbers: HashMap<NodeId, NodeId> = needed
        .iter()
        .enumerate()
        .filter_map(|(at, id)| Some((*id, NodeId(u32::try_from(at).ok()?))))
        .collect();
    let renumber = |id: NodeId| numbers.get(&id).copied().unwrap_or(id);
    let nodes = needed
        .iter()
        .map(|id| {
            let mut node = program.node(*id).clone();
            node.expr = node.expr.map_operands(renumber);
            node
        })
        .collect();
    let part = Program { nodes, declarations: Vec::new(), ..program.without_rules() };
    (Dated { program: part, now: dated.now }, renumber(root))
}
