//! Updates: what they change, what they keep, and what they refuse.

use reqwest::Method;
use serde_json::json;

use super::{World, dependency, python, socket, sockets};

fn path() -> String {
    format!("{}s/", sockets())
}

#[tokio::test]
async fn put_and_patch_keep_what_they_do_not_name() {
    let world = World::new().await;
    let mut body = socket("s", "e", "print(1)");
    body["config"] = json!({ "a": 1 });
    body["metadata"] = json!({ "icon": "i" });
    let before = world.publish(body).await;
    for (revision, method) in [(2, Method::PUT), (3, Method::PATCH)] {
        let change = json!({ "name": "ignored", "description": method.as_str() });
        let after = world.send(method.clone(), &path(), Some(change)).await;
        assert_eq!(after.status, 200);
        assert_eq!((&after.json["revision"], &after.json["name"]), (&json!(revision), &json!("s")));
        assert_eq!(after.json["description"], method.as_str());
        for field in ["config", "metadata", "endpoints", "dependencies", "created_at", "links"] {
            assert_eq!(after.json[field], before[field], "{field}");
        }
        assert_ne!(after.json["updated_at"], before["updated_at"]);
    }
}

#[tokio::test]
async fn an_update_replaces_endpoints_and_scripts() {
    let world = World::new().await;
    world.publish(socket("s", "old", "print(1)")).await;
    let change = json!({
        "endpoints": { "new": { "calls": [{ "type": "script", "name": "other", "methods": ["POST"] }] } },
        "dependencies": [dependency("other", "print(2)")],
    });
    let after = world.patch(&path(), change).await;
    assert_eq!(after.json["status"], "ok", "{after:?}");
    world.run(Method::GET, "old/", None).await.detail(404);
    let reply = world.run(Method::GET, "new/", None).await;
    assert_eq!((reply.detail(405), reply.header("allow")), ("GET is not allowed here; use POST", "POST"));
    if python() {
        let reply = world.run(Method::POST, "new/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "2");
    }
    // The old name is free.
    world.publish(socket("t", "old", "print(3)")).await;
}

#[tokio::test]
async fn an_update_that_cannot_be_installed_leaves_the_old_endpoints_running() {
    let world = World::new().await;
    world.publish(socket("s", "e", "print(1)")).await;
    world.publish(socket("other", "taken", "print(0)")).await;
    // What the Python client's own test does: an endpoint whose script is nowhere.
    let call = json!([{ "type": "script", "name": "script_default", "methods": ["POST"] }]);
    let change = json!({ "endpoints": json!({ "default": { "calls": call } }).to_string() });
    let after = world.patch(&path(), change).await;
    assert_eq!((after.status.as_u16(), &after.json["status"]), (200, &json!("error")));
    assert_eq!(after.json["revision"], 2);
    assert!(after.json["endpoints"]["default"].is_object());
    assert!(after.json["status_info"].as_str().unwrap().contains("script_default"));

    let change = socket("s", "taken", "print(2)");
    let after = world.send(Method::PUT, &path(), Some(change)).await;
    assert_eq!((after.status.as_u16(), &after.json["status"]), (200, &json!("error")));
    assert!(after.json["status_info"].as_str().unwrap().contains("\"other\""));

    if python() {
        let reply = world.run(Method::GET, "e/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "1");
        let reply = world.run(Method::GET, "s/e/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "1");
        let reply = world.run(Method::GET, "taken/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "0");
    }
    // Its old name is still its own.
    let reply = world.post(&sockets(), socket("third", "e", "print(3)")).await;
    assert_eq!(
        reply.json["status_info"],
        "endpoint \"e\" already belongs to socket \"s\": rename it, or start the server with `--flat-names alias`"
    );

    // A refused recheck changes nothing about that; a good update ends it.
    assert_eq!(world.post(&format!("{}recheck/", path()), json!({})).await.json["status"], "error");
    let after = world.patch(&path(), socket("s", "fresh", "print(4)")).await;
    assert_eq!((&after.json["status"], &after.json["status_info"]), (&json!("ok"), &json!("")));
    world.run(Method::GET, "e/", None).await.detail(404);
}

#[tokio::test]
async fn a_bad_update_changes_nothing() {
    let world = World::new().await;
    let before = world.publish(socket("s", "e", "print(1)")).await;
    for (change, field) in [
        (json!({ "endpoints": [] }), "endpoints"),
        (json!({ "endpoints": "{" }), "endpoints"),
        (json!({ "dependencies": [dependency("x", "1"), dependency("X", "2")] }), "dependencies"),
        (json!({ "config": [] }), "config"),
        (json!({ "description": 5 }), "description"),
        (json!({ "expected_revision": "one" }), "expected_revision"),
        (json!({ "expected_revision": 0, "description": "x" }), "expected_revision"),
        (json!({ "expected_revision": 2, "description": "x" }), "expected_revision"),
    ] {
        world.patch(&path(), change.clone()).await.field(field);
        world.send(Method::PUT, &path(), Some(change)).await.field(field);
    }
    world.patch(&path(), json!([])).await.field("non_field_errors");
    assert_eq!(world.get(&path()).await.json, before);
}

#[tokio::test]
async fn a_change_may_name_the_revision_it_was_planned_from() {
    let world = World::new().await;
    world.publish(socket("s", "e", "print(1)")).await;
    let change = json!({ "description": "x", "expected_revision": 1 });
    assert_eq!(world.patch(&path(), change.clone()).await.json["revision"], 2);
    let stale = world.patch(&path(), change).await;
    assert_eq!(
        stale.field("expected_revision"),
        "the socket is at revision 2, not 1: somebody else changed it"
    );
}

#[tokio::test]
async fn what_old_clients_do_not_know_survives_their_update() {
    let world = World::new().await;
    let mut body = socket("s", "e", "print(1)");
    body["endpoints"]["e"]["calls"][0]["private"] = json!(true);
    body["endpoints"]["e"]["metadata"] = json!({ "*": { "inputs": { "type": "object" } } });
    body["metadata"] = json!({ "network": "none" });
    body["dependencies"][0]["config"] = json!({ "timeout": 5 });
    let before = world.publish(body).await;
    let mut old = socket("s", "e", "print(2)");
    old["metadata"] = json!({});
    let after = world.patch(&path(), old).await.json;
    assert_eq!(after["endpoints"], before["endpoints"]);
    assert_eq!(after["metadata"], before["metadata"]);
    assert_eq!(after["dependencies"][0]["config"], json!({ "timeout": 5 }));
    assert_eq!(after["dependencies"][0]["source"], "print(2)");
    world.run(Method::GET, "e/", None).await.detail(403);
}
