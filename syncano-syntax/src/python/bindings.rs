//! Which names each scope of a script binds and reads, as Python's own symbol table has it.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{
    Visitor, walk_except_handler, walk_expr, walk_pattern, walk_stmt, walk_type_param,
};
use ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, ExprContext, ExprName, Identifier, Parameters, Pattern, Stmt, StmtIf,
    StmtTry, TypeParam, TypeParams,
};
use ruff_text_size::{Ranged, TextRange};

/// The scopes of a script; the first one is the module's.
pub(super) struct Bindings<'a> {
    scopes: Vec<Scope<'a>>,
    /// Names may be bound in ways that can't be seen: by `exec`, `from x import *`, `globals()[…] = …`.
    pub(super) hidden: bool,
    /// Annotations aren't evaluated.
    lazy_annotations: bool,
    /// A name that is declared `global` or `nonlocal` where it can't be.
    misdeclared: Option<(String, TextRange)>,
}

struct Scope<'a> {
    kind: Kind,
    parent: usize,
    bound: HashMap<&'a str, usize>,
    globals: HashSet<&'a str>,
    nonlocals: Vec<(&'a str, TextRange)>,
    reads: Vec<Read<'a>>,
    /// The names that its code has read or bound up to the current place.
    used: HashSet<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Module,
    Class,
    Function,
    Comprehension,
    /// The parameters of a generic function, class or type.
    Types,
}

/// A name that is read.
pub(super) struct Read<'a> {
    pub(super) name: &'a str,
    pub(super) range: TextRange,
    /// The script is prepared for the name's absence, or may never come here.
    pub(super) guarded: bool,
}

impl<'a> Bindings<'a> {
    /// Reads a script; `lazy_annotations` if its version of Python never evaluates them.
    pub(super) fn of(body: &'a [Stmt], lazy_annotations: bool) -> Bindings<'a> {
        let mut walk = Walk {
            bindings: Bindings {
                scopes: vec![Scope::new(Kind::Module, 0)],
                hidden: false,
                lazy_annotations,
                misdeclared: None,
            },
            scope: 0,
            guards: 0,
        };
        walk.visit_body(body);
        walk.bindings
    }

    /// The first name that is declared `nonlocal` or `global` and can't be.
    pub(super) fn misdeclared(&self) -> Option<(String, TextRange)> {
        let unbound = self.scopes.iter().flat_map(|scope| {
            scope.nonlocals.iter().filter(|(name, _)| !self.is_bound_around(scope.parent, name))
        });
        let unbound =
            unbound.map(|(name, range)| (format!("no function around binds the nonlocal `{name}`"), *range));
        self.misdeclared.clone().into_iter().chain(unbound).min_by_key(|(_, range)| range.start())
    }

    fn is_bound_around(&self, mut index: usize, name: &str) -> bool {
        while index != 0 {
            let scope = &self.scopes[index];
            if scope.kind != Kind::Class {
                if scope.globals.contains(name) {
                    return false;
                }
                let passed_on = scope.nonlocals.iter().any(|(outer, _)| *outer == name);
                if !passed_on && scope.bound.contains_key(name) {
                    return true;
                }
            }
            index = scope.parent;
        }
        false
    }

    /// The names that are read and that no scope binds from which they are seen, with the names seen there.
    pub(super) fn unbound(&self) -> impl Iterator<Item = (&Read<'a>, Visible<'_, 'a>)> {
        let reads = self.scopes.iter().enumerate().flat_map(move |(index, scope)| {
            scope.reads.iter().map(move |read| (read, Visible { bindings: self, scope: index }))
        });
        reads.filter(|(read, visible)| !visible.has(read.name))
    }

    /// How often the module's own scope binds a name.
    pub(super) fn times_bound_at_top(&self, name: &str) -> usize {
        self.scopes[0].bound.get(name).copied().unwrap_or(0)
    }

    /// Whether a name is read anywhere.
    pub(super) fn is_read(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.reads.iter().any(|read| read.name == name))
    }

    /// Whether a name is bound in any scope.
    pub(super) fn is_bound_anywhere(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.bound.contains_key(name))
    }
}

/// What is seen from a scope.
#[derive(Clone, Copy)]
pub(super) struct Visible<'b, 'a> {
    bindings: &'b Bindings<'a>,
    scope: usize,
}

impl<'b, 'a> Visible<'b, 'a> {
    /// The scopes that are looked through, innermost first.
    fn scopes(self) -> impl Iterator<Item = &'b Scope<'a>> {
        let mut next = Some(self.scope);
        let all = std::iter::from_fn(move || {
            let index = next?;
            next = (index != 0).then(|| self.bindings.scopes[index].parent);
            Some((index, &self.bindings.scopes[index]))
        });
        // The names of a class are seen in its body, and in the types of what stands there.
        let mut inner = true;
        all.filter_map(move |(index, scope)| {
            let seen = scope.kind != Kind::Class || index == self.scope || inner;
            inner &= scope.kind == Kind::Types;
            seen.then_some(scope)
        })
    }

