//! The attribute macros of `syncano-client`. Depend on that crate: it re-exports them, and its documentation of
//! `socket` and `endpoint` is the place to read about them.
//!
//! The stages, a file each: `parse` reads the module item by item, `attribute` the attributes' arguments,
//! `signature` the functions and `source` their scripts; `validate` applies the rules and `expand` writes the code.
//! Every stage works on `proc_macro2` tokens, collects its mistakes in `errors` and goes on.

mod attribute;
mod errors;
mod expand;
mod parse;
mod signature;
mod source;
mod standalone;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Turns a module of functions into the definition of a Custom Socket and a typed client; see `syncano_client`.
#[proc_macro_attribute]
pub fn socket(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::socket(attribute.into(), item.into()).into()
}

/// Says which endpoint and methods a function of a `#[socket]` module calls, and which script answers; see
/// `syncano_client`.
#[proc_macro_attribute]
pub fn endpoint(_attribute: TokenStream, item: TokenStream) -> TokenStream {
    standalone::endpoint(item.into()).into()
}
