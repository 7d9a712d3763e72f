//! What a server with many scripts takes. Measured, and not tested: it depends on the build.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod running;

use serde_json::json;
use syncano_client::{Client, NewScript, Runtime, Socket};
use tempfile::TempDir;

use running::{PATIENCE, Serve};

const SCRIPTS: usize = 1_000;

/// `cargo test --release -p syncano-cli --test memory -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement, of a release build"]
async fn a_thousand_scripts_and_no_worker() {
    let folder = TempDir::new().unwrap();
    let (_, stdout, _) = Serve::start(&folder, &[]).await.stop().await;
    let key = stdout.trim().rsplit(' ').next().unwrap().to_owned();
    let server = Serve::start(&folder, &[]).await;
    println!("no scripts:               {}", memory(server.pid()));
    let client = Client::connect(&server.url).unwrap().account_key(&key);
    let instance = client.create_instance("many-scripts").await.unwrap();
    for n in 0..SCRIPTS / 2 {
        let source = format!("def main(name):\n    return f'{{name}} {n}'\n").repeat(1 + n % 20);
        instance.create_script(NewScript::new(Runtime::Python3, source)).await.unwrap();
    }
    for n in 0..SCRIPTS / 20 {
        let mut socket = Socket::builder(format!("socket_{n}"));
        for m in 0..10 {
            let script = format!("script_{n}_{m}");
            let source = format!("def main(name):\n    return f'{{name}} {n} {m}'\n");
            socket = socket.script(&*script, Runtime::Python3, source);
            socket = socket.call(format!("endpoint_{n}_{m}"), &*script, [syncano_client::Method::Get]);
        }
        instance.publish(&socket.build().unwrap()).await.unwrap();
    }
    println!("{SCRIPTS} scripts published:  {}", memory(server.pid()));
    server.stop().await;

    // None of them has run, and nothing has been checked or published since the start.
    let server = Serve::start(&folder, &[]).await;
    println!("{SCRIPTS} scripts, restarted: {}", memory(server.pid()));
    let client = Client::connect(&server.url).unwrap().account_key(&key);
    let instance = client.create_or_open_instance("many-scripts").await.unwrap();
    let answer = instance.run(syncano_client::Method::Get, "endpoint_0_0", json!({"name": "a"}));
    let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap();
    println!("after one call ({answer}): {}", memory(server.pid()));
}

/// What of the process's memory is in use: its own, and pages of files.
fn memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    };
    format!("{:.1} MiB, {:.1} of them its own", of("VmRSS:"), of("RssAnon:"))
}
