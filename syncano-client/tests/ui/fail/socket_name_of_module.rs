use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod m {
    #[endpoint("good", GET, source = "1")]
    pub async fn good() -> u8;
}

fn main() {
    let _ = install::definition();
}

#[socket(runtime = "python3")]
mod install {
    #[endpoint("a", GET, source = "1")]
    pub async fn a();
}
