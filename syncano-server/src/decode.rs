//! Turns texts of a query or a form into values by the schema of the argument they are for.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Number, Value};
use syncano_core::numbers;

use crate::json_text;

/// References and nesting followed; a schema may refer to itself.
const DEEPEST: usize = 16;

/// What a value must be like.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'a> {
    schema: &'a Value,
    /// Where references lead.
    root: &'a Value,
    depth: usize,
}

/// What texts say.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) value: Value,
    /// The value as it was written, if a [`Value`] might not keep that: the order of keys, and whole numbers of many digits.
    pub(crate) json: Option<String>,
    /// Whether it is what the schema asks for, as far as this is looked at here.
    pub(crate) fits: bool,
}

impl Decoded {
    fn new(value: impl Into<Value>, fits: bool) -> Decoded {
        Decoded { value: value.into(), json: None, fits }
    }

    fn of_json(Json { value, text }: Json<'_>) -> Decoded {
        let keeps_order = value.is_object() || value.is_array();
        let json = (keeps_order || numbers::has_long(text.as_bytes())).then(|| text.to_owned());
        Decoded { value, json, fits: true }
    }

    fn list(items: Vec<Decoded>) -> Decoded {
        let fits = items.iter().all(|item| item.fits);
        let json = items.iter().any(|item| item.json.is_some()).then(|| {
            let texts: Vec<Cow<'_, str>> = items.iter().map(Decoded::to_json).collect();
            format!("[{}]", texts.join(","))
        });
        Decoded { value: items.into_iter().map(|item| item.value).collect(), json, fits }
    }

    fn to_json(&self) -> Cow<'_, str> {
        self.json.as_deref().map_or_else(|| self.value.to_string().into(), Cow::Borrowed)
    }
}

/// A text that is JSON.
struct Json<'t> {
    value: Value,
    text: &'t str,
}

impl<'t> Json<'t> {
    fn read(text: &'t str) -> Option<Json<'t>> {
        let value = serde_json::from_str(text).ok();
        let value = value.or_else(|| {
            // A whole number that no float holds.
            numbers::has_long(text.as_bytes()).then(|| json_text::read(text.as_bytes()).ok()).flatten()
        });
        Some(Json { value: value?, text })
    }

    /// The items, if it is a list.
    fn items(text: &'t str) -> Option<Vec<Json<'t>>> {
        if !text.trim_start().starts_with('[') {
            return None;
        }
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        items.into_iter().map(|item| Json::read(item.get())).collect()
    }

    fn is_whole(&self) -> bool {
        match &self.value {
            Value::Number(number) => {
                let is_long =
                    || numbers::has_long(self.text.as_bytes()) && !self.text.contains(['.', 'e', 'E']);
                number.is_i64() || number.is_u64() || is_long()
            }
            _ => false,
        }
    }
}

impl<'a> Schema<'a> {
    /// The schema of an argument; references lead into `root`.
    pub(crate) fn new(schema: &'a Value, root: &'a Value) -> Schema<'a> {
        Schema { schema, root, depth: 0 }
    }

    fn with(&self, schema: &'a Value) -> Schema<'a> {
        Schema { schema, root: self.root, depth: self.depth + 1 }
    }

    /// Whether a list is the only thing the argument can be, so that no value at all is an empty list.
    pub(crate) fn is_list(&self) -> bool {
        let alternatives = self.alternatives();
        !alternatives.is_empty() && alternatives.iter().all(Schema::is_only_list)
    }

    /// Whether generated clients should send it as JSON: objects, and lists of anything but plain values.
    pub(crate) fn travels_as_json(&self) -> bool {
        let alternatives = self.alternatives();
        let is_complex = |schema: &&Schema<'_>| {
            let items = schema.schema.get("items").map(|items| schema.with(items).alternatives());
            let plain = |item: &Schema<'_>| !item.has_type("object") && !item.has_type("array");
            schema.has_type("object")
                || (schema.has_type("array") && !items.is_some_and(|items| items.iter().all(plain)))
        };
        let mut values =
            alternatives.iter().filter(|schema| !schema.has_type("null") || schema.has_type("object"));
        values.clone().next().is_some() && values.all(|schema| is_complex(&schema))
    }

    /// Whether `null` is one of the things that the argument can be.
    pub(crate) fn admits_null(&self) -> bool {
        self.alternatives().iter().any(|schema| schema.has_type("null"))
    }

    /// Decodes the values of one key in their order. What can't be decoded stays a text: whoever checks the value by the
    /// schema says what is wrong with it.
    pub(crate) fn decode(&self, values: &[&str]) -> Decoded {
        let alternatives = self.alternatives();
        let list = alternatives.iter().find(|schema| schema.has_type("array"));
        match (list, values) {
            (Some(list), [text]) if alternatives.len() > 1 || !list.is_only_list() => {
                // A list that may also be something else, `null` for one.
                let items = list.list(values);
                match self.text(text) {
                    value if !items.fits && value.fits => value,
                    _ => items,
                }
            }
            (Some(list), values) => list.list(values),
            // As everywhere in HTTP libraries of old, the last one counts.
            (None, [.., text]) => self.text(text),
            (None, []) => Decoded::new(Value::Null, false),
        }
    }

    /// A repeated key is a list; a single value may also hold the whole list as JSON.
    fn list(&self, values: &[&str]) -> Decoded {
        let prefix = self.schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let items = self.schema.get("items");
        let item = |index: usize| prefix.get(index).or(items).map(|schema| self.with(schema));
        if let [text] = values
            && let Some(items) = Json::items(text)
            && (0..).zip(&items).all(|(index, json)| item(index).is_none_or(|schema| schema.admits(json)))
        {
            return Decoded::list(items.into_iter().map(Decoded::of_json).collect());
        }
        let items = values.iter().enumerate().map(|(index, text)| match item(index) {
            None => Decoded::new(*text, true),
            Some(item) => item.text(text),
        });
        Decoded::list(items.collect())
    }

    /// Decodes one text: as the narrowest thing that the schema admits, as a string last.
    fn text(&self, text: &str) -> Decoded {
        let alternatives = self.alternatives();
        if alternatives.is_empty() {
            return Json::read(text).map_or_else(|| Decoded::new(text, true), Decoded::of_json);
        }
        if let Some(value) = alternatives.iter().find_map(|schema| schema.listed(text)) {
            return Decoded::new(value, true);
        }
        // What is `null` isn't sent at all where the whole may be a text.
        let is_text = |value: &Value| {
            value.is_string()
                || (value.is_null() && alternatives.iter().any(|schema| schema.has_type("string")))
        };
        if let Some(json) = Json::read(text)
            && !is_text(&json.value)
            && alternatives.iter().any(|schema| schema.admits(&json))
        {
            return Decoded::of_json(json);
        }
        let string = Json { value: Value::from(text), text };
        let fits = alternatives.iter().any(|schema| schema.admits(&string));
        Decoded::new(string.value, fits)
    }

    /// The value that this text names, where a schema lists its values.
    fn listed(&self, text: &str) -> Option<Value> {
        let named = |value: &&Value| match value {
            Value::String(string) => string == text,
            other => serde_json::from_str(text).is_ok_and(|named: Value| named == **other),
        };
        self.schema.get("const").into_iter().chain(self.values()).find(named).cloned()
    }

    fn values(&self) -> impl Iterator<Item = &'a Value> {
        self.schema.get("enum").and_then(Value::as_array).into_iter().flatten()
    }

