//! The text made ready for the grammar: comments become blanks, full-width punctuation becomes
//! ASCII, look-alike characters what they look like, every string is closed and every literal that
//! cannot be read becomes one mark. Each repair that is a mistake is reported here, once; the
//! grammar then reads on as if it had been written well. A map leads back to the original offsets.

use super::ast::{Allow, Comment};
use super::{letters, literals, quotes, texts};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, FileId, Span, floor_boundary};

/// What stands in the prepared text for something unreadable that was reported.
pub(super) const UNREADABLE: &str = "\u{1}";

/// What the prepared text has before a line that can only begin a declaration.
pub(super) const DECLARATION: &str = "\u{2}";

/// How deep brackets may nest.
pub const MAX_DEPTH: usize = 200;

/// A text ready for the grammar.
pub(super) struct Prepared<'t> {
    text: &'t str,
    /// What the grammar reads.
    pub clean: String,
    /// Ascending pairs (offset in `clean`, offset in the original) wherever the two part.
    map: Vec<(usize, usize)>,
    /// All comments in order.
    pub comments: Vec<Comment>,
    /// `strata: allow` comments.
    pub allows: Vec<Allow>,
    /// Where code stands, by line: start and end in the original.
    code_lines: Vec<(usize, usize)>,
    /// What was repaired.
    pub diagnostics: Vec<Diagnostic>,
    /// The deepest nesting of brackets that is left.
    pub depth: usize,
}

impl Prepared<'_> {
    /// Whether no code stands between two original offsets.
    pub fn only_blanks(&self, from: u32, to: u32) -> bool {
        let (from, to) = (from as usize, to as usize);
        let next = self.code_lines.partition_point(|line| line.1 <= from);
        self.code_lines.get(next).is_none_or(|line| line.0 >= to)
    }

    /// The original offset of an offset in the clean text.
    pub fn original(&self, clean: usize) -> usize {
        let after = self.map.partition_point(|entry| entry.0 <= clean);
        let Some((from, to)) = after.checked_sub(1).and_then(|at| self.map.get(at)).copied() else {
            return clean;
        };
        let offset = to + (clean - from);
        let offset = self.map.get(after).map_or(offset, |next| offset.min(next.1));
        floor_boundary(self.text, offset)
    }
}

/// Walks over the original text and writes the clean one.
pub(super) struct Scanner<'t> {
    pub file: FileId,
    pub text: &'t str,
    /// Where the walk stands, in the original.
    pub at: usize,
    clean: String,
    map: Vec<(usize, usize)>,
    /// The original offset that the end of `clean` stands for, if nothing was changed since.
    expected: usize,
    comments: Vec<Comment>,
    /// Original offsets of the starts of lines with code, in order, with the code's end.
    code_lines: Vec<(usize, usize)>,
    line_start: usize,
    line_has_code: bool,
    pub diagnostics: Vec<Diagnostic>,
    depth: usize,
    deepest: usize,
    /// Inside the braces of a text, where no comment begins.
    pub in_text: bool,
}

/// Prepares a text.
pub(super) fn prepare(file: FileId, text: &str) -> Prepared<'_> {
    let mut scanner = Scanner {
        file,
        text,
        at: 0,
        clean: String::with_capacity(text.len()),
        map: vec![(0, 0)],
        expected: 0,
        comments: Vec::new(),
        code_lines: Vec::new(),
        line_start: 0,
        line_has_code: false,
        diagnostics: Vec::new(),
        depth: 0,
        deepest: 0,
        in_text: false,
    };
    scanner.run();
    scanner.map.push((scanner.clean.len(), text.len()));
    let allows = scanner.allows();
    Prepared {
        text,
        clean: scanner.clean,
        map: scanner.map,
        comments: scanner.comments,
        allows,
        code_lines: scanner.code_lines,
        diagnostics: scanner.diagnostics,
        depth: scanner.deepest,
    }
}

impl<'t> Scanner<'t> {
    fn run(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        while let Some(next) = self.rest().chars().next() {
            self.token(next);
        }
    }

    /// Walks over the next token or blank.
    pub fn token(&mut self, next: char) {
        match next {
            '\n' => {
                self.keep(1);
                self.line_start = self.at;
                self.line_has_code = false;
                return;
            }
            ' ' | '\t' | '\r' => return self.keep(1),
            '\u{3000}' | '\u{c}' => return self.put(" ", next.len_utf8()),
            '#' | '＃' if !self.in_text => return self.comment(),
            _ => {}
        }
        if !self.in_text && self.foreign_comment() {
            return;
        }
        let start = self.at;
        // A declaration stands outside all brackets, whatever was left open before it, and no
        // expression goes on into it.
        if !self.line_has_code && super::recover::breaks_block(self.rest()) {
            self.depth = 0;
            self.put(DECLARATION, 0);
        }
        if literals::begins_number(self.text, self.at) {
            literals::number(self);
        } else if letters::begins_word(next) {
            letters::word(self);
        } else if quotes::begins_quote(next) {
            if !(self.after_arrow() && texts::text(self)) {
                quotes::quoted(self);
            }
        } else {
            self.sign(next);
        }
        self.mark_code(start);
    }

