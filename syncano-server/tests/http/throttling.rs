//! Requests per second.

use std::num::NonZeroU32;

use reqwest::Method;
use serde_json::json;

use super::{INSTANCE, Reply, World, sockets};

const ONE: NonZeroU32 = NonZeroU32::new(1).unwrap();

/// Asks again and again until it is too much. With one a second that is soon, however slow this machine is.
async fn refused(ask: impl AsyncFn() -> Reply) -> Reply {
    for _ in 0..1000 {
        let reply = ask().await;
        if reply.status == 429 {
            return reply;
        }
    }
    panic!("never too many");
}

/// Asks until it is answered, as the refusal says.
async fn answered(ask: impl AsyncFn() -> Reply) -> Reply {
    for _ in 0..60 {
        let reply = ask().await;
        if reply.status != 429 {
            return reply;
        }
        tokio::time::sleep(std::time::Duration::from_secs(reply.header("retry-after").parse().unwrap()))
            .await;
    }
    panic!("never again");
}

#[tokio::test]
async fn nothing_is_counted_unless_it_is_asked_for() {
    let world = World::new().await;
    for _ in 0..100 {
        assert_eq!(world.get(&sockets()).await.status, 200);
    }
}

#[tokio::test]
async fn an_instance_answers_so_many() {
    let world = World::with(|server| server.instance_rate(ONE)).await;
    let list = async || world.get(&sockets()).await;
    let reply = refused(list).await;
    assert_eq!(reply.detail(429), "more than 1 requests per second for this instance: wait a second");
    assert_eq!((reply.header("retry-after"), reply.header("access-control-allow-origin")), ("1", "*"));
    // Runs of strangers, and requests without a key, are counted with the others.
    let run = async || world.run(Method::GET, "unknown/", None).await;
    refused(run).await.detail(429);
    refused(async || world.anonymous(Method::GET, &format!("/v2/instances/{INSTANCE}/x/"), None).await).await;
    // What is elsewhere isn't.
    for number in 0..20 {
        let body = json!({ "name": format!("instance-{number}") });
        assert_eq!(world.post("/v1.1/instances/", body).await.status, 201);
    }
    assert_eq!(world.get("/v1.1/instances/instance-1/").await.status, 200);
    assert_eq!(answered(list).await.status, 200);
}

#[tokio::test]
async fn an_account_asks_so_much_outside_instances() {
    let world = World::with(|server| server.account_rate(ONE)).await;
    let account = async || world.get("/v1.1/account/").await;
    assert!(refused(account).await.detail(429).contains("account"));
    // As it does with its key inside a body.
    let text = async || {
        let body = json!({ "_api_key": world.key, "_method": "GET" }).to_string();
        let request = world.request(Method::POST, "/v2/account/").header("content-type", "text/plain");
        Reply::of(request.body(body).send().await.unwrap()).await
    };
    refused(text).await;
    for _ in 0..20 {
        assert_eq!(world.get(&sockets()).await.status, 200);
        world.anonymous(Method::GET, "/v1.1/account/", None).await.detail(403);
    }
    assert_eq!(answered(account).await.status, 200);
}

#[tokio::test]
async fn an_address_asks_so_much_without_a_key() {
    let world = World::with(|server| server.anonymous_rate(ONE)).await;
    let login = async || world.anonymous(Method::POST, "/v1.1/account/auth/", None).await;
    assert!(refused(login).await.detail(429).contains("address"));
    // A bad key is none.
    refused(async || world.with_key("x", Method::GET, "/v1.1/account/", None).await).await;
    for _ in 0..20 {
        assert_eq!(world.get("/v1.1/account/").await.status, 200);
        assert_eq!(world.anonymous(Method::GET, "/health", None).await.status, 200);
        world.run(Method::GET, "unknown/", None).await.detail(404);
    }
    answered(login).await.field("email");
}
