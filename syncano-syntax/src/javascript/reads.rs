//! Reads what a script takes from its callers.

use std::ops::Range;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentOperator, AssignmentTarget, BinaryOperator, BindingPattern, ExportDefaultDeclarationKind,
    Expression, FormalParameters, ModuleExportName, ObjectPattern, Program, Statement, UnaryOperator,
};
use oxc_semantic::{NodeId, Semantic, SymbolId};
use oxc_span::{GetSpan, Span};

use super::takes::{Key, Keys, Origin, Takes};

/// Names through which a script may get at `ARGS` unseen.
const DYNAMIC: [&str; 4] = ["eval", "globalThis", "global", "Function"];

/// What the function that is the value of a program gets, beside the arguments.
const CONTEXT: [&str; 7] = ["args", "config", "meta", "HttpResponse", "setResponse", "log", "error"];

/// What every object has.
const INHERITED: [&str; 7] = [
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// Reads a valid script.
pub(super) fn of(semantic: &Semantic) -> Takes {
    let mut reads = Reads { semantic, keys: Vec::new(), takes_any: false, otherwise: hides(semantic) };
    for id in globals(semantic, "ARGS") {
        reads.uses(id, Origin::Args);
    }
    let is_function = match default_export(semantic) {
        Default::Function(params, symbol) => {
            reads.function(params, symbol);
            true
        }
        Default::Value => false,
        Default::Unknown => return Takes::Unknown,
        Default::None => {
            reads.last_statement();
            false
        }
    };
    if reads.otherwise {
        return Takes::Unknown;
    }
    Takes::Keys(Keys { read: reads.keys, takes_any: reads.takes_any, is_function })
}

/// The parameters of the function that the server calls and whose result is the answer.
pub(super) fn default_function(semantic: &Semantic) -> Option<NodeId> {
    match default_export(semantic) {
        Default::Function(params, _) => Some(params.node_id()),
        _ => None,
    }
}

/// The expression whose value is that of a program, which is called if it is a function: the last statement, but for
/// declarations, which have no value.
pub(super) fn last_value<'a, 's>(program: &'s Program<'a>) -> Option<&'s Expression<'a>> {
    let mut only_functions = true;
    for statement in program.body.iter().rev() {
        match statement {
            Statement::FunctionDeclaration(_) | Statement::EmptyStatement(_) => {}
            Statement::VariableDeclaration(_) | Statement::ClassDeclaration(_) => only_functions = false,
            // A `return` there would skip what follows; what it exports is called all the same.
            Statement::ExpressionStatement(last) => {
                return (only_functions || is_export(&last.expression)).then_some(&last.expression);
            }
            _ => return None,
        }
    }
    None
}

/// `exports.default = …` or `module.exports = …`
fn is_export(expression: &Expression) -> bool {
    let Expression::AssignmentExpression(assignment) = expression else { return false };
    let AssignmentTarget::StaticMemberExpression(member) = &assignment.left else { return false };
    let Expression::Identifier(object) = &member.object else { return false };
    matches!(
        (object.name.as_str(), member.property.name.as_str()),
        ("exports", "default") | ("module", "exports")
    )
}

/// Where the script uses a name that it doesn't define.
fn globals(semantic: &Semantic, name: &str) -> Vec<NodeId> {
    let scoping = semantic.scoping();
    let named = scoping.root_unresolved_references().iter().filter(|(global, _)| global.as_str() == name);
    let references = named.flat_map(|(_, references)| references);
    references.map(|reference| scoping.get_reference(*reference).node_id()).collect()
}

/// Whether `ARGS` may be read in ways that can't be seen.
fn hides(semantic: &Semantic) -> bool {
    let scoping = semantic.scoping();
    scoping.root_unresolved_references().keys().any(|name| DYNAMIC.contains(&name.as_str()))
        || scoping.symbol_names().any(|name| name == "ARGS")
        || semantic.nodes().iter().any(|node| match node.kind() {
            AstKind::WithStatement(_) => true,
            AstKind::StaticMemberExpression(member) => member.property.name == "ARGS",
            AstKind::StringLiteral(text) => text.value == "ARGS",
            _ => false,
        })
}

/// What a script exports by default.
enum Default<'a, 's> {
    Function(&'s FormalParameters<'a>, Option<SymbolId>),
    /// Nothing that can be called.
    Value,
    Unknown,
    None,
}

fn default_export<'a, 's>(semantic: &'s Semantic<'a>) -> Default<'a, 's> {
    let is_default = |name: &ModuleExportName| name.name() == "default";
    for statement in &semantic.nodes().program().body {
        match statement {
            Statement::ExportDefaultDeclaration(export) => {
                return match &export.declaration {
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                        let symbol = function.id.as_ref().map(|id| id.symbol_id());
                        Default::Function(&function.params, symbol)
                    }
                    declaration => declaration
                        .as_expression()
                        .map_or(Default::Unknown, |value| exported(value, semantic)),
                };
            }
            Statement::ExportNamedDeclaration(export) => {
                if let Some(specifier) = export.specifiers.iter().find(|one| is_default(&one.exported)) {
                    return match &specifier.local {
                        ModuleExportName::IdentifierReference(name) => {
                            named_function(name, semantic).unwrap_or(Default::Unknown)
                        }
                        _ => Default::Unknown,
                    };
                }
            }
            Statement::ExportFromDeclaration(export)
                if export.specifiers.iter().any(|one| is_default(&one.exported)) =>
            {
                return Default::Unknown;
            }
            _ => {}
        }
    }
    Default::None
}

