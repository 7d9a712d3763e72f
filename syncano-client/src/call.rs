//! A typed call: built by the generated functions, sent when awaited.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use syncano_core::{Method, headers};

use crate::answer::{Answer, Read, ReadResult};
use crate::called::{CompiledScript, Origin};
use crate::contract::{Contracts, Verdict};
use crate::encode::{self, Arguments};
use crate::error::RequestProblem;
use crate::{CallError, Client, ContractMismatch};

/// What a function tagged with `#[endpoint]` may take: any type that serialises and has a JSON Schema.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an argument of an endpoint",
    label = "an argument must implement `serde::Serialize` and `schemars::JsonSchema`",
    note = "for each type of yours in it: `#[derive(serde::Serialize, schemars::JsonSchema)]`",
    note = "for types of other crates: turn their feature `serde` on, and that of schemars for them, such as `uuid1` or `chrono04`"
)]
pub trait Argument: Serialize + JsonSchema {}

// So that a type that lacks both is told once, and by its name.
#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + ?Sized> Argument for T {}

/// What a function tagged with `#[endpoint]` may return: any type that deserialises and has a JSON Schema.
///
/// [`String`] takes what the script printed as it is, [`Trace`](crate::Trace) the whole record of the run, every
/// other type the JSON that the script returned or printed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of an endpoint",
    label = "a result must implement `serde::Deserialize` and `schemars::JsonSchema`",
    note = "for each type of yours in it: `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "for types of other crates: turn their feature `serde` on, and that of schemars for them, such as `uuid1` or `chrono04`"
)]
pub trait CallResult: DeserializeOwned + JsonSchema + Send + 'static {}

// So that a type that lacks both is told once, and by its name.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> CallResult for T {}

/// What `error = …` of an endpoint may name: any type that deserialises and has a JSON Schema, usually an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the error of an endpoint",
    label = "an error must implement `serde::Deserialize` and `schemars::JsonSchema`",
    note = "for each type of yours in it: `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "for types of other crates: turn their feature `serde` on, and that of schemars for them, such as `uuid1` or `chrono04`"
)]
pub trait ScriptError: DeserializeOwned + JsonSchema + Send + 'static {}

// So that a type that lacks both is told once, and by its name.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> ScriptError for T {}

/// The error type of a call whose script has no errors of its own. It has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoError {}

impl<'de> Deserialize<'de> for NoError {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<NoError, D::Error> {
        Err(serde::de::Error::custom(
            "the script raised an `AppError`, and the function declares no `error = …`",
        ))
    }
}

impl fmt::Display for NoError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for NoError {}

/// How often a call is sent while what is published changes from one contract that fits to another. At most one runs.
const TRIES: usize = 3;

/// A call that is sent when awaited.
///
/// `.await` gives the value; [`send`](Call::send) gives the value with status and headers.
#[must_use = "a call is sent only when it is awaited"]
pub struct Call<T, E = NoError> {
    client: Client,
    to: Destination,
    method: Method,
    arguments: Arguments,
    timeout: Option<Duration>,
    result: ReadResult<T>,
    error: Read<E>,
    /// Where the program made it.
    at: &'static Location<'static>,
}

/// Where a call goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// What errors call it: `socket/endpoint`.
    pub(crate) name: String,
    pub(crate) path: String,
    /// The methods that are answered there.
    pub(crate) methods: Cow<'static, [Method]>,
    /// What the function was compiled with.
    pub(crate) script: Option<&'static CompiledScript>,
    /// Where it stands what the endpoint of this name is expected to be.
    pub(crate) contract: Option<(&'static Contracts, &'static str)>,
}

/// An answer with what came along.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Response<T> {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The number of the run's trace on the server.
    pub trace: Option<i64>,
    /// The value.
    pub value: T,
}

impl<T, E> Call<T, E> {
    #[track_caller]
    pub(crate) fn new(
        client: &Client,
        to: Destination,
        method: Method,
        arguments: Arguments,
        result: ReadResult<T>,
        error: Read<E>,
    ) -> Call<T, E> {
        let at = Location::caller();
        Call { client: client.clone(), to, method, arguments, timeout: None, result, error, at }
    }

