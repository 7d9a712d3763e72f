//! Bodies: how much is read of them, and what each media type means.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use multer::Multipart;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use syncano_core::{depth, limits};

use crate::auth::Purpose;
use crate::errors::{ApiError, quoted};
use crate::{json_text, text_plain};

/// Bytes of a body that defines something: a socket brings all its sources along.
pub(crate) const DEFINITION_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of a body that is read from someone who may yet turn out to have no key.
pub(crate) const KEYLESS_BYTES: usize = 1024 * 1024;
/// A body that is too large is read on for this many bytes: a caller that still sends misses the answer.
const DISCARDED: usize = 16 * 1024 * 1024;
/// Levels above the fields of a definition that have a limit of their own: the body, `endpoints`, one endpoint.
const FIELD_DEPTH: usize = 3;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The first bytes of a text that was saved with its byte order mark.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    /// JSON, called `text/plain` so that a browser sends it without asking first.
    Text,
    Form,
    Multipart,
}

const KINDS: [(&str, Kind); 4] = [
    ("application/json", Kind::Json),
    ("text/plain", Kind::Text),
    ("application/x-www-form-urlencoded", Kind::Form),
    ("multipart/form-data", Kind::Multipart),
];

impl Kind {
    /// The kind that the request's `Content-Type` names; without one it is JSON.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Kind, ApiError> {
        let Some(named) = headers.get(header::CONTENT_TYPE) else { return Ok(Kind::Json) };
        let named = String::from_utf8_lossy(named.as_bytes());
        let named = named.split(';').next().unwrap_or_default().trim();
        let known = KINDS.iter().find(|(name, _)| named.eq_ignore_ascii_case(name));
        match known {
            Some((_, kind)) => Ok(*kind),
            None => Err(ApiError::Detail(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!(
                    "the body's type `{}` is not supported: send application/json, \
                     application/x-www-form-urlencoded, multipart/form-data, or JSON as text/plain",
                    quoted(named)
                ),
            )),
        }
    }
}

/// The length that a request declares; 0 if it doesn't.
pub(crate) fn declared(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    length.unwrap_or_default()
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(TIMEOUT, collect(body, limit, declared(headers))).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::Detail(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body took longer than {} s to arrive", TIMEOUT.as_secs()),
        )),
    }
}

async fn collect(mut body: Body, limit: usize, declared: usize) -> Result<Bytes, ApiError> {
    let mut collected = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        // Most bodies come in one piece.
        if size == 0 && data.len() <= limit && body.is_end_stream() {
            return Ok(data);
        }
        size += data.len();
        if size <= limit {
            if collected.is_empty() {
                collected.reserve(declared.min(limit));
            }
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

/// What a body says.
#[derive(Debug, PartialEq)]
pub(crate) enum Content {
    /// The value, and the JSON that it was read from.
    Json(Value, Bytes),
    /// The fields of a form in their order, those with the same name too.
    Form(Vec<(String, String)>),
}

impl Content {
    /// Returns the texts of a field: a form may repeat it.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        match self {
            Content::Json(value, _) => value.get(name).and_then(Value::as_str).into_iter().collect(),
            Content::Form(fields) => {
                fields.iter().filter(|(field, _)| field == name).map(|(_, text)| text.as_str()).collect()
            }
        }
    }

    /// Returns the content as one value: a form is an object of texts, and of fields with the same name the last one counts.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Content::Json(value, _) => value,
            Content::Form(fields) => fields.into_iter().collect(),
        }
    }
}

/// Returns a form as a script sees it: an object of texts, in which fields with the same name are a list of texts.
pub(crate) fn form_object(fields: &[(String, String)]) -> Value {
    let mut object = Map::new();
    for (name, text) in fields {
        match object.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(Value::from(text.as_str()));
            }
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Value::Array(texts) => texts.push(text.as_str().into()),
                first => *first = Value::Array(vec![first.take(), text.as_str().into()]),
            },
        }
    }
    Value::Object(object)
}

/// What a body says; `None` for an empty one, whatever its type is called.
pub(crate) async fn parse(
    headers: &HeaderMap,
    body: Bytes,
    purpose: Purpose,
) -> Result<Option<Content>, ApiError> {
    // Editors of Windows write a mark before the text that they save.
    let body = match body.starts_with(BYTE_ORDER_MARK) {
        true => body.slice(BYTE_ORDER_MARK.len()..),
        false => body,
    };
    if body.is_empty() {
        return Ok(None);
    }
    let content = match Kind::of(headers)? {
        Kind::Json => Content::Json(json(&body, purpose)?, body),
        Kind::Text => {
            let (value, body) = text_plain::without_transport(json(&body, purpose)?, body);
            Content::Json(value, body)
        }
        Kind::Form => Content::Form(url::form_urlencoded::parse(&body).into_owned().collect()),
        Kind::Multipart => Content::Form(Box::pin(multipart(headers, body)).await?),
    };
    Ok(Some(content))
}

fn json(body: &[u8], purpose: Purpose) -> Result<Value, ApiError> {
    let value = match purpose {
        Purpose::Run => json_text::read(body).map_err(|unreadable| unreadable.refuse("the body"))?,
        Purpose::Definition => json_text::read_stored(body, "the body")?,
    };
    let levels = depth(&value);
    if levels > limits::JSON_DEPTH + FIELD_DEPTH {
        return Err(ApiError::bad_request(format!(
            "the body has objects and lists {levels} levels deep: at most {} are allowed",
            limits::JSON_DEPTH + FIELD_DEPTH
        )));
    }
    Ok(value)
}

/// The fields of a form, files among them: their content as text.
async fn multipart(headers: &HeaderMap, body: Bytes) -> Result<Vec<(String, String)>, ApiError> {
    let broken = |error: multer::Error| ApiError::bad_request(format!("the body is no form: {error}"));
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()));
    let boundary = multer::parse_boundary(kind.unwrap_or_default()).map_err(broken)?;
    let mut parts = Multipart::new(Body::from(body).into_data_stream(), boundary);
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(ApiError::bad_request("the body is no form: a part of it has no name"));
        };
        let content = part.bytes().await.map_err(broken)?;
        let text = String::from_utf8(content.into()).map_err(|_| {
            ApiError::field(&name, "the content is no UTF-8 text: encode it in base64 and send that")
        })?;
        fields.push((name, text));
    }
    Ok(fields)
}
