//! A function keeps its visibility: without `pub` only the module calls it.
#![deny(warnings, unused)]

use syncano_client::{Instance, socket};

#[socket(runtime = "python3")]
mod quiet {
    use syncano_client::Call;

    #[endpoint("a", GET, source = "1")]
    async fn a() -> u8;

    #[endpoint("b", GET, source = "1")]
    pub(super) async fn b();

    impl Client {
        pub fn both(&self) -> (Call<u8>, Call<()>) {
            (self.a(), self.b())
        }
    }
}

fn main() {
    let _ = |instance: &Instance| {
        let api = quiet::Client::new(instance);
        let _ = (api.both(), api.b());
    };
}
