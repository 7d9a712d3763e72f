//! What a script that compiles does wrong when it runs: names that nothing defines, modules that nobody has, functions that nobody
//! calls.

use std::collections::HashSet;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    Argument, AssignmentTarget, BindingPattern, Declaration, ExportDefaultDeclarationKind, Expression,
    ImportExpression, ObjectPropertyKind, Program, Statement, UnaryOperator,
};
use oxc_semantic::{NodeId, Semantic};
use oxc_span::{GetSpan, Span};

use super::Version;
use super::known::{GLOBALS, MODULES};
use crate::script::{Packages, Remarks, Severity};
use crate::slip::{mistyped, nearest};

/// What the server gives to every script, beside what Node does.
const GIVEN: [&str; 12] = [
    "ARGS",
    "CONFIG",
    "META",
    "HttpResponse",
    "AppError",
    "setResponse",
    "require",
    "module",
    "exports",
    "__filename",
    "__dirname",
    "arguments",
];

/// Where names can be put without being seen.
const WHOLE: [&str; 4] = ["globalThis", "global", "self", "window"];

/// Names of browsers and other platforms.
const ELSEWHERE: [&str; 10] = [
    "Deno",
    "Bun",
    "addEventListener",
    "window",
    "document",
    "self",
    "localStorage",
    "XMLHttpRequest",
    "alert",
    "jQuery",
];

/// Packages of their own whose names look like slips.
const PACKAGES: [&str; 15] = [
    "asset",
    "async-hooks",
    "child-process",
    "childprocess",
    "clustr",
    "crypt",
    "event",
    "fs.promises",
    "htp",
    "moddle",
    "query-string",
    "steam",
    "timers-promises",
    "utill",
    "worker-threads",
];

const WAY_OUT: &str = "the server calls the default export: write `export default`";

/// Adds what is found.
pub(super) fn add(semantic: &Semantic, version: Version, packages: Packages, remarks: &mut Remarks) {
    undefined(semantic, version, remarks);
    imports(semantic, version, packages, remarks);
    entry_points(semantic, remarks);
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

fn undefined(semantic: &Semantic, version: Version, remarks: &mut Remarks) {
    let scoping = semantic.scoping();
    let unresolved = scoping.root_unresolved_references();
    let kinds = || semantic.nodes().iter().map(|node| node.kind());
    let hidden = unresolved.keys().any(|name| name.as_str() == "eval")
        || kinds().any(|kind| matches!(kind, AstKind::WithStatement(_)));
    if hidden || WHOLE.iter().any(|name| is_passed_on(semantic, name)) {
        return;
    }
    let put: HashSet<&str> = kinds().filter_map(put_globally).collect();
    let mut found: Vec<(std::ops::Range<usize>, Severity, String)> = Vec::new();
    for (name, references) in unresolved {
        let name = name.as_str();
        let since = GLOBALS.iter().find(|(_, names)| names.contains(&name)).map(|(since, _)| *since);
        if since.is_some_and(|since| version.is_at_least(since))
            || GIVEN.contains(&name)
            || put.contains(name)
        {
            continue;
        }
        let uses: Vec<_> = references.iter().map(|id| scoping.get_reference(*id)).collect();
        // Without `var` a name is made by giving it a value.
        let made = uses.iter().any(|reference| reference.is_write());
        let asked = uses.iter().any(|reference| is_asked_for(semantic, reference.node_id()));
        let Some(first) = uses.iter().find(|reference| !is_tried(semantic, reference.node_id())) else {
            continue;
        };
        if made || asked {
            continue;
        }
        let span = range(semantic.nodes().kind(first.node_id()).span());
        let (severity, message) = judge(semantic, name, since, first.node_id());
        found.push((span, severity, message));
    }
    let strange = found.iter().filter(|(_, severity, _)| *severity == Severity::Warning).count();
    for (span, severity, message) in found {
        remarks.add(severity.among(strange), "undefined-name", span, &message);
    }
}

fn judge(semantic: &Semantic, name: &str, since: Option<u8>, place: NodeId) -> (Severity, String) {
    let scoping = semantic.scoping();
    let undefined = format!("nothing defines `{name}`");
    if let Some(since) = since {
        return (Severity::Warning, format!("`{name}` is only there from Node {since} on"));
    }
    if name == "await" {
        return (
            Severity::Error,
            "`await` is no keyword in a program: put it into an `async` function, or export something"
                .to_owned(),
        );
    }
    if ELSEWHERE.contains(&name) {
        return (Severity::Warning, format!("`{name}` is another platform's, and not there on Node"));
    }
    if scoping.symbol_names().any(|other| other == name) {
        return (Severity::Warning, format!("{undefined} here: it is local to another function or block"));
    }
    if MODULES.iter().any(|(_, names)| names.contains(&name)) {
        return (Severity::Warning, format!("{undefined}: write `const {name} = require('node:{name}')`"));
    }
    let scopes = scoping.scope_ancestors(semantic.nodes().get_node(place).scope_id());
    let own: Vec<&str> =
        scopes.flat_map(|scope| scoping.get_bindings(scope).keys()).map(|name| name.as_str()).collect();
    let globals = GLOBALS.iter().flat_map(|(_, names)| names.iter().copied());
    if let Some(meant) = nearest(name, own.into_iter().chain(GIVEN).chain(globals)) {
        return (Severity::Error, format!("{undefined}: did you mean `{meant}`?"));
    }
    (Severity::Warning, format!("{undefined}: define it, or import it"))
}

/// Whether an object that holds all global names is used as a whole.
fn is_passed_on(semantic: &Semantic, name: &str) -> bool {
    let scoping = semantic.scoping();
    let named = scoping.root_unresolved_references().iter().filter(|(global, _)| global.as_str() == name);
    named.flat_map(|(_, references)| references).any(|id| {
        let id = scoping.get_reference(*id).node_id();
        let parent = semantic.nodes().parent_kind(id);
        !matches!(parent, AstKind::StaticMemberExpression(_) | AstKind::UnaryExpression(_))
    })
}

/// The name that an assignment to a member of such an object makes.
fn put_globally<'a>(kind: AstKind<'a>) -> Option<&'a str> {
    let AstKind::AssignmentExpression(assignment) = kind else { return None };
    let AssignmentTarget::StaticMemberExpression(member) = &assignment.left else { return None };
    let object = match &member.object {
        Expression::Identifier(name) => WHOLE.contains(&name.name.as_str()),
        Expression::ThisExpression(_) => true,
        _ => false,
    };
    object.then(|| member.property.name.as_str())
}

