//! `/v1.1/instances/{instance}/openapi.json`: what an instance offers, for generators of clients.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::app::App;
use crate::auth::{Keyed, Segments};
use crate::errors::ApiError;
use crate::{openapi, reply, schemas};

pub(super) async fn show(
    State(app): State<Arc<App>>,
    name: Segments<String>,
    request: Keyed,
) -> Result<Response, ApiError> {
    let instance = app.visible_instance(&request.caller, &name)?;
    let document = schemas::apart(usize::MAX, || openapi::document(&app, &instance, &request.caller))?;
    Ok(reply::json(StatusCode::OK, &document))
}
