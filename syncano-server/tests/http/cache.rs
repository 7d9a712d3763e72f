//! Answers that are repeated.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, dependency, python, run, socket, sockets};

/// An endpoint whose answers are kept for so many seconds.
fn cached(source: &str, seconds: u32) -> Value {
    let mut socket = socket("s", "e", source);
    socket["endpoints"]["e"]["calls"][0]["cache"] = json!(seconds);
    socket
}

const UUID: &str = "import uuid\nprint(uuid.uuid4())";

impl World {
    async fn answer(&self, rest: &str, body: Option<Value>) -> (Value, String) {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let reply = self.run(method, rest, body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        (reply.json["result"]["stdout"].clone(), reply.header("syncano-trace").to_owned())
    }
}

#[tokio::test]
async fn an_answer_is_repeated_for_the_same_arguments_only() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.publish(cached(UUID, 600)).await;
    let first = world.answer("e/?a=1", None).await;
    assert_eq!(first.1, "1");
    assert_eq!(world.answer("e/?a=1", None).await, first);
    assert_eq!(world.run(Method::GET, "e/?a=1", None).await.header("age"), "0");
    // The transport's keys are no arguments, and a longer name leads to the same.
    assert_eq!(world.answer("s/e/?a=1&cache_key=x", None).await, first);
    assert_eq!(world.answer("e/?a=2", None).await.1, "2");
    assert_eq!(world.answer("e/", Some(json!({ "a": "1" }))).await.1, "3");
    assert_eq!(world.answer("e/?__skip_cache=1&a=1", None).await.1, "4");
    // That one is kept as well.
    assert_eq!(world.answer("e/?a=1", None).await.1, "4");
    // Whose key it is shows in META.
    assert_eq!(world.get(&run("e/?a=1")).await.header("syncano-trace"), "5");
    // What is repeated is no run.
    assert_eq!(world.get(&run("e/traces/")).await.json["objects"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn answers_are_forgotten() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.publish(cached(UUID, 1)).await;
    let first = world.answer("e/", None).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_ne!(world.answer("e/", None).await, first);

    world.patch(&format!("{}s/", sockets()), cached(UUID, 600)).await;
    let first = world.answer("e/", None).await;
    assert_eq!(world.answer("e/", None).await, first);
    assert_eq!(world.post(&run("e/invalidate/"), json!({})).await.status, 204);
    let second = world.answer("e/", None).await;
    assert_ne!(second, first);
    let change = json!({ "dependencies": [dependency("script", "print('new')")] });
    world.patch(&format!("{}s/", sockets()), change).await;
    assert_eq!(world.answer("e/", None).await.0, "new");
    world.anonymous(Method::POST, &run("e/invalidate/"), None).await.detail(403);
    let reply = world.get(&run("e/invalidate/")).await;
    reply.detail(405);
    assert_eq!(reply.header("allow"), "POST");
}

#[tokio::test]
async fn a_failure_is_not_repeated() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.publish(cached("raise ValueError(1)", 600)).await;
    for id in 1..3 {
        assert_eq!(world.run(Method::GET, "e/", None).await.header("syncano-trace"), id.to_string());
    }
}

#[tokio::test]
async fn other_servers_on_the_database_forget_answers_too() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let world = World::with(|server| server.database(&url)).await;
    world.publish(cached(UUID, 600)).await;
    let other = World::with(|server| server.database(&url)).await;
    let first = other.answer("e/", None).await;
    assert_eq!(other.answer("e/", None).await, first);
    assert_eq!(world.post(&run("e/invalidate/"), json!({})).await.status, 204);
    for _ in 0..100 {
        if other.answer("e/", None).await != first {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the answer is repeated for ever");
}
