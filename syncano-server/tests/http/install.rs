//! Sockets that are installed from a URL.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use reqwest::Method;
use serde_json::{Value, json};

use super::{World, python, sockets};

const YAML: &str = "
name: whatever
description: says hello
author: {name: Ann}
endpoints:
  hello: {script: hello}
dependencies:
  scripts:
    hello: {runtime_name: python_library_v5.0, file: scripts/hello.py}
config:
  greeting: {value: hello}
  who: {prompt: 'Who?'}
";

/// Endpoints that have files of their own, as the tools of 2017 wrote them; with a byte order mark.
const OWN_FILES: &str = "\u{feff}name: Own\r
runtime: nodejs_v8\r
version: 1.0.0\r
endpoints:\r
  getAll:\r
    file: scripts/get-all.js\r
    parameters: {a: {type: string, example: b}}\r
  hello:\r
    description: in the file of its name\r
  secret:\r
    private: true\r
    POST: {description: in a folder}\r
  deep: {file: deep.py}\r
  room: {channel: 'room.{user}'}\r
classes:\r
  message: [{name: text, type: text}]\r
event_handlers:\r
  schedule.interval.5_minutes: {file: every.js}\r
";
const SAYS_HI: &str = "setResponse(new HttpResponse(200, 'hi'))";

