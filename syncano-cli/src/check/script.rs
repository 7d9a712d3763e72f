//! A script: its syntax and what it names, as the macro's parsers see it, and what it answers against its definition.

use syncano_core::{Language, Runtime, ViolationKind, closest, limits};
use syncano_syntax::{Diagnostic, Remark, Script, Severity as RemarkSeverity, javascript, python};

use super::contract::Contract;
use super::finding::{Finding, Severity};

/// What the scripts are written for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Versions {
    pub(crate) python: python::Version,
    pub(crate) node: javascript::Version,
}

/// What is wrong with a script. Languages that nobody here reads have nothing wrong.
pub(crate) fn check(
    file: &str,
    runtime: Runtime,
    source: &str,
    versions: Versions,
    contract: &Contract,
) -> Vec<Finding> {
    if source.len() > limits::SOURCE_BYTES {
        let kind = ViolationKind::TooLong { unit: "bytes", limit: limits::SOURCE_BYTES, found: source.len() };
        return vec![Finding::new(file, source, None, Severity::Error, kind.code(), kind.to_string())];
    }
    let packages = contract.packages;
    let read = match runtime.language() {
        Language::Python => python::read(source, versions.python, packages)
            .map(|script| script.map(drop))
            .map_err(|error| ("python-syntax", error)),
        Language::JavaScript => javascript::read(source, versions.node, packages)
            .map(|script| script.map(drop))
            .map_err(|error| ("javascript-syntax", error)),
        _ => return Vec::new(),
    };
    match read {
        Err((code, error)) => {
            let message = format!("the script has a syntax error: {}", error.message);
            let finding = Finding::new(file, source, Some(error.span), Severity::Error, code, message);
            vec![finding.labelled(error.message)]
        }
        Ok(script) => {
            let remarks = script.remarks.iter().map(|remark| remarked(file, source, remark));
            remarks.chain(answers(file, source, &script, contract)).collect()
        }
    }
}

fn remarked(file: &str, source: &str, remark: &Remark) -> Finding {
    let severity = match remark.severity {
        RemarkSeverity::Error => Severity::Error,
        RemarkSeverity::Warning => Severity::Warning,
    };
    let Diagnostic { message, span, .. } = &remark.diagnostic;
    Finding::new(file, source, Some(span.clone()), severity, remark.code, message.clone())
}

/// What the script raises and returns, and its definition doesn't know.
fn answers(file: &str, source: &str, script: &Script<()>, contract: &Contract) -> Vec<Finding> {
    let mut findings = Vec::new();
    for raised in &script.raised {
        let Some(names) = contract.errors.as_ref().filter(|names| !names.contains(&raised.text)) else {
            continue;
        };
        let what = match closest(&raised.text, names.iter().map(String::as_str)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "declare it in `errors`".to_owned(),
        };
        let message = format!("the script raises `{}`, which no endpoint declares: {what}", raised.text);
        let span = Some(raised.span.clone());
        findings.push(Finding::new(file, source, span, Severity::Error, "undeclared-error", message));
    }
    for result in script.results.iter().filter(|result| !result.has_others) {
        for field in
            contract.required.iter().filter(|field| result.keys.iter().all(|key| key.text != **field))
        {
            let others = result.keys.iter().filter(|key| !contract.required.contains(&key.text));
            let slip = others.clone().find(|key| closest(&key.text, [field.as_str()]).is_some());
            let (span, what) = match slip {
                Some(key) => (&key.span, format!("did you mean `{field}` by `{}`?", key.text)),
                None => (&result.span, "add it".to_owned()),
            };
            let message = format!("the script returns no `{field}`, which its result needs: {what}");
            let finding =
                Finding::new(file, source, Some(span.clone()), Severity::Error, "missing-field", message);
            findings.push(finding);
        }
    }
    findings
}
