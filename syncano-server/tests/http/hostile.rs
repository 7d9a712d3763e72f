//! Bodies of every kind and shape, sent to every route that takes one: nothing is a fault of the server, and what is
//! refused leaves nothing behind.
//!
//! A new route gets a row in [`TARGETS`], and what it can change a path in [`SEEN`].

use std::cell::RefCell;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestRunner};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{INSTANCE, Reply, World, run, socket, sockets};

/// A route, and the fields that it looks at.
#[derive(Debug)]
struct Target {
    method: &'static str,
    path: &'static str,
    fields: &'static [&'static str],
}

const fn target(method: &'static str, path: &'static str, fields: &'static [&'static str]) -> Target {
    Target { method, path, fields }
}

const SOCKET: &[&str] =
    &["name", "description", "config", "metadata", "endpoints", "dependencies", "expected_revision"];
const API_KEY: &[&str] =
    &["description", "ignore_acl", "allow_user_create", "allow_group_create", "allow_anonymous_read"];

const SCRIPT: &[&str] = &["runtime_name", "source", "label", "description", "config"];
const HOOK: &[&str] = &["name", "script", "public", "description"];

const TARGETS: &[Target] = &[
    target("PATCH", "/v1.1/account/", &["first_name", "last_name", "metadata"]),
    target("POST", "/v1.1/account/register/", &["email", "password", "first_name", "invitation_key"]),
    target("POST", "/v1.1/account/auth/", &["email", "password", "api_key"]),
    target("POST", "/v1.1/account/auth/github/", &["access_token"]),
    target("POST", "/v1.1/account/password/", &["current_password", "new_password"]),
    target("POST", "/v1.1/instances/", &["name", "description", "metadata"]),
    target("PUT", "/v1.1/instances/{instance}/", &["name", "description", "metadata"]),
    target("POST", "/v1.1/instances/{instance}/rename/", &["new_name"]),
    target("PUT", "/v1.1/instances/{instance}/snippets/config/", &["config"]),
    target("PATCH", "/v1.1/instances/{instance}/snippets/config/", &["config"]),
    target("POST", "/v1.1/instances/{instance}/api_keys/", API_KEY),
    target("PUT", "/v1.1/instances/{instance}/api_keys/1/", API_KEY),
    target("POST", "/v1.1/instances/{instance}/api_keys/1/reset_key/", &[]),
    target("POST", "/v2/instances/{instance}/sockets/", SOCKET),
    target("PATCH", "/v1.1/instances/{instance}/sockets/s/", SOCKET),
    target("POST", "/v1.1/instances/{instance}/sockets/s/recheck/", &[]),
    target("POST", "/v1.1/instances/{instance}/snippets/scripts/", SCRIPT),
    target("PATCH", "/v1.1/instances/{instance}/snippets/scripts/{script}/", SCRIPT),
    target("POST", "/v1.1/instances/{instance}/snippets/scripts/{script}/run/", &["payload"]),
    target("POST", "/v1.1/instances/{instance}/endpoints/scripts/", HOOK),
    target("PUT", "/v1.1/instances/{instance}/endpoints/scripts/hook/", HOOK),
    target("PATCH", "/v2/instances/{instance}/endpoints/scripts/hook/edit/", HOOK),
    target("POST", "/v1.1/instances/{instance}/endpoints/scripts/hook/reset_link/", &[]),
    // Without a URL: what is found out after the answer would be seen later.
    target("POST", "/v1.1/instances/{instance}/sockets/install/", &["name", "config"]),
    target("POST", "/v1.1/instances/{instance}/endpoints/sockets/s/e/invalidate/", &[]),
    // Not allowed there, whatever the body says.
    target("POST", "/v1.1/instances/{instance}/snippets/", &[]),
    target("DELETE", "/v1.1/account/", &[]),
];

/// What all the targets together can change.
const SEEN: &[&str] = &[
    "/v1.1/account/",
    "/v1.1/instances/",
    "/v1.1/instances/{instance}/snippets/config/",
    "/v1.1/instances/{instance}/api_keys/",
    "/v1.1/instances/{instance}/sockets/",
    "/v1.1/instances/{instance}/endpoints/sockets/",
    "/v1.1/instances/{instance}/snippets/scripts/",
    "/v1.1/instances/{instance}/endpoints/scripts/",
];

