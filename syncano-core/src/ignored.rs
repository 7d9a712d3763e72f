//! Keys of a definition that are neither known nor free data.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::json::{CALL, ENDPOINT, SCRIPT, SOCKET};
use crate::{
    Map, Method, Path, Placement, TRANSPORT_KEYS, Violation, ViolationKind, closest, published_schema,
};

const CLASS: [&str; 4] = ["type", "name", "schema", "metadata"];
/// Keys that a script's `config` gives a meaning.
const CONFIG: [&str; 4] = ["timeout", "fresh", "environment", "allow_full_access"];

/// Returns the keys of a raw definition that nothing reads, each as a violation that says which key was probably
/// meant. Metadata, configuration, access lists and the fields of classes are free data. An argument that the query
/// would carry under one of the [`TRANSPORT_KEYS`] is among them.
///
/// [`Socket::from_json`](crate::Socket::from_json) ignores these keys. It refuses those that look like a slip in the
/// name of a known key, which are not among them.
///
/// ```
/// let definition = serde_json::json!({
///     "name": "s",
///     "dependencies": [{"type": "script", "name": "a", "runtime_name": "python3", "source": "1", "timeout": 5}],
/// });
/// let ignored = syncano_core::ignored_keys(&definition);
/// assert_eq!(
///     ignored[0].to_string(),
///     "at /dependencies/0/timeout: unknown key `timeout`, which is ignored: did you mean `config.timeout`?"
/// );
/// ```
pub fn ignored_keys(definition: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    let Some(socket) = definition.as_object() else { return found };
    let root = Path::root();
    ignored(&mut found, &root, socket, &SOCKET, |key| match key {
        // The transport of an old client.
        "id" | "instanceName" => Elsewhere::Known,
        "private" | "cache" | "timeout" | "acl" => Elsewhere::In("endpoints.*"),
        "calls" => Elsewhere::In("endpoints.*"),
        "network" | "results" => Elsewhere::In("metadata"),
        "fresh" | "environment" => Elsewhere::In("dependencies[].config"),
        _ => Elsewhere::Nowhere,
    });
    let field = |name: &str| socket.get(name).map(decoded);
    let endpoints = field("endpoints");
    for (name, endpoint) in endpoints.iter().filter_map(|field| field.as_object()).flatten() {
        let path = root.key("endpoints").key(name);
        let Some(endpoint) = endpoint.as_object() else { continue };
        ignored(&mut found, &path, endpoint, &ENDPOINT, |key| match key {
            "type" | "name" | "methods" => Elsewhere::In("calls[]"),
            "script" => Elsewhere::Called("calls[].name"),
            "inputs" | "outputs" | "errors" => Elsewhere::In("metadata.METHOD"),
            "description" => Elsewhere::In("metadata"),
            "config" | "source" | "runtime_name" => Elsewhere::In("dependencies[]"),
            _ => Elsewhere::Nowhere,
        });
        lost_arguments(&mut found, &path, endpoint);
        let calls = endpoint.get("calls").and_then(Value::as_array).into_iter().flatten();
        for (index, call) in calls.enumerate() {
            let Some(call) = call.as_object() else { continue };
            ignored(&mut found, &path.key("calls").index(index), call, &CALL, |key| match key {
                "metadata" | "acl" => Elsewhere::In("endpoints.*"),
                "script" => Elsewhere::Called("name"),
                "config" | "source" | "runtime_name" => Elsewhere::In("dependencies[]"),
                _ => Elsewhere::Nowhere,
            });
        }
    }
    let dependencies = field("dependencies");
    let dependencies = dependencies.iter().filter_map(|field| field.as_array()).flatten();
    for (index, dependency) in dependencies.enumerate() {
        let path = root.key("dependencies").index(index);
        let Some(dependency) = dependency.as_object() else { continue };
        match dependency.get("type").and_then(Value::as_str) {
            Some("class") => ignored(&mut found, &path, dependency, &CLASS, |_| Elsewhere::Nowhere),
            _ => ignored(&mut found, &path, dependency, &SCRIPT, |key| match key {
                key if CONFIG.contains(&key) => Elsewhere::In("config"),
                "private" | "cache" | "methods" => Elsewhere::In("endpoints.*.calls[]"),
                _ => Elsewhere::Nowhere,
            }),
        }
    }
    found
}

