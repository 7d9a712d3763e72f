//! What a script gets of a request: `ARGS` and the arguments of `main`.
//!
//! A body of JSON reaches the script as the text that it came as, and so does each field of it where it is put together with a
//! query. What was read from it only serves to check it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use syncano_core::{Language, Method, Mismatch, Placement, TRANSPORT_KEYS, numbers};
use syncano_runner::Arguments;

use crate::body::{Content, form_object};
use crate::decode::{Decoded, Schema};
use crate::errors::{ApiError, NO_FIELD};
use crate::request::Query;
use crate::schemas;

/// A key of the transport that scripts see in the query, as ever. No schema needs to name it.
const USER_KEY: &str = "user_key";

/// Bytes that a text may have to spare.
const SPARE: usize = 4 * 1024;
/// What `curl --data` makes of JSON unless it is told what that is.
const JSON_AS_FORM: &str =
    "the body came as a form and looks like JSON: send it with the header `Content-Type: application/json`";

/// What arguments are checked by.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// The schema of the endpoint's arguments for one method, if it has one.
    pub(crate) schema: Option<&'a schemas::Schema>,
    /// The language of the script that gets them.
    pub(crate) language: Language,
}

/// Merges query and body, and checks them.
pub(crate) fn merge(
    method: Method,
    query: &Query,
    body: Option<Content>,
    inputs: Inputs<'_>,
) -> Result<Arguments, ApiError> {
    let schema = inputs.schema.map(|schema| &schema.value);
    let whole = schema.and_then(whole_body).filter(|_| method.has_body());
    let mut form = Vec::new();
    let (body, body_text) = match body {
        None => (None, "{}".to_owned()),
        Some(Content::Json(value, json)) if value.is_object() || value.is_array() || whole.is_some() => {
            (Some(value), String::from_utf8(json.to_vec()).expect("JSON is text"))
        }
        Some(Content::Json(..)) => {
            return Err(ApiError::field(NO_FIELD, "the body must be a JSON object or list"));
        }
        Some(Content::Form(fields)) => {
            form = fields;
            let value = form_object(&form);
            let text = text(&value);
            (Some(value), text)
        }
    };
    let raw_query: Map<String, Value> = query
        .pairs()
        .filter(|(name, _)| !TRANSPORT_KEYS.contains(name))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let query_text = text(&raw_query);
    let mut decoded = Object { values: raw_query, written: BTreeMap::new() };
    let absent = match schema {
        Some(schema) => decode(method, query, body.as_ref(), &form, schema, &mut decoded),
        None => Vec::new(),
    };

    let main = match whole {
        Some(argument) => {
            let mut named = decoded.clone();
            match &body {
                Some(body) => named.insert(argument.name, body.clone(), Some(body_text.as_str().into())),
                None if argument.required => named.insert(argument.name, json!({}), None),
                None => named.remove(argument.name),
            }
            Some(named.into_json())
        }
        // A list goes to the sole parameter of `main`, even where the query has something for `ARGS`.
        None => body
            .as_ref()
            .filter(|body| body.is_array() && !decoded.values.is_empty())
            .map(|body| (body.clone(), body_text.clone())),
    };
    // What the query wins over is still there under `POST`.
    let hidden = match decoded.values.is_empty() {
        true => Vec::new(),
        false => numbers::lost(inputs.language, &body_text)
            .into_iter()
            .filter(|lost| lost.field().is_some_and(|field| decoded.values.contains_key(&field)))
            .collect(),
    };
    let (merged, merged_text) = match (body, &main) {
        // A body that is neither an object nor a list stands in `ARGS` under the argument's name.
        (Some(body), Some((value, text))) if !body.is_object() && !body.is_array() => {
            (value.clone(), Some(text.clone()))
        }
        (Some(body), _) if decoded.values.is_empty() && absent.is_empty() => (body, None),
        (Some(Value::Object(values)), _) => {
            let mut merged = Object::written(values, &body_text);
            absent.iter().for_each(|name| merged.remove(name));
            merged.extend(decoded);
            let (value, text) = merged.into_json();
            (value, Some(text))
        }
        _ => {
            let (value, text) = decoded.into_json();
            (value, Some(text))
        }
    };
    let wrong = match &main {
        Some((value, text)) => check(inputs, value, text),
        None => check(inputs, &merged, merged_text.as_deref().unwrap_or(&body_text)),
    };
    let mut wrong = by_field(wrong.into_iter().chain(hidden));
    if !wrong.is_empty() {
        if looks_like_json(&form) {
            wrong.entry(NO_FIELD.to_owned()).or_default().push(JSON_AS_FORM.to_owned());
        }
        return Err(ApiError::Fields(wrong));
    }
    Ok(Arguments {
        merged: merged_text,
        query: Some(query_text),
        body: Some(body_text),
        main: main.map(|(_, text)| text),
    })
}

