//! A publish that doesn't come to its end leaves the old socket or the new one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};

use super::{Reply, World, python, sockets};

/// Where the child finds the database.
const DATABASE: &str = "SYNCANO_TEST_CRASH_DATABASE";

/// Ten endpoints and one script, all of one version.
fn version(number: usize) -> Value {
    let call = json!({ "calls": [{ "type": "script", "name": "script", "methods": ["GET"] }] });
    let endpoints: serde_json::Map<_, _> =
        (0..10).map(|index| (format!("v{number}-{index}"), call.clone())).collect();
    json!({
        "name": "s", "description": number.to_string(), "endpoints": endpoints,
        "dependencies": [super::dependency("script", &format!("print({number})"))],
    })
}

/// Everything the server says is of one version.
async fn assert_whole(world: &World) {
    let object = world.get(&format!("{}s/", sockets())).await.json;
    let number: usize = object["description"].as_str().unwrap().parse().unwrap();
    assert_eq!(object["status"], "ok");
    assert_eq!(object["dependencies"], version(number)["dependencies"]);
    let installed = world.get(&format!("{}s/endpoints/", sockets())).await.json;
    let names: Vec<_> =
        installed["objects"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    let expected: Vec<_> = (0..10).map(|index| format!("v{number}-{index}")).collect();
    assert_eq!(names, expected);
    if python() {
        let reply = world.run(Method::GET, &format!("v{number}-3/"), None).await;
        assert_eq!(reply.json["result"]["stdout"], number.to_string());
    }
    // No name of another version is held.
    let other = json!({ "name": "names", "endpoints": version(number + 1)["endpoints"],
        "dependencies": version(number + 1)["dependencies"] });
    let reply = world.post(&sockets(), other).await;
    assert_eq!(reply.json["status"], "ok", "{reply:?}");
    world.delete(&format!("{}names/", sockets())).await;
}

#[tokio::test]
async fn a_failure_in_the_middle_leaves_the_old_socket() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let world = World::with(|server| server.database(&url)).await;
    world.publish(version(1)).await;
    let before = world.get(&format!("{}s/", sockets())).await.json;

    let db = Database::connect(&url).await.unwrap();
    for table in ["flat_name", "socket_script_endpoint"] {
        let trigger =
            format!("CREATE TRIGGER fail BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'x'); END");
        db.execute_unprepared(&trigger).await.unwrap();
        let failed = world.patch(&format!("{}s/", sockets()), version(2)).await;
        assert_eq!(failed.detail(500), "the server failed to do this; its log says why");
        let failed = world.post(&sockets(), super::socket("new", "new", "print(1)")).await;
        failed.detail(500);
        db.execute_unprepared("DROP TRIGGER fail").await.unwrap();
        assert_eq!(world.get(&format!("{}s/", sockets())).await.json, before);
        world.get(&format!("{}new/", sockets())).await.detail(404);
        assert_whole(&world).await;
    }
    world.publish(super::socket("new", "new", "print(1)")).await;
    assert_eq!(world.patch(&format!("{}s/", sockets()), version(2)).await.json["revision"], 2);
    assert_whole(&world).await;
}

/// The file that is there once the child has published.
fn begun(database: &str) -> PathBuf {
    Path::new(database.trim_start_matches("sqlite://")).with_extension("begun")
}

/// The child of the next test: publishes until it is killed.
#[tokio::test]
#[ignore = "run by another test as a process of its own"]
async fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let began = begun(&url);
    let world = World::with(|server| server.database(url)).await;
    for number in 1.. {
        let reply: Reply = world.patch(&format!("{}s/", sockets()), version(number)).await;
        assert_eq!(reply.json["status"], "ok", "{reply:?}");
        std::fs::write(&began, "").unwrap();
    }
}

#[tokio::test]
async fn a_killed_server_leaves_the_old_socket_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let world = World::with(|server| server.database(&url)).await;
    world.publish(version(0)).await;
    world.server.stop().await;
    let mut revision = 1;
    for round in 0..4 {
        let mut child = super::process("crash::child").env(DATABASE, &url).spawn().unwrap();
        let start = Instant::now();
        while !begun(&url).exists() {
            assert!(start.elapsed() < Duration::from_secs(120), "the child published nothing in two minutes");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Somewhere in the middle of what follows.
        tokio::time::sleep(Duration::from_millis(37 * round)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        std::fs::remove_file(begun(&url)).unwrap();
        let world = World::with(|server| server.database(&url)).await;
        assert_whole(&world).await;
        let now = world.get(&format!("{}s/", sockets())).await.json["revision"].as_i64().unwrap();
        assert!(now > revision, "what the child had published is gone");
        revision = now;
        world.server.stop().await;
    }
}
