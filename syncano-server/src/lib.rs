//! The Custom Sockets platform as a library: HTTP API, store, publishing, runs.
//!
//! [`Server::builder`] starts it inside any program that runs on Tokio; the `syncano` command is one such program.
//! [`TestServer`] is the same for tests. [`Accounts`] is for the operator: accounts and keys, beside a running server.
//!
//! # What a run answers
//!
//! | the script | answer | `Syncano-Result` |
//! |---|---|---|
//! | returned a value from `main` | 200, the value as JSON | `value` |
//! | set a response | that response | `response` |
//! | raised an `AppError` | 422, the error as JSON | `app-error` |
//! | did none of these, or failed | 200, the trace as JSON | `trace` |
//!
//! Each carries `Syncano-Status` and `Syncano-Trace` as well; an answer without them means that nothing ran. The
//! request header `Syncano-Want: trace` asks for the trace in every case.
//!
//! # What a trace keeps
//!
//! Status, start, duration, request, arguments, stdout, stderr, and as `result.response` what the script answered: its
//! own response, or the value or error as the response that they were sent as. Of the response's body a stored
//! trace keeps the first 64 KiB. An endpoint keeps its last 100 traces, for a day.

mod accounts;
mod acl;
mod answer;
mod app;
mod arguments;
mod auth;
mod bind;
mod body;
mod builder;
mod cache;
mod catalog;
mod change;
mod checks;
mod connections;
mod cors;
mod decode;
mod definition;
mod endpoint;
mod errors;
mod fetch;
mod filter;
mod install;
mod json_text;
mod keys;
mod load;
mod meta;
mod metadata;
mod openapi;
mod operator;
mod pagination;
mod passwords;
mod private_file;
mod publish;
mod reply;
mod request;
mod results;
mod routes;
mod run;
mod runnable;
mod schemas;
mod scripts;
mod secret;
mod seen;
mod server;
pub mod socket_yml;
mod start_error;
mod store;
mod strict_json;
mod test_server;
mod text_plain;
mod throttle;
mod time;
mod traces;
mod warnings;

pub use app::FlatNames;
pub use builder::ServerBuilder;
pub use operator::{AccountError, AccountInfo, Accounts, ApiKeyInfo, KeyInfo};
pub use server::Server;
pub use start_error::StartError;
pub use syncano_core::NetworkPolicy;
pub use syncano_runner::{Control, Doctor, Isolation, Missing};
pub use test_server::{TestServer, TestServerBuilder};
