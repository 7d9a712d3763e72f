//! `fields` and `excluded_fields`.

use reqwest::Method;
use serde_json::json;

use super::{INSTANCE, World, run, socket, sockets};

#[tokio::test]
async fn an_answer_has_the_fields_that_are_wanted() {
    let world = World::new().await;
    world.publish(socket("s", "e", "print(1)")).await;
    world.publish(socket("t", "f", "print(1)")).await;
    let one = format!("{}s/", sockets());
    let names = json!({ "next": null, "prev": null, "objects": [{ "name": "s" }, { "name": "t" }] });
    assert_eq!(world.get(&format!("{}?fields=name", sockets())).await.json, names);
    let reply = world.get(&format!("{one}?fields=name,status,unknown")).await;
    assert_eq!(reply.json, json!({ "name": "s", "status": "ok" }));
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    let mut rest = world.get(&one).await.json;
    rest.as_object_mut().unwrap().remove("endpoints");
    assert_eq!(world.get(&format!("{one}?excluded_fields=endpoints")).await.json, rest);
    let instance = format!("/v1.1/instances/{INSTANCE}/");
    assert_eq!(world.get(&format!("{instance}?fields=name")).await.json, json!({ "name": INSTANCE }));
    assert_eq!(world.get("/v1.1/account/?fields=id").await.json, json!({ "id": 1 }));
    let made = world.post("/v1.1/instances/?fields=name", json!({ "name": "second-one" })).await;
    assert_eq!((made.status.as_u16(), made.json), (201, json!({ "name": "second-one" })));
    // What is wrong is told whole.
    world.get(&format!("{}unknown/?fields=name", sockets())).await.detail(404);
}

#[tokio::test]
async fn too_many_names_are_refused_before_anything_is_done() {
    let world = World::new().await;
    let many = vec!["a"; 65].join(",");
    for key in ["fields", "excluded_fields"] {
        let path = format!("/v1.1/instances/?{key}={many}");
        let reply = world.post(&path, json!({ "name": "second-one" })).await;
        let text = reply.detail(400);
        assert!(text.starts_with(key) && text.contains("65") && text.contains("64"), "{text}");
    }
    assert_eq!(world.get("/v1.1/instances/").await.json["objects"].as_array().unwrap().len(), 1);
    let allowed = vec!["name"; 64].join(",");
    assert_eq!(world.get(&format!("/v1.1/instances/?fields={allowed}")).await.status, 200);
}

#[tokio::test]
async fn answers_of_runs_are_left_alone() {
    if !super::python() {
        return;
    }
    let world = World::new().await;
    world.publish(socket("value", "value", "def main(fields):\n    return {'a': fields, 'b': 2}")).await;
    world.publish(socket("trace", "trace", "print(ARGS['fields'])")).await;
    let many = vec!["a"; 65].join(",");
    let reply = world.run(Method::GET, "value/?fields=a", None).await;
    assert_eq!(reply.json, json!({ "a": "a", "b": 2 }));
    let reply = world.run(Method::GET, &format!("trace/?fields={many}"), None).await;
    assert_eq!((reply.status.as_u16(), &reply.json["result"]["stdout"]), (200, &json!(many)));
    assert!(reply.json["id"].is_i64());
    let traces = world.get(&run("trace/traces/?fields=id,status")).await.json;
    assert_eq!(traces["objects"], json!([{ "id": reply.json["id"], "status": "success" }]));
    world.get(&run(&format!("trace/traces/?fields={many}"))).await.detail(400);
}
