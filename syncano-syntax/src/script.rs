//! What is read of a script beside what it takes: the same in every language.

use std::ops::Range;

use crate::Diagnostic;

/// A script that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script<T> {
    /// What it takes from its callers.
    pub takes: T,
    /// What fails when it runs, or looks like a slip, in the order of the text.
    pub remarks: Vec<Remark>,
    /// The names of the errors that it raises for its callers with `AppError`, where they are written out.
    pub raised: Vec<Literal>,
    /// The objects that its `main`, or its default function, returns, where they are written out.
    pub results: Vec<Object>,
}

impl<T> Script<T> {
    /// The same with what it takes in another form.
    pub fn map<U>(self, takes: impl FnOnce(T) -> U) -> Script<U> {
        let Script { takes: taken, remarks, raised, results } = self;
        Script { takes: takes(taken), remarks, raised, results }
    }
}

/// A text that a script writes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The text.
    pub text: String,
    /// The bytes of the script that hold it as written.
    pub span: Range<usize>,
}

/// An object that a script writes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its keys.
    pub keys: Vec<Literal>,
    /// It may have other keys too, which aren't written out.
    pub has_others: bool,
    /// The bytes of the script that hold it.
    pub span: Range<usize>,
}

/// Something in a script that compiles, and still isn't what its author means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How bad it is.
    pub severity: Severity,
    /// Names the rule.
    pub code: &'static str,
    /// What it is, and where.
    pub diagnostic: Diagnostic,
}

/// How bad a remark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The script fails when it comes there.
    Error,
    /// The script may be right all the same.
    Warning,
}

#[cfg(any(feature = "python", feature = "javascript"))]
impl Severity {
    /// A script with so many strange names is meant for surroundings that give them, and may be given this one too.
    pub(crate) fn among(self, strange: usize) -> Self {
        if strange > 2 { Severity::Warning } else { self }
    }
}

/// Whether packages may be there that only the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packages {
    /// The script names no environment.
    Standard,
    /// The script has an environment, or may be given one.
    Others,
}

#[cfg(any(feature = "python", feature = "javascript"))]
pub(crate) struct Remarks<'a> {
    source: &'a str,
    found: Vec<Remark>,
}

#[cfg(any(feature = "python", feature = "javascript"))]
impl<'a> Remarks<'a> {
    /// Beyond these it is another kind of text, and nobody reads on.
    const MOST: usize = 50;

    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, found: Vec::new() }
    }

    pub(crate) fn add(&mut self, severity: Severity, code: &'static str, span: Range<usize>, message: &str) {
        if self.found.len() < Self::MOST {
            let diagnostic = Diagnostic::new(self.source, span, message);
            self.found.push(Remark { severity, code, diagnostic });
        }
    }

    pub(crate) fn into_sorted(mut self) -> Vec<Remark> {
        self.found.sort_by_key(|remark| (remark.diagnostic.span.start, remark.severity));
        self.found
    }
}
