//! No text makes the check panic, and what it says always fits the text.

use proptest::prelude::*;
use syncano_syntax::dedent;
use syncano_syntax::python::{Version, check};

fn assert_sound(source: &str) {
    for version in ["3.7", "3.11", "3.14"] {
        let Err(error) = check(source, version.parse::<Version>().expect("a version")) else { continue };
        assert!(source.get(error.span.clone()).is_some(), "{error:?}");
        assert!(error.start <= error.end, "{error:?}");
        assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
        assert!(!error.message.ends_with('.'), "{error:?}");
        let rendered = error.render(source, "x.py", 1);
        let place = format!("x.py:{}:{}", error.start.line, error.start.column);
        assert!(rendered.contains(&place), "{place} isn't in\n{rendered}");
    }
}

/// Texts of Python's words, which get further than any text.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "x",
        "1",
        "'",
        "\"",
        "'''",
        "f'",
        "f\"\"\"",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        "=",
        ":=",
        "+",
        "-",
        "*",
        "**",
        ".",
        ";",
        "@",
        "!",
        "\\",
        "#",
        "\n",
        "\n  ",
        "\n    ",
        "\r\n",
        "\r",
        "\t",
        "\u{c}",
        "\u{feff}",
        "ż",
        "𝒳",
        "é",
        "def f",
        "class A",
        "return",
        "yield",
        "await",
        "async",
        "lambda",
        "if",
        "else",
        "elif",
        "for",
        "in",
        "while",
        "break",
        "try",
        "except",
        "finally",
        "with",
        "as",
        "match",
        "case",
        "type",
        "global x",
        "nonlocal x",
        "import",
        "from",
        "del",
        "not",
        "and",
        "is",
        "_",
        "0x",
        "1e",
        "b'",
        "\\N{",
        "\u{0}",
    ]);
    prop::collection::vec((word, prop::bool::ANY), 0..40).prop_map(|words| {
        words.into_iter().map(|(word, gap)| word.to_owned() + if gap { " " } else { "" }).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(source in any::<String>()) {
        assert_sound(&source);
    }

    #[test]
    fn any_words(source in words()) {
        assert_sound(&source);
    }

    #[test]
    fn dedented_text_keeps_its_lines(source in "[ \ta\n\r]{0,40}") {
        let dedented = dedent(&source);
        prop_assert_eq!(source.matches('\n').count(), dedented.text.matches('\n').count() + dedented.dropped_lines);
        prop_assert_eq!(dedent(&dedented.text).indent, 0);
    }
}
