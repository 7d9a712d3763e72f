//! The schema of a result accepts what serde reads as the type: each is asked about the same values.

// Tests state what they expect by unwrapping it; clippy.toml can't say so for their shared functions.
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use syncano_core::{CompiledSchema, Outputs, fits};

/// Checks that the type's schema and serde agree about each value; the texts of what the schema says.
#[track_caller]
fn agree<T: DeserializeOwned + JsonSchema>(values: &[Value]) -> Vec<String> {
    let schema = Outputs::read_as::<T>();
    let compiled = CompiledSchema::new(&schema).unwrap();
    let mut said = Vec::new();
    for value in values {
        let mismatches = compiled.check(value, value.to_string().len());
        let read = serde_json::from_value::<T>(value.clone());
        assert_eq!(
            mismatches.is_empty(),
            read.is_ok(),
            "{value}: {mismatches:?}, serde says {:?}\n{schema:#}",
            read.map(drop)
        );
        said.push(mismatches.first().map(ToString::to_string).unwrap_or_default());
    }
    assert_eq!(fits(&schema, &schema), Ok(()), "{schema:#}");
    said
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Renamed {
    #[serde(alias = "old_name", alias = "a")]
    name: String,
    #[serde(alias = "count", default)]
    number: u8,
    next: Option<Box<Renamed>>,
}

#[test]
fn aliases_of_fields() {
    let said = agree::<Renamed>(&[
        json!({"name": "x"}),
        json!({"old_name": "x"}),
        json!({"a": "x", "count": 3}),
        json!({"a": "x", "next": {"old_name": "y", "next": null}}),
        json!({"number": 3}),
        json!({"old_name": 3}),
        json!({"name": "x", "count": 300}),
        json!({"name": "x", "next": {"count": 3}}),
    ]);
    assert_eq!(said[4], "at /name: expected a text under `name`, `a` or `old_name`, found nothing");
    assert_eq!(said[5], "at /old_name: expected a text, found `3`");
    assert_eq!(said[7], "at /next/name: expected a text under `name`, `a` or `old_name`, found nothing");
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(alias = "b")]
    a: u8,
}

#[test]
fn aliases_where_no_other_key_may_be() {
    agree::<Strict>(&[json!({"a": 1}), json!({"b": 1}), json!({"c": 1}), json!({}), json!({"a": 1, "c": 1})]);
}

