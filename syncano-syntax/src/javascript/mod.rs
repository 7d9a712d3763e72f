//! JavaScript, as the server runs it on Node.

mod message;
mod nesting;
mod takes;
mod token;
mod typescript;
mod unclosed;

use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_diagnostics::OxcDiagnostic;
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::{Semantic, SemanticBuilder};
use oxc_span::SourceType;
use oxc_syntax::module_record::ModuleRecord;

pub use self::takes::{Key, Keys, Origin, Takes};
use self::token::{Kind, tokens};
use crate::Diagnostic;

/// What a tree of the greatest depth that [`nesting`] lets pass needs in an unoptimised build, several times over. It is
/// address space: only what is used becomes memory.
const STACK_SIZE: usize = 64 * 1024 * 1024;

/// Checks a script as Node would before it runs, in the way in which the server runs it: a script that compiles as a program is one;
/// any other is a module, and has an `import` or an `export`.
///
/// # Errors
///
/// The first error of the script; what follows it is often only its consequence.
///
/// ```
/// use syncano_syntax::javascript::check;
///
/// assert!(check("export default async ({ name }) => `hello ${name}`").is_ok());
/// assert!(check("console.log(ARGS.name)").is_ok());
///
/// let error = check("const a = 1\nconst a = 2\n").unwrap_err();
/// assert_eq!((error.start.line, error.start.column), (2, 7));
/// assert_eq!(error.message, "`a` has already been declared");
/// ```
pub fn check(source: &str) -> Result<(), Diagnostic> {
    takes(source).map(drop)
}

/// Checks a script like [`check`], and reads what it takes from its callers.
///
/// # Errors
///
/// As [`check`].
///
/// ```
/// use syncano_syntax::javascript::{Origin, Takes, takes};
///
/// let Ok(Takes::Keys(keys)) = takes("export default ({ title, limit = 10 }) => title") else { panic!() };
/// assert_eq!(keys.read[0].name, "title");
/// assert_eq!(keys.read[0].origin, Origin::Parameter);
/// assert!(keys.read[1].optional && !keys.takes_any);
///
/// let Ok(Takes::Keys(keys)) = takes("console.log(ARGS.title)") else { panic!() };
/// assert_eq!(keys.read[0].name, "title");
/// assert_eq!(takes("console.log(Object.keys(ARGS))"), Ok(Takes::Unknown));
/// ```
pub fn takes(source: &str) -> Result<Takes, Diagnostic> {
    stacker::maybe_grow(STACK_SIZE, STACK_SIZE, || read(source)).map_err(|problem| problem.shown(source))
}

struct Problem {
    message: String,
    span: Range<usize>,
    /// Where the parser stumbled, which may be far behind the place to show.
    noticed_at: usize,
}

impl Problem {
    fn new(message: String, span: Range<usize>) -> Self {
        Self { message, noticed_at: span.start, span }
    }

    fn shown(self, source: &str) -> Diagnostic {
        // What is missing at the end is missing behind the last line that holds anything.
        let end = source.trim_end().len();
        let span = if self.span.start >= end { end..end } else { self.span };
        Diagnostic::new(source, span, &self.message)
    }
}

fn read(source: &str) -> Result<Takes, Problem> {
    if u32::try_from(source.len()).is_err() {
        return Err(Problem::new("script is longer than 4 GiB".to_owned(), 0..0));
    }
    match nesting::check(source) {
        Ok(()) => read_shallow(source),
        // With an unclosed bracket the rest of the script looks like one expression. What comes before the place isn't
        // too deep, so that it can be parsed; an error at its end comes from the cut.
        Err(nesting::TooDeep { message, span, certain }) => {
            Err(read_shallow(source[..span.start].trim_end())
                .err()
                .filter(|problem| problem.noticed_at < certain)
                .unwrap_or_else(|| Problem::new(message, span)))
        }
    }
}

fn read_shallow(source: &str) -> Result<Takes, Problem> {
    let read = if has_module_syntax(source) {
        let module = parse(source, SourceType::mjs(), |semantic, _, record| {
            let names = record.exported_bindings.len() + record.star_export_entries.len();
            let is_module = names > 0 || !record.requested_modules.is_empty() || exports_default(record);
            (takes::of(semantic), is_module)
        });
        match module {
            Ok((takes, true)) => Ok(takes),
            // `export {}` alone: what Node stumbles on first decides.
            Ok((takes, false)) => match parse(source, SourceType::script(), |_, _, _| ()) {
                Err(problem) if message::is_about_await(&problem.message) => Err(problem),
                _ => Ok(takes),
            },
            Err(problem) => Err(problem),
        }
    } else {
        match parse(source, SourceType::script(), |semantic, _, _| takes::of(semantic)) {
            // A script with `import.meta`, which isn't seen as a word of its own, is a module too.
            Err(problem) => parse(source, SourceType::mjs(), |semantic, _, record| {
                (!record.import_metas.is_empty()).then(|| takes::of(semantic))
            })
            .ok()
            .flatten()
            .ok_or(problem),
            read => read,
        }
    };
    read.map_err(|problem| typescript::refusal(source).unwrap_or(problem))
}

fn exports_default(record: &ModuleRecord) -> bool {
    record.local_export_entries.iter().any(|entry| entry.export_name.is_default())
}

/// Whether a statement of the top level begins with `import` or `export`.
fn has_module_syntax(source: &str) -> bool {
    let mut depth = 0_usize;
    let mut tokens = tokens(source).peekable();
    while let Some(token) = tokens.next() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && token.starts_over => match &source[token.range()] {
                "export" => return true,
                // Not `import(…)`, nor `import.meta`.
                "import" => {
                    let next = tokens.peek().map(|next| &source[next.range()]);
                    if !matches!(next, Some("(" | ".")) {
                        return true;
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
    false
}

/// Parses a script of one kind, and has `then` look at it if it has no error.
fn parse<T>(
    source: &str,
    kind: SourceType,
    then: impl FnOnce(&Semantic, &Program, &ModuleRecord) -> T,
) -> Result<T, Problem> {
    let allocator = Allocator::default();
    let options = ParseOptions { parse_regular_expression: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, source, kind).with_options(options).parse();
    if let Some(problem) = first_problem(source, parsed.diagnostics.errors()) {
        return Err(problem);
    }
    let built =
        SemanticBuilder::new().with_check_syntax_error(true).with_build_nodes(true).build(&parsed.program);
    let beyond = typescript::beyond_node(&built.semantic);
    let problem = first_problem(source, built.diagnostics.errors()).into_iter().chain(beyond);
    match problem.min_by_key(|problem| problem.noticed_at) {
        Some(problem) => Err(problem),
        None => Ok(then(&built.semantic, &parsed.program, &parsed.module_record)),
    }
}

fn first_problem<'a>(source: &str, errors: impl Iterator<Item = &'a OxcDiagnostic>) -> Option<Problem> {
    let mut errors: Vec<(Range<usize>, &OxcDiagnostic)> =
        errors.map(|error| (message::place(source, error), error)).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let (span, error) = errors.first().cloned()?;
    // A token that the parser doesn't understand may be wrong in itself.
    let inside = errors
        .iter()
        .skip(1)
        .find(|(other, _)| message::is_about_token(error) && span.contains(&other.start));
    let (span, error) = inside.cloned().unwrap_or((span, error));
    let (message, found) = message::of(source, error, span);
    let mut problem = Problem::new(message, found);
    if let Some((message, span)) = unclosed::bracket(source, problem.noticed_at) {
        problem.message = message;
        problem.span = span;
    }
    Some(problem)
}
