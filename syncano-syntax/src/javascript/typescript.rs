//! What the parser knows and Node doesn't: TypeScript, JSX, decorators.

use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_ast::AstKind;
use oxc_ast::ast::FunctionType;
use oxc_parser::Parser;
use oxc_semantic::{Semantic, SemanticBuilder};
use oxc_span::{GetSpan, SourceType, Span};

use super::check::Problem;
use super::token::{Kind, tokens};

/// What the parser takes for JavaScript, and Node doesn't.
pub(super) fn beyond_node(semantic: &Semantic) -> Option<Problem> {
    semantic.nodes().iter().find_map(|node| {
        let message = match node.kind() {
            AstKind::Decorator(_) => "decorators are no part of Node's JavaScript: call the function instead",
            AstKind::AccessorProperty(_) => {
                "`accessor` is no part of Node's JavaScript: write a getter and a setter"
            }
            // Some of it the parser lets pass.
            kind => {
                return foreign(semantic.source_text(), kind)
                    .map(|found| found.refusal(semantic.source_text()));
            }
        };
        Some(Problem::new(message.to_owned(), range(node.kind().span())))
    })
}

/// The refusal of a script that is wrong as JavaScript and right as something that is compiled to it.
pub(super) fn refusal(source: &str) -> Option<Problem> {
    // To tell types from comparisons the parser tries both, again and again inside of each other.
    if depth(source) > MAX_DEPTH {
        return None;
    }
    [SourceType::ts(), SourceType::jsx(), SourceType::tsx()].into_iter().find_map(|kind| {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, source, kind).parse();
        if parsed.diagnostics.has_errors() {
            return None;
        }
        let built = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program);
        let found = built.semantic.nodes().iter().filter_map(|node| foreign(source, node.kind()));
        Some(found.min_by_key(|foreign| foreign.span.start)?.refusal(source))
    })
}

const MAX_DEPTH: usize = 32;

/// How deep brackets, and what may be brackets of types, nest.
fn depth(source: &str) -> usize {
    let (mut depth, mut angles, mut deepest) = (0_usize, 0_usize, 0_usize);
    for token in tokens(source) {
        match (token.kind, &source[token.range()]) {
            (Kind::Open, _) => depth += 1,
            (Kind::Close, _) => depth = depth.saturating_sub(1),
            (Kind::Semicolon, _) => angles = 0,
            (_, "<" | "<<" | "?" | "=>") => angles += 1,
            (_, ">" | ">>" | ":") => angles = angles.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth + angles);
    }
    deepest
}

struct Foreign {
    language: &'static str,
    what: &'static str,
    span: Range<usize>,
}

impl Foreign {
    fn refusal(self, source: &str) -> Problem {
        let Foreign { language, what, span } = self;
        let text =
            source.get(span.clone()).and_then(|text| text.lines().next()).unwrap_or_default().trim_end();
        let message = format!(
            "this is {language}: `{text}` is {what}, and Node runs scripts as JavaScript: remove it, or compile the script first"
        );
        Problem::new(message, span)
    }
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// What a node is that JavaScript doesn't have.
fn foreign(source: &str, kind: AstKind) -> Option<Foreign> {
    let whole = range(kind.span());
    let typescript = |what, span| Some(Foreign { language: "TypeScript", what, span });
    // What follows an expression inside of the node, without the blanks between.
    let behind = |inner: Span| {
        let rest = &source[inner.end as usize..whole.end];
        whole.end - rest.trim_start().len()..whole.end
    };
    // The words that a declaration begins with, up to its name.
    let heading = |end: u32| whole.start..end as usize;
    match kind {
        AstKind::TSTypeAnnotation(_) => typescript("a type annotation", whole),
        AstKind::TSTypeParameterDeclaration(_) => typescript("a list of type parameters", whole),
        AstKind::TSTypeParameterInstantiation(_) => typescript("a list of type arguments", whole),
        AstKind::TSAsExpression(node) => typescript("a type assertion", behind(node.expression.span())),
        AstKind::TSSatisfiesExpression(node) => {
            typescript("a check of types", behind(node.expression.span()))
        }
        AstKind::TSNonNullExpression(node) => typescript("an assertion", behind(node.expression.span())),
        AstKind::TSTypeAssertion(_) => typescript("a type assertion", whole),
        AstKind::TSInterfaceDeclaration(node) => typescript("an interface", heading(node.id.span.end)),
        AstKind::TSTypeAliasDeclaration(node) => typescript("a type", heading(node.id.span.end)),
        AstKind::TSEnumDeclaration(node) => typescript("an enumeration", heading(node.id.span.end)),
        AstKind::TSNamespaceDeclaration(node) => typescript("a namespace", heading(node.id.span().end)),
        AstKind::TSImportEqualsDeclaration(_) => typescript("an import", whole),
        AstKind::TSExportAssignment(_) => typescript("an export", whole),
        AstKind::TSClassImplements(_) => typescript("an interface that the class implements", whole),
        AstKind::TSIndexSignature(_) => typescript("an index signature", whole),
        AstKind::ImportDeclaration(node) if node.import_kind.is_type() => {
            typescript("an import of types", whole)
        }
        AstKind::ExportNamedDeclaration(node) if node.export_kind.is_type() => {
            typescript("an export of types", whole)
        }
        AstKind::Function(node) if node.r#type == FunctionType::TSDeclareFunction => {
            typescript("a function without a body", whole)
        }
        AstKind::Class(node) if node.r#abstract || node.declare => {
            typescript("a class of types", first_word(source, &whole))
        }
        AstKind::VariableDeclaration(node) if node.declare => {
            typescript("a declaration of types", first_word(source, &whole))
        }
        AstKind::FormalParameter(node) if node.optional => {
            let name = range(node.pattern.span());
            typescript("an optional parameter", name.start..(name.end + 1).min(whole.end.max(name.end)))
        }
        AstKind::FormalParameter(node) if node.accessibility.is_some() || node.readonly => {
            typescript("a modifier", first_word(source, &whole))
        }
        AstKind::PropertyDefinition(node)
            if node.accessibility.is_some()
                || node.readonly
                || node.declare
                || node.optional
                || node.definite =>
        {
            typescript("a property with modifiers", whole)
        }
        AstKind::MethodDefinition(node) if node.accessibility.is_some() => {
            typescript("a modifier", first_word(source, &whole))
        }
        AstKind::JSXOpeningElement(_) | AstKind::JSXOpeningFragment(_) => {
            Some(Foreign { language: "JSX", what: "an element", span: whole })
        }
        _ => None,
    }
}

fn first_word(source: &str, span: &Range<usize>) -> Range<usize> {
    let text = &source[span.clone()];
    span.start..span.start + text.find(char::is_whitespace).unwrap_or(text.len())
}
