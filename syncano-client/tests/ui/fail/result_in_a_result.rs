use syncano_client::socket;

#[derive(Debug, serde::Deserialize, syncano_client::schemars::JsonSchema)]
pub enum StockError {
    OutOfStock,
}

#[socket(runtime = "python3")]
pub mod m {
    use super::StockError;

    #[endpoint("good", GET, source = "def main(): return 1", error = StockError)]
    pub async fn good() -> u32;

    #[endpoint("own", GET, source = "def main(): return 1")]
    pub async fn own() -> Result<u32, StockError>;

    #[endpoint("declared", GET, source = "def main(): return 1", error = StockError)]
    pub async fn declared() -> std::result::Result<Vec<u32>, StockError>;

    #[endpoint("call-error", GET, source = "def main(): return 1")]
    pub async fn call_error() -> Result<u32, syncano_client::CallError>;

    #[endpoint("alias", GET, source = "def main(): return 1")]
    pub async fn alias() -> anyhow::Result<Option<u32>>;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = (api.good(), api.declared());
    let _: syncano_client::Call<u32, StockError> = api.own();
    let _: syncano_client::Call<u32> = api.call_error();
    let _: syncano_client::Call<Option<u32>> = api.alias();
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
