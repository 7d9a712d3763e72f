//! The scripts: their text, their runtime and their syntax.

use std::path::Path;

use proc_macro2::Span;
use quote::ToTokens;
use syn::LitStr;
use syncano_core::{Language, Runtime};
use syncano_syntax::python::{self, Version};
use syncano_syntax::{Dedented, Diagnostic, dedent};

use crate::attribute::{EndpointOptions, NamedRuntime};
use crate::errors::Errors;

/// A call's script as written.
#[derive(Clone)]
pub(crate) enum Script {
    /// In the attribute; `text` is without the indentation.
    Inline { literal: LitStr, text: String },
    /// In a file; `text` is `None` where it can't be read now: the compiler reports a missing file itself.
    File { literal: LitStr, text: Option<String> },
}

impl Script {
    /// The script that the attribute names.
    pub(crate) fn of(options: &EndpointOptions, errors: &mut Errors) -> Option<Script> {
        match (&options.source, &options.file) {
            (Some(_), Some(file)) => {
                errors.at(file.span(), "a call has one script: write `source` or `file`, not both");
                None
            }
            (Some(literal), None) => {
                let text = dedent(&literal.value()).text.into_owned();
                Some(Script::Inline { literal: literal.clone(), text })
            }
            (None, Some(literal)) => {
                Some(Script::File { literal: literal.clone(), text: read(literal.span(), &literal.value()) })
            }
            (None, None) => None,
        }
    }

    /// The text that is published, if it is known.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Script::Inline { text, .. } => Some(text),
            Script::File { text, .. } => text.as_deref(),
        }
    }

    /// The literal that holds the script or names its file.
    pub(crate) fn literal(&self) -> &LitStr {
        match self {
            Script::Inline { literal, .. } | Script::File { literal, .. } => literal,
        }
    }

    /// The runtime: what the call says, else what the socket says if it fits the file's extension, else what the
    /// extension stands for.
    pub(crate) fn runtime(
        &self,
        own: Option<&NamedRuntime>,
        socket: Option<&NamedRuntime>,
        errors: &mut Errors,
    ) -> Option<Runtime> {
        let extension = match self {
            Script::Inline { .. } => None,
            Script::File { literal, .. } => {
                let path = literal.value();
                let extension = Path::new(&path).extension().and_then(|extension| extension.to_str());
                extension.and_then(Runtime::from_extension)
            }
        };
        let fits = |runtime: Runtime| extension.is_none_or(|found| found.language() == runtime.language());
        if let Some(NamedRuntime { literal, runtime }) = own {
            let runtime = (*runtime)?;
            if fits(runtime) {
                return Some(runtime);
            }
            errors.at(
                literal.span(),
                format!(
                    "`{runtime}` runs {}, but `{}` is a script in another language: remove `runtime`, or rename the file",
                    runtime.language(),
                    self.literal().value()
                ),
            );
            return None;
        }
        match socket {
            Some(NamedRuntime { runtime: Some(runtime), .. }) if fits(*runtime) => Some(*runtime),
            // Reported where it stands.
            Some(NamedRuntime { runtime: None, .. }) if extension.is_none() => None,
            _ => {
                if extension.is_none() {
                    errors.at(
                        self.literal().span(),
                        "nothing says what runs this script: write `runtime = \"python3\"`, here or in `#[socket(…)]`",
                    );
                }
                extension
            }
        }
    }

    /// Reports a syntax error of the script, if its language is one that can be checked.
    pub(crate) fn check(&self, endpoint: &str, runtime: Runtime, errors: &mut Errors) {
        let (Language::Python, Some(text)) = (runtime.language(), self.text()) else { return };
        let Err(diagnostic) = python::check(text, Version::default()) else { return };
        let place = match self {
            Script::Inline { literal, .. } => render_inline(literal, &diagnostic),
            Script::File { literal, .. } => diagnostic.render(text, &literal.value(), 1),
        };
        errors.at(
            self.literal().span(),
            format!(
                "the script of endpoint `{endpoint}` has a syntax error: {}\n{place}",
                diagnostic.message
            ),
        );
    }
}

/// The text of a script file, which is named relative to the Rust file as for `include_str!`.
fn read(span: Span, path: &str) -> Option<String> {
    // An editor's macro server knows no file: then there is nothing to check.
    let rust_file = span.local_file()?;
    std::fs::read_to_string(rust_file.parent()?.join(path)).ok()
}

/// Shows the error where the literal stands in its Rust file, if the lines of the two correspond.
fn render_inline(literal: &LitStr, diagnostic: &Diagnostic) -> String {
    let value = literal.value();
    let Dedented { text, dropped_lines, .. } = dedent(&value);
    let token = literal.to_token_stream().to_string();
    // Escapes may stand for line breaks, or hide them.
    let as_written = token.starts_with('r') || !token.contains('\\');
    if !as_written || literal.span().local_file().is_none() {
        return diagnostic.render(&text, "<script>", 1);
    }
    let written = value.split_inclusive('\n').skip(dropped_lines).collect::<String>();
    let at = |offset| offset_as_written(&written, &text, offset);
    let diagnostic =
        Diagnostic { span: at(diagnostic.span.start)..at(diagnostic.span.end), ..diagnostic.clone() };
    diagnostic.render(&written, &literal.span().file(), literal.span().start().line + dropped_lines)
}

/// Where an offset of the dedented text lies in the text as it is written.
fn offset_as_written(written: &str, dedented: &str, offset: usize) -> usize {
    let (mut in_written, mut in_dedented) = (0, 0);
    let lines = written.split_inclusive('\n').zip(dedented.split_inclusive('\n'));
    for (line, short) in lines {
        if offset < in_dedented + short.len() {
            return in_written + line.len() - short.len() + offset - in_dedented;
        }
        in_written += line.len();
        in_dedented += short.len();
    }
    in_written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_move_with_the_indentation() {
        let written = "    a = 1\n\n      b = = 2\n    ";
        let dedented = "a = 1\n\n  b = = 2\n";
        assert_eq!(dedent(written).text, dedented);
        for needle in ["a", "= 1", "b", "= 2"] {
            let offset = dedented.find(needle).unwrap();
            assert_eq!(
                offset_as_written(written, dedented, offset),
                written.find(needle).unwrap(),
                "{needle}"
            );
        }
    }
}
