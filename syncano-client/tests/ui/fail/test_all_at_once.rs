//! Every mistake is told in one build.

use syncano_macros as syncano_testing;

#[syncano_testing::test(stock = 1)]
fn counts<T>(_left: T, _right: T) {}

fn main() {
    counts(1, 2);
}
