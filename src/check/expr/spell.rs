//! Expressions, names and units in the reader's words, for messages.

use crate::program::Unit;
use crate::syntax::ast::{self, ExprKind};

/// An expression as far as a message needs it, in backquotes where it is short, else in words.
pub(crate) fn expression(e: &ast::Expr) -> String {
    match &e.kind {
        ExprKind::Name(name) => format!("`{}`", name.text),
        ExprKind::Qualified(qualifier, name) => format!("`{}.{}`", qualifier.text, name.text),
        ExprKind::Text(text) => format!("`\"{text}\"`"),
        ExprKind::Number(number) => format!("`{}`", written(*number)),
        ExprKind::Bool(value) => format!("`{value}`"),
        ExprKind::Date(date) => format!("`{date}`"),
        ExprKind::Timestamp(local, _) => format!("`{local}`"),
        ExprKind::Time(time) => format!("`{time}`"),
        ExprKind::Duration(amount, unit) => match &amount.kind {
            ExprKind::Number(amount) => format!("`{} {}`", written(*amount), unit_name((*unit).into())),
            _ => format!("`({}) {}`", "…", unit_name((*unit).into())),
        },
        ExprKind::Parenthesised(inner) => expression(inner),
        ExprKind::Call(name, _) => format!("`{}(…)`", name.text),
        ExprKind::Lookup { table, column, .. } => format!("`{}[…].{}`", table.text, column.text),
        ExprKind::Since { unit, kind, .. } => {
            let word = match kind {
                ast::SinceKind::Since => "since",
                ast::SinceKind::Until => "until",
            };
            format!("`{} {word} …`", unit_name((*unit).into()))
        }
        ExprKind::Case { .. } => "this `case`".to_owned(),
        ExprKind::Points(_) => "this `points`".to_owned(),
        ExprKind::Arithmetic(..) => "this calculation".to_owned(),
        _ => "this".to_owned(),
    }
}

/// A number without trailing zeros after the point.
pub(crate) fn written(number: ast::Number) -> String {
    let digits = number.unscaled.unsigned_abs().to_string();
    let scale = usize::from(number.scale);
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - scale).unwrap_or((&padded, ""));
    let sign = if number.unscaled < 0 { "-" } else { "" };
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// `days`
pub(crate) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Minutes => "minutes",
        Unit::Hours => "hours",
        Unit::Days => "days",
        Unit::Weeks => "weeks",
        Unit::Months => "months",
        Unit::Years => "years",
    }
}

/// "`a`, `b` and `c`"; long lists are cut.
pub(crate) fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let items: Vec<&str> = items.collect();
    let shown: Vec<String> = items.iter().take(MOST).map(|item| format!("`{item}`")).collect();
    match (items.len().saturating_sub(MOST), shown.split_last()) {
        (0, Some((last, []))) => last.clone(),
        (0, Some((last, rest))) => format!("{} and {last}", rest.join(", ")),
        (0, None) => "none".to_owned(),
        (more, _) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The nearest of the candidates, if one is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    crate::diagnostic::nearest(text, candidates)
}

/// A label or name as it is written: in backquotes where it is no plain name.
pub(crate) fn label(text: &str) -> String {
    let mut characters = text.chars();
    let plain = characters.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first))
        && characters.all(unicode_ident::is_xid_continue)
        && text != "_";
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

impl From<ast::Unit> for Unit {
    fn from(unit: ast::Unit) -> Self {
        match unit {
            ast::Unit::Minutes => Unit::Minutes,
            ast::Unit::Hours => Unit::Hours,
            ast::Unit::Days => Unit::Days,
            ast::Unit::Weeks => Unit::Weeks,
            ast::Unit::Months => Unit::Months,
            ast::Unit::Years => Unit::Years,
        }
    }
}

/// A name as it is written in a rule: in backquotes where it is no plain name.
pub(crate) fn name(text: &str) -> String {
    if label(text) == text { text.to_owned() } else { format!("`{text}`") }
}
