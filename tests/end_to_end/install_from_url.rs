//! Sockets that the server fetches from an address.

use axum::Router;
use axum::routing::get;
use serde_json::json;
use syncano_client::{Error, Map, Method, SocketStatus};

use crate::{World, python};

#[tokio::test]
async fn a_socket_is_installed_from_its_address() {
    const YAML: &str = "
endpoints:
  hello: {script: greet}
dependencies:
  scripts:
    greet: {runtime_name: python3, file: greet.py}
";
    let files = Router::new()
        .route("/socket.yml", get(|| async { YAML }))
        .route("/greet.py", get(|| async { "def main(): return 'hello ' + CONFIG['who']" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/socket.yml", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, files).await });

    let world = World::with(|server| server.allow_network("127.0.0.0/8".parse().unwrap())).await;
    let config = json!({"who": "Ada"}).as_object().unwrap().clone();
    let installing = world.instance.install_from_url("greeter", &url, config).await.unwrap();
    let installed = installing.installed().await.unwrap();
    assert_eq!((installed.status(), installed.install_url()), (SocketStatus::Ok, Some(url.as_str())));
    assert!(installed.definition().endpoint("hello").is_some());
    if python() {
        assert_eq!(installed.run(Method::Get, "hello", ()).await.unwrap(), "hello Ada");
    }
}

#[tokio::test]
async fn an_address_that_gives_no_socket_is_told() {
    let world = World::new().await;
    // Nobody listens there, and a server fetches nothing from its own machine.
    let url = "http://127.0.0.1:9/socket.yml";
    let installing = world.instance.install_from_url("fetched", url, Map::new()).await.unwrap();
    assert_eq!(installing.install_url(), Some(url));
    let error = installing.installed().await.unwrap_err();
    assert!(matches!(&error, Error::NotInstalled { socket, .. } if socket == "fetched"), "{error}");
    assert!(error.to_string().contains(url), "{error}");
    let found = world.instance.socket("fetched").await.unwrap().unwrap();
    assert_eq!(found.status(), SocketStatus::Error);
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let world = World::new().await;
    let error = world.instance.install_from_url("fetched", "nonsense", Map::new()).await.unwrap_err();
    let Error::Api(error) = error else { panic!("{error}") };
    assert!(error.status == 400 && error.fields.contains_key("install_url"), "{error}");
    assert!(world.instance.socket("fetched").await.unwrap().is_none());
}
