//! Reads what a script takes from its callers.

use std::ops::Range;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprContext, ParameterWithDefault, Stmt};
use ruff_text_size::Ranged;

use super::annotation;
use super::entry::Entry;
use super::names::Names;
use super::takes::{Key, Parameter, Parameters, Returns, Takes};

/// Reads a valid script with this entry.
pub(super) fn of(body: &[Stmt], entry: &Entry) -> Takes {
    let names = Names::of(body);
    match entry {
        Entry::Program => keys(body, &names),
        Entry::Function(main) if names.times_bound("main") == 1 && !names.hidden => {
            let named = main.parameters.into_iter().flat_map(|all| all.iter_non_variadic_params());
            Takes::Parameters(Parameters {
                named: named.map(|one| parameter(one, &names)).collect(),
                takes_any: main.parameters.is_some_and(|parameters| parameters.kwarg.is_some()),
                main: main.name.start().to_usize()..main.name.end().to_usize(),
                returns: main.returns.filter(|_| !names.responds).and_then(|annotation| {
                    Some(Returns { kinds: annotation::kinds(annotation, &names)?, span: span(annotation) })
                }),
            })
        }
        _ => Takes::Unknown,
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
