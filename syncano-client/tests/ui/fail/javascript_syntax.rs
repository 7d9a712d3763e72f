use syncano_client::socket;

#[socket(runtime = "nodejs")]
pub mod m {
    #[endpoint("good", GET, source = "1")]
    pub async fn good() -> u8;

    #[endpoint("a", GET, source = r#"
        export default ({ name }) => {
          return name +
        }
    "#)]
    pub async fn a(name: &str) -> u8;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = (api.good(), api.a("x"));
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
