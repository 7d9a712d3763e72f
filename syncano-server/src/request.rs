//! What a request brings along: query, body, and where it came from.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::ConnectInfo;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use serde_json::{Map, Value};

use syncano_core::{depth, limits};

use crate::errors::{ApiError, NO_FIELD};

/// Bytes of a body that defines something: a socket brings all its sources along.
pub(crate) const DEFINITION_BYTES: usize = 16 * 1024 * 1024;
/// A body that is too large is read on for this many bytes: a caller that still sends misses the answer.
const DISCARDED: usize = 16 * 1024 * 1024;
/// Levels above the fields of a definition that have a limit of their own: the body, `endpoints`, one endpoint.
const FIELD_DEPTH: usize = 3;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The decoded query, in the order of the URL.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Query {
        Query(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The value of a key; the last one if it is repeated.
    pub(crate) fn last(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: Option<SocketAddr>,
}

impl Head {
    pub(crate) fn new(parts: &Parts) -> Head {
        Head {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            headers: parts.headers.clone(),
            peer: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or_default();
    match tokio::time::timeout(BODY_TIMEOUT, collect(body, limit, declared)).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::Detail(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body took longer than {} s to arrive", BODY_TIMEOUT.as_secs()),
        )),
    }
}

async fn collect(mut body: Body, limit: usize, declared: usize) -> Result<Bytes, ApiError> {
    let mut collected = BytesMut::with_capacity(declared.min(limit));
    let mut size = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= limit {
            collected.extend_from_slice(&data);
        } else if size > limit + DISCARDED {
            break;
        }
    }
    if size > limit {
        return Err(ApiError::Detail(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is too large: at most {limit} bytes are allowed"),
        ));
    }
    Ok(collected.freeze())
}

/// Reads JSON; `None` for an empty body, whatever its type is called.
pub(crate) fn json(headers: &HeaderMap, body: &[u8]) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::Detail(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("the body's type `{}` is not supported: send application/json", kind.escape_debug()),
            ));
        }
    }
    let value = serde_json::from_slice(body)
        .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
    let levels = depth(&value);
    if levels > limits::JSON_DEPTH + FIELD_DEPTH {
        return Err(ApiError::bad_request(format!(
            "the body has objects and lists {levels} levels deep: at most {} are allowed",
            limits::JSON_DEPTH + FIELD_DEPTH
        )));
    }
    Ok(Some(value))
}

/// The fields of a body that must be an object; an empty one is `{}`.
pub(crate) fn fields(body: Option<Value>) -> Result<Fields, ApiError> {
    match body {
        None => Ok(Fields(Map::new())),
        Some(Value::Object(fields)) => Ok(Fields(fields)),
        Some(_) => Err(ApiError::field(NO_FIELD, "the body must be a JSON object")),
    }
}

/// The fields of a body. Those that nobody asks for are ignored.
#[derive(Debug, Default)]
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    /// A text, if the field is there.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(ApiError::field(field, "expected a string")),
        }
    }

    /// A text that must be there and not be blank.
    pub(crate) fn required_text(&self, field: &str) -> Result<String, ApiError> {
        match self.text(field)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(ApiError::field(field, "this field is required")),
        }
    }

    /// A text of at most so many characters, if the field is there.
    pub(crate) fn short_text(&self, field: &str, limit: usize) -> Result<Option<String>, ApiError> {
        let text = self.text(field)?;
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        match length > limit {
            true => Err(ApiError::field(field, format!("{length} characters: at most {limit} are allowed"))),
            false => Ok(text),
        }
    }

    /// A whole number, if the field is there; forms send it as a text.
    pub(crate) fn integer(&self, field: &str) -> Result<Option<i64>, ApiError> {
        let number = match self.0.get(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_i64(),
        };
        number.map(Some).ok_or_else(|| ApiError::field(field, "expected a whole number"))
    }

    /// True or false, if the field is there; forms send it as a text.
    pub(crate) fn boolean(&self, field: &str) -> Result<Option<bool>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::String(text)) if ["true", "True", "1"].contains(&text.as_str()) => Ok(Some(true)),
            Some(Value::String(text)) if ["false", "False", "0"].contains(&text.as_str()) => Ok(Some(false)),
            Some(_) => Err(ApiError::field(field, "expected true or false")),
        }
    }

    /// Any JSON, if the field is there; old clients send it as a string of JSON. `null` and `""` are nothing.
    pub(crate) fn json(&self, field: &str) -> Result<Option<Value>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text)
                .map(Some)
                .map_err(|error| ApiError::field(field, format!("the string is not JSON: {error}"))),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// An object, if the field is there; old clients send it as a string of JSON. `null` and `""` are `{}`.
    pub(crate) fn object(&self, field: &str) -> Result<Option<Map<String, Value>>, ApiError> {
        let value = match self.0.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => Value::Null,
            Some(Value::String(text)) => serde_json::from_str(text)
                .map_err(|error| ApiError::field(field, format!("the string is not JSON: {error}")))?,
            Some(value) => value.clone(),
        };
        match value {
            Value::Null => Ok(Some(Map::new())),
            Value::Object(object) => Ok(Some(object)),
            _ => Err(ApiError::field(field, "expected an object")),
        }
    }
}
