//! The clients of 2016 and 2017, unmodified, against this server: whoever still has such a program can move here.
//!
//! `python`, `command_line` and `javascript` hold one program for each client and topic; each says step by step what
//! passed. The clients come from their package registries, once, into the target folder. Where Python, Node or the
//! network is missing the tests are skipped and say why; in CI that is a failure.
//!
//! `generated` is a client of today: what an existing generator makes of an instance's OpenAPI document.
//!
//! `cargo test -p syncano-tests --test real_clients -- --nocapture` shows how many steps each program passed.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

mod generated;
mod install;
mod installed;
mod program;
mod socket_files;

use std::collections::BTreeSet;
use std::path::Path;

/// One test for each program.
macro_rules! programs {
    ($($client:ident: $($topic:ident)+;)+) => {
        $(mod $client {
            $(#[tokio::test]
            async fn $topic() {
                crate::program::run(stringify!($client), stringify!($topic)).await;
            })+
        })+

        const PROGRAMS: &[&str] = &[$($(concat!(stringify!($client), "/", stringify!($topic)),)+)+];
    };
}

programs! {
    python: account api_keys install_from_url instances script_endpoints scripts socket_endpoints socket_updates sockets;
    command_line: account scripts sockets upstream;
    javascript: account api_keys install_from_url instances script_endpoints scripts socket_endpoints sockets;
}

#[test]
fn every_program_has_a_test() {
    let mut found = BTreeSet::new();
    for client in ["python", "command_line", "javascript"] {
        for entry in std::fs::read_dir(folder().join(client)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                found.insert(format!("{client}/{}", path.file_stem().unwrap().to_str().unwrap()));
            }
        }
    }
    let known: BTreeSet<_> = PROGRAMS.iter().map(|program| (*program).to_owned()).collect();
    assert_eq!(found, known);
}

/// This folder.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/real-clients"))
}