#[derive(Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
enum State {
    Open,
    #[serde(alias = "done")]
    Closed,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Lasting {
    /// Documented, so that each has a schema of its own.
    Open,
    /// Likewise.
    #[serde(alias = "done")]
    Closed,
    /// All others.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Shape {
    #[serde(alias = "Dot")]
    Point,
    #[serde(alias = "round")]
    Circle(f64),
    #[serde(alias = "flat")]
    Box {
        #[serde(alias = "w")]
        width: u8,
    },
    Pair(u8, #[serde(deserialize_with = "lenient")] u32),
    #[serde(other)]
    Unknown,
}

#[test]
fn variants() {
    let said = agree::<State>(&[json!("Open"), json!("done"), json!("Closed"), json!("Paused"), json!(3)]);
    assert_eq!(said[3], "at /: expected `Open`, `Closed` or `done`, found the text `Paused`");
    agree::<Lasting>(&[json!("Open"), json!("done"), json!("Paused"), json!(3), json!(null)]);
    agree::<Shape>(&[
        json!("Point"),
        json!("Dot"),
        json!("Triangle"),
        json!({"Circle": 1.5}),
        json!({"round": 1.5}),
        json!({"round": "1.5"}),
        json!({"Box": {"width": 1}}),
        json!({"flat": {"w": 1}}),
        json!({"flat": {"h": 1}}),
        json!({"Pair": [1, "5"]}),
        json!({"Pair": ["1", 5]}),
        json!({"Triangle": 3}),
    ]);
    agree::<HashMap<String, Vec<Option<State>>>>(&[json!({"a": ["done", null]}), json!({"a": ["gone"]})]);
    agree::<(u8, Renamed, State)>(&[
        json!([1, {"old_name": "x"}, "done"]),
        json!([1, {"old_name": "x"}, "gone"]),
        json!([1, {}, "done"]),
    ]);
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Event {
    #[serde(alias = "paid")]
    Paid { amount: f64 },
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Closed {
    #[serde(alias = "paid")]
    Paid {
        amount: f64,
    },
    Refunded(Strict),
    Free,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "is")]
enum Adjacent {
    #[serde(alias = "round")]
    Circle(f64),
    Box {
        #[serde(alias = "w")]
        #[schemars(extend("x-syncano-aliases" = ["w"]))]
        width: u8,
        #[serde(deserialize_with = "lenient")]
        height: u32,
    },
    Inner(Renamed),
    #[serde(other)]
    Unknown,
}

#[test]
fn variants_by_a_tag() {
    agree::<Event>(&[
        json!({"kind": "Paid", "amount": 1.5}),
        json!({"kind": "Paid", "amount": "1.5"}),
        json!({"kind": "Refunded"}),
        json!({"kind": "Refunded", "amount": "x"}),
        json!({"kind": 3}),
        json!({}),
    ]);
    let said = agree::<Closed>(&[
        json!({"kind": "Paid", "amount": 1.5}),
        json!({"kind": "paid", "amount": 1.5}),
        json!({"kind": "paid"}),
        json!({"kind": "Free"}),
        json!({"kind": "Lost"}),
        json!({"name": 3}),
    ]);
    assert_eq!(said[2], "at /amount: expected a number, found nothing");
    assert_eq!(said[4], "at /kind: expected `Paid`, `paid`, `Refunded` or `Free`, found the text `Lost`");
    assert_eq!(said[5], "at /kind: expected `Paid`, `paid`, `Refunded` or `Free`, found nothing");
    agree::<Adjacent>(&[
        json!({"kind": "Circle", "is": 1.5}),
        json!({"kind": "round", "is": 1.5}),
        json!({"kind": "round", "is": "x"}),
        json!({"kind": "Box", "is": {"w": 1, "height": "2"}}),
        json!({"kind": "Box", "is": {"w": 1, "height": []}}),
        json!({"kind": "Box", "is": {"h": 1, "height": 2}}),
        json!({"kind": "Inner", "is": {"old_name": "x"}}),
        json!({"kind": "Inner", "is": {"new_name": "x"}}),
        json!({"kind": "Triangle"}),
    ]);
}

fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| D::Error::custom("neither"))
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        More(Vec<String>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::One(one) => vec![one],
        Either::More(more) => more,
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Lenient {
    #[serde(deserialize_with = "lenient")]
    number: u32,
    #[serde(deserialize_with = "from_text", default)]
    float: Option<f64>,
    #[serde(deserialize_with = "one_or_more", default)]
    tags: Vec<String>,
    #[serde(default)]
    plain: u32,
}

/// What a schema narrows on purpose stays narrow.
#[derive(Debug, Deserialize, JsonSchema)]
struct Narrow {
    #[schemars(with = "u8")]
    anything: Value,
    #[schemars(with = "String")]
    text: Value,
    #[serde(deserialize_with = "lenient")]
    #[schemars(schema_with = "number_or_digits")]
    own: u32,
    #[schemars(range(min = 5))]
    large: u8,
}

fn number_or_digits(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 0 })
}

#[test]
fn values_of_other_kinds() {
    agree::<Lenient>(&[
        json!({"number": 5}),
        json!({"number": "5"}),
        json!({"number": true}),
        json!({"number": 5, "float": "1.5"}),
        json!({"number": 5, "tags": "one"}),
        json!({"number": 5, "tags": ["one", "two"]}),
        json!({"number": 5, "tags": 3}),
        json!({"number": 5, "plain": "5"}),
    ]);
    let schema = Outputs::read_as::<Narrow>();
    assert_eq!(schema, Outputs::of::<Narrow>());
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    kind: Event,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
    Box { width: u8 },
}

/// serde reads these in two steps, and doesn't tell their aliases.
#[derive(Debug, Deserialize, JsonSchema)]
struct Buffered {
    #[serde(alias = "number")]
    #[schemars(extend("x-syncano-aliases" = ["number"]))]
    id: u8,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct More {
    #[serde(alias = "old_name")]
    #[schemars(extend("x-syncano-aliases" = ["old_name"]))]
    name: String,
}

#[test]
fn aliases_that_are_named_by_hand() {
    agree::<Buffered>(&[
        json!({"id": 1, "name": "x"}),
        json!({"number": 1, "old_name": "x"}),
        json!({"number": 1, "old_name": 1}),
        json!({"number": "1", "name": "x"}),
        json!({"id": 1}),
        json!({"name": "x"}),
    ]);
}

/// Every other type has the schema that schemars makes.
#[test]
fn nothing_else_is_widened() {
    fn same<T: DeserializeOwned + JsonSchema>() {
        assert_eq!(Outputs::read_as::<T>(), Outputs::of::<T>(), "{}", std::any::type_name::<T>());
    }
    same::<Untagged>();
    same::<Value>();
    same::<Vec<Option<BTreeMap<u8, (bool, char, f32, i128)>>>>();
    same::<BTreeMap<String, std::net::IpAddr>>();
    same::<std::time::Duration>();
    same::<Result<u8, String>>();
    same::<std::num::NonZeroU8>();
    same::<Box<[u8; 4]>>();
    same::<std::collections::HashSet<u8>>();
    // Flattened fields are read in two steps.
    same::<Flat>();
    same::<syncano_core::Trace>();
}
