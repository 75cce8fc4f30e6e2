//! `strata build`: the checked program as a file of its own.

use super::program::{self, CheckOptions, Ready};
use super::{FAULTY_CALL, output};
use crate::data::{built, facts, read};
use clap::Args;
use std::path::PathBuf;

/// What `strata build` takes.
#[derive(Args, Debug)]
pub(super) struct BuildArgs {
    /// The rule file
    file: PathBuf,
    /// Where to write the program (ends in `.json`)
    #[arg(short, long, value_name = "OUT")]
    out: PathBuf,
    #[command(flatten)]
    options: CheckOptions,
    /// Say nothing when all is well
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the verb.
pub(super) fn build(args: &BuildArgs) -> u8 {
    if !program::is_built(&args.out) {
        output::say(&format!(
            "error: `{}` does not end in `.json`, and `run` could not tell that it is a built program",
            args.out.display()
        ));
        return FAULTY_CALL;
    }
    let Ready { program, sources, .. } = match program::load(&args.file, &args.options) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let loaded = match facts::load(&program, &indexmap::IndexMap::new(), &read::ReadOptions::default()) {
        Ok(loaded) => loaded,
        Err(findings) => return program::surroundings(&sources, &findings),
    };
    match built::save(&args.out, &program, &loaded.facts, &sources) {
        Ok(hash) => {
            if !args.quiet {
                output::say(&format!("{} written, {hash}", args.out.display()));
            }
            0
        }
        Err(finding) => program::surroundings(&sources, &[finding]),
    }
}
