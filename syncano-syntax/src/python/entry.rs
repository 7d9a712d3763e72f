//! What the server runs of a script: its `main`, or the script as a program.
//!
//! The worker decides the same way; a test of both holds them together.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{CmpOp, Expr, ExprContext, Parameters, Stmt, StmtIf};
use ruff_text_size::{Ranged, TextRange};

use super::bindings::Bindings;
use crate::script::{Remarks, Severity};
use crate::slip::mistyped;

/// What the server runs.
pub(super) enum Entry<'a> {
    /// The top level, anew for each call.
    Program,
    /// `main`, which is this function.
    Function(Main<'a>),
    /// `main`, which is something else that can be called.
    Other,
}

/// A function that is `main`.
pub(super) struct Main<'a> {
    /// Where it says that it is `main`.
    pub(super) name: TextRange,
    pub(super) parameters: Option<&'a Parameters>,
    pub(super) returns: Option<&'a Expr>,
    body: Body<'a>,
}

#[derive(Clone, Copy)]
enum Body<'a> {
    Statements(&'a [Stmt]),
    Value,
}

/// Finds what the server runs.
pub(super) fn of<'a>(body: &'a [Stmt], bindings: &Bindings) -> Entry<'a> {
    let mut found = Definitions { list: Vec::new(), called: false, called_by_block: false };
    found.visit_body(body);
    let Some(last) = found.list.last() else { return Entry::Program };
    if found.called {
        return Entry::Program;
    }
    let is_plain = |one: &Definition| match one {
        Definition::Function(main) => main.is_plain(),
        Definition::Other(..) => false,
    };
    // What scripts of 2016 do at the end.
    if found.called_by_block && found.list.iter().all(is_plain) {
        return Entry::Program;
    }
    match last {
        _ if found.list.len() > 1 || bindings.times_bound_at_top("main") > 1 => Entry::Other,
        Definition::Function(_) => match found.list.pop() {
            Some(Definition::Function(main)) if main.decorated => Entry::Other,
            Some(Definition::Function(main)) => Entry::Function(main.into()),
            _ => Entry::Other,
        },
        Definition::Other(name, value) => aliased(body, bindings, *name, *value).unwrap_or(Entry::Other),
    }
}

/// `main = work`, `main = lambda x: x`
fn aliased<'a>(
    body: &'a [Stmt],
    bindings: &Bindings,
    name: TextRange,
    value: Option<&'a Expr>,
) -> Option<Entry<'a>> {
    match value? {
        Expr::Lambda(lambda) => Some(Entry::Function(Main {
            name,
            parameters: lambda.parameters.as_deref(),
            returns: None,
            body: Body::Value,
        })),
        Expr::Name(work) if bindings.times_bound_at_top(&work.id) == 1 => {
            let function = body.iter().find_map(|stmt| match stmt {
                Stmt::FunctionDef(function) if function.name.as_str() == work.id.as_str() => Some(function),
                _ => None,
            })?;
            function.decorator_list.is_empty().then_some(Entry::Function(Main {
                name,
                parameters: Some(&function.parameters),
                returns: function.returns.as_deref(),
                body: Body::Statements(&function.body),
            }))
        }
        _ => None,
    }
}

impl<'a> Entry<'a> {
    /// The statements of `main`.
    pub(super) fn body(&self) -> Option<&'a [Stmt]> {
        match self {
            Entry::Function(Main { body: Body::Statements(body), .. }) => Some(body),
            _ => None,
        }
    }

    /// Tells of a function that looks like the one to call, and that nothing calls.
    pub(super) fn remark(&self, body: &[Stmt], bindings: &Bindings, remarks: &mut Remarks) {
        /// What other platforms call.
        const ELSEWHERE: [&str; 5] = ["handler", "lambda_handler", "handle", "entrypoint", "entry_point"];
        if !matches!(self, Entry::Program) || bindings.hidden || bindings.is_bound_anywhere("main") {
            return;
        }
        for stmt in body {
            let Stmt::FunctionDef(function) = stmt else { continue };
            let name = function.name.as_str();
            let is_entry = ELSEWHERE.contains(&name)
                || mistyped(&name.to_lowercase(), ["main"]).is_some()
                || name == "Main";
            if is_entry && function.decorator_list.is_empty() && !bindings.is_read(name) {
                let message = format!("nothing calls `{name}`: the server calls a function named `main`");
                let span = function.name.start().to_usize()..function.name.end().to_usize();
                remarks.add(Severity::Warning, "entry-point", span, &message);
            }
        }
    }
}

