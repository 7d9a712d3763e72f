//! What publishing would change, as it is told.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use syncano_core::{Difference, Socket};

fn socket(body: Value) -> Socket {
    Socket::from_json(&body).unwrap()
}

fn call(script: &str, methods: &[&str]) -> Value {
    json!({"type": "script", "name": script, "methods": methods})
}

fn script(name: &str, source: &str) -> Value {
    json!({"type": "script", "name": name, "runtime_name": "python3", "source": source})
}

fn inputs(properties: Value, required: Value) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn before() -> Value {
    json!({
        "name": "stock", "description": "first",
        "endpoints": {
            "items": {
                "calls": [call("list", &["GET"]), call("add", &["POST", "PUT"])],
                "metadata": {
                    "GET": {
                        "inputs": inputs(json!({"limit": {"type": ["integer", "null"]}}), json!([])),
                        "outputs": {"type": "array", "items": {"type": "string"}},
                    },
                    "POST": {"inputs": inputs(json!({"item": {"type": "object", "x-syncano-in": "body"}}), json!(["item"]))},
                    "PUT": {"inputs": inputs(json!({"item": {"type": "object", "x-syncano-in": "body"}}), json!(["item"]))},
                },
            },
            "old": {"calls": [call("list", &["*"])]},
        },
        "dependencies": [script("list", "def main(limit=1):\n    return []"), script("add", "print(1)")],
    })
}

fn difference(change: impl FnOnce(&mut Value)) -> Difference {
    let mut now = before();
    change(&mut now);
    Difference::between(Some(&socket(before())), &socket(now))
}

#[track_caller]
fn told(change: impl FnOnce(&mut Value), breaking: bool, lines: &[&str]) {
    let difference = difference(change);
    let text = difference.to_string();
    let found: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
    assert_eq!(found, lines);
    assert_eq!(difference.is_breaking(), breaking, "{text}");
    assert_eq!(text.contains('!'), breaking, "{text}");
}

#[test]
fn the_same_is_no_difference() {
    let same = difference(|_| {});
    assert!(same.is_empty());
    assert_eq!(same.to_string(), "the socket `stock` stays as it is\n");
    // Names are compared in lower case, and what is left out stays.
    let body = json!({"name": "Stock", "description": "first", "endpoints": before()["endpoints"], "dependencies": before()["dependencies"]});
    assert!(Difference::between(Some(&socket(before())), &socket(body)).is_empty());
}

#[test]
fn a_new_socket_breaks_nobody() {
    let new = Difference::between(None, &socket(before()));
    assert!(!new.is_breaking() && !new.is_empty());
    assert_eq!(
        new.to_string(),
        "the socket `stock` is new\n  + endpoint `items` (POST, PUT, GET) is added\n  + endpoint `old` (*) is added\n"
    );
}

#[test]
fn endpoints_and_methods_come_and_go() {
    told(
        |now| {
            now["endpoints"].as_object_mut().unwrap().remove("old");
            now["endpoints"]["items"]["calls"][1]["methods"] = json!(["PUT", "PATCH"]);
            now["endpoints"]["fresh"] = json!({"calls": [call("list", &["GET"])]});
        },
        true,
        &[
            "+ endpoint `fresh` (GET) is added",
            "~ endpoint `items`",
            "! POST: answered no longer",
            "+ PATCH: answered from now on",
            "! endpoint `old` (*) is removed",
        ],
    );
}

#[test]
fn scripts_and_options_change_without_breaking() {
    told(
        |now| {
            now["description"] = json!("second");
            now["config"] = json!({"a": 1});
            now["dependencies"][0]["source"] = json!("def main(limit=1):\n    x = 1\n    return [x]");
            now["dependencies"][0]["config"] = json!({"fresh": true});
            now["dependencies"][1]["runtime_name"] = json!("nodejs");
            now["endpoints"]["items"]["calls"][0]["cache"] = json!(60);
            now["endpoints"]["items"]["calls"][0]["timeout"] = json!(2.5);
            now["endpoints"]["items"]["metadata"]["title"] = json!("t");
            now["endpoints"]["old"]["calls"][0]["name"] = json!("add");
        },
        false,
        &[
            "~ the description changes",
            "~ the configuration changes",
            "~ endpoint `items`",
            "~ POST, PUT: the script runs on nodejs instead of python3",
            "~ GET: the script changes (+2 -1 lines)",
            "~ GET: the script's configuration changes",
            "~ GET: an answer may be repeated for 60 s",
            "~ GET: the script may take 2.5 s",
            "~ metadata changes",
            "~ endpoint `old`",
            "~ *: the script `add` answers instead of the script `list`",
        ],
    );
}

#[test]
fn a_key_that_is_needed_from_now_on_breaks() {
    told(
        |now| {
            now["endpoints"]["items"]["calls"][0]["private"] = json!(true);
            now["endpoints"]["old"]["acl"] = json!({"*": ["GET"]});
        },
        true,
        &[
            "~ endpoint `items`",
            "! GET: private: callers without a key are refused",
            "~ endpoint `old`",
            "! the acl permits less than before",
        ],
    );
}

