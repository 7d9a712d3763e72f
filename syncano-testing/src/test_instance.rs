//! An instance for one test.

use std::ops::Deref;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use syncano_client::{Client, Dependency, Error, Instance, Socket};
use syncano_server::{ServerBuilder, TestServer, TestServerBuilder};

use crate::server::ServerThread;

/// The name of the instance.
const NAME: &str = "test-instance";

/// A server in this process for one test, and an instance on it, which this dereferences to. Everything ends when it is
/// dropped.
///
/// What fails here panics: a test that doesn't get its server has failed. It works in any Tokio runtime.
///
/// ```
/// use syncano_client::{Method, Runtime, Socket};
/// use syncano_testing::TestInstance;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> anyhow::Result<()> {
/// let socket = Socket::builder("greetings")
///     .script("hello", Runtime::Python3, "def main(name): return 'Hello, ' + name")
///     .call("hello", "hello", [Method::Get])
///     .build()?;
/// let instance = TestInstance::with([socket]).await;
/// let answer = instance.run(Method::Get, "greetings/hello", serde_json::json!({"name": "Ada"})).await?;
/// assert_eq!(answer, "Hello, Ada");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TestInstance {
    client: Client,
    instance: Instance,
    server: ServerThread,
}

impl TestInstance {
    /// An empty instance.
    ///
    /// # Panics
    /// If the server doesn't start.
    pub async fn new() -> TestInstance {
        TestInstance::builder().start().await
    }

    /// An instance in which `sockets` are published: `[my_socket::definition()]`, or what `sockets!` makes of several.
    ///
    /// # Panics
    /// If the server doesn't start, or refuses a socket.
    pub async fn with(sockets: impl IntoIterator<Item = Socket>) -> TestInstance {
        TestInstance::builder().sockets(sockets).start().await
    }

    /// For other settings of the server than its defaults.
    pub fn builder() -> TestInstanceBuilder {
        TestInstanceBuilder { server: TestServer::builder(), sockets: Vec::new() }
    }

    /// The instance, which belongs to the server's account.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The server, with the key of its account.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The key of the server's account.
    pub fn account_key(&self) -> &SecretString {
        &self.server.account_key
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// The same instance as somebody without a key sees it.
    pub fn without_key(&self) -> Instance {
        connect(self.url()).instance(NAME)
    }
}

impl Deref for TestInstance {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

/// Settings of a [`TestInstance`].
///
/// ```
/// use std::time::Duration;
/// use syncano_testing::TestInstance;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let instance = TestInstance::builder()
///     .server(|server| server.script_timeout(Duration::from_secs(1)).require_key(true))
///     .start()
///     .await;
/// # let _ = instance; }
/// ```
#[derive(Debug)]
#[must_use = "`start` starts it"]
pub struct TestInstanceBuilder {
    server: TestServerBuilder,
    sockets: Vec<Socket>,
}

impl TestInstanceBuilder {
    /// Changes the server's settings.
    pub fn server(mut self, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.server = self.server.with(change);
        self
    }

    /// Gives the server an environment for scripts that name it: `path` is a virtual environment of Python's, or a folder called
    /// `node_modules`. A server for a test has no others.
    ///
    /// ```no_run
    /// # use syncano_testing::TestInstance;
    /// # async fn test(statistics: syncano_client::Socket) {
    /// let venv = concat!(env!("CARGO_MANIFEST_DIR"), "/venv");
    /// let instance = TestInstance::builder().environment("science", venv).sockets([statistics]).start().await;
    /// # let _ = instance; }
    /// ```
    pub fn environment(self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.server(|server| server.environment(name, path))
    }

    /// Publishes these sockets, in this order.
    pub fn sockets(mut self, sockets: impl IntoIterator<Item = Socket>) -> Self {
        self.sockets.extend(sockets);
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    /// If it doesn't start, listens to other machines, or refuses a socket.
    pub async fn start(self) -> TestInstance {
        let server = match ServerThread::start(self.server).await {
            Ok(server) => server,
            Err(error) => panic!("the test server doesn't start: {error}"),
        };
        let client = connect(&server.url).account_key(server.account_key.expose_secret());
        let instance = match client.create_instance(NAME).await {
            Ok(instance) => instance,
            Err(error) => panic!("the test's instance can't be made: {error}"),
        };
        for socket in &self.sockets {
            if let Err(error) = instance.publish(socket).await {
                let hint = missing_environment(socket, &error).unwrap_or_default();
                panic!("the test's socket `{}` can't be published: {error}{hint}", socket.name);
            }
        }
        TestInstance { client, instance, server }
    }
}

/// How to give the server an environment that a script names and the server doesn't have.
fn missing_environment(socket: &Socket, error: &Error) -> Option<String> {
    let Error::NotInstalled { status_info, .. } = error else { return None };
    let mut named = socket.dependencies.iter().filter_map(|dependency| match dependency {
        Dependency::Script(script) => script.config.as_ref()?.get("environment")?.as_str(),
        Dependency::Class(_) => None,
    });
    let name = named.find(|name| status_info.contains(&format!("environment `{name}`")))?;
    Some(format!(
        "\na test's server has the environments that the test gives it: write \
         `TestInstance::builder().environment(\"{name}\", path).sockets([…]).start().await` in the test, where `path` is \
         a virtual environment of Python's or a folder called `node_modules`"
    ))
}

fn connect(url: &str) -> Client {
    Client::connect(url).expect("the server's own address")
}
