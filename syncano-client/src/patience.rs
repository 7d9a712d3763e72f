//! Waiting for something that takes its time on the server.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);

/// Pauses between two looks, each longer than the one before, until the time is up.
#[derive(Debug)]
pub(crate) struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new(timeout: Duration) -> Patience {
        // A time that no clock reaches is no limit: a century does.
        let longest = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        Patience { until: Instant::now() + timeout.min(longest), pause: FIRST }
    }

    /// Waits for a while; `false` when the time is up.
    pub(crate) async fn wait(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 2).min(LONGEST);
        true
    }
}
