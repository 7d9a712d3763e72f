//! What is recorded of a run.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Mismatch;

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted, not started.
    Pending,
    /// Running.
    Processing,
    /// The script ended well.
    Success,
    /// An exception, a non-zero exit, a signal, or no way to run the script.
    Failure,
    /// The script took longer than its timeout.
    Timeout,
    /// Refused: too many calls were waiting.
    Blocked,
    /// Waited for a worker for longer than the script's timeout.
    QueueTimeout,
}

impl RunStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            RunStatus::Pending => "pending",
            RunStatus::Processing => "processing",
            RunStatus::Success => "success",
            RunStatus::Failure => "failure",
            RunStatus::Timeout => "timeout",
            RunStatus::Blocked => "blocked",
            RunStatus::QueueTimeout => "queue_timeout",
        }
    }

    /// The status that a word of the wire names.
    pub fn from_word(word: &str) -> Option<RunStatus> {
        [
            RunStatus::Pending,
            RunStatus::Processing,
            RunStatus::Success,
            RunStatus::Failure,
            RunStatus::Timeout,
            RunStatus::Blocked,
            RunStatus::QueueTimeout,
        ]
        .into_iter()
        .find(|status| status.as_str() == word)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A run as the server answers and stores it.
///
/// As the result type of a `#[endpoint]` function it asks for the whole record instead of the script's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// Number of the run within its instance.
    pub id: i64,
    /// How it ended.
    pub status: RunStatus,
    /// When it started, UTC with six fractional digits; `None` while it waits.
    pub executed_at: Option<String>,
    /// How long it took in milliseconds; `None` while it waits.
    pub duration: Option<u64>,
    /// What it printed and answered.
    #[serde(default)]
    pub result: RunResult,
}

/// What a run printed and answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunResult {
    /// Standard output without trailing newlines.
    #[serde(default)]
    pub stdout: String,
    /// Standard error without trailing newlines.
    #[serde(default)]
    pub stderr: String,
    /// The response that the script set itself, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<RecordedResponse>,
    /// Where the result doesn't fit the endpoint's schema, if it has one and is checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<Mismatch>,
}

/// An HTTP response made by a script, as a trace records it: bytes that are no text are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedResponse {
    /// HTTP status, 100–599.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub content: String,
    /// Further headers, in the script's order.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub headers: serde_json::Map<String, serde_json::Value>,
}