fn exported<'a, 's>(value: &'s Expression<'a>, semantic: &'s Semantic<'a>) -> Default<'a, 's> {
    match value.without_parentheses() {
        Expression::FunctionExpression(function) => Default::Function(&function.params, None),
        Expression::ArrowFunctionExpression(function) => Default::Function(&function.params, None),
        Expression::Identifier(name) => named_function(name, semantic).unwrap_or(Default::Unknown),
        value if value.is_literal() => Default::Value,
        Expression::ObjectExpression(_) | Expression::ArrayExpression(_) | Expression::TemplateLiteral(_) => {
            Default::Value
        }
        _ => Default::Unknown,
    }
}

/// The function that a name certainly stands for.
fn named_function<'a, 's>(
    name: &oxc_ast::ast::IdentifierReference<'a>,
    semantic: &'s Semantic<'a>,
) -> Option<Default<'a, 's>> {
    let scoping = semantic.scoping();
    let symbol = scoping.get_reference(name.reference_id()).symbol_id()?;
    if scoping.symbol_is_mutated(symbol) || !scoping.symbol_redeclarations(symbol).is_empty() {
        return None;
    }
    let params = match semantic.symbol_declaration(symbol).kind() {
        AstKind::Function(function) => &function.params,
        AstKind::VariableDeclarator(declarator) => match declarator.init.as_ref()?.without_parentheses() {
            Expression::FunctionExpression(function) => &function.params,
            Expression::ArrowFunctionExpression(function) => &function.params,
            _ => return None,
        },
        _ => return None,
    };
    Some(Default::Function(params, Some(symbol)))
}

struct Reads<'a, 's> {
    semantic: &'s Semantic<'a>,
    keys: Vec<Key>,
    takes_any: bool,
    otherwise: bool,
}

impl<'a, 's> Reads<'a, 's> {
    /// The default function, whose first parameter are the arguments.
    fn function(&mut self, params: &FormalParameters<'a>, symbol: Option<SymbolId>) {
        self.otherwise |= !globals(self.semantic, "arguments").is_empty();
        let from = self.keys.len();
        match params.items.first() {
            Some(first) => self.bound(&first.pattern, Origin::Parameter),
            None => self.otherwise |= params.rest.is_some(),
        }
        // Whoever else calls it may give it more.
        let uses = symbol.map_or(0, |symbol| {
            let references = self.semantic.symbol_references(symbol);
            references.filter(|reference| !self.is_export(reference.node_id())).count()
        });
        if uses > 0 {
            self.keys[from..].iter_mut().for_each(|key| {
                key.optional = true;
                key.taken_apart = false;
            });
        }
    }

    fn is_export(&self, id: NodeId) -> bool {
        let parent = self.semantic.nodes().parent_kind(id);
        matches!(parent, AstKind::ExportSpecifier(_) | AstKind::ExportDefaultDeclaration(_))
            || matches!(parent, AstKind::AssignmentExpression(_) | AstKind::ExpressionStatement(_))
    }

