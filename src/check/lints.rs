//! What is allowed but probably not meant.

use super::{Checker, walk};
use crate::diagnostic::codes::logic;
use crate::diagnostic::{Diagnostic, Sources};
use crate::syntax::ast::{Expr, ExprKind};

impl Checker {
    /// W1001: `a or b and c` without parentheses.
    pub(super) fn mixed_and_or(&mut self, e: &Expr, sources: &Sources) {
        let mut found = Vec::new();
        walk::each(e, &mut |e| {
            if let ExprKind::Or(parts) = &e.kind {
                found.extend(
                    parts
                        .iter()
                        .filter(|part| matches!(part.kind, ExprKind::And(_)))
                        .map(|part| (e.span, part.span)),
                );
            }
        });
        found.sort();
        let mut last = None;
        for (whole, part) in found {
            // One finding a place is enough; its mend shows the first pair of parentheses.
            if last == Some(whole) {
                continue;
            }
            last = Some(whole);
            let text = sources.text(part);
            self.report(
                Diagnostic::new(
                    logic::MIXED_AND_OR,
                    part,
                    "`and` binds tighter than `or`; without parentheses that is easily misread",
                )
                .help(format!("write `({text})` if this is meant"))
                .fix(part, format!("({text})")),
            );
        }
    }
}
