//! What to say where the grammar could not go on: one finding, in the reader's words, with at most
//! three things that would have fitted.

use super::grammar::Rule;
use super::letters::continues_word;
use super::prepare::DECLARATION;
use super::recover::{Failure, Reader};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};

/// The nearest of some words, if it is near enough to be a slip of the finger.
pub(super) fn nearest_word(word: &str, words: &[&'static str]) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let length = word.chars().count();
    let allowed = match length {
        0..=2 => return None,
        3..=4 => 1,
        _ => 2,
    };
    words
        .iter()
        .map(|candidate| (strsim::osa_distance(&lower, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Words and signs after which a value must follow.
const HUNGRY: [&str; 27] = [
    "and",
    "or",
    "not",
    "implies",
    "when",
    "then",
    "in",
    "is",
    "between",
    "contains",
    "matches",
    "has",
    "mod",
    "or_else",
    "where",
    "of",
    "with",
    "by",
    "before",
    "after",
    "since",
    "until",
    "from",
    "otherwise ->",
    "to",
    "key",
    "as",
];

impl Reader<'_> {
    /// Reports a failure. Returns the place (in the clean text) from which to look for the next
    /// piece that can be read.
    pub fn answer(&mut self, failure: &Failure) -> usize {
        let token = self.token(failure.at);
        let previous = self.previous(failure.start, failure.at);
        if self.answered_already(failure, token.1) {
            return failure.at;
        }
        let (finding, resume) = self.finding(failure, token, previous);
        self.builder.report(finding);
        resume
    }

    /// Whether the preparation has said something that explains the failure.
    fn answered_already(&self, failure: &Failure, end: usize) -> bool {
        let from = self.builder.prepared.original(failure.start);
        let to = self.builder.prepared.original(end);
        self.builder.prepared.diagnostics.iter().any(|diagnostic| {
            let within =
                diagnostic.span.is_some_and(|span| span.start as usize >= from && (span.start as usize) < to);
            within && [codes::UNCLOSED_STRING, codes::TOO_DEEP].contains(&diagnostic.code)
        })
    }

    /// The word, number, string or sign at a place.
    fn token(&self, at: usize) -> (usize, usize) {
        let at = if self.from(at).starts_with(DECLARATION) { at + DECLARATION.len() } else { at };
        let rest = self.from(at);
        let Some(next) = rest.chars().next() else { return (at, at) };
        let length = if continues_word(next) {
            rest.find(|c: char| !continues_word(c)).unwrap_or(rest.len())
        } else if matches!(next, '"' | '“' | '`') {
            let close = if next == '“' { '”' } else { next };
            let inner = rest.get(next.len_utf8()..).unwrap_or("");
            inner.find(close).map_or(next.len_utf8(), |end| next.len_utf8() + end + close.len_utf8())
        } else {
            let signs = rest.chars().take_while(|c| "<>=!&|*^~@$?:%+-/\\".contains(*c)).count();
            if signs > 0 { signs } else { next.len_utf8() }
        };
        (at, at + length)
    }

    /// The token before a place, no earlier than `start`.
    fn previous(&self, start: usize, at: usize) -> Option<(usize, usize)> {
        let before = self.clean.get(start..at)?.trim_end();
        let last = before.chars().next_back()?;
        let length: usize = if continues_word(last) {
            before.chars().rev().take_while(|c| continues_word(*c)).map(char::len_utf8).sum()
        } else {
            let signs: usize = before.chars().rev().take_while(|c| "<>=!&|*^~:%+-/".contains(*c)).count();
            if signs > 0 { signs } else { last.len_utf8() }
        };
        let end = start + before.len();
        Some((end - length, end))
    }

    fn text(&self, place: (usize, usize)) -> &str {
        self.clean.get(place.0..place.1).unwrap_or("")
    }

    /// Whether a value must follow this.
    fn hungry(&self, place: (usize, usize)) -> bool {
        let text = self.text(place);
        HUNGRY.contains(&text)
            || !text.is_empty() && text.chars().all(|c| "<>=!+-*/|&,(".contains(c)) && text != "->"
    }

    fn finding(
        &self,
        failure: &Failure,
        token: (usize, usize),
        previous: Option<(usize, usize)>,
    ) -> (Diagnostic, usize) {
        let span = self.span(token.0, token.1);
        let shown = self.text(token).to_owned();
        let at_end = shown.is_empty();
        let new_declaration =
            self.begins_line(failure.at) && super::recover::begins_declaration(self.from(failure.at));

        // `age >` at a line's end takes the next line's first word for its value.
        if let Some(place) = previous
            && ["when", "otherwise"].contains(&shown.as_str())
            && self.begins_line(place.0)
            && let Some(before) = self.previous(failure.start, place.0)
            && self.hungry(before)
        {
            return (self.left_out(before), place.0);
        }
        let closer = matches!(shown.as_str(), ")" | "]" | "}");
        let opener = self.unclosed(failure.start, failure.at);
        let next_item =
            at_end || new_declaration || shown == "}" || ["when", "otherwise"].contains(&shown.as_str());
        if let Some(place) = previous
            && self.hungry(place)
            && (next_item
                || closer
                || shown == ","
                || shown == "then"
                || self.hungry(token) && failure.at > failure.start)
            && !(self.text(place) == "(" && closer)
        {
            return (self.left_out(place), failure.at);
        }
        if let Some((at, open)) = opener
            && (next_item || closer && !pairs(open, &shown))
        {
            let place = self.span(at, at + 1);
            let close = closing(open);
            let mut finding =
                Diagnostic::new(codes::BRACKET, place, format!("this `{open}` is never closed"))
                    .help(format!("write `{close}` where the part that it opens ends"));
            if !at_end {
                finding = finding.label(span, format!("`{close}` should stand before this"));
            }
            return (finding, failure.at);
        }
        if closer && opener.is_none() {
            let finding = Diagnostic::new(codes::BRACKET, span, format!("this `{shown}` closes nothing"))
                .help("delete it, or write the bracket that it should close")
                .fix(span, "");
            return (finding, token.1);
        }
        if next_item {
            let place = previous.unwrap_or((failure.start, failure.at));
            let place = self.span(place.0, place.1);
            let what = expected_words(&failure.expected);
            let finding =
                Diagnostic::new(codes::LEFT_OUT, place, format!("something is left out after this: {what}"));
            return (finding, failure.at);
        }
        if let Some((finding, resume)) = self.known_slip(failure, token, span, &shown) {
            return (finding, resume);
        }
        let mut finding = Diagnostic::new(codes::UNEXPECTED, span, format!("`{shown}` does not fit here"));
        let what = expected_words(&failure.expected);
        if !what.is_empty() {
            finding = finding.help(format!("what fits here is {what}"));
        }
        (finding, failure.at)
    }

    /// A value is missing after a word or sign.
    fn left_out(&self, place: (usize, usize)) -> Diagnostic {
        let span = self.span(place.0, place.1);
        let shown = self.text(place);
        Diagnostic::new(codes::LEFT_OUT, span, format!("nothing follows `{shown}`"))
            .help(format!("write what belongs after `{shown}`, or delete it"))
    }

    /// Slips that have an answer of their own.
    fn known_slip(
        &self,
        failure: &Failure,
        token: (usize, usize),
        span: Span,
        shown: &str,
    ) -> Option<(Diagnostic, usize)> {
        let words: Vec<&'static str> = failure.expected.iter().filter_map(|rule| keyword(*rule)).collect();
        if shown.chars().all(char::is_alphabetic)
            && let Some(near) = nearest_word(shown, &words)
            && near != shown
        {
            let finding =
                Diagnostic::new(codes::UNEXPECTED, span, format!("`{shown}` is no word of the language"))
                    .help(format!("did you mean `{near}`?"))
                    .fix(span, near);
            return Some((finding, token.1));
        }
        None
    }

    /// The innermost bracket that is open between two places.
    fn unclosed(&self, start: usize, end: usize) -> Option<(usize, char)> {
        let mut open: Vec<(usize, char)> = Vec::new();
        let mut quote = None;
        let mut escaped = false;
        for (at, c) in self.clean.get(start..end)?.char_indices() {
            match quote {
                Some(close) => {
                    if c == close && !escaped {
                        quote = None;
                    }
                    escaped = c == '\\' && !escaped;
                }
                None => match c {
                    '"' | '`' => quote = Some(c),
                    '“' => quote = Some('”'),
                    '(' | '[' | '{' => open.push((start + at, c)),
                    ')' | ']' | '}' => {
                        open.pop();
                    }
                    _ => {}
                },
            }
        }
        open.pop()
    }
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn pairs(open: char, close: &str) -> bool {
    close.starts_with(closing(open))
}

/// At most three things that would have fitted, in words.
fn expected_words(expected: &[Rule]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut say = |text: &str| {
        if !words.iter().any(|word| word == text) {
            words.push(text.to_owned());
        }
    };
    for rule in expected {
        match rule {
            Rule::lbrace => say("`{`"),
            Rule::assign => say("`=`"),
            Rule::colon => say("`:`"),
            Rule::arrow => say("`->`"),
            Rule::string | Rule::label => say("a string in double quotes"),
            Rule::name | Rule::declared | Rule::bare_name | Rule::named => say("a name"),
            Rule::ty => say("a type such as `int` or `a | b`"),
            Rule::lparen | Rule::items => say("`(`"),
            _ => {}
        }
    }
    if expected.iter().any(|rule| {
        matches!(
            rule,
            Rule::number_or_span | Rule::parenthesised | Rule::operand | Rule::primary | Rule::expr
        )
    }) {
        say("a value");
    }
    if expected.iter().any(|rule| matches!(rule, Rule::kw_and | Rule::op_add | Rule::op_le)) {
        say("`and`, `or` or another operator");
    }
    for rule in expected {
        if let Some(word) = keyword(*rule) {
            if !matches!(word, "and" | "or" | "mod" | "implies" | "or_else" | "true" | "false")
                && words.len() < 3
            {
                let word = format!("`{word}`");
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
    }
    words.truncate(3);
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The word of a keyword's rule.
fn keyword(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::kw_and => "and",
        Rule::kw_or => "or",
        Rule::kw_not => "not",
        Rule::kw_implies => "implies",
        Rule::kw_in => "in",
        Rule::kw_is => "is",
        Rule::kw_when => "when",
        Rule::kw_then => "then",
        Rule::kw_otherwise => "otherwise",
        Rule::kw_true => "true",
        Rule::kw_false => "false",
        Rule::kw_missing => "missing",
        Rule::kw_known => "known",
        Rule::kw_contains => "contains",
        Rule::kw_matches => "matches",
        Rule::kw_has => "has",
        Rule::kw_mod => "mod",
        Rule::kw_or_else => "or_else",
        Rule::kw_between => "between",
        Rule::kw_of => "of",
        Rule::kw_last => "last",
        Rule::kw_next => "next",
        Rule::kw_since => "since",
        Rule::kw_until => "until",
        Rule::kw_from => "from",
        Rule::kw_to => "to",
        Rule::kw_with => "with",
        Rule::kw_key => "key",
        Rule::kw_by => "by",
        Rule::kw_first => "first",
        Rule::kw_match => "match",
        Rule::kw_partial => "partial",
        Rule::kw_past => "past",
        Rule::kw_format => "format",
        Rule::kw_least => "least",
        Rule::kw_most => "most",
        Rule::unit => "days",
        _ => return None,
    })
}
