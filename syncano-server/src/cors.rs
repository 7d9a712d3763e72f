//! What browsers are told about other origins: any page may call, and may read what an answer says about itself.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use syncano_core::headers::{CONTRACT, LIMITS, RESULT, STATUS, TRACE, WANT};

const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
/// How long a browser may remember this: a day, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// Headers that a page may send.
static SENT: LazyLock<HeaderValue> =
    LazyLock::new(|| list(&["x-api-key", "x-user-key", WANT, CONTRACT, "content-type", "authorization"]));
/// Headers that it may read.
static READ: LazyLock<HeaderValue> =
    LazyLock::new(|| list(&[STATUS, TRACE, RESULT, LIMITS, CONTRACT, "retry-after"]));

fn list(names: &[&str]) -> HeaderValue {
    HeaderValue::try_from(names.join(", ")).expect("they are names of headers")
}

/// The answer to a browser that asks before it sends a request.
pub(crate) fn preflight() -> Response {
    let mut response = StatusCode::OK.into_response();
    let said = response.headers_mut();
    said.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    said.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    said.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT.clone());
    said.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

/// Lets any page read an answer.
pub(crate) fn allow(said: &mut HeaderMap) {
    said.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    said.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ.clone());
}
