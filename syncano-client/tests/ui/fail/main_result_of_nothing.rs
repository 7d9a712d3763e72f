use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod m {
    #[endpoint("good", GET, source = "def main() -> None: pass")]
    pub async fn good() -> Option<u8>;

    #[endpoint("a", GET, source = r#"
        def main() -> None:
            print(3)
    "#)]
    pub async fn a() -> u32;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = (api.good(), api.a());
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
