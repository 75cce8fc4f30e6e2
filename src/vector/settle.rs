//! What need not be read: columns whose every test is settled by what is known of some rows beforehand, and
//! columns on which nothing can turn any more once those are.
//!
//! The plan is gone through twice. Forwards, each condition is settled or is not, by what settles its operands;
//! for each it is noted which operands that takes. Backwards, only what leads to a wanted outcome is needed.
//! What is left of a column is then nothing, or tests that are settled: any value with the same outcomes
//! may stand for all of its rows.

use super::plan::{Action, BatchInput, Input, Plan, Prepared, Step, Work};
use crate::program::{Expr, NodeId, Quantifier, Value};
use crate::semantics::{Absence, Extent};
use hashbrown::HashMap;

/// What may stand for all values of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StandIn {
    /// That none is there.
    Missing,
    /// The least of them.
    Least,
}

/// What is known of rows before they are read.
pub trait Known {
    /// What is known of a column, by its index in the table; nothing is [`Extent::UNKNOWN`].
    fn extent(&self, column: usize) -> Extent;

    /// Whether it is known that no row of a column has any of these values.
    fn has_none_of(&self, column: usize, values: &[Value]) -> bool;
}

/// A register at some point of the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    /// A condition that holds for all rows, or for none.
    Settled(bool),
    /// A column as it comes: its place in `Plan::inputs`.
    Input(usize),
    Anything,
}

/// What is needed for an action's outcome, where that is needed.
enum Needs {
    /// These registers.
    Registers(Vec<usize>),
    /// The column, to be tested; of each test its register and whether it is settled.
    Column(usize, Vec<(usize, bool)>),
    /// The column's values.
    Values(usize),
}

/// How a column is needed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Use {
    #[default]
    None,
    Settled,
    Read,
}

impl Plan {
    /// The columns that need not be read for rows of which that much is known, each with what may stand
    /// for it. One whose values are all known stands in with its least, any other with none.
    pub fn settle(&self, known: &dyn Known) -> Vec<(usize, StandIn)> {
        let extents: Vec<Extent> = self
            .inputs
            .iter()
            .map(|input| match input.input {
                Input::Column(column, _) => known.extent(column),
                Input::Node(_) => Extent::UNKNOWN,
            })
            .collect();
        if extents.iter().all(|extent| *extent == Extent::UNKNOWN) {
            return Vec::new();
        }
        let needs = self.forwards(&extents, known);
        let uses = self.backwards(&needs);
        let inputs = self.inputs.iter().zip(uses).zip(&extents);
        let settled = inputs.filter_map(|((input, found), extent)| match (&input.input, found) {
            (Input::Column(column, _), Use::None | Use::Settled) => Some((
                *column,
                if extent.missing == Absence::None { StandIn::Least } else { StandIn::Missing },
            )),
            _ => None,
        });
        settled.collect()
    }

    /// The columns that it reads, by their index in the table.
    pub fn column_numbers(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().filter_map(|input| match input.input {
            Input::Column(column, _) => Some(column),
            Input::Node(_) => None,
        })
    }

    /// Whether more may be settled of rows of which that much is known than of those among which they are.
    pub fn tells_more(&self, column: usize, extent: &Extent, than: &Extent) -> bool {
        if extent.missing != than.missing || extent.only_value() != than.only_value() {
            return true;
        }
        let of_column = |of: &BatchInput| matches!(of.input, Input::Column(at, _) if at == column);
        let input = self.inputs.iter().position(of_column);
        let tests = input.and_then(|input| self.tests_of_inputs.get(input));
        tests.into_iter().flatten().any(|action| match self.actions.get(*action).map(|action| &action.work) {
            Some(Work::Tests(group)) => group.tells_more(extent, than),
            _ => false,
        })
    }

