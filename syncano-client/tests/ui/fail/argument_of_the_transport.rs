use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod m {
    #[endpoint("good", GET, source = "1")]
    pub async fn good() -> u8;

    #[endpoint("a", GET, source = "1")]
    pub async fn a(api_key: String, _method: String) -> u8;

    #[endpoint("b", POST, source = "1")]
    pub async fn b(#[query] cache_key: String) -> u8;

    #[endpoint("c", POST, DELETE, source = "1")]
    pub async fn c(apikey: String) -> u8;

    #[endpoint("d", POST, source = "ARGS['api_key'], ARGS['cache_key']")]
    pub async fn d(api_key: String, cache_key: String) -> u8;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = (api.good(), api.a(String::new(), String::new()), api.b(String::new()));
    let _ = (api.c(String::new()), api.d(String::new(), String::new()));
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
