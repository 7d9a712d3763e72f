//! A `macro_rules!` may write the module.

use syncano_client::socket;

macro_rules! echo {
    ($module:ident, $endpoint:literal, $source:literal, $ty:ty) => {
        #[socket(runtime = "python3")]
        pub mod $module {
            #[endpoint($endpoint, POST, source = $source)]
            pub async fn echo(value: $ty) -> $ty;
        }
    };
}

echo!(texts, "echo-text", "print(ARGS)", String);
echo!(numbers, "echo-number", "print(1)", u8);

fn main() {
    assert!(texts::definition().endpoints.contains_key("echo-text"));
    assert!(numbers::definition().endpoints.contains_key("echo-number"));
}
