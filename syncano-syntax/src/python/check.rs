//! The first error of a script.

use std::ops::Range;

use ruff_python_parser::{
    InterpolatedStringErrorType, LexicalErrorType, Mode, ParseErrorType, ParseOptions, Parsed,
    parse_unchecked,
};
use ruff_text_size::{Ranged, TextRange};

use super::{Takes, Version, message, nesting, reads, semantic, unclosed};
use crate::Diagnostic;

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
    stacker::maybe_grow(STACK_SIZE, STACK_SIZE, || read(source, version))
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

fn read(source: &str, version: Version) -> Result<Takes, Problem> {
    if u32::try_from(source.len()).is_err() {
        return Err(Problem { message: "script is longer than 4 GiB".to_owned(), span: 0..0, noticed_at: 0 });
    }
    if let Some(at) = source.find('\0') {
        let message = "script contains a null character".to_owned();
        return Err(Problem { message, span: at..at + 1, noticed_at: at });
    }
    match nesting::check(source) {
        Ok(()) => read_shallow(source, version),
        // With an unclosed bracket the rest of the script looks like one expression. What comes before the place isn't
        // too deep, so that it can be parsed; an error at its end, or a cut word there, comes from the cut.
        Err((too_deep, span)) => {
            let before =
                source[..span.start].trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').trim_end();
            Err(read_shallow(before, version)
                .err()
                .filter(|problem| problem.noticed_at < before.len())
                .unwrap_or_else(|| Problem { message: too_deep.message(), noticed_at: span.start, span }))
        }
    }
}

fn read_shallow(source: &str, version: Version) -> Result<Takes, Problem> {
    let options = ParseOptions::from(Mode::Module).with_target_version(version.of_parser());
    // A module is what was asked for.
    let Some(parsed) = parse_unchecked(source, options).try_into_module() else { return Ok(Takes::Unknown) };

    if parsed.has_valid_syntax() {
        let unsupported = parsed
            .unsupported_syntax_errors()
            .iter()
            .map(|error| Problem::new(error.to_string(), error.range()));
        let semantic = semantic::check(source, parsed.suite(), version)
            .map(|error| Problem::new(message::of_semantics(&error), error.range()));
        return match unsupported.chain(semantic).min_by_key(|problem| problem.noticed_at) {
            Some(problem) => Err(problem),
            None => Ok(reads::of(parsed.suite())),
        };
    }

    let problem = syntax_problem(source, &parsed);
    // After an error the parser reads on in its own way: what was the inside of a string can become code.
    if nesting::measure(parsed.tokens().iter().map(|token| token.kind())).is_err() {
        // Freeing such a tree could overflow the stack, which ends the process. The memory is the lesser loss.
        std::mem::forget(parsed);
    }
    problem.map_or(Ok(Takes::Unknown), Err)
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
