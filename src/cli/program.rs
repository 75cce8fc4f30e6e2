//! Getting at a program: a rule file, checked first, or a built one.

use super::{FAULTY_CALL, FAULTY_RULES, output, run::RunArgs};
use crate::check::{self, Options};
use crate::data::built;
use crate::diagnostic::{Diagnostic, Sources};
use crate::program::Program;
use crate::run::{RunError, guards};
use crate::semantics::Facts;
use clap::Args;
use std::path::{Path, PathBuf};

/// What every verb that checks rules takes.
#[derive(Args, Debug, Default, Clone)]
pub(super) struct CheckOptions {
    /// Turn a logic finding (E04xx, W…) off
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub allow: Vec<String>,
    /// A folder outside the root file's whose files may be used
    #[arg(long, value_name = "DIR")]
    pub allow_path: Vec<PathBuf>,
}

impl CheckOptions {
    /// The checker's options; says which codes cannot be allowed.
    pub fn options(&self) -> Result<Options, u8> {
        for code in &self.allow {
            let problem = match crate::diagnostic::Code::find(code) {
                Some(known) if check::allow::may_be_allowed(known) => continue,
                Some(known) => format!(
                    "`--allow {code}`: only logic findings (E04xx) and warnings (W…) can be turned off, and {known} \
                     is {}",
                    known.title()
                ),
                None => format!("`--allow {code}`: there is no such code; `strata explain` lists them"),
            };
            output::say(&format!("error: {problem}"));
            return Err(FAULTY_CALL);
        }
        Ok(Options { allow_paths: self.allow_path.clone(), allow: self.allow.clone(), ..Options::default() })
    }
}

/// How long a verb that does more than check spends on proofs.
const PROOF_TIME: std::time::Duration = std::time::Duration::from_secs(1);

/// A program ready to be run.
pub(super) struct Ready {
    pub program: Program,
    pub sources: Sources,
    /// A built program brings its lookups and calendar along.
    pub facts: Option<Facts>,
}

/// Whether a path names a built program.
pub(super) fn is_built(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// The program of a rule file or a built file; shows the findings and gives the exit status where
/// there is none.
pub(super) fn load(path: &Path, options: &CheckOptions) -> Result<Ready, u8> {
    if is_built(path) {
        return match built::load(path) {
            Ok(built) => {
                Ok(Ready { program: built.program, sources: built.sources, facts: Some(built.facts) })
            }
            Err(finding) => {
                output::findings(&Sources::new(), &[finding]);
                Err(FAULTY_CALL)
            }
        };
    }
    let options = Options { proofs: check::Proofs::Within(PROOF_TIME), ..options.options()? };
    let checked = check::check(path, &options);
    output::findings(&checked.sources, &checked.diagnostics);
    match checked.program {
        Some(program) => Ok(Ready { program, sources: checked.sources, facts: None }),
        None if checked.unreadable => Err(FAULTY_CALL),
        None => {
            output::say(&format!(
                "{} in {}; nothing was run",
                crate::diagnostic::human::count(&checked.diagnostics),
                path.display()
            ));
            Err(FAULTY_RULES)
        }
    }
}

/// Shows findings about data or the surroundings.
pub(super) fn surroundings(sources: &Sources, findings: &[Diagnostic]) -> u8 {
    output::findings(sources, findings);
    FAULTY_CALL
}

/// `strata run`.
pub(super) fn run(args: &RunArgs) -> u8 {
    let ready = match load(&args.file, &args.check) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    if args.explain_plan {
        return match args.explain(&ready.program) {
            Ok(text) => {
                output::result(&text);
                0
            }
            Err(error) => halted(&ready.sources, &error),
        };
    }
    match args.run(&ready.program, ready.facts) {
        Ok((text, summary)) => {
            output::result(&text);
            let told = |found: &&Diagnostic| {
                !args.check.allow.iter().any(|code| code.eq_ignore_ascii_case(found.code.id()))
            };
            let warnings: Vec<Diagnostic> = summary.warnings.iter().filter(told).cloned().collect();
            output::findings(&ready.sources, &warnings);
            let mut failures = guards::failures(&ready.program, &summary.guards);
            let only_guards = summary.failures.is_empty();
            failures.extend(summary.failures.iter().cloned());
            if failures.is_empty() {
                return 0;
            }
            output::findings(&ready.sources, &failures);
            let (many, are) = match (failures.len(), only_guards) {
                (1, true) => ("a guard", "is"),
                (_, true) => ("guards", "are"),
                (1, false) => ("a condition of the rules", "is"),
                (_, false) => ("conditions of the rules", "are"),
            };
            match (args.force, &args.out) {
                (true, Some(out)) => {
                    output::say(&format!(
                        "{many} {are} not kept; `{}` was written all the same (--force)",
                        out.display()
                    ));
                    0
                }
                (true, None) => {
                    output::say(&format!("{many} {are} not kept; that was to be passed over (--force)"));
                    0
                }
                (false, Some(out)) => {
                    output::say(&format!("{many} {are} not kept; `{}` was not written", out.display()));
                    FAULTY_RULES
                }
                (false, None) => FAULTY_RULES,
            }
        }
        Err(error) => halted(&ready.sources, &error),
    }
}

/// Shows why a run gave nothing.
fn halted(sources: &Sources, error: &RunError) -> u8 {
    match error {
        RunError::Found(findings) => surroundings(sources, findings),
        RunError::Stopped(signal) => u8::try_from(128 + signal).unwrap_or(FAULTY_CALL),
    }
}
