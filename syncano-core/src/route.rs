//! The URL paths of the API, version 1.1. Server and client build every path here.

use std::fmt::Write as _;

/// The prefix of every path.
pub const VERSION: &str = "/v1.1";

/// One segment of a path, percent-encoded.
pub fn segment(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    push_segment(&mut encoded, name);
    encoded
}

fn push_segment(path: &mut String, name: &str) {
    // Encoded or not, these lead to another folder. With a blank behind they don't, and to the server that is the same
    // name: none that anything can have.
    if matches!(name, "." | "..") {
        path.push_str(name);
        path.push_str("%20");
        return;
    }
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if name.bytes().all(stays) {
        return path.push_str(name);
    }
    for byte in name.bytes() {
        if stays(byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

/// A path of these segments. Every call needs one, so it is put together at once.
fn path(segments: &[&str]) -> String {
    let length: usize = segments.iter().map(|segment| segment.len() + 1).sum();
    let mut path = String::with_capacity(VERSION.len() + 1 + length);
    path.push_str(VERSION);
    path.push('/');
    for segment in segments {
        push_segment(&mut path, segment);
        path.push('/');
    }
    path
}

/// `/v1.1/account/`
pub fn account() -> String {
    format!("{VERSION}/account/")
}

/// `/v1.1/account/register/`: makes an account.
pub fn account_register() -> String {
    format!("{}register/", account())
}

/// `/v1.1/account/auth/`: an account by its e-mail address and password.
pub fn account_auth() -> String {
    format!("{}auth/", account())
}

/// `/v1.1/account/reset_key/`: another key for the account.
pub fn account_reset_key() -> String {
    format!("{}reset_key/", account())
}

/// `/v1.1/account/password/`: another password for the account.
pub fn account_password() -> String {
    format!("{}password/", account())
}

/// `/v1.1/instances/`
pub fn instances() -> String {
    format!("{VERSION}/instances/")
}

/// `/v1.1/instances/{instance}/`
pub fn instance(instance: &str) -> String {
    format!("{VERSION}/instances/{}/", segment(instance))
}

/// `…/rename/`: another name for the instance.
pub fn instance_rename(instance: &str) -> String {
    format!("{}rename/", self::instance(instance))
}

/// `…/openapi.json`: the instance's endpoints as OpenAPI.
pub fn openapi(instance: &str) -> String {
    format!("{}openapi.json", self::instance(instance))
}

/// `…/api_keys/`: the API keys of an instance.
pub fn api_keys(instance: &str) -> String {
    format!("{}api_keys/", self::instance(instance))
}

/// `…/api_keys/{id}/`: one API key.
pub fn api_key(instance: &str, id: i64) -> String {
    format!("{}{id}/", api_keys(instance))
}

/// `…/api_keys/{id}/reset_key/`: another key in its place.
pub fn api_key_reset(instance: &str, id: i64) -> String {
    format!("{}reset_key/", api_key(instance, id))
}

/// `…/snippets/`: links to what scripts are made of.
pub fn snippets(instance: &str) -> String {
    format!("{}snippets/", self::instance(instance))
}

/// `…/snippets/config/`: what all scripts of the instance see in `CONFIG`.
pub fn instance_config(instance: &str) -> String {
    format!("{}config/", snippets(instance))
}

/// `…/snippets/scripts/`: the scripts of an instance.
pub fn scripts(instance: &str) -> String {
    format!("{}scripts/", snippets(instance))
}

/// `…/snippets/scripts/runtimes/`: what scripts can be written for.
pub fn runtimes(instance: &str) -> String {
    format!("{}runtimes/", scripts(instance))
}

/// `…/snippets/scripts/{id}/`: one script.
pub fn script(instance: &str, id: i64) -> String {
    format!("{}{id}/", scripts(instance))
}

/// `…/snippets/scripts/{id}/run/`: starts a run, which goes on after the answer.
pub fn script_run(instance: &str, id: i64) -> String {
    format!("{}run/", script(instance, id))
}

/// `…/snippets/scripts/{id}/traces/`: what was recorded of the script's own runs.
pub fn script_traces(instance: &str, id: i64) -> String {
    format!("{}traces/", script(instance, id))
}

/// `…/endpoints/`: links to what can be called.
pub fn endpoint_links(instance: &str) -> String {
    format!("{}endpoints/", self::instance(instance))
}

/// `…/endpoints/scripts/`: the script endpoints of an instance.
pub fn script_endpoints(instance: &str) -> String {
    format!("{}scripts/", endpoint_links(instance))
}

/// `…/endpoints/scripts/{name}/`: one script endpoint.
pub fn script_endpoint(instance: &str, name: &str) -> String {
    format!("{}{}/", script_endpoints(instance), segment(name))
}

/// `…/endpoints/scripts/{name}/run/`: runs it.
pub fn script_endpoint_run(instance: &str, name: &str) -> String {
    format!("{}run/", script_endpoint(instance, name))
}

/// `…/endpoints/scripts/{name}/reset_link/`: another public link.
pub fn script_endpoint_reset_link(instance: &str, name: &str) -> String {
    format!("{}reset_link/", script_endpoint(instance, name))
}

/// `…/endpoints/scripts/{name}/traces/`: what was recorded of its runs.
pub fn script_endpoint_traces(instance: &str, name: &str) -> String {
    format!("{}traces/", script_endpoint(instance, name))
}

/// `…/endpoints/scripts/p/{public_link}/{name}/`: runs a public script endpoint without a key.
pub fn public_run(instance: &str, public_link: &str, name: &str) -> String {
    format!("{}p/{}/{}/", script_endpoints(instance), segment(public_link), segment(name))
}

/// `…/sockets/install/`: installs a socket from a URL.
pub fn socket_install(instance: &str) -> String {
    format!("{}install/", sockets(instance))
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
    format!("{}sockets/", endpoint_links(instance))
}

/// `…/endpoints/sockets/{socket}/{endpoint}/`: runs the endpoint.
pub fn run(instance: &str, socket: &str, endpoint: &str) -> String {
    path(&["instances", instance, "endpoints", "sockets", socket, endpoint])
}

/// `…/endpoints/sockets/{endpoint}/`: runs the endpoint that has this flat name.
pub fn run_flat(instance: &str, endpoint: &str) -> String {
    path(&["instances", instance, "endpoints", "sockets", endpoint])
}

/// `…/endpoints/sockets/{socket}/{endpoint}/invalidate/`: drops its cached answers.
pub fn invalidate(instance: &str, socket: &str, endpoint: &str) -> String {
    format!("{}invalidate/", run(instance, socket, endpoint))
}

/// `…/endpoints/sockets/{socket}/{endpoint}/traces/`: what was recorded of an endpoint's runs.
pub fn traces(instance: &str, socket: &str, endpoint: &str) -> String {
    format!("{}traces/", run(instance, socket, endpoint))
}

/// `{traces}{trace}/`: one run, `traces` being the path of the list that it is in.
pub fn trace(traces: &str, trace: i64) -> String {
    format!("{traces}{trace}/")
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
        assert_eq!(run("..", ".", "..."), "/v1.1/instances/..%20/endpoints/sockets/.%20/.../");
    }
}
