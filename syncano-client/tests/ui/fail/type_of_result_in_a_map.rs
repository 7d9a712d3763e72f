use syncano_client::socket;

pub struct Plain;

#[socket(runtime = "python3")]
pub mod m {
    #[endpoint("good", GET, source = "1")]
    pub async fn good() -> u8;

    #[endpoint("a", GET, source = "1")]
    pub async fn a() -> std::collections::BTreeMap<String, Option<super::Plain>>;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = async move { (api.good().await, api.a().await) };
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
