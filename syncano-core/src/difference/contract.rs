//! Whether those who call by one contract can go on under another.

use std::borrow::Cow;

use serde_json::Value;

use crate::{Incompatibility, Method, Path, Placement, Reason, fits};

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
