//! `…/sockets/`: creating and reading.

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, World, dependency, socket, sockets};

/// The body that the seed document's client sends, as real JSON.
fn seed() -> Value {
    json!({
        "name": "my_custom_socket_3",
        "endpoints": { "my_endpoint_3": {
            "calls": [{ "type": "script", "name": "my_script_3", "methods": ["POST"] }],
        } },
        "dependencies": [
            dependency("my_script_3", "print(3)"),
            { "type": "class", "name": "klass", "schema": [{ "name": "fieldA", "type": "string" }] },
        ],
    })
}

#[tokio::test]
async fn a_socket_is_made_listed_and_read() {
    let world = World::new().await;
    let object = world.publish(seed()).await;
    assert_eq!(
        object,
        json!({
            "name": "my_custom_socket_3", "description": "", "status": "ok", "status_info": "", "warnings": [],
            "revision": 1, "install_url": null, "metadata": {}, "config": {},
            "created_at": object["created_at"], "updated_at": object["updated_at"],
            "endpoints": { "my_endpoint_3": {
                "calls": [{ "type": "script", "name": "my_script_3", "methods": ["POST"] }],
                "metadata": {},
            } },
            "dependencies": seed()["dependencies"],
            "links": {
                "self": "/v1.1/instances/test-instance/sockets/my_custom_socket_3/",
                "endpoints": "/v1.1/instances/test-instance/sockets/my_custom_socket_3/endpoints/",
                "recheck": "/v1.1/instances/test-instance/sockets/my_custom_socket_3/recheck/",
            },
        })
    );
    for path in [object["links"]["self"].as_str().unwrap(), &format!("{}MY_Custom_Socket_3/", sockets())] {
        assert_eq!(world.get(path).await.json, object);
    }
    let list = world.get(&sockets()).await.json;
    assert_eq!(list, json!({ "next": null, "prev": null, "objects": [object] }));
}

#[tokio::test]
async fn old_clients_send_json_in_strings() {
    let world = World::new().await;
    let seed = seed();
    let object = world
        .publish(json!({
            "name": seed["name"],
            "endpoints": seed["endpoints"].to_string(),
            "dependencies": seed["dependencies"].to_string(),
            "config": "", "metadata": null,
        }))
        .await;
    assert_eq!(object["dependencies"], seed["dependencies"]);
    assert!(object["endpoints"]["my_endpoint_3"].is_object());
}

#[tokio::test]
async fn sockets_come_in_pages() {
    let world = World::new().await;
    for name in ["c", "a", "b"] {
        world.publish(socket(name, &format!("end-{name}"), "print(1)")).await;
    }
    let first = world.get(&format!("{}?page_size=2", sockets())).await.json;
    assert_eq!([&first["objects"][0]["name"], &first["objects"][1]["name"]], ["c", "a"]);
    let second = world.get(first["next"].as_str().unwrap()).await.json;
    assert_eq!((&second["objects"][0]["name"], &second["next"]), (&json!("b"), &Value::Null));
}

#[tokio::test]
async fn what_everyone_may_read_of_a_name_is_case_insensitive_and_the_spelling_stays() {
    let world = World::new().await;
    let object = world.publish(socket(" MySocket ", "camelCase", "print(1)")).await;
    assert_eq!(object["name"], "mysocket");
    assert!(object["endpoints"]["camelCase"].is_object());
    let list = world.get(&super::run("")).await.json;
    assert_eq!(list["objects"][0]["name"], "mysocket/camelCase");
    assert_eq!(
        list["objects"][0]["links"]["self"],
        "/v1.1/instances/test-instance/endpoints/sockets/mysocket/camelcase/"
    );
}

