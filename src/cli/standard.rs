//! `strata std`: the embedded rule files.

use super::{FAULTY_CALL, output};
use crate::check::standard_files;
use crate::diagnostic::nearest;
use clap::Args;
use std::fmt::Write as _;

/// What `strata std` takes.
#[derive(Args, Debug)]
pub(super) struct StandardArgs {
    /// A file such as rfm_segments.seg; without one, all of them are listed
    file: Option<String>,
}

/// Runs the verb.
pub(super) fn standard(args: &StandardArgs) -> u8 {
    let Some(asked) = &args.file else {
        let mut list = String::new();
        for file in standard_files() {
            let _ = writeln!(list, "{:<18} {}", file.name, file.title());
        }
        output::result(&list);
        return 0;
    };
    let wanted = asked.trim_start_matches("std:");
    match standard_files()
        .iter()
        .find(|file| file.name == wanted || file.name.trim_end_matches(".seg") == wanted)
    {
        Some(file) => {
            output::result(file.text);
            0
        }
        None => {
            let help = match nearest(wanted, standard_files().iter().map(|file| file.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`strata std` without a name lists them".to_owned(),
            };
            output::say(&format!("error: there is no standard file `{wanted}`; {help}"));
            FAULTY_CALL
        }
    }
}
