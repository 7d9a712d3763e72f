//! `syncano account` and `syncano key` as an operator meets them: beside a running server, and without one.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod running;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use syncano_client::Client;
use tempfile::TempDir;

use running::{PATIENCE, Serve, database, http};

/// Exit code, standard output, standard error.
type Done = (Option<i32>, String, String);

fn syncano(folder: &TempDir, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_syncano"))
        .args(arguments)
        .args(["--database", &database(folder)])
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Standard output of a command that does what it should.
#[track_caller]
fn said(done: Done) -> String {
    assert_eq!(done.0, Some(0), "{done:?}");
    done.1
}

/// Standard error of a command that can't do what it should.
#[track_caller]
fn refused(done: Done) -> String {
    assert_eq!((done.0, done.1.as_str()), (Some(1), ""), "{done:?}");
    done.2
}

#[track_caller]
fn key(done: Done) -> String {
    let said = said(done);
    let key = said.trim_end().to_owned();
    assert!(key.len() == 40 && key.chars().all(|c| c.is_ascii_hexdigit()), "{said}");
    key
}

async fn login(server: &Serve, email: &str, password: &str) -> (u16, Value) {
    let response = http()
        .post(format!("{}/v1.1/account/auth/", server.url))
        .header("content-type", "application/json")
        .body(json!({ "email": email, "password": password }).to_string())
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

async fn status(server: &Serve, path: &str, key: &str) -> u16 {
    let request = http().get(format!("{}{path}", server.url)).header("x-api-key", key);
    request.send().await.unwrap().status().as_u16()
}

/// Waits until the server has noticed.
async fn becomes(server: &Serve, path: &str, key: &str, expected: u16) {
    let noticed = tokio::time::timeout(PATIENCE, async {
        while status(server, path, key).await != expected {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    noticed.await.expect("the server should have noticed by now");
}

#[tokio::test]
async fn accounts_and_keys_are_changed_beside_a_running_server() {
    let folder = TempDir::new().unwrap();
    let server = Serve::start(&folder, &[]).await;
    let run = |arguments: &[&str], environment: &[(&str, &str)], input: &str| {
        syncano(&folder, arguments, environment, input)
    };

    let ann = key(run(&["account", "add", "Ann@Example.org", "--password-stdin"], &[], "first word\n"));
    becomes(&server, "/v1.1/account/", &ann, 200).await;
    let (code, account) = login(&server, "ann@example.org", "first word").await;
    assert_eq!((code, account["account_key"].as_str()), (200, Some(ann.as_str())));
    let bob = key(run(&["account", "add", "bob@example.org"], &[("SYNCANO_PASSWORD", "bobs")], ""));
    let eve = key(run(&["account", "add", "eve@example.org"], &[], ""));
    becomes(&server, "/v1.1/account/", &eve, 200).await;
    assert_eq!(login(&server, "bob@example.org", "bobs").await.1["account_key"], bob.as_str());
    assert_eq!(login(&server, "eve@example.org", "").await.0, 400);

    let list = said(run(&["account", "list"], &[], ""));
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..4], ["1", "admin@localhost", "key", "only"]);
    assert_eq!(rows[1][..3], ["2", "ann@example.org", "password"]);
    assert_eq!(rows[3][..4], ["4", "eve@example.org", "key", "only"]);
    assert_eq!(rows.len(), 4);

    said(run(&["account", "password", "ANN@example.org"], &[("SYNCANO_PASSWORD", "second word")], ""));
    assert_eq!(login(&server, "ann@example.org", "first word").await.0, 401);
    assert_eq!(login(&server, "ann@example.org", "second word").await.0, 200);

    Client::connect(&server.url).unwrap().account_key(&ann).create_instance("anns-own").await.unwrap();
    let made = http()
        .post(format!("{}/v1.1/instances/anns-own/api_keys/", server.url))
        .header("x-api-key", &ann)
        .header("content-type", "application/json")
        .body(r#"{"description": "the \u001b[31mapp"}"#)
        .send()
        .await
        .unwrap();
    let made: Value = serde_json::from_slice(&made.bytes().await.unwrap()).unwrap();
    let api_key = made["api_key"].as_str().unwrap();
    let of_ann = said(run(&["key", "list", "ann@example.org"], &[], ""));
    let own = format!("{ann}  ann@example.org  account");
    // What its maker wrote can't do anything to a terminal.
    let of_instance = format!("{api_key}  ann@example.org  API key 1  anns-own  the \\u{{1b}}[31mapp");
    assert_eq!(of_ann, format!("{own}\n{of_instance}\n"));
    let all = said(run(&["key", "list"], &[], ""));
    assert!(all.lines().count() == 5 && all.contains(&bob) && all.contains(&eve), "{all}");

    let new_ann = key(run(&["key", "reset", "ann@example.org"], &[], ""));
    becomes(&server, "/v1.1/account/", &ann, 403).await;
    assert_eq!(status(&server, "/v1.1/account/", &new_ann).await, 200);
    let new_api_key = key(run(&["key", "reset", "--api-key", "1"], &[], ""));
    let instance = "/v1.1/instances/anns-own/";
    becomes(&server, instance, api_key, 403).await;
    assert_eq!(status(&server, instance, &new_api_key).await, 200);

    let (code, _, log) = server.stop().await;
    assert_eq!(code, Some(0));
    for secret in [&ann, &new_ann, &bob, &eve, &new_api_key, "first word", "second word"] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    // And without a server.
    assert_eq!(
        said(run(&["key", "list", "ann@example.org"], &[], "")).split(' ').next(),
        Some(new_ann.as_str())
    );
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let folder = TempDir::new().unwrap();
    let run = |arguments: &[&str]| syncano(&folder, arguments, &[], "");
    let text = refused(run(&["account", "list"]));
    assert!(text.contains("test.db") && text.contains("no database"), "{text}");
    assert!(!folder.path().join("test.db").exists());
    Serve::start(&folder, &[]).await.stop().await;

    assert!(refused(run(&["account", "add", "nobody"])).contains("name@host"));
    said(run(&["account", "add", "ann@example.org"]));
    assert!(refused(run(&["account", "add", "ANN@example.org"])).contains("already"));
    assert!(refused(run(&["account", "add", "b@c.de", "--password-stdin"])).contains("no password"));
    assert!(refused(run(&["account", "password", "ann@example.org"])).contains("--password-stdin"));
    let environment = [("SYNCANO_PASSWORD", "p")];
    let text = refused(syncano(&folder, &["account", "password", "b@c.de"], &environment, ""));
    assert!(text.contains("no account `b@c.de`"), "{text}");
    assert!(refused(run(&["key", "list", "b@c.de"])).contains("no account"));
    assert!(refused(run(&["key", "reset", "b@c.de"])).contains("no account"));
    assert!(refused(run(&["key", "reset", "--api-key", "7"])).contains("no API key 7"));
    assert_eq!(run(&["key", "reset"]).0, Some(2));
    assert_eq!(run(&["key", "reset", "ann@example.org", "--api-key", "7"]).0, Some(2));
    assert_eq!(said(run(&["account", "list"])).lines().count(), 2);

    // Its keys would be others.
    let text =
        refused(syncano(&folder, &["key", "list"], &[("SYNCANO_SECRET", "another one than before")], ""));
    assert!(text.contains("another secret"), "{text}");
    std::fs::remove_file(folder.path().join("test.db.secret")).unwrap();
    assert!(refused(run(&["key", "list"])).contains("test.db.secret"));
    let mut memory = Command::new(env!("CARGO_BIN_EXE_syncano"));
    let output = memory.args(["key", "list", "--database", "sqlite::memory:"]).env_clear().output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("in memory"));
}
