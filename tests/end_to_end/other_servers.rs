//! What the client makes of answers that our server doesn't give, or not at will.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::extract::Request;
use serde_json::{Value, json};
use syncano_client::{Client, Error, Map};

/// A server that answers every request by its number, from 0, and its URL.
async fn serving(answer: impl Fn(usize, &str) -> Value + Send + Sync + 'static) -> Client {
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let app = axum::Router::new().fallback(move |request: Request| {
        let (answer, count) = (answer.clone(), count.clone());
        async move { Json(answer(count.fetch_add(1, Ordering::SeqCst), &request.uri().to_string())) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Client::connect(&format!("http://{address}")).unwrap().account_key("0".repeat(40))
}

fn socket(status: &str, info: &str) -> Value {
    json!({
        "name": "weather", "status": status, "status_info": info, "revision": 1,
        "install_url": "https://example.com/socket.yml", "endpoints": {}, "dependencies": [], "new": {},
    })
}

#[tokio::test]
async fn the_end_of_checking_is_waited_for() {
    for (end, info) in [("ok", ""), ("error", "could not fetch it")] {
        let client = serving(move |number, _| match number {
            0..3 => socket("checking", ""),
            _ => socket(end, info),
        })
        .await;
        let url = "https://example.com/socket.yml";
        let installing = client.instance("one").install_from_url("weather", url, Map::new()).await.unwrap();
        match installing.installed().await {
            Ok(installed) => assert_eq!((installed.name(), end), ("weather", "ok")),
            Err(Error::NotInstalled { status_info, .. }) => {
                assert_eq!((status_info.as_str(), end), (info, "error"))
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_link_to_the_next_page_leads_nowhere_else() {
    for link in [
        "http://example.com/v1.1/instances/?last_pk=1",
        "//example.com/v1.1/instances/?last_pk=1",
        "@example.com/v1.1/instances/?last_pk=1",
        "/v1.1/instances/one/sockets/?last_pk=1",
        "/v1.1/instances/",
        "/v1.1/instances/?page_size=1",
    ] {
        let client = serving(move |_, _| json!({"next": link, "objects": [{"name": "one"}]})).await;
        let error = client.instances().page_size(1).await.unwrap_err();
        assert!(matches!(&error, Error::Decode { body, .. } if body == link), "{error}");
    }
    let client = serving(|number, url| match number {
        0 => json!({"next": "/V1.1/instances/?direction=1&last_pk=1", "objects": [{"name": "one"}]}),
        _ => json!({"next": null, "objects": [{"name": url}]}),
    })
    .await;
    let names: Vec<String> =
        client.instances().await.unwrap().into_iter().map(|details| details.name).collect();
    assert_eq!(names, ["one", "/V1.1/instances/?direction=1&last_pk=1"]);
}

#[tokio::test]
async fn what_can_t_be_read_names_the_request() {
    let client = serving(|_, _| json!({"next": null, "objects": [{"id": "seven"}]})).await;
    let error = client.instance("one").scripts_labelled("ä").await.unwrap_err();
    let text = error.to_string();
    let request = "GET /v1.1/instances/one/snippets/scripts/?label__startswith=%C3%A4: ";
    assert!(text.starts_with(request) && text.contains("invalid type"), "{text}");
}

#[tokio::test]
async fn names_stay_in_their_place() {
    let client = serving(|_, url| json!({"name": url})).await;
    let seen = client.instance("..").details().await.unwrap().name;
    assert_eq!(seen, "/v1.1/instances/..%20/");
}
