//! Sockets that the server fetches from an address. What comes of one that can be fetched is tested with the server.

use syncano_client::{Error, Map, SocketStatus};

use crate::World;

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
