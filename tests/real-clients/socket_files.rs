//! The folder `socket/` over HTTP, for what installs sockets from an address.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;

use crate::folder;

/// The address of its `socket.yml`.
pub(crate) async fn serve() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/{*path}", get(file));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/socket.yml")
}

async fn file(Path(path): Path<String>) -> Result<String, StatusCode> {
    std::fs::read_to_string(folder().join("socket").join(path)).map_err(|_| StatusCode::NOT_FOUND)
}
