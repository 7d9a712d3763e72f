//! A server for one test.

use std::net::SocketAddr;

use secrecy::SecretString;

use crate::builder::ServerBuilder;
use crate::server::Server;
use crate::start_error::StartError;

/// A [`Server`] for one test: on a free port of this machine only, with a database in memory and one account.
/// Everything ends with [`stop`](TestServer::stop), or when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), syncano_server::StartError> {
/// let server = syncano_server::TestServer::start().await?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// server.stop().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TestServer {
    server: Server,
}

impl TestServer {
    /// Starts one.
    ///
    /// # Errors
    /// See [`ServerBuilder::start`].
    pub async fn start() -> Result<TestServer, StartError> {
        TestServer::builder().start().await
    }

    /// Starts with settings of the test's own.
    pub fn builder() -> TestServerBuilder {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        TestServerBuilder { server: Server::builder().listen(loopback).database("sqlite::memory:") }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The key of the account.
    pub fn account_key(&self) -> &SecretString {
        self.server.admin_key()
    }

    /// What a script of the instance gets as `META.token` if it asks for full access: for ten minutes it opens
    /// the instance as the key of its owner does. `None`: there is no such instance.
    pub fn instance_token(&self, instance: &str) -> Option<SecretString> {
        self.server.instance_token(instance)
    }

    /// The server itself.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Shuts it down as a real one: running calls finish first.
    pub async fn stop(self) {
        self.server.shutdown().await;
    }
}

/// Settings of a [`TestServer`].
#[derive(Debug)]
pub struct TestServerBuilder {
    server: ServerBuilder,
}

impl TestServerBuilder {
    /// Changes the server's settings.
    pub fn with(mut self, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.server = change(self.server);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// See [`ServerBuilder::start`].
    ///
    /// # Panics
    /// If the settings would open it to other machines.
    pub async fn start(self) -> Result<TestServer, StartError> {
        let server = self.server.start().await?;
        assert!(server.addr().ip().is_loopback(), "a test server listens on this machine only");
        Ok(TestServer { server })
    }
}
