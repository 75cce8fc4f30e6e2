//! Reads a file declaration by declaration and a block item by item. What cannot be read is
//! answered once and skipped; its name stays, so that nothing else is reported for want of it.

use super::build::{Builder, Node};
use super::grammar::{Grammar, Rule};
use super::prepare::{DECLARATION, Prepared};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, FileId, Span};
use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

/// Where a rule failed furthest, and what would have fitted there.
pub(super) struct Failure {
    /// What was to be read; nothing in particular for junk between declarations.
    pub rule: Option<Rule>,
    /// Where the rule began, in the clean text.
    pub start: usize,
    /// Where it failed.
    pub at: usize,
    pub expected: Vec<Rule>,
}

/// The state of reading one file.
pub(super) struct Reader<'p> {
    pub builder: Builder<'p>,
    pub clean: &'p str,
    pub at: usize,
    /// Blocks that a declaration broke off: their `}` may still come and closes nothing then.
    pub owed: usize,
    /// Just past a `{` that was found to be unclosed: it does not count when looking for the end.
    pub unclosed: Option<usize>,
}

/// Whether a line that begins with this text begins a declaration.
pub(super) fn begins_declaration(text: &str) -> bool {
    text.starts_with(DECLARATION) || Grammar::parse(Rule::declaration_start, text).is_ok()
}

/// Whether a line of the original text begins a declaration and can be no item of a block.
pub(super) fn breaks_block(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "type", "table", "lookup", "trait", "scale", "segment", "layer", "grid", "events", "rfm", "stack",
        "play", "split", "assert", "guard", "strata",
    ];
    let length = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    text.get(..length).is_some_and(|word| WORDS.contains(&word))
        && Grammar::parse(Rule::block_break, text).is_ok()
}

impl<'p> Reader<'p> {
    pub fn new(file: FileId, prepared: &'p Prepared<'p>) -> Self {
        Reader {
            builder: Builder::new(file, prepared),
            clean: &prepared.clean,
            at: 0,
            owed: 0,
            unclosed: None,
        }
    }