    /// Whether the value has the right kind and, for a number, size. What is inside an object or a list is the
    /// script's business.
    fn admits(&self, json: &Json<'_>) -> bool {
        let alternatives = self.alternatives();
        alternatives.is_empty() || alternatives.iter().any(|schema| schema.admits_alone(json))
    }

    fn admits_alone(&self, json: &Json<'_>) -> bool {
        let value = &json.value;
        if let Some(only) = self.schema.get("const") {
            return value == only;
        }
        if self.schema.get("enum").is_some() {
            return self.values().any(|listed| listed == value);
        }
        let bound = |key| self.schema.get(key).and_then(Value::as_f64);
        let within = |number: &Number| {
            let number = number.as_f64().unwrap_or(f64::NAN);
            bound("minimum").is_none_or(|least| number >= least)
                && bound("maximum").is_none_or(|most| number <= most)
        };
        match value {
            Value::Null => self.has_type("null"),
            Value::Bool(_) => self.has_type("boolean"),
            Value::String(_) => self.has_type("string"),
            Value::Array(_) => self.has_type("array"),
            Value::Object(_) => self.has_type("object"),
            Value::Number(number) => {
                (self.has_type("number") || (self.has_type("integer") && json.is_whole())) && within(number)
            }
        }
    }

    fn has_type(&self, name: &str) -> bool {
        match self.schema.get("type") {
            Some(Value::String(only)) => only == name,
            Some(Value::Array(several)) => several.iter().any(|one| one == name),
            _ => false,
        }
    }

    fn is_only_list(&self) -> bool {
        match self.schema.get("type") {
            Some(Value::Array(several)) => several.iter().all(|one| one == "array"),
            _ => self.has_type("array"),
        }
    }

