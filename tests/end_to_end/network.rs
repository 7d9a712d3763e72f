//! Whom the scripts of a socket may talk to: what the macro says reaches the proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::get;
use syncano_client::socket;

use crate::{World, python};

#[socket(name = "open", runtime = "python3")]
mod open {
    #[endpoint(
        "fetch",
        GET,
        source = r#"
        import urllib.request

        def main(url: str) -> str:
            try:
                return urllib.request.urlopen(url, timeout=20).read().decode()
            except OSError as error:
                return str(error)
    "#
    )]
    pub async fn fetch(url: &str) -> String;
}

#[socket(name = "closed", runtime = "python3", network = "none")]
mod closed {
    #[endpoint(
        "fetch_nothing",
        GET,
        source = r#"
        import urllib.request

        def main(url: str) -> str:
            try:
                return urllib.request.urlopen(url, timeout=20).read().decode()
            except OSError as error:
                return str(error)
    "#
    )]
    pub async fn fetch(url: &str) -> String;
}

#[tokio::test]
async fn the_network_of_a_socket_is_that_of_its_scripts() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let outside = Router::new().route(
        "/",
        get(|| async move {
            counted.fetch_add(1, Ordering::SeqCst);
            "hello from outside"
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, outside).await });

    let world = World::with(|server| server.allow_network("127.0.0.1/32".parse().unwrap())).await;
    if !python() || syncano_server::Server::builder().examine().level < syncano_server::Isolation::Namespace {
        eprintln!("skipped: scripts have no network on this machine");
        return;
    }
    open::publish(&world.instance).await.unwrap();
    closed::publish(&world.instance).await.unwrap();
    assert_eq!(open::Client::new(&world.instance).fetch(&url).await.unwrap(), "hello from outside");
    let said = closed::Client::new(&world.instance).fetch(&url).await.unwrap();
    assert!(said.contains("the network policy of the script's socket is `none`"), "{said}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
