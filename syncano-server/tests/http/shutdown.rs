//! The end of a server.

use std::time::Duration;

use reqwest::Method;

use super::{Reply, World, http, python, run};

/// Nobody listens there any more. A process that another test is just starting may hold the socket for a moment.
async fn assert_gone(address: &str) {
    for _ in 0..100 {
        match http().get(format!("{address}/health")).send().await {
            Err(error) if error.is_connect() => return,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("{address} still answers");
}

#[tokio::test]
async fn running_calls_finish_and_new_ones_are_refused() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let world = World::with(|server| server.database(&url)).await;
    world.script("import time\ntime.sleep(1.5)\nprint('done')").await;
    let running = tokio::spawn(world.request(Method::GET, &run("run/")).send());
    tokio::time::sleep(Duration::from_millis(700)).await;

    let World { server, http, .. } = world;
    let address = server.url();
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let health = http.get(format!("{address}/health")).send().await.unwrap();
    assert_eq!(Reply::of(health).await.detail(503), "the server is shutting down");
    let refused = http.get(format!("{address}{}", run("run/"))).send().await.unwrap();
    assert_eq!(Reply::of(refused).await.detail(503), "the server is shutting down");

    let finished = Reply::of(running.await.unwrap().unwrap()).await;
    assert_eq!(finished.outcome(), (200, "success", "trace"));
    stopping.await.unwrap();
    assert_gone(&address).await;

    // Its trace was stored.
    let world = World::with(|server| server.database(&url)).await;
    assert_eq!(world.get(&run("run/traces/1/")).await.json["result"]["stdout"], "done");
}

#[tokio::test]
async fn a_server_ends_when_it_is_dropped() {
    let world = World::new().await;
    let address = world.server.url();
    assert_eq!(world.anonymous(Method::GET, "/health", None).await.status, 200);
    drop(world.server);
    assert_gone(&address).await;
}

#[tokio::test]
async fn it_runs_until_told() {
    let server = syncano_server::Server::builder()
        .listen(([127, 0, 0, 1], 0).into())
        .database("sqlite::memory:")
        .start()
        .await
        .unwrap();
    let address = server.url();
    server.run_until(tokio::time::sleep(Duration::from_millis(50))).await;
    assert_gone(&address).await;
}