/// Cases in all.
const CASES: u32 = 500;

/// A request's body.
#[derive(Debug, Clone)]
struct Body {
    kind: &'static str,
    bytes: Vec<u8>,
}

const KINDS: [&str; 7] = [
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=XX",
    "multipart/form-data",
    "application/xml",
    "\u{7f}",
];

/// Words that mean something somewhere.
const WORDS: &[&str] = &[
    "",
    " ",
    "s",
    "e",
    "valid-name",
    "other-name",
    "python3",
    "a@b.co",
    "true",
    "0",
    "-1",
    "9223372036854775808",
    "null",
    "{}",
    "{\"a\":1}",
    "[1]",
    "{",
    "\u{0}",
    "é\u{301}\u{202e}",
    "../..",
    "%00",
    "GET",
    "*",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(WORDS).prop_map(str::to_owned),
        2 => ".{0,20}",
        1 => (0..300_usize).prop_map(|length| "x".repeat(length)),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        // What a socket is made of, right or nearly so.
        Just(socket("s", "e", "print(1)")["endpoints"].clone()),
        Just(socket("s", "e", "print(1)")["dependencies"].clone()),
        Just(json!({ "e": { "calls": [{ "type": "script", "name": "script", "methods": ["GET", "*"] }] } })),
        Just(json!([{ "type": "class", "name": "k", "schema": [{ "name": 5 }] }])),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner.clone(), 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
            // As old clients send structure.
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// An object that has some of the fields.
fn object(fields: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    let names: Vec<String> =
        fields.iter().chain(&["_method", "_api_key", "x"]).map(|&f| f.to_owned()).collect();
    btree_map(select(names), json(), 0..6).prop_map(|map| {
        let method = |(name, value): (String, Value)| match name.as_str() {
            // The routes are what is tested: where a request goes is not left to chance.
            "_method" => (name, json!("POST")),
            _ => (name, value),
        };
        map.into_iter().map(method).collect()
    })
}

fn body(fields: &'static [&'static str]) -> impl Strategy<Value = Body> {
    let written = (object(fields), select(&KINDS[..])).prop_map(|(object, kind)| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let bytes = match kind {
            "application/x-www-form-urlencoded" => {
                let pairs = object.iter().map(|(name, value)| (name.clone(), text(value)));
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
            }
            "multipart/form-data; boundary=XX" => {
                let head = "Content-Disposition: form-data; name=";
                let part = |(name, value): (&String, &Value)| {
                    format!("--XX\r\n{head}\"{name}\"\r\n\r\n{}\r\n", text(value))
                };
                format!("{}--XX--\r\n", object.iter().map(part).collect::<String>()).into_bytes()
            }
            _ => Value::Object(object).to_string().into_bytes(),
        };
        Body { kind, bytes }
    });
    let value = json().prop_map(|value| Body { kind: KINDS[0], bytes: value.to_string().into_bytes() });
    let noise = (vec(any::<u8>(), 0..60), select(&KINDS[..])).prop_map(|(bytes, kind)| Body { kind, bytes });
    let json_of = move || object(fields).prop_map(|object| Value::Object(object).to_string().into_bytes());
    // Something that was right once.
    let broken = (json_of(), any::<prop::sample::Index>(), any::<u8>(), select(&KINDS[..4]));
    let broken = broken.prop_map(|(mut bytes, index, byte, kind)| {
        let at = index.index(bytes.len());
        bytes[at] = byte;
        Body { kind, bytes }
    });
    prop_oneof![6 => written, 1 => value, 2 => noise, 3 => broken]
}

fn case() -> impl Strategy<Value = (&'static Target, Body)> {
    select((0..TARGETS.len()).collect::<Vec<_>>())
        .prop_flat_map(|index| body(TARGETS[index].fields).prop_map(move |body| (&TARGETS[index], body)))
}

/// A server that is under attack.
struct Attacked {
    world: World,
    /// The name that the instance has by now.
    instance: String,
    script: String,
    before: Vec<Value>,
}

