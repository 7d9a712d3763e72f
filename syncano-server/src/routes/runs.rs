//! `…/endpoints/sockets/{…}/`: running endpoints, by `socket/endpoint` and by the endpoint's name alone.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header;
use syncano_core::{Method, headers};

use super::endpoints::{self, Naming, no_endpoint};
use super::{Version, traces};
use crate::acl;
use crate::answer::{self, Want};
use crate::app::{App, no_instance};
use crate::arguments::{Inputs, merge};
use crate::auth::{self, Purpose, Received};
use crate::cache::Question;
use crate::catalog::Instance;
use crate::endpoint::Endpoint;
use crate::errors::{ApiError, quoted};
use crate::meta::{self, Admin, ExecutedBy, Meta};
use crate::reply;
use crate::request::Head;
use crate::results::ResultCheck;
use crate::run::{Recorded, Run};
use crate::schemas;
use crate::store::state;

/// Below an instance's `…/endpoints/sockets/`, as it was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place<'a> {
    version: Version,
    instance: &'a str,
    /// Never empty: that is the list of endpoints.
    rest: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of(path: &'a str) -> Option<Place<'a>> {
        let (version, path) = match path.strip_prefix("/v1.1/instances/") {
            Some(path) => (Version::V1, path),
            None => (Version::V2, path.strip_prefix("/v2/instances/")?),
        };
        let (instance, path) = path.split_once('/')?;
        let rest = path.strip_prefix("endpoints/sockets/")?;
        (!instance.is_empty() && !rest.is_empty()).then_some(Place { version, instance, rest })
    }
}

/// What the rest of the URL means. Endpoint names contain no slash and are none of the words used here.
#[derive(Debug, PartialEq)]
enum Target<'a> {
    Run { socket: Option<&'a str>, endpoint: &'a str },
    Traces { socket: Option<&'a str>, endpoint: &'a str },
    Trace { socket: Option<&'a str>, endpoint: &'a str, id: &'a str },
    Invalidate { socket: Option<&'a str>, endpoint: &'a str },
}

impl Target<'_> {
    fn parse(rest: &str) -> Option<Target<'_>> {
        let segments: Vec<&str> = rest.strip_suffix('/')?.split('/').collect();
        match segments[..] {
            [endpoint, "traces"] => Some(Target::Traces { socket: None, endpoint }),
            [endpoint, "traces", id] => Some(Target::Trace { socket: None, endpoint, id }),
            [socket, endpoint, "traces"] => Some(Target::Traces { socket: Some(socket), endpoint }),
            [socket, endpoint, "traces", id] => Some(Target::Trace { socket: Some(socket), endpoint, id }),
            [endpoint, "invalidate"] => Some(Target::Invalidate { socket: None, endpoint }),
            [socket, endpoint, "invalidate"] => Some(Target::Invalidate { socket: Some(socket), endpoint }),
            [endpoint] => Some(Target::Run { socket: None, endpoint }),
            [socket, endpoint] => Some(Target::Run { socket: Some(socket), endpoint }),
            _ => None,
        }
    }
}

