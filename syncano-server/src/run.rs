//! Runs: a script, who asked for it, and what is recorded of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use serde_json::value::RawValue;
use syncano_core::RunStatus;
use syncano_runner::{Arguments, Call, Script};

use crate::answer::{self, Want};
use crate::app::App;
use crate::cache::Question;
use crate::catalog::Instance;
use crate::errors::ApiError;
use crate::results::{Ended, ResultCheck};
use crate::store::traces::{Subject, Trace};
use crate::time;

/// How long a caller waits at most: what the longest script may take, and some time to end it.
const CALLER_WAIT: Duration = Duration::from_secs(310);
/// Bytes of JSON that a stored trace keeps of each side of the arguments, and of what is known of the request.
const KEPT: usize = 64 * 1024;

/// A run that is about to start.
pub(crate) struct Run {
    pub(crate) instance: Arc<Instance>,
    pub(crate) subject: Subject,
    /// What the log calls it.
    pub(crate) name: String,
    pub(crate) script: Script,
    pub(crate) timeout: Duration,
    pub(crate) arguments: Arguments,
    /// `META`.
    pub(crate) meta: String,
    /// Arguments and request as the trace shows them.
    pub(crate) recorded: Recorded,
    /// What its result must be like.
    pub(crate) results: Option<ResultCheck>,
    /// What its answer may be kept for, and how long.
    pub(crate) keep: Option<(Question, Duration)>,
}

/// What a trace keeps of the request, both as JSON.
pub(crate) struct Recorded {
    args: Arc<str>,
    meta: Arc<str>,
}

impl Recorded {
    /// Of GET and POST each can be too large by itself.
    pub(crate) fn new(arguments: &Arguments, request: &RawValue) -> Recorded {
        let [query, body] =
            [&arguments.query, &arguments.body].map(|side| kept(side.as_deref().unwrap_or("{}")));
        let args = ["{\"GET\":", &query, ",\"POST\":", &body, "}"].concat();
        Recorded { args: args.into(), meta: kept(request.get()).into() }
    }

    /// A script's own runs have no request.
    pub(crate) fn nothing() -> Recorded {
        Recorded { args: "{}".into(), meta: "{}".into() }
    }
}

impl Run {
    /// Runs the script to its end, so that its trace is stored even if the caller doesn't wait, and answers the caller.
    pub(crate) async fn answer(self, app: &Arc<App>, want: Want) -> Result<Response, ApiError> {
        let (server, timeout) = (app.clone(), self.timeout);
        let run = async move {
            let id = server.store.next_trace(self.instance.id).await;
            let keep = self.keep;
            let ended = self.execute(&server, id).await;
            if let Some((question, time)) = keep {
                server.answers.keep(question, id, &ended, time);
            }
            let mut response = answer::respond(id, &ended, want);
            if ended.outcome.status != RunStatus::Success {
                answer::tell_limits(&mut response, server.runner.limits(timeout));
            }
            Ok(response)
        };
        match tokio::time::timeout(CALLER_WAIT, app.to_the_end(run)).await {
            Ok(answer) => answer,
            Err(_) => Err(ApiError::Detail(
                StatusCode::REQUEST_TIMEOUT,
                format!(
                    "no answer within {} s; the run goes on, and its trace will be stored",
                    CALLER_WAIT.as_secs()
                ),
            )),
        }
    }

    /// Starts the run and answers its trace as it is now.
    pub(crate) async fn start(self, app: &Arc<App>) -> Result<Trace, ApiError> {
        let pass = app.gate.enter()?;
        let server = app.clone();
        let id = app.store.next_trace(self.instance.id).await;
        let trace = self.trace(app, id, RunStatus::Pending);
        // From now on, so that whoever asks for it at once finds it.
        let entry = self.instance.running.enter(trace.clone());
        tokio::spawn(async move {
            self.execute(&server, id).await;
            drop((entry, pass));
        });
        Ok(trace)
    }

