//! What a run ended with: as the answer to its caller, and as the trace that is kept.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use syncano_core::{RecordedResponse, ResultKind, RunLimits, RunResult, RunStatus, Trace, headers};
use syncano_runner::{Answer, Outcome};

use crate::request::Head;
use crate::results::Ended;
use crate::{reply, time};

/// Bytes of a response's body, of stdout and of stderr that a stored trace keeps.
const KEPT: usize = 64 * 1024;

/// Headers that an answer has at most, as a rule.
const HEADERS: usize = 8;

/// What the caller asked for, in the header `Syncano-Want`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// As in 2016: the trace of a failed run and of a program that printed, with 200.
    Nothing,
    /// The trace, whatever the script answered.
    Trace,
    /// JSON with 200, and other statuses for whatever isn't a result.
    Value,
}

impl Want {
    pub(crate) fn of(head: &Head) -> Want {
        match head.header(headers::WANT).map(str::trim) {
            Some(headers::WANT_TRACE) => Want::Trace,
            Some(headers::WANT_VALUE) => Want::Value,
            _ => Want::Nothing,
        }
    }
}

/// Makes the answer to the caller.
pub(crate) fn respond(id: i64, ended: &Ended, want: Want) -> Response {
    const STATUS: HeaderName = HeaderName::from_static(headers::STATUS);
    const TRACE: HeaderName = HeaderName::from_static(headers::TRACE);
    const RESULT: HeaderName = HeaderName::from_static(headers::RESULT);

    let outcome = &ended.outcome;
    let answer = outcome.answer.as_ref().filter(|_| want != Want::Trace);
    let (kind, mut response) = match answer {
        Some(Answer::Value(json)) if succeeded(outcome) => {
            (ResultKind::Value, written(StatusCode::OK, json.clone()))
        }
        Some(Answer::Response(own)) if succeeded(outcome) => (ResultKind::Response, custom(own)),
        Some(Answer::AppError(json)) => {
            (ResultKind::AppError, written(StatusCode::UNPROCESSABLE_ENTITY, json.clone()))
        }
        None if want == Want::Value && succeeded(outcome) => {
            (ResultKind::Value, written(StatusCode::OK, printed_value(ended).into()))
        }
        // A script that failed after it had set a response: what failed is told in the trace.
        _ => {
            let status = if want == Want::Value { failed(outcome.status) } else { StatusCode::OK };
            (ResultKind::Trace, reply::json(status, &trace(id, ended, usize::MAX)))
        }
    };
    let said = response.headers_mut();
    said.insert(STATUS, HeaderValue::from_static(outcome.status.as_str()));
    said.insert(TRACE, HeaderValue::from(id));
    said.insert(RESULT, HeaderValue::from_static(kind.as_str()));
    response
}

/// JSON that is written already.
fn written(status: StatusCode, json: Bytes) -> Response {
    let mut said = HeaderMap::with_capacity(HEADERS);
    said.insert(header::CONTENT_TYPE, reply::JSON);
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    *response.headers_mut() = said;
    response
}

/// Adds the limits that the run was under.
pub(crate) fn tell_limits(response: &mut Response, limits: RunLimits) {
    if let Ok(text) = HeaderValue::try_from(limits.to_header()) {
        response.headers_mut().insert(headers::LIMITS, text);
    }
}

fn succeeded(outcome: &Outcome) -> bool {
    outcome.status == RunStatus::Success
}

fn failed(status: RunStatus) -> StatusCode {
    match status {
        RunStatus::Timeout => StatusCode::GATEWAY_TIMEOUT,
        RunStatus::Blocked | RunStatus::QueueTimeout => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What a program printed as JSON: JSON as it is, `null` for nothing, and else a text.
fn printed_value(ended: &Ended) -> String {
    let text = &ended.outcome.stdout;
    let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    match text.as_str() {
        "" if !ended.is_text => "null".to_owned(),
        json if !ended.is_text && is_json() => json.to_owned(),
        text => Value::from(text).to_string(),
    }
}

/// The script's own response.
fn custom(own: &syncano_runner::Response) -> Response {
    // The runner has checked both; a script can't get here with others.
    let (Ok(status), Ok(content_type)) =
        (StatusCode::from_u16(own.status), HeaderValue::try_from(&own.content_type))
    else {
        let text = format!("the script's response has the status {}, which can't be sent", own.status);
        return reply::json(StatusCode::BAD_GATEWAY, &json!({ "detail": text }));
    };
    // With these nothing may follow, and a length that says otherwise confuses whoever forwards the answer.
    let content = match status {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => Bytes::new(),
        _ => own.content.clone(),
    };
    let mut response = (status, content).into_response();
    let said = response.headers_mut();
    said.insert(header::CONTENT_TYPE, content_type);
    for (name, value) in &own.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            continue;
        };
        if !belongs_to_server(&name) {
            said.append(name, value);
        }
    }
    response
}

