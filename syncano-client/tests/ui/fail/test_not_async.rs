//! Calls are awaited.

use syncano_macros as syncano_testing;

#[syncano_testing::test]
fn counts() {}

fn main() {
    counts();
}
