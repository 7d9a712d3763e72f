//! No text makes the check panic, and what it says always fits the text.

use proptest::prelude::*;
use syncano_syntax::javascript::{Version, check};

fn assert_sound(source: &str) {
    let Err(error) = check(source, Version::default()) else { return };
    assert!(source.get(error.span.clone()).is_some(), "{error:?}");
    assert!(error.start <= error.end, "{error:?}");
    assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
    assert!(!error.message.ends_with('.'), "{error:?}");
    let rendered = error.render(source, "x.js", 1);
    let place = format!("x.js:{}:{}", error.start.line, error.start.column);
    assert!(rendered.contains(&place), "{place} isn't in\n{rendered}");
}

/// Texts of JavaScript's words, which get further than any text.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "x",
        "1",
        "'",
        "\"",
        "`",
        "${",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        ";",
        "=",
        "=>",
        "+",
        "++",
        "**",
        "?",
        "?.",
        "??",
        ".",
        "...",
        "/",
        "/x/g",
        "*",
        "<",
        "!",
        "@",
        "#y",
        "\\",
        "//",
        "/*",
        "*/",
        "<!--",
        "-->",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\u{feff}",
        "\u{2028}",
        "ż",
        "𝒳",
        "function f",
        "function",
        "class A",
        "class",
        "extends",
        "return",
        "yield",
        "await",
        "async",
        "if",
        "else",
        "for",
        "of",
        "in",
        "while",
        "do",
        "break",
        "continue",
        "try",
        "catch",
        "finally",
        "switch",
        "case",
        "default",
        "const",
        "let",
        "var",
        "new",
        "typeof",
        "delete",
        "import",
        "export",
        "export default",
        "from",
        "static",
        "get",
        "this",
        "super",
        "with",
        "\\u0061",
        "0x",
        "1e",
        "1n",
        "\u{0}",
        "ARGS",
        "interface I",
        "type T",
        "as",
        "enum E",
        "<a>",
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
}
