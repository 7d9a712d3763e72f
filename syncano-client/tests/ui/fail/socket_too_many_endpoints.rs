use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod m {
    #[endpoint("e0", GET, source = "1")]
    pub async fn e0();
    #[endpoint("e1", GET, source = "1")]
    pub async fn e1();
    #[endpoint("e2", GET, source = "1")]
    pub async fn e2();
    #[endpoint("e3", GET, source = "1")]
    pub async fn e3();
    #[endpoint("e4", GET, source = "1")]
    pub async fn e4();
    #[endpoint("e5", GET, source = "1")]
    pub async fn e5();
    #[endpoint("e6", GET, source = "1")]
    pub async fn e6();
    #[endpoint("e7", GET, source = "1")]
    pub async fn e7();
    #[endpoint("e8", GET, source = "1")]
    pub async fn e8();
    #[endpoint("e9", GET, source = "1")]
    pub async fn e9();
    #[endpoint("e10", GET, source = "1")]
    pub async fn e10();
    #[endpoint("e11", GET, source = "1")]
    pub async fn e11();
    #[endpoint("e12", GET, source = "1")]
    pub async fn e12();
    #[endpoint("e13", GET, source = "1")]
    pub async fn e13();
    #[endpoint("e14", GET, source = "1")]
    pub async fn e14();
    #[endpoint("e15", GET, source = "1")]
    pub async fn e15();
    #[endpoint("e16", GET, source = "1")]
    pub async fn e16();
    #[endpoint("e17", GET, source = "1")]
    pub async fn e17();
    #[endpoint("e18", GET, source = "1")]
    pub async fn e18();
    #[endpoint("e19", GET, source = "1")]
    pub async fn e19();
    #[endpoint("e20", GET, source = "1")]
    pub async fn e20();
    #[endpoint("e21", GET, source = "1")]
    pub async fn e21();
    #[endpoint("e22", GET, source = "1")]
    pub async fn e22();
    #[endpoint("e23", GET, source = "1")]
    pub async fn e23();
    #[endpoint("e24", GET, source = "1")]
    pub async fn e24();
    #[endpoint("e25", GET, source = "1")]
    pub async fn e25();
    #[endpoint("e26", GET, source = "1")]
    pub async fn e26();
    #[endpoint("e27", GET, source = "1")]
    pub async fn e27();
    #[endpoint("e28", GET, source = "1")]
    pub async fn e28();
    #[endpoint("e29", GET, source = "1")]
    pub async fn e29();
    #[endpoint("e30", GET, source = "1")]
    pub async fn e30();
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = api.e30();
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
