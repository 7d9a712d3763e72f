//! Results that JSON, Rust or a schema don't have are errors that say so.

use std::collections::BTreeMap;

use syncano_client::{CallError, socket};

use crate::{World, node, python};

#[socket(name = "bad-python", runtime = "python3")]
mod bad_python {
    use super::BTreeMap;

    #[endpoint("nan", GET, source = "def main(): return {'a': float('nan')}")]
    pub(crate) async fn nan() -> BTreeMap<String, f64>;

    #[endpoint("nan-printed", GET, source = "import json; print(json.dumps(float('nan')))")]
    pub(crate) async fn nan_printed() -> f64;

    #[endpoint("infinity", GET, source = "def main(): return float('-inf')")]
    pub(crate) async fn infinity() -> f64;

    #[endpoint("too-large", GET, source = "def main(): return [2 ** 64 - 1, 2 ** 64]")]
    pub(crate) async fn too_large() -> Vec<u64>;

    #[endpoint("too-large-signed", GET, source = "def main(): return [-2 ** 63, 2 ** 63]")]
    pub(crate) async fn too_large_signed() -> Vec<i64>;

    #[endpoint("negative", GET, source = "def main(): return -1")]
    pub(crate) async fn negative() -> u64;

    #[endpoint("whole", GET, source = "def main(): return 4 / 2")]
    pub(crate) async fn whole() -> u8;

    #[endpoint("not-text", GET, source = r"set_response(HttpResponse(200, b'\xff', 'text/plain'))")]
    pub(crate) async fn not_text() -> String;

    #[endpoint("bytes", GET, source = r"def main(): return b'\xff'")]
    pub(crate) async fn bytes() -> String;

    #[endpoint("twice", GET, source = "def main(): return {1: 'a', '1': 'b'}")]
    pub(crate) async fn twice() -> BTreeMap<u8, String>;

    #[endpoint("twice-printed", GET, source = r#"print('{"a": {"b": 1, "b": 2}}')"#)]
    pub(crate) async fn twice_printed() -> serde_json::Value;

    #[endpoint("deep", GET, source = "print('[' * 100_000)")]
    pub(crate) async fn deep() -> serde_json::Value;

    #[endpoint("i128", GET, source = "def main(): return -2 ** 127")]
    pub(crate) async fn large() -> i128;

    #[endpoint("half", GET, source = r"def main(): return 'a\ud800b'")]
    pub(crate) async fn half() -> String;
}

#[socket(name = "bad-javascript", runtime = "nodejs_v12")]
mod bad_javascript {
    use super::{BTreeMap, Named};

    #[endpoint("nan-js", GET, source = "export default () => ({ a: 0 / 0 })")]
    pub(crate) async fn nan() -> BTreeMap<String, f64>;

    #[endpoint("nan-printed-js", GET, source = "console.log(JSON.stringify({ a: NaN }))")]
    pub(crate) async fn nan_printed() -> BTreeMap<String, f64>;

    #[endpoint("big-js", GET, source = "export default () => [2n ** 64n]")]
    pub(crate) async fn big() -> Vec<u64>;

    #[endpoint("too-large-js", GET, source = "export default () => [2 ** 53, 2 ** 64]")]
    pub(crate) async fn too_large() -> Vec<u64>;

    #[endpoint("not-text-js", GET, source = "setResponse(new HttpResponse(200, Buffer.from([255])))")]
    pub(crate) async fn not_text() -> String;

    #[endpoint("twice-js", GET, source = r#"console.log('{"a": 1, "a": 2}')"#)]
    pub(crate) async fn twice() -> BTreeMap<String, u8>;

    #[endpoint("missing-js", GET, source = "export default () => ({ a: undefined })")]
    pub(crate) async fn missing() -> Named;

    #[endpoint("half-js", GET, source = r"export default () => 'a\ud800b'")]
    pub(crate) async fn half() -> String;
}

#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Named {
    a: String,
}

/// What the error is, and what it says.
fn told<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    match result.unwrap_err() {
        CallError::Mismatch(mismatch) => {
            let places: Vec<String> = mismatch.mismatches.iter().map(ToString::to_string).collect();
            format!("mismatch: {}", places.join("; "))
        }
        CallError::Script(failure) => format!("failure: {}", failure.stderr),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_python_answers_and_json_or_the_type_does_not_have() {
    if !python() {
        return;
    }
    let world = World::new().await;
    bad_python::publish(&world.instance).await.unwrap();
    let api = bad_python::Client::new(&world.instance);
    let unwritable = "failure: what main() returned can't be written as JSON: ";
    assert!(told(api.nan().await).starts_with(unwritable));
    assert!(told(api.infinity().await).starts_with(unwritable));
    assert!(told(api.bytes().await).starts_with(unwritable));
    assert_eq!(told(api.twice().await), format!("{unwritable}two of its keys are both `1` as text"));
    assert!(told(api.nan_printed().await).starts_with("mismatch: at /: expected JSON, found `NaN`"));
    for (told, expected) in [
        (told(api.too_large().await), "at /1: expected a whole number from 0 to 18446744073709551615"),
        (
            told(api.too_large_signed().await),
            "at /1: expected a number from -9223372036854775808 to 9223372036854775807",
        ),
        (told(api.negative().await), "at /: expected a number from 0 to 18446744073709551615, found `-1`"),
        (told(api.whole().await), "at /: expected a whole number from 0 to 255, found `2.0`"),
        (told(api.not_text().await), "at /: expected JSON, found bytes that are no UTF-8 text"),
        (
            told(api.twice_printed().await),
            "at /: expected JSON, found `{\"a\": {\"b\": 1, \"b\": 2}}` (the key `b` stands there twice",
        ),
        (told(api.deep().await), "at /: expected JSON, found `[[["),
    ] {
        assert!(told.starts_with(&format!("mismatch: {expected}")), "{told}");
    }
    assert_eq!(api.large().await.unwrap(), i128::MIN, "a result may have more than 64 bits");
    let half = told(api.half().await);
    assert!(half.contains("holds half of a surrogate pair"), "{half}");
}

#[tokio::test]
async fn what_javascript_answers_and_json_or_the_type_does_not_have() {
    if !node() {
        return;
    }
    let world = World::new().await;
    bad_javascript::publish(&world.instance).await.unwrap();
    let api = bad_javascript::Client::new(&world.instance);
    let unwritable = "failure: what the default function returned can't be written as JSON: ";
    assert_eq!(told(api.nan().await), format!("{unwritable}its `a` is NaN"));
    assert!(told(api.big().await).starts_with(unwritable));
    for (told, expected) in [
        (told(api.nan_printed().await), "at /a: expected a number, found null"),
        (told(api.too_large().await), "at /1: expected a whole number from 0 to 18446744073709551615"),
        (told(api.not_text().await), "at /: expected JSON, found bytes that are no UTF-8 text"),
        (
            told(api.twice().await),
            "at /: expected JSON, found `{\"a\": 1, \"a\": 2}` (the key `a` stands there twice",
        ),
        (told(api.missing().await), "at /a: expected a text, found nothing"),
    ] {
        assert!(told.starts_with(&format!("mismatch: {expected}")), "{told}");
    }
    assert!(
        told(api.half().await)
            .starts_with(&format!("{unwritable}it is a text with half of a surrogate pair"))
    );
}
