//! Finds the bracket or the f-string behind a syntax error.
//!
//! A parser notices an unclosed bracket where the next statement makes no sense inside of it, a line or many too late.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged, TextRange, TextSize};

/// The message and place to tell instead, if the error at `error` comes from a bracket.
pub(super) fn bracket(source: &str, tokens: &[Token], error: TextRange) -> Option<(String, TextRange)> {
    let at = error.start();
    let opener = innermost_at(tokens, at)?;
    let text = &source[opener.range];
    let unclosed = Some((format!("`{text}` was never closed"), opener.range));
    let Some(closer) = opener.closer else {
        return unclosed;
    };

    let between = &source[TextRange::new(opener.range.end(), at.max(opener.range.end()))];
    let last_line = between.rsplit(['\n', '\r']).next().unwrap_or_default();
    let on_later_line = last_line.len() < between.len();
    if opener.kind.closer() != closer.kind() {
        // The closing one belongs to a bracket further out, or there is a slip on this line.
        if on_later_line && closer.start() > at {
            return unclosed;
        }
        if closer.range().contains(at) {
            let found = &source[closer.range()];
            return Some((format!("`{found}` does not close `{text}`"), closer.range()));
        }
        return None;
    }
    // A bracket of a later statement closes this one by accident.
    let stumbled_on =
        tokens.iter().find(|token| token.start() >= at && token.kind() != TokenKind::Comment)?;
    let starts_statement = match stumbled_on.kind() {
        // There is none inside of brackets: the parser gave up on them.
        TokenKind::Newline => true,
        kind => on_later_line && last_line.trim().is_empty() && is_statement(kind),
    };
    if starts_statement { unclosed } else { None }
}

/// Where the f-string starts whose end is missing at `error`.
pub(super) fn format_string(tokens: &[Token], error: TextRange) -> Option<TextRange> {
    let mut open = Vec::new();
    for token in tokens.iter().take_while(|token| token.start() < error.start()) {
        match token.kind() {
            TokenKind::FStringStart | TokenKind::TStringStart => open.push(token.range()),
            TokenKind::FStringEnd | TokenKind::TStringEnd => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

struct Opener {
    kind: Bracket,
    range: TextRange,
    /// What closes it, rightly or not.
    closer: Option<Token>,
}

#[derive(Clone, Copy)]
struct Bracket(TokenKind);

impl Bracket {
    fn closer(self) -> TokenKind {
        match self.0 {
            TokenKind::Lpar => TokenKind::Rpar,
            TokenKind::Lsqb => TokenKind::Rsqb,
            _ => TokenKind::Rbrace,
        }
    }
}

/// The innermost bracket that is open at `at`.
fn innermost_at(tokens: &[Token], at: TextSize) -> Option<Opener> {
    let mut open: Vec<Opener> = Vec::new();
    let mut tokens = tokens.iter();
    // Up to the place …
    let mut later = None;
    for token in tokens.by_ref() {
        if token.start() >= at {
            later = Some(token);
            break;
        }
        match token.kind() {
            kind @ (TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace) => {
                open.push(Opener { kind: Bracket(kind), range: token.range(), closer: None });
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                open.pop();
            }
            _ => {}
        }
    }
    // … and from there to what closes it.
    let mut opener = open.pop()?;
    let mut depth = 0_usize;
    for token in later.into_iter().chain(tokens) {
        match token.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace if depth == 0 => {
                opener.closer = Some(*token);
                break;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
            _ => {}
        }
    }
    Some(opener)
}

/// Words that can't stand inside of brackets.
fn is_statement(kind: TokenKind) -> bool {
    use TokenKind as T;

    matches!(
        kind,
        T::Assert
            | T::Break
            | T::Class
            | T::Continue
            | T::Def
            | T::Del
            | T::Elif
            | T::Except
            | T::Finally
            | T::Global
            | T::Import
            | T::Nonlocal
            | T::Pass
            | T::Raise
            | T::Return
            | T::Try
            | T::While
            | T::With
    )
}
