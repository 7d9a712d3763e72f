//! What a warm call costs beside a bare axum handler: `cargo bench -p syncano-tests`.
//!
//! Both get the same request over a kept-alive connection, in turn, in one run: only the ratio counts.

use std::time::{Duration, Instant};

use axum::routing::post;
use syncano_client::{Client, Method, socket};
use syncano_core::Contract;
use syncano_server::TestServer;

#[socket(name = "bench", runtime = "python3")]
mod bench {
    #[endpoint(
        "slug",
        POST,
        source = r#"
        import re

        def main(title: str) -> str:
            return "-".join(re.findall(r"\w+", title.lower()))
    "#
    )]
    pub async fn slug(title: &str) -> String;
}

/// The same without schemas.
#[socket(name = "unchecked", runtime = "python3")]
mod unchecked {
    #[endpoint(
        "any_slug",
        POST,
        source = r#"
        import re

        def main(title: str) -> str:
            return "-".join(re.findall(r"\w+", title.lower()))
    "#
    )]
    pub async fn slug(title: &str) -> String;
}

const BODY: &str = r#"{"title":"Types across the border!"}"#;
const ROUNDS: usize = 2_000;

async fn request(http: &reqwest::Client, url: &str, headers: &[(&str, &str)]) -> Duration {
    let start = Instant::now();
    let mut request = http.post(url).header("content-type", "application/json").body(BODY);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success());
    let body = response.bytes().await.expect("a body");
    assert_eq!(body, r#""types-across-the-border""#);
    start.elapsed()
}

fn p50(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

#[tokio::main]
async fn main() {
    let bare = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let bare_url = format!("http://{}/slug", bare.local_addr().expect("an address"));
    let handler = axum::Router::new().route(
        "/slug",
        post(|axum::Json(body): axum::Json<serde_json::Value>| async move {
            let title = body["title"].as_str().unwrap_or_default().to_lowercase();
            let words: Vec<_> =
                title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
            axum::Json(words.join("-"))
        }),
    );
    tokio::spawn(async move { axum::serve(bare, handler).await });

    let server = TestServer::start().await.expect("the server starts");
    let key = secrecy::ExposeSecret::expose_secret(server.account_key()).to_owned();
    let client = Client::connect(&server.url()).expect("an address").account_key(key.as_str());
    let instance = client.create_or_open_instance("bench-instance").await.expect("an instance");
    bench::publish(&instance).await.expect("published");
    let mut bare_socket = unchecked::definition();
    bare_socket.endpoints.values_mut().for_each(|endpoint| endpoint.metadata.clear());
    instance.publish(&bare_socket).await.expect("published");
    let api = bench::Client::new(&instance);
    let url = format!("{}/v1.1/instances/bench-instance/endpoints/sockets/bench/slug/", server.url());
    let unchecked_url =
        format!("{}/v1.1/instances/bench-instance/endpoints/sockets/unchecked/any_slug/", server.url());

    let http = reqwest::Client::new();
    let (mut axum, mut ours, mut typed, mut free) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // What the generated call sends, too.
    let contract = Contract::of(&bench::definition().endpoints["slug"].metadata, Method::Post).fingerprint();
    let same = [("x-api-key", key.as_str()), ("syncano-contract", &contract)];
    for round in 0..ROUNDS + 200 {
        let times = (request(&http, &bare_url, &[]).await, request(&http, &url, &same).await, {
            let start = Instant::now();
            api.slug("Types across the border!").await.expect("an answer");
            start.elapsed()
        });
        let unchecked = request(&http, &unchecked_url, &same[..1]).await;
        // The first rounds warm up.
        if round >= 200 {
            axum.push(times.0);
            ours.push(times.1);
            typed.push(times.2);
            free.push(unchecked);
        }
    }
    let (axum, ours, typed, free) = (p50(axum), p50(ours), p50(typed), p50(free));
    println!("p50 of {ROUNDS} requests, one connection each, in turn:");
    println!("  bare axum handler         {axum:7.0} µs");
    println!("  Python script, warm       {ours:7.0} µs   {:.2} × bare axum", ours / axum);
    println!("  the same without schemas  {free:7.0} µs   {:.2} × bare axum", free / axum);
    println!("  the same, generated call  {typed:7.0} µs   {:.2} × by hand", typed / ours);
    server.stop().await;
}
