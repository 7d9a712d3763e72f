//! Finds the bracket behind a syntax error.
//!
//! A parser notices an unclosed bracket where the next statement makes no sense inside of it, or at the end.

use std::ops::Range;

use super::token::{Kind, Token, tokens};

/// The message and place to tell instead, if the error at `at` comes from a bracket.
pub(super) fn bracket(source: &str, at: usize) -> Option<(String, Range<usize>)> {
    let tokens: Vec<Token> = tokens(source).collect();
    let mut open: Vec<Token> = Vec::new();
    for token in tokens.iter().take_while(|token| token.start < at) {
        match token.kind {
            Kind::Open => open.push(*token),
            Kind::Close => drop(open.pop()),
            _ => {}
        }
    }
    let opener = open.pop()?;
    let text = &source[opener.range()];
    let (text, range) =
        if text.starts_with('`') { ("${", opener.end - 2..opener.end) } else { (text, opener.range()) };
    let unclosed = Some((format!("`{text}` was never closed"), range));
    let Some(found) = tokens.iter().find(|token| token.start >= at) else { return unclosed };
    let word = &source[found.range()];
    match found.kind {
        Kind::Close if !closes(text, word) => {
            let outer = open.iter().any(|outer| closes(&source[outer.range()], word));
            if outer { unclosed } else { Some((format!("`{word}` does not close `{text}`"), found.range())) }
        }
        Kind::Word if found.first && text != "{" && is_statement(word) => unclosed,
        _ => None,
    }
}

fn closes(opener: &str, closer: &str) -> bool {
    matches!((opener, closer), ("(", ")") | ("[", "]") | ("{", "}"))
        || closer.starts_with('}') && opener.contains("${")
}

/// Words that can't stand inside of round or square brackets.
fn is_statement(word: &str) -> bool {
    matches!(
        word,
        "const"
            | "let"
            | "var"
            | "if"
            | "for"
            | "while"
            | "do"
            | "return"
            | "throw"
            | "try"
            | "switch"
            | "export"
            | "break"
            | "continue"
    )
}
