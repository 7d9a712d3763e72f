//! `/v1.1/account/` and keys.

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, Reply, World, sockets};

async fn open() -> World {
    World::with(|server| server.open_registration(true)).await
}

async fn register(world: &World, email: &str) -> Reply {
    let body = json!({ "email": email, "password": "secret word", "first_name": "Ann" });
    world.anonymous(Method::POST, "/v1.1/account/register/", Some(body)).await
}

#[tokio::test]
async fn registration_is_closed_unless_it_is_opened() {
    let world = World::new().await;
    assert!(register(&world, "a@b.co").await.detail(400).contains("closed"));
}

#[tokio::test]
async fn a_registered_account_logs_in() {
    let world = open().await;
    let made = register(&world, "Ann@Example.org").await;
    assert_eq!(made.status, 201);
    let key = made.json["account_key"].as_str().unwrap();
    assert!(key.len() == 40 && key.ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e']), "{key}");
    assert_eq!(
        made.json,
        json!({
            "id": 2, "email": "ann@example.org", "first_name": "Ann", "last_name": "", "is_active": true,
            "has_password": true, "metadata": {}, "account_key": key,
        })
    );
    for path in ["/v1.1/account/auth/", "/v1/account/auth/"] {
        let login = json!({ "email": " ANN@example.org", "password": "secret word" });
        // A stale key must not hurt.
        let request = world.request(Method::POST, path).header("X-API-KEY", "stale").json(&login);
        let reply = Reply::of(request.send().await.unwrap()).await;
        assert_eq!((reply.status.as_u16(), &reply.json), (200, &made.json));
    }
    let reply = world.anonymous(Method::POST, "/v1.1/account/auth/", Some(json!({ "api_key": key }))).await;
    assert_eq!(reply.json["account_key"], made.json["account_key"]);
}

#[tokio::test]
async fn a_bad_registration_names_the_field() {
    let world = open().await;
    register(&world, "ann@example.org").await;
    assert!(register(&world, "ANN@example.org").await.field("email").contains("already"));
    assert!(register(&world, "ann").await.field("email").contains("name@host"));
    let body = Some(json!({ "email": "b@c.de" }));
    let reply = world.anonymous(Method::POST, "/v1.1/account/register/", body).await;
    assert_eq!(reply.field("password"), "this field is required");
}

#[tokio::test]
async fn a_wrong_login_is_401_and_tells_nothing() {
    let world = open().await;
    register(&world, "ann@example.org").await;
    let login = |email: &str, password: &str| {
        let body = Some(json!({ "email": email, "password": password }));
        let world = &world;
        async move { world.anonymous(Method::POST, "/v1.1/account/auth/", body).await }
    };
    let wrong = login("ann@example.org", "other").await;
    let unknown = login("bob@example.org", "secret word").await;
    let without_password = login("admin@localhost", "x").await;
    assert_eq!(wrong.detail(401), unknown.detail(401));
    assert_eq!(wrong.detail(401), without_password.detail(401));
    let reply = world.anonymous(Method::POST, "/v1.1/account/auth/", None).await;
    reply.field("email");
}

#[tokio::test]
async fn an_account_is_read_and_changed() {
    let world = World::new().await;
    let before = world.get("/v1.1/account/").await.json;
    assert_eq!(
        before,
        json!({
            "id": 1, "email": "admin@localhost", "first_name": "", "last_name": "", "is_active": true,
            "has_password": false, "metadata": {},
        })
    );
    let change = json!({ "first_name": "Ann", "email": "other@b.co", "metadata": "{\"a\": 1}", "x": 1 });
    let reply = world.patch("/v1.1/account/", change).await;
    assert_eq!(reply.status, 200);
    let after = world.get("/v1.1/account/").await.json;
    assert_eq!(after, reply.json);
    assert_eq!((&after["first_name"], &after["metadata"]), (&json!("Ann"), &json!({ "a": 1 })));
    assert_eq!(after["email"], before["email"]);
    let bad = world.send(Method::PUT, "/v1.1/account/", Some(json!({ "metadata": [1] }))).await;
    assert_eq!(bad.field("metadata"), "expected an object");
}

#[tokio::test]
async fn resetting_a_key_ends_the_old_one() {
    let mut world = World::new().await;
    // Old clients send a content type and no body.
    let request = world.request(Method::POST, "/v1.1/account/reset_key/").header("X-API-KEY", &world.key);
    let reply = request.header("content-type", "application/json").send().await.unwrap();
    let reply = Reply::of(reply).await;
    assert_eq!(reply.status, 200);
    world.get("/v1.1/account/").await.detail(403);
    world.key = reply.json["account_key"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/v1.1/account/").await.status, 200);
    assert_eq!(world.get(&sockets()).await.status, 200);
}

#[tokio::test]
async fn a_password_is_set_and_then_asked_for() {
    let world = World::new().await;
    let path = "/v1.1/account/password/";
    world.post(path, json!({})).await.field("new_password");
    // The first account has a key only.
    let reply = world.post(path, json!({ "new_password": "first" })).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""));
    world.post(path, json!({ "new_password": "second" })).await.field("current_password");
    let wrong = json!({ "new_password": "second", "current_password": "x" });
    world.post(path, wrong).await.field("current_password");
    let right = json!({ "new_password": "second", "current_password": "first" });
    assert_eq!(world.post(path, right).await.status, 204);
    let login = json!({ "email": "admin@localhost", "password": "second" });
    let reply = world.anonymous(Method::POST, "/v1.1/account/auth/", Some(login)).await;
    assert_eq!(reply.json["account_key"], json!(world.key));
}

