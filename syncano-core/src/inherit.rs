//! What an update keeps when it doesn't mention it.
//!
//! Clients of 2016 read a socket, change what they know and send it back without the keys they don't know.
//! Those keys keep their value as long as what they belong to is still there.

use serde_json::Value;

use crate::results::RESULTS;
use crate::{Call, Dependency, Endpoint, Map, Method, Methods, SCHEMA_KEYS, Socket, normalize};

/// The network policy in a socket's metadata.
pub(crate) const NETWORK: &str = "network";

impl Socket {
    /// Takes over from `previous` what this definition leaves open: `private`, `cache` and `timeout` of endpoints and
    /// calls, schemas of methods, `config` of scripts, the policies of the network and of results. An explicit `null` in the
    /// metadata removes a schema or a policy, and a timeout of 0 a timeout.
    ///
    /// ```
    /// use syncano_core::Socket;
    ///
    /// let socket = |call| Socket::from_json(&serde_json::json!({
    ///     "name": "s", "endpoints": {"e": {"calls": [call]}},
    /// }));
    /// let before = socket(serde_json::json!({"type": "script", "name": "a", "methods": ["GET"], "private": true}))?;
    /// let mut after = socket(serde_json::json!({"type": "script", "name": "a", "methods": ["*"]}))?;
    /// after.inherit(&before);
    /// assert_eq!(after.endpoints["e"].calls[0].private, Some(true));
    /// # Ok::<(), Vec<syncano_core::Violation>>(())
    /// ```
    pub fn inherit(&mut self, previous: &Socket) {
        for key in [NETWORK, RESULTS] {
            if let Some(policy) = previous.metadata.get(key) {
                self.metadata.entry(key).or_insert_with(|| policy.clone());
            }
            if self.metadata.get(key).is_some_and(Value::is_null) {
                self.metadata.remove(key);
            }
        }
        for (name, endpoint) in &mut self.endpoints {
            let before = previous.endpoints.iter().find(|(other, _)| same(other, name));
            if let Some((_, before)) = before {
                endpoint.private = endpoint.private.or(before.private);
                endpoint.cache = endpoint.cache.or(before.cache);
                endpoint.timeout = endpoint.timeout.or(before.timeout);
                endpoint.inherit_calls(before);
                endpoint.inherit_schemas(before);
            }
            endpoint.drop_what_says_nothing();
            endpoint.drop_null_schemas();
        }
        for dependency in &mut self.dependencies {
            if let Dependency::Script(script) = dependency
                && script.config.is_none()
            {
                script.config = previous.script(&script.name).and_then(|before| before.config.clone());
            }
        }
    }
}

impl Endpoint {
    /// A call is the same call as long as it names the same script; of several, the one for the same methods.
    fn inherit_calls(&mut self, previous: &Endpoint) {
        for call in &mut self.calls {
            let mut candidates = previous.calls.iter().filter(|before| same(&before.name, &call.name));
            let first = candidates.clone().next();
            if let Some(before) = candidates.find(|before| before.methods == call.methods).or(first) {
                call.private = call.private.or(before.private);
                call.cache = call.cache.or(before.cache);
                call.timeout = call.timeout.or(before.timeout);
            }
        }
    }

    /// A timeout of 0 is none. An endpoint whose calls are neither private nor cached by default needs no word for it;
    /// a call may need one, against its endpoint.
    fn drop_what_says_nothing(&mut self) {
        for call in &mut self.calls {
            call.timeout = call.timeout.filter(|seconds| *seconds > 0.0);
        }
        self.private = self.private.filter(|private| *private);
        self.cache = self.cache.filter(|seconds| *seconds > 0);
        self.timeout = self.timeout.filter(|seconds| *seconds > 0.0);
    }

    fn inherit_schemas(&mut self, previous: &Endpoint) {
        for (key, described) in &previous.metadata {
            let still_there = match (previous.described_by(key), self.described_by(key)) {
                (Some(before), Some(now)) => same(&before.name, &now.name),
                _ => false,
            };
            let Some(described) = described.as_object().filter(|_| still_there) else { continue };
            for word in SCHEMA_KEYS {
                let Some(schema) = described.get(word) else { continue };
                let now = self.metadata.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(now) = now {
                    now.entry(word).or_insert_with(|| schema.clone());
                }
            }
        }
    }

    /// The call that the part of the metadata under this key describes.
    fn described_by(&self, key: &str) -> Option<&Call> {
        match key.parse::<Method>() {
            Ok(method) => self.calls.iter().find(|call| call.methods.contains(method)),
            Err(_) if key == "*" => self.calls.iter().find(|call| call.methods == Methods::Any),
            Err(_) => None,
        }
    }

    fn drop_null_schemas(&mut self) {
        for described in self.metadata.values_mut().filter_map(Value::as_object_mut) {
            described.retain(|key, value| !(SCHEMA_KEYS.contains(&key.as_str()) && value.is_null()));
        }
    }
}

fn same(name: &str, other: &str) -> bool {
    normalize(name) == normalize(other)
}
