use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod m {
    pub struct Nothing;
}

fn main() {
    let instance: syncano_client::Instance = unreachable();
    let _ = (m::NAME, m::definition(), m::publish(&instance));
    let api = m::Client::new(&instance);
    let _ = (api, m::Nothing);
}

fn unreachable<T>() -> T {
    std::process::exit(1)
}
