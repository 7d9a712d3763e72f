//! A deprecated call warns whoever calls it; its definition doesn't.
#![deny(warnings)]

use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod old {
    #[deprecated]
    pub type Old = u8;

    #[endpoint("a", GET, source = "1")]
    #[deprecated(note = "use b")]
    #[allow(deprecated)]
    pub async fn a(x: Old) -> u8;

    #[endpoint("b", GET, source = "1")]
    #[allow(deprecated)]
    pub async fn b(x: Old) -> u8;
}

fn main() {
    let _ = old::definition();
}
