//! `crate = …` names the client where it has another name.

mod vendored {
    pub use syncano_client as calls;
}

use vendored::calls::socket;

#[socket(crate = crate::vendored::calls, runtime = "python3")]
pub mod renamed {
    #[endpoint("a", GET, source = "1", error = u8)]
    pub async fn a(x: u8) -> u8;
}

fn main() {
    let _ = renamed::definition();
}
