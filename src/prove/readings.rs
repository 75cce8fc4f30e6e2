//! Computed values that cells do follow: sums and differences of lines, and functions of one line that
//! only rise or only fall, which are read backwards by halving.

use super::group::Group;
use super::line::LineId;
use super::rank;
use super::solver::Literal;
use crate::program::{ArithmeticOp, CompareOp, DatePart, Expr, NodeId, NumberFunction, Type, Unit, Value};
use crate::semantics::apply;

/// `plus - minus + offset`, as ranks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form {
    plus: Option<LineId>,
    minus: Option<LineId>,
    offset: i128,
}

/// How a computed value follows from lines.
pub(super) enum Reading {
    /// As a form; known where its operands are and its rank lies within a range.
    Sum { form: Form, operands: Vec<NodeId>, range: (i128, i128) },
    /// As a chain of functions of a line, first to last.
    Chain { line: LineId, chain: Vec<NodeId>, rising: bool, known: (i128, i128) },
}

/// Sums of more parts than this are not taken apart.
const MOST_PARTS: usize = 64;

impl Form {
    fn line(line: LineId) -> Form {
        Form { plus: Some(line), ..Form::default() }
    }

    fn negated(self) -> Form {
        Form { plus: self.minus, minus: self.plus, offset: -self.offset }
    }

    /// The sum, where at most one line is added and one taken away.
    fn add(self, other: Form) -> Option<Form> {
        let mut plus: Vec<LineId> = self.plus.into_iter().chain(other.plus).collect();
        let mut minus: Vec<LineId> = self.minus.into_iter().chain(other.minus).collect();
        plus.retain(|line| match minus.iter().position(|other| other == line) {
            Some(at) => {
                minus.swap_remove(at);
                false
            }
            None => true,
        });
        if plus.len() > 1 || minus.len() > 1 {
            return None;
        }
        let offset = self.offset.checked_add(other.offset)?;
        Some(Form { plus: plus.first().copied(), minus: minus.first().copied(), offset })
    }
}

