//! The HTTP API: one file for each family of URLs.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use http::{Method, StatusCode};
use serde_json::json;
use tower::ServiceExt as _;

use crate::app::App;
use crate::errors::ApiError;
use crate::filter::Filter;
use crate::request::Head;
use crate::{cors, filter, reply, text_plain, throttle};

mod account;
mod api_keys;
mod config;
mod endpoints;
mod health;
mod instances;
mod openapi;
mod runs;
mod script_endpoints;
mod scripts;
mod sockets;
mod traces;

/// Everything that the server answers.
pub(crate) struct Api {
    app: Arc<App>,
    table: Router,
}

impl Api {
    pub(crate) fn new(app: Arc<App>) -> Api {
        let table = table()
            .router
            .fallback(no_such_url)
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(app.clone());
        Api { app, table }
    }

    /// Answers a request; `peer` is who is connected.
    pub(crate) async fn answer(&self, request: http::Request<Body>, peer: SocketAddr) -> Response {
        let (parts, body) = request.into_parts();
        if parts.method == Method::OPTIONS {
            return cors::preflight();
        }
        let answered = self.admit(Head::new(parts, peer), body).await;
        let mut response = answered.unwrap_or_else(ApiError::into_response);
        cors::allow(response.headers_mut());
        response
    }

    /// What every request goes through, whatever it asks for.
    async fn admit(&self, mut head: Head, mut body: Body) -> Result<Response, ApiError> {
        if self.app.gate.is_closed() {
            return Err(ApiError::shutting_down());
        }
        // Before anything looks at the request: its body may say which method is meant, and who is calling.
        let mut room = None;
        if text_plain::is_disguised(&head) {
            (body, room) = Box::pin(text_plain::undisguise(&self.app, &mut head, body)).await?;
        }
        if let Some(refusal) = throttle::refusal(&self.app, &head) {
            return Ok(refusal);
        }
        let filter = Filter::of(&head.query);
        let response = match runs::Place::of(head.path()) {
            Some(place) => runs::answer(&self.app, place, &head, body).await?,
            None => {
                let answered = Box::pin(self.table.clone().oneshot(head.with(body)));
                answered.await.unwrap_or_else(|never| match never {})
            }
        };
        drop(room);
        filter::apply(filter, response).await
    }
}

/// Every route. Version 2 has those of version 1.1, and links that lead to version 1.1.
fn table() -> Table {
    let table = Table::default().route("/health", get(health::show));
    let table = account_routes(table, "/v1.1/account");
    let table = account_routes(table, "/v2/account");
    // The oldest clients log in here.
    let table = account_routes(table, "/v1/account");
    let table = instance_routes(table, "/v1.1/instances");
    let table = script_endpoint_routes(table, "/v1.1/instances", Version::V1);
    let table = instance_routes(table, "/v2/instances");
    script_endpoint_routes(table, "/v2/instances", Version::V2)
}

fn account_routes(table: Table, folder: &str) -> Table {
    let path = |rest: &str| format!("{folder}{rest}");
    table
        .route(&path("/"), get(account::show).put(account::update).patch(account::update))
        .route(&path("/register/"), post(account::register))
        .route(&path("/auth/"), post(account::authenticate))
        .route(&path("/auth/{backend}/"), post(account::authenticate_elsewhere))
        .route(&path("/reset_key/"), post(account::reset_key))
        .route(&path("/password/"), post(account::set_password))
}

