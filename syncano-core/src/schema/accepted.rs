//! Adds to a schema what serde accepts beyond it: aliases, variants that stand for all others, other kinds of values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::reading::{Form, Found, Question, Sample, Step};
use super::{ALIASES, REQUIRED};
use crate::Map;

/// A name that no type has.
const NOBODY: &str = "\u{0}nobody's name";
/// Questions about one schema.
const QUESTIONS: usize = 20_000;
/// Levels of a way.
const DEEPEST: usize = 32;

/// Widens a schema that schemars made of a type; `ask` says how serde reads that.
pub(super) fn widen(schema: &mut Value, ask: &dyn Fn(&[Step], Question<'_>) -> Found) {
    // A type that holds itself refers to the root.
    let seen = BTreeSet::from([String::new()]);
    let mut widening = Widening { root: schema, ask, questions: QUESTIONS, seen };
    widening.place(String::new(), &[]);
    add_named_aliases(schema);
}

struct Widening<'w> {
    root: &'w mut Value,
    ask: &'w dyn Fn(&[Step], Question<'_>) -> Found,
    questions: usize,
    /// Definitions that have been gone through.
    seen: BTreeSet<String>,
}

impl Widening<'_> {
    fn ask(&mut self, way: &[Step], question: Question<'_>) -> Found {
        match self.questions.checked_sub(1) {
            Some(left) => {
                self.questions = left;
                (self.ask)(way, question)
            }
            None => Found::Nothing,
        }
    }

    fn at(&mut self, pointer: &str) -> Option<&mut Map> {
        self.root.pointer_mut(pointer)?.as_object_mut()
    }

    /// Goes through the schema at a pointer, which is for the value at the end of a way.
    fn place(&mut self, pointer: String, way: &[Step]) {
        if way.len() > DEEPEST || self.at(&pointer).is_none() {
            return;
        }
        let Found::Form(form) = self.ask(way, Question::Form) else { return };
        let types = self.types(&pointer);
        if form == Form::Anything || !is_one_of(form, &types) {
            self.other_types(&pointer, way, &types);
            if form != Form::Anything {
                // Something else reads it than its schema is of.
                return;
            }
        }
        let Some(pointer) = self.definition(pointer) else { return };
        if let Some(tag) = self.tag(&pointer) {
            return self.tagged(&pointer, way, &tag);
        }
        match form {
            Form::Struct(fields) => self.fields(&pointer, way, fields),
            // What is read from anything may know its fields all the same.
            Form::Map | Form::Anything => {
                self.fields(&pointer, way, &[]);
                self.place(format!("{pointer}/additionalProperties"), &with(way, Step::MapValue));
                let patterns = self.at(&pointer).and_then(|node| node.get("patternProperties"));
                for pattern in keys(patterns) {
                    let child = format!("{pointer}/patternProperties/{}", escaped(&pattern));
                    self.place(child, &with(way, Step::MapValue));
                }
            }
            Form::Enum(variants) => self.variants(&pointer, way, variants),
            Form::List | Form::Tuple(_) => {
                let prefix =
                    self.at(&pointer).and_then(|node| Some(node.get("prefixItems")?.as_array()?.len()));
                for index in 0..prefix.unwrap_or(0) {
                    self.place(format!("{pointer}/prefixItems/{index}"), &with(way, Step::Item(index)));
                }
                self.place(format!("{pointer}/items"), &with(way, Step::Item(prefix.unwrap_or(0))));
            }
            _ => {}
        }
    }

    /// Where the schema itself stands: behind references and beside `null`. `None` for a definition that was gone through.
    fn definition(&mut self, mut pointer: String) -> Option<String> {
        for _ in 0..DEEPEST {
            let node = self.at(&pointer)?;
            let beside_null = node.get("anyOf").and_then(Value::as_array).and_then(|any| match &any[..] {
                [_, null] if null.get("type").is_some_and(|name| name == "null") => Some(0),
                _ => None,
            });
            if let Some(index) = beside_null {
                pointer = format!("{pointer}/anyOf/{index}");
            } else if let Some(target) = node.get("$ref").and_then(Value::as_str) {
                if node.contains_key("properties") {
                    return Some(pointer);
                }
                let target = target.strip_prefix('#')?.to_owned();
                if !self.seen.insert(target.clone()) {
                    return None;
                }
                pointer = target;
            } else {
                return Some(pointer);
            }
        }
        None
    }

    /// The JSON types that a schema admits, as far as it says so.
    fn types(&self, pointer: &str) -> BTreeSet<String> {
        let mut types = BTreeSet::new();
        let node = self.root.pointer(pointer);
        self.add_types(node.unwrap_or(&Value::Null), &mut types, 0);
        types
    }

    fn add_types(&self, node: &Value, types: &mut BTreeSet<String>, depth: usize) {
        const ALL: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
        let all = |types: &mut BTreeSet<String>| types.extend(ALL.map(str::to_owned));
        let Some(keys) = node.as_object().filter(|_| depth < DEEPEST) else { return all(types) };
        let number = |name: &str| if name == "integer" { "number" } else { name }.to_owned();
        if let Some(name) = keys.get("type").and_then(Value::as_str) {
            types.insert(number(name));
        } else if let Some(names) = keys.get("type").and_then(Value::as_array) {
            types.extend(names.iter().filter_map(Value::as_str).map(number));
        } else if let Some(target) = keys.get("$ref").and_then(Value::as_str) {
            let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            self.add_types(target.unwrap_or(&Value::Null), types, depth + 1);
        } else if let Some(each) = keys.get("anyOf").or_else(|| keys.get("oneOf")).and_then(Value::as_array) {
            each.iter().for_each(|node| self.add_types(node, types, depth + 1));
        } else if let Some(values) = keys.get("enum").and_then(Value::as_array) {
            types.extend(values.iter().map(|value| type_of(value).to_owned()));
        } else if let Some(value) = keys.get("const") {
            types.insert(type_of(value).to_owned());
        } else {
            all(types);
        }
    }

    /// Adds kinds of values that a number, a truth or a list is read from as well. A text stays one: that is how a schema narrows on
    /// purpose what is read from more, and so does one for what takes anything at all.
    fn other_types(&mut self, pointer: &str, way: &[Step], types: &BTreeSet<String>) {
        const SAMPLES: [(&str, &[Sample]); 6] = [
            ("null", &[Sample::Null]),
            ("boolean", &[Sample::Bool]),
            ("number", &[Sample::Whole(1), Sample::Whole(-1), Sample::Float(0.5)]),
            (
                "string",
                &[
                    Sample::Text("1"),
                    Sample::Text("a"),
                    Sample::Text(""),
                    Sample::Text("true"),
                    Sample::Text("2026-01-31"),
                    Sample::Text("2026-01-31T12:00:00Z"),
                ],
            ),
            ("array", &[Sample::List]),
            ("object", &[Sample::Object]),
        ];
        let narrow = ["number", "boolean", "array"].iter().any(|name| types.contains(*name));
        let narrows_all = |node: &Map| node.contains_key("enum") || node.contains_key("const");
        if !narrow
            || types.contains("string")
            || types.contains("object")
            || self.at(pointer).is_none_or(|node| !node.contains_key("type") || narrows_all(node))
            // A panic would end the program.
            || cfg!(panic = "abort")
        {
            return;
        }
        let mut accepted = Vec::new();
        for (name, samples) in SAMPLES {
            if samples.iter().any(|sample| self.ask(way, Question::Accepts(*sample)) == Found::Accepted) {
                accepted.push(name);
            }
        }
        if accepted.len() == SAMPLES.len() {
            return;
        }
        accepted.retain(|name| !types.contains(*name));
        let Some(names) = self.at(pointer).and_then(|node| node.get_mut("type")) else { return };
        if !accepted.is_empty() {
            let mut all = match names.take() {
                Value::Array(names) => names,
                name => vec![name],
            };
            all.extend(accepted.into_iter().map(Value::from));
            *names = all.into();
        }
    }

    /// Adds the aliases of fields, and goes through the fields.
    fn fields(&mut self, pointer: &str, way: &[Step], fields: &[&str]) {
        let properties = keys(self.at(pointer).and_then(|node| node.get("properties")));
        if properties.is_empty() {
            return;
        }
        let unknown = self.ask(way, Question::Name(NOBODY));
        let names = properties.iter().map(String::as_str).chain(fields.iter().copied());
        let identities = self.identities(way, None, names, &unknown);
        for name in properties.iter().filter(|name| identities.contains_key(*name)) {
            self.place(
                format!("{pointer}/properties/{}", escaped(name)),
                &with(way, Step::Key(name.clone())),
            );
        }
        let aliases = aliases(&properties, &identities);
        let Some(node) = self.at(pointer) else { return };
        for (name, aliases) in aliases {
            add_aliases(node, &name, &aliases);
        }
    }

    /// What each of the names stands for, as a key or a variant, or under the key of a tag; without those that stand for nothing.
    fn identities<'n>(
        &mut self,
        way: &[Step],
        tag: Option<&str>,
        names: impl Iterator<Item = &'n str>,
        unknown: &Found,
    ) -> BTreeMap<String, String> {
        let mut identities = BTreeMap::new();
        for name in names {
            let question = match tag {
                Some(key) => Question::Tag { key, name },
                None => Question::Name(name),
            };
            let found = self.ask(way, question);
            if let Found::Identity(identity) = &found
                && found != *unknown
            {
                identities.insert(name.to_owned(), identity.clone());
            }
        }
        identities
    }

    /// Adds the aliases of variants whose name is a key or a text, and goes through what they hold.
    fn variants(&mut self, pointer: &str, way: &[Step], variants: &[&str]) {
        let Some(node) = self.at(pointer) else { return };
        let several = alternatives(node);
        let mut known = texts(node);
        for (index, alternative) in several.iter().flat_map(|(_, each)| each.iter().enumerate()) {
            known.extend(alternative.as_object().map(texts).unwrap_or_default());
            known.extend(keys(alternative.get("properties")));
            let key = several.as_ref().map_or("", |(key, _)| *key);
            for name in keys(alternative.get("properties")) {
                let held = format!("{pointer}/{key}/{index}/properties/{}", escaped(&name));
                self.place(held, &with(way, Step::Variant(name)));
            }
        }
        let other = self.ask(way, Question::Name(NOBODY));
        let names = known.iter().map(String::as_str).chain(variants.iter().copied());
        let identities = self.identities(way, None, names, &Found::Nothing);
        let (aliases, takes_any) = (aliases(&known, &identities), is_other(&other, &identities));
        let Some(node) = self.at(pointer) else { return };
        let Some((key, _)) = several else {
            widen_texts(node, &aliases);
            if takes_any {
                any_text(node);
            }
            return;
        };
        let Some(alternatives) = node.get_mut(key).and_then(Value::as_array_mut) else { return };
        let (mut renamed, mut examples) = (Vec::new(), Vec::new());
        for alternative in alternatives.iter_mut().filter_map(Value::as_object_mut) {
            widen_texts(alternative, &aliases);
            examples.extend(texts(alternative));
            for name in keys(alternative.get("properties")) {
                for alias in aliases.get(&name).into_iter().flatten() {
                    let mut other = alternative.clone();
                    let held = alternative["properties"][&name].clone();
                    other.insert("properties".to_owned(), json!({ alias: held }));
                    other.insert("required".to_owned(), json!([alias]));
                    renamed.push(Value::Object(other));
                }
            }
        }
        alternatives.append(&mut renamed);
        if takes_any {
            alternatives.retain(|each| each.as_object().is_none_or(|each| texts(each).is_empty()));
            alternatives.push(json!({ "type": "string", "examples": examples }));
        }
    }

    /// The key that tells the alternatives apart, if each has a text of its own under it.
    fn tag(&mut self, pointer: &str) -> Option<String> {
        let (_, alternatives) = alternatives(self.at(pointer)?)?;
        let first = alternatives.first()?.get("properties")?.as_object()?;
        let tells = |name: &&String| {
            alternatives.iter().all(|each| {
                let text = each.pointer(&format!("/properties/{}/const", escaped(name)));
                text.is_some_and(Value::is_string)
            })
        };
        first.keys().find(tells).cloned()
    }

    /// Adds the aliases of variants whose name lies under a key, and the variant for all others.
    fn tagged(&mut self, pointer: &str, way: &[Step], tag: &str) {
        let Some((key, each)) = self.at(pointer).and_then(|node| alternatives(node)) else { return };
        let name_of = |each: &Value| each["properties"][tag]["const"].as_str().unwrap_or_default().to_owned();
        let known: Vec<String> = each.iter().map(name_of).collect();
        for (index, alternative) in each.iter().enumerate() {
            for content in keys(alternative.get("properties")).into_iter().filter(|name| name != tag) {
                let held = format!("{pointer}/{key}/{index}/properties/{}", escaped(&content));
                let (tag, variant) = (tag.to_owned(), known[index].clone());
                self.place(held, &with(way, Step::Content { tag, variant, content }));
            }
        }
        let mut names: BTreeSet<String> = known.iter().cloned().collect();
        let other = self.ask(way, Question::Tag { key: tag, name: NOBODY });
        let form = self.ask(&with(way, Step::Key(tag.to_owned())), Question::Form);
        let listed = match (&other, form) {
            (Found::Unknown(listed), _) => listed,
            (_, Found::Form(Form::Enum(listed))) => listed,
            _ => &[][..],
        };
        names.extend(listed.iter().map(|name| (*name).to_owned()));
        let listed = names.iter().map(String::as_str);
        let identities = self.identities(way, Some(tag), listed, &Found::Nothing);
        let aliases = aliases(&known, &identities);
        let alternatives = self.at(pointer).and_then(|node| node.get_mut(key)?.as_array_mut());
        let Some(alternatives) = alternatives else { return };
        for alternative in alternatives.iter_mut() {
            if let Some(of_tag) = alternative["properties"][tag].as_object_mut() {
                widen_texts(of_tag, &aliases);
            }
        }
        if is_other(&other, &identities) {
            alternatives.push(json!({
                "type": "object",
                "properties": { tag: { "type": "string", "not": { "enum": names } } },
                "required": [tag],
            }));
        }
    }
}

