//! Whether a run keeps the guards.

use super::tally::Tally;
use crate::diagnostic::{Diagnostic, codes::tests as codes};
use crate::program::{Decimal, Guard, GuardEnd, Measure, Program};
use serde::Serialize;
use std::cmp::Ordering;

/// The outcome of a guard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GuardOutcome {
    /// As written.
    pub text: String,
    /// Whether it is kept.
    pub holds: bool,
    /// The count, or the share from 0 to 1; null for a share of nobody.
    pub value: Option<f64>,
}

/// The outcomes of all guards.
pub fn outcomes(program: &Program, tally: &Tally) -> Vec<GuardOutcome> {
    program
        .guards
        .iter()
        .zip(&tally.guards)
        .map(|(guard, users)| outcome(guard, *users, tally.rows))
        .collect()
}

fn outcome(guard: &Guard, users: u64, rows: u64) -> GuardOutcome {
    let rows = match guard.measure {
        Measure::Count => 1,
        Measure::Share => rows,
    };
    let keeps = |end: &Option<GuardEnd>, wrong: Ordering| {
        end.is_none_or(|end| match compare(users, rows, end.value) {
            Ordering::Equal => end.inclusive,
            found => found != wrong,
        })
    };
    let holds = rows > 0 && keeps(&guard.low, Ordering::Less) && keeps(&guard.high, Ordering::Greater);
    #[expect(clippy::cast_precision_loss, reason = "for showing")]
    let value = (rows > 0).then(|| users as f64 / rows as f64);
    GuardOutcome { text: guard.text.clone(), holds, value }
}

/// Where `users / rows` stands to a number, exactly: `users · 10^scale` to `digits · rows`.
fn compare(users: u64, rows: u64, end: Decimal) -> Ordering {
    let scale = 10_i128.checked_pow(u32::from(end.scale)).unwrap_or(i128::MAX);
    let left = i128::from(users).checked_mul(scale);
    let right = end.unscaled.checked_mul(i128::from(rows));
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(&right),
        // A number of that many digits: its double is near enough.
        #[expect(clippy::cast_precision_loss, reason = "beyond what can be written sensibly")]
        _ => {
            let end = end.unscaled as f64 / scale as f64;
            (users as f64 / rows as f64).partial_cmp(&end).unwrap_or(Ordering::Equal)
        }
    }
}

/// The guards that are not kept, as findings.
pub fn failures(program: &Program, outcomes: &[GuardOutcome]) -> Vec<Diagnostic> {
    let failed = program.guards.iter().zip(outcomes).filter(|(_, outcome)| !outcome.holds);
    failed
        .map(|(guard, outcome)| {
            let found = match (guard.measure, outcome.value) {
                (_, None) => "there are no users to have a share of".to_owned(),
                (Measure::Count, Some(value)) => format!("it is {value}"),
                (Measure::Share, Some(value)) => format!("it is {}", percentage(value)),
            };
            Diagnostic::new(
                codes::GUARD_FAILED,
                guard.place,
                format!("the guard `{}` is not kept: {found}", guard.text),
            )
            .help("see whether the data or the rules are wrong; `--force` writes the output anyway")
        })
        .collect()
}

/// A share as a percentage of four digits.
pub fn percentage(share: f64) -> String {
    let percent = share * 100.0;
    let digits = if percent == 0.0 || percent >= 100.0 {
        0
    } else if percent >= 10.0 {
        2
    } else {
        3
    };
    format!("{percent:.digits$}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::program::NodeId;

    fn holds(
        measure: Measure,
        low: Option<(i128, u8)>,
        high: Option<(i128, u8)>,
        users: u64,
        rows: u64,
    ) -> bool {
        let end =
            |(unscaled, scale): (i128, u8)| GuardEnd { value: Decimal { unscaled, scale }, inclusive: true };
        let place = Span { file: crate::diagnostic::FileId(0), start: 0, end: 0 };
        let guard = Guard {
            text: String::new(),
            measure,
            condition: NodeId(0),
            low: low.map(end),
            high: high.map(end),
            place,
        };
        outcome(&guard, users, rows).holds
    }

    #[test]
    fn shares_are_exact_and_of_nobody_fail() {
        assert!(holds(Measure::Share, Some((1, 1)), Some((2, 1)), 1, 10));
        assert!(holds(Measure::Share, Some((1, 1)), Some((2, 1)), 2, 10));
        assert!(!holds(Measure::Share, Some((1, 1)), Some((2, 1)), 201, 1000));
        assert!(!holds(Measure::Share, None, Some((1, 0)), 0, 0));
        assert!(!holds(Measure::Share, Some((0, 0)), None, 0, 0));
        assert!(holds(Measure::Count, Some((5, 0)), None, 5, 0));
        assert!(!holds(Measure::Count, Some((5, 0)), None, 4, 100));
    }
}
