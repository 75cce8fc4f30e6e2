//! Strings and names in backquotes while the text is prepared: which quote closes which, and
//! where one that is never closed was probably meant to end.

use super::prepare::Scanner;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::syntax as codes;

/// Whether this character opens a string or a name in backquotes, or is meant to.
pub(super) fn begins_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '\'' | '‘' | '’' | '„' | '‟' | '「' | '『' | '«' | '＂' | '＇' | '`' | '｀')
}

/// The quotes that may close one opened by `open`, the right one first.
fn closers(open: char) -> &'static [char] {
    match open {
        '"' => &['"', '”', '＂'],
        '“' => &['”', '"', '“'],
        '”' | '„' | '‟' => &['”', '“', '"'],
        '\'' => &['\'', '’'],
        '‘' | '’' | '＇' => &['’', '‘', '＇', '\''],
        '「' => &['」'],
        '『' => &['』'],
        '«' => &['»'],
        '＂' => &['＂', '"'],
        '｀' => &['｀', '`'],
        _ => &['`'],
    }
}

/// Reads a string or a name in backquotes.
pub(super) fn quoted(scanner: &mut Scanner) {
    let line = scanner.rest_of_line();
    let Some(open) = line.chars().next() else { return };
    let name = matches!(open, '`' | '｀');
    let body_start = open.len_utf8();
    let body = line.get(body_start..).unwrap_or("");
    let found =
        closers(open).iter().find_map(|close| find_unescaped(body, *close, name).map(|at| (*close, at)));
    let Some((close, length)) = found else { return unclosed(scanner, open, body) };
    let inner = body.get(..length).unwrap_or("");
    let whole = body_start + length + close.len_utf8();
    let span = scanner.span(scanner.at, scanner.at + whole);
    if matches!((open, close), ('"', '"') | ('“', '”')) || (open, close) == ('`', '`') {
        return scanner.keep(whole);
    }
    let right = if name { format!("`{inner}`") } else { format!("\"{}\"", requote(inner)) };
    let (code, message) = match (open, close) {
        ('"' | '“', _) => {
            let wanted = if open == '“' { '”' } else { '"' };
            (
                codes::LOOK_ALIKE,
                format!(
                    "this string opens with `{open}` and closes with `{close}`; `{open}` is closed by `{wanted}`"
                ),
            )
        }
        ('\'', '\'') => (codes::HABIT, "a string is written in double quotes here".to_owned()),
        ('｀', _) => (codes::LOOK_ALIKE, "this is a full-width backquote".to_owned()),
        _ => (codes::LOOK_ALIKE, format!("`{open}` does not open a string")),
    };
    scanner
        .diagnostics
        .push(Diagnostic::new(code, span, message).help(format!("write {right}")).fix(span, right.clone()));
    put_quoted(scanner, open, inner, close.len_utf8());
}

/// Bare double quotes escaped.
fn requote(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '"' && !escaped {
            out.push('\\');
        }
        // `\'` needs no backslash between double quotes.
        if c == '\'' && escaped {
            out.pop();
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// The offset of the first `close` that no backslash escapes.
fn find_unescaped(body: &str, close: char, name: bool) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if c == close && !escaped {
            return Some(at);
        }
        escaped = c == '\\' && !escaped && !name;
    }
    None
}

/// A string that its line does not close: it probably ends before the next word of the rule.
fn unclosed(scanner: &mut Scanner, open: char, body: &str) {
    let start = scanner.at;
    let open_length = open.len_utf8();
    let name = matches!(open, '`' | '｀');
    // A name may hold blanks, so it ends where the rule seems to go on.
    let stops: &[&str] = if name {
        &[
            " when ",
            " otherwise",
            " {",
            " ->",
            " >",
            " <",
            " =",
            " :",
            " in ",
            " is ",
            " and ",
            " or ",
            ",",
            ")",
            " \"",
        ]
    } else {
        &[" when ", " otherwise", " {", " ->", " or ", " and ", ")", "}", " #"]
    };
    let length =
        stops.iter().filter_map(|stop| body.find(stop)).filter(|at| *at > 0).min().unwrap_or(body.len());
    let inner = body.get(..length).unwrap_or("").trim_end();
    let end = start + open_length + inner.len();
    let close = match open {
        '“' => "”",
        '`' | '｀' => "`",
        _ => "\"",
    };
    let (what, help) = if name {
        (
            "this name in backquotes is never closed",
            "add a backquote where it ends, on the same line".to_owned(),
        )
    } else {
        ("this string is never closed", format!("add `{close}` where it ends; a string stays on one line"))
    };
    let open_span = scanner.span(start, start + open_length);
    let end_span = scanner.span(end, end);
    scanner
        .diagnostics
        .push(Diagnostic::new(codes::UNCLOSED_STRING, open_span, what).help(help).fix(end_span, close));
    put_quoted(scanner, open, inner, 0);
}

/// Writes a string or quoted name in the form that the grammar knows, character by character, so
/// that places inside it stay right.
fn put_quoted(scanner: &mut Scanner, open: char, inner: &str, close_length: usize) {
    let name = matches!(open, '`' | '｀');
    let (opened, closed) = match open {
        '“' => ("“", "”"),
        '`' | '｀' => ("`", "`"),
        _ => ("\"", "\""),
    };
    scanner.put(opened, open.len_utf8());
    let mut chars = inner.chars().peekable();
    let mut escaped = false;
    let mut empty = true;
    while let Some(c) = chars.next() {
        empty = false;
        let length = c.len_utf8();
        if name {
            scanner.keep(length);
            continue;
        }
        let next = chars.peek().copied();
        if c == '\\' && !escaped && matches!(next, None | Some('\'')) {
            // `\'` needs no backslash between double quotes; one at the end would escape the quote.
            scanner.put("", length);
            continue;
        }
        if closed.starts_with(c) && !escaped {
            scanner.put(if c == '"' { "\\\"" } else { "\\”" }, length);
        } else {
            scanner.keep(length);
        }
        escaped = c == '\\' && !escaped;
    }
    if name && empty {
        scanner.put("_name", 0);
    }
    scanner.put(closed, close_length);
}
