//! A `syncano serve` that runs.

// Every test file that has this module is a program of its own, and doesn't use all of it.
#![allow(dead_code)]

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// No test waits longer than this for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running `syncano serve`; killed when dropped.
pub(crate) struct Serve {
    child: Child,
    pub(crate) url: String,
    log: String,
    stderr: BufReader<tokio::process::ChildStderr>,
}

/// A client of HTTP. In a build of the whole workspace reqwest has TLS, and wants a provider of cryptography.
pub(crate) fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The database of the tests in this folder.
pub(crate) fn database(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("test.db").display())
}

pub(crate) fn command(folder: &TempDir, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncano"));
    command
        // What every machine can do that tests run on.
        .args(["serve", "--isolation-minimum", "process", "--listen", "127.0.0.1:0", "--database"])
        .arg(database(folder))
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Serve {
    pub(crate) async fn start(folder: &TempDir, environment: &[(&str, &str)]) -> Serve {
        Serve::spawn(command(folder, environment)).await
    }

    pub(crate) async fn spawn(mut command: Command) -> Serve {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let url = tokio::time::timeout(PATIENCE, async {
            loop {
                let mut line = String::new();
                assert!(stderr.read_line(&mut line).await.unwrap() > 0, "it ended early: {log}");
                log.push_str(&line);
                if let Some(url) = line.trim().strip_prefix("listening on ") {
                    break url.to_owned();
                }
            }
        })
        .await
        .expect("it should be ready by now");
        Serve { child, url, log, stderr }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for the end: exit code, standard output, the whole log.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String, String) {
        let ended = tokio::time::timeout(PATIENCE, async {
            let mut stdout = String::new();
            // A test may have given it another one.
            if let Some(mut given) = self.child.stdout.take() {
                given.read_to_string(&mut stdout).await.unwrap();
            }
            self.stderr.read_to_string(&mut self.log).await.unwrap();
            (self.child.wait().await.unwrap().code(), stdout)
        });
        let (code, stdout) = ended.await.expect("it should have ended by now");
        (code, stdout, self.log)
    }

    /// Ends the server in good order.
    pub(crate) async fn stop(self) -> (Option<i32>, String, String) {
        self.signal(Signal::TERM);
        self.ended().await
    }
}
