use syncano_client::socket;

#[socket(runtime = "nodejs")]
pub mod m {
    #[endpoint("good", GET, source = "1")]
    pub async fn good() -> u8;

    #[endpoint("a", GET, source = r#"
        const ask = () => await fetch("x")
        setResponse(ask())
    "#)]
    pub async fn a() -> u8;
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
