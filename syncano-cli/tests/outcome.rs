//! The exit status of every command, and how commands end whose reader goes away.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod running;

use std::fs;
use std::io::pipe;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use running::{Serve, command};

/// What a shell says of a program that SIGPIPE has ended.
const READER_GONE: i32 = 141;

/// A folder with 300 broken scripts, and a definition; enough for any pipe.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for number in 0..300 {
        fs::write(folder.path().join(format!("s{number}.py")), "def main(:\n").unwrap();
    }
    let definition = json!({
        "name": "s",
        "endpoints": {
            "e": {"calls": [{"type": "script", "name": "f", "methods": ["GET"]}]},
            "h": {"calls": [{"type": "script", "name": "g", "methods": ["GET"]}]},
        },
        "dependencies": [
            {"type": "script", "name": "f", "runtime_name": "python3", "source": "1"},
            {"type": "script", "name": "g", "runtime_name": "nodejs", "source": "1"},
        ],
    });
    fs::write(folder.path().join("socket.json"), definition.to_string()).unwrap();
    folder
}

fn syncano(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncano"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// Each writes to standard output.
const COMMANDS: [&[&str]; 8] = [
    &["help"],
    &["--version"],
    &["serve", "--help"],
    &["check", "."],
    &["check", "--json", "."],
    &["doctor", "--isolation-minimum", "none"],
    &["doctor", "--isolation-minimum", "none", "--json"],
    &["types", "socket.json"],
];

/// Each writes to standard output about the accounts of a database.
const ACCOUNTS: [&[&str]; 4] = [
    &["account", "add", "ann@example.org"],
    &["account", "list"],
    &["key", "list"],
    &["key", "reset", "ann@example.org"],
];

/// The command may warn of an account that others can use, but it doesn't complain.
fn is_quiet(output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stderr);
    !["panicked", "error", "Broken pipe", "backtrace"].iter().any(|word| said.contains(word))
}

fn ends_quietly(folder: &Path, arguments: &[&str]) {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = syncano(folder, arguments);
    let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(READER_GONE), "{arguments:?}: {output:?}");
    assert!(is_quiet(&output), "{arguments:?}: {output:?}");
}

#[test]
fn a_command_whose_reader_is_gone_ends_quietly() {
    let folder = folder();
    for arguments in COMMANDS {
        ends_quietly(folder.path(), arguments);
    }
    // The command does its work all the same.
    for name in ["__builtins__.pyi", "syncano_check.pyi", "syncano.d.ts"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
}

#[test]
fn a_reader_may_stop_in_the_middle() {
    use std::io::Read as _;

    let folder = folder();
    let (mut reader, writer) = pipe().unwrap();
    let mut command = syncano(folder.path(), &["check", "--json", "."]);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    // The command itself has the other end.
    drop(command);
    reader.read_exact(&mut [0; 1]).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(READER_GONE), "{output:?}");
    assert!(is_quiet(&output), "{output:?}");
}

#[test]
fn where_nobody_reads_errors_the_exit_status_still_tells() {
    let folder = folder();
    for (arguments, status) in [
        (&["check", "missing.py"] as &[&str], 1),
        (&["check", "--python", "2.7", "."], 2),
        (&[], 2),
        (&["plan", "--instance", "my-app", "socket.json"], 1),
        (&["account", "password", "nobody@example.org"], 1),
        (&["types", "socket.json"], 0),
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let done = syncano(folder.path(), arguments).stdout(Stdio::null()).stderr(writer).status().unwrap();
        assert_eq!(done.code(), Some(status), "{arguments:?}");
    }
}

#[test]
fn what_can_t_be_written_is_trouble() {
    let folder = folder();
    for arguments in COMMANDS {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = syncano(folder.path(), arguments);
        let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("error: standard output can't be written: No space left"),
            "{arguments:?}: {said}"
        );
    }
}

#[tokio::test]
async fn a_server_goes_on_without_readers() {
    // Nobody reads the key.
    let folder = TempDir::new().unwrap();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut without_output = command(&folder, &[]);
    without_output.stdout(writer);
    let server = Serve::spawn(without_output).await;
    let health = running::http().get(format!("{}/health", server.url)).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let database = running::database(&folder);
    for arguments in ACCOUNTS {
        ends_quietly(folder.path(), &[arguments, &["--database", &database]].concat());
    }
    let listed = syncano(folder.path(), &["account", "list", "--database", &database]).output().unwrap();
    assert!(String::from_utf8(listed.stdout).unwrap().contains("ann@example.org"));
    let (code, _, log) = server.stop().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(
        log.contains("the account key isn't shown") && log.contains("`syncano key list` shows it"),
        "{log}"
    );

    // Nobody reads the log.
    let folder = TempDir::new().unwrap();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut without_log = command(&folder, &[("SYNCANO_LOG", "debug")]);
    let mut child = without_log.stderr(writer).spawn().unwrap();
    let stdout = child.stdout.as_mut().unwrap();
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut tokio::io::BufReader::new(stdout), &mut line).await.unwrap();
    assert!(line.starts_with("account key"), "{line}");
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    let ended = tokio::time::timeout(running::PATIENCE, child.wait()).await.expect("it should have ended");
    assert_eq!(ended.unwrap().code(), Some(0));
}

#[test]
fn a_wrong_command_line_is_the_only_usage_error() {
    let folder = folder();
    for (arguments, status) in [
        (&["--version"] as &[&str], 0),
        (&["help", "check"], 0),
        (&[], 2),
        (&["chek", "."], 2),
        (&["check"], 2),
        (&["check", "--jsn", "."], 2),
        (&["check", "missing"], 1),
        (&["check", "."], 3),
        (&["plan", "--instnce", "my-app", "socket.json"], 2),
        (&["plan", "socket.json"], 2),
        (&["plan", "--instance", "my-app", "missing.json"], 1),
        (&["types", "missing.json"], 1),
        (&["types"], 2),
        (&["serve", "--listen", "nowhere"], 2),
        (&["serve", "--database", "sqlite:///nowhere/at/all.db"], 1),
        (&["doctor", "--isolation-minimum", "much"], 2),
        (&["key", "reset"], 2),
        (&["key", "reset", "nobody@example.org", "--database", "sqlite://accounts.db"], 1),
    ] {
        let output = syncano(folder.path(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        assert_eq!(output.stderr.is_empty(), status == 0 || status == 3, "{arguments:?}: {output:?}");
    }
}
