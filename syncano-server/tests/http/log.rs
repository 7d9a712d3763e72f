//! What the log says, and what it never says.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::json;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{Reply, World, run, socket, sockets};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

/// Whether the child is wanted.
const CHILD: &str = "SYNCANO_TEST_LOG";

#[test]
fn the_log_tells_what_happened_and_no_secret() {
    assert!(super::process("log::child").env(CHILD, "1").status().unwrap().success());
}

/// What is logged is a matter of the whole process, so this is one.
#[tokio::test]
#[ignore = "run by another test as a process of its own"]
async fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let captured = Captured::default();
    let filter: Targets =
        "syncano_server=trace,syncano_runner=debug,sea_orm=trace,sqlx=trace,info".parse().unwrap();
    let log = tracing_subscriber::fmt::layer().with_writer(captured.clone()).with_ansi(false);
    tracing_subscriber::registry().with(log).with(filter).init();
    let world = World::with(|server| {
        server.secret("topsecret".into()).admin("ann@example.org", "passwordsecret".into())
    })
    .await;
    let mut body = socket("s", "e", "print('sourcesecret')");
    body["config"] = json!({ "token": "configsecret" });
    world.publish(body).await;
    world.post(&sockets(), socket("t", "e", "print('sourcesecret')")).await;
    let body = json!({ "a": "argumentsecret" });
    world.run(Method::POST, &format!("e/?b=argumentsecret&api_key={}", world.key), Some(body)).await;
    let login = json!({ "email": "ann@example.org", "password": "passwordsecret" });
    world.anonymous(Method::POST, "/v1.1/account/auth/", Some(login)).await;
    let change = json!({ "current_password": "passwordsecret", "new_password": "othersecret" });
    assert_eq!(world.post("/v1.1/account/password/", change).await.status, 204);
    let request = world.request(Method::POST, &run("e/")).header("content-type", "application/json");
    Reply::of(request.body("{badsecret").send().await.unwrap()).await.detail(400);
    world.get(&run("e/traces/")).await;
    let instance = format!("/v1.1/instances/{}/", super::INSTANCE);
    let config = json!({ "config": { "token": "configsecret" } });
    assert_eq!(
        world.send(Method::PUT, &format!("{instance}snippets/config/"), Some(config)).await.status,
        200
    );
    let made =
        world.post(&format!("{instance}api_keys/"), json!({ "description": "descriptionsecret" })).await;
    let api_key = made.json["api_key"].as_str().unwrap().to_owned();
    assert_eq!(world.with_key(&api_key, Method::GET, &instance, None).await.status, 200);
    world.with_key("keysecret", Method::GET, &instance, None).await.detail(403);
    let text = json!({ "_api_key": world.key, "_method": "GETsecret" }).to_string();
    let request = world.request(Method::POST, &instance).header("content-type", "text/plain").body(text);
    Reply::of(request.send().await.unwrap()).await.detail(400);
    world.post(&format!("{instance}rename/"), json!({ "new_name": "second-one" })).await;
    let key = world.key.clone();
    world.server.stop().await;

    let log = captured.text();
    assert!(!log.contains("secret") && !log.contains(&key) && !log.contains(&api_key), "{log}");
    for line in [
        "socket created",
        "status=\"error\"",
        "endpoint=\"s/e\"",
        "isolation=",
        "API key made",
        "instance renamed",
        "stopped",
    ] {
        assert!(log.contains(line), "no {line} in {log}");
    }
}
