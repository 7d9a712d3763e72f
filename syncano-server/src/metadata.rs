//! What an endpoint says about itself, kept as text: as values it would take ten times the memory, and a call needs little of it.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use syncano_core::{Method, SCHEMA_KEYS, published_schema};

use crate::schemas::Kind;

/// The key of what is said of every method.
const ANY: &str = "*";

/// The metadata of an installed endpoint.
pub(crate) struct Metadata {
    /// All of it, a JSON object.
    text: Box<str>,
    /// Which methods have schemas, and whether those stand under `*`.
    schemas: Box<[(Method, Kind, bool)]>,
    /// What `META` shows of it to methods that have no part of their own; `None` if that is nothing.
    visible: Option<Box<RawValue>>,
    /// What it shows to the others.
    parts: Box<[(Method, Box<RawValue>)]>,
}

impl Metadata {
    pub(crate) fn new(metadata: &Map<String, Value>) -> Metadata {
        let pairs = Method::ALL.into_iter().flat_map(|method| Kind::CHECKED.map(|kind| (method, kind)));
        let schemas = pairs.filter_map(|(method, kind)| {
            let (key, _) = published_schema(metadata, method, kind.key())?;
            Some((method, kind, key == ANY))
        });
        let mut visible = metadata.clone();
        for key in Method::ALL.into_iter().map(Method::as_str).chain([ANY]) {
            let Some(Value::Object(part)) = visible.get_mut(key) else { continue };
            let before = part.len();
            part.retain(|key, _| !SCHEMA_KEYS.contains(&key.as_str()));
            if part.is_empty() && before > 0 {
                visible.remove(key);
            }
        }
        let parts = Method::ALL.into_iter().filter_map(|method| match visible.get(method.as_str()) {
            Some(part @ Value::Object(fields)) if !fields.is_empty() => Some((method, raw(part))),
            _ => None,
        });
        Metadata {
            text: Value::Object(metadata.clone()).to_string().into(),
            schemas: schemas.collect(),
            parts: parts.collect(),
            visible: (!visible.is_empty()).then(|| raw(&Value::Object(visible))),
        }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Map<String, Value> {
        serde_json::from_str(&self.text).expect("it was written from an object")
    }

    /// The key under which the schema for this method stands, if there is one.
    pub(crate) fn schema_key(&self, method: Method, kind: Kind) -> Option<&'static str> {
        let stands = |(of, what, _): &&(Method, Kind, bool)| *of == method && *what == kind;
        self.schemas.iter().find(stands).map(|(_, _, any)| if *any { ANY } else { method.as_str() })
    }

    /// The schema that stands under a key.
    pub(crate) fn schema(&self, key: &str, kind: Kind) -> Value {
        let mut whole = self.whole();
        whole.get_mut(key).and_then(|part| part.get_mut(kind.key())).map(Value::take).unwrap_or_default()
    }

    /// What `META` shows: the part for this method if there is one, and never a schema.
    pub(crate) fn visible(&self, method: Method) -> &RawValue {
        match self.parts.iter().find(|(of, _)| *of == method) {
            Some((_, part)) => part,
            None => self.visible.as_deref().unwrap_or_else(|| nothing()),
        }
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("a value's text is JSON")
}

fn nothing() -> &'static RawValue {
    serde_json::from_str("{}").expect("it is JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(value: Value) -> Metadata {
        Metadata::new(value.as_object().unwrap())
    }

    fn visible(metadata: &Metadata, method: Method) -> Value {
        serde_json::from_str(metadata.visible(method).get()).unwrap()
    }

    #[test]
    fn meta_shows_the_part_for_the_method_without_schemas() {
        let whole = json!({
            "title": "t",
            "GET": {"inputs": {}, "note": "n"},
            "POST": {"inputs": {}, "outputs": {}, "errors": {}},
        });
        let metadata = metadata(whole.clone());
        assert_eq!(visible(&metadata, Method::Get), json!({"note": "n"}));
        let rest = json!({"title": "t", "GET": {"note": "n"}});
        assert_eq!(visible(&metadata, Method::Post), rest);
        assert_eq!(visible(&metadata, Method::Put), rest);
        assert_eq!(Value::Object(metadata.whole()), whole);
    }

    #[test]
    fn nothing_but_schemas_shows_nothing() {
        let metadata = metadata(json!({"*": {"inputs": {}, "errors": {}}}));
        assert_eq!(visible(&metadata, Method::Get), json!({}));
    }

    #[test]
    fn inputs_of_the_method_come_before_those_of_all() {
        let metadata =
            metadata(json!({"GET": {"inputs": {"a": 1}, "outputs": null}, "*": {"inputs": {"b": 1}}}));
        let found = |method, kind| metadata.schema_key(method, kind).map(|key| metadata.schema(key, kind));
        assert_eq!(found(Method::Get, Kind::Inputs), Some(json!({"a": 1})));
        assert_eq!(found(Method::Put, Kind::Inputs), Some(json!({"b": 1})));
        assert_eq!(found(Method::Get, Kind::Outputs), None);
    }
}
