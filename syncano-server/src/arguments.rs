//! What a script gets of a request: `ARGS` and the arguments of `main`.

use serde::Serialize;
use serde_json::{Map, Value, json};
use syncano_core::{Language, Method, Placement};
use syncano_runner::Arguments;

use crate::decode::Schema;
use crate::errors::{ApiError, NO_FIELD};
use crate::request::Query;
use crate::schemas;

/// Keys that are about the transport. A script never sees them.
const TRANSPORT: [&str; 7] =
    ["api_key", "apikey", "_api_key", "_user_key", "_method", "__skip_cache", "cache_key"];
/// A key of the transport that scripts see in the query, as ever. No schema needs to name it.
const USER_KEY: &str = "user_key";

/// Bytes that a text may have to spare.
const SPARE: usize = 4 * 1024;
/// What `curl --data` makes of JSON unless it is told what that is.
const JSON_AS_FORM: &str =
    "the body came as a form and looks like JSON: send it with the header `Content-Type: application/json`";

/// The schema of an endpoint's arguments for one method.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) schema: &'a schemas::Schema,
    /// Of the script that gets them.
    pub(crate) language: Language,
}

/// A body that was read, and whether it is a form, whose values are texts as those of a query are.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) body: Option<Value>,
    pub(crate) is_form: bool,
}

/// Merges query and body, and checks them by the schema, if the endpoint has one.
pub(crate) fn merge(
    method: Method,
    query: &Query,
    sent: Sent,
    inputs: Option<Inputs<'_>>,
) -> Result<Arguments, ApiError> {
    let Sent { body, is_form } = sent;
    let body = match body {
        None => None,
        Some(Value::Object(mut fields)) => {
            fields.retain(|name, _| !TRANSPORT.contains(&name.as_str()));
            Some(Value::Object(fields))
        }
        Some(list @ Value::Array(_)) => Some(list),
        Some(other) if whole_body_of(inputs, method).is_some() => Some(other),
        Some(_) => return Err(ApiError::field(NO_FIELD, "the body must be a JSON object or list")),
    };
    let raw_query: Map<String, Value> = query
        .pairs()
        .filter(|(name, _)| !TRANSPORT.contains(name))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let is_json_as_form = is_form && body.as_ref().is_some_and(looks_like_json);
    // As they came. As values they take many times what they take as text, and the call may have to wait.
    let query_text = text(&raw_query);
    let body_text = body.as_ref().map_or_else(|| "{}".to_owned(), text);
    let mut decoded = raw_query;
    if let Some(inputs) = inputs {
        let form = body.as_ref().and_then(Value::as_object).filter(|_| is_form);
        decode(method, query, body.as_ref(), form, &inputs.schema.value, &mut decoded);
    }

    let main = match whole_body_of(inputs, method) {
        Some(argument) => {
            let mut named = decoded.clone();
            match &body {
                Some(body) => {
                    named.insert(argument.name.to_owned(), body.clone());
                }
                None if argument.required => {
                    named.insert(argument.name.to_owned(), json!({}));
                }
                None => {
                    named.remove(argument.name);
                }
            }
            Some(Value::Object(named))
        }
        // A list goes to the sole parameter of `main`, even where the query has something for `ARGS`.
        None => body.clone().filter(|body| body.is_array() && !decoded.is_empty()),
    };
    // What is neither an object nor a list is in `ARGS` under the argument's name.
    let is_plain = body.as_ref().is_some_and(|body| !body.is_object() && !body.is_array());
    let is_body = decoded.is_empty() && body.is_some() && !is_plain;
    let merged = match body {
        Some(Value::Object(mut fields)) => {
            fields.extend(decoded);
            Value::Object(fields)
        }
        Some(_) if is_plain => main.clone().unwrap_or_default(),
        Some(list) if decoded.is_empty() => list,
        _ => Value::Object(decoded),
    };
    if let Some(inputs) = inputs {
        check(inputs, main.as_ref().unwrap_or(&merged)).map_err(|error| match error {
            ApiError::Fields(mut wrong) if is_json_as_form => {
                wrong.entry(NO_FIELD.to_owned()).or_default().push(JSON_AS_FORM.to_owned());
                ApiError::Fields(wrong)
            }
            other => other,
        })?;
    }
    Ok(Arguments {
        merged: (!is_body).then(|| text(&merged)),
        query: Some(query_text),
        body: Some(body_text),
        main: main.as_ref().map(text),
    })
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
fn looks_like_json(form: &Value) -> bool {
    let starts = |name: &String| name.trim_start().starts_with(['{', '[']);
    form.as_object().is_some_and(|fields| fields.keys().any(starts))
}

/// Decodes by the schema what comes as text: the query's values, and those of a form.
fn decode(
    method: Method,
    query: &Query,
    body: Option<&Value>,
    form: Option<&Map<String, Value>>,
    inputs: &Value,
    decoded: &mut Map<String, Value>,
) {
    for (name, property) in properties(inputs) {
        if TRANSPORT.contains(&name.as_str()) {
            continue;
        }
        let in_query = match Placement::of(property) {
            Placement::Body => continue,
            Placement::Query => true,
            Placement::ByMethod => !method.has_body(),
        };
        let schema = Schema::new(property, inputs);
        let mut values: Vec<&str> =
            query.pairs().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
        if values.is_empty() {
            values.extend(form.and_then(|form| form.get(name)?.as_str()));
        }
        if !values.is_empty() {
            decoded.insert(name.clone(), schema.decode(&values));
        } else if in_query && schema.is_list() && body.is_none_or(|body| body.get(name).is_none()) {
            // An empty list leaves no trace in a query.
            decoded.insert(name.clone(), json!([]));
        }
    }
}

/// Everything that is wrong, by argument.
fn check(Inputs { schema, language }: Inputs<'_>, named: &Value) -> Result<(), ApiError> {
    let mut wrong = std::collections::BTreeMap::<_, Vec<_>>::new();
    let bytes = schemas::size(named);
    let mismatches = schemas::apart(bytes, || schema.compiled.check_for(language, named, bytes));
    for mismatch in mismatches {
        match mismatch.field() {
            Some(field) if field == USER_KEY => {}
            Some(field) => wrong.entry(field).or_default().push(mismatch.to_string()),
            None => wrong.entry(NO_FIELD.to_owned()).or_default().push(mismatch.to_string()),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::Fields(wrong)) }
}

fn properties(inputs: &Value) -> impl Iterator<Item = (&String, &Value)> {
    inputs.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The same for a request by the method.
fn whole_body_of<'a>(inputs: Option<Inputs<'a>>, method: Method) -> Option<WholeBody<'a>> {
    whole_body(&inputs?.schema.value).filter(|_| method.has_body())
}

