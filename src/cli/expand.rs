//! `strata expand`: the program spelled out at a moment.

use super::output;
use super::program::{self, CheckOptions};
use crate::insight::Zoned;
use crate::program::print;
use crate::run::moment;
use clap::Args;
use std::path::PathBuf;

/// What `strata expand` takes.
#[derive(Args, Debug)]
pub(super) struct ExpandArgs {
    /// The rule file, or a built program (`.ir.json`)
    file: PathBuf,
    /// The moment to reckon from: a date or timestamp in the rules' time zone
    #[arg(long, value_name = "T")]
    now: Option<String>,
    #[command(flatten)]
    options: CheckOptions,
}

/// Runs the verb.
pub(super) fn expand(args: &ExpandArgs) -> u8 {
    let ready = match program::load(&args.file, &args.options) {
        Ok(ready) => ready,
        Err(status) => return status,
    };
    let now = match moment::settle(&ready.program, args.now.as_deref()) {
        Ok((now, _)) => now,
        Err(finding) => return program::surroundings(&ready.sources, &[finding]),
    };
    // Rule files know whole seconds.
    let now = now.div_euclid(1_000_000) * 1_000_000;
    let dated = ready.program.at(now);
    let zoned = Zoned { zone: ready.program.zone(), now };
    output::result(&print::program(&dated.program, &zoned));
    0
}
