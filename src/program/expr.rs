//! The core: what an evaluator has to know.
//!
//! Two kinds of node: **conditions** have type `bool` and are never missing; **values** have any
//! type and may be missing. A comparison or test with a missing operand is false. Any other
//! function of a missing operand is missing. The rest is said at each kind.

use super::{
    Aggregate, Edge, EventPattern, Population, Sequence, SequenceStep, TextArm, TextPart, Type, Value, Window,
};
use crate::diagnostic::Span;
use serde::{Deserialize, Serialize};

/// Number of a node in `Program::nodes`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// One distinct expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// What it computes.
    pub expr: Expr,
    /// The type of its value.
    pub ty: Type,
    /// Whether its value may be missing for a user who keeps the declaration. A condition's is not.
    pub optional: bool,
    /// Where it was first written; for showing, never for meaning.
    pub place: Span,
}

/// Comparisons. `!=` is a negated [`CompareOp::Eq`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// Arithmetic on two operands of the same type (int, float or decimal).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, floats only
    Divide,
    /// `mod`: sign of the dividend; by zero missing
    Modulo,
}

/// Functions of one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberFunction {
    /// `abs`: the operand's type
    Abs,
    /// `floor`: int and decimal keep their type (a decimal its scale), float stays float
    Floor,
    /// `ceil`: likewise
    Ceil,
    /// `log`: natural, of a float
    Log,
    /// `sqrt`, of a float
    Sqrt,
    /// unary minus: the operand's type
    Negate,
}

/// Functions of one text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextFunction {
    /// `lower`
    Lower,
    /// `upper`
    Upper,
    /// `trim`
    Trim,
}

/// Tests of one text against another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextTest {
    /// `contains`
    Contains,
    /// `starts with`
    StartsWith,
    /// `ends with`
    EndsWith,
}

/// Parts of a date that are a number, and the weekday (a label of [`super::TypeId::WEEKDAY`]).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// `year`
    Year,
    /// `quarter`, 1 to 4
    Quarter,
    /// `month`, 1 to 12
    Month,
    /// `day`, 1 to 31
    Day,
    /// `weekday`
    Weekday,
}

/// `at least`, `at most`, `exactly`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantifier {
    /// `at least`
    AtLeast,
    /// `at most`
    AtMost,
    /// `exactly`
    Exactly,
}

/// Units of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Elapsed minutes.
    Minutes,
    /// Elapsed hours.
    Hours,
    /// Calendar days.
    Days,
    /// Seven days.
    Weeks,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

