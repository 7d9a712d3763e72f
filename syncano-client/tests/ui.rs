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
