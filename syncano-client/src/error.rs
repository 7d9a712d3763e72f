//! What can go wrong, by where it went wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;
use syncano_core::{Method, Mismatch, RecordedResponse, RunStatus, Violations};
use thiserror::Error;

use crate::contract::ContractMismatch;
use crate::plan::Broken;
use crate::{Called, Plan};

/// An error of managing a server: of everything but calls.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address can't be a server's.
    #[error("`{url}` is no address of a server: {reason}")]
    Url {
        /// The address as given.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The key can't be sent.
    #[error("the key can't be sent: a key is 40 hexadecimal digits")]
    Key,
    /// The request didn't reach the server, or its answer didn't arrive.
    #[error("{request}: {}", Chain(error))]
    Transport {
        /// Method and path.
        request: String,
        /// What happened. (The text tells all of it, so that it is no `source`, which reports would tell once more.)
        error: reqwest::Error,
    },
    /// The server refused the request.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The definition breaks rules; nothing was sent.
    #[error("the definition of the socket `{socket}` is not valid:\n{violations}")]
    Definition {
        /// The socket.
        socket: String,
        /// Every broken rule.
        violations: Violations,
    },
    /// Publishing would break those who call today; nothing was written.
    #[error("{}", Broken(plans))]
    Breaking {
        /// What was planned, of all sockets that were to be published.
        plans: Vec<Plan>,
    },
    /// Somebody else changed the socket while it was being published; nothing was written.
    #[error("the socket `{socket}` was changed by somebody else meanwhile: look at it, then publish again")]
    Conflict {
        /// The socket.
        socket: String,
    },
    /// The server stored the socket but couldn't install it.
    #[error("the socket `{socket}` could not be installed: {status_info}")]
    NotInstalled {
        /// The socket.
        socket: String,
        /// The server's reason.
        status_info: String,
    },
    /// A socket keeps its name; nothing was sent.
    #[error("the socket `{socket}` can't become `{name}`: publish that one, and delete this")]
    Renamed {
        /// The socket.
        socket: String,
        /// The name in the definition.
        name: String,
    },
    /// It is not done yet: waiting any longer was not asked for.
    #[error("{what} is still `{status}` after {} s", waited.as_secs_f64())]
    Unfinished {
        /// What was waited for.
        what: String,
        /// Its status.
        status: String,
        /// How long was waited.
        waited: Duration,
    },
    /// What was to be sent can't be written as JSON; nothing was sent.
    #[error("{request}: this can't be written as JSON: {source}")]
    Encode {
        /// Method and path.
        request: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A [`Fake`](crate::fake::Fake) was asked for more than calls.
    #[cfg(feature = "fake")]
    #[error("{request}: a fake answers calls only; `syncano-testing` gives tests a server")]
    Fake {
        /// Method and path.
        request: String,
    },
    /// The server's answer isn't what the API promises.
    #[error("{request}: the answer can't be read: {source}")]
    Decode {
        /// Method and path.
        request: String,
        /// What was wrong with it.
        source: serde_json::Error,
        /// The answer.
        body: Bytes,
    },
}

impl Error {
    /// The HTTP status of the answer, if there was one that says more than the error's kind.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Error::Api(error) => Some(error.status),
            Error::Transport { error, .. } => error.status(),
            _ => None,
        }
    }

    /// Whether the same request may succeed later: the server was not reached, busy, or shutting down.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Transport { .. } => true,
            Error::Api(error) => error.is_retryable(),
            _ => false,
        }
    }
}

/// The server's refusal of a request; no script ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Method and path of the request.
    pub request: String,
    /// The reason, if it doesn't belong to one field.
    pub detail: Option<String>,
    /// The reasons by field.
    pub fields: BTreeMap<String, Vec<String>>,
}

