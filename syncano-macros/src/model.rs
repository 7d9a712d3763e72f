//! The definition as the rules of every front end see it, and the tokens that it came from.

use proc_macro2::Span;
use quote::ToTokens;
use syn::LitStr;
use syncano_core::{
    Dependency, Method, Methods, NetworkProblem, Path, Runtime, ScriptDependency, ScriptSource, Segment,
    Socket, Violation, ViolationKind, normalize,
};

use crate::attribute::{EndpointOptions, SocketOptions};
use crate::errors::Errors;
use crate::json::Object;
use crate::source::Script;
use crate::validate::Draft;

/// The definition as far as it could be read. What is missing is filled in so that no rule mentions it: that has been
/// reported.
pub(crate) fn model(name: &str, options: &SocketOptions, drafts: &[Draft]) -> Socket {
    let map = |object: &Option<Object>| object.as_ref().map(|object| object.map.clone()).unwrap_or_default();
    let mut socket = Socket {
        name: name.to_owned(),
        description: options.description.as_ref().map(LitStr::value).unwrap_or_default(),
        config: map(&options.config),
        metadata: options.metadata(),
        ..Socket::default()
    };
    for (_, draft) in bringing(drafts) {
        let script = match &draft.script {
            Some(Script::Number { number, .. }) => ScriptSource::Existing { script: *number },
            script => ScriptSource::New {
                runtime_name: draft.runtime.unwrap_or(Runtime::Python3),
                source: script.as_ref().and_then(Script::text).unwrap_or("pass").to_owned(),
            },
        };
        let config = draft.options.as_ref().and_then(EndpointOptions::config);
        let script = ScriptDependency { name: draft.script_name(), script, config };
        socket.dependencies.push(Dependency::Script(script));
    }
    socket.dependencies.extend(options.classes().map(Dependency::Class));
    for draft in drafts {
        let (Some(options), Some(endpoint)) = (&draft.options, draft.endpoint()) else { continue };
        let methods = draft.methods().unwrap_or(Methods::Only(Vec::new()));
        let endpoint = socket.endpoints.entry(endpoint.value()).or_default();
        endpoint.calls.push(options.call(draft.script_name(), methods));
        endpoint.metadata.extend(options.metadata());
        endpoint.acl.extend(map(&options.acl));
    }
    socket
}

/// The functions that bring a dependency along, in its order, with their places.
fn bringing(drafts: &[Draft]) -> impl Iterator<Item = (usize, &Draft)> {
    let named = |draft: &Draft| matches!(draft.script, Some(Script::Shared(_) | Script::Endpoint(_)));
    drafts.iter().enumerate().filter(move |(_, draft)| !named(draft))
}

/// Reports keys of an endpoint that two of its functions give, and schemas, which are the macro's to write.
pub(crate) fn endpoint_keys(drafts: &[Draft], errors: &mut Errors) {
    for (index, draft) in drafts.iter().enumerate() {
        let (Some(options), Some(endpoint)) = (&draft.options, draft.endpoint()) else { continue };
        let endpoint = normalize(&endpoint.value());
        let earlier: Vec<&EndpointOptions> = drafts[..index]
            .iter()
            .filter(|other| !(other.is_conditional() && draft.is_conditional()))
            .filter(|other| other.endpoint().is_some_and(|name| normalize(&name.value()) == endpoint))
            .filter_map(|other| other.options.as_ref())
            .collect();
        for (key, value) in options.metadata() {
            let span = options.metadata_key(&key);
            if earlier.iter().any(|other| other.metadata().contains_key(&key)) {
                errors.at(
                    span,
                    format!(
                        "another function gives `{key}` of the endpoint `{endpoint}`: remove one of them"
                    ),
                );
            }
            let of_method = key == "*" || key.parse::<Method>().is_ok();
            for word in ["inputs", "outputs"] {
                if of_method && value.get(word).is_some() {
                    errors.at(
                        span,
                        format!("`{word}` of the endpoint `{endpoint}` is made from the function: remove it"),
                    );
                }
            }
        }
        for key in options.acl.iter().flat_map(|acl| acl.map.keys().map(|key| (key, acl.key(key)))) {
            let given =
                |other: &&EndpointOptions| other.acl.as_ref().is_some_and(|acl| acl.map.contains_key(key.0));
            if earlier.iter().any(given) {
                errors.at(
                    key.1,
                    format!(
                        "another function gives `{}` of the endpoint `{endpoint}`: remove one of them",
                        key.0
                    ),
                );
            }
        }
    }
}

