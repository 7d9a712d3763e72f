//! Generated code names everything by its full path.
#![no_implicit_prelude]

#[::syncano_client::socket(description = "x", runtime = "python3")]
pub mod bare {
    #[endpoint("a", GET, file = "scripts/list.py")]
    pub async fn a(limit: ::std::option::Option<u8>) -> ::std::vec::Vec<u8>;

    #[endpoint("a", *, source = "1")]
    #[cfg(any())]
    pub async fn never();

    #[endpoint("b", POST, PUT, source = "1", error = ::std::string::String)]
    pub async fn b(#[body] x: u8);
}

fn main() {
    let definition = bare::definition();
    ::std::assert_eq!(definition.name, bare::NAME);
    ::std::assert_eq!(definition.endpoints.len(), 2);
}