/// `typeof name`
fn is_asked_for(semantic: &Semantic, id: NodeId) -> bool {
    matches!(semantic.nodes().parent_kind(id), AstKind::UnaryExpression(unary) if unary.operator == UnaryOperator::Typeof)
}

/// Whether what happens there is caught.
fn is_tried(semantic: &Semantic, id: NodeId) -> bool {
    let span = semantic.nodes().kind(id).span();
    semantic.nodes().ancestor_kinds(id).any(|kind| match kind {
        AstKind::TryStatement(attempt) => {
            attempt.handler.is_some() && attempt.block.span.contains_inclusive(span)
        }
        _ => false,
    })
}

fn imports(semantic: &Semantic, version: Version, packages: Packages, remarks: &mut Remarks) {
    for node in semantic.nodes().iter() {
        let literal = match node.kind() {
            AstKind::ImportDeclaration(import) => Some(&import.source),
            AstKind::ExportFromDeclaration(export) => Some(&export.source),
            AstKind::ExportAllDeclaration(export) => Some(&export.source),
            AstKind::ImportExpression(ImportExpression {
                source: Expression::StringLiteral(text), ..
            }) => Some(&**text),
            AstKind::CallExpression(call) => match (&call.callee, call.arguments.as_slice()) {
                (Expression::Identifier(name), [Argument::StringLiteral(text)])
                    if name.name == "require"
                        && semantic.scoping().get_reference(name.reference_id()).symbol_id().is_none() =>
                {
                    Some(&**text)
                }
                _ => None,
            },
            _ => None,
        };
        let Some(literal) = literal.filter(|_| !is_tried(semantic, node.id())) else { continue };
        if let Some((severity, message)) = module(literal.value.as_str(), version, packages) {
            remarks.add(severity, "unknown-module", range(literal.span), &message);
        }
    }
}

/// What is wrong with what a script imports.
fn module(specifier: &str, version: Version, packages: Packages) -> Option<(Severity, String)> {
    let modules = || MODULES.iter().flat_map(|(_, names)| names.iter().copied());
    let own = specifier.strip_prefix("node:");
    let name = own.unwrap_or(specifier);
    let full = format!("node:{name}");
    let since = MODULES
        .iter()
        .find(|(_, names)| names.contains(&name) || own.is_some() && names.contains(&full.as_str()));
    if let Some((since, _)) = since {
        let missing = !version.is_at_least(*since);
        return missing.then(|| {
            (Severity::Warning, format!("the module `{specifier}` is only there from Node {since} on"))
        });
    }
    let top = name.split('/').next().unwrap_or_default();
    let there_is_none = format!("there is no module `{specifier}`");
    let meant = |meant: &str| {
        format!("{there_is_none}: did you mean `{}{meant}`?", if own.is_some() { "node:" } else { "" })
    };
    if own.is_some() || modules().any(|module| module == top) {
        let plain = modules().map(|module| module.strip_prefix("node:").unwrap_or(module));
        // Short names want a stricter look.
        return match mistyped(name, plain.clone()).or_else(|| nearest(name, plain)) {
            Some(known) => Some((Severity::Error, meant(known))),
            None if own.is_some() => Some((Severity::Warning, format!("{there_is_none} in Node {version}"))),
            None => None,
        };
    }
    // Files, addresses and the like.
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@') || name.contains(':') {
        return None;
    }
    let slip = mistyped(name, modules());
    match (packages, slip) {
        (Packages::Standard, Some(known)) => Some((Severity::Error, meant(known))),
        (Packages::Standard, None) => Some((
            Severity::Warning,
            format!(
                "there is no package `{specifier}` for a script without an environment: name one with `environment`"
            ),
        )),
        (Packages::Others, Some(known)) if !PACKAGES.contains(&name) => {
            Some((Severity::Warning, meant(known)))
        }
        _ => None,
    }
}

