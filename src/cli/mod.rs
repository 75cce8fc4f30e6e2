//! The command line: one file a verb, each only parse, call, print.
//!
//! Exit status: 0 all is well, 1 the rules are at fault, 2 the command or its surroundings are.

mod analyze;
mod build;
mod changes;
mod check;
mod diff;
mod expand;
mod explain;
mod funnel;
mod output;
mod program;
pub mod run;
mod standard;
mod test;
mod why;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The rules are at fault.
const FAULTY_RULES: u8 = 1;
/// The command or its surroundings are at fault.
const FAULTY_CALL: u8 = 2;

/// User segmentation as checked, tested, compiled rules
#[derive(Parser, Debug)]
#[command(name = "strata", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Check rule files: names, types, members, everything that can be told without data
    Check(check::CheckArgs),
    /// Evaluate the rules over the users and say or write who is where
    Run(run::RunArgs),
    /// Run the tests that stand in rule files
    Test(test::TestArgs),
    /// Say why one user is in or out, and the least change that would turn it
    Why(why::WhyArgs),
    /// Say how many users pass each condition of one rule, and how many more would without it
    Funnel(funnel::FunnelArgs),
    /// Say who entered, left and moved between two outputs of a run
    Changes(changes::ChangesArgs),
    /// Show which segments lie within, overlap or exclude each other, and what each rule reads
    Analyze(analyze::AnalyzeArgs),
    /// Show what two versions of the rules make of the same users: proved, with examples
    Diff(diff::DiffArgs),
    /// Say what a diagnostic code means, with a wrong and a right example
    Explain(explain::ExplainArgs),
    /// Print the rules with every shorthand spelled out and every relative date at its value
    Expand(expand::ExpandArgs),
    /// Write the checked program as JSON, for `run`, `why` and `expand` to take in place of the text
    Build(build::BuildArgs),
    /// List the standard rule files that `use "std:…"` takes in, or print one
    Std(standard::StandardArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() { FAULTY_CALL } else { 0 };
            // A reader that has gone away needs no message.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let status = match cli.verb {
        Verb::Check(args) => check::check(&args),
        Verb::Run(args) => program::run(&args),
        Verb::Test(args) => test::test(&args),
        Verb::Why(args) => why::why(&args),
        Verb::Funnel(args) => funnel::funnel(&args),
        Verb::Changes(args) => changes::changes(&args),
        Verb::Analyze(args) => analyze::analyze(&args),
        Verb::Diff(args) => diff::diff(&args),
        Verb::Explain(args) => explain::explain(&args),
        Verb::Expand(args) => expand::expand(&args),
        Verb::Build(args) => build::build(&args),
        Verb::Std(args) => standard::standard(&args),
    };
    ExitCode::from(status)
}
