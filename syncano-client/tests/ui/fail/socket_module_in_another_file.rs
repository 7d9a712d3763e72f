use syncano_client::socket;

#[socket]
mod other;

fn main() {
    let _ = other::NAME;
}
