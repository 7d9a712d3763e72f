//! Contracts of callers against those that are published.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use syncano_core::{Contract, Method};

fn contract(schemas: Value) -> Contract {
    serde_json::from_value(schemas).unwrap()
}

/// Programs and servers of different versions meet: what was built once keeps its fingerprint.
#[test]
fn fingerprints_are_part_of_the_wire() {
    let outputs = json!({"type": "array", "minItems": 1, "items": {"type": "integer"}});
    for (schemas, fingerprint) in [
        (json!({ "outputs": outputs }), "8b4ebc07607a1924"),
        (json!({"inputs": {"a": true}}), "d9156859967317dc"),
        // The same schema in another place.
        (json!({"outputs": {"a": true}}), "c37db17f33862b84"),
        (json!({}), "24b7a33263a3c045"),
    ] {
        assert_eq!(contract(schemas.clone()).fingerprint(), fingerprint, "{schemas}");
    }
}

#[test]
fn a_contract_is_that_of_the_method_or_of_all() {
    let metadata = json!({
        "title": "t",
        "GET": {"inputs": {"type": "object"}, "outputs": null},
        "*": {"outputs": {"type": "null"}},
    });
    let of = |method| Contract::of(metadata.as_object().unwrap(), method);
    assert_eq!(of(Method::Get), contract(json!({"inputs": {"type": "object"}, "outputs": {"type": "null"}})));
    assert_eq!(of(Method::Put), contract(json!({"outputs": {"type": "null"}})));
    assert!(Contract::of(&serde_json::Map::new(), Method::Get).is_empty());
}

#[test]
fn arguments_go_one_way_and_results_the_other() {
    let (narrow, wide) = (json!({"type": "integer"}), json!({"type": ["integer", "null"]}));
    let inputs = |of: &Value| json!({"inputs": {"type": "object", "properties": {"n": of}, "required": ["n"], "additionalProperties": false}});
    let broken = |built: Value, published: Value| {
        let broken = contract(built).broken_by(&contract(published), Method::Post);
        broken.map(|what| what.incompatibility().unwrap().path.to_string())
    };
    assert_eq!(broken(inputs(&narrow), inputs(&wide)), None);
    assert_eq!(broken(inputs(&wide), inputs(&narrow)).as_deref(), Some("/n"));
    for word in ["outputs", "errors"] {
        assert_eq!(broken(json!({word: wide}), json!({word: narrow})), None);
        assert!(broken(json!({word: narrow}), json!({word: wide})).is_some());
        // Of what isn't said, nothing is known.
        assert_eq!(broken(json!({word: narrow}), json!({})), None);
        assert_eq!(broken(json!({}), json!({word: narrow})), None);
    }
}
