//! Whether those who call by one contract can go on under another.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::What;
use crate::{Incompatibility, Map, Method, Path, Placement, Reason, fits, published_schema};

/// The schemas by which one method of an endpoint is called.
///
/// ```
/// use serde_json::json;
/// use syncano_core::{Contract, Method};
///
/// let of = |metadata: serde_json::Value| Contract::of(metadata.as_object().unwrap(), Method::Get);
/// let built = of(json!({"GET": {"outputs": {"type": "integer"}}}));
/// let published = of(json!({"*": {"outputs": {"type": ["integer", "null"]}}}));
/// assert_ne!(built.fingerprint(), published.fingerprint());
/// let broken = built.broken_by(&published, Method::Get).unwrap();
/// assert_eq!(broken.incompatibility().unwrap().to_string(), "it may be `null`, and must be a whole number");
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Contract {
    /// Of the arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Value>,
    /// Of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Value>,
    /// Of the errors that the script raises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Value>,
}

impl Contract {
    /// What an endpoint's metadata says of a method.
    pub fn of(metadata: &Map, method: Method) -> Contract {
        let schema = |word| published_schema(metadata, method, word).map(|(_, schema)| schema.clone());
        Contract { inputs: schema("inputs"), outputs: schema("outputs"), errors: schema("errors") }
    }

    /// Whether there is no schema at all.
    pub fn is_empty(&self) -> bool {
        *self == Contract::default()
    }

    /// 16 hexadecimal digits that differ where the contracts do: FNV-1a, 64 bits, of their JSON with sorted keys. It tells
    /// contracts apart and proves nothing: whoever publishes one chooses it.
    pub fn fingerprint(&self) -> String {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        for schema in [&self.inputs, &self.outputs, &self.errors] {
            match schema {
                Some(schema) => hash.value(schema),
                None => hash.text("-"),
            }
        }
        format!("{:016x}", hash.0)
    }

    /// What breaks whoever calls by this contract, where the method is published with another. Where that says nothing
    /// there is nothing to compare.
    pub fn broken_by(&self, published: &Contract, method: Method) -> Option<What> {
        let both = |ours: &Option<Value>, theirs: &Option<Value>, fit: &dyn Fn(&Value, &Value) -> _| {
            ours.as_ref().zip(theirs.as_ref()).map_or(Ok(()), |(ours, theirs)| fit(ours, theirs))
        };
        let arguments = |ours: &Value, theirs: &Value| arguments_fit(method, ours, theirs);
        let parts = [
            What::Arguments(both(&self.inputs, &published.inputs, &arguments)),
            What::Results(both(&self.outputs, &published.outputs, &results_fit)),
            What::Errors(both(&self.errors, &published.errors, &results_fit)),
        ];
        parts.into_iter().find(|part| part.incompatibility().is_some())
    }
}

struct Fnv(u64);

impl Fnv {
    fn text(&mut self, text: &str) {
        // No text of JSON has this byte: two texts are not one longer one.
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                // The order depends on how serde_json was built.
                let mut keys: Vec<&String> = fields.keys().collect();
                keys.sort_unstable();
                self.text("{");
                for key in keys {
                    self.text(key);
                    self.value(&fields[key]);
                }
                self.text("}");
            }
            Value::Array(items) => {
                self.text("[");
                items.iter().for_each(|item| self.value(item));
                self.text("]");
            }
            leaf => self.text(&leaf.to_string()),
        }
    }
}

/// Whether arguments by the `inputs` schema `before` are accepted by the one `now`.
///
/// # Errors
/// The first argument that may not be.
pub fn arguments_fit(method: Method, before: &Value, now: &Value) -> Result<(), Incompatibility> {
    let (was, is) = (whole_body(before), whole_body(now));
    // The name of an argument that is the whole body doesn't travel.
    let before = match (was, is) {
        (Some(was), Some(is)) if was != is => Cow::Owned(renamed(before, was, is)),
        _ => Cow::Borrowed(before),
    };
    for (name, property) in properties(&before) {
        let Some(other) = properties(now).find_map(|(other, schema)| (other == name).then_some(schema))
        else {
            continue;
        };
        let (found, expected) = (travels(method, property), travels(method, other));
        if found != expected {
            let reason = Reason::Placement { found, expected };
            return Err(Incompatibility { path: Path::root().key(name), reason, witness: None });
        }
    }
    fits(&before, now)
}

/// Whether results, or errors, by the schema `now` are known to those who read by the one `before`.
///
/// # Errors
/// The first place where they may not be.
pub fn results_fit(before: &Value, now: &Value) -> Result<(), Incompatibility> {
    fits(now, before)
}

fn properties(inputs: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = inputs.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties.map(|(name, schema)| (name.as_str(), schema))
}

fn whole_body(inputs: &Value) -> Option<&str> {
    properties(inputs).find(|(_, schema)| Placement::of(schema) == Placement::Body).map(|(name, _)| name)
}

fn travels(method: Method, property: &Value) -> &'static str {
    match Placement::of(property) {
        Placement::Body => "as the whole body",
        Placement::ByMethod if method.has_body() => "as a key of the body",
        Placement::Query | Placement::ByMethod => "in the query",
    }
}

fn renamed(inputs: &Value, was: &str, is: &str) -> Value {
    let mut inputs = inputs.clone();
    if let Some(properties) = inputs.get_mut("properties").and_then(Value::as_object_mut)
        && let Some(schema) = properties.remove(was)
    {
        properties.insert(is.to_owned(), schema);
    }
    for name in inputs.get_mut("required").and_then(Value::as_array_mut).into_iter().flatten() {
        if name == was {
            *name = is.into();
        }
    }
    inputs
}
