//! What each node gives for its operands.

use super::{Environment, calendar, compare, numbers, split, text, wording};
use crate::program::{CompareOp, Expr, Node, Quantifier, TextFunction, TextTest, Type, Value};

/// The value of a node, given the values of its operands in the order of [`Expr::operands`].
/// Columns, and what sums up events or users, have none here: the caller knows the user, the
/// events and the population.
pub fn apply(node: &Node, operands: &[Value], environment: &Environment<'_>) -> Value {
    let operand = |at: usize| operands.get(at).unwrap_or(&Value::Missing);
    let (first, second) = (operand(0), operand(1));
    let truth = |at: usize| operand(at).is_true();
    match &node.expr {
        Expr::Constant(value) => value.clone(),
        Expr::Column(_)
        | Expr::EventColumn { .. }
        | Expr::Aggregate(_)
        | Expr::Sequence(_)
        | Expr::Population(_) => Value::Missing,
        Expr::Now => Value::Timestamp(environment.now),
        Expr::Today => {
            calendar::local_date(&environment.zone, environment.now).map_or(Value::Missing, Value::Date)
        }

        Expr::And(_) => Value::Bool(operands.iter().all(Value::is_true)),
        Expr::Or(_) => Value::Bool(operands.iter().any(Value::is_true)),
        Expr::Not(_) => Value::Bool(!first.is_true()),
        Expr::CountOf { quantifier, count, .. } => {
            let holding = operands.iter().filter(|value| value.is_true()).count();
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            Value::Bool(match quantifier {
                Quantifier::AtLeast => holding >= count,
                Quantifier::AtMost => holding <= count,
                Quantifier::Exactly => holding == count,
            })
        }

        Expr::IsTrue(_) => Value::Bool(first.is_true()),
        Expr::IsKnown(_) => Value::Bool(!first.is_missing()),
        Expr::Compare { op, .. } => Value::Bool(compare::holds(*op, first, second)),
        Expr::InSet { set, .. } => {
            Value::Bool(set.iter().any(|item| compare::holds(CompareOp::Eq, first, item)))
        }
        Expr::TextTest { test, .. } => Value::Bool(match (first, second) {
            (Value::Text(text), Value::Text(pattern)) => match test {
                TextTest::Contains => text.contains(pattern.as_ref()),
                TextTest::StartsWith => text.starts_with(pattern.as_ref()),
                TextTest::EndsWith => text.ends_with(pattern.as_ref()),
            },
            _ => false,
        }),
        Expr::Matches { pattern, .. } => Value::Bool(match first {
            Value::Text(value) => text::matches(pattern, value),
            _ => false,
        }),
        Expr::Has { .. } => Value::Bool(match first {
            Value::List(items) => items.iter().any(|item| compare::holds(CompareOp::Eq, item, second)),
            _ => false,
        }),
        Expr::Workday(_) => Value::Bool(match first {
            Value::Date(days) => calendar::is_workday(*days, environment.facts),
            _ => false,
        }),
        Expr::AnniversaryWithin { .. } => Value::Bool(match (first, second, operand(2)) {
            (Value::Date(date), Value::Date(start), Value::Date(end)) => {
                calendar::anniversary_within(*date, *start, *end)
            }
            _ => false,
        }),

        Expr::Case { arms, .. } => {
            let chosen = (0..arms.len()).find(|arm| truth(arm * 2));
            operand(chosen.map_or(arms.len() * 2, |arm| arm * 2 + 1)).clone()
        }
        Expr::Points(arms) => {
            let sum: i128 = arms
                .iter()
                .enumerate()
                .filter(|(at, _)| truth(*at))
                .map(|(_, (_, points))| i128::from(*points))
                .sum();
            i64::try_from(sum).map_or(Value::Missing, Value::Int)
        }
        Expr::OrElse(..) => if first.is_missing() { second } else { first }.clone(),
        Expr::Arithmetic { op, .. } => numbers::arithmetic(*op, first, second, &node.ty),
        Expr::NumberFunction(function, _) => numbers::function(*function, first),
        Expr::Round(_, digits) => numbers::round(first, *digits, &node.ty),
        Expr::Least(_) => extreme(operands, CompareOp::Lt),
        Expr::Greatest(_) => extreme(operands, CompareOp::Gt),
        Expr::Convert(_) => convert(first, &node.ty, environment),
        Expr::TextFunction(function, _) => match first {
            Value::Text(value) => Value::Text(match function {
                TextFunction::Lower => value.to_lowercase().into(),
                TextFunction::Upper => value.to_uppercase().into(),
                TextFunction::Trim => value.trim().into(),
            }),
            _ => Value::Missing,
        },
        Expr::TextLength(_) => match first {
            Value::Text(value) => i64::try_from(value.chars().count()).map_or(Value::Missing, Value::Int),
            _ => Value::Missing,
        },
        Expr::ListSize(_) => match first {
            Value::List(items) => i64::try_from(items.len()).map_or(Value::Missing, Value::Int),
            _ => Value::Missing,
        },
        Expr::LocalDate(_) => match first {
            Value::Timestamp(micros) => {
                calendar::local_date(&environment.zone, *micros).map_or(Value::Missing, Value::Date)
            }
            _ => Value::Missing,
        },
        Expr::TimeOfDay(_) => match first {
            Value::Timestamp(micros) => {
                calendar::time_of_day(&environment.zone, *micros).map_or(Value::Missing, Value::Time)
            }
            _ => Value::Missing,
        },
        Expr::Hour(_) => match first {
            Value::Timestamp(micros) => {
                calendar::hour(&environment.zone, *micros).map_or(Value::Missing, Value::Int)
            }
            _ => Value::Missing,
        },
        Expr::DatePart(part, _) => match first {
            Value::Date(days) => calendar::part(*part, *days),
            _ => Value::Missing,
        },
        Expr::Shift { unit, .. } => match second {
            Value::Int(amount) => calendar::shift(first, *amount, *unit, &environment.zone),
            _ => Value::Missing,
        },
        Expr::Elapsed { unit, .. } => {
            calendar::elapsed(*unit, first, second).map_or(Value::Missing, Value::Int)
        }
        Expr::ElapsedBound { unit, at_least, .. } => calendar::elapsed_bound(*unit, *at_least, first),
        Expr::Lookup { lookup, column, .. } => environment
            .facts
            .lookups
            .get(*lookup)
            .and_then(|facts| facts.rows.get(first))
            .and_then(|row| row.get(*column))
            .cloned()
            .unwrap_or(Value::Missing),
        Expr::Score { lowest_is_best, .. } => score(operands, *lowest_is_best),
        Expr::Digits(_) => {
            let digits: Option<String> = operands
                .iter()
                .map(|value| match value {
                    Value::Int(value) => Some(value.to_string()),
                    _ => None,
                })
                .collect();
            digits.map_or(Value::Missing, |digits| Value::Text(digits.into()))
        }
        Expr::Texts(arms) => {
            let mut rest = operands;
            for arm in arms {
                let Some((condition, after)) = rest.split_first() else { break };
                let count = arm.values().count();
                if condition.is_true() {
                    let values = after.iter().take(count);
                    return Value::Text(wording::text(&arm.parts, values, environment).into());
                }
                rest = after.get(count..).unwrap_or(&[]);
            }
            Value::Missing
        }
        Expr::SplitHash { seed, .. } => split::place(seed, first),
    }
}

