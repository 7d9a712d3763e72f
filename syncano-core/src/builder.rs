//! Definitions built at run time, without the macro.

use serde_json::Value;

use crate::{
    Call, ClassDependency, Dependency, Endpoint, Map, Methods, Runtime, ScriptDependency, Severity, Socket,
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

    /// Adds a call to the endpoint, which is made with its first call: `script` answers `methods`.
    ///
    /// `script` is the name of a script dependency, or of a script endpoint that is on the server already.
    pub fn call(
        mut self,
        endpoint: impl Into<String>,
        script: impl Into<String>,
        methods: impl Into<Methods>,
    ) -> Self {
        self.socket.add_call(endpoint, Call::new(script, methods));
        self
    }

    /// Adds a whole endpoint, or replaces the one of that name; `[call, …]` stands for one.
    pub fn endpoint(mut self, name: impl Into<String>, endpoint: impl Into<Endpoint>) -> Self {
        self.socket.add_endpoint(name, endpoint);
        self
    }

    /// Adds a new script.
    pub fn script(self, name: impl Into<String>, runtime: Runtime, source: impl Into<String>) -> Self {
        self.dependency(ScriptDependency::new(name, runtime, source))
    }

    /// Adds a script that is on the server already, by its number.
    pub fn existing_script(self, name: impl Into<String>, script: i64) -> Self {
        self.dependency(ScriptDependency::existing(name, script))
    }

    /// Adds a class of data objects, by its fields.
    pub fn class(self, name: impl Into<String>, schema: Vec<Value>) -> Self {
        self.dependency(ClassDependency::new(name, schema))
    }

    /// Adds a dependency.
    pub fn dependency(mut self, dependency: impl Into<Dependency>) -> Self {
        // Not `add_dependency`: two of one name are a slip that `build` tells.
        self.socket.dependencies.push(dependency.into());
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
