//! Findings that were turned off: `--allow CODE`, and `# strata: allow CODE reason` on the line
//! above.

use super::Options;
use crate::diagnostic::codes::names as codes;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;

/// Whether a finding of that kind may be turned off: logic findings only. What is simply wrong
/// (a misspelt name, a bad type) has to be mended.
pub fn may_be_allowed(code: Code) -> bool {
    code.id().starts_with("E04") || code.id().starts_with('W')
}

/// Takes out what was allowed; reports an `allow` that cannot be.
pub(super) fn apply(diagnostics: &mut Vec<Diagnostic>, allows: &[ast::Allow], options: &Options) {
    let mut faults = Vec::new();
    for allow in allows {
        match Code::find(&allow.code) {
            Some(code) if may_be_allowed(code) => {}
            Some(code) => faults.push(
                Diagnostic::new(
                    codes::BAD_ALLOW,
                    allow.span,
                    format!("`{code}` cannot be allowed: {}", code.title()),
                )
                .help("only logic findings (E04xx) and warnings (W…) can be turned off"),
            ),
            None => faults.push(
                Diagnostic::new(
                    codes::BAD_ALLOW,
                    allow.span,
                    format!("there is no diagnostic code `{}`", allow.code),
                )
                .help("codes look like `W1001`; the finding shows its own"),
            ),
        }
    }
    diagnostics.retain(|finding| {
        let everywhere = options.allow.iter().any(|code| code.eq_ignore_ascii_case(finding.code.id()));
        let here = allows.iter().any(|allow| {
            allow.code.eq_ignore_ascii_case(finding.code.id())
                && finding.span.is_some_and(|span| {
                    span.file == allow.covers.file
                        && allow.covers.start <= span.start
                        && span.start < allow.covers.end
                })
        });
        !(may_be_allowed(finding.code) && (everywhere || here))
    });
    diagnostics.extend(faults);
}
