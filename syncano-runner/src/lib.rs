//! Runs scripts in warm, sandboxed worker processes.
//!
//! A [`Runner`] keeps one process per script (more under load, none when idle) that has loaded the script already,
//! and hands it one [`Call`] after the other; what becomes of a call is an [`Outcome`]. Two scripts never share a process,
//! and what one call leaves behind never reaches the next: where that can't be made sure of, the process is replaced. A
//! script that is [`fresh`](Script::fresh) gets a new process for each call.
//!
//! What a script may do is a matter of [`Isolation`]: the best level that holds on the machine, which hostile scripts try when a
//! runner starts. Linux only.
//!
//! ```no_run
//! use std::time::Duration;
//! use syncano_core::{RunStatus, Runtime};
//! use syncano_runner::{Answer, Arguments, Call, Runner, Script};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runner = Runner::builder().build()?;
//! let source = "def main(name):\n    return 'Hello, ' + name";
//! let script = Script::new("my_instance", "greet", Runtime::Python3, source, "{}");
//! let call = Call {
//!     arguments: Arguments::direct(r#"{"name": "Ada"}"#),
//!     meta: "{}".to_owned(),
//!     timeout: Duration::from_secs(30),
//! };
//! let outcome = runner.run(&script, call).await;
//! assert_eq!(outcome.status, RunStatus::Success);
//! assert_eq!(outcome.answer, Some(Answer::Value(r#""Hello, Ada""#.into())));
//! # Ok(()) }
//! ```
//!
//! # What a Python script sees
//!
//! `ARGS`, `CONFIG`, `META`, `set_response`, `HttpResponse` and `AppError` are globals. A script with a top-level `main`
//! that its top level never calls is in *function style*: its top level runs once per process, and `main` once per call
//! with the arguments by name. Every other script is a *program*, run from its first line with fresh globals for each
//! call. Imported modules stay loaded in both.
//!
//! # What a JavaScript script sees
//!
//! `ARGS`, `CONFIG`, `META`, `setResponse`, `HttpResponse`, `AppError` and Node's own globals, `require` among them. A
//! script that imports or exports something and whose default export is a function is in *function style*: the function is
//! called with `(args, { config, meta, HttpResponse })`, and what it returns, or a promise of it, is the answer. Every
//! other script is a *program*, which ends when nothing that it started is pending. It runs in a function's scope that is
//! new for each call, and what it assigns without declaring it goes away with the call. A program whose last statement is an
//! expression that begins a line, without indentation, and is a function gets that function called, with
//! `{ args, config, meta, HttpResponse, setResponse, log, error }`.
//!
//! A script is one file: Node's own modules are what it can import, and the packages of the environment that it names. A `Worker` counts as memory; newer versions of Node
//! reserve half a gigabyte for each unless `resourceLimits: { codeRangeSizeMb: 16 }` says otherwise.
//!
//! # In both languages
//!
//! A script that [names an environment](Script::environment) finds its packages; the imports that the source begins with are done
//! before the first call.
//!
//! The script's folder, which is its working directory and `TMPDIR`, is empty at the start of every call.

// Elsewhere nothing runs, so much of what is shared has no user.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

mod builder;
mod call;
mod check;
mod doctor;
mod environment;
mod interpreter;
mod isolation;
mod limits;
mod network;
mod node;
mod outcome;
mod python;
mod recipe;
mod response;
mod script;

#[cfg(target_os = "linux")]
mod backlog;
#[cfg(target_os = "linux")]
mod directory;
#[cfg(target_os = "linux")]
mod find;
#[cfg(target_os = "linux")]
mod levels;
#[cfg(target_os = "linux")]
mod lifespan;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod probes;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod queue;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod running;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
mod worker;
#[cfg(target_os = "linux")]
mod zygotes;

#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod runner;

pub use builder::{RunnerBuilder, StartError};
pub use call::{Arguments, Call};
pub use check::{Flaw, Verdict};
pub use doctor::{Control, Doctor, Missing};
pub use environment::{Environment, MissingEnvironment};
pub use interpreter::{Interpreter, MissingInterpreter};
pub use isolation::{Isolation, UnknownIsolation};
pub use network::Addresses;
pub use outcome::{Answer, Outcome, Traffic};
pub use response::Response;
pub use runner::Runner;
pub use script::{Script, ScriptKey};