/// What a node computes from its operands.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A literal of the node's type.
    Constant(Value),
    /// The value of the user table's column of that index.
    Column(usize),
    /// The value of an event's column; see [`super::Scope`].
    EventColumn {
        /// Index in `Program::events`.
        table: usize,
        /// Index of its column.
        column: usize,
    },
    /// The moment of evaluation (timestamp).
    Now,
    /// Its local date.
    Today,

    // Conditions: operands are conditions, the outcome is never missing.
    /// All hold (two or more).
    And(Vec<NodeId>),
    /// One holds at least (two or more).
    Or(Vec<NodeId>),
    /// Does not hold.
    Not(NodeId),
    /// So many of the conditions hold.
    CountOf {
        /// Which way.
        quantifier: Quantifier,
        /// How many.
        count: u32,
        /// The conditions.
        conditions: Vec<NodeId>,
    },

    // Tests: operands are values, the outcome is never missing.
    /// A bool value is known and true.
    IsTrue(NodeId),
    /// A value is known.
    IsKnown(NodeId),
    /// Comparison of two values of one type: numbers, texts (`=` only), dates, timestamps, times,
    /// labels (by code), bools and lists (`=` only). A constant stands on the right.
    Compare {
        /// Which comparison.
        op: CompareOp,
        /// Left side.
        left: NodeId,
        /// Right side.
        right: NodeId,
    },
    /// The value is one of these constants of its type (sorted, no repeats).
    InSet {
        /// The value.
        value: NodeId,
        /// The constants.
        set: Vec<Value>,
    },
    /// `contains`, `starts with`, `ends with`.
    TextTest {
        /// Which test.
        test: TextTest,
        /// The text that is searched.
        text: NodeId,
        /// What is looked for.
        pattern: NodeId,
    },
    /// The regular expression finds something in the text.
    Matches {
        /// The text that is searched.
        text: NodeId,
        /// Rust `regex` syntax; valid.
        pattern: String,
    },
    /// The list has the item.
    Has {
        /// The list.
        list: NodeId,
        /// The item.
        item: NodeId,
    },
    /// The date is a working day: what the calendar says, else Monday to Friday.
    Workday(NodeId),
    /// An anniversary of `date` (its month and day in any year; 29 February falls on 28 February
    /// in other years) lies in `start <= a < end`. All are dates.
    AnniversaryWithin {
        /// The date.
        date: NodeId,
        /// First day that is in.
        start: NodeId,
        /// First day that is out.
        end: NodeId,
    },

    // Values.
    /// The value of the first arm whose condition holds; else the other; without one missing.
    Case {
        /// Condition and value.
        arms: Vec<(NodeId, NodeId)>,
        /// The rest.
        otherwise: Option<NodeId>,
    },
    /// Sum of the points whose conditions hold.
    Points(Vec<(NodeId, i64)>),
    /// The first unless it is missing, then the second (same type).
    OrElse(NodeId, NodeId),
    /// Arithmetic; both sides and the result have the node's type, but that decimals have scales of
    /// their own: `+ -` and `mod` take the larger scale, `*` the sum of both.
    Arithmetic {
        /// Which.
        op: ArithmeticOp,
        /// Left side.
        left: NodeId,
        /// Right side.
        right: NodeId,
    },
    /// Function of one number.
    NumberFunction(NumberFunction, NodeId),
    /// Rounds to so many digits after the point, half away from zero. A negative count rounds to
    /// tens, hundreds, …. Int stays int, float float; a decimal has the node's scale.
    Round(NodeId, i32),
    /// Smallest of two or more of the node's type; missing if one is.
    Least(Vec<NodeId>),
    /// Largest, likewise.
    Greatest(Vec<NodeId>),
    /// Changes an int to float or decimal, a decimal to float or to a decimal of another scale
    /// (exactly, else missing), a date to the timestamp of its first moment.
    Convert(NodeId),
    /// Function of one text.
    TextFunction(TextFunction, NodeId),
    /// Number of characters (Unicode scalar values).
    TextLength(NodeId),
    /// Number of items of a list.
    ListSize(NodeId),
    /// Local date of a timestamp.
    LocalDate(NodeId),
    /// Local time of day of a timestamp.
    TimeOfDay(NodeId),
    /// Local hour of a timestamp, 0 to 23.
    Hour(NodeId),
    /// Part of a date.
    DatePart(DatePart, NodeId),
    /// A date or timestamp `amount` (an int) units later; hours and minutes are elapsed time, the
    /// others keep the local time of day.
    Shift {
        /// Start.
        value: NodeId,
        /// How many.
        amount: NodeId,
        /// Of what.
        unit: Unit,
    },
    /// Whole units from `from` to `to`, negative where `to` is earlier: dates for days, weeks,
    /// months and years; timestamps for hours and minutes.
    Elapsed {
        /// Counted in.
        unit: Unit,
        /// Start.
        from: NodeId,
        /// End.
        to: NodeId,
    },
    /// The latest date (timestamp for hours and minutes) `x` with `Elapsed(x, to) >= at_least`:
    /// what a comparison of `days since x` with a constant is lowered to.
    ElapsedBound {
        /// Counted in.
        unit: Unit,
        /// How many whole units.
        at_least: i64,
        /// End: `Now`, `Today` or a constant.
        to: NodeId,
    },
    /// Value of a lookup's column where its key is this; missing where there is no such row.
    Lookup {
        /// Index in `Program::lookups`.
        lookup: usize,
        /// Index of its column.
        column: usize,
        /// The key.
        key: NodeId,
    },
    /// One value of a user's events.
    Aggregate(Aggregate),
    /// A condition: the user's events have steps in this order.
    Sequence(Sequence),
    /// A value of the whole population.
    Population(Population),
    /// With n the number of cuts: 1 + how many cuts the value is above, or where the lowest is best
    /// n + 1 minus that. Missing where the value or a cut is.
    Score {
        /// The value: int, float or decimal.
        value: NodeId,
        /// Ascending, of the value's type.
        cuts: Vec<NodeId>,
        /// Whether a low value has a high score.
        lowest_is_best: bool,
    },
    /// The digits of ints one after the other as a text; missing where one is missing.
    Digits(Vec<NodeId>),
    /// The text of the first arm whose condition holds; else missing. Operands are, arm by arm, its
    /// condition and the values in its text.
    Texts(Vec<TextArm>),
    /// An int from 0 to 16^13 - 1: the first 13 hexadecimal digits of the MD5 sum of the seed, U+001F
    /// and the key as text.
    SplitHash {
        /// What tells one split from another.
        seed: String,
        /// The user's key: int, decimal, text, date or timestamp.
        key: NodeId,
    },
}

impl Expr {
    /// Whether a bool node is a condition: never missing, whatever the data.
    pub fn is_condition(&self) -> bool {
        use Expr::*;
        matches!(
            self,
            And(_)
                | Or(_)
                | Not(_)
                | CountOf { .. }
                | IsTrue(_)
                | IsKnown(_)
                | Compare { .. }
                | InSet { .. }
                | TextTest { .. }
                | Matches { .. }
                | Has { .. }
                | Workday(_)
                | AnniversaryWithin { .. }
                | Sequence(_)
                | Constant(Value::Bool(_))
        )
    }

