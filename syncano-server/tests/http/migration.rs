//! Databases of every earlier release are opened by this one.

use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};

use super::{INSTANCE, World, python, run, socket, sockets};

/// What each release left behind, as `sqlite3 DATABASE .dump` prints it. Never edited: a new release adds a
/// file of its own. They were made by [`write_the_fixture`].
const FIRST: &str = include_str!("../data/m0001_first.sql");
const SECOND: &str = include_str!("../data/m0002_api_keys_and_config.sql");
const THIRD: &str = include_str!("../data/m0003_script_endpoints.sql");
const SECRET: &str = "the secret of the fixture";
const API_KEY: &str = "7eeda3dfbcfb66aac50276656e6b624b78563d4f";
const KEY: &str = "f42aa71791061483bb50e1dfcaa9bb465f8738b4";

/// A server on a database that a release left behind.
async fn opened(folder: &tempfile::TempDir, dump: &str) -> World {
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let db = Database::connect(format!("{url}?mode=rwc")).await.unwrap();
    // The dump names tables before it makes them.
    db.execute_unprepared(&format!("PRAGMA foreign_keys=OFF;\n{dump}")).await.unwrap();
    db.close().await.unwrap();
    let world = World::with(|server| server.database(&url).secret(SECRET.into())).await;
    assert_eq!(world.key, KEY);
    world
}

#[tokio::test]
async fn a_database_of_the_first_release_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let world = opened(&folder, FIRST).await;
    what_the_first_release_had(&world).await;
    // What came later is there, and empty.
    assert_eq!(world.get(&config()).await.json, json!({ "config": {} }));
    assert_eq!(world.get(&api_keys()).await.json["objects"], json!([]));
    assert_eq!(world.post(&api_keys(), json!({})).await.status, 201);
}

#[tokio::test]
async fn a_database_with_api_keys_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let world = opened(&folder, SECOND).await;
    what_the_first_release_had(&world).await;
    assert_eq!(world.get(&config()).await.json, json!({ "config": { "zone": "test" } }));
    let key = world.get(&format!("{}1/", api_keys())).await.json;
    assert_eq!((&key["api_key"], &key["description"]), (&json!(API_KEY), &json!("app")));
    assert_eq!((&key["ignore_acl"], &key["allow_user_create"]), (&json!(true), &json!(false)));
    let instance = format!("/v1.1/instances/{INSTANCE}/");
    assert_eq!(world.with_key(API_KEY, Method::GET, &instance, None).await.json["role"], "api_key");
}

#[tokio::test]
async fn a_database_with_script_endpoints_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let world = opened(&folder, THIRD).await;
    what_the_first_release_had(&world).await;
    assert_eq!(world.get(&config()).await.json, json!({ "config": { "zone": "test" } }));
    assert_eq!(world.get(&format!("{}1/", api_keys())).await.json["api_key"], API_KEY);
    // How scripts were isolated was not recorded; now it is.
    assert_eq!(world.get(&run("greet/traces/1/")).await.json.get("isolation"), None);
    if python() {
        let isolation = &world.get(&run("greet/traces/2/")).await.json["isolation"];
        assert_eq!(isolation, &world.anonymous(Method::GET, "/health", None).await.json["isolation"]);
    }
}

fn config() -> String {
    format!("/v1.1/instances/{INSTANCE}/snippets/config/")
}

fn api_keys() -> String {
    format!("/v1.1/instances/{INSTANCE}/api_keys/")
}

async fn what_the_first_release_had(world: &World) {
    let list = world.get(&sockets()).await.json;
    let objects = list["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[0]["name"], &objects[0]["status"]), (&json!("first"), &json!("ok")));
    assert_eq!(
        (&objects[0]["revision"], &objects[0]["config"]),
        (&json!(2), &json!({ "greeting": "hello" }))
    );
    assert_eq!(objects[1]["status_info"], "endpoint \"greet\" already belongs to socket \"first\"");
    let trace = world.get(&run("greet/traces/1/")).await.json;
    assert_eq!(trace["result"]["stdout"], "hello Ann");
    if python() {
        let reply = world.run(Method::GET, "greet/?name=Bob", None).await;
        assert_eq!((&reply.json["result"]["stdout"], &reply.json["id"]), (&json!("hello Bob"), &json!(2)));
    }
    let login = json!({ "email": "ann@example.org", "password": "secret word" });
    let reply = world.anonymous(Method::POST, "/v1.1/account/auth/", Some(login)).await;
    assert_eq!(reply.json["account_key"], KEY);
    assert_eq!(world.patch(&format!("{}first/", sockets()), json!({})).await.json["status"], "ok");
}

/// Writes a database like the one that the fixture was made from; run it for a new release's fixture:
/// `SYNCANO_TEST_FIXTURE=/tmp/fixture.db cargo test -p syncano-server -- --ignored write_the_fixture`
#[tokio::test]
#[ignore = "makes a new fixture"]
async fn write_the_fixture() {
    let Ok(file) = std::env::var("SYNCANO_TEST_FIXTURE") else { return };
    let admin = |server: syncano_server::ServerBuilder| {
        let server = server.database(format!("sqlite://{file}")).secret(SECRET.into());
        server.admin("ann@example.org", "secret word".into())
    };
    let world = World::with(admin).await;
    let mut first = socket("first", "greet", "print(CONFIG['greeting'], ARGS['name'])");
    first["config"] = json!({ "greeting": "hello" });
    world.publish(first).await;
    world.patch(&format!("{}first/", sockets()), json!({ "description": "greets" })).await;
    world.post(&sockets(), socket("second", "greet", "print(2)")).await;
    world.send(Method::PUT, &config(), Some(json!({ "config": { "zone": "test" } }))).await;
    let api_key = world.post(&api_keys(), json!({ "description": "app", "ignore_acl": true })).await;
    let reply = world.run(Method::GET, "greet/?name=Ann", None).await;
    assert_ne!(reply.json["result"]["stdout"], Value::Null);
    println!("KEY = {}, API_KEY = {}", world.key, api_key.json["api_key"]);
    world.server.stop().await;
}
