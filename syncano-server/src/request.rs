//! What a request brings along: query, headers, where it came from, and the fields of its body.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::Request;
use http::{HeaderMap, Method, Uri, request::Parts};
use serde_json::{Map, Value};
use syncano_core::{Path, Violation, limits};

use crate::body::Content;
use crate::errors::{ApiError, NO_FIELD};
use crate::json_text;

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
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: Method,
    uri: Uri,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: SocketAddr,
    /// A key that was found in the body before it was known whose request this is.
    pub(crate) body_key: Option<String>,
}

impl Head {
    /// `peer` is who is connected.
    pub(crate) fn new(parts: Parts, peer: SocketAddr) -> Head {
        let Parts { method, uri, headers, .. } = parts;
        let query = Query::parse(uri.query().unwrap_or_default());
        Head { method, uri, query, headers, peer, body_key: None }
    }

    /// The request for the table of routes, whose handlers take it apart by [`Head::of`].
    pub(crate) fn with(self, body: Body) -> Request {
        let mut request = Request::new(body);
        request.method_mut().clone_from(&self.method);
        request.uri_mut().clone_from(&self.uri);
        request.extensions_mut().insert(self);
        request
    }

    /// What a request was put together of.
    pub(crate) fn of(mut request: Request) -> (Head, Body) {
        let head = request.extensions_mut().remove().expect("whatever is routed was put together by `with`");
        (head, request.into_body())
    }

    /// The path as it was sent.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The number of an object in a URL, written as the API writes it.
pub(crate) fn id(text: &str) -> Option<i64> {
    text.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == text)
}

/// A whole number; a form can only send it as a text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64(),
    }
}

/// What a field's string of JSON says.
fn stored(field: &str, text: &str) -> Result<Value, ApiError> {
    json_text::read_stored(text.as_bytes(), "the string").map_err(|error| match error {
        ApiError::Detail(_, text) => ApiError::field(field, text),
        ApiError::Fields(wrong) => {
            ApiError::Fields([(field.to_owned(), wrong.into_values().flatten().collect())].into())
        }
        other => other,
    })
}

/// The fields of a body that must be an object; an empty one is `{}`.
pub(crate) fn fields(body: Option<Content>) -> Result<Fields, ApiError> {
    match body.map(Content::into_value) {
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
    pub(crate) fn bounded_text(&self, field: &str, limit: usize) -> Result<Option<String>, ApiError> {
        let text = self.text(field)?;
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        match length > limit {
            true => Err(ApiError::field(field, format!("{length} characters: at most {limit} are allowed"))),
            false => Ok(text),
        }
    }

    /// A text of the length of a description, if the field is there.
    pub(crate) fn short_text(&self, field: &str) -> Result<Option<String>, ApiError> {
        self.bounded_text(field, limits::DESCRIPTION)
    }

    /// A whole number, if the field is there.
    pub(crate) fn integer(&self, field: &str) -> Result<Option<i64>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                integer(value).map(Some).ok_or_else(|| ApiError::field(field, "expected a whole number"))
            }
        }
    }

    /// Any JSON, if the field is there; old clients send it as a string of JSON. `null` and `""` are nothing.
    pub(crate) fn json(&self, field: &str) -> Result<Option<Value>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => stored(field, text).map(Some),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// An object, if the field is there, that breaks no rule.
    pub(crate) fn checked_object(
        &self,
        field: &str,
        rules: fn(&Path, &Map<String, Value>) -> Vec<Violation>,
    ) -> Result<Option<Map<String, Value>>, ApiError> {
        let Some(object) = self.object(field)? else { return Ok(None) };
        match rules(&Path::root().key(field), &object) {
            broken if broken.is_empty() => Ok(Some(object)),
            broken => Err(ApiError::violations(&broken)),
        }
    }

    /// An object, if the field is there; old clients send it as a string of JSON. `null` and `""` are `{}`.
    pub(crate) fn object(&self, field: &str) -> Result<Option<Map<String, Value>>, ApiError> {
        let value = match self.0.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => Value::Null,
            Some(Value::String(text)) => stored(field, text)?,
            Some(value) => value.clone(),
        };
        match value {
            Value::Null => Ok(Some(Map::new())),
            Value::Object(object) => Ok(Some(object)),
            _ => Err(ApiError::field(field, "expected an object")),
        }
    }

    /// Whether something is so, if the field is there; a form can only send it as a text.
    pub(crate) fn boolean(&self, field: &str) -> Result<Option<bool>, ApiError> {
        let text = match self.0.get(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Bool(value)) => return Ok(Some(*value)),
            Some(Value::String(text)) => text.trim().to_ascii_lowercase(),
            Some(_) => String::from("neither"),
        };
        match text.as_str() {
            "" => Ok(None),
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(ApiError::field(field, "expected true or false")),
        }
    }
}
