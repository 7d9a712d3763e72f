//! How the answer of a call is read.
//!
//! The server says in headers what the body is; the HTTP status alone can't tell a script's own 500 from a failed
//! run, nor old clients' 200 for a failure from success.

use std::any::{Any, TypeId};
use std::fmt;
use std::str;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::{DeserializeOwned, Error as _};
use serde_path_to_error::Segment;
use syncano_core::{ResultKind, RunStatus, Trace, limits, numbers};

use crate::call::Asked;
use crate::called::{Called, Origin};
use crate::exact::{Exact, Rounded};
use crate::{ApiError, CallError, CustomResponse, Response, ResultMismatch, ScriptFailure, header};

/// Reads JSON.
pub(crate) type Read<T> = fn(&[u8]) -> Result<T, Undecodable>;

/// Why JSON is not of a type, and where.
#[derive(Debug)]
pub(crate) struct Undecodable {
    /// A JSON pointer; empty for the whole.
    pointer: String,
    source: serde_json::Error,
}

impl From<serde_json::Error> for Undecodable {
    fn from(source: serde_json::Error) -> Undecodable {
        Undecodable { pointer: String::new(), source }
    }
}

/// Reads JSON; a second time if it is not of the type, to learn where.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
    let rounded = match str::from_utf8(body) {
        Ok(text) => numbers::beyond_floats(text),
        // Reading it tells.
        Err(_) => Vec::new(),
    };
    let source = match rounded.as_slice() {
        [] => match serde_json::from_slice(body) {
            Ok(value) => return Ok(value),
            Err(source) => Some(source),
        },
        _ => None,
    };
    let json = &mut serde_json::Deserializer::from_slice(body);
    let read = match rounded.as_slice() {
        [] => serde_path_to_error::deserialize::<_, T>(&mut *json),
        rounded => serde_path_to_error::deserialize(Exact::new(&mut *json, &Rounded::new(rounded))),
    };
    match (read, source) {
        (Err(error), _) => {
            if let Some(zeros) = str::from_utf8(body).ok().and_then(numbers::without_negative_zeros) {
                return read_json(zeros.as_bytes());
            }
            let pointer = pointer(error.path());
            Err(Undecodable { pointer, source: explained(error.into_inner()) })
        }
        // Something follows the value.
        (Ok(_), Some(source)) => Err(source.into()),
        (Ok(value), None) => Ok(json.end().map(|()| value)?),
    }
}

fn explained(error: serde_json::Error) -> serde_json::Error {
    if error.to_string().starts_with("recursion limit exceeded") {
        let levels = limits::JSON_LEVELS;
        return serde_json::Error::custom(format!(
            "it has objects and lists more than {levels} levels deep, which can't be read: return fewer levels, or a text"
        ));
    }
    error
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer += &index.to_string(),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer += &key.replace('~', "~0").replace('/', "~1");
            }
            Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}

/// How results of one type are read. Made where it is known that the type deserialises, so that calls need no bounds.
pub struct ReadResult<T> {
    json: Read<T>,
    /// A response or printed text: as it is for [`String`], JSON for every other type.
    text: Read<T>,
    /// Whether to ask for the record of the run instead of the script's answer.
    pub(crate) wants_trace: bool,
    /// Whether a program that prints nothing answers `null`, which is `None`.
    nothing_is_null: bool,
    /// Takes a response as a whole, whatever its status, instead of reading its body.
    whole: Option<fn(CustomResponse) -> T>,
    has_schema: bool,
}

// Not derived: that would ask the same of the type.
impl<T> Clone for ReadResult<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ReadResult<T> {}

impl<T> fmt::Debug for ReadResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadResult").field("wants_trace", &self.wants_trace).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + 'static> ReadResult<T> {
    pub(crate) fn new() -> ReadResult<T> {
        let is_text = TypeId::of::<T>() == TypeId::of::<String>();
        let is_nothing = TypeId::of::<T>() == TypeId::of::<()>();
        let wants_trace = TypeId::of::<T>() == TypeId::of::<Trace>();
        ReadResult {
            json: if is_nothing { as_nothing } else { read_json },
            text: match (is_text, is_nothing) {
                (true, _) => as_text,
                (_, true) => as_nothing,
                _ => read_json,
            },
            wants_trace,
            nothing_is_null: !is_text,
            whole: None,
            has_schema: !wants_trace && !is_nothing,
        }
    }
}

impl<T> ReadResult<T> {
    /// Whether the server checks results by the type's schema. A trace is the server's own, and `()` takes anything.
    pub(crate) fn has_schema(self) -> bool {
        self.has_schema
    }
}