/// Finds the token for a path of the model.
pub(crate) struct Place<'a> {
    pub(crate) options: &'a SocketOptions,
    pub(crate) name_span: Span,
    pub(crate) module: Span,
    pub(crate) drafts: &'a [Draft],
}

impl Place<'_> {
    /// The endpoint that a path of the model belongs to.
    pub(crate) fn endpoint(&self, path: &Path) -> Option<String> {
        match path.0.as_slice() {
            [Segment::Key(field), Segment::Key(endpoint), ..] if field == "endpoints" => {
                Some(endpoint.clone())
            }
            [Segment::Key(field), Segment::Index(index), ..] if field == "dependencies" => {
                bringing(self.drafts).nth(*index)?.1.endpoint().map(LitStr::value)
            }
            _ => None,
        }
    }

    /// Reports a violation at its token, and returns the call that it makes unusable.
    pub(crate) fn report(&self, violation: &Violation, errors: &mut Errors) -> Option<usize> {
        use Segment::{Index, Key};

        let kind = &violation.kind;
        let keys: Vec<&Segment> = violation.path.0.iter().collect();
        let key = |index: usize| match keys.get(index) {
            Some(Key(key)) => key.as_str(),
            _ => "",
        };
        let (call, span) = match (key(0), keys.get(1), key(2)) {
            ("endpoints", Some(Key(endpoint)), "calls") => {
                let Some(Index(position)) = keys.get(3) else { return None };
                let call = self.calls(endpoint).nth(*position)?;
                let options = self.drafts[call].options.as_ref();
                let span = match (keys.get(5), key(4)) {
                    (Some(Index(index)), _) => self.method(call, *index),
                    (_, "methods") => self.methods(call)?,
                    (_, "timeout") => options?.timeout?.1,
                    (_, "cache") => options?.cache?.1,
                    _ => self.drafts[call].script_name_span(),
                };
                if matches!(key(4), "timeout" | "cache") {
                    errors.at(span, format!("the endpoint `{endpoint}` has {kind}"));
                    return Some(call);
                }
                (Some(call), span)
            }
            ("endpoints", Some(Key(endpoint)), field @ ("metadata" | "acl")) => {
                let of = |call: usize| {
                    let options = self.drafts[call].options.as_ref()?;
                    match field {
                        "acl" => options.acl.as_ref().map(|acl| acl.key(key(3))),
                        _ if options.metadata().contains_key(key(3)) || key(3).is_empty() => {
                            Some(options.metadata_key(key(3)))
                        }
                        _ => None,
                    }
                };
                let (call, span) = self.calls(endpoint).find_map(|call| Some((call, of(call)?)))?;
                let message = match kind {
                    ViolationKind::Schema(_) => {
                        format!("a schema of the endpoint `{endpoint}` can't be used: {kind}")
                    }
                    _ => format!("`{field}` of the endpoint `{endpoint}` has {kind}"),
                };
                errors.at(span, message);
                return Some(call);
            }
            ("endpoints", Some(Key(endpoint)), _) => {
                // Of two spellings of one endpoint the model reports the one that sorts last: that may be the first.
                for call in self.calls(endpoint) {
                    let span = self.drafts[call].endpoint().map_or(self.module, LitStr::span);
                    errors.at(span, kind);
                }
                return self.calls(endpoint).next();
            }
            ("dependencies", Some(Index(index)), field) => match bringing(self.drafts).nth(*index) {
                Some((call, draft)) => {
                    let options = draft.options.as_ref();
                    let span = match (field, &draft.script) {
                        ("source", Some(script)) if matches!(kind, ViolationKind::TooLong { .. }) => {
                            errors.at(script.span(), format!("the script has {kind}"));
                            return Some(call);
                        }
                        ("source", Some(script)) => script.span(),
                        ("config", _) => {
                            let span = options?.config.as_ref()?.key(key(3));
                            let has = if matches!(kind, ViolationKind::Type { .. }) { ":" } else { " has" };
                            let name = draft.script_name();
                            errors.at(span, format!("`config` of the script `{name}`{has} {kind}"));
                            return Some(call);
                        }
                        _ => draft.script_name_span(),
                    };
                    (Some(call), span)
                }
                None => {
                    let class = index.checked_sub(bringing(self.drafts).count())?;
                    let name = self.options.classes().nth(class)?.name;
                    let span = self.options.classes.as_ref()?.key(&name);
                    errors.at(span, format!("the class `{name}`: {kind}"));
                    return None;
                }
            },
            ("name", ..) => (None, self.name_span),
            ("description", ..) => {
                let span = self.options.description.as_ref().map_or(self.module, LitStr::span);
                errors.at(span, format!("`description` of the socket has {kind}"));
                return None;
            }
            ("endpoints" | "dependencies", None, _) if matches!(kind, ViolationKind::TooMany { .. }) => {
                errors.at(self.module, format!("the socket has {kind}: move some to another one"));
                return None;
            }
            (field @ ("config" | "metadata"), inner, _) => {
                let inner = if let Some(Key(key)) = inner { key } else { "" };
                let span = match field {
                    "config" => self.options.config.as_ref()?.key(inner),
                    _ => self.options.metadata_key(inner),
                };
                match kind {
                    ViolationKind::Network(NetworkProblem::Shape) => {
                        // As it is written here; on the wire hosts stand in an object.
                        errors.at(
                            span,
                            "`network` is no network policy: write `\"none\"`, `\"public\"`, or a list of hosts such as \
                             `api.example.com`",
                        );
                    }
                    ViolationKind::Network(_) | ViolationKind::Results => errors.at(span, kind),
                    _ => errors.at(span, format!("`{field}` of the socket has {kind}")),
                }
                return None;
            }
            _ => (None, self.module),
        };
        if call.is_some_and(|call| self.is_told(call, kind)) {
            return None;
        }
        if let (Some(call), ViolationKind::MethodTaken { endpoint, method, first, .. }) = (call, kind)
            && self.calls(endpoint).nth(*first) == Some(call)
        {
            errors.at(span, format!("{method} is listed twice: remove one of them"));
            return Some(call);
        }
        if let Some(call) = call
            && let Some((first, message)) = self.earlier(call, violation)
        {
            if self.drafts[call].is_conditional() && self.drafts[first].is_conditional() {
                return None;
            }
            errors.at(self.drafts[first].function.sig.ident.span(), message);
        }
        errors.at(span, kind);
        call
    }

    /// Whether the mistake only follows from one that was reported already.
    fn is_told(&self, call: usize, kind: &ViolationKind) -> bool {
        let draft = &self.drafts[call];
        match kind {
            ViolationKind::NoMethods | ViolationKind::Unreachable { .. } => draft.methods().is_none(),
            ViolationKind::DuplicateDependency(_) => {
                draft.clashes
                    || draft.is_conditional()
                        && self.drafts[..call]
                            .iter()
                            .filter(|other| other.is_conditional())
                            .any(|other| normalize(&other.script_name()) == normalize(&draft.script_name()))
            }
            _ => false,
        }
    }

    /// The function that stands in the way of a later one, and what to say there.
    fn earlier(&self, call: usize, violation: &Violation) -> Option<(usize, String)> {
        let (endpoint, first, what) = match &violation.kind {
            ViolationKind::MethodTaken { endpoint, first, method, .. } => {
                (endpoint, *first, method.to_string())
            }
            ViolationKind::Unreachable { endpoint, first, .. } => {
                (endpoint, *first, "every method".to_owned())
            }
            _ => return None,
        };
        let first = self.calls(endpoint).nth(first)?;
        (first != call).then(|| {
            let name = self.drafts[first].function.sig.ident.to_token_stream();
            (first, format!("`{name}` already answers {what} of the endpoint `{endpoint}`"))
        })
    }

    /// The calls of an endpoint, in the order in which the model lists them.
    fn calls<'s>(&'s self, endpoint: &'s str) -> impl Iterator<Item = usize> + 's {
        (0..self.drafts.len())
            .filter(move |index| self.drafts[*index].endpoint().is_some_and(|name| name.value() == endpoint))
    }

    fn method(&self, call: usize, index: usize) -> Span {
        let options = self.drafts[call].options.as_ref();
        let listed = options.and_then(|options| options.methods.listed.get(index));
        listed.map_or(self.module, |(_, span)| *span)
    }

    /// The first method as written, or the endpoint's name if there is none.
    fn methods(&self, call: usize) -> Option<Span> {
        let options = self.drafts[call].options.as_ref()?;
        let listed = options.methods.listed.first().map(|(_, span)| *span);
        listed.or(options.methods.any).or(options.name.as_ref().map(LitStr::span))
    }
}
