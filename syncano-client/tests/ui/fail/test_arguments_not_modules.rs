//! The attribute's arguments are modules, not their names.

use syncano_macros as syncano_testing;

#[syncano_testing::test("stock")]
async fn counts() {}

fn main() {
    let _ = counts();
}