impl ReadResult<CustomResponse> {
    /// Takes the response that the script set, whatever its status.
    pub(crate) fn response() -> ReadResult<CustomResponse> {
        ReadResult {
            json: |json| Ok(CustomResponse::json_text(json)),
            text: |printed| Ok(CustomResponse::printed(printed)),
            wants_trace: false,
            nothing_is_null: false,
            whole: Some(|response| response),
            has_schema: false,
        }
    }
}

/// `()` for a `T` that is `()`: the caller doesn't want what the script answered.
fn as_nothing<T: DeserializeOwned + 'static>(_: &[u8]) -> Result<T, Undecodable> {
    read_json(b"null")
}

/// Text for a `T` that is [`String`]; only the compiler doesn't know.
fn as_text<T: 'static>(body: &[u8]) -> Result<T, Undecodable> {
    let text = String::from_utf8(body.to_vec()).map_err(serde_json::Error::custom)?;
    let text: Box<dyn Any> = Box::new(text);
    text.downcast().map(|text| *text).map_err(|_| serde_json::Error::custom("not a string").into())
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// `origin` and `asked` are what errors name.
    pub(crate) fn read<T, E>(
        self,
        origin: Origin,
        asked: Asked<'_>,
        result: ReadResult<T>,
        error: Read<E>,
    ) -> Result<Response<T>, CallError<E>> {
        let Answer { status, headers, body } = self;
        let word = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(run) = word(&header::STATUS) else {
            let error = ApiError::read(status, asked.to_string(), &body);
            return Err(CallError::Api { endpoint: origin.called(), error });
        };
        let run = RunStatus::from_word(run);
        let kind = word(&header::RESULT).and_then(ResultKind::from_word);
        let trace = word(&header::TRACE).and_then(|number| number.parse().ok());

        let read = |text: &[u8]| {
            (result.text)(if text.is_empty() && result.nothing_is_null { b"null" } else { text })
        };
        let value = match (kind, run) {
            (Some(ResultKind::Value), _) => (result.json)(&body),
            (Some(ResultKind::Response), _) => {
                let own_error = if status.is_success() { None } else { error(&body).ok() };
                match (own_error, result.whole) {
                    (Some(error), _) => return Err(CallError::App(error, origin.answered(&headers))),
                    (None, Some(whole)) => {
                        Ok(whole(CustomResponse::received(status, &headers, body.clone())))
                    }
                    (None, None) if status.is_success() => read(&body),
                    (None, None) => {
                        let endpoint = origin.answered(&headers);
                        return Err(CallError::Response { endpoint, status, body });
                    }
                }
            }
            (Some(ResultKind::AppError), _) => {
                let endpoint = origin.answered(&headers);
                return Err(match error(&body) {
                    Ok(error) => CallError::App(error, endpoint),
                    Err(Undecodable { pointer, source }) => {
                        CallError::UnknownApp { endpoint, pointer, source, body }
                    }
                });
            }
            (Some(ResultKind::Trace), Some(_)) if result.wants_trace => (result.json)(&body),
            (Some(ResultKind::Trace), Some(run)) => match serde_json::from_slice::<Trace>(&body) {
                Ok(trace) if run == RunStatus::Success => {
                    let stdout = trace.result.stdout;
                    return match read(stdout.as_bytes()) {
                        Ok(value) => Ok(Response { status, headers, trace: Some(trace.id), value }),
                        Err(error) => Err(undecodable(origin.answered(&headers), error, stdout.into())),
                    };
                }
                Ok(trace) if !trace.result.mismatches.is_empty() => {
                    return Err(CallError::Mismatch(Box::new(mismatch(origin.answered(&headers), trace))));
                }
                Ok(trace) => {
                    return Err(CallError::Script(Box::new(failure(origin.answered(&headers), trace))));
                }
                Err(source) => Err(source.into()),
            },
            (None, _) | (_, None) => {
                Err(serde_json::Error::custom("the server says in its headers what this client doesn't know")
                    .into())
            }
        };
        match value {
            Ok(value) => Ok(Response { status, headers, trace, value }),
            Err(error) => Err(undecodable(origin.answered(&headers), error, body)),
        }
    }
}

fn undecodable<E>(endpoint: Called, error: Undecodable, body: Bytes) -> CallError<E> {
    let Undecodable { pointer, source } = error;
    CallError::Decode { endpoint, pointer, source, body }
}

fn mismatch(endpoint: Called, trace: Trace) -> ResultMismatch {
    ResultMismatch {
        endpoint,
        mismatches: trace.result.mismatches,
        stdout: trace.result.stdout,
        stderr: trace.result.stderr,
        response: trace.result.response,
        trace: trace.id,
    }
}