impl Group<'_> {
    /// How cells follow a computed value, where they do.
    pub(super) fn reading(&mut self, id: NodeId) -> Option<Reading> {
        let expr = &self.world.program.node(id).expr;
        if self.world.is_given(expr) || self.world.is_unknowable(expr) {
            return None;
        }
        self.sum(id).or_else(|| self.chain(id))
    }

    fn sum(&mut self, id: NodeId) -> Option<Reading> {
        let form = self.form_of_parts(id, MOST_PARTS)?;
        let node = self.world.program.node(id);
        let range = match node.ty {
            Type::Timestamp => {
                let end = |moment: jiff::Timestamp| i128::from(moment.as_microsecond());
                (end(jiff::Timestamp::MIN), end(jiff::Timestamp::MAX))
            }
            _ => rank::range(&node.ty, 0),
        };
        Some(Reading::Sum { form, operands: node.expr.operands(), range })
    }

    /// The form of an expression that is one by what it does.
    fn form_of_parts(&mut self, id: NodeId, most: usize) -> Option<Form> {
        if most == 0 {
            return None;
        }
        let node = self.world.program.node(id);
        let exact = |group: &Self, operand: NodeId| {
            let ty = &group.world.program.node(operand).ty;
            matches!(node.ty, Type::Int | Type::Decimal { .. }) && same_scale(ty, &node.ty)
        };
        match node.expr {
            Expr::Arithmetic { op, left, right } if exact(self, left) && exact(self, right) => {
                let (left, right) = (self.form(left, most - 1), self.form(right, most - 1));
                match op {
                    ArithmeticOp::Add => left?.add(right?),
                    ArithmeticOp::Subtract => left?.add(right?.negated()),
                    _ => None,
                }
            }
            Expr::NumberFunction(NumberFunction::Negate, inner) if exact(self, inner) => {
                Some(self.form(inner, most - 1)?.negated())
            }
            Expr::Elapsed { unit: Unit::Days, from, to } => {
                let (from, to) = (self.form(from, most - 1), self.form(to, most - 1));
                to?.add(from?.negated())
            }
            Expr::Shift { value, amount, unit } => {
                let length = match (&node.ty, unit) {
                    (Type::Date, Unit::Days) => 1,
                    (Type::Date, Unit::Weeks) => 7,
                    (Type::Timestamp, Unit::Minutes) => 60_000_000,
                    (Type::Timestamp, Unit::Hours) => 3_600_000_000,
                    _ => return None,
                };
                let (value, amount) = (self.form(value, most - 1)?, self.form(amount, most - 1)?);
                match (length, amount) {
                    (1, amount) => value.add(amount),
                    (length, Form { plus: None, minus: None, offset }) => {
                        value.add(Form { offset: offset.checked_mul(length)?, ..Form::default() })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The form of any value of a type with ranks: what is no sum is a line of its own.
    fn form(&mut self, id: NodeId, most: usize) -> Option<Form> {
        let ty = self.world.program.node(id).ty.clone();
        if matches!(ty, Type::Text | Type::List(_)) {
            return None;
        }
        if let Some(constant) = self.world.constant(id) {
            return Some(Form { offset: rank::of(constant)?, ..Form::default() });
        }
        if self.world.program.node(id).expr.is_condition() {
            return None;
        }
        match self.form_of_parts(id, most) {
            Some(form) => Some(form),
            None => Some(Form::line(self.leaf(id))),
        }
    }

    fn form_at_least(&mut self, form: Form, rank: i128) -> Literal {
        let rank = rank.saturating_sub(form.offset);
        match (form.plus, form.minus) {
            (None, None) => Literal::constant(rank <= 0),
            (Some(line), None) => self.line_at_least(line, rank),
            (None, Some(line)) => self.line_below(line, 1_i128.saturating_sub(rank)),
            (Some(plus), Some(minus)) => self.difference_at_least(plus, minus, rank),
        }
    }

    pub(super) fn reading_known(&mut self, reading: Reading) -> Literal {
        match reading {
            Reading::Sum { form, operands, range: (low, high) } => {
                let mut parts: Vec<Literal> = operands.iter().map(|operand| self.known(*operand)).collect();
                parts.push(self.form_at_least(form, low));
                let past = self.form_at_least(form, high + 1);
                parts.push(!past);
                self.gates.and(parts)
            }
            Reading::Chain { line, known: (low, high), .. } => {
                let (from, past) = (self.line_at_least(line, low), self.line_at_least(line, high + 1));
                self.gates.and([from, !past])
            }
        }
    }

    pub(super) fn reading_at_least(&mut self, id: NodeId, reading: Reading, rank: i128) -> Literal {
        match reading {
            Reading::Sum { form, .. } => {
                let (known, reached) = (self.known(id), self.form_at_least(form, rank));
                self.gates.and([known, reached])
            }
            Reading::Chain { line, chain, rising, known } => {
                let ty = self.lines.get(line).map_or(Type::Int, |line| line.ty.clone());
                let reaches = |place: i128| {
                    rank::value(&ty, place)
                        .and_then(|value| self.follow(&chain, value))
                        .is_some_and(|value| value >= rank)
                };
                let (low, high) = known;
                let (from, to) = if rising {
                    (first(low, high, reaches), high)
                } else {
                    (low, first(low, high, |place| !reaches(place)) - 1)
                };
                let (from, past) = (self.line_at_least(line, from), self.line_at_least(line, to + 1));
                self.gates.and([from, !past])
            }
        }
    }

    /// A comparison of two values that are forms.
    pub(super) fn compare_lines(&mut self, op: CompareOp, left: NodeId, right: NodeId) -> Option<Literal> {
        let types = (&self.world.program.node(left).ty, &self.world.program.node(right).ty);
        if !same_scale(types.0, types.1) {
            return None;
        }
        let form = self.form(left, MOST_PARTS)?.add(self.form(right, MOST_PARTS)?.negated())?;
        let both = [self.known(left), self.known(right)];
        let (least, not_past) = match op {
            CompareOp::Ge => (Some(0), None),
            CompareOp::Gt => (Some(1), None),
            CompareOp::Eq => (Some(0), Some(1)),
            CompareOp::Lt => (None, Some(0)),
            CompareOp::Le => (None, Some(1)),
        };
        let mut parts = both.to_vec();
        if let Some(rank) = least {
            parts.push(self.form_at_least(form, rank));
        }
        if let Some(rank) = not_past {
            let past = self.form_at_least(form, rank);
            parts.push(!past);
        }
        Some(self.gates.and(parts))
    }

    /// A chain of functions of one line that each only rise or only fall.
    fn chain(&mut self, id: NodeId) -> Option<Reading> {
        let mut chain = Vec::new();
        let mut rising = true;
        let mut at = id;
        let line = loop {
            let node = self.world.program.node(at);
            if self.world.is_given(&node.expr) && !matches!(node.ty, Type::Text | Type::List(_)) {
                break self.leaf(at);
            }
            let (inner, rises) = self.step(at)?;
            if chain.len() >= MOST_PARTS {
                return None;
            }
            chain.push(at);
            rising = rising == rises;
            at = inner;
        };
        chain.reverse();
        let of = self.lines.get(line)?;
        let (low, high, ty) = (of.low, of.high, of.ty.clone());
        let is_known =
            |place: i128| rank::value(&ty, place).and_then(|value| self.follow(&chain, value)).is_some();
        // Where such a chain is known is one stretch.
        let inside = [low, high, 0, 1, low / 2 + high / 2]
            .into_iter()
            .find(|place| (low..=high).contains(place) && is_known(*place))?;
        let from = first(low, inside, is_known);
        let to = first(inside, high, |place| !is_known(place)) - 1;
        Some(Reading::Chain { line, chain, rising, known: (from, to) })
    }

    /// The operand that a rising (true) or falling function depends on; the others are constants.
    fn step(&self, id: NodeId) -> Option<(NodeId, bool)> {
        let node = self.world.program.node(id);
        let constant = |id: NodeId| self.world.constant(id);
        let sign = |id: NodeId| constant(id).and_then(rank::of).map(|rank| rank.signum());
        Some(match node.expr {
            Expr::Convert(inner) => match (&self.world.program.node(inner).ty, &node.ty) {
                (Type::Int | Type::Decimal { .. }, Type::Float)
                | (Type::Int, Type::Decimal { .. } | Type::Int)
                | (Type::Date, Type::Timestamp) => (inner, true),
                (Type::Decimal { scale, .. }, Type::Decimal { scale: wider, .. }) if scale <= wider => {
                    (inner, true)
                }
                _ => return None,
            },
            Expr::LocalDate(inner) if self.world.dates_grow => (inner, true),
            Expr::DatePart(DatePart::Year, inner) => (inner, true),
            Expr::NumberFunction(NumberFunction::Negate, inner) => (inner, false),
            Expr::NumberFunction(NumberFunction::Abs, _) => return None,
            Expr::NumberFunction(_, inner) | Expr::Round(inner, _) => (inner, true),
            Expr::Shift { value, amount, .. } if node.ty == Type::Date && constant(amount).is_some() => {
                (value, true)
            }
            Expr::Shift { value, amount, .. } if constant(value).is_some() && node.ty == Type::Date => {
                (amount, true)
            }
            Expr::Elapsed { from, to, .. } if constant(to).is_some() => (from, false),
            Expr::Elapsed { from, to, .. } if constant(from).is_some() => (to, true),
            Expr::Arithmetic { op, left, right } => match (op, constant(left), constant(right)) {
                (ArithmeticOp::Add, Some(_), None) => (right, true),
                (ArithmeticOp::Add | ArithmeticOp::Subtract, None, Some(_)) => (left, true),
                (ArithmeticOp::Subtract, Some(_), None) => (right, false),
                (ArithmeticOp::Multiply, Some(_), None) if sign(left)? != 0 => (right, sign(left)? > 0),
                (ArithmeticOp::Multiply | ArithmeticOp::Divide, None, Some(_)) if sign(right)? != 0 => {
                    (left, sign(right)? > 0)
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The rank that a chain of functions gives for a value, where that is known.
    fn follow(&self, chain: &[NodeId], value: Value) -> Option<i128> {
        let environment = self.world.environment();
        let mut value = value;
        for id in chain {
            let node = self.world.program.node(*id);
            let operands: Vec<Value> = node
                .expr
                .operands()
                .into_iter()
                .map(|operand| self.world.constant(operand).cloned().unwrap_or_else(|| value.clone()))
                .collect();
            value = apply(node, &operands, &environment);
        }
        rank::of(&value)
    }
}

fn same_scale(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Decimal { scale: a, .. }, Type::Decimal { scale: b, .. }) => a == b,
        _ => a == b,
    }
}

/// The first place at which something holds that goes on to hold; one past the last if it never does.
fn first(low: i128, high: i128, holds: impl Fn(i128) -> bool) -> i128 {
    let (mut low, mut past) = (low, high + 1);
    while low < past {
        let middle = low + (past - low) / 2;
        if holds(middle) {
            past = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}
