//! Errors of CPython's compiler that the parser crate doesn't know.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::visitor::{
    Visitor, walk_expr, walk_keyword, walk_pattern, walk_pattern_keyword, walk_stmt, walk_with_item,
};
use ruff_python_ast::{
    ConversionFlag, ExceptHandler, Expr, ExprContext, Identifier, InterpolatedStringElement,
    InterpolatedStringElements, Keyword, Number, Pattern, PatternKeyword, Stmt, StmtTry, WithItem,
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::Version;

/// What is wrong, and where.
pub(super) type Flaw = (String, TextRange);

/// The first error in a tree.
pub(super) fn check(source: &str, body: &[Stmt], version: Version) -> Option<Flaw> {
    let rules = Rules {
        max_blocks: if version.is_at_least(12) { 40 } else { 20 },
        max_specs: if version.is_at_least(12) { 2 } else { 1 },
        blanks_behind_conversions: version.is_at_least(12),
    };
    let texts = body.iter().any(annotations_are_texts);
    let mut walk = Walk { source, rules, texts, function: Function::default(), first: None };
    walk.visit_body(body);
    walk.first
}

/// What depends on the version.
struct Rules {
    /// How many loops, `try` and `with` statements may lie inside each other.
    max_blocks: usize,
    /// How many format specifications of an f-string may.
    max_specs: usize,
    /// `{x!r }`
    blanks_behind_conversions: bool,
}

/// Where in a function, a class or the module the walk is.
#[derive(Default)]
struct Function {
    blocks: usize,
    /// In an `except*` block, which nothing may leave by a jump.
    in_group: bool,
    /// The same, without a loop inside of it.
    in_group_without_loop: bool,
}

struct Walk<'a> {
    source: &'a str,
    rules: Rules,
    /// `from __future__ import annotations` makes texts of them.
    texts: bool,
    function: Function,
    first: Option<Flaw>,
}

impl Walk<'_> {
    fn report(&mut self, range: TextRange, message: impl Into<String>) {
        if self.first.as_ref().is_none_or(|(_, first)| range.start() < first.start()) {
            self.first = Some((message.into(), range));
        }
    }

    /// Visits what lies in so many more blocks.
    fn blocks(&mut self, count: usize, statement: &Stmt, visit: impl FnOnce(&mut Self)) {
        self.function.blocks += count;
        if self.function.blocks > self.rules.max_blocks {
            let message = format!("too many statically nested blocks: {} are allowed", self.rules.max_blocks);
            let start = statement.start();
            self.report(TextRange::at(start, TextSize::from(1)), message);
        }
        visit(self);
        self.function.blocks -= count;
    }

    fn in_loop(&mut self, statement: &Stmt, body: &[Stmt]) {
        let outer = std::mem::take(&mut self.function.in_group_without_loop);
        self.blocks(1, statement, |walk| walk.visit_body(body));
        self.function.in_group_without_loop = outer;
    }

    fn in_function(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::take(&mut self.function);
        visit(self);
        self.function = outer;
    }

    fn attempt(&mut self, stmt: &Stmt, statement: &StmtTry) {
        let finally = usize::from(!statement.finalbody.is_empty());
        let except = usize::from(!statement.handlers.is_empty());
        self.blocks(finally + except, stmt, |walk| walk.visit_body(&statement.body));
        self.blocks(finally, stmt, |walk| walk.visit_body(&statement.orelse));
        let last = statement.handlers.len().saturating_sub(1);
        for (index, handler) in statement.handlers.iter().enumerate() {
            let ExceptHandler::ExceptHandler(caught) = handler;
            if caught.type_.is_none() && index < last {
                let range = TextRange::at(caught.start(), TextSize::from(6));
                self.report(range, "`except:` without an exception must be the last of its `try`");
            }
            caught.type_.iter().for_each(|kind| self.visit_expr(kind));
            let outer = (self.function.in_group, self.function.in_group_without_loop);
            self.function.in_group |= statement.is_star;
            self.function.in_group_without_loop |= statement.is_star;
            self.blocks(finally + 2, stmt, |walk| walk.visit_body(&caught.body));
            (self.function.in_group, self.function.in_group_without_loop) = outer;
        }
        self.blocks(finally, stmt, |walk| walk.visit_body(&statement.finalbody));
    }

    fn elements(&mut self, elements: &InterpolatedStringElements, specs: usize) {
        for element in elements {
            let InterpolatedStringElement::Interpolation(inner) = element else { continue };
            self.not_starred(&inner.expression);
            if !self.rules.blanks_behind_conversions && !matches!(inner.conversion, ConversionFlag::None) {
                let behind = TextRange::new(inner.expression.end(), inner.end());
                let conversion = self.source[behind].split_once('!').map_or("", |(_, conversion)| conversion);
                if !conversion.get(1..).is_some_and(|rest| rest.starts_with([':', '}'])) {
                    self.report(inner.range, "`}` or `:` must follow the conversion of the f-string at once");
                }
            }
            if specs > self.rules.max_specs {
                self.report(inner.range, "expressions of the f-string nest too deep");
            }
            self.visit_expr(&inner.expression);
            if let Some(spec) = &inner.format_spec {
                self.elements(&spec.elements, specs + 1);
            }
        }
    }

    fn number(&mut self, number: &Number, range: TextRange) {
        /// As long as a number may be that `int` reads.
        const MAX_DIGITS: usize = 4_300;
        if !matches!(number, Number::Int(_)) {
            return;
        }
        let text = &self.source[range];
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
        // Zeros may be as many as they like.
        if is_decimal && !text.starts_with('0') && digits > MAX_DIGITS {
            self.report(
                range,
                format!(
                    "a decimal number has at most {MAX_DIGITS} digits, not {digits}: write it in hexadecimal"
                ),
            );
        }
    }
}

