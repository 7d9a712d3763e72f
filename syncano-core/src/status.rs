//! Whether a published socket can be used.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a published socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SocketStatus {
    /// Accepted, being verified.
    Checking,
    /// Usable.
    Ok,
    /// Not installed; `status_info` says why.
    Error,
}

impl SocketStatus {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            SocketStatus::Checking => "checking",
            SocketStatus::Ok => "ok",
            SocketStatus::Error => "error",
        }
    }
}

impl fmt::Display for SocketStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
