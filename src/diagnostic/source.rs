//! The texts of a program, so that a place in one of them can be shown.

use super::{FileId, LineColumn, LineIndex, Span};

/// One rule file's text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As the user named it; `/` between folders.
    pub path: String,
    /// Its whole text.
    pub text: String,
    lines: LineIndex,
}

impl SourceFile {
    /// Where a byte offset is, as a reader counts.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        self.lines.line_column(&self.text, offset)
    }

    /// Its line index.
    pub fn lines(&self) -> &LineIndex {
        &self.lines
    }
}

/// All rule files of a program; a [`FileId`] is an index.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// No file yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let lines = LineIndex::new(&text);
        self.files.push(SourceFile { path: path.into(), text, lines });
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The file of that number.
    pub fn get(&self, file: FileId) -> Option<&SourceFile> {
        self.files.get(file.0 as usize)
    }

    /// The text of a span; empty where the span does not fit.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file)
            .and_then(|file| file.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// All files in order.
    pub fn iter(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }
}
