//! JSON answers.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// The `Content-Type` of every JSON answer of the server itself.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Marks answers of which a request may want only some fields.
#[derive(Clone, Copy)]
pub(crate) struct Filterable;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, JSON)], bytes).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// 200 with an object or a list.
pub(crate) fn ok(body: &impl Serialize) -> Response {
    filterable(StatusCode::OK, body)
}

/// 201 with what was made.
pub(crate) fn created(body: &impl Serialize) -> Response {
    filterable(StatusCode::CREATED, body)
}

fn filterable(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = json(status, body);
    response.extensions_mut().insert(Filterable);
    response
}

/// 204.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
