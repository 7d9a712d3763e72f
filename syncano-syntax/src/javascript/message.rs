//! The parser's messages, in our form.

use std::ops::Range;

use oxc_diagnostics::{LabeledSpan, OxcDiagnostic};

use super::token::tokens;

/// Where an error is, of the places that it names.
pub(super) fn place(source: &str, error: &OxcDiagnostic) -> Range<usize> {
    let range = |label: &LabeledSpan| {
        let start = (label.offset() as usize).min(source.len());
        start..(start + label.len() as usize).min(source.len())
    };
    // Of two declarations the second one is wrong.
    let primary = error.labels.iter().find(|label| label.primary());
    let last = error.labels.iter().max_by_key(|label| label.offset());
    primary.or(last).map_or(0..0, range)
}

/// Whether an error says no more than that a token can't stand there.
pub(super) fn is_about_token(error: &OxcDiagnostic) -> bool {
    error.message == "Unexpected token"
}

/// What is wrong, and where to show it.
pub(super) fn of(source: &str, error: &OxcDiagnostic, span: Range<usize>) -> (String, Range<usize>) {
    let message = error.message.trim_end_matches('.');
    let text = match message {
        "Unexpected token" | "Unexpected end of file" => {
            format!("unexpected {}", found(source, &span).trim_start_matches("the "))
        }
        "Expected a semicolon or an implicit semicolon after a statement, but found none" => {
            // It is shown behind the statement; what follows is what doesn't fit.
            let span =
                tokens(source).find(|token| token.start >= span.start).map_or(span, |next| next.range());
            let next = found(source, &span);
            let text = match next.as_str() {
                "`)`" | "`]`" | "`}`" => format!("unexpected {next}"),
                _ => format!("expected a semicolon or a new line before {next}"),
            };
            return (text, span);
        }
        "'with' statements are not allowed" => {
            "`with` is not allowed in strict mode, which modules are in".to_owned()
        }
        "'0'-prefixed octal literals and octal escape sequences are deprecated" => {
            "octal numbers and escapes are not allowed in strict mode, which modules are in: write `0o…`"
                .to_owned()
        }
        "A 'return' statement can only be used within a function body" => {
            "`return` outside of a function: a script prints its answer, or calls `setResponse`".to_owned()
        }
        "Cannot assign to this expression" => TARGET.to_owned(),
        "Illegal break statement" => "`break` outside of a loop or `switch`".to_owned(),
        "Illegal continue statement: no surrounding iteration statement" => {
            "`continue` outside of a loop".to_owned()
        }
        "Encountered diff marker" => "a conflict of a merge is left: resolve it".to_owned(),
        "Unexpected new.target expression" => "`new.target` outside of a function".to_owned(),
        "Use of undefined label" => format!("no label {} around it", found(source, &span)),
        "Unterminated string" if source[span.start..].starts_with('`') => "unterminated template".to_owned(),
        _ if is_about_await(message) => AWAIT.to_owned(),
        _ if message.starts_with("Cannot use ") && message.ends_with(" statement outside a module") => {
            let word = message.split(' ').nth(2).unwrap_or_default();
            format!("`{word}` can only stand at the top level of a script")
        }
        _ => {
            let message = message.strip_prefix("Identifier ").unwrap_or(message);
            match message.rsplit_once(" but found `") {
                Some((expected, _)) => format!("{} but found {}", backticked(expected), found(source, &span)),
                None => in_lower_case(&backticked(message)),
            }
        }
    };
    (text, span)
}

pub(super) const TARGET: &str = "cannot assign to this expression";

const AWAIT: &str = "`await` is only valid in async functions and at the top level";

/// Whether it is the message about an `await` that stands where none may.
pub(super) fn is_about_await(message: &str) -> bool {
    message == AWAIT
        || message.starts_with("`await` is only allowed")
        || message.starts_with("`for await` loops are only")
}

/// What stands there.
fn found(source: &str, span: &Range<usize>) -> String {
    let text = source.get(span.clone()).unwrap_or_default();
    match text.lines().next().unwrap_or_default() {
        "" => "the end of the script".to_owned(),
        line if line.chars().count() > 40 => format!("`{}…`", line.chars().take(40).collect::<String>()),
        line => format!("`{line}`"),
    }
}

/// The parser writes some words in capitals, and names flags without quotes.
fn in_lower_case(message: &str) -> String {
    let message = message.replace("Invalid Character", "invalid character");
    if let Some((before, after)) = message.split_once("regular expression: ") {
        let mut after = after.chars();
        let first = after.next().into_iter().flat_map(char::to_lowercase);
        return format!("{before}regular expression: {}", first.chain(after).collect::<String>());
    }
    let mut words = message.split(' ').map(str::to_owned).collect::<Vec<_>>();
    if let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("flag"))
        && let Some(flag) = words.get_mut(at + 1)
    {
        *flag = format!("`{flag}`");
    }
    words.join(" ")
}

/// Quotes code in backticks; an apostrophe stays one.
fn backticked(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut open = false;
    let mut before = ' ';
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        let opens = !open && !before.is_alphanumeric();
        let closes = open && chars.peek().is_none_or(|after| !after.is_alphanumeric());
        if c == '\'' && (opens || closes) {
            open = opens;
            text.push('`');
        } else {
            text.push(c);
        }
        before = c;
    }
    text
}
