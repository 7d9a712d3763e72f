//! Runs a program against a server of its own and judges what it says.

use std::fs::{self, File};
use std::process::ExitStatus;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use syncano_server::{ServerBuilder, TestServer};
use tokio::process::Command;

use crate::{folder, install, socket_files};

const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "correct horse battery";

/// Far more than any program takes. The clients repeat some requests for ever.
const DEADLINE: Duration = Duration::from_secs(300);

/// What a program prints, a line of JSON each.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Step { step: String, error: Option<String> },
    End { steps: usize },
}

/// The program `client/topic`, which must pass every step.
pub(crate) async fn run(client: &str, topic: &str) {
    // The scripts are in Python, so every program needs it.
    let Some(python) = install::python() else { return };
    let path = folder().join(client).join(topic);
    let mut command = if client == "javascript" {
        let Some(modules) = install::javascript() else { return };
        let mut node = Command::new("node");
        node.arg(path.with_extension("js")).env("NODE_PATH", modules);
        node
    } else {
        let mut interpreter = Command::new(python);
        interpreter.arg(path.with_extension("py"));
        interpreter.env("PYTHONPATH", folder()).env("PYTHONDONTWRITEBYTECODE", "1");
        interpreter
    };

    let server = TestServer::builder().with(settings).start().await.expect("the test server starts");
    let home = install::target().join(format!("{client}-{topic}-{}", std::process::id()));
    // Left by a process of the same number, which failed.
    if home.exists() {
        fs::remove_dir_all(&home).unwrap();
    }
    fs::create_dir(&home).unwrap();
    let (stdout, stderr) = (home.join("stdout"), home.join("stderr"));
    for variable in ["SYNCANO_APIKEY", "SYNCANO_INSTANCE", "SYNCANO_LOGLEVEL"] {
        command.env_remove(variable);
    }
    let mut child = command
        .env("HOME", &home)
        .env("NO_PROXY", "127.0.0.1")
        .env("SYNCANO_APIROOT", format!("{}/", server.url()))
        .env("SYNCANO_EMAIL", EMAIL)
        .env("SYNCANO_PASSWORD", PASSWORD)
        .env("SOCKET_FOLDER", folder().join("socket"))
        .env("SOCKET_URL", socket_files::serve().await)
        .current_dir(&home)
        .stdout(File::create(&stdout).unwrap())
        .stderr(File::create(&stderr).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = tokio::time::timeout(DEADLINE, child.wait()).await.map(Result::unwrap).ok();
    let printed = fs::read_to_string(stdout).unwrap();
    let passed = judge(&printed, ended).unwrap_or_else(|failure| {
        panic!("{client}/{topic}: {failure}\n{}", fs::read_to_string(stderr).unwrap());
    });
    println!("{client}/{topic}: {passed} steps passed");
    server.stop().await;
    // What failed leaves its folder behind.
    fs::remove_dir_all(home).unwrap();
}

fn settings(server: ServerBuilder) -> ServerBuilder {
    server
        .admin(EMAIL, SecretString::from(PASSWORD))
        .open_registration(true)
        // Where `socket_files` serves.
        .allow_network("127.0.0.0/8".parse().unwrap())
}

/// How many steps passed, which is all of them.
fn judge(printed: &str, ended: Option<ExitStatus>) -> Result<usize, String> {
    let mut passed = 0;
    let mut failed = Vec::new();
    let mut told = None;
    for line in printed.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Step { error: None, .. }) => passed += 1,
            Ok(Line::Step { step, error: Some(error) }) => failed.push(format!("failed: {step}\n{error}")),
            Ok(Line::End { steps }) => told = Some(steps),
            Err(_) => failed.push(format!("not a step: {line}")),
        }
    }
    match ended {
        None => failed.push(format!("still running after {} s", DEADLINE.as_secs())),
        Some(status) if !status.success() => failed.push(format!("ended with {status}")),
        Some(_) if told != Some(passed + failed.len()) => failed.push("ended too early".to_owned()),
        Some(_) => {}
    }
    if failed.is_empty() && passed > 0 {
        return Ok(passed);
    }
    Err(format!("{passed} steps passed, {} failed\n{}", failed.len(), failed.join("\n")))
}
