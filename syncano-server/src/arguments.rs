//! What a script gets of a request: `ARGS` and the arguments of `main`.

use serde_json::{Map, Value, json};
use syncano_core::{Method, Path, Placement};
use syncano_runner::Arguments;

use crate::decode::Schema;
use crate::errors::{ApiError, NO_FIELD};
use crate::request::Query;

/// Keys that are about the transport. A script never sees them.
const TRANSPORT: [&str; 7] =
    ["api_key", "apikey", "_api_key", "_user_key", "_method", "__skip_cache", "cache_key"];

/// The arguments of a run.
pub(crate) struct Incoming {
    /// For the runner.
    pub(crate) arguments: Arguments,
    /// For the trace: `{"GET": …, "POST": …}` as they came.
    pub(crate) raw: Value,
}

/// Merges query and body. `inputs` is the schema of the endpoint's arguments for this method, if it has one.
pub(crate) fn merge(
    method: Method,
    query: &Query,
    body: Option<Value>,
    inputs: Option<&Value>,
) -> Result<Incoming, ApiError> {
    let body = match body {
        None => None,
        Some(Value::Object(mut fields)) => {
            fields.retain(|name, _| !TRANSPORT.contains(&name.as_str()));
            Some(Value::Object(fields))
        }
        Some(list @ Value::Array(_)) => Some(list),
        Some(_) => return Err(ApiError::field(NO_FIELD, "the body must be a JSON object or list")),
    };
    let raw_query: Map<String, Value> = query
        .pairs()
        .filter(|(name, _)| !TRANSPORT.contains(name))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let mut decoded = raw_query.clone();
    if let Some(inputs) = inputs {
        decode(method, query, body.as_ref(), inputs, &mut decoded)?;
    }

    let main = match inputs.and_then(whole_body).filter(|_| method.has_body()) {
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
    let merged = match &body {
        Some(Value::Object(fields)) => {
            let mut merged = fields.clone();
            merged.extend(decoded);
            Value::Object(merged)
        }
        Some(list) if decoded.is_empty() => list.clone(),
        _ => Value::Object(decoded),
    };
    let body = body.unwrap_or_else(|| json!({}));
    let raw = json!({ "GET": raw_query, "POST": body });
    Ok(Incoming {
        arguments: Arguments {
            merged: merged.to_string(),
            query: Some(raw["GET"].to_string()),
            body: Some(raw["POST"].to_string()),
            main: main.map(|main| main.to_string()),
        },
        raw,
    })
}

/// Decodes the query's values by the schema, all that are wrong at once.
fn decode(
    method: Method,
    query: &Query,
    body: Option<&Value>,
    inputs: &Value,
    decoded: &mut Map<String, Value>,
) -> Result<(), ApiError> {
    let mut wrong = std::collections::BTreeMap::new();
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
        let values: Vec<&str> =
            query.pairs().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
        if values.is_empty() {
            // An empty list leaves no trace in a query.
            let in_body = body.is_some_and(|body| body.get(name).is_some());
            if in_query && !in_body && schema.is_list() {
                decoded.insert(name.clone(), json!([]));
            }
            continue;
        }
        match schema.decode(&values, &Path::root().key(name)) {
            Ok(value) => {
                decoded.insert(name.clone(), value);
            }
            Err(error) => {
                wrong.insert(name.clone(), vec![error.to_string()]);
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::Fields(wrong)) }
}

fn properties(inputs: &Value) -> impl Iterator<Item = (&String, &Value)> {
    inputs.get("properties").and_then(Value::as_object).into_iter().flatten()
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

    fn merged(method: Method, query: &str, body: Option<Value>, inputs: Option<&Value>) -> Incoming {
        merge(method, &Query::parse(query), body, inputs).unwrap()
    }

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_query_wins_over_the_body_and_both_are_kept_apart() {
        let incoming = merged(Method::Post, "a=1&b=2&b=3", Some(json!({"a": 9, "c": [4]})), None);
        assert_eq!(value(&incoming.arguments.merged), json!({"a": "1", "b": "3", "c": [4]}));
        assert_eq!(value(&incoming.arguments.query.unwrap()), json!({"a": "1", "b": "3"}));
        assert_eq!(value(&incoming.arguments.body.unwrap()), json!({"a": 9, "c": [4]}));
        assert_eq!(incoming.arguments.main, None);
    }

    #[test]
    fn keys_of_the_transport_never_arrive() {
        let body = json!({"_api_key": "k", "_method": "GET", "kept": 1});
        let incoming = merged(Method::Post, "api_key=k&cache_key=c&user_key=u", Some(body), None);
        assert_eq!(value(&incoming.arguments.merged), json!({"kept": 1, "user_key": "u"}));
        assert_eq!(incoming.raw, json!({"GET": {"user_key": "u"}, "POST": {"kept": 1}}));
    }

    #[test]
    fn a_list_as_the_body_goes_to_main() {
        let incoming = merged(Method::Post, "", Some(json!([1])), None);
        assert_eq!((incoming.arguments.merged.as_str(), incoming.arguments.main), ("[1]", None));
        let incoming = merged(Method::Post, "a=1", Some(json!([1])), None);
        assert_eq!(value(&incoming.arguments.merged), json!({"a": "1"}));
        assert_eq!(incoming.arguments.main.unwrap(), "[1]");
        assert!(merge(Method::Post, &Query::default(), Some(json!("text")), None).is_err());
    }

    #[test]
    fn a_schema_decodes_what_travels_in_the_query() {
        let inputs = Inputs::new()
            .argument::<u32>("limit", Placement::ByMethod)
            .argument::<Vec<String>>("tags", Placement::ByMethod)
            .argument::<Option<Vec<String>>>("more", Placement::ByMethod)
            .build();
        let incoming = merged(Method::Get, "limit=5&other=6", None, Some(&inputs));
        assert_eq!(value(&incoming.arguments.merged), json!({"limit": 5, "tags": [], "other": "6"}));
        assert_eq!(value(&incoming.arguments.query.unwrap()), json!({"limit": "5", "other": "6"}));
        // With a body the list would have been in it.
        let incoming = merged(Method::Post, "", Some(json!({"limit": 5})), Some(&inputs));
        assert_eq!(value(&incoming.arguments.merged), json!({"limit": 5}));
    }

    #[test]
    fn an_argument_can_be_the_whole_body() {
        let inputs = Inputs::new()
            .argument::<Value>("item", Placement::Body)
            .argument::<u32>("page", Placement::Query)
            .build();
        let incoming = merged(Method::Put, "page=2", Some(json!({"name": "x"})), Some(&inputs));
        assert_eq!(value(&incoming.arguments.main.unwrap()), json!({"item": {"name": "x"}, "page": 2}));
        assert_eq!(value(&incoming.arguments.merged), json!({"name": "x", "page": 2}));
        let incoming = merged(Method::Put, "page=2", None, Some(&inputs));
        assert_eq!(value(&incoming.arguments.main.unwrap()), json!({"page": 2}));
    }
}
