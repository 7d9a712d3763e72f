//! The URL paths of the API, version 1.1. Server and client build every path here.

use std::fmt::Write as _;

/// The prefix of every path.
pub const VERSION: &str = "/v1.1";

/// One segment of a path, percent-encoded.
pub fn segment(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// `/v1.1/account/`
pub fn account() -> String {
    format!("{VERSION}/account/")
}

/// `/v1.1/instances/`
pub fn instances() -> String {
    format!("{VERSION}/instances/")
}

/// `/v1.1/instances/{instance}/`
pub fn instance(instance: &str) -> String {
    format!("{VERSION}/instances/{}/", segment(instance))
}

/// `/v1.1/instances/{instance}/sockets/`: the sockets of an instance.
pub fn sockets(instance: &str) -> String {
    format!("{}sockets/", self::instance(instance))
}

/// `…/sockets/{socket}/`: one socket.
pub fn socket(instance: &str, socket: &str) -> String {
    format!("{}{}/", sockets(instance), segment(socket))
}

/// `…/sockets/{socket}/recheck/`: check the socket again.
pub fn socket_recheck(instance: &str, socket: &str) -> String {
    format!("{}recheck/", self::socket(instance, socket))
}

/// `…/sockets/{socket}/endpoints/`: the endpoints of one socket, by flat name.
pub fn socket_endpoints(instance: &str, socket: &str) -> String {
    format!("{}endpoints/", self::socket(instance, socket))
}

/// `…/sockets/{socket}/endpoints/{endpoint}/`: details of an endpoint; never runs it.
pub fn socket_endpoint(instance: &str, socket: &str, endpoint: &str) -> String {
    format!("{}{}/", socket_endpoints(instance, socket), segment(endpoint))
}

/// `…/endpoints/sockets/`: all endpoints of the instance, by `socket/endpoint`.
pub fn endpoints(instance: &str) -> String {
    format!("{}endpoints/sockets/", self::instance(instance))
}

/// `…/endpoints/sockets/{socket}/{endpoint}/`: runs the endpoint.
pub fn run(instance: &str, socket: &str, endpoint: &str) -> String {
    format!("{}{}/{}/", endpoints(instance), segment(socket), segment(endpoint))
}

/// `…/endpoints/sockets/{endpoint}/`: runs the endpoint that has this flat name.
pub fn run_flat(instance: &str, endpoint: &str) -> String {
    format!("{}{}/", endpoints(instance), segment(endpoint))
}

/// `…/endpoints/sockets/{socket}/{endpoint}/traces/`: what was recorded of an endpoint's runs.
pub fn traces(instance: &str, socket: &str, endpoint: &str) -> String {
    format!("{}traces/", run(instance, socket, endpoint))
}

/// `…/traces/{trace}/`: one run.
pub fn trace(instance: &str, socket: &str, endpoint: &str, trace: i64) -> String {
    format!("{}{trace}/", traces(instance, socket, endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_one_segment() {
        assert_eq!(
            socket("demo", "a/../b?c#d é"),
            "/v1.1/instances/demo/sockets/a%2F..%2Fb%3Fc%23d%20%C3%A9/"
        );
    }
}
