//! There is one instance.

use syncano_macros as syncano_testing;

struct TestInstance;

#[syncano_testing::test]
async fn counts(_instance: TestInstance, _left: u8) {}

fn main() {
    let _ = counts(TestInstance, 1);
}
