use syncano_client::endpoint;

#[endpoint("a", GET, source = "1")]
pub async fn a(x: u8) -> u8;

fn main() {
    let _ = a(1);
}
