//! What to say where the grammar could not go on: one finding, in the reader's words, with at most
//! three things that would have fitted.

use super::grammar::Rule;
use super::letters::continues_word;
use super::prepare::{DECLARATION, UNREADABLE};
use super::recover::{Failure, Reader};
use super::words::{expected_words, keywords, nearest_word, wants_near};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};

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
        self.unclosed = None;
        let token = self.token(failure.at);
        if self.text(token).contains(UNREADABLE) || self.from(token.0).starts_with(UNREADABLE) {
            return failure.at;
        }
        let previous = self.previous(failure.start, failure.at);
        if self.answered_already(failure, token.1) {
            return failure.at;
        }
        let (finding, resume) = self.finding(failure, token, previous);
        self.unclosed = self
            .open_bracket(failure.start, failure.at)
            .filter(|(_, open)| *open == '{')
            .map(|(at, _)| at + 1);
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
    pub(super) fn token(&self, at: usize) -> (usize, usize) {
        let at = if self.from(at).starts_with(DECLARATION) { at + DECLARATION.len() } else { at };
        let rest = self.from(at);
        let Some(next) = rest.chars().next() else { return (at, at) };
        let length = if continues_word(next) {
            rest.find(|c: char| !continues_word(c)).unwrap_or(rest.len())
        } else if matches!(next, '"' | '“' | '`') {
            let close = if next == '“' { '”' } else { next };
            let inner = rest.get(next.len_utf8()..).and_then(|rest| rest.lines().next()).unwrap_or("");
            inner.find(close).map_or(next.len_utf8(), |end| next.len_utf8() + end + close.len_utf8())
        } else {
            let signs = rest.chars().take_while(|c| "<>=!&|*^~@$?:%+-/\\".contains(*c)).count();
            if signs > 0 { signs } else { next.len_utf8() }
        };
        (at, at + length)
    }

    /// The token before a place, no earlier than `start`.
    pub(super) fn previous(&self, start: usize, at: usize) -> Option<(usize, usize)> {
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

    pub(super) fn text(&self, place: (usize, usize)) -> &str {
        self.clean.get(place.0..place.1).unwrap_or("")
    }

    /// Whether a value must follow this.
    pub(super) fn hungry(&self, place: (usize, usize)) -> bool {
        let text = self.text(place);
        HUNGRY.contains(&text) || !text.is_empty() && text.chars().all(|c| "<>=!+-*/|&,(".contains(c))
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
        let opener = self.open_bracket(failure.start, failure.at);
        let new_item = self.begins_line(failure.at)
            && match failure.rule {
                Some(Rule::member) => self.fits(Rule::member_start, failure.at),
                Some(Rule::column) => self.fits(Rule::column_start, failure.at),
                Some(Rule::grid_line) => self.fits(Rule::grid_line_start, failure.at),
                Some(rule) => item_start(rule).is_some_and(|start| self.fits(start, failure.at)),
                _ => false,
            };
        let next_item = at_end
            || new_declaration
            || new_item
            || shown == "}"
            || ["when", "otherwise"].contains(&shown.as_str());
        if let Some(finding) = self.slip_of_arrow(failure) {
            return (finding, failure.at);
        }
        if let Some(finding) = self.slip(failure, token, previous) {
            return (finding, token.1);
        }
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
        let in_block = failure.rule.is_some_and(|rule| {
            matches!(rule, Rule::member | Rule::column | Rule::grid_line) || item_start(rule).is_some()
        });
        if closer && opener.is_none() && !(in_block && shown == "}") {
            let finding = Diagnostic::new(codes::BRACKET, span, format!("this `{shown}` closes nothing"))
                .help("delete it, or write the bracket that it should close")
                .fix(span, "");
            return (finding, token.1);
        }
        if let Some(finding) = self.left_out_sign(failure, previous, next_item, &shown) {
            return (finding, failure.at);
        }
        if next_item {
            let place = previous.unwrap_or((failure.start, failure.at));
            let shown = self.text(place);
            let what = expected_words(&failure.expected);
            let what = if what.is_empty() { "something".to_owned() } else { what };
            let place = self.span(place.0, place.1);
            let finding =
                Diagnostic::new(codes::LEFT_OUT, place, format!("{what} is left out after `{shown}`"));
            return (finding, failure.at);
        }
        if let Some((finding, resume)) = self.known_slip(failure, token, span, &shown) {
            return (finding, resume);
        }
        let mut finding = Diagnostic::new(codes::UNEXPECTED, span, format!("`{shown}` does not fit here"));
        let what = expected_words(&failure.expected);
        finding = match failure.rule {
            _ if !what.is_empty() => finding.help(format!("what fits here is {what}")),
            Some(Rule::member) => finding.help("a line of this block reads `name when condition`"),
            Some(Rule::column) => finding.help("a line of this block reads `name : type`"),
            Some(Rule::grid_line) => finding.help("a line of this block reads `pattern, pattern -> member`"),
            Some(Rule::stack_line) => {
                finding.help("a line of this block reads `member, member by dimension`")
            }
            Some(Rule::play_line) => {
                finding.help("a line of this block reads `member when condition -> \"text\"`")
            }
            Some(Rule::split_arm) => finding.help("a line of this block reads `arm 10%`"),
            Some(Rule::test_item) => finding.help("a line of a test begins with `now`, `given` or `expect`"),
            _ => finding,
        };
        (finding, failure.at)
    }

    /// A value is missing after a word or sign.
    fn left_out(&self, place: (usize, usize)) -> Diagnostic {
        let span = self.span(place.0, place.1);
        let shown = self.text(place);
        Diagnostic::new(codes::LEFT_OUT, span, format!("nothing follows `{shown}`"))
            .help(format!("write what belongs after `{shown}`, or delete it"))
    }

    /// A sign or word that a declaration needs at this place and has not.
    fn left_out_sign(
        &self,
        failure: &Failure,
        previous: Option<(usize, usize)>,
        next_item: bool,
        shown: &str,
    ) -> Option<Diagnostic> {
        let place = previous?;
        let before = self.text(place);
        let span = self.span(place.0, place.1);
        let wants = |rule: Rule| failure.expected.contains(&rule);
        let word = shown.starts_with(continues_word);
        let insert = |finding: Diagnostic, text: &str| finding.fix(span.end_point(), text);
        let say = |message: String| Diagnostic::new(codes::LEFT_OUT, span, message);
        let so_far = self.clean.get(failure.start..failure.at).unwrap_or("");
        if let Some(at) = so_far.rfind(" between ")
            && (wants(Rule::kw_and) || wants(Rule::habit_and))
            && !so_far.get(at..).unwrap_or("").contains(" and ")
        {
            return Some(insert(
                say(format!("`and` is left out between `{before}` and the upper end"))
                    .help("write `between 18 and 30`; both ends are in"),
                " and",
            ));
        }
        match failure.rule? {
            Rule::column if wants(Rule::colon) && (next_item || self.begins_line(failure.at)) => Some(
                say(format!("column `{before}` has no type"))
                    .help(format!("write `{before} : int` or another type")),
            ),
            Rule::column if wants(Rule::colon) && word => Some(insert(
                say(format!("`:` is left out between column `{before}` and its type"))
                    .help(format!("write `{before} : {shown}`")),
                " :",
            )),
            Rule::scale_head if wants(Rule::colon) => Some(
                say(format!("scale `{before}` does not say its type"))
                    .help("write `:` and a type before the `{`, like `scale expertise : level {`"),
            ),
            Rule::table_head if wants(Rule::kw_key) && nearest_word(shown, &["key"]).is_none() => Some(
                say(format!("`{before}` does not say which column is its key"))
                    .help(format!("write `key` and the column's name after it, like `{before} key user_id`")),
            ),
            Rule::stack_head if wants(Rule::kw_on) && !wants_near(failure, shown) => Some(
                say(format!("`{before}` does not say which layer it refines"))
                    .help(format!("write `on` and the layer's name after it, like `{before} on lifecycle`")),
            ),
            Rule::play_head if wants(Rule::kw_for) && !wants_near(failure, shown) => Some(
                say(format!("`{before}` does not say what it is for"))
                    .help(format!("write `for` and a layer, grid, stack or segment after it, like `{before} for fund`")),
            ),
            Rule::split_head if wants(Rule::kw_of) && !wants_near(failure, shown) => Some(
                say(format!("`{before}` does not say which segment it divides"))
                    .help(format!("write `of` and a segment's name, or `of all`, after it, like `{before} of all seed \"2024q4\"`")),
            ),
            Rule::split_head if wants(Rule::kw_seed) && !wants_near(failure, shown) => Some(
                say("this split has no seed".to_owned()).help(
                    "write `seed` and a text of your own before the `{`, like `seed \"2024q4\"`; another text deals the users anew",
                ),
            ),
            Rule::split_arm if wants(Rule::number) => Some(
                say(format!("the arm `{before}` does not say which share it takes"))
                    .help(format!("write a percentage after it, such as `{before} 10%`")),
            ),
            Rule::play_line if wants(Rule::arrow) && shown.starts_with('"') => Some(insert(
                say("`->` is left out before the text".to_owned()).help("write `-> \"…\"`"),
                " ->",
            )),
            Rule::play_line if wants(Rule::template) => Some(
                Diagnostic::new(codes::UNEXPECTED, self.span(failure.at, failure.at + shown.len()), "a play says a text, and this is none")
                    .help("write the text in double quotes; `{…}` in it stands for a value"),
            ),
            Rule::grid_head if wants(Rule::kw_by) && !wants_near(failure, shown) && word => Some(insert(
                say(format!("`by` is left out before the dimensions of `{before}`"))
                    .help(format!("write `by {shown}`")),
                " by",
            )),
            Rule::grid_line if wants(Rule::arrow) && word => Some(insert(
                say("`->` is left out between the patterns and the member".to_owned())
                    .help(format!("write `-> {shown}`")),
                " ->",
            )),
            Rule::trait_decl if wants(Rule::assign) => {
                let head = self.clean.get(failure.start..failure.at).unwrap_or("");
                match head.find(':') {
                    Some(at) => {
                        let colon = self.span(failure.start + at, failure.start + at + 1);
                        Some(
                            Diagnostic::new(
                                codes::HABIT,
                                colon,
                                "`:` gives the type of a trait; its value comes after `=`",
                            )
                            .help("write `=` before the value")
                            .fix(colon, "="),
                        )
                    }
                    None if word || shown == "(" => Some(insert(
                        say(format!("`=` is left out after `{before}`"))
                            .help(format!("write `{before} = …`")),
                        " =",
                    )),
                    None => None,
                }
            }
            Rule::layer_head
            | Rule::grid_head
            | Rule::table_head
            | Rule::scale_head
            | Rule::stack_head
            | Rule::play_head
            | Rule::split_head
            | Rule::test_head
                if wants(Rule::lbrace) && self.begins_line(failure.at) =>
            {
                Some(insert(
                    say("`{` is left out here".to_owned()).help("write `{` before the first line"),
                    " {",
                ))
            }
            _ => None,
        }
    }

    /// A misspelt word.
    fn known_slip(
        &self,
        failure: &Failure,
        token: (usize, usize),
        span: Span,
        shown: &str,
    ) -> Option<(Diagnostic, usize)> {
        const AFTER_A_VALUE: [&str; 16] = [
            "and",
            "or",
            "between",
            "contains",
            "starts",
            "ends",
            "matches",
            "has",
            "implies",
            "before",
            "after",
            "or_else",
            "is",
            "in",
            "when",
            "otherwise",
        ];
        let mut words: Vec<&'static str> =
            failure.expected.iter().flat_map(|rule| keywords(*rule)).copied().collect();
        if words.is_empty() {
            words.extend(AFTER_A_VALUE);
        }
        let near = nearest_word(shown, &words).filter(|near| *near != shown)?;
        let finding =
            Diagnostic::new(codes::UNEXPECTED, span, format!("`{shown}` is no word of the language"))
                .help(format!("did you mean `{near}`?"))
                .fix(span, near);
        Some((finding, token.1))
    }

    /// The innermost bracket that is open between two places.
    fn open_bracket(&self, start: usize, end: usize) -> Option<(usize, char)> {
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

/// What begins another item like this.
fn item_start(rule: Rule) -> Option<Rule> {
    Some(match rule {
        Rule::stack_line => Rule::stack_line_start,
        Rule::play_line => Rule::play_line_start,
        Rule::split_arm => Rule::split_arm_start,
        Rule::test_item => Rule::test_item_start,
        _ => return None,
    })
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
