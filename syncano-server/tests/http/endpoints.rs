//! Lists and details of endpoints.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, dependency, run, socket, sockets};

fn names(list: &Value) -> Vec<&str> {
    list["objects"].as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap()).collect()
}

async fn world() -> World {
    let world = World::new().await;
    world
        .publish(json!({
            "name": "first",
            "endpoints": {
                "one": {
                    "calls": [
                        { "type": "script", "name": "a", "methods": ["GET"] },
                        { "type": "script", "name": "b", "methods": ["POST", "PUT"], "private": true },
                    ],
                    "metadata": { "title": "t" },
                    "acl": { "*": ["GET"] },
                },
                "two": { "calls": [{ "type": "script", "name": "a", "methods": ["*"] }] },
            },
            "dependencies": [dependency("a", "print('a')"), dependency("b", "print('b')")],
        }))
        .await;
    world.publish(socket("second", "three", "print(3)")).await;
    world
}

#[tokio::test]
async fn the_instances_list_has_full_names_and_the_sockets_list_short_ones() {
    let world = world().await;
    let all = world.get(&run("")).await.json;
    assert_eq!(names(&all), ["first/one", "first/two", "second/three"]);
    assert_eq!((&all["next"], &all["prev"]), (&Value::Null, &Value::Null));
    assert_eq!(
        all["objects"][0],
        json!({
            "name": "first/one",
            "allowed_methods": ["GET", "POST", "PUT"],
            "calls": [
                { "type": "script", "name": "a", "methods": ["GET"] },
                { "type": "script", "name": "b", "methods": ["POST", "PUT"], "private": true },
            ],
            "metadata": { "title": "t" },
            "acl": { "*": ["GET"] },
            "links": {
                "self": "/v1.1/instances/test-instance/endpoints/sockets/first/one/",
                "endpoint": "/v1.1/instances/test-instance/endpoints/sockets/first/one/",
                "traces": "/v1.1/instances/test-instance/endpoints/sockets/first/one/traces/",
                "details": "/v1.1/instances/test-instance/sockets/first/endpoints/one/",
            },
        })
    );
    assert_eq!(all["objects"][1]["allowed_methods"], json!(["POST", "PUT", "PATCH", "GET", "DELETE"]));
    let of_socket = world.get(&format!("{}FIRST/endpoints/", sockets())).await.json;
    assert_eq!(names(&of_socket), ["one", "two"]);
}

#[tokio::test]
async fn details_never_run_the_endpoint() {
    let world = world().await;
    let details = world.get(&format!("{}first/endpoints/ONE/", sockets())).await;
    assert_eq!((details.status.as_u16(), &details.json["name"]), (200, &json!("one")));
    assert_eq!(details.header("syncano-status"), "");
    assert!(details.json["links"]["self"].is_string());
    let unknown = world.get(&format!("{}first/endpoints/three/", sockets())).await;
    assert!(unknown.detail(404).contains("socket endpoint"));
    world.get(&format!("{}unknown/endpoints/one/", sockets())).await.detail(404);
}

#[tokio::test]
async fn lists_are_whole_unless_a_page_is_asked_for() {
    let world = world().await;
    let first = world.get(&format!("{}?page_size=2", run(""))).await.json;
    assert_eq!(names(&first), ["first/one", "first/two"]);
    let second = world.get(first["next"].as_str().unwrap()).await.json;
    assert_eq!((names(&second), &second["next"]), (vec!["second/three"], &Value::Null));
    let back = world.get(second["prev"].as_str().unwrap()).await.json;
    assert_eq!(names(&back), names(&first));
    let reply = world.get(&format!("{}?page_size=2&ordering=desc", run(""))).await.json;
    assert_eq!(names(&reply), ["second/three", "first/two"]);
}

#[tokio::test]
async fn one_segment_that_is_a_sockets_name_lists_it() {
    let world = world().await;
    let list = world.get(&run("first/")).await.json;
    assert_eq!(names(&list), ["first/one", "first/two"]);
    world.anonymous(Method::GET, &run("first/"), None).await.detail(403);
    world.post(&run("first/"), json!({})).await.detail(404);
}

#[tokio::test]
async fn a_socket_with_nothing_installed_has_an_empty_list() {
    let world = world().await;
    let reply = world.post(&sockets(), socket("third", "three", "print(3)")).await;
    assert_eq!(reply.json["status"], "error");
    let list = world.get(&format!("{}third/endpoints/", sockets())).await;
    assert_eq!((list.status.as_u16(), &list.json["objects"]), (200, &json!([])));
    assert_eq!(names(&world.get(&run("")).await.json).len(), 3);
}

#[tokio::test]
async fn version_2_takes_a_single_name_for_a_sockets() {
    let world = World::new().await;
    world.publish(socket("same", "same", "print(1)")).await;
    let path = format!("{}same/", super::run("").replace("/v1.1/", "/v2/"));
    let list = world.get(&path).await.json;
    assert_eq!(list["objects"][0]["name"], "same/same");
    let reply = world.post(&path, json!({})).await;
    reply.detail(405);
    assert_eq!(reply.header("allow"), "GET");
    world.get(&path.replace("/same/", "/nothing/")).await.detail(404);
}
