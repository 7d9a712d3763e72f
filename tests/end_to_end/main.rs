//! A Rust program's whole way: annotate, publish, call, against a real server with real scripts.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod accounts;
mod api_keys;
mod bad_results;
mod caching;
mod calls;
mod contracts;
mod errors;
mod install_from_url;
mod instance_settings;
mod instances;
mod natives;
mod network;
mod options;
mod other_servers;
mod plans;
mod publishing;
mod reports;
mod run_time_sockets;
mod script_endpoints;
mod scripts;
mod shapes;
mod socket_endpoints;
mod types;
mod values;

use secrecy::ExposeSecret as _;
use syncano_client::{Client, Instance};
use syncano_server::{ServerBuilder, TestServer};

/// A server of its own for one test, and an instance on it.
struct World {
    server: TestServer,
    client: Client,
    instance: Instance,
}

impl World {
    async fn new() -> World {
        World::with(|server| server).await
    }

    async fn with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> World {
        let server = TestServer::builder().with(change).start().await.expect("the test server starts");
        let client =
            Client::connect(&server.url()).unwrap().account_key(server.account_key().expose_secret());
        let instance = client.create_or_open_instance("test-instance").await.unwrap();
        World { server, client, instance }
    }

    /// The same server seen by somebody without a key.
    fn stranger(&self) -> Instance {
        Client::connect(&self.server.url()).unwrap().instance("test-instance")
    }
}

/// Tests that run Python scripts need Python: without it they are skipped, in CI they fail.
fn python() -> bool {
    is_there("python3")
}

/// The same for JavaScript.
fn node() -> bool {
    is_there("node")
}

fn is_there(interpreter: &str) -> bool {
    let folders = ["/usr/bin", "/usr/local/bin", "/bin"];
    let found = folders.iter().any(|folder| std::path::Path::new(folder).join(interpreter).exists());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "CI needs {interpreter}: install it");
        eprintln!("skipped: no {interpreter} in /usr/bin; install it to run this test");
    }
    found
}
