use syncano_client::socket;

#[socket]
pub struct Item {
    pub name: String,
}

fn main() {
    let _ = Item { name: String::new() };
}
