//! Shapes of types, bodies and answers: generated code that compiles works.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use syncano_client::{CallError, CustomResponse, StatusCode, socket};

use crate::{World, node, python};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct More {
    a: u8,
    b: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum State {
    Open,
    #[serde(alias = "done")]
    Closed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Order {
    #[serde(alias = "id")]
    number: u32,
    state: State,
    #[serde(default, deserialize_with = "lenient")]
    left: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
pub(crate) enum Event {
    Paid {
        amount: f64,
    },
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(crate) enum StockError {
    #[serde(alias = "SoldOut")]
    OutOfStock { left: u32 },
}

fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .or_else(|| value.as_str()?.parse().ok())
        .ok_or_else(|| serde::de::Error::custom("neither a number nor digits"))
}

#[socket(name = "bodies", runtime = "python3")]
mod bodies {
    use super::*;

    #[endpoint("text", POST, PUT, source = "def main(v): return [v, type(v).__name__]")]
    pub(crate) async fn text(#[body] v: &str) -> (String, String);

    #[endpoint("number", POST, source = "def main(v): return v")]
    pub(crate) async fn number(#[body] v: i64) -> i64;

    #[endpoint("truth", POST, source = "def main(v, q): return [v, q]")]
    pub(crate) async fn truth(#[body] v: bool, #[query] q: u8) -> (bool, u8);

    #[endpoint("maybe", POST, source = "def main(v=None): return v")]
    pub(crate) async fn maybe(#[body] v: Option<More>) -> Option<More>;

    #[endpoint("maybe-text", POST, source = "def main(v='default'): return v")]
    pub(crate) async fn maybe_text(#[body] v: Option<&str>) -> String;

    #[endpoint("list", POST, source = "def main(v, q=None): return v")]
    pub(crate) async fn list(#[body] v: Vec<u8>, #[query] q: Option<u8>) -> Vec<u8>;

    #[endpoint("map", POST, source = "def main(v): return v")]
    pub(crate) async fn map(#[body] v: BTreeMap<String, u8>) -> BTreeMap<String, u8>;

    #[endpoint("variant", POST, source = "def main(v): return v")]
    pub(crate) async fn variant(#[body] v: State) -> State;

    #[endpoint("program", POST, source = "import json; print(json.dumps([ARGS['v'], ARGS['POST']]))")]
    pub(crate) async fn program(#[body] v: u8) -> (u8, u8);

    #[endpoint("javascript", POST, runtime = "nodejs", source = "export default ({ v }) => [v, typeof v]")]
    pub(crate) async fn javascript(#[body] v: &str) -> (String, String);

    #[endpoint("javascript-maybe", POST, runtime = "nodejs", source = "export default ({ v = 3 }) => v")]
    pub(crate) async fn javascript_maybe(#[body] v: Option<u8>) -> u8;
}

#[tokio::test]
async fn a_body_is_of_any_type() {
    if !python() || !node() {
        return;
    }
    let world = World::new().await;
    bodies::publish(&world.instance).await.unwrap();
    let api = bodies::Client::new(&world.stranger());
    for text in ["x", "", "null", "{\"a\": 1}", "ä\0😀"] {
        assert_eq!(api.text(text).await.unwrap(), (text.to_owned(), "str".to_owned()));
        assert_eq!(api.javascript(text).await.unwrap(), (text.to_owned(), "string".to_owned()));
    }
    assert_eq!(api.number(i64::MIN).await.unwrap(), i64::MIN);
    assert_eq!(api.truth(false, 3).await.unwrap(), (false, 3));
    let more = More { a: 1, b: "x".to_owned() };
    assert_eq!(api.maybe(Some(more.clone())).await.unwrap(), Some(more));
    assert_eq!(api.maybe(None).await.unwrap(), None);
    // Nothing is left out, as with every other argument: the script's default applies.
    assert_eq!(api.maybe_text(None).await.unwrap(), "default");
    assert_eq!(api.maybe_text(Some("")).await.unwrap(), "");
    assert_eq!(api.javascript_maybe(None).await.unwrap(), 3);
    assert_eq!(api.javascript_maybe(Some(0)).await.unwrap(), 0);
    assert_eq!(api.list(vec![], Some(1)).await.unwrap(), Vec::<u8>::new());
    assert_eq!(api.list(vec![1, 2], None).await.unwrap(), [1, 2]);
    assert_eq!(api.map(BTreeMap::new()).await.unwrap(), BTreeMap::new());
    assert_eq!(api.variant(State::Closed).await.unwrap(), State::Closed);
    assert_eq!(api.program(5).await.unwrap(), (5, 5));
    // Other callers are told what doesn't fit.
    let wrong = world.instance.run(syncano_client::Method::Post, "bodies/number", "five").await.unwrap_err();
    let CallError::Api { error, .. } = &wrong else { panic!("{wrong:?}") };
    assert_eq!(
        error.fields["v"],
        [format!("at /v: expected a whole number from {} to {}, found the text `five`", i64::MIN, i64::MAX)]
    );
}

#[socket(name = "read", runtime = "python3")]
mod read {
    use super::*;

    #[endpoint("order", POST, source = "def main(o): return o")]
    pub(crate) async fn order(o: &Value) -> Order;

    #[endpoint("event", POST, source = "def main(e): return e")]
    pub(crate) async fn event(e: &Value) -> Event;

    #[endpoint("stock", POST, error = StockError, source = "def main(name): raise AppError(name, {'left': 3})")]
    pub(crate) async fn stock(name: &str) -> u8;

    #[endpoint("nothing", POST, source = "def main(v=None): return v")]
    pub(crate) async fn nothing(v: &Value);

    #[endpoint("nothing-printed", POST, source = "print('done')")]
    pub(crate) async fn nothing_printed();

    #[endpoint("nothing-failed", POST, source = "def main(): return HttpResponse(500, 'no')")]
    pub(crate) async fn nothing_failed();
}

#[tokio::test]
async fn a_result_is_what_serde_reads() {
    if !python() {
        return;
    }
    let world = World::new().await;
    read::publish(&world.instance).await.unwrap();
    assert!(read::plan(&world.instance).await.unwrap().is_empty());
    let api = read::Client::new(&world.stranger());
    let order = |number, state, left| Order { number, state, left };
    let sent = json!({"number": 1, "state": "Open", "left": 2});
    assert_eq!(api.order(&sent).await.unwrap(), order(1, State::Open, 2));
    let sent = json!({"id": 1, "state": "done", "left": "2"});
    assert_eq!(api.order(&sent).await.unwrap(), order(1, State::Closed, 2));
    let refused = |error: CallError| match error {
        CallError::Mismatch(mismatch) => mismatch.mismatches[0].to_string(),
        other => panic!("{other:?}"),
    };
    let error = api.order(&json!({"id": 1, "state": "Paused"})).await.unwrap_err();
    assert_eq!(refused(error), "at /state: expected `Open`, `Closed` or `done`, found the text `Paused`");
    let error = api.order(&json!({"state": "Open"})).await.unwrap_err();
    assert_eq!(
        refused(error),
        "at /number: expected a whole number from 0 to 4294967295 under `number` or `id`, found nothing"
    );
    assert_eq!(
        api.event(&json!({"kind": "Paid", "amount": 1.5})).await.unwrap(),
        Event::Paid { amount: 1.5 }
    );
    assert_eq!(api.event(&json!({"kind": "Lost", "by": "a cat"})).await.unwrap(), Event::Unknown);
    let error = api.event(&json!({"kind": "Paid", "amount": "x"})).await.unwrap_err();
    assert_eq!(refused(error), "at /amount: expected a number, found the text `x`");
    for name in ["OutOfStock", "SoldOut"] {
        let error = api.stock(name).await.unwrap_err();
        assert!(matches!(error, CallError::App(StockError::OutOfStock { left: 3 }, ..)), "{error:?}");
    }
}

#[tokio::test]
async fn a_function_without_a_result_takes_any() {
    if !python() {
        return;
    }
    let world = World::new().await;
    read::publish(&world.instance).await.unwrap();
    let api = read::Client::new(&world.stranger());
    for value in [json!(null), json!(0), json!({"a": [1]})] {
        api.nothing(&value).await.unwrap();
    }
    api.nothing_printed().await.unwrap();
    let error = api.nothing_failed().await.unwrap_err();
    assert!(
        matches!(error, CallError::Response { status: StatusCode::INTERNAL_SERVER_ERROR, .. }),
        "{error:?}"
    );
}

#[socket(name = "pages", runtime = "python3")]
mod pages {
    use super::*;

    #[endpoint("page", GET, error = StockError, source = r#"
        def main(name: str):
            if name == "gone":
                return HttpResponse(404, "no such page", "text/plain")
            if name == "sold":
                return HttpResponse(409, '{"OutOfStock": {"left": 4}}', "application/json")
            if name == "raised":
                raise AppError("OutOfStock", {"left": 5})
            if name == "moved":
                return HttpResponse(302, "", "text/html", {"Location": "/elsewhere", "X-Own": "1"})
            if name == "value":
                return {"a": [1.5, None]}
            if name == "broken":
                raise KeyError(name)
            return HttpResponse(200, f"<p>{name}</p>", "text/html; charset=utf-8")
    "#)]
    pub(crate) async fn page(name: &str) -> CustomResponse;

    #[endpoint("image", GET, source = r"set_response(HttpResponse(200, b'\x89PNG\xff\x00', 'image/png'))")]
    pub(crate) async fn image() -> CustomResponse;

    #[endpoint("printed", GET, source = "print('hello')")]
    pub(crate) async fn printed() -> CustomResponse;

    #[endpoint(
        "binary",
        GET,
        runtime = "nodejs",
        source = r#"
        setResponse(new HttpResponse(201, Buffer.from([0, 255]), "application/octet-stream", { "X-Own": "a" }));
    "#
    )]
    pub(crate) async fn binary() -> CustomResponse;
}

#[tokio::test]
async fn a_response_of_the_script_is_a_result_as_it_is() {
    if !python() || !node() {
        return;
    }
    let world = World::new().await;
    pages::publish(&world.instance).await.unwrap();
    let api = pages::Client::new(&world.stranger());
    let page = api.page("Ada").await.unwrap();
    assert_eq!(page, CustomResponse::new(StatusCode::OK, "text/html; charset=utf-8", "<p>Ada</p>"));
    let image = api.image().await.unwrap();
    assert_eq!((image.content_type.as_str(), &image.body[..]), ("image/png", &b"\x89PNG\xff\0"[..]));
    assert!(image.headers.is_empty() && image.text().is_err(), "{image:?}");
    let binary = api.binary().await.unwrap();
    assert_eq!((binary.status.as_u16(), &binary.body[..]), (201, &[0, 255][..]));
    assert_eq!(binary.headers.len(), 1, "{binary:?}");
    assert_eq!(binary.headers["x-own"], "a");
    // Whatever its status, unless it is the function's own error.
    let gone = api.page("gone").await.unwrap();
    assert_eq!((gone.status, gone.text()), (StatusCode::NOT_FOUND, Ok("no such page")));
    let moved = api.page("moved").await.unwrap();
    assert_eq!((moved.status.as_u16(), moved.headers.len()), (302, 2), "{moved:?}");
    assert_eq!(moved.headers["location"], "/elsewhere");
    for (name, left) in [("sold", 4), ("raised", 5)] {
        match api.page(name).await.unwrap_err() {
            CallError::App(StockError::OutOfStock { left: found }, ..) => assert_eq!(found, left),
            other => panic!("{other:?}"),
        }
    }
    // Without a response it holds what came instead.
    let value = api.page("value").await.unwrap();
    assert_eq!(value.content_type, "application/json");
    assert_eq!(value.json::<Value>().unwrap(), json!({"a": [1.5, null]}));
    let printed = api.printed().await.unwrap();
    assert_eq!(printed, CustomResponse::new(StatusCode::OK, "text/plain; charset=utf-8", "hello"));
    let error = api.page("broken").await.unwrap_err();
    assert!(matches!(error, CallError::Script(_)), "{error:?}");
    // By name, too.
    let page: CustomResponse = world
        .instance
        .run_as(syncano_client::Method::Get, "pages/page", json!({"name": "Bob"}))
        .await
        .unwrap();
    assert_eq!(page.text(), Ok("<p>Bob</p>"));
}

/// A definition and a published socket are shown without their scripts.
#[tokio::test]
async fn what_is_published_is_shown_in_short() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let published = pages::publish(&world.instance).await.unwrap();
    let shown = format!("{published:?}");
    assert_eq!(
        shown,
        "Published { name: \"pages\", status: Ok, revision: 1, change: Created, \
         endpoints: [\"binary\", \"image\", \"page\", \"printed\"], .. }"
    );
    let shown = format!("{:?}", pages::publish(&world.instance));
    assert_eq!(
        shown,
        "Publish { instance: \"test-instance\", socket: \"pages\", allow_breaking: false, .. }"
    );
    let shown = format!("{:?}", pages::definition().dependencies);
    assert!(shown.contains("def main(name: str):") && !shown.contains("no such page"), "{shown}");
}
