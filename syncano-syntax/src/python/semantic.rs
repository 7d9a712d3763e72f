//! Errors that the grammar lets pass and the compiler doesn't: `return` outside of a function and its like.
//!
//! The rules are the parser crate's; this walks the tree and answers their questions about the surroundings.

use std::cell::RefCell;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Comprehension, Expr, PythonVersion, Stmt};
use ruff_python_parser::semantic_errors::{
    LazyImportContext, SemanticSyntaxChecker, SemanticSyntaxContext, SemanticSyntaxError,
    SemanticSyntaxErrorKind,
};
use ruff_text_size::{Ranged, TextRange};

use super::Version;
use super::scope::{Kind, Scope};

/// The error that comes first in the text.
pub(super) fn check(source: &str, body: &[Stmt], version: Version) -> Option<SemanticSyntaxError> {
    let mut walk = Walk {
        checker: SemanticSyntaxChecker::new(),
        surroundings: Surroundings {
            source,
            version: version.of_parser(),
            module: Scope::with_body(Kind::Module, body),
            inner: Vec::new(),
            tries: 0,
            future_annotations: false,
            in_text: false,
            first: RefCell::new(None),
        },
    };
    walk.visit_body(body);
    walk.surroundings.first.into_inner()
}

struct Walk<'a> {
    checker: SemanticSyntaxChecker,
    surroundings: Surroundings<'a>,
}

struct Surroundings<'a> {
    source: &'a str,
    version: PythonVersion,
    module: Scope,
    /// The scopes inside of the module, innermost last.
    inner: Vec<Scope>,
    /// The `try` statements around the current one.
    tries: usize,
    future_annotations: bool,
    /// In an annotation that becomes a text, which is never compiled.
    in_text: bool,
    first: RefCell<Option<SemanticSyntaxError>>,
}

impl Surroundings<'_> {
    fn scope(&self) -> &Scope {
        self.inner.last().unwrap_or(&self.module)
    }

    fn scope_mut(&mut self) -> &mut Scope {
        self.inner.last_mut().unwrap_or(&mut self.module)
    }

    /// From the innermost scope outwards.
    fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.inner.iter().rev().chain([&self.module]).map(|scope| scope.kind)
    }

    /// The same up to the innermost function, lambda, class or module, which is not among them.
    fn comprehensions(&self) -> impl Iterator<Item = Kind> {
        self.kinds().take_while(|kind| matches!(kind, Kind::Comprehension { .. } | Kind::Generator))
    }

    /// The innermost scope that isn't a comprehension.
    fn owner(&self) -> Kind {
        self.kinds().nth(self.comprehensions().count()).unwrap_or(Kind::Module)
    }
}

impl SemanticSyntaxContext for Surroundings<'_> {
    fn future_annotations_or_stub(&self) -> bool {
        self.future_annotations
    }

    fn lazy_import_context(&self) -> Option<LazyImportContext> {
        match self.owner() {
            Kind::Class => Some(LazyImportContext::Class),
            Kind::Module => (self.tries > 0).then_some(LazyImportContext::TryExceptBlocks),
            _ => Some(LazyImportContext::Function),
        }
    }

    fn python_version(&self) -> PythonVersion {
        self.version
    }

    fn source(&self) -> &str {
        self.source
    }

    fn global(&self, name: &str) -> Option<TextRange> {
        self.scope().globals.get(name).copied()
    }

    /// To know, one would have to know what every statement binds; a wrong "no" would refuse good scripts.
    fn has_nonlocal_binding(&self, _: &str) -> bool {
        true
    }

    fn in_async_context(&self) -> bool {
        self.owner() == Kind::Function { is_async: true }
    }

    fn in_await_allowed_context(&self) -> bool {
        self.owner().is_callable() || self.in_generator_context()
    }

    fn in_yield_allowed_context(&self) -> bool {
        self.scope().kind.is_callable()
    }

    fn in_sync_comprehension(&self) -> bool {
        self.comprehensions().any(|kind| kind == Kind::Comprehension { is_async: false })
    }

    fn in_class_body_comprehension(&self) -> bool {
        self.owner() == Kind::Class
    }

    fn in_module_scope(&self) -> bool {
        self.scope().kind == Kind::Module
    }

    fn in_function_scope(&self) -> bool {
        matches!(self.scope().kind, Kind::Function { .. })
    }

    fn in_generator_context(&self) -> bool {
        self.comprehensions().any(|kind| kind == Kind::Generator)
    }

    fn in_notebook(&self) -> bool {
        false
    }

    fn report_semantic_error(&self, error: SemanticSyntaxError) {
        if self.in_text
            && matches!(
                error.kind,
                SemanticSyntaxErrorKind::AwaitOutsideAsyncFunction(_)
                    | SemanticSyntaxErrorKind::AsyncComprehensionInSyncComprehension(_)
                    | SemanticSyntaxErrorKind::YieldOutsideFunction(_)
            )
        {
            return;
        }
        let mut first = self.first.borrow_mut();
        if first.as_ref().is_none_or(|first| error.start() < first.start()) {
            *first = Some(error);
        }
    }

    fn in_loop_context(&self) -> bool {
        self.scope().loops > 0
    }

    fn is_bound_parameter(&self, name: &str) -> bool {
        self.scope().parameters.contains(name)
    }
}

