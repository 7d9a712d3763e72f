//! Who may do what: every route, every kind of caller.
//!
//! A new route gets a row in [`ROWS`]; [`every_route_has_its_rows`] says which are missing.

use std::collections::BTreeSet;

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Reply, World, socket};

/// Every route of the server; a test beside the router keeps the file true.
const ROUTES: &str = include_str!("../data/routes.txt");

/// Who calls, in the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Caller {
    Nobody,
    BadKey,
    /// An API key of another instance of the owner's.
    OtherApiKey,
    ApiKey,
    /// An account that has nothing to do with the instance.
    Stranger,
    Owner,
    /// A script of the instance.
    Token,
}

const CALLERS: [Caller; 7] = [
    Caller::Nobody,
    Caller::BadKey,
    Caller::OtherApiKey,
    Caller::ApiKey,
    Caller::Stranger,
    Caller::Owner,
    Caller::Token,
];

/// What each caller is answered; `OK` stands for the status that the row names.
type Statuses = [u16; 7];
const OK: u16 = 0;

/// Open to all, and a key isn't looked at.
const ANYONE: Statuses = [OK; 7];
/// Not of an instance.
const ANY_ACCOUNT: Statuses = [403, 403, 403, 403, OK, OK, 403];
/// Who defines what the instance does.
const OWNER: Statuses = [403, 403, 403, 403, 404, OK, OK];
/// Whoever has a key of the instance.
const ANY_KEY: Statuses = [403, 403, 403, OK, 404, OK, OK];
/// Runs: a key must be valid if there is one, and an API key must be of this instance.
const RUN: Statuses = [OK, 403, 403, OK, OK, OK, OK];
/// Runs of a private call.
const PRIVATE_RUN: Statuses = [403, 403, 403, OK, 403, OK, OK];

struct Row {
    method: &'static str,
    /// As the router has it; what stands in braces is filled in.
    path: &'static str,
    statuses: Statuses,
    /// For those who may. 400: they are let in, and the body is no good.
    ok: u16,
    body: &'static str,
}

const fn row(
    method: &'static str,
    path: &'static str,
    statuses: Statuses,
    ok: u16,
    body: &'static str,
) -> Row {
    Row { method, path, statuses, ok, body }
}

const NEW_SOCKET: &str = r#"{"name": "new", "endpoints": {"new": {"calls": [{"type": "script", "name": "a",
    "methods": ["*"]}]}}, "dependencies": [{"type": "script", "name": "a", "runtime_name": "python3",
    "source": "1"}]}"#;