/// An object that is put together of what came from different places.
#[derive(Clone, Default)]
struct Object<'t> {
    values: Map<String, Value>,
    /// How fields were written that a value may not hold exactly.
    written: BTreeMap<String, Cow<'t, str>>,
}

impl<'t> Object<'t> {
    /// The object that was read from a text.
    fn written(values: Map<String, Value>, json: &'t str) -> Object<'t> {
        let written: BTreeMap<String, &RawValue> = serde_json::from_str(json).expect("it was read before");
        let written = written.into_iter().map(|(name, json)| (name, json.get().into())).collect();
        Object { values, written }
    }

    fn insert(&mut self, name: &str, value: Value, written: Option<Cow<'t, str>>) {
        self.written.remove(name);
        self.values.insert(name.to_owned(), value);
        self.written.extend(written.map(|json| (name.to_owned(), json)));
    }

    fn remove(&mut self, name: &str) {
        self.values.remove(name);
        self.written.remove(name);
    }

    /// Takes the fields of another one, which win.
    fn extend(&mut self, other: Object<'t>) {
        self.written.retain(|name, _| !other.values.contains_key(name));
        self.values.extend(other.values);
        self.written.extend(other.written);
    }

    /// The object, and its text.
    fn into_json(self) -> (Value, String) {
        let Object { values, written } = self;
        if written.is_empty() {
            let text = text(&values);
            return (Value::Object(values), text);
        }
        let mut json = String::from("{");
        for (name, value) in &values {
            if json.len() > 1 {
                json.push(',');
            }
            json += &text(name);
            json.push(':');
            match written.get(name) {
                Some(written) => json += written,
                None => json += &text(value),
            }
        }
        json.push('}');
        (Value::Object(values), json)
    }
}

/// A value that came as JSON, as JSON.
fn text(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("its keys are texts, and it is written to memory");
    // It grew by doubling, and the call may have to wait.
    if text.capacity() - text.len() > SPARE {
        text.shrink_to_fit();
    }
    text
}

/// Whether the fields of a form are what becomes of JSON that is read as one.
fn looks_like_json(form: &[(String, String)]) -> bool {
    form.iter().any(|(name, _)| name.trim_start().starts_with(['{', '[']))
}

/// Decodes by the schema what comes as text: the query's values, and those of a form. Returns the names of fields that are there
/// and say nothing: a form sends every field that it has, and an empty text is no number.
fn decode(
    method: Method,
    query: &Query,
    body: Option<&Value>,
    form: &[(String, String)],
    inputs: &Value,
    decoded: &mut Object<'_>,
) -> Vec<String> {
    let mut absent = Vec::new();
    for (name, property) in properties(inputs) {
        let in_query = match Placement::of(property) {
            Placement::Body => continue,
            Placement::Query => true,
            Placement::ByMethod => !method.has_body(),
        };
        let is_transport = TRANSPORT_KEYS.contains(&name.as_str());
        let schema = Schema::new(property, inputs);
        let mut values: Vec<&str> =
            query.pairs().filter(|(key, _)| key == name && !is_transport).map(|(_, value)| value).collect();
        if values.is_empty() {
            values.extend(form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()));
        }
        if !values.is_empty() {
            let Decoded { value, json, fits } = schema.decode(&values);
            if fits || !values.ends_with(&[""]) {
                decoded.insert(name, value, json.map(Cow::Owned));
            } else if !requires(inputs, name) {
                decoded.remove(name);
                absent.push(name.clone());
            } else {
                let nothing = if schema.admits_null() { Value::Null } else { value };
                decoded.insert(name, nothing, None);
            }
        } else if in_query
            && !is_transport
            && schema.is_list()
            && body.is_none_or(|body| body.get(name).is_none())
        {
            // Clients may leave an empty list out of the query. Where it may also be nothing, it is sent as `[]`.
            decoded.insert(name, json!([]), None);
        }
    }
    absent
}

