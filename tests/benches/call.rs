//! What a warm call costs beside a bare axum handler, and the generated call beside the same request by hand:
//! `cargo bench -p syncano-tests`.
//!
//! All get the same request over a kept-alive connection of their own, in turn and in one run: only the ratios count. Who goes first
//! changes from round to round, since what a call leaves behind (a trace to store) falls to the next one.

use std::time::{Duration, Instant};

use axum::routing::post;
use serde::Serialize;
use syncano_client::{Client, Method, socket};
use syncano_core::{Contract, headers};
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

const TITLE: &str = "Types across the border!";
const SLUG: &str = "types-across-the-border";

const BLOCKS: usize = 12;
/// Rounds of a block.
const ROUNDS: usize = 500;
/// Rounds before the first block, which don't count.
const WARM_UP: usize = 500;

#[derive(Serialize)]
struct Arguments<'a> {
    title: &'a str,
}

/// What people write without a generated call.
struct ByHand {
    http: reqwest::Client,
    url: String,
    headers: Vec<(&'static str, String)>,
}

impl ByHand {
    fn new(url: String, headers: &[(&'static str, &str)]) -> ByHand {
        // The bounds that the generated call has, and that a request across a network needs.
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(310))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("bench/0.1.0");
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        ByHand { http: http.build().expect("a client"), url, headers }
    }

    async fn call(&self, title: &str) -> String {
        let body = serde_json::to_vec(&Arguments { title }).expect("it serialises");
        let mut request = self.http.post(&self.url).header("content-type", "application/json").body(body);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.expect("an answer").error_for_status().expect("a success");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("a string")
    }
}

/// Medians of each contestant in each block, in µs.
async fn in_turn<const N: usize>(call: impl AsyncFn(usize) -> String) -> Vec<[f64; N]> {
    let mut times = vec![[const { Vec::new() }; N]; BLOCKS];
    for round in 0..WARM_UP + BLOCKS * ROUNDS {
        for turn in 0..N {
            // Each is as often behind each of the others.
            let step = if (round / N).is_multiple_of(2) { turn } else { N - 1 - turn };
            let who = (round + step) % N;
            let start = Instant::now();
            let slug = call(who).await;
            let took = start.elapsed();
            assert_eq!(slug, SLUG);
            if let Some(counted) = round.checked_sub(WARM_UP) {
                times[counted / ROUNDS][who].push(took);
            }
        }
    }
    times.into_iter().map(|block| block.map(p50)).collect()
}

fn p50(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn report<const N: usize>(names: [&str; N], blocks: &[[f64; N]], beside: &str) {
    // The middle, the least and the largest.
    let spread = |value: &dyn Fn(&[f64; N]) -> f64| {
        let mut values: Vec<f64> = blocks.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        (values[values.len() / 2], values[0], values[values.len() - 1])
    };
    for (who, name) in names.into_iter().enumerate() {
        let (micros, ..) = spread(&|block| block[who]);
        print!("  {name:<26} {micros:5.0} µs");
        if who > 0 {
            let (middle, least, largest) = spread(&|block| block[who] / block[0]);
            print!("   {middle:.3} × {beside} ({least:.3}–{largest:.3})");
        }
        println!();
    }
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

    let url = |path| format!("{}/v1.1/instances/bench-instance/endpoints/sockets/{path}/", server.url());
    // What the generated call sends, too.
    let contract = Contract::of(&bench::definition().endpoints["slug"].metadata, Method::Post).fingerprint();
    let same = [("x-api-key", key.as_str()), (headers::CONTRACT, &contract)];
    let bare = ByHand::new(bare_url, &[]);
    let ours = ByHand::new(url("bench/slug"), &same);
    let unchecked = ByHand::new(url("unchecked/any_slug"), &same[..1]);
    let typed = bench::Client::new(&instance);

    println!("medians of {BLOCKS} blocks of {ROUNDS} requests each, in turn (the least and the largest):");
    let blocks = in_turn(async |who| match who {
        0 => bare.call(TITLE).await,
        1 => ours.call(TITLE).await,
        _ => unchecked.call(TITLE).await,
    });
    report(
        ["bare axum handler", "Python script, warm", "the same without schemas"],
        &blocks.await,
        "bare axum",
    );
    // By themselves, so that the code of neither is in the processor's caches more often than that of the other.
    let blocks = in_turn(async |who| match who {
        0 => ours.call(TITLE).await,
        _ => typed.slug(TITLE).await.expect("an answer"),
    });
    report(["Python script, by hand", "generated call"], &blocks.await, "by hand");
    server.stop().await;
}