    pub(crate) fn push(&mut self, argument: encode::Argument) {
        if let Arguments::Named(arguments) = &mut self.arguments {
            arguments.push(argument);
        }
    }

    /// Sends another of the methods that the endpoint lists; the first is sent otherwise (POST for `*`).
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Waits this long for the answer instead of 310 s. The script's own timeout is the server's business.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The call as a fake sees it.
    #[cfg(feature = "fake")]
    pub(crate) fn described(self) -> Result<crate::fake::FakeCall, RequestProblem> {
        let Call { to: Destination { name, script, .. }, method, arguments, at, .. } = self;
        let called = Origin { name, method, at, script }.called();
        Ok(crate::fake::FakeCall::new(called, arguments.into_value()?))
    }
}

// No bounds but `'static`: a type that can't be a result has been told where the call was made.
impl<T: 'static, E: 'static> Call<T, E> {
    /// Sends the call.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn send(self) -> Result<Response<T>, CallError<E>> {
        let Call { client, to, method, arguments, timeout, result, error, at } = self;
        let Destination { name, path, methods, script, contract } = to;
        let origin = Origin { name, method, at, script };
        let refuse = |reason| CallError::Request { endpoint: origin.clone().called(), reason };
        if !methods.contains(&method) {
            return Err(refuse(RequestProblem::Method { method, allowed: methods.into_owned() }));
        }
        #[cfg(feature = "fake")]
        if let Some(answers) = client.answers() {
            let arguments = arguments.into_value().map_err(refuse)?;
            return answers.answer(crate::fake::FakeCall::new(origin.called(), arguments)).await;
        }
        let encode::Request { query, body } = encode::request(method, arguments).map_err(refuse)?;
        let known = contract.and_then(|(contracts, endpoint)| contracts.of(endpoint, method));
        // Both name the same five methods.
        let verb = http::Method::from_bytes(method.as_str().as_bytes()).unwrap_or(http::Method::POST);
        let described = format!("{verb} {path}");
        let make = || {
            let mut request = client.request(verb.clone(), &path)?.query(&query);
            if let Some(body) = &body {
                request = request.header(http::header::CONTENT_TYPE, "application/json").body(body.clone());
            }
            if result.wants_trace {
                request = request.header(headers::WANT, headers::WANT_TRACE);
            }
            Some(match timeout {
                Some(timeout) => request.timeout(timeout),
                None => request,
            })
        };
        let transport = |error: reqwest::Error| match error.is_builder() {
            // Everything else in a request has been looked at before.
            true => CallError::Request {
                endpoint: origin.clone().called(),
                reason: RequestProblem::TooLong { method },
            },
            false => CallError::Transport { endpoint: origin.clone().called(), error: error.without_url() },
        };
        let mut tries = 1..TRIES;
        loop {
            let mut request = make().ok_or_else(|| refuse(RequestProblem::Key))?;
            if let Some(known) = known {
                request = request.header(headers::CONTRACT, known.to_send(&client.accepted, &described));
            }
            let response = request.send().await.map_err(transport)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.bytes().await.map_err(transport)?;
            let answer = Answer { status, headers, body };
            let verdict = known.map(|known| known.examine(&client.accepted, &described, method, &answer));
            match verdict {
                Some(Verdict::Fits) if tries.next().is_some() => {}
                Some(Verdict::Broken(what)) => {
                    let mismatch =
                        ContractMismatch { endpoint: origin.answered(&answer.headers), method, what };
                    return Err(CallError::ContractMismatch(Box::new(mismatch)));
                }
                _ => return answer.read(origin, described, result, error),
            }
        }
    }
}

impl<T: 'static, E: 'static> IntoFuture for Call<T, E> {
    type Output = Result<T, CallError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await.map(|response| response.value) })
    }
}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("to", &self.to).field("method", &self.method).finish_non_exhaustive()
    }
}