    /// By action, what its outcome needs.
    fn forwards(&self, extents: &[Extent], known: &dyn Known) -> Vec<Needs> {
        let mut held = vec![Held::Anything; self.registers];
        let put = |held: &mut Vec<Held>, register: usize, what: Held| {
            if let Some(place) = held.get_mut(register) {
                *place = what;
            }
        };
        let actions = self.actions.iter().map(|action| match &action.work {
            Work::Keep(_) => Needs::Registers(Vec::new()),
            Work::Node(step) => {
                let (outcome, needs) = match (&step.prepared, &step.node.expr) {
                    (Prepared::Input(input), _) => as_it_comes(*input, step.register, extents),
                    (Prepared::Nothing, Expr::IsKnown(operand)) => {
                        is_known(*operand, step.register, &held, extents)
                    }
                    (Prepared::Nothing, expr) => {
                        let (outcome, needs) = decide(expr, &held);
                        let needs = needs.unwrap_or_else(|| step.operands.clone());
                        (outcome.map_or(Held::Anything, Held::Settled), Needs::Registers(needs))
                    }
                };
                put(&mut held, step.register, outcome);
                needs
            }
            Work::Tests(group) => {
                let Some(Held::Input(input)) = held.get(group.source).copied() else {
                    for register in group.registers() {
                        put(&mut held, register, Held::Anything);
                    }
                    return Needs::Registers(vec![group.source]);
                };
                let found = self.inputs.get(input).zip(extents.get(input));
                let outcomes = found.map_or_else(Vec::new, |(of, extent)| {
                    let column = match of.input {
                        Input::Column(column, _) => Some(column),
                        Input::Node(_) => None,
                    };
                    let none = |values: &[Value]| column.is_some_and(|at| known.has_none_of(at, values));
                    group.outcomes(extent, &of.ty, &none)
                });
                for (register, outcome) in &outcomes {
                    put(&mut held, *register, outcome.map_or(Held::Anything, Held::Settled));
                }
                Needs::Column(input, outcomes.iter().map(|(at, outcome)| (*at, outcome.is_some())).collect())
            }
        });
        actions.collect()
    }

    /// How each input is needed.
    fn backwards(&self, needs: &[Needs]) -> Vec<Use> {
        let mut uses = vec![Use::default(); self.inputs.len()];
        let mut needed = vec![false; self.registers];
        let mut note = |input: usize, found: Use| {
            if let Some(place) = uses.get_mut(input) {
                *place = if *place == Use::Read { Use::Read } else { found };
            }
        };
        for (action, needs) in self.actions.iter().zip(needs).rev() {
            let mut take = |register: usize| needed.get_mut(register).is_some_and(std::mem::take);
            let wanted = match &action.work {
                Work::Keep(place) => {
                    if let Some(declared) = self.wanted.get(*place) {
                        let claims = declared.claims.iter().flatten().flatten().copied();
                        let kept = claims.chain([declared.value]).chain(declared.line);
                        kept.for_each(|register| mark(&mut needed, register));
                    }
                    continue;
                }
                Work::Node(step) => take(step.register),
                Work::Tests(group) => {
                    let tests: Vec<usize> = group.registers().collect();
                    let wanted: Vec<usize> = tests.into_iter().filter(|register| take(*register)).collect();
                    if let Needs::Column(input, outcomes) = needs {
                        for (register, settled) in outcomes {
                            if wanted.contains(register) {
                                note(*input, if *settled { Use::Settled } else { Use::Read });
                            }
                        }
                        continue;
                    }
                    !wanted.is_empty()
                }
            };
            match needs {
                _ if !wanted => {}
                Needs::Registers(registers) => {
                    registers.iter().for_each(|register| mark(&mut needed, *register));
                }
                Needs::Values(input) => note(*input, Use::Read),
                Needs::Column(input, outcomes) => {
                    let settled = outcomes.iter().all(|(_, settled)| *settled);
                    note(*input, if settled { Use::Settled } else { Use::Read });
                }
            }
        }
        uses
    }
}

/// By input, the actions that test it as it comes. Large plans are asked for these too often to look for them
/// each time.
pub(super) fn tests_of_inputs(actions: &[Action], inputs: usize) -> Vec<Vec<usize>> {
    let mut tests = vec![Vec::new(); inputs];
    // By register, which input it holds.
    let mut held: HashMap<usize, usize> = HashMap::new();
    for (number, action) in actions.iter().enumerate() {
        match &action.work {
            Work::Node(Step { prepared: Prepared::Input(input), register, .. }) => {
                held.insert(*register, *input);
            }
            Work::Node(step) => {
                held.remove(&step.register);
            }
            Work::Tests(group) => {
                if let Some(tests) = held.get(&group.source).and_then(|input| tests.get_mut(*input)) {
                    tests.push(number);
                }
                for register in group.registers() {
                    held.remove(&register);
                }
            }
            Work::Keep(_) => {}
        }
    }
    tests
}

