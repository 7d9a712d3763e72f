//! The errors that a script raises for its callers, and the objects that its `main` returns, where they are written out.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::Ranged;

use super::bindings::Bindings;
use crate::script::{Literal, Object};

/// The names that `AppError` is called with.
pub(super) fn raised(body: &[Stmt], bindings: &Bindings) -> Vec<Literal> {
    struct Raised(Vec<Literal>);
    impl Visitor<'_> for Raised {
        fn visit_expr(&mut self, expr: &Expr) {
            if let Expr::Call(call) = expr
                && call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "AppError")
                && let Some(name) = call.arguments.find_argument_value("name", 0)
            {
                self.0.extend(literal(name));
            }
            walk_expr(self, expr);
        }
    }
    // Another one of that name may take anything.
    if bindings.is_bound_anywhere("AppError") || bindings.hidden {
        return Vec::new();
    }
    let mut raised = Raised(Vec::new());
    raised.visit_body(body);
    raised.0
}

/// The objects that the body of a function returns.
pub(super) fn returned(body: &[Stmt]) -> Vec<Object> {
    struct Returned(Vec<Object>);
    impl Visitor<'_> for Returned {
        fn visit_stmt(&mut self, stmt: &Stmt) {
            match stmt {
                Stmt::Return(result) => {
                    if let Some(Expr::Dict(dict)) = result.value.as_deref() {
                        let keys: Vec<Literal> =
                            dict.items.iter().filter_map(|item| literal(item.key.as_ref()?)).collect();
                        let has_others = keys.len() < dict.items.len();
                        self.0.push(Object { keys, has_others, span: span(dict) });
                    }
                }
                // Their results are their own.
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
                stmt => walk_stmt(self, stmt),
            }
        }

        fn visit_expr(&mut self, _: &Expr) {}
    }
    let mut returned = Returned(Vec::new());
    returned.visit_body(body);
    returned.0
}

fn literal(expr: &Expr) -> Option<Literal> {
    let text = expr.as_string_literal_expr()?.value.to_str().to_owned();
    Some(Literal { text, span: span(expr) })
}

fn span(node: &impl Ranged) -> std::ops::Range<usize> {
    node.start().to_usize()..node.end().to_usize()
}
