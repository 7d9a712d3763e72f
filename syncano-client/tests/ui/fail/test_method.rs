//! A test is nobody's method.

use syncano_macros as syncano_testing;

struct Stock;

impl Stock {
    #[syncano_testing::test]
    async fn counts(self) {}
}

fn main() {
    let _ = Stock.counts();
}
