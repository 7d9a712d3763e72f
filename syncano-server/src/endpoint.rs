//! An installed endpoint, made ready for calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use syncano_core::{Contract, Method, ResultPolicy, SCHEMA_KEYS, Socket, normalize, published_schema, route};

use crate::app::Settings;
use crate::cache::Edition;
use crate::catalog::{Instance, SocketRoutes};
use crate::runnable::Runnable;
use crate::schemas::Kind;
use crate::store::script_endpoints::{Bound, UsageRow};
use crate::store::traces::Subject;

/// An endpoint that can be called.
pub(crate) struct Endpoint {
    pub(crate) socket_id: i64,
    /// The socket's name.
    pub(crate) socket: String,
    /// The name as its author spells it.
    pub(crate) name: String,
    /// The name that calls are compared with.
    pub(crate) flat: String,
    /// Both.
    full: String,
    /// Whether it can be called by its name alone.
    pub(crate) has_short_url: bool,
    pub(crate) definition: syncano_core::Endpoint,
    /// What becomes of results that don't fit their schema.
    pub(crate) results: ResultPolicy,
    /// Of the answers that are kept.
    pub(crate) edition: Edition,
    calls: Vec<Call>,
    /// Of the contracts of its methods, once a caller names one.
    fingerprints: OnceLock<BTreeMap<Method, String>>,
    /// What `META` shows of the metadata, by the methods that some call answers.
    visible: Vec<(Method, Box<RawValue>)>,
}

/// One call of an endpoint.
pub(crate) struct Call {
    pub(crate) definition: syncano_core::Call,
    /// What it runs, or why it can't: its script may have been deleted meanwhile.
    pub(crate) script: Result<Runnable, String>,
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
    let mut routes = SocketRoutes::new();
    for (name, definition) in &socket.endpoints {
        let flat = normalize(name);
        let calls = definition.calls.iter().map(|call| {
            let script = match used.get(&normalize(&call.name)) {
                Some((bound, _)) => Runnable::of_call(instance, socket, call, &bound.script, settings),
                None => Err(format!(
                    "the script \"{}\" of this endpoint is gone: recheck the socket \"{}\"",
                    call.name, socket.name
                )),
            };
            Call { definition: call.clone(), script }
        });
        let socket_name = normalize(&socket.name);
        let mut endpoint = Endpoint {
            socket_id,
            full: format!("{socket_name}/{flat}"),
            socket: socket_name,
            name: name.trim().to_owned(),
            has_short_url: short_urls.contains(&flat),
            definition: definition.clone(),
            results: socket.result_policy(),
            edition: Edition::default(),
            calls: calls.collect(),
            fingerprints: OnceLock::new(),
            visible: Vec::new(),
            flat,
        };
        let visible = |method| Some((method, to_raw_value(&visible(&definition.metadata, method)).ok()?));
        endpoint.visible = endpoint.allowed().into_iter().filter_map(visible).collect();
        routes.insert(endpoint.flat.clone(), Arc::new(endpoint));
    }
    routes
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

    /// A schema for this method, and the key of the metadata under which it stands.
    pub(crate) fn schema(&self, method: Method, kind: Kind) -> Option<(&'static str, &Value)> {
        published_schema(&self.definition.metadata, method, kind.key())
    }

    /// What the method is called by.
    pub(crate) fn contract(&self, method: Method) -> Contract {
        Contract::of(&self.definition.metadata, method)
    }

    /// The fingerprint of the method's contract, if it has one.
    pub(crate) fn fingerprint(&self, method: Method) -> Option<&str> {
        let make = || {
            let contracts = Method::ALL.into_iter().map(|method| (method, self.contract(method)));
            let some = contracts.filter(|(_, contract)| !contract.is_empty());
            some.map(|(method, contract)| (method, contract.fingerprint())).collect()
        };
        self.fingerprints.get_or_init(make).get(&method).map(String::as_str)
    }

    /// What `META` shows of the metadata in calls by this method.
    pub(crate) fn visible_metadata(&self, method: Method) -> Option<&RawValue> {
        self.visible.iter().find(|(of, _)| *of == method).map(|(_, metadata)| &**metadata)
    }

    /// The endpoint as lists and details show it. `links.self` is where it runs.
    pub(crate) fn object(&self, instance: &str, name: String) -> Value {
        let run = route::run(instance, &self.socket, &self.flat);
        let calls: Vec<_> = self.calls.iter().map(|call| &call.definition).collect();
        json!({
            "name": name,
            "allowed_methods": self.allowed(),
            "calls": calls,
            "metadata": self.definition.metadata,
            "acl": self.definition.acl,
            "links": {
                "self": run,
                "endpoint": run,
                "traces": route::traces(instance, &self.socket, &self.flat),
                "details": route::socket_endpoint(instance, &self.socket, &self.flat),
            },
        })
    }
}

/// The part of the metadata for this method if there is one, and never a schema.
fn visible(metadata: &Map<String, Value>, method: Method) -> Map<String, Value> {
    let mut metadata = metadata.clone();
    for key in Method::ALL.map(Method::as_str).into_iter().chain(["*"]) {
        let Some(Value::Object(part)) = metadata.get_mut(key) else { continue };
        let before = part.len();
        part.retain(|key, _| !SCHEMA_KEYS.contains(&key.as_str()));
        if part.is_empty() && before > 0 {
            metadata.remove(key);
        }
    }
    match metadata.get(method.as_str()) {
        Some(Value::Object(part)) if !part.is_empty() => part.clone(),
        _ => metadata,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(metadata: Value) -> Endpoint {
        let definition =
            syncano_core::Endpoint { metadata: metadata.as_object().unwrap().clone(), ..Default::default() };
        Endpoint {
            socket_id: 1,
            socket: "s".to_owned(),
            name: "e".to_owned(),
            flat: "e".to_owned(),
            full: "s/e".to_owned(),
            has_short_url: true,
            definition,
            results: ResultPolicy::Enforce,
            edition: Edition::default(),
            calls: Vec::new(),
            fingerprints: OnceLock::new(),
            visible: Vec::new(),
        }
    }

    #[test]
    fn meta_shows_the_part_for_the_method_without_schemas() {
        let endpoint = endpoint(json!({
            "title": "t",
            "GET": {"inputs": {}, "note": "n"},
            "POST": {"inputs": {}, "outputs": {}, "errors": {}},
        }));
        assert_eq!(Value::Object(visible(&endpoint.definition.metadata, Method::Get)), json!({"note": "n"}));
        let whole = json!({"title": "t", "GET": {"note": "n"}});
        assert_eq!(Value::Object(visible(&endpoint.definition.metadata, Method::Post)), whole);
        assert_eq!(Value::Object(visible(&endpoint.definition.metadata, Method::Put)), whole);
    }

    #[test]
    fn inputs_of_the_method_come_before_those_of_all() {
        let endpoint = endpoint(json!({"GET": {"inputs": {"a": 1}}, "*": {"inputs": {"b": 1}}}));
        assert_eq!(endpoint.schema(Method::Get, Kind::Inputs), Some(("GET", &json!({"a": 1}))));
        assert_eq!(endpoint.schema(Method::Put, Kind::Inputs), Some(("*", &json!({"b": 1}))));
        assert_eq!(endpoint.schema(Method::Put, Kind::Outputs), None);
    }
}
