//! Every rule of a definition: what breaks it, where it is reported, and what it means.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use syncano_core::{Method, Methods, NameKind, Runtime, Severity, Socket, Violation, limits, normalize};

/// A valid definition with one place changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut definition = json!({
        "name": "s",
        "endpoints": {"e": {"calls": [{"type": "script", "name": "a", "methods": ["GET"]}]}},
        "dependencies": [{"type": "script", "name": "a", "runtime_name": "python3", "source": "print(1)"}],
    });
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match definition.pointer_mut(parent).unwrap() {
        Value::Object(object) => {
            object.insert(key.to_owned(), value);
        }
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} is inside a scalar"),
    }
    definition
}

fn refused(definition: &Value) -> Vec<String> {
    let violations = Socket::from_json(definition).expect_err("the definition should be refused");
    assert!(violations.iter().all(|v| v.kind.severity() == Severity::Shape));
    violations.iter().map(ToString::to_string).collect()
}

fn found(definition: &Value) -> Vec<Violation> {
    Socket::from_json(definition).expect("the shape is right").validate()
}

#[test]
fn what_the_server_refuses() {
    let call = "/endpoints/e/calls/0";
    let script = "/dependencies/0";
    for (pointer, value, text) in [
        ("/name", json!(null), "at /name: `name` is missing"),
        ("/name", json!(7), "at /name: expected a string, found a number"),
        (
            "/name",
            json!("install"),
            "at /name: the socket name `install` can't be used: the word is reserved: choose another",
        ),
        ("/description", json!([]), "at /description: expected a string, found a list"),
        (
            "/config",
            json!("{"),
            "at /config: the string is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("/config", json!([1]), "at /config: expected an object, found a list"),
        ("/endpoints", json!([]), "at /endpoints: expected an object, found a list"),
        ("/endpoints/e", json!(1), "at /endpoints/e: expected an object, found a number"),
        ("/endpoints/e", json!({}), "at /endpoints/e/calls: `calls` is missing"),
        ("/endpoints/e/calls", json!({}), "at /endpoints/e/calls: expected a list of calls, found an object"),
        (
            "/endpoints/e/calls",
            json!([]),
            "at /endpoints/e/calls: the endpoint `e` has no call: say which script answers it",
        ),
        (
            "/endpoints/traces",
            json!({"calls": [{"type": "script", "name": "a", "methods": ["*"]}]}),
            "at /endpoints/traces: the endpoint name `traces` can't be used: the word is reserved: choose another",
        ),
        (
            "/endpoints/a~1b",
            json!({"calls": [{"type": "script", "name": "a", "methods": ["*"]}]}),
            "at /endpoints/a~01b: the endpoint name `a~1b` can't be used: it contains `~`: use letters, digits, `_`, `-`, `.`",
        ),
        (
            "/endpoints/E",
            json!({"calls": [{"type": "script", "name": "a", "methods": ["*"]}]}),
            "at /endpoints/e: the endpoint `e` is defined twice (names are compared in lower case): rename one of them",
        ),
        (call, json!("x"), "at /endpoints/e/calls/0: expected an object, found a string"),
        (
            "/endpoints/e/calls/0/type",
            json!("channel"),
            "at /endpoints/e/calls/0/type: unknown call type `channel`: use `script`",
        ),
        ("/endpoints/e/calls/0/name", json!(null), "at /endpoints/e/calls/0/name: `name` is missing"),
        (
            "/endpoints/e/calls/0/name",
            json!("-"),
            "at /endpoints/e/calls/0/name: the script name `-` can't be used: it starts with `-`: start with a letter",
        ),
        (
            "/endpoints/e/calls/0/methods",
            json!([]),
            "at /endpoints/e/calls/0/methods: a call needs at least one method, or `*`",
        ),
        (
            "/endpoints/e/calls/0/methods",
            json!("GET"),
            "at /endpoints/e/calls/0/methods: expected a list of methods, found a string",
        ),
        (
            "/endpoints/e/calls/0/methods",
            json!(["GET", "*"]),
            "at /endpoints/e/calls/0/methods: `*` already means every method: write it alone, or list the methods",
        ),
        (
            "/endpoints/e/calls/0/methods",
            json!(["get"]),
            "at /endpoints/e/calls/0/methods/0: unknown method `get`: did you mean `GET`?",
        ),
        (
            "/endpoints/e/calls/0/methods",
            json!(["GET", "TRACE"]),
            "at /endpoints/e/calls/0/methods/1: unknown method `TRACE`: use GET, POST, PUT, PATCH, DELETE or *",
        ),
        (
            "/endpoints/e/calls/0/private",
            json!("yes"),
            "at /endpoints/e/calls/0/private: expected true or false, found a string",
        ),
        (
            "/endpoints/e/calls/0/cache",
            json!(-1),
            "at /endpoints/e/calls/0/cache: expected a whole number of seconds, found a number",
        ),
        (
            "/endpoints/e/calls/0/cache",
            json!(1801),
            "at /endpoints/e/calls/0/cache: a cache time of 1801 s: at most 1800 seconds are allowed",
        ),
        (
            "/endpoints/e/calls/0/timeout",
            json!(-1),
            "at /endpoints/e/calls/0/timeout: a timeout of -1 s: use more than 0 and at most 300 seconds",
        ),
        (
            "/endpoints/e/calls/0/timeout",
            json!(300.5),
            "at /endpoints/e/calls/0/timeout: a timeout of 300.5 s: use more than 0 and at most 300 seconds",
        ),
        ("/dependencies", json!({}), "at /dependencies: expected a list of dependencies, found an object"),
        (
            "/dependencies/0/type",
            json!("hosting"),
            "at /dependencies/0/type: unknown dependency type `hosting`: use `script` or `class`",
        ),
        (
            "/dependencies/0/runtime_name",
            json!("pyhton3"),
            "at /dependencies/0/runtime_name: unknown runtime `pyhton3`: did you mean `python3`?",
        ),
        ("/dependencies/0/source", json!(null), "at /dependencies/0/source: `source` is missing"),
        (
            "/dependencies/0/source",
            json!("x".repeat(limits::SOURCE_BYTES + 1)),
            "at /dependencies/0/source: 3145729 bytes: at most 3145728 are allowed",
        ),
        (
            "/dependencies/0/script",
            json!("2"),
            "at /dependencies/0/script: expected the number of a script, found a string",
        ),
        (
            "/dependencies/-",
            json!({"type": "class", "name": "k"}),
            "at /dependencies/1/schema: `schema` is missing",
        ),
        (
            "/dependencies/-",
            json!({"type": "script", "name": "A", "runtime_name": "php", "source": "1"}),
            "at /dependencies/1/name: the dependency `A` is defined twice: rename one of them",
        ),
        (script, json!(null), "at /dependencies/0: expected an object, found null"),
    ] {
        assert_eq!(refused(&with(pointer, value.clone())), [text], "{pointer} = {}", {
            let mut shown = value.to_string();
            shown.truncate(80);
            shown
        });
    }
}

#[test]
fn a_class_and_a_script_may_share_a_name() {
    assert!(found(&with("/dependencies/-", json!({"type": "class", "name": "a", "schema": []}))).is_empty());
}

#[test]
fn limits_are_allowed_up_to_and_refused_beyond() {
    let call = json!({"calls": [{"type": "script", "name": "a", "methods": ["*"]}]});
    let endpoints = |n: usize| -> Value {
        (0..n).map(|i| (format!("e{i}"), call.clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let dependencies = |n: usize| -> Value {
        (0..n).map(|i| json!({"type": "script", "name": if i == 0 { "a".into() } else { format!("a{i}") }, "runtime_name": "php", "source": "1"})).collect()
    };
    let keys = |n: usize, value: &str| -> Value {
        (0..n).map(|i| (format!("k{i}"), json!(value))).collect::<serde_json::Map<_, _>>().into()
    };
    for (pointer, allowed, refused_value) in [
        ("/description", json!("é".repeat(256)), json!("é".repeat(257))),
        ("/endpoints", endpoints(30), endpoints(31)),
        ("/dependencies", dependencies(100), dependencies(101)),
        ("/metadata", keys(64, "v"), keys(65, "v")),
        ("/metadata", json!({"k": "v".repeat(4094)}), json!({"k": "v".repeat(4095)})),
        ("/endpoints/e/metadata", json!({"k": "v".repeat(65_534)}), json!({"k": "v".repeat(65_535)})),
        ("/metadata", json!({"k".repeat(64): 1}), json!({"k".repeat(65): 1})),
        ("/config", keys(1024, "v"), keys(1025, "v")),
        ("/config", json!({"k": "v".repeat(256 * 1024 - 8)}), json!({"k": "v".repeat(256 * 1024 - 7)})),
        (
            "/endpoints/e/metadata",
            json!({"GET": {"inputs": {"title": "v".repeat(256 * 1024 - 12)}}}),
            json!({"GET": {"inputs": {"title": "v".repeat(256 * 1024 - 11)}}}),
        ),
    ] {
        assert!(found(&with(pointer, allowed)).is_empty(), "{pointer}");
        let refusals = refused(&with(pointer, refused_value));
        assert_eq!(refusals.len(), 1, "{refusals:?}");
        assert!(
            refusals[0].starts_with(&format!("at {pointer}")) && refusals[0].ends_with("are allowed"),
            "{refusals:?}"
        );
    }
}

#[test]
fn nesting_is_allowed_up_to_and_refused_beyond() {
    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    for field in
        ["/config", "/metadata", "/endpoints/e/metadata", "/endpoints/e/acl", "/dependencies/0/config"]
    {
        assert!(found(&with(field, nested(64))).is_empty(), "{field}");
        let text = format!("at {field}: objects and lists 65 levels deep: at most 64 are allowed");
        assert_eq!(refused(&with(field, nested(65))), [text]);
    }
    // A string of JSON doesn't get further.
    let doubled = Value::String(nested(100).to_string());
    assert_eq!(refused(&with("/config", doubled)).len(), 1);
}

#[test]
fn every_violation_of_a_definition_is_reported() {
    let broken = json!({
        "endpoints": {"e": {"calls": [
            {"type": "nope", "name": "a", "methods": ["get", "PSOT"]},
            {"type": "script", "methods": []},
        ]}},
        "dependencies": [{"type": "script", "name": "a", "runtime_name": "cobol", "source": 1}],
    });
    assert_eq!(refused(&broken).len(), 8, "{:#?}", refused(&broken));
}

#[test]
fn what_the_server_stores_with_an_error() {
    let unresolved = found(&with("/endpoints/e/calls/0/name", json!("gone")));
    assert_eq!(unresolved.len(), 1);
    assert_eq!(unresolved[0].kind.severity(), Severity::Semantic);
    assert_eq!(
        unresolved[0].to_string(),
        "at /endpoints/e/calls/0/name: no script named `gone` for the endpoint `e`: add a dependency of that name, or make the script endpoint `gone` first"
    );
}

#[test]
fn what_the_server_tolerates_is_still_reported() {
    let second = |methods: Value| json!({"type": "script", "name": "a", "methods": methods});
    for (pointer, value, text) in [
        ("/endpoints", json!({}), "at /endpoints: the socket `s` has no endpoint: define at least one"),
        (
            "/dependencies/0/source",
            json!(" \n"),
            "at /dependencies/0/source: the script `a` is empty: write it, or remove the call",
        ),
        (
            "/endpoints/e/calls/-",
            second(json!(["POST", "GET"])),
            "at /endpoints/e/calls/1/methods/1: GET of the endpoint `e` is already answered by `a`: remove it from one of them",
        ),
        (
            "/endpoints/e/calls",
            json!([second(json!(["*"])), second(json!(["PUT"]))]),
            "at /endpoints/e/calls/1/methods: `a` is never reached: `a` already answers every method (`*`) of the endpoint `e`",
        ),
        (
            "/endpoints/e/calls/0/methods",
            json!(["GET", "GET"]),
            "at /endpoints/e/calls/0/methods/1: GET of the endpoint `e` is already answered by `a`: remove it from one of them",
        ),
    ] {
        let violations = found(&with(pointer, value));
        assert_eq!(violations.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
        assert_eq!(violations[0].kind.severity(), Severity::Tolerated);
    }
    // A wildcard after listed methods answers the rest.
    assert!(found(&with("/endpoints/e/calls/-", second(json!(["*"])))).is_empty());
}

#[test]
fn the_builder_makes_valid_definitions_only() {
    let good =
        Socket::builder("s").script("a", Runtime::Python3, "print(1)").call("e", "a", Methods::Any).build();
    assert!(good.is_ok());
    let elsewhere = Socket::builder("s").call("e", "monthly", [Method::Get]).build();
    assert!(elsewhere.is_ok(), "a script endpoint of that name may exist");
    let broken = Socket::builder("9").call("e", "a", [Method::Get]).call("e", "b", [Method::Get]).build();
    assert_eq!(broken.unwrap_err().0.len(), 2);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ A-Za-z0-9_./-]{0,70}", "\\PC{0,8}", "[a-z][a-z0-9_-]{0,62}[a-z0-9]"]
}

proptest! {
    #[test]
    fn a_good_name_is_good_in_any_spelling(name in name()) {
        for kind in [NameKind::Instance, NameKind::Socket, NameKind::Endpoint, NameKind::Script, NameKind::Class] {
            let verdict = kind.check(&name);
            prop_assert_eq!(&verdict, &kind.check(&normalize(&name)));
            prop_assert_eq!(&verdict, &kind.check(&format!(" {} ", name)));
            if verdict.is_ok() {
                let normal = normalize(&name);
                prop_assert!(normal.is_ascii() && (1..=64).contains(&normal.len()));
                prop_assert!(normal.starts_with(|c: char| c.is_ascii_lowercase()));
                // One segment of a URL that needs no encoding.
                prop_assert_eq!(syncano_core::route::segment(&normal), normal);
            }
        }
    }

    #[test]
    fn whatever_is_accepted_comes_back_the_same(
        socket in name(), endpoint in name(), script in name(),
        methods in proptest::collection::vec(proptest::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "*"]), 0..4),
        source in "\\PC{0,20}",
    ) {
        let definition = json!({
            "name": socket,
            "endpoints": {endpoint: {"calls": [{"type": "script", "name": script, "methods": methods}]}},
            "dependencies": [{"type": "script", "name": script, "runtime_name": "python3", "source": source}],
        });
        if let Ok(socket) = Socket::from_json(&definition) {
            let again: Socket = serde_json::from_str(&serde_json::to_string(&socket).unwrap()).unwrap();
            prop_assert_eq!(&again, &socket);
            let mut inherited = again.clone();
            inherited.inherit(&socket);
            prop_assert_eq!(inherited, again);
        }
    }
}

#[test]
fn what_was_published_is_taken_back_by_saying_so() {
    let socket = |call: Value| {
        let mut call = call;
        call["type"] = json!("script");
        call["name"] = json!("a");
        call["methods"] = json!(["GET"]);
        Socket::from_json(&json!({"name": "s", "endpoints": {"e": {"calls": [call]}}})).unwrap()
    };
    let before = socket(json!({"private": true, "cache": 60, "timeout": 5}));
    let after = |call: Value| {
        let mut socket = socket(call);
        socket.inherit(&before);
        let call = &socket.endpoints["e"].calls[0];
        (call.private, call.cache, call.timeout)
    };
    assert_eq!(after(json!({})), (Some(true), Some(60), Some(5.0)));
    assert_eq!(
        after(json!({"private": null, "cache": null, "timeout": null})),
        (Some(true), Some(60), Some(5.0))
    );
    assert_eq!(after(json!({"private": false, "cache": 0, "timeout": 0})), (Some(false), Some(0), None));
    // Where nothing was before, too.
    let mut new = socket(json!({"timeout": 0}));
    new.inherit(&Socket::default());
    assert_eq!(new.endpoints["e"].calls[0].timeout, None);
}

#[test]
fn an_endpoint_gives_its_calls_what_they_do_not_say_themselves() {
    let socket = |endpoint: Value| {
        let calls = json!([
            {"type": "script", "name": "a", "methods": ["GET"], "private": false, "cache": 0, "timeout": 1},
            {"type": "script", "name": "b", "methods": ["POST"]},
        ]);
        let mut endpoint = endpoint;
        endpoint["calls"] = calls;
        Socket::from_json(&json!({"name": "s", "endpoints": {"e": endpoint}}))
    };
    let private = socket(json!({"private": true, "cache": 60, "timeout": 5})).unwrap();
    let in_force = |socket: &Socket| {
        let endpoint = &socket.endpoints["e"];
        let calls = endpoint.calls.iter().map(|call| endpoint.in_force(call));
        calls.map(|call| (call.private, call.cache, call.timeout)).collect::<Vec<_>>()
    };
    let own = (Some(false), Some(0), Some(1.0));
    assert_eq!(in_force(&private), [own, (Some(true), Some(60), Some(5.0))]);
    assert_eq!(json!(private)["endpoints"]["e"]["private"], true, "it is echoed where it was said");

    // What an old client sends back without the keys keeps them; what is taken back goes.
    let after = |endpoint: Value| {
        let mut socket = socket(endpoint).unwrap();
        socket.inherit(&private);
        socket
    };
    assert_eq!(in_force(&after(json!({}))), in_force(&private));
    assert_eq!(in_force(&after(json!({"private": null}))), in_force(&private));
    let open = after(json!({"private": false, "cache": 0, "timeout": 0}));
    assert_eq!(in_force(&open), [own, (None, None, None)]);
    assert_eq!(json!(open)["endpoints"]["e"].get("private"), None);

    for (endpoint, said) in [
        (json!({"private": "yes"}), "at /endpoints/e/private: expected true or false, found a string"),
        (json!({"timeout": 301}), "at /endpoints/e/timeout: a timeout of 301 s"),
        (json!({"cache": 1801}), "at /endpoints/e/cache: a cache time of 1801 s"),
        (json!({"privat": true}), "at /endpoints/e/privat: unknown key `privat`: did you mean `private`?"),
    ] {
        let violations = socket(endpoint).unwrap_err();
        assert!(violations[0].to_string().starts_with(said), "{violations:?}");
    }
}

#[test]
fn a_network_policy_is_a_word_or_a_list_of_hosts() {
    let violations = |policy: serde_json::Value| {
        let value = serde_json::json!({
            "name": "s", "metadata": {"network": policy},
            "endpoints": {"e": {"calls": [{"type": "script", "name": "a", "methods": ["GET"]}]}},
        });
        Socket::from_json(&value).map(drop).map_err(|violations| violations[0].to_string())
    };
    for good in ["\"none\"", "\"public\"", "null", "{\"hosts\": []}", "{\"hosts\": [\"a.example\", \"::1\"]}"]
    {
        assert_eq!(violations(serde_json::from_str(good).unwrap()), Ok(()), "{good}");
    }
    let said = violations(serde_json::json!({"hosts": ["a.example", "https://a.example/"]})).unwrap_err();
    assert!(said.starts_with("at /metadata/network: `https://a.example/` is no host"), "{said}");
    for bad in ["\"all\"", "[]", "{}", "true", "{\"hosts\": [1]}"] {
        let said = violations(serde_json::from_str(bad).unwrap()).unwrap_err();
        assert!(said.starts_with("at /metadata/network: no network policy: write `\"none\"`"), "{said}");
        assert!(said.ends_with("or hosts as `{\"hosts\": [\"api.example.com\"]}`"), "{said}");
    }
}
