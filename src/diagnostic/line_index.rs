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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "a",
            "segment",
            " ",
            "\t",
            "\n",
            "\r\n",
            "专业",
            "　",
            "é",
            "e\u{301}",
            "👩‍🔬",
            "🦀",
            "\u{feff}",
            "\"",
        ]);
        prop::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_offset_is_counted_as_a_reader_would(text in texts(), offset in 0..200_usize) {
            let index = LineIndex::new(&text);
            let found = index.line_column(&text, offset);
            let end = floor_boundary(&text, offset);
            let before = text.get(..end).unwrap();
            let line = before.rsplit('\n').next().unwrap();
            prop_assert_eq!(found.line, before.matches('\n').count() + 1);
            prop_assert_eq!(found.column, line.trim_start_matches('\u{feff}').chars().count() + 1);
            let (utf16_line, utf16_column) = index.utf16(&text, offset);
            prop_assert_eq!(utf16_line + 1, found.line);
            prop_assert_eq!(utf16_column, line.encode_utf16().count());
        }

        #[test]
        fn lines_have_no_line_breaks_and_are_all_there(text in texts()) {
            let index = LineIndex::new(&text);
            let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
            for (at, line) in lines.iter().enumerate() {
                prop_assert_eq!(text.get(index.line_range(&text, at + 1)), Some(*line));
            }
            prop_assert!(index.line_range(&text, lines.len() + 1).is_empty());
        }
    }
}
