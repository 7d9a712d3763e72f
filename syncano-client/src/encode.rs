//! How arguments travel: GET and DELETE in the query, the others in a JSON body.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, from_str, to_string, to_writer};
use syncano_core::{Map, Method, Placement};

use crate::error::RequestProblem;
use crate::finite;

/// An argument, written as JSON once.
#[derive(Debug)]
pub(crate) struct Argument {
    name: &'static str,
    placement: Placement,
    json: Result<String, serde_json::Error>,
}

impl Argument {
    pub(crate) fn new<T: Serialize + ?Sized>(
        name: &'static str,
        value: &T,
        placement: Placement,
    ) -> Argument {
        Argument { name, placement, json: json(value) }
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let json = to_string(value)?;
    // Numbers that JSON doesn't have are among those.
    if json.contains("null") {
        finite::refuse(value)?;
    }
    Ok(json)
}

/// What a call is given.
#[derive(Debug)]
pub(crate) enum Arguments {
    /// The arguments of a generated function.
    Named(Vec<Argument>),
    /// One value for the whole: the body, or an object whose keys go into the query.
    Data(Result<Value, serde_json::Error>),
}

impl Arguments {
    /// `null`, and so `()`, is no data.
    pub(crate) fn data(data: impl Serialize) -> Arguments {
        Arguments::Data(finite::refuse(&data).and_then(|()| serde_json::to_value(data)))
    }

    /// As one value, without what is left out when they travel.
    #[cfg(feature = "fake")]
    pub(crate) fn into_value(self) -> Result<Value, RequestProblem> {
        let mut value = match self {
            Arguments::Data(data) => {
                data.map_err(|source| RequestProblem::Argument { argument: "data", source })?
            }
            Arguments::Named(arguments) => {
                let mut named = Map::new();
                for Argument { name, json, .. } in arguments {
                    let value = json.and_then(|json| from_str(&json));
                    let value =
                        value.map_err(|source| RequestProblem::Argument { argument: name, source })?;
                    named.insert(name.to_owned(), value);
                }
                Value::Object(named)
            }
        };
        if let Value::Object(named) = &mut value {
            named.retain(|_, value| !value.is_null());
        }
        Ok(value)
    }
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) query: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Option<Bytes>,
}

/// Distributes arguments over query and body.
pub(crate) fn request(method: Method, arguments: Arguments) -> Result<Request, RequestProblem> {
    match arguments {
        Arguments::Named(arguments) => named(method, arguments),
        Arguments::Data(data) => {
            self::data(method, data.map_err(|source| RequestProblem::Argument { argument: "data", source })?)
        }
    }
}

fn data(method: Method, data: Value) -> Result<Request, RequestProblem> {
    let keys = match data {
        Value::Null => Map::new(),
        data if method.has_body() => {
            return Ok(Request { query: Vec::new(), body: Some(data.to_string().into()) });
        }
        Value::Object(keys) => keys,
        _ => return Err(RequestProblem::NoObject { method }),
    };
    let mut query = Vec::new();
    for (name, value) in keys {
        if !value.is_null() {
            parameter(&mut query, name, value);
        }
    }
    Ok(Request { query, body: method.has_body().then(|| object(&[])) })
}

/// `null` is left out, so that the script's default applies.
fn named(method: Method, arguments: Vec<Argument>) -> Result<Request, RequestProblem> {
    let mut query = Vec::new();
    let mut keys: Vec<(&str, String)> = Vec::new();
    let (mut whole, mut is_left_out) = (None, false);
    for Argument { name, placement, json } in arguments {
        let json = json.map_err(|source| RequestProblem::Argument { argument: name, source })?;
        match placement {
            Placement::Body if !method.has_body() => {
                return Err(RequestProblem::NoBody { argument: name, method });
            }
            _ if json == "null" => is_left_out |= placement == Placement::Body,
            Placement::Body => whole = Some(json),
            Placement::ByMethod if method.has_body() => keys.push((name, json)),
            Placement::ByMethod | Placement::Query => {
                let value =
                    from_str(&json).map_err(|source| RequestProblem::Argument { argument: name, source })?;
                parameter(&mut query, name, value);
            }
        }
    }
    let body = match whole {
        Some(json) => Some(json.into()),
        // Without a body the argument is left out; an object would be the argument.
        None if is_left_out => None,
        None if method.has_body() => Some(object(&keys)),
        None => None,
    };
    Ok(Request { query, body })
}

