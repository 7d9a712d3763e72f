//! What the macros say: one case for each rule. See `ui/README.md`.

// Two tests, since trybuild compiles all cases that fail at once only where none should pass.

#[test]
fn ui_pass() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

#[test]
fn ui_fail() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

/// Editors list messages without their places: each says which endpoint or function, socket or script it is about.
#[test]
fn every_message_of_the_macro_names_what_it_is_about() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/fail");
    let mut messages = 0;
    for file in folder.read_dir().expect("the cases") {
        let file = file.expect("a case").path();
        // What is about the socket as a whole names the key, what rustc says has a code, and tests have no endpoint.
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let of_none = ["socket", "test_"].iter().any(|start| name.starts_with(start));
        if file.extension().is_none_or(|extension| extension != "stderr") || of_none {
            continue;
        }
        for line in std::fs::read_to_string(&file).expect("a text").lines() {
            let Some(message) = line.strip_prefix("error: ") else { continue };
            messages += 1;
            let named = [
                "endpoint `",
                "endpoint name `",
                "function `",
                "the script `",
                "script name `",
                "`#[endpoint]`",
                "`#[socket]`",
            ];
            assert!(
                named.iter().any(|word| message.contains(word)) || EXCEPTIONS.contains(&&*name),
                "{name}: {message}"
            );
        }
    }
    assert!(messages > 150, "{messages}");
}

/// What rustc says by itself, and a mistake in the attribute of the socket.
const EXCEPTIONS: [&str; 5] = [
    "all_at_once",
    "function_half_typed",
    "function_not_finished",
    "script_file_missing",
    "script_file_missing_and_more",
];
