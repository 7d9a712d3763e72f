//! Reads what a script takes from its callers.

use std::ops::Range;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprContext, ParameterWithDefault, Stmt};
use ruff_text_size::Ranged;

use super::annotation;
use super::names::Names;
use super::takes::{Key, Parameter, Parameters, Returns, Takes};

/// Reads a valid script.
pub(super) fn of(body: &[Stmt]) -> Takes {
    let names = Names::of(body);
    let main = body.iter().find_map(|stmt| match stmt {
        Stmt::FunctionDef(function) if function.name.as_str() == "main" => Some(function),
        _ => None,
    });
    match main {
        Some(_) if calls_main(body) => keys(body, &names),
        Some(main) if names.times_bound("main") == 1 && main.decorator_list.is_empty() && !names.hidden => {
            let parameters = &main.parameters;
            Takes::Parameters(Parameters {
                named: parameters.iter_non_variadic_params().map(|one| parameter(one, &names)).collect(),
                takes_any: parameters.kwarg.is_some(),
                main: span(&main.name),
                returns: main.returns.as_deref().filter(|_| !names.responds).and_then(|annotation| {
                    Some(Returns { kinds: annotation::kinds(annotation, &names)?, span: span(annotation) })
                }),
            })
        }
        Some(_) => Takes::Unknown,
        None => keys(body, &names),
    }
}

fn span(node: &impl Ranged) -> Range<usize> {
    node.start().to_usize()..node.end().to_usize()
}

fn parameter(parameter: &ParameterWithDefault, names: &Names) -> Parameter {
    Parameter {
        name: parameter.name().to_string(),
        has_default: parameter.default.is_some(),
        kinds: parameter.annotation().and_then(|annotation| annotation::kinds(annotation, names)),
        span: span(&parameter.parameter),
    }
}

/// Whether running the top level calls `main`; bodies of functions don't run there.
fn calls_main(body: &[Stmt]) -> bool {
    struct Calls(bool);
    impl Visitor<'_> for Calls {
        fn visit_stmt(&mut self, stmt: &Stmt) {
            let Stmt::FunctionDef(function) = stmt else { return walk_stmt(self, stmt) };
            function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
            if let Some(type_params) = &function.type_params {
                self.visit_type_params(type_params);
            }
            self.visit_parameters(&function.parameters);
            if let Some(returns) = &function.returns {
                self.visit_annotation(returns);
            }
        }

        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Lambda(lambda) => {
                    lambda.parameters.iter().for_each(|parameters| self.visit_parameters(parameters));
                }
                Expr::Call(call) => {
                    self.0 |= call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "main");
                    walk_expr(self, expr);
                }
                expr => walk_expr(self, expr),
            }
        }
    }
    let mut calls = Calls(false);
    calls.visit_body(body);
    calls.0
}

/// The keys, if `ARGS` is used in no other way than by reading keys that are written out.
fn keys(body: &[Stmt], names: &Names) -> Takes {
    if names.hidden || names.times_bound("ARGS") > 0 {
        return Takes::Unknown;
    }
    let mut reads = Reads { keys: Vec::new(), tries: 0, otherwise: false };
    reads.visit_body(body);
    if reads.otherwise { Takes::Unknown } else { Takes::Keys(reads.keys) }
}

struct Reads {
    keys: Vec<Key>,
    /// The `try` statements around the current place.
    tries: usize,
    otherwise: bool,
}

impl Reads {
    fn read(&mut self, key: &Expr, optional: bool) -> bool {
        let Expr::StringLiteral(literal) = key else { return false };
        let name = literal.value.to_str().to_owned();
        self.keys.push(Key { name, optional: optional || self.tries > 0, span: span(key) });
        true
    }
}

fn is_args(expr: &Expr) -> bool {
    expr.as_name_expr().is_some_and(|name| name.id.as_str() == "ARGS")
}

impl Visitor<'_> for Reads {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        let tries = usize::from(matches!(stmt, Stmt::Try(_)));
        self.tries += tries;
        walk_stmt(self, stmt);
        self.tries -= tries;
    }

    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            // `ARGS["x"]`
            Expr::Subscript(subscript) if is_args(&subscript.value) && subscript.ctx == ExprContext::Load => {
                self.otherwise |= !self.read(&subscript.slice, false);
            }
            // `ARGS.get("x")`, perhaps with what to take instead.
            Expr::Call(call)
                if call.func.as_attribute_expr().is_some_and(|attribute| {
                    is_args(&attribute.value) && attribute.attr.as_str() == "get"
                }) =>
            {
                match call.arguments.args.split_first() {
                    Some((key, rest)) if self.read(key, true) => {
                        rest.iter().for_each(|default| self.visit_expr(default));
                        call.arguments.keywords.iter().for_each(|keyword| self.visit_keyword(keyword));
                    }
                    _ => self.otherwise = true,
                }
            }
            expr if is_args(expr) => self.otherwise = true,
            expr => walk_expr(self, expr),
        }
    }
}
