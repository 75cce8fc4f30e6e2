//! Lines of plays that are never said (E0401, E0404).

use super::super::Possibility;
use super::Look;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::logic;
use crate::program::{DeclarationKind, NodeId};

impl Look<'_> {
    /// Looks at every play. That a pattern alone takes nobody is no fault of its line.
    pub(super) fn plays(&mut self) {
        let program = self.program();
        for declaration in &program.declarations {
            let DeclarationKind::Play(play) = &declaration.kind else { continue };
            let conditions: Vec<Option<NodeId>> =
                play.lines.iter().map(|line| Some(line.condition)).collect();
            let (shadowed, _) = self.prover.shadowed(&conditions, None);
            for found in shadowed {
                let Some(line) = play.lines.get(found.line) else { continue };
                let mut finding = Diagnostic::new(
                    logic::SHADOWED,
                    line.place,
                    "this line is never said: earlier ones speak to all of its users",
                );
                for earlier in found.by.iter().filter_map(|at| play.lines.get(*at)) {
                    finding = finding.label(earlier.place, "this one speaks to some of them");
                }
                self.report(finding.help("move it up, make the earlier lines narrower, or leave it out"));
            }
            for line in &play.lines {
                let own = line.when.filter(|when| {
                    matches!(self.prover.possible(line.condition), Possibility::Nobody)
                        && !matches!(self.prover.possible(*when), Possibility::Nobody)
                });
                if own.is_some() {
                    self.report(
                        Diagnostic::new(
                            logic::NEVER,
                            line.place,
                            "this line is never said: nobody it is for keeps its condition",
                        )
                        .help("mend the condition, or say it to others"),
                    );
                }
            }
        }
    }
}