    async fn execute(self, app: &App, id: i64) -> Ended {
        let trace = self.trace(app, id, RunStatus::Processing);
        let entry = self.instance.running.enter(trace.clone());
        // Handed over, not copied: many calls may wait.
        let call = Call { arguments: self.arguments, meta: self.meta, timeout: self.timeout };
        let outcome = app.runner.run(&self.script, call).await;
        let ended = match &self.results {
            Some(check) => check.apply(outcome),
            None => outcome.into(),
        };
        let outcome = &ended.outcome;
        tracing::debug!(
            instance = self.instance.name,
            endpoint = self.name,
            trace = id,
            status = outcome.status.as_str(),
            milliseconds = answer::milliseconds(outcome),
            sent = outcome.traffic.sent,
            received = outcome.traffic.received,
            "run"
        );
        let ran = outcome.status != RunStatus::Blocked;
        let milliseconds = i64::try_from(answer::milliseconds(outcome)).unwrap_or(i64::MAX);
        let trace = Trace {
            status: outcome.status,
            executed_at: ran.then(|| time::micros(outcome.started_at)),
            duration: ran.then_some(milliseconds),
            result: answer::kept_result(&ended),
            isolation: trace.isolation.filter(|_| ran),
            ..trace
        };
        app.traces.push(trace).await;
        // Only now: it is always somewhere.
        drop(entry);
        ended
    }

    fn trace(&self, app: &App, id: i64, status: RunStatus) -> Trace {
        Trace {
            instance_id: self.instance.id,
            id,
            subject: self.subject.clone(),
            status,
            executed_at: (status == RunStatus::Processing).then(time::now),
            duration: None,
            result: "{}".to_owned(),
            args: self.recorded.args.clone(),
            meta: self.recorded.meta.clone(),
            isolation: (status == RunStatus::Processing).then(|| app.runner.isolation()),
        }
    }
}

/// This JSON, or what says why it isn't stored: strangers decide how large it is.
fn kept(text: &str) -> Cow<'_, str> {
    match text.len() {
        length if length > KEPT => {
            let error = format!("not stored: {length} bytes of JSON, a trace keeps at most {KEPT}");
            json!({ "__error__": error }).to_string().into()
        }
        _ => text.into(),
    }
}

/// The runs of an instance that have not ended, on this server.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<BTreeMap<i64, Trace>>>);

impl Running {
    fn traces(&self) -> MutexGuard<'_, BTreeMap<i64, Trace>> {
        // An entry is never half there.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the run until the entry is dropped.
    fn enter(&self, trace: Trace) -> Entry {
        let id = trace.id;
        self.traces().insert(id, trace);
        Entry { running: self.clone(), id }
    }

    pub(crate) fn of(&self, subject: &Subject) -> Vec<Trace> {
        self.traces().values().filter(|trace| trace.subject == *subject).cloned().collect()
    }

    pub(crate) fn one(&self, subject: &Subject, id: i64) -> Option<Trace> {
        self.traces().get(&id).filter(|trace| trace.subject == *subject).cloned()
    }
}

struct Entry {
    running: Running,
    id: i64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.traces().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn arguments_that_are_too_large_are_not_stored() {
        let large = |length: usize| Value::from("x".repeat(length - 2));
        let recorded = |sides: &Value| {
            let side = |name: &str| Some(sides[name].to_string());
            let arguments = Arguments { query: side("GET"), body: side("POST"), ..Arguments::default() };
            Recorded::new(&arguments, RawValue::NULL).args
        };
        let arguments = json!({ "GET": { "a": 1 }, "POST": large(KEPT) });
        assert_eq!(*recorded(&arguments), arguments.to_string());
        let arguments = json!({ "GET": { "a": 1 }, "POST": large(KEPT + 1) });
        assert_eq!(
            serde_json::from_str::<Value>(&recorded(&arguments)).unwrap(),
            json!({
                "GET": { "a": 1 },
                "POST": { "__error__": "not stored: 65537 bytes of JSON, a trace keeps at most 65536" },
            })
        );
    }
}
