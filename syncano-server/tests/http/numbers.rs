//! Numbers arrive as they were written, or are refused with their place.

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, Reply, World, node, python, run, socket};

const LONG: &str = "1180591620717411303424";

async fn world(source: &str, runtime: &str, inputs: Option<Value>, outputs: Option<Value>) -> World {
    let world = World::new().await;
    let mut body = socket("s", "e", source);
    body["dependencies"][0]["runtime_name"] = json!(runtime);
    let mut schemas = json!({});
    for (key, schema) in [("inputs", inputs), ("outputs", outputs)] {
        if let Some(schema) = schema {
            schemas[key] = schema;
        }
    }
    body["endpoints"]["e"]["metadata"] = json!({ "*": schemas });
    world.publish(body).await;
    world
}

/// The schema of one argument `v`.
fn argument(schema: Value) -> Option<Value> {
    Some(
        json!({ "type": "object", "properties": { "v": schema }, "required": ["v"], "additionalProperties": false }),
    )
}

async fn sent(world: &World, query: &str, json: &str) -> Reply {
    let request = world.request(Method::POST, &run(&format!("e/{query}")));
    let request = request.header("content-type", "application/json").body(json.to_owned());
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn python_gets_every_number_as_it_was_written() {
    if !python() {
        return;
    }
    let largest = "7".repeat(4300);
    let numbers = format!("[{LONG}, -{LONG}, {largest}, 1.10, -0.0, 0.1234567890123456789, 1.0, 1, 5E-324]");
    let seen = format!("[{LONG},-{LONG},{largest},1.1,-0.0,0.12345678901234568,1.0,1,5e-324]");
    let list = json!({ "type": "array", "items": { "type": "number" } });
    for (inputs, outputs) in
        [(None, None), (argument(json!(true)), Some(json!(true))), (argument(list.clone()), Some(list))]
    {
        let world = world("def main(v): return v", "python3", inputs, outputs).await;
        let reply = sent(&world, "", &format!("{{\"v\": {numbers}}}")).await;
        assert_eq!((reply.outcome(), reply.text.as_str()), ((200, "success", "value"), seen.as_str()));
        let reply = sent(&world, "", "{\"v\": [1, -1E400]}").await;
        assert_eq!(
            reply.field("v"),
            "at /v/1: the number `-1E400` is beyond what a float holds: send it as text"
        );
        let reply = sent(&world, "", &format!("{{\"v\": [{largest}7]}}")).await;
        assert!(
            reply.field("v").starts_with("at /v/0: expected a whole number of at most 4300 digits"),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn whole_numbers_are_checked_with_all_their_digits() {
    if !python() {
        return;
    }
    let answered = async |schema: Value, value: &str| {
        let world = world("def main(v): return v", "python3", argument(schema.clone()), Some(schema)).await;
        let by_body = sent(&world, "", &format!("{{\"v\": {value}}}")).await;
        let by_query = world.run(Method::GET, &format!("e/?v={value}"), None).await;
        assert_eq!(by_body.status, by_query.status, "{by_body:?} {by_query:?}");
        if by_body.status == 200 {
            assert_eq!((by_body.text.as_str(), by_query.text.as_str()), (value, value));
            None
        } else {
            Some(by_body.field("v").to_owned())
        }
    };
    let unsigned = json!({ "type": "integer", "format": "uint128", "minimum": 0 });
    assert_eq!(answered(unsigned.clone(), &u128::MAX.to_string()).await, None);
    assert_eq!(
        answered(unsigned.clone(), "340282366920938463463374607431768211456").await.unwrap(),
        format!(
            "at /v: expected a whole number from 0 to {}, found `340282366920938463463374607431768211456`",
            u128::MAX
        )
    );
    assert!(answered(unsigned.clone(), &format!("-{LONG}")).await.is_some());
    assert!(answered(unsigned, "1e21").await.is_some());
    let signed = json!({ "type": "integer", "format": "int128" });
    assert_eq!(answered(signed.clone(), &i128::MIN.to_string()).await, None);
    assert!(answered(signed, "-170141183460469231731687303715884105729").await.is_some());
    let small = json!({ "type": "integer", "format": "uint64", "minimum": 0 });
    assert_eq!(answered(small.clone(), &u64::MAX.to_string()).await, None);
    assert!(answered(small, "18446744073709551616").await.unwrap().contains("found `18446744073709551616`"));
    let any = json!({ "type": "integer" });
    assert_eq!(answered(any.clone(), &"9".repeat(400)).await, None);
    assert!(answered(any, "1.0").await.is_some());
}

#[tokio::test]
async fn javascript_is_not_given_what_it_would_round() {
    if !node() {
        return;
    }
    let source = "export default ({ v }) => v";
    let place = "expected a whole number up to 9007199254740991, beyond which scripts in JavaScript don't get all digits, found";
    for inputs in [None, argument(json!(true)), argument(json!({ "type": "object" }))] {
        let world = world(source, "nodejs", inputs, None).await;
        let reply = sent(&world, "", "{\"v\": {\"id\": [0, 9007199254740993]}}").await;
        assert_eq!(reply.field("v"), format!("at /v/id/1: {place} `9007199254740993`: send it as text"));
        let reply = sent(
            &world,
            "",
            "{\"v\": {\"id\": -9007199254740991, \"t\": \"9007199254740993\", \"f\": 1.5e300}}",
        )
        .await;
        assert_eq!(reply.text, "{\"id\":-9007199254740991,\"t\":\"9007199254740993\",\"f\":1.5e+300}");
    }
    // A float that JavaScript wrote is what it was.
    let world =
        world(source, "nodejs", argument(json!({ "type": "number" })), Some(json!({ "type": "number" })))
            .await;
    let float = "590295810358705700000";
    assert_eq!(sent(&world, "", &format!("{{\"v\": {float}}}")).await.text, float);
    let reply = sent(&world, "", "{\"v\": 9007199254740993}").await;
    assert!(reply.field("v").contains("send `9007199254740993.0`"), "{reply:?}");
    assert_eq!(sent(&world, "", "{\"v\": 9007199254740993.0}").await.text, "9007199254740992");
}

#[tokio::test]
async fn configurations_and_traces_keep_their_numbers() {
    if !python() {
        return;
    }
    let world = world("def main(**a): return [repr(CONFIG['x']), CONFIG['n']]", "python3", None, None).await;
    let config = format!("/v1.1/instances/{INSTANCE}/snippets/config/");
    let set = |json: String| {
        let request = world.request(Method::PUT, &config).header("x-api-key", &world.key);
        request.header("content-type", "application/json").body(json).send()
    };
    let kept = r#"{"config": {"x": 123456789.12345679, "n": 18446744073709551615}}"#;
    assert_eq!(set(kept.to_owned()).await.unwrap().status(), 200);
    let reply = sent(&world, "", &format!("{{\"v\": {LONG}, \"x\": 0.1234567890123456789}}")).await;
    assert_eq!(reply.text, r#"["123456789.12345679",18446744073709551615]"#);
    for json in [format!(r#"{{"config": {{"n": {LONG}}}}}"#), format!(r#"{{"config": "{{\"n\": {LONG}}}"}}"#)]
    {
        let reply = Reply::of(set(json).await.unwrap()).await;
        assert!(reply.field("config").ends_with("has more than 64 bits: send it as text"), "{reply:?}");
    }
    let path = run("s/e/traces/");
    for query in ["", "?fields=args"] {
        let list = world.get(&format!("{path}{query}")).await;
        assert!(
            list.text.contains(&format!("{{\"v\": {LONG}, \"x\": 0.1234567890123456789}}")),
            "{}",
            list.text
        );
    }
}

#[tokio::test]
async fn a_javascript_script_whose_configuration_it_would_round_says_so() {
    let world = World::new().await;
    let mut body = socket("s", "e", "export default () => CONFIG.id");
    body["dependencies"][0]["runtime_name"] = json!("nodejs");
    body["config"] = json!({ "id": 9_007_199_254_740_993_u64 });
    world.post(&super::sockets(), body).await;
    let reply = world.run(Method::GET, "s/e/", None).await;
    assert!(
        reply.detail(404).contains("CONFIG doesn't reach it whole: at /id: expected a whole number"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_result_is_answered_or_says_that_it_is_too_deep() {
    if !python() {
        return;
    }
    let source = "def main(levels):\n    v = 1\n    for _ in range(levels): v = [v]\n    return v";
    let world = world(source, "python3", None, Some(json!(true))).await;
    for levels in [126, 127] {
        let reply = sent(&world, "", &format!("{{\"levels\": {levels}}}")).await;
        assert_eq!(reply.text, format!("{}1{}", "[".repeat(levels), "]".repeat(levels)));
    }
    let reply = sent(&world, "", "{\"levels\": 128}").await;
    assert_eq!(reply.outcome(), (200, "failure", "trace"));
    let problem = reply.json["result"]["mismatches"][0]["problem"].as_str().unwrap();
    assert!(
        problem.ends_with("…` (objects and lists lie more than 127 levels deep: use fewer)"),
        "{problem}"
    );
    let deep = |levels: usize| format!("{{\"levels\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(sent(&world, "", &deep(67)).await.detail(400).contains("at most 67 are allowed"));
    assert!(sent(&world, "", &deep(127)).await.detail(400).contains("more than 127 levels deep: use fewer"));
}

#[tokio::test]
async fn fields_of_a_form_are_decoded_as_those_of_a_query() {
    if !python() {
        return;
    }
    let inputs = json!({ "type": "object", "additionalProperties": false, "properties": {
        "q": { "type": ["integer", "null"], "format": "uint32", "minimum": 0 },
        "name": { "type": ["string", "null"] },
        "tags": { "type": "array", "items": { "type": "string" } },
        "flag": { "type": ["boolean", "null"] },
        "sizes": { "type": ["array", "null"], "items": { "type": "integer" } },
    }});
    let world = world("def main(**a): return a", "python3", Some(inputs), None).await;
    let form = async |body: &str| {
        let request = world.request(Method::POST, &run("e/"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Reply::of(request.body(body.to_owned()).send().await.unwrap()).await.json
    };
    let seen = json!({ "tags": ["a", "b"], "name": "" });
    assert_eq!(form("tags=a&q=&tags=b&name=&flag=&sizes=").await, seen);
    let parts = [("tags", "a"), ("q", ""), ("tags", "b"), ("name", ""), ("flag", "")];
    let body: String = parts
        .iter()
        .map(|(name, text)| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        })
        .collect();
    let request = world.request(Method::POST, &run("e/"));
    let request = request.header("content-type", "multipart/form-data; boundary=X").body(body + "--X--\r\n");
    assert_eq!(Reply::of(request.send().await.unwrap()).await.json, seen);
    let get = async |query: &str| world.run(Method::GET, &format!("e/?{query}"), None).await.json;
    assert_eq!(get("q=&tags=a&tags=b&name=&flag").await, seen);
    assert_eq!(get("sizes=[]").await, json!({ "tags": [], "sizes": [] }));
    assert_eq!(get("sizes=1&q=7").await, json!({ "tags": [], "sizes": [1], "q": 7 }));
    assert_eq!(get("").await, json!({ "tags": [] }));
}
