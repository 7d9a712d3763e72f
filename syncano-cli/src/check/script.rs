//! A script: its syntax, as the macro's parsers see it.

use syncano_core::{Language, Runtime, ViolationKind, limits};
use syncano_syntax::python::Version;
use syncano_syntax::{javascript, python};

use super::finding::{Finding, Severity};

/// What is wrong with a script. Languages that nobody here reads have nothing wrong.
pub(crate) fn check(file: &str, runtime: Runtime, source: &str, version: Version) -> Option<Finding> {
    if source.len() > limits::SOURCE_BYTES {
        let kind = ViolationKind::TooLong { unit: "bytes", limit: limits::SOURCE_BYTES, found: source.len() };
        return Some(Finding::new(file, source, None, Severity::Error, kind.code(), kind.to_string()));
    }
    let (code, checked) = match runtime.language() {
        Language::Python => ("python-syntax", python::check(source, version)),
        Language::JavaScript => ("javascript-syntax", javascript::check(source)),
        _ => return None,
    };
    let error = checked.err()?;
    let message = format!("the script has a syntax error: {}", error.message);
    let finding = Finding::new(file, source, Some(error.span), Severity::Error, code, message);
    Some(finding.labelled(error.message))
}
