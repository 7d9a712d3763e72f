//! The headers by which a run's answer says what it is.
//!
//! Every answer of a run carries them, custom responses included, and a script can't set them. An answer without
//! [`STATUS`] means that nothing ran: an API error.

use std::fmt;

/// How the run ended: a [`RunStatus`](crate::RunStatus).
pub const STATUS: &str = "syncano-status";
/// The number of the run's trace.
pub const TRACE: &str = "syncano-trace";
/// What the body is: a [`ResultKind`].
pub const RESULT: &str = "syncano-result";
/// The limits that a run was under, if it failed: [`RunLimits`](crate::RunLimits).
pub const LIMITS: &str = "syncano-limits";
/// Request header: [`WANT_TRACE`] asks for the trace, whatever the script answers, [`WANT_VALUE`] for a value or an HTTP status that
/// says failure.
pub const WANT: &str = "syncano-want";
/// The value of [`WANT`] that asks for the trace.
pub const WANT_TRACE: &str = "trace";
/// Request header: the [fingerprint](crate::Contract::fingerprint) of the contract that the caller was built with, or that it
/// has found to fit. Where another is published nothing runs: the answer is a 412 with the published contract, and this
/// header says its fingerprint. With a 404 it is [`NO_CONTRACT`]: there is no such endpoint.
pub const CONTRACT: &str = "syncano-contract";
/// The value of [`CONTRACT`] where there is no endpoint.
pub const NO_CONTRACT: &str = "none";

/// The value of [`WANT`] that asks for the result as JSON with status 200, and for other statuses with the trace where there is none:
/// 500 for a run that failed, 503 for one that wasn't let run, 504 for a timeout.
pub const WANT_VALUE: &str = "value";

/// What the body of a run's answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// The JSON value that the script's `main` returned.
    Value,
    /// The response that the script made itself.
    Response,
    /// The trace.
    Trace,
    /// The error that the script raised as `AppError`, externally tagged JSON.
    AppError,
}

impl ResultKind {
    /// The word in the header [`RESULT`].
    pub const fn as_str(self) -> &'static str {
        match self {
            ResultKind::Value => "value",
            ResultKind::Response => "response",
            ResultKind::Trace => "trace",
            ResultKind::AppError => "app-error",
        }
    }

    /// The kind that a word in the header [`RESULT`] names.
    pub fn from_word(word: &str) -> Option<ResultKind> {
        [ResultKind::Value, ResultKind::Response, ResultKind::Trace, ResultKind::AppError]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for ResultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
