//! The structure of the workspace: who may depend on whom, under which licences, and where `unsafe` may stand.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What each crate may depend on. Nothing points back: the model knows nobody, the client knows no server, the
/// server knows neither macros nor parsers.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("syncano-core", &[] as &[_]),
        ("syncano-syntax", &[]),
        ("syncano-macros", &["syncano-core", "syncano-syntax"]),
        ("syncano-client", &["syncano-core", "syncano-macros"]),
        ("syncano-runner", &["syncano-core"]),
        ("syncano-server", &["syncano-core", "syncano-runner"]),
        ("syncano-cli", &["syncano-client", "syncano-core", "syncano-server", "syncano-syntax"]),
        ("syncano-testing", &["syncano-client", "syncano-macros", "syncano-server"]),
    ])
}

#[test]
fn dependencies_point_one_way() {
    let allowed = allowed();
    let metadata = metadata(&["--no-deps"]);
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(allowed) = allowed.get(name) else { continue };
        seen.insert(name);
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            // Tests may look further.
            if other.starts_with("syncano-") && dependency["kind"] != "dev" {
                assert!(allowed.contains(&other), "{name} must not depend on {other}");
            }
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), allowed.keys().copied().collect::<Vec<_>>());
}

#[test]
fn the_client_and_the_macros_need_nothing_of_the_server() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--package",
            "syncano-client",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("syncano-core") && crates.contains("reqwest"), "{crates:?}");
    for server in ["axum", "sea-orm", "sqlx", "landlock", "syncano-runner", "syncano-server"] {
        assert!(!crates.contains(server), "syncano-client pulls in {server}");
    }
}

#[test]
fn every_dependency_has_a_compatible_licence() {
    const COMPATIBLE: &[&str] = &[
        "MIT",
        "MIT-0",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "0BSD",
        "BSL-1.0",
        "CC0-1.0",
        "Unicode-3.0",
        "Unicode-DFS-2016",
        "Unlicense",
        "CDLA-Permissive-2.0",
    ];
    let metadata = metadata(&["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let mut checked = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name} names no licence"));
        // An SPDX expression without parentheses that matter here: every AND part needs one compatible OR part.
        let licence = licence.replace(['(', ')'], " ").replace('/', " OR ");
        let compatible = licence.split(" AND ").all(|part| {
            part.split(" OR ")
                .any(|term| COMPATIBLE.contains(&term.split(" WITH ").next().unwrap_or_default().trim()))
        });
        assert!(compatible, "{name} is licensed {licence}");
        checked += 1;
    }
    assert!(checked > 100, "only {checked} packages were looked at");
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources_containing(crate_name: &str, word: &str) -> Vec<String> {
    let folder = root().join(crate_name).join("src");
    let mut files = Vec::new();
    rust_files(&folder, &mut files);
    let mut hits: Vec<_> = files
        .into_iter()
        .filter(|file| std::fs::read_to_string(file).unwrap().contains(word))
        .map(|file| file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned())
        .collect();
    hits.sort();
    hits
}

#[test]
fn only_the_entry_file_of_the_macros_names_proc_macro() {
    assert_eq!(sources_containing("syncano-macros", "proc_macro::"), ["lib.rs"]);
}

#[test]
fn only_the_sandbox_allows_unsafe_code() {
    for name in allowed().keys() {
        for file in sources_containing(name, "allow(unsafe_code)") {
            assert!(*name == "syncano-runner" && file.starts_with("sandbox"), "{name}/src/{file}");
        }
    }
    assert!(!sources_containing("syncano-runner", "allow(unsafe_code)").is_empty());
}

/// What breaks a rule of definitions is found in one place; the others take it apart and show it.
#[test]
fn only_core_makes_violations() {
    for name in allowed().keys() {
        for file in sources_containing(name, "Violation { ") {
            let text = std::fs::read_to_string(root().join(name).join("src").join(&file)).unwrap();
            let is_made = text.replace("|Violation { ", "").contains("Violation { ");
            assert!(*name == "syncano-core" || !is_made, "{name}/src/{file}");
        }
    }
    assert!(!sources_containing("syncano-core", "Violation { ").is_empty());
}

#[test]
fn the_names_that_were_asked_for_stand_at_the_top() {
    for name in
        ["Cargo.toml", "Cargo.lock", "syncano-core", "syncano-macros", "syncano-client", "examples", "tests"]
    {
        assert!(root().join(name).exists(), "{name}");
    }
}
