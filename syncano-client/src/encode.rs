//! How arguments travel: GET and DELETE in the query, the others in a JSON body.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
#[cfg(feature = "fake")]
use serde_json::Value;
use serde_json::value::RawValue;
use serde_json::{from_str, to_string, to_writer};
#[cfg(feature = "fake")]
use syncano_core::Map;
use syncano_core::{Method, Placement};

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
    /// One value for the whole, as JSON: the body, or an object whose keys go into the query.
    Data(Result<String, serde_json::Error>),
}

impl Arguments {
    /// `null`, and so `()`, is no data.
    pub(crate) fn data(data: impl Serialize) -> Arguments {
        Arguments::Data(json(&data))
    }

    /// As one value, without what is left out when they travel.
    #[cfg(feature = "fake")]
    pub(crate) fn into_value(self) -> Result<Value, RequestProblem> {
        let mut value = match self {
            Arguments::Data(data) => {
                let value = data.and_then(|json| from_str(&json));
                value.map_err(|source| RequestProblem::Argument { argument: "data", source })?
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

fn data(method: Method, json: String) -> Result<Request, RequestProblem> {
    let mut query = Vec::new();
    if json == "null" {
        return Ok(Request { query, body: method.has_body().then(|| object(&[])) });
    }
    if method.has_body() {
        return Ok(Request { query, body: Some(json.into()) });
    }
    let keys: BTreeMap<String, &RawValue> =
        from_str(&json).map_err(|_| RequestProblem::NoObject { method })?;
    for (name, value) in keys {
        if value.get() != "null" {
            parameter(&mut query, name, value.get())
                .map_err(|source| RequestProblem::Argument { argument: "data", source })?;
        }
    }
    Ok(Request { query, body: None })
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
                parameter(&mut query, name, &json)
                    .map_err(|source| RequestProblem::Argument { argument: name, source })?;
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
/// JSON text as a whole: an empty one, which would be no key at all, one with a `null`, and a single item that looks like a list.
fn parameter(
    query: &mut Vec<(Cow<'static, str>, String)>,
    name: impl Into<Cow<'static, str>>,
    json: &str,
) -> Result<(), serde_json::Error> {
    let name = name.into();
    if !json.starts_with('[') {
        query.push((name, text(json)?));
        return Ok(());
    }
    let items: Vec<&RawValue> = from_str(json)?;
    let texts: Vec<String> = items.iter().map(|item| text(item.get())).collect::<Result<_, _>>()?;
    let is_whole = match texts.as_slice() {
        [] => true,
        [only] if only.trim_start().starts_with('[') => true,
        _ => items.iter().any(|item| item.get() == "null"),
    };
    if is_whole {
        query.push((name, json.to_owned()));
    } else {
        query.extend(texts.into_iter().map(|text| (name.clone(), text)));
    }
    Ok(())
}

/// The text that JSON is in a query.
fn text(json: &str) -> Result<String, serde_json::Error> {
    if json.starts_with('"') { from_str(json) } else { Ok(json.to_owned()) }
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
    use serde_json::Value;

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
                ("empty", "[]"),
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
    fn numbers_travel_as_they_are_written() {
        let request = named(
            Method::Get,
            vec![
                argument("large", 1_u128 << 100),
                argument("largest", [u128::MAX, 1]),
                argument("float", 123_456_789.123_456_79),
                argument("some", Some(Vec::<Vec<u8>>::new())),
                argument("empty", [[0_u8; 0]]),
            ],
        );
        let texts: Vec<String> = request.unwrap().query.into_iter().map(|(_, text)| text).collect();
        let largest = u128::MAX.to_string();
        assert_eq!(
            texts,
            ["1267650600228229401496703205376", &largest, "1", "123456789.12345679", "[]", "[[]]"]
        );
        let data = Arguments::data(BTreeMap::from([("n", 1_u128 << 100)]));
        assert_eq!(request_of(Method::Post, data), r#"{"n":1267650600228229401496703205376}"#);
    }

    fn request_of(method: Method, arguments: Arguments) -> String {
        String::from_utf8(request(method, arguments).unwrap().body.unwrap().to_vec()).unwrap()
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
