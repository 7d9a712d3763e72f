//! Other origins, other methods, other URLs.

use reqwest::Method;
use serde_json::json;

use super::{INSTANCE, World, run, sockets};

#[tokio::test]
async fn any_page_may_ask() {
    let world = World::new().await;
    for path in [sockets(), run("any/endpoint/")] {
        let request = world
            .request(Method::OPTIONS, &path)
            .header("origin", "https://example.org")
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "x-api-key,content-type,syncano-want");
        let reply = super::Reply::of(request.send().await.unwrap()).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(reply.header("access-control-allow-methods").contains(method));
        }
        for header in ["x-api-key", "x-user-key", "content-type", "authorization", "syncano-want"] {
            assert!(reply.header("access-control-allow-headers").contains(header), "{header}");
        }
    }
}

#[tokio::test]
async fn a_page_may_read_what_an_answer_says_about_itself() {
    let world = World::new().await;
    world.script("print(1)").await;
    for path in [run("run/"), run("unknown/"), "/nowhere".to_owned()] {
        let request = world.request(Method::GET, &path).header("origin", "https://example.org");
        let reply = super::Reply::of(request.send().await.unwrap()).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        for header in ["syncano-status", "syncano-trace", "syncano-result", "retry-after"] {
            assert!(reply.header("access-control-expose-headers").contains(header), "{path} {header}");
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = World::new().await;
    world.publish(super::socket("s", "e", "print(1)")).await;
    let instance = format!("/v1.1/instances/{INSTANCE}/");
    for (method, path, allowed) in [
        (Method::POST, "/health", "GET,HEAD"),
        (Method::GET, "/v1.1/account/register/", "POST"),
        (Method::GET, "/v1/account/auth/", "POST"),
        (Method::DELETE, "/v1.1/account/", "GET,HEAD,PUT,PATCH"),
        (Method::GET, "/v1.1/account/reset_key/", "POST"),
        (Method::GET, "/v1.1/account/password/", "POST"),
        (Method::DELETE, "/v1.1/instances/", "GET,HEAD,POST"),
        (Method::POST, &instance, "GET,HEAD,PUT,PATCH,DELETE"),
        (Method::GET, &format!("{instance}rename/"), "POST"),
        (Method::PUT, &format!("{instance}api_keys/"), "GET,HEAD,POST"),
        (Method::POST, &format!("{instance}api_keys/1/"), "GET,HEAD,PUT,PATCH,DELETE"),
        (Method::GET, &format!("{instance}api_keys/1/reset_key/"), "POST"),
        (Method::POST, &format!("{instance}snippets/"), "GET,HEAD"),
        (Method::DELETE, &format!("{instance}snippets/config/"), "GET,HEAD,PUT,PATCH"),
        (Method::POST, &format!("{instance}endpoints/"), "GET,HEAD"),
        (Method::DELETE, "/v2/account/", "GET,HEAD,PUT,PATCH"),
        (Method::DELETE, "/v2/instances/", "GET,HEAD,POST"),
        (Method::POST, &format!("/v2/instances/{INSTANCE}/endpoints/sockets/s/e/traces/"), "GET"),
        (Method::DELETE, &sockets(), "GET,HEAD,POST"),
        (Method::POST, &format!("{}s/", sockets()), "GET,HEAD,PUT,PATCH,DELETE"),
        (Method::GET, &format!("{}s/recheck/", sockets()), "POST"),
        (Method::POST, &format!("{}s/endpoints/", sockets()), "GET,HEAD"),
        (Method::POST, &format!("{}s/endpoints/e/", sockets()), "GET,HEAD"),
        (Method::POST, &run(""), "GET,HEAD"),
        (Method::POST, &run("s/e/traces/"), "GET"),
        (Method::DELETE, &run("s/e/traces/1/"), "GET"),
    ] {
        let reply = world.send(method.clone(), path, None).await;
        assert!(reply.detail(405).contains(method.as_str()), "{path}");
        assert_eq!(reply.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_nowhere_is_404() {
    let world = World::new().await;
    world.publish(super::socket("s", "e", "print(1)")).await;
    let instance = format!("/v1.1/instances/{INSTANCE}/");
    for path in [
        "/",
        "/v1.1/",
        "/v3/instances/",
        "/v1.1/account",
        "/v1.1/instances",
        instance.trim_end_matches('/'),
        sockets().trim_end_matches('/'),
        &format!("{}s", sockets()),
        &format!("{}s/endpoints", sockets()),
        &run("s/e"),
        &run("e"),
        &run("s/e/traces"),
        &run("s/e/history/"),
        &run("s/e/traces/1/2/"),
        &run("s//"),
        &format!("{instance}unknown/"),
        "/v1.1/instances/%ff/",
        "/v2/",
        "/v2/account",
        "/v2/instances",
        // Names that would be found if they were taken apart or trimmed.
        &format!("/v1.1/instances/%20{INSTANCE}/"),
        &format!("/v1.1/instances/{INSTANCE}%0a/"),
        &format!("{}%20s/", sockets()),
        &format!("{}s/endpoints/e%C2%A0/", sockets()),
        &format!("{}s%2Fendpoints/", sockets()),
        &run("s%2Fe/"),
        &run("s%2fe/"),
        &run("%20s/e/"),
        &run("s/e%20/"),
        &run("e%2Ftraces/"),
        &run("s/e/traces/%201/"),
    ] {
        world.get(path).await.detail(404);
    }
}

#[tokio::test]
async fn the_server_says_how_it_is() {
    let world = World::new().await;
    let reply = world.anonymous(Method::GET, "/health", None).await;
    assert_eq!(reply.status, 200);
    let isolation = syncano_server::Server::builder().examine().level;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        reply.json,
        json!({ "status": "ok", "version": version, "isolation": isolation, "running": 0, "traces_lost": 0 })
    );
}

#[tokio::test]
async fn a_head_has_no_fields_to_choose() {
    let world = World::new().await;
    let reply = world.anonymous(Method::HEAD, "/health?fields=status", None).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (200, ""));
}
