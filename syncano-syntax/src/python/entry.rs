//! What the server runs of a script: its `main`, or the script as a program.
//!
//! The worker decides the same way; a test of both holds them together.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Alias, BoolOp, CmpOp, Expr, ExprContext, Parameters, Stmt, StmtFunctionDef};
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
    body: &'a [Stmt],
}

/// Finds what the server runs.
pub(super) fn of<'a>(body: &'a [Stmt], bindings: &Bindings) -> Entry<'a> {
    let mut found = Top::default();
    found.visit_body(body);
    let Top { definitions, called, read, read_by_block, otherwise } = found;
    let Some(index) = definitions.iter().rposition(Definition::may_be_called) else { return Entry::Program };
    let last = &definitions[index];
    let aliased = match last {
        Definition::Value(name, Expr::Name(work)) => {
            function_named(body, &work.id).map(|function| (*name, function))
        }
        _ => None,
    };
    let is_defined = definitions.iter().any(|one| matches!(one, Definition::Function(_) | Definition::Class))
        || aliased.is_some();
    // An object that happens to have this name is used otherwise.
    if called || read && !is_defined {
        return Entry::Program;
    }
    // What scripts of 2016 do at their end.
    let is_program = |function: &StmtFunctionDef| read_by_block && takes_and_returns_nothing(function);
    let is_certain = definitions.len() == 1 && bindings.times_bound_at_top("main") == 1 && !otherwise;
    match *last {
        Definition::Function(function) if is_program(function) => Entry::Program,
        Definition::Class if read_by_block => Entry::Program,
        Definition::Function(function) if is_certain => Main::of(function.name.range(), function),
        Definition::Value(name, Expr::Lambda(lambda)) if is_certain => {
            Entry::Function(Main { name, parameters: lambda.parameters.as_deref(), returns: None, body: &[] })
        }
        Definition::Value(..) => match aliased {
            Some((_, function)) if is_program(function) => Entry::Program,
            Some((name, function)) if is_certain && bindings.times_bound_at_top(&function.name) == 1 => {
                Main::of(name, function)
            }
            _ => Entry::Other,
        },
        _ => Entry::Other,
    }
}

/// A function of the top level.
fn function_named<'a>(body: &'a [Stmt], name: &str) -> Option<&'a StmtFunctionDef> {
    body.iter().find_map(|stmt| match stmt {
        Stmt::FunctionDef(function) if function.name.as_str() == name => Some(function),
        _ => None,
    })
}

impl<'a> Main<'a> {
    /// A decorator may make anything of a function.
    fn of(name: TextRange, function: &'a StmtFunctionDef) -> Entry<'a> {
        if !function.decorator_list.is_empty() {
            return Entry::Other;
        }
        Entry::Function(Main {
            name,
            parameters: Some(&function.parameters),
            returns: function.returns.as_deref(),
            body: &function.body,
        })
    }
}

impl<'a> Entry<'a> {
    /// The statements of `main`.
    pub(super) fn body(&self) -> Option<&'a [Stmt]> {
        match self {
            Entry::Function(main) => Some(main.body),
            _ => None,
        }
    }

    /// Tells of a function that looks like the one to call, and that nothing calls.
    pub(super) fn remark(&self, body: &[Stmt], bindings: &Bindings, remarks: &mut Remarks) {
        /// What other platforms call.
        const ELSEWHERE: [&str; 6] =
            ["handler", "lambda_handler", "handle", "handle_request", "entrypoint", "entry_point"];
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
    Function(&'a StmtFunctionDef),
    Class,
    Import,
    Value(TextRange, &'a Expr),
    /// Only running the script tells.
    Unknown,
}

impl Definition<'_> {
    fn may_be_called(&self) -> bool {
        match self {
            Definition::Function(_) | Definition::Class | Definition::Import | Definition::Unknown => true,
            Definition::Value(_, value) => matches!(
                value,
                Expr::Name(_)
                    | Expr::Attribute(_)
                    | Expr::Call(_)
                    | Expr::Lambda(_)
                    | Expr::Subscript(_)
                    | Expr::If(_)
                    | Expr::BoolOp(_)
                    | Expr::Named(_)
            ),
        }
    }
}

/// It prints its answer.
fn takes_and_returns_nothing(function: &StmtFunctionDef) -> bool {
    struct Returns(bool);
    impl Visitor<'_> for Returns {
        fn visit_stmt(&mut self, stmt: &Stmt) {
            match stmt {
                Stmt::Return(result) => {
                    self.0 |= result.value.as_deref().is_some_and(|value| !value.is_none_literal_expr());
                    walk_stmt(self, stmt);
                }
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
                stmt => walk_stmt(self, stmt),
            }
        }

        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
                Expr::Lambda(_) => {}
                expr => walk_expr(self, expr),
            }
        }
    }
    let mut returns = Returns(false);
    returns.visit_body(&function.body);
    function.parameters.is_empty() && !returns.0
}

