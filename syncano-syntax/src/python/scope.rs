//! Where in a script the walk over its tree is.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{Expr, Parameters, Stmt};
use ruff_text_size::TextRange;

/// One level of names, with what the code directly inside of it may do.
pub(super) struct Scope {
    pub(super) kind: Kind,
    /// The loops around the current statement.
    pub(super) loops: usize,
    /// Names that are declared `global`, with the place of the first declaration.
    pub(super) globals: HashMap<String, TextRange>,
    pub(super) parameters: HashSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Class,
    Function {
        is_async: bool,
    },
    Lambda,
    /// Of a list, set or dictionary.
    Comprehension {
        is_async: bool,
    },
    Generator,
}

impl Kind {
    /// A boundary for everything that asks for the function around the code.
    pub(super) fn is_callable(self) -> bool {
        matches!(self, Self::Function { .. } | Self::Lambda)
    }
}

impl Scope {
    /// The scope of an expression.
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, loops: 0, globals: HashMap::new(), parameters: HashSet::new() }
    }

    /// The scope of a body.
    pub(super) fn with_body(kind: Kind, body: &[Stmt]) -> Self {
        let mut globals = Globals::default();
        globals.visit_body(body);
        Self { globals: globals.0, ..Self::new(kind) }
    }

    pub(super) fn with_parameters(mut self, parameters: &Parameters) -> Self {
        self.parameters = parameters.iter().map(|parameter| parameter.name().to_string()).collect();
        self
    }
}

#[derive(Default)]
struct Globals(HashMap<String, TextRange>);

impl Visitor<'_> for Globals {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Global(global) => {
                for name in &global.names {
                    self.0.entry(name.to_string()).or_insert(global.range);
                }
            }
            // Scopes of their own.
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            stmt => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &Expr) {}
}
