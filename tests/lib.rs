//! Tests that need more than one crate. The library itself has the book's snippets as its doctests, and is empty otherwise.

/// Each page whose Rust snippets are compiled.
#[cfg(doctest)]
mod book {
    macro_rules! pages {
        ($($name:ident: $path:literal)*) => {
            $(#[doc = include_str!($path)] struct $name;)*
        };
    }

    pages! {
        FirstSocket: "../docs/src/guide/first-socket.md"
        ArgumentsAndResults: "../docs/src/guide/arguments-and-results.md"
        Errors: "../docs/src/guide/errors.md"
        Testing: "../docs/src/guide/testing.md"
        Contracts: "../docs/src/guide/contracts.md"
        Server: "../docs/src/operate/server.md"
    }
}
