//! Tests of programs that use Custom Sockets.
//!
//! | what a test needs | use |
//! |---|---|
//! | the real thing: published sockets whose scripts run | [`macro@test`] or [`TestInstance`] |
//! | answers made up by the test, without server and Python | [`Fake`], which `syncano-client` has too (feature `fake`) |
//!
//! # A server of its own for each test
//!
//! ```
//! use syncano_client::socket;
//!
//! #[socket(runtime = "python3")]
//! mod greetings {
//!     #[endpoint("hello", GET, source = "def main(name): return 'Hello, ' + name")]
//!     pub async fn hello(name: &str) -> String;
//! }
//!
//! # fn main() {}
//! # mod tests {
//! # use super::greetings; use syncano_testing::TestInstance;
//! #[syncano_testing::test(greetings)]
//! async fn greets(instance: TestInstance) {
//!     let api = greetings::Client::new(&instance);
//!     assert_eq!(api.hello("Ada").await.unwrap(), "Hello, Ada");
//! }
//! # }
//! ```
//!
//! The test has a server in this process on a free port of 127.0.0.1, with a database in memory, and an instance on it in which
//! the named sockets are published. Nothing is shared, so tests run in parallel; server, database, scripts' processes and
//! their files are gone when the [`TestInstance`] is dropped, after a panic too.
//!
//! A test pays some 65 ms for it on two cores, unoptimised, with one socket: 25 ms for server and instance, and 40 ms for
//! the publishing, most of which goes into a process that compiles the script; the first test of a process 270 ms more, in which the
//! interpreters are found and the sandbox is tried. The first call of a Python script takes 30 ms, further ones 2 ms.
//!
//! The server needs what `syncano serve` needs: Linux, and the interpreters that the scripts are written for. It isolates
//! scripts as well as the machine can, at least at the level `process`.

mod run;
mod server;
mod test_instance;

#[doc(hidden)]
pub use run::run as __run;
pub use syncano_client::fake::Fake;
/// Gives an async test a server, an instance, and the named sockets published in it.
///
/// It stands in place of `#[test]`. Its arguments are modules tagged with `#[socket]`, or none; the function takes the
/// [`TestInstance`], or nothing, and may return what a test may, a [`Result`] say. Other attributes of tests go along:
///
/// ```
/// # use syncano_client::socket;
/// # #[socket(runtime = "python3")]
/// # mod stock {
/// #     #[endpoint("left", GET, source = "def main(item): return 3")]
/// #     pub async fn left(item: &str) -> u32;
/// # }
/// # #[socket(runtime = "python3")]
/// # mod shop {
/// #     #[endpoint("items", GET, source = "def main(): return []")]
/// #     pub async fn items() -> Vec<String>;
/// # }
/// # mod tests {
/// # use super::*; use syncano_testing::TestInstance;
/// #[syncano_testing::test(stock, shop)]
/// #[ignore = "slow"]
/// async fn everything_is_there(instance: TestInstance) -> Result<(), syncano_client::CallError> {
///     for item in shop::Client::new(&instance).items().await? {
///         assert!(stock::Client::new(&instance).left(&item).await? > 0);
///     }
///     Ok(())
/// }
/// # }
/// ```
///
/// The test runs on one thread, as with `#[tokio::test]`, and the server on another: blocking the test doesn't stop it.
/// Where another runtime or another setting of the server is needed, [`TestInstance`] does the same by hand.
pub use syncano_macros::test;
pub use test_instance::{TestInstance, TestInstanceBuilder};
