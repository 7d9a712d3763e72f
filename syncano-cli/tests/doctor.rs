//! `syncano doctor`, and the level of isolation that `syncano serve` asks for.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const SYNCANO: &str = env!("CARGO_BIN_EXE_syncano");

/// There is no script to be kept from anything without an interpreter.
fn has_python() -> bool {
    let there = Path::new("/usr/bin/python3").exists();
    assert!(there || std::env::var_os("CI").is_none(), "CI needs Python: install python3");
    there
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Exit code and report agree, and what is missing is explained.
fn check(output: &Output) {
    let report = report(output);
    let level = report["level"].as_str().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(level != "namespace")), "{output:?}");
    assert!(level == "namespace" || level == "process", "{report}");
    for control in report["controls"].as_array().unwrap() {
        assert!(control["present"] == true || control["level"] == "namespace", "{control}");
    }
    let missing = report["missing"].as_array().unwrap();
    assert_eq!(missing.is_empty(), level == "namespace", "{report}");
    for missing in missing {
        eprintln!("{missing}");
        assert!(!missing["reason"].as_str().unwrap().is_empty());
        assert!(missing["enable"].to_string().contains("Docker"));
    }
}

#[test]
fn it_says_what_the_machine_can_do() {
    if !has_python() {
        return;
    }
    check(&Command::new(SYNCANO).args(["doctor", "--json"]).output().unwrap());
    let output = Command::new(SYNCANO).args(["doctor", "--isolation-minimum", "process"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("isolation: ") && text.contains("reading the server's files"), "{text}");
}

/// `setpriv` with `options`, which only root can use; else `None`, with the reason printed.
fn as_another(options: &[&str]) -> Option<Command> {
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/setpriv").exists() {
        eprintln!("skipped: it takes root and /usr/bin/setpriv to become another user");
        return None;
    }
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(options);
    Some(command)
}

#[test]
fn a_user_without_rights_gets_what_the_machine_gives() {
    let Some(mut command) = as_another(&["--reuid=65534", "--regid=65534", "--clear-groups"]) else { return };
    if !has_python() {
        return;
    }
    // Where that user can get at it.
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let copy = folder.path().join("syncano");
    std::fs::copy(SYNCANO, &copy).unwrap();
    check(&command.arg(copy).args(["doctor", "--json"]).output().unwrap());
}

#[test]
fn root_without_the_right_to_mount_gets_what_the_machine_gives() {
    let Some(mut command) = as_another(&["--bounding-set=-sys_admin"]) else { return };
    if has_python() {
        check(&command.args([SYNCANO, "doctor", "--json"]).output().unwrap());
    }
}

#[test]
fn a_server_below_its_minimum_does_not_start_and_says_what_to_enable() {
    // A root who may nothing can't make namespaces.
    let Some(mut command) = as_another(&["--bounding-set=-all"]) else { return };
    if !has_python() {
        return;
    }
    let output = command
        .args([SYNCANO, "serve", "--listen", "127.0.0.1:0", "--database", "sqlite::memory:"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    for word in ["`namespace`", "Debian", "Ubuntu", "Docker", "Kubernetes"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
}
