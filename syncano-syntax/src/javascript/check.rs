//! The first error of a script.

use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_diagnostics::OxcDiagnostic;
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::{Semantic, SemanticBuilder};
use oxc_span::SourceType;

use super::token::{Kind, tokens};
use super::{
    Takes, Version, answers, lenient, message, nesting, newer, reads, remarks, typescript, unclosed,
};
use crate::script::Remarks;
use crate::{Diagnostic, Packages, Script};

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
/// use syncano_syntax::javascript::{Version, check};
///
/// let node = Version::default();
/// assert!(check("export default async ({ name }) => `hello ${name}`", node).is_ok());
/// assert!(check("console.log(ARGS.name)", node).is_ok());
///
/// let error = check("const a = 1\nconst a = 2\n", node).unwrap_err();
/// assert_eq!((error.start.line, error.start.column), (2, 7));
/// assert_eq!(error.message, "`a` has already been declared");
/// ```
pub fn check(source: &str, version: Version) -> Result<(), Diagnostic> {
    takes(source, version).map(drop)
}

/// Checks a script like [`check`], and reads what it takes from its callers.
///
/// # Errors
///
/// As [`check`].
///
/// ```
/// use syncano_syntax::javascript::{Origin, Takes, Version};
///
/// let takes = |source| syncano_syntax::javascript::takes(source, Version::default());
/// let Ok(Takes::Keys(keys)) = takes("export default ({ title, limit = 10 }) => title") else { panic!() };
/// assert_eq!(keys.read[0].name, "title");
/// assert_eq!(keys.read[0].origin, Origin::Parameter);
/// assert!(keys.read[1].optional && !keys.takes_any);
///
/// let Ok(Takes::Keys(keys)) = takes("console.log(ARGS.title)") else { panic!() };
/// assert_eq!(keys.read[0].name, "title");
/// assert_eq!(takes("console.log(Object.keys(ARGS))"), Ok(Takes::Unknown));
/// ```
pub fn takes(source: &str, version: Version) -> Result<Takes, Diagnostic> {
    read(source, version, Packages::Others).map(|script| script.takes)
}

/// Checks a script like [`check`], and reads all that can be told of it without running it.
///
/// # Errors
///
/// As [`check`].
///
/// ```
/// use syncano_syntax::Packages;
/// use syncano_syntax::javascript::{Version, read};
///
/// let script = "export default ({ text }) => Bufer.from(text).length";
/// let script = read(script, Version::default(), Packages::Standard).unwrap();
/// assert_eq!(script.remarks[0].diagnostic.message, "nothing defines `Bufer`: did you mean `Buffer`?");
/// ```
pub fn read(source: &str, version: Version, packages: Packages) -> Result<Script<Takes>, Diagnostic> {
    let asked = Asked { source, version, packages };
    stacker::maybe_grow(STACK_SIZE, STACK_SIZE, || read_deep(asked)).map_err(|problem| problem.shown(source))
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    source: &'a str,
    version: Version,
    packages: Packages,
}

pub(super) struct Problem {
    pub(super) message: String,
    pub(super) span: Range<usize>,
    /// Where the parser stumbled, which may be far behind the place to show.
    noticed_at: usize,
}

impl Problem {
    pub(super) fn new(message: String, span: Range<usize>) -> Self {
        Self { message, noticed_at: span.start, span }
    }

    fn shown(self, source: &str) -> Diagnostic {
        // What is missing at the end is missing behind the last line that holds anything.
        let end = source.trim_end().len();
        let span = if self.span.start >= end { end..end } else { self.span };
        Diagnostic::new(source, span, &self.message)
    }
}

fn read_deep(asked: Asked) -> Result<Script<Takes>, Problem> {
    let source = asked.source;
    if u32::try_from(source.len()).is_err() {
        return Err(Problem::new("script is longer than 4 GiB".to_owned(), 0..0));
    }
    match nesting::check(source) {
        Ok(()) => read_shallow(asked),
        // With an unclosed bracket the rest of the script looks like one expression. What comes before the place isn't
        // too deep, so that it can be parsed; an error at its end comes from the cut.
        Err(nesting::TooDeep { message, span, certain }) => {
            let before = Asked { source: source[..span.start].trim_end(), ..asked };
            Err(read_shallow(before)
                .err()
                .filter(|problem| problem.noticed_at < certain)
                .unwrap_or_else(|| Problem::new(message, span)))
        }
    }
}

fn read_shallow(asked: Asked) -> Result<Script<Takes>, Problem> {
    let source = asked.source;
    let as_module = || parse(asked, SourceType::mjs(), |semantic, record| (script(asked, semantic), record));
    let read = if has_module_syntax(source) {
        as_module().map(|(script, _)| script)
    } else {
        match parse(asked, SourceType::script(), |semantic, _| script(asked, semantic)) {
            // What waits at the top level is a module, and so is a script with `import.meta`, which isn't seen as a word of
            // its own.
            Err(problem) if message::is_about_await(&problem.message) => {
                as_module().map(|(script, _)| script)
            }
            Err(problem) => match as_module() {
                Ok((script, true)) => Ok(script),
                _ => Err(problem),
            },
            read => read,
        }
    };
    if read.as_ref().is_err_and(|problem| lenient::passes(source, problem)) {
        let (remarks, raised, results) = Default::default();
        return Ok(Script { takes: Takes::Unknown, remarks, raised, results });
    }
    read.map_err(|problem| typescript::refusal(source).unwrap_or(problem))
}

fn script(asked: Asked, semantic: &Semantic) -> Script<Takes> {
    let mut found = Remarks::new(asked.source);
    remarks::add(semantic, asked.version, asked.packages, &mut found);
    let params = reads::default_function(semantic);
    Script {
        takes: reads::of(semantic),
        remarks: found.into_sorted(),
        raised: answers::raised(semantic),
        results: params.map(|params| answers::returned(semantic, params)).unwrap_or_default(),
    }
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

/// Parses a script of one kind, and has `then` look at it, and at whether it asks for `import.meta`, if it has no error.
fn parse<T>(asked: Asked, kind: SourceType, then: impl FnOnce(&Semantic, bool) -> T) -> Result<T, Problem> {
    let Asked { source, version, .. } = asked;
    let allocator = Allocator::default();
    let options = ParseOptions { parse_regular_expression: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, source, kind).with_options(options).parse();
    if let Some(problem) = first_problem(source, parsed.diagnostics.errors()) {
        return Err(problem);
    }
    let built =
        SemanticBuilder::new().with_check_syntax_error(true).with_build_nodes(true).build(&parsed.program);
    let beyond = typescript::beyond_node(&built.semantic);
    let newer = newer::than(&built.semantic, version);
    let errors = built
        .diagnostics
        .errors()
        .filter(|error| !lenient::is_let_of_an_arrow(source, error, &built.semantic));
    let problem = first_problem(source, errors).into_iter().chain(beyond).chain(newer);
    match problem.min_by_key(|problem| problem.noticed_at) {
        Some(problem) => Err(problem),
        None => Ok(then(&built.semantic, !parsed.module_record.import_metas.is_empty())),
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
