//! The HTTP API: one file for each family of URLs.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use http::{HeaderName, Method, StatusCode, header};
use serde_json::json;
use tower_http::cors::{Any, CorsLayer};

use crate::app::App;
use crate::errors::ApiError;
use crate::{filter, reply, text_plain, throttle};

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

/// How long a browser may remember what it is allowed.
const CORS_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that the server answers.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = table()
        .router
        .fallback(no_such_url)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app.clone());
    // Around the router, since what is in the body may change which route is meant. The last layer comes first.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn(filter::filter))
        .layer(middleware::from_fn_with_state(app.clone(), throttle::throttle))
        .layer(middleware::from_fn_with_state(app.clone(), text_plain::undisguise))
        .layer(middleware::from_fn_with_state(app, refuse_when_closed))
        .layer(cors())
}

/// Every route. Version 2 has those of version 1.1, and links that lead to version 1.1.
fn table() -> Table {
    let table = Table::default().route("/health", get(health::show));
    let table = account_routes(table, "/v1.1/account");
    let table = account_routes(table, "/v2/account");
    // The oldest clients log in here.
    let table = account_routes(table, "/v1/account");
    let table = instance_routes(table, "/v1.1/instances", any(runs::dispatch));
    let table = script_endpoint_routes(table, "/v1.1/instances", Version::V1);
    let table = instance_routes(table, "/v2/instances", any(runs::dispatch_v2));
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

fn instance_routes(table: Table, folder: &str, dispatch: MethodRouter<Arc<App>>) -> Table {
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
        .route(&path("/{instance}/endpoints/sockets/{*rest}"), dispatch)
}

/// How the versions of the API differ.
#[derive(Clone, Copy, PartialEq)]
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
}

/// Any page may call; it may read what an answer says about itself.
fn cors() -> CorsLayer {
    use syncano_core::headers::{CONTRACT, LIMITS, RESULT, STATUS, TRACE, WANT};

    let said = [STATUS, TRACE, RESULT, LIMITS, CONTRACT];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("x-user-key"),
            HeaderName::from_static(WANT),
            HeaderName::from_static(CONTRACT),
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
        ])
        .expose_headers(
            said.map(HeaderName::from_static).into_iter().chain([header::RETRY_AFTER]).collect::<Vec<_>>(),
        )
        .max_age(CORS_MAX_AGE)
}

async fn no_such_url() -> ApiError {
    ApiError::no_such_url()
}

/// The router adds the header `Allow`.
async fn method_not_allowed(method: Method) -> Response {
    let text = format!("{method} is not allowed here");
    reply::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "detail": text }))
}

async fn refuse_when_closed(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if app.gate.is_closed() {
        return Err(ApiError::shutting_down());
    }
    Ok(next.run(request).await)
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