/// Tells of functions that other platforms would call, and nothing here.
fn entry_points(semantic: &Semantic, remarks: &mut Remarks) {
    let program = semantic.nodes().program();
    let is_module = program.body.iter().any(Statement::is_module_declaration);
    if is_module { exported(semantic, program, remarks) } else { declared(semantic, program, remarks) }
}

/// What other platforms call.
fn is_entry_point(name: &str) -> bool {
    matches!(name, "main" | "handler" | "handle" | "lambdaHandler" | "run" | "fetch" | "serve" | "onRequest")
}

fn exported(semantic: &Semantic, program: &Program, remarks: &mut Remarks) {
    let mut named: Option<(&str, Span)> = None;
    for statement in &program.body {
        match statement {
            Statement::ExportDefaultDeclaration(export) => {
                let ExportDefaultDeclarationKind::ObjectExpression(object) = &export.declaration else {
                    return;
                };
                let inner = object.properties.iter().find_map(|property| match property {
                    ObjectPropertyKind::ObjectProperty(property) if is_function(&property.value) => property
                        .key
                        .static_name()
                        .filter(|name| is_entry_point(name))
                        .map(|name| (name, property.key.span())),
                    _ => None,
                });
                if let Some((name, span)) = inner {
                    let message = format!(
                        "nothing calls `{name}`: the default export is an object, and the server calls a function"
                    );
                    remarks.add(Severity::Warning, "entry-point", range(span), &message);
                }
                return;
            }
            Statement::ExportNamedDeclaration(export)
                if export.specifiers.iter().any(|one| one.exported.name() == "default") =>
            {
                return;
            }
            Statement::ExportDeclaration(export) => {
                let declared = declared_function(&export.declaration);
                named = named.or(declared.filter(|(name, _)| is_entry_point(name)));
            }
            Statement::ExportFromDeclaration(_) | Statement::ExportAllDeclaration(_) => return,
            _ => {}
        }
    }
    if let Some((name, span)) = named.filter(|(name, _)| !is_used(semantic, name)) {
        remarks.add(
            Severity::Warning,
            "entry-point",
            range(span),
            &format!("nothing calls `{name}`: {WAY_OUT}"),
        );
    }
}

fn declared(semantic: &Semantic, program: &Program, remarks: &mut Remarks) {
    let last = super::reads::last_value(program);
    for statement in &program.body {
        let found = match statement {
            Statement::FunctionDeclaration(function) => {
                function.id.as_ref().map(|name| (name.name.as_str(), name.span))
            }
            Statement::VariableDeclaration(_) => statement.as_declaration().and_then(declared_function),
            // `exports.handler = …`
            Statement::ExpressionStatement(expression) => match &expression.expression {
                Expression::AssignmentExpression(assignment)
                    if is_function(&assignment.right)
                        && last.is_none_or(|last| last.span() != expression.expression.span()) =>
                {
                    exported_member(&assignment.left)
                        .filter(|(name, _)| !matches!(*name, "fetch" | "run" | "serve"))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some((name, span)) = found
            && is_entry_point(name)
            && !is_used(semantic, name)
        {
            let message = format!("nothing calls `{name}`: call it, or export it with `export default`");
            remarks.add(Severity::Warning, "entry-point", range(span), &message);
        }
    }
}

/// `exports.name` or `module.exports.name`
fn exported_member<'a>(target: &'a AssignmentTarget<'a>) -> Option<(&'a str, Span)> {
    let AssignmentTarget::StaticMemberExpression(member) = target else { return None };
    let is_exports = match &member.object {
        Expression::Identifier(name) => name.name == "exports",
        Expression::StaticMemberExpression(inner) => inner.property.name == "exports",
        _ => false,
    };
    is_exports.then(|| (member.property.name.as_str(), member.property.span))
}

/// The function that a declaration gives a name to.
fn declared_function<'a>(declaration: &'a Declaration<'a>) -> Option<(&'a str, Span)> {
    match declaration {
        Declaration::FunctionDeclaration(function) => {
            function.id.as_ref().map(|name| (name.name.as_str(), name.span))
        }
        Declaration::VariableDeclaration(variables) => {
            variables.declarations.iter().find_map(|one| match &one.id {
                BindingPattern::BindingIdentifier(name) if one.init.as_ref().is_some_and(is_function) => {
                    Some((name.name.as_str(), name.span))
                }
                _ => None,
            })
        }
        _ => None,
    }
}

fn is_function(value: &Expression) -> bool {
    matches!(
        value.without_parentheses(),
        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)
    )
}

/// Whether anything names what the top level declares.
fn is_used(semantic: &Semantic, name: &str) -> bool {
    let scoping = semantic.scoping();
    scoping
        .find_binding(scoping.root_scope_id(), name.into())
        .is_some_and(|symbol| semantic.symbol_references(symbol).next().is_some())
}
