//! `META`: what a script learns about the call and the request behind it.

use std::borrow::Cow;

use http::HeaderName;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::catalog::Account;
use crate::request::Head;

/// Headers that say who is calling or how the request travelled: not the script's business.
const HIDDEN: [&str; 12] = [
    "syncano-contract",
    "authorization",
    "connection",
    "host-type",
    "proxy-authorization",
    "x-api-key",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-scheme",
    "x-user-key",
    // As ever in this version of the API.
    "content-type",
    "content-length",
];
const HIDDEN_PREFIX: &str = "x-forwarded-";

/// `META.request` as JSON, which traces show as well.
pub(crate) fn request(head: &Head) -> Box<RawValue> {
    to_raw_value(&Request(head)).expect("its keys are texts, and it is written to memory")
}

struct Request<'a>(&'a Head);

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = self.0;
        let mut request = serializer.serialize_map(None)?;
        for name in head.headers.keys().map(HeaderName::as_str).filter(|name| is_shown(name)) {
            let values = head.headers.get_all(name).iter();
            let mut values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
            let mut joined = values.next().unwrap_or_default();
            for value in values {
                joined = format!("{joined}, {value}").into();
            }
            let key = name.chars().map(|letter| match letter {
                '-' => '_',
                other => other.to_ascii_uppercase(),
            });
            request.serialize_entry(&"HTTP_".chars().chain(key).collect::<String>(), &joined)?;
        }
        request.serialize_entry("REQUEST_METHOD", head.method.as_str())?;
        request.serialize_entry("PATH_INFO", head.path())?;
        request.serialize_entry("REMOTE_ADDR", &*remote_address(head))?;
        request.end()
    }
}

/// Whether a script sees a header, by its name in lower case.
fn is_shown(name: &str) -> bool {
    // With an underscore in its name it would look like another header, a hidden one among them.
    !name.contains('_') && !name.starts_with(HIDDEN_PREFIX) && !HIDDEN.contains(&name)
}

/// The name by which the caller knows the server.
pub(crate) fn host(head: &Head) -> &str {
    head.header("host").unwrap_or_default()
}

/// The first address that a proxy names, else who is connected.
fn remote_address(head: &Head) -> Cow<'_, str> {
    let forwarded = head.header("x-forwarded-for").and_then(|list| list.split(',').next());
    match forwarded.or_else(|| head.header("x-real-ip")).map(str::trim).filter(|text| !text.is_empty()) {
        Some(address) => address.into(),
        None => head.peer.ip().to_string().into(),
    }
}

/// `META` of a run. What doesn't apply is left out.
#[derive(Serialize)]
pub(crate) struct Meta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<&'a RawValue>,
    /// What the endpoint says about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<&'a RawValue>,
    /// The account whose key the caller used, if it owns the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<Admin<'a>>,
    pub(crate) executed_by: ExecutedBy,
    /// The number of a script, or the name of an endpoint.
    pub(crate) executor: Value,
    pub(crate) instance: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) socket: Option<&'a str>,
    pub(crate) api_host: &'a str,
    /// Acts for the instance's owner, if the script was given that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    pub(crate) r#async: u8,
}

#[derive(Serialize)]
pub(crate) struct Admin<'a> {
    id: i64,
    email: &'a str,
}

impl<'a> Admin<'a> {
    pub(crate) fn new(account: &'a Account) -> Admin<'a> {
        Admin { id: account.id, email: &account.email }
    }
}

/// How a run came about, in the words of the platform.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExecutedBy {
    /// A script by its number.
    Codebox,
    /// A script endpoint.
    Webhook,
    /// An endpoint of a socket.
    SocketEndpoint,
}

impl Meta<'_> {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("its keys are texts, and it is written to memory")
    }
}
