//! What the benchmarks' endpoints do, as a bare axum handler: the ceiling of our own stack.

use axum::{Json, Router, routing::post};

#[derive(serde::Deserialize)]
struct Arguments {
    name: String,
    n: u64,
}

#[derive(serde::Serialize)]
struct Answer {
    message: String,
    sum: u64,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let greet = |Json(Arguments { name, n }): Json<Arguments>| async move {
        Json(Answer { message: format!("Hello, {name}!"), sum: (0..n).sum() })
    };
    axum::serve(listener, Router::new().route("/greet", post(greet))).await
}