    /// A program whose last statement is a function has it called with `{ args, … }`.
    fn last_statement(&mut self) {
        let Some(last) = last_value(self.semantic.nodes().program()) else { return };
        let mut value = last.without_parentheses();
        while let Expression::AssignmentExpression(assignment) = value
            && assignment.operator == AssignmentOperator::Assign
        {
            value = assignment.right.without_parentheses();
        }
        let function = match value {
            Expression::FunctionExpression(function) => Some(&*function.params),
            Expression::ArrowFunctionExpression(function) => Some(&*function.params),
            Expression::Identifier(name) => match named_function(name, self.semantic) {
                Some(Default::Function(params, _)) => Some(params),
                _ => None,
            },
            _ => None,
        };
        match function {
            Some(params) => match params.items.first() {
                Some(first) => self.context(&first.pattern),
                None => self.otherwise |= params.rest.is_some(),
            },
            // It may be a function all the same.
            None => {
                self.otherwise |= self.semantic.nodes().iter().any(|node| match node.kind() {
                    AstKind::StaticMemberExpression(member) => member.property.name == "args",
                    AstKind::BindingProperty(property) => property.key.is_specific_static_name("args"),
                    _ => false,
                });
            }
        }
    }

    /// What holds `args` beside other things, and each of the arguments by its name.
    fn context(&mut self, pattern: &BindingPattern<'a>) {
        match pattern {
            BindingPattern::ObjectPattern(object) => {
                self.otherwise |= object.rest.is_some();
                for property in &object.properties {
                    match property.key.static_name() {
                        Some(name) if name == "args" => self.bound(&property.value, Origin::Args),
                        Some(name) if CONTEXT.contains(&&*name) => {}
                        // By its name, perhaps with a default and whatever else.
                        Some(_) => self.otherwise = true,
                        None => self.otherwise = true,
                    }
                }
            }
            BindingPattern::BindingIdentifier(name) => {
                for id in self.references(name.symbol_id()) {
                    let (parent, parent_id) = self.parent(id);
                    match parent {
                        AstKind::StaticMemberExpression(member) => {
                            let name = member.property.name.as_str();
                            if name == "args" {
                                self.uses(parent_id, Origin::Args);
                            } else {
                                self.otherwise |= !CONTEXT.contains(&name);
                            }
                        }
                        AstKind::VariableDeclarator(declarator) => self.context(&declarator.id),
                        _ => self.otherwise = true,
                    }
                }
            }
            BindingPattern::AssignmentPattern(default) => self.context(&default.left),
            BindingPattern::ArrayPattern(_) => self.otherwise = true,
        }
    }

    /// The arguments are given to a pattern.
    fn bound(&mut self, pattern: &BindingPattern<'a>, origin: Origin) {
        match pattern {
            BindingPattern::ObjectPattern(object) => self.taken_apart(object, origin),
            BindingPattern::AssignmentPattern(default) => self.bound(&default.left, origin),
            BindingPattern::BindingIdentifier(name) => {
                for id in self.references(name.symbol_id()) {
                    self.uses(id, origin);
                }
            }
            BindingPattern::ArrayPattern(_) => self.otherwise = true,
        }
    }

    /// The uses of a name; a name that is assigned to may stand for anything.
    fn references(&mut self, symbol: SymbolId) -> Vec<NodeId> {
        self.otherwise |= self.semantic.scoping().symbol_is_mutated(symbol)
            || !self.semantic.scoping().symbol_redeclarations(symbol).is_empty();
        self.semantic.symbol_references(symbol).map(|reference| reference.node_id()).collect()
    }

    fn taken_apart(&mut self, object: &ObjectPattern<'a>, origin: Origin) {
        self.takes_any |= object.rest.is_some();
        for property in &object.properties {
            let Some(name) = property.key.static_name() else {
                self.takes_any = true;
                continue;
            };
            let (optional, taken_apart) = match &property.value {
                BindingPattern::AssignmentPattern(_) => (true, false),
                BindingPattern::BindingIdentifier(name) => (self.is_symbol_guarded(name.symbol_id()), false),
                BindingPattern::ObjectPattern(_) | BindingPattern::ArrayPattern(_) => (false, true),
            };
            let span = range(property.key.span());
            self.keys.push(Key { name: name.into_owned(), optional, taken_apart, origin, span });
        }
    }

