//! Names, strings, dates and times as the tree holds them.

use super::ast::{ExprKind, Name, Text, Unit};
use super::build::{Builder, Node};
use super::grammar::Rule;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::syntax as codes;

impl Builder<'_> {
    /// `name`, `declared` and their kin.
    pub fn name(&self, node: &Node) -> Name {
        let written = node.as_str().trim_end();
        let span = self.span(node);
        match written.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            Some(inner) => {
                use unicode_normalization::UnicodeNormalization;
                Name { text: inner.nfc().collect(), span, quoted: true }
            }
            None => Name { text: written.to_owned(), span, quoted: false },
        }
    }

    /// A declared name; a reserved word is answered and taken.
    pub fn declared(&self, node: &Node) -> Name {
        let name = self.name(node);
        let reserved = node.clone().into_inner().any(|inner| inner.as_rule() == Rule::reserved_name);
        if reserved {
            self.report(
                Diagnostic::new(
                    codes::RESERVED_NAME,
                    name.span,
                    format!("`{}` is a word of the language and cannot be a name as it stands", name.text),
                )
                .help(format!(
                    "choose another name, or write it in backquotes everywhere: `` `{}` ``",
                    name.text
                ))
                .fix(name.span, format!("`{}`", name.text)),
            );
        }
        name
    }

    /// A string literal with its escapes resolved.
    pub fn text(&self, node: &Node) -> Text {
        let written = node.as_str().trim_end();
        let span = self.span(node);
        let open = written.chars().next().map_or(0, char::len_utf8);
        let inner = written.get(open..written.len().saturating_sub(open)).unwrap_or("");
        let start = self.base.get() + node.as_span().start() + open;
        Text { value: self.unescaped(inner, start), span }
    }

    /// The inside of a string with its escapes resolved; it begins there in the clean text.
    pub fn unescaped(&self, inner: &str, start: usize) -> String {
        let mut value = String::with_capacity(inner.len());
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                value.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, c @ ('"' | '\\' | '”'))) => value.push(c),
                Some((_, 'u')) => {
                    let rest = inner.get(at + 2..).unwrap_or("");
                    let hex =
                        rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(hex, _)| hex);
                    let found =
                        hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
                    match (hex, found) {
                        (Some(hex), Some(c)) if hex.len() <= 6 => {
                            value.push(c);
                            // The braces and what they hold.
                            for _ in 0..hex.chars().count() + 2 {
                                chars.next();
                            }
                        }
                        _ => {
                            let place = self.clean_span(start + at, start + at + 2);
                            self.report(
                                Diagnostic::new(codes::BAD_STRING, place, "this escape names no character")
                                    .help("write the character itself, or its number like `\\u{4e00}`"),
                            );
                        }
                    }
                }
                Some((next, other)) => {
                    let place = self.clean_span(start + at, start + next + other.len_utf8());
                    self.report(
                        Diagnostic::new(codes::BAD_STRING, place, format!("`\\{other}` means nothing in a string"))
                            .help(format!(
                                "for a backslash write two, `\\\\{other}`; the escapes are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{{4e00}}`"
                            ))
                            .fix(place, format!("\\\\{other}")),
                    );
                    value.push('\\');
                    value.push(other);
                }
                None => value.push('\\'),
            }
        }
        value
    }
}

/// The unit of a word, singular or plural.
pub(super) fn unit_of(word: &str) -> Unit {
    match word.trim_end_matches('s') {
        "minute" => Unit::Minutes,
        "hour" => Unit::Hours,
        "week" => Unit::Weeks,
        "month" => Unit::Months,
        "year" => Unit::Years,
        _ => Unit::Days,
    }
}

/// A time of day.
pub(super) fn time_of(text: &str) -> Option<jiff::civil::Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|part| part.parse::<i8>().unwrap_or(-1));
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next().unwrap_or(0));
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    jiff::civil::Time::new(hour, minute, second, nanoseconds).ok()
}

/// A date and time, with its offset.
pub(super) fn timestamp(text: &str) -> ExprKind {
    let (Some(date), Some(rest)) = (text.get(..10), text.get(11..)) else { return ExprKind::Error };
    let at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at_checked(at).unwrap_or((rest, ""));
    let seconds = match offset.get(..1) {
        None => None,
        Some("Z") => Some(0),
        Some(sign) => {
            let number =
                |range: std::ops::Range<usize>| offset.get(range).and_then(|text| text.parse::<i32>().ok());
            match (number(1..3), number(4..6)) {
                (Some(hours), Some(minutes)) => {
                    Some((hours * 3600 + minutes * 60) * if sign == "-" { -1 } else { 1 })
                }
                _ => return ExprKind::Error,
            }
        }
    };
    match (date.parse::<jiff::civil::Date>(), time_of(clock)) {
        (Ok(date), Some(time)) => ExprKind::Timestamp(date.to_datetime(time), seconds),
        _ => ExprKind::Error,
    }
}
