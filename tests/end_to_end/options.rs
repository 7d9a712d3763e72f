//! What the macro's options do on a server.

use syncano_client::{CallError, socket, sockets};

use crate::{World, python};

#[socket(runtime = "python3", config = {"currency": "EUR"})]
mod shop {
    #[endpoint("price", GET, private, timeout = 20, config = {"rate": 2},
        source = "def main(net: int): return f\"{net * CONFIG['rate']} {CONFIG['currency']}\"")]
    pub async fn price(net: u32) -> String;

    #[endpoint("price", POST, script = "price")]
    pub async fn open_price(net: u32) -> String;

    #[endpoint("kept", GET, cache = 600, source = "import uuid\ndef main(): return str(uuid.uuid4())")]
    pub async fn kept() -> String;

    #[endpoint("slow", GET, timeout = 0.5, source = "import time\ndef main(): time.sleep(20)")]
    pub async fn slow();
}

#[socket(runtime = "python3")]
mod other {
    /// The script that the other socket brought, by its script endpoint.
    #[endpoint("again", POST, script_endpoint = "price")]
    pub async fn again(net: u32) -> String;
}

mod both {
    use super::{other, shop, sockets};

    sockets![shop, other];
}

#[tokio::test]
async fn options_reach_the_server() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let published = both::publish(&world.instance).await.unwrap();
    let names: Vec<&str> = published.iter().map(|socket| socket.name()).collect();
    assert_eq!(names, ["shop", "other"]);

    let (api, open) = (shop::Client::new(&world.instance), shop::Client::new(&world.stranger()));
    assert_eq!(api.price(3).await.unwrap(), "6 EUR");
    assert!(matches!(open.price(3).await, Err(CallError::Api { .. })));
    assert_eq!(open.open_price(3).await.unwrap(), "6 EUR");
    assert_eq!(api.kept().await.unwrap(), api.kept().await.unwrap());
    let CallError::Script(failure) = api.slow().await.unwrap_err() else { panic!("it has no time") };
    assert_eq!(failure.status.to_string(), "timeout");
    assert!(other::Client::new(&world.instance).again(3).await.is_err(), "its CONFIG has no `currency`");
}
