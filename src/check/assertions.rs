//! `assert always C`, `assert never C`.

use super::Checker;
use crate::diagnostic::{Sources, Span};
use crate::program::Assertion;
use crate::syntax::ast::{Declaration, DeclarationKind};

impl Checker {
    /// The assertions, in the order of the text.
    pub(super) fn assertions(&mut self, declarations: &[Declaration], sources: &Sources) -> Vec<Assertion> {
        let mut assertions = Vec::new();
        for declaration in declarations {
            let DeclarationKind::Assert(assertion) = &declaration.kind else { continue };
            self.mixed_and_or(&assertion.condition, sources);
            let Some(condition) = self.condition(&assertion.condition) else {
                self.poisoned = true;
                continue;
            };
            let whole = declaration.word.to(assertion.condition.span);
            let text = sources.text(whole).split_whitespace().collect::<Vec<_>>().join(" ");
            let place: Span = assertion.condition.span;
            assertions.push(Assertion { condition, always: assertion.always, text, place });
        }
        assertions
    }
}
