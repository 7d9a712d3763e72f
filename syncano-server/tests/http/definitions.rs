//! Definitions mean what they say: the keys of an endpoint, keys that nothing reads, and scripts that are deleted.

use reqwest::Method;
use serde_json::{Value, json};

use super::script_endpoints::endpoint as script_endpoint;
use super::scripts::{script, scripts};
use super::{INSTANCE, World, dependency, python, run, socket, sockets};

/// A socket `s` of two calls, whose endpoint `e` says this.
fn with(more: Value) -> Value {
    let mut endpoint = json!({ "calls": [
        { "type": "script", "name": "open", "methods": ["GET"], "private": false },
        { "type": "script", "name": "other", "methods": ["POST"] },
    ] });
    endpoint.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "name": "s", "endpoints": { "e": endpoint },
        "dependencies": [dependency("open", "print(1)"), dependency("other", "print(2)")],
    })
}

#[tokio::test]
async fn private_on_an_endpoint_needs_a_key_for_calls_that_do_not_say_otherwise() {
    let world = World::new().await;
    world.publish(with(json!({ "private": true, "cache": 60, "timeout": 2 }))).await;
    let statuses = async || {
        let one = world.anonymous(Method::GET, &run("s/e/"), None).await.status.as_u16();
        (one, world.anonymous(Method::POST, &run("s/e/"), Some(json!({}))).await.status.as_u16())
    };
    assert_eq!(statuses().await, (200, 403));
    assert_eq!(world.post(&run("s/e/"), json!({})).await.status, 200);
    // It is echoed where it was said, in every answer.
    let path = format!("{}s/", sockets());
    let shown = world.get(&path).await.json["endpoints"]["e"].clone();
    assert_eq!(
        (&shown["private"], &shown["cache"], &shown["timeout"]),
        (&json!(true), &json!(60), &json!(2.0))
    );
    assert_eq!(shown["calls"][1].get("private"), None);
    for list in [format!("{path}endpoints/"), format!("/v1.1/instances/{INSTANCE}/endpoints/sockets/")] {
        assert_eq!(world.get(&list).await.json["objects"][0]["private"], true, "{list}");
    }
    let document = world.get(&format!("/v1.1/instances/{INSTANCE}/openapi.json")).await.json;
    let operations = &document["paths"]["/endpoints/sockets/s/e/"];
    assert_eq!(operations["post"]["security"], json!([{ "key": [] }]));
    assert_eq!(operations["get"]["security"], json!([{}, { "key": [] }]));
    // An old client sends back what it knows, as a string.
    let old = json!({ "calls": shown["calls"], "metadata": {} });
    world.patch(&path, json!({ "endpoints": json!({ "e": old }).to_string() })).await;
    assert_eq!(statuses().await, (200, 403));
    world.patch(&path, json!({ "endpoints": with(json!({ "private": false }))["endpoints"] })).await;
    assert_eq!(statuses().await, (200, 200));
}

#[tokio::test]
async fn the_timeout_of_an_endpoint_ends_its_calls() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let mut body = socket("s", "e", "import time; time.sleep(20)");
    body["endpoints"]["e"]["timeout"] = json!(0.2);
    world.publish(body).await;
    assert_eq!(world.run(Method::GET, "s/e/", None).await.json["status"], "timeout");
}

#[tokio::test]
async fn a_key_that_nothing_reads_is_a_warning_of_the_socket() {
    let world = World::new().await;
    let mut body = with(json!({ "retries": 3, "methods": ["GET"] }));
    body["dependencies"][0]["timeout"] = json!(5);
    let made = world.publish(body.clone()).await;
    let warnings = json!([
        "at /endpoints/e/methods: unknown key `methods`, which is ignored: did you mean `calls[].methods`?",
        "at /endpoints/e/retries: unknown key `retries`, which is ignored",
        "at /dependencies/0/timeout: unknown key `timeout`, which is ignored: did you mean `config.timeout`?",
    ]);
    assert_eq!((&made["warnings"], &made["status_info"]), (&warnings, &json!("")));
    let path = format!("{}s/", sockets());
    assert_eq!(world.get(&path).await.json["warnings"], warnings);
    let rechecked = world.post(&format!("{path}recheck/"), json!({})).await.json;
    assert_eq!(rechecked["warnings"], warnings);
    let changed = world.patch(&path, json!({ "dependencies": with(json!({}))["dependencies"] })).await.json;
    assert_eq!(changed["warnings"].as_array().unwrap().len(), 2);
    let changed = world.patch(&path, json!({ "endpoints": with(json!({}))["endpoints"] })).await.json;
    assert_eq!(changed["warnings"], json!([]));
    // A slip is refused: it would make a private endpoint public.
    let slip = world.patch(&path, json!({ "endpoints": with(json!({ "privat": true }))["endpoints"] })).await;
    assert!(slip.field("endpoints").contains("did you mean `private`?"), "{slip:?}");
}

