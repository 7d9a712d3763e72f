//! What an update keeps when it doesn't mention it.
//!
//! Clients of 2016 read a socket, change what they know and send it back without the keys they don't know.
//! Those keys keep their value as long as what they belong to is still there.

use serde_json::Value;

use crate::{Dependency, Endpoint, Map, SCHEMA_KEYS, Socket, normalize};

/// The network policy in a socket's metadata.
const NETWORK: &str = "network";

impl Socket {
    /// Takes over from `previous` what this definition leaves open: `private`, `cache` and `timeout` of calls,
    /// schemas of methods, `config` of scripts, the network policy.
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
        if let Some(policy) = previous.metadata.get(NETWORK) {
            self.metadata.entry(NETWORK).or_insert_with(|| policy.clone());
        }
        for (name, endpoint) in &mut self.endpoints {
            let before = previous.endpoints.iter().find(|(other, _)| normalize(other) == normalize(name));
            if let Some((_, before)) = before {
                endpoint.inherit(before);
            }
        }
        for dependency in &mut self.dependencies {
            let Dependency::Script(script) = dependency else { continue };
            if script.config.is_none() {
                script.config = previous.script(&script.name).and_then(|before| before.config.clone());
            }
        }
    }
}

impl Endpoint {
    fn inherit(&mut self, previous: &Endpoint) {
        for call in &mut self.calls {
            let Some(before) = previous.calls.iter().find(|before| before.name == call.name) else {
                continue;
            };
            call.private = call.private.or(before.private);
            call.cache = call.cache.or(before.cache);
            call.timeout = call.timeout.or(before.timeout);
        }
        let methods: Vec<_> = self.calls.iter().flat_map(|call| call.methods.metadata_keys()).collect();
        for method in methods {
            let Some(Value::Object(before)) = previous.metadata.get(method) else { continue };
            let schemas = before.iter().filter(|(key, _)| SCHEMA_KEYS.contains(&key.as_str()));
            let mut schemas = schemas.peekable();
            if schemas.peek().is_none() {
                continue;
            }
            let now = self.metadata.entry(method).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(now) = now else { continue };
            for (key, schema) in schemas {
                now.entry(key.clone()).or_insert_with(|| schema.clone());
            }
        }
    }
}
