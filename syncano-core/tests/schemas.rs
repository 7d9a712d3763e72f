//! Schemas: what they say of values, and that no schema harms.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncano_core::{CompiledSchema, Inputs, Outputs, Placement};

fn compiled(schema: &Value) -> CompiledSchema {
    CompiledSchema::new(schema).unwrap_or_else(|violations| panic!("{violations:?}"))
}

/// What is wrong with the value, a line each.
fn wrong(schema: &Value, value: &Value) -> Vec<String> {
    compiled(schema).check(value, value.to_string().len()).iter().map(ToString::to_string).collect()
}

fn refused(schema: &Value) -> Vec<String> {
    let violations = CompiledSchema::new(schema).expect_err("the schema is refused");
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn every_keyword_says_something() {
    let cases = [
        (json!(true), vec![json!(1), json!(null)], vec![]),
        (json!(false), vec![], vec![json!(1)]),
        (
            json!({"type": "integer"}),
            vec![json!(1), json!(-1), json!(u64::MAX)],
            vec![json!(1.5), json!(1.0), json!("1"), json!(true)],
        ),
        (json!({"type": "number"}), vec![json!(1), json!(1.5)], vec![json!("1"), json!(null)]),
        (json!({"type": ["string", "null"]}), vec![json!("a"), json!(null)], vec![json!(1), json!([])]),
        (json!({"const": 3}), vec![json!(3), json!(3.0)], vec![json!("3")]),
        (json!({"enum": ["a", 1]}), vec![json!("a"), json!(1)], vec![json!("b")]),
        (
            json!({"minimum": 1, "maximum": 3}),
            vec![json!(1), json!(3), json!("x")],
            vec![json!(0), json!(3.5)],
        ),
        (json!({"exclusiveMinimum": 1, "exclusiveMaximum": 3}), vec![json!(2)], vec![json!(1), json!(3)]),
        (json!({"maximum": u64::MAX}), vec![json!(u64::MAX)], vec![]),
        (
            json!({"minimum": 9_007_199_254_740_993_i64}),
            vec![json!(9_007_199_254_740_993_i64)],
            vec![json!(9_007_199_254_740_992_i64)],
        ),
        (json!({"multipleOf": 0.1}), vec![json!(0.3), json!(2)], vec![json!(0.35)]),
        (
            json!({"minLength": 2, "maxLength": 3}),
            vec![json!("äö"), json!(1)],
            vec![json!("ä"), json!("abcd")],
        ),
        (json!({"pattern": "^\\d+$"}), vec![json!("123")], vec![json!("12a"), json!("١")]),
        (
            json!({"items": {"type": "string"}}),
            vec![json!([]), json!(["a"]), json!({})],
            vec![json!(["a", 1])],
        ),
        (
            json!({"prefixItems": [{"type": "string"}], "items": false}),
            vec![json!(["a"]), json!([])],
            vec![json!([1]), json!(["a", 2])],
        ),
        (json!({"minItems": 1, "maxItems": 2}), vec![json!([1])], vec![json!([]), json!([1, 2, 3])]),
        (json!({"uniqueItems": true}), vec![json!([1, 2])], vec![json!([1, 1])]),
        (
            json!({"contains": {"const": 1}, "maxContains": 1}),
            vec![json!([1, 2])],
            vec![json!([2]), json!([1, 1])],
        ),
        (json!({"required": ["a"]}), vec![json!({"a": null}), json!([])], vec![json!({})]),
        (
            json!({"properties": {"a": {"type": "null"}}}),
            vec![json!({"a": null, "b": 1}), json!({})],
            vec![json!({"a": 1})],
        ),
        (
            json!({"properties": {"a": {}}, "patternProperties": {"^x": {"type": "null"}}, "additionalProperties": false}),
            vec![json!({"a": 1, "xy": null})],
            vec![json!({"b": 1}), json!({"xy": 1})],
        ),
        (json!({"additionalProperties": {"type": "string"}}), vec![json!({"b": "c"})], vec![json!({"b": 1})]),
        (
            json!({"minProperties": 1, "maxProperties": 1}),
            vec![json!({"a": 1})],
            vec![json!({}), json!({"a": 1, "b": 1})],
        ),
        (json!({"propertyNames": {"maxLength": 1}}), vec![json!({"a": 1})], vec![json!({"ab": 1})]),
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            vec![json!({"b": 1}), json!({"a": 1, "b": 1})],
            vec![json!({"a": 1})],
        ),
        (
            json!({"dependentSchemas": {"a": {"required": ["b"]}}}),
            vec![json!({"b": 1})],
            vec![json!({"a": 1})],
        ),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 3}]}), vec![json!(2)], vec![json!(0), json!(4)]),
        (
            json!({"anyOf": [{"type": "string"}, {"minimum": 3, "type": "integer"}]}),
            vec![json!("a"), json!(3)],
            vec![json!(2), json!(null)],
        ),
        (json!({"oneOf": [{"minimum": 1}, {"maximum": 3}]}), vec![json!(0), json!(4)], vec![json!(2)]),
        (json!({"not": {"type": "string"}}), vec![json!(1)], vec![json!("a")]),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}),
            vec![json!("ab"), json!(2)],
            vec![json!("a"), json!(1)],
        ),
        (
            json!({"type": "integer", "format": "uint32"}),
            vec![json!(u32::MAX)],
            vec![json!(-1), json!(4_294_967_296_i64)],
        ),
        (json!({"type": "integer", "format": "int64"}), vec![json!(i64::MIN)], vec![json!(u64::MAX)]),
        (json!({"type": "integer", "format": "uint128"}), vec![json!(2e30)], vec![json!(1.5)]),
        (
            json!({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"type": "null"}}}),
            vec![json!(null)],
            vec![json!(1)],
        ),
        (
            json!({"$id": "https://example.org/s", "$schema": "any", "format": "email", "x-own": 1}),
            vec![json!("no")],
            vec![],
        ),
    ];
    for (schema, good, bad) in cases {
        for value in good {
            assert_eq!(wrong(&schema, &value), [""; 0], "{schema} takes {value}");
        }
        for value in bad {
            assert_ne!(wrong(&schema, &value), [""; 0], "{schema} doesn't take {value}");
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
    left: u8,
    #[serde(default)]
    tags: Vec<String>,
    next: Option<Box<Item>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    Circle { radius: f64 },
    Group { shapes: Vec<Shape> },
    Nothing,
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum StockError {
    OutOfStock { left: u32 },
    Closed,
}

#[test]
fn a_mismatch_names_the_place_and_what_belongs_there() {
    let items = Outputs::of::<Vec<Item>>();
    let say = |value| wrong(&items, &value);
    assert_eq!(say(json!([{"name": "tea", "left": 3, "next": {"name": "x", "left": 1}}])), [""; 0]);
    assert_eq!(say(json!({})), ["at /: expected a list, found an object"]);
    assert_eq!(
        say(json!([{"name": "tea", "left": 300}, {"name": null, "left": 1, "tags": ["a", 5]}])),
        [
            "at /0/left: expected a number from 0 to 255, found `300`",
            "at /1/name: expected a text, found null",
            "at /1/tags/1: expected a text, found `5`",
        ]
    );
    assert_eq!(
        say(json!([{"name": "tea", "next": {"name": "x", "left": "many"}}])),
        [
            "at /0/left: expected a whole number from 0 to 255, found nothing",
            "at /0/next/left: expected a whole number from 0 to 255, found the text `many`",
        ]
    );
    let inputs = Inputs::new()
        .argument::<&str>("title", Placement::ByMethod)
        .argument::<Option<u32>>("limit", Placement::ByMethod)
        .build();
    let say = |value| wrong(&inputs, &value);
    assert_eq!(say(json!({"title": "t", "limit": null})), [""; 0]);
    assert_eq!(
        say(json!({"titel": "t", "x": 1})),
        [
            "at /title: expected a text, found nothing",
            "at /titel: unknown key: did you mean `title`?",
            "at /x: unknown key: use `limit` or `title`",
        ]
    );
}

#[test]
fn of_alternatives_the_one_that_was_meant_is_explained() {
    let shape = Outputs::of::<Shape>();
    let say = |value| wrong(&shape, &value);
    assert_eq!(say(json!({"kind": "group", "shapes": [{"kind": "nothing"}]})), [""; 0]);
    assert_eq!(
        say(json!({"kind": "group", "shapes": [{"kind": "circle", "radius": "1"}]})),
        ["at /shapes/0/radius: expected a number, found the text `1`"]
    );
    assert!(say(json!("circle"))[0].starts_with("at /: expected an object"), "{:?}", say(json!("circle")));
    let error = Outputs::of::<StockError>();
    let say = |value| wrong(&error, &value);
    assert_eq!(say(json!({"OutOfStock": {"left": 1}})), [""; 0]);
    assert_eq!(
        say(json!({"OutOfStock": {}})),
        ["at /OutOfStock/left: expected a whole number from 0 to 4294967295, found nothing"]
    );
    assert_eq!(
        say(json!("Shut")),
        ["at /: expected `Closed` or an object with `OutOfStock`, found the text `Shut`"]
    );
}

#[test]
fn a_schema_that_cannot_be_used_is_refused_with_what_to_write() {
    for (schema, said) in [
        (json!([]), "at /: a schema is an object, `true` or `false`"),
        (
            json!({"type": "int"}),
            "at /type: there is no type `int`: use null, boolean, integer, number, string, array or object",
        ),
        (json!({"minimum": "1"}), "at /minimum: `minimum` must be a number"),
        (json!({"multipleOf": 0}), "at /multipleOf: `multipleOf` must be a number above 0"),
        (json!({"required": "a"}), "at /required: `required` must be a list of texts"),
        (json!({"anyOf": []}), "at /anyOf: `anyOf` must be a list of schemas"),
        (
            json!({"properties": {"a": {"items": [{}]}}}),
            "at /properties/a/items: `items` is one schema for all items: write `prefixItems` for a list of schemas",
        ),
        (
            json!({"$ref": "https://example.org/x"}),
            "at /$ref: the reference `https://example.org/x` leads out of the schema: use one that begins with `#/`, such as `#/$defs/item`",
        ),
        (
            json!({"$ref": "file:///etc/passwd"}),
            "at /$ref: the reference `file:///etc/passwd` leads out of the schema: use one that begins with `#/`, such as `#/$defs/item`",
        ),
        (
            json!({"$ref": "#anchor"}),
            "at /$ref: the reference `#anchor` leads out of the schema: use one that begins with `#/`, such as `#/$defs/item`",
        ),
        (json!({"$ref": "#/$defs/a"}), "at /$ref: the reference `#/$defs/a` leads nowhere"),
        (
            json!({"$dynamicRef": "#a"}),
            "at /$dynamicRef: `$dynamicRef` isn't supported: use `$ref` and `$defs`",
        ),
        (
            json!({"items": {"$id": "https://example.org/"}}),
            "at /items/$id: `$id` isn't supported: use `$ref` and `$defs`",
        ),
        (json!({"$ref": "#"}), "at /: the schema refers to itself for the same value, without end"),
        (
            json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}, "items": {"$ref": "#/$defs/a"}}),
            "at /items: the schema refers to itself for the same value, without end",
        ),
    ] {
        assert_eq!(refused(&schema), [said], "{schema}");
    }
    for pattern in ["(", "(?=a)", "(a)\\1", "a{1000}{1000}{1000}", &"a".repeat(2000)] {
        let said = refused(&json!({ "pattern": pattern }));
        assert!(said[0].starts_with("at /pattern: the pattern can't be used: "), "{said:?}");
    }
    let many: Vec<Value> = (0..6000).map(|_| json!({})).collect();
    assert_eq!(
        refused(&json!({ "allOf": many })),
        ["at /: 6001 schemas inside of the schema: at most 5000 are allowed"]
    );
    let chain: serde_json::Map<_, _> =
        (0..100).map(|i| (format!("a{i}"), json!({"$ref": format!("#/$defs/a{}", i + 1)}))).collect();
    let mut chain = json!({"$ref": "#/$defs/a0", "$defs": chain});
    chain["$defs"]["a100"] = json!({});
    assert_eq!(refused(&chain), ["at /: references and alternatives for one value lie more than 32 deep"]);
}

