//! Definitions at their limits: what is just allowed works, what is one more is refused by name.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{World, dependency, python, socket, sockets};

/// A socket with so many endpoints and scripts; endpoint n calls script n.
fn wide(endpoints: usize, scripts: usize) -> Value {
    let endpoint = |number: usize| {
        let call = json!({ "type": "script", "name": format!("s{}", number % scripts), "methods": ["GET"] });
        (format!("e{number}"), json!({ "calls": [call] }))
    };
    let endpoints: Map<String, Value> = (0..endpoints).map(endpoint).collect();
    let scripts: Vec<Value> =
        (0..scripts).map(|number| dependency(&format!("s{number}"), &format!("print({number})"))).collect();
    json!({ "name": "wide", "endpoints": endpoints, "dependencies": scripts })
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }))
}

#[tokio::test]
async fn thirty_endpoints_and_a_hundred_dependencies() {
    let world = World::new().await;
    for (field, body) in [("endpoints", wide(31, 1)), ("dependencies", wide(1, 101))] {
        let text = world.post(&sockets(), body).await.field(field).to_owned();
        assert!(text.contains("at most"), "{text}");
    }
    assert_eq!(world.get(&sockets()).await.json["objects"], json!([]));
    world.publish(wide(30, 100)).await;
    if python() {
        let reply = world.run(Method::GET, "wide/e29/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "29");
    }
    // All of them at once: unchanged, changed, gone.
    let path = format!("{}wide/", sockets());
    for body in [wide(30, 100), wide(1, 100), wide(1, 1)] {
        assert_eq!(world.patch(&path, body).await.json["status"], "ok");
    }
    assert_eq!(world.get(&super::scripts::scripts()).await.json["objects"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn names_and_sources_as_long_as_they_may_be() {
    let world = World::new().await;
    let (longest, too_long) = ("n".repeat(64), "n".repeat(65));
    let long = |name: &str, source: &str| {
        let mut body = socket(name, name, source);
        body["endpoints"][name]["calls"][0]["name"] = json!(name);
        body["dependencies"][0]["name"] = json!(name);
        body
    };
    let source = format!("print('ä')#{}", "x".repeat(3 * 1024 * 1024 - 12));
    assert_eq!(source.len(), 3 * 1024 * 1024);
    let made = world.publish(long(&longest, &source)).await;
    assert_eq!(made["dependencies"][0]["source"], source);
    if python() {
        let reply = world.run(Method::GET, &format!("{longest}/{longest}/"), None).await;
        assert_eq!(reply.json["result"]["stdout"], "ä");
    }
    let reply = world.post(&sockets(), long(&too_long, "print(1)")).await;
    let fields: Vec<&str> = reply.json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((reply.status.as_u16(), fields), (400, vec!["dependencies", "endpoints", "name"]));
    // The second of that name gets one of its own, which is no longer.
    let mut other = long(&longest, "print(2)");
    other["name"] = json!("other");
    other["endpoints"] = json!({ "o": other["endpoints"][&longest].clone() });
    world.publish(other).await;
    let list = world.get(&super::script_endpoints::endpoints()).await.json;
    assert_eq!(list["objects"][1]["name"], format!("{}-2", "n".repeat(62)));
}

#[tokio::test]
async fn what_is_nested_as_deep_as_it_may_be() {
    let world = World::new().await;
    let mut body = socket("s", "e", "print(1)");
    body["config"] = nested(64);
    assert_eq!(world.publish(body.clone()).await["config"], nested(64));
    for (levels, as_text) in [(65, false), (65, true), (100, true)] {
        let config = nested(levels);
        body["config"] = if as_text { json!(config.to_string()) } else { config };
        let text = world.patch(&format!("{}s/", sockets()), body.clone()).await.field("config").to_owned();
        assert!(text.contains("levels deep"), "{text}");
    }
    let bomb = format!("{{\"name\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let request = world.request(Method::POST, &sockets()).header("x-api-key", &world.key);
    let reply = request.header("content-type", "application/json").body(bomb).send().await.unwrap();
    assert_eq!(reply.status(), 400);
}