impl Visitor<'_> for Walk<'_> {
    fn visit_stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.visit_parameters(&function.parameters);
                function.returns.iter().for_each(|returns| self.visit_annotation(returns));
                self.in_function(|walk| walk.visit_body(&function.body));
            }
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                class.arguments.iter().for_each(|arguments| self.visit_arguments(arguments));
                self.in_function(|walk| walk.visit_body(&class.body));
            }
            Stmt::For(each) => {
                self.visit_expr(&each.target);
                self.visit_expr(&each.iter);
                self.in_loop(stmt, &each.body);
                self.visit_body(&each.orelse);
            }
            Stmt::While(each) => {
                self.visit_expr(&each.test);
                self.in_loop(stmt, &each.body);
                self.visit_body(&each.orelse);
            }
            Stmt::With(with) => {
                with.items.iter().for_each(|item| self.visit_with_item(item));
                self.blocks(with.items.len(), stmt, |walk| walk.visit_body(&with.body));
            }
            Stmt::Try(attempt) => self.attempt(stmt, attempt),
            Stmt::AnnAssign(assignment) => {
                assignment.value.iter().for_each(|value| self.not_starred(value));
                walk_stmt(self, stmt);
            }
            Stmt::AugAssign(assignment) => {
                self.not_starred(&assignment.value);
                self.visit_expr(&assignment.value);
                match &*assignment.target {
                    // Here `x.__debug__` may stand.
                    Expr::Attribute(attribute) => self.visit_expr(&attribute.value),
                    target => self.visit_expr(target),
                }
            }
            Stmt::Expr(statement) => {
                self.not_starred(&statement.value);
                walk_stmt(self, stmt);
            }
            Stmt::Return(_) if self.function.in_group => self.leaves_group(stmt, "return"),
            Stmt::Break(_) if self.function.in_group_without_loop => self.leaves_group(stmt, "break"),
            Stmt::Continue(_) if self.function.in_group_without_loop => self.leaves_group(stmt, "continue"),
            stmt => walk_stmt(self, stmt),
        }
    }

    fn visit_annotation(&mut self, annotation: &Expr) {
        if self.texts {
            for (word, range) in refused_in_texts(annotation) {
                self.report(range, format!("`{word}` can't stand in an annotation"));
            }
        }
        self.visit_expr(annotation);
    }

    fn visit_with_item(&mut self, item: &WithItem) {
        item.optional_vars.iter().for_each(|target| self.not_starred(target));
        walk_with_item(self, item);
    }

    fn visit_keyword(&mut self, keyword: &Keyword) {
        keyword.arg.iter().for_each(|name| self.not_debug(name));
        walk_keyword(self, keyword);
    }

    fn visit_pattern_keyword(&mut self, keyword: &PatternKeyword) {
        self.not_debug(&keyword.attr);
        walk_pattern_keyword(self, keyword);
    }

    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Attribute(attribute) if attribute.ctx == ExprContext::Store => {
                self.not_debug(&attribute.attr)
            }
            Expr::Named(named) if named.start() != named.target.start() => {
                self.report(named.target.range(), "the name before `:=` can't stand in brackets");
            }
            Expr::Tuple(tuple) if tuple.ctx == ExprContext::Store => self.unpacked(&tuple.elts),
            Expr::List(list) if list.ctx == ExprContext::Store => self.unpacked(&list.elts),
            _ => {}
        }
        match expr {
            Expr::NumberLiteral(literal) => self.number(&literal.value, literal.range),
            Expr::FString(string) => {
                string.value.f_strings().for_each(|part| self.elements(&part.elements, 0));
            }
            Expr::TString(string) => {
                string.value.iter().for_each(|part| self.elements(&part.elements, 0));
            }
            expr => walk_expr(self, expr),
        }
    }

    fn visit_pattern(&mut self, pattern: &Pattern) {
        const NAMES_ONLY: &str = "a pattern matches literals and dotted names only";
        let wildcard = |expr: &Expr| {
            let mut root = expr;
            while let Expr::Attribute(attribute) = root {
                root = &attribute.value;
            }
            root.as_name_expr().filter(|name| name.id.as_str() == "_").map(|name| name.range)
        };
        let underscore = "`_` matches anything in a pattern, and has no attributes";
        match pattern {
            Pattern::MatchValue(value) => {
                if value.value.is_f_string_expr() || value.value.is_t_string_expr() {
                    self.report(value.range, NAMES_ONLY);
                }
                if let Some(range) = wildcard(&value.value) {
                    self.report(range, underscore);
                }
            }
            Pattern::MatchOr(either) => {
                let last = either.patterns.len().saturating_sub(1);
                let is_wildcard = |pattern: &&Pattern| matches!(pattern, Pattern::MatchAs(one) if one.pattern.is_none() && one.name.is_none());
                if let Some(wildcard) = either.patterns.iter().take(last).find(is_wildcard) {
                    self.report(
                        wildcard.range(),
                        "`_` matches anything: the patterns behind it are never tried",
                    );
                }
            }
            Pattern::MatchSequence(sequence) => self.separated(&sequence.patterns),
            Pattern::MatchMapping(mapping) => {
                for key in mapping.keys.iter().filter(|key| key.is_f_string_expr() || key.is_t_string_expr())
                {
                    self.report(key.range(), NAMES_ONLY);
                }
            }
            Pattern::MatchClass(class) => {
                if self.source[class.range].starts_with('(') {
                    self.report(class.cls.range(), "the class of a pattern can't stand in brackets");
                }
                if let Some(range) = wildcard(&class.cls) {
                    self.report(range, underscore);
                }
            }
            _ => {}
        }
        walk_pattern(self, pattern);
    }
}