/// A server of files for one test.
async fn files() -> SocketAddr {
    let large = || async { "x".repeat(2 << 20) };
    let router = Router::new()
        .route("/socket.yml", get(|| async { YAML }))
        .route("/scripts/hello.py", get(|| async { "print(CONFIG['greeting'], CONFIG['who'])" }))
        .route("/missing/socket.yml", get(|| async { YAML }))
        .route("/redirect.yml", get(|| async { Redirect::to("/socket.yml") }))
        .route("/elsewhere.yml", get(|| async { Redirect::to("http://169.254.169.254/latest") }))
        .route("/circle.yml", get(|| async { Redirect::to("/circle.yml") }))
        .route("/large.yml", get(large))
        .route("/many.yml", get(|| async { many() }))
        .route("/slow.yml", get(slow))
        .route("/bad.yml", get(|| async { "endpoints: [" }))
        .route("/bomb.yml", get(|| async { bomb() }))
        .route("/list.yml", get(|| async { "[1, 2]" }))
        .route("/own/socket.yml", get(|| async { OWN_FILES }))
        .route("/own/scripts/get-all.js", get(|| async { SAYS_HI }))
        .route("/own/scripts/hello.js", get(|| async { SAYS_HI }))
        .route("/own/secret/POST.js", get(|| async { "\u{feff}setResponse(new HttpResponse(200, 'post'))" }))
        .route("/own/src/deep.py", get(|| async { "\u{feff}print(2)" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(500)).await;
    YAML
}

/// More scripts than a socket may have, and endpoints that are wrong.
fn many() -> String {
    let mut yaml = "dependencies:\n  scripts:\n".to_owned();
    for index in 0..1000 {
        yaml += &format!("    s{index}: {{runtime_name: python3, file: nothing.py}}\n");
    }
    yaml += "endpoints:\n";
    (0..1000).for_each(|index| yaml += &format!("  e e{index}: {{script: s0}}\n"));
    yaml
}

/// Ten levels of ten aliases each.
fn bomb() -> String {
    let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        yaml += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    yaml
}

async fn world() -> World {
    World::with(|server| server.allow_network("127.0.0.0/8".parse().unwrap())).await
}

impl World {
    async fn install(&self, name: &str, url: &str) -> Value {
        let body = json!({ "name": name, "install_url": url, "config": { "who": "Bob" } });
        let reply = self.post(&format!("{}install/", sockets()), body).await;
        assert_eq!((reply.status.as_u16(), &reply.json["status"]), (201, &json!("checking")), "{reply:?}");
        assert_eq!((&reply.json["install_url"], &reply.json["endpoints"]), (&json!(url), &json!({})));
        self.checked(name).await
    }

    /// The socket when it isn't checked any more.
    async fn checked(&self, name: &str) -> Value {
        for _ in 0..400 {
            let socket = self.get(&format!("{}{name}/", sockets())).await.json;
            if socket["status"] != "checking" {
                return socket;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the socket is checked for ever");
    }
}

#[tokio::test]
async fn a_socket_is_fetched_with_its_scripts() {
    let (world, files) = (world().await, files().await);
    let socket = world.install("greeter", &format!("http://{files}/redirect.yml")).await;
    assert_eq!((&socket["status"], &socket["status_info"]), (&json!("ok"), &json!("")), "{socket}");
    assert_eq!((&socket["name"], &socket["description"]), (&json!("greeter"), &json!("says hello")));
    assert_eq!(socket["metadata"], json!({ "author": { "name": "Ann" } }));
    assert_eq!(socket["config"], json!({ "greeting": "hello", "who": "Bob" }));
    if python() {
        let reply = world.run(Method::GET, "greeter/hello/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "hello Bob");
    }
}

#[tokio::test]
async fn endpoints_have_files_of_their_own() {
    let (world, files) = (world().await, files().await);
    let url = format!("http://{files}/own/socket.yml");
    let socket = world.install("own", &url).await;
    assert_eq!((&socket["status"], &socket["status_info"]), (&json!("ok"), &json!("")), "{socket}");
    let names: Vec<&String> = socket["endpoints"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["deep", "getAll", "hello", "secret"]);
    assert_eq!(socket["metadata"]["version"], "1.0.0");
    let warnings = socket["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].as_str().unwrap().starts_with("at /endpoints/room: the endpoint `room` is a channel")
    );
    assert!(warnings[1].as_str().unwrap().starts_with("at /event_handlers: "), "{warnings:?}");
    // A second one of the same names gets none of the first's: they count within a socket.
    assert_eq!(world.install("own-too", &url).await["status"], "ok");
    assert_eq!(world.publish(super::socket("flat", "hello", "print(1)")).await["status"], "ok");
    assert_eq!(world.anonymous(Method::POST, &super::run("own/secret/"), None).await.status, 403);
    if super::python() {
        assert_eq!(world.run(Method::GET, "own/deep/", None).await.json["result"]["stdout"], "2");
    }
    if super::node() {
        for (endpoint, text) in [("own/getall", "hi"), ("own-too/hello", "hi"), ("own/secret", "post")] {
            let reply = world.post(&super::run(&format!("{endpoint}/")), json!({})).await;
            assert_eq!(reply.text, text, "{endpoint}");
        }
    }
}

#[tokio::test]
async fn what_can_not_be_fetched_is_said_in_the_status() {
    let (world, files) = (world().await, files().await);
    for (index, (path, said)) in [
        ("nothing.yml", "404"),
        ("missing/socket.yml", "/missing/scripts/hello.py: the answer was 404"),
        ("circle.yml", "redirects more than 5 times"),
        ("elsewhere.yml", "`169.254.169.254` is not a public address"),
        ("large.yml", "larger than 1048576 bytes"),
        ("bad.yml", "is no YAML"),
        ("bomb.yml", "is no YAML"),
        ("list.yml", "no mapping"),
    ]
    .into_iter()
    .enumerate()
    {
        let socket = world.install(&format!("s{index}"), &format!("http://{files}/{path}")).await;
        assert_eq!(socket["status"], "error");
        let info = socket["status_info"].as_str().unwrap();
        assert!(info.contains(said) && !info.contains('\n'), "{info}");
    }
    // A recheck tries again.
    let rechecked = world.post(&format!("{}s0/recheck/", sockets()), json!({})).await;
    assert_eq!(rechecked.json["status"], "checking");
    assert_eq!(world.checked("s0").await["status"], "error");
}

#[tokio::test]
async fn only_public_addresses_are_asked() {
    let (world, files) = (World::new().await, files().await);
    let port = files.port();
    for (index, url) in [
        format!("http://127.0.0.1:{port}/socket.yml"),
        format!("http://localhost:{port}/socket.yml"),
        format!("http://[::ffff:127.0.0.1]:{port}/socket.yml"),
        format!("http://2130706433:{port}/socket.yml"),
        format!("http://0x7f.1:{port}/socket.yml"),
        "http://169.254.169.254/".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "name": format!("s{index}"), "install_url": url });
        assert_eq!(world.post(&format!("{}install/", sockets()), body).await.status, 201);
        let socket = world.checked(&format!("s{index}")).await;
        let info = socket["status_info"].as_str().unwrap();
        assert!(info.contains("is not a public address"), "{url}: {info}");
    }
    let body = json!({ "name": "file", "install_url": "file:///etc/passwd" });
    world.post(&format!("{}install/", sockets()), body).await;
    let socket = world.checked("file").await;
    assert!(socket["status_info"].as_str().unwrap().contains("neither http nor https"), "{socket}");
}

#[tokio::test]
async fn bad_input_names_the_field() {
    let world = World::new().await;
    let path = format!("{}install/", sockets());
    for (field, body) in [
        ("name", json!({ "install_url": "http://example.org/" })),
        ("name", json!({ "name": "9", "install_url": "http://example.org/" })),
        ("install_url", json!({ "name": "s" })),
        ("install_url", json!({ "name": "s", "install_url": "nowhere" })),
        ("config", json!({ "name": "s", "install_url": "http://example.org/", "config": "{" })),
    ] {
        world.post(&path, body).await.field(field);
    }
    assert_eq!(world.get(&sockets()).await.json["objects"], json!([]));
}

#[tokio::test]
async fn a_socket_that_was_being_fetched_when_the_server_ended_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    // Answers nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let install_url = format!("http://{}/", listener.local_addr().unwrap());
    let allow = |server: syncano_server::ServerBuilder| {
        server.database(&url).allow_network("127.0.0.0/8".parse().unwrap())
    };
    let world = World::with(allow).await;
    let body = json!({ "name": "s", "install_url": install_url });
    world.post(&format!("{}install/", sockets()), body).await;
    world.server.stop().await;
    let world = World::with(allow).await;
    let socket = world.get(&format!("{}s/", sockets())).await.json;
    assert_eq!(socket["status"], "error");
    assert!(socket["status_info"].as_str().unwrap().contains("a recheck fetches it again"));
}

#[tokio::test]
async fn nothing_is_fetched_for_a_definition_that_is_wrong_anyway() {
    let (world, files) = (world().await, files().await);
    let socket = world.install("many", &format!("http://{files}/many.yml")).await;
    let info = socket["status_info"].as_str().unwrap();
    // Not that a file is missing; and a sentence, however much is wrong.
    assert!(info.contains("at most 30") && !info.contains("404"), "{info}");
    assert!(info.chars().count() <= 1001, "{}", info.len());
}

#[tokio::test]
async fn what_opens_a_url_is_not_shown() {
    let world = world().await;
    let path = format!("{}install/", sockets());
    for url in ["http://user@example.org/", "http://user:secret@example.org/"] {
        world.post(&path, json!({ "name": "s", "install_url": url })).await.field("install_url");
    }
    let socket = world.install("s", "http://127.0.0.1:1/socket.yml?token=secret#x").await;
    let info = socket["status_info"].as_str().unwrap();
    assert!(info.starts_with("could not fetch http://127.0.0.1:1/socket.yml?…: "), "{info}");
}

#[tokio::test]
async fn what_changes_while_a_socket_is_fetched_does_not_stop_it() {
    let (world, files) = (world().await, files().await);
    let url = format!("http://{files}/slow.yml");
    let body = json!({ "name": "s", "install_url": url, "config": { "who": "Bob" } });
    let path = format!("{}s/", sockets());
    world.post(&format!("{}install/", sockets()), body).await;
    let changed = world.patch(&path, json!({ "config": { "who": "Ann" } })).await;
    assert_eq!((changed.status.as_u16(), &changed.json["status"]), (200, &json!("checking")), "{changed:?}");
    let rechecked = world.post(&format!("{path}recheck/"), json!({})).await;
    assert_eq!(rechecked.json["status"], "checking");
    let socket = world.checked("s").await;
    assert_eq!((&socket["status"], &socket["config"]["who"]), (&json!("ok"), &json!("Ann")), "{socket}");
    assert_eq!(socket["endpoints"].as_object().unwrap().len(), 1);
}
