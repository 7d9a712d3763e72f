//! Names of the user's don't get in the way of generated code.

use syncano_client::socket;

type Result<T> = std::result::Result<T, std::fmt::Error>;

#[socket(runtime = "python3")]
pub mod shadows {
    use super::*;

    pub struct Option;
    pub struct String;
    pub struct Vec;
    pub struct Box;
    pub struct Some;
    pub enum None {}
    pub struct Call;
    pub struct Instance;
    pub struct Socket;
    pub struct Method;
    pub trait Clone {}
    pub trait Debug {}
    pub mod core {}
    pub mod std {}
    pub mod syncano_client {}
    pub fn ok() -> Result<()> {
        Ok(())
    }

    #[endpoint("a", GET, POST, source = "print(ARGS)")]
    pub async fn a(call: u8, definition: u8, instance: u8, argument: u8, error: u8) -> u8;

    #[endpoint("b", *, source = "1", error = u8)]
    pub async fn clone() -> ::std::option::Option<u8>;

    #[endpoint("c", *, source = "1")]
    pub async fn publish();
}

fn main() {
    assert!(shadows::ok().is_ok());
    assert_eq!(shadows::definition().endpoints.len(), 3);
}
