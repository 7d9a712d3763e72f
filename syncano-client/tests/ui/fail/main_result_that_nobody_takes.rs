use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod m {
    #[endpoint("good", GET, source = "def main() -> 'Any': return 1")]
    pub async fn good();

    #[endpoint("a", GET, source = r#"
        def main() -> int:
            return 3
    "#)]
    pub async fn a();
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
