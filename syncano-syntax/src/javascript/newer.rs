//! Syntax that only some versions of Node have.

use std::collections::HashSet;

use oxc_ast::AstKind;
use oxc_ast::ast::{ImportPhase, RegExpFlags, VariableDeclarationKind, WithClauseKeyword};
use oxc_semantic::Semantic;
use oxc_span::{GetSpan, Span};

use super::Version;
use super::check::Problem;

/// What the version doesn't know, if anything.
pub(super) fn than(semantic: &Semantic, version: Version) -> Option<Problem> {
    let found = semantic.nodes().iter().filter_map(|node| {
        let (what, since, span) = needs(semantic.source_text(), node.kind())?;
        let message = match since {
            Since::Version(since) if !version.is_at_least(since) => {
                format!("{what} need Node {since}, and the script is for Node {version}")
            }
            Since::Gone(last) if version.is_at_least(last) => {
                format!("{what} are gone from Node {last} on: write `with`")
            }
            Since::Never => format!("{what} are no part of Node's JavaScript"),
            _ => return None,
        };
        Some(Problem::new(message, span.start as usize..span.end as usize))
    });
    found.min_by_key(|problem| problem.span.start)
}

enum Since {
    Version(u8),
    Gone(u8),
    Never,
}

fn needs(source: &str, kind: AstKind) -> Option<(&'static str, Since, Span)> {
    let phase = |phase: ImportPhase| match phase {
        ImportPhase::Source => ("imports of sources", Since::Version(24)),
        ImportPhase::Defer => ("deferred imports", Since::Never),
    };
    match kind {
        AstKind::VariableDeclaration(declaration) => {
            let is_using = matches!(
                declaration.kind,
                VariableDeclarationKind::Using | VariableDeclarationKind::AwaitUsing
            );
            is_using.then_some(("`using` declarations", Since::Version(24), declaration.span))
        }
        AstKind::WithClause(clause) => (clause.keyword == WithClauseKeyword::Assert).then_some((
            "`assert` clauses",
            Since::Gone(22),
            clause.span,
        )),
        AstKind::ImportDeclaration(import) => {
            let (what, since) = phase(import.phase?);
            Some((what, since, import.span))
        }
        AstKind::ImportExpression(import) => {
            let (what, since) = phase(import.phase?);
            Some((what, since, import.span))
        }
        AstKind::RegExpLiteral(literal) => {
            let span = literal.span();
            if literal.regex.flags.contains(RegExpFlags::V) {
                return Some(("regular expressions with the flag `v`", Since::Version(20), span));
            }
            pattern(&source[span.start as usize..span.end as usize])
                .map(|what| (what, Since::Version(24), span))
        }
        _ => None,
    }
}

/// What in a regular expression only newer versions know.
fn pattern(text: &str) -> Option<&'static str> {
    let mut names = HashSet::new();
    let (mut in_class, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let Some(kind) = rest.strip_prefix('?') else { continue };
                if kind.starts_with(['i', 'm', 's', '-']) {
                    return Some("modifiers inside of regular expressions");
                }
                if let Some(name) = kind.strip_prefix('<')
                    && !name.starts_with(['=', '!'])
                    && let Some((name, _)) = name.split_once('>')
                    && !names.insert(name)
                {
                    return Some("two groups of the same name");
                }
            }
            _ => {}
        }
    }
    None
}
