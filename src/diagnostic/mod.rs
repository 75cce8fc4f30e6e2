//! Findings as plain data: a code, places in the text, a mend. Renderers (terminal, JSON, …) live
//! in files of their own beside this one and are the only code that knows how a finding looks.

pub mod codes;
pub mod human;
pub mod json;
mod line_index;
mod nearest;
mod source;

pub use codes::Code;
pub use line_index::{LineColumn, LineIndex, floor_boundary};
pub use nearest::nearest;
pub use source::{SourceFile, Sources};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Number of a file in [`Sources`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub struct FileId(pub u32);

/// A stretch of one file: byte offsets, `start` in, `end` out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub struct Span {
    /// The file it lies in.
    pub file: FileId,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset just past its last byte.
    pub end: u32,
}

impl Span {
    /// A span over `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span { file, start: clamp(start), end: clamp(end) }
    }

    /// The smallest span that covers both; `self`'s file wins.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty span at the end of this one.
    pub fn end_point(self) -> Span {
        Span { file: self.file, start: self.end, end: self.end }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The program is not run, tested or translated.
    Error,
    /// Probably not what was meant.
    Warning,
    /// Good to know.
    Note,
}

/// A further place that a finding points at, with what to say there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there.
    pub message: String,
}

/// A change of text that mends the fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// The text to replace (empty: an insertion).
    pub span: Span,
    /// What to write there.
    pub replacement: String,
}

/// An example user: by table, by column, its value (`null` for missing).
pub type Witness = IndexMap<String, IndexMap<String, serde_json::Value>>;

/// One finding.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// What kind of finding it is.
    pub code: Code,
    /// The code's severity, unless it was raised or lowered.
    pub severity: Severity,
    /// What is wrong: in the reader's terms, lower case, no full stop, the reader's words in backquotes.
    pub message: String,
    /// The least text at fault. A finding about data or the surroundings has none.
    pub span: Option<Span>,
    /// What to write under `span`, where that helps.
    pub here: Option<String>,
    /// Further places.
    pub labels: Vec<Label>,
    /// How to mend it, in words.
    pub help: Option<String>,
    /// The one right mend as text, where there is one.
    pub fix: Option<Fix>,
    /// An example user that shows the fault.
    pub witness: Option<Witness>,
}

impl Diagnostic {
    /// A finding at a place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { span: Some(span), ..Self::placeless(code, message) }
    }

    /// A finding that no text is to blame for.
    pub fn placeless(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            span: None,
            here: None,
            labels: Vec::new(),
            help: None,
            fix: None,
            witness: None,
        }
    }

    /// Says something right under the place itself.
    #[must_use]
    pub fn here(mut self, message: impl Into<String>) -> Self {
        self.here = Some(message.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Gives the mend as text.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// Whether it keeps the program from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts findings by place and drops exact repeats.
pub fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by(|a, b| (a.span, a.code.id()).cmp(&(b.span, b.code.id())));
    diagnostics.dedup();
    diagnostics
}
