//! `…/endpoints/sockets/{…}/`: running endpoints, by `socket/endpoint` and by the endpoint's name alone.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use syncano_core::{Method, RunStatus, headers};
use syncano_runner::Outcome;

use super::endpoints::{self, Naming, no_endpoint};
use super::traces;
use crate::answer;
use crate::app::{App, no_instance};
use crate::arguments::merge;
use crate::auth::{self, Purpose, Received, Segments};
use crate::catalog::{Account, Instance};
use crate::endpoint::Endpoint;
use crate::errors::ApiError;
use crate::meta;
use crate::request::Head;
use crate::store::traces::TraceRow;
use crate::time;

/// How long a caller waits at most: what the longest script may take, and some time to end it.
const CALLER_WAIT: Duration = Duration::from_secs(310);
/// Bytes of JSON that a stored trace keeps of each side of the arguments, and of what is known of the request.
const KEPT: usize = 64 * 1024;

/// What the rest of the URL means. Endpoint names contain no slash and are none of the words used here.
#[derive(Debug, PartialEq)]
enum Target<'a> {
    Run { socket: Option<&'a str>, endpoint: &'a str },
    Traces { socket: Option<&'a str>, endpoint: &'a str },
    Trace { socket: Option<&'a str>, endpoint: &'a str, id: &'a str },
}

impl Target<'_> {
    fn parse(rest: &str) -> Option<Target<'_>> {
        let segments: Vec<&str> = rest.strip_suffix('/')?.split('/').collect();
        match segments[..] {
            [endpoint, "traces"] => Some(Target::Traces { socket: None, endpoint }),
            [endpoint, "traces", id] => Some(Target::Trace { socket: None, endpoint, id }),
            [socket, endpoint, "traces"] => Some(Target::Traces { socket: Some(socket), endpoint }),
            [socket, endpoint, "traces", id] => Some(Target::Trace { socket: Some(socket), endpoint, id }),
            [endpoint] => Some(Target::Run { socket: None, endpoint }),
            [socket, endpoint] => Some(Target::Run { socket: Some(socket), endpoint }),
            _ => None,
        }
    }
}

pub(super) async fn dispatch(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (name, rest) = &*names;
    let (parts, body) = request.into_parts();
    let head = Head::new(&parts);
    let target = Target::parse(rest).ok_or_else(ApiError::no_such_url)?;
    match target {
        Target::Run { socket, endpoint } => {
            let instance = app.catalog.instance(name).ok_or_else(|| no_instance(name))?;
            let routes = instance.routes.load_full();
            let found = match socket {
                Some(socket) => routes.full(socket, endpoint),
                None => routes.flat(endpoint),
            };
            match found {
                Some(found) => run(&app, instance, found, head, body).await,
                None if socket.is_none() && head.method == http::Method::GET => {
                    list_socket(&app, name, endpoint, &head)
                }
                None => Err(no_endpoint(rest.trim_end_matches('/'))),
            }
        }
        Target::Traces { socket, endpoint } => {
            let instance = owned(&app, name, &head)?;
            let endpoint = traces::endpoint(&instance, socket, endpoint)?;
            traces::list(&app, &instance, &endpoint, &head).await
        }
        Target::Trace { socket, endpoint, id } => {
            let instance = owned(&app, name, &head)?;
            let endpoint = traces::endpoint(&instance, socket, endpoint)?;
            traces::show(&app, &instance, &endpoint, id).await
        }
    }
}

/// The instance, for its owner who only reads.
fn owned(app: &App, name: &str, head: &Head) -> Result<Arc<Instance>, ApiError> {
    if head.method != http::Method::GET {
        return Err(ApiError::Method { method: head.method.clone(), allowed: vec![Method::Get] });
    }
    let caller = auth::caller(app, head)?.ok_or_else(|| ApiError::forbidden("this needs an account key"))?;
    app.instance(&caller.manager()?, name)
}

/// The name is a socket's, not an endpoint's.
fn list_socket(app: &App, instance: &str, socket: &str, head: &Head) -> Result<Response, ApiError> {
    let exists = |instance: &Arc<Instance>| {
        let routes = instance.routes.load();
        let found = routes.sockets.get(&syncano_core::normalize(socket)).cloned();
        found.ok_or_else(|| no_endpoint(socket))
    };
    // Whoever calls an endpoint that isn't there is told so, key or not.
    exists(&app.catalog.instance(instance).ok_or_else(|| no_instance(instance))?)?;
    let instance = owned(app, instance, head)?;
    let installed = exists(&instance)?;
    endpoints::answer(&instance, head, installed.values().cloned().collect(), Naming::Full)
}