fn failure(endpoint: Called, trace: Trace) -> ScriptFailure {
    ScriptFailure {
        endpoint,
        status: trace.status,
        stdout: trace.result.stdout,
        stderr: trace.result.stderr,
        trace: trace.id,
        duration: trace.duration,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::NoError;
    use crate::called::Name;

    fn answer(status: u16, run: &str, kind: &str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if !run.is_empty() {
            headers.insert(&header::STATUS, run.parse().unwrap());
            headers.insert(&header::RESULT, kind.parse().unwrap());
            headers.insert(&header::TRACE, "7".parse().unwrap());
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body.to_owned()) }
    }

    fn read_as<T: DeserializeOwned + 'static, E: DeserializeOwned>(
        answer: Answer,
    ) -> Result<T, CallError<E>> {
        let (method, at) = (syncano_core::Method::Get, std::panic::Location::caller());
        let name = Name::Of { socket: "s", endpoint: "e" };
        let origin = Origin { name, method, at, script: None };
        let asked = Asked { method, path: "/" };
        answer.read(origin, asked, ReadResult::new(), read_json).map(|response| response.value)
    }

    fn trace(status: &str, stdout: &str) -> String {
        json!({
            "id": 7, "status": status, "executed_at": "2026-01-01T00:00:00.000000Z", "duration": 3,
            "result": {"stdout": stdout, "stderr": "oh"},
        })
        .to_string()
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum StockError {
        OutOfStock { left: u32 },
    }

    #[test]
    fn values_are_json_whatever_the_type() {
        assert_eq!(read_as::<u8, NoError>(answer(200, "success", "value", "3")).unwrap(), 3);
        assert_eq!(read_as::<String, NoError>(answer(200, "success", "value", "\"x\"")).unwrap(), "x");
        read_as::<(), NoError>(answer(200, "success", "value", "null")).unwrap();
        let error = read_as::<u8, NoError>(answer(200, "success", "value", "\"garbage\"")).unwrap_err();
        let CallError::Decode { endpoint, body, .. } = &error else { panic!("{error:?}") };
        assert_eq!((endpoint.as_str(), body.as_ref()), ("s/e", b"\"garbage\"".as_slice()));
        assert!(error.to_string().contains("garbage"), "{error}");
        let error =
            read_as::<Vec<(u8, bool)>, NoError>(answer(200, "success", "value", "[[1, true], [2, 3]]"));
        let said = error.unwrap_err().to_string();
        assert!(
            said.starts_with("the answer of `s/e` is not the expected type at /1/1: invalid type"),
            "{said}"
        );
    }

    #[test]
    fn whole_numbers_are_read_with_all_their_digits_or_not_at_all() {
        let read = |body: &str| answer(200, "success", "value", body);
        let long = "[1, 1180591620717411303425]";
        assert_eq!(read_as::<Vec<u128>, NoError>(read(long)).unwrap(), [1, (1 << 70) + 1]);
        let refused = |error: CallError<NoError>| {
            let CallError::Decode { pointer, source, .. } = error else { panic!("{error:?}") };
            assert!(source.to_string().contains("all its digits"), "{source}");
            pointer
        };
        assert_eq!(refused(read_as::<serde_json::Value, _>(read(long)).unwrap_err()), "/1");
        assert_eq!(refused(read_as::<Vec<f64>, _>(read(long)).unwrap_err()), "/1");
        let flat = r#"{"n": 9007199254740993}"#;
        let read_flat = read_as::<std::collections::BTreeMap<String, f64>, _>(read(flat));
        assert_eq!(refused(read_flat.unwrap_err()), "/n");
        assert_eq!(
            read_as::<serde_json::Value, NoError>(read(flat)).unwrap(),
            json!({"n": 9_007_199_254_740_993_u64})
        );
        // As JavaScript writes floats.
        let floats = "[590295810358705700000, 9007199254740994]";
        assert_eq!(
            read_as::<Vec<f64>, NoError>(read(floats)).unwrap(),
            [2_f64.powi(69), 9_007_199_254_740_994.0]
        );
        assert!(read_as::<Vec<u128>, NoError>(read(&format!("{long} x"))).is_err());
    }

    #[test]
    fn an_answer_that_is_too_deep_says_so() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        read_as::<serde_json::Value, NoError>(answer(200, "success", "value", &nested(127))).unwrap();
        let deep = answer(200, "success", "value", &nested(128));
        let said = read_as::<serde_json::Value, NoError>(deep).unwrap_err().to_string();
        assert!(said.contains("it has objects and lists more than 127 levels deep"), "{said}");
    }

    #[test]
    fn what_a_program_prints_is_text_or_json() {
        let printed = |text| answer(200, "success", "trace", &trace("success", text));
        assert_eq!(read_as::<String, NoError>(printed("3 x")).unwrap(), "3 x");
        assert_eq!(read_as::<Vec<u8>, NoError>(printed("[3]")).unwrap(), [3]);
        assert_eq!(read_as::<Option<u8>, NoError>(printed("")).unwrap(), None);
        assert_eq!(read_as::<String, NoError>(printed("")).unwrap(), "");
        assert!(matches!(read_as::<u8, NoError>(printed("x")), Err(CallError::Decode { .. })));
    }

    #[test]
    fn a_failed_run_is_a_script_failure_though_the_status_is_200() {
        let failed = || answer(200, "failure", "trace", &trace("failure", "so far"));
        let Err(CallError::Script(failure)) = read_as::<u8, NoError>(failed()) else { panic!() };
        assert_eq!((failure.stdout.as_str(), failure.stderr.as_str(), failure.trace), ("so far", "oh", 7));
        // Whoever asks for the trace gets it.
        assert_eq!(read_as::<Trace, NoError>(failed()).unwrap().status, RunStatus::Failure);
    }

    #[test]
    fn a_response_of_the_script_is_read_by_its_status() {
        let response = |status, body| answer(status, "success", "response", body);
        assert_eq!(read_as::<String, NoError>(response(201, "plain")).unwrap(), "plain");
        assert_eq!(read_as::<u8, NoError>(response(200, "3")).unwrap(), 3);
        let own = r#"{"OutOfStock": {"left": 2}}"#;
        let app = |error| matches!(error, Err(CallError::App(StockError::OutOfStock { left: 2 }, ..)));
        assert!(app(read_as::<u8, StockError>(response(409, own))));
        assert!(app(read_as::<u8, StockError>(answer(422, "failure", "app-error", own))));
        let unknown = read_as::<u8, StockError>(answer(422, "failure", "app-error", r#""Closed""#));
        let said = unknown.unwrap_err().to_string();
        assert!(
            said.starts_with("the script of `s/e` raised the AppError \"Closed\", which the function's error type doesn't have: unknown variant `Closed`, expected `OutOfStock`"),
            "{said}"
        );
        let other =
            read_as::<u8, StockError>(answer(422, "failure", "app-error", r#"{"OutOfStock": {"left": -1}}"#));
        let Err(CallError::UnknownApp { pointer, .. }) = &other else { panic!("{other:?}") };
        assert_eq!(pointer, "/OutOfStock/left");
        let undeclared = read_as::<u8, NoError>(answer(422, "failure", "app-error", own));
        assert!(undeclared.unwrap_err().to_string().contains("declares no `error = …`"));
        let app = read_as::<u8, StockError>(answer(422, "failure", "app-error", own)).unwrap_err();
        assert_eq!(app.to_string(), "the script of `s/e` raised its error OutOfStock { left: 2 }");
        let other = read_as::<u8, StockError>(response(500, "boom"));
        assert!(matches!(other, Err(CallError::Response { status: StatusCode::INTERNAL_SERVER_ERROR, .. })));
    }

    #[test]
    fn a_result_that_the_server_found_wrong_names_the_place() {
        let trace = json!({
            "id": 7, "status": "failure", "executed_at": null, "duration": 3,
            "result": {"stdout": "", "stderr": "line", "mismatches": [{"pointer": "/0/left", "problem": "expected a number, found null"}]},
        });
        let error = read_as::<u8, NoError>(answer(200, "failure", "trace", &trace.to_string())).unwrap_err();
        let CallError::Mismatch(mismatch) = &error else { panic!("{error:?}") };
        assert_eq!((mismatch.mismatches[0].pointer.as_str(), mismatch.trace), ("/0/left", 7));
        assert_eq!(
            error.to_string(),
            "the result of `s/e` doesn't fit its schema (trace 7): at /0/left: expected a number, found null"
        );
        assert_eq!(error.endpoint(), "s/e");
    }

    #[test]
    fn an_empty_response_is_nothing() {
        read_as::<(), NoError>(answer(204, "success", "response", "")).unwrap();
        assert_eq!(read_as::<Option<u8>, NoError>(answer(200, "success", "response", "")).unwrap(), None);
    }

    #[test]
    fn without_the_headers_nothing_ran() {
        let refused = read_as::<u8, NoError>(answer(404, "", "", r#"{"detail": "no such endpoint"}"#));
        let Err(error @ CallError::Api { .. }) = refused else { panic!() };
        assert_eq!(error.to_string(), "`s/e` was refused: GET /: 404 Not Found: no such endpoint");
    }
}
