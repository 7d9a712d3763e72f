//! The scripts: their text, their runtime and their syntax.

use std::path::Path;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::LitStr;
use syncano_core::{Language, Runtime};
use syncano_syntax::{Dedented, Diagnostic, Literal, Object, Packages, Severity, dedent, javascript, python};

use crate::agreement::{Takes, Warning};
use crate::attribute::{EndpointOptions, NamedRuntime, ScriptReference};
use crate::errors::Errors;

/// A call's script as written.
#[derive(Clone)]
pub(crate) enum Script {
    /// In the attribute; `text` is without the indentation.
    Inline { literal: LitStr, text: String },
    /// In a file; `text` is `None` where it can't be read now: the compiler reports a missing file itself.
    File { literal: LitStr, text: Option<String> },
    /// On the server, by its number.
    Number { number: i64, span: Span },
    /// Another function's, by its name.
    Shared(LitStr),
    /// A script endpoint on the server, by its name.
    Endpoint(LitStr),
}

impl Script {
    /// The script that the attribute names.
    pub(crate) fn of(options: &EndpointOptions, errors: &mut Errors) -> Option<Script> {
        let reference = options.script.as_ref().map(|reference| match reference {
            ScriptReference::Number(number, span) => Script::Number { number: *number, span: *span },
            ScriptReference::Name(literal) => Script::Shared(literal.clone()),
        });
        let ways = [
            (
                "source",
                options.source.as_ref().map(|literal| {
                    let text = dedent(&literal.value()).text.into_owned();
                    Script::Inline { literal: literal.clone(), text }
                }),
            ),
            (
                "file",
                options.file.as_ref().map(|literal| Script::File {
                    literal: literal.clone(),
                    text: read(literal.span(), &literal.value()),
                }),
            ),
            ("script", reference),
            ("script_endpoint", options.script_endpoint.clone().map(Script::Endpoint)),
        ];
        let mut given = ways.into_iter().filter_map(|(key, script)| Some((key, script?)));
        let (first, script) = given.next()?;
        if let Some((second, other)) = given.next() {
            errors
                .at(other.span(), format!("a call has one script: write `{first}` or `{second}`, not both"));
            return None;
        }
        script.refuse_keys(options, errors);
        Some(script)
    }

    /// Reports keys that say something about a script which is defined elsewhere.
    fn refuse_keys(&self, options: &EndpointOptions, errors: &mut Errors) {
        let owner = match self {
            Script::Inline { .. } | Script::File { .. } => return,
            Script::Number { .. } => "a script on the server",
            Script::Shared(_) => "another function's script",
            Script::Endpoint(_) => "a script endpoint on the server",
        };
        let keys = [
            ("runtime", options.runtime.as_ref().map(|runtime| runtime.literal.span())),
            ("script_name", options.script_name.as_ref().map(LitStr::span)),
            ("config", options.config.as_ref().map(|config| config.span)),
            ("fresh", options.fresh.map(|(_, span)| span)),
            ("environment", options.environment.as_ref().map(LitStr::span)),
        ];
        for (key, span) in keys {
            // A script by its number is a dependency of the socket, with a name and a configuration.
            if let Some(span) = span
                && (key == "runtime" || !matches!(self, Script::Number { .. }))
            {
                errors.at(span, format!("{owner} has its own `{key}`: remove it here"));
            }
        }
    }