impl Attacked {
    async fn new() -> Attacked {
        let world = World::with(|server| server.open_registration(true)).await;
        world.publish(socket("s", "e", "print(1)")).await;
        world.post(&format!("/v1.1/instances/{INSTANCE}/api_keys/"), json!({})).await;
        let folder = format!("/v1.1/instances/{INSTANCE}/");
        let script = json!({ "runtime_name": "python3", "source": "print(1)" });
        let script = world.post(&format!("{folder}snippets/scripts/"), script).await.json["id"].clone();
        let hook = json!({ "name": "hook", "script": script });
        assert_eq!(world.post(&format!("{folder}endpoints/scripts/"), hook).await.status, 201);
        let (instance, script) = (INSTANCE.to_owned(), script.to_string());
        let mut attacked = Attacked { world, instance, script, before: Vec::new() };
        attacked.before = attacked.seen().await;
        attacked
    }

    fn path(&self, path: &str) -> String {
        path.replace("{instance}", &self.instance).replace("{script}", &self.script)
    }

    async fn seen(&self) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in SEEN {
            let reply = self.world.get(&self.path(path)).await;
            assert_eq!(reply.status, 200, "{path}: {reply:?}");
            seen.push(reply.json);
        }
        seen
    }

    async fn send(&mut self, target: &Target, body: Body) -> Result<(), TestCaseError> {
        let method: Method = target.method.parse().unwrap();
        let request =
            self.world.request(method, &self.path(target.path)).header("x-api-key", &self.world.key);
        let sent = request.header("content-type", body.kind).body(body.bytes).send().await;
        let reply = match sent {
            Ok(response) => Reply::of(response).await,
            // Not even a client can send that.
            Err(error) if error.is_builder() => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("no answer: {error}"))),
        };
        let status = reply.status.as_u16();
        prop_assert!(status < 500, "{reply:?}");
        prop_assert!(status == 204 || reply.json.is_object(), "{reply:?}");
        if status < 400 {
            if target.path.ends_with("/rename/") {
                self.instance = reply.json["name"].as_str().unwrap().to_owned();
            }
            self.before = self.seen().await;
            return Ok(());
        }
        let texts = reply.json.as_object().unwrap().values().all(|value| match value {
            Value::String(_) => true,
            Value::Array(texts) => texts.iter().all(Value::is_string),
            _ => false,
        });
        prop_assert!(texts, "a client of old can't show this: {reply:?}");
        prop_assert_eq!(&self.before, &self.seen().await, "something was stored in spite of {:?}", reply);
        Ok(())
    }
}

#[test]
fn no_body_is_a_fault_of_the_server() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let attacked = RefCell::new(runtime.block_on(Attacked::new()));
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config)
        .run(&case(), |(target, body)| runtime.block_on(attacked.borrow_mut().send(target, body)));
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Arguments of runs: the same bodies, and nothing but an answer.
#[test]
fn no_body_of_a_run_is_a_fault_of_the_server() {
    if !super::python() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(async {
        let world = World::new().await;
        world.script("print(len(ARGS))").await;
        world
    });
    let config = ProptestConfig { cases: CASES / 2, failure_persistence: None, ..ProptestConfig::default() };
    let fields = &["a", "GET", "POST", "instanceName"];
    let result = TestRunner::new(config).run(&(body(fields), text()), |(body, query)| {
        runtime.block_on(async {
            let mut request = world.request(Method::POST, &run("run/")).query(&[("q", query)]);
            request = request.header("content-type", body.kind).body(body.bytes);
            let reply = match request.send().await {
                Ok(response) => Reply::of(response).await,
                Err(error) if error.is_builder() => return Ok(()),
                Err(error) => return Err(TestCaseError::fail(format!("no answer: {error}"))),
            };
            let status = reply.status.as_u16();
            prop_assert!(matches!(status, 200 | 400 | 403 | 415), "{reply:?}");
            let ran = reply.header("syncano-status");
            prop_assert_eq!(ran, if status == 200 { "success" } else { "" });
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert_eq!(runtime.block_on(world.get(&sockets())).status, 200);
}