fn mark(needed: &mut [bool], register: usize) {
    if let Some(needed) = needed.get_mut(register) {
        *needed = true;
    }
}

/// A column itself. One that is the same in all rows is as good as read, whatever is done with it; and a bool
/// that is the same is a condition that is settled.
fn as_it_comes(input: usize, register: usize, extents: &[Extent]) -> (Held, Needs) {
    match extents.get(input).and_then(Extent::only_value) {
        Some(Value::Bool(holds)) => (Held::Settled(*holds), Needs::Column(input, vec![(register, true)])),
        Some(_) => (Held::Input(input), Needs::Column(input, vec![(register, true)])),
        None => (Held::Input(input), Needs::Values(input)),
    }
}

fn is_known(operand: NodeId, register: usize, held: &[Held], extents: &[Extent]) -> (Held, Needs) {
    let source = operand.0 as usize;
    let Some(Held::Input(input)) = held.get(source).copied() else {
        return (Held::Anything, Needs::Registers(vec![source]));
    };
    let outcome = match extents.get(input).map(|extent| extent.missing) {
        Some(Absence::None) => Held::Settled(true),
        Some(Absence::All) => Held::Settled(false),
        _ => Held::Anything,
    };
    (outcome, Needs::Column(input, vec![(register, matches!(outcome, Held::Settled(_)))]))
}

/// What a condition comes to by what its operands are, and which of them that takes; all where none are
/// named.
fn decide(expr: &Expr, held: &[Held]) -> (Option<bool>, Option<Vec<usize>>) {
    let settled = |id: &NodeId| match held.get(id.0 as usize) {
        Some(Held::Settled(holds)) => Some(*holds),
        _ => None,
    };
    // One operand that has `end` decides; without one, all that do not are needed.
    let joined = |operands: &[NodeId], end: bool| match operands
        .iter()
        .find(|operand| settled(operand) == Some(end))
    {
        Some(operand) => (Some(end), Some(vec![operand.0 as usize])),
        None => {
            let all = operands.iter().all(|operand| settled(operand).is_some());
            (all.then_some(!end), None)
        }
    };
    match expr {
        Expr::Constant(Value::Bool(holds)) => (Some(*holds), None),
        Expr::And(operands) => joined(operands, false),
        Expr::Or(operands) => joined(operands, true),
        Expr::Not(operand) => (settled(operand).map(|holds| !holds), None),
        Expr::IsTrue(operand) => (settled(operand), None),
        Expr::CountOf { quantifier, count, conditions } => {
            let hold = conditions.iter().filter(|condition| settled(condition) == Some(true)).count();
            let open = conditions.iter().filter(|condition| settled(condition).is_none()).count();
            let count = *count as usize;
            let outcome = match quantifier {
                Quantifier::AtLeast if hold >= count => Some(true),
                Quantifier::AtLeast if hold + open < count => Some(false),
                Quantifier::AtMost if hold > count => Some(false),
                Quantifier::AtMost if hold + open <= count => Some(true),
                Quantifier::Exactly if hold > count || hold + open < count => Some(false),
                Quantifier::Exactly if open == 0 => Some(true),
                _ => None,
            };
            // Which of the open ones hold makes no difference then.
            let decided = conditions.iter().filter(|condition| settled(condition).is_some());
            let needs = outcome.map(|_| decided.map(|condition| condition.0 as usize).collect());
            (outcome, needs)
        }
        Expr::Case { arms, otherwise } => {
            let mut needs = Vec::new();
            for (condition, value) in arms {
                needs.push(condition.0 as usize);
                match settled(condition) {
                    Some(false) => {}
                    Some(true) => {
                        needs.push(value.0 as usize);
                        return (None, Some(needs));
                    }
                    None => needs.push(value.0 as usize),
                }
            }
            needs.extend(otherwise.iter().map(|value| value.0 as usize));
            (None, Some(needs))
        }
        _ => (None, None),
    }
}