    /// The text that is published, if it is known.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Script::Inline { text, .. } => Some(text),
            Script::File { text, .. } => text.as_deref(),
            _ => None,
        }
    }

    /// The place of what holds or names the script.
    pub(crate) fn span(&self) -> Span {
        match self {
            Script::Inline { literal, .. } | Script::File { literal, .. } => literal.span(),
            Script::Number { span, .. } => *span,
            Script::Shared(name) | Script::Endpoint(name) => name.span(),
        }
    }

    /// Names a new script, and where it stands, for reports of failed calls.
    pub(crate) fn compiled(&self, krate: &TokenStream) -> Option<TokenStream> {
        let (none, some) = (quote!(::core::option::Option::None), quote!(::core::option::Option::Some));
        let here = quote!(::core::file!());
        let (rust_file, file, line, text) = match self {
            Script::Inline { literal, text } => {
                let first_line = first_line(literal, dedent(&literal.value()).dropped_lines);
                let rust_file = if first_line.is_some() { here } else { quote!("<script>") };
                (rust_file, none, first_line.unwrap_or(1), text.to_token_stream())
            }
            Script::File { literal, .. } => (here, quote!(#some(#literal)), 1, include(literal)),
            _ => return None,
        };
        Some(quote! {
            #krate::__private::CompiledScript { rust_file: #rust_file, file: #file, line: #line, text: #text }
        })
    }

    /// Whether the function brings the script along.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self, Script::Inline { .. } | Script::File { .. })
    }

    /// The runtime of a new script: what the call says, else what the socket says if it fits the file's extension, else what the
    /// extension stands for.
    pub(crate) fn runtime(
        &self,
        own: Option<&NamedRuntime>,
        socket: Option<&NamedRuntime>,
        errors: &mut Errors,
    ) -> Option<Runtime> {
        let path = match self {
            Script::File { literal, .. } => literal.value(),
            _ => String::new(),
        };
        let extension = Path::new(&path).extension().and_then(|extension| extension.to_str());
        let extension = extension.and_then(Runtime::from_extension);
        let fits = |runtime: Runtime| extension.is_none_or(|found| found.language() == runtime.language());
        if let Some(NamedRuntime { literal, runtime }) = own {
            let runtime = (*runtime)?;
            if fits(runtime) {
                return Some(runtime);
            }
            errors.at(
                literal.span(),
                format!(
                    "`{runtime}` runs {}, but `{path}` is a script in another language: remove `runtime`, or rename the file",
                    runtime.language(),
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
                        self.span(),
                        "nothing says what runs this script: write `runtime = \"python3\"`, here or in `#[socket(…)]`",
                    );
                }
                extension
            }
        }
    }

    /// Reports what is certainly wrong with the script, if its language is one that can be checked; otherwise returns what was read
    /// of it.
    pub(crate) fn check(
        &self,
        endpoint: &str,
        runtime: Runtime,
        expected: &Expected,
        errors: &mut Errors,
    ) -> Option<Reading> {
        let script = match read_script(self.text()?, runtime.language(), expected)? {
            Ok(script) => script,
            Err(diagnostic) => {
                let place = self.show(&diagnostic);
                errors.at(
                    self.span(),
                    format!(
                        "the script of endpoint `{endpoint}` has a syntax error: {}\n{place}",
                        diagnostic.message
                    ),
                );
                return None;
            }
        };
        let mut warnings = Vec::new();
        for remark in &script.remarks {
            let place = self.show(&remark.diagnostic);
            let note =
                format!("in the script of endpoint `{endpoint}`: {}\n{place}", remark.diagnostic.message);
            match remark.severity {
                Severity::Error => errors.at(self.span(), note),
                Severity::Warning => warnings.push(Warning { span: self.span(), item: "script", note }),
            }
        }
        let syncano_syntax::Script { takes, raised, results, .. } = script;
        Some(Reading { takes, warnings, raised, results })
    }

    /// Shows a place of the script, where it stands.
    pub(crate) fn show(&self, diagnostic: &Diagnostic) -> String {
        match self {
            Script::Inline { literal, .. } => render_inline(literal, diagnostic),
            Script::File { literal, text } => {
                diagnostic.render(text.as_deref().unwrap_or_default(), &literal.value(), 1)
            }
            _ => String::new(),
        }
    }
}

/// What the scripts are written for.
#[cfg_attr(
    not(all(feature = "check-python", feature = "check-javascript")),
    expect(dead_code, reason = "a language that nobody reads has no version")
)]
pub(crate) struct Expected {
    pub(crate) python: python::Version,
    pub(crate) node: javascript::Version,
    pub(crate) packages: Packages,
}

/// What was read of a script.
pub(crate) struct Reading {
    pub(crate) takes: Takes,
    /// What may be right all the same.
    pub(crate) warnings: Vec<Warning>,
    /// The names of errors that it raises.
    pub(crate) raised: Vec<Literal>,
    /// The objects that it returns.
    pub(crate) results: Vec<Object>,
}

/// Checks and reads a script; `None` if the macro was built without a parser for its language.
fn read_script(
    text: &str,
    language: Language,
    expected: &Expected,
) -> Option<Result<syncano_syntax::Script<Takes>, Diagnostic>> {
    let _ = (text, expected);
    match language {
        #[cfg(feature = "check-python")]
        Language::Python => Some(
            python::read(text, expected.python, expected.packages).map(|script| script.map(Takes::Python)),
        ),
        #[cfg(feature = "check-javascript")]
        Language::JavaScript => Some(
            javascript::read(text, expected.node, expected.packages)
                .map(|script| script.map(Takes::JavaScript)),
        ),
        _ => None,
    }
}

/// Names a script file, in a way that makes the compiler report a missing one at the literal.
pub(crate) fn include(literal: &LitStr) -> TokenStream {
    quote_spanned!(literal.span()=> ::core::include_str!(#literal))
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
    let Some(first_line) = first_line(literal, dropped_lines) else {
        return diagnostic.render(&text, "<script>", 1);
    };
    let written = value.split_inclusive('\n').skip(dropped_lines).collect::<String>();
    let at = |offset| offset_as_written(&written, &text, offset);
    let diagnostic =
        Diagnostic { span: at(diagnostic.span.start)..at(diagnostic.span.end), ..diagnostic.clone() };
    diagnostic.render(&written, &literal.span().file(), first_line)
}

/// The line of the Rust file in which an inline script begins, if the lines of the two correspond.
fn first_line(literal: &LitStr, dropped_lines: usize) -> Option<usize> {
    let token = literal.to_token_stream().to_string();
    // Escapes may stand for line breaks, or hide them.
    let as_written = token.starts_with('r') || !token.contains('\\');
    (as_written && literal.span().local_file().is_some()).then(|| literal.span().start().line + dropped_lines)
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
