//! Whether a script takes what its function sends.

mod answers;
mod javascript;
mod python;

use std::collections::HashSet;
use std::ops::Range;

use proc_macro2::Span;
use syn::{Ident, ReturnType, Type};
use syncano_core::Placement;
use syncano_syntax::{Diagnostic, javascript as js, python as py};

use crate::errors::Errors;
use crate::shapes::Shapes;
use crate::signature::Argument;
use crate::source::{Reading, Script};

/// What a script takes, as its language has it.
pub(crate) enum Takes {
    #[cfg_attr(not(feature = "check-python"), expect(dead_code, reason = "nothing reads Python then"))]
    Python(py::Takes),
    #[cfg_attr(
        not(feature = "check-javascript"),
        expect(dead_code, reason = "nothing reads JavaScript then")
    )]
    JavaScript(js::Takes),
}

/// A function and the script that answers it.
pub(crate) struct Pair<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) function: &'a Ident,
    pub(crate) arguments: &'a [Argument],
    pub(crate) output: &'a ReturnType,
    /// Names that the module defines itself.
    pub(crate) defined: &'a HashSet<String>,
    pub(crate) script: &'a Script,
    pub(crate) reading: &'a Reading,
    /// The type of the errors for callers.
    pub(crate) error: Option<&'a Type>,
    /// The types that the module defines itself.
    pub(crate) shapes: &'a Shapes,
    /// Other functions use the script too.
    pub(crate) shared: bool,
}

/// What may well be meant, and is told all the same.
pub(crate) struct Warning {
    /// The argument or script that it is about.
    pub(crate) span: Span,
    /// `argument` or `script`: the compiler says it before the note.
    pub(crate) item: &'static str,
    pub(crate) note: String,
}

impl Pair<'_> {
    /// Reports what doesn't fit, and returns what only looks odd.
    pub(crate) fn check(&self, errors: &mut Errors) -> Vec<Warning> {
        match &self.reading.takes {
            Takes::Python(takes) => self.check_python(takes, errors),
            Takes::JavaScript(takes) => self.check_javascript(takes, errors),
        }
    }

    /// An argument that the script never reads.
    fn unread(&self, argument: &Argument) -> Warning {
        let note = format!(
            "the script of the endpoint `{}` never reads `{}`: remove it here, or read it there",
            self.endpoint, argument.key
        );
        Warning { span: argument.ident.span(), item: "argument", note }
    }

    fn place(&self) -> Span {
        self.script.span()
    }

    fn show(&self, span: &Range<usize>, label: &str) -> String {
        let text = self.script.text().unwrap_or_default();
        self.script.show(&Diagnostic::new(text, span.clone(), label))
    }
}

fn is_body(argument: &Argument) -> bool {
    argument.placement == Placement::Body
}
