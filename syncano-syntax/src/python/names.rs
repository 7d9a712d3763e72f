//! Which names a script binds, and where: what a name stands for can be told only if nothing else takes it.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{
    Visitor, walk_except_handler, walk_expr, walk_parameter, walk_pattern, walk_stmt,
};
use ruff_python_ast::{ExceptHandler, Expr, ExprContext, Parameter, Pattern, Stmt};

/// Calls that read or bind names in ways that can't be seen.
const DYNAMIC: [&str; 5] = ["exec", "eval", "globals", "locals", "vars"];

/// What answers a call in place of what `main` returns.
const RESPONDING: [&str; 2] = ["set_response", "HttpResponse"];

/// The names of a whole script, whatever scope they are in.
#[derive(Default)]
pub(super) struct Names {
    /// How often each name is bound: by assignment, import, definition, parameter, or deletion.
    bound: HashMap<String, usize>,
    from_typing: HashSet<String>,
    /// Names may be bound or read that nobody sees here.
    pub(super) hidden: bool,
    /// The answer may be another than what `main` returns.
    pub(super) responds: bool,
}

impl Names {
    pub(super) fn of(body: &[Stmt]) -> Names {
        let mut names = Names::default();
        names.visit_body(body);
        names
    }

    pub(super) fn times_bound(&self, name: &str) -> usize {
        self.bound.get(name).copied().unwrap_or(0)
    }

    /// Whether the name is the one that `typing` exports.
    pub(super) fn is_of_typing(&self, name: &str) -> bool {
        self.times_bound(name) == 1 && self.from_typing.contains(name)
    }

    fn bind(&mut self, name: &str) {
        *self.bound.entry(name.to_owned()).or_default() += 1;
    }
}

impl Visitor<'_> for Names {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.bind(&function.name),
            Stmt::ClassDef(class) => self.bind(&class.name),
            Stmt::Import(import) => {
                for alias in &import.names {
                    let first = alias.name.split('.').next().unwrap_or_default();
                    self.bind(alias.asname.as_deref().unwrap_or(first));
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_deref().unwrap_or(&alias.name);
                    self.hidden |= name == "*";
                    self.bind(name);
                    if import.module.as_deref() == Some("typing")
                        && import.level == 0
                        && alias.asname.is_none()
                    {
                        self.from_typing.insert(name.to_owned());
                    }
                }
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &Expr) {
        if let Expr::Name(name) = expr {
            match name.ctx {
                ExprContext::Load => {
                    self.hidden |= DYNAMIC.contains(&name.id.as_str());
                    self.responds |= RESPONDING.contains(&name.id.as_str());
                }
                _ => self.bind(&name.id),
            }
        }
        walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &Parameter) {
        self.bind(&parameter.name);
        walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &ExceptHandler) {
        let ExceptHandler::ExceptHandler(caught) = handler;
        caught.name.iter().for_each(|name| self.bind(name));
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &Pattern) {
        let name = match pattern {
            Pattern::MatchAs(pattern) => &pattern.name,
            Pattern::MatchStar(pattern) => &pattern.name,
            Pattern::MatchMapping(pattern) => &pattern.rest,
            _ => &None,
        };
        name.iter().for_each(|name| self.bind(name));
        walk_pattern(self, pattern);
    }
}
