//! Every mistake of a build, told at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Error;

/// The mistakes found so far. Stages add to it and go on with what is right.
#[derive(Default)]
pub(crate) struct Errors {
    subject: Option<Subject>,
    found: Vec<Error>,
}

/// What mistakes are about. A message that doesn't name it says so first: editors list messages without their places.
#[derive(Clone)]
pub(crate) enum Subject {
    Endpoint(String),
    /// One whose endpoint has no name.
    Function(String),
}

impl Subject {
    fn worded(&self, message: String) -> String {
        let (word, name) = match self {
            Subject::Endpoint(name) => ("endpoint", name),
            Subject::Function(name) => ("function", name),
        };
        let first = message.lines().next().unwrap_or_default();
        if first.contains(&format!("`{name}`")) { message } else { format!("{word} `{name}`: {message}") }
    }
}

impl Errors {
    /// What the mistakes to come are about.
    pub(crate) fn about(&mut self, subject: Option<Subject>) {
        self.subject = subject;
    }

    /// An empty list about the same.
    pub(crate) fn aside(&self) -> Errors {
        Errors { subject: self.subject.clone(), found: Vec::new() }
    }

    fn worded(&self, message: impl Display) -> String {
        let message = message.to_string();
        match &self.subject {
            Some(subject) => subject.worded(message),
            None => message,
        }
    }

    /// Adds what a parser said.
    pub(crate) fn push(&mut self, error: Error) {
        match &self.subject {
            Some(_) => error.into_iter().for_each(|error| self.at(error.span(), &error)),
            None => self.found.push(error),
        }
    }

    /// Adds a mistake at `span`.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        let message = self.worded(message);
        self.found.push(Error::new(span, message));
    }

    /// Adds a mistake that is all of `tokens`.
    pub(crate) fn over(&mut self, tokens: impl ToTokens, message: impl Display) {
        let message = self.worded(message);
        self.found.push(Error::new_spanned(tokens, message));
    }

    /// Adds what another list holds.
    pub(crate) fn append(&mut self, mut other: Errors) {
        self.found.append(&mut other.found);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// A `compile_error!` for each, in the order of the source.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let mut errors: Vec<Error> = self.found.into_iter().flatten().collect();
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