#[test]
fn all_that_is_wrong_with_a_definition_is_told_with_its_place() {
    let socket = json!({
        "name": "s",
        "metadata": {"results": "maybe"},
        "endpoints": {"e": {
            "calls": [{"type": "script", "name": "a", "methods": ["GET"]}],
            "metadata": {"GET": {"inputs": {"type": "int"}, "outputs": {"$ref": "http://a/"}}},
        }},
    });
    let violations = syncano_core::Socket::from_json(&socket).unwrap_err();
    let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(
        violations[0],
        "at /metadata/results: `results` is `\"enforce\"` or `\"warn\"`: write one of them"
    );
    assert!(violations[1].starts_with("at /endpoints/e/metadata/GET/inputs/type: there is no type `int`"));
    assert!(
        violations[2]
            .starts_with("at /endpoints/e/metadata/GET/outputs/$ref: the reference `http://a/` leads out")
    );
}

/// What takes exponential time in validators that go through every alternative.
#[test]
fn no_check_takes_long() {
    let twice = |target: usize| {
        let reference = json!({"$ref": format!("#/$defs/a{target}")});
        json!({"anyOf": [reference, reference]})
    };
    let mut definitions: serde_json::Map<_, _> = (0..15).map(|i| (format!("a{i}"), twice(i + 1))).collect();
    definitions.insert("a15".to_owned(), json!({"type": "string"}));
    let nest = json!({"items": {"$ref": "#/$defs/a0"}, "$defs": definitions});
    let untagged = json!({"$ref": "#/$defs/e", "$defs": {"e": {"anyOf": [
        {"type": "object", "properties": {"child": {"$ref": "#/$defs/e"}, "a": {"type": "null"}}},
        {"type": "object", "properties": {"child": {"$ref": "#/$defs/e"}, "b": {"type": "null"}}},
    ]}}});
    let mut deep = json!({"child": 1});
    for _ in 0..60 {
        deep = json!({ "child": deep });
    }
    let catastrophe = json!({"items": {"pattern": "^(a+)+(a+)+(a+)+$"}});
    let text = "a".repeat(10_000) + "!";
    let lists: Vec<Value> = (0..1000).map(Value::from).collect();
    let texts: Vec<Value> = (0..50).map(|_| Value::from(text.as_str())).collect();
    for (schema, value) in [(nest, Value::from(lists)), (untagged, deep), (catastrophe, Value::from(texts))] {
        let schema = compiled(&schema);
        let start = Instant::now();
        assert_ne!(schema.check(&value, 512 * 1024), []);
        // Milliseconds in fact; without a bound it would be years.
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}

/// What was found: an AST with a tag, forty levels deep, its error at the bottom.
#[test]
fn tags_tell_alternatives_apart_before_what_they_hold() {
    let schema = compiled(&Outputs::of::<Shape>());
    let mut deep = json!({"kind": "circle", "radius": null});
    let mut place = String::new();
    for _ in 0..50 {
        deep = json!({"kind": "group", "shapes": [deep]});
        place += "/shapes/0";
    }
    assert_eq!(
        schema.check(&deep, 2_000).iter().map(ToString::to_string).collect::<Vec<_>>(),
        [format!("at {place}/radius: expected a number, found null")]
    );
}

#[test]
fn the_deepest_value_fits_on_a_small_stack() {
    let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [
        {"type": "integer"},
        {"allOf": [{"allOf": [{"allOf": [{"type": "array", "items": {"$ref": "#/$defs/a"}}]}]}]},
    ]}}});
    let schema = compiled(&schema);
    let text = "[".repeat(120) + &"]".repeat(120);
    let value: Value = serde_json::from_str(&text).unwrap();
    // As the threads of a server have it.
    let check = move || schema.check(&value, 240).len();
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "const",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "multipleOf",
        "minLength",
        "pattern",
        "items",
        "prefixItems",
        "contains",
        "minContains",
        "uniqueItems",
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "$ref",
        "$defs",
        "$id",
        "$dynamicRef",
        "format",
        "a",
        "string",
        "integer",
        "object",
        "array",
        "#",
        "#/$defs/a",
        "#/properties/a",
        "uint8",
        "^(a+)+$",
        "\\d",
        "x-syncano-in",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        "\\PC{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Whatever the derives say must fit what they write.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
