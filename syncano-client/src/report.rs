//! A failed call as a report of miette: what happened, the line of the script, where it was called, what it was limited to.

use std::fmt::{self, Display, Write as _};
use std::path::Path;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use crate::called::CompiledScript;
use crate::error::visible;
use crate::{CallError, Error};

/// So that `?` takes it where calls are reported.
impl Diagnostic for Error {}

impl<E: fmt::Debug> Diagnostic for CallError<E> {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let called = self.called();
        let mut text = format!("called by {} at {}", called.method(), called.location());
        if let Some(limits) = called.limits() {
            let _ = write!(text, "\nlimits in force: {limits}");
        }
        if let Some(trace) = called.trace() {
            let _ = write!(text, "\nthe server keeps the run as trace {trace}");
        }
        Some(Box::new(text))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.failed_line().map(|failed| failed.script as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let FailedLine { span, what, .. } = self.failed_line()?;
        let what = what.map(|what| what.chars().flat_map(visible).collect());
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(what, span))))
    }
}

/// The line of a script that an error comes from.
struct FailedLine {
    script: &'static CompiledScript,
    span: SourceSpan,
    /// What the interpreter says of it.
    what: Option<String>,
}

impl<E> CallError<E> {
    /// The line, if the server ran the very script that the program was compiled with, as far as that line shows.
    fn failed_line(&self) -> Option<FailedLine> {
        let CallError::Script(failure) = self else { return None };
        let script = failure.endpoint.script()?;
        let Told { number, text, what } = python(&failure.stderr).or_else(|| javascript(&failure.stderr))?;
        let start: usize = script.text.split_inclusive('\n').take(number - 1).map(str::len).sum();
        let line = script.text.get(start..)?.lines().next()?;
        let indentation = line.len() - line.trim_start().len();
        let span = SourceSpan::from((start + indentation, line.trim().len()));
        (line.trim() == text).then(|| FailedLine { script, span, what: what.map(str::to_owned) })
    }
}

/// A line of a script as its interpreter names it.
#[derive(Debug, PartialEq)]
struct Told<'a> {
    /// Counted from 1.
    number: usize,
    text: &'a str,
    /// The error.
    what: Option<&'a str>,
}

/// The innermost frame of the script in the last traceback.
fn python(stderr: &str) -> Option<Told<'_>> {
    let mut lines = stderr.lines().peekable();
    let mut found = None;
    while let Some(line) = lines.next() {
        let file = line.trim_start().strip_prefix("File \"<").filter(|name| !name.starts_with("frozen "));
        if let Some((_, rest)) = file.and_then(|rest| rest.split_once(">\", line "))
            && let Some(number) = line_number(rest.split(',').next().unwrap_or_default())
            && let Some(text) = lines.peek()
        {
            found = Some((number, text.trim()));
        }
    }
    let what = stderr.lines().last().map(str::trim);
    found.map(|(number, text)| Told { number, text, what })
}

/// The line that Node shows above an error: the file and the number, the line itself, and a mark below it.
fn javascript(stderr: &str) -> Option<Told<'_>> {
    let lines: Vec<&str> = stderr.lines().collect();
    let (index, number) = (0..lines.len().saturating_sub(2)).rev().find_map(|index| {
        let (file, number) = lines[index].rsplit_once(':')?;
        let marked =
            file.starts_with('<') && file.ends_with('>') && lines[index + 2].trim_start().starts_with('^');
        Some((index, line_number(number).filter(|_| marked)?))
    })?;
    let what = lines[index + 3..].iter().map(|line| line.trim()).find(|line| !line.is_empty());
    Some(Told { number, text: lines[index + 1].trim(), what })
}

fn line_number(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|number| *number > 0)
}

/// With the lines of the file that the script stands in.
impl SourceCode for CompiledScript {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, lines_before, lines_after)?;
        let rust_file = Path::new(self.rust_file);
        let file = self.file.map_or(rust_file.to_owned(), |file| rust_file.with_file_name(file));
        Ok(Box::new(MietteSpanContents::new_named(
            file.display().to_string(),
            contents.data(),
            *contents.span(),
            self.line - 1 + contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_last_of_the_script_that_is_named() {
        let stderr = "Traceback (most recent call last):\n  File \"<a/b>\", line 1, in <module>\n    first()\nKeyError: 1\n\n\
            During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  \
            File \"<a/b>\", line 5, in main\n    second( )\n    ~~~~~~^^^\n  File \"/usr/lib/python3.11/x.py\", line 9, in y\n    z\n  \
            File \"<frozen os>\", line 7, in w\nValueError: no";
        let told = Told { number: 5, text: "second( )", what: Some("ValueError: no") };
        assert_eq!(python(stderr), Some(told));
        assert_eq!(javascript(stderr), None);
        let stderr =
            "printed: 3\n<a/b>:7\n  throw new Error('no');\n  ^\n\nError: no\n    at main (<a/b>:7:9)";
        let told = Told { number: 7, text: "throw new Error('no');", what: Some("Error: no") };
        assert_eq!(javascript(stderr), Some(told));
        assert_eq!(python(stderr), None);
        for nothing in ["", "File \"<a>\", line 0, in x\n  y", "<a>:1", "a:1\nb\n^", "<a>:x\nb\n^"] {
            assert_eq!((python(nothing), javascript(nothing)), (None, None), "{nothing}");
        }
    }
}
