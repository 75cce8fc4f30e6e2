//! From byte offsets to what people and editors count: lines, characters, UTF-16 units.

/// A place as a reader counts it: both from 1, the column in Unicode scalar values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in Unicode scalar values, from 1.
    pub column: usize,
}

/// Where the lines of one text begin.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Indexes a text. `\n` and `\r\n` end a line.
    pub fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        LineIndex { starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line and column of a byte offset in `text`, the text that was indexed. An offset past
    /// the end or inside a character is moved back to the nearest boundary. A leading byte-order
    /// mark has no width.
    pub fn line_column(&self, text: &str, offset: usize) -> LineColumn {
        let offset = floor_boundary(text, offset);
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = text.get(start..offset).unwrap_or("");
        LineColumn { line, column: before.trim_start_matches('\u{feff}').chars().count() + 1 }
    }

    /// Zero-based line and UTF-16 column, as editors count.
    pub fn utf16(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = floor_boundary(text, offset);
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        (line - 1, text.get(start..offset).unwrap_or("").encode_utf16().count())
    }

    /// Byte range of a line (from 1) without its line break; empty past the end.
    pub fn line_range(&self, text: &str, line: usize) -> std::ops::Range<usize> {
        let Some(start) = line.checked_sub(1).and_then(|at| self.starts.get(at)).copied() else {
            return text.len()..text.len();
        };
        let end = self.starts.get(line).map_or(text.len(), |next| next - 1);
        let end = if text.get(start..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end };
        start..end.max(start)
    }
}

/// The nearest character boundary at or before `offset`.
pub fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
