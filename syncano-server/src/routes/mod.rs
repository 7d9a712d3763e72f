//! The HTTP API: one file for each family of URLs.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::{HeaderName, Method, StatusCode, header};
use serde_json::json;
use tower_http::cors::{Any, CorsLayer};

use crate::app::App;
use crate::errors::ApiError;
use crate::reply;

mod account;
mod endpoints;
mod health;
mod instances;
mod runs;
mod script_endpoints;
mod scripts;
mod sockets;
mod traces;

/// How long a browser may remember what it is allowed.
const CORS_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Every route of the server.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/health", get(health::show))
        .merge(account_routes("/v1.1/account"))
        // The oldest clients log in here.
        .merge(account_routes("/v1/account"))
        .merge(instance_routes("/v1.1/instances"))
        .merge(script_endpoint_routes("/v1.1/instances", Version::V1))
        .merge(script_endpoint_routes("/v2/instances", Version::V2))
        .fallback(no_such_url)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), refuse_when_closed))
        .layer(cors())
        .with_state(app)
}

fn account_routes(folder: &str) -> Router<Arc<App>> {
    let path = |rest: &str| format!("{folder}{rest}");
    Router::new()
        .route(&path("/"), get(account::show).put(account::update).patch(account::update))
        .route(&path("/register/"), post(account::register))
        .route(&path("/auth/"), post(account::authenticate))
        .route(&path("/reset_key/"), post(account::reset_key))
        .route(&path("/password/"), post(account::set_password))
}

fn instance_routes(folder: &str) -> Router<Arc<App>> {
    let path = |rest: &str| format!("{folder}{rest}");
    Router::new()
        .route(&path("/"), get(instances::list).post(instances::create))
        .route(
            &path("/{instance}/"),
            get(instances::show).put(instances::update).patch(instances::update).delete(instances::delete),
        )
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
        .route(&path("/{instance}/snippets/scripts/{script}/traces/{trace}/"), get(scripts::trace))
        .route(&path("/{instance}/endpoints/sockets/"), get(endpoints::of_instance))
        .route(&path("/{instance}/endpoints/sockets/{*rest}"), any(runs::dispatch))
}

/// How the versions of the API differ.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    /// `…/{name}/` is the script endpoint, `…/{name}/run/` runs it.
    V1,
    /// `…/{name}/` runs the script endpoint, `…/{name}/edit/` is the script endpoint.
    V2,
}

fn script_endpoint_routes(folder: &str, version: Version) -> Router<Arc<App>> {
    let path = |rest: &str| format!("{folder}/{{instance}}/endpoints/scripts{rest}");
    let object = get(script_endpoints::show)
        .put(script_endpoints::update)
        .patch(script_endpoints::update)
        .delete(script_endpoints::delete);
    let run = get(script_endpoints::run).post(script_endpoints::run);
    let routes = match version {
        Version::V1 => {
            Router::new().route(&path("/{endpoint}/"), object).route(&path("/{endpoint}/run/"), run)
        }
        Version::V2 => {
            let run =
                run.put(script_endpoints::run).patch(script_endpoints::run).delete(script_endpoints::run);
            Router::new().route(&path("/{endpoint}/"), run).route(&path("/{endpoint}/edit/"), object)
        }
    };
    let run_link = get(script_endpoints::run_link).post(script_endpoints::run_link);
    let run_public = get(script_endpoints::run_public).post(script_endpoints::run_public);
    routes
        .route(&path("/"), get(script_endpoints::list).post(script_endpoints::create))
        .route(&path("/{endpoint}/reset_link/"), post(script_endpoints::reset_link))
        .route(&path("/{endpoint}/traces/"), get(script_endpoints::traces))
        .route(&path("/{endpoint}/traces/{trace}/"), get(script_endpoints::trace))
        .route(&path("/p/{link}/"), run_link)
        .route(&path("/p/{link}/{endpoint}/"), run_public)
}

/// Any page may call; it may read what a run's answer says about itself.
fn cors() -> CorsLayer {
    let said = [syncano_core::headers::STATUS, syncano_core::headers::TRACE, syncano_core::headers::RESULT];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("x-user-key"),
            HeaderName::from_static(syncano_core::headers::WANT),
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
        ])
        .expose_headers(said.map(HeaderName::from_static))
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
