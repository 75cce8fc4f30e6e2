//! Results to stdout, talk to stderr; a reader that has gone away ends the command quietly.

use crate::diagnostic::human::{self, Style};
use crate::diagnostic::{Diagnostic, Sources};
use std::io::{self, IsTerminal, Write};

/// Prints a result.
pub(super) fn result(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Says something to the person at the terminal.
pub(super) fn say(text: &str) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "{text}");
}

/// Shows findings on stderr.
pub(super) fn findings(sources: &Sources, diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let mut out = io::stderr().lock();
    let _ = out.write_all(human::render(sources, diagnostics, stderr_style()).as_bytes());
}

/// How findings are drawn on stderr: colours and lines on a terminal, unless `NO_COLOR` is set.
fn stderr_style() -> Style {
    if !io::stderr().is_terminal() {
        return Style::PLAIN;
    }
    Style { colour: has_colour(), unicode: true, width: 100 }
}

fn has_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether results may be coloured.
pub(super) fn stdout_has_colour() -> bool {
    io::stdout().is_terminal() && has_colour()
}
