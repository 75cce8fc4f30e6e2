//! Texts with values in braces, `"{name}, {silent_days or_else 0} days"`, while the text is prepared:
//! the expressions in them are read like those outside, their own strings included.

use super::prepare::{Scanner, UNREADABLE};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::tests as codes;

/// A stretch of a text, in bytes from the opening quote.
enum Stretch {
    /// As it stands.
    Plain(usize),
    /// `{{`, `}}`, an escape.
    Kept(usize),
    /// A brace that is meant as itself but stands alone.
    Lone(char),
    /// `{`, an expression of so many bytes, a format of so many bytes with its `:`, `}`.
    Value { expression: usize, format: usize },
}

/// Reads a text that begins here; false where it has no braces or no end, so that it is like any
/// other string.
pub(super) fn text(scanner: &mut Scanner) -> bool {
    let line = scanner.rest_of_line();
    let Some(close) = line.chars().next().and_then(|open| match open {
        '"' => Some('"'),
        '“' => Some('”'),
        _ => None,
    }) else {
        return false;
    };
    let open = if close == '"' { 1 } else { '“'.len_utf8() };
    let Some(stretches) = stretches(line.get(open..).unwrap_or(""), close) else { return false };
    scanner.put("\"", open);
    for stretch in stretches {
        match stretch {
            Stretch::Plain(length) => plain(scanner, length),
            Stretch::Kept(length) => scanner.keep(length),
            Stretch::Lone(brace) => lone(scanner, brace),
            Stretch::Value { expression, format } => value(scanner, expression, format),
        }
    }
    scanner.put("\"", close.len_utf8());
    true
}

/// Straight quotes inside curly ones are escaped.
fn plain(scanner: &mut Scanner, length: usize) {
    let end = scanner.at + length;
    while scanner.at < end {
        let Some(next) = scanner.rest().chars().next() else { return };
        match next {
            '"' => scanner.put("\\\"", 1),
            _ => scanner.keep(next.len_utf8()),
        }
    }
}

fn lone(scanner: &mut Scanner, brace: char) {
    let span = scanner.span(scanner.at, scanner.at + 1);
    let doubled = format!("{brace}{brace}");
    let message = match brace {
        '{' => "this `{` in a text is never closed",
        _ => "this `}` in a text closes nothing",
    };
    let help = match brace {
        '{' => "write `}` after the value, or `{{` for a brace that is to be printed",
        _ => "write `}}` for a brace that is to be printed",
    };
    scanner
        .diagnostics
        .push(Diagnostic::new(codes::BAD_TEXT, span, message).help(help).fix(span, doubled.clone()));
    scanner.put(&doubled, 1);
}

fn value(scanner: &mut Scanner, expression: usize, format: usize) {
    scanner.keep(1);
    let end = scanner.at + expression;
    if scanner.rest().get(..expression).is_none_or(|inner| inner.trim().is_empty()) {
        let span = scanner.span(scanner.at - 1, end + format + 1);
        scanner.diagnostics.push(
            Diagnostic::new(codes::BAD_TEXT, span, "there is no value between these braces")
                .help("write what is to be printed, such as `{channel}`, or `{{}}` for braces"),
        );
        scanner.put(UNREADABLE, expression);
    }
    scanner.in_text = true;
    while scanner.at < end {
        let Some(next) = scanner.rest().chars().next() else { break };
        scanner.token(next);
    }
    scanner.in_text = false;
    if format > 0 {
        let colon = scanner.rest().chars().next().map_or(1, char::len_utf8);
        scanner.put(":", colon);
        scanner.keep(format - colon);
    }
    scanner.keep(1);
}

/// The stretches of a text up to its closing quote; none where there is no such quote.
fn stretches(body: &str, close: char) -> Option<Vec<Stretch>> {
    let mut stretches = Vec::new();
    let mut at = 0;
    let mut plain = 0;
    loop {
        let rest = body.get(at..)?;
        let next = rest.chars().next()?;
        let stretch = match next {
            _ if next == close => {
                stretches.push(Stretch::Plain(plain));
                return Some(stretches);
            }
            '\\' if rest.starts_with("\\u{") => Stretch::Kept(rest.find('}').map_or(3, |end| end + 1)),
            '\\' => Stretch::Kept(1 + rest.chars().nth(1).map_or(0, char::len_utf8)),
            '{' | '}' if rest.chars().nth(1) == Some(next) => Stretch::Kept(2),
            '}' => Stretch::Lone('}'),
            '{' => value_after(rest.get(1..).unwrap_or("")).unwrap_or(Stretch::Lone('{')),
            _ => {
                plain += next.len_utf8();
                at += next.len_utf8();
                continue;
            }
        };
        at += match &stretch {
            Stretch::Plain(length) | Stretch::Kept(length) => *length,
            Stretch::Lone(_) => 1,
            Stretch::Value { expression, format } => expression + format + 2,
        };
        stretches.push(Stretch::Plain(std::mem::take(&mut plain)));
        stretches.push(stretch);
    }
}

/// How long the value in braces is, whose `{` stands before this: none where it is never closed.
fn value_after(body: &str) -> Option<Stretch> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut letters = body.char_indices();
    while let Some((at, next)) = letters.next() {
        if let Some(close) = quote {
            if next == close && !escaped {
                quote = None;
            }
            escaped = next == '\\' && !escaped && close != '`';
            continue;
        }
        match next {
            '"' | '`' => quote = Some(next),
            '“' => quote = Some('”'),
            '{' | '｛' | '(' | '（' | '[' => depth += 1,
            '}' if depth == 0 => return Some(Stretch::Value { expression: at, format: 0 }),
            '}' | '｝' | ')' | '）' | ']' => depth = depth.saturating_sub(1),
            ':' | '：' if depth == 0 && begins_format(body.get(..at)?, letters.as_str()) => {
                let format = body.get(at..)?.find('}')?;
                return Some(Stretch::Value { expression: at, format });
            }
            _ => {}
        }
    }
    None
}

/// Whether a `:` between these begins a format: one inside a time of day has digits on both sides.
fn begins_format(before: &str, after: &str) -> bool {
    after.starts_with(['.', '%']) || !before.ends_with(|letter: char| letter.is_ascii_digit())
}
