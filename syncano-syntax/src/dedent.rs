//! Scripts inside Rust literals are indented like the code around them; Python minds.

use std::borrow::Cow;

/// A script without the indentation that its place in a Rust file gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedented<'a> {
    /// The script.
    pub text: Cow<'a, str>,
    /// Lines cut from the start: 1 if the literal began with a line break, else 0.
    pub dropped_lines: usize,
    /// Characters cut from the start of every line that isn't blank.
    pub indent: usize,
}

/// Removes the white space that all lines have in common, as Python's `textwrap.dedent` does.
///
/// Blank lines don't count and lose their blanks. A tab equals no number of spaces. A blank first line, which is the
/// line break after `r#"`, is dropped.
///
/// ```
/// let script = syncano_syntax::dedent(
///     r#"
///     def main():
///         return 1
///     "#,
/// );
/// assert_eq!(script.text, "def main():\n    return 1\n");
/// assert_eq!((script.dropped_lines, script.indent), (1, 4));
/// ```
pub fn dedent(source: &str) -> Dedented<'_> {
    let (body, dropped_lines) = match source.split_once('\n') {
        Some((first, rest)) if is_blank(first) => (rest, 1),
        _ => (source, 0),
    };
    let margin = body
        .split_inclusive('\n')
        .filter(|line| !is_blank(line))
        .map(indentation)
        .reduce(common_prefix)
        .unwrap_or_default();

    let has_blanks = |line: &str| is_blank(line) && line.starts_with([' ', '\t']);
    let text = if margin.is_empty() && !body.split_inclusive('\n').any(has_blanks) {
        Cow::Borrowed(body)
    } else {
        let line = |line| {
            if is_blank(line) { str::trim_start_matches(line, [' ', '\t']) } else { &line[margin.len()..] }
        };
        Cow::Owned(body.split_inclusive('\n').map(line).collect())
    };
    Dedented { text, dropped_lines, indent: margin.len() }
}

fn is_blank(line: &str) -> bool {
    indentation(line).len() == line.trim_end_matches(['\r', '\n']).len()
}

/// Only spaces and tabs: whatever else Unicode calls white space is an error to Python.
fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    &a[..same]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        dedent(source).text.into_owned()
    }

    #[test]
    fn cuts_what_all_lines_share() {
        let dedented = dedent("\n        def main():\n            return 1\n\n        x = 2\n    ");
        assert_eq!(dedented.text, "def main():\n    return 1\n\nx = 2\n");
        assert_eq!(dedented.dropped_lines, 1);
        assert_eq!(dedented.indent, 8);
    }

    #[test]
    fn leaves_unindented_text_alone() {
        let dedented = dedent("def main():\n    return 1\n");
        assert!(matches!(dedented.text, Cow::Borrowed(_)));
        assert_eq!((dedented.dropped_lines, dedented.indent), (0, 0));
        assert_eq!(text(""), "");
        assert_eq!(text("x"), "x");
    }

    #[test]
    fn text_on_the_first_line_sets_the_margin() {
        assert_eq!(text("def main():\n        return 1"), "def main():\n        return 1");
        assert_eq!(text("  a\n    b"), "a\n  b");
    }

    #[test]
    fn tabs_and_spaces_differ() {
        assert_eq!(text("\n\tif x:\n\t\ty\n"), "if x:\n\ty\n");
        assert_eq!(text("\n\tx\n    y\n"), "\tx\n    y\n");
        assert_eq!(text("\n \tx\n  y\n"), "\tx\n y\n");
    }

    #[test]
    fn blank_lines_do_not_count() {
        assert_eq!(text("\n    x\n \n        \n    y\n"), "x\n\n\ny\n");
        assert_eq!(text("\n   \n"), "\n");
        assert_eq!(dedent("   ").text, "");
    }

    #[test]
    fn keeps_windows_line_ends() {
        let dedented = dedent("\r\n    x\r\n  \r\n    y\r\n");
        assert_eq!(dedented.text, "x\r\n\r\ny\r\n");
        assert_eq!((dedented.dropped_lines, dedented.indent), (1, 4));
    }

    #[test]
    fn unicode_blanks_are_text() {
        assert_eq!(text("\n    x\n\u{a0}\n"), "    x\n\u{a0}\n");
    }
}
