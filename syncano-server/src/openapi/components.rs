//! Schemas as parts of one document.
//!
//! Each schema of an endpoint is a document of its own: its references begin at its root. In an OpenAPI document they would begin at the
//! document's, so what they lead to becomes a component.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The components that there are.
#[derive(Default)]
pub(super) struct Components {
    schemas: Map<String, Value>,
    /// Which component a definition is, by what it says: sockets share types.
    known: BTreeMap<(String, String), String>,
}

impl Components {
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.schemas
    }

    /// A schema whose references lead to components. `name` is for one that refers to itself.
    pub(super) fn lift(&mut self, name: &str, schema: &Value) -> Value {
        self.lift_part(name, schema, schema)
    }

    /// As [`lift`](Components::lift), for a part of the schema `root`.
    pub(super) fn lift_part(&mut self, name: &str, part: &Value, root: &Value) -> Value {
        let mut lifting = Lifting { components: self, root, root_name: name, names: BTreeMap::new() };
        lifting.schema(part, true)
    }

    fn free_name(&self, wanted: &str) -> String {
        let wanted = wanted
            .replace(|character: char| !character.is_ascii_alphanumeric() && !"._-".contains(character), "_");
        let numbered = |number| if number == 1 { wanted.clone() } else { format!("{wanted}{number}") };
        (1..).map(numbered).find(|name| !self.schemas.contains_key(name)).unwrap_or(wanted.clone())
    }
}

/// One schema on its way into the document.
struct Lifting<'a> {
    components: &'a mut Components,
    root: &'a Value,
    root_name: &'a str,
    /// The components of the pointers that it has referred to.
    names: BTreeMap<String, String>,
}

impl Lifting<'_> {
    fn schema(&mut self, schema: &Value, outermost: bool) -> Value {
        match schema {
            // Some readers know objects only.
            Value::Bool(true) => json!({}),
            Value::Bool(false) if outermost => json!({ "not": {} }),
            Value::Object(fields) => {
                let mut lifted = Map::new();
                for (key, value) in fields {
                    let value = match (key.as_str(), value) {
                        // Where it travels is said by its place.
                        ("$defs" | "$schema" | "$id" | "x-syncano-in", _) => continue,
                        ("$ref", Value::String(target)) => Value::from(self.reference(target)),
                        ("const" | "enum" | "default" | "examples", _) => value.clone(),
                        ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                            let named =
                                named.iter().map(|(name, schema)| (name.clone(), self.schema(schema, false)));
                            Value::Object(named.collect())
                        }
                        ("additionalProperties" | "items" | "unevaluatedProperties", Value::Bool(_)) => {
                            value.clone()
                        }
                        (_, Value::Object(_)) => self.schema(value, false),
                        (_, Value::Array(items)) => {
                            items.iter().map(|item| self.schema(item, false)).collect()
                        }
                        _ => value.clone(),
                    };
                    lifted.insert(key.clone(), value);
                }
                Value::Object(lifted)
            }
            other => other.clone(),
        }
    }

    /// Where the reference leads in the document.
    fn reference(&mut self, target: &str) -> String {
        let pointer = target.trim_start_matches('#').to_owned();
        if let Some(name) = self.names.get(&pointer) {
            return format!("#/components/schemas/{name}");
        }
        // One that leads nowhere was published when the rules were others.
        let schema = self.root.pointer(&pointer).unwrap_or(&Value::Bool(true));
        let wanted = match pointer.rsplit_once('/') {
            Some((_, last)) => last.replace("~1", "/").replace("~0", "~"),
            None => self.root_name.to_owned(),
        };
        let says = (wanted, self.reachable(&pointer));
        if let Some(name) = self.components.known.get(&says) {
            let name = name.clone();
            return format!("#/components/schemas/{name}");
        }
        let name = self.components.free_name(&says.0);
        // Taken before it is read: it may refer to itself.
        self.components.schemas.insert(name.clone(), Value::Null);
        self.components.known.insert(says, name.clone());
        self.names.insert(pointer, name.clone());
        let lifted = self.schema(schema, true);
        self.components.schemas.insert(name.clone(), lifted);
        format!("#/components/schemas/{name}")
    }

    /// All that a definition says, with what it refers to.
    fn reachable(&self, pointer: &str) -> String {
        let mut said = BTreeMap::new();
        let mut pending = vec![pointer.to_owned()];
        while let Some(pointer) = pending.pop() {
            let Some(schema) = self.root.pointer(&pointer) else { continue };
            if said.contains_key(&pointer) {
                continue;
            }
            let mut targets = BTreeSet::new();
            references(schema, &mut targets);
            said.insert(pointer, schema);
            pending.extend(targets);
        }
        json!(said).to_string()
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                found.insert(target.trim_start_matches('#').to_owned());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