struct WholeBody<'a> {
    name: &'a str,
    required: bool,
}

/// The argument that is the whole body.
fn whole_body(inputs: &Value) -> Option<WholeBody<'_>> {
    let (name, _) = properties(inputs).find(|(_, schema)| Placement::of(schema) == Placement::Body)?;
    let required = inputs.get("required").and_then(Value::as_array).into_iter().flatten();
    Some(WholeBody { name, required: required.into_iter().any(|required| required == name) })
}

#[cfg(test)]
mod tests {
    use syncano_core::Inputs;

    use super::*;

    fn try_merge(
        method: Method,
        query: &str,
        sent: Sent,
        schema: Option<&Value>,
    ) -> Result<Arguments, ApiError> {
        let schema = schema.map(|value| schemas::Schema {
            value: value.clone(),
            compiled: syncano_core::CompiledSchema::new(value).unwrap(),
        });
        let language = Language::Python;
        let inputs = schema.as_ref().map(|schema| super::Inputs { schema, language });
        merge(method, &Query::parse(query), sent, inputs)
    }

    fn json_body(body: Option<Value>) -> Sent {
        Sent { body, is_form: false }
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
    fn keys_of_the_transport_never_arrive() {
        let body = json!({"_api_key": "k", "_method": "GET", "kept": 1});
        let incoming = merged(Method::Post, "api_key=k&cache_key=c&user_key=u", Some(body), None);
        assert_eq!(value(incoming.merged()), json!({"kept": 1, "user_key": "u"}));
        assert_eq!(value(&incoming.query.unwrap()), json!({"user_key": "u"}));
        assert_eq!(value(&incoming.body.unwrap()), json!({"kept": 1}));
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
        let form = Sent { body: Some(json!({"limit": "5", "tags": "a"})), is_form: true };
        let incoming = try_merge(Method::Post, "", form, Some(&inputs)).unwrap();
        assert_eq!(value(incoming.merged()), body);
        assert_eq!(value(&incoming.body.unwrap())["limit"], "5");
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
}