    /// Its operands, in the order in which they are written here.
    pub fn operands(&self) -> Vec<NodeId> {
        // The walk below takes a copy, which may be large where the operand is one.
        match self {
            Expr::Constant(_) => return Vec::new(),
            Expr::InSet { value: operand, .. } | Expr::Matches { text: operand, .. } => {
                return vec![*operand];
            }
            _ => {}
        }
        let mut operands = Vec::new();
        let _ = self.clone().map_operands(|id| {
            operands.push(id);
            id
        });
        operands
    }

    /// The same with each operand replaced.
    #[must_use]
    pub fn map_operands(self, mut f: impl FnMut(NodeId) -> NodeId) -> Expr {
        use Expr::*;
        let mut all = |ids: Vec<NodeId>| -> Vec<NodeId> { ids.into_iter().map(&mut f).collect() };
        match self {
            Constant(_) | Column(_) | EventColumn { .. } | Now | Today => self,
            And(x) => And(all(x)),
            Or(x) => Or(all(x)),
            Least(x) => Least(all(x)),
            Greatest(x) => Greatest(all(x)),
            CountOf { quantifier, count, conditions } => {
                CountOf { quantifier, count, conditions: all(conditions) }
            }
            Not(x) => Not(f(x)),
            IsTrue(x) => IsTrue(f(x)),
            IsKnown(x) => IsKnown(f(x)),
            Compare { op, left, right } => Compare { op, left: f(left), right: f(right) },
            InSet { value, set } => InSet { value: f(value), set },
            TextTest { test, text, pattern } => TextTest { test, text: f(text), pattern: f(pattern) },
            Matches { text, pattern } => Matches { text: f(text), pattern },
            Has { list, item } => Has { list: f(list), item: f(item) },
            Workday(x) => Workday(f(x)),
            AnniversaryWithin { date, start, end } => {
                AnniversaryWithin { date: f(date), start: f(start), end: f(end) }
            }
            Case { arms, otherwise } => Case {
                arms: arms.into_iter().map(|(condition, value)| (f(condition), f(value))).collect(),
                otherwise: otherwise.map(&mut f),
            },
            Points(arms) => {
                Points(arms.into_iter().map(|(condition, points)| (f(condition), points)).collect())
            }
            OrElse(x, y) => OrElse(f(x), f(y)),
            Arithmetic { op, left, right } => Arithmetic { op, left: f(left), right: f(right) },
            NumberFunction(function, x) => NumberFunction(function, f(x)),
            Round(x, digits) => Round(f(x), digits),
            Convert(x) => Convert(f(x)),
            TextFunction(function, x) => TextFunction(function, f(x)),
            TextLength(x) => TextLength(f(x)),
            ListSize(x) => ListSize(f(x)),
            LocalDate(x) => LocalDate(f(x)),
            TimeOfDay(x) => TimeOfDay(f(x)),
            Hour(x) => Hour(f(x)),
            DatePart(part, x) => DatePart(part, f(x)),
            Shift { value, amount, unit } => Shift { value: f(value), amount: f(amount), unit },
            Elapsed { unit, from, to } => Elapsed { unit, from: f(from), to: f(to) },
            ElapsedBound { unit, at_least, to } => ElapsedBound { unit, at_least, to: f(to) },
            Lookup { lookup, column, key } => Lookup { lookup, column, key: f(key) },
            Aggregate(x) => Aggregate(super::Aggregate {
                value: x.value.map(&mut f),
                filter: x.filter.map(&mut f),
                window: Window {
                    now: f(x.window.now),
                    low: x.window.low.map(|edge| Edge { bound: f(edge.bound), ..edge }),
                    high: x.window.high.map(|edge| Edge { bound: f(edge.bound), ..edge }),
                },
                ..x
            }),
            Sequence(x) => {
                let mut pattern = |x: EventPattern| EventPattern { filter: x.filter.map(&mut f), ..x };
                let steps = x
                    .steps
                    .into_iter()
                    .map(|step| SequenceStep {
                        without: step.without.into_iter().map(&mut pattern).collect(),
                        pattern: pattern(step.pattern),
                    })
                    .collect();
                let absent = x.absent.map(&mut pattern);
                Sequence(super::Sequence { steps, absent, within: x.within, now: f(x.now) })
            }
            Population(x) => {
                Population(super::Population { value: f(x.value), filter: x.filter.map(&mut f), ..x })
            }
            Score { value, cuts, lowest_is_best } => {
                Score { value: f(value), cuts: cuts.into_iter().map(&mut f).collect(), lowest_is_best }
            }
            Digits(x) => Digits(x.into_iter().map(&mut f).collect()),
            Texts(arms) => {
                let arm = |arm: TextArm| TextArm {
                    condition: f(arm.condition),
                    parts: arm
                        .parts
                        .into_iter()
                        .map(|part| match part {
                            TextPart::Value(id, format) => TextPart::Value(f(id), format),
                            literal => literal,
                        })
                        .collect(),
                };
                Texts(arms.into_iter().map(arm).collect())
            }
            SplitHash { seed, key } => SplitHash { seed, key: f(key) },
        }
    }
}
