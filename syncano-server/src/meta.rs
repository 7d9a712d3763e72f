//! `META`: what a script learns about the call and the request behind it.

use serde::Serialize;
use serde_json::{Map, Value, json};
use syncano_core::Method;

use crate::catalog::{Account, Instance};
use crate::endpoint::Endpoint;
use crate::request::Head;

/// Headers that say who is calling or how the request travelled: not the script's business.
const HIDDEN: [&str; 10] = [
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

/// The first address that a proxy names, else who is connected.
fn remote_address(head: &Head) -> String {
    let forwarded = head.header("x-forwarded-for").and_then(|list| list.split(',').next());
    match forwarded.or_else(|| head.header("x-real-ip")).map(str::trim).filter(|text| !text.is_empty()) {
        Some(address) => address.to_owned(),
        None => head.peer.map(|peer| peer.ip().to_string()).unwrap_or_default(),
    }
}

/// `META` as JSON. `admin` is the account whose key the caller used, if it owns the instance.
pub(crate) fn meta(
    request: &Map<String, Value>,
    instance: &Instance,
    endpoint: &Endpoint,
    method: Method,
    admin: Option<&Account>,
) -> String {
    #[derive(Serialize)]
    struct Meta<'a> {
        request: &'a Map<String, Value>,
        metadata: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        admin: Option<Value>,
        executed_by: &'a str,
        executor: String,
        instance: &'a str,
        socket: &'a str,
        api_host: &'a str,
        r#async: u8,
    }
    let meta = Meta {
        request,
        metadata: endpoint.visible_metadata(method),
        admin: admin.map(|account| json!({ "id": account.id, "email": account.email })),
        executed_by: "socket_endpoint",
        executor: endpoint.full(),
        instance: &instance.name,
        socket: &endpoint.socket,
        api_host: request.get("HTTP_HOST").and_then(Value::as_str).unwrap_or_default(),
        r#async: 0,
    };
    json!(meta).to_string()
}