/// Everything that is wrong with what a script is given.
fn check(Inputs { schema, language }: Inputs<'_>, value: &Value, json: &str) -> Vec<Mismatch> {
    schemas::apart(json.len(), || match schema {
        Some(schema) => schema.compiled.check_for(language, value, json),
        None => numbers::lost(language, json),
    })
}

/// What is wrong, by argument.
fn by_field(wrong: impl Iterator<Item = Mismatch>) -> BTreeMap<String, Vec<String>> {
    let mut fields = BTreeMap::<_, Vec<_>>::new();
    for mismatch in wrong {
        match mismatch.field() {
            Some(field) if field == USER_KEY => {}
            Some(field) => fields.entry(field).or_default().push(mismatch.to_string()),
            None => fields.entry(NO_FIELD.to_owned()).or_default().push(mismatch.to_string()),
        }
    }
    fields
}

fn properties(inputs: &Value) -> impl Iterator<Item = (&String, &Value)> {
    inputs.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn requires(inputs: &Value, name: &str) -> bool {
    let required = inputs.get("required").and_then(Value::as_array).into_iter().flatten();
    required.into_iter().any(|required| required == name)
}

struct WholeBody<'a> {
    name: &'a str,
    required: bool,
}

/// The argument that is the whole body.
fn whole_body(inputs: &Value) -> Option<WholeBody<'_>> {
    let (name, _) = properties(inputs).find(|(_, schema)| Placement::of(schema) == Placement::Body)?;
    Some(WholeBody { name, required: requires(inputs, name) })
}

#[cfg(test)]
mod tests {
    use syncano_core::Inputs;

    use super::*;

    fn try_merge(
        method: Method,
        query: &str,
        body: Option<Content>,
        schema: Option<&Value>,
    ) -> Result<Arguments, ApiError> {
        let schema = schema.map(|value| schemas::Schema {
            value: value.clone(),
            compiled: syncano_core::CompiledSchema::new(value).unwrap(),
        });
        let inputs = super::Inputs { schema: schema.as_ref(), language: Language::Python };
        merge(method, &Query::parse(query), body, inputs)
    }

    fn json_body(body: Option<Value>) -> Option<Content> {
        let body = body?;
        let text = body.to_string();
        Some(Content::Json(body, text.into()))
    }

    fn form(fields: &[(&str, &str)]) -> Option<Content> {
        let owned = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Some(Content::Form(owned.collect()))
    }

    fn merged(method: Method, query: &str, body: Option<Value>, schema: Option<&Value>) -> Arguments {
        try_merge(method, query, json_body(body), schema).unwrap()
    }

    /// What is wrong, in the order of the arguments.
    fn wrong(method: Method, query: &str, body: Option<Value>, schema: &Value) -> Vec<(String, Vec<String>)> {
        match try_merge(method, query, json_body(body), Some(schema)) {
            Err(ApiError::Fields(fields)) => fields.into_iter().collect(),
            other => panic!("{:?}", other.map(|incoming| incoming.merged)),
        }
    }

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_query_wins_over_the_body_and_both_are_kept_apart() {
        let incoming = merged(Method::Post, "a=1&b=2&b=3", Some(json!({"a": 9, "c": [4]})), None);
        assert_eq!(value(incoming.merged()), json!({"a": "1", "b": "3", "c": [4]}));
        assert_eq!(value(&incoming.query.unwrap()), json!({"a": "1", "b": "3"}));
        assert_eq!(value(&incoming.body.unwrap()), json!({"a": 9, "c": [4]}));
        assert_eq!(incoming.main, None);
    }

