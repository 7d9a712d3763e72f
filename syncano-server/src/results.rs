//! Checks what scripts answer against their endpoint's schema.

use std::str;
use std::sync::Arc;

use serde_json::Value;
use syncano_core::{Method, Mismatch, ResultPolicy, RunStatus};
use syncano_runner::{Answer, Outcome};

use crate::endpoint::Endpoint;
use crate::schemas::{self, Kind, Schema, Schemas};
use crate::strict_json;

/// A run that has come to its end.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    /// Where the result doesn't fit the schema, if there is one.
    pub(crate) mismatches: Vec<Mismatch>,
    /// Whether its result is a text, by the schema.
    pub(crate) is_text: bool,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Ended {
        Ended { outcome, mismatches: Vec::new(), is_text: false }
    }
}

/// What the results of an endpoint are checked with.
pub(crate) struct ResultCheck {
    schema: Arc<Schema>,
    policy: ResultPolicy,
}

impl ResultCheck {
    pub(crate) fn of(schemas: &Schemas, endpoint: &Endpoint, method: Method) -> Option<ResultCheck> {
        let schema = schemas.of(endpoint, method, Kind::Outputs)?;
        Some(ResultCheck { schema, policy: endpoint.results })
    }

    /// Checks what a typed caller would read: what `main` returned, the content of a response that says success, or what
    /// was printed.
    pub(crate) fn apply(&self, mut outcome: Outcome) -> Ended {
        let mut mismatches = match (&outcome.answer, outcome.status) {
            (Some(Answer::Value(json)), RunStatus::Success) => self.json(json).err().unwrap_or_default(),
            (Some(Answer::Response(own)), RunStatus::Success) if (200..300).contains(&own.status) => {
                self.text(&own.content)
            }
            (None, RunStatus::Success) => self.text(outcome.stdout.as_bytes()),
            _ => Vec::new(),
        };
        if let Some(nothing) = nothing(&outcome) {
            for mismatch in mismatches.iter_mut().filter(|mismatch| mismatch.pointer.is_empty()) {
                mismatch.problem = format!("{}: {nothing}", mismatch.problem);
            }
        }
        if !mismatches.is_empty() {
            let places: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
            let line = format!("the result doesn't fit the endpoint's schema: {}", places.join("; "));
            if !outcome.stderr.is_empty() {
                outcome.stderr.push('\n');
            }
            outcome.stderr.push_str(&line);
            if self.policy == ResultPolicy::Enforce {
                outcome.status = RunStatus::Failure;
            }
        }
        Ended { outcome, mismatches, is_text: self.schema.compiled.is_text() }
    }

    fn json(&self, json: &[u8]) -> Result<(), Vec<Mismatch>> {
        let mismatches =
            schemas::apart(json.len(), || match (strict_json::read(json), str::from_utf8(json)) {
                (Ok(value), Ok(text)) => self.schema.compiled.check_text(&value, text),
                (Ok(value), Err(_)) => self.schema.compiled.check(&value, json.len()),
                (Err(unreadable), _) => vec![unreadable.mismatch(json)],
            });
        if mismatches.is_empty() { Ok(()) } else { Err(mismatches) }
    }

    /// What a script wrote itself is JSON, or a text as it is where a text is asked for. Nothing is `null`.
    fn text(&self, content: &[u8]) -> Vec<Mismatch> {
        let Err(mismatches) = self.json(if content.is_empty() { b"null" } else { content }) else {
            return Vec::new();
        };
        let as_it_is =
            str::from_utf8(content).ok().filter(|_| self.schema.compiled.is_text()).map(Value::from);
        match as_it_is {
            Some(text) if schemas::check(&self.schema.compiled, &text, content.len()).is_empty() => {
                Vec::new()
            }
            _ => mismatches,
        }
    }
}