    fn has(self, name: &str) -> bool {
        self.scopes().any(|scope| scope.bound.contains_key(name))
    }

    /// The names that are seen.
    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.scopes().flat_map(|scope| scope.bound.keys().copied())
    }
}

impl Scope<'_> {
    fn new(kind: Kind, parent: usize) -> Self {
        let (bound, globals) = (HashMap::new(), HashSet::new());
        Self { kind, parent, bound, globals, nonlocals: Vec::new(), reads: Vec::new(), used: HashSet::new() }
    }
}

/// Calls after which any name may be there.
const DYNAMIC: [&str; 6] = ["exec", "execfile", "globals", "locals", "vars", "dir"];
/// Attributes through which the names of a module are reached, or given to it.
const NAMESPACES: [&str; 8] = [
    "modules",
    "_getframe",
    "currentframe",
    "f_globals",
    "__globals__",
    "_convert",
    "_convert_",
    "global_enum",
];
/// Names of the module whose names every module sees, and may be given more of.
const BUILTINS: [&str; 3] = ["builtins", "__builtins__", "__builtin__"];

struct Walk<'a> {
    bindings: Bindings<'a>,
    scope: usize,
    /// The statements around the current place that catch a missing name, or ask first.
    guards: usize,
}

impl<'a> Walk<'a> {
    fn here(&mut self) -> &mut Scope<'a> {
        &mut self.bindings.scopes[self.scope]
    }

    fn bind_in(&mut self, scope: usize, name: &'a str) {
        let scopes = &mut self.bindings.scopes;
        scopes[scope].used.insert(name);
        // One that belongs to another scope is bound there.
        let is_global = scopes[scope].globals.contains(name);
        let scope = if is_global { 0 } else { scope };
        *scopes[scope].bound.entry(name).or_default() += 1;
    }

    fn bind(&mut self, name: &'a str) {
        self.bind_in(self.scope, name);
    }

    /// An import binds a name that may be declared afterwards.
    fn import(&mut self, name: &'a str) {
        let was_used = self.here().used.contains(name);
        self.bind(name);
        if !was_used {
            self.here().used.remove(name);
        }
    }

    fn read(&mut self, name: &'a ExprName) {
        let text = name.id.as_str();
        self.bindings.hidden |=
            [&DYNAMIC[..], &BUILTINS, &["global_enum"]].iter().any(|list| list.contains(&text));
        let guarded = self.guards > 0;
        let here = self.here();
        here.used.insert(text);
        here.reads.push(Read { name: text, range: name.range, guarded });
    }

    fn inside(&mut self, kind: Kind, visit: impl FnOnce(&mut Self)) {
        let outer = self.scope;
        self.scope = self.bindings.scopes.len();
        self.bindings.scopes.push(Scope::new(kind, outer));
        visit(self);
        self.scope = outer;
    }

    /// With a scope of its own for type parameters, if there are any.
    fn with_types(&mut self, types: Option<&'a TypeParams>, visit: impl FnOnce(&mut Self)) {
        match types {
            Some(types) => self.inside(Kind::Types, |walk| {
                walk.visit_type_params(types);
                visit(walk);
            }),
            None => visit(self),
        }
    }

    fn declare(&mut self, word: &str, names: &'a [Identifier]) {
        for name in names {
            let here = self.here();
            let text = name.as_str();
            let both = here.globals.contains(text) && here.nonlocals.iter().any(|(other, _)| *other == text);
            let problem = if both {
                format!("`{text}` is both `global` and `nonlocal`")
            } else if here.used.contains(text) {
                format!("`{text}` is used before it is declared `{word}`")
            } else {
                continue;
            };
            self.bindings.misdeclared.get_or_insert((problem, name.range));
        }
    }

    fn body_of(&mut self, kind: Kind, body: &'a [Stmt], before: impl FnOnce(&mut Self)) {
        self.inside(kind, |walk| {
            // What `global` and `nonlocal` say holds for the whole body.
            let mut declared = Declared { globals: HashSet::new(), nonlocals: Vec::new() };
            declared.visit_body(body);
            for name in &declared.globals {
                walk.bindings.scopes[0].bound.entry(name).or_default();
            }
            let here = walk.here();
            here.globals = declared.globals;
            here.nonlocals = declared.nonlocals;
            before(walk);
            walk.visit_body(body);
        });
    }

    fn bind_parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter() {
            self.bind(parameter.name().as_str());
        }
    }

    /// The defaults, which are evaluated outside.
    fn defaults(&mut self, parameters: &'a Parameters) {
        for default in parameters.iter_non_variadic_params().filter_map(|one| one.default.as_deref()) {
            self.visit_expr(default);
        }
    }

    fn comprehension(&mut self, generators: &'a [Comprehension], elements: &[&'a Expr]) {
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        self.inside(Kind::Comprehension, |walk| {
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

    fn guarded(&mut self, is_guarded: bool, visit: impl FnOnce(&mut Self)) {
        self.guards += usize::from(is_guarded);
        visit(self);
        self.guards -= usize::from(is_guarded);
    }

    fn branches(&mut self, statement: &'a StmtIf) {
        let clauses = &statement.elif_else_clauses;
        let tests = clauses.iter().filter_map(|clause| clause.test.as_ref());
        let guarded = std::iter::once(&*statement.test).chain(tests).any(asks_for_surroundings);
        self.visit_expr(&statement.test);
        self.guarded(guarded, |walk| {
            walk.visit_body(&statement.body);
            clauses.iter().for_each(|clause| walk.visit_elif_else_clause(clause));
        });
    }

    fn attempt(&mut self, statement: &'a StmtTry) {
        let guarded = statement.handlers.iter().any(catches_missing_names);
        self.guarded(guarded, |walk| walk.visit_body(&statement.body));
        // What is tried instead often has its own doubts.
        self.guarded(guarded, |walk| {
            statement.handlers.iter().for_each(|handler| walk.visit_except_handler(handler));
        });
        self.visit_body(&statement.orelse);
        self.visit_body(&statement.finalbody);
    }
}

impl<'a> Visitor<'a> for Walk<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.defaults(&function.parameters);
                self.with_types(function.type_params.as_deref(), |walk| {
                    for annotation in function.parameters.iter().filter_map(|one| one.annotation()) {
                        walk.visit_annotation(annotation);
                    }
                    if let Some(returns) = &function.returns {
                        walk.visit_annotation(returns);
                    }
                    walk.body_of(Kind::Function, &function.body, |walk| {
                        walk.bind_parameters(&function.parameters);
                    });
                });
                self.bind(function.name.as_str());
            }
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.with_types(class.type_params.as_deref(), |walk| {
                    if let Some(arguments) = &class.arguments {
                        walk.visit_arguments(arguments);
                    }
                    walk.body_of(Kind::Class, &class.body, |_| {});
                });
                self.bind(class.name.as_str());
            }
            Stmt::TypeAlias(alias) => {
                // Evaluated when somebody asks for it.
                self.guarded(true, |walk| {
                    walk.with_types(alias.type_params.as_deref(), |walk| walk.visit_expr(&alias.value));
                });
                self.visit_expr(&alias.name);
            }
            Stmt::AnnAssign(assignment) => {
                if let Some(value) = &assignment.value {
                    self.visit_expr(value);
                }
                // Annotations of local variables aren't evaluated.
                let is_local = self.bindings.scopes[self.scope].kind == Kind::Function;
                self.guarded(is_local, |walk| walk.visit_annotation(&assignment.annotation));
                self.visit_expr(&assignment.target);
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let first = alias.name.split('.').next().unwrap_or_default();
                    self.bindings.hidden |= BUILTINS.contains(&first);
                    self.import(alias.asname.as_deref().unwrap_or(first));
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_deref().unwrap_or_default();
                for alias in &import.names {
                    self.bindings.hidden |= alias.name.as_str() == "*" || BUILTINS.contains(&&*alias.name);
                    self.bindings.lazy_annotations |=
                        module == "__future__" && alias.name.as_str() == "annotations";
                    self.import(alias.asname.as_deref().unwrap_or(&alias.name));
                }
            }
            Stmt::If(statement) => self.branches(statement),
            Stmt::Try(statement) => self.attempt(statement),
            Stmt::Global(global) => {
                self.declare("global", &global.names);
                for name in &global.names {
                    self.bindings.scopes[0].bound.entry(name.as_str()).or_default();
                }
            }
            Stmt::Nonlocal(nonlocal) => self.declare("nonlocal", &nonlocal.names),
            stmt => walk_stmt(self, stmt),
        }
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        self.guarded(self.bindings.lazy_annotations, |walk| walk.visit_expr(annotation));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Load => self.read(name),
            Expr::Name(name) => self.bind(name.id.as_str()),
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                let Some(target) = named.target.as_name_expr() else { return };
                // In a comprehension it binds in the function around.
                let mut scope = self.scope;
                while self.bindings.scopes[scope].kind == Kind::Comprehension {
                    scope = self.bindings.scopes[scope].parent;
                }
                self.bind_in(scope, target.id.as_str());
            }
            Expr::Lambda(lambda) => {
                let parameters = lambda.parameters.as_deref();
                parameters.into_iter().for_each(|parameters| self.defaults(parameters));
                self.inside(Kind::Function, |walk| {
                    parameters.into_iter().for_each(|parameters| walk.bind_parameters(parameters));
                    walk.visit_expr(&lambda.body);
                });
            }
            Expr::ListComp(list) => self.comprehension(&list.generators, &[&list.elt]),
            Expr::SetComp(set) => self.comprehension(&set.generators, &[&set.elt]),
            Expr::DictComp(dict) => {
                let elements: Vec<&Expr> = dict.key.as_deref().into_iter().chain([&*dict.value]).collect();
                self.comprehension(&dict.generators, &elements);
            }
            Expr::Generator(generator) => self.comprehension(&generator.generators, &[&generator.elt]),
            Expr::If(conditional) => {
                self.visit_expr(&conditional.test);
                self.guarded(asks_for_surroundings(&conditional.test), |walk| {
                    walk.visit_expr(&conditional.body);
                    walk.visit_expr(&conditional.orelse);
                });
            }
            Expr::BoolOp(either) => {
                self.guarded(either.values.iter().any(asks_for_surroundings), |walk| walk_expr(walk, expr));
            }
            // `sys.modules[__name__]`, whose attributes are names.
            Expr::Attribute(attribute) => {
                self.bindings.hidden |= NAMESPACES.contains(&attribute.attr.as_str());
                walk_expr(self, expr);
            }
            expr => walk_expr(self, expr),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(caught) = handler;
        if let Some(name) = &caught.name {
            self.bind(name.as_str());
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(pattern) => &pattern.name,
            Pattern::MatchStar(pattern) => &pattern.name,
            Pattern::MatchMapping(pattern) => &pattern.rest,
            _ => &None,
        };
        if let Some(name) = name {
            self.bind(name.as_str());
        }
        walk_pattern(self, pattern);
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.bind(parameter.name().as_str());
        // Bounds are evaluated when somebody asks for them.
        self.guarded(true, |walk| walk_type_param(walk, parameter));
    }
}

