//! An instance without a server: calls get the answers that a test sets up.
//!
//! It lies under the generated functions, not in them: nothing more is generated for it, a set-up has the types of the very
//! function it is for, and code that makes its own clients from an [`Instance`] is tested like any other.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use syncano_core::{Method, RunStatus};

use crate::error::{ApiError, RequestProblem, ScriptFailure};
use crate::{Call, CallError, Called, Client, Instance, Response};

/// An [`Instance`] without a server, which this dereferences to: its calls get the answers that are set up here.
///
/// A set-up of this very call ([`when`](Fake::when)) counts before one for any arguments ([`when_any`](Fake::when_any)), whichever
/// came first. Among equal ones the latest counts. A call that no answer was set up for is an error that says so.
///
/// ```
/// use syncano_client::fake::Fake;
/// use syncano_client::{CallError, RunStatus, socket};
///
/// #[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
/// pub enum StockError {
///     OutOfStock { left: u32 },
/// }
///
/// #[socket(runtime = "python3")]
/// mod stock {
///     #[endpoint("left", GET, source = "def main(item): ...")]
///     pub async fn left(item: &str) -> u32;
///
///     #[endpoint("take", POST, source = "def main(item, count): ...", error = super::StockError)]
///     pub async fn take(item: &str, count: u32) -> u32;
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let fake = Fake::new();
/// let api = stock::Client::new(&fake);
///
/// fake.when(api.left("tea")).answers(3);
/// assert_eq!(api.left("tea").await.unwrap(), 3);
///
/// // Whatever the arguments are, and computed from them.
/// fake.when_any(api.take("", 0)).does(|call| match call.argument::<u32>("count") {
///     count @ 0..=3 => Ok(3 - count),
///     _ => Err(call.raised(StockError::OutOfStock { left: 3 })),
/// });
/// assert_eq!(api.take("tea", 2).await.unwrap(), 1);
/// let error = api.take("tea", 9).await.unwrap_err();
/// assert!(matches!(error, CallError::App(StockError::OutOfStock { left: 3 }, ..)));
///
/// fake.when(api.left("cup")).fails(RunStatus::Timeout, "");
/// fake.when(api.left("pot")).is_unreachable();
/// assert!(api.left("pot").await.unwrap_err().is_retryable());
///
/// // No answer was set up for this one.
/// assert!(api.left("gold").await.unwrap_err().to_string().contains("the fake has no answer"));
///
/// assert_eq!(fake.count(api.take("tea", 2)), 1);
/// assert_eq!(fake.calls()[0].endpoint(), "stock/left");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Fake {
    instance: Instance,
    answers: Arc<Answers>,
}

impl Default for Fake {
    fn default() -> Self {
        Fake::new()
    }
}

impl Fake {
    /// An instance that has no answers yet.
    pub fn new() -> Fake {
        let answers = Arc::<Answers>::default();
        Fake { instance: Client::fake(answers.clone()).instance("fake-instance"), answers }
    }

    /// The instance, for the code under test.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Sets up what this very call gets: the same endpoint, method and arguments. The call is not sent.
    #[must_use = "say what the call gets, with `answers` for example"]
    pub fn when<T: 'static, E: 'static>(&self, call: Call<T, E>) -> When<'_, T, E> {
        self.set_up(call, false)
    }

    /// Sets up what the call gets whatever its arguments are; those that are given here don't matter. Calls that
    /// [`when`](Fake::when) has set up by their arguments keep those answers.
    #[must_use = "say what the call gets, with `answers` for example"]
    pub fn when_any<T: 'static, E: 'static>(&self, call: Call<T, E>) -> When<'_, T, E> {
        self.set_up(call, true)
    }

    fn set_up<T, E>(&self, call: Call<T, E>, any_arguments: bool) -> When<'_, T, E> {
        match call.described() {
            Ok(call) => When { fake: self, call, any_arguments, types: std::marker::PhantomData },
            Err(problem) => panic!("this call could not be made: {problem}"),
        }
    }

    /// The calls that were made so far, in order, those without an answer included.
    pub fn calls(&self) -> Vec<FakeCall> {
        self.answers.lock().made.clone()
    }

    /// How often this very call was made.
    pub fn count<T, E>(&self, call: Call<T, E>) -> usize {
        let call = call.described();
        self.answers.lock().made.iter().filter(|made| call.as_ref().is_ok_and(|call| call == *made)).count()
    }
}