    /// The text from a place on.
    pub fn from(&self, at: usize) -> &'p str {
        self.clean.get(at..).unwrap_or("")
    }

    /// Moves past white space.
    pub fn skip_blanks(&mut self) {
        let rest = self.from(self.at);
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Whether only blanks stand before a place on its line.
    pub fn begins_line(&self, at: usize) -> bool {
        let before = self.clean.get(..at).unwrap_or("").trim_end_matches([' ', '\t', '\r', '\u{2}']);
        before.is_empty() || before.ends_with('\n')
    }

    /// Tries a rule here. On success the place moves to its end.
    pub fn rule(&mut self, rule: Rule) -> Result<Node<'p>, Failure> {
        let start = self.at;
        let text = self.from(start);
        self.builder.base.set(start);
        match Grammar::parse(rule, text) {
            Ok(mut pairs) => match pairs.next() {
                Some(node) => {
                    self.at = start + node.as_str().trim_end().len();
                    Ok(node)
                }
                None => Err(Failure { rule: Some(rule), start, at: start, expected: Vec::new() }),
            },
            Err(error) => {
                let at = match error.location {
                    InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
                };
                // pest may stop before the blanks that precede the odd text.
                let odd = text.get(at..).unwrap_or("");
                let at = start + at + (odd.len() - odd.trim_start().len());
                let expected = match error.variant {
                    ErrorVariant::ParsingError { positives, .. } => positives,
                    ErrorVariant::CustomError { .. } => Vec::new(),
                };
                Err(Failure { rule: Some(rule), start, at, expected })
            }
        }
    }

    /// Whether a rule fits at a place.
    pub fn fits(&self, rule: Rule, at: usize) -> bool {
        Grammar::parse(rule, self.from(at)).is_ok()
    }

    /// A place in the clean text as a span.
    pub fn span(&self, start: usize, end: usize) -> Span {
        self.builder.clean_span(start, end)
    }

    /// Moves to the next line that begins a declaration, at the brace depth at which `start` stands;
    /// no earlier than `from`.
    pub fn skip_declaration(&mut self, start: usize, from: usize) {
        let mut fallback = None;
        let mut walk = Walk::new(self.clean, start);
        while let Some(place) = walk.next_line() {
            if place < from {
                continue;
            }
            if walk.depth == 0 && begins_declaration(self.from(place)) {
                self.at = place;
                return;
            }
            if fallback.is_none() && self.from(place).starts_with(DECLARATION) {
                fallback = Some(place);
            }
        }
        // An unclosed brace must not hide the declarations after it.
        self.at = if walk.depth == 0 { self.clean.len() } else { fallback.unwrap_or(self.clean.len()) };
    }

    /// Moves past a broken item: to the next line that begins one, to the block's end, or to a
    /// declaration.
    pub fn skip_item(&mut self, start: usize, from: usize, item_start: Rule) {
        let mut walk = Walk::new(self.clean, start);
        while let Some(stop) = walk.next_stop() {
            match stop {
                Stop::Close(place) if walk.depth < 0 => {
                    self.at = place;
                    return;
                }
                Stop::Separator(place) if walk.depth == 0 && place >= from => {
                    self.at = place + 1;
                    return;
                }
                Stop::Line(place) if place >= from && place > start => {
                    let fits = walk.depth == 0 && self.fits(item_start, place);
                    if fits || self.from(place).starts_with(DECLARATION) {
                        self.at = place;
                        return;
                    }
                }
                _ => {}
            }
        }
        self.at = self.clean.len();
    }

    /// The items of a block whose `{` has been read: all that can be read, up to its `}`.
    pub fn items<T>(
        &mut self,
        opener: Span,
        owner: &str,
        rule: Rule,
        item_start: Rule,
        mut build: impl FnMut(&mut Self, Result<Node<'p>, usize>) -> Option<T>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        let before = self.builder.diagnostics.borrow().len();
        loop {
            self.skip_blanks();
            let rest = self.from(self.at);
            if rest.is_empty() || rest.starts_with(DECLARATION) {
                self.unclosed_block(opener, owner);
                return items;
            }
            if rest.starts_with('}') {
                self.at += 1;
                break;
            }
            if rest.starts_with(';') {
                let place = self.span(self.at, self.at + 1);
                self.builder.report(
                    Diagnostic::new(codes::UNEXPECTED, place, "there is nothing before this `;`")
                        .help("delete it")
                        .fix(place, ""),
                );
                self.at += 1;
                continue;
            }
            let start = self.at;
            match self.rule(rule) {
                Ok(node) => items.extend(build(self, Ok(node))),
                Err(failure) => {
                    if self.begins_line(start) && begins_declaration(rest) {
                        self.unclosed_block(opener, owner);
                        return items;
                    }
                    if rule == Rule::member
                        && let Ok(node) = self.rule(Rule::otherwise_first)
                    {
                        items.extend(build(self, Ok(node)));
                        continue;
                    }
                    self.builder.base.set(start);
                    let resume = self.answer(&failure);
                    self.at = start;
                    items.extend(build(self, Err(start)));
                    let walk_from = self.unclosed.take().unwrap_or(start);
                    self.skip_item(walk_from, resume.max(start), item_start);
                    if self.at <= start {
                        self.at = start + self.from(start).chars().next().map_or(1, char::len_utf8);
                    }
                }
            }
        }
        if items.is_empty() && self.builder.diagnostics.borrow().len() == before {
            let end = Span { start: opener.start, end: self.span(self.at, self.at).end, ..opener };
            self.builder.report(
                Diagnostic::new(codes::EMPTY, end, format!("there is nothing in the braces of {owner}"))
                    .help("write at least one line between them"),
            );
        }
        items
    }

    fn unclosed_block(&mut self, opener: Span, owner: &str) {
        if opener.start == opener.end {
            // Its `{` was missed already.
            return;
        }
        self.owed += 1;
        let mut finding =
            Diagnostic::new(codes::BRACKET, opener, format!("the `{{` of {owner} is never closed"))
                .help("write `}` after its last line");
        let rest = self.from(self.at);
        let line = rest.lines().next().unwrap_or("").trim_end();
        if !line.is_empty() {
            let place = self.span(self.at, self.at + line.len());
            finding = finding.label(place, "another declaration begins here");
        }
        self.builder.report(finding);
    }
}

/// Something that a walk over clean text meets.
enum Stop {
    /// The first code of a line.
    Line(usize),
    /// A `}`.
    Close(usize),
    /// A `;`.
    Separator(usize),
}

/// A walk over clean text that knows strings and counts braces.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    depth: i32,
    line_begins: bool,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        Walk { text, at, depth: 0, line_begins: false }
    }

    fn next_stop(&mut self) -> Option<Stop> {
        loop {
            let rest = self.text.get(self.at..)?;
            let next = rest.chars().next()?;
            if self.line_begins && !next.is_whitespace() {
                self.line_begins = false;
                return Some(Stop::Line(self.at));
            }
            let at = self.at;
            self.at += next.len_utf8();
            match next {
                '\n' => self.line_begins = true,
                '{' => self.depth += 1,
                '}' => {
                    self.depth -= 1;
                    return Some(Stop::Close(at));
                }
                ';' => return Some(Stop::Separator(at)),
                '"' | '“' | '`' => self.skip_quoted(next),
                _ => {}
            }
        }
    }

    fn next_line(&mut self) -> Option<usize> {
        loop {
            match self.next_stop()? {
                Stop::Line(at) => return Some(at),
                // A stray `}` is not deeper than the file.
                Stop::Close(_) => self.depth = self.depth.max(0),
                Stop::Separator(_) => {}
            }
        }
    }

    fn skip_quoted(&mut self, open: char) {
        let close = if open == '“' { '”' } else { open };
        let mut escaped = false;
        for c in self.text.get(self.at..).unwrap_or("").chars() {
            if c == '\n' {
                return;
            }
            self.at += c.len_utf8();
            if c == close && !escaped {
                return;
            }
            escaped = c == '\\' && !escaped && open != '`';
        }
    }
}
