//! What an endpoint's metadata says about an operation: its texts, and the content type of its answers.

use serde_json::{Map, Value, json};
use syncano_core::Method;

/// Characters of a summary: generators make one line of it.
const SUMMARY: usize = 120;

/// What is said about one method of an endpoint.
pub(super) struct Described<'a> {
    /// From the nearest to the farthest: of the method, of all methods, of the endpoint.
    places: Vec<&'a Map<String, Value>>,
}

impl<'a> Described<'a> {
    pub(super) fn of(metadata: &'a Map<String, Value>, method: Method) -> Described<'a> {
        let under = |key: &str| metadata.get(key).and_then(Value::as_object);
        let places = [under(method.as_str()), under("*"), Some(metadata)];
        Described { places: places.into_iter().flatten().collect() }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.places.iter().find_map(|place| place.get(key)?.as_str()).filter(|text| !text.trim().is_empty())
    }

    /// The whole text.
    pub(super) fn description(&self) -> Option<&'a str> {
        self.text("description")
    }

    /// A line: one that is said to be the summary, or the first sentence of the description.
    pub(super) fn summary(&self) -> Option<String> {
        let text = self.text("summary").or_else(|| self.description())?;
        let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence = line.split_once(". ").map_or(line.as_str(), |(first, _)| first);
        let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
        let mut letters = sentence.chars();
        let start: String = letters.by_ref().take(SUMMARY).collect();
        Some(if letters.next().is_some() { start + "…" } else { start })
    }

    /// The content of successful answers. `results` is the schema of the results, if there is one, as a part of the
    /// document. A script that sets a response of its own says its content type as `contentMediaType` in that schema, or as
    /// Syncano's files did: `"response": {"mimetype": "text/html"}`.
    pub(super) fn answers(&self, schema: Option<&Value>, results: Value) -> Value {
        let by_schema = schema.and_then(|schema| schema.get("contentMediaType")?.as_str());
        let by_metadata =
            || self.places.iter().find_map(|place| place.get("response")?.get("mimetype")?.as_str());
        let content_type = by_schema.or_else(by_metadata).map(str::trim).filter(|kind| is_content_type(kind));
        match content_type {
            Some(kind) if is_json(kind) => json!({ kind: { "schema": results } }),
            Some(kind) if kind.starts_with("text/") => json!({ kind: { "schema": { "type": "string" } } }),
            Some(kind) => json!({ kind: { "schema": { "type": "string", "format": "binary" } } }),
            None if schema.is_some() => json!({ "application/json": { "schema": results } }),
            // Nobody says what the script answers: a value, or whatever response it sets.
            None => json!({ "application/json": { "schema": results }, "*/*": { "schema": {} } }),
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim_end();
    kind == "application/json" || kind.ends_with("+json")
}

/// `type/subtype`, with parameters or without.
fn is_content_type(text: &str) -> bool {
    let name = |word: &str| {
        !word.is_empty()
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "!#$&^_.+-".contains(letter))
    };
    let kind = text.split(';').next().unwrap_or_default().trim_end();
    text.is_ascii() && kind.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(text: &str) -> String {
        let metadata = json!({ "GET": { "description": text } });
        Described::of(metadata.as_object().unwrap(), Method::Get).summary().unwrap()
    }

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(summary("Lists the items. All of them."), "Lists the items");
        assert_eq!(summary("Lists\nthe items of v1.2.\n\nAll of them."), "Lists the items of v1.2");
        assert_eq!(summary(&"é".repeat(121)).chars().count(), SUMMARY + 1);
    }

    #[test]
    fn the_nearest_word_counts() {
        let metadata = json!({
            "description": "endpoint", "GET": { "description": "get", "response": { "mimetype": "image/png" } },
            "*": { "description": "all" }, "response": { "mimetype": "text/html; charset=utf-8" },
        });
        let of = |method| Described::of(metadata.as_object().unwrap(), method);
        assert_eq!(
            (of(Method::Get).description(), of(Method::Put).description()),
            (Some("get"), Some("all"))
        );
        let answers =
            |method, schema: Option<Value>| of(method).answers(schema.as_ref(), json!({ "type": "integer" }));
        assert_eq!(
            answers(Method::Get, None),
            json!({ "image/png": { "schema": { "type": "string", "format": "binary" } } })
        );
        assert_eq!(
            answers(Method::Put, None),
            json!({ "text/html; charset=utf-8": { "schema": { "type": "string" } } })
        );
        assert_eq!(
            answers(Method::Get, Some(json!({ "contentMediaType": "application/geo+json" }))),
            json!({ "application/geo+json": { "schema": { "type": "integer" } } })
        );
        let plain = json!({ "response": { "mimetype": "no type" } });
        let plain = Described::of(plain.as_object().unwrap(), Method::Get);
        assert_eq!(
            plain.answers(Some(&json!({})), json!({})),
            json!({ "application/json": { "schema": {} } })
        );
        assert_eq!(plain.answers(None, json!({})).as_object().unwrap().len(), 2);
    }
}