/// A statement that gives `main` its value.
enum Definition<'a> {
    Function(Defined<'a>),
    Other(TextRange, Option<&'a Expr>),
}

struct Defined<'a> {
    name: TextRange,
    parameters: &'a Parameters,
    returns: Option<&'a Expr>,
    body: &'a [Stmt],
    decorated: bool,
}

impl Defined<'_> {
    /// Without parameters and a result: it prints its answer.
    fn is_plain(&self) -> bool {
        self.parameters.is_empty() && !returns_value(self.body)
    }
}

impl<'a> From<Defined<'a>> for Main<'a> {
    fn from(defined: Defined<'a>) -> Self {
        let Defined { name, parameters, returns, body, .. } = defined;
        Main { name, parameters: Some(parameters), returns, body: Body::Statements(body) }
    }
}

fn returns_value(body: &[Stmt]) -> bool {
    struct Returns(bool);
    impl Visitor<'_> for Returns {
        fn visit_stmt(&mut self, stmt: &Stmt) {
            match stmt {
                Stmt::Return(result) => self.0 |= result.value.is_some(),
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
                stmt => walk_stmt(self, stmt),
            }
        }

        fn visit_expr(&mut self, _: &Expr) {}
    }
    let mut returns = Returns(false);
    returns.visit_body(body);
    returns.0
}

/// What the top level does with `main`; bodies of functions don't run there.
struct Definitions<'a> {
    list: Vec<Definition<'a>>,
    called: bool,
    /// By what runs only if the script is what Python was started with.
    called_by_block: bool,
}

impl<'a> Definitions<'a> {
    fn bound(&mut self, name: &str, range: TextRange, value: Option<&'a Expr>) {
        if name == "main" {
            self.list.push(Definition::Other(range, value));
        }
    }
}

impl<'a> Visitor<'a> for Definitions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                if function.name.as_str() == "main" {
                    self.list.push(Definition::Function(Defined {
                        name: function.name.range(),
                        parameters: &function.parameters,
                        returns: function.returns.as_deref(),
                        body: &function.body,
                        decorated: !function.decorator_list.is_empty(),
                    }));
                }
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.visit_parameters(&function.parameters);
                function.returns.iter().for_each(|returns| self.visit_annotation(returns));
            }
            Stmt::ClassDef(class) => {
                self.bound(&class.name, class.name.range(), None);
                // Its names are its own, and its body runs.
                let names = self.list.len();
                walk_stmt(self, stmt);
                self.list.truncate(names);
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let first = alias.name.split('.').next().unwrap_or_default();
                    self.bound(alias.asname.as_deref().unwrap_or(first), alias.range, None);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    self.bound(alias.asname.as_deref().unwrap_or(&alias.name), alias.range, None);
                }
            }
            Stmt::Assign(assignment) => {
                self.visit_expr(&assignment.value);
                for target in &assignment.targets {
                    match target {
                        Expr::Name(name) => self.bound(&name.id, name.range, Some(&assignment.value)),
                        target => self.visit_expr(target),
                    }
                }
            }
            Stmt::AnnAssign(assignment) if assignment.value.is_some() => {
                let value = assignment.value.as_deref();
                value.into_iter().for_each(|value| self.visit_expr(value));
                match &*assignment.target {
                    Expr::Name(name) => self.bound(&name.id, name.range, value),
                    target => self.visit_expr(target),
                }
            }
            Stmt::AnnAssign(_) | Stmt::Delete(_) => {}
            Stmt::If(statement) if is_main_block(statement) => {
                let (called, names) = (self.called, self.list.len());
                self.visit_body(&statement.body);
                self.called_by_block |= self.called && !called;
                self.called = called;
                self.list.truncate(names);
                statement.elif_else_clauses.iter().for_each(|clause| self.visit_elif_else_clause(clause));
            }
            stmt => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Lambda(lambda) => {
                lambda.parameters.iter().for_each(|parameters| self.visit_parameters(parameters));
            }
            Expr::Call(call) => {
                self.called |= call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "main");
                walk_expr(self, expr);
            }
            Expr::Name(name) if name.ctx == ExprContext::Store => self.bound(&name.id, name.range, None),
            expr => walk_expr(self, expr),
        }
    }
}

/// `if __name__ == "__main__":`
fn is_main_block(statement: &StmtIf) -> bool {
    let Expr::Compare(compare) = &*statement.test else { return false };
    let ([CmpOp::Eq], [right]) = (&*compare.ops, &*compare.comparators) else { return false };
    let is_name = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id.as_str() == "__name__");
    let is_main =
        |expr: &Expr| expr.as_string_literal_expr().is_some_and(|text| text.value.to_str() == "__main__");
    is_name(&compare.left) && is_main(right) || is_main(&compare.left) && is_name(right)
}
