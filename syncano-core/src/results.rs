//! What becomes of results that don't fit their endpoint's schema.

use serde_json::Value;

use crate::Socket;

/// The policy in a socket's metadata.
pub(crate) const RESULTS: &str = "results";

/// What becomes of a result that doesn't fit the `outputs` of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResultPolicy {
    /// The run counts as failed.
    #[default]
    Enforce,
    /// The trace says so; the result is answered.
    Warn,
}

impl Socket {
    /// What `metadata.results` says: `"enforce"`, which is also meant without it, or `"warn"`.
    pub fn result_policy(&self) -> ResultPolicy {
        match self.metadata.get(RESULTS).and_then(Value::as_str) {
            Some("warn") => ResultPolicy::Warn,
            _ => ResultPolicy::Enforce,
        }
    }
}
