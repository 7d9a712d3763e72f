use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod m {
    #[endpoint("good", GET, source = "1")]
    pub async fn good() -> u8;

    #[endpoint("a", GET, source = "1")]
    pub async fn a((x, y): (u8, u8), _: u8, mut z: u8) -> u8;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = (api.good(), api.a((1, 2), 3, 4));
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