/// Answers what is asked there: mostly that an endpoint is run. Version 2 never runs one by its name alone: a single name is
/// a socket's.
pub(super) async fn answer(
    app: &Arc<App>,
    place: Place<'_>,
    head: &Head,
    body: Body,
) -> Result<Response, ApiError> {
    let name = &*auth::names(place.instance).ok_or_else(ApiError::no_such_url)?;
    let rest = &*auth::names(place.rest).ok_or_else(ApiError::no_such_url)?;
    let target = Target::parse(rest).ok_or_else(ApiError::no_such_url)?;
    match target {
        Target::Run { socket: None, endpoint: socket } if place.version == Version::V2 => {
            list_socket(app, name, socket, head, no_socket_here)
        }
        Target::Run { socket, endpoint } => {
            let instance = app.catalog.instance(name).ok_or_else(|| no_instance(name))?;
            let routes = instance.routes.load();
            let found = match socket {
                Some(socket) => routes.full(socket, endpoint),
                None => routes.flat(endpoint),
            };
            drop(routes);
            match found {
                Some(found) => run(app, instance, found, head, body).await,
                None if socket.is_none() && head.method == http::Method::GET => {
                    list_socket(app, name, endpoint, head, no_endpoint)
                }
                None => Err(no_endpoint(rest.trim_end_matches('/'))),
            }
        }
        Target::Traces { socket, endpoint } => {
            let instance = owned(app, name, head, Method::Get)?;
            let endpoint = find(&instance, socket, endpoint)?;
            let (subject, url) = (endpoint.subject(), endpoint.traces(&instance));
            Box::pin(traces::list(app, &instance, &subject, &url, head)).await
        }
        Target::Trace { socket, endpoint, id } => {
            let instance = owned(app, name, head, Method::Get)?;
            let endpoint = find(&instance, socket, endpoint)?;
            let (subject, url) = (endpoint.subject(), endpoint.traces(&instance));
            Box::pin(traces::show(app, &instance, &subject, &url, id)).await
        }
        Target::Invalidate { socket, endpoint } => {
            let instance = owned(app, name, head, Method::Post)?;
            let endpoint = find(&instance, socket, endpoint)?;
            let server = app.clone();
            let invalidated = async move {
                // Other servers on this database keep answers of their own, until they notice a change.
                let write = server.store.write().await?;
                let change = state::changed(&write.tx).await?;
                write.commit().await?;
                server.seen.saw(change);
                endpoint.edition.invalidate();
                Ok(())
            };
            app.to_the_end(invalidated).await?;
            Ok(reply::no_content())
        }
    }
}

/// The installed endpoint of this name.
fn find(instance: &Instance, socket: Option<&str>, endpoint: &str) -> Result<Arc<Endpoint>, ApiError> {
    let routes = instance.routes.load();
    match socket {
        Some(socket) => {
            routes.full(socket, endpoint).ok_or_else(|| no_endpoint(&format!("{socket}/{endpoint}")))
        }
        None => routes.flat(endpoint).ok_or_else(|| no_endpoint(endpoint)),
    }
}

/// The instance, for its owner and this method.
fn owned(app: &App, name: &str, head: &Head, method: Method) -> Result<Arc<Instance>, ApiError> {
    if head.method.as_str() != method.as_str() {
        return Err(ApiError::Method { method: head.method.clone(), allowed: vec![method] });
    }
    let caller = auth::caller(app, head)?.ok_or_else(ApiError::no_key)?;
    app.instance(&caller.manager()?, name)
}

/// 404 where version 2 expects the name of a socket.
fn no_socket_here(name: &str) -> ApiError {
    let name = quoted(name);
    ApiError::not_found(format!(
        "there is no socket named `{name}`; to run an endpoint of that name, write endpoints/sockets/SOCKET/{name}/"
    ))
}

/// The name is a socket's, not an endpoint's.
fn list_socket(
    app: &App,
    instance: &str,
    socket: &str,
    head: &Head,
    missing: fn(&str) -> ApiError,
) -> Result<Response, ApiError> {
    let exists = |instance: &Arc<Instance>| {
        let routes = instance.routes.load();
        let found = routes.sockets.get(syncano_core::normalize(socket).as_str()).cloned();
        found.ok_or_else(|| missing(socket))
    };
    // Whoever calls an endpoint that isn't there is told so, key or not.
    exists(&app.catalog.instance(instance).ok_or_else(|| no_instance(instance))?)?;
    let instance = owned(app, instance, head, Method::Get)?;
    let installed = exists(&instance)?;
    endpoints::answer(&instance, head, installed.all().cloned().collect(), Naming::Full)
}

fn private_run() -> ApiError {
    ApiError::forbidden(
        "this endpoint is private: it needs the account key of its instance's owner, or an API key",
    )
}

/// The server's operator wants no runs without a key.
pub(super) fn keyless_run() -> ApiError {
    ApiError::forbidden(
        "this server runs endpoints only with the account key of their instance's owner, or an API key",
    )
}

/// Whether the caller wants no answer that was given before.
fn skips_cache(head: &Head) -> bool {
    head.query.last("__skip_cache").is_some_and(|value| !matches!(value, "" | "0" | "false"))
}

