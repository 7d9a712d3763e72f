//! The rules of a definition. Written once: the macro, the server and the command line all call this.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    Call, CompiledSchema, Dependency, Endpoint, Map, Methods, NameKind, NetworkPolicy, Path,
    ScriptDependency, ScriptSource, Socket, Violation, ViolationKind, depth, inherit::NETWORK,
    json::type_name, limits, name::normalize, results::RESULTS, schema,
};

pub(crate) fn validate(socket: &Socket) -> Vec<Violation> {
    let mut found = Found::default();
    let root = Path::root();
    found.name(&root.key("name"), NameKind::Socket, &socket.name);
    found.length(
        &root.key("description"),
        "characters",
        limits::DESCRIPTION,
        socket.description.chars().count(),
    );
    found.config(&root.key("config"), &socket.config);
    found.metadata(&root.key("metadata"), &socket.metadata, false);
    found.network(&root.key("metadata").key(NETWORK), socket.metadata.get(NETWORK));
    found.results(&root.key("metadata").key(RESULTS), socket.metadata.get(RESULTS));
    found.endpoints(socket);
    found.dependencies(socket);
    found.0
}

/// The key of a script's configuration that names the environment in which it finds its packages.
const ENVIRONMENT: &str = "environment";

/// The rules of a script's `config` object that stands alone; `path` is its own.
pub fn script_config_violations(path: &Path, config: &Map) -> Vec<Violation> {
    let mut found = Found::default();
    found.script_config(path, config);
    found.0
}

/// The rules of a `config` object that stands alone, as an instance's; `path` is its own.
pub fn config_violations(path: &Path, config: &Map) -> Vec<Violation> {
    let mut found = Found::default();
    found.config(path, config);
    found.0
}

#[derive(Default)]
struct Found(Vec<Violation>);

impl Found {
    fn report(&mut self, path: Path, kind: ViolationKind) {
        self.0.push(Violation { path, kind });
    }

    fn name(&mut self, path: &Path, kind: NameKind, name: &str) {
        if let Err(problem) = kind.check(name) {
            self.report(path.clone(), ViolationKind::Name { kind, name: name.to_owned(), problem });
        }
    }

    fn count(&mut self, path: &Path, what: &'static str, limit: usize, found: usize) {
        if found > limit {
            self.report(path.clone(), ViolationKind::TooMany { what, limit, found });
        }
    }

    fn length(&mut self, path: &Path, unit: &'static str, limit: usize, found: usize) {
        if found > limit {
            self.report(path.clone(), ViolationKind::TooLong { unit, limit, found });
        }
    }