impl ApiError {
    pub(crate) fn read(status: StatusCode, request: String, body: &[u8]) -> ApiError {
        let mut error = ApiError { status, request, detail: None, fields: BTreeMap::new() };
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => {
                for (field, reasons) in fields {
                    let reasons = texts(reasons);
                    if field == "detail" {
                        error.detail = Some(reasons.join(" "));
                    } else {
                        error.fields.insert(field, reasons);
                    }
                }
            }
            // Not our server's words (a proxy in between, say): still the best there is.
            _ => {
                error.detail = Some(String::from_utf8_lossy(body).trim().to_owned()).filter(|t| !t.is_empty())
            }
        }
        error
    }

    /// Whether the same request may succeed later: too many requests, or the server is shutting down.
    pub fn is_retryable(&self) -> bool {
        matches!(self.status.as_u16(), 429 | 502 | 503 | 504)
    }
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.into_iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.status)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        for (field, reasons) in &self.fields {
            write!(f, "; `{field}`: {}", reasons.join(" "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// An error of a call; it names the endpoint and says which part failed.
///
/// `E` is the script's own error type (`error = E` in the macro), [`NoError`](crate::NoError) without one, and JSON where the
/// endpoint is run by name. What errors call the endpoint is `socket/endpoint`, or the name by which it was run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError<E = crate::NoError> {
    /// The script raised its own, typed error; where it was called stands behind it.
    #[error("the script of `{1}` raised its error {0:?}")]
    App(E, Called),
    /// The script raised an `AppError` that the function's error type can't be.
    #[error(
        "the script of `{endpoint}` raised the AppError {}, which the function's error type doesn't have{}: {source}",
        Json(body),
        At(pointer)
    )]
    UnknownApp {
        /// `socket/endpoint`.
        endpoint: Called,
        /// Where it is something else, as a JSON pointer.
        pointer: String,
        /// What was expected.
        source: serde_json::Error,
        /// The error as the script sent it: `"Name"` or `{"Name": data}`.
        body: Bytes,
    },
    /// The server found that the script's result doesn't fit the endpoint's schema.
    #[error(transparent)]
    Mismatch(Box<ResultMismatch>),
    /// The endpoint isn't what the program was built for; no script ran.
    #[error(transparent)]
    ContractMismatch(Box<ContractMismatch>),
    /// The script failed, took too long, or was not let run.
    #[error(transparent)]
    Script(Box<ScriptFailure>),
    /// The script made a response that says failure, and it isn't the script's typed error.
    #[error("the script of `{endpoint}` answered with status {status}: {}", Excerpt(body))]
    Response {
        /// `socket/endpoint`.
        endpoint: Called,
        /// The HTTP status.
        status: StatusCode,
        /// The body.
        body: Bytes,
    },
    /// The script answered something else than the function's result type.
    #[error(
        "the answer of `{endpoint}` is not the expected type{}: {source}; it answered: {}",
        At(pointer),
        Excerpt(body)
    )]
    Decode {
        /// `socket/endpoint`.
        endpoint: Called,
        /// Where it doesn't fit, as a JSON pointer; empty for the whole.
        pointer: String,
        /// What doesn't fit.
        source: serde_json::Error,
        /// What the script answered.
        body: Bytes,
    },
    /// The call can't be made as asked; nothing was sent.
    #[error("`{endpoint}` can't be called like this: {reason}")]
    Request {
        /// `socket/endpoint`.
        endpoint: Called,
        /// Why.
        reason: RequestProblem,
    },
    /// The server refused the call; no script ran.
    #[error("`{endpoint}` was refused: {error}")]
    Api {
        /// `socket/endpoint`.
        endpoint: Called,
        /// The server's reason.
        error: ApiError,
    },
    /// The server was not reached, or its answer didn't arrive (in time).
    #[error("{}", Unanswered(endpoint, error))]
    Transport {
        /// `socket/endpoint`.
        endpoint: Called,
        /// What happened. (The text tells all of it, so that it is no `source`, which reports would tell once more.)
        error: reqwest::Error,
    },
}

/// Why a call can't be made as asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestProblem {
    /// The endpoint's call doesn't list the method.
    #[error("it doesn't answer {method}: use {}", list(allowed))]
    Method {
        /// The method asked for.
        method: Method,
        /// The methods that the call lists.
        allowed: Vec<Method>,
    },
    /// An argument that is the whole body, with a method that has none.
    #[error("its argument `{argument}` is the body, and {method} sends none: use a method with a body")]
    NoBody {
        /// The argument.
        argument: &'static str,
        /// The method.
        method: Method,
    },
    /// Data that is no object, with a method that sends it in the query.
    #[error("{method} sends its data in the query: it must be an object")]
    NoObject {
        /// The method.
        method: Method,
    },
    /// The arguments are too long for a query.
    #[error("{method} sends its arguments in the address, which may have 65,534 bytes: let it answer POST")]
    TooLong {
        /// The method.
        method: Method,
    },
    /// An argument can't be written as JSON.
    #[error("its argument `{argument}` can't be written as JSON: {source}")]
    Argument {
        /// The argument.
        argument: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The client's key can't be sent.
    #[error("the key can't be sent: a key is 40 hexadecimal digits")]
    Key,
    /// A [`Fake`](crate::fake::Fake) was told nothing about this call.
    #[cfg(feature = "fake")]
    #[error("the fake has no answer for {call}: set one up with `fake.when(…)`{}", Others(others))]
    NoAnswer {
        /// The call.
        call: crate::fake::FakeCall,
        /// The calls of the endpoint that it has answers for.
        others: Vec<String>,
    },
}

/// What else there is, for error texts.
#[cfg(feature = "fake")]
struct Others<'a>(&'a [String]);

#[cfg(feature = "fake")]
impl fmt::Display for Others<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            others => write!(f, " (it has answers for {})", others.join(", ")),
        }
    }
}

