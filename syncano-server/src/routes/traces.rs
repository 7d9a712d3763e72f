//! `…/traces/`: what was recorded of an endpoint's runs.

use axum::response::Response;
use serde_json::{Value, json};
use syncano_core::route;

use super::endpoints::no_endpoint;
use crate::app::App;
use crate::catalog::Instance;
use crate::endpoint::Endpoint;
use crate::errors::{ApiError, quoted};
use crate::pagination::{Ordering, Page};
use crate::reply;
use crate::request::Head;
use crate::store::traces::{self, TraceRow};
use crate::time;

/// Bytes of a result, or of arguments, that a list shows.
const LISTED: usize = 64 * 1024;

pub(super) async fn list(
    app: &App,
    instance: &Instance,
    endpoint: &Endpoint,
    head: &Head,
) -> Result<Response, ApiError> {
    let page = Page::from_query(&head.query, Ordering::Descending)?;
    app.traces.settled().await;
    let rows = traces::of_endpoint(&app.store.db, endpoint.socket_id, &endpoint.flat, &page).await?;
    let object = |row: &TraceRow| object(instance, endpoint, row, LISTED);
    Ok(reply::ok(&page.envelope(&head.path, &rows, |row| row.id, object)))
}

pub(super) async fn show(
    app: &App,
    instance: &Instance,
    endpoint: &Endpoint,
    id: &str,
) -> Result<Response, ApiError> {
    let missing = || ApiError::not_found(format!("there is no trace `{}`", quoted(id)));
    let number = id.parse().map_err(|_| missing())?;
    app.traces.settled().await;
    let row = traces::one(&app.store.db, endpoint.socket_id, &endpoint.flat, number).await?;
    Ok(reply::ok(&object(instance, endpoint, &row.ok_or_else(missing)?, usize::MAX)))
}

/// Finds the endpoint whose traces are asked for.
pub(super) fn endpoint(
    instance: &Instance,
    socket: Option<&str>,
    endpoint: &str,
) -> Result<std::sync::Arc<Endpoint>, ApiError> {
    let routes = instance.routes.load();
    match socket {
        Some(socket) => {
            routes.full(socket, endpoint).ok_or_else(|| no_endpoint(&format!("{socket}/{endpoint}")))
        }
        None => routes.flat(endpoint).ok_or_else(|| no_endpoint(endpoint)),
    }
}

fn object(instance: &Instance, endpoint: &Endpoint, row: &TraceRow, limit: usize) -> Value {
    let json = |text: &str| -> Value {
        if text.len() > limit {
            return json!({ "__error__": format!("longer than {limit} bytes: read the trace itself") });
        }
        // Only JSON is ever stored there.
        serde_json::from_str(text).unwrap_or_default()
    };
    json!({
        "id": row.id,
        "status": row.status,
        "executed_at": row.executed_at.map(time::wire),
        "duration": row.duration,
        "result": json(&row.result),
        "meta": json(&row.meta),
        "args": json(&row.args),
        "links": { "self": route::trace(&route::traces(&instance.name, &endpoint.socket, &endpoint.flat), row.id) },
    })
}
