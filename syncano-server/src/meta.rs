//! `META`: what a script learns about the call and the request behind it.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::catalog::Account;
use crate::request::Head;

/// Headers that say who is calling or how the request travelled: not the script's business.
const HIDDEN: [&str; 11] = [
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
];
const HIDDEN_PREFIX: &str = "x-forwarded-";

/// `META.request`, which traces show as well.
pub(crate) fn request(head: &Head) -> Map<String, Value> {
    let mut request = Map::new();
    for name in head.headers.keys() {
        let lower = name.as_str();
        // With an underscore in its name it would look like another header, a hidden one among them.
        if lower.contains('_')
            || HIDDEN.contains(&lower)
            || lower.starts_with(HIDDEN_PREFIX)
            || lower == "content-length"
        {
            continue;
        }
        let values: Vec<_> = head
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let key = format!("HTTP_{}", lower.to_uppercase().replace('-', "_"));
        request.insert(key, values.join(", ").into());
    }
    request.insert("REQUEST_METHOD".to_owned(), head.method.as_str().into());
    request.insert("PATH_INFO".to_owned(), head.path.as_str().into());
    request.insert("REMOTE_ADDR".to_owned(), remote_address(head).into());
    request
}

/// The name by which the caller knows the server.
pub(crate) fn host(head: &Head) -> &str {
    head.header("host").unwrap_or_default()
}

/// The first address that a proxy names, else who is connected.
fn remote_address(head: &Head) -> String {
    let forwarded = head.header("x-forwarded-for").and_then(|list| list.split(',').next());
    match forwarded.or_else(|| head.header("x-real-ip")).map(str::trim).filter(|text| !text.is_empty()) {
        Some(address) => address.to_owned(),
        None => head.peer.map(|peer| peer.ip().to_string()).unwrap_or_default(),
    }
}

/// `META` of a run. What doesn't apply is left out.
#[derive(Serialize)]
pub(crate) struct Meta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<&'a Map<String, Value>>,
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
