//! `…/openapi.json`: who sees which endpoints, and where references lead. `tests/real-clients/generated.rs` validates the document and
//! generates a client of it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, World, dependency, python, run, socket};

fn document() -> String {
    format!("/v1.1/instances/{INSTANCE}/openapi.json")
}

/// The path of an endpoint below its instance.
fn relative(path: &str) -> String {
    run(path).replacen(&format!("/v1.1/instances/{INSTANCE}"), "", 1)
}

fn endpoint(methods: Value, more: Value) -> Value {
    let mut endpoint = json!({ "calls": [{ "type": "script", "name": "a", "methods": methods }] });
    endpoint.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    endpoint
}

#[tokio::test]
async fn an_api_key_sees_what_it_may_run() {
    let world = World::new().await;
    let private =
        json!({ "calls": [{ "type": "script", "name": "a", "methods": ["GET"], "private": true }] });
    world
        .publish(json!({
            "name": "s",
            "endpoints": {
                "open": endpoint(json!(["*"]), json!({ "metadata": { "description": "For all." } })),
                "private": private,
                "read": endpoint(json!(["GET", "PUT"]), json!({ "acl": { "*": ["GET"] } })),
                "hidden": endpoint(json!(["GET"]), json!({ "acl": { "groups": {} } })),
            },
            "dependencies": [dependency("a", "1")],
        }))
        .await;
    let seen = |document: &Value| {
        let mut seen = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let endpoint = path.trim_end_matches('/').rsplit('/').next().unwrap();
            seen.extend(item.as_object().unwrap().keys().map(|method| format!("{method} {endpoint}")));
        }
        seen.sort();
        seen
    };
    let all = world.get(&document()).await.json;
    assert_eq!((seen(&all).len(), seen(&all).contains(&"get hidden".to_owned())), (9, true));
    let key = world.post(&format!("/v1.1/instances/{INSTANCE}/api_keys/"), json!({})).await.json;
    let key = key["api_key"].as_str().unwrap();
    let some = world.with_key(key, Method::GET, &document(), None).await.json;
    assert_eq!(
        seen(&some),
        ["delete open", "get open", "get private", "get read", "patch open", "post open", "put open"]
    );
    let open = &some["paths"][relative("s/open/")]["get"];
    assert_eq!((&open["description"], &open["security"]), (&json!("For all."), &json!([{}, { "key": [] }])));
    let private = &some["paths"][relative("s/private/")]["get"];
    assert_eq!(private["security"], json!([{ "key": [] }]));
    assert_eq!(world.anonymous(Method::GET, &document(), None).await.status, 403);
}

#[tokio::test]
async fn an_operation_says_what_it_is_for_and_what_it_answers() {
    let world = World::new().await;
    let metadata = json!({
        "description": "Pages.", "GET": { "description": "Shows a page. It is HTML.", "response": { "mimetype": "text/html" } },
        "PUT": { "outputs": { "type": "string", "contentMediaType": "image/png" } },
        "POST": { "outputs": { "type": "integer" } },
    });
    world
        .publish(json!({
            "name": "s", "endpoints": { "e": endpoint(json!(["*"]), json!({ "metadata": metadata })) },
            "dependencies": [dependency("a", "1")],
        }))
        .await;
    let document = world.get(&document()).await.json;
    let base = format!("/v1.1/instances/{INSTANCE}");
    assert_eq!(document["servers"][0]["url"], base);
    let other = &document["servers"][1];
    assert_eq!(other["url"].as_str().unwrap().replace("{instance}", INSTANCE), base);
    assert_eq!(other["variables"]["instance"]["default"], INSTANCE);
    let operations = &document["paths"]["/endpoints/sockets/s/e/"];
    let get = &operations["get"];
    assert_eq!(
        (&get["summary"], &get["description"]),
        (&json!("Shows a page"), &json!("Shows a page. It is HTML."))
    );
    assert_eq!(operations["post"]["summary"], "Pages");
    let want = &get["parameters"][0];
    assert_eq!((&want["name"], &want["required"]), (&json!("Syncano-Want"), &json!(false)));
    let answers = |method: &str| operations[method]["responses"]["200"]["content"].clone();
    assert_eq!(answers("get"), json!({ "text/html": { "schema": { "type": "string" } } }));
    assert_eq!(
        answers("put"),
        json!({ "image/png": { "schema": { "type": "string", "format": "binary" } } })
    );
    assert_eq!(answers("post"), json!({ "application/json": { "schema": { "type": "integer" } } }));
    // Nobody says what it answers.
    assert!(answers("patch").get("*/*").is_some(), "{}", answers("patch"));
}

/// A socket whose one endpoint has these schemas.
fn typed(name: &str, schemas: Value) -> Value {
    let mut body = socket(name, name, "def main(): return 1");
    body["endpoints"][name]["metadata"] = json!({ "GET": schemas });
    body
}

