//! JavaScript: the keys that a default function or a program reads out of its arguments.
//!
//! A missing key is `undefined`, and one that nobody reads is no error of Node's: an error here is what looks like a slip, and what
//! certainly fails; the rest is a warning.

use std::collections::HashSet;

use syncano_core::closest;
use syncano_syntax::javascript::{Key, Keys, Origin, Takes};

use super::{Pair, Warning, is_body};
use crate::errors::Errors;
use crate::signature::Argument;
use crate::types;

impl Pair<'_> {
    /// Reports what doesn't fit, and returns what only looks odd.
    pub(super) fn check_javascript(&self, takes: &Takes, errors: &mut Errors) -> Vec<Warning> {
        match takes {
            // What other functions send isn't known here.
            Takes::Keys(keys) if !self.shared => {
                self.apart(keys, errors);
                let mut warnings = self.not_sent(keys, errors);
                warnings.extend(self.not_read(keys));
                warnings
            }
            _ => Vec::new(),
        }
    }

    /// `ARGS` holds the fields of a whole body, which aren't known here; the default function gets it by its name.
    fn has_hidden(&self, origin: Origin) -> bool {
        origin == Origin::Args && self.arguments.iter().any(is_body)
    }

    fn sends(&self, key: &Key) -> bool {
        self.arguments.iter().any(|argument| argument.key == key.name)
    }

    fn apart(&self, keys: &Keys, errors: &mut Errors) {
        for argument in self.arguments {
            let mut same = keys.read.iter().filter(|key| key.name == argument.key);
            let Some(apart) = same.clone().find(|key| key.taken_apart) else { continue };
            if same.any(|key| key.optional) || !types::sent(&argument.ty, self.defined).optional {
                continue;
            }
            let (name, endpoint) = (&argument.key, self.endpoint);
            let place = self.show(&apart.span, "there may be nothing to take apart");
            errors.over(
                &argument.ty,
                format!(
                    "the script of endpoint `{endpoint}` takes `{name}` apart, but `None` is left out: write a default \
                     behind the pattern, or a type without `Option`\n{place}"
                ),
            );
        }
    }

    fn not_sent(&self, keys: &Keys, errors: &mut Errors) -> Vec<Warning> {
        let Pair { endpoint, function, .. } = self;
        let mut told = HashSet::new();
        let mut warnings = Vec::new();
        for key in &keys.read {
            if is_whole(key) || self.has_hidden(key.origin) || self.sends(key) || !told.insert(&key.name) {
                continue;
            }
            // Asked for once, it may be missing everywhere.
            let optional = keys.read.iter().any(|other| other.name == key.name && other.optional);
            let apart = keys.read.iter().any(|other| other.name == key.name && other.taken_apart);
            // It is a slip if it looks like an argument that nobody reads.
            let unread = |argument: &&Argument| keys.read.iter().all(|key| key.name != argument.key);
            let candidates = self.arguments.iter().filter(unread);
            let slip = closest(&key.name, candidates.map(|argument| argument.key.as_str()));
            if optional && slip.is_none() {
                continue;
            }
            let reads = match key.origin {
                Origin::Parameter => {
                    format!("the default function of endpoint `{endpoint}` reads `{}`", key.name)
                }
                Origin::Args => {
                    format!("the script of endpoint `{endpoint}` reads `{}` out of `ARGS`", key.name)
                }
            };
            let place = self.show(&key.span, &format!("`{function}` sends no such argument"));
            let add = format!("add an argument `{}`, or give it a default in the script", key.name);
            let told = |what: &str| format!("{reads}, which `{function}` doesn't send: {what}\n{place}");
            match slip {
                Some(name) => errors.at(self.place(), told(&format!("did you mean `{name}`?"))),
                None if apart => errors.at(self.place(), told(&add)),
                // `undefined` may be just what is wanted.
                None => {
                    let note = told(&format!("it is `undefined`; {add}"));
                    warnings.push(Warning { span: self.place(), item: "script", note });
                }
            }
        }
        warnings
    }

    fn not_read(&self, keys: &Keys) -> Vec<Warning> {
        let reads_args = keys.read.iter().any(|key| key.origin == Origin::Args);
        let hidden = (reads_args || !keys.is_function) && self.has_hidden(Origin::Args);
        if keys.takes_any || hidden || keys.read.iter().any(is_whole) {
            return Vec::new();
        }
        let unread = |argument: &&Argument| keys.read.iter().all(|key| key.name != argument.key);
        self.arguments.iter().filter(unread).map(|argument| self.unread(argument)).collect()
    }
}

/// The whole query and the whole body, in which anything may be.
fn is_whole(key: &Key) -> bool {
    key.origin == Origin::Args && (key.name == "GET" || key.name == "POST")
}
