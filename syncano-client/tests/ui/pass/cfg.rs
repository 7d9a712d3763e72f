//! A call that isn't compiled isn't published; another may take its name and its method.
#![deny(warnings)]

use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod conditional {
    #[endpoint("a", GET, source = "print(ARGS)")]
    #[cfg(all())]
    pub async fn a(x: u8) -> u8;

    #[cfg(any())]
    #[endpoint("a", GET, source = "2")]
    pub async fn a(x: super::NoSuchType) -> u8;

    #[cfg(any())]
    #[endpoint("b", GET, source = "2")]
    pub async fn b();
}

#[socket(runtime = "python3")]
#[cfg(any())]
pub mod absent {
    #[endpoint("a", get, source = "1")]
    pub async fn a();
}

fn main() {
    let socket = conditional::definition();
    assert_eq!(socket.endpoints.len(), 1);
    assert_eq!(socket.dependencies.len(), 1);
}
