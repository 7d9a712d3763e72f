//! Generated code is no business of the user's lints. `cargo clippy --all-targets` looks at this file with the strictest of them.
#![deny(warnings, missing_docs, unused, clippy::all, clippy::pedantic)]

/// The case of `ui.rs` that has everything; here clippy sees it too.
#[path = "ui/pass/every_feature.rs"]
pub mod every_feature;

/// Names that clippy would rather not see.
#[syncano_client::socket(runtime = "python3")]
pub mod lints {
    /// What a function like this one is told by `clippy::pedantic` otherwise: arguments by value, many of them, similar names.
    #[endpoint("a", POST, source = "print(ARGS)", error = String)]
    #[deprecated(note = "use b")]
    pub async fn a(
        first: Vec<String>,
        second: Option<Option<u8>>,
        third: bool,
        fourth: bool,
        fifth: bool,
        sixth: bool,
        seventh: u8,
        eighth: Box<Vec<u8>>,
    ) -> Vec<Box<u8>>;

    #[endpoint("b", *, source = "print(1)", timeout = 1)]
    pub(crate) async fn b() -> u8;
}

#[test]
fn the_lints_are_those_of_this_file() {
    assert_eq!(lints::definition().endpoints.len(), 2);
    every_feature::main();
}
