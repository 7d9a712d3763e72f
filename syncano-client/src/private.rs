//! What generated code names. Not part of the public interface: it changes with the macro.

use std::borrow::Cow;

use serde_json::Value;
use syncano_core::{Map, route};

pub use syncano_core::{Inputs, Placement};

pub use crate::called::CompiledScript;
pub use crate::contract::Contracts;
pub use crate::listed::{Listed, Told, clash, definitions, plan, publish};

pub use crate::answer::ReadResult;

use crate::answer::{Read, read_json};
use crate::call::Destination;
use crate::called::Name;
use crate::encode::{self, Arguments};
use crate::{
    Argument, Call, CallResult, Dependency, Instance, Method, Methods, NoError, ScriptCall, ScriptError,
    Socket,
};

/// Where a generated function's call goes.
#[derive(Debug)]
pub struct Target {
    /// The socket's name.
    pub socket: &'static str,
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// The methods answered; the first is sent.
    pub methods: &'static [Method],
    /// The script, if the module has it.
    pub script: Option<CompiledScript>,
    /// What the socket's functions were built with.
    pub contracts: &'static Contracts,
}

/// A call without arguments.
#[track_caller]
pub fn call<T, E>(
    instance: &Instance,
    target: &'static Target,
    result: ResultType<T>,
    error: ErrorType<E>,
) -> Call<T, E> {
    let Target { socket, endpoint, methods, script, contracts } = target;
    let to = Destination {
        name: Name::Of { socket, endpoint },
        path: route::run(instance.name(), socket, endpoint),
        methods: Cow::Borrowed(methods),
        script: script.as_ref(),
        contract: Some((contracts, endpoint)),
    };
    let method = methods.first().copied().unwrap_or(Method::Post);
    Call::new(instance.client(), to, method, Arguments::Named(Vec::new()), result.read, error.read)
}

/// The type of a result: how it is read, and its schema.
#[derive(Debug)]
pub struct ResultType<T> {
    read: ReadResult<T>,
    schema: fn() -> Option<Value>,
}

/// The only place that asks something of the type of a result: one that can't be a result is told there, and not again
/// wherever the call is made and awaited.
pub fn result<T: CallResult>() -> ResultType<T> {
    ResultType { read: T::reader(), schema: T::schema }
}

impl<T> ResultType<T> {
    /// Returns the schema of what the call answers, if results are checked.
    pub fn schema(self) -> Option<Value> {
        (self.schema)()
    }
}

/// The type of an error: how it is read, and its schema.
#[derive(Debug)]
pub struct ErrorType<E> {
    read: Read<E>,
    schema: fn() -> Value,
}

/// The only place that asks something of the type of an error.
pub fn error<E: ScriptError>() -> ErrorType<E> {
    ErrorType { read: read_json, schema: syncano_core::Outputs::read_as::<E> }
}

impl<E> ErrorType<E> {
    /// The schema of what the script may raise.
    pub fn schema(self) -> Value {
        (self.schema)()
    }
}

/// What reads the error of a call that declares none.
pub fn no_error() -> ErrorType<NoError> {
    ErrorType { read: read_json, schema: || Value::Bool(false) }
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

    /// Sets what scripts see as `CONFIG`.
    pub fn config(mut self, json: &str) -> Definition {
        self.socket.config = object(json);
        self
    }

    /// Sets the socket's metadata.
    pub fn metadata(mut self, json: &str) -> Definition {
        self.socket.metadata = object(json);
        self
    }

    /// Adds a script or a class.
    pub fn dependency(mut self, dependency: impl Into<Dependency>) -> Definition {
        self.socket.dependencies.push(dependency.into());
        self
    }

    /// Adds a call and its schemas.
    pub fn call(
        mut self,
        endpoint: &str,
        call: ScriptCall,
        inputs: Inputs,
        outputs: Option<Value>,
        errors: Option<Value>,
    ) -> Definition {
        let mut schemas = Map::new();
        schemas.insert("inputs".to_owned(), inputs.build());
        // `null` for none: that of an earlier definition would stay.
        schemas.insert("outputs".to_owned(), outputs.unwrap_or_default());
        schemas.insert("errors".to_owned(), errors.unwrap_or_default());
        let endpoint = self.socket.endpoints.entry(endpoint.to_owned()).or_default();
        for key in call.methods.metadata_keys() {
            endpoint.metadata.insert(key.to_owned(), Value::Object(schemas.clone()));
        }
        endpoint.calls.push(call);
        self
    }

    /// Adds to an endpoint's metadata; what is said about a method stands beside its schemas.
    pub fn endpoint_metadata(mut self, endpoint: &str, json: &str) -> Definition {
        let endpoint = self.socket.endpoints.entry(endpoint.to_owned()).or_default();
        for (key, value) in object(json) {
            match (endpoint.metadata.get_mut(&key), value) {
                (Some(Value::Object(schemas)), Value::Object(more)) => schemas.extend(more),
                (_, value) => {
                    endpoint.metadata.insert(key, value);
                }
            }
        }
        self
    }

    /// Adds to who may call an endpoint.
    pub fn acl(mut self, endpoint: &str, json: &str) -> Definition {
        self.socket.endpoints.entry(endpoint.to_owned()).or_default().acl.extend(object(json));
        self
    }

    /// The definition. What the source doesn't say is said: an update keeps what isn't mentioned, and what was removed from
    /// the source would stay on the server.
    pub fn build(self) -> Socket {
        let mut socket = self.socket;
        for policy in ["network", "results"] {
            socket.metadata.entry(policy).or_insert(Value::Null);
        }
        for endpoint in socket.endpoints.values_mut() {
            endpoint.private.get_or_insert(false);
            endpoint.cache.get_or_insert(0);
            endpoint.timeout.get_or_insert(0.0);
            for call in &mut endpoint.calls {
                call.private.get_or_insert(false);
                call.cache.get_or_insert(0);
                call.timeout.get_or_insert(0.0);
            }
        }
        for dependency in &mut socket.dependencies {
            if let Dependency::Script(script) = dependency {
                script.config.get_or_insert_default();
            }
        }
        socket
    }
}

/// An object that the macro wrote.
pub fn object(json: &str) -> Map {
    serde_json::from_str(json).expect("the macro writes its own JSON")
}

/// A list that the macro wrote.
pub fn list(json: &str) -> Vec<Value> {
    serde_json::from_str(json).expect("the macro writes its own JSON")
}
