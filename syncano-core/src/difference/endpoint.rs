//! What changes of endpoints.

use serde_json::{Map, Value};

use super::{Change, What, arguments_fit, results_fit, script};
use crate::{
    Call, Endpoint, Incompatibility, Method, Reason, SCHEMA_KEYS, Socket, normalize, published_schema,
};

pub(super) fn all(before: &Socket, now: &Socket) -> Vec<Change> {
    let mut names: Vec<(String, &str)> = Vec::new();
    for name in now.endpoints.keys().chain(before.endpoints.keys()) {
        if !names.iter().any(|(known, _)| *known == normalize(name)) {
            names.push((normalize(name), name));
        }
    }
    names.sort_unstable();
    let find = |socket: &'_ Socket, wanted: &str| {
        socket
            .endpoints
            .iter()
            .find(|(name, _)| normalize(name) == wanted)
            .map(|(_, endpoint)| endpoint.clone())
    };
    let mut changes = Vec::new();
    for (normalized, name) in names {
        let (was, is) = (find(before, &normalized), find(now, &normalized));
        let found = match (&was, &is) {
            (Some(was), Some(is)) => one((before, was), (now, is)),
            (None, Some(is)) => vec![(Vec::new(), What::Added(answered(is)))],
            (Some(was), None) => vec![(Vec::new(), What::Removed(answered(was)))],
            (None, None) => Vec::new(),
        };
        let of_endpoint = found.into_iter().map(|(methods, what)| Change {
            endpoint: Some(name.to_owned()),
            methods,
            what,
        });
        changes.extend(of_endpoint);
    }
    changes
}

/// The methods that some call answers.
fn answered(endpoint: &Endpoint) -> Vec<Method> {
    Method::ALL.into_iter().filter(|method| answering(endpoint, *method).is_some()).collect()
}

/// The call that answers the method, as it is in force.
fn answering(endpoint: &Endpoint, method: Method) -> Option<Call> {
    let call = endpoint.calls.iter().find(|call| call.methods.contains(method))?;
    Some(endpoint.in_force(call))
}

fn one(before: (&Socket, &Endpoint), now: (&Socket, &Endpoint)) -> Vec<(Vec<Method>, What)> {
    let mut found: Vec<(Vec<Method>, What)> = Vec::new();
    for method in Method::ALL {
        for what in of_method(before, now, method) {
            match found.iter_mut().find(|(_, known)| *known == what) {
                Some((methods, _)) => methods.push(method),
                None => found.push((vec![method], what)),
            }
        }
    }
    let (was, is) = (before.1, now.1);
    if was.acl != is.acl {
        found.push((Vec::new(), What::Acl(narrower(&was.acl, &is.acl))));
    }
    if free(&was.metadata) != free(&is.metadata) {
        found.push((Vec::new(), What::Metadata));
    }
    found
}

fn of_method(before: (&Socket, &Endpoint), now: (&Socket, &Endpoint), method: Method) -> Vec<What> {
    let (was, is) = match (answering(before.1, method), answering(now.1, method)) {
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec![What::MethodAdded],
        (Some(_), None) => return vec![What::MethodRemoved],
        (Some(was), Some(is)) => (was, is),
    };
    let mut what = Vec::new();
    what.extend(script((before.0, &was.name), (now.0, &is.name)).map(What::Script));
    let config = |socket: &Socket, call: &Call| {
        socket.script(&call.name).and_then(|script| script.config.clone()).unwrap_or_default()
    };
    if config(before.0, &was) != config(now.0, &is) {
        what.push(What::ScriptConfig);
    }
    if was.private.unwrap_or(false) != is.private.unwrap_or(false) {
        what.push(What::Private(is.private.unwrap_or(false)));
    }
    if was.cache.unwrap_or(0) != is.cache.unwrap_or(0) {
        what.push(What::Cache(is.cache));
    }
    if was.timeout != is.timeout {
        what.push(What::Timeout(is.timeout));
    }
    let schemas = |word| {
        let of = |endpoint: &'_ Endpoint| {
            published_schema(&endpoint.metadata, method, word).map(|(_, schema)| schema.clone())
        };
        let (was, is) = (of(before.1), of(now.1));
        (was != is).then_some((was, is))
    };
    if let Some(pair) = schemas("inputs") {
        what.push(What::Arguments(match &pair {
            (Some(was), Some(is)) => arguments_fit(method, was, is),
            // Nothing was promised, or nothing is asked for any more.
            _ => Ok(()),
        }));
    }
    if let Some(pair) = schemas("outputs") {
        what.push(What::Results(match &pair {
            (Some(was), Some(is)) => results_fit(was, is),
            (None, _) => Ok(()),
            (Some(_), None) => {
                let reason = Reason::Unknown("the results have no schema any more".to_owned());
                Err(Incompatibility::new(reason, None))
            }
        }));
    }
    if let Some(pair) = schemas("errors") {
        what.push(What::Errors(match &pair {
            (Some(was), Some(is)) => results_fit(was, is),
            // A script that no longer speaks of errors raises none.
            _ => Ok(()),
        }));
    }
    what
}

/// Whether an API key may lose something. Without any entry everybody may call.
fn narrower(before: &Map<String, Value>, now: &Map<String, Value>) -> bool {
    let still = |who: &str, methods: &Value| {
        let now = now.get(who).and_then(Value::as_array);
        let contained = |now: &Vec<Value>| match methods.as_array() {
            Some(methods) => methods.iter().all(|method| now.contains(method)),
            None => false,
        };
        now.is_some_and(contained)
    };
    !now.is_empty() && (before.is_empty() || !before.iter().all(|(who, methods)| still(who, methods)))
}

/// Metadata without schemas.
fn free(metadata: &Map<String, Value>) -> Map<String, Value> {
    let mut metadata = metadata.clone();
    for key in Method::ALL.map(Method::as_str).into_iter().chain(["*"]) {
        if let Some(Value::Object(part)) = metadata.get_mut(key) {
            part.retain(|key, _| !SCHEMA_KEYS.contains(&key.as_str()));
            if part.is_empty() {
                metadata.remove(key);
            }
        }
    }
    metadata
}
