//! A finding, as people and as programs see it.

use std::io::IsTerminal as _;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use serde::Serialize;
use syncano_syntax::Diagnostic;

/// Bytes in a line; longer ones weren't written by hand.
const LONGEST_LINE: usize = 2000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// It can't be published, or can't run.
    Error,
    /// It may be meant, or depends on what is on the server.
    Warning,
}

/// One thing that is wrong. Serialised it is an entry of what `--json` answers; that shape stays.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    file: String,
    /// The script of the definition in `file` that the lines are counted in; `null` where they are the file's own.
    script: Option<String>,
    /// From 1; `null` where the place isn't known.
    line: Option<usize>,
    /// From 1, in characters.
    column: Option<usize>,
    end_line: Option<usize>,
    /// The first column behind it.
    end_column: Option<usize>,
    pub(crate) severity: Severity,
    code: &'static str,
    message: String,
    help: Option<String>,
    #[serde(skip)]
    label: Option<String>,
    #[serde(skip)]
    source: String,
    #[serde(skip)]
    span: Option<Range<usize>>,
}

impl Finding {
    /// A finding about these bytes of `source`, the text of `file`.
    pub(crate) fn new(
        file: &str,
        source: &str,
        span: Option<Range<usize>>,
        severity: Severity,
        code: &'static str,
        message: String,
    ) -> Finding {
        let place = span.map(|span| Diagnostic::new(source, span, ""));
        let start = place.as_ref().map(|place| place.start);
        let end = place.as_ref().map(|place| place.end);
        Finding {
            file: file.to_owned(),
            script: None,
            line: start.map(|start| start.line),
            column: start.map(|start| start.column),
            end_line: end.map(|end| end.line),
            end_column: end.map(|end| end.column),
            severity,
            code,
            message,
            help: None,
            label: None,
            // Without a place nothing of it is shown.
            source: if place.is_some() { source.to_owned() } else { String::new() },
            span: place.map(|place| place.span),
        }
    }

    /// What to write at the place itself.
    pub(crate) fn labelled(self, label: String) -> Finding {
        Finding { label: Some(label), ..self }
    }

    /// The way out, where the message doesn't name it.
    pub(crate) fn with_help(self, help: &str) -> Finding {
        Finding { help: Some(help.to_owned()), ..self }
    }

    /// It is about a script in a definition.
    pub(crate) fn in_script(self, name: &str) -> Finding {
        let message = match self.message.strip_prefix("the script ") {
            Some(rest) => format!("the script `{name}` {rest}"),
            None => format!("the script `{name}`: {}", self.message),
        };
        Finding { script: Some(name.to_owned()), message, ..self }
    }

    /// The finding as text for people, with the lines that it is about if they are short enough to be read.
    pub(crate) fn shown(&self) -> String {
        let mut diagnostic = MietteDiagnostic::new(printable(&self.message))
            .with_code(self.code)
            .with_severity(match self.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            });
        if let Some(help) = &self.help {
            diagnostic = diagnostic.with_help(printable(help));
        }
        let name = match &self.script {
            Some(script) => format!("{}, script `{script}`", self.file),
            None => self.file.clone(),
        };
        let name = printable(&name);
        let readable = self.source.lines().all(|line| line.len() <= LONGEST_LINE);
        let report = match &self.span {
            Some(span) if readable => {
                let label = LabeledSpan::new(self.label.as_deref().map(printable), span.start, span.len());
                Report::new(diagnostic.with_label(label))
                    .with_source_code(NamedSource::new(name, printable(&self.source)))
            }
            _ => {
                let place = match (self.line, self.column) {
                    (Some(line), Some(column)) => format!("{name}:{line}:{column}"),
                    _ => name,
                };
                diagnostic.message = format!("{place}: {}", printable(&self.message));
                Report::new(diagnostic)
            }
        };
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(theme()).with_width(100).with_links(false);
        match handler.render_report(&mut text, report.as_ref()) {
            Ok(()) => text,
            // Only a text that can't be written to fails, which a String isn't.
            Err(_) => printable(&self.message),
        }
    }
}

/// Others' scripts don't write to the terminal: each character that could is shown by one of as many bytes, so that places stay.
fn printable(source: &str) -> String {
    let shown = |c: char| match (c.is_control(), c.len_utf8(), c) {
        (_, _, '\n' | '\t' | '\r') | (false, 1 | 2, _) => c,
        (true, 1, _) => '?',
        (true, ..) => '\u{bf}',
        // What turns the direction of writing.
        (_, _, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => '\u{fffd}',
        _ => c,
    };
    source.chars().map(shown).collect()
}

/// Colours where somebody sees them and hasn't declined them.
fn theme() -> GraphicalTheme {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match std::io::stdout().is_terminal() && !declined {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    }
}
