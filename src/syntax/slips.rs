//! Slips that have an answer of their own: signs and turns of phrase from spreadsheets, SQL and
//! everyday speech, met where the grammar could not go on.

use super::grammar::Rule;
use super::recover::{Failure, Reader};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};

/// Words of everyday speech for a sign or word of the language.
const SPOKEN: [(&str, &str); 16] = [
    ("greater", ">"),
    ("more", ">"),
    ("above", ">"),
    ("over", ">"),
    ("less", "<"),
    ("below", "<"),
    ("under", "<"),
    ("equals", "="),
    ("equal", "="),
    ("within", "in"),
    ("includes", "contains"),
    ("include", "contains"),
    ("containing", "contains"),
    ("xor", "!="),
    ("but", "and"),
    ("also", "and"),
];

/// A place in the clean text.
type Place = (usize, usize);

impl Reader<'_> {
    /// The answer to a slip, where it is one of those that are known.
    pub(super) fn slip(
        &self,
        failure: &Failure,
        token: Place,
        previous: Option<Place>,
    ) -> Option<Diagnostic> {
        let shown = self.text(token);
        let span = self.span(token.0, token.1);
        self.slip_of_sign(shown, token, span, previous)
            .or_else(|| self.slip_of_name(failure, shown, previous?))
            .or_else(|| self.slip_of_word(failure, shown, span, previous?))
            .or_else(|| self.slip_in_declaration(failure, shown, span))
    }

    /// `=>` before a play's text: after a condition it reads as `>=`, and then the arrow is missing.
    pub(super) fn slip_of_arrow(&self, failure: &Failure) -> Option<Diagnostic> {
        const ARROW: &str = "=>";
        if failure.rule != Some(Rule::play_line) {
            return None;
        }
        let so_far = self.clean.get(failure.start..failure.at)?;
        let (before, after) = so_far.rsplit_once(ARROW)?;
        if !after.trim_start().starts_with('"') {
            return None;
        }
        let at = failure.start + before.len();
        let place = self.span(at, at + ARROW.len());
        Some(
            Diagnostic::new(codes::HABIT, place, "the arrow to a text is `->`")
                .help("write `->`")
                .fix(place, "->"),
        )
    }

    fn slip_of_sign(
        &self,
        shown: &str,
        token: Place,
        span: Span,
        previous: Option<Place>,
    ) -> Option<Diagnostic> {
        let habit = |place: Span, message: String| Diagnostic::new(codes::HABIT, place, message);
        let rest = self.clean.get(token.0..).unwrap_or("");
        let before = previous.map_or("", |place| self.text(place));
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
        if shown == "," && !before.is_empty() && digits(before) == before.len() && digits(rest.get(1..)?) == 3
        {
            let group = rest.get(1..4)?;
            let place = self.span(previous?.0, token.1 + 3);
            return Some(
                Diagnostic::new(codes::BAD_NUMBER, place, "a number has no comma in it")
                    .help(format!("write `{before}{group}` or `{before}_{group}`"))
                    .fix(place, format!("{before}{group}")),
            );
        }
        if rest.starts_with("..") {
            let help = "a range with both ends in is written `between 18 and 30`, in a grid `18 to 30`";
            return Some(
                habit(self.span(token.0, token.0 + 2), "`..` is no sign of the language".to_owned())
                    .help(help),
            );
        }
        if shown == "??" {
            return Some(
                habit(span, "`??` is written `or_else` here".to_owned())
                    .help("write `or_else`")
                    .fix(span, "or_else"),
            );
        }
        if shown.starts_with('?') {
            return Some(
                habit(span, "`?` asks no question here".to_owned())
                    .help("to choose between values, write `case { when … then …  otherwise … }`"),
            );
        }
        if let Some(sign) = shown.chars().next().filter(|c| ['$', '¥', '￥', '€', '£'].contains(c)) {
            let place = self.span(token.0, token.0 + sign.len_utf8());
            return Some(
                habit(place, format!("a number carries no currency sign, so `{sign}` does not belong here"))
                    .help("delete it")
                    .fix(place, ""),
            );
        }
        // `> =`, `< >`, `! =`: one sign in two pieces.
        let joined = format!("{before}{shown}");
        let pieces = [
            (">=", ">="),
            ("<=", "<="),
            ("=>", ">="),
            ("=<", "<="),
            ("<>", "!="),
            ("!=", "!="),
            (">==", ">="),
            ("!==", "!="),
            ("<==", "<="),
            ("==", "="),
        ];
        if let Some((_, whole)) = pieces.iter().find(|(text, _)| *text == joined)
            && !before.is_empty()
            && let Some(place) = previous
        {
            let place = self.span(place.0, token.1);
            return Some(
                habit(place, format!("`{whole}` is one sign without a blank"))
                    .help(format!("write `{whole}`"))
                    .fix(place, *whole),
            );
        }
        if shown == "+" && previous.is_some_and(|place| self.hungry(place)) {
            return Some(
                habit(span, "a number takes no `+` before it".to_owned()).help("delete it").fix(span, ""),
            );
        }
        // `age >= 18 and <= 30`
        if ["and", "or"].contains(&before) && ["<", "<=", ">", ">=", "=", "!="].contains(&shown) {
            return Some(
                Diagnostic::new(codes::LEFT_OUT, span, format!("nothing stands before `{shown}`")).help(
                    "say on each side what is compared, as in `age >= 18 and age <= 30`, or write a chain: `18 <= age <= 30`",
                ),
            );
        }
        None
    }

    /// A name of two words, or with a `-` in it, or none before the label.
    fn slip_of_name(&self, failure: &Failure, shown: &str, previous: Place) -> Option<Diagnostic> {
        let heads = [
            Rule::segment_decl,
            Rule::layer_head,
            Rule::grid_head,
            Rule::scale_head,
            Rule::trait_decl,
            Rule::type_decl,
            Rule::table_head,
        ];
        if !failure.rule.is_some_and(|rule| heads.contains(&rule)) {
            return None;
        }
        let so_far = self.clean.get(failure.start..failure.at)?;
        let word = so_far.split_whitespace().next()?;
        let rest = self.clean.get(failure.at..)?;
        if so_far.trim_end() == word && shown.starts_with(['"', '“']) {
            let place = self.span(previous.0, previous.1);
            return Some(
                Diagnostic::new(codes::LEFT_OUT, place, format!("a name is left out after `{word}`"))
                    .help(format!("write a name before the label, like `{word} name {shown}`")),
            );
        }
        let name = so_far.get(word.len()..)?.trim();
        let dashed = shown.starts_with('-') && so_far.ends_with(name);
        let two_words =
            failure.rule == Some(Rule::segment_decl) && shown.chars().all(super::letters::continues_word);
        if name.is_empty() || !name.chars().all(super::letters::continues_word) || !(dashed || two_words) {
            return None;
        }
        let more: String = rest
            .chars()
            .take_while(|c| super::letters::continues_word(*c) || *c == '-' || *c == ' ')
            .collect();
        let more = more.split(" when").next().unwrap_or("").trim_end();
        if dashed && rest.get(1..)?.starts_with(' ') || more.is_empty() {
            return None;
        }
        let place = self.span(previous.0, failure.at + more.len());
        let written = self.clean.get(previous.0..failure.at + more.len())?;
        let joined: String =
            written.split([' ', '-']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
        Some(
            Diagnostic::new(
                codes::UNEXPECTED,
                place,
                format!("`{written}` is more than one word, and a name is one"),
            )
            .help(format!("write `{joined}`, or in backquotes wherever it stands: `` `{written}` ``"))
            .fix(place, joined),
        )
    }

    fn slip_of_word(
        &self,
        failure: &Failure,
        shown: &str,
        span: Span,
        previous: Place,
    ) -> Option<Diagnostic> {
        let habit = |place: Span, message: String| Diagnostic::new(codes::HABIT, place, message);
        let before = self.text(previous);
        let previous_span = self.span(previous.0, previous.1);
        let so_far = self.clean.get(failure.start..failure.at)?.trim_end();
        if so_far.ends_with(" is not") && shown == "in" {
            let place = Span { start: previous_span.start - 3, end: span.end, ..span };
            return Some(
                habit(place, "`is not in` is written `not in` here".to_owned())
                    .help("write `not in`")
                    .fix(place, "not in"),
            );
        }
        if before == "is" || so_far.ends_with(" is not") {
            let (sign, from) = if before == "is" { ("=", 0) } else { ("!=", 3) };
            let place = Span { start: previous_span.start - from, ..previous_span };
            let finding = habit(place, "`is` asks for `missing` or `known` only".to_owned());
            let spoken = SPOKEN.iter().find(|(word, _)| *word == shown);
            return Some(match spoken {
                Some((_, sign)) => finding.help(format!("write `{sign}` to compare")),
                None => finding.help(format!("write `{sign}` to compare")).fix(place, sign),
            });
        }
        if before == "else" && so_far.trim_end_matches("else").trim_end().ends_with(" or") {
            let start = so_far.trim_end_matches("else").trim_end().len() - 2;
            let place = self.span(failure.start + start, previous.1);
            return Some(
                habit(place, "`or_else` is one word".to_owned())
                    .help("write `or_else`")
                    .fix(place, "or_else"),
            );
        }
        if ["case", "points"].contains(&before) && shown == "when" {
            return Some(
                Diagnostic::new(codes::LEFT_OUT, previous_span, format!("`{{` is left out after `{before}`"))
                    .help(format!("write `{before} {{ when … then … }}`")),
            );
        }
        if before == "if" {
            return Some(
                habit(previous_span, "there is no `if` here".to_owned())
                    .help("a value by cases is written `case { when … then …  otherwise … }`"),
            );
        }
        if shown == "ago" {
            return Some(
                habit(span, "`ago` does not fit here".to_owned())
                    .help("write `x in last 30 days`, or `x < now - 30 days` for what is longer past"),
            );
        }
        if shown == "when" && so_far.contains(" when ") && matches!(failure.rule, Some(Rule::segment_decl)) {
            return Some(
                Diagnostic::new(codes::UNEXPECTED, span, "`when` stands here a second time")
                    .help("join the conditions with `and`")
                    .fix(span, "and"),
            );
        }
        if shown == "starts" || shown == "ends" {
            return Some(
                Diagnostic::new(codes::LEFT_OUT, span, format!("`with` is left out after `{shown}`"))
                    .help(format!("write `{shown} with`"))
                    .fix(span.end_point(), " with"),
            );
        }
        if before == "in" && shown == "{" {
            return Some(
                habit(span, "the values after `in` stand in round brackets".to_owned())
                    .help("write `(a, b)`"),
            );
        }
        if before == "in" && shown == "the" {
            return Some(
                Diagnostic::new(codes::HABIT, span, "`the` is no word of the language")
                    .help("delete it")
                    .fix(span, ""),
            );
        }
        if shown == ","
            && [" contains ", " starts with ", " ends with ", " has "]
                .iter()
                .any(|test| so_far.contains(test))
        {
            return Some(
                Diagnostic::new(codes::UNEXPECTED, span, "several values stand in round brackets")
                    .help("write `contains (\"a\", \"b\")`; `has` says `has any (…)` or `has all (…)`"),
            );
        }
        if ["any", "all"].contains(&before) && so_far.trim_end_matches(before).trim_end().ends_with(" has") {
            return Some(
                Diagnostic::new(
                    codes::LEFT_OUT,
                    previous_span,
                    format!("`(` is left out after `has {before}`"),
                )
                .help(format!("write `has {before} (\"vip\", \"kol\")`, or `has \"vip\"` for one value")),
            );
        }
        if before == "]" && failure.expected.contains(&Rule::dot) {
            return Some(
                Diagnostic::new(codes::LEFT_OUT, previous_span, "the column is left out after `]`")
                    .help("write the lookup's column, like `baby[week].length_cm`"),
            );
        }
        let (_, mend) = SPOKEN.iter().find(|(word, _)| *word == shown)?;
        let rest = self.clean.get(failure.at + shown.len()..)?;
        let tail = rest.trim_start().strip_prefix("than").or(rest.trim_start().strip_prefix("to "));
        let length = tail.map_or(0, |tail| rest.len() - tail.len());
        let place = self.span(failure.at, failure.at + shown.len() + length).start;
        let place = Span {
            start: place,
            end: self.span(failure.at + shown.len() + length, failure.at + shown.len() + length).end,
            ..span
        };
        let mut finding =
            habit(place, format!("`{shown}` is written `{mend}` here")).help(format!("write `{mend}`"));
        if tail.is_none_or(|tail| tail.starts_with(' ')) {
            finding = finding.fix(place, *mend);
        }
        Some(finding)
    }

    fn slip_in_declaration(&self, failure: &Failure, shown: &str, span: Span) -> Option<Diagnostic> {
        let habit = |message: &str| Diagnostic::new(codes::HABIT, span, message);
        let so_far = self.clean.get(failure.start..failure.at)?;
        let labels = matches!(failure.rule, Some(Rule::type_decl)) && so_far.contains(['=', ':']);
        if labels && shown == "," {
            return Some(
                habit("labels are parted by `|`")
                    .help("write `a | b | c`, or `a < b < c` for labels with an order"),
            );
        }
        if labels && ["<", ">", "|"].contains(&shown) {
            return Some(
                habit("between the labels of a type stands `|` throughout, or `<` throughout")
                    .help("write `a | b | c`, or from low to high `a < b < c`"),
            );
        }
        if matches!(failure.rule, Some(Rule::column)) && shown == "not" {
            return Some(
                habit("a column says `?` where it may be missing, and nothing where it may not")
                    .help("delete this; `int` is never missing, `int?` may be"),
            );
        }
        let head = matches!(
            failure.rule,
            Some(Rule::layer_head | Rule::grid_head | Rule::scale_head | Rule::segment_decl)
        );
        if head && shown.starts_with(['"', '“']) && !failure.expected.contains(&Rule::string) {
            return Some(
                Diagnostic::new(codes::UNEXPECTED, span, "a label comes right after the name").help(
                    "write the label before everything else, like `layer name \"label\" first match {`",
                ),
            );
        }
        None
    }
}