fn list(methods: &[Method]) -> String {
    methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ")
}

impl<E> CallError<E> {
    /// `socket/endpoint`.
    pub fn endpoint(&self) -> &str {
        self.called()
    }

    /// What was called, and where.
    pub fn called(&self) -> &Called {
        match self {
            CallError::App(_, endpoint)
            | CallError::UnknownApp { endpoint, .. }
            | CallError::Response { endpoint, .. }
            | CallError::Decode { endpoint, .. }
            | CallError::Request { endpoint, .. }
            | CallError::Api { endpoint, .. }
            | CallError::Transport { endpoint, .. } => endpoint,
            CallError::Script(failure) => &failure.endpoint,
            CallError::ContractMismatch(mismatch) => &mismatch.endpoint,
            CallError::Mismatch(mismatch) => &mismatch.endpoint,
        }
    }

    /// The HTTP status of the answer, where it is what failed.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            CallError::Response { status, .. } => Some(*status),
            CallError::Api { error, .. } => Some(error.status),
            _ => None,
        }
    }

    /// Whether the same call may succeed later. It may have run already: repeat only what may run twice.
    pub fn is_retryable(&self) -> bool {
        match self {
            CallError::Transport { .. } => true,
            CallError::Api { error, .. } => error.is_retryable(),
            CallError::Script(failure) => {
                matches!(failure.status, RunStatus::Blocked | RunStatus::QueueTimeout)
            }
            _ => false,
        }
    }
}

/// A run that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFailure {
    /// `socket/endpoint`.
    pub endpoint: Called,
    /// How it ended.
    pub status: RunStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error: the traceback of an exception.
    pub stderr: String,
    /// The number of the run's trace on the server.
    pub trace: i64,
    /// How long it ran, in milliseconds.
    pub duration: Option<u64>,
}

impl fmt::Display for ScriptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.status {
            RunStatus::Timeout => "took longer than its timeout",
            RunStatus::Blocked => "was not run: too many calls are waiting",
            RunStatus::QueueTimeout => "was not run: no worker became free in time",
            _ => "failed",
        };
        write!(f, "the script of `{}` {what} (trace {})", self.endpoint, self.trace)?;
        if !self.stderr.is_empty() {
            write!(f, ":\n{}", self.stderr)?;
        }
        Ok(())
    }
}

impl std::error::Error for ScriptFailure {}

/// A result that doesn't fit its endpoint's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultMismatch {
    /// `socket/endpoint`.
    pub endpoint: Called,
    /// Where it doesn't fit, and what was expected there.
    pub mismatches: Vec<Mismatch>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// What the script answered, if it didn't only print.
    pub response: Option<RecordedResponse>,
    /// The number of the run's trace on the server.
    pub trace: i64,
}

impl fmt::Display for ResultMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the result of `{}` doesn't fit its schema (trace {}): ", self.endpoint, self.trace)?;
        for (index, mismatch) in self.mismatches.iter().enumerate() {
            write!(f, "{}{mismatch}", if index > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ResultMismatch {}

/// Why there is no answer: a call that timed out has been made all the same.
struct Unanswered<'a>(&'a str, &'a reqwest::Error);

impl fmt::Display for Unanswered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unanswered(endpoint, source) = self;
        if source.is_timeout() && !source.is_connect() {
            write!(f, "`{endpoint}` did not answer in time; the script may still run")
        } else {
            write!(f, "`{endpoint}` could not be called: {}", Chain(*source))
        }
    }
}

/// An error with its causes on one line; reqwest's own text leaves them out.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Where something doesn't fit, if it isn't the whole.
struct At<'a>(&'a str);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " at {}", self.0) }
    }
}

/// The beginning of JSON, for error texts.
struct Json<'a>(&'a [u8]);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARACTERS: usize = 500;
        let text = String::from_utf8_lossy(self.0);
        let excerpt: String = text.chars().take(CHARACTERS).flat_map(visible).collect();
        let cut = text.chars().nth(CHARACTERS).is_some();
        write!(f, "{excerpt}{}", if cut { "…" } else { "" })
    }
}

/// Nothing that a terminal would obey.
pub(crate) fn visible(character: char) -> impl Iterator<Item = char> {
    let (shown, escaped) = match character.is_control() {
        true => (None, Some(character.escape_debug())),
        false => (Some(character), None),
    };
    shown.into_iter().chain(escaped.into_iter().flatten())
}

/// The beginning of a body, for error texts.
struct Excerpt<'a>(&'a [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARACTERS: usize = 200;
        let text = String::from_utf8_lossy(self.0);
        let mut excerpt: String = text.chars().take(CHARACTERS).collect();
        if excerpt.len() < text.len() {
            excerpt.push('…');
        }
        write!(f, "{excerpt:?}")
    }
}
