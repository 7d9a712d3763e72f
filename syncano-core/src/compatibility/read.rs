//! Reads JSON Schema into alternatives.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use thiserror::Error;

use super::alternative::{ANYTHING, All, Alternative, Digits, Kind, Lists, NOTHING, Objects, Texts, both};
use super::number::{Bound, Num, Numbers};

/// Why a schema can't be compared.
#[derive(Debug, Clone, PartialEq, Error)]
pub(super) enum Unreadable {
    #[error("it uses `{0}` in a way that isn't known here")]
    Keyword(String),
    #[error("`{0}` leads nowhere")]
    Reference(String),
    #[error("it is no JSON Schema")]
    NoSchema,
    #[error("it is too large, or nested too deep")]
    TooLarge,
}

/// Alternatives of one schema, and references that are followed one after the other.
const ALTERNATIVES: usize = 256;
const DEPTH: usize = 64;

/// Keywords that say nothing about which values fit.
const REMARKS: [&str; 14] = [
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "deprecated",
    "examples",
    "readOnly",
    "writeOnly",
    "contentSchema",
];

/// Keywords that `alternatives` and what it calls read.
const KEYWORDS: [&str; 31] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contentEncoding",
    "contentMediaType",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
    "unevaluatedProperties",
    "uniqueItems",
];

