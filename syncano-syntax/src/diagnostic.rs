//! An error of a script, and how it is shown.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A place in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1. Lines end as they do in Python: at `\n`, `\r\n` and `\r`.
    pub line: usize,
    /// The column, from 1, in characters (not bytes). A byte order mark is not one.
    pub column: usize,
}

impl Position {
    fn of(source: &str, offset: usize) -> Self {
        let before = &source[..offset];
        let mut line = 1;
        let mut line_start = if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        for (at, byte) in before.bytes().enumerate() {
            // Of `\r\n` only the second ends the line, also for an offset between the two.
            if byte == b'\n' || byte == b'\r' && source.as_bytes().get(at + 1) != Some(&b'\n') {
                line += 1;
                line_start = at + 1;
            }
        }
        let column = before.get(line_start..).map_or(0, |text| text.chars().count()) + 1;
        Self { line, column }
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// What is wrong in a script, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// One line, which starts in lower case and has no stop.
    pub message: String,
    /// Where the wrong text starts.
    pub start: Position,
    /// Where it ends (exclusive).
    pub end: Position,
    /// The same as bytes of the source.
    pub span: Range<usize>,
}

impl Diagnostic {
    /// A message about some bytes of `source`.
    pub fn new(source: &str, span: Range<usize>, message: &str) -> Self {
        let start = source.floor_char_boundary(span.start);
        let end = source.ceil_char_boundary(span.end.max(start));
        Self {
            message: sentence(message),
            start: Position::of(source, start),
            end: Position::of(source, end),
            span: start..end,
        }
    }

    /// The place and the lines around it as plain text:
    ///
    /// ```text
    ///  --> scripts/hello.py:2:12
    ///   |
    /// 2 |     return f"hello {name}
    ///   |            ^^^^^^^^^^^^^^^ unterminated string
    /// ```
    ///
    /// `source` is the text that was checked, `origin` the name to show for it, and `first_line` the line of `origin`
    /// on which `source` starts: 1 for a file. The caller says first, in a line of its own, what this is about.
    pub fn render(&self, source: &str, origin: &str, first_line: usize) -> String {
        let text = source.strip_prefix(BYTE_ORDER_MARK).unwrap_or(source);
        let cut = source.len() - text.len();
        let source = with_plain_line_ends(text);
        let start = source.floor_char_boundary(self.span.start.saturating_sub(cut));
        let end = source.floor_char_boundary(self.span.end.saturating_sub(cut)).max(start);
        // Of a span over several lines the first is enough; the rest would bury the message.
        let end = source[start..end].find('\n').map_or(end, |length| start + length);

        let snippet = Snippet::source(source.as_ref())
            .path(origin)
            .line_start(first_line)
            .annotation(AnnotationKind::Primary.span(start..end).label(self.message.as_str()));
        let report = [Level::ERROR.primary_title("").element(snippet)];
        let rendered = Renderer::plain().render(&report);
        match rendered.split_once('\n') {
            Some((_title, place)) => place.to_owned(),
            None => rendered,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.start.line, self.start.column, self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Brings a parser's message into our form.
fn sentence(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    let first_word = line.split(' ').next().unwrap_or_default();
    let is_name = first_word.chars().skip(1).any(char::is_uppercase);
    let mut chars = line.chars();
    match chars.next() {
        Some(first) if !is_name => first.to_lowercase().chain(chars).collect(),
        _ => line.to_owned(),
    }
}

/// The renderer knows no line that ends in a lone `\r`. Offsets stay what they are.
fn with_plain_line_ends(source: &str) -> Cow<'_, str> {
    let bytes = source.as_bytes();
    let is_lone = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    if !(0..bytes.len()).any(is_lone) {
        return Cow::Borrowed(source);
    }
    Cow::Owned(source.char_indices().map(|(at, c)| if is_lone(at) { '\n' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(source: &str, offset: usize) -> (usize, usize) {
        let Position { line, column } = Position::of(source, offset);
        (line, column)
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("a\nżółw = )", "a\nżółw = ".len()), (2, 8));
        assert_eq!(position("\tx", 1), (1, 2));
        assert_eq!(position("a\n", 2), (2, 1));
    }

    #[test]
    fn lines_end_as_in_python() {
        assert_eq!(position("a\r\nb", 3), (2, 1));
        assert_eq!(position("a\r\nb", 2), (1, 3));
        assert_eq!(position("a\rb", 2), (2, 1));
        assert_eq!(position("a\u{c}b\u{2028}c", 6), (1, 5));
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        assert_eq!(position("\u{feff}x", 3), (1, 1));
        assert_eq!(position("\u{feff}x", 0), (1, 1));
        assert_eq!(position("\u{feff}x\ny", 5), (2, 1));
    }

    #[test]
    fn messages_are_one_line_in_lower_case() {
        let message = |text| Diagnostic::new("", 0..0, text).message;
        assert_eq!(message("Expected an expression."), "expected an expression");
        assert_eq!(message("IPython commands"), "IPython commands");
        assert_eq!(message("a\n  b"), "a b");
        assert_eq!(message("`x` twice"), "`x` twice");
        assert_eq!(message(""), "");
    }

    #[test]
    fn shows_the_place() {
        let source = "a = 1\nb = = 2\nc = 3\n";
        let error = Diagnostic::new(source, 10..11, "expected an expression");
        assert_eq!(
            error.render(source, "scripts/x.py", 1),
            " --> scripts/x.py:2:5\n  |\n2 | b = = 2\n  |     ^ expected an expression"
        );
        assert!(error.render(source, "src/lib.rs", 40).contains("src/lib.rs:41:5\n"));
        assert_eq!(error.to_string(), "2:5: expected an expression");
    }

    #[test]
    fn shows_the_first_line_of_several() {
        let source = "x = '''a\nb\nc";
        let rendered = Diagnostic::new(source, 4..13, "unterminated").render(source, "x.py", 1);
        assert_eq!(rendered, " --> x.py:1:5\n  |\n1 | x = '''a\n  |     ^^^^ unterminated");
    }

    #[test]
    fn shows_other_line_ends_and_the_end() {
        for source in ["a\rb\rc ?", "a\r\nb\r\nc ?", "a\nb\nc ?"] {
            let at = source.len() - 1;
            let error = Diagnostic::new(source, at..at + 1, "odd");
            assert!(error.render(source, "x.py", 1).contains("x.py:3:3\n"), "{source:?}");
        }
        for source in ["", "a", "a\n", "\u{feff}", "a\r", "\0"] {
            let error = Diagnostic::new(source, source.len()..source.len(), "ended");
            assert!(error.render(source, "x.py", 1).contains("^ ended"), "{source:?}");
        }
    }

    #[test]
    fn survives_a_source_that_is_not_its_own() {
        let error = Diagnostic::new("0123456789", 5..9, "odd");
        assert!(error.render("ż", "x.py", 1).contains("x.py:1"));
    }
}