    #[test]
    fn keys_of_the_transport_never_arrive_from_the_query_and_always_from_the_body() {
        let body = json!({"_api_key": "k", "_method": "GET", "kept": 1});
        let incoming = merged(Method::Post, "api_key=k&cache_key=c&user_key=u", Some(body.clone()), None);
        assert_eq!(
            value(incoming.merged()),
            json!({"_api_key": "k", "_method": "GET", "kept": 1, "user_key": "u"})
        );
        assert_eq!(value(&incoming.query.unwrap()), json!({"user_key": "u"}));
        assert_eq!(value(&incoming.body.unwrap()), body);
        let inputs = Inputs::new().argument::<u8>("cache_key", Placement::ByMethod).build();
        let incoming = try_merge(Method::Post, "cache_key=9", form(&[("cache_key", "5")]), Some(&inputs));
        assert_eq!(value(incoming.unwrap().merged()), json!({"cache_key": 5}));
    }

    #[test]
    fn a_list_as_the_body_goes_to_main() {
        let incoming = merged(Method::Post, "", Some(json!([1])), None);
        assert_eq!((incoming.merged(), incoming.main.as_deref()), ("[1]", None));
        let incoming = merged(Method::Post, "a=1", Some(json!([1])), None);
        assert_eq!(value(incoming.merged()), json!({"a": "1"}));
        assert_eq!(incoming.main.unwrap(), "[1]");
        assert!(try_merge(Method::Post, "", json_body(Some(json!("text"))), None).is_err());
    }

    #[test]
    fn a_schema_decodes_what_travels_in_the_query() {
        let inputs = Inputs::new()
            .argument::<u32>("limit", Placement::ByMethod)
            .argument::<Vec<String>>("tags", Placement::ByMethod)
            .argument::<Option<Vec<String>>>("more", Placement::ByMethod)
            .build();
        let incoming = merged(Method::Get, "limit=5&user_key=6", None, Some(&inputs));
        assert_eq!(value(incoming.merged()), json!({"limit": 5, "tags": [], "user_key": "6"}));
        assert_eq!(value(&incoming.query.unwrap()), json!({"limit": "5", "user_key": "6"}));
        // With a body the list would have been in it.
        let body = json!({"limit": 5, "tags": ["a"]});
        let incoming = merged(Method::Post, "", Some(body.clone()), Some(&inputs));
        assert_eq!(value(incoming.merged()), body);
        // A form's values are texts.
        let form = form(&[("limit", "4"), ("tags", "a"), ("limit", "5")]);
        let incoming = try_merge(Method::Post, "", form, Some(&inputs)).unwrap();
        assert_eq!(value(incoming.merged()), body);
        assert_eq!(value(&incoming.body.unwrap())["limit"], json!(["4", "5"]));
    }

    #[test]
    fn what_does_not_fit_the_schema_is_told_by_argument() {
        let inputs = Inputs::new()
            .argument::<u32>("limit", Placement::ByMethod)
            .argument::<Vec<u8>>("sizes", Placement::ByMethod)
            .build();
        let told = |field: &str, text: &str| (field.to_owned(), vec![text.to_owned()]);
        assert_eq!(
            wrong(Method::Get, "limit=x&sizes=1&sizes=300&limti=1", None, &inputs),
            [
                told("limit", "at /limit: expected a whole number from 0 to 4294967295, found the text `x`"),
                told("limti", "at /limti: unknown key: did you mean `limit`?"),
                told("sizes", "at /sizes/1: expected a whole number from 0 to 255, found the text `300`"),
            ]
        );
        assert_eq!(
            wrong(Method::Post, "", Some(json!({"sizes": [1, -1]})), &inputs),
            [
                told("limit", "at /limit: expected a whole number from 0 to 4294967295, found nothing"),
                told("sizes", "at /sizes/1: expected a number from 0 to 255, found `-1`"),
            ]
        );
        let list = wrong(Method::Post, "limit=1&sizes=1", Some(json!([1])), &inputs);
        assert_eq!(list, [told(NO_FIELD, "at /: expected an object, found a list of one")]);
    }