pub(super) fn annotations_are_texts(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::ImportFrom(import) if import.module.as_deref() == Some("__future__")
        && import.names.iter().any(|alias| alias.name.as_str() == "annotations"))
}

/// What an annotation can't do where it becomes a text, outside of functions and comprehensions of its own.
fn refused_in_texts(annotation: &Expr) -> Vec<(&'static str, TextRange)> {
    struct Refused(Vec<(&'static str, TextRange)>);
    impl Visitor<'_> for Refused {
        fn visit_expr(&mut self, expr: &Expr) {
            let word = match expr {
                Expr::Named(_) => ":=",
                Expr::Await(_) => "await",
                Expr::Yield(_) | Expr::YieldFrom(_) => "yield",
                Expr::Lambda(_)
                | Expr::ListComp(_)
                | Expr::SetComp(_)
                | Expr::DictComp(_)
                | Expr::Generator(_) => {
                    return;
                }
                expr => return walk_expr(self, expr),
            };
            self.0.push((word, expr.range()));
        }
    }
    let mut refused = Refused(Vec::new());
    refused.visit_expr(annotation);
    refused.0
}

impl Walk<'_> {
    fn not_starred(&mut self, expr: &Expr) {
        if expr.is_starred_expr() {
            self.report(expr.range(), "a starred expression can't stand here: add a comma behind it");
        }
    }

    fn not_debug(&mut self, name: &Identifier) {
        if name.as_str() == "__debug__" {
            self.report(name.range, "cannot assign to `__debug__`");
        }
    }

    /// So many values at most stand before the starred one.
    fn unpacked(&mut self, targets: &[Expr]) {
        const MOST: usize = 255;
        if let Some(starred) = targets.iter().skip(MOST + 1).find(|target| target.is_starred_expr()) {
            self.report(starred.range(), format!("at most {MOST} names may stand before a starred one"));
        }
    }

    /// The parser lets commas be forgotten.
    fn separated(&mut self, patterns: &[Pattern]) {
        for pair in patterns.windows(2) {
            let between = TextRange::new(pair[0].end(), pair[1].start());
            let has_comma = self.source[between]
                .lines()
                .any(|line| line.split('#').next().is_some_and(|text| text.contains(',')));
            if !has_comma {
                self.report(pair[1].range(), "expected `,` between two patterns");
            }
        }
    }

    fn leaves_group(&mut self, stmt: &Stmt, word: &str) {
        self.report(stmt.range(), format!("`{word}` can't leave an `except*` block"));
        walk_stmt(self, stmt);
    }
}

