//! Findings for people: the text at fault, underlined, with what to say about it (by miette).

use super::{Diagnostic, Severity, SourceFile, Sources, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt::{self, Write as _};

/// How findings are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// With box-drawing characters; else plain ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Style {
    /// For a file or a pipe: the same everywhere.
    pub const PLAIN: Style = Style { colour: false, unicode: false, width: 100 };
}

/// Renders findings one after the other.
pub fn render(sources: &Sources, diagnostics: &[Diagnostic], style: Style) -> String {
    let theme = GraphicalTheme {
        characters: if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if style.colour { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_links(false)
        .with_context_lines(1)
        .with_wrap_lines(true);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let report = Report::new(sources, diagnostic);
        if handler.render_report(&mut out, &report).is_err() {
            // The drawing failed; the finding itself is never lost.
            let _ = writeln!(out, "{}: {}", diagnostic.code, diagnostic.message);
        }
        out.push('\n');
    }
    out
}

/// "2 errors and 1 warning"; empty where there is nothing.
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let number = |severity: Severity, word: &str| {
        let count = diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{count} {word}s")),
        }
    };
    let parts: Vec<String> = [
        number(Severity::Error, "error"),
        number(Severity::Warning, "warning"),
        number(Severity::Note, "note"),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.join(" and ")
}

/// A finding as miette wants it. Labels in other files are reports of their own.
#[derive(Debug)]
struct Report {
    message: String,
    code: &'static str,
    severity: Severity,
    text: Option<Text>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    related: Vec<Report>,
}

impl Report {
    fn new(sources: &Sources, diagnostic: &Diagnostic) -> Self {
        let file = diagnostic.span.and_then(|span| sources.get(span.file));
        let mut labels = Vec::new();
        let mut related = Vec::new();
        if let (Some(span), Some(file)) = (diagnostic.span, file) {
            labels.push(LabeledSpan::new_primary_with_span(diagnostic.here.clone(), clamped(span, file)));
        }
        for label in &diagnostic.labels {
            let Some(other) = sources.get(label.span.file) else { continue };
            let drawn = LabeledSpan::new_with_span(Some(label.message.clone()), clamped(label.span, other));
            if diagnostic.span.is_some_and(|span| span.file == label.span.file) {
                labels.push(drawn);
            } else {
                related.push(Report {
                    message: label.message.clone(),
                    code: "",
                    severity: Severity::Note,
                    text: Some(Text::new(other)),
                    labels: vec![LabeledSpan::new_primary_with_span(None, clamped(label.span, other))],
                    help: None,
                    related: Vec::new(),
                });
            }
        }
        let mut help = diagnostic.help.clone();
        if let Some(witness) = &diagnostic.witness
            && let Ok(example) = serde_json::to_string(witness)
        {
            let line = format!("an example user: {example}");
            help = Some(help.map_or_else(|| line.clone(), |help| format!("{help}\n{line}")));
        }
        Report {
            message: diagnostic.message.clone(),
            code: diagnostic.code.id(),
            severity: diagnostic.severity,
            text: file.map(Text::new),
            labels,
            help,
            related,
        }
    }
}

/// A span within its text, on character boundaries. One at the very end is drawn on the last
/// character, for beyond it there is nothing to draw on.
fn clamped(span: Span, file: &SourceFile) -> SourceSpan {
    let text = &file.text;
    let visible = text.trim_end().len();
    let mut start = super::line_index::floor_boundary(text, (span.start as usize).min(text.len()));
    let mut end = super::line_index::floor_boundary(text, (span.end as usize).min(text.len())).max(start);
    if start >= visible && visible > 0 {
        start = super::line_index::floor_boundary(text, visible - 1);
        end = visible;
    }
    // What stands on several lines is underlined on its first.
    if let Some(stretch) = text.get(start..end)
        && let Some(line_end) = stretch.find('\n')
    {
        let first = stretch.get(..line_end).unwrap_or(stretch).trim_end();
        end = start + first.len().max(1).min(stretch.len());
    }
    (start, end - start).into()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.code.is_empty()).then(|| Box::new(self.code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.as_ref().map(|text| text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty())
            .then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = _>>)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        (!self.related.is_empty()).then(|| {
            Box::new(self.related.iter().map(|report| report as &dyn miette::Diagnostic))
                as Box<dyn Iterator<Item = _>>
        })
    }
}

/// A file's text for miette, with columns that count characters rather than bytes.
#[derive(Debug)]
struct Text {
    file: SourceFile,
}

impl Text {
    fn new(file: &SourceFile) -> Self {
        Text { file: file.clone() }
    }
}

impl SourceCode for Text {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.file.text.as_str().read_span(span, before, after)?;
        let column = self.file.line_column(contents.span().offset()).column - 1;
        // Miette counts the lines before them too, and would show all lines between two places.
        let lines = contents.data().iter().filter(|byte| **byte == b'\n').count().max(1);
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.path.clone(),
            contents.data(),
            *contents.span(),
            contents.line(),
            column,
            lines,
        )))
    }
}
