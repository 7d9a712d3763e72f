//! An installed endpoint, made ready for calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde_json::{Map, Value, json};
use syncano_core::{Contract, Method, ResultPolicy, Socket, normalize, route};

use crate::app::Settings;
use crate::cache::Edition;
use crate::catalog::{Instance, SocketRoutes};
use crate::metadata::Metadata;
use crate::runnable::Runnable;
use crate::scripts::deleted;
use crate::store::script_endpoints::{Bound, UsageRow};
use crate::store::traces::Subject;

/// An endpoint that can be called.
pub(crate) struct Endpoint {
    pub(crate) socket_id: i64,
    /// The socket's name.
    pub(crate) socket: Arc<str>,
    /// The name as its author spells it.
    pub(crate) name: Box<str>,
    /// The name that calls are compared with.
    pub(crate) flat: Arc<str>,
    /// Both.
    full: Box<str>,
    /// Whether it can be called by its name alone.
    pub(crate) has_short_url: bool,
    /// What it permits API keys to do; if it says anything, nobody runs it without a key.
    pub(crate) acl: Map<String, Value>,
    pub(crate) metadata: Metadata,
    /// What becomes of results that don't fit their schema.
    pub(crate) results: ResultPolicy,
    /// Of the answers that are kept.
    pub(crate) edition: Edition,
    /// What the definition says for all calls, as it is echoed.
    defaults: Defaults,
    calls: Box<[Call]>,
    /// Of the contracts of its methods, once a caller names one.
    fingerprints: OnceLock<Vec<(Method, Box<str>)>>,
}

/// One call of an endpoint.
pub(crate) struct Call {
    /// As it was published.
    definition: syncano_core::Call,
    /// Whether only callers with a key may run it.
    pub(crate) private: bool,
    /// For how many seconds an answer may be repeated, if at all.
    pub(crate) cache: Option<u32>,
    /// What it runs, or why it can't: its script may have been deleted meanwhile.
    pub(crate) script: Result<Arc<Runnable>, String>,
}

/// The keys of an endpoint that its calls may say otherwise.
#[derive(Default, Serialize)]
struct Defaults {
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<f64>,
}

/// Makes the routes of a socket. `used` is what its calls may name, `short_urls` are the names it has for itself.
pub(crate) fn compile(
    instance: &Instance,
    socket_id: i64,
    socket: &Socket,
    used: &BTreeMap<String, (Bound, UsageRow)>,
    short_urls: &BTreeSet<String>,
    settings: &Settings,
) -> SocketRoutes {
    let socket_name: Arc<str> = normalize(&socket.name).into();
    // Calls of the same script share its source and its configuration.
    let mut scripts = BTreeMap::new();
    let endpoints = socket.endpoints.iter().map(|(name, definition)| {
        let flat: Arc<str> = normalize(name).into();
        let calls = definition.calls.iter().map(|call| {
            let name = normalize(&call.name);
            let in_force = definition.in_force(call);
            let script = match used.get(&name) {
                Some((bound, _)) => scripts
                    .entry(name)
                    .or_insert_with_key(|name| {
                        Runnable::of_socket(instance, socket, name, &bound.script, settings).map(Arc::new)
                    })
                    .clone()
                    .map(|runnable| Runnable::timeout(runnable, in_force.timeout)),
                None => Err(deleted(&name, &socket_name)),
            };
            Call {
                definition: call.clone(),
                private: in_force.private == Some(true),
                cache: in_force.cache.filter(|seconds| *seconds > 0),
                script,
            }
        });
        Endpoint {
            socket_id,
            full: format!("{socket_name}/{flat}").into(),
            socket: socket_name.clone(),
            name: name.trim().into(),
            has_short_url: short_urls.contains(&*flat),
            acl: definition.acl.clone(),
            metadata: Metadata::new(&definition.metadata),
            results: socket.result_policy(),
            edition: Edition::default(),
            defaults: Defaults {
                private: definition.private,
                cache: definition.cache,
                timeout: definition.timeout,
            },
            calls: calls.collect(),
            fingerprints: OnceLock::new(),
            flat,
        }
    });
    endpoints.collect()
}

impl Endpoint {
    /// The name by which an instance tells its endpoints apart.
    pub(crate) fn full(&self) -> &str {
        &self.full
    }

    /// Whose runs are recorded.
    pub(crate) fn subject(&self) -> Subject {
        Subject::SocketEndpoint { socket: self.socket_id, endpoint: self.flat.clone() }
    }

    /// Where its runs are listed.
    pub(crate) fn traces(&self, instance: &Instance) -> String {
        route::traces(&instance.name, &self.socket, &self.flat)
    }

    /// The first call that answers the method.
    pub(crate) fn call(&self, method: Method) -> Option<&Call> {
        self.calls.iter().find(|call| call.definition.methods.contains(method))
    }

    /// Every method that some call answers, in the order of the calls.
    pub(crate) fn allowed(&self) -> Vec<Method> {
        let mut allowed = Vec::new();
        for method in self.calls.iter().flat_map(|call| call.definition.methods.expanded()) {
            if !allowed.contains(&method) {
                allowed.push(method);
            }
        }
        allowed
    }

    /// What the method is called by.
    pub(crate) fn contract(&self, method: Method) -> Contract {
        Contract::of(&self.metadata.whole(), method)
    }

    /// The fingerprint of the method's contract, if it has one.
    pub(crate) fn fingerprint(&self, method: Method) -> Option<&str> {
        let make = || {
            let metadata = self.metadata.whole();
            let contracts = Method::ALL.into_iter().map(|method| (method, Contract::of(&metadata, method)));
            let some = contracts.filter(|(_, contract)| !contract.is_empty());
            some.map(|(method, contract)| (method, contract.fingerprint().into())).collect()
        };
        let fingerprints = self.fingerprints.get_or_init(make);
        fingerprints.iter().find(|(of, _)| *of == method).map(|(_, fingerprint)| &**fingerprint)
    }

    /// The endpoint as lists and details show it. `links.self` is where it runs.
    pub(crate) fn object(&self, instance: &str, name: &str) -> Value {
        let run = route::run(instance, &self.socket, &self.flat);
        let calls: Vec<_> = self.calls.iter().map(|call| &call.definition).collect();
        let mut object = json!({
            "name": name,
            "allowed_methods": self.allowed(),
            "calls": calls,
            "metadata": self.metadata.whole(),
            "acl": self.acl,
            "links": {
                "self": run,
                "endpoint": run,
                "traces": route::traces(instance, &self.socket, &self.flat),
                "details": route::socket_endpoint(instance, &self.socket, &self.flat),
            },
        });
        if let (Value::Object(fields), Value::Object(defaults)) = (&mut object, json!(self.defaults)) {
            fields.extend(defaults);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Endpoint {
        /// `s/e`, without calls.
        pub(crate) fn sample() -> Endpoint {
            Endpoint {
                socket_id: 1,
                socket: "s".into(),
                name: "e".into(),
                flat: "e".into(),
                full: "s/e".into(),
                has_short_url: true,
                acl: Map::new(),
                metadata: Metadata::new(&Map::new()),
                results: ResultPolicy::Enforce,
                edition: Edition::default(),
                defaults: Defaults::default(),
                calls: Box::default(),
                fingerprints: OnceLock::new(),
            }
        }
    }
}
