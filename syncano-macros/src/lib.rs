//! The attribute macros of `syncano-client`. Depend on that crate: it re-exports them, and its documentation of
//! `socket` and `endpoint` is the place to read about them.
//!
//! The stages, a file each: `parse` reads the module item by item, `attribute` the attributes' arguments,
//! `signature` the functions and `source` their scripts; `validate` applies the rules (through `model` those of every front
//! end, in `agreement` those between a script and its function) and `expand` writes the code. `sockets` and `test_attribute` are macros of their own.
//! Every stage works on `proc_macro2` tokens, collects its mistakes in `errors` and goes on.

mod agreement;
mod attribute;
mod docs;
mod errors;
mod expand;
mod json;
mod model;
mod options;
mod parse;
mod shapes;
mod signature;
mod sockets;
mod source;
mod standalone;
mod test_attribute;
mod types;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Turns a module of functions into the definition of a Custom Socket and a typed client; see `syncano_client`.
#[proc_macro_attribute]
pub fn socket(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::socket(attribute.into(), item.into()).into()
}

/// Names an application's sockets, for publishing them together; see `syncano_client`.
#[proc_macro]
pub fn sockets(input: TokenStream) -> TokenStream {
    sockets::expand(input.into()).into()
}

/// Says which endpoint and methods a function of a `#[socket]` module calls, and which script answers; see
/// `syncano_client`.
#[proc_macro_attribute]
pub fn endpoint(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    standalone::endpoint(item.into()).into()
}

/// Gives an async test a server, an instance and published sockets; see `syncano_testing`.
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    test_attribute::expand(attribute.into(), item.into()).into()
}
