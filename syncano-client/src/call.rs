//! A typed call: built by the generated functions, sent when awaited.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use syncano_core::{Method, Outputs, What, headers};

use crate::answer::{Answer, Read, ReadResult};
use crate::called::{CompiledScript, Name, Origin};
use crate::contract::{Contracts, Verdict};
use crate::encode::{self, Arguments};
use crate::error::RequestProblem;
use crate::{CallError, Client, ContractMismatch, CustomResponse, header};

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
/// | type | what it holds |
/// |---|---|
/// | [`String`] | a text that the script returned, or what it printed or set as its response, as it is |
/// | [`Trace`](crate::Trace) | the record of the run |
/// | [`CustomResponse`] | the response that the script set: status, content type, headers and bytes |
/// | `()` | nothing: whatever a run answers that succeeded is dropped |
/// | every other type | the JSON that the script returned, printed or set as its response |
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of an endpoint",
    label = "a result must implement `serde::Deserialize` and `schemars::JsonSchema`",
    note = "for each type of yours in it: `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "for types of other crates: turn their feature `serde` on, and that of schemars for them, such as `uuid1` or `chrono04`"
)]
pub trait CallResult: FromAnswer + Send {
    /// Returns the schema that results must fit; `None` where anything may come.
    #[doc(hidden)]
    fn schema() -> Option<Value>;
}

// So that a type that lacks both is told once, and by its name.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> CallResult for T {
    fn schema() -> Option<Value> {
        T::reader().has_schema().then(Outputs::read_as::<T>)
    }
}

// It is no help to whoever lacks derives.
#[diagnostic::do_not_recommend]
impl CallResult for CustomResponse {
    fn schema() -> Option<Value> {
        None
    }
}

/// A type that the answer of a call can be read as: any type that deserialises, and [`CustomResponse`].
///
/// The functions that run an endpoint by its name ask for it; [`CallResult`] says what each type holds.
#[diagnostic::on_unimplemented(
    message = "the answer of a call can't be read as `{Self}`",
    label = "a result must implement `serde::Deserialize`",
    note = "for each type of yours in it: `#[derive(serde::Deserialize)]`"
)]
pub trait FromAnswer: Sized + 'static {
    /// Returns the functions that read an answer.
    #[doc(hidden)]
    fn reader() -> ReadResult<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + 'static> FromAnswer for T {
    fn reader() -> ReadResult<T> {
        ReadResult::new()
    }
}

impl FromAnswer for CustomResponse {
    fn reader() -> ReadResult<CustomResponse> {
        ReadResult::response()
    }
}

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
    /// What errors call it.
    pub(crate) name: Name,
    pub(crate) path: String,
    /// The methods that are answered there.
    pub(crate) methods: Cow<'static, [Method]>,
    /// What the function was compiled with.
    pub(crate) script: Option<&'static CompiledScript>,
    /// Where it stands what the endpoint of this name is expected to be.
    pub(crate) contract: Option<(&'static Contracts, &'static str)>,
}

/// What a request asks, as errors tell it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn verb(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
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
        if !methods.contains(&method) {
            let reason = RequestProblem::Method { method, allowed: methods.into_owned() };
            return Err(CallError::Request { endpoint: origin.called(), reason });
        }
        #[cfg(feature = "fake")]
        if let Some(answers) = client.answers() {
            let call = match arguments.into_value() {
                Ok(arguments) => crate::fake::FakeCall::new(origin.called(), arguments),
                Err(reason) => return Err(CallError::Request { endpoint: origin.called(), reason }),
            };
            return answers.answer(call).await;
        }
        let asked = Asked { method, path: &path };
        match answered(&client, asked, contract, arguments, timeout, result.wants_trace).await {
            Ok(answer) => answer.read(origin, asked, result, error),
            Err(Unanswered::Request(reason)) => Err(CallError::Request { endpoint: origin.called(), reason }),
            Err(Unanswered::Transport(error)) => {
                Err(CallError::Transport { endpoint: origin.called(), error })
            }
            Err(Unanswered::Broken(headers, what)) => {
                let mismatch = ContractMismatch { endpoint: origin.answered(&headers), method, what };
                Err(CallError::ContractMismatch(Box::new(mismatch)))
            }
        }
    }
}

/// Why there is no answer to be read.
enum Unanswered {
    Request(RequestProblem),
    Transport(reqwest::Error),
    /// What is published isn't what the function was compiled with; and the headers that came with that.
    Broken(HeaderMap, What),
}

/// Sends a call. It knows nothing of the types of results, so that a program has it once and not for each of its functions.
async fn answered(
    client: &Client,
    asked: Asked<'_>,
    contract: Option<(&'static Contracts, &'static str)>,
    arguments: Arguments,
    timeout: Option<Duration>,
    wants_trace: bool,
) -> Result<Answer, Unanswered> {
    let Asked { method, path } = asked;
    let encode::Request { query, body } = encode::request(method, arguments).map_err(Unanswered::Request)?;
    let known = contract.and_then(|(contracts, endpoint)| contracts.of(endpoint, method));
    let mut url = client.url(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(&query);
    }
    let transport = |error: reqwest::Error| match error.is_builder() {
        // Everything else in a request has been looked at before.
        true => Unanswered::Request(RequestProblem::TooLong { method }),
        false => Unanswered::Transport(error.without_url()),
    };
    let mut tries = 1..TRIES;
    loop {
        let request = client.request(verb(method), url.clone());
        let mut request = request.ok_or(Unanswered::Request(RequestProblem::Key))?;
        if let Some(body) = &body {
            request = request.header(http::header::CONTENT_TYPE, JSON).body(body.clone());
        }
        if wants_trace {
            request = request.header(&header::WANT, HeaderValue::from_static(headers::WANT_TRACE));
        }
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        if let Some(known) = known {
            request = request.header(&header::CONTRACT, known.to_send(&client.accepted, asked));
        }
        let mut response = request.send().await.map_err(transport)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = response.bytes().await.map_err(transport)?;
        let answer = Answer { status, headers, body };
        match known.map(|known| known.examine(&client.accepted, asked, &answer)) {
            Some(Verdict::Fits) if tries.next().is_some() => {}
            Some(Verdict::Broken(what)) => return Err(Unanswered::Broken(answer.headers, what)),
            _ => return Ok(answer),
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
