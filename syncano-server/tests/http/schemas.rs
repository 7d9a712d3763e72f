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
    let query = "e/?text=5&limit=7&exact=true&tags=a&tags=1&range=%7B%22from%22:1%7D&sorting=Newest&more=8";
    let reply = world.run(Method::GET, query, None).await;
    assert_eq!(reply.outcome(), (200, "success", "value"), "{reply:?}");
    assert_eq!(
        reply.json,
        json!({
            "text": "5", "limit": 7, "exact": true, "tags": ["a", "1"], "range": { "from": 1 },
            "sorting": "Newest", "more": "8",
        })
    );
    // What is left out is left out; an empty list leaves no trace in a query.
    let reply = world.run(Method::GET, "e/?text=x", None).await;
    assert_eq!(reply.json, json!({ "text": "x", "tags": [] }));
    // The schema is for GET.
    let reply = world.run(Method::DELETE, "e/?limit=x", None).await;
    assert_eq!(reply.json, json!({ "limit": "x" }));
}

#[tokio::test]
async fn what_cannot_be_decoded_is_a_field_error_and_runs_nothing() {
    let world = world("*", search()).await;
    for (query, field, text) in [
        ("limit=x", "limit", "at /limit: expected a whole number in range, found `x`"),
        ("limit=-1", "limit", "at /limit: expected a whole number in range, found `-1`"),
        ("exact=1", "exact", "at /exact: expected true or false, found `1`"),
        ("range=1", "range", "at /range: expected an object as JSON, found `1`"),
        ("sorting=newest", "sorting", "at /sorting: expected one of the listed values, found `newest`"),
    ] {
        for method in [Method::GET, Method::POST] {
            let reply = world.run(method, &format!("e/?{query}"), None).await;
            assert_eq!(reply.field(field), text);
            assert_eq!(reply.header("syncano-status"), "");
        }
    }
    let both = world.run(Method::GET, "e/?limit=x&exact=y", None).await;
    assert_eq!(both.json.as_object().map(|fields| fields.len()), Some(2));
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
    let reply = world.run(Method::POST, "e/?page=2", Some(json!([{ "from": 1 }]))).await;
    assert_eq!(reply.json, json!({ "ranges": [{ "from": 1 }], "page": 2 }), "{reply:?}");
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
    assert_eq!(world.run(Method::GET, "e/", None).await.json["title"], "t");
    let details = world.get(&format!("{}s/endpoints/e/", super::sockets())).await;
    assert_eq!(details.json["metadata"], metadata);
}
