//! Arguments that are decoded by the endpoint's schema.

use reqwest::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use syncano_core::{Inputs, Placement};

use super::{World, python, socket};

#[derive(Serialize, JsonSchema)]
#[allow(dead_code)]
struct Range {
    from: u32,
    to: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
#[allow(dead_code)]
enum Sorting {
    Newest,
    Oldest,
}

const ECHO: &str = "def main(**named):\n    return named";

async fn world(key: &str, inputs: Value) -> World {
    let world = World::new().await;
    let mut body = socket("s", "e", ECHO);
    body["endpoints"]["e"]["metadata"] = json!({ key: { "inputs": inputs } });
    world.publish(body).await;
    world
}

fn search() -> Value {
    Inputs::new()
        .argument::<String>("text", Placement::ByMethod)
        .argument::<Option<u32>>("limit", Placement::ByMethod)
        .argument::<bool>("exact", Placement::ByMethod)
        .argument::<Vec<String>>("tags", Placement::ByMethod)
        .argument::<Option<Range>>("range", Placement::ByMethod)
        .argument::<Option<Sorting>>("sorting", Placement::ByMethod)
        .build()
}

#[tokio::test]
async fn a_query_is_decoded() {
    if !python() {
        return;
    }
    let world = world("GET", search()).await;
    let query = "e/?text=5&limit=7&exact=true&tags=a&tags=1&range=%7B%22from%22:1,%22to%22:null%7D&sorting=Newest&user_key=8";
    let reply = world.run(Method::GET, query, None).await;
    assert_eq!(reply.outcome(), (200, "success", "value"), "{reply:?}");
    assert_eq!(
        reply.json,
        json!({
            "text": "5", "limit": 7, "exact": true, "tags": ["a", "1"], "range": { "from": 1, "to": null },
            "sorting": "Newest", "user_key": "8",
        })
    );
    // What is left out is left out; an empty list leaves no trace in a query.
    let reply = world.run(Method::GET, "e/?text=x&exact=false", None).await;
    assert_eq!(reply.json, json!({ "text": "x", "exact": false, "tags": [] }));
    // The schema is for GET.
    let reply = world.run(Method::DELETE, "e/?limit=x", None).await;
    assert_eq!(reply.json, json!({ "limit": "x" }));
}

#[tokio::test]
async fn what_cannot_be_decoded_is_a_field_error_and_runs_nothing() {
    let world = world("*", search()).await;
    for (query, field, text) in [
        (
            "text=a&exact=true&limit=x",
            "limit",
            "at /limit: expected a whole number from 0 to 4294967295 or null, found the text `x`",
        ),
        (
            "text=a&exact=true&limit=-1",
            "limit",
            "at /limit: expected a whole number from 0 to 4294967295 or null, found the text `-1`",
        ),
        ("text=a&exact=1", "exact", "at /exact: expected true or false, found the text `1`"),
        ("text=a&exact=true&range=1", "range", "at /range: expected an object or null, found the text `1`"),
        (
            "text=a&exact=true&sorting=newest",
            "sorting",
            "at /sorting: expected `Newest`, `Oldest` or null, found the text `newest`",
        ),
        (
            "text=a&exact=true&range=%7B%22from%22:-1,%22to%22:null%7D",
            "range",
            "at /range/from: expected a number from 0 to 4294967295, found `-1`",
        ),
        ("text=a&exact=true&limti=1", "limti", "at /limti: unknown key: did you mean `limit`?"),
        ("exact=true", "text", "at /text: expected a text, found nothing"),
    ] {
        for (method, body) in [(Method::GET, None), (Method::POST, Some(json!({ "tags": [] })))] {
            let reply = world.run(method, &format!("e/?{query}"), body).await;
            assert_eq!(reply.field(field), text);
            assert_eq!(reply.header("syncano-status"), "");
        }
    }
    let body = json!({ "text": 5, "exact": true, "tags": ["a", null], "range": { "from": "1", "to": 2 } });
    let reply = world.run(Method::POST, "e/", Some(body)).await;
    assert_eq!(
        reply.json,
        json!({
            "text": ["at /text: expected a text, found `5`"],
            "tags": ["at /tags/1: expected a text, found null"],
            "range": ["at /range/from: expected a whole number from 0 to 4294967295, found the text `1`"],
        })
    );
    assert_eq!(world.get(&super::run("e/traces/")).await.json["objects"], json!([]));
}

#[tokio::test]
async fn an_argument_can_be_the_whole_body() {
    if !python() {
        return;
    }
    let inputs = Inputs::new()
        .argument::<Vec<Range>>("ranges", Placement::Body)
        .argument::<u32>("page", Placement::Query)
        .build();
    let world = world("POST", inputs).await;
    let reply = world.run(Method::POST, "e/?page=2", Some(json!([{ "from": 1, "to": null }]))).await;
    assert_eq!(reply.json, json!({ "ranges": [{ "from": 1, "to": null }], "page": 2 }), "{reply:?}");
}

#[tokio::test]
async fn schemas_are_shown_to_clients_and_not_to_scripts() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let mut body = socket("s", "e", "def main(**_):\n    return META['metadata']");
    let metadata = json!({ "title": "t", "*": { "inputs": search(), "outputs": {}, "errors": {} } });
    body["endpoints"]["e"]["metadata"] = metadata.clone();
    world.publish(body).await;
    assert_eq!(world.run(Method::GET, "e/?text=x&exact=true", None).await.json["title"], "t");
    let details = world.get(&format!("{}s/endpoints/e/", super::sockets())).await;
    assert_eq!(details.json["metadata"], metadata);
}

