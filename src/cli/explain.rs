//! `strata explain`: the page of a diagnostic code.

use super::{FAULTY_CALL, output};
use crate::diagnostic::{Code, codes, nearest};
use clap::Args;
use std::fmt::Write as _;

/// What `strata explain` takes.
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// A code such as E0101; without one, all of them are listed
    code: Option<String>,
}

/// Runs the verb.
pub(super) fn explain(args: &ExplainArgs) -> u8 {
    let Some(asked) = &args.code else {
        let mut list = String::new();
        for code in codes::all() {
            let _ = writeln!(list, "{code}  {}", code.title());
        }
        output::result(&list);
        return 0;
    };
    match Code::find(asked.trim()) {
        Some(code) => {
            output::result(code.page());
            0
        }
        None => {
            let known: Vec<&str> = codes::all().map(|code| code.id()).collect();
            let help = match nearest(&asked.to_uppercase(), known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`strata explain` without a code lists them".to_owned(),
            };
            output::say(&format!("error: there is no diagnostic code `{asked}`; {help}"));
            FAULTY_CALL
        }
    }
}
