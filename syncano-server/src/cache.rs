//! Answers that are kept to be repeated, for endpoints whose author allows that (`cache`, in seconds).
//!
//! An answer is repeated only for the same arguments, method and account. It is forgotten when its time is over, when
//! the endpoint is published anew or invalidated, and when there are too many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use syncano_core::{Method, RunStatus};
use syncano_runner::{Answer, Arguments, Outcome};

use crate::results::Ended;

/// Bytes of all answers together.
const BYTES: u64 = 64 << 20;
/// What an entry takes beside its answer.
const OVERHEAD: u64 = 512;
/// What a header takes beside its texts.
const HEADER: usize = 64;
/// Roughly how many entries there are.
const ENTRIES: usize = 10_000;

/// An answer that is kept.
pub(crate) struct Kept {
    pub(crate) trace: i64,
    pub(crate) ended: Ended,
    pub(crate) since: Instant,
    time: Duration,
}

/// What an answer is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    edition: u64,
    digest: [u8; 32],
}

impl Question {
    /// `account` is the one that `META` names.
    pub(crate) fn new(
        edition: &Edition,
        method: Method,
        arguments: &Arguments,
        account: Option<i64>,
    ) -> Question {
        let mut digest = Sha256::new();
        let account = account.map(|id| id.to_string());
        let texts = [Some(method.as_str()), account.as_deref(), Some(arguments.merged())];
        let texts = texts
            .into_iter()
            .chain([&arguments.query, &arguments.body, &arguments.main].map(|text| text.as_deref()));
        for text in texts {
            // A length that no text has stands for none.
            digest.update(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            digest.update(text.unwrap_or_default());
        }
        Question { edition: edition.number(), digest: digest.finalize().into() }
    }
}

/// Tells answers of an endpoint from those that it gave before it was changed.
#[derive(Debug)]
pub(crate) struct Edition(AtomicU64);

impl Default for Edition {
    fn default() -> Edition {
        Edition(AtomicU64::new(Edition::next()))
    }
}

impl Edition {
    fn next() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// No two editions have the same.
    pub(crate) fn number(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Makes all that was kept so far useless.
    pub(crate) fn invalidate(&self) {
        self.0.store(Edition::next(), Ordering::Release);
    }
}

#[derive(Clone)]
struct Size;

impl Weighter<Question, Arc<Kept>> for Size {
    fn weight(&self, _: &Question, kept: &Arc<Kept>) -> u64 {
        let Outcome { stdout, stderr, answer, .. } = &kept.ended.outcome;
        let answer = match answer {
            None => 0,
            Some(Answer::Value(bytes) | Answer::AppError(bytes)) => bytes.len(),
            Some(Answer::Response(own)) => {
                let headers = own.headers.iter().map(|(name, value)| HEADER + name.len() + value.len());
                own.content.len() + own.content_type.len() + headers.sum::<usize>()
            }
        };
        OVERHEAD + (stdout.len() + stderr.len() + answer) as u64
    }
}

/// The answers of all endpoints.
pub(crate) struct Answers(Cache<Question, Arc<Kept>, Size>);

impl Default for Answers {
    fn default() -> Answers {
        Answers(Cache::with_weighter(ENTRIES, BYTES, Size))
    }
}

impl Answers {
    pub(crate) fn get(&self, question: &Question) -> Option<Arc<Kept>> {
        self.0.get(question).filter(|kept| kept.since.elapsed() < kept.time)
    }

    /// Keeps the answer, if it is one to be repeated.
    pub(crate) fn keep(&self, question: Question, trace: i64, ended: &Ended, time: Duration) {
        if ended.outcome.status == RunStatus::Success {
            let kept = Kept { trace, ended: ended.clone(), since: Instant::now(), time };
            self.0.insert(question, Arc::new(kept));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn headers_count_in_what_an_answer_takes() {
        let weight = |headers: Vec<(String, String)>| {
            let response = syncano_runner::Response {
                status: 200,
                content_type: "a/b".to_owned(),
                headers,
                content: bytes::Bytes::new(),
            };
            let outcome = Outcome {
                status: RunStatus::Success,
                stdout: String::new(),
                stderr: String::new(),
                started_at: SystemTime::UNIX_EPOCH,
                duration: Duration::ZERO,
                answer: Some(Answer::Response(response)),
                traffic: Default::default(),
            };
            let question = Question { edition: 0, digest: [0; 32] };
            Size.weight(
                &question,
                &Arc::new(Kept {
                    trace: 1,
                    ended: outcome.into(),
                    since: Instant::now(),
                    time: Duration::ZERO,
                }),
            )
        };
        let headers = vec![("a".to_owned(), "x".repeat(4000)), ("b".to_owned(), "x".repeat(4000))];
        assert!(weight(headers) > weight(Vec::new()) + 8000);
    }
}
