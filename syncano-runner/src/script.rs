//! A script and its identity.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use syncano_core::{NetworkPolicy, Runtime};

/// A script that can be run: source, runtime, configuration, and the instance it belongs to.
///
/// Making one hashes the source once; cloning is cheap. Keep it for as long as the script doesn't change.
#[derive(Clone)]
pub struct Script {
    instance: Arc<str>,
    name: Arc<str>,
    runtime: Runtime,
    source: Arc<str>,
    config: Arc<str>,
    environment: Option<Arc<str>>,
    fresh: bool,
    checks: bool,
    network: NetworkPolicy,
    key: ScriptKey,
}

/// The identity of a script's workers: two scripts share a process only when everything about them is equal,
/// the instance included.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScriptKey([u8; 32]);

impl Script {
    /// `name` is what tracebacks show as the file, in `<…>`; `config` is `CONFIG` as JSON text.
    pub fn new(
        instance: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
        runtime: Runtime,
        source: impl Into<Arc<str>>,
        config: impl Into<Arc<str>>,
    ) -> Script {
        let (instance, name, source, config) = (instance.into(), name.into(), source.into(), config.into());
        let key = ScriptKey::of(&[&instance, &name, runtime.canonical().name(), &source, &config]);
        Script {
            instance,
            name,
            runtime,
            source,
            config,
            environment: None,
            fresh: false,
            checks: false,
            network: NetworkPolicy::default(),
            key,
        }
    }

    /// What compiles the scripts that its calls hand it, and runs none. Its process serves one call: a hostile source
    /// may have broken it.
    pub(crate) fn checker(runtime: Runtime) -> Script {
        // Numbers of instances are no words: nobody else's calls count as its own.
        let script = Script::new("checks", "check", runtime, "", "{}");
        Script { fresh: true, checks: true, network: NetworkPolicy::None, ..script }
    }

    /// Whether it is a [`checker`](Script::checker).
    pub(crate) fn is_checker(&self) -> bool {
        self.checks
    }

    /// The environment that it finds its packages in, one of [`RunnerBuilder::environment`]. Default: none, so that it finds
    /// what is installed for the interpreter.
    ///
    /// [`RunnerBuilder::environment`]: crate::RunnerBuilder::environment
    pub fn environment(mut self, name: impl Into<Arc<str>>) -> Script {
        let name = name.into();
        self.key = self.key.with("environment", &name);
        self.environment = Some(name);
        self
    }

    /// The name of the environment that it finds its packages in.
    pub fn environment_name(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// Whether every call gets a new process, so that nothing at all is shared between two of them. Default: no.
    pub fn fresh(mut self, fresh: bool) -> Script {
        self.fresh = fresh;
        self
    }

    /// Whether every call gets a new process.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whom the script may talk to. Default: [`NetworkPolicy::Public`]. The runner's own policy bounds it.
    pub fn network(mut self, policy: NetworkPolicy) -> Script {
        self.key = self.key.with("network", &policy.to_string());
        self.network = policy;
        self
    }

    /// Whom the script may talk to.
    pub fn network_policy(&self) -> &NetworkPolicy {
        &self.network
    }

    /// The instance that the script belongs to.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The same, to be kept.
    pub(crate) fn shared_instance(&self) -> Arc<str> {
        Arc::clone(&self.instance)
    }

    /// The name in tracebacks.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The runtime it was published for.
    pub fn runtime(&self) -> Runtime {
        self.runtime
    }

    /// The program text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// `CONFIG` as JSON text.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// The identity of its workers.
    pub fn key(&self) -> ScriptKey {
        self.key
    }
}

impl ScriptKey {
    fn of(parts: &[&str]) -> ScriptKey {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        ScriptKey(hash.finalize().into())
    }

    /// That of the same script with a property that not every script has.
    fn with(&self, name: &str, value: &str) -> ScriptKey {
        let mut hash = Sha256::new();
        for part in [&self.0[..], name.as_bytes(), value.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        ScriptKey(hash.finalize().into())
    }
}

impl fmt::Debug for Script {
    // A source may be megabytes long and a configuration holds secrets: neither belongs in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("instance", &self.instance)
            .field("name", &self.name)
            .field("runtime", &self.runtime)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ScriptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(instance: &str, name: &str, runtime: Runtime, source: &str, config: &str) -> ScriptKey {
        Script::new(instance, name, runtime, source, config).key()
    }

    #[test]
    fn everything_counts_but_an_alias_of_the_runtime() {
        let base = key("a", "s", Runtime::Python, "1", "{}");
        assert_eq!(base, key("a", "s", Runtime::PythonLibraryV4_2, "1", "{}"));
        for other in [
            key("b", "s", Runtime::Python, "1", "{}"),
            key("a", "t", Runtime::Python, "1", "{}"),
            key("a", "s", Runtime::Python3, "1", "{}"),
            key("a", "s", Runtime::Python, "2", "{}"),
            key("a", "s", Runtime::Python, "1", r#"{"x":1}"#),
            key("as", "", Runtime::Python, "1", "{}"),
        ] {
            assert!(base != other);
        }
        let script = Script::new("a", "s", Runtime::Python, "1", "{}");
        let [none, hosts] = ["none", "a.example"].map(|it| script.clone().network(it.parse().unwrap()).key());
        assert!(none != base && hosts != base && none != hosts);
        let of = |environment: &str| {
            Script::new("a", "s", Runtime::Python, "1", "{}").environment(environment.to_owned()).key()
        };
        assert!(base != of("e") && of("e") != of("f") && of("e") == of("e"));
    }
}