#[test]
fn arguments_may_widen_and_results_may_narrow() {
    let get = |now: &mut Value, word: &str, schema: Value| {
        now["endpoints"]["items"]["metadata"]["GET"][word] = schema
    };
    told(
        |now| {
            let more = json!({"limit": {"type": ["number", "null"]}, "page": {"type": "integer"}});
            get(now, "inputs", inputs(more, json!([])));
            get(now, "outputs", json!({"type": "array", "items": {"type": "string", "maxLength": 5}}));
        },
        false,
        &[
            "~ endpoint `items`",
            "~ GET: the arguments change, and fit today's callers",
            "~ GET: the results change, and fit today's callers",
        ],
    );
    told(
        |now| {
            get(now, "inputs", inputs(json!({"limit": {"type": "integer"}}), json!(["limit"])));
            get(now, "outputs", json!({"type": "array", "items": {"type": ["string", "null"]}}));
        },
        true,
        &[
            "~ endpoint `items`",
            "! GET: the arguments change, and what callers send today is refused: at /limit: may be `null`, and must be a whole number",
            "! GET: the results change, and callers don't expect what may come: at /*: may be `null`, and must be a text",
        ],
    );
}

#[test]
fn an_argument_that_is_the_body_has_no_name_on_the_way() {
    let post = |now: &mut Value, properties: Value| {
        now["endpoints"]["items"]["metadata"]["POST"]["inputs"] = inputs(properties, json!(["thing"]));
    };
    told(
        |now| post(now, json!({"thing": {"type": "object", "x-syncano-in": "body"}})),
        false,
        &["~ endpoint `items`", "~ POST: the arguments change, and fit today's callers"],
    );
    let difference = difference(|now| {
        let post = &mut now["endpoints"]["items"]["metadata"]["POST"]["inputs"];
        *post = inputs(json!({"item": {"type": "object"}}), json!(["item"]));
    });
    let change = difference.breaking().next().unwrap();
    assert!(
        change
            .to_string()
            .ends_with("at /item: travels as the whole body, and must travel as a key of the body"),
        "{change}"
    );
}

#[test]
fn results_without_a_schema_are_unknown() {
    told(
        |now| {
            now["endpoints"]["items"]["metadata"]["GET"]["outputs"] = Value::Null;
        },
        true,
        &[
            "~ endpoint `items`",
            "! GET: the results change, and callers don't expect what may come: it can't be compared, and counts as different: the results have no schema any more",
        ],
    );
}

#[test]
fn what_nobody_sees_is_told_all_the_same() {
    told(
        |now| now["dependencies"].as_array_mut().unwrap().reverse(),
        false,
        &["~ the definition's form changes, and nothing that callers or scripts see"],
    );
    told(
        |now| now["dependencies"].as_array_mut().unwrap().push(script("unused", "1")),
        false,
        &["~ the dependency `unused` changes"],
    );
}

#[test]
fn programs_read_it_as_json() {
    let difference = difference(|now| {
        now["endpoints"]["items"]["metadata"]["GET"]["inputs"] =
            inputs(json!({"limit": {"type": "integer"}}), json!([]));
        now["endpoints"].as_object_mut().unwrap().remove("old");
    });
    assert_eq!(
        json!(difference),
        json!({
            "socket": "stock", "action": "update", "breaking": true,
            "changes": [
                {
                    "endpoint": "items", "methods": ["GET"], "change": "arguments", "breaking": true,
                    "text": "endpoint `items`: GET: the arguments change, and what callers send today is refused: \
                             at /limit: may be `null`, and must be a whole number",
                    "at": "/limit", "witness": {"limit": null},
                },
                {
                    "endpoint": "old", "methods": ["POST", "PUT", "PATCH", "GET", "DELETE"], "change": "removed",
                    "breaking": true, "text": "endpoint `old` (*) is removed",
                },
            ],
        })
    );
}

#[test]
fn what_an_endpoint_says_for_its_calls_is_told_of_them() {
    told(
        |now| now["endpoints"]["items"]["private"] = json!(true),
        true,
        &["~ endpoint `items`", "! POST, PUT, GET: private: callers without a key are refused"],
    );
    told(
        |now| {
            now["endpoints"]["items"]["private"] = json!(true);
            now["endpoints"]["items"]["calls"][0]["private"] = json!(false);
            now["endpoints"]["items"]["timeout"] = json!(2);
        },
        true,
        &[
            "~ endpoint `items`",
            "! POST, PUT: private: callers without a key are refused",
            "~ POST, PUT, GET: the script may take 2 s",
        ],
    );
    // Said elsewhere, it stays the same.
    let mut by_call = before();
    by_call["endpoints"]["old"]["calls"][0]["cache"] = json!(60);
    let mut by_endpoint = before();
    by_endpoint["endpoints"]["old"]["cache"] = json!(60);
    by_endpoint["endpoints"]["old"]["calls"][0]["cache"] = json!(null);
    let moved = Difference::between(Some(&socket(by_call)), &socket(by_endpoint)).to_string();
    assert!(moved.contains("the definition's form changes"), "{moved}");
}