impl Deref for Fake {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

/// A call as it reached a [`Fake`].
#[derive(Debug, Clone, PartialEq)]
pub struct FakeCall {
    endpoint: Called,
    arguments: Value,
}

impl FakeCall {
    pub(crate) fn new(endpoint: Called, arguments: Value) -> FakeCall {
        FakeCall { endpoint, arguments }
    }

    /// `socket/endpoint`, or the name by which it was run.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.endpoint.method()
    }

    /// The arguments by name, without those that are `None`; the data of a call by name.
    pub fn arguments(&self) -> &Value {
        &self.arguments
    }

    /// An argument by its name; one that was `None` is an [`Option`].
    ///
    /// # Panics
    /// If there is none of that name, or it is of another type.
    pub fn argument<T: DeserializeOwned>(&self, name: &str) -> T {
        let value = self.arguments.get(name).cloned().unwrap_or(Value::Null);
        match serde_json::from_value(value) {
            Ok(value) => value,
            Err(error) => panic!("the argument `{name}` of {self} can't be read: {error}"),
        }
    }

    /// The script's own error, as [`does`](When::does) may answer it.
    pub fn raised<E>(&self, error: E) -> CallError<E> {
        CallError::App(error, self.endpoint.clone())
    }

    /// A run that didn't succeed, as [`does`](When::does) may answer it.
    pub fn failed<E>(&self, status: RunStatus, stderr: &str) -> CallError<E> {
        CallError::Script(Box::new(ScriptFailure {
            endpoint: self.endpoint.clone(),
            status,
            stdout: String::new(),
            stderr: stderr.to_owned(),
            trace: 0,
            duration: None,
        }))
    }

    /// A refusal of the server, as [`does`](When::does) may answer it.
    pub fn refused<E>(&self, status: StatusCode, detail: &str) -> CallError<E> {
        let error = ApiError {
            status,
            request: format!("{} {}", self.method(), self.endpoint),
            detail: Some(detail.to_owned()),
            fields: std::collections::BTreeMap::new(),
        };
        CallError::Api { endpoint: self.endpoint.clone(), error }
    }
}

/// `GET stock/left {"item":"tea"}`
impl fmt::Display for FakeCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method(), self.endpoint, self.arguments)
    }
}

/// What a call of a [`Fake`] gets.
#[derive(Debug)]
pub struct When<'a, T, E> {
    fake: &'a Fake,
    call: FakeCall,
    any_arguments: bool,
    types: std::marker::PhantomData<fn(T, E)>,
}

impl<T: 'static, E: 'static> When<'_, T, E> {
    /// It gets this value, each time. One that isn't `Clone` is made by [`does`](When::does).
    pub fn answers(self, value: T)
    where
        T: Clone + Send + Sync,
    {
        self.does(move |_| Ok(value.clone()));
    }

    /// The script raises its own error, each time.
    pub fn raises(self, error: E)
    where
        E: Clone + Send + Sync,
    {
        self.does(move |call| Err(call.raised(error.clone())));
    }

    /// The run doesn't succeed: `Failure` with a traceback, `Timeout`, `Blocked` or `QueueTimeout`.
    pub fn fails(self, status: RunStatus, stderr: impl Into<String>) {
        let stderr = stderr.into();
        self.does(move |call| Err(call.failed(status, &stderr)));
    }

    /// The server refuses the call, and nothing runs.
    pub fn is_refused(self, status: StatusCode, detail: impl Into<String>) {
        let detail = detail.into();
        self.does(move |call| Err(call.refused(status, &detail)));
    }

    /// There is no server.
    pub fn is_unreachable(self) {
        self.add(Answer::<T, E>::Unreachable);
    }

    /// No answer arrives in time.
    pub fn times_out(self) {
        self.add(Answer::<T, E>::TimesOut);
    }

    /// The test computes what it gets.
    pub fn does(self, answer: impl Fn(&FakeCall) -> Result<T, CallError<E>> + Send + Sync + 'static) {
        self.add(Answer::Made(Arc::new(answer)));
    }

    fn add(self, answer: Answer<T, E>) {
        let When { fake, call, any_arguments, .. } = self;
        fake.answers.lock().rules.push(Rule { call, any_arguments, answer: Box::new(answer) });
    }
}

