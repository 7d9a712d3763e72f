//! What generated code names. Not part of the public interface: it changes with the macro.

use serde_json::Value;
use syncano_core::{Dependency, Map, ScriptDependency, ScriptSource, Socket};

pub use syncano_core::{Inputs, Placement};

use crate::{Argument, Call, CallResult, Instance, Method, Methods, Runtime, encode};

/// Where a generated function's call goes.
#[derive(Debug)]
pub struct Target {
    /// The socket's name.
    pub socket: &'static str,
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// The methods answered; the first is sent.
    pub methods: &'static [Method],
}

/// A call without arguments.
pub fn call<T, E>(instance: &Instance, target: &'static Target) -> Call<T, E> {
    Call::new(instance, target)
}

/// The call with one argument more.
pub fn argument<T, E, A: Argument + ?Sized>(
    mut call: Call<T, E>,
    name: &'static str,
    value: &A,
    placement: Placement,
) -> Call<T, E> {
    call.push(encode::Argument::new(name, value, placement));
    call
}

/// The listed methods.
pub fn methods(methods: &[Method]) -> Methods {
    Methods::Only(methods.to_vec())
}

/// The schema of what a call answers; a trace is the server's own and has none.
pub fn outputs<T: CallResult>() -> Option<Value> {
    (!crate::answer::wants_trace::<T>()).then(syncano_core::Outputs::of::<T>)
}

/// Builds what `definition()` returns.
#[derive(Debug)]
pub struct Definition {
    socket: Socket,
}

impl Definition {
    /// A socket without endpoints.
    pub fn new(name: &str) -> Definition {
        Definition { socket: Socket { name: name.to_owned(), ..Socket::default() } }
    }

    /// Sets the description.
    pub fn description(mut self, text: &str) -> Definition {
        text.clone_into(&mut self.socket.description);
        self
    }

    /// Adds a script.
    pub fn script(mut self, name: &str, runtime: Runtime, source: &str) -> Definition {
        self.socket.dependencies.push(Dependency::Script(ScriptDependency {
            name: name.to_owned(),
            script: ScriptSource::New { runtime_name: runtime, source: source.to_owned() },
            config: None,
        }));
        self
    }

    /// Adds a call and its schemas.
    pub fn call(
        mut self,
        endpoint: &str,
        script: &str,
        methods: Methods,
        inputs: Inputs,
        outputs: Option<Value>,
    ) -> Definition {
        let mut schemas = Map::new();
        schemas.insert("inputs".to_owned(), inputs.build());
        schemas.extend(outputs.map(|schema| ("outputs".to_owned(), schema)));
        let endpoint = self.socket.endpoints.entry(endpoint.to_owned()).or_default();
        for key in methods.metadata_keys() {
            endpoint.metadata.insert(key.to_owned(), Value::Object(schemas.clone()));
        }
        endpoint.calls.push(syncano_core::Call::new(script, methods));
        self
    }

    /// The definition.
    pub fn build(self) -> Socket {
        self.socket
    }
}