/// A schema's document: where references point, and how much work it has made so far.
pub(super) struct Document<'a> {
    pub(super) root: &'a Value,
    choices: Cell<usize>,
    effort: Cell<usize>,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value, effort: usize) -> Document<'a> {
        Document { root, choices: Cell::new(0), effort: Cell::new(effort) }
    }

    /// Takes note of work, and refuses more than there may be.
    pub(super) fn spend(&self, effort: usize) -> Result<(), Unreadable> {
        let left = self.effort.get().checked_sub(effort + 1).ok_or(Unreadable::TooLarge)?;
        self.effort.set(left);
        Ok(())
    }

    /// What fits all of the schemas.
    pub(super) fn all(&self, schemas: &All<'a>) -> Result<Vec<Alternative<'a>>, Unreadable> {
        let mut alternatives: Option<Vec<Alternative<'a>>> = None;
        for schema in schemas {
            let more = self.alternatives(schema, 0)?;
            alternatives = Some(match alternatives {
                None => more,
                Some(now) => self.product(&now, &more)?,
            });
        }
        match alternatives {
            Some(alternatives) => Ok(alternatives),
            None => self.alternatives(&ANYTHING, 0),
        }
    }

    fn alternatives(&self, schema: &'a Value, depth: usize) -> Result<Vec<Alternative<'a>>, Unreadable> {
        static NO_KEYS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        self.spend(1)?;
        if depth > DEPTH {
            return Err(Unreadable::TooLarge);
        }
        let keys = match schema {
            Value::Bool(false) => return Ok(Vec::new()),
            Value::Bool(true) => &NO_KEYS,
            Value::Object(keys) => keys,
            _ => return Err(Unreadable::NoSchema),
        };
        let known = |key: &&String| {
            KEYWORDS.contains(&key.as_str()) || REMARKS.contains(&key.as_str()) || key.starts_with("x-")
        };
        if let Some(unknown) = keys.keys().find(|key| !known(key)) {
            return Err(Unreadable::Keyword(unknown.clone()));
        }
        self.spend(keys.len())?;

        let mut found = self.kinds(keys)?;
        if let Some(value) = keys.get("const") {
            found = self.product(&found, &[one_value(value)])?;
        }
        if let Some(values) = keys.get("enum") {
            let values: Vec<_> = list(values)?.iter().map(one_value).collect();
            found = self.product(&found, &values)?;
        }
        if let Some(reference) = keys.get("$ref") {
            let target = self.target(reference)?;
            found = self.product(&found, &self.alternatives(target, depth + 1)?)?;
        }
        for each in keys.get("allOf").map(list).transpose()?.into_iter().flatten() {
            found = self.product(&found, &self.alternatives(each, depth + 1)?)?;
        }
        if let Some(any) = keys.get("anyOf") {
            let mut united = Vec::new();
            for each in list(any)? {
                united.extend(self.alternatives(each, depth + 1)?);
                self.spend(united.len())?;
            }
            found = self.product(&found, &united)?;
        }
        if let Some(one) = keys.get("oneOf") {
            let group = self.choices.get();
            self.choices.set(group + 1);
            let mut united = Vec::new();
            for (index, each) in list(one)?.iter().enumerate() {
                for mut alternative in self.alternatives(each, depth + 1)? {
                    alternative.choices.push((group, index));
                    united.push(alternative);
                }
                self.spend(united.len())?;
            }
            found = self.product(&found, &united)?;
        }
        if let Some(not) = keys.get("not") {
            found = without(found, not)?;
        }
        match keys.get("unevaluatedProperties") {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => {
                for alternative in &mut found {
                    if let Kind::Object(objects) = &mut alternative.kind {
                        objects.rest.get_or_insert_with(|| vec![&NOTHING]);
                    }
                }
            }
            Some(_) => return Err(Unreadable::Keyword("unevaluatedProperties".to_owned())),
        }
        Ok(found)
    }

    /// The combinations of two lists of alternatives.
    fn product(
        &self,
        ones: &[Alternative<'a>],
        others: &[Alternative<'a>],
    ) -> Result<Vec<Alternative<'a>>, Unreadable> {
        let mut found = Vec::new();
        for one in ones {
            for other in others {
                self.spend(weight(&one.kind) + weight(&other.kind))?;
                found.extend(both(one, other)?);
            }
        }
        if found.len() > ALTERNATIVES { Err(Unreadable::TooLarge) } else { Ok(found) }
    }

    /// What a reference points at: only into the same document.
    fn target(&self, reference: &Value) -> Result<&'a Value, Unreadable> {
        let text = reference.as_str().ok_or(Unreadable::NoSchema)?;
        let pointer = text.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        pointer
            .and_then(|pointer| self.root.pointer(pointer))
            .ok_or_else(|| Unreadable::Reference(excerpt(reference)))
    }

    /// An alternative for each kind that `type` names, with the keywords that speak of that kind.
    fn kinds(&self, keys: &'a Map<String, Value>) -> Result<Vec<Alternative<'a>>, Unreadable> {
        const ALL: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
        let names: Vec<&str> = match keys.get("type") {
            None => ALL.into(),
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(_) => return Err(Unreadable::NoSchema),
        };
        let mut found = Vec::new();
        for name in &names {
            match *name {
                "null" => found.push(Kind::Value(Cow::Owned(Value::Null))),
                "boolean" => found.extend([true, false].map(|value| Kind::Value(Cow::Owned(value.into())))),
                "integer" if names.contains(&"number") => {}
                "number" | "integer" => {
                    let numbers = numbers(keys, *name == "integer")?;
                    if !numbers.is_empty() {
                        found.push(Kind::Number(numbers));
                    }
                }
                "string" => found.push(Kind::Text(texts(keys)?)),
                "array" => found.push(Kind::List(lists(keys)?)),
                "object" => found.push(Kind::Object(objects(keys)?)),
                _ => return Err(Unreadable::Keyword("type".to_owned())),
            }
        }
        Ok(found.into_iter().map(|kind| Alternative { kind, choices: Vec::new() }).collect())
    }
}

fn weight(kind: &Kind<'_>) -> usize {
    match kind {
        Kind::Object(objects) => objects.properties.len() + objects.required.len(),
        Kind::List(lists) => lists.first.len(),
        _ => 0,
    }
}

fn one_value(value: &Value) -> Alternative<'_> {
    Alternative { kind: Kind::Value(Cow::Borrowed(value)), choices: Vec::new() }
}

/// `not` is understood where it leaves out single values, or everything.
fn without<'a>(found: Vec<Alternative<'a>>, not: &'a Value) -> Result<Vec<Alternative<'a>>, Unreadable> {
    let unknown = || Unreadable::Keyword("not".to_owned());
    let left_out: Vec<&Value> = match not {
        Value::Bool(true) => return Ok(Vec::new()),
        Value::Bool(false) => return Ok(found),
        Value::Object(keys) if keys.is_empty() => return Ok(Vec::new()),
        Value::Object(keys) if keys.len() == 1 => match (keys.get("const"), keys.get("enum")) {
            (Some(value), _) => vec![value],
            (_, Some(values)) => list(values)?.iter().collect(),
            _ => return Err(unknown()),
        },
        _ => return Err(unknown()),
    };
    let mut kept = Vec::new();
    for mut alternative in found {
        match &mut alternative.kind {
            Kind::Value(value) if left_out.contains(&&**value) => continue,
            Kind::Value(_) => {}
            Kind::Number(numbers) => {
                numbers.without.extend(left_out.iter().filter_map(|value| match value {
                    Value::Number(number) => Some(Num::of(number)),
                    _ => None,
                }))
            }
            Kind::Text(texts) => texts.without.extend(left_out.iter().filter_map(|value| value.as_str())),
            Kind::List(_) if left_out.iter().any(|value| value.is_array()) => return Err(unknown()),
            Kind::Object(_) if left_out.iter().any(|value| value.is_object()) => return Err(unknown()),
            _ => {}
        }
        kept.push(alternative);
    }
    Ok(kept)
}

fn list(value: &Value) -> Result<&Vec<Value>, Unreadable> {
    value.as_array().ok_or(Unreadable::NoSchema)
}

fn count(keys: &Map<String, Value>, key: &str) -> Result<Option<usize>, Unreadable> {
    let Some(value) = keys.get(key) else { return Ok(None) };
    let whole =
        value.as_u64().or_else(|| value.as_f64().filter(|float| *float >= 0.0).map(|float| float as u64));
    whole.and_then(|whole| usize::try_from(whole).ok()).map(Some).ok_or(Unreadable::NoSchema)
}

fn numbers<'a>(keys: &'a Map<String, Value>, whole: bool) -> Result<Numbers<'a>, Unreadable> {
    let mut numbers = Numbers { whole, ..Numbers::default() };
    // Rust's types, which have no other bounds.
    let format = keys.get("format").and_then(Value::as_str).filter(|_| whole);
    let (least, most): (Option<i128>, Option<i128>) = match format {
        Some("int8") => (Some(i8::MIN.into()), Some(i8::MAX.into())),
        Some("int16") => (Some(i16::MIN.into()), Some(i16::MAX.into())),
        Some("int32") => (Some(i32::MIN.into()), Some(i32::MAX.into())),
        Some("int64" | "int") => (Some(i64::MIN.into()), Some(i64::MAX.into())),
        Some("uint8") => (Some(0), Some(u8::MAX.into())),
        Some("uint16") => (Some(0), Some(u16::MAX.into())),
        Some("uint32") => (Some(0), Some(u32::MAX.into())),
        Some("uint64" | "uint") => (Some(0), Some(u64::MAX.into())),
        Some("uint128") => (Some(0), None),
        _ => (None, None),
    };
    let bound = |at, exclusive| Bound { at, exclusive };
    least.into_iter().for_each(|at| numbers.raise_least(bound(Num::Whole(at), false)));
    most.into_iter().for_each(|at| numbers.lower_most(bound(Num::Whole(at), false)));
    for (keyword, exclusive) in [("minimum", false), ("exclusiveMinimum", true)] {
        if let Some(number) = number(keys, keyword)? {
            numbers.raise_least(bound(Num::of(number), exclusive));
        }
    }
    for (keyword, exclusive) in [("maximum", false), ("exclusiveMaximum", true)] {
        if let Some(number) = number(keys, keyword)? {
            numbers.lower_most(bound(Num::of(number), exclusive));
        }
    }
    numbers.multiples.extend(number(keys, "multipleOf")?);
    Ok(numbers.tidy())
}