/// Paths of version 1.1; those of the other versions are the same, unless they have rows of their own.
const ROWS: &[Row] = &[
    row("GET", "/health", ANYONE, 200, ""),
    row("GET", "/v1.1/account/", ANY_ACCOUNT, 200, ""),
    row("PUT", "/v1.1/account/", ANY_ACCOUNT, 200, "{}"),
    row("PATCH", "/v1.1/account/", ANY_ACCOUNT, 200, "{}"),
    row("POST", "/v1.1/account/register/", ANYONE, 400, "{}"),
    row("POST", "/v1.1/account/auth/", ANYONE, 400, "{}"),
    row("POST", "/v1.1/account/auth/{backend}/", ANYONE, 400, "{}"),
    row("POST", "/v1.1/account/reset_key/", ANY_ACCOUNT, 200, ""),
    row("POST", "/v1.1/account/password/", ANY_ACCOUNT, 400, "{}"),
    row("GET", "/v1.1/instances/", [403, 403, OK, OK, OK, OK, OK], 200, ""),
    row("POST", "/v1.1/instances/", ANY_ACCOUNT, 400, "{}"),
    row("GET", "/v1.1/instances/{instance}/", ANY_KEY, 200, ""),
    row("PUT", "/v1.1/instances/{instance}/", OWNER, 200, "{}"),
    row("PATCH", "/v1.1/instances/{instance}/", OWNER, 200, "{}"),
    row("DELETE", "/v1.1/instances/{instance}/", OWNER, 204, ""),
    row("POST", "/v1.1/instances/{instance}/rename/", OWNER, 400, "{}"),
    row("GET", "/v1.1/instances/{instance}/openapi.json", ANY_KEY, 200, ""),
    row("GET", "/v1.1/instances/{instance}/api_keys/", OWNER, 200, ""),
    row("POST", "/v1.1/instances/{instance}/api_keys/", OWNER, 201, "{}"),
    row("GET", "/v1.1/instances/{instance}/api_keys/{api_key}/", ANY_KEY, 200, ""),
    row("GET", "/v1.1/instances/{instance}/api_keys/{second_api_key}/", OWNER, 200, ""),
    row("PUT", "/v1.1/instances/{instance}/api_keys/{api_key}/", OWNER, 200, "{}"),
    row("PATCH", "/v1.1/instances/{instance}/api_keys/{api_key}/", OWNER, 200, "{}"),
    row("DELETE", "/v1.1/instances/{instance}/api_keys/{api_key}/", OWNER, 204, ""),
    row("POST", "/v1.1/instances/{instance}/api_keys/{api_key}/reset_key/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/snippets/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/snippets/config/", OWNER, 200, ""),
    row("PUT", "/v1.1/instances/{instance}/snippets/config/", OWNER, 200, r#"{"config": {}}"#),
    row("PATCH", "/v1.1/instances/{instance}/snippets/config/", OWNER, 200, "{}"),
    row("GET", "/v1.1/instances/{instance}/endpoints/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/sockets/", OWNER, 200, ""),
    row("POST", "/v1.1/instances/{instance}/sockets/", OWNER, 201, NEW_SOCKET),
    row("GET", "/v1.1/instances/{instance}/sockets/{socket}/", OWNER, 200, ""),
    row("PUT", "/v1.1/instances/{instance}/sockets/{socket}/", OWNER, 200, "{}"),
    row("PATCH", "/v1.1/instances/{instance}/sockets/{socket}/", OWNER, 200, "{}"),
    row("DELETE", "/v1.1/instances/{instance}/sockets/{socket}/", OWNER, 204, ""),
    row("POST", "/v1.1/instances/{instance}/sockets/{socket}/recheck/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/sockets/{socket}/endpoints/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/sockets/{socket}/endpoints/{endpoint}/", OWNER, 200, ""),
    row("POST", "/v1.1/instances/{instance}/sockets/install/", OWNER, 400, "{}"),
    row("GET", "/v1.1/instances/{instance}/snippets/scripts/", OWNER, 200, ""),
    row("POST", "/v1.1/instances/{instance}/snippets/scripts/", OWNER, 400, "{}"),
    row("GET", "/v1.1/instances/{instance}/snippets/scripts/runtimes/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/snippets/scripts/{script}/", OWNER, 200, ""),
    row("PUT", "/v1.1/instances/{instance}/snippets/scripts/{script}/", OWNER, 200, "{}"),
    row("PATCH", "/v1.1/instances/{instance}/snippets/scripts/{script}/", OWNER, 200, "{}"),
    row("DELETE", "/v1.1/instances/{instance}/snippets/scripts/{script}/", OWNER, 204, ""),
    row("POST", "/v1.1/instances/{instance}/snippets/scripts/{script}/run/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/snippets/scripts/{script}/traces/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/snippets/scripts/{script}/traces/{script_trace}/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/endpoints/scripts/", OWNER, 200, ""),
    row("POST", "/v1.1/instances/{instance}/endpoints/scripts/", OWNER, 400, "{}"),
    row("GET", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, ""),
    row("PUT", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, "{}"),
    row("PATCH", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, "{}"),
    row("DELETE", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 204, ""),
    row("GET", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/run/", OWNER, 200, ""),
    row("POST", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/run/", OWNER, 200, "{}"),
    row("GET", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, ""),
    row("POST", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, "{}"),
    row("PUT", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, "{}"),
    row("PATCH", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, "{}"),
    row("DELETE", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/", OWNER, 200, ""),
    row("GET", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/edit/", OWNER, 200, ""),
    row("PUT", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/edit/", OWNER, 200, "{}"),
    row("PATCH", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/edit/", OWNER, 200, "{}"),
    row("DELETE", "/v2/instances/{instance}/endpoints/scripts/{script_endpoint}/edit/", OWNER, 204, ""),
    row("POST", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/reset_link/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/traces/", OWNER, 200, ""),
    row(
        "GET",
        "/v1.1/instances/{instance}/endpoints/scripts/{script_endpoint}/traces/{script_endpoint_trace}/",
        OWNER,
        200,
        "",
    ),
    row("GET", "/v1.1/instances/{instance}/endpoints/scripts/p/{link}/", ANYONE, 200, ""),
    row("POST", "/v1.1/instances/{instance}/endpoints/scripts/p/{link}/", ANYONE, 200, "{}"),
    row("GET", "/v1.1/instances/{instance}/endpoints/scripts/p/{link}/{script_endpoint}/", ANYONE, 200, ""),
    row(
        "POST",
        "/v1.1/instances/{instance}/endpoints/scripts/p/{link}/{script_endpoint}/",
        ANYONE,
        200,
        "{}",
    ),
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/", OWNER, 200, ""),
    // What is behind `{*rest}`, which a router can't tell: by hand.
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/{socket}/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/{endpoint}/", RUN, 200, ""),
    row("POST", "/v1.1/instances/{instance}/endpoints/sockets/{endpoint}/", RUN, 200, "{}"),
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/{socket}/{endpoint}/", RUN, 200, ""),
    row("DELETE", "/v1.1/instances/{instance}/endpoints/sockets/{socket}/{endpoint}/", RUN, 200, ""),
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/{private_endpoint}/", PRIVATE_RUN, 200, ""),
    row(
        "PUT",
        "/v1.1/instances/{instance}/endpoints/sockets/{socket}/{private_endpoint}/",
        PRIVATE_RUN,
        200,
        "{}",
    ),
    row("POST", "/v1.1/instances/{instance}/endpoints/sockets/{endpoint}/invalidate/", OWNER, 204, ""),
    row(
        "POST",
        "/v1.1/instances/{instance}/endpoints/sockets/{socket}/{endpoint}/invalidate/",
        OWNER,
        204,
        "",
    ),
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/{endpoint}/traces/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/{socket}/{endpoint}/traces/", OWNER, 200, ""),
    row("GET", "/v1.1/instances/{instance}/endpoints/sockets/{endpoint}/traces/{trace}/", OWNER, 200, ""),
    row(
        "GET",
        "/v1.1/instances/{instance}/endpoints/sockets/{socket}/{endpoint}/traces/{trace}/",
        OWNER,
        200,
        "",
    ),
];

/// What the rows are tried on.
struct Fixture {
    instance: String,
    api_key: Value,
    other_api_key: String,
    second_api_key: i64,
    script: i64,
    link: String,
    token: String,
}

impl Fixture {
    /// Makes everything that a path can name, in an instance of its own.
    async fn new(world: &World, number: usize) -> Fixture {
        let instance = format!("instance-{number}");
        let path = |rest: &str| format!("/v1.1/instances/{instance}/{rest}");
        world.post("/v1.1/instances/", json!({ "name": instance })).await;
        let api_key = world.post(&path("api_keys/"), json!({})).await.json;
        let second = world.post(&path("api_keys/"), json!({})).await.json;
        let mut definition = socket("socket", "endpoint", "print(1)");
        definition["endpoints"]["private"] = definition["endpoints"]["endpoint"].clone();
        definition["endpoints"]["private"]["calls"][0]["private"] = json!(true);
        let made = world.post(&path("sockets/"), definition).await;
        assert_eq!(made.json["status"], "ok", "{made:?}");
        let run = world.anonymous(Method::GET, &path("endpoints/sockets/endpoint/"), None).await;
        assert_eq!(run.json["id"], 1, "{run:?}");
        let script = json!({ "runtime_name": "python3", "source": "print(1)" });
        let script = world.post(&path("snippets/scripts/"), script).await.json["id"].as_i64().unwrap();
        let run = world.post(&path(&format!("snippets/scripts/{script}/run/")), json!({})).await;
        assert_eq!(run.json["id"], 2, "{run:?}");
        let hook = json!({ "name": "hook", "script": script, "public": true });
        let hook = world.post(&path("endpoints/scripts/"), hook).await.json;
        let run = world.post(&path("endpoints/scripts/hook/run/"), json!({})).await;
        assert_eq!(run.json["id"], 3, "{run:?}");
        let token = world.server.instance_token(&instance).unwrap().expose_secret().to_owned();
        Fixture {
            api_key: api_key.clone(),
            other_api_key: other_key(world).await,
            second_api_key: second["id"].as_i64().unwrap(),
            script,
            link: hook["public_link"].as_str().unwrap().to_owned(),
            token,
            instance,
        }
    }

    fn fill(&self, path: &str) -> String {
        path.replace("{backend}", "github")
            .replace("{instance}", &self.instance)
            .replace("{api_key}", &self.api_key["id"].to_string())
            .replace("{second_api_key}", &self.second_api_key.to_string())
            .replace("{socket}", "socket")
            .replace("{endpoint}", "endpoint")
            .replace("{private_endpoint}", "private")
            .replace("{trace}", "1")
            .replace("{script}", &self.script.to_string())
            .replace("{script_trace}", "2")
            .replace("{script_endpoint}", "hook")
            .replace("{script_endpoint_trace}", "3")
            .replace("{link}", &self.link)
    }
}

async fn other_key(world: &World) -> String {
    let made = world.post(&format!("/v1.1/instances/{}/api_keys/", super::INSTANCE), json!({})).await;
    made.json["api_key"].as_str().unwrap().to_owned()
}

/// Whether version 2 has other routes in place of this one.
fn only_in_v1(path: &str) -> bool {
    path.ends_with("/endpoints/scripts/{script_endpoint}/")
        || path.ends_with("/{script_endpoint}/run/")
        || path.ends_with("/endpoints/sockets/{endpoint}/")
        || path.ends_with("/endpoints/sockets/{private_endpoint}/")
}

/// The row's path in another version of the API.
fn in_version(path: &str, version: &str) -> String {
    path.replacen("/v1.1/", &format!("/{version}/"), 1)
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says() {
    if !super::python() {
        return;
    }
    let mut world = World::with(|server| server.open_registration(true)).await;
    let body = json!({ "email": "eve@example.org", "password": "p" });
    let stranger = world.anonymous(Method::POST, "/v1.1/account/register/", Some(body)).await;
    let mut stranger = stranger.json["account_key"].as_str().unwrap().to_owned();
    let mut number = 0;
    let mut fixture = Fixture::new(&world, number).await;
    let mut wrong = Vec::new();
    for version in ["v1.1", "v2"] {
        for row in ROWS.iter().filter(|row| version == "v1.1" || !only_in_v1(row.path)) {
            for (caller, status) in CALLERS.into_iter().zip(row.statuses) {
                let expected = if status == OK { row.ok } else { status };
                let path = fixture.fill(&in_version(row.path, version));
                let method: Method = row.method.parse().unwrap();
                let mut request = world.request(method, &path);
                let key = match caller {
                    Caller::Nobody => None,
                    Caller::BadKey => Some("0123456789012345678901234567890123456789"),
                    Caller::OtherApiKey => Some(fixture.other_api_key.as_str()),
                    Caller::ApiKey => fixture.api_key["api_key"].as_str(),
                    Caller::Stranger => Some(stranger.as_str()),
                    Caller::Owner => Some(world.key.as_str()),
                    Caller::Token => Some(fixture.token.as_str()),
                };
                if let Some(key) = key {
                    request = request.header("x-api-key", key);
                }
                if !row.body.is_empty() {
                    request = request.header("content-type", "application/json").body(row.body);
                }
                let reply = Reply::of(request.send().await.unwrap()).await;
                if reply.status != expected {
                    let found = reply.status.as_u16();
                    wrong.push(format!("{} {path} by {caller:?}: {found} instead of {expected}", row.method));
                }
                // A key that was reset is another one.
                if let Some(key) = reply.json["account_key"].as_str() {
                    let reset = if caller == Caller::Owner { &mut world.key } else { &mut stranger };
                    *reset = key.to_owned();
                }
                // What can be done only once needs something new for the next caller.
                let once =
                    matches!(row.method, "POST" | "DELETE") && ![RUN, PRIVATE_RUN].contains(&row.statuses);
                if once && reply.status.is_success() {
                    number += 1;
                    fixture = Fixture::new(&world, number).await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_route_has_its_rows() {
    if !super::python() {
        return;
    }
    let world = World::new().await;
    let fixture = Fixture::new(&world, 0).await;
    let known: BTreeSet<(&str, &str)> = ROWS.iter().map(|row| (row.method, row.path)).collect();
    let mut missing = Vec::new();
    for route in ROUTES.lines().filter(|route| !route.contains("{*")) {
        // No route takes this method, and the answer says which it takes.
        let request = world.request(Method::TRACE, &fixture.fill(route));
        let reply = Reply::of(request.send().await.unwrap()).await;
        assert_eq!(reply.status.as_u16(), 405, "{route}: {reply:?}");
        let own = ROWS.iter().any(|row| row.path == route);
        let path = match own {
            true => route.to_owned(),
            false => route.replacen("/v2/", "/v1.1/", 1).replacen("/v1/", "/v1.1/", 1),
        };
        for method in reply.header("allow").split(',').map(str::trim).filter(|method| *method != "HEAD") {
            if !known.contains(&(method, path.as_str())) {
                missing.push(format!("{method} {route}"));
            }
        }
    }
    assert!(missing.is_empty(), "no row for:\n{}", missing.join("\n"));
}