/// How a script came to answer nothing: what it forgot is not seen in a `null`.
fn nothing(outcome: &Outcome) -> Option<&'static str> {
    match &outcome.answer {
        Some(Answer::Value(json)) if json == "null" => Some("the script's function returned nothing"),
        None if outcome.stdout.is_empty() => {
            Some("the script printed nothing, and it has no `main` (Python) or default function (JavaScript)")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn checked(schema: &Value, stdout: &str, answer: Option<Answer>) -> Ended {
        let compiled = syncano_core::CompiledSchema::new(schema).unwrap();
        let schema = Arc::new(Schema { value: schema.clone(), compiled });
        let outcome = Outcome {
            status: RunStatus::Success,
            stdout: stdout.to_owned(),
            stderr: "before".to_owned(),
            started_at: SystemTime::UNIX_EPOCH,
            duration: Duration::ZERO,
            answer,
            traffic: Default::default(),
        };
        ResultCheck { schema, policy: ResultPolicy::Enforce }.apply(outcome)
    }

    fn response(status: u16, content: &'static [u8]) -> Option<Answer> {
        let content = Bytes::from_static(content);
        let content_type = "text/plain".to_owned();
        Some(Answer::Response(syncano_runner::Response {
            status,
            content_type,
            headers: Vec::new(),
            content,
        }))
    }

    #[test]
    fn what_a_caller_would_read_is_checked() {
        let value = |json: &'static str| Some(Answer::Value(Bytes::from_static(json.as_bytes())));
        let (number, text) = (json!({"type": "integer"}), json!({"type": "string"}));
        let nothing = json!({"type": "null"});
        let fits = |schema: &Value, stdout, answer| checked(schema, stdout, answer).mismatches.is_empty();
        assert!(fits(&number, "noise", value("3")) && !fits(&number, "3", value("\"3\"")));
        assert!(fits(&text, "", value("\"3\"")) && !fits(&text, "", value("3")));
        // A program prints JSON, or a text as it is.
        assert!(fits(&number, "3", None) && !fits(&number, "three", None));
        assert!(fits(&text, "three", None) && fits(&text, "3", None) && fits(&text, "", None));
        assert!(fits(&nothing, "", None) && !fits(&nothing, "x", None));
        assert!(!fits(&json!(true), "three", None), "a caller who asks for anything reads JSON");
        // So does a response that says success; others are errors of the script's own.
        assert!(fits(&number, "noise", response(201, b"3")) && !fits(&number, "3", response(200, b"x")));
        assert!(fits(&text, "", response(200, b"<p>")) && !fits(&text, "", response(200, b"\xff")));
        assert!(fits(&nothing, "", response(204, b"")) && fits(&number, "", response(404, b"gone")));
        assert!(fits(&number, "", Some(Answer::AppError(Bytes::from_static(b"\"E\"")))));
    }

    #[test]
    fn a_run_whose_result_does_not_fit_has_failed_and_says_where() {
        let ended = checked(&json!({"items": {"type": "integer"}}), "[1, \"x\"]", None);
        assert_eq!(ended.outcome.status, RunStatus::Failure);
        assert_eq!(
            ended.outcome.stderr,
            "before\nthe result doesn't fit the endpoint's schema: at /1: expected a whole number, found the text `x`"
        );
        assert_eq!(ended.mismatches[0].pointer, "/1");
        let twice = checked(&json!(true), r#"[{"a": 1, "b": {"a": 2}, "a": 3}]"#, None).mismatches;
        assert!(
            twice[0].problem.ends_with("(the key `a` stands there twice at line 1 column 28)"),
            "{twice:?}"
        );
        let garbage = checked(&json!({"type": "integer"}), "no number", None).mismatches;
        assert!(garbage[0].problem.starts_with("expected JSON, found `no number` ("), "{garbage:?}");
        let forgotten =
            checked(&json!({"type": "integer"}), "", Some(Answer::Value("null".into()))).mismatches;
        assert!(forgotten[0].problem.ends_with(": the script's function returned nothing"), "{forgotten:?}");
        let silent = checked(&json!({"type": "integer"}), "", None).mismatches;
        assert!(
            silent[0].problem.contains(": the script printed nothing, and it has no `main`"),
            "{silent:?}"
        );
        let bytes = checked(&json!({"type": "integer"}), "", response(200, b"\xff")).mismatches;
        assert_eq!(bytes[0].problem, "expected JSON, found bytes that are no UTF-8 text");
    }
}
