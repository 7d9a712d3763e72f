//! The errors that a script raises for its callers, and the objects that its default function returns, where they are written out.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, Expression, ObjectExpression, ObjectPropertyKind};
use oxc_semantic::{NodeId, Semantic};
use oxc_span::{GetSpan, Span};

use crate::script::{Literal, Object};

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

/// The names that `AppError` is called with.
pub(super) fn raised(semantic: &Semantic) -> Vec<Literal> {
    let calls = semantic.nodes().iter().filter_map(|node| match node.kind() {
        AstKind::NewExpression(call) => Some((&call.callee, call.arguments.first()?)),
        AstKind::CallExpression(call) => Some((&call.callee, call.arguments.first()?)),
        _ => None,
    });
    calls
        .filter_map(|(callee, first)| match (callee, first) {
            (Expression::Identifier(name), Argument::StringLiteral(text)) if name.name == "AppError" => {
                // Another one of that name may take anything.
                let given = semantic.scoping().get_reference(name.reference_id()).symbol_id().is_none();
                given.then(|| Literal { text: text.value.to_string(), span: range(text.span) })
            }
            _ => None,
        })
        .collect()
}

/// The objects that the function with these parameters returns.
pub(super) fn returned(semantic: &Semantic, params: NodeId) -> Vec<Object> {
    let nodes = semantic.nodes();
    let function = nodes.parent_id(params);
    if let AstKind::ArrowFunctionExpression(arrow) = nodes.kind(function)
        && let Some(Expression::ParenthesizedExpression(value)) = arrow.get_expression()
    {
        return object(&value.expression).into_iter().collect();
    }
    let returns = nodes.iter().filter_map(|node| match node.kind() {
        AstKind::ReturnStatement(result) => Some((node.id(), result.argument.as_ref()?)),
        _ => None,
    });
    let is_function =
        |kind: &AstKind| matches!(kind, AstKind::Function(_) | AstKind::ArrowFunctionExpression(_));
    let own = returns.filter(|(id, _)| {
        let nearest = nodes.ancestor_ids(*id).find(|id| is_function(&nodes.kind(*id)));
        nearest == Some(function)
    });
    own.filter_map(|(_, value)| object(value)).collect()
}

fn object(value: &Expression) -> Option<Object> {
    let Expression::ObjectExpression(object) = value.without_parentheses() else { return None };
    let ObjectExpression { properties, span, .. } = &**object;
    let keys: Vec<Literal> = properties
        .iter()
        .filter_map(|property| match property {
            ObjectPropertyKind::ObjectProperty(property) => {
                let text = property.key.static_name()?.into_owned();
                Some(Literal { text, span: range(property.key.span()) })
            }
            ObjectPropertyKind::SpreadProperty(_) => None,
        })
        .collect();
    let has_others = keys.len() < properties.len();
    Some(Object { keys, has_others, span: range(*span) })
}