/// A world whose endpoint runs `source`, and must answer a list of numbers.
async fn numbers(source: &str, results: Value) -> World {
    let world = World::new().await;
    let mut body = socket("s", "e", source);
    body["metadata"] = json!({ "results": results });
    let outputs = json!({ "type": "array", "items": { "type": "integer" } });
    body["endpoints"]["e"]["metadata"] = json!({ "GET": { "outputs": outputs } });
    world.publish(body).await;
    world
}

#[tokio::test]
async fn a_result_that_does_not_fit_is_a_failed_run_that_says_where() {
    if !python() {
        return;
    }
    let sentence =
        "the result doesn't fit the endpoint's schema: at /1: expected a whole number, found the text `x`";
    for source in [
        "def main(): return [1, 'x']",
        "print('[1, \"x\"]')",
        "set_response(HttpResponse(200, '[1, \"x\"]'))",
    ] {
        let world = numbers(source, json!("enforce")).await;
        let reply = world.run(Method::GET, "e/", None).await;
        assert_eq!(reply.outcome(), (200, "failure", "trace"), "{reply:?}");
        assert_eq!(reply.json["result"]["stderr"], sentence);
        assert_eq!(
            reply.json["result"]["mismatches"],
            json!([{ "pointer": "/1", "problem": "expected a whole number, found the text `x`" }])
        );
        let traces = world.get(&super::run("e/traces/")).await;
        assert_eq!(traces.json["objects"][0]["status"], "failure");
        // Another method has no schema.
        assert_eq!(world.run(Method::POST, "e/", None).await.header("syncano-status"), "success");
    }
}

#[tokio::test]
async fn where_results_only_warn_the_trace_tells() {
    if !python() {
        return;
    }
    let world = numbers("def main(): return [1, 'x']", json!("warn")).await;
    let reply = world.run(Method::GET, "e/", None).await;
    assert_eq!(reply.outcome(), (200, "success", "value"), "{reply:?}");
    assert_eq!(reply.json, json!([1, "x"]));
    let id = reply.header("syncano-trace").to_owned();
    let trace = world.get(&super::run(&format!("e/traces/{id}/"))).await;
    assert_eq!(trace.json["status"], "success");
    assert_eq!(trace.json["result"]["mismatches"][0]["pointer"], "/1");
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_is_refused_when_it_is_published() {
    let world = World::new().await;
    let mut body = socket("s", "e", ECHO);
    body["endpoints"]["e"]["metadata"] = json!({ "GET": { "inputs": { "$ref": "http://127.0.0.1:1/" } } });
    let reply = world.post(&super::sockets(), body).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let said = reply.json["endpoints"][0].as_str().unwrap_or_default();
    assert!(said.starts_with("at /endpoints/e/metadata/GET/inputs/$ref: the reference"), "{reply:?}");
}

#[tokio::test]
async fn forms_are_decoded_as_queries_are() {
    if !python() {
        return;
    }
    let world = world("POST", search()).await;
    let form = "text=5&limit=7&exact=true&tags=a";
    let request = world.request(Method::POST, &super::run("e/")).body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let reply = super::Reply::of(request.send().await.unwrap()).await;
    assert_eq!(reply.json, json!({ "text": "5", "limit": 7, "exact": true, "tags": ["a"] }), "{reply:?}");
}

/// `curl --data '{…}'` says that it is a form.
#[tokio::test]
async fn json_that_comes_as_a_form_is_told_from_one() {
    if !python() {
        return;
    }
    let world = world("POST", search()).await;
    let sent = async |body: &'static str| {
        let request = world.request(Method::POST, &super::run("e/")).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        super::Reply::of(request.send().await.unwrap()).await
    };
    let reply = sent(r#"{"text": "a&b", "limit": 7}"#).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let hint = "the body came as a form and looks like JSON: send it with the header `Content-Type: application/json`";
    assert_eq!(reply.json["non_field_errors"], json!([hint]), "{reply:?}");
    let reply = sent("limit=x").await;
    assert_eq!((reply.status.as_u16(), &reply.json["non_field_errors"]), (400, &json!(null)), "{reply:?}");
}
