//! What became of a run.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use syncano_core::RunStatus;

use crate::response::Response;

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended; never `Pending` or `Processing`.
    pub status: RunStatus,
    /// Standard output without trailing newlines. It comes before `stderr` in their common limit.
    pub stdout: String,
    /// Standard error without trailing newlines; where the runner itself has something to say about the end of a
    /// run, that is its last line.
    pub stderr: String,
    /// When the script started, or when the call was refused.
    pub started_at: SystemTime,
    /// How long the script ran; zero when it never started.
    pub duration: Duration,
    /// What it answered, if it did.
    pub answer: Option<Answer>,
    /// What it sent and received over the network.
    pub traffic: Traffic,
}

/// Bytes to and from the hosts that a script talked to, without what the kernel adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes to them.
    pub sent: u64,
    /// Bytes from them.
    pub received: u64,
}

/// What a script answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What `main` returned, as the JSON text that the worker wrote. The runner does not parse it.
    Value(Bytes),
    /// An `HttpResponse`, checked.
    Response(Response),
    /// An `AppError`, as externally tagged JSON: `"Name"` or `{"Name": data}`. The status is `Failure`.
    AppError(Bytes),
}

impl Outcome {
    /// A run that ended before any script did.
    pub(crate) fn never_ran(status: RunStatus, stderr: impl Into<String>) -> Outcome {
        Outcome {
            status,
            stdout: String::new(),
            stderr: stderr.into(),
            started_at: SystemTime::now(),
            duration: Duration::ZERO,
            answer: None,
            traffic: Traffic::default(),
        }
    }

    /// Adds a sentence of the runner's own to what the script wrote.
    pub(crate) fn remark(&mut self, sentence: &str) {
        if !self.stderr.is_empty() {
            self.stderr.push('\n');
        }
        self.stderr.push_str(sentence);
    }
}
