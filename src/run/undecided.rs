//! What proofs could not tell, a run sees to: members that overlap, users left out, assertions that do
//! not hold.

use super::tally::Tally;
use crate::diagnostic::{Diagnostic, codes::logic};
use crate::program::{Assertion, NodeId, Program};

/// The assertions that a run has to see to, in order.
fn open(program: &Program) -> impl Iterator<Item = &Assertion> {
    program.undecided.assertions.iter().filter_map(|at| program.assertions.get(*at))
}

/// The conditions of assertions that a run has to see to.
pub fn conditions(program: &Program) -> Vec<NodeId> {
    open(program).map(|assertion| assertion.condition).collect()
}

/// What was left open and is not as it has to be, as findings.
pub fn failures(program: &Program, tally: &Tally) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for count in &tally.counts {
        let Some(declaration) = program.declarations.get(count.declaration) else { continue };
        let (name, place) = (&declaration.heading.name, declaration.heading.place);
        if program.undecided.overlaps.contains(&count.declaration) && count.claimed_by_many > 0 {
            let message = format!("more than one member of `{name}` takes {}", users(count.claimed_by_many));
            found.push(
                Diagnostic::new(logic::OVERLAP, place, message)
                    .help("make members narrower, or let earlier lines win with `first match`"),
            );
        }
        if program.undecided.gaps.contains(&count.declaration) && count.none > 0 {
            let message = format!("`{name}` leaves {} out", users(count.none));
            found.push(
                Diagnostic::new(logic::GAP, place, message)
                    .help("end it with `otherwise`, or write `partial` if they shall have no member"),
            );
        }
    }
    for (assertion, holding) in open(program).zip(&tally.assertions) {
        let against = if assertion.always { tally.rows - holding.min(&tally.rows) } else { *holding };
        if against > 0 {
            let message = format!("`{}` does not hold for {}", assertion.text, users(against));
            found.push(
                Diagnostic::new(logic::ASSERTION, assertion.place, message)
                    .help("mend the rules that let them be so, or the assertion"),
            );
        }
    }
    found
}

fn users(count: u64) -> String {
    if count == 1 { "1 user".to_owned() } else { format!("{count} users") }
}
