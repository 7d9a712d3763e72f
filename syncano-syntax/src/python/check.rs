//! The first error of a script.

use std::ops::Range;

use ruff_python_ast::Stmt;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{
    InterpolatedStringErrorType, LexicalErrorType, Mode, ParseErrorType, ParseOptions, Parsed,
    parse_unchecked,
};
use ruff_text_size::{Ranged, TextRange};

use super::bindings::Bindings;
use super::compiler::{self, Flaw};
use super::{Takes, Version, answers, entry, message, nesting, reads, remarks, semantic, unclosed};
use crate::script::Remarks;
use crate::{Diagnostic, Packages, Script};

/// What a tree of the greatest depth that [`nesting`] lets pass needs in an unoptimised build, several times over. It is
/// address space: only what is used becomes memory.
const STACK_SIZE: usize = 64 * 1024 * 1024;

/// Checks a script as the compiler of that version of Python would, without running it.
///
/// # Errors
///
/// The first error of the script; what follows it is often only its consequence.
///
/// ```
/// use syncano_syntax::python::{Version, check};
///
/// let script = "def main(x):\n    match x:\n        case 1:\n            return 'one'\n";
/// assert!(check(script, Version::default()).is_ok());
///
/// let error = check(script, "3.9".parse()?).unwrap_err();
/// assert_eq!((error.start.line, error.start.column), (2, 5));
///
/// let error = check("return 1", Version::default()).unwrap_err();
/// assert_eq!(error.message, "`return` statement outside of a function");
/// # Ok::<(), syncano_syntax::python::UnknownVersion>(())
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
/// use syncano_syntax::python::{Takes, Version, takes};
///
/// let script = "def main(title: str, limit: int = 10, **others): pass";
/// let Ok(Takes::Parameters(parameters)) = takes(script, Version::default()) else { panic!() };
/// assert_eq!(parameters.named[0].name, "title");
/// assert!(parameters.named[1].has_default && parameters.takes_any);
///
/// let Ok(Takes::Keys(keys)) = takes("print(ARGS['title'])", Version::default()) else { panic!() };
/// assert_eq!(keys[0].name, "title");
/// assert_eq!(takes("print(list(ARGS))", Version::default()), Ok(Takes::Unknown));
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
/// use syncano_syntax::python::{Version, read};
///
/// let script = "import json\ndef main(text):\n    return jsn.loads(text)\n";
/// let script = read(script, Version::default(), Packages::Standard).unwrap();
/// let remark = &script.remarks[0].diagnostic;
/// assert_eq!(remark.message, "nothing defines `jsn`: did you mean `json`?");
/// assert_eq!((remark.start.line, remark.start.column), (3, 12));
/// ```
pub fn read(source: &str, version: Version, packages: Packages) -> Result<Script<Takes>, Diagnostic> {
    stacker::maybe_grow(STACK_SIZE, STACK_SIZE, || read_deep(source, version, packages))
        .map_err(|problem| Diagnostic::new(source, problem.span, &problem.message))
}

struct Problem {
    message: String,
    span: Range<usize>,
    /// Where the parser stumbled, which may be far behind the place to show.
    noticed_at: usize,
}

impl Problem {
    fn new(message: String, range: TextRange) -> Self {
        let span = range.start().to_usize()..range.end().to_usize();
        Self { message, noticed_at: span.start, span }
    }
}

fn read_deep(source: &str, version: Version, packages: Packages) -> Result<Script<Takes>, Problem> {
    if u32::try_from(source.len()).is_err() {
        return Err(Problem { message: "script is longer than 4 GiB".to_owned(), span: 0..0, noticed_at: 0 });
    }
    if let Some(at) = source.find('\0') {
        let message = "script contains a null character".to_owned();
        return Err(Problem { message, span: at..at + 1, noticed_at: at });
    }
    match nesting::check(source) {
        Ok(()) => read_shallow(source, version, packages),
        // With an unclosed bracket the rest of the script looks like one expression. What comes before the place isn't
        // too deep, so that it can be parsed; an error at its end, or a cut word there, comes from the cut.
        Err((too_deep, span)) => {
            let before =
                source[..span.start].trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').trim_end();
            Err(read_shallow(before, version, packages)
                .err()
                .filter(|problem| problem.noticed_at < before.len())
                .unwrap_or_else(|| Problem { message: too_deep.message(), noticed_at: span.start, span }))
        }
    }
}