    /// Whether what was written last is the arrow before a member or text.
    fn after_arrow(&self) -> bool {
        let before = self.clean.trim_end();
        !self.in_text && (before.ends_with("->") || before.ends_with("=>"))
    }

    /// The text not walked over yet.
    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The rest of the line.
    pub fn rest_of_line(&self) -> &'t str {
        let rest = self.rest();
        let end = rest.find('\n').unwrap_or(rest.len());
        rest.get(..end).unwrap_or("").trim_end_matches('\r')
    }

    /// A span of the original text.
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// Copies `length` bytes.
    pub fn keep(&mut self, length: usize) {
        let text = self.text.get(self.at..self.at + length).unwrap_or("");
        self.put(text, length);
    }

    /// Writes `clean` for the next `length` bytes.
    pub fn put(&mut self, clean: &str, length: usize) {
        if clean.len() != length || self.expected != self.at {
            self.map.push((self.clean.len(), self.at));
        }
        self.clean.push_str(clean);
        self.expected = self.at + clean.len();
        self.at += length;
    }

    fn mark_code(&mut self, start: usize) {
        if self.line_has_code {
            if let Some(line) = self.code_lines.last_mut() {
                line.1 = self.at;
            }
        } else {
            self.line_has_code = true;
            self.code_lines.push((start, self.at));
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        let text = self.rest_of_line();
        let before = self.text.get(self.line_start..start).unwrap_or("");
        self.comments.push(Comment {
            text: text.replace('＃', "#"),
            span: self.span(start, start + text.len()),
            own_line: before.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty(),
        });
        self.put(" ", text.len());
    }

    /// A comment as other languages write it, answered and passed over.
    fn foreign_comment(&mut self) -> bool {
        let rest = self.rest();
        let (mark, length) = if rest.starts_with("//") {
            ("//", self.rest_of_line().len())
        } else if rest.starts_with("/*") {
            ("/*", rest.find("*/").map_or(self.rest_of_line().len(), |end| end + 2))
        } else if rest.starts_with("--") && !self.line_has_code {
            ("--", self.rest_of_line().len())
        } else {
            return false;
        };
        let span = self.span(self.at, self.at + mark.len());
        let finding =
            Diagnostic::new(codes::HABIT, span, format!("a comment begins with `#`, not with `{mark}`"));
        self.diagnostics.push(if mark == "/*" {
            finding.help("write `#` before each line of it")
        } else {
            finding.help("write `#`").fix(span, "#")
        });
        self.put(" ", length);
        true
    }

    /// A sign: brackets are counted, full-width ones become ASCII, look-alikes are reported.
    fn sign(&mut self, next: char) {
        let length = next.len_utf8();
        if let Some(ascii) = letters::full_width(next) {
            self.put(ascii, length);
            self.count(ascii);
            return;
        }
        if let Some(mend) = letters::look_alike(next) {
            let span = self.span(self.at, self.at + length);
            self.diagnostics.push(letters::look_alike_sign(next, mend, span));
            self.put(mend, length);
            return;
        }
        if next.is_ascii() {
            let mut buffer = [0; 4];
            let ascii: &str = next.encode_utf8(&mut buffer);
            self.keep(length);
            self.count(ascii);
        } else {
            self.keep(length);
        }
    }

    fn count(&mut self, sign: &str) {
        match sign {
            "(" | "[" | "{" => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    self.too_deep();
                } else {
                    self.deepest = self.deepest.max(self.depth);
                }
            }
            ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    /// One bracket too many was just written: it and all that it holds become one unreadable value.
    fn too_deep(&mut self) {
        self.clean.pop();
        let start = self.at - 1;
        self.diagnostics.push(
            Diagnostic::new(
                codes::TOO_DEEP,
                self.span(start, self.at),
                format!("brackets nest more than {MAX_DEPTH} deep here"),
            )
            .help("give the inner part a name of its own with `trait … = …` and use that name here"),
        );
        let mut open = 1_usize;
        let mut length = 0;
        let mut line_begins = false;
        for c in self.rest().chars() {
            match c {
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' => open -= 1,
                _ => {}
            }
            // An unclosed bracket must not swallow the declarations after it.
            if line_begins
                && c.is_alphabetic()
                && super::recover::breaks_block(self.rest().get(length..).unwrap_or(""))
            {
                break;
            }
            length += c.len_utf8();
            line_begins = c == '\n';
            if open == 0 {
                break;
            }
        }
        self.at = start;
        self.depth -= 1;
        self.put(UNREADABLE, length + 1);
    }

    fn allows(&self) -> Vec<Allow> {
        let allow = |comment: &Comment| {
            let rest = comment.text.trim_start_matches('#').trim_start().strip_prefix("strata:")?;
            let rest = rest.trim_start().strip_prefix("allow")?.trim_start();
            let (code, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let end = comment.span.end as usize;
            let next = self.code_lines.partition_point(|line| line.0 < end);
            let covers = self.code_lines.get(next).map_or((end, end), |line| *line);
            Some(Allow {
                code: code.to_owned(),
                reason: reason.trim().to_owned(),
                span: comment.span,
                covers: self.span(covers.0, covers.1),
            })
        };
        self.comments.iter().filter_map(allow).collect()
    }
}