/// Adds the aliases of a field: each has its schema, and one of them all is needed if it is.
fn add_aliases(node: &mut Map, name: &str, aliases: &[String]) {
    let schema = node["properties"][name].clone();
    for alias in aliases {
        node["properties"][alias] = schema.clone();
    }
    let Some(required) = node.get_mut("required").and_then(Value::as_array_mut) else { return };
    let before = required.len();
    required.retain(|required| required != name);
    if required.len() < before {
        let either: Vec<&str> = [name].into_iter().chain(aliases.iter().map(String::as_str)).collect();
        if let Value::Array(groups) = node.entry(REQUIRED).or_insert_with(|| json!([])) {
            groups.push(json!(either));
        }
    }
}

/// Adds the aliases that properties name themselves.
fn add_named_aliases(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(add_named_aliases),
        Value::Object(node) => {
            node.values_mut().for_each(add_named_aliases);
            for name in keys(node.get("properties")) {
                let property = node["properties"][&name].as_object_mut();
                let named = property.and_then(|property| property.remove(ALIASES));
                let named = named.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let aliases: Vec<String> =
                    named.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                if !aliases.is_empty() {
                    add_aliases(node, &name, &aliases);
                }
            }
        }
        _ => {}
    }
}

/// Whether a name that no type has stands for a variant, which others don't.
fn is_other(found: &Found, identities: &BTreeMap<String, String>) -> bool {
    match found {
        Found::Identity(other) => identities.values().any(|identity| identity != other),
        _ => false,
    }
}

