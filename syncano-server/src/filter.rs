//! `fields` and `excluded_fields`: which fields of an object, or of the objects of a list, are answered.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse as _, Response};
use http::header;
use serde_json::value::{RawValue, to_raw_value};

use crate::errors::ApiError;
use crate::reply::{self, Filterable};
use crate::request::Query;

/// Names that one request may list.
const MOST: usize = 64;

/// What a request wants of an answer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Filter {
    /// Only these.
    only: Option<BTreeSet<String>>,
    /// Not these.
    without: BTreeSet<String>,
}

impl Filter {
    /// Reads the request's query.
    ///
    /// # Errors
    /// 400 for too long a list.
    pub(crate) fn of(query: &Query) -> Result<Filter, ApiError> {
        let names = |key: &str| -> Result<Option<BTreeSet<String>>, ApiError> {
            let Some(list) = query.last(key) else { return Ok(None) };
            let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
            match names.clone().count() {
                0 => Ok(None),
                count if count > MOST => {
                    Err(ApiError::bad_request(format!("{key}: {count} names: at most {MOST} are allowed")))
                }
                _ => Ok(Some(names.map(str::to_owned).collect())),
            }
        };
        Ok(Filter { only: names("fields")?, without: names("excluded_fields")?.unwrap_or_default() })
    }

    /// The answer, an object, with its values as they were written.
    fn apply(&self, answer: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        let written;
        let mut fields: Object<'_> = match serde_json::from_slice(answer) {
            Ok(fields) => fields,
            // A list has no fields.
            Err(_) => return Ok(answer.to_vec()),
        };
        let objects: Option<Vec<Object<'_>>> =
            fields.get("objects").and_then(|objects| serde_json::from_str(objects.get()).ok());
        match objects {
            Some(mut objects) => {
                objects.iter_mut().for_each(|object| self.retain(object));
                written = to_raw_value(&objects)?;
                fields.insert("objects".to_owned(), &written);
                serde_json::to_vec(&fields)
            }
            None => {
                self.retain(&mut fields);
                serde_json::to_vec(&fields)
            }
        }
    }

    fn retain(&self, object: &mut Object<'_>) {
        let wanted = |name: &String| self.only.as_ref().is_none_or(|only| only.contains(name));
        object.retain(|name, _| wanted(name) && !self.without.contains(name));
    }
}

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Leaves out of an answer of the API what the request doesn't want. Answers of runs are the script's business.
pub(crate) async fn apply(
    filter: Result<Filter, ApiError>,
    response: Response,
) -> Result<Response, ApiError> {
    if response.extensions().get::<Filterable>().is_none() {
        return Ok(response);
    }
    let filter = filter?;
    if filter == Filter::default() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    // It is in memory already.
    let bytes = to_bytes(body, usize::MAX).await.map_err(ApiError::internal)?;
    if bytes.is_empty() {
        // To a HEAD.
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    let answer = filter.apply(&bytes).map_err(ApiError::internal)?;
    Ok((parts.status, [(header::CONTENT_TYPE, reply::JSON)], answer).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn filtered(query: &str, answer: Value) -> Value {
        let filter = Filter::of(&Query::parse(query)).unwrap();
        serde_json::from_slice(&filter.apply(answer.to_string().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_object_keeps_what_is_wanted() {
        let object = json!({ "a": 1, "b": 2, "c": { "a": 3 } });
        assert_eq!(filtered("fields=a,c,unknown", object.clone()), json!({ "a": 1, "c": { "a": 3 } }));
        assert_eq!(filtered("excluded_fields=%20a%20,x", object.clone()), json!({ "b": 2, "c": { "a": 3 } }));
        assert_eq!(filtered("fields=a,b&excluded_fields=b", object.clone()), json!({ "a": 1 }));
        for nothing in ["", "fields=", "fields=,", "excluded_fields="] {
            assert_eq!(filtered(nothing, object.clone()), object);
        }
    }

    #[test]
    fn a_list_stays_a_list() {
        let list = json!({ "next": null, "prev": null, "objects": [{ "a": 1, "b": 2 }, { "b": 3 }] });
        let only = json!({ "next": null, "prev": null, "objects": [{ "a": 1 }, {}] });
        assert_eq!(filtered("fields=a", list.clone()), only);
        assert_eq!(filtered("excluded_fields=objects,b", list), only);
    }

    #[test]
    fn a_list_of_names_has_an_end() {
        let names = |count: usize| Query::parse(&format!("fields={}", vec!["a"; count].join(",")));
        assert!(Filter::of(&names(64)).is_ok());
        assert!(Filter::of(&names(65)).is_err());
    }
}
