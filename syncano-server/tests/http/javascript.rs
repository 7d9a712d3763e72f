//! Scripts in JavaScript, with real Node.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, node, run, socket, sockets};

fn javascript(source: &str) -> Value {
    let mut socket = socket("s", "e", source);
    socket["dependencies"][0]["runtime_name"] = json!("nodejs_library_v1.0");
    socket
}

#[tokio::test]
async fn a_program_sees_args_config_and_meta() {
    if !node() {
        return;
    }
    let world = World::new().await;
    let mut body = javascript(
        "console.log(ARGS.POST.a + ARGS.a, ARGS.GET.b, CONFIG.c, META.socket); console.error('e')",
    );
    body["config"] = json!({ "c": 3 });
    world.publish(body).await;
    let reply = world.run(Method::POST, "e/?b=2", Some(json!({ "a": 1 }))).await;
    assert_eq!(reply.outcome(), (200, "success", "trace"));
    assert_eq!(reply.json["result"], json!({ "stdout": "2 2 3 s", "stderr": "e" }));
}

#[tokio::test]
async fn a_function_returns_its_value_or_an_error_for_the_caller() {
    if !node() {
        return;
    }
    let world = World::new().await;
    let source = "export default async function ({ left }, { config }) {
        if (left < config.least) throw new AppError('OutOfStock', { left });
        return { left: left - 1 };
    }";
    let mut body = javascript(source);
    body["config"] = json!({ "least": 1 });
    world.publish(body).await;
    let reply = world.run(Method::POST, "e/", Some(json!({ "left": 3 }))).await;
    assert_eq!((reply.outcome(), &reply.json), ((200, "success", "value"), &json!({ "left": 2 })));
    let reply = world.run(Method::POST, "e/", Some(json!({ "left": 0 }))).await;
    assert_eq!(reply.outcome(), (422, "failure", "app-error"));
    assert_eq!(reply.json, json!({ "OutOfStock": { "left": 0 } }));
}

#[tokio::test]
async fn a_response_and_a_failure_are_what_the_script_says() {
    if !node() {
        return;
    }
    let world = World::new().await;
    world.publish(javascript("setResponse(new HttpResponse(201, '<b>', 'text/html', { 'X-A': '1' }))")).await;
    let reply = world.run(Method::GET, "e/", None).await;
    assert_eq!((reply.outcome(), reply.text.as_str()), ((201, "success", "response"), "<b>"));
    assert_eq!((reply.header("content-type"), reply.header("x-a")), ("text/html", "1"));
    let dependencies = javascript("\nthrow new Error('this one')")["dependencies"].clone();
    world.patch(&format!("{}s/", sockets()), json!({ "dependencies": dependencies })).await;
    let reply = world.run(Method::GET, "e/", None).await;
    assert_eq!(reply.outcome(), (200, "failure", "trace"));
    let stderr = reply.json["result"]["stderr"].as_str().unwrap();
    assert!(stderr.contains("this one") && stderr.contains("<script>:2"), "{stderr}");
    assert_eq!(world.get(&run("e/traces/")).await.json["objects"][0]["status"], "failure");
}