/// How many cuts, which follow the value, it is above; see [`Expr::Score`].
fn score(operands: &[Value], lowest_is_best: bool) -> Value {
    let Some((value, cuts)) = operands.split_first() else { return Value::Missing };
    if operands.iter().any(Value::is_missing) {
        return Value::Missing;
    }
    let above = cuts.iter().filter(|cut| compare::holds(CompareOp::Gt, value, cut)).count();
    let levels = cuts.len() + 1;
    let score = if lowest_is_best { levels - above } else { 1 + above };
    i64::try_from(score).map_or(Value::Missing, Value::Int)
}

/// The smallest or largest of several values; missing if one is.
fn extreme(operands: &[Value], better: CompareOp) -> Value {
    if operands.iter().any(Value::is_missing) {
        return Value::Missing;
    }
    let mut best = operands.first();
    for value in operands {
        if best.is_some_and(|best| compare::holds(better, value, best)) {
            best = Some(value);
        }
    }
    best.cloned().unwrap_or(Value::Missing)
}

/// A value as another type; see [`Expr::Convert`].
fn convert(value: &Value, ty: &Type, environment: &Environment<'_>) -> Value {
    match (value, ty) {
        (Value::Int(_) | Value::Decimal(_) | Value::Float(_), Type::Float) => {
            numbers::to_float(value).map_or(Value::Missing, numbers::float)
        }
        (Value::Int(_) | Value::Decimal(_), Type::Decimal { scale, .. }) => {
            numbers::to_decimal(value, *scale).map_or(Value::Missing, Value::Decimal)
        }
        (Value::Int(_), Type::Int) => value.clone(),
        (Value::Date(days), Type::Timestamp) => {
            calendar::first_moment(*days, &environment.zone).map_or(Value::Missing, Value::Timestamp)
        }
        _ => Value::Missing,
    }
}