/// What was set up, and what was called.
#[derive(Default)]
pub(crate) struct Answers(Mutex<State>);

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    made: Vec<FakeCall>,
}

struct Rule {
    call: FakeCall,
    any_arguments: bool,
    /// An [`Answer`] of the call's types: the generated functions of one endpoint may have different ones.
    answer: Box<dyn Any + Send + Sync>,
}

type Made<T, E> = Arc<dyn Fn(&FakeCall) -> Result<T, CallError<E>> + Send + Sync>;

enum Answer<T, E> {
    Made(Made<T, E>),
    Unreachable,
    TimesOut,
}

// Not derived: that would ask the same of the types.
impl<T, E> Clone for Answer<T, E> {
    fn clone(&self) -> Self {
        match self {
            Answer::Made(made) => Answer::Made(made.clone()),
            Answer::Unreachable => Answer::Unreachable,
            Answer::TimesOut => Answer::TimesOut,
        }
    }
}

impl Rule {
    fn answers(&self, call: &FakeCall) -> bool {
        let FakeCall { endpoint, arguments } = &self.call;
        *endpoint == call.endpoint && (self.any_arguments || *arguments == call.arguments)
    }
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call gets.
    pub(crate) async fn answer<T: 'static, E: 'static>(
        &self,
        call: FakeCall,
    ) -> Result<Response<T>, CallError<E>> {
        let found = {
            let mut state = self.lock();
            state.made.push(call.clone());
            let latest_first = state.rules.iter().rev().filter(|rule| rule.answers(&call));
            let answers = latest_first
                .filter_map(|rule| Some((rule.any_arguments, rule.answer.downcast_ref::<Answer<T, E>>()?)));
            // Of equals the first is taken, and `false` comes before `true`.
            answers.min_by_key(|(any_arguments, _)| *any_arguments).map(|(_, answer)| answer.clone())
        };
        // The lock is free again: what computes the answer may set up others.
        let value = match found {
            Some(Answer::Made(made)) => made(&call)?,
            Some(Answer::Unreachable) => {
                return Err(CallError::Transport { endpoint: call.endpoint, error: unreachable().await });
            }
            Some(Answer::TimesOut) => {
                return Err(CallError::Transport { endpoint: call.endpoint, error: timed_out().await });
            }
            None => {
                let others = &self.lock().rules;
                let others = others.iter().filter(|rule| rule.call.endpoint() == call.endpoint());
                let others = others.map(|rule| rule.call.to_string()).collect();
                let FakeCall { endpoint, .. } = call.clone();
                return Err(CallError::Request {
                    endpoint,
                    reason: RequestProblem::NoAnswer { call, others },
                });
            }
        };
        Ok(Response { status: StatusCode::OK, headers: HeaderMap::new(), trace: None, value })
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

/// A real error of the transport, since nobody else can make one: no server listens on port 0.
async fn unreachable() -> reqwest::Error {
    failing("http://127.0.0.1:0", None).await
}

/// Likewise: this one is reached, and never answers.
async fn timed_out() -> reqwest::Error {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").and_then(|silent| {
        let address = silent.local_addr()?;
        Ok((silent, address))
    });
    match silent {
        Ok((_silent, address)) => failing(&format!("http://{address}"), Some(Duration::from_millis(1))).await,
        Err(error) => panic!("a port that never answers can't be had: {error}"),
    }
}

