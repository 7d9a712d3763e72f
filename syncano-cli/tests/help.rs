//! What `--help` says. `UPDATE_GOLDEN=1 cargo test -p syncano-cli --test help` rewrites the files.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

fn golden(name: &str, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_syncano")).args(arguments).output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &help).unwrap();
    }
    let expected =
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert_eq!(help, expected, "{} differs", file.display());
}

#[test]
fn the_command_explains_itself() {
    golden("help.txt", &["--help"]);
}

#[test]
fn serve_explains_itself() {
    golden("serve.txt", &["serve", "--help"]);
}

#[test]
fn check_explains_itself() {
    golden("check.txt", &["check", "--help"]);
}

#[test]
fn doctor_explains_itself() {
    golden("doctor.txt", &["doctor", "--help"]);
}

#[test]
fn account_explains_itself() {
    golden("account.txt", &["account", "--help"]);
    golden("account_add.txt", &["account", "add", "--help"]);
    golden("account_list.txt", &["account", "list", "--help"]);
    golden("account_password.txt", &["account", "password", "--help"]);
}

#[test]
fn key_explains_itself() {
    golden("key.txt", &["key", "--help"]);
    golden("key_list.txt", &["key", "list", "--help"]);
    golden("key_reset.txt", &["key", "reset", "--help"]);
}

#[test]
fn plan_explains_itself() {
    golden("plan.txt", &["plan", "--help"]);
}

#[test]
fn types_explains_itself() {
    golden("types.txt", &["types", "--help"]);
}