/// The first line whose indentation mixes tabs and spaces so that it means different things where tabs are of different width, or that
/// goes back to an indentation that nothing before it has.
pub(super) fn indentation(source: &str, tokens: &[Token]) -> Option<Flaw> {
    // With tabs of eight columns, and of one.
    let mut levels = vec![(0_usize, 0_usize)];
    let mut starts_line = true;
    for token in tokens {
        match token.kind() {
            TokenKind::Newline => starts_line = true,
            TokenKind::Comment | TokenKind::NonLogicalNewline | TokenKind::Indent | TokenKind::Dedent => {}
            TokenKind::EndOfFile => break,
            _ if starts_line => {
                starts_line = false;
                let line = line_start(source, token.start().to_usize());
                let (wide, narrow) = columns(&source[line..token.start().to_usize()]);
                let range = TextRange::new(TextSize::try_from(line).ok()?, token.start());
                let inconsistent =
                    || Some(("tabs and spaces are mixed in the indentation".to_owned(), range));
                let (last_wide, last_narrow) = levels.last().copied().unwrap_or_default();
                if wide > last_wide {
                    if narrow <= last_narrow {
                        return inconsistent();
                    }
                    levels.push((wide, narrow));
                    continue;
                }
                while levels.len() > 1 && levels.last().is_some_and(|(level, _)| *level > wide) {
                    levels.pop();
                }
                let (level_wide, level_narrow) = levels.last().copied().unwrap_or_default();
                if wide != level_wide {
                    let message = "unindent does not match any outer indentation level".to_owned();
                    return Some((message, range));
                }
                if narrow != level_narrow {
                    return inconsistent();
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the line of an offset starts, with the lines before it that end in a backslash.
fn line_start(source: &str, offset: usize) -> usize {
    let line = |before: &str| before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let mut start = line(&source[..offset]);
    while let Some(before) =
        source[..start].strip_suffix("\r\n").or(source[..start].strip_suffix(['\n', '\r']))
        && let Some(before) = before.strip_suffix('\\')
        && columns_only(&before[line(before)..])
    {
        start = line(before);
    }
    start
}

fn columns_only(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\x0c'))
}

/// The width of an indentation, with tabs of eight columns and of one.
fn columns(indentation: &str) -> (usize, usize) {
    let (mut wide, mut narrow) = (0, 0);
    let mut continued = None;
    for byte in indentation.bytes() {
        match byte {
            b' ' => (wide, narrow) = (wide + 1, narrow + 1),
            b'\t' => (wide, narrow) = ((wide / 8 + 1) * 8, narrow + 1),
            b'\x0c' => (wide, narrow) = (0, 0),
            // What stands before the first backslash counts.
            b'\\' => {
                let _ = continued.get_or_insert((wide, narrow));
            }
            b'\n' | b'\r' => (wide, narrow) = (0, 0),
            _ => {}
        }
    }
    continued.filter(|(wide, _)| *wide > 0).unwrap_or((wide, narrow))
}