    /// The node that an expression is part of, without parentheses.
    fn parent(&self, id: NodeId) -> (AstKind<'a>, NodeId) {
        let nodes = self.semantic.nodes();
        let mut id = nodes.parent_id(id);
        while let AstKind::ParenthesizedExpression(_) | AstKind::ChainExpression(_) = nodes.kind(id) {
            id = nodes.parent_id(id);
        }
        (nodes.kind(id), id)
    }

    /// An expression that stands for the arguments.
    fn uses(&mut self, id: NodeId, origin: Origin) {
        let span = self.semantic.nodes().kind(id).span();
        let (parent, parent_id) = self.parent(id);
        match parent {
            AstKind::StaticMemberExpression(member) => {
                self.member(member.property.name.as_str(), member.property.span, parent_id, origin);
            }
            AstKind::ComputedMemberExpression(member) if contains(member.object.span(), span) => {
                match member.static_property_name() {
                    Some(name) => self.member(name.as_str(), member.expression.span(), parent_id, origin),
                    None => self.otherwise = true,
                }
            }
            AstKind::VariableDeclarator(declarator) => self.bound(&declarator.id, origin),
            AstKind::BinaryExpression(binary) if binary.operator == BinaryOperator::In => {
                match binary.left.without_parentheses() {
                    Expression::StringLiteral(name) => self.keys.push(Key {
                        name: name.value.to_string(),
                        optional: true,
                        taken_apart: false,
                        origin,
                        span: range(name.span),
                    }),
                    _ => self.otherwise = true,
                }
            }
            _ => self.otherwise = true,
        }
    }

    fn member(&mut self, name: &str, span: Span, id: NodeId, origin: Origin) {
        let (parent, _) = self.parent(id);
        let whole = self.semantic.nodes().kind(id).span();
        let changes = match parent {
            AstKind::AssignmentExpression(assignment) => contains(assignment.left.span(), whole),
            AstKind::UnaryExpression(unary) => unary.operator == UnaryOperator::Delete,
            AstKind::UpdateExpression(_)
            | AstKind::ArrayAssignmentTarget(_)
            | AstKind::AssignmentTargetWithDefault(_)
            | AstKind::AssignmentTargetPropertyProperty(_)
            | AstKind::AssignmentTargetRest(_) => true,
            AstKind::ForInStatement(each) => contains(each.left.span(), whole),
            AstKind::ForOfStatement(each) => contains(each.left.span(), whole),
            _ => false,
        };
        if changes || INHERITED.contains(&name) {
            self.otherwise = true;
            return;
        }
        let optional = self.is_guarded(id);
        self.keys.push(Key {
            name: name.to_owned(),
            optional,
            taken_apart: false,
            origin,
            span: range(span),
        });
    }

    /// Whether the script asks if the value is there, or has something to take instead.
    fn is_guarded(&self, id: NodeId) -> bool {
        let span = self.semantic.nodes().kind(id).span();
        let (parent, _) = self.parent(id);
        match parent {
            AstKind::LogicalExpression(either) => contains(either.left.span(), span),
            AstKind::UnaryExpression(unary) => {
                matches!(
                    unary.operator,
                    UnaryOperator::LogicalNot | UnaryOperator::Typeof | UnaryOperator::Void
                )
            }
            AstKind::BinaryExpression(binary) => binary.operator.is_equality(),
            AstKind::IfStatement(statement) => contains(statement.test.span(), span),
            AstKind::WhileStatement(statement) => contains(statement.test.span(), span),
            AstKind::ConditionalExpression(conditional) => contains(conditional.test.span(), span),
            AstKind::StaticMemberExpression(member) => member.optional,
            AstKind::ComputedMemberExpression(member) => member.optional,
            AstKind::CallExpression(call) => call.optional,
            AstKind::SpreadElement(_) => true,
            AstKind::VariableDeclarator(declarator) => match &declarator.id {
                BindingPattern::BindingIdentifier(name) => self.is_symbol_guarded(name.symbol_id()),
                _ => false,
            },
            _ => false,
        }
    }

    fn is_symbol_guarded(&self, symbol: SymbolId) -> bool {
        // One that is assigned to may get its default so.
        self.semantic.scoping().symbol_is_mutated(symbol)
            || self.semantic.symbol_references(symbol).any(|reference| {
                let id = reference.node_id();
                let (parent, _) = self.parent(id);
                // Following names from one to the next would have no end.
                !matches!(parent, AstKind::VariableDeclarator(_)) && self.is_guarded(id)
            })
    }
}

fn contains(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}
