//! What Node lets pass and the parser doesn't. Each was found by comparing the two on scripts with slips.

use oxc_ast::AstKind;
use oxc_diagnostics::OxcDiagnostic;
use oxc_semantic::Semantic;
use oxc_span::GetSpan;

use super::check::Problem;
use super::message;
use super::token::tokens;

/// Whether it is no problem to Node. The parser has given up there, so that what follows stays unchecked.
pub(super) fn passes(source: &str, problem: &Problem) -> bool {
    let (found, rest) = (&source[problem.span.clone()], source[problem.span.end..].trim_start());
    let before = tokens(source).take_while(|token| token.start < problem.span.start).last();
    let before = before.map(|token| &source[token.range()]).unwrap_or_default();
    // `f() = 1` fails only when it runs, for the sake of old pages.
    let calls = problem.message == message::TARGET
        && found.ends_with(')')
        && !["(", "new ", "import("].iter().any(|start| found.starts_with(start))
        && !found.contains("?.")
        && !["&&=", "||=", "??="].iter().any(|operator| rest.starts_with(operator))
        && !matches!(before, "[" | "..." | ":");
    // A program may have a variable `let`, also where a bracket closes behind it.
    calls || before == "let" && matches!(found, "}" | ")" | "]")
}

/// `const f = let => 1`: the parameter of an arrow function is no variable of the declaration around it.
pub(super) fn is_let_of_an_arrow(source: &str, error: &OxcDiagnostic, semantic: &Semantic) -> bool {
    if !error.message.starts_with("`let` cannot be declared") {
        return false;
    }
    let start = message::place(source, error).start;
    let nodes = semantic.nodes();
    let is_here = |kind: AstKind| matches!(kind, AstKind::BindingIdentifier(name) if name.span().start as usize == start);
    nodes.iter().filter(|node| is_here(node.kind())).any(|node| {
        let mut around = nodes.ancestor_kinds(node.id());
        let nearest = around.find(|kind| {
            matches!(kind, AstKind::ArrowFunctionExpression(_) | AstKind::VariableDeclaration(_))
        });
        matches!(nearest, Some(AstKind::ArrowFunctionExpression(_)))
    })
}
