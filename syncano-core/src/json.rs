//! The raw JSON format: reads a definition and reports everything that is wrong with its shape.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    Call, ClassDependency, Dependency, Endpoint, Map, Method, Methods, Path, Runtime, ScriptDependency,
    ScriptSource, Severity, Socket, Violation, ViolationKind, closest,
};

/// Keys of a socket that mean something to whoever writes it, or stand in what a server answers.
pub(crate) const SOCKET: [&str; 15] = [
    "name",
    "description",
    "config",
    "metadata",
    "endpoints",
    "dependencies",
    "status",
    "status_info",
    "warnings",
    "revision",
    "expected_revision",
    "install_url",
    "created_at",
    "updated_at",
    "links",
];
pub(crate) const ENDPOINT: [&str; 6] = ["calls", "metadata", "acl", "private", "cache", "timeout"];
pub(crate) const CALL: [&str; 6] = ["type", "name", "methods", "private", "cache", "timeout"];
pub(crate) const SCRIPT: [&str; 6] = ["type", "name", "runtime_name", "source", "script", "config"];

impl Socket {
    /// Reads the raw JSON format.
    ///
    /// As old clients send them, `endpoints`, `dependencies`, `config` and `metadata` may be strings that
    /// contain JSON; `null` and `""` mean the default. Unknown fields are ignored, unless they look like a slip in the
    /// name of a known one; [`ignored_keys`](crate::ignored_keys) lists them.
    ///
    /// # Errors
    /// Every violation that makes the definition unusable ([`Severity::Shape`]).
    ///
    /// ```
    /// use syncano_core::Socket;
    ///
    /// let socket = Socket::from_json(&serde_json::json!({
    ///     "name": "my_custom_socket_3",
    ///     "endpoints": {"my_endpoint_3": {"calls": [
    ///         {"type": "script", "name": "my_script_3", "methods": ["POST"]}
    ///     ]}},
    ///     "dependencies": [{
    ///         "type": "script", "name": "my_script_3",
    ///         "runtime_name": "python_library_v5.0", "source": "print(3)"
    ///     }]
    /// }))?;
    /// assert_eq!(socket.endpoints.len(), 1);
    /// # Ok::<(), Vec<syncano_core::Violation>>(())
    /// ```
    pub fn from_json(value: &Value) -> Result<Socket, Vec<Violation>> {
        let mut reader = Reader::default();
        let socket = reader.socket(value);
        if !reader.violations.is_empty() {
            return Err(reader.violations);
        }
        let broken: Vec<_> =
            socket.validate().into_iter().filter(|v| v.kind.severity() == Severity::Shape).collect();
        if broken.is_empty() { Ok(socket) } else { Err(broken) }
    }

    /// Reads what a socket was written as. It has been accepted before: no rule is checked, which takes most of the time
    /// that [`from_json`](Socket::from_json) does.
    ///
    /// # Errors
    /// The text is no socket.
    pub fn from_written(text: &str) -> Result<Socket, serde_json::Error> {
        serde_json::from_str::<Written>(text).map(|Written(socket)| socket)
    }
}

