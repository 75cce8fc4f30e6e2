//! The command line: one file a verb, each only parse, call, print.

pub mod run;

use crate::check::{self, Options};
use crate::diagnostic::{Diagnostic, Sources};
use crate::run::RunError;
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "User segmentation as checked, tested, compiled rules")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Evaluate the rules over the users and write who is where
    Run(Box<run::RunArgs>),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Run(args) => run_verb(&args),
    }
}

fn run_verb(args: &run::RunArgs) -> ExitCode {
    let checked = check::check(&args.file, &Options::default());
    show(&checked.diagnostics, &checked.sources);
    let Some(program) = checked.program else {
        return ExitCode::from(if checked.unreadable { 2 } else { 1 });
    };
    match args.run(&program) {
        Ok(text) => {
            // Whoever closes the pipe early has seen enough.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(RunError::Found(found)) => {
            show(&found, &checked.sources);
            ExitCode::from(2)
        }
        Err(RunError::Stopped(signal)) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(1)),
    }
}

fn show(found: &[Diagnostic], sources: &Sources) {
    let mut err = io::stderr().lock();
    for found in found {
        let file = found.span.and_then(|span| sources.get(span.file));
        let place = file.map(|file| format!("{}: ", file.path)).unwrap_or_default();
        let _ = writeln!(err, "{place}{} {}", found.code, found.message);
        if let Some(help) = &found.help {
            let _ = writeln!(err, "  help: {help}");
        }
    }
}
