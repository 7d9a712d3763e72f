//! Requests that old JavaScript clients disguise: a POST of JSON called `text/plain`, which a browser sends without
//! asking first, with the real method and the key inside. They are turned into what they mean before anything else
//! looks at them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::app::App;
use crate::auth::{self, Caller, KEY_FIELD};
use crate::body::{self, DEFINITION_BYTES, KEYLESS_BYTES, Kind};
use crate::errors::{ApiError, quoted};
use crate::request::Head;

/// Where a body names the method that its request would have.
const METHOD_FIELD: &str = "_method";
const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
/// Where it names the user it acts for.
const USER_FIELD: &str = "_user_key";
/// What the JavaScript client of 2016 adds beside the method.
const INSTANCE_FIELD: &str = "instanceName";
/// Large bodies that are read at a time before it is known whether they have a key inside: 64 MiB together.
const LARGE_AT_A_TIME: usize = 4;
/// How long one more waits.
const WAIT: Duration = Duration::from_secs(60);

/// Bounds the memory that callers without a key can take.
pub(crate) struct LargeBodies(Semaphore);

impl Default for LargeBodies {
    fn default() -> Self {
        LargeBodies(Semaphore::new(LARGE_AT_A_TIME))
    }
}

/// Whether a request may mean something else than it says.
pub(crate) fn is_disguised(head: &Head) -> bool {
    head.method == Method::POST && matches!(Kind::of(&head.headers), Ok(Kind::Text))
}

/// Takes the disguise off. What comes along with the body is to be kept until the answer: until then the body is in memory.
pub(crate) async fn undisguise<'a>(
    app: &'a App,
    head: &mut Head,
    body: Body,
) -> Result<(Body, Option<SemaphorePermit<'a>>), ApiError> {
    // A key that is wrong is none here: some routes don't look at it.
    let has_key = matches!(auth::caller(app, head), Ok(Some(Caller::Manager(_))));
    let large = body::declared(&head.headers) > KEYLESS_BYTES;
    let place = match large && !has_key {
        true => Some(place(&app.large_bodies).await?),
        false => None,
    };
    let limit = if has_key || place.is_some() { DEFINITION_BYTES } else { KEYLESS_BYTES };
    let bytes = body::read(&head.headers, body, limit).await?;
    let envelope = Envelope::scan(&bytes);
    if let Some(method) = envelope.method {
        head.method = real_method(method)?;
    }
    head.body_key = envelope.key();
    Ok((Body::from(bytes), place))
}

async fn place(large: &LargeBodies) -> Result<SemaphorePermit<'_>, ApiError> {
    match tokio::time::timeout(WAIT, large.0.acquire()).await {
        Ok(Ok(place)) => Ok(place),
        // The semaphore is never closed.
        _ => Err(ApiError::Detail(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server reads too many large bodies with the key inside at the moment: send the key in the header \
             X-API-KEY"
                .to_owned(),
        )),
    }
}

fn real_method(raw: &RawValue) -> Result<Method, ApiError> {
    let named = serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
    METHODS.iter().find(|method| named.eq_ignore_ascii_case(method.as_str())).cloned().ok_or_else(|| {
        ApiError::bad_request(format!(
            "{METHOD_FIELD}: `{}` is no method: use GET, POST, PUT, PATCH or DELETE",
            quoted(&named)
        ))
    })
}

/// Takes out of a body what belongs to the transport, with the JSON that it was read from. Everything else is the script's.
pub(crate) fn without_transport(mut value: Value, json: Bytes) -> (Value, Bytes) {
    let Value::Object(fields) = &mut value else { return (value, json) };
    let is_of_old_client = fields.contains_key(METHOD_FIELD);
    let belongs = |name: &str| {
        [METHOD_FIELD, KEY_FIELD, USER_FIELD].contains(&name) || (is_of_old_client && name == INSTANCE_FIELD)
    };
    if !fields.keys().any(|name| belongs(name)) {
        return (value, json);
    }
    fields.retain(|name, _| !belongs(name));
    let mut written: BTreeMap<String, &RawValue> =
        serde_json::from_slice(&json).expect("it was read as an object before");
    written.retain(|name, _| !belongs(name));
    let json = serde_json::to_vec(&written).expect("it is written to memory");
    (value, json.into())
}

/// What a body says about its request. Found without taking memory for the rest, which may be large, and whose
/// sender may have no key.
#[derive(Default, Clone, Copy)]
struct Envelope<'a> {
    method: Option<&'a RawValue>,
    key: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Nothing is found in what is no object.
    fn scan(body: &'a [u8]) -> Envelope<'a> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let found = json.deserialize_map(EnvelopeVisitor);
        found.and_then(|envelope| json.end().map(|()| envelope)).unwrap_or_default()
    }

    fn key(&self) -> Option<String> {
        serde_json::from_str(self.key?.get()).ok()
    }
}

/// The key in a body of this kind.
pub(crate) fn key_inside(body: &[u8]) -> Option<String> {
    Envelope::scan(body).key()
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
        let mut envelope = Envelope::default();
        // Of a key that is there twice the last one counts, as everywhere.
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match &*name {
                METHOD_FIELD => envelope.method = Some(map.next_value()?),
                KEY_FIELD => envelope.key = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(body: &str) -> (Option<String>, Option<String>) {
        let envelope = Envelope::scan(body.as_bytes());
        (envelope.method.map(|raw| raw.get().to_owned()), envelope.key())
    }

    #[test]
    fn only_the_top_of_a_whole_object_counts() {
        let key = |text: &str| Some(text.to_owned());
        assert_eq!(
            scan(r#"{"a": {"_api_key": "no"}, "_api_key": "k", "_method": "GET"}"#),
            (key("\"GET\""), key("k"))
        );
        assert_eq!(scan(r#"{"_api_key": "a", "_api_key": "b"}"#), (None, key("b")));
        assert_eq!(scan(r#"{"_\u0061pi_key": "escaped"}"#), (None, key("escaped")));
        for nothing in
            ["", "[]", "5", "{", r#"{"_api_key": "k""#, r#"{"_api_key": 5}"#, r#"{"_api_key": "k"} x"#]
        {
            assert_eq!(scan(nothing), (None, None), "{nothing}");
        }
    }

    #[test]
    fn a_method_is_one_that_there_is() {
        let method = |json: &str| real_method(&RawValue::from_string(json.to_owned()).unwrap());
        assert_eq!(method("\"patch\"").unwrap(), Method::PATCH);
        for bad in ["\"BREW\"", "\"\"", "5", "null", "\"OPTIONS\"", "\"CONNECT\""] {
            assert!(method(bad).is_err(), "{bad}");
        }
    }
}
