//! Makes schemas from Rust types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{PLACEMENT, Placement, accepted, reading};
use crate::Map;

/// Makes the `inputs` schema of a call: an object with a property for each argument.
///
/// ```
/// use syncano_core::{Inputs, Placement};
///
/// let inputs = Inputs::new()
///     .argument::<String>("text", Placement::ByMethod)
///     .argument::<Option<u32>>("limit", Placement::ByMethod)
///     .build();
/// assert_eq!(inputs["required"], serde_json::json!(["text"]));
/// assert_eq!(inputs["additionalProperties"], false);
/// ```
pub struct Inputs {
    generator: SchemaGenerator,
    properties: Map,
    order: Vec<String>,
}

impl Default for Inputs {
    fn default() -> Self {
        Inputs::new()
    }
}

impl Inputs {
    /// No arguments yet.
    pub fn new() -> Inputs {
        // What the caller sends is what serde serialises.
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        Inputs { generator, properties: Map::new(), order: Vec::new() }
    }

    /// Adds an argument. One whose type admits `null` may be left out.
    pub fn argument<T: JsonSchema + ?Sized>(mut self, name: &str, placement: Placement) -> Inputs {
        let mut schema = self.generator.subschema_for::<T>();
        let mark = match placement {
            Placement::ByMethod => None,
            Placement::Body => Some("body"),
            Placement::Query => Some("query"),
        };
        if let Some(mark) = mark {
            schema.insert(PLACEMENT.to_owned(), mark.into());
        }
        self.properties.insert(name.to_owned(), schema.to_value());
        self.order.push(name.to_owned());
        self
    }

    /// The schema.
    pub fn build(mut self) -> Value {
        let definitions = self.generator.take_definitions(true);
        let required: Vec<&String> =
            self.order.iter().filter(|name| !admits_null(&self.properties[*name], &definitions, 0)).collect();
        let mut inputs = json!({
            "type": "object",
            "properties": self.properties,
            "required": required,
            "additionalProperties": false,
        });
        if !definitions.is_empty() {
            inputs["$defs"] = Value::Object(definitions);
        }
        inputs
    }
}

/// Makes the `outputs` and `errors` schemas of a call: what the script must answer, and what it may raise.
pub struct Outputs;

impl Outputs {
    /// Returns the schema of what serde reads as a `T`.
    ///
    /// It is schemars' schema, and accepts besides what serde does: the names of `#[serde(alias)]`, any variant where one is
    /// `#[serde(other)]`, and for a number, a truth or a list the other kinds of values that its `deserialize_with` takes.
    ///
    /// serde doesn't tell the aliases of fields in variants that have a tag or are untagged, in structs with a flattened field, and
    /// in types that are flattened. Name them there: `#[schemars(extend("x-syncano-aliases" = ["old_name"]))]`.
    ///
    /// ```
    /// use syncano_core::Outputs;
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// enum State {
    ///     Open,
    ///     #[serde(alias = "done")]
    ///     Closed,
    /// }
    ///
    /// assert_eq!(Outputs::read_as::<State>()["enum"], serde_json::json!(["Open", "Closed", "done"]));
    /// ```
    pub fn read_as<T: JsonSchema + DeserializeOwned>() -> Value {
        let mut schema = Outputs::of::<T>();
        accepted::widen(&mut schema, &reading::ask::<T>);
        schema
    }

    /// Returns schemars' schema of `T`, as serde's names have it.
    pub fn of<T: JsonSchema + ?Sized>() -> Value {
        let mut schema =
            SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>();
        schema.remove("$schema");
        schema.to_value()
    }
}

/// Whether a schema made by schemars admits `null`. A reference that leads nowhere, or in a circle, doesn't.
fn admits_null(schema: &Value, definitions: &Map, depth: usize) -> bool {
    const DEEPEST: usize = 16;
    if depth > DEEPEST {
        return false;
    }
    let object = match schema {
        Value::Bool(anything) => return *anything,
        Value::Object(object) => object,
        _ => return false,
    };
    if let Some(target) = object.get("$ref").and_then(Value::as_str) {
        let name = target.trim_start_matches("#/$defs/");
        return definitions.get(name).is_some_and(|schema| admits_null(schema, definitions, depth + 1));
    }
    if let Some(one_of) = object.get("anyOf").or_else(|| object.get("oneOf")).and_then(Value::as_array) {
        return one_of.iter().any(|schema| admits_null(schema, definitions, depth + 1));
    }
    match object.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        // Without a type only `const` and `enum` narrow it.
        _ => match (object.get("const"), object.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => value.is_null(),
            (None, Some(values)) => values.contains(&Value::Null),
            (None, None) => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, JsonSchema)]
    #[allow(dead_code)]
    struct Item {
        name: String,
        next: Option<Box<Item>>,
    }

    #[test]
    fn definitions_lie_at_the_root_where_references_point() {
        let inputs = Inputs::new().argument::<Item>("item", Placement::Body).build();
        assert_eq!(inputs["properties"]["item"]["$ref"], "#/$defs/Item");
        assert_eq!(inputs["properties"]["item"]["x-syncano-in"], "body");
        assert!(inputs["$defs"]["Item"].is_object());
        assert_eq!(inputs["required"], json!(["item"]));
    }

    #[test]
    fn what_admits_null_may_be_left_out() {
        let inputs = Inputs::new()
            .argument::<Option<Item>>("item", Placement::ByMethod)
            .argument::<Value>("anything", Placement::ByMethod)
            .argument::<&str>("text", Placement::Query)
            .argument::<Vec<Option<u8>>>("list", Placement::ByMethod)
            .build();
        assert_eq!(inputs["required"], json!(["text", "list"]));
    }
}