#[tokio::test]
async fn a_key_may_stand_in_many_places() {
    let world = World::new().await;
    let key = world.key.as_str();
    let path = "/v1.1/account/";
    for request in [
        world.request(Method::GET, path).header("x-api-key", key),
        world.request(Method::GET, path).header("x-api-key", "undefined").header("x-api-key", key),
        world.request(Method::GET, path).header("authorization", format!("token {key}")),
        world.request(Method::GET, path).header("authorization", format!("Bearer {key}")),
        world.request(Method::GET, &format!("{path}?api_key={key}")),
        world.request(Method::GET, &format!("{path}?apikey={key}")),
        // There are no users, so a key of one is none.
        world
            .request(Method::GET, &format!("{path}?user_key=x"))
            .header("x-api-key", key)
            .header("x-user-key", "y"),
        world
            .request(Method::PATCH, path)
            .header("content-type", "text/plain")
            .body(json!({ "_api_key": key }).to_string()),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    // What a body of another kind says is a field of it.
    let request = world.request(Method::PATCH, path).json(&json!({ "_api_key": key }));
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn without_a_valid_key_everything_is_403() {
    let world = World::new().await;
    let instance = format!("/v1.1/instances/{INSTANCE}/");
    let unknown = "0123456789012345678901234567890123456780";
    // The last digit is that of an instance's key.
    let odd = "0123456789012345678901234567890123456781";
    for (method, path) in [
        (Method::GET, "/v1.1/account/".to_owned()),
        (Method::GET, "/v1.1/instances/".to_owned()),
        (Method::POST, "/v1.1/instances/".to_owned()),
        (Method::GET, instance.clone()),
        (Method::DELETE, instance.clone()),
        (Method::GET, sockets()),
        (Method::POST, sockets()),
        (Method::GET, format!("{instance}endpoints/sockets/")),
        (Method::GET, format!("{instance}endpoints/sockets/s/e/traces/")),
        // Without a key nobody learns which instances exist.
        (Method::GET, "/v1.1/instances/unknown-one/".to_owned()),
    ] {
        let without = world.anonymous(method.clone(), &path, None).await;
        assert_eq!(
            without.detail(403),
            "this needs an account key: send it in the header X-API-KEY",
            "{path}"
        );
        let empty = world.request(method.clone(), &path).header("x-api-key", "");
        assert_eq!(Reply::of(empty.send().await.unwrap()).await.text, without.text);
        for key in [unknown, odd, "x"] {
            let request = world.request(method.clone(), &path).header("x-api-key", key);
            let reply = Reply::of(request.send().await.unwrap()).await;
            assert_eq!(reply.detail(403), "the key is not valid", "{path}");
            assert!(!reply.headers.contains_key("www-authenticate"));
        }
    }
}

#[tokio::test]
async fn another_accounts_instance_looks_like_none() {
    let mut world = open().await;
    let mine: Value = world.publish(super::socket("mine", "secret", "print(1)")).await;
    let other = register(&world, "eve@example.org").await;
    world.key = other.json["account_key"].as_str().unwrap().to_owned();
    let instance = format!("/v1.1/instances/{INSTANCE}/");
    let unknown = world.get("/v1.1/instances/unknown-one/").await.detail(404).to_owned();
    for path in [
        instance.clone(),
        sockets(),
        mine["links"]["self"].as_str().unwrap().to_owned(),
        mine["links"]["endpoints"].as_str().unwrap().to_owned(),
        format!("{instance}endpoints/sockets/"),
        format!("{instance}endpoints/sockets/mine/secret/traces/"),
    ] {
        assert_eq!(world.get(&path).await.detail(404), unknown.replace("unknown-one", INSTANCE), "{path}");
    }
    world.delete(&instance).await.detail(404);
    world.patch(&instance, json!({ "description": "x" })).await.detail(404);
    world.post(&sockets(), super::socket("theirs", "e", "print(1)")).await.detail(404);
    world.delete(mine["links"]["self"].as_str().unwrap()).await.detail(404);
    assert_eq!(world.get("/v1.1/instances/").await.json["objects"], json!([]));
}