/// For each of the known names the others that stand for the same.
fn aliases(known: &[String], identities: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (alias, identity) in identities.iter().filter(|(alias, _)| !known.contains(alias)) {
        if let Some(name) = known.iter().find(|name| identities.get(*name) == Some(identity)) {
            aliases.entry(name.clone()).or_default().push(alias.clone());
        }
    }
    aliases
}

/// Whether values of this form are of one of the types.
fn is_one_of(form: Form, types: &BTreeSet<String>) -> bool {
    let of_form: &[&str] = match form {
        Form::Anything => return true,
        Form::Null => &["null"],
        Form::Bool => &["boolean"],
        Form::Number => &["number"],
        Form::Text => &["string"],
        Form::Bytes => &["string", "array"],
        Form::List | Form::Tuple(_) => &["array"],
        Form::Map | Form::Struct(_) => &["object"],
        Form::Enum(_) => &["string", "object"],
    };
    of_form.iter().any(|name| types.contains(*name))
}

/// The texts that a schema lists.
fn texts(node: &Map) -> Vec<String> {
    let listed = node.get("enum").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts = node.get("const").into_iter().chain(listed).filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// Adds the aliases of the texts that a schema lists.
fn widen_texts(node: &mut Map, aliases: &BTreeMap<String, Vec<String>>) {
    let mut listed = texts(node);
    let more: Vec<String> = listed.iter().filter_map(|name| aliases.get(name)).flatten().cloned().collect();
    if !more.is_empty() {
        listed.extend(more);
        node.remove("const");
        node.insert("enum".to_owned(), json!(listed));
    }
}

/// Makes a schema that lists texts one for any text.
fn any_text(node: &mut Map) {
    let examples = texts(node);
    node.remove("const");
    node.remove("enum");
    node.insert("type".to_owned(), "string".into());
    node.insert("examples".to_owned(), json!(examples));
}

/// The alternatives of a schema, and the keyword under which they stand.
fn alternatives(node: &Map) -> Option<(&'static str, Vec<Value>)> {
    let of = |key| Some((key, node.get(key)?.as_array()?.clone()));
    of("oneOf").or_else(|| of("anyOf"))
}

fn keys(object: Option<&Value>) -> Vec<String> {
    object.and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn with(way: &[Step], step: Step) -> Vec<Step> {
    way.iter().cloned().chain([step]).collect()
}

/// A key as a part of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