struct Everything {
    small: u8,
    large: i64,
    float: f64,
    letter: char,
    option: Option<u32>,
    list: Vec<(String, bool)>,
    map: BTreeMap<String, u16>,
    by_number: BTreeMap<i32, String>,
    set: HashSet<String>,
    unit: (),
    choice: Choice,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
enum Choice {
    Unit,
    Newtype(i32),
    Tuple(u8, String),
    Struct { deep: Option<Box<Choice>> },
}

fn choice() -> impl Strategy<Value = Choice> {
    let leaf = prop_oneof![
        Just(Choice::Unit),
        any::<i32>().prop_map(Choice::Newtype),
        (any::<u8>(), "\\PC{0,4}").prop_map(|(number, text)| Choice::Tuple(number, text)),
    ];
    leaf.prop_recursive(4, 8, 1, |inner| {
        prop::option::of(inner).prop_map(|deep| Choice::Struct { deep: deep.map(Box::new) })
    })
}

proptest! {
    #[test]
    fn no_value_is_a_schema_that_panics(schema in any_json(), value in any_json()) {
        if let Ok(schema) = CompiledSchema::new(&schema) {
            schema.check(&value, 100);
            schema.check(&json!({"a": value}), 100);
        }
    }

    #[test]
    fn what_serde_writes_fits_the_schema_of_its_type(
        numbers in (any::<u8>(), any::<i64>(), -1e300..1e300, any::<char>(), any::<Option<u32>>()),
        list in prop::collection::vec(("\\PC{0,4}", any::<bool>()), 0..3),
        map in prop::collection::btree_map("\\PC{0,4}", any::<u16>(), 0..3),
        by_number in prop::collection::btree_map(any::<i32>(), "\\PC{0,4}", 0..3),
        set in prop::collection::hash_set("\\PC{0,4}", 0..3),
        choice in choice(),
    ) {
        let (small, large, float, letter, option) = numbers;
        let value = Everything { small, large, float, letter, option, list, map, by_number, set, unit: (), choice };
        let value = serde_json::to_value(&value).unwrap();
        prop_assert_eq!(wrong(&Outputs::of::<Everything>(), &value), [""; 0]);
        let inputs = Inputs::new().argument::<Everything>("all", Placement::Body).build();
        prop_assert_eq!(wrong(&inputs, &json!({"all": value})), [""; 0]);
    }
}