async fn run(
    app: &Arc<App>,
    instance: Arc<Instance>,
    endpoint: Arc<Endpoint>,
    head: Head,
    body: Body,
) -> Result<Response, ApiError> {
    let method =
        head.method.as_str().parse::<Method>().ok().filter(|method| endpoint.call(*method).is_some());
    let method = method
        .ok_or_else(|| ApiError::Method { method: head.method.clone(), allowed: endpoint.allowed() })?;
    let Received { caller, body } = auth::receive(app, &head, body, Purpose::Run).await?;
    let caller = caller.map(|caller| caller.in_instance(&instance)).transpose()?.flatten();
    let private = endpoint.call(method).and_then(|call| call.definition.private) == Some(true);
    if (private || app.settings.require_key) && caller.is_none() {
        return Err(ApiError::forbidden(match private {
            true => {
                "this endpoint is private: it needs the account key of its instance's owner, or an API key"
            }
            false => {
                "this server runs endpoints only with the account key of their instance's owner, or an API key"
            }
        }));
    }
    let owner = caller.and_then(|caller| caller.account(app, &instance));
    let incoming = merge(method, &head.query, body?, endpoint.inputs(method))?;
    let run = Run { instance, endpoint, method, request: meta::request(&head), arguments: incoming.raw };
    let want_trace = head.header(headers::WANT).is_some_and(|want| want.trim() == headers::WANT_TRACE);
    run.start(app, incoming.arguments, owner, want_trace).await
}

struct Run {
    instance: Arc<Instance>,
    endpoint: Arc<Endpoint>,
    method: Method,
    /// `META.request`.
    request: Map<String, Value>,
    /// As the trace shows them.
    arguments: Value,
}

impl Run {
    /// Runs the script in a task of its own: its trace is stored even if the caller doesn't wait.
    async fn start(
        self,
        app: &Arc<App>,
        arguments: syncano_runner::Arguments,
        owner: Option<Arc<Account>>,
        want_trace: bool,
    ) -> Result<Response, ApiError> {
        let server = app.clone();
        let run = async move {
            let call = self.endpoint.call(self.method).ok_or_else(|| no_endpoint(&self.endpoint.flat))?;
            let meta =
                meta::meta(&self.request, &self.instance, &self.endpoint, self.method, owner.as_deref());
            let id = server.store.next_trace(self.instance.id).await;
            let runner_call = syncano_runner::Call { arguments, meta, timeout: call.timeout };
            let outcome = server.runner.run(&call.script, runner_call).await;
            tracing::debug!(
                instance = self.instance.name,
                endpoint = self.endpoint.full(),
                trace = id,
                status = outcome.status.as_str(),
                milliseconds = answer::milliseconds(&outcome),
                "run"
            );
            server.traces.push(self.record(id, &outcome)).await;
            Ok(answer::respond(id, &outcome, want_trace))
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

    fn record(&self, id: i64, outcome: &Outcome) -> TraceRow {
        let ran = outcome.status != RunStatus::Blocked;
        let milliseconds = i64::try_from(answer::milliseconds(outcome)).unwrap_or(i64::MAX);
        TraceRow {
            instance_id: self.instance.id,
            id,
            socket_id: self.endpoint.socket_id,
            endpoint: self.endpoint.flat.clone(),
            status: outcome.status.to_string(),
            executed_at: ran.then(|| time::micros(outcome.started_at)),
            duration: ran.then_some(milliseconds),
            result: answer::kept_result(outcome).to_string(),
            args: kept_arguments(&self.arguments),
            meta: kept(&Value::Object(self.request.clone())),
        }
    }
}

/// The arguments as they are stored; of GET and POST each one can be too large by itself.
fn kept_arguments(arguments: &Value) -> String {
    let Value::Object(sides) = arguments else { return kept(arguments) };
    let sides: Vec<_> =
        sides.iter().map(|(side, value)| format!("{}:{}", Value::from(side.as_str()), kept(value))).collect();
    format!("{{{}}}", sides.join(","))
}

/// The value as JSON, or what says why it isn't stored: strangers decide how large it is.
fn kept(value: &Value) -> String {
    let text = value.to_string();
    match text.len() {
        length if length > KEPT => {
            let error = format!("not stored: {length} bytes of JSON, a trace keeps at most {KEPT}");
            json!({ "__error__": error }).to_string()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_are_too_large_are_not_stored() {
        let large = |length: usize| Value::from("x".repeat(length - 2));
        let arguments = json!({ "GET": { "a": 1 }, "POST": large(KEPT) });
        assert_eq!(kept_arguments(&arguments), arguments.to_string());
        let arguments = json!({ "GET": { "a": 1 }, "POST": large(KEPT + 1) });
        assert_eq!(
            serde_json::from_str::<Value>(&kept_arguments(&arguments)).unwrap(),
            json!({
                "GET": { "a": 1 },
                "POST": { "__error__": "not stored: 65537 bytes of JSON, a trace keeps at most 65536" },
            })
        );
    }

    #[test]
    fn the_rest_of_the_url_has_one_meaning() {
        let run = |socket, endpoint| Some(Target::Run { socket, endpoint });
        assert_eq!(Target::parse("e/"), run(None, "e"));
        assert_eq!(Target::parse("s/e/"), run(Some("s"), "e"));
        assert_eq!(Target::parse("e/traces/"), Some(Target::Traces { socket: None, endpoint: "e" }));
        assert_eq!(
            Target::parse("s/e/traces/7/"),
            Some(Target::Trace { socket: Some("s"), endpoint: "e", id: "7" })
        );
        for nowhere in ["e", "s/e", "s/e/history/", "s/e/traces/7/x/"] {
            assert_eq!(Target::parse(nowhere), None, "{nowhere}");
        }
    }
}
