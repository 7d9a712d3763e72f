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
//!
//! # `#[socket]`
//!
//! Stands on an inline module. All keys may be left out:
//!
//! | key | meaning |
//! |---|---|
//! | `name = "…"` | the socket's name; the module's otherwise |
//! | `description = "…"` | for people |
//! | `runtime = "…"` | what runs the scripts of calls that don't say: `python3`, `nodejs_v12`, … |
//! | `python = "3.13"` | the version whose syntax the Python scripts have; 3.11 otherwise |
//! | `node = "22"` | the version of Node that the JavaScript scripts are for, `18`, `20`, `22` or `24`; 20 otherwise |
//! | `config = {"key": …}` | what the scripts see as `CONFIG` |
//! | `metadata = {"key": …}` | free data of yours |
//! | `network = "none"` | whom the scripts may talk to: `"none"`, `"public"` (the default: whatever has a public address), or a list of hosts: `"api.example.com"`, `"*.example.com"` for all names below it, an address, each with `:443` at its end for that port only. The server's operator may permit less |
//! | `results = "warn"` | what becomes of results that don't fit their type's schema: with `"enforce"`, which is also meant without it, the run has failed; with `"warn"` its trace tells |
//! | `classes = {"name": [{"name": "title", "type": "string"}]}` | classes of data objects that the socket needs |
//! | `crate = path` | the path of this crate, if it was renamed |
//!
//! The module keeps its other items and gains
//!
//! * `NAME`, the socket's name,
//! * `definition()`, the socket with its scripts and schemas,
//! * `plan(&instance)`, which tells what publishing would change,
//! * `publish(&instance)`, which creates it, updates it, or does nothing,
//! * `Client`, with a method for each tagged function.
//!
//! JSON is written out in the attribute, so that it is checked while you type:
//!
//! ```
//! #[syncano_client::socket(
//!     name = "shop",
//!     description = "What we sell.",
//!     runtime = "python3",
//!     environment = "science",
//!     python = "3.12",
//!     config = {"currency": "EUR", "page": 20},
//!     metadata = {"author": "Ada"},
//!     network = ["api.example.com"],
//!     classes = {"item": [{"name": "title", "type": "string"}]},
//! )]
//! mod shop {
//!     #[endpoint("currency", GET, source = "def main(): return CONFIG['currency']")]
//!     pub async fn currency() -> String;
//! }
//!
//! assert_eq!(shop::definition().config["page"], 20);
//! assert_eq!(shop::definition().metadata["network"]["hosts"][0], "api.example.com");
//! ```
//!
//! ```compile_fail
//! #[syncano_client::socket(runtime = "python3", network = "off")] // `"none"`, `"public"` or hosts
//! mod shop {
//!     #[endpoint("currency", GET, source = "def main(): return 'EUR'")]
//!     pub async fn currency() -> String;
//! }
//! ```
//!
//! # `#[endpoint]`
//!
//! Stands on an `async` function without a body: first the endpoint's name, then the methods that the script answers, then
//! keys.
//!
//! Exactly one of these says which script answers:
//!
//! | key | the script |
//! |---|---|
//! | `source = "…"` | is here; indentation that all lines share is removed |
//! | `file = "…"` | is in a file, relative to this source file; an edit rebuilds |
//! | `script = "name"` | is another function's of this module |
//! | `script = 12` | is on the server, with this number |
//! | `script_endpoint = "name"` | is the one behind a script endpoint on the server |
//!
//! The other keys may be left out:
//!
//! | key | meaning |
//! |---|---|
//! | `runtime = "…"` | what runs the script; a file's extension says it too |
//! | `script_name = "…"` | the script's name in the socket; the function's name otherwise |
//! | `error = Type` | what the script raises with `AppError` |
//! | `private` | only callers with a key may run it |
//! | `cache = 60` | for so many seconds the answer is repeated to whoever sends the same arguments |
//! | `timeout = 2.5` | the seconds that the script may take |
//! | `fresh` | each call gets a process of its own |
//! | `environment = "…"` | packages that the script finds: the name of an environment that the server's operator has prepared. On the socket: for all scripts that it brings along |
//! | `config = {"key": …}` | the script's own configuration, over the socket's |
//! | `description = "…"` | of the endpoint, for people |
//! | `metadata = {"key": …}` | free data of the endpoint; scripts see it in `META`. Of several functions of an endpoint each adds its keys |
//! | `acl = {"*": ["GET"]}` | the methods that callers with an API key may use |
//!
//! The source is all that counts: what is removed from it, such as `private` or an `error`, is removed from the server by the next
//! `publish`. (Definitions that are built at run time leave open what they don't mention.)
//!
//! ```
//! #[syncano_client::socket(runtime = "python3")]
//! mod reports {
//!     #[endpoint("totals", GET, source = "def main(year: int): return year", private, cache = 60, timeout = 2.5)]
//!     pub async fn totals(year: u16) -> u32;
//!
//!     /// The same script for another method.
//!     #[endpoint("totals", POST, script = "totals", private)]
//!     pub async fn totals_now(year: u16) -> u32;
//!
//!     #[endpoint("monthly", GET, script = 12, config = {"page": 20}, fresh)]
//!     pub async fn monthly() -> syncano_client::Trace;
//!
//!     #[endpoint("yearly", GET, script_endpoint = "yearly-report", description = "All of it.")]
//!     pub async fn yearly() -> serde_json::Value;
//! }
//!
//! let definition = reports::definition();
//! assert_eq!(definition.endpoints["totals"].calls[0].private, Some(true));
//! assert_eq!(definition.dependencies.len(), 2);
//! ```
//!
//! The methods are `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, several of them, or `*` for any. Several functions may share one
//! endpoint as long as no method is answered twice.
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use syncano_client::socket;
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! pub struct Item {
//!     name: String,
//!     left: u32,
//! }
//!
//! #[derive(Debug, Deserialize, JsonSchema)]
//! pub enum StockError {
//!     OutOfStock { left: u32 },
//! }
//!
//! #[socket(name = "stock", runtime = "python3")]
//! pub mod stock {
//!     use super::{Item, StockError};
//!
//!     /// Arguments of GET and DELETE travel in the query; `None` is left out, and the script's default applies.
//!     #[endpoint("items", GET, source = r#"
//!         def main(limit=10):
//!             return [{"name": "tea", "left": 3}][:limit]
//!     "#)]
//!     pub async fn items(limit: Option<u32>) -> Vec<Item>;
//!
//!     /// The others travel in a JSON object. One argument can be the whole body; `#[query]` keeps others out of it.
//!     #[endpoint("items", PUT, POST, source = r#"
//!         def main(item, count):
//!             if count > item["left"]:
//!                 raise AppError("OutOfStock", {"left": item["left"]})
//!             return {**item, "left": item["left"] - count}
//!     "#, error = StockError)]
//!     pub async fn take(#[body] item: &Item, #[query] count: u32) -> Item;
//! }
//!
//! # fn main() {
//! assert_eq!(stock::definition().endpoints["items"].calls.len(), 2);
//! # }
//! ```
//!
//! # Results
//!
//! | result type | what it takes |
//! |---|---|
//! | any type that deserialises and has a JSON Schema | what `main` returned; of a script without `main`, the JSON that it set as its response or printed |
//! | [`String`] | likewise, but a response or printed text as it is |
//! | `()` or none | nothing: whatever a script answers that succeeded is dropped |
//! | [`Trace`] | the record of the run, failed runs included |
//! | [`CustomResponse`] | the response that the script set, as it is: status, content type, the script's headers, bytes |
//!
//! How values of each type look to a script, and which can't cross, is in [`types`].
//!
//! A failure is a [`CallError`]: the script's own error ([`CallError::App`]), a failed run with its traceback
//! ([`CallError::Script`]), an answer that isn't of the result type ([`CallError::Mismatch`] if the server found that,
//! [`CallError::Decode`] if the client did; both name the place by a JSON pointer), a refusal of the server ([`CallError::Api`]), or
//! no answer at all ([`CallError::Transport`]).
//!
//! ```no_run
//! # use syncano_client::{CallError, Instance, Method, socket};
//! # #[socket(runtime = "python3")]
//! # mod stock {
//! #     #[endpoint("left", GET, POST, source = "def main(name): return 3")]
//! #     pub async fn left(name: &str) -> u32;
//! # }
//! # async fn run(instance: Instance) {
//! let api = stock::Client::new(&instance);
//! match api.left("tea").method(Method::Post).timeout(std::time::Duration::from_secs(5)).await {
//!     Ok(left) => println!("{left} left"),
//!     Err(CallError::Script(failure)) => eprintln!("the script failed:\n{}", failure.stderr),
//!     Err(other) => eprintln!("{other}"),
//! }
//! # }
//! ```
//!
//! The script's own errors are an enum like others: a `match` that forgets one doesn't compile.
//!
//! ```compile_fail,E0004
//! # use syncano_client::CallError;
//! # #[derive(Debug)]
//! pub enum StockError {
//!     OutOfStock { left: u32 },
//!     Closed,
//! }
//!
//! fn tell(error: CallError<StockError>) {
//!     if let CallError::App(error, ..) = error {
//!         match error {
//!             StockError::OutOfStock { left } => println!("{left} left"),
//!         } // `StockError::Closed` is missing
//!     }
//! }
//! ```
//!
//! # Changing what is published
//!
//! Others may call what was published: programs that were built before, plain HTTP callers. So `publish` compares first,
//! and refuses what would break them, with a text that names each place. `plan` tells without publishing.
//!
//! ```no_run
//! # use syncano_client::{Instance, socket};
//! # #[socket(runtime = "python3")]
//! # mod stock {
//! #     #[endpoint("left", GET, source = "def main(name): return 3")]
//! #     pub async fn left(name: &str) -> u32;
//! # }
//! # async fn run(instance: Instance) -> Result<(), syncano_client::Error> {
//! let plan = stock::plan(&instance).await?;
//! println!("{plan}"); // a line for each change, `!` before those that break callers
//! if !plan.is_breaking() {
//!     plan.apply().await?; // never over somebody else's change
//! }
//!
//! // The same at once; and all the same, while nobody else depends on it.
//! stock::publish(&instance).await?;
//! stock::publish(&instance).allow_breaking(cfg!(debug_assertions)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | change | for those who call today |
//! |---|---|
//! | a new endpoint, method, optional argument (`Option`); another script, time, cache | is no matter |
//! | a wider type of an argument (`u8` → `u32`, `T` → `Option<T>`, another variant) | is no matter |
//! | a narrower type of a result (`Option<T>` → `T`, a variant less), one more field in it | is no matter |
//! | the other way round: an argument that becomes needed or narrower, a result that becomes wider or lacks a field | breaks |
//! | an endpoint or method that goes, `private` | breaks |
//!
//! A field of an argument's struct that is new breaks too, even an `Option`: the script may rely on it, and today's callers
//! don't send it. With `#[serde(skip_serializing_if = "Option::is_none")]` it may be left out, and breaks nobody. What two
//! schemas say beyond what serde's types need (`if`, patterns of keys, …) can't be compared: it breaks unless it is equal.
//!
//! Callers notice too: a generated function says which contract it was built with. If another is published, and it fits by the
//! rules of this table, the call goes on; if it doesn't, or the endpoint or method is gone, the error is
//! [`CallError::ContractMismatch`], which names the endpoint and the place, and nothing has run. The first call of a function that
//! differs takes one more exchange with the server. Endpoints that were published without schemas are called as they are.
//!
//! ```no_run
//! # use syncano_client::{CallError, Instance, socket};
//! # #[socket(runtime = "python3")]
//! # mod stock {
//! #     #[endpoint("left", GET, source = "def main(name): return 3")]
//! #     pub async fn left(name: &str) -> u32;
//! # }
//! # async fn run(instance: Instance) {
//! match stock::Client::new(&instance).left("tea").await {
//!     Ok(left) => println!("{left} left"),
//!     Err(CallError::ContractMismatch(mismatch)) => eprintln!("too old: {mismatch} {:?}", mismatch.pointer()),
//!     Err(other) => eprintln!("{other}"),
//! }
//! # }
//! ```
//!
//! # Several sockets
//!
//! [`sockets!`](sockets) names an application's sockets. Where it stands it defines `definitions()`, `plan(&instance)` and
//! `publish(&instance)` for all of them; two that share a name, or the name of an endpoint, don't compile.
//!
//! ```
//! mod api {
//!     use syncano_client::{socket, sockets};
//!
//!     #[socket(runtime = "python3")]
//!     pub mod shop {
//!         #[endpoint("items", GET, source = "def main(): return []")]
//!         pub async fn items() -> Vec<String>;
//!     }
//!
//!     #[socket(runtime = "python3")]
//!     pub mod stock {
//!         #[endpoint("left", GET, source = "def main(item): return 3")]
//!         pub async fn left(item: &str) -> u32;
//!     }
//!
//!     sockets![shop, stock];
//! }
//!
//! # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
//! let published = api::publish(&instance).await?;
//! # let _ = published; Ok(())
//! # }
//! ```
//!
//! # What is checked
//!
//! `cargo check` looks at the definition, the types, the scripts' syntax, and at what each script takes and returns against its
//! function. A slip is an error at the token that is wrong:
//!
//! ```compile_fail
//! #[syncano_client::socket(runtime = "python3")]
//! mod text {
//!     #[endpoint("slug", GET, source = "def main(titel: str): return titel.lower()")]
//!     pub async fn slug(title: &str) -> String; // did you mean `titel`?
//! }
//! ```
//!
//! [What is checked, and what is not](what_is_checked) has all of it, rule by rule. The parsers are what takes longest to compile
//! here; each is a feature, `check-python` and `check-javascript`. Both are on unless `default-features = false` says otherwise: they are
//! compiled once, and without one scripts in that language are accepted as they are, so that only the server says what is wrong.
//!
//! # Attributes, conditions, editors
//!
//! Documentation, `#[cfg]`, `#[deprecated]`, `#[allow]` and the like go where the function would be. The module's other items stay as
//! they are written, and generated code names everything by its full path, whatever the module calls its own types.
//!
//! ```
//! #[syncano_client::socket(runtime = "python3")]
//! mod texts {
//!     /// Names may be raw: the script gets `type`.
//!     #[endpoint("kind", GET, source = "def main(type): return type")]
//!     #[deprecated(note = "call `kind_of`")]
//!     pub async fn kind(r#type: &str) -> String;
//!
//!     /// Neither published nor there where the condition doesn't hold.
//!     #[endpoint("debug", GET, source = "def main(): pass")]
//!     #[cfg(feature = "debugging")]
//!     pub async fn debug();
//!
//!     /// A constant of yours.
//!     pub const KINDS: [&str; 2] = ["tea", "coffee"];
//! }
//!
//! assert_eq!(texts::definition().endpoints.len(), 1);
//! ```
//!
//! A function that isn't finished costs its own message and nothing else: the other calls keep their types in your editor. A module in
//! a file of its own can't be tagged where it is named (rustc gives macros no such modules yet); tag one inside of that file:
//!
//! ```compile_fail
//! #[syncano_client::socket]
//! mod in_another_file;
//! ```
//!
//! Functions have no generics, lifetimes or `self`, and results own what they hold:
//!
//! ```compile_fail
//! #[syncano_client::socket(runtime = "python3")]
//! mod texts {
//!     #[endpoint("first", GET, source = "def main(texts): return texts[0]")]
//!     pub async fn first<'a>(texts: &'a [String]) -> &'a str; // `texts: &[String]`, `-> String`
//! }
//! ```
//!
//! # Managing without the macro
//!
//! Definitions can be put together at run time, and changed after they were published:
//!
//! ```no_run
//! # async fn run(instance: syncano_client::Instance) -> anyhow::Result<()> {
//! use serde_json::json;
//! use syncano_client::{Method, NewScript, Runtime, ScriptCall, ScriptDependency, Socket, Trace};
//!
//! let existing = instance.create_script(NewScript::new(Runtime::Python3, "def main(name): return name")).await?;
//! let socket = Socket::builder("my_custom_socket")
//!     .script("custom_script", Runtime::Python3, "print('custom_script')")
//!     .existing_script("another_custom_script", existing.id())
//!     .call("my_endpoint", "custom_script", [Method::Get])
//!     .call("my_endpoint", "another_custom_script", [Method::Post])
//!     .call("monthly", "name_of_a_script_endpoint", [Method::Get])
//!     .build()?;
//! let mut published = instance.publish(&socket).await?;
//!
//! // Endpoints are run by name; the answer is JSON, or what is asked for.
//! let answer = published.run(Method::Post, "my_endpoint", json!({"name": "Ada"})).await?;
//! let text = published.run_as::<String>(Method::Get, "my_endpoint", ()).await?;
//! let trace = published.run_as::<Trace>(Method::Get, "my_endpoint", ()).await?;
//! for endpoint in published.endpoints().await? {
//!     println!("{} {:?}", endpoint.name(), endpoint.traces().await?);
//! }
//!
//! let mut changed = published.definition().clone();
//! changed.remove_endpoint("monthly");
//! changed.add_endpoint("private", [ScriptCall::new("new_script", [Method::Get]).private(true).timeout(5.0)]);
//! changed.add_dependency(ScriptDependency::new("new_script", Runtime::Python3, "print(3)"));
//! published.update(&changed).await?;
//! published.recheck().await?;
//! println!("{} {}", published.status(), published.status_info());
//! # let _ = (answer, text, trace); Ok(())
//! # }
//! ```
//!
//! [`Socket::from_json`] and serde read the raw JSON format. The rest of a server is reached from three types:
//!
//! | from | to |
//! |---|---|
//! | [`Client`] | [`register`](Client::register), [`log_in`](Client::log_in), the [`account`](Client::account), [`instances`](Client::instances) |
//! | [`Instance`] | [`publish`](Instance::publish), [`sockets`](Instance::sockets), [`install_from_url`](Instance::install_from_url), [`socket_endpoints`](Instance::socket_endpoints), [`run`](Instance::run), [`scripts`](Instance::scripts), [`script_endpoints`](Instance::script_endpoints), [`api_keys`](Instance::api_keys), [`config`](Instance::config) |
//! | [`Published`] | [`update`](Published::update), [`recheck`](Published::recheck), [`endpoints`](Published::endpoints), [`run`](Published::run) |
//!
//! What is read by name or number is an [`Option`]: `None` is what the server doesn't have. Lists are [`Pages`]. What is
//! read stays as it was until `reload`; what changes it (`update`, `reset`, …) reads it along.

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod account;
mod answer;
mod api_key;
mod call;
mod called;
mod client;
mod contract;
mod custom_response;
mod encode;
mod error;
mod exact;
#[cfg(feature = "fake")]
pub mod fake;
mod finite;
mod header;
mod instance;
mod listed;
mod pages;
mod patience;
mod plan;
mod publish;
mod published;
mod recorded;
#[cfg(feature = "miette")]
mod report;
mod run;
mod script;
mod script_endpoint;
mod socket_endpoint;

#[doc = include_str!("types.md")]
pub mod types {}

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

// A page of documentation, whose snippets are tests.
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/what_is_checked.md")]
pub mod what_is_checked {}

pub use account::{Account, AccountUpdate};
pub use api_key::{ApiKey, ApiKeyOptions};
pub use call::{Argument, Call, CallResult, FromAnswer, NoError, Response, ScriptError};
pub use called::Called;
pub use client::Client;
pub use contract::ContractMismatch;
pub use custom_response::CustomResponse;
pub use error::{ApiError, CallError, Error, RequestProblem, ResultMismatch, ScriptFailure};
pub use http::{HeaderMap, StatusCode};
pub use instance::{Instance, InstanceDetails, InstanceUpdate};
pub use pages::Pages;
pub use plan::Plan;
pub use publish::{Publish, PublishAll};
pub use published::{Change, Published};
pub use recorded::RecordedTrace;
pub use schemars;
pub use script::{NewScript, PendingTrace, RuntimeDetails, Script, ScriptUpdate};
pub use script_endpoint::{NewScriptEndpoint, ScriptEndpoint, ScriptEndpointUpdate};
pub use secrecy::{ExposeSecret, SecretString};
pub use socket_endpoint::SocketEndpoint;
/// A call in a definition; [`Call`] is one that is made.
pub use syncano_core::Call as ScriptCall;
/// One thing that a [`Plan`] would change; [`Change`] is what publishing did.
pub use syncano_core::Change as PlannedChange;
pub use syncano_core::{
    ClassDependency, Dependency, Difference, Endpoint, Incompatibility, Map, Method, Methods, Mismatch,
    RecordedResponse, RunResult, RunStatus, Runtime, ScriptDependency, ScriptSource, Socket, SocketBuilder,
    SocketStatus, Trace, Violation, Violations, What,
};
pub use syncano_macros::{endpoint, socket, sockets};
