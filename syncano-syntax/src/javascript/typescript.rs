//! What the parser knows and Node doesn't: TypeScript, JSX, decorators.

use oxc_ast::AstKind;
use oxc_semantic::Semantic;
use oxc_span::GetSpan;

use super::Problem;

/// What the parser takes for JavaScript, and Node doesn't.
pub(super) fn beyond_node(semantic: &Semantic) -> Option<Problem> {
    semantic.nodes().iter().find_map(|node| {
        let message = match node.kind() {
            AstKind::Decorator(_) => "decorators are no part of Node's JavaScript",
            AstKind::AccessorProperty(_) => "`accessor` is no part of Node's JavaScript",
            _ => return None,
        };
        let span = node.kind().span();
        Some(Problem::new(message.to_owned(), span.start as usize..span.end as usize))
    })
}

/// The refusal of a script that is wrong as JavaScript and right as TypeScript.
pub(super) fn refusal(_source: &str) -> Option<Problem> {
    None
}
