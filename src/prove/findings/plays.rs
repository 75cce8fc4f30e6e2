//! Lines of plays that are never said (E0401, E0404).

use super::super::Possibility;
use super::Look;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::logic;
use crate::program::{DeclarationKind, NodeId, Play, PlayLine};

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
                self.report(shadowed_line(play, line, &found.by));
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

/// A line whose users are spoken to by others before it.
fn shadowed_line(play: &Play, line: &PlayLine, by: &[usize]) -> Diagnostic {
    let (what, which) = match by {
        [_] => ("an earlier one speaks to all of its users", "this one"),
        _ => ("earlier ones speak to all of its users", "this one speaks to some of them"),
    };
    let mut finding =
        Diagnostic::new(logic::SHADOWED, line.place, format!("this line is never said: {what}"));
    for earlier in by.iter().filter_map(|at| play.lines.get(*at)) {
        finding = finding.label(earlier.place, which);
    }
    let help = match by {
        [only] if play.lines.get(*only).is_some_and(|earlier| earlier.when.is_none()) => {
            "move it up, give the earlier line a `when`, or delete one of them"
        }
        _ => "move it up, make the earlier lines narrower, or leave it out",
    };
    finding.help(help)
}