/// A socket as `Serialize` writes it.
#[derive(Deserialize)]
struct Written(#[serde(with = "Fields")] Socket);

#[derive(Deserialize)]
#[serde(remote = "Socket")]
struct Fields {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    config: Map,
    #[serde(default)]
    metadata: Map,
    #[serde(default)]
    endpoints: BTreeMap<String, Endpoint>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

/// Reads value by value and goes on after a violation, so that one build or request shows all of them.
#[derive(Default)]
struct Reader {
    violations: Vec<Violation>,
}

impl Reader {
    fn report(&mut self, path: &Path, kind: impl Into<ViolationKind>) {
        self.violations.push(Violation { path: path.clone(), kind: kind.into() });
    }

    fn expect<'a, T>(
        &mut self,
        path: &Path,
        value: &'a Value,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let found = read(value);
        if found.is_none() {
            self.report(path, ViolationKind::Type { expected, found: type_name(value) });
        }
        found
    }

    fn string(&mut self, path: &Path, object: &Map, key: &'static str) -> Option<String> {
        match object.get(key) {
            None | Some(Value::Null) => {
                self.report(&path.key(key), ViolationKind::Missing(key));
                None
            }
            Some(value) => self.expect(&path.key(key), value, "a string", Value::as_str).map(str::to_owned),
        }
    }

    /// Old clients send keys that nobody knows, which is why they are ignored. One that is nearly `private` is a slip that
    /// would make an endpoint public.
    fn slips(&mut self, path: &Path, object: &Map, known: &[&'static str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let meant = closest(key, known.iter().copied());
            if let Some(meant) = meant.and_then(|meant| known.iter().copied().find(|known| *known == meant)) {
                self.report(&path.key(key), ViolationKind::UnknownKey { key: key.clone(), meant });
            }
        }
    }

    /// An object that may be absent; at the top level also a string of JSON.
    fn object(&mut self, path: &Path, object: &Map, key: &'static str) -> Map {
        let value = object.get(key).cloned().unwrap_or_default();
        let value = if path.0.is_empty() { self.decoded(&path.key(key), value) } else { value };
        match value {
            Value::Null => Map::new(),
            Value::Object(map) => map,
            other => {
                self.report(
                    &path.key(key),
                    ViolationKind::Type { expected: "an object", found: type_name(&other) },
                );
                Map::new()
            }
        }
    }

    /// Old clients send structured fields as strings of JSON.
    fn decoded(&mut self, path: &Path, value: Value) -> Value {
        match value {
            Value::String(text) if text.is_empty() => Value::Null,
            Value::String(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                self.report(path, ViolationKind::NotJson(error.to_string()));
                Value::Null
            }),
            other => other,
        }
    }

    fn socket(&mut self, value: &Value) -> Socket {
        let root = Path::root();
        let Some(object) = self.expect(&root, value, "an object", Value::as_object) else {
            return Socket::default();
        };
        self.slips(&root, object, &SOCKET);
        Socket {
            name: self.string(&root, object, "name").unwrap_or_default(),
            description: match object.get("description") {
                None | Some(Value::Null) => String::new(),
                Some(value) => self
                    .expect(&root.key("description"), value, "a string", Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            },
            config: self.object(&root, object, "config"),
            metadata: self.object(&root, object, "metadata"),
            endpoints: self.endpoints(object),
            dependencies: self.dependencies(object),
        }
    }

    fn endpoints(&mut self, object: &Map) -> BTreeMap<String, Endpoint> {
        let path = Path::root().key("endpoints");
        let endpoints = self.object(&Path::root(), object, "endpoints");
        endpoints
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), self.endpoint(&path.key(name), value)?)))
            .collect()
    }

    fn endpoint(&mut self, path: &Path, value: &Value) -> Option<Endpoint> {
        let object = self.expect(path, value, "an object", Value::as_object)?;
        self.slips(path, object, &ENDPOINT);
        let calls = match object.get("calls") {
            None => {
                self.report(&path.key("calls"), ViolationKind::Missing("calls"));
                Vec::new()
            }
            Some(value) => {
                let path = path.key("calls");
                let calls = self.expect(&path, value, "a list of calls", Value::as_array)?;
                let read: Vec<_> =
                    calls.iter().enumerate().map(|(i, call)| self.call(&path.index(i), call)).collect();
                read.into_iter().flatten().collect()
            }
        };
        let (private, cache, timeout) = self.limits(path, object);
        Some(Endpoint {
            calls,
            metadata: self.object(path, object, "metadata"),
            acl: self.object(path, object, "acl"),
            private,
            cache,
            timeout,
        })
    }

    fn call(&mut self, path: &Path, value: &Value) -> Option<Call> {
        let object = self.expect(path, value, "an object", Value::as_object)?;
        self.slips(path, object, &CALL);
        match self.string(path, object, "type").as_deref() {
            None | Some("script") => {}
            Some(other) => self.report(&path.key("type"), ViolationKind::CallType(other.to_owned())),
        }
        let name = self.string(path, object, "name");
        let methods = self.methods(path, object);
        let (private, cache, timeout) = self.limits(path, object);
        Some(Call { name: name?, methods: methods?, private, cache, timeout })
    }

    /// Reads what an endpoint or a call says of who may call, and for how many seconds.
    fn limits(&mut self, path: &Path, object: &Map) -> (Option<bool>, Option<u32>, Option<f64>) {
        let private = self.option(path, object, "private", "true or false", Value::as_bool);
        let cache = self.option(path, object, "cache", "a whole number of seconds", |value| {
            value.as_u64().and_then(|seconds| u32::try_from(seconds).ok())
        });
        (private, cache, self.option(path, object, "timeout", "a number of seconds", Value::as_f64))
    }

    fn option<'a, T>(
        &mut self,
        path: &Path,
        object: &'a Map,
        key: &'static str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        match object.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => self.expect(&path.key(key), value, expected, read),
        }
    }

    fn methods(&mut self, path: &Path, object: &Map) -> Option<Methods> {
        let path = path.key("methods");
        let Some(value) = object.get("methods") else {
            self.report(&path, ViolationKind::Missing("methods"));
            return None;
        };
        let names = self.expect(&path, value, "a list of methods", Value::as_array)?;
        let wildcards = names.iter().filter(|name| name.as_str() == Some("*")).count();
        if wildcards == 1 && names.len() == 1 {
            return Some(Methods::Any);
        }
        if wildcards > 0 {
            self.report(&path, ViolationKind::WildcardNotAlone);
            return None;
        }
        if names.is_empty() {
            self.report(&path, ViolationKind::NoMethods);
            return None;
        }
        let mut methods = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let path = path.index(index);
            let Some(name) = self.expect(&path, name, "a method", Value::as_str) else { continue };
            match name.parse::<Method>() {
                Ok(method) => methods.push(method),
                Err(unknown) => self.report(&path, unknown),
            }
        }
        Some(Methods::Only(methods))
    }

    fn dependencies(&mut self, object: &Map) -> Vec<Dependency> {
        let path = Path::root().key("dependencies");
        let value = object.get("dependencies").cloned().unwrap_or_default();
        let list = match self.decoded(&path, value) {
            Value::Null => Vec::new(),
            Value::Array(list) => list,
            other => {
                self.report(
                    &path,
                    ViolationKind::Type { expected: "a list of dependencies", found: type_name(&other) },
                );
                Vec::new()
            }
        };
        list.iter().enumerate().filter_map(|(i, value)| self.dependency(&path.index(i), value)).collect()
    }

    fn dependency(&mut self, path: &Path, value: &Value) -> Option<Dependency> {
        let object = self.expect(path, value, "an object", Value::as_object)?;
        let kind = self.string(path, object, "type")?;
        match kind.as_str() {
            "script" => self.script(path, object).map(Dependency::Script),
            "class" => self.class(path, object).map(Dependency::Class),
            other => {
                self.report(&path.key("type"), ViolationKind::DependencyType(other.to_owned()));
                None
            }
        }
    }

    fn script(&mut self, path: &Path, object: &Map) -> Option<ScriptDependency> {
        self.slips(path, object, &SCRIPT);
        let name = self.string(path, object, "name");
        let config = self.option(path, object, "config", "an object", Value::as_object).cloned();
        let existing = self.option(path, object, "script", "the number of a script", Value::as_i64);
        let script = match existing {
            Some(script) => Some(ScriptSource::Existing { script }),
            None => {
                let runtime = self.string(path, object, "runtime_name").and_then(|name| {
                    name.parse::<Runtime>()
                        .map_err(|unknown| self.report(&path.key("runtime_name"), unknown))
                        .ok()
                });
                let source = self.string(path, object, "source");
                runtime.zip(source).map(|(runtime_name, source)| ScriptSource::New { runtime_name, source })
            }
        };
        Some(ScriptDependency { name: name?, script: script?, config })
    }

    fn class(&mut self, path: &Path, object: &Map) -> Option<ClassDependency> {
        let name = self.string(path, object, "name");
        let schema = match object.get("schema") {
            None => {
                self.report(&path.key("schema"), ViolationKind::Missing("schema"));
                None
            }
            Some(value) => {
                self.expect(&path.key("schema"), value, "a list of fields", Value::as_array).cloned()
            }
        };
        Some(ClassDependency { name: name?, schema: schema? })
    }
}

/// How many objects and lists lie inside each other; 0 for a value that is neither.
pub fn depth(value: &Value) -> usize {
    // serde_json reads at most 128 levels at once, so this recursion is bounded.
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slip_in_a_key_is_told_and_an_unknown_key_is_not() {
        let read = |socket: &Value| Socket::from_json(socket).err().unwrap_or_default();
        let socket = |key: &str, call_key: &str| {
            json!({
                "name": "s", key: {}, "instanceName": "i", "endpointObjects": [], "created_at": "", "id": 1,
                "endpoints": {"e": {"calls": [
                    {"type": "script", "name": "a", "methods": ["GET"], call_key: true, "label": 1},
                ]}},
            })
        };
        assert_eq!(read(&socket("config", "private")), []);
        let text =
            |violations: Vec<Violation>| violations.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            text(read(&socket("endpoint", "privte"))),
            [
                "at /endpoint: unknown key `endpoint`: did you mean `endpoints`?",
                "at /endpoints/e/calls/0/privte: unknown key `privte`: did you mean `private`?",
            ]
        );
    }
}
