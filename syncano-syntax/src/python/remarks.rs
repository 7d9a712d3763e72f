//! What a script that compiles does wrong when it runs: names that nothing defines, modules that nobody has.

use std::collections::HashSet;

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{ExceptHandler, Expr, Identifier, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::bindings::{Bindings, Read, Visible};
use super::known::{BUILTINS, MODULES};
use crate::script::{Packages, Remarks, Severity};
use crate::slip::{mistyped, nearest};

/// What the server gives to every script.
const GIVEN: [&str; 6] = ["ARGS", "CONFIG", "META", "HttpResponse", "AppError", "set_response"];

/// Names of other versions and other languages, and what Python 3 has in their place.
const FOREIGN: [(&str, &str); 22] = [
    ("basestring", "str"),
    ("cmp", "(a > b) - (a < b)"),
    ("console", "print"),
    ("execfile", "exec(open(…).read())"),
    ("false", "False"),
    ("file", "open"),
    ("intern", "sys.intern"),
    ("long", "int"),
    ("nil", "None"),
    ("none", "None"),
    ("null", "None"),
    ("raw_input", "input"),
    ("reduce", "functools.reduce"),
    ("reload", "importlib.reload"),
    ("require", "import"),
    ("true", "True"),
    ("undefined", "None"),
    ("unichr", "chr"),
    ("unicode", "str"),
    ("StandardError", "Exception"),
    ("buffer", "memoryview"),
    ("xrange", "range"),
];

/// Those of Python 2, which scripts for both versions name behind some condition.
const PYTHON_2: [&str; 15] = [
    "basestring",
    "buffer",
    "cmp",
    "execfile",
    "file",
    "intern",
    "long",
    "raw_input",
    "reduce",
    "reload",
    "StandardError",
    "unichr",
    "unicode",
    "xrange",
    "apply",
];

/// Packages of their own whose names look like slips.
const PACKAGES: [&str; 10] = [
    "arnparse",
    "config_parser",
    "curies",
    "geotext",
    "graph_lib",
    "importlab",
    "locate",
    "ntplib",
    "pdoc",
    "polib",
];

/// Adds what is found.
pub(super) fn add(body: &[Stmt], bindings: &Bindings, packages: Packages, remarks: &mut Remarks) {
    imports(body, packages, remarks);
    if !bindings.hidden {
        undefined(bindings, remarks);
    }
}

fn undefined(bindings: &Bindings, remarks: &mut Remarks) {
    let (mut told, mut found) = (HashSet::new(), Vec::new());
    for (read, visible) in bindings.unbound() {
        let name = read.name;
        // Nobody sees what a framework installs, nor what Python itself gives to modules and classes.
        let is_special = name.starts_with("__") || name == "_";
        if read.guarded || is_special || GIVEN.contains(&name) || BUILTINS.contains(&name) {
            continue;
        }
        if told.insert(name) {
            let (severity, message) = judge(read, visible, bindings);
            found.push((span(read.range), severity, message));
        }
    }
    let strange = found.iter().filter(|(_, severity, _)| *severity == Severity::Warning).count();
    for (span, severity, message) in found {
        remarks.add(severity.among(strange), "undefined-name", span, &message);
    }
}

fn judge(read: &Read, visible: Visible, bindings: &Bindings) -> (Severity, String) {
    let name = read.name;
    let undefined = format!("nothing defines `{name}`");
    if let Some((_, instead)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
        let severity = if PYTHON_2.contains(&name) { Severity::Warning } else { Severity::Error };
        return (severity, format!("{undefined} in Python 3: write `{instead}`"));
    }
    // What is defined somewhere else in the script isn't misspelt, but out of reach.
    if bindings.is_bound_anywhere(name) {
        return (Severity::Warning, format!("{undefined} here: it is local to another function or class"));
    }
    if MODULES.contains(&name) {
        return (Severity::Warning, format!("{undefined}: write `import {name}`"));
    }
    let known = visible.names().chain(GIVEN).chain(BUILTINS.iter().copied());
    match nearest(name, known) {
        Some(meant) => (Severity::Error, format!("{undefined}: did you mean `{meant}`?")),
        None => (Severity::Warning, format!("{undefined}: define it, or import it")),
    }
}

fn imports(body: &[Stmt], packages: Packages, remarks: &mut Remarks) {
    let mut walk = Imports { found: Vec::new(), tries: 0 };
    walk.visit_body(body);
    let severity = match packages {
        Packages::Standard => Severity::Error,
        Packages::Others => Severity::Warning,
    };
    for (path, range) in walk.found {
        let top = path.split('.').next().unwrap_or_default();
        if !MODULES.contains(&top) {
            let packages = MODULES.iter().copied().filter(|module| !module.contains('.'));
            if let Some(meant) = mistyped(top, packages).filter(|_| !PACKAGES.contains(&top)) {
                let message = format!("there is no module `{top}`: did you mean `{meant}`?");
                remarks.add(severity, "unknown-module", span(range), &message);
            }
        } else if path != top && !MODULES.contains(&path) {
            let inside = MODULES
                .iter()
                .copied()
                .filter(|module| module.strip_prefix(top).is_some_and(|rest| rest.starts_with('.')));
            if let Some(meant) = nearest(path, inside) {
                let message = format!("there is no module `{path}`: did you mean `{meant}`?");
                remarks.add(Severity::Error, "unknown-module", span(range), &message);
            }
        }
    }
}

struct Imports<'a> {
    found: Vec<(&'a str, TextRange)>,
    /// The statements around the current place that are prepared for a missing module.
    tries: usize,
}

impl<'a> Imports<'a> {
    fn found(&mut self, name: &'a Identifier) {
        if self.tries == 0 {
            self.found.push((name.as_str(), name.range()));
        }
    }
}

impl<'a> Visitor<'a> for Imports<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => import.names.iter().for_each(|alias| self.found(&alias.name)),
            Stmt::ImportFrom(import) if import.level == 0 => {
                import.module.iter().for_each(|module| self.found(module));
            }
            // A condition may ask for the version of Python.
            Stmt::If(_) => {
                self.tries += 1;
                walk_stmt(self, stmt);
                self.tries -= 1;
            }
            Stmt::Try(attempt) => {
                let prepared = usize::from(attempt.handlers.iter().any(catches_missing_modules));
                self.tries += prepared;
                self.visit_body(&attempt.body);
                // What is imported instead has its own doubts.
                attempt.handlers.iter().for_each(|handler| self.visit_except_handler(handler));
                self.tries -= prepared;
                self.visit_body(&attempt.orelse);
                self.visit_body(&attempt.finalbody);
            }
            stmt => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

fn catches_missing_modules(handler: &ExceptHandler) -> bool {
    const CAUGHT: [&str; 4] = ["ImportError", "ModuleNotFoundError", "Exception", "BaseException"];
    let ExceptHandler::ExceptHandler(caught) = handler;
    let is_caught = |expr: &Expr| match expr {
        Expr::Name(name) => CAUGHT.contains(&name.id.as_str()),
        _ => true,
    };
    match caught.type_.as_deref() {
        None => true,
        Some(Expr::Tuple(tuple)) => tuple.elts.iter().any(is_caught),
        Some(one) => is_caught(one),
    }
}

fn span(range: TextRange) -> std::ops::Range<usize> {
    range.start().to_usize()..range.end().to_usize()
}
