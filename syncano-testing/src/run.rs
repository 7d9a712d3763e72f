//! What `#[syncano_testing::test]` expands to.

use syncano_client::Socket;

use crate::TestInstance;

/// Runs a test on a runtime of its own, with an instance of its own.
pub fn run<R>(sockets: Vec<Socket>, test: impl AsyncFnOnce(TestInstance) -> R) -> R {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for the test")
        .block_on(async { test(TestInstance::with(sockets).await).await })
}