#[tokio::test]
async fn a_wrong_shape_is_refused_with_its_place_and_nothing_is_stored() {
    let world = World::new().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = seed();
        change(&mut body);
        body
    };
    let calls = "/endpoints/my_endpoint_3/calls";
    for (body, field, place, words) in [
        (with(&|b| b["name"] = json!("9lives")), "name", "/name", "start with a letter"),
        (with(&|b| b["name"] = json!("a/b")), "name", "/name", "contains `/`"),
        (with(&|b| b["name"] = json!("install")), "name", "/name", "reserved"),
        (with(&|b| drop(b.as_object_mut().unwrap().remove("name"))), "name", "/name", "missing"),
        (with(&|b| b["endpoints"] = json!([])), "endpoints", "/endpoints", "expected an object"),
        (with(&|b| b["endpoints"] = json!("{")), "endpoints", "/endpoints", "not JSON"),
        (with(&|b| b["dependencies"] = json!({})), "dependencies", "/dependencies", "expected a list"),
        (
            with(&|b| b["dependencies"][0]["runtime_name"] = json!("pyhton3")),
            "dependencies",
            "/dependencies/0/runtime_name",
            "did you mean `python3`",
        ),
        (
            with(&|b| b["dependencies"][0]["type"] = json!("hosting")),
            "dependencies",
            "/dependencies/0/type",
            "unknown dependency type",
        ),
        (
            with(&|b| drop(b["dependencies"][0].as_object_mut().unwrap().remove("source"))),
            "dependencies",
            "/dependencies/0/source",
            "missing",
        ),
        (
            with(&|b| {
                let twice = b["dependencies"][0].clone();
                b["dependencies"].as_array_mut().unwrap().push(twice);
            }),
            "dependencies",
            "/dependencies/2/name",
            "defined twice",
        ),
        (with(&|b| b["endpoints"]["my_endpoint_3"]["calls"] = json!([])), "endpoints", calls, "has no call"),
        (
            with(&|b| b["endpoints"]["my_endpoint_3"]["calls"][0]["methods"] = json!(["post"])),
            "endpoints",
            &format!("{calls}/0/methods/0"),
            "did you mean `POST`",
        ),
        (
            with(&|b| b["endpoints"]["my_endpoint_3"]["calls"][0]["methods"] = json!(["*", "GET"])),
            "endpoints",
            &format!("{calls}/0/methods"),
            "alone",
        ),
        (
            with(&|b| b["endpoints"]["my_endpoint_3"]["calls"][0]["type"] = json!("channel")),
            "endpoints",
            &format!("{calls}/0/type"),
            "unknown call type",
        ),
        (
            with(&|b| b["endpoints"]["my_endpoint_3"]["calls"][0]["timeout"] = json!(301)),
            "endpoints",
            &format!("{calls}/0/timeout"),
            "at most 300",
        ),
        (with(&|b| b["description"] = json!("x".repeat(257))), "description", "/description", "256"),
        (
            with(&|b| b["endpoints"] = json!({ "traces": b["endpoints"]["my_endpoint_3"] })),
            "endpoints",
            "/endpoints/traces",
            "reserved",
        ),
    ] {
        let reply = world.post(&sockets(), body).await;
        let text = reply.field(field);
        assert!(text.starts_with(&format!("at {place}: ")) && text.contains(words), "{text}");
    }
    let several = json!({ "name": 5, "endpoints": 1, "dependencies": [{}, 2] });
    let reply = world.post(&sockets(), several).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json.as_object().unwrap().len(), 3, "{reply:?}");
    world.post(&sockets(), json!([1])).await.field("non_field_errors");
    world.post(&sockets(), json!("text")).await.field("non_field_errors");
    assert_eq!(world.get(&sockets()).await.json["objects"], json!([]));
}

#[tokio::test]
async fn a_taken_name_is_refused() {
    let world = World::new().await;
    let first = world.publish(socket("s", "e", "print(1)")).await;
    let reply = world.post(&sockets(), socket("S", "other", "print(2)")).await;
    assert!(reply.field("name").contains("already"));
    assert_eq!(world.get(&sockets()).await.json["objects"], json!([first]));
    // Another instance has names of its own.
    world.post("/v1.1/instances/", json!({ "name": "other-instance" })).await;
    let reply = world.post("/v1.1/instances/other-instance/sockets/", socket("s", "e", "print(1)")).await;
    assert_eq!(reply.json["status"], "ok");
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let world = World::new().await;
    let unknown = format!("{}unknown/", sockets());
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = world.send(method, &unknown, Some(json!({}))).await;
        assert_eq!(reply.detail(404), "there is no socket named `unknown`");
    }
    world.send(Method::POST, &format!("{unknown}recheck/"), None).await.detail(404);
    world.get(&format!("{unknown}endpoints/")).await.detail(404);
    let reply = world.get("/v1.1/instances/unknown-one/sockets/").await;
    assert_eq!(reply.detail(404), "there is no instance named `unknown-one`");
    assert_eq!(world.get(&format!("/v1.1/instances/{INSTANCE}/sockets/")).await.status, 200);
}

#[tokio::test]
async fn a_deleted_socket_is_gone_with_its_endpoints_scripts_and_names() {
    let world = World::new().await;
    let object = world.publish(socket("s", "e", "print(1)")).await;
    let path = object["links"]["self"].as_str().unwrap();
    let gone = world.delete(path).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    world.get(path).await.detail(404);
    world.run(Method::GET, "e/", None).await.detail(404);
    world.run(Method::GET, "s/e/", None).await.detail(404);
    world.publish(socket("t", "e", "print(1)")).await;
}
