//! Nobody would say what a test's parameters are.

use syncano_macros as syncano_testing;

#[syncano_testing::test]
async fn counts<T: Default>() {
    let _ = T::default();
}

fn main() {
    let _ = counts::<u8>();
}
