//! Typed calls: how arguments and results cross the border.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncano_client::{CallError, Method, RunStatus, Trace, socket};

use crate::{World, node, python};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Item {
    pub name: String,
    pub tags: Vec<String>,
    pub size: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) enum StockError {
    OutOfStock { left: u32 },
    Closed,
}

#[socket(name = "calls", runtime = "python3")]
pub(crate) mod calls_socket {
    use super::{Item, StockError};
    use serde_json::Value;
    use syncano_client::Trace;

    /// What arrives, with its Python types.
    #[endpoint(
        "types",
        GET,
        source = r#"
        def main(**arguments):
            return {name: [type(value).__name__, value] for name, value in arguments.items()}
    "#
    )]
    #[allow(clippy::too_many_arguments)]
    pub async fn types(
        text: &str,
        number: i64,
        ratio: f64,
        flag: bool,
        list: Vec<i32>,
        empty: Vec<String>,
        none: Option<String>,
        item: Item,
    ) -> Value;

    #[endpoint(
        "types",
        POST,
        PUT,
        source = r#"
        def main(**arguments):
            return {name: [type(value).__name__, value] for name, value in arguments.items()}
    "#
    )]
    pub async fn types_in_body(text: &str, list: Vec<i32>, none: Option<String>) -> Value;

    #[endpoint(
        "whole",
        POST,
        source = r#"
        def main(item: dict, shout: bool) -> dict:
            return {**item, "name": item["name"].upper() if shout else item["name"]}
    "#
    )]
    pub async fn whole(#[body] item: &Item, #[query] shout: bool) -> Item;

    #[endpoint("anyhow", *, source = r#"
        def main(text: str) -> str:
            return META["request"]["REQUEST_METHOD"] + " " + text
    "#)]
    pub async fn any_method(text: &str) -> String;

    #[endpoint(
        "program",
        GET,
        source = r#"
        import json
        print(json.dumps(sorted(ARGS)))
    "#
    )]
    pub async fn program(b: u8, a: u8) -> Vec<String>;

    #[endpoint("shouting", GET, source = "print('HELLO')")]
    pub async fn text() -> String;

    #[endpoint("shouting", POST, source = "print('HELLO'); raise SystemExit('bye')")]
    pub async fn trace() -> Trace;

    #[endpoint("nothing", POST, source = "x = 1")]
    pub async fn nothing();

    #[endpoint(
        "custom",
        GET,
        source = r#"
        set_response(HttpResponse(201, '{"name": "n", "tags": [], "size": null}', "application/json", {"X-Made": "yes"}))
    "#
    )]
    pub async fn custom() -> Item;

    #[endpoint("stock", GET, error = StockError, source = r#"
        def main(article: str):
            if article == "gone":
                raise AppError("OutOfStock", {"left": 0})
            if article == "shut":
                raise AppError("Closed")
            if article == "stolen":
                raise AppError("Stolen", {"by": "a cat"})
            if article == "refused":
                return HttpResponse(409, '{"OutOfStock": {"left": 4}}')
            raise KeyError(article)
    "#)]
    pub async fn stock(article: &str) -> u32;

    #[endpoint("stock", POST, runtime = "nodejs", error = StockError, source = r#"
        if (ARGS.article === "shut") throw new AppError("Closed");
        if (ARGS.article === "gone") throw new AppError("OutOfStock", { left: 0 });
        if (ARGS.article === "refused") setResponse(new HttpResponse(409, '{"OutOfStock": {"left": 4}}', "application/json"));
        else throw new TypeError(ARGS.article);
    "#)]
    pub async fn stock_in_javascript(article: &str) -> u32;

    #[endpoint("slow", GET, source = "import time; time.sleep(60)")]
    pub async fn slow();
}

use calls_socket::Client as Api;

async fn published() -> (World, Api) {
    let world = World::new().await;
    calls_socket::publish(&world.instance).await.unwrap();
    // Calling needs no key.
    let api = Api::new(&world.stranger());
    (world, api)
}

fn item() -> Item {
    Item { name: "ä & b".to_owned(), tags: vec!["x".to_owned(), "y z".to_owned()], size: Some(1.5) }
}

#[tokio::test]
async fn arguments_keep_their_types_in_the_query() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let arrived = api.types("7", -3, 0.5, true, vec![1, 2], vec![], None, item()).await.unwrap();
    let expected = json!({
        "text": ["str", "7"], "number": ["int", -3], "ratio": ["float", 0.5], "flag": ["bool", true],
        "list": ["list", [1, 2]], "empty": ["list", []],
        "item": ["dict", {"name": "ä & b", "tags": ["x", "y z"], "size": 1.5}],
    });
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn arguments_keep_their_types_in_the_body() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let expected = json!({"text": ["str", "7"], "list": ["list", [1]]});
    assert_eq!(api.types_in_body("7", vec![1], None).await.unwrap(), expected);
    assert_eq!(api.types_in_body("7", vec![1], None).method(Method::Put).await.unwrap(), expected);
}

#[tokio::test]
async fn an_argument_can_be_the_whole_body() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let answered = api.whole(&item(), true).await.unwrap();
    assert_eq!(answered, Item { name: "Ä & B".to_owned(), ..item() });
}

#[tokio::test]
async fn any_listed_method_can_be_sent_and_no_other() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    assert_eq!(api.any_method("x").await.unwrap(), "POST x");
    for method in Method::ALL {
        assert_eq!(api.any_method("x").method(method).await.unwrap(), format!("{method} x"));
    }
    let error = api.text().method(Method::Delete).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`calls/shouting` can't be called like this: it doesn't answer DELETE: use GET"
    );
    let error = api.whole(&item(), true).method(Method::Get).await.unwrap_err();
    assert!(matches!(error, CallError::Request { .. }), "{error}");
}

