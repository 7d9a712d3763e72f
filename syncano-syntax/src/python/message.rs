//! The parser's messages, where they speak of the parser's insides.

use ruff_python_parser::semantic_errors::{SemanticSyntaxError, SemanticSyntaxErrorKind};
use ruff_python_parser::{LexicalErrorType, ParseErrorType};

pub(super) fn of_syntax(error: &ParseErrorType) -> String {
    match error {
        ParseErrorType::UnexpectedIpythonEscapeCommand => "expected a statement".to_owned(),
        ParseErrorType::UnexpectedExpressionToken => "unexpected text after the expression".to_owned(),
        ParseErrorType::Lexical(LexicalErrorType::Eof) => "unexpected end of the script".to_owned(),
        ParseErrorType::Lexical(LexicalErrorType::UnicodeError) => {
            "invalid Unicode escape in string literal".to_owned()
        }
        ParseErrorType::Lexical(LexicalErrorType::UnrecognizedToken { tok })
            if tok.is_control() || tok.is_whitespace() =>
        {
            format!("unexpected character U+{:04X}", u32::from(*tok))
        }
        ParseErrorType::Lexical(LexicalErrorType::UnrecognizedToken { tok }) => {
            format!("unexpected character `{tok}`")
        }
        // Numbers report the error type of Rust's own conversion.
        ParseErrorType::Lexical(LexicalErrorType::OtherError(text)) if text.contains("ParseIntError") => {
            "invalid number".to_owned()
        }
        ParseErrorType::ExpectedToken { .. } | ParseErrorType::UnexpectedTokenAfterAsync(_) => {
            token_names(&error.to_string())
        }
        error => error.to_string(),
    }
}

pub(super) fn of_semantics(error: &SemanticSyntaxError) -> String {
    match &error.kind {
        SemanticSyntaxErrorKind::DuplicateParameter(name) => format!("duplicate parameter `{name}`"),
        _ => error.to_string(),
    }
}

/// Names for classes of tokens that a reader of Python knows.
fn token_names(message: &str) -> String {
    message
        .replace("FStringStart", "f-string")
        .replace("FStringMiddle", "text of an f-string")
        .replace("FStringEnd", "end of the f-string")
        .replace("TStringStart", "t-string")
        .replace("TStringMiddle", "text of a t-string")
        .replace("TStringEnd", "end of the t-string")
        .replace("Unknown", "an invalid token")
        .replace(" int", " number")
        .replace(" float", " number")
        .replace(" complex", " number")
}
