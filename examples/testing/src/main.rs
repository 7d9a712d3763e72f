//! A small shop and its tests. `cargo run -p testing` sells something; `cargo test -p testing` is what this is about:
//!
//! * `order.rs` has the shop's own code, and unit tests with a fake: no server, no Python;
//! * `stock.rs` has the socket, and tests of its scripts: each with a server, an instance and a database of its own.

pub mod order;
pub mod stock;

use secrecy::ExposeSecret as _;
use syncano_client::Client;
use syncano_server::Server;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let loopback = ([127, 0, 0, 1], 0).into();
    let server = Server::builder().listen(loopback).database("sqlite::memory:").start().await?;
    let client = Client::connect(&server.url())?.account_key(server.admin_key().expose_secret());
    let instance = client.create_or_open_instance("small-shop").await?;
    stock::stock::publish(&instance).await?;

    let api = stock::stock::Client::new(&instance);
    for (item, count) in [("tea", 2), ("tea", 9), ("gold", 1)] {
        println!("{count} × {item}: {}", order::order(&api, item, count).await?);
    }
    server.shutdown().await;
    Ok(())
}
