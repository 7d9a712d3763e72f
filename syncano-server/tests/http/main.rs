//! The wire, over real HTTP on a free port of this machine, with real Python where there is one.

// Tests, and what they share, state what they expect by unwrapping it.
#![allow(clippy::unwrap_used)]

mod account;
mod api_keys;
mod authorization;
mod bodies;
mod cache;
mod checks;
mod cors;
mod crash;
mod definitions;
mod endpoints;
mod environments;
mod filters;
mod full_disk;
mod hostile;
mod install;
mod instances;
mod javascript;
mod limits;
mod log;
mod migration;
mod numbers;
mod openapi;
mod ownership;
mod publish;
mod restart;
mod reuse;
mod runs;
mod schemas;
mod script_endpoints;
mod scripts;
mod shutdown;
mod sockets;
mod throttling;
mod traces;
mod update;

use std::process::{Command, Stdio};

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use syncano_server::{ServerBuilder, TestServer};

/// A server of its own for one test, an account's key, and an instance.
struct World {
    server: TestServer,
    http: reqwest::Client,
    key: String,
}

const INSTANCE: &str = "test-instance";

/// A client of HTTP. In a build of the whole workspace reqwest has TLS, and wants a provider of cryptography.
fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl World {
    async fn new() -> World {
        World::with(|server| server).await
    }

    async fn with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> World {
        let server = TestServer::builder().with(change).start().await.expect("the server starts");
        let world = World::of(server);
        let made = world.post("/v1.1/instances/", json!({ "name": INSTANCE })).await;
        // The database may have it already.
        assert!(matches!(made.status.as_u16(), 201 | 400), "{made:?}");
        world
    }

    fn of(server: TestServer) -> World {
        let key = server.account_key().expose_secret().to_owned();
        World { server, http: http(), key }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server.url()))
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.with_key(&self.key, method, path, body).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// A request with another key than the account's.
    async fn with_key(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.request(method, path).header("X-API-KEY", key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    /// A request without a key.
    async fn anonymous(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    /// Creates a socket and expects that it can be used.
    async fn publish(&self, socket: Value) -> Value {
        let reply = self.post(&sockets(), socket).await;
        assert_eq!((reply.status, &reply.json["status"]), (StatusCode::CREATED, &json!("ok")), "{reply:?}");
        reply.json
    }

    /// Creates a socket of one endpoint `run`, whose only script answers every method.
    async fn script(&self, source: &str) -> Value {
        self.publish(socket("scripts", "run", source)).await
    }

    /// Runs an endpoint as a stranger.
    async fn run(&self, method: Method, rest: &str, body: Option<Value>) -> Reply {
        self.anonymous(method, &run(rest), body).await
    }
}

/// An answer, read whole.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    text: String,
    /// `null` if the body is no JSON.
    json: Value,
}

impl Reply {
    async fn of(response: Response) -> Reply {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Reply { status, headers, text, json }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status, and `detail`, which must be the only key.
    #[track_caller]
    fn detail(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(self.json.as_object().map(|o| o.len()), Some(1), "{self:?}");
        self.json["detail"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// 400 with one text for one field.
    #[track_caller]
    fn field(&self, field: &str) -> &str {
        assert_eq!(self.status, StatusCode::BAD_REQUEST, "{self:?}");
        assert_eq!(self.json.as_object().map(|o| o.len()), Some(1), "{self:?}");
        match self.json[field].as_array().map(Vec::as_slice) {
            Some([Value::String(text)]) => text,
            _ => panic!("{self:?}"),
        }
    }

    /// Status of the run, and what the body is.
    fn outcome(&self) -> (u16, &str, &str) {
        (self.status.as_u16(), self.header("syncano-status"), self.header("syncano-result"))
    }
}

fn sockets() -> String {
    format!("/v1.1/instances/{INSTANCE}/sockets/")
}

fn run(rest: &str) -> String {
    format!("/v1.1/instances/{INSTANCE}/endpoints/sockets/{rest}")
}

fn dependency(name: &str, source: &str) -> Value {
    json!({ "type": "script", "name": name, "runtime_name": "python_library_v5.0", "source": source })
}

/// A socket of one endpoint that answers every method with one script.
fn socket(name: &str, endpoint: &str, source: &str) -> Value {
    json!({
        "name": name,
        "endpoints": { endpoint: { "calls": [{ "type": "script", "name": "script", "methods": ["*"] }] } },
        "dependencies": [dependency("script", source)],
    })
}

/// Runs an ignored test as a process of its own.
fn process(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).stdout(Stdio::null());
    command
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
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(["/usr/bin".into(), "/usr/local/bin".into()]);
    let found = folders.any(|folder| folder.join(interpreter).exists());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "CI needs {interpreter}: install it");
        eprintln!("skipped: there is no {interpreter}; install it to run this test");
    }
    found
}