/// Headers that a script can't set: those of the connection, and those by which the server speaks.
fn belongs_to_server(name: &HeaderName) -> bool {
    const OURS: [HeaderName; 8] = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    OURS.contains(name) || name == "keep-alive" || name.as_str().starts_with("syncano-")
}

/// The trace as JSON, without its links. At most `kept` bytes of the response's body, of stdout and of stderr are
/// shown.
pub(crate) fn trace(id: i64, ended: &Ended, kept: usize) -> Value {
    let outcome = &ended.outcome;
    let ran = outcome.status != RunStatus::Blocked;
    let trace = Trace {
        id,
        status: outcome.status,
        executed_at: ran.then(|| time::wire(time::micros(outcome.started_at))),
        duration: ran.then(|| milliseconds(outcome)),
        result: result(ended, kept),
    };
    let mut trace = json!(trace);
    if !ran {
        trace["result"] = json!({});
    }
    trace
}

/// What the stored trace keeps of the result, as JSON.
pub(crate) fn kept_result(ended: &Ended) -> String {
    match ended.outcome.status {
        RunStatus::Blocked => "{}".to_owned(),
        _ => serde_json::to_string(&result(ended, KEPT)).expect("it is written to memory"),
    }
}

pub(crate) fn milliseconds(outcome: &Outcome) -> u64 {
    u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX)
}

/// stdout and stderr, and the response if there is one. A value that `main` returned, and an error that it raised
/// for its caller, stand there as the responses they were sent as.
fn result(ended: &Ended, kept: usize) -> RunResult {
    let outcome = &ended.outcome;
    let json = |status: u16, content: &[u8]| RecordedResponse {
        status,
        content_type: "application/json".to_owned(),
        content: start(content, kept),
        headers: Map::new(),
    };
    let response = outcome.answer.as_ref().map(|answer| match answer {
        Answer::Value(value) => json(200, value),
        Answer::AppError(error) => json(422, error),
        Answer::Response(own) => RecordedResponse {
            status: own.status,
            content_type: own.content_type.clone(),
            content: start(&own.content, kept),
            headers: own.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect(),
        },
    });
    RunResult {
        stdout: printed(&outcome.stdout, kept),
        stderr: printed(&outcome.stderr, kept),
        response,
        mismatches: ended.mismatches.clone(),
    }
}

/// At most `limit` bytes of what was printed. A last line says so if there was more.
fn printed(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let note = format!("\n[cut: {} bytes were printed, a stored trace keeps {limit}]", text.len());
    start(text.as_bytes(), limit.saturating_sub(note.len())) + &note
}

