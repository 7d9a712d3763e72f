//! The script sees names without `r#`.

use syncano_client::socket;

#[socket(runtime = "python3")]
pub mod r#match {
    #[endpoint("a", GET, source = "def main(type): pass")]
    pub async fn r#loop(r#type: u8) -> u8;
}

fn main() {
    let socket = r#match::definition();
    assert_eq!((socket.name.as_str(), r#match::NAME), ("match", "match"));
    assert_eq!(socket.endpoints["a"].calls[0].name, "loop");
    assert!(socket.endpoints["a"].metadata["GET"]["inputs"]["properties"]["type"].is_object());
}
