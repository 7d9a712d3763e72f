//! Publish Custom Sockets from Rust and call their scripts through generated, strongly typed functions.
//!
//! Annotate a module; `cargo check` validates the definition, the scripts included:
//!
//! ```
//! use syncano_client::socket;
//!
//! #[socket(name = "my_custom_socket", runtime = "python3")]
//! pub mod my_socket {
//!     /// Says hello.
//!     #[endpoint("hello", GET, source = r#"
//!         def main(name: str) -> str:
//!             return "Hello, " + name
//!     "#)]
//!     pub async fn hello(name: &str) -> String;
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use syncano_client::Client;
//!
//! let client = Client::connect("http://127.0.0.1:8080")?.account_key("0123456789abcdef…");
//! let instance = client.create_or_open_instance("my-app").await?;
//! my_socket::publish(&instance).await?;
//!
//! let api = my_socket::Client::new(&instance);
//! let text = api.hello("Ada").await?;
//! # let _ = text; Ok(())
//! # }
//! ```
//!
//! Managing (instances, publishing) needs an account key; calling needs none unless a call is private.

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod answer;
mod call;
mod client;
mod encode;
mod error;
mod instance;
mod publish;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use call::{Argument, Call, CallResult, NoError, Response, ScriptError};
pub use client::Client;
pub use error::{ApiError, CallError, Error, ScriptFailure};
pub use instance::Instance;
pub use publish::{Change, Published};
pub use schemars;
pub use syncano_core::{
    CustomResponse, Dependency, Endpoint, Method, Methods, RunResult, RunStatus, Runtime, ScriptDependency,
    ScriptSource, Socket, SocketBuilder, SocketStatus, Trace, Violation, Violations,
};
pub use syncano_macros::{endpoint, socket};
