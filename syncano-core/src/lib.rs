//! The model of Custom Sockets and its rules.
//!
//! A [`Socket`] names endpoints, says which script answers which HTTP method, and carries the scripts.
//! The macro, the server and the command line all read the same model and the same rules from here:
//! [`Socket::from_json`] and [`Socket::validate`] return every [`Violation`] with the path of what is wrong, and
//! each front end maps that path to its own place (a span, a field error, a line of text).
//!
//! Nothing here does I/O.
//!
//! ```
//! use syncano_core::{Method, Runtime, Socket};
//!
//! let socket = Socket::builder("my_custom_socket")
//!     .script("custom_script", Runtime::Python3, "print('hello')")
//!     .call("my_endpoint", "custom_script", [Method::Get])
//!     .build()
//!     .expect("the definition is valid");
//! assert_eq!(socket.endpoints["my_endpoint"].calls[0].name, "custom_script");
//! ```

mod builder;
mod class;
mod compatibility;
mod difference;
mod edit;
pub mod headers;
mod ignored;
mod inherit;
mod json;
pub mod limits;
mod method;
mod name;
mod network;
pub mod numbers;
mod quoted;
mod results;
pub mod route;
mod run_limits;
mod runtime;
mod schema;
mod socket;
mod status;
mod trace;
mod validate;
mod violation;

pub use builder::SocketBuilder;
pub use class::FIELD_TYPES;
pub use compatibility::{Incompatibility, Reason, fits};
pub use difference::{
    Change, Contract, Difference, ScriptChange, What, arguments_fit, list_methods, results_fit,
};
pub use headers::ResultKind;
pub use ignored::ignored_keys;
pub use json::depth;
pub use method::{Method, Methods, UnknownMethod};
pub use name::{NameKind, NameProblem, closest, normalize};
pub use network::{HostPattern, NetworkPolicy, NetworkProblem};
pub use quoted::quoted;
pub use results::ResultPolicy;
pub use run_limits::RunLimits;
pub use runtime::{Language, Runtime, UnknownRuntime};
pub use schema::{
    CompiledSchema, Inputs, Mismatch, Outputs, Placement, SCHEMA_KEYS, SchemaProblem, TRANSPORT_KEYS,
    published_schema,
};
pub use socket::{Call, ClassDependency, Dependency, Endpoint, Map, ScriptDependency, ScriptSource, Socket};
pub use status::SocketStatus;
pub use trace::{RecordedResponse, RunResult, RunStatus, Trace};
pub use validate::{config_violations, metadata_violations, script_config_violations};
pub use violation::{Path, Segment, Severity, Violation, ViolationKind, Violations};
