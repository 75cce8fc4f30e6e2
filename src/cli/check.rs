//! `strata check`: everything that can be told without data, and with `--data` whether the data fit.

use super::program::CheckOptions;
use super::{FAULTY_CALL, FAULTY_RULES, output};
use crate::check::{self, Checked};
use crate::data::read;
use crate::diagnostic::{Diagnostic, Severity, human, json};
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What `strata check` takes.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Rule files, or folders with rule files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Make warnings count as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// Hold the declared tables against their files too
    #[arg(long)]
    data: bool,
    #[command(flatten)]
    options: CheckOptions,
    /// Print findings only, no closing line
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

/// Runs the verb.
pub(super) fn check(args: &CheckArgs) -> u8 {
    let options = match args.options.options() {
        Ok(options) => options,
        Err(status) => return status,
    };
    let roots = match roots(&args.paths, &options) {
        Ok(roots) => roots,
        Err(problem) => {
            output::say(&format!("error: {problem}"));
            return FAULTY_CALL;
        }
    };
    let mut report = json::Report::new();
    let mut all: Vec<Diagnostic> = Vec::new();
    let mut unreadable = false;
    let mut surroundings = false;
    for root in &roots {
        let Checked { sources, program, mut diagnostics, unreadable: not_read } =
            check::check(root, &options);
        unreadable |= not_read;
        if args.deny == Some(Deny::Warnings) {
            for diagnostic in &mut diagnostics {
                if diagnostic.severity == Severity::Warning {
                    diagnostic.severity = Severity::Error;
                }
            }
        }
        if let (true, Some(program)) = (args.data, &program) {
            let found = data(program);
            surroundings |= found.iter().any(Diagnostic::is_error);
            diagnostics.extend(found);
        }
        match args.format {
            Format::Human => output::findings(&sources, &diagnostics),
            Format::Json => report.add(&sources, &diagnostics),
        }
        all.extend(diagnostics);
    }
    match args.format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&report).unwrap_or_default();
            output::result(&(text + "\n"));
        }
        Format::Human if !args.quiet => {
            let files = if roots.len() == 1 { "1 file".to_owned() } else { format!("{} files", roots.len()) };
            let found = human::count(&all);
            output::say(&if found.is_empty() {
                format!("{files} checked, no findings")
            } else {
                format!("{found} in {files}")
            });
        }
        Format::Human => {}
    }
    if unreadable {
        FAULTY_CALL
    } else if all.iter().any(|finding| finding.is_error() && !finding.code.id().starts_with("E06")) {
        FAULTY_RULES
    } else if surroundings {
        FAULTY_CALL
    } else {
        0
    }
}

/// Holds every declared table against its file.
fn data(program: &crate::program::Program) -> Vec<Diagnostic> {
    let options = read::ReadOptions::default();
    let mut found = Vec::new();
    for table in program.users.iter().chain(&program.lookups) {
        match read::path_of(table, None) {
            Ok(path) => found.extend(read::check_binding(table, program, &path, &options)),
            Err(finding) => found.push(finding),
        }
    }
    found
}

/// The files to check: a folder stands for every rule file under it that no other one there uses.
pub(super) fn roots(paths: &[PathBuf], options: &check::Options) -> Result<Vec<PathBuf>, String> {
    let mut roots = Vec::new();
    for path in paths {
        if !path.is_dir() {
            roots.push(path.clone());
            continue;
        }
        let mut files = Vec::new();
        rule_files(path, &mut files)
            .map_err(|error| format!("cannot read the folder `{}`: {error}", path.display()))?;
        if files.is_empty() {
            return Err(format!("there is no rule file (`*.seg`) under `{}`", path.display()));
        }
        let mut used = BTreeSet::new();
        for file in &files {
            let checked = check::check(file, options);
            used.extend(
                checked
                    .sources
                    .iter()
                    .skip(1)
                    .filter_map(|source| Path::new(&source.path).canonicalize().ok()),
            );
        }
        roots.extend(
            files.into_iter().filter(|file| file.canonicalize().map_or(true, |file| !used.contains(&file))),
        );
    }
    Ok(roots)
}

fn rule_files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        // A link to a folder could lead in a circle.
        if entry.is_dir() && !entry.is_symlink() {
            rule_files(&entry, found)?;
        } else if entry.extension().is_some_and(|extension| extension == "seg") {
            found.push(entry);
        }
    }
    Ok(())
}
