//! An installed endpoint, made ready for calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use syncano_core::{Method, SCHEMA_KEYS, Socket, limits, normalize, route};
use syncano_runner::Script;

use crate::app::Settings;
use crate::catalog::SocketRoutes;
use crate::store::scripts::ScriptRow;

/// Keys of a script's configuration that are for the server. `CONFIG` doesn't show them.
const CONTROL: [&str; 5] = ["timeout", "async", "mcpu", "allow_full_access", "fresh"];

/// An endpoint that can be called.
pub(crate) struct Endpoint {
    pub(crate) socket_id: i64,
    /// The socket's name.
    pub(crate) socket: String,
    /// The name as its author spells it.
    pub(crate) name: String,
    /// The name that calls are compared with.
    pub(crate) flat: String,
    pub(crate) definition: syncano_core::Endpoint,
    calls: Vec<Call>,
}

/// One call of an endpoint.
pub(crate) struct Call {
    pub(crate) definition: syncano_core::Call,
    pub(crate) timeout: Duration,
    pub(crate) script: Script,
}

/// Why a definition can't be installed.
#[derive(Debug)]
pub(crate) struct Unresolved(pub(crate) String);

/// Makes the routes of a socket. `scripts` are those that its calls may name; `instance` is what keeps their processes
/// apart from those of other instances: its number, since names pass from one to another.
pub(crate) fn compile(
    instance: &str,
    socket_id: i64,
    socket: &Socket,
    scripts: &BTreeMap<String, ScriptRow>,
    settings: &Settings,
) -> Result<SocketRoutes, Unresolved> {
    let mut routes = SocketRoutes::new();
    for (name, definition) in &socket.endpoints {
        let calls = definition.calls.iter().map(|call| {
            let script = scripts.get(&normalize(&call.name)).ok_or_else(|| {
                Unresolved(format!("no script named \"{}\" for endpoint \"{name}\"", call.name))
            })?;
            compile_call(instance, socket, call, script, settings)
        });
        let endpoint = Endpoint {
            socket_id,
            socket: normalize(&socket.name),
            name: name.trim().to_owned(),
            flat: normalize(name),
            definition: definition.clone(),
            calls: calls.collect::<Result<_, _>>()?,
        };
        routes.insert(endpoint.flat.clone(), Arc::new(endpoint));
    }
    Ok(routes)
}

fn compile_call(
    instance: &str,
    socket: &Socket,
    call: &syncano_core::Call,
    script: &ScriptRow,
    settings: &Settings,
) -> Result<Call, Unresolved> {
    let runtime = script.runtime.parse().map_err(|unknown: syncano_core::UnknownRuntime| {
        Unresolved(format!("script \"{}\": {unknown}", script.name))
    })?;
    let own: Map<String, Value> = serde_json::from_str(&script.config)
        .map_err(|error| Unresolved(format!("script \"{}\": its config: {error}", script.name)))?;
    let timeout = call
        .timeout
        .or_else(|| own.get("timeout").and_then(Value::as_f64))
        .filter(|seconds| *seconds > 0.0)
        .map_or(settings.script_timeout, |seconds| {
            Duration::from_secs_f64(seconds.min(limits::TIMEOUT_SECONDS))
        });
    let mut config = socket.config.clone();
    config.extend(own);
    config.retain(|key, _| !CONTROL.contains(&key.as_str()));
    let config = Value::Object(config).to_string();
    Ok(Call {
        definition: call.clone(),
        timeout,
        script: Script::new(instance, script.name.as_str(), runtime, script.source.as_str(), config),
    })
}

impl Endpoint {
    /// The name by which an instance tells its endpoints apart.
    pub(crate) fn full(&self) -> String {
        format!("{}/{}", self.socket, self.flat)
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

    /// The schema of the arguments for this method.
    pub(crate) fn inputs(&self, method: Method) -> Option<&Value> {
        let of = |key: &str| self.definition.metadata.get(key)?.get("inputs").filter(|v| v.is_object());
        of(method.as_str()).or_else(|| of("*"))
    }

    /// What `META` shows of the metadata: the part for this method if there is one, and never a schema.
    pub(crate) fn visible_metadata(&self, method: Method) -> Map<String, Value> {
        let mut metadata = self.definition.metadata.clone();
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
            definition,
            calls: Vec::new(),
        }
    }

    #[test]
    fn meta_shows_the_part_for_the_method_without_schemas() {
        let endpoint = endpoint(json!({
            "title": "t",
            "GET": {"inputs": {}, "note": "n"},
            "POST": {"inputs": {}, "outputs": {}, "errors": {}},
        }));
        assert_eq!(Value::Object(endpoint.visible_metadata(Method::Get)), json!({"note": "n"}));
        let whole = json!({"title": "t", "GET": {"note": "n"}});
        assert_eq!(Value::Object(endpoint.visible_metadata(Method::Post)), whole);
        assert_eq!(Value::Object(endpoint.visible_metadata(Method::Put)), whole);
    }

    #[test]
    fn inputs_of_the_method_come_before_those_of_all() {
        let endpoint = endpoint(json!({"GET": {"inputs": {"a": 1}}, "*": {"inputs": {"b": 1}}}));
        assert_eq!(endpoint.inputs(Method::Get), Some(&json!({"a": 1})));
        assert_eq!(endpoint.inputs(Method::Put), Some(&json!({"b": 1})));
    }
}
