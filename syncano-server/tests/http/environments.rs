//! Scripts that name an environment which the operator has prepared.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::Method;
use serde_json::{Value, json};
use syncano_server::ServerBuilder;
use tempfile::TempDir;

use super::{INSTANCE, World, node, run, socket, sockets};

/// A `node_modules` with one package.
fn packages() -> TempDir {
    // Scripts have /tmp for themselves.
    let folder = tempfile::Builder::new().prefix("syncano-test").tempdir_in("/var/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let package = folder.path().join("node_modules/greetings");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("index.js"), "exports.hello = name => 'Hello, ' + name").unwrap();
    folder
}

fn with(folder: &TempDir) -> impl FnOnce(ServerBuilder) -> ServerBuilder {
    let path = folder.path().join("node_modules");
    move |server| server.environment("web", path)
}

const SOURCE: &str =
    "const { hello } = require('greetings');\nconsole.log(hello('Ada'), JSON.stringify(CONFIG))";

fn naming(environment: Value) -> Value {
    let mut socket = socket("s", "e", SOURCE);
    socket["dependencies"][0]["runtime_name"] = json!("nodejs");
    socket["dependencies"][0]["config"] = json!({ "environment": environment, "mine": 1 });
    socket
}

#[tokio::test]
async fn a_script_finds_the_packages_of_the_environment_that_it_names() {
    if !node() {
        return;
    }
    let folder = packages();
    let world = World::with(with(&folder)).await;
    world.publish(naming(json!("web"))).await;
    let reply = world.run(Method::GET, "e/", None).await;
    assert_eq!(reply.json["result"]["stdout"], "Hello, Ada {\"mine\":1}", "{reply:?}");
    // By its number, too.
    let scripts = format!("/v1.1/instances/{INSTANCE}/snippets/scripts/");
    let script = json!({ "runtime_name": "nodejs", "source": SOURCE, "config": { "environment": "web" } });
    let made = world.post(&scripts, script).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json["id"].as_i64().unwrap();
    let mut by_number = naming(json!("web"));
    by_number["name"] = json!("other");
    by_number["endpoints"] = json!({ "f": by_number["endpoints"]["e"] });
    by_number["dependencies"][0] =
        json!({ "type": "script", "name": by_number["dependencies"][0]["name"], "script": id });
    world.publish(by_number).await;
    let reply = world.run(Method::GET, "f/", None).await;
    assert_eq!(reply.json["result"]["stdout"], "Hello, Ada {}", "{reply:?}");
}

#[tokio::test]
async fn an_environment_that_there_is_not_is_said_at_once() {
    if !node() {
        return;
    }
    let folder = packages();
    let world = World::with(with(&folder)).await;
    let reply = world.post(&sockets(), naming(json!("science"))).await;
    assert_eq!((reply.status.as_u16(), &reply.json["status"]), (201, &json!("error")), "{reply:?}");
    let info = reply.json["status_info"].as_str().unwrap();
    let said = "can't run: there is no environment `science` on this server: for JavaScript it has `web`";
    assert!(info.contains(said), "{info}");
    let reply = world.post(&sockets(), naming(json!(5))).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(reply.text.contains("expected the name of an environment, found a number"), "{}", reply.text);

    let scripts = format!("/v1.1/instances/{INSTANCE}/snippets/scripts/");
    let script = |config: Value| json!({ "runtime_name": "python3", "source": "1", "config": config });
    let reply = world.post(&scripts, script(json!({ "environment": "web" }))).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(
        reply.json["config"][0].as_str().unwrap().contains("is one of JavaScript, not of Python"),
        "{reply:?}"
    );
    let made = world.post(&scripts, script(json!({}))).await;
    let at = format!("{scripts}{}/", made.json["id"]);
    let reply = world.patch(&at, json!({ "config": { "environment": "none-such" } })).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let change = json!({ "config": { "environment": "web" }, "runtime_name": "nodejs" });
    assert_eq!(world.patch(&at, change).await.status, 200);
}

#[tokio::test]
async fn an_environment_that_vanishes_fails_its_runs_and_says_so() {
    if !node() {
        return;
    }
    let (folder, data) = (packages(), TempDir::new().unwrap());
    let database = format!("sqlite://{}", data.path().join("d.db").display());
    let world = World::with(|server| with(&folder)(server).database(&database)).await;
    world.publish(naming(json!("web"))).await;
    world.server.stop().await;
    let world = World::with(|server| server.database(&database)).await;
    let reply = world.anonymous(Method::GET, &run("e/"), None).await;
    assert_eq!(reply.outcome(), (200, "failure", "trace"));
    let said = "there is no environment `web` on this server: it has none for JavaScript";
    assert_eq!(reply.json["result"]["stderr"], said);
}
