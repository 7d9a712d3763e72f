//! `/v1.1/instances/`.

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, Reply, World};

const ALL: &str = "/v1.1/instances/";

fn one() -> String {
    format!("{ALL}{INSTANCE}/")
}

fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    // YYYY-MM-DDTHH:MM:SS.ffffffZ
    text.len() == 27 && text.as_bytes()[19] == b'.' && text.ends_with('Z')
}

#[tokio::test]
async fn an_instance_is_made_read_changed_and_deleted() {
    let world = World::new().await;
    let made = world.post(ALL, json!({ "name": " Second-One ", "metadata": "{\"a\":1}" })).await;
    assert_eq!(made.status, 201);
    let object = &made.json;
    assert!(is_time(&object["created_at"]) && is_time(&object["updated_at"]), "{object}");
    assert_eq!(
        *object,
        json!({
            "name": "second-one", "description": "", "role": "full", "location": "local",
            "metadata": { "a": 1 },
            "owner": {
                "id": 1, "email": "admin@localhost", "first_name": "", "last_name": "", "is_active": true,
                "has_password": false, "metadata": {},
            },
            "created_at": object["created_at"], "updated_at": object["updated_at"],
            "links": {
                "self": "/v1.1/instances/second-one/",
                "sockets": "/v1.1/instances/second-one/sockets/",
            },
        })
    );
    let path = object["links"]["self"].as_str().unwrap();
    assert_eq!(world.get(path).await.json, *object);
    assert_eq!(world.get("/v1.1/instances/SECOND-one/").await.json, *object);

    for method in [Method::PUT, Method::PATCH] {
        let change = json!({ "name": "ignored", "description": method.as_str() });
        let changed = world.send(method.clone(), path, Some(change)).await;
        assert_eq!(changed.status, 200);
        assert_eq!(changed.json["name"], "second-one");
        assert_eq!(changed.json["description"], method.as_str());
        assert_eq!(changed.json["metadata"], json!({ "a": 1 }));
    }
    let gone = world.delete(path).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    world.get(path).await.detail(404);
    world.delete(path).await.detail(404);
    assert_eq!(world.get(ALL).await.json["objects"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn deleting_an_instance_takes_everything_in_it_along() {
    let world = World::new().await;
    world.script("print(1)").await;
    assert_eq!(world.delete(&one()).await.status, 204);
    world.run(Method::GET, "run/", None).await.detail(404);
    assert_eq!(world.post(ALL, json!({ "name": INSTANCE })).await.status, 201);
    assert_eq!(world.get(&super::sockets()).await.json["objects"], json!([]));
    world.run(Method::GET, "run/", None).await.detail(404);
    world.script("print(1)").await;
}

#[tokio::test]
async fn bad_input_is_refused_and_nothing_is_made() {
    let world = World::new().await;
    assert_eq!(world.post(ALL, json!({})).await.field("name"), "this field is required");
    assert_eq!(world.post(ALL, json!({ "name": 5 })).await.field("name"), "expected a string");
    for bad in ["four", "a--b-c", "1nstance", "under_score", "status", "ends-", "slash/name"] {
        assert!(
            world.post(ALL, json!({ "name": bad })).await.field("name").contains("can't be used"),
            "{bad}"
        );
    }
    assert!(world.post(ALL, json!({ "name": "TEST-instance" })).await.field("name").contains("already"));
    let long = json!({ "name": "second-one", "description": "x".repeat(257) });
    assert!(world.post(ALL, long).await.field("description").contains("256"));
    world.post(ALL, json!({ "name": "second-one", "metadata": "{" })).await.field("metadata");
    world.post(ALL, json!([])).await.field("non_field_errors");
    assert_eq!(world.get(ALL).await.json["objects"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let world = World::new().await;
    let send = |body: Vec<u8>, kind: Option<&'static str>| {
        let mut request = world.request(Method::POST, ALL).header("x-api-key", &world.key).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        async move { Reply::of(request.send().await.unwrap()).await }
    };
    let json = Some("application/json");
    assert!(send(b"{\"name\":".to_vec(), json).await.detail(400).contains("not JSON"));
    assert!(send(b"{\"name\": \"\xff\"}".to_vec(), json).await.detail(400).contains("not JSON"));
    assert!(send("[".repeat(100_000).into(), json).await.detail(400).contains("not JSON"));
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"] {
        let kind_shown = kind.split(';').next().unwrap().to_owned();
        assert!(send(b"name=second-one".to_vec(), Some(kind)).await.detail(415).contains(&kind_shown));
    }
    // Empty is `{}` whatever it is called.
    assert_eq!(send(Vec::new(), Some("text/plain")).await.field("name"), "this field is required");
    let large = send(vec![b' '; 16 * 1024 * 1024 + 1], json).await;
    assert!(large.detail(413).contains("16777216"));
    assert_eq!(
        send(b"{\"name\":\"second-one\"}".to_vec(), Some("Application/JSON; charset=utf-8")).await.status,
        201
    );
    assert_eq!(send(b"{\"name\":\"third-one\"}".to_vec(), None).await.status, 201);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new().await;
    for number in 1..=4 {
        world.post(ALL, json!({ "name": format!("instance-{number}") })).await;
    }
    let names = |list: &Value| -> Vec<String> {
        let objects = list["objects"].as_array().unwrap();
        objects.iter().map(|object| object["name"].as_str().unwrap().to_owned()).collect()
    };
    let whole = world.get(ALL).await.json;
    assert_eq!(names(&whole), ["test-instance", "instance-1", "instance-2", "instance-3", "instance-4"]);
    assert_eq!((&whole["next"], &whole["prev"]), (&Value::Null, &Value::Null));

    let first = world.get(&format!("{ALL}?page_size=2")).await.json;
    assert_eq!(
        (names(&first), &first["prev"]),
        (vec!["test-instance".into(), "instance-1".into()], &Value::Null)
    );
    let second = world.get(first["next"].as_str().unwrap()).await.json;
    assert_eq!(names(&second), ["instance-2", "instance-3"]);
    let third = world.get(second["next"].as_str().unwrap()).await.json;
    assert_eq!((names(&third), &third["next"]), (vec!["instance-4".to_owned()], &Value::Null));
    let back = world.get(third["prev"].as_str().unwrap()).await.json;
    assert_eq!(names(&back), names(&second));
    let back = world.get(back["prev"].as_str().unwrap()).await.json;
    assert_eq!(names(&back), names(&first));
    assert!(world.get(back["next"].as_str().unwrap()).await.json["objects"] == second["objects"]);

    let descending = world.get(&format!("{ALL}?page_size=2&ordering=desc")).await.json;
    assert_eq!(names(&descending), ["instance-4", "instance-3"]);
    assert!(descending["next"].as_str().unwrap().starts_with(&format!("{ALL}?page_size=2&ordering=desc&")));

    for bad in ["page_size=0", "page_size=x", "direction=2", "last_pk=x", "ordering=up"] {
        let reply = world.get(&format!("{ALL}?{bad}")).await;
        assert!(reply.detail(400).starts_with(bad.split('=').next().unwrap()), "{bad}");
    }
    assert_eq!(world.get(&format!("{ALL}?page_size=500")).await.status, 200);
}
