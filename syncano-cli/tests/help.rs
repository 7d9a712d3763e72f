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

/// The pages of the book that show the texts of this file.
#[test]
fn the_book_shows_every_help() {
    const COMMANDS: &str = "Every command reads the environment variables that its help names.

| exit code | meaning |
|---|---|
| 0 | the command did what it says |
| 1 | something went wrong; the text says what |
| 2 | the command line is wrong |
| 3 | `check` found an error, or with `--deny-warnings` a warning |
| 4 | `plan` found a change that breaks callers |
";
    const SERVE: &str =
        "Flags and environment variables of `syncano serve` are the whole configuration of a server.
[Run a server](../operate/server.md) says which of them to start with.
";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder.join("tests/golden"))
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().into_string().unwrap().strip_suffix(".txt").map(str::to_owned)
        })
        .collect();
    names.sort_by_key(|name| (name != "help", name.clone()));
    assert!(names.len() > 10, "{names:?}");
    let written = "<!-- Written by syncano-cli/tests/help.rs from `--help`: edit the command's source. -->\n";
    let mut cli = format!("# Command line\n\n{written}\n{COMMANDS}");
    let mut configuration = format!("# Configuration\n\n{written}\n{SERVE}");
    for name in names {
        let arguments: Vec<&str> = name.split('_').filter(|word| *word != "help").collect();
        let output =
            Command::new(env!("CARGO_BIN_EXE_syncano")).args(&arguments).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let help: String = help.trim_end().lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        let (page, title) = match &*name {
            "serve" => (&mut configuration, "syncano serve".to_owned()),
            _ => (&mut cli, ["syncano"].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")),
        };
        page.push_str(&format!("\n## `{title}`\n\n```text\n{help}```\n"));
    }
    for (name, page) in [("cli", cli), ("configuration", configuration)] {
        let file = folder.join("../docs/src/reference").join(name).with_extension("md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &page).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(found == page, "{} differs: run this test with UPDATE_GOLDEN=1", file.display());
    }
}