fn instance_routes(table: Table, folder: &str) -> Table {
    let path = |rest: &str| format!("{folder}{rest}");
    table
        .route(&path("/"), get(instances::list).post(instances::create))
        .route(
            &path("/{instance}/"),
            get(instances::show).put(instances::update).patch(instances::update).delete(instances::delete),
        )
        .route(&path("/{instance}/rename/"), post(instances::rename))
        .route(&path("/{instance}/openapi.json"), get(openapi::show))
        .route(&path("/{instance}/api_keys/"), get(api_keys::list).post(api_keys::create))
        .route(
            &path("/{instance}/api_keys/{api_key}/"),
            get(api_keys::show).put(api_keys::update).patch(api_keys::update).delete(api_keys::delete),
        )
        .route(&path("/{instance}/api_keys/{api_key}/reset_key/"), post(api_keys::reset_key))
        .route(&path("/{instance}/snippets/"), get(instances::snippets))
        .route(
            &path("/{instance}/snippets/config/"),
            get(config::show).put(config::update).patch(config::update),
        )
        .route(&path("/{instance}/endpoints/"), get(instances::endpoints))
        .route(&path("/{instance}/sockets/"), get(sockets::list).post(sockets::create))
        .route(&path("/{instance}/sockets/install/"), post(sockets::install))
        .route(
            &path("/{instance}/sockets/{socket}/"),
            get(sockets::show).put(sockets::update).patch(sockets::update).delete(sockets::delete),
        )
        .route(&path("/{instance}/sockets/{socket}/recheck/"), post(sockets::recheck))
        .route(&path("/{instance}/sockets/{socket}/endpoints/"), get(endpoints::of_socket))
        .route(&path("/{instance}/sockets/{socket}/endpoints/{endpoint}/"), get(endpoints::show))
        .route(&path("/{instance}/snippets/scripts/"), get(scripts::list).post(scripts::create))
        .route(&path("/{instance}/snippets/scripts/runtimes/"), get(scripts::runtimes))
        .route(
            &path("/{instance}/snippets/scripts/{script}/"),
            get(scripts::show).put(scripts::update).patch(scripts::update).delete(scripts::delete),
        )
        .route(&path("/{instance}/snippets/scripts/{script}/run/"), post(scripts::run))
        .route(&path("/{instance}/snippets/scripts/{script}/traces/"), get(scripts::traces))
        .route(&path("/{instance}/snippets/scripts/{script}/traces/{script_trace}/"), get(scripts::trace))
        .route(&path("/{instance}/endpoints/sockets/"), get(endpoints::of_instance))
        .beside(&path("/{instance}/endpoints/sockets/{*rest}"))
}

/// How the versions of the API differ.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    /// `…/endpoints/scripts/{name}/` is the script endpoint, `…/{name}/run/` runs it;
    /// `…/endpoints/sockets/{name}/` runs the endpoint of that name.
    V1,
    /// `…/endpoints/scripts/{name}/` runs the script endpoint, `…/{name}/edit/` is the script endpoint;
    /// `…/endpoints/sockets/{name}/` lists the endpoints of the socket of that name.
    V2,
}

fn script_endpoint_routes(table: Table, folder: &str, version: Version) -> Table {
    let path = |rest: &str| format!("{folder}/{{instance}}/endpoints/scripts{rest}");
    let object = get(script_endpoints::show)
        .put(script_endpoints::update)
        .patch(script_endpoints::update)
        .delete(script_endpoints::delete);
    let run = get(script_endpoints::run).post(script_endpoints::run);
    let table = match version {
        Version::V1 => {
            table.route(&path("/{script_endpoint}/"), object).route(&path("/{script_endpoint}/run/"), run)
        }
        Version::V2 => {
            let run =
                run.put(script_endpoints::run).patch(script_endpoints::run).delete(script_endpoints::run);
            table.route(&path("/{script_endpoint}/"), run).route(&path("/{script_endpoint}/edit/"), object)
        }
    };
    let run_link = get(script_endpoints::run_link).post(script_endpoints::run_link);
    let run_public = get(script_endpoints::run_public).post(script_endpoints::run_public);
    table
        .route(&path("/"), get(script_endpoints::list).post(script_endpoints::create))
        .route(&path("/{script_endpoint}/reset_link/"), post(script_endpoints::reset_link))
        .route(&path("/{script_endpoint}/traces/"), get(script_endpoints::traces))
        .route(&path("/{script_endpoint}/traces/{script_endpoint_trace}/"), get(script_endpoints::trace))
        .route(&path("/p/{link}/"), run_link)
        .route(&path("/p/{link}/{script_endpoint}/"), run_public)
}

/// Routes, and their paths: a router doesn't tell which it has, and tests must know.
#[derive(Default)]
struct Table {
    router: Router<Arc<App>>,
    paths: Vec<String>,
}

impl Table {
    fn route(mut self, path: &str, methods: MethodRouter<Arc<App>>) -> Table {
        self.paths.push(path.to_owned());
        self.router = self.router.route(path, methods);
        self
    }

    /// Calls of endpoints are most of what is asked: `runs.rs` answers them before the router is asked.
    fn beside(mut self, path: &str) -> Table {
        self.paths.push(path.to_owned());
        self
    }
}

async fn no_such_url() -> ApiError {
    ApiError::no_such_url()
}

/// The router adds the header `Allow`.
async fn method_not_allowed(method: Method) -> Response {
    let text = format!("{method} is not allowed here");
    reply::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "detail": text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests of who may do what have a row for every line of this file. `UPDATE_GOLDEN=1` rewrites it.
    #[test]
    fn every_route_is_in_the_file_of_routes() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/routes.txt");
        let paths = table().paths.join("\n") + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(file, &paths).unwrap();
        }
        assert_eq!(std::fs::read_to_string(file).unwrap(), paths, "run it with UPDATE_GOLDEN=1");
    }
}