    fn depth<'a>(&mut self, path: &Path, values: impl IntoIterator<Item = &'a Value>) {
        let found = 1 + values.into_iter().map(depth).max().unwrap_or(0);
        if found > limits::JSON_DEPTH {
            self.report(path.clone(), ViolationKind::TooDeep(found));
        }
    }

    fn config(&mut self, path: &Path, config: &Map) {
        self.depth(path, config.values());
        self.count(path, "keys", limits::CONFIG_KEYS, config.len());
        for key in config.keys() {
            self.length(&path.key(key), "characters in a key", limits::CONFIG_KEY, key.chars().count());
        }
        self.length(path, "bytes of JSON", limits::CONFIG_BYTES, json_bytes(config));
    }

    /// `null` stands for no environment.
    fn script_config(&mut self, path: &Path, config: &Map) {
        self.config(path, config);
        if let Some(name) = config.get(ENVIRONMENT)
            && !(name.is_string() || name.is_null())
        {
            let expected = "the name of an environment";
            self.report(path.key(ENVIRONMENT), ViolationKind::Type { expected, found: type_name(name) });
        }
    }

    fn metadata(&mut self, path: &Path, metadata: &Map, of_endpoint: bool) {
        self.count(path, "keys", limits::METADATA_KEYS, metadata.len());
        self.depth(path, metadata.values());
        for (key, value) in metadata {
            let path = path.key(key);
            self.length(&path, "characters in a key", limits::METADATA_KEY, key.chars().count());
            let mut rest = value.clone();
            if of_endpoint && let Some(object) = rest.as_object_mut() {
                for word in schema::SCHEMA_KEYS {
                    if let Some(schema) = object.remove(word) {
                        self.schema(&path.key(word), &schema);
                    }
                }
            }
            let limit = match of_endpoint {
                true => limits::ENDPOINT_METADATA_VALUE_BYTES,
                false => limits::METADATA_VALUE_BYTES,
            };
            self.length(&path, "bytes of JSON", limit, json_bytes(&rest));
        }
    }

    /// An explicit `null` takes a schema away.
    fn schema(&mut self, path: &Path, schema: &Value) {
        let bytes = json_bytes(schema);
        self.length(path, "bytes of JSON in a schema", limits::SCHEMA_BYTES, bytes);
        if bytes <= limits::SCHEMA_BYTES
            && !schema.is_null()
            && let Err(violations) = CompiledSchema::new(schema)
        {
            self.0.extend(violations.into_iter().map(|violation| violation.below(path)));
        }
    }

    /// An explicit `null` takes the policy away.
    fn results(&mut self, path: &Path, policy: Option<&Value>) {
        if !matches!(policy.map(Value::as_str), None | Some(Some("enforce" | "warn")))
            && policy.is_some_and(|policy| !policy.is_null())
        {
            self.report(path.clone(), ViolationKind::Results);
        }
    }

    /// An explicit `null` takes a policy away.
    fn network(&mut self, path: &Path, policy: Option<&Value>) {
        let Some(policy) = policy.filter(|policy| !policy.is_null()) else { return };
        if let Err(problem) = NetworkPolicy::from_json(policy) {
            self.report(path.clone(), ViolationKind::Network(problem));
        }
    }

    fn endpoints(&mut self, socket: &Socket) {
        let path = Path::root().key("endpoints");
        if socket.endpoints.is_empty() {
            self.report(path.clone(), ViolationKind::NoEndpoints(socket.name.clone()));
        }
        self.count(&path, "endpoints", limits::ENDPOINTS, socket.endpoints.len());
        let mut seen = BTreeSet::new();
        for (name, endpoint) in &socket.endpoints {
            let path = path.key(name);
            self.name(&path, NameKind::Endpoint, name);
            if !seen.insert(normalize(name)) {
                self.report(path.clone(), ViolationKind::DuplicateEndpoint(name.clone()));
            }
            self.metadata(&path.key("metadata"), &endpoint.metadata, true);
            self.depth(&path.key("acl"), endpoint.acl.values());
            self.seconds(&path, endpoint.cache, endpoint.timeout);
            self.calls(&path.key("calls"), socket, name, endpoint);
        }
    }

    fn calls(&mut self, path: &Path, socket: &Socket, name: &str, endpoint: &Endpoint) {
        if endpoint.calls.is_empty() {
            self.report(path.clone(), ViolationKind::NoCalls(name.to_owned()));
        }
        for (index, call) in endpoint.calls.iter().enumerate() {
            let path = path.index(index);
            self.name(&path.key("name"), NameKind::Script, &call.name);
            if call.methods == Methods::Only(Vec::new()) {
                self.report(path.key("methods"), ViolationKind::NoMethods);
            }
            self.overlaps(&path.key("methods"), name, &endpoint.calls[..index], call);
            let resolved = socket.dependencies.iter().any(|dependency| {
                matches!(dependency, Dependency::Script(script) if normalize(&script.name) == normalize(&call.name))
            });
            if !resolved {
                self.report(
                    path.key("name"),
                    ViolationKind::UnresolvedCall { endpoint: name.to_owned(), call: call.name.clone() },
                );
            }
            self.seconds(&path, call.cache, call.timeout);
        }
    }

    fn seconds(&mut self, path: &Path, cache: Option<u32>, timeout: Option<f64>) {
        if let Some(seconds) = timeout.filter(|seconds| !(0.0..=limits::TIMEOUT_SECONDS).contains(seconds)) {
            self.report(path.key("timeout"), ViolationKind::Timeout(seconds));
        }
        if let Some(seconds) = cache.filter(|seconds| *seconds > limits::CACHE_SECONDS) {
            self.report(path.key("cache"), ViolationKind::Cache(seconds));
        }
    }

    /// The first call that lists a method answers it, so a later one that lists it too is a slip.
    fn overlaps(&mut self, path: &Path, endpoint: &str, earlier: &[Call], call: &Call) {
        if let Some((first, by)) = earlier.iter().enumerate().find(|(_, c)| c.methods == Methods::Any) {
            self.report(
                path.clone(),
                ViolationKind::Unreachable {
                    endpoint: endpoint.to_owned(),
                    call: call.name.clone(),
                    by: by.name.clone(),
                    first,
                },
            );
            return;
        }
        let Methods::Only(methods) = &call.methods else { return };
        for (index, method) in methods.iter().enumerate() {
            let taken = earlier.iter().enumerate().find(|(_, c)| c.methods.contains(*method));
            let repeated = methods[..index].contains(method);
            let (first, by) = match taken {
                Some((first, by)) => (first, &by.name),
                None if repeated => (earlier.len(), &call.name),
                None => continue,
            };
            self.report(
                path.index(index),
                ViolationKind::MethodTaken {
                    endpoint: endpoint.to_owned(),
                    method: *method,
                    by: by.clone(),
                    first,
                },
            );
        }
    }

    fn dependencies(&mut self, socket: &Socket) {
        let path = Path::root().key("dependencies");
        self.count(&path, "dependencies", limits::DEPENDENCIES, socket.dependencies.len());
        let mut seen = BTreeSet::new();
        for (index, dependency) in socket.dependencies.iter().enumerate() {
            let path = path.index(index);
            let kind = match dependency {
                Dependency::Script(_) => NameKind::Script,
                Dependency::Class(_) => NameKind::Class,
            };
            self.name(&path.key("name"), kind, dependency.name());
            if !seen.insert((kind == NameKind::Class, normalize(dependency.name()))) {
                self.report(
                    path.key("name"),
                    ViolationKind::DuplicateDependency(dependency.name().to_owned()),
                );
            }
            match dependency {
                Dependency::Script(script) => self.script(&path, script),
                Dependency::Class(class) => {
                    self.depth(&path.key("schema"), &class.schema);
                    self.0.extend(class.check(&path.key("schema")));
                }
            }
        }
    }

    fn script(&mut self, path: &Path, script: &ScriptDependency) {
        if let ScriptSource::New { source, .. } = &script.script {
            self.length(&path.key("source"), "bytes", limits::SOURCE_BYTES, source.len());
            if source.trim().is_empty() {
                self.report(path.key("source"), ViolationKind::EmptyScript(script.name.clone()));
            }
        }
        if let Some(config) = &script.config {
            self.script_config(&path.key("config"), config);
        }
    }
}

/// The rules of a `metadata` object that stands alone, as an instance's or an account's; `path` is its own.
pub fn metadata_violations(path: &Path, metadata: &Map) -> Vec<Violation> {
    let mut found = Found::default();
    found.metadata(path, metadata, false);
    found.0
}

/// A host's name or address, without scheme, port and path.
fn json_bytes(value: &impl serde::Serialize) -> usize {
    // A JSON value always serialises; there is no other way in here.
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len())
}