#[tokio::test]
async fn the_owner_may_delete_what_a_socket_brought_along_and_a_recheck_restores_it() {
    let world = World::new().await;
    let mut body = with(json!({}));
    body["endpoints"]["f"] = json!({ "calls": [{ "type": "script", "name": "other", "methods": ["*"] }] });
    world.publish(body).await;
    let list = world.get(&scripts()).await.json;
    let id = |label: &str| {
        let scripts = list["objects"].as_array().unwrap();
        scripts.iter().find(|script| script["label"] == label).unwrap()["id"].as_i64().unwrap()
    };
    let path = format!("{}s/", sockets());
    let status = async || {
        let socket = world.get(&path).await.json;
        (socket["status"].as_str().unwrap().to_owned(), socket["status_info"].as_str().unwrap().to_owned())
    };
    assert_eq!(world.delete(&script(id("other"))).await.status, 204);
    let (word, info) = status().await;
    assert!(word == "error" && info.starts_with("the script \"other\" was deleted: recheck"), "{info}");
    // Its calls fail with that text, its siblings go on.
    assert_eq!(world.run(Method::GET, "s/e/", None).await.status, 200);
    assert_eq!(world.run(Method::POST, "s/e/", None).await.detail(404), info);
    assert_eq!(world.run(Method::GET, "s/f/", None).await.detail(404), info);
    // A second deletion doesn't hide the first; the script of the endpoint goes along.
    assert_eq!(world.delete(&script_endpoint("open")).await.status, 204);
    let (_, info) = status().await;
    assert!(info.contains("\"open\" was deleted") && info.contains("\"other\" was deleted"), "{info}");
    assert_eq!(world.get(&scripts()).await.json["objects"], json!([]));
    let recheck = async || world.post(&format!("{path}recheck/"), json!({})).await.json;
    let rechecked = recheck().await;
    assert_eq!((&rechecked["status"], &rechecked["status_info"]), (&json!("ok"), &json!("")));
    assert_eq!(world.run(Method::POST, "s/e/", None).await.status, 200);
    assert_eq!(world.get(&scripts()).await.json["objects"].as_array().unwrap().len(), 2);
    // A stranger may not, and a change stays the socket's business.
    let label = json!({ "label": "x" });
    let first = world.get(&scripts()).await.json["objects"][0]["id"].as_i64().unwrap();
    assert!(world.patch(&script(first), label).await.detail(403).contains("`s`"));
    world.anonymous(Method::DELETE, &script(first), None).await.detail(403);
}

#[tokio::test]
async fn an_unknown_filter_of_a_list_is_refused() {
    let world = World::new().await;
    world.publish(socket("s", "e", "print(1)")).await;
    let instance = format!("/v1.1/instances/{INSTANCE}/");
    for list in [
        "/v1.1/instances/".to_owned(),
        sockets(),
        scripts(),
        format!("{}s/endpoints/", sockets()),
        format!("{instance}endpoints/sockets/"),
        format!("{instance}endpoints/sockets/s/e/traces/"),
        format!("{instance}endpoints/scripts/"),
        format!("{instance}api_keys/"),
    ] {
        let reply = world.get(&format!("{list}?status=ok")).await;
        let text = reply.detail(400);
        assert!(text.starts_with("status: this list has no such filter: it knows `page_size`"), "{text}");
        let slip = world.get(&format!("{list}?pagesize=1")).await;
        assert!(slip.detail(400).contains("did you mean `page_size`?"), "{slip:?}");
        // What clients of 2016 send.
        let old =
            "page_size=5&direction=1&last_pk=0&ordering=asc&fields=name&excluded_fields=x&_=1&instanceName=i";
        let last =
            if list.contains("endpoints/sockets") || list.ends_with("s/endpoints/") { "" } else { old };
        assert_eq!(world.get(&format!("{list}?{last}&api_key={}", world.key)).await.status, 200, "{list}");
    }
    assert_eq!(world.get(&format!("{}?label__startswith=x", scripts())).await.status, 200);
    // Only lists have filters.
    assert_eq!(world.get(&format!("{}s/?status=ok", sockets())).await.status, 200);
    assert_eq!(world.run(Method::GET, "s/e/?status=ok", None).await.status, 200);
}
