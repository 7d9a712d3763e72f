//! What one call hands to a script.

use std::time::Duration;

/// One call of a script.
#[derive(Debug, Clone)]
pub struct Call {
    /// `ARGS` and the arguments of `main`.
    pub arguments: Arguments,
    /// `META` as JSON text.
    pub meta: String,
    /// How long the call may wait for a worker, and then how long the script may run.
    pub timeout: Duration,
}

/// The arguments of a call, as JSON texts. They are handed on as they are; one that isn't JSON fails a run that reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// An object or an array: what the top level of `ARGS` and the named arguments of `main` come from. `None`: it is equal to
    /// `body`, which may be large and is kept once while the call waits.
    pub merged: Option<String>,
    /// The object under `ARGS["GET"]`; `None` for direct runs, which have no such entry.
    pub query: Option<String>,
    /// The value under `ARGS["POST"]`; `None` for direct runs.
    pub body: Option<String>,
    /// The object of `main`'s named arguments where they aren't the merged ones.
    pub main: Option<String>,
}

impl Arguments {
    /// The arguments of a run that doesn't come from an endpoint: `ARGS` is `payload` itself.
    pub fn direct(payload: impl Into<String>) -> Arguments {
        Arguments { merged: Some(payload.into()), query: None, body: None, main: None }
    }

    /// What the top level of `ARGS` comes from.
    pub fn merged(&self) -> &str {
        self.merged.as_deref().or(self.body.as_deref()).unwrap_or("{}")
    }
}
