//! `syncano plan` against a running server.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod running;

use std::process::Stdio;

use serde_json::{Value, json};
use syncano_client::{Client, Socket};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use running::Serve;

/// Exit code, standard output, standard error.
type Done = (Option<i32>, String, String);

async fn plan(arguments: &[&str], key: Option<&str>, input: &str) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_syncano"))
        .arg("plan")
        .args(arguments)
        .env_clear()
        .envs(key.map(|key| ("SYNCANO_KEY", key)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn stock(endpoint: &str) -> Value {
    json!({
        "name": "stock",
        "endpoints": {endpoint: {"calls": [{"type": "script", "name": "left", "methods": ["GET"]}]}},
        "dependencies": [{"type": "script", "name": "left", "runtime_name": "python3", "source": "print(3)"}],
    })
}

#[tokio::test]
async fn it_tells_what_would_change_and_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let account = [("SYNCANO_ADMIN_EMAIL", "ann@example.org"), ("SYNCANO_ADMIN_PASSWORD", "a long password")];
    let server = Serve::start(&folder, &account).await;
    let client = Client::connect(&server.url).unwrap();
    let client = client.log_in("ann@example.org", "a long password").await.unwrap();
    let key = {
        use syncano_client::ExposeSecret as _;
        client.key().unwrap().expose_secret().to_owned()
    };
    let instance = client.create_or_open_instance("my-app").await.unwrap();
    let common = ["--url", &server.url, "--instance", "my-app", "-"];
    let input = |endpoint| stock(endpoint).to_string();

    let (code, said, _) = plan(&common, Some(&key), &input("left")).await;
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "the socket `stock` is new\n  + endpoint `left` (GET) is added\n")
    );
    assert!(instance.socket("stock").await.unwrap().is_none());

    instance.publish(&Socket::from_json(&stock("left")).unwrap()).await.unwrap();
    let (code, said, _) = plan(&common, Some(&key), &input("left")).await;
    assert_eq!((code, said.as_str()), (Some(0), "the socket `stock` stays as it is\n"));

    let file = folder.path().join("definition.json");
    std::fs::write(&file, json!([stock("remaining")]).to_string()).unwrap();
    let common = ["--url", &server.url, "--instance", "my-app", file.to_str().unwrap()];
    let (code, said, error) = plan(&common, Some(&key), "").await;
    assert_eq!(code, Some(4));
    assert_eq!(
        said,
        "the socket `stock` changes\n  ! endpoint `left` (GET) is removed\n  + endpoint `remaining` (GET) is added\n"
    );
    assert_eq!(error, "marked with `!`: 1 that would break those who call today\n");
    let (code, said, error) = plan(&[&common[..], &["--json"]].concat(), Some(&key), "").await;
    assert_eq!((code, error.as_str()), (Some(4), ""));
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said[0]["revision"], 1);
    assert_eq!(said[0]["changes"][0]["change"], "removed");

    // What can't be told is an error that says why.
    let refused = async |arguments: &[&str], key: Option<&str>, input: &str| {
        let (code, said, error) = plan(arguments, key, input).await;
        assert_eq!((code, said.as_str()), (Some(1), ""));
        error
    };
    let from_input = ["--url", &server.url, "--instance", "my-app", "-"];
    assert!(refused(&from_input, None, "{}").await.contains("is no definition of a socket"));
    assert!(refused(&from_input, Some(&key), "{").await.contains("standard input is not JSON"));
    assert!(refused(&from_input, None, &input("left")).await.contains("set SYNCANO_KEY"));
    let elsewhere = ["--url", &server.url, "--instance", "another", "-"];
    assert!(refused(&elsewhere, Some(&key), &input("left")).await.contains("there is no instance `another`"));
    server.stop().await;
}
