//! Names under which scripts can be called.

use reqwest::Method;
use serde_json::{Value, json};

use super::scripts::script;
use super::{INSTANCE, World, python};

pub(crate) fn endpoints() -> String {
    format!("/v1.1/instances/{INSTANCE}/endpoints/scripts/")
}

pub(crate) fn endpoint(name: &str) -> String {
    format!("{}{name}/", endpoints())
}

impl World {
    pub(crate) async fn new_endpoint(&self, name: &str, script: i64) -> Value {
        let reply = self.post(&endpoints(), json!({ "name": name, "script": script })).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json
    }
}

#[tokio::test]
async fn a_script_endpoint_is_made_read_changed_and_deleted() {
    let world = World::new().await;
    let (first, second) = (world.new_script("print(1)").await, world.new_script("print(2)").await);
    let made = world.new_endpoint(" Hook ", first).await;
    let link = made["public_link"].as_str().unwrap().to_owned();
    assert!(link.len() == 40 && link.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let path = endpoint("hook");
    let mut expected = json!({
        "name": "hook", "description": "", "script": first, "public": false, "public_link": link,
        "links": {
            "self": path, "run": format!("{path}run/"), "reset-link": format!("{path}reset_link/"),
            "script": script(first), "traces": format!("{path}traces/"),
            "public-link": format!("{}p/{link}/hook/", endpoints()),
        },
    });
    assert_eq!(made, expected);
    // Letter case doesn't matter in a URL either.
    assert_eq!(world.get(&endpoint("HOOK")).await.json, expected);
    let change = json!({ "name": "other", "script": second, "public": "true", "description": "d" });
    expected["script"] = json!(second);
    expected["links"]["script"] = json!(script(second));
    expected["public"] = json!(true);
    expected["description"] = json!("d");
    assert_eq!(world.patch(&path, change).await.json, expected);
    assert_eq!(world.get(&endpoints()).await.json["objects"], json!([expected]));
    assert_eq!(world.delete(&path).await.status, 204);
    world.get(&path).await.detail(404);
    // A deleted script takes its endpoints along.
    world.new_endpoint("hook", first).await;
    world.delete(&script(first)).await;
    world.get(&path).await.detail(404);
}

#[tokio::test]
async fn bad_input_names_the_field() {
    let world = World::new().await;
    let id = world.new_script("print(1)").await;
    world.new_endpoint("hook", id).await;
    for (field, body) in [
        ("name", json!({ "script": id })),
        ("name", json!({ "name": "a b", "script": id })),
        ("name", json!({ "name": "p", "script": id })),
        ("name", json!({ "name": "HOOK", "script": id })),
        ("script", json!({ "name": "x" })),
        ("script", json!({ "name": "x", "script": "one" })),
        ("script", json!({ "name": "x", "script": 99 })),
        ("public", json!({ "name": "x", "script": id, "public": "maybe" })),
        ("description", json!({ "name": "x", "script": id, "description": "d".repeat(257) })),
    ] {
        world.post(&endpoints(), body).await.field(field);
    }
    world.patch(&endpoint("hook"), json!({ "script": 99 })).await.field("script");
    assert_eq!(world.get(&endpoints()).await.json["objects"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_answers_the_trace_or_the_scripts_own_response() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id =
        world.new_script("print(sorted(ARGS.items(), key=str), META['executed_by'], META['executor'])").await;
    world.new_endpoint("hook", id).await;
    let path = endpoint("hook");
    let reply = world.post(&format!("{path}run/?b=2"), json!({ "a": 1 })).await;
    assert_eq!(reply.outcome(), (200, "success", "trace"));
    let args = "[('GET', {'b': '2'}), ('POST', {'a': 1}), ('a', 1), ('b', '2')]";
    assert_eq!(reply.json["result"]["stdout"], format!("{args} webhook hook"));
    assert!(reply.json.get("links").is_none());
    let reply = world.get(&format!("{path}run/?cache_key=x")).await;
    assert_eq!(reply.json["result"]["stdout"], "[('GET', {}), ('POST', {})] webhook hook");
    let list = world.get(&format!("{path}traces/")).await.json;
    let first = &list["objects"][1];
    assert_eq!(first["args"], json!({ "GET": { "b": "2" }, "POST": { "a": 1 } }));
    assert_eq!(first["meta"]["REQUEST_METHOD"], "POST");
    assert_eq!(world.get(first["links"]["self"].as_str().unwrap()).await.json, *first);

    world
        .patch(&script(id), json!({ "source": "set_response(HttpResponse(418, 'tea', 'text/plain'))" }))
        .await;
    let reply = world.get(&format!("{path}run/")).await;
    assert_eq!((reply.outcome(), reply.text.as_str()), ((418, "success", "response"), "tea"));
    world.anonymous(Method::GET, &format!("{path}run/"), None).await.detail(403);
    let reply = world.send(Method::PUT, &format!("{path}run/"), None).await;
    reply.detail(405);
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn a_public_link_needs_no_key_until_it_is_reset() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id = world.new_script("print(ARGS.get('a'))").await;
    let link = |object: &Value| object["links"]["public-link"].as_str().unwrap().to_owned();
    let first = link(&world.new_endpoint("hook", id).await);
    world.anonymous(Method::GET, &first, None).await.detail(404);
    world.patch(&endpoint("hook"), json!({ "public": true })).await;
    let reply = world.anonymous(Method::POST, &first, Some(json!({ "a": 5 }))).await;
    assert_eq!(reply.json["result"]["stdout"], "5");
    // The link alone will do, with the wrong name it won't.
    let reply = world.anonymous(Method::GET, &format!("{}?a=6", first.replace("/hook/", "/")), None).await;
    assert_eq!(reply.json["result"]["stdout"], "6");
    world.anonymous(Method::GET, &first.replace("/hook/", "/other/"), None).await.detail(404);
    world.anonymous(Method::GET, &format!("{}p/{}/", endpoints(), "a".repeat(40)), None).await.detail(404);

    let reset = world.post(&format!("{}reset_link/", endpoint("hook")), json!({})).await;
    assert_eq!(reset.status, 200);
    assert_ne!(link(&reset.json), first);
    world.anonymous(Method::GET, &first, None).await.detail(404);
    assert_eq!(world.anonymous(Method::GET, &link(&reset.json), None).await.status, 200);
    assert_eq!(world.get(&format!("{}traces/", endpoint("hook"))).await.json["objects"][0]["id"], 3);
}

#[tokio::test]
async fn version_2_runs_at_the_name_and_edits_below_it() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id = world.new_script("print(META['request']['REQUEST_METHOD'])").await;
    world.new_endpoint("hook", id).await;
    let path = endpoint("hook").replace("/v1.1/", "/v2/");
    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = world.send(method.clone(), &path, None).await;
        assert_eq!(reply.json["result"]["stdout"], method.as_str());
    }
    assert_eq!(world.get(&format!("{path}edit/")).await.json["name"], "hook");
    assert_eq!(world.delete(&format!("{path}edit/")).await.status, 204);
}

#[tokio::test]
async fn whoever_only_looks_starts_nothing() {
    let world = World::new().await;
    let script = world.new_script("print(1)").await;
    let made = world.new_endpoint("hook", script).await;
    world.patch(&endpoint("hook"), json!({ "public": true })).await;
    for path in [made["links"]["run"].as_str().unwrap(), made["links"]["public-link"].as_str().unwrap()] {
        let reply = world.send(Method::HEAD, path, None).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, POST"), "{path}");
    }
    let v2 = endpoint("hook").replace("v1.1", "v2");
    assert_eq!(world.send(Method::HEAD, &v2, None).await.status, 405);
    assert_eq!(world.get(&format!("{}traces/", endpoint("hook"))).await.json["objects"], json!([]));
}

#[tokio::test]
async fn where_all_runs_need_a_key_links_need_one_too() {
    if !python() {
        return;
    }
    let world = World::with(|server| server.require_key(true)).await;
    let id = world.new_script("print(1)").await;
    world.new_endpoint("hook", id).await;
    let hook = world.patch(&endpoint("hook"), json!({ "public": true })).await.json;
    let link = hook["links"]["public-link"].as_str().unwrap();
    world.anonymous(Method::GET, link, None).await.detail(403);
    assert_eq!(world.get(link).await.status, 200);
}
