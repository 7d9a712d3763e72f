//! Every mistake of a build, told at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Error;

/// The mistakes found so far. Stages add to it and go on with what is right.
#[derive(Default)]
pub(crate) struct Errors(Vec<Error>);

impl Errors {
    /// Adds what a parser said.
    pub(crate) fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// Adds a mistake at `span`.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.0.push(Error::new(span, message));
    }

    /// Adds a mistake that is all of `tokens`.
    pub(crate) fn over(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.0.push(Error::new_spanned(tokens, message));
    }

    /// Adds what another list holds.
    pub(crate) fn append(&mut self, mut other: Errors) {
        self.0.append(&mut other.0);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A `compile_error!` for each, in the order of the source.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let mut errors: Vec<Error> = self.0.into_iter().flatten().collect();
        // Stable: mistakes at one place stay in the order in which they were found.
        errors.sort_by_key(position);
        errors.dedup_by_key(|error| (position(error), error.to_string()));
        errors.iter().map(Error::to_compile_error).collect()
    }
}

fn position(error: &Error) -> (usize, usize) {
    let start = error.span().start();
    (start.line, start.column)
}
