//! Findings for programs: the form of `check --format json`.

use super::{Diagnostic, Severity, Sources, Span};
use serde::Serialize;

/// The version of this form; it changes only with its meaning.
pub const VERSION: u32 = 1;

/// All findings of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Always [`VERSION`].
    pub version: u32,
    /// The files that were checked.
    pub files: Vec<String>,
    /// How many errors.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
    /// The findings, sorted by place.
    pub diagnostics: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    code: &'static str,
    severity: Severity,
    message: String,
    file: Option<String>,
    start: Option<Place>,
    end: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Fix>,
    labels: Vec<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<super::Witness>,
}

#[derive(Clone, Debug, Serialize)]
struct Place {
    line: usize,
    column: usize,
    offset: u32,
}

#[derive(Clone, Debug, Serialize)]
struct Label {
    message: String,
    file: Option<String>,
    start: Option<Place>,
    end: Option<Place>,
}

#[derive(Clone, Debug, Serialize)]
struct Fix {
    file: Option<String>,
    start: Option<Place>,
    end: Option<Place>,
    replacement: String,
}

impl Report {
    /// No finding yet.
    pub fn new() -> Self {
        Report { version: VERSION, files: Vec::new(), errors: 0, warnings: 0, diagnostics: Vec::new() }
    }

    /// Adds the findings of one program and its files.
    pub fn add(&mut self, sources: &Sources, diagnostics: &[Diagnostic]) {
        for file in sources.iter() {
            if !self.files.contains(&file.path) {
                self.files.push(file.path.clone());
            }
        }
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Note => {}
            }
            self.diagnostics.push(finding(sources, diagnostic));
        }
    }
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

fn finding(sources: &Sources, diagnostic: &Diagnostic) -> Finding {
    let (file, start, end) = places(sources, diagnostic.span);
    Finding {
        code: diagnostic.code.id(),
        severity: diagnostic.severity,
        message: diagnostic.message.clone(),
        file,
        start,
        end,
        help: diagnostic.help.clone(),
        fix: diagnostic.fix.as_ref().map(|fix| {
            let (file, start, end) = places(sources, Some(fix.span));
            Fix { file, start, end, replacement: fix.replacement.clone() }
        }),
        labels: diagnostic
            .labels
            .iter()
            .map(|label| {
                let (file, start, end) = places(sources, Some(label.span));
                Label { message: label.message.clone(), file, start, end }
            })
            .collect(),
        witness: diagnostic.witness.clone(),
    }
}

fn places(sources: &Sources, span: Option<Span>) -> (Option<String>, Option<Place>, Option<Place>) {
    let Some((span, file)) = span.and_then(|span| Some((span, sources.get(span.file)?))) else {
        return (None, None, None);
    };
    let place = |offset: u32| {
        let at = file.line_column(offset as usize);
        Some(Place { line: at.line, column: at.column, offset })
    };
    (Some(file.path.clone()), place(span.start), place(span.end))
}
