use syncano_client::socket;

#[socket(runtime = "nodejs")]
pub mod m {
    #[endpoint("good", GET, source = "1")]
    pub async fn good() -> u8;

    #[deny(deprecated)]
    #[endpoint("a", GET, source = "export default ({ title }) => title")]
    pub async fn a(title: &str, limit: u32) -> u8;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = (api.good(), api.a("x", 1));
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
