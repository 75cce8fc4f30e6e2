//! Assertions (E0405).

use super::super::Verdict;
use super::{Look, because, whose};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::logic;
use crate::program::{NodeId, Program};

impl Look<'_> {
    /// Proves every assertion, or shows a user for whom it does not hold.
    pub(super) fn assertions(&mut self, program: &Program) {
        for (at, assertion) in program.assertions.iter().enumerate() {
            let number = |id: NodeId| self.numbers.get(id.0 as usize).copied().unwrap_or(id);
            let id = number(assertion.condition);
            let verdict = if assertion.always { self.prover.always(id) } else { self.prover.never(id) };
            match verdict {
                Verdict::Proved => self.found.proved_assertions.push(at),
                Verdict::Refuted(example) => {
                    let message = if assertion.always {
                        format!("this does not hold for every user{}", whose(&example.region))
                    } else {
                        format!("there may be such users{}", whose(&example.region))
                    };
                    let finding = Diagnostic::new(logic::ASSERTION, assertion.place, message)
                        .help("mend the rules that let them be so, or the assertion");
                    let finding = self.with_example(finding, &example);
                    self.report(finding);
                }
                Verdict::Undecided(reason) => {
                    self.found.open_assertions.push(at);
                    self.report(
                        Diagnostic::new(
                            logic::UNDECIDED,
                            assertion.place,
                            format!(
                                "it could not be decided whether this assertion holds: {}",
                                because(reason)
                            ),
                        )
                        .help("each run tests it on every user and fails if it does not hold"),
                    );
                }
            }
        }
    }
}
