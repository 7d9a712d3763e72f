//! Schemas as parts of one document.
//!
//! Each schema of an endpoint is a document of its own: its references begin at its root. In an OpenAPI document they would begin at the
//! document's, so what they lead to becomes a component.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Bytes of schemas that one document may read, each as often as it is referred to.
const MOST_WORK: usize = 64 << 20;
/// Definitions that refer to definitions.
const DEEPEST: usize = 64;
/// What an object is counted as.
const OBJECT: usize = 16;

/// The components that there are.
#[derive(Default)]
pub(super) struct Components {
    schemas: Map<String, Value>,
    /// Which component a definition is, by its name and a digest of what it says: sockets share types.
    known: BTreeMap<(String, [u8; 32]), String>,
    work: usize,
    depth: usize,
}

impl Components {
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.schemas
    }

    /// Whether strangers' schemas ask for more than a document can have. What is made from then on is of no use.
    pub(super) fn is_too_much(&self) -> bool {
        self.work > MOST_WORK || self.depth > DEEPEST
    }

    /// A schema whose references lead to components. `name` is for one that refers to itself.
    pub(super) fn lift(&mut self, name: &str, schema: &Value) -> Value {
        match under_its_name(schema) {
            Some(named) => self.lift_part(name, &json!({ "$ref": named["$ref"] }), &named),
            None => self.lift_part(name, schema, schema),
        }
    }

    /// As [`lift`](Components::lift), for a part of the schema `root`.
    pub(super) fn lift_part(&mut self, name: &str, part: &Value, root: &Value) -> Value {
        let owner = name.to_owned();
        let names = BTreeMap::new();
        let mut lifting =
            Lifting { components: self, root, root_name: name, names, owner, is_variant: false };
        lifting.schema(part, true)
    }

    fn free_name(&self, wanted: &str) -> String {
        let wanted = wanted
            .replace(|character: char| !character.is_ascii_alphanumeric() && !"._-".contains(character), "_");
        let numbered = |number| if number == 1 { wanted.clone() } else { format!("{wanted}{number}") };
        (1..).map(numbered).find(|name| !self.schemas.contains_key(name)).unwrap_or(wanted.clone())
    }
}

/// A type that is a whole schema, as one that is referred to: in other schemas it is a definition of that name.
fn under_its_name(schema: &Value) -> Option<Value> {
    let name = schema.get("title")?.as_str()?;
    let has_parts = ["properties", "oneOf", "anyOf"].iter().any(|key| schema.get(key).is_some());
    let mut definitions = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    if !has_parts || definitions.contains_key(name) {
        return None;
    }
    let mut own = schema.clone();
    let fields = own.as_object_mut()?;
    fields.retain(|key, _| !matches!(key.as_str(), "title" | "$defs"));
    definitions.insert(name.to_owned(), own);
    let place = format!("#/$defs/{}", name.replace('~', "~0").replace('/', "~1"));
    let mut named = json!({ "$ref": place, "$defs": definitions });
    redirect(&mut named["$defs"], &place);
    Some(named)
}

/// Lets references to the root lead to `place`.
fn redirect(value: &mut Value, place: &str) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get_mut("$ref")
                && !target.starts_with("#/$defs/")
            {
                *target = format!("{place}{}", target.trim_start_matches('#'));
            }
            fields.values_mut().for_each(|value| redirect(value, place));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, place)),
        _ => {}
    }
}

/// One schema on its way into the document.
struct Lifting<'a> {
    components: &'a mut Components,
    root: &'a Value,
    root_name: &'a str,
    /// The components of the pointers that it has referred to.
    names: BTreeMap<String, String>,
    /// What it is a part of.
    owner: String,
    /// Whether it is one of several alternatives.
    is_variant: bool,
}

impl Lifting<'_> {
    fn schema(&mut self, schema: &Value, outermost: bool) -> Value {
        self.components.work += OBJECT;
        if self.components.is_too_much() {
            return Value::Null;
        }
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
                        // The component has a name; generators would take the title for another.
                        ("title", _) if outermost => continue,
                        ("$ref", Value::String(target)) => Value::from(self.reference(target)),
                        ("const" | "enum" | "default" | "examples", _) => value.clone(),
                        ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                            let named =
                                named.iter().map(|(name, schema)| (name.clone(), self.named(name, schema)));
                            Value::Object(named.collect())
                        }
                        ("additionalProperties" | "items" | "unevaluatedProperties", Value::Bool(_)) => {
                            value.clone()
                        }
                        ("oneOf" | "anyOf", Value::Array(variants)) if texts(variants).is_some() => {
                            lifted.insert("type".to_owned(), "string".into());
                            lifted.insert("enum".to_owned(), texts(variants).into());
                            continue;
                        }
                        ("oneOf" | "anyOf", Value::Array(variants)) => {
                            let is_variant = std::mem::replace(&mut self.is_variant, true);
                            let lifted = variants.iter().map(|variant| self.schema(variant, false)).collect();
                            self.is_variant = is_variant;
                            lifted
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

    /// A property. What a variant of an enum holds is a component of its own: generators name it badly otherwise, or not at all.
    fn named(&mut self, name: &str, schema: &Value) -> Value {
        if !self.is_variant || schema.get("properties").is_none() {
            return self.schema(schema, false);
        }
        let component = self.components.free_name(&format!("{}{name}", self.owner));
        self.lift_as(&component, schema);
        json!({ "$ref": format!("#/components/schemas/{component}") })
    }

    fn lift_as(&mut self, component: &str, schema: &Value) {
        // Taken before it is read: it may refer to itself.
        self.components.schemas.insert(component.to_owned(), Value::Null);
        let owner = std::mem::replace(&mut self.owner, component.to_owned());
        let is_variant = std::mem::replace(&mut self.is_variant, false);
        self.components.depth += 1;
        let lifted = self.schema(schema, true);
        // Stays too deep, once it was.
        if !self.components.is_too_much() {
            self.components.depth -= 1;
        }
        (self.owner, self.is_variant) = (owner, is_variant);
        self.components.schemas.insert(component.to_owned(), lifted);
    }

    /// Where the reference leads in the document.
    fn reference(&mut self, target: &str) -> String {
        let pointer = target.trim_start_matches('#').to_owned();
        if self.components.is_too_much() {
            return String::new();
        }
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
        self.components.known.insert(says, name.clone());
        self.names.insert(pointer, name.clone());
        self.lift_as(&name, schema);
        format!("#/components/schemas/{name}")
    }

    /// A digest of all that a definition says, with what it refers to.
    fn reachable(&mut self, pointer: &str) -> [u8; 32] {
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
        let text = json!(said).to_string();
        self.components.work += text.len();
        Sha256::digest(text).into()
    }
}

/// The texts of an enum each of whose variants is described: generators know lists of values better.
fn texts(variants: &[Value]) -> Option<Vec<&str>> {
    variants.iter().map(|variant| variant.get("const")?.as_str()).collect()
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
