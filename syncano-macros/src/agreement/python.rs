//! Python: the parameters of `main`, and the keys that a program reads out of `ARGS`.

use std::collections::HashSet;

use syn::ReturnType;
use syncano_core::closest;
use syncano_syntax::python::{Key, Kind, Parameters, Takes};

use super::{Pair, Warning, is_body};
use crate::errors::Errors;
use crate::signature::Argument;
use crate::types::{self, written};

impl Pair<'_> {
    pub(super) fn check_python(&self, takes: &Takes, errors: &mut Errors) -> Vec<Warning> {
        match takes {
            Takes::Parameters(parameters) => {
                self.parameters(parameters, errors);
                self.result(parameters, errors);
                Vec::new()
            }
            // What a whole body holds, and what other functions send, isn't known here.
            Takes::Keys(keys) if !self.shared && !self.arguments.iter().any(is_body) => {
                self.keys(keys, errors)
            }
            _ => Vec::new(),
        }
    }

    fn parameters(&self, parameters: &Parameters, errors: &mut Errors) {
        let Pair { endpoint, .. } = self;
        let main = format!("`main` of the endpoint `{endpoint}`");
        let mut meant = Vec::new();
        for argument in self.arguments {
            let key = &argument.key;
            let Some(parameter) = parameters.named.iter().find(|parameter| parameter.name == *key) else {
                if !parameters.takes_any {
                    let free = parameters.named.iter().map(|parameter| parameter.name.as_str());
                    let free = free.filter(|name| self.arguments.iter().all(|other| other.key != *name));
                    let closest = closest(key, free);
                    let what = match closest {
                        Some(name) => format!("did you mean `{name}`?"),
                        None => format!("add it to the script, or remove `{key}` here"),
                    };
                    meant.extend(closest);
                    let place = self.show(&parameters.main, &format!("no parameter `{key}`"));
                    errors.at(
                        argument.ident.span(),
                        format!("{main} has no parameter `{key}`: {what}\n{place}"),
                    );
                }
                continue;
            };
            let sent = types::sent(&argument.ty, self.defined);
            if sent.optional && !parameter.has_default {
                let place = self.show(&parameter.span, "has no default");
                errors.over(
                    &argument.ty,
                    format!(
                        "{main} needs `{key}`, but `None` is left out: write `{key}=None` in the script, \
                         or a type without `Option`\n{place}"
                    ),
                );
            }
            if let (Some(kinds), Some(kind)) = (&parameter.kinds, sent.kind)
                && !kinds.admit(kind)
            {
                let place = self.show(&parameter.span, &format!("`{key}` is `{kinds}`"));
                errors.over(
                    &argument.ty,
                    format!(
                        "{main} takes `{key}` as `{kinds}`, but `{}` arrives as `{kind}`: change one of them\n{place}",
                        written(&argument.ty)
                    ),
                );
            }
        }
        for parameter in parameters.named.iter().filter(|parameter| !parameter.has_default) {
            let name = parameter.name.as_str();
            if self.arguments.iter().any(|argument| argument.key == name) || meant.contains(&name) {
                continue;
            }
            let place = self.show(&parameter.span, "has no default");
            errors.at(
                self.function.span(),
                format!(
                    "{main} needs `{name}`, which `{}` doesn't send: add an argument `{name}`, \
                     or give the parameter a default\n{place}",
                    self.function
                ),
            );
        }
    }

    fn result(&self, parameters: &Parameters, errors: &mut Errors) {
        let Some(returns) = &parameters.returns else { return };
        let ReturnType::Type(_, ty) = self.output else {
            if !returns.kinds.admit(Kind::None) {
                let (kinds, place) = (&returns.kinds, self.show(&returns.span, "the result"));
                errors.at(
                    self.function.span(),
                    format!(
                        "`main` of the endpoint `{}` returns `{kinds}`, but `{}` has no result: change one of them\n{place}",
                        self.endpoint, self.function
                    ),
                );
            }
            return;
        };
        let types::Sent { kind: Some(kind), optional } = types::sent(ty, self.defined) else { return };
        let kinds = &returns.kinds;
        let is_nothing = optional && kinds.admit(Kind::None);
        if !is_nothing && !kinds.may_be(kind) {
            let place = self.show(&returns.span, "the result");
            errors.over(
                ty,
                format!(
                    "`main` of the endpoint `{}` returns `{kinds}`, but `{}` is read from `{kind}`: change one of them\n{place}",
                    self.endpoint,
                    written(ty)
                ),
            );
        }
    }

    fn keys(&self, keys: &[Key], errors: &mut Errors) -> Vec<Warning> {
        // The whole query and the whole body, in which anything may be.
        let raw = |key: &Key| key.name == "GET" || key.name == "POST";
        let given = |key: &Key| self.arguments.iter().any(|argument| argument.key == key.name);
        let unread = |argument: &&Argument| keys.iter().all(|key| key.name != argument.key);
        let mut told = HashSet::new();
        for key in keys.iter().filter(|key| !raw(key) && !given(key)) {
            // A key that the script can do without may be for other callers, unless it looks like a slip.
            let candidates = self.arguments.iter().filter(|argument| !key.optional || unread(argument));
            let what = match closest(&key.name, candidates.map(|argument| argument.key.as_str())) {
                Some(name) => format!("did you mean `{name}`?"),
                None if key.optional => continue,
                None => format!("add an argument `{}`", key.name),
            };
            if !told.insert(&key.name) {
                continue;
            }
            let place = self.show(&key.span, &format!("`{}` sends no such argument", self.function));
            errors.at(
                self.place(),
                format!(
                    "the script of endpoint `{}` reads `{}` out of `ARGS`, which `{}` doesn't send: {what}\n{place}",
                    self.endpoint, key.name, self.function
                ),
            );
        }
        if keys.iter().any(raw) {
            return Vec::new();
        }
        self.arguments.iter().filter(unread).map(|argument| self.unread(argument)).collect()
    }
}