/// Finds the arguments that the query would carry under a key of the transport, which no script gets.
fn lost_arguments(found: &mut Vec<Violation>, path: &Path, endpoint: &Map) {
    let Some(metadata) = endpoint.get("metadata").map(decoded) else { return };
    let Some(metadata) = metadata.as_object() else { return };
    let calls = endpoint.get("calls").and_then(Value::as_array).into_iter().flatten();
    let answered: Vec<&str> = calls
        .filter_map(|call| call.get("methods").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    // One schema may be that of several methods.
    let mut told = BTreeSet::new();
    for method in Method::ALL
        .into_iter()
        .filter(|method| answered.iter().any(|answered| ["*", method.as_str()].contains(answered)))
    {
        let Some((part, inputs)) = published_schema(metadata, method, "inputs") else { continue };
        for key in TRANSPORT_KEYS {
            let Some(argument) = inputs.get("properties").and_then(|properties| properties.get(key)) else {
                continue;
            };
            let in_query = match Placement::of(argument) {
                Placement::Body => false,
                Placement::Query => true,
                Placement::ByMethod => !method.has_body(),
            };
            if in_query && told.insert((part, key)) {
                found.push(Violation {
                    path: path.key("metadata").key(part).key("inputs").key("properties").key(key),
                    kind: ViolationKind::TransportKey { key: key.to_owned(), method },
                });
            }
        }
    }
}

/// Where a key belongs that is unknown in its place.
enum Elsewhere {
    /// It means something to somebody else.
    Known,
    /// Under its own name in this place.
    In(&'static str),
    /// It is called like this.
    Called(&'static str),
    Nowhere,
}

fn ignored(
    found: &mut Vec<Violation>,
    path: &Path,
    object: &Map,
    known: &[&'static str],
    elsewhere: impl Fn(&str) -> Elsewhere,
) {
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        // A slip is refused.
        if closest(key, known.iter().copied()).is_some() && known != CLASS {
            continue;
        }
        let meant = match elsewhere(key) {
            Elsewhere::Known => continue,
            Elsewhere::In(place) => Some(format!("{place}.{key}")),
            Elsewhere::Called(name) => Some(name.to_owned()),
            Elsewhere::Nowhere => closest(key, known.iter().copied()).map(str::to_owned),
        };
        found.push(Violation {
            path: path.key(key),
            kind: ViolationKind::IgnoredKey { key: key.clone(), meant },
        });
    }
}

/// Old clients send structured fields as strings of JSON.
fn decoded(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::String(text) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        value => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_nothing_reads_is_listed_with_the_one_that_was_meant() {
        let definition = json!({
            "name": "s", "private": true, "colour": "red", "instanceName": "i", "status": "ok", "warnings": [],
            "metadata": {"colour": "red"}, "config": {"colour": "red"},
            "endpoints": json!({"e": {
                "methods": ["GET"], "retries": 3, "private": true, "acl": {"x": []}, "metadata": {"y": 1},
                "calls": [{"type": "script", "name": "a", "methods": ["GET"], "label": "x", "script": "a"}],
            }}).to_string(),
            "dependencies": [
                {"type": "script", "name": "a", "runtime_name": "python3", "source": "1", "fresh": true},
                {"type": "class", "name": "c", "schema": [{"name": "f", "type": "text", "z": 1}], "shcema": []},
            ],
        });
        let found: Vec<String> = ignored_keys(&definition).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "at /colour: unknown key `colour`, which is ignored",
                "at /private: unknown key `private`, which is ignored: did you mean `endpoints.*.private`?",
                "at /endpoints/e/methods: unknown key `methods`, which is ignored: did you mean `calls[].methods`?",
                "at /endpoints/e/retries: unknown key `retries`, which is ignored",
                "at /endpoints/e/calls/0/label: unknown key `label`, which is ignored",
                "at /endpoints/e/calls/0/script: unknown key `script`, which is ignored: did you mean `name`?",
                "at /dependencies/0/fresh: unknown key `fresh`, which is ignored: did you mean `config.fresh`?",
                "at /dependencies/1/shcema: unknown key `shcema`, which is ignored: did you mean `schema`?",
            ]
        );
        assert_eq!(ignored_keys(&json!([1])), []);
    }

    #[test]
    fn an_argument_that_the_transport_takes_is_listed() {
        let definition = |methods: &[&str], part: &str, argument: Value| {
            let inputs = json!({"type": "object", "properties": {"cache_key": argument, "kept": {}}});
            json!({"name": "s", "endpoints": {"e": {
                "calls": [{"type": "script", "name": "a", "methods": methods}],
                "metadata": {part: {"inputs": inputs}},
            }}})
        };
        let found = |definition: Value| -> Vec<String> {
            ignored_keys(&definition).iter().map(ToString::to_string).collect()
        };
        let place = |part: &str| format!("at /endpoints/e/metadata/{part}/inputs/properties/cache_key: ");
        let told = found(definition(&["GET"], "GET", json!({})));
        assert!(
            told.len() == 1 && told[0].starts_with(&(place("GET") + "the query of GET carries")),
            "{told:?}"
        );
        let told = found(definition(&["*"], "*", json!({})));
        assert!(told.len() == 1 && told[0].starts_with(&place("*")), "{told:?}");
        let in_query = json!({"x-syncano-in": "query"});
        assert_eq!(found(definition(&["POST"], "POST", in_query.clone())).len(), 1);
        let mut text = definition(&["POST", "PUT"], "*", in_query);
        let metadata = &mut text["endpoints"]["e"]["metadata"];
        *metadata = metadata.to_string().into();
        assert_eq!(found(text).len(), 1);
        for (methods, part, argument) in [
            (["POST"], "POST", json!({})),
            (["PUT"], "*", json!({})),
            (["POST"], "GET", json!({})),
            (["POST"], "POST", json!({"x-syncano-in": "body"})),
        ] {
            assert_eq!(found(definition(&methods, part, argument)), [""; 0]);
        }
    }
}