#[tokio::test]
async fn references_lead_to_components() {
    let world = World::new().await;
    let item = json!({ "type": "object", "properties": { "next": { "$ref": "#/$defs/Item" }, "$ref": { "$ref": "#/$defs/Size" } } });
    let items = |size: &str| {
        json!({
            "type": "array",
            "items": { "$ref": "#/$defs/Item" },
            "$defs": { "Item": item, "Size": { "type": size, "enum": [{ "$ref": "#/$defs/Item" }] } },
        })
    };
    world.publish(typed("one", json!({ "outputs": items("integer") }))).await;
    world.publish(typed("same", json!({ "outputs": items("integer") }))).await;
    world.publish(typed("other", json!({ "outputs": items("string") }))).await;
    let tree = json!({ "type": "object", "properties": { "below": { "items": { "$ref": "#" } } } });
    world.publish(typed("tree", json!({ "outputs": tree }))).await;
    let document = world.get(&document()).await.json;
    let result = |endpoint: &str| {
        let answers = &document["paths"][relative(&format!("{endpoint}/{endpoint}/"))]["get"]["responses"];
        answers["200"]["content"]["application/json"]["schema"].clone()
    };
    let schemas = &document["components"]["schemas"];
    assert_eq!(result("one"), json!({ "type": "array", "items": { "$ref": "#/components/schemas/Item" } }));
    assert_eq!(result("one"), result("same"), "one component for one type");
    assert_eq!(
        result("other")["items"]["$ref"],
        "#/components/schemas/Item2",
        "the same name means something else there"
    );
    assert_eq!(schemas["Item"]["properties"]["next"]["$ref"], "#/components/schemas/Item");
    assert_eq!(
        schemas["Item"]["properties"]["$ref"]["$ref"], "#/components/schemas/Size",
        "a property of that name"
    );
    assert_eq!(schemas["Size"]["enum"], json!([{ "$ref": "#/$defs/Item" }]), "values aren't schemas");
    assert_eq!(schemas["Item2"]["properties"]["$ref"]["$ref"], "#/components/schemas/Size2");
    let place = "#/components/schemas/tree_tree_get_result";
    assert_eq!(result("tree")["properties"]["below"]["items"]["$ref"], place);
    assert_eq!(schemas["tree_tree_get_result"], result("tree"));
}

#[tokio::test]
async fn whoever_wants_a_value_gets_one_or_a_status_that_says_failure() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let body = |name: &str, source: &str, schema: Value| {
        let mut body = socket(name, name, source);
        body["endpoints"][name]["metadata"] = json!({ "GET": { "outputs": schema } });
        body
    };
    world.publish(body("printed", "print(5)", json!({ "type": "integer" }))).await;
    world.publish(body("text", "print(5)", json!({ "type": "string" }))).await;
    world.publish(body("broken", "def main(): return [][0]", json!({}))).await;
    world.publish(body("wrong", "def main(): return 'x'", json!({ "type": "integer" }))).await;
    for (endpoint, status, kind, value) in [
        ("printed", 200, "value", json!(5)),
        ("text", 200, "value", json!("5")),
        ("broken", 500, "trace", Value::Null),
        ("wrong", 500, "trace", Value::Null),
    ] {
        let request =
            world.request(Method::GET, &run(&format!("{endpoint}/"))).header("syncano-want", "value");
        let reply = super::Reply::of(request.send().await.unwrap()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("syncano-result")),
            (status, kind),
            "{endpoint}: {reply:?}"
        );
        if status == 200 {
            assert_eq!(reply.json, value);
            // Everybody else gets what clients of 2016 expect.
            assert_eq!(
                world.run(Method::GET, &format!("{endpoint}/"), None).await.json["result"]["stdout"],
                "5"
            );
        } else {
            assert_eq!(reply.json["status"], "failure");
        }
    }
}

/// Publishes an endpoint with these inputs, and asks for the document.
async fn document_with(inputs: Value) -> super::Reply {
    let world = World::new().await;
    let mut body = socket("s", "e", "def main(**named): return 1");
    body["endpoints"]["e"]["metadata"] = json!({ "POST": { "inputs": inputs } });
    world.publish(body).await;
    world.get(&document()).await
}

#[tokio::test]
async fn definitions_that_refer_to_each_other_without_end_are_refused() {
    let mut definitions = serde_json::Map::new();
    for number in 0..2000 {
        let next = json!({ "items": { "$ref": format!("#/$defs/a{}", (number + 1) % 2000) } });
        definitions.insert(format!("a{number}"), next);
    }
    let inputs =
        json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/a0" } }, "$defs": definitions });
    let reply = document_with(inputs).await;
    assert!(reply.detail(400).contains("refer to each other too deeply"), "{reply:?}");
}

#[tokio::test]
async fn schemas_whose_parts_all_lead_to_all_of_them_are_refused() {
    let (mut properties, mut definitions) = (serde_json::Map::new(), serde_json::Map::new());
    for number in 0..1400 {
        properties.insert(format!("p{number}"), json!({ "$ref": format!("#/$defs/d{number}") }));
        definitions.insert(
            format!("d{number}"),
            json!({ "items": { "$ref": "#" }, "description": "x".repeat(100) }),
        );
    }
    let reply = document_with(json!({ "properties": properties, "$defs": definitions })).await;
    assert!(reply.detail(400).contains("too large for one document"), "{reply:?}");
}