/// A list repeats its key, an object is JSON text, everything else is its plain text. A list that would read differently then is
/// JSON text as a whole: one with a `null`, and a single item that looks like a list.
fn parameter(query: &mut Vec<(Cow<'static, str>, String)>, name: impl Into<Cow<'static, str>>, value: Value) {
    let name = name.into();
    match value {
        Value::Array(items) if items.iter().any(Value::is_null) || looks_like_a_list(&items) => {
            query.push((name, Value::Array(items).to_string()));
        }
        Value::Array(items) => query.extend(items.into_iter().map(|item| (name.clone(), text(item)))),
        other => query.push((name, text(other))),
    }
}

fn looks_like_a_list(items: &[Value]) -> bool {
    match items {
        [Value::String(text)] => text.trim_start().starts_with('['),
        [only] => only.is_array(),
        _ => false,
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn object(keys: &[(&str, String)]) -> Bytes {
    // With quotes, colon and comma.
    let length: usize = keys.iter().map(|(name, json)| name.len() + json.len() + 4).sum();
    let mut body = Vec::with_capacity(length + 2);
    body.push(b'{');
    for (index, (name, json)) in keys.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        // Neither writing text nor growing a `Vec` can fail.
        let _ = to_writer(&mut body, name);
        body.push(b':');
        body.extend_from_slice(json.as_bytes());
    }
    body.push(b'}');
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument<T: Serialize>(name: &'static str, value: T) -> Argument {
        Argument::new(name, &value, Placement::ByMethod)
    }

    #[test]
    fn get_puts_arguments_into_the_query() {
        let request = named(
            Method::Get,
            vec![
                argument("text", "ä b&c"),
                argument("number", 7),
                argument("none", None::<u8>),
                argument("list", ["a", "b"]),
                argument("empty", Vec::<u8>::new()),
                argument("object", serde_json::json!({"k": [1]})),
                argument("objects", serde_json::json!([{"k": 1}, [2]])),
                argument("flag", true),
                argument("gap", [Some("null"), None]),
                argument("bracket", ["[a"]),
            ],
        )
        .unwrap();
        let query: Vec<_> = request.query.iter().map(|(key, value)| (key.as_ref(), value.as_str())).collect();
        assert_eq!(
            query,
            [
                ("text", "ä b&c"),
                ("number", "7"),
                ("list", "a"),
                ("list", "b"),
                ("object", r#"{"k":[1]}"#),
                ("objects", r#"{"k":1}"#),
                ("objects", "[2]"),
                ("flag", "true"),
                ("gap", r#"["null",null]"#),
                ("bracket", r#"["[a"]"#),
            ]
        );
        assert!(request.body.is_none());
    }

    #[test]
    fn post_makes_an_object_of_the_arguments() {
        let mut forced = argument("page", 2);
        forced.placement = Placement::Query;
        let request =
            named(Method::Post, vec![argument("a\"b", 1), argument("none", None::<u8>), forced]).unwrap();
        assert_eq!(request.body.unwrap(), r#"{"a\"b":1}"#);
        assert_eq!(request.query, [("page".into(), "2".to_owned())]);
    }

    #[test]
    fn one_argument_can_be_the_whole_body() {
        let whole = || Argument::new("item", &[1, 2], Placement::Body);
        assert_eq!(named(Method::Put, vec![whole()]).unwrap().body.unwrap(), "[1,2]");
        let refused = named(Method::Get, vec![whole()]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "its argument `item` is the body, and GET sends none: use a method with a body"
        );
    }

    #[test]
    fn data_is_the_body_or_the_query() {
        let sent = |method, data: Value| data_request(method, data).map_err(|problem| problem.to_string());
        let object = serde_json::json!({"a": [1, "b"], "none": null});
        assert_eq!(sent(Method::Post, object.clone()), Ok((vec![], Some(object.to_string()))));
        let query = vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "b".to_owned())];
        assert_eq!(sent(Method::Get, object), Ok((query, None)));
        assert_eq!(sent(Method::Post, Value::Null), Ok((vec![], Some("{}".to_owned()))));
        assert_eq!(sent(Method::Delete, Value::Null), Ok((vec![], None)));
        assert_eq!(sent(Method::Put, Value::from(vec![1])), Ok((vec![], Some("[1]".to_owned()))));
        assert_eq!(
            sent(Method::Get, Value::from(vec![1])),
            Err("GET sends its data in the query: it must be an object".to_owned())
        );
    }

    type Sent = (Vec<(String, String)>, Option<String>);

    fn data_request(method: Method, data: Value) -> Result<Sent, RequestProblem> {
        let Request { query, body } = request(method, Arguments::data(data))?;
        let query = query.into_iter().map(|(key, value)| (key.into_owned(), value)).collect();
        Ok((query, body.map(|body| String::from_utf8(body.to_vec()).unwrap())))
    }
}