    #[test]
    fn an_argument_can_be_the_whole_body() {
        let inputs = Inputs::new()
            .argument::<Value>("item", Placement::Body)
            .argument::<u32>("page", Placement::Query)
            .build();
        let incoming = merged(Method::Put, "page=2", Some(json!({"name": "x"})), Some(&inputs));
        assert_eq!(value(incoming.main.as_deref().unwrap()), json!({"item": {"name": "x"}, "page": 2}));
        assert_eq!(value(incoming.merged()), json!({"name": "x", "page": 2}));
        let incoming = merged(Method::Put, "page=2", None, Some(&inputs));
        assert_eq!(value(incoming.main.as_deref().unwrap()), json!({"page": 2}));
        let told = wrong(Method::Put, "", Some(json!({"name": "x"})), &inputs);
        assert_eq!(told[0].0, "page");
        // A text or a number too: a program finds it under its name.
        for body in [json!("x"), json!(5), json!(true), Value::Null] {
            let incoming = merged(Method::Put, "page=2", Some(body.clone()), Some(&inputs));
            assert_eq!(value(incoming.main.as_deref().unwrap()), json!({"item": body, "page": 2}));
            assert_eq!(value(incoming.merged()), json!({"item": body, "page": 2}));
            assert_eq!(value(&incoming.body.unwrap()), body);
        }
    }

    #[test]
    fn numbers_arrive_as_they_were_written() {
        let long = "1180591620717411303424";
        let json = format!(r#"{{ "a": [{long}, 1.10, -0.0, 1E5], "b": 0.1234567890123456789 }}"#);
        let body = || {
            let value = crate::json_text::read(json.as_bytes()).unwrap();
            Some(Content::Json(value, json.clone().into()))
        };
        let incoming = try_merge(Method::Post, "", body(), None).unwrap();
        assert_eq!((incoming.merged(), incoming.merged.as_deref()), (json.as_str(), None));
        let incoming = try_merge(Method::Post, "q=1", body(), None).unwrap();
        let both = format!(r#"{{"a":[{long}, 1.10, -0.0, 1E5],"b":0.1234567890123456789,"q":"1"}}"#);
        assert_eq!(incoming.merged(), both);
        let inputs = Inputs::new()
            .argument::<Value>("item", Placement::Body)
            .argument::<Vec<u128>>("n", Placement::Query)
            .build();
        let incoming = try_merge(Method::Put, &format!("n={long}&n=1"), body(), Some(&inputs)).unwrap();
        assert_eq!(incoming.main.unwrap(), format!(r#"{{"item":{json},"n":[{long},1]}}"#));
        let incoming = try_merge(Method::Put, &format!("n=[ {long},1]"), None, Some(&inputs)).unwrap();
        assert_eq!(incoming.main.unwrap(), format!(r#"{{"n":[{long},1]}}"#));
    }

    #[test]
    fn repeated_fields_of_a_form_are_a_list_and_empty_ones_nothing() {
        let inputs = Inputs::new()
            .argument::<Vec<String>>("tags", Placement::ByMethod)
            .argument::<Option<u32>>("limit", Placement::ByMethod)
            .argument::<Option<Vec<u8>>>("sizes", Placement::ByMethod)
            .argument::<Option<String>>("name", Placement::ByMethod)
            .build();
        let merged = |fields: &[(&str, &str)]| {
            value(try_merge(Method::Post, "", form(fields), Some(&inputs)).unwrap().merged())
        };
        assert_eq!(
            merged(&[("tags", "a"), ("limit", ""), ("tags", "b"), ("sizes", ""), ("name", "")]),
            json!({"tags": ["a", "b"], "name": ""})
        );
        assert_eq!(
            merged(&[("tags", ""), ("limit", "7"), ("sizes", "[]")]),
            json!({"tags": [""], "limit": 7, "sizes": []})
        );
        let incoming = try_merge(Method::Get, "tags=a&limit=&sizes=", None, Some(&inputs)).unwrap();
        assert_eq!(value(incoming.merged()), json!({"tags": ["a"]}));
        assert_eq!(value(&incoming.query.unwrap()), json!({"tags": "a", "limit": "", "sizes": ""}));
        // What must be there isn't taken for absent.
        let inputs = json!({
            "properties": {"n": {"type": "integer"}, "m": {"type": ["integer", "null"]}},
            "required": ["n", "m"],
        });
        let incoming = try_merge(Method::Get, "n=1&m=", None, Some(&inputs)).unwrap();
        assert_eq!(value(incoming.merged()), json!({"n": 1, "m": null}));
        assert!(try_merge(Method::Get, "n=&m=1", None, Some(&inputs)).is_err());
    }
}