/// At most `limit` bytes of a text, cut between characters.
fn start(content: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(content);
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn outcome(status: RunStatus, answer: Option<Answer>) -> Ended {
        Ended::from(Outcome {
            status,
            stdout: "out".to_owned(),
            stderr: String::new(),
            started_at: SystemTime::UNIX_EPOCH,
            duration: Duration::from_millis(42),
            answer,
            traffic: Default::default(),
        })
    }

    fn kind(response: &Response) -> (u16, &str, &str) {
        let word = |name| response.headers()[name].to_str().unwrap();
        (response.status().as_u16(), word(headers::STATUS), word(headers::RESULT))
    }

    #[test]
    fn every_answer_says_what_it_is() {
        let value = Answer::Value(Bytes::from_static(b"5"));
        let done = outcome(RunStatus::Success, Some(value.clone()));
        assert_eq!(kind(&respond(7, &done, Want::Nothing)), (200, "success", "value"));
        assert_eq!(kind(&respond(7, &done, Want::Trace)), (200, "success", "trace"));
        let plain = outcome(RunStatus::Success, None);
        assert_eq!(kind(&respond(7, &plain, Want::Nothing)), (200, "success", "trace"));
        let failed = outcome(RunStatus::Failure, Some(value));
        assert_eq!(kind(&respond(7, &failed, Want::Nothing)), (200, "failure", "trace"));
        let error = outcome(RunStatus::Failure, Some(Answer::AppError(Bytes::from_static(b"\"E\""))));
        assert_eq!(kind(&respond(7, &error, Want::Nothing)), (422, "failure", "app-error"));
        assert_eq!(kind(&respond(7, &error, Want::Value)), (422, "failure", "app-error"));
        assert_eq!(kind(&respond(7, &failed, Want::Value)), (500, "failure", "trace"));
        let late = outcome(RunStatus::Timeout, None);
        assert_eq!(kind(&respond(7, &late, Want::Value)), (504, "timeout", "trace"));
        let waiting = outcome(RunStatus::Blocked, None);
        assert_eq!(kind(&respond(7, &waiting, Want::Value)), (503, "blocked", "trace"));
        assert_eq!(kind(&respond(7, &plain, Want::Value)), (200, "success", "value"));
        let printed = |stdout: &str, is_text| {
            let mut ended = outcome(RunStatus::Success, None);
            (ended.outcome.stdout, ended.is_text) = (stdout.to_owned(), is_text);
            printed_value(&ended)
        };
        assert_eq!(printed("[1]", false), "[1]");
        assert_eq!(printed("[1]", true), "\"[1]\"");
        assert_eq!((printed("", false), printed("", true)), ("null".to_owned(), "\"\"".to_owned()));
        assert_eq!(printed("not JSON", false), "\"not JSON\"");
    }

    #[test]
    fn a_script_sets_neither_our_headers_nor_those_of_the_connection() {
        let own = syncano_runner::Response {
            status: 201,
            content_type: "text/plain".to_owned(),
            headers: [("Syncano-Status", "failure"), ("Transfer-Encoding", "chunked"), ("X-Own", "1")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            content: Bytes::from_static(b"hi"),
        };
        let response = respond(7, &outcome(RunStatus::Success, Some(Answer::Response(own))), Want::Nothing);
        assert_eq!(kind(&response), (201, "success", "response"));
        assert_eq!(response.headers()["x-own"], "1");
        assert!(!response.headers().contains_key(header::TRANSFER_ENCODING));
    }

    #[test]
    fn a_blocked_run_has_neither_time_nor_result() {
        assert_eq!(
            trace(7, &outcome(RunStatus::Blocked, None), 9),
            json!({"id": 7, "status": "blocked", "executed_at": null, "duration": null, "result": {}})
        );
    }

    #[test]
    fn a_kept_response_is_cut_between_characters() {
        assert_eq!(start("aäa".as_bytes(), 2), "a");
        assert_eq!(start("aäa".as_bytes(), 3), "aä");
        assert_eq!(start("aäa".as_bytes(), 99), "aäa");
    }

    #[test]
    fn a_stored_trace_keeps_the_beginning_of_what_was_printed() {
        let mut ended = outcome(RunStatus::Success, None);
        ended.outcome.stdout = "ä".repeat(KEPT);
        ended.outcome.stderr = "e".repeat(KEPT);
        let kept: Value = serde_json::from_str(&kept_result(&ended)).unwrap();
        let stdout = kept["stdout"].as_str().unwrap();
        assert!((KEPT - 1..=KEPT).contains(&stdout.len()), "{}", stdout.len());
        let (text, note) = stdout.split_once('\n').unwrap();
        assert_eq!(text.trim_matches('ä'), "");
        assert_eq!(note, "[cut: 131072 bytes were printed, a stored trace keeps 65536]");
        assert_eq!(kept["stderr"], ended.outcome.stderr);
        // The caller gets all of it.
        assert_eq!(trace(1, &ended, usize::MAX)["result"]["stdout"], ended.outcome.stdout);
    }
}
