//! A test is a function.

use syncano_macros as syncano_testing;

#[syncano_testing::test]
struct Counts;

fn main() {
    let _ = Counts;
}
