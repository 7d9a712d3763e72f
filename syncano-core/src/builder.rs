//! Definitions built at run time, without the macro.

use crate::{
    Call, Dependency, Endpoint, Map, Methods, Runtime, ScriptDependency, ScriptSource, Severity, Socket,
    Violations,
};

/// Builds a [`Socket`]; see [`Socket::builder`].
#[derive(Debug, Clone)]
pub struct SocketBuilder {
    socket: Socket,
}

impl SocketBuilder {
    pub(crate) fn new(name: impl Into<String>) -> SocketBuilder {
        SocketBuilder { socket: Socket { name: name.into(), ..Socket::default() } }
    }

    /// Sets the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.socket.description = text.into();
        self
    }

    /// Sets what scripts see as `CONFIG`.
    pub fn config(mut self, config: Map) -> Self {
        self.socket.config = config;
        self
    }

    /// Sets the metadata of the socket.
    pub fn metadata(mut self, metadata: Map) -> Self {
        self.socket.metadata = metadata;
        self
    }

    /// Adds a call to the endpoint, which is made with its first call: the script `script` answers `methods`.
    pub fn call(
        mut self,
        endpoint: impl Into<String>,
        script: impl Into<String>,
        methods: impl Into<Methods>,
    ) -> Self {
        let calls = &mut self.socket.endpoints.entry(endpoint.into()).or_default().calls;
        calls.push(Call::new(script, methods));
        self
    }

    /// Adds a whole endpoint, or replaces the one of that name.
    pub fn endpoint(mut self, name: impl Into<String>, endpoint: Endpoint) -> Self {
        self.socket.endpoints.insert(name.into(), endpoint);
        self
    }

    /// Adds a new script.
    pub fn script(self, name: impl Into<String>, runtime: Runtime, source: impl Into<String>) -> Self {
        self.dependency(Dependency::Script(ScriptDependency {
            name: name.into(),
            script: ScriptSource::New { runtime_name: runtime, source: source.into() },
            config: None,
        }))
    }

    /// Adds a script that is on the server already, by its number.
    pub fn existing_script(self, name: impl Into<String>, script: i64) -> Self {
        self.dependency(Dependency::Script(ScriptDependency {
            name: name.into(),
            script: ScriptSource::Existing { script },
            config: None,
        }))
    }

    /// Adds a dependency.
    pub fn dependency(mut self, dependency: Dependency) -> Self {
        self.socket.dependencies.push(dependency);
        self
    }

    /// The definition.
    ///
    /// # Errors
    /// Every broken rule, slips that a server would tolerate included. A call whose script is not among the
    /// dependencies is allowed: a script endpoint of that name may exist on the server.
    pub fn build(self) -> Result<Socket, Violations> {
        let broken: Vec<_> = self
            .socket
            .validate()
            .into_iter()
            .filter(|violation| violation.kind.severity() != Severity::Semantic)
            .collect();
        if broken.is_empty() { Ok(self.socket) } else { Err(Violations(broken)) }
    }
}
