//! `syncano serve` as an operator meets it: a process with flags, environment, output and signals.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod running;

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use syncano_client::{Client, Method, Runtime, Socket};
use tempfile::TempDir;
use tokio::process::Command;

use running::{PATIENCE, Serve, command, http};

async fn get(url: String) -> (u16, Value) {
    let response = http().get(url).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
}

/// The refusal of a server that doesn't start: exit code and standard error.
async fn refused(mut command: Command) -> (Option<i32>, String) {
    let output =
        tokio::time::timeout(PATIENCE, command.output()).await.expect("it should have ended").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn the_first_start_makes_an_account_and_shows_its_key_once() {
    let folder = TempDir::new().unwrap();
    let server = Serve::start(&folder, &[]).await;
    assert!(server.url.starts_with("http://127.0.0.1:") && !server.url.ends_with(":0"), "{}", server.url);
    assert_eq!(get(format!("{}/health", server.url)).await.0, 200);
    let url = server.url.clone();
    let (code, stdout, log) = server.stop().await;
    assert_eq!(code, Some(0), "{log}");
    let key = stdout.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(key.len() == 40 && key.chars().all(|c| c.is_ascii_hexdigit()), "{stdout}");
    assert!(!log.contains(&key), "the key is in the log");

    let server = Serve::start(&folder, &[]).await;
    let client = Client::connect(&server.url).unwrap().account_key(&key);
    client.create_instance("my-instance").await.unwrap();
    let (code, stdout, _) = server.stop().await;
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    // Nobody listens there any more.
    assert!(http().get(format!("{url}/health")).send().await.is_err());
}

#[tokio::test]
async fn a_configured_account_is_made_unless_it_exists() {
    let folder = TempDir::new().unwrap();
    let admin =
        [("SYNCANO_ADMIN_EMAIL", "Admin@Example.com"), ("SYNCANO_ADMIN_PASSWORD", "very secret words")];
    let mut keys = Vec::new();
    for _ in 0..2 {
        let server = Serve::start(&folder, &admin).await;
        let login = json!({"email": "admin@example.com", "password": "very secret words"});
        let response = http()
            .post(format!("{}/v1.1/account/auth/", server.url))
            .header("content-type", "application/json")
            .body(login.to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let account: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        keys.push(account["account_key"].as_str().unwrap().to_owned());
        let (code, stdout, log) = server.stop().await;
        assert_eq!((code, stdout.as_str()), (Some(0), ""));
        assert!(!log.contains("very secret words") && !log.contains(&keys[0]), "{log}");
    }
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn sigterm_finishes_what_runs_and_refuses_what_is_new() {
    if !std::path::Path::new("/usr/bin/python3").exists() {
        assert!(std::env::var_os("CI").is_none(), "CI needs Python: install python3");
        eprintln!("skipped: no /usr/bin/python3");
        return;
    }
    let folder = TempDir::new().unwrap();
    let admin = [
        ("SYNCANO_ADMIN_EMAIL", "a@b.co"),
        ("SYNCANO_ADMIN_PASSWORD", "pw"),
        ("SYNCANO_SECRET", "s".repeat(40).leak() as &str),
    ];
    let server = Serve::start(&folder, &admin).await;
    let login = http()
        .post(format!("{}/v1.1/account/auth/", server.url))
        .header("content-type", "application/json")
        .body(r#"{"email": "a@b.co", "password": "pw"}"#)
        .send()
        .await
        .unwrap();
    let account: Value = serde_json::from_slice(&login.bytes().await.unwrap()).unwrap();
    let client = Client::connect(&server.url).unwrap().account_key(account["account_key"].as_str().unwrap());
    let instance = client.create_instance("my-instance").await.unwrap();
    let socket = Socket::builder("s")
        .script("slow", Runtime::Python3, "import time; print('done', flush=True); time.sleep(4)")
        .call("slow", "slow", [Method::Get])
        .build()
        .unwrap();
    instance.publish(&socket).await.unwrap();

    let run = format!("{}/v1.1/instances/my-instance/endpoints/sockets/s/slow/", server.url);
    let running = tokio::spawn(get(run.clone()));
    while get(format!("{}/health", server.url)).await.1["running"] != 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.signal(Signal::TERM);
    // The signal arrives when it arrives; from then on everything new is refused while the old call runs.
    while get(format!("{}/health", server.url)).await.0 == 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (status, body) = get(run).await;
    assert_eq!(status, 503, "{body}");
    assert!(body["detail"].is_string(), "{body}");
    let (status, trace) = running.await.unwrap();
    assert_eq!(
        (status, &trace["status"], &trace["result"]["stdout"]),
        (200, &json!("success"), &json!("done"))
    );
    let (code, ..) = server.ended().await;
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn what_it_cannot_do_it_says_and_exits() {
    let folder = TempDir::new().unwrap();
    let (code, text) = refused(command(&folder, &[("SYNCANO_ADMIN_EMAIL", "a@b.co")])).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("SYNCANO_ADMIN_PASSWORD"), "{text}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut other = Command::new(env!("CARGO_BIN_EXE_syncano"));
    other.args(["serve", "--database", "sqlite::memory:", "--listen", &address]).env_clear();
    let (code, text) = refused(other).await;
    assert_eq!(code, Some(1));
    assert!(text.contains(&address), "{text}");

    for (flag, value, hint) in [
        ("--script-timeout", "0", "more than 0"),
        ("--script-timeout", "301", "at most 300"),
        ("--listen", "here", "such as 127.0.0.1:8080"),
        ("--instance-rate", "0", "zero"),
        ("--anonymous-rate", "many", "invalid digit"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syncano"));
        command.args(["serve", "--database", "sqlite::memory:", flag, value]);
        let (code, text) = refused(command).await;
        assert_eq!(code, Some(2));
        assert!(text.contains(hint) && text.contains(value), "{text}");
    }

    // A name alone would be a part of the server, and nothing else would be logged.
    for (filter, hint) in [
        ("blah", "`blah` is no level: use error, warn, info, debug"),
        ("info,syncano_server", "`syncano_server` is no level"),
        ("syncano_server=blah", "use error, warn, info, debug"),
    ] {
        let (code, text) = refused(command(&folder, &[("SYNCANO_LOG", filter)])).await;
        assert_eq!(code, Some(1));
        assert!(text.contains(&format!("SYNCANO_LOG={filter}")) && text.contains(hint), "{text}");
    }

    let mut nowhere = Command::new(env!("CARGO_BIN_EXE_syncano"));
    let missing = folder.path().join("no/such/folder/x.db");
    nowhere
        .args(["serve", "--isolation-minimum", "process", "--listen", "127.0.0.1:0", "--database"])
        .arg(format!("sqlite://{}", missing.display()));
    let (code, text) = refused(nowhere).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("no/such/folder"), "{text}");
}

#[tokio::test]
async fn another_secret_is_accepted_only_when_asked_for() {
    let folder = TempDir::new().unwrap();
    let (code, stdout, log) =
        Serve::start(&folder, &[("SYNCANO_SECRET", "the first secret of it")]).await.stop().await;
    assert_eq!(code, Some(0), "{log}");
    let key = stdout.trim().rsplit(' ').next().unwrap().to_owned();
    let other = [("SYNCANO_SECRET", "the second secret of it")];
    let (code, log) = refused(command(&folder, &other)).await;
    assert_eq!(code, Some(1));
    assert!(log.contains("--accept-new-secret"), "{log}");
    let mut accepting = command(&folder, &other);
    accepting.arg("--accept-new-secret");
    let server = Serve::spawn(accepting).await;
    let client = Client::connect(&server.url).unwrap().account_key(&key);
    let error = client.create_instance("my-instance").await.unwrap_err();
    assert!(error.to_string().contains("key"), "{error}");
    server.stop().await;
    // From now on it is the one.
    Serve::start(&folder, &other).await.stop().await;
}

#[tokio::test]
async fn what_flags_say_is_done() {
    let folder = TempDir::new().unwrap();
    let mut flags = command(&folder, &[]);
    flags.args(["--flat-names", "alias", "--node", "/nowhere/node", "--python", "/nowhere/python3"]);
    let server = Serve::spawn(flags).await;
    let (_, stdout, log) = {
        let health = get(format!("{}/health", server.url)).await;
        assert_eq!(health.0, 200);
        server.stop().await
    };
    assert!(stdout.contains("account key"), "{stdout}");
    assert!(log.contains("/nowhere/node") && log.contains("/nowhere/python3"), "{log}");
    // What goes to a file has no colours.
    assert!(!log.contains('\u{1b}'), "{log}");
}
