use syncano_client::{socket, sockets};

#[socket(name = "shop", runtime = "python3")]
pub mod one {
    #[endpoint("a", GET, source = "1")]
    pub async fn f() -> u8;
}

#[socket(name = "Shop", runtime = "python3")]
pub mod two {
    #[endpoint("b", GET, source = "1")]
    pub async fn f() -> u8;
}

sockets![one, two];

fn main() {}
