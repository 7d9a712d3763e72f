use syncano_client::{socket, sockets};

#[socket(runtime = "python3")]
pub mod one {
    #[endpoint("a", GET, source = "1")]
    pub async fn f() -> u8;
}

#[socket(runtime = "python3")]
pub mod two {
    #[endpoint("A", GET, source = "1")]
    pub async fn f() -> u8;
}

sockets![one, two];

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (definitions(), publish(&instance));
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