impl Walk<'_> {
    fn inside(&mut self, scope: Scope, visit: impl FnOnce(&mut Self)) {
        self.surroundings.inner.push(scope);
        visit(self);
        self.surroundings.inner.pop();
    }

    fn in_loop(&mut self, body: &[Stmt]) {
        self.surroundings.scope_mut().loops += 1;
        self.visit_body(body);
        self.surroundings.scope_mut().loops -= 1;
    }

    fn comprehension(&mut self, kind: Kind, generators: &[Comprehension], elements: &[&Expr]) {
        // The first iterable is evaluated outside.
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        self.inside(Scope::new(kind), |walk| {
            for (index, generator) in generators.iter().enumerate() {
                if index > 0 {
                    walk.visit_expr(&generator.iter);
                }
                walk.visit_expr(&generator.target);
                generator.ifs.iter().for_each(|condition| walk.visit_expr(condition));
            }
            elements.iter().for_each(|element| walk.visit_expr(element));
        });
    }
}

impl Visitor<'_> for Walk<'_> {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        self.checker.visit_stmt(stmt, &self.surroundings);
        match stmt {
            Stmt::FunctionDef(function) => {
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                if let Some(type_params) = &function.type_params {
                    self.visit_type_params(type_params);
                }
                self.visit_parameters(&function.parameters);
                if let Some(returns) = &function.returns {
                    self.visit_annotation(returns);
                }
                let kind = Kind::Function { is_async: function.is_async };
                let scope = Scope::with_body(kind, &function.body).with_parameters(&function.parameters);
                self.inside(scope, |walk| walk.visit_body(&function.body));
            }
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                if let Some(type_params) = &class.type_params {
                    self.visit_type_params(type_params);
                }
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                self.inside(Scope::with_body(Kind::Class, &class.body), |walk| walk.visit_body(&class.body));
            }
            Stmt::For(statement) => {
                self.visit_expr(&statement.iter);
                self.visit_expr(&statement.target);
                self.in_loop(&statement.body);
                self.visit_body(&statement.orelse);
            }
            Stmt::While(statement) => {
                self.visit_expr(&statement.test);
                self.in_loop(&statement.body);
                self.visit_body(&statement.orelse);
            }
            Stmt::Try(_) => {
                self.surroundings.tries += 1;
                walk_stmt(self, stmt);
                self.surroundings.tries -= 1;
            }
            Stmt::ImportFrom(import) => {
                let from_future = import.module.as_deref() == Some("__future__");
                self.surroundings.future_annotations |=
                    from_future && import.names.iter().any(|alias| alias.name.as_str() == "annotations");
            }
            stmt => walk_stmt(self, stmt),
        }
    }

    fn visit_annotation(&mut self, annotation: &Expr) {
        let outer = std::mem::replace(&mut self.surroundings.in_text, self.surroundings.future_annotations);
        self.visit_expr(annotation);
        self.surroundings.in_text = outer;
    }

    fn visit_expr(&mut self, expr: &Expr) {
        self.checker.visit_expr(expr, &self.surroundings);
        let is_async = |generators: &[Comprehension]| generators.iter().any(|generator| generator.is_async);
        match expr {
            Expr::Lambda(lambda) => {
                let mut scope = Scope::new(Kind::Lambda);
                if let Some(parameters) = &lambda.parameters {
                    // Defaults are evaluated outside.
                    self.visit_parameters(parameters);
                    scope = scope.with_parameters(parameters);
                }
                self.inside(scope, |walk| walk.visit_expr(&lambda.body));
            }
            Expr::ListComp(list) => {
                let kind = Kind::Comprehension { is_async: is_async(&list.generators) };
                self.comprehension(kind, &list.generators, &[&list.elt]);
            }
            Expr::SetComp(set) => {
                let kind = Kind::Comprehension { is_async: is_async(&set.generators) };
                self.comprehension(kind, &set.generators, &[&set.elt]);
            }
            Expr::DictComp(dict) => {
                let kind = Kind::Comprehension { is_async: is_async(&dict.generators) };
                let elements: Vec<&Expr> = dict.key.as_deref().into_iter().chain([&*dict.value]).collect();
                self.comprehension(kind, &dict.generators, &elements);
            }
            Expr::Generator(generator) => {
                self.comprehension(Kind::Generator, &generator.generators, &[&generator.elt]);
            }
            expr => walk_expr(self, expr),
        }
    }
}