/// What the top level does with `main`; bodies of functions don't run there.
#[derive(Default)]
struct Top<'a> {
    definitions: Vec<Definition<'a>>,
    called: bool,
    read: bool,
    /// By what runs only if the script is what Python was started with.
    read_by_block: bool,
    /// It is bound in other ways too.
    otherwise: bool,
}

impl<'a> Top<'a> {
    /// Notes what `main` gets when `value` is assigned to `target`; `None` if only running the script tells.
    fn assign(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        let parts = |expr: &'a Expr| match expr {
            Expr::Tuple(tuple) => Some(&tuple.elts),
            Expr::List(list) => Some(&list.elts),
            _ => None,
        };
        match target {
            Expr::Name(name) if name.id.as_str() == "main" => {
                self.definitions
                    .push(value.map_or(Definition::Unknown, |value| Definition::Value(name.range, value)));
            }
            Expr::Tuple(_) | Expr::List(_) => {
                let targets = parts(target).into_iter().flatten();
                let values = value.and_then(parts).filter(|values| {
                    let fits = parts(target).is_some_and(|targets| targets.len() == values.len());
                    fits && !targets.clone().chain(values.iter()).any(Expr::is_starred_expr)
                });
                for (index, target) in targets.enumerate() {
                    self.assign(target, values.map(|values| &values[index]));
                }
            }
            target => self.visit_expr(target),
        }
    }

    /// Visits what runs, and binds names elsewhere.
    fn elsewhere(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::take(&mut self.definitions);
        let otherwise = self.otherwise;
        visit(self);
        self.definitions = outer;
        self.otherwise = otherwise;
    }
}

impl<'a> Visitor<'a> for Top<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                if function.name.as_str() == "main" {
                    self.definitions.push(Definition::Function(function));
                }
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.visit_parameters(&function.parameters);
                function.returns.iter().for_each(|returns| self.visit_annotation(returns));
            }
            Stmt::ClassDef(class) => {
                if class.name.as_str() == "main" {
                    self.definitions.push(Definition::Class);
                }
                self.elsewhere(|top| walk_stmt(top, stmt));
            }
            Stmt::Import(import) => {
                let named = |alias: &Alias| {
                    let first = alias.name.split('.').next().unwrap_or_default();
                    alias.asname.as_deref().unwrap_or(first) == "main"
                };
                if import.names.iter().any(named) {
                    self.definitions.push(Definition::Import);
                }
            }
            Stmt::ImportFrom(import) => {
                let name = |alias: &'a Alias| alias.asname.as_deref().unwrap_or(&alias.name);
                if import.names.iter().any(|alias| name(alias) == "main") {
                    self.definitions.push(Definition::Import);
                }
            }
            Stmt::Assign(assignment) => {
                self.visit_expr(&assignment.value);
                assignment.targets.iter().for_each(|target| self.assign(target, Some(&assignment.value)));
            }
            Stmt::AnnAssign(assignment) => {
                assignment.value.iter().for_each(|value| self.visit_expr(value));
                self.visit_annotation(&assignment.annotation);
                match &assignment.value {
                    Some(value) => self.assign(&assignment.target, Some(value)),
                    None => self.visit_expr(&assignment.target),
                }
            }
            Stmt::For(each) => {
                self.visit_expr(&each.iter);
                self.assign(&each.target, None);
                self.visit_body(&each.body);
                self.visit_body(&each.orelse);
            }
            Stmt::With(with) => {
                for item in &with.items {
                    self.visit_expr(&item.context_expr);
                    item.optional_vars.iter().for_each(|target| self.assign(target, None));
                }
                self.visit_body(&with.body);
            }
            Stmt::If(statement) if is_main_block(&statement.test) => {
                let (called, read) = (self.called, std::mem::take(&mut self.read));
                self.elsewhere(|top| top.visit_body(&statement.body));
                self.read_by_block |= self.read;
                (self.called, self.read) = (called, read);
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
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                self.assign(&named.target, Some(&named.value));
            }
            Expr::Name(name) if name.id.as_str() == "main" => match name.ctx {
                ExprContext::Load => self.read = true,
                _ => self.otherwise = true,
            },
            expr => walk_expr(self, expr),
        }
    }
}

/// `__name__ == "__main__"`, perhaps with more to it.
fn is_main_block(test: &Expr) -> bool {
    let compare = match test {
        Expr::BoolOp(both) if both.op == BoolOp::And => return both.values.iter().any(is_main_block),
        Expr::Compare(compare) => compare,
        _ => return false,
    };
    let ([CmpOp::Eq], [right]) = (&*compare.ops, &*compare.comparators) else { return false };
    let is_name = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id.as_str() == "__name__");
    let is_main =
        |expr: &Expr| expr.as_string_literal_expr().is_some_and(|text| text.value.to_str() == "__main__");
    is_name(&compare.left) && is_main(right) || is_main(&compare.left) && is_name(right)
}