#[tokio::test]
async fn programs_answer_with_what_they_print() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    assert_eq!(api.program(1, 2).await.unwrap(), ["GET", "POST", "a", "b"]);
    assert_eq!(api.text().await.unwrap(), "HELLO");
    api.nothing().await.unwrap();
}

#[tokio::test]
async fn a_trace_tells_everything_of_a_failed_run_too() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let trace: Trace = api.trace().await.unwrap();
    assert_eq!((trace.status, trace.result.stdout.as_str()), (RunStatus::Failure, "HELLO"));
    assert!(trace.result.stderr.contains("bye"), "{trace:?}");
    assert!(trace.executed_at.is_some() && trace.duration.is_some());
}

#[tokio::test]
async fn a_response_of_the_script_comes_with_status_and_headers() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let response = api.custom().send().await.unwrap();
    assert_eq!((response.status.as_u16(), response.value.name.as_str()), (201, "n"));
    assert_eq!(response.headers["x-made"], "yes");
    assert!(response.trace.is_some());
}

#[tokio::test]
async fn the_script_s_own_errors_are_typed() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let error = api.stock("gone").await.unwrap_err();
    assert!(matches!(error, CallError::App(StockError::OutOfStock { left: 0 }, ..)), "{error:?}");
    let error = api.stock("shut").await.unwrap_err();
    assert!(matches!(error, CallError::App(StockError::Closed, ..)), "{error:?}");
    assert_eq!(error.to_string(), "the script of `calls/stock` raised its error Closed");
    let error = api.stock("refused").await.unwrap_err();
    assert!(matches!(error, CallError::App(StockError::OutOfStock { left: 4 }, ..)), "{error:?}");
    // One that the type doesn't have.
    let error = api.stock("stolen").await.unwrap_err();
    assert!(matches!(error, CallError::UnknownApp { .. }), "{error:?}");
    assert!(
        error.to_string().starts_with(
            r#"the script of `calls/stock` raised the AppError {"Stolen":{"by":"a cat"}}, which the function's error type doesn't have: unknown variant `Stolen`, expected `OutOfStock` or `Closed`"#
        ),
        "{error}"
    );
    // Anything else is a failure of the script.
    let CallError::Script(failure) = api.stock("other").await.unwrap_err() else { panic!() };
    assert!(failure.stderr.contains("KeyError: 'other'"), "{failure}");
}

#[tokio::test]
async fn so_are_those_of_a_script_in_javascript() {
    if !node() {
        return;
    }
    let (_world, api) = published().await;
    // Every variant is known: no arm for others is needed.
    let told = |error: CallError<StockError>| match error {
        CallError::App(StockError::OutOfStock { left }, ..) => format!("{left} left"),
        CallError::App(StockError::Closed, ..) => "closed".to_owned(),
        CallError::Script(failure) => failure.stderr,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(api.stock_in_javascript("gone").await.unwrap_err()), "0 left");
    assert_eq!(told(api.stock_in_javascript("shut").await.unwrap_err()), "closed");
    // A response of its own that says no success, too.
    assert_eq!(told(api.stock_in_javascript("refused").await.unwrap_err()), "4 left");
    assert!(told(api.stock_in_javascript("other").await.unwrap_err()).contains("TypeError: other"));
}

#[tokio::test]
async fn a_caller_can_stop_waiting() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let error = api.slow().timeout(Duration::from_millis(200)).await.unwrap_err();
    let CallError::Transport { endpoint, source } = &error else { panic!("{error:?}") };
    assert!(endpoint == "calls/slow" && source.is_timeout(), "{error}");
    assert_eq!(error.to_string(), "`calls/slow` did not answer in time; the script may still run");
}

#[tokio::test]
async fn concurrent_calls_get_their_own_answers() {
    if !python() {
        return;
    }
    let (_world, api) = published().await;
    let calls: Vec<_> = (0..40)
        .map(|number| {
            let api = api.clone();
            tokio::spawn(async move { (number, api.any_method(&number.to_string()).await.unwrap()) })
        })
        .collect();
    for call in calls {
        let (number, answer) = call.await.unwrap();
        assert_eq!(answer, format!("POST {number}"));
    }
}

#[test]
fn the_definition_carries_scripts_and_schemas() {
    let definition = calls_socket::definition();
    assert!(definition.validate().is_empty(), "{:?}", definition.validate());
    let whole = &definition.endpoints["whole"].metadata["POST"];
    assert_eq!(whole["inputs"]["properties"]["item"]["x-syncano-in"], "body");
    assert_eq!(whole["inputs"]["properties"]["shout"]["x-syncano-in"], "query");
    assert_eq!(whole["inputs"]["required"], json!(["item", "shout"]));
    assert!(whole["outputs"].is_object());
    let errors = &definition.endpoints["stock"].metadata["GET"]["errors"];
    assert!(errors["oneOf"].is_array(), "{errors}");
    assert_eq!(definition.endpoints["anyhow"].metadata["*"]["errors"], Value::Null);
    let any = &definition.endpoints["anyhow"].metadata["*"];
    assert_eq!(any["inputs"]["properties"]["text"]["type"], "string");
    let types = definition.endpoints["types"].metadata.clone();
    assert_eq!(types.keys().collect::<Vec<_>>(), ["GET", "POST", "PUT"]);
    assert_eq!(types["GET"]["inputs"]["required"].as_array().map(Vec::len), Some(7), "all but `none`");
    // A trace is the server's own: no schema of what the script answers.
    assert_eq!(definition.endpoints["shouting"].metadata["POST"]["outputs"], Value::Null);
}