fn read_shallow(source: &str, version: Version, packages: Packages) -> Result<Script<Takes>, Problem> {
    let options = ParseOptions::from(Mode::Module).with_target_version(version.of_parser());
    // A module is what was asked for.
    let Some(parsed) = parse_unchecked(source, options).try_into_module() else { return Ok(unread()) };

    if parsed.has_valid_syntax() {
        let body = parsed.suite();
        let bindings = Bindings::of(body, version.is_at_least(14));
        let unsupported = parsed
            .unsupported_syntax_errors()
            .iter()
            .map(|error| Problem::new(error.to_string(), error.range()));
        let semantic = semantic::check(source, body, version)
            .map(|error| Problem::new(message::of_semantics(&error), error.range()));
        let flaws = [
            compiler::indentation(source, parsed.tokens()),
            compiler::check(source, body, version),
            bindings.misdeclared(),
        ];
        let flaws = flaws.into_iter().flatten().map(|(message, range): Flaw| Problem::new(message, range));
        let problems = unsupported.chain(semantic).chain(flaws);
        return match problems.min_by_key(|problem| problem.noticed_at) {
            Some(problem) => Err(problem),
            None => Ok(script(source, body, &bindings, packages)),
        };
    }

    let mut problem = syntax_problem(source, &parsed);
    if !version.is_at_least(12) && is_generator_of_a_format_string(&parsed) {
        problem = None;
    }
    // After an error the parser reads on in its own way: what was the inside of a string can become code.
    if nesting::measure(parsed.tokens().iter().map(|token| token.kind())).is_err() {
        // Freeing such a tree could overflow the stack, which ends the process. The memory is the lesser loss.
        std::mem::forget(parsed);
    }
    problem.map_or_else(|| Ok(unread()), Err)
}

fn script(source: &str, body: &[Stmt], bindings: &Bindings, packages: Packages) -> Script<Takes> {
    let entry = entry::of(body, bindings);
    let mut found = Remarks::new(source);
    remarks::add(body, bindings, packages, &mut found);
    entry.remark(body, bindings, &mut found);
    Script {
        takes: reads::of(body, &entry),
        remarks: found.into_sorted(),
        raised: answers::raised(body, bindings),
        results: entry.body().map(answers::returned).unwrap_or_default(),
    }
}

fn unread() -> Script<Takes> {
    Script { takes: Takes::Unknown, remarks: Vec::new(), raised: Vec::new(), results: Vec::new() }
}

/// `f'{x for x in y}'`, which is right before Python 3.12. The parser gives up there, so that what follows stays unchecked.
fn is_generator_of_a_format_string<T>(parsed: &Parsed<T>) -> bool {
    let Some(error) = parsed.errors().iter().min_by_key(|error| error.location.start()) else { return false };
    let mut tokens = parsed.tokens().iter().skip_while(|token| token.end() <= error.location.start());
    let stumbled_on = tokens.next().map(|token| token.kind());
    let Some(string) = unclosed::format_string(parsed.tokens(), error.location) else { return false };
    let inside = parsed.tokens().iter().skip_while(|token| token.start() < string.start());
    let inside = inside.take_while(|token| token.start() < error.location.start());
    let braces = inside.filter(|token| token.kind() == TokenKind::Lbrace).count();
    matches!(stumbled_on, Some(TokenKind::For | TokenKind::Async)) && braces <= 2
}

fn syntax_problem<T>(source: &str, parsed: &Parsed<T>) -> Option<Problem> {
    let error = parsed.errors().iter().min_by_key(|error| error.location.start())?;
    let range = error.location;
    let mut problem = Problem::new(message::of_syntax(&error.error), range);
    let show = |problem: &mut Problem, range: TextRange| {
        problem.span = range.start().to_usize()..range.end().to_usize();
    };
    let format_string = unclosed::format_string(parsed.tokens(), range);
    match unclosed_kind(&error.error, format_string.is_some()) {
        Unclosed::Nothing => {}
        Unclosed::FormatString => {
            if let Some(start) = format_string {
                show(&mut problem, start);
            }
        }
        Unclosed::BracketPerhaps => {
            if let Some((message, range)) = unclosed::bracket(source, parsed.tokens(), range) {
                problem.message = message;
                show(&mut problem, range);
            }
        }
    }
    Some(problem)
}

/// What may have been left open when the parser reports an error.
enum Unclosed {
    /// Or a string, which the parser reports where it starts.
    Nothing,
    FormatString,
    BracketPerhaps,
}

fn unclosed_kind(error: &ParseErrorType, in_format_string: bool) -> Unclosed {
    use InterpolatedStringErrorType as Interpolated;
    use LexicalErrorType as Lexical;
    use ParseErrorType as Parse;

    match error {
        Parse::FStringError(error)
        | Parse::TStringError(error)
        | Parse::Lexical(Lexical::FStringError(error) | Lexical::TStringError(error)) => match error {
            Interpolated::UnterminatedString | Interpolated::UnterminatedTripleQuotedString => {
                Unclosed::FormatString
            }
            Interpolated::UnclosedLbrace => Unclosed::BracketPerhaps,
            _ => Unclosed::Nothing,
        },
        Parse::Lexical(Lexical::Eof) => Unclosed::BracketPerhaps,
        // It may be the end of an f-string, in which a brace wants closing first.
        Parse::Lexical(Lexical::UnclosedStringError) if in_format_string => Unclosed::BracketPerhaps,
        Parse::Lexical(_) => Unclosed::Nothing,
        _ => Unclosed::BracketPerhaps,
    }
}
