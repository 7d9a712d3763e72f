//! `…/api_keys/`, and what an API key opens.

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, Reply, World, run, socket, sockets};

fn all() -> String {
    format!("/v1.1/instances/{INSTANCE}/api_keys/")
}

fn one(id: i64) -> String {
    format!("{}{id}/", all())
}

#[tokio::test]
async fn an_api_key_is_made_read_changed_and_deleted() {
    let world = World::new().await;
    let made = world.post(&all(), json!({})).await;
    assert_eq!(made.status, 201);
    let key = made.json["api_key"].as_str().unwrap();
    assert!(key.len() == 40 && key.ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']), "{key}");
    assert_eq!(
        made.json,
        json!({
            "id": 1, "description": "", "api_key": key, "ignore_acl": false, "allow_user_create": false,
            "allow_group_create": false, "allow_anonymous_read": false, "created_at": made.json["created_at"],
            "links": { "self": one(1), "reset_key": format!("{}reset_key/", one(1)) },
        })
    );
    assert!(made.json["created_at"].as_str().unwrap().len() == 27);
    assert_eq!(world.get(&one(1)).await.json, made.json);

    let change = json!({ "description": "app", "ignore_acl": true, "allow_user_create": "true", "id": 9, "api_key": "x" });
    let changed = world.patch(&one(1), change).await;
    assert_eq!(changed.status, 200);
    let shown = &changed.json;
    assert_eq!((&shown["description"], &shown["ignore_acl"]), (&json!("app"), &json!(true)));
    assert_eq!((&shown["allow_user_create"], &shown["allow_group_create"]), (&json!(true), &json!(false)));
    assert_eq!((&shown["id"], &shown["api_key"]), (&json!(1), &json!(key)));
    let put = world.send(Method::PUT, &one(1), Some(json!({ "ignore_acl": false }))).await.json;
    assert_eq!((&put["description"], &put["ignore_acl"]), (&json!("app"), &json!(false)));

    let second =
        world.post(&all(), json!({ "description": "second", "allow_anonymous_read": "1" })).await.json;
    let list = world.get(&all()).await.json;
    assert_eq!(list, json!({ "next": null, "prev": null, "objects": [put, second] }));

    let gone = world.delete(&one(1)).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    assert!(world.get(&one(1)).await.detail(404).contains("`1`"));
    world.delete(&one(1)).await.detail(404);
    world.patch(&one(1), json!({})).await.detail(404);
    world.post(&format!("{}reset_key/", one(1)), json!({})).await.detail(404);
    world.with_key(key, Method::GET, &format!("/v1.1/instances/{INSTANCE}/"), None).await.detail(403);
}

#[tokio::test]
async fn bad_input_makes_no_key() {
    let world = World::new().await;
    for (body, field, why) in [
        (json!({ "description": "x".repeat(257) }), "description", "256"),
        (json!({ "description": 5 }), "description", "string"),
        (json!({ "ignore_acl": "maybe" }), "ignore_acl", "true or false"),
        (json!({ "allow_user_create": 2 }), "allow_user_create", "true or false"),
        (json!([]), "non_field_errors", "object"),
    ] {
        let reply = world.post(&all(), body).await;
        assert!(reply.field(field).contains(why), "{reply:?}");
    }
    assert_eq!(world.get(&all()).await.json["objects"], json!([]));
    world.post(&all(), json!({})).await;
    for id in ["0", "01", "+1", "-1", "1.0", "x", "9223372036854775808", "2"] {
        world.get(&format!("{}{id}/", all())).await.detail(404);
    }
}

#[tokio::test]
async fn resetting_an_api_key_ends_the_old_one() {
    let world = World::new().await;
    let before = world.post(&all(), json!({ "description": "app" })).await.json;
    // Old clients send a content type and no body.
    let path = before["links"]["reset_key"].as_str().unwrap();
    let request = world.request(Method::POST, path).header("X-API-KEY", &world.key);
    let after = Reply::of(request.header("content-type", "application/json").send().await.unwrap()).await;
    assert_eq!((after.status.as_u16(), &after.json["description"]), (200, &json!("app")));
    assert_ne!(after.json["api_key"], before["api_key"]);
    let show = |key: &Value| {
        let (world, key) = (&world, key.as_str().unwrap().to_owned());
        async move { world.with_key(&key, Method::GET, &one(1), None).await }
    };
    show(&before["api_key"]).await.detail(403);
    assert_eq!(show(&after.json["api_key"]).await.json, after.json);
}

#[tokio::test]
async fn a_key_of_another_instance_is_not_found_in_this_one() {
    let world = World::new().await;
    world.post("/v1.1/instances/", json!({ "name": "second-one" })).await;
    world.post("/v1.1/instances/second-one/api_keys/", json!({})).await;
    world.get(&one(1)).await.detail(404);
    world.patch(&one(1), json!({ "description": "mine" })).await.detail(404);
    world.post(&format!("{}reset_key/", one(1)), json!({})).await.detail(404);
    world.delete(&one(1)).await.detail(404);
    let key = world.get("/v1.1/instances/second-one/api_keys/1/").await.json;
    assert_eq!(key["description"], "");
    // Keys go with their instance.
    world.delete("/v1.1/instances/second-one/").await;
    let key = key["api_key"].as_str().unwrap();
    assert_eq!(
        world.with_key(key, Method::GET, "/v1.1/instances/", None).await.detail(403),
        "the key is not valid"
    );
}

#[tokio::test]
async fn an_api_key_sees_its_instance_and_itself_and_runs_what_is_private() {
    let world = World::new().await;
    let mine = world.post(&all(), json!({ "ignore_acl": true })).await.json;
    world.post(&all(), json!({})).await;
    let key = mine["api_key"].as_str().unwrap();
    let mut private = socket("s", "e", "print(META.get('admin'))");
    private["endpoints"]["e"]["calls"][0]["private"] = json!(true);
    world.publish(private).await;

    let seen = world.with_key(key, Method::GET, &format!("/v1.1/instances/{INSTANCE}/"), None).await;
    assert_eq!((&seen.json["role"], &seen.json["owner"]), (&json!("api_key"), &Value::Null));
    assert_eq!(seen.json["name"], INSTANCE);
    let list = world.with_key(key, Method::GET, "/v1.1/instances/", None).await.json;
    assert_eq!(list["objects"], json!([seen.json]));
    assert_eq!(world.with_key(key, Method::GET, &one(1), None).await.json, mine);
    assert!(world.with_key(key, Method::GET, &one(2), None).await.detail(403).contains("own record"));
    for path in [sockets(), all(), run("s/e/traces/"), "/v1.1/account/".to_owned()] {
        let reply = world.with_key(key, Method::GET, &path, None).await;
        assert!(reply.detail(403).contains("use an account key"), "{path}");
    }
    world.run(Method::GET, "e/", None).await.detail(403);
    if super::python() {
        let reply = world.with_key(key, Method::GET, &run("e/"), None).await;
        assert_eq!(reply.json["result"]["stdout"], "None");
    }
}

#[tokio::test]
async fn a_token_acts_as_the_owner_in_its_instance_only() {
    use secrecy::ExposeSecret as _;

    let world = World::new().await;
    world.post("/v1.1/instances/", json!({ "name": "second-one" })).await;
    assert!(world.server.instance_token("unknown-one").is_none());
    let token = world.server.instance_token(INSTANCE).unwrap();
    let token = token.expose_secret();
    let mut private = socket("s", "e", "print(META['admin']['email'])");
    private["endpoints"]["e"]["calls"][0]["private"] = json!(true);
    let made = world.with_key(token, Method::POST, &sockets(), Some(private)).await;
    assert_eq!(made.status, 201);
    let list = world.with_key(token, Method::GET, "/v1.1/instances/", None).await.json;
    assert_eq!(
        (&list["objects"][0]["name"], &list["objects"][0]["role"]),
        (&json!(INSTANCE), &json!("full"))
    );
    assert_eq!(list["objects"].as_array().unwrap().len(), 1);
    // Wherever a key may stand.
    for request in [
        world.request(Method::GET, &sockets()).header("authorization", format!("token {token}")),
        world.request(Method::GET, &format!("{}?api_key={token}", sockets())),
        world
            .request(Method::GET, &sockets())
            .header("content-type", "text/plain")
            .body(json!({ "_api_key": token }).to_string()),
        world.request(Method::GET, &sockets()).header("x-api-key", format!("undefined, {token}")),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    for path in ["/v1.1/instances/second-one/", "/v1.1/instances/unknown-one/", "/v1.1/account/"] {
        world.with_key(token, Method::GET, path, None).await.detail(403);
    }
    let body = Some(json!({ "name": "third-one" }));
    world.with_key(token, Method::POST, "/v1.1/instances/", body).await.detail(403);
    if super::python() {
        let reply = world.with_key(token, Method::GET, &run("e/"), None).await;
        assert_eq!(reply.json["result"]["stdout"], "admin@localhost");
    }
    let altered = token.replace(':', ";");
    assert_eq!(
        world.with_key(&altered, Method::GET, &sockets(), None).await.detail(403),
        "the key is not valid"
    );
}

#[tokio::test]
async fn another_server_notices_what_becomes_of_keys_names_and_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let one = World::with(|server| server.database(&url)).await;
    let two = World::with(|server| server.database(&url)).await;
    let key = one.post(&all(), json!({})).await.json["api_key"].as_str().unwrap().to_owned();
    let config = Some(json!({ "config": { "a": 1 } }));
    one.send(Method::PUT, &format!("/v1.1/instances/{INSTANCE}/snippets/config/"), config).await;
    let rename = json!({ "new_name": "second-one" });
    assert_eq!(one.post(&format!("/v1.1/instances/{INSTANCE}/rename/"), rename).await.status, 200);
    let mut seen = 0;
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let reply = two.with_key(&key, Method::GET, "/v1.1/instances/second-one/", None).await;
        seen = reply.status.as_u16();
        if seen == 200 {
            break;
        }
    }
    assert_eq!(seen, 200);
    two.get(&format!("/v1.1/instances/{INSTANCE}/")).await.detail(404);
    let config = two.get("/v1.1/instances/second-one/snippets/config/").await.json;
    assert_eq!(config, json!({ "config": { "a": 1 } }));
}

#[tokio::test]
async fn the_list_of_the_one_instance_of_a_key_ends() {
    let world = World::new().await;
    let made = world.post(&format!("/v1.1/instances/{INSTANCE}/api_keys/"), json!({})).await.json;
    let key = made["api_key"].as_str().unwrap();
    let mut list = world.with_key(key, Method::GET, "/v1.1/instances/?page_size=1", None).await.json;
    assert_eq!(list["objects"].as_array().unwrap().len(), 1);
    let next = list["next"].as_str().unwrap().to_owned();
    list = world.with_key(key, Method::GET, &next, None).await.json;
    assert_eq!((&list["objects"], &list["next"]), (&json!([]), &json!(null)));
}
