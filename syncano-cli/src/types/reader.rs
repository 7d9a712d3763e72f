//! Reads JSON Schemas into types.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::equal::Declared;
use super::model::{Declaration, Field, Raised, Type, either, type_name, without_null};

/// Reads the schemas of one document.
pub(super) struct Reader<'a> {
    /// All types that documents declare.
    declared: &'a mut Vec<Declared>,
    root: &'a Value,
    /// The names that the document's own definitions have got.
    references: BTreeMap<String, String>,
    depth: usize,
}

/// Schemas may come from anybody.
const DEPTH: usize = 64;

impl<'a> Reader<'a> {
    pub(super) fn new(declared: &'a mut Vec<Declared>, root: &'a Value) -> Reader<'a> {
        Reader { declared, root, references: BTreeMap::new(), depth: 0 }
    }

    /// The type that a schema describes; `hint` names it if it needs a name.
    pub(super) fn read(&mut self, schema: &Value, hint: &str) -> Type {
        if self.depth == DEPTH {
            return Type::Any;
        }
        self.depth += 1;
        let read = self.of(schema, hint);
        self.depth -= 1;
        read
    }

    fn of(&mut self, schema: &Value, hint: &str) -> Type {
        let keys = match schema {
            Value::Object(keys) => keys,
            Value::Bool(false) => return Type::Nothing,
            _ => return Type::Any,
        };
        let combined = ["oneOf", "anyOf"].into_iter().find_map(|key| Some((key, keys.get(key)?.as_array()?)));
        // Beside other keywords each narrows the others: what can't be said in a type is left open.
        match (keys.get("$ref").and_then(Value::as_str), combined) {
            (Some(reference), None) if !keys.contains_key("properties") => return self.reference(reference),
            (None, Some((_, alternatives))) if !keys.contains_key("properties") => {
                let each = alternatives.iter().enumerate();
                let types = each.map(|(index, each)| self.read(each, &variant(each, hint, index)));
                let types = types.collect();
                return either(types);
            }
            (None, None) if !keys.contains_key("allOf") => {}
            _ => return Type::Any,
        }
        if let Some(value) = keys.get("const") {
            return literal(value);
        }
        if let Some(Value::Array(values)) = keys.get("enum") {
            return either(values.iter().map(literal).collect());
        }
        match keys.get("type") {
            Some(Value::String(name)) => self.kind(name, keys, schema, hint),
            Some(Value::Array(names)) => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                either(names.into_iter().map(|name| self.kind(name, keys, schema, hint)).collect())
            }
            _ => Type::Any,
        }
    }

    fn kind(&mut self, name: &str, keys: &Map<String, Value>, schema: &Value, hint: &str) -> Type {
        match name {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "integer" => Type::Whole,
            "number" => Type::Number,
            "string" => Type::Text,
            "array" => {
                let mut types = Vec::new();
                for (index, item) in
                    keys.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate()
                {
                    types.push(self.read(item, &format!("{hint}{}", index + 1)));
                }
                match keys.get("items") {
                    Some(item) => types.push(self.read(item, &format!("{hint}Item"))),
                    None if types.is_empty() => types.push(Type::Any),
                    None => {}
                }
                Type::List(either(types).into())
            }
            "object" if keys.contains_key("properties") => {
                let declared = self.fields(schema, hint);
                Type::Named(self.declare(hint, Declaration::Object(declared)))
            }
            "object" => {
                let patterns = keys.get("patternProperties").and_then(Value::as_object);
                let of_pattern = patterns.and_then(|patterns| patterns.values().next());
                let of_rest = keys.get("additionalProperties").filter(|rest| **rest != Value::Bool(false));
                match of_pattern.or(of_rest) {
                    Some(value) => Type::Map(self.read(value, &format!("{hint}Value")).into()),
                    None => Type::Map(Type::Any.into()),
                }
            }
            _ => Type::Any,
        }
    }

    /// The fields of an object.
    pub(super) fn fields(&mut self, schema: &Value, hint: &str) -> Vec<Field> {
        let required = schema.get("required").and_then(Value::as_array);
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let fields = properties.map(|(key, schema)| Field {
            of: self.read(schema, &format!("{hint}{}", type_name(key))),
            required: required.is_some_and(|required| required.iter().any(|name| name == key)),
            key: key.clone(),
        });
        fields.collect()
    }

    fn reference(&mut self, reference: &str) -> Type {
        if let Some(name) = self.references.get(reference) {
            return Type::Named(name.clone());
        }
        let root = self.root;
        let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else {
            return Type::Any;
        };
        let title = target.get("title").and_then(Value::as_str).filter(|_| reference == "#");
        let wanted = type_name(title.or_else(|| reference.rsplit('/').next()).unwrap_or_default());
        // The name is there before the schema is read, since that may refer to itself.
        let name = self.add(&wanted);
        self.references.insert(reference.to_owned(), name.clone());
        let declaration = match target.get("properties") {
            Some(_) if ["oneOf", "anyOf", "allOf", "$ref"].iter().all(|key| target.get(key).is_none()) => {
                Declaration::Object(self.fields(target, &wanted))
            }
            _ => Declaration::Alias(self.read(target, &wanted)),
        };
        self.fill(&name, declaration);
        Type::Named(name)
    }

    /// The errors of an externally tagged enum by name, and whether the schema allows other names.
    pub(super) fn errors(&mut self, hint: &str) -> (Vec<(String, Raised)>, bool) {
        let root = self.root;
        let title = root.get("title").and_then(Value::as_str).map(type_name);
        let hint = title.as_deref().unwrap_or(hint);
        let alternatives = ["oneOf", "anyOf"].into_iter().find_map(|key| root.get(key)?.as_array());
        let alternatives = alternatives.map_or(std::slice::from_ref(root), Vec::as_slice);
        let (mut errors, mut is_open) = (Vec::new(), false);
        for alternative in alternatives {
            match self.named_errors(alternative, hint) {
                Some(named) => errors.extend(named),
                None => is_open = true,
            }
        }
        (errors, is_open)
    }

    /// Variants without data are texts, the others objects with one key.
    fn named_errors(&mut self, alternative: &Value, hint: &str) -> Option<Vec<(String, Raised)>> {
        let unit = alternative.get("const").map(std::slice::from_ref);
        if let Some(names) = unit.or_else(|| alternative.get("enum")?.as_array().map(Vec::as_slice)) {
            let named = |name: &Value| {
                Some((name.as_str()?.to_owned(), Raised { data: Type::Null, needs_data: false }))
            };
            return names.iter().map(named).collect();
        }
        let properties = alternative.get("properties")?.as_object()?;
        let (name, data) = properties.iter().next().filter(|_| properties.len() == 1)?;
        let data = self.read(data, &format!("{hint}{}", type_name(name)));
        // `null` as data is no data: such an error is a name alone.
        Some(vec![(name.clone(), Raised { data: without_null(data), needs_data: true })])
    }

    fn declare(&mut self, wanted: &str, declared: Declaration) -> String {
        let name = self.add(wanted);
        self.fill(&name, declared);
        name
    }

    /// Makes room for a type, whose declaration follows. The name that it has until all are known is its number.
    fn add(&mut self, wanted: &str) -> String {
        let name = self.declared.len().to_string();
        self.declared
            .push(Declared { wanted: wanted.to_owned(), declaration: Declaration::Alias(Type::Any) });
        name
    }

    fn fill(&mut self, name: &str, declaration: Declaration) {
        if let Some(declared) = name.parse().ok().and_then(|number: usize| self.declared.get_mut(number)) {
            declared.declaration = declaration;
        }
    }
}

/// A name for one of several alternatives: its tag, if it has one.
fn variant(schema: &Value, hint: &str, index: usize) -> String {
    let properties = schema.get("properties").and_then(Value::as_object);
    let tag = properties.and_then(|properties| {
        let of_value = properties.values().find_map(|value| value.get("const")?.as_str());
        of_value.or_else(|| properties.keys().next().filter(|_| properties.len() == 1).map(String::as_str))
    });
    match tag {
        Some(tag) => format!("{hint}{}", type_name(tag)),
        None => format!("{hint}{}", index + 1),
    }
}

fn literal(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::String(_) | Value::Bool(_) => Type::Literal(value.clone()),
        Value::Number(number) if number.is_f64() => Type::Number,
        Value::Number(_) => Type::Literal(value.clone()),
        _ => Type::Any,
    }
}