    /// The schemas of which one must fit: references followed, `anyOf` and `oneOf` opened. Empty: anything fits.
    fn alternatives(&self) -> Vec<Schema<'a>> {
        let mut found = Vec::new();
        if self.collect(&mut found) { found } else { Vec::new() }
    }

    /// Whether the schemas narrow what fits.
    fn collect(&self, found: &mut Vec<Schema<'a>>) -> bool {
        let Some(object) = self.schema.as_object().filter(|_| self.depth <= DEEPEST) else { return false };
        if let Some(target) = object.get("$ref").and_then(Value::as_str) {
            let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.is_some_and(|target| self.with(target).collect(found));
        }
        if let Some(several) = object.get("anyOf").or_else(|| object.get("oneOf")).and_then(Value::as_array) {
            return several.iter().all(|schema| self.with(schema).collect(found));
        }
        found.push(*self);
        ["type", "const", "enum"].iter().any(|key| object.contains_key(*key))
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;
    use serde_json::json;
    use syncano_core::{Inputs, Placement};

    use super::*;

    #[derive(Serialize, JsonSchema)]
    #[allow(dead_code)]
    struct Item {
        name: String,
        next: Option<Box<Item>>,
    }

    #[derive(Serialize, JsonSchema)]
    #[allow(dead_code)]
    enum Color {
        Red,
        Green,
        /// With a number.
        Custom(u32),
    }

    /// What the values of one key become.
    fn decode<T: JsonSchema>(values: &[&str]) -> Value {
        let inputs = Inputs::new().argument::<T>("arg", Placement::ByMethod).build();
        Schema::new(&inputs["properties"]["arg"], &inputs).decode(values).value
    }

    #[test]
    fn scalars() {
        assert_eq!(decode::<String>(&["5"]), json!("5"));
        assert_eq!(decode::<u8>(&["5"]), json!(5));
        assert_eq!(decode::<i64>(&["-5"]), json!(-5));
        assert_eq!(decode::<f64>(&["1.5"]), json!(1.5));
        assert_eq!(decode::<f64>(&["2"]), json!(2));
        assert_eq!(decode::<bool>(&["true"]), json!(true));
        assert_eq!(decode::<String>(&["a", "b"]), json!("b"));
        for bad in ["x", "", "1.5", "-1", "256", "true", "\"5\""] {
            assert_eq!(decode::<u8>(&[bad]), json!(bad), "a text stays one");
        }
        assert_eq!(decode::<bool>(&["1"]), json!("1"));
    }

    #[test]
    fn options() {
        assert_eq!(decode::<Option<u32>>(&["7"]), json!(7));
        assert_eq!(decode::<Option<u32>>(&["null"]), json!(null));
        assert_eq!(decode::<Option<u32>>(&["x"]), json!("x"));
        assert_eq!(decode::<Option<String>>(&["x"]), json!("x"));
        assert_eq!(decode::<Option<String>>(&["null"]), json!("null"));
        assert_eq!(decode::<Option<Vec<u8>>>(&["1", "2"]), json!([1, 2]));
    }

    #[test]
    fn lists() {
        assert_eq!(decode::<Vec<String>>(&["a"]), json!(["a"]));
        assert_eq!(decode::<Vec<String>>(&["1", "2"]), json!(["1", "2"]));
        assert_eq!(decode::<Vec<u32>>(&["1", "2"]), json!([1, 2]));
        assert_eq!(decode::<Vec<u32>>(&["[1,2]"]), json!([1, 2]));
        assert_eq!(decode::<Vec<Vec<u32>>>(&["[1]", "[2]"]), json!([[1], [2]]));
        assert_eq!(decode::<Vec<Vec<u32>>>(&["[1]"]), json!([[1]]));
        assert_eq!(decode::<Vec<Item>>(&[r#"{"name":"a"}"#]), json!([{"name": "a"}]));
        assert_eq!(decode::<Vec<Item>>(&[r#"[{"name":"a"}]"#]), json!([{"name": "a"}]));
        assert_eq!(decode::<Vec<u32>>(&["1", "x"]), json!([1, "x"]));
        assert_eq!(decode::<(u8, String, bool)>(&["1", "2", "true"]), json!([1, "2", true]));
        assert_eq!(decode::<(u8, u8)>(&["1", "x", "2"]), json!([1, "x", "2"]));
    }

    #[test]
    fn objects_and_enums() {
        assert_eq!(decode::<Item>(&[r#"{"name":"a"}"#]), json!({"name": "a"}));
        assert_eq!(decode::<Item>(&["a"]), json!("a"));
        assert_eq!(decode::<Color>(&["Red"]), json!("Red"));
        assert_eq!(decode::<Color>(&[r#"{"Custom":3}"#]), json!({"Custom": 3}));
        assert_eq!(decode::<Color>(&["Blue"]), json!("Blue"));
        assert_eq!(decode::<Value>(&["5"]), json!(5));
        assert_eq!(decode::<Value>(&["five"]), json!("five"));
    }

    #[test]
    fn a_schema_in_a_circle_admits_anything() {
        let root = json!({"$defs": {"a": {"$ref": "#/$defs/a"}}});
        let schema = json!({"$ref": "#/$defs/a"});
        assert_eq!(Schema::new(&schema, &root).decode(&["x"]).value, json!("x"));
    }
}