/// The `global` and `nonlocal` statements of one body.
struct Declared<'a> {
    globals: HashSet<&'a str>,
    nonlocals: Vec<(&'a str, TextRange)>,
}

impl<'a> Visitor<'a> for Declared<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Global(global) => self.globals.extend(global.names.iter().map(|name| name.as_str())),
            Stmt::Nonlocal(nonlocal) => {
                self.nonlocals.extend(nonlocal.names.iter().map(|name| (name.as_str(), name.range())));
            }
            // Scopes of their own.
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            stmt => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Whether a handler runs when a name is missing.
fn catches_missing_names(handler: &ExceptHandler) -> bool {
    const CAUGHT: [&str; 5] =
        ["NameError", "UnboundLocalError", "Exception", "BaseException", "StandardError"];
    let ExceptHandler::ExceptHandler(caught) = handler;
    let is_caught = |expr: &Expr| match expr {
        Expr::Name(name) => CAUGHT.contains(&name.id.as_str()),
        Expr::Attribute(attribute) => CAUGHT.contains(&attribute.attr.as_str()),
        // Some variable.
        _ => true,
    };
    match caught.type_.as_deref() {
        None => true,
        Some(Expr::Tuple(tuple)) => tuple.elts.iter().any(is_caught),
        Some(one) => is_caught(one),
    }
}

/// Whether a condition is about the version of Python, or what else decides which names are there.
fn asks_for_surroundings(test: &Expr) -> bool {
    struct Asks(bool);
    impl Asks {
        fn word(&mut self, word: &str) {
            let word = word.to_lowercase();
            let parts = [
                "version",
                "py2",
                "py3",
                "python2",
                "python3",
                "platform",
                "implementation",
                "type_checking",
            ];
            self.0 |= parts.iter().any(|part| word.contains(part)) || word == "dir" || word == "__debug__";
        }
    }
    impl Visitor<'_> for Asks {
        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Name(name) => self.word(&name.id),
                Expr::Attribute(attribute) => self.word(&attribute.attr),
                // `if False:`, `if 0:`
                Expr::NumberLiteral(literal) => self.0 |= literal.value.as_int().is_some_and(|int| *int == 0),
                Expr::BooleanLiteral(literal) => self.0 |= !literal.value,
                _ => {}
            }
            walk_expr(self, expr);
        }
    }
    let mut asks = Asks(false);
    asks.visit_expr(test);
    asks.0
}
