//! Schemas that mean harm: told apart or given up on, soon and without a crash.

use serde_json::{Value, json};
use syncano_core::fits;

#[test]
fn references_in_a_circle_end() {
    let circle =
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
    let other = json!({"type": "integer"});
    assert!(fits(&circle, &other).unwrap_err().is_unknown());
    assert!(fits(&other, &circle).unwrap_err().is_unknown());
    assert_eq!(fits(&circle, &circle), Ok(()));
}

#[test]
fn references_lead_into_the_document_only() {
    for reference in ["#/$defs/none", "https://example.org/schema", "file:///etc/passwd", "other"] {
        let misfit = fits(&json!({"$ref": reference}), &json!({"type": "null"})).unwrap_err();
        assert!(misfit.to_string().contains("leads nowhere"), "{misfit}");
    }
}

#[test]
fn lists_of_lists_recurse_without_end() {
    let lists = |inner: &str| {
        json!({"$ref": "#/$defs/l", "$defs": {"l": {"type": "array", "items":
        {"anyOf": [{"$ref": "#/$defs/l"}, {"type": inner}]}}}})
    };
    assert_eq!(fits(&lists("integer"), &lists("number")), Ok(()));
    let misfit = fits(&lists("number"), &lists("integer")).unwrap_err();
    assert_eq!(misfit.path.to_string(), "/*");
    assert!(misfit.witness.is_some());
}

/// Each multiplies the alternatives of the one before.
#[test]
fn alternatives_do_not_blow_up() {
    let mut definitions = json!({"d0": {"anyOf": [{"type": "integer"}, {"type": "string"}]}});
    for level in 1..60 {
        let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
        definitions[format!("d{level}")] = json!({"anyOf": [below, below], "allOf": [below, below]});
    }
    let schema = json!({"$ref": "#/$defs/d59", "$defs": definitions});
    assert!(fits(&schema, &json!({"type": "null"})).unwrap_err().is_unknown());
}

#[test]
fn deep_pairs_are_given_up_on() {
    let chain = |length: usize| {
        let mut definitions = serde_json::Map::new();
        for level in 0..length {
            let next = (level + 1) % length;
            definitions.insert(
                format!("d{level}"),
                json!({"type": "array", "items": {"$ref": format!("#/$defs/d{next}")}}),
            );
        }
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    };
    // 997 × 991 pairs come before the first comes again.
    assert!(fits(&chain(997), &chain(991)).unwrap_err().is_unknown());
    assert_eq!(fits(&chain(5), &chain(7)), Ok(()));
}

#[test]
fn large_objects_are_compared_or_given_up_on_soon() {
    let object = |count: usize, kind: &str| {
        let properties: serde_json::Map<String, Value> =
            (0..count).map(|index| (format!("p{index}"), json!({"type": kind}))).collect();
        json!({"type": "object", "properties": properties})
    };
    assert_eq!(fits(&object(3000, "integer"), &object(3000, "number")), Ok(()));
    let alternatives = |kind| json!({"oneOf": vec![object(200, kind); 200]});
    assert!(fits(&alternatives("integer"), &alternatives("number")).is_err());
}

#[test]
fn what_is_no_schema_differs() {
    for odd in [
        json!(null),
        json!(3),
        json!({"type": 3}),
        json!({"enum": 3}),
        json!({"if": true}),
        json!({"$ref": 7}),
    ] {
        let misfit = fits(&odd, &json!({"type": "null"})).unwrap_err();
        assert!(misfit.is_unknown(), "{odd}: {misfit}");
    }
    let unusual = json!({"type": "object", "dependentRequired": {"a": ["b"]}});
    assert_eq!(
        fits(&unusual, &json!({"type": "object", "properties": {"a": {"type": "null"}}}))
            .unwrap_err()
            .to_string(),
        "it can't be compared, and counts as different: it uses `dependentRequired` in a way that isn't known here"
    );
    // Equal is equal, whatever it says.
    assert_eq!(fits(&unusual, &unusual), Ok(()));
}
