//! Whether a script takes what its function sends.

mod javascript;
mod python;

use std::collections::HashSet;
use std::ops::Range;

use proc_macro2::Span;
use syn::{Ident, ReturnType};
use syncano_core::Placement;
use syncano_syntax::{Diagnostic, javascript as js, python as py};

use crate::errors::Errors;
use crate::signature::Argument;
use crate::source::Script;

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
    pub(crate) takes: &'a Takes,
    /// Other functions use the script too.
    pub(crate) shared: bool,
}

impl Pair<'_> {
    /// Reports what doesn't fit, and returns the arguments that the script never reads.
    pub(crate) fn check(&self, errors: &mut Errors) -> Vec<Ident> {
        match self.takes {
            Takes::Python(takes) => self.check_python(takes, errors),
            Takes::JavaScript(takes) => self.check_javascript(takes, errors),
        }
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