async fn failing(url: &str, timeout: Option<Duration>) -> reqwest::Error {
    let http = reqwest::Client::builder().no_proxy().build().expect("nothing that could fail is asked for");
    let mut request = http.get(url);
    if let Some(timeout) = timeout {
        request = request.timeout(timeout);
    }
    request.send().await.expect_err("nobody answers there").without_url()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(fake: &Fake, item: &str) -> Call<Value, Value> {
        fake.run(Method::Get, "stock/left", json!({"item": item, "none": null}))
    }

    #[tokio::test]
    async fn exact_arguments_count_before_any_and_then_the_latest() {
        let fake = Fake::new();
        fake.when_any(call(&fake, "")).answers(json!(1));
        fake.when(call(&fake, "tea")).answers(json!(2));
        assert_eq!(call(&fake, "tea").await.unwrap(), 2);
        assert_eq!(call(&fake, "cup").await.unwrap(), 1);
        // Those for any arguments are no answer to what was set up by its arguments, though they come later.
        fake.when_any(call(&fake, "")).raises(json!("none"));
        assert_eq!(call(&fake, "tea").await.unwrap(), 2);
        assert!(matches!(call(&fake, "cup").await, Err(CallError::App(error, ..)) if error == "none"));
        fake.when(call(&fake, "tea")).answers(json!(3));
        assert_eq!(call(&fake, "tea").await.unwrap(), 3);
        // A set-up with the same arguments and another type is for another function.
        fake.when_any(fake.run_as::<String>(Method::Get, "stock/left", ())).answers("text".to_owned());
        let typed: Call<String, Value> = fake.run_as(Method::Get, "stock/left", json!({"item": "tea"}));
        assert_eq!(typed.await.unwrap(), "text");
        assert_eq!((fake.count(call(&fake, "tea")), fake.calls().len()), (4, 6));
        assert_eq!(fake.calls()[1].arguments(), &json!({"item": "cup"}));
    }

    #[tokio::test]
    async fn what_is_not_set_up_says_what_is() {
        let fake = Fake::new();
        fake.when(call(&fake, "tea")).answers(json!(1));
        let error = call(&fake, "cup").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`stock/left` can't be called like this: the fake has no answer for GET stock/left {\"item\":\"cup\"}: \
             set one up with `fake.when(…)` (it has answers for GET stock/left {\"item\":\"tea\"})"
        );
        // Another method is another call; another type, too.
        let put = call(&fake, "tea").method(Method::Put).await.unwrap_err();
        assert!(put.to_string().contains("no answer for PUT"), "{put}");
        let typed: Call<String, Value> = fake.run_as(Method::Get, "stock/left", json!({"item": "tea"}));
        assert!(typed.await.unwrap_err().to_string().contains("no answer"));
    }

    #[tokio::test]
    async fn failures_are_those_of_a_server() {
        let fake = Fake::new();
        fake.when(call(&fake, "a")).fails(RunStatus::Timeout, "stack");
        let error = call(&fake, "a").await.unwrap_err();
        assert!(matches!(&error, CallError::Script(failure) if failure.stderr == "stack"), "{error}");
        fake.when(call(&fake, "b")).is_refused(StatusCode::TOO_MANY_REQUESTS, "slowly");
        let error = call(&fake, "b").await.unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("slowly"), "{error}");
        fake.when(call(&fake, "c")).is_unreachable();
        let error = call(&fake, "c").await.unwrap_err();
        assert!(error.to_string().contains("could not be called"), "{error}");
        fake.when(call(&fake, "d")).times_out();
        let error = call(&fake, "d").await.unwrap_err();
        assert!(error.to_string().contains("did not answer in time"), "{error}");
    }

    #[tokio::test]
    async fn managing_needs_a_server() {
        let error = Fake::new().details().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "GET /v1.1/instances/fake-instance/: a fake answers calls only; `syncano-testing` gives tests a server"
        );
    }
}
