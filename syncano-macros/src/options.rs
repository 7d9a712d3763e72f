//! The options of the attributes, as the model has them.

use proc_macro2::Span;
use serde_json::Value;
use syn::LitStr;
use syncano_core::{Call, ClassDependency, Map, Methods, ViolationKind};

use crate::attribute::{EndpointOptions, SocketOptions};
use crate::errors::Errors;

const NETWORK: &str = "network";
const RESULTS: &str = "results";
const DESCRIPTION: &str = "description";
const FRESH: &str = "fresh";
const ENVIRONMENT: &str = "environment";

impl SocketOptions {
    /// Reports what is said twice, and lists that are none.
    pub(crate) fn check(&self, errors: &mut Errors) {
        for (key, _, span) in self.policies() {
            if self.metadata.as_ref().is_some_and(|metadata| metadata.map.contains_key(key)) {
                errors.at(span, format!("`{key}` is in `metadata` too: remove one of them"));
            }
        }
        if let Some(classes) = &self.classes {
            for (name, fields) in &classes.map {
                if !fields.is_array() {
                    let example = r#"[{"name": "title", "type": "string"}]"#;
                    errors.at(
                        classes.key(name),
                        format!("the class `{name}` is a list of fields: write `\"{name}\": {example}`"),
                    );
                }
            }
        }
    }

    /// The keys that stand in the metadata.
    fn policies(&self) -> impl Iterator<Item = (&'static str, &Value, Span)> {
        let policies = [(NETWORK, &self.network), (RESULTS, &self.results)];
        policies
            .into_iter()
            .filter_map(|(key, policy)| policy.as_ref().map(|(value, span)| (key, value, *span)))
    }

    pub(crate) fn metadata(&self) -> Map {
        let mut metadata = self.metadata.as_ref().map(|object| object.map.clone()).unwrap_or_default();
        metadata.extend(self.policies().map(|(key, value, _)| (key.to_owned(), value.clone())));
        metadata
    }

    /// The place of a key of the metadata, or of all of it.
    pub(crate) fn metadata_key(&self, key: &str) -> Span {
        let policy = self.policies().find(|(policy, ..)| *policy == key).map(|(.., span)| span);
        let metadata = || self.metadata.as_ref().map(|metadata| metadata.key(key));
        let any = || self.policies().next().map(|(.., span)| span);
        policy.or_else(metadata).or_else(any).unwrap_or_else(Span::call_site)
    }

    /// The classes in the order of their names.
    pub(crate) fn classes(&self) -> impl Iterator<Item = ClassDependency> {
        self.classes.iter().flat_map(|classes| &classes.map).filter_map(|(name, fields)| match fields {
            Value::Array(fields) => Some(ClassDependency::new(name.as_str(), fields.clone())),
            _ => None,
        })
    }
}

impl EndpointOptions {
    /// Reports what is said twice, and what only means something where there was something before.
    pub(crate) fn check(&self, errors: &mut Errors) {
        if let Some((seconds, span)) = self.timeout
            && seconds == 0.0
        {
            errors.at(span, format!("the call has {}", ViolationKind::Timeout(seconds)));
        }
        let keys = [
            (FRESH, self.fresh.map(|(_, span)| span)),
            (ENVIRONMENT, self.environment.as_ref().map(LitStr::span)),
        ];
        for (key, span) in keys {
            if let (Some(span), Some(config)) = (span, &self.config)
                && config.map.contains_key(key)
            {
                errors.at(span, format!("`{key}` is in `config` too: remove one of them"));
            }
        }
        if let (Some(literal), Some(metadata)) = (&self.description, &self.metadata)
            && metadata.map.contains_key(DESCRIPTION)
        {
            errors.at(literal.span(), "`description` is in `metadata` too: remove one of them");
        }
    }

    /// The environment of the socket is that of each script that it brings along and that says nothing else.
    pub(crate) fn inherit(&mut self, socket: &SocketOptions) {
        let is_said = self.config.as_ref().is_some_and(|config| config.map.contains_key(ENVIRONMENT));
        if self.environment.is_none() && !is_said {
            self.environment.clone_from(&socket.environment);
        }
    }

    /// Whether the script finds packages that only the server knows.
    pub(crate) fn has_environment(&self) -> bool {
        self.environment.is_some()
            || self.config.as_ref().is_some_and(|config| config.map.contains_key(ENVIRONMENT))
    }

    pub(crate) fn has_no_script(&self) -> bool {
        self.source.is_none()
            && self.file.is_none()
            && self.script.is_none()
            && self.script_endpoint.is_none()
    }

    pub(crate) fn call(&self, name: String, methods: Methods) -> Call {
        Call {
            private: self.private.map(|(private, _)| private),
            cache: self.cache.map(|(seconds, _)| seconds),
            timeout: self.timeout.map(|(seconds, _)| seconds),
            ..Call::new(name, methods)
        }
    }

    /// The script's own configuration, if anything is said about it.
    pub(crate) fn config(&self) -> Option<Map> {
        let mut config = self.config.as_ref().map(|object| object.map.clone());
        if let Some((fresh, _)) = self.fresh {
            config.get_or_insert_default().insert(FRESH.to_owned(), fresh.into());
        }
        if let Some(environment) = &self.environment {
            config.get_or_insert_default().insert(ENVIRONMENT.to_owned(), environment.value().into());
        }
        config
    }

    /// What the function adds to its endpoint's metadata.
    pub(crate) fn metadata(&self) -> Map {
        let mut metadata = self.metadata.as_ref().map(|object| object.map.clone()).unwrap_or_default();
        if let Some(text) = &self.description {
            metadata.insert(DESCRIPTION.to_owned(), text.value().into());
        }
        metadata
    }

    /// The place of a key of the metadata, or of all of it.
    pub(crate) fn metadata_key(&self, key: &str) -> Span {
        match (&self.description, &self.metadata) {
            (Some(literal), _) if key == DESCRIPTION => literal.span(),
            (_, Some(metadata)) => metadata.key(key),
            (Some(literal), None) => literal.span(),
            (None, None) => Span::call_site(),
        }
    }
}
