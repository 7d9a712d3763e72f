//! Lists and details of endpoints. Nothing here runs one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use syncano_core::normalize;

use crate::app::App;
use crate::auth::{Authorized, Segments};
use crate::catalog::Instance;
use crate::endpoint::Endpoint;
use crate::errors::{ApiError, quoted};
use crate::pagination::{Ordering, Page, refuse_unknown, whole};
use crate::publish::no_socket;
use crate::reply;
use crate::request::Head;
use crate::store::sockets;

/// `…/endpoints/sockets/`: all endpoints of the instance, by `socket/endpoint`.
pub(super) async fn of_instance(
    State(app): State<Arc<App>>,
    instance: Segments<String>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let instance = app.instance(&request.account, &instance)?;
    let endpoints = instance.routes.load().all().cloned().collect();
    answer(&instance, &request.head, endpoints, Naming::Full)
}

/// `…/sockets/{socket}/endpoints/`: those of one socket, by their short names.
pub(super) async fn of_socket(
    State(app): State<Arc<App>>,
    names: Segments<(String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, socket) = &*names;
    let instance = app.instance(&request.account, instance)?;
    let installed = instance.routes.load().sockets.get(normalize(socket).as_str()).cloned();
    let endpoints = match installed {
        Some(endpoints) => endpoints.all().cloned().collect(),
        None => {
            // It may be there and have nothing installed.
            let row = sockets::by_name(&app.store.db, instance.id, &normalize(socket)).await?;
            row.map(|_| Vec::new()).ok_or_else(|| no_socket(socket))?
        }
    };
    answer(&instance, &request.head, endpoints, Naming::Flat)
}

/// `…/sockets/{socket}/endpoints/{endpoint}/`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    names: Segments<(String, String, String)>,
    request: Authorized,
) -> Result<Response, ApiError> {
    let (instance, socket, endpoint) = &*names;
    let instance = app.instance(&request.account, instance)?;
    let found = instance.routes.load().full(socket, endpoint);
    let found = found.ok_or_else(|| no_endpoint(&format!("{socket}/{endpoint}")))?;
    Ok(reply::ok(&found.object(&instance.name, &found.name)))
}

/// How a list names its endpoints.
#[derive(Clone, Copy)]
pub(super) enum Naming {
    Flat,
    Full,
}

impl Naming {
    fn of(self, endpoint: &Endpoint) -> String {
        match self {
            Naming::Flat => endpoint.name.to_string(),
            Naming::Full => format!("{}/{}", endpoint.socket, endpoint.name),
        }
    }
}

/// A list of endpoints: whole, unless the request asks for a page.
pub(super) fn answer(
    instance: &Instance,
    head: &Head,
    endpoints: Vec<Arc<Endpoint>>,
    naming: Naming,
) -> Result<Response, ApiError> {
    let object = |endpoint: &Arc<Endpoint>| endpoint.object(&instance.name, &naming.of(endpoint));
    if head.query.last("page_size").is_none() {
        refuse_unknown(&head.query, &[])?;
        return Ok(reply::ok(&whole(endpoints.iter().map(object).collect())));
    }
    let page = Page::<String>::from_query(&head.query, Ordering::Ascending)?;
    let key = |endpoint: &Arc<Endpoint>| endpoint.full().to_owned();
    let endpoints = page.cut(endpoints, key);
    Ok(reply::ok(&page.envelope(head.path(), &endpoints, key, object)))
}

/// 404 for an endpoint.
pub(super) fn no_endpoint(name: &str) -> ApiError {
    ApiError::NoEndpoint(format!("there is no socket endpoint named `{}`", quoted(&normalize(name))))
}
