//! The raw JSON format: what the seed's users and the clients of 2016 send comes back as it was.

use serde_json::{Value, json};
use syncano_core::{Call, Method, Methods, Runtime, ScriptSource, Socket};

fn seed() -> Value {
    json!({
        "name": "my_custom_socket_3",
        "endpoints": {
            "my_endpoint_3": {
                "calls": [{"type": "script", "name": "my_script_3", "methods": ["POST"]}]
            }
        },
        "dependencies": [{
            "type": "script",
            "runtime_name": "python_library_v5.0",
            "name": "my_script_3",
            "source": "print(3)"
        }]
    })
}

fn full() -> Value {
    json!({
        "name": "full", "description": "d", "config": {"a": 1}, "metadata": {"network": "none"},
        "endpoints": {
            "Hello": {
                "calls": [
                    {"type": "script", "name": "a", "methods": ["GET", "PUT"], "private": true, "timeout": 1.5},
                    {"type": "script", "name": "b", "methods": ["POST"], "cache": 60}
                ],
                "metadata": {"GET": {"inputs": {"type": "object"}}, "note": "x"},
                "acl": {"*": ["GET"]}
            },
            "any": {"calls": [{"type": "script", "name": "a", "methods": ["*"]}], "metadata": {}}
        },
        "dependencies": [
            {"type": "script", "name": "a", "runtime_name": "nodejs", "source": " x ", "config": {"fresh": true}},
            {"type": "script", "name": "b", "script": 2},
            {"type": "class", "name": "klass", "schema": [{"name": "fieldA", "type": "string"}]}
        ]
    })
}

#[test]
fn the_seed_s_definition_reads_as_written() {
    let socket = Socket::from_json(&seed()).unwrap();
    assert_eq!(socket.name, "my_custom_socket_3");
    assert_eq!(socket.endpoints["my_endpoint_3"].calls, [Call::new("my_script_3", [Method::Post])]);
    let ScriptSource::New { runtime_name, source } = &socket.script("my_script_3").unwrap().script else {
        panic!("a new script")
    };
    assert_eq!((*runtime_name, source.as_str()), (Runtime::PythonLibraryV5_0, "print(3)"));
    assert!(socket.validate().is_empty());
}

#[test]
fn definitions_survive_the_way_through_json() {
    for definition in [seed(), full()] {
        let socket = Socket::from_json(&definition).unwrap();
        let written = serde_json::to_value(&socket).unwrap();
        assert_eq!(Socket::from_json(&written).unwrap(), socket);
        assert_eq!(Socket::from_written(&written.to_string()).unwrap(), socket);
        // What was sent is in what is answered, key by key.
        for (key, value) in definition.as_object().unwrap() {
            if key != "endpoints" {
                assert_eq!(&written[key], value, "{key}");
            }
        }
        for (name, endpoint) in definition["endpoints"].as_object().unwrap() {
            for (key, value) in endpoint.as_object().unwrap() {
                assert_eq!(&written["endpoints"][name][key], value, "{name} {key}");
            }
        }
    }
}

#[test]
fn fields_may_be_strings_of_json() {
    let mut doubled = full();
    for key in ["endpoints", "dependencies", "config", "metadata"] {
        doubled[key] = Value::String(doubled[key].to_string());
    }
    assert_eq!(Socket::from_json(&doubled).unwrap(), Socket::from_json(&full()).unwrap());
    let empty = json!({"name": "s", "endpoints": "", "dependencies": null, "config": "", "unknown": 1});
    let socket = Socket::from_json(&empty).unwrap();
    assert!(socket.endpoints.is_empty() && socket.dependencies.is_empty() && socket.config.is_empty());
}

#[test]
fn serde_reads_definitions_by_the_same_rules() {
    let socket: Socket = serde_json::from_str(&seed().to_string()).unwrap();
    assert_eq!(socket.endpoints.len(), 1);
    let error = serde_json::from_value::<Socket>(json!({"name": "9", "endpoints": []})).unwrap_err();
    assert_eq!(error.to_string(), "at /endpoints: expected an object, found a list");
}

#[test]
fn the_wildcard_stands_alone() {
    let any = serde_json::from_value::<Methods>(json!(["*"])).unwrap();
    assert_eq!(any, Methods::Any);
    assert_eq!(
        any.expanded().iter().map(|m| m.as_str()).collect::<Vec<_>>(),
        ["POST", "PUT", "PATCH", "GET", "DELETE"]
    );
}