async fn run(
    app: &Arc<App>,
    instance: Arc<Instance>,
    endpoint: Arc<Endpoint>,
    head: &Head,
    body: Body,
) -> Result<Response, ApiError> {
    let method = head.method.as_str().parse::<Method>().ok();
    let (method, call) = method
        .and_then(|method| Some((method, endpoint.call(method)?)))
        .ok_or_else(|| ApiError::Method { method: head.method.clone(), allowed: endpoint.allowed() })?;
    let Received { caller, body } = auth::receive(app, head, body, Purpose::Run).await?;
    let caller = caller.map(|caller| caller.in_instance(&instance)).transpose()?.flatten();
    let acl = &endpoint.acl;
    let private = call.private || !acl.is_empty();
    match &caller {
        None if private => return Err(private_run()),
        None if app.settings.require_key => return Err(keyless_run()),
        Some(caller) if !acl.is_empty() && !acl::permits(acl, caller, method) => {
            return Err(ApiError::forbidden(format!(
                "the endpoint's acl doesn't permit {method} to API keys"
            )));
        }
        _ => {}
    }
    // Whoever may call may know how. Old clients name no contract.
    if let (Some(theirs), Some(ours)) = (head.header(headers::CONTRACT), endpoint.fingerprint(method))
        && theirs.trim() != ours
    {
        return Err(ApiError::Contract(Box::new(endpoint.contract(method))));
    }
    let admin = caller.and_then(|caller| caller.account(app, &instance));
    let runnable = call.script.as_ref().map_err(ApiError::not_found)?;
    let inputs = app.schemas.of(&endpoint, method, schemas::Kind::Inputs);
    let language = runnable.script.runtime().language();
    let inputs = Inputs { schema: inputs.as_deref(), language };
    let arguments = merge(method, &head.query, body?, inputs)?;
    let keep = call.cache.map(|seconds| {
        let account = admin.as_ref().map(|account| account.id);
        let question = Question::new(&endpoint.edition, method, &arguments, account);
        (question, Duration::from_secs(seconds.into()))
    });
    if let Some((question, _)) = &keep
        && !skips_cache(head)
        && let Some(kept) = app.answers.get(question)
    {
        let mut response = answer::respond(kept.trace, &kept.ended, Want::of(head));
        response.headers_mut().insert(header::AGE, kept.since.elapsed().as_secs().into());
        return Ok(response);
    }
    let request = meta::request(head);
    let recorded = Recorded::new(&arguments, &request);
    let meta = Meta {
        request: Some(&request),
        metadata: Some(endpoint.metadata.visible(method)),
        admin: admin.as_deref().map(Admin::new),
        executed_by: ExecutedBy::SocketEndpoint,
        executor: endpoint.full().into(),
        instance: &instance.name,
        socket: Some(&endpoint.socket),
        api_host: meta::host(head),
        token: runnable.token(app, &instance),
        r#async: 0,
    };
    let run = Run {
        subject: endpoint.subject(),
        name: endpoint.full().to_owned(),
        script: runnable.script.clone(),
        timeout: runnable.timeout,
        arguments,
        meta: meta.to_json(),
        recorded,
        results: ResultCheck::of(&app.schemas, &endpoint, method),
        keep,
        instance,
    };
    run.answer(app, Want::of(head)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_what_else_there_is() {
        let place = |version, instance, rest| Some(Place { version, instance, rest });
        assert_eq!(Place::of("/v1.1/instances/i/endpoints/sockets/s/e/"), place(Version::V1, "i", "s/e/"));
        assert_eq!(Place::of("/v2/instances/i%2F/endpoints/sockets/e"), place(Version::V2, "i%2F", "e"));
        for elsewhere in [
            "/v1.1/instances/i/endpoints/sockets/",
            "/v1.1/instances/i/endpoints/sockets",
            "/v1.1/instances//endpoints/sockets/s/e/",
            "/v1.1/instances/i/endpoints/scripts/e/",
            "/v1/instances/i/endpoints/sockets/s/e/",
            "/v1.1/instances/i/sockets/s/e/",
        ] {
            assert_eq!(Place::of(elsewhere), None, "{elsewhere}");
        }
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