fn number<'a>(keys: &'a Map<String, Value>, key: &str) -> Result<Option<&'a serde_json::Number>, Unreadable> {
    match keys.get(key) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number)),
        Some(_) => Err(Unreadable::NoSchema),
    }
}

fn texts(keys: &Map<String, Value>) -> Result<Texts<'_>, Unreadable> {
    let mut texts = Texts {
        least: count(keys, "minLength")?.unwrap_or(0),
        most: count(keys, "maxLength")?,
        ..Texts::default()
    };
    for keyword in ["format", "pattern", "contentEncoding", "contentMediaType"] {
        match keys.get(keyword) {
            None => {}
            Some(Value::String(value)) => {
                texts.forms.insert((keyword, value));
            }
            Some(_) => return Err(Unreadable::NoSchema),
        }
    }
    Ok(texts)
}

fn lists(keys: &Map<String, Value>) -> Result<Lists<'_>, Unreadable> {
    Ok(Lists {
        first: match keys.get("prefixItems") {
            None => Vec::new(),
            Some(items) => list(items)?.iter().map(|item| vec![item]).collect(),
        },
        items: keys.get("items").into_iter().collect(),
        least: count(keys, "minItems")?.unwrap_or(0),
        most: count(keys, "maxItems")?,
        distinct: keys.get("uniqueItems").is_some_and(|unique| *unique == Value::Bool(true)),
    })
}

fn objects(keys: &Map<String, Value>) -> Result<Objects<'_>, Unreadable> {
    let map = |key: &str| match keys.get(key) {
        None => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(_) => Err(Unreadable::NoSchema),
    };
    let mut objects = Objects {
        rest: keys.get("additionalProperties").map(|rest| vec![rest]),
        least: count(keys, "minProperties")?.unwrap_or(0),
        most: count(keys, "maxProperties")?,
        ..Objects::default()
    };
    for (key, schema) in map("properties")?.into_iter().flatten() {
        objects.properties.insert(key, vec![schema]);
    }
    for (pattern, schema) in map("patternProperties")?.into_iter().flatten() {
        objects.numbered.insert(Digits::of(pattern)?, vec![schema]);
    }
    for key in keys.get("required").map(list).transpose()?.into_iter().flatten() {
        objects.required.insert(key.as_str().ok_or(Unreadable::NoSchema)?);
    }
    Ok(objects)
}

/// The beginning of a value, for people.
pub(super) fn excerpt(value: &Value) -> String {
    const CHARACTERS: usize = 60;
    let text = value.to_string();
    let mut excerpt: String = text.chars().take(CHARACTERS).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    format!("`{excerpt}`")
}
