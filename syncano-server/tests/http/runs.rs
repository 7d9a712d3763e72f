//! Running endpoints.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, Reply, World, dependency, python, run, socket};

#[tokio::test]
async fn a_program_answers_with_its_trace() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("print('out')\nimport sys\nsys.stderr.write('err\\n')").await;
    let reply = world.run(Method::GET, "run/", None).await;
    assert_eq!(reply.outcome(), (200, "success", "trace"));
    assert_eq!(reply.header("syncano-trace"), "1");
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    let trace = &reply.json;
    assert_eq!(
        *trace,
        json!({
            "id": 1, "status": "success", "executed_at": trace["executed_at"], "duration": trace["duration"],
            "result": { "stdout": "out", "stderr": "err" },
        })
    );
    assert!(trace["executed_at"].as_str().unwrap().len() == 27 && trace["duration"].is_u64());
}

#[tokio::test]
async fn an_endpoint_is_called_by_both_its_names_in_any_case() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.publish(socket("MySocket", "camelCase", "print(META['executor'])")).await;
    for path in ["mysocket/camelcase/", "MySocket/camelCase/", "camelCase/", "CAMELCASE/"] {
        let reply = world.run(Method::GET, path, None).await;
        assert_eq!(reply.json["result"]["stdout"], "mysocket/camelcase", "{path}");
    }
    let upper = format!("/v1.1/instances/{}/endpoints/sockets/camelcase/", INSTANCE.to_uppercase());
    assert_eq!(world.anonymous(Method::GET, &upper, None).await.status, 200);
}

#[tokio::test]
async fn a_function_answers_with_its_value() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("print('said')\ndef main(a, b=2):\n    return {'a': a, 'b': b}").await;
    let reply = world.run(Method::POST, "run/", Some(json!({ "a": [1, "ä"] }))).await;
    assert_eq!(reply.outcome(), (200, "success", "value"));
    assert_eq!(reply.json, json!({ "a": [1, "ä"], "b": 2 }));
    let request = world.request(Method::GET, &run("run/?a=x")).header("Syncano-Want", "trace");
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(reply.outcome(), (200, "success", "trace"));
    assert_eq!(
        reply.json["result"]["response"],
        json!({ "status": 200, "content_type": "application/json", "content": "{\"a\":\"x\",\"b\":2}" })
    );
}

#[tokio::test]
async fn a_script_makes_its_own_response() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world
        .script(
            "set_response(HttpResponse(status_code=201, content='<b>hi</b>', content_type='text/html', headers={\
             'X-Own': '1', 'Syncano-Status': 'failure', 'Content-Length': '1', 'Connection': 'close'}))",
        )
        .await;
    let reply = world.run(Method::PUT, "run/", None).await;
    assert_eq!(reply.outcome(), (201, "success", "response"));
    assert_eq!((reply.text.as_str(), reply.header("content-type")), ("<b>hi</b>", "text/html"));
    assert_eq!((reply.header("x-own"), reply.header("connection")), ("1", ""));
    assert_eq!(reply.headers.get_all("syncano-status").iter().count(), 1);
}

#[tokio::test]
async fn a_status_that_is_no_answer_is_not_sent() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("set_response(HttpResponse(status_code=101))").await;
    let reply = world.run(Method::GET, "run/", None).await;
    assert_eq!(reply.outcome(), (200, "failure", "trace"));
    assert!(reply.json["result"]["stderr"].as_str().unwrap().contains("status 101 is not within 200 to 599"));
}

#[tokio::test]
async fn failures_are_200_and_say_so() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("print('before')\nraise ValueError('no')").await;
    let reply = world.run(Method::GET, "run/", None).await;
    assert_eq!(reply.outcome(), (200, "failure", "trace"));
    assert_eq!(
        (&reply.json["status"], &reply.json["result"]["stdout"]),
        (&json!("failure"), &json!("before"))
    );
    assert!(reply.json["result"]["stderr"].as_str().unwrap().contains("ValueError: no"));

    world.publish(socket("error", "error", "def main():\n    raise AppError('Gone', {'id': 5})")).await;
    let reply = world.run(Method::GET, "error/", None).await;
    assert_eq!(reply.outcome(), (422, "failure", "app-error"));
    assert_eq!(reply.json, json!({ "Gone": { "id": 5 } }));

    world.publish(socket("syntax", "syntax", "exec('print(')")).await;
    let reply = world.run(Method::GET, "syntax/", None).await;
    assert_eq!(reply.outcome(), (200, "failure", "trace"));
    assert!(reply.json["result"]["stderr"].as_str().unwrap().contains("SyntaxError"));
}

#[tokio::test]
async fn a_runtime_without_an_interpreter_is_a_failed_run() {
    let world = World::with(|server| server.python("/nowhere/python3")).await;
    let mut body = socket("s", "rb", "puts 1");
    body["dependencies"][0]["runtime_name"] = json!("ruby");
    world.publish(body).await;
    world.publish(socket("t", "py", "print(1)")).await;
    for path in ["rb/", "py/"] {
        let reply = world.run(Method::GET, path, None).await;
        assert_eq!(reply.outcome(), (200, "failure", "trace"));
        assert!(reply.json["result"]["stderr"].as_str().unwrap().contains("can't run"), "{reply:?}");
    }
}

#[tokio::test]
async fn the_timeout_is_the_calls_then_the_scripts_then_the_servers() {
    if !python() {
        return;
    }
    let world = World::with(|server| server.script_timeout(Duration::from_millis(300))).await;
    let call = |script: &str, timeout: Value| json!({ "calls": [{ "type": "script", "name": script, "methods": ["GET"], "timeout": timeout }] });
    let sleep = "import time\ntime.sleep(0.8)\nprint('done')";
    let mut patient = dependency("patient", sleep);
    patient["config"] = json!({ "timeout": 20 });
    world
        .publish(json!({
            "name": "s",
            "endpoints": {
                "server": call("plain", Value::Null),
                "script": call("patient", Value::Null),
                "call-longer": call("plain", json!(20)),
                "call-shorter": call("patient", json!(0.3)),
            },
            "dependencies": [dependency("plain", sleep), patient],
        }))
        .await;
    for (path, status) in [
        ("server/", "timeout"),
        ("script/", "success"),
        ("call-longer/", "success"),
        ("call-shorter/", "timeout"),
    ] {
        let reply = world.run(Method::GET, path, None).await;
        assert_eq!(reply.outcome(), (200, status, "trace"), "{path}");
        assert_eq!(reply.json["status"], status);
    }
}

#[tokio::test]
async fn a_full_queue_is_200_and_blocked() {
    if !python() {
        return;
    }
    let world = World::with(|server| server.max_workers(1).max_waiting(1)).await;
    world.publish(socket("slow", "slow", "import time\ntime.sleep(2)")).await;
    let slow = world.run(Method::GET, "slow/", None);
    let later = async |milliseconds| {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        world.run(Method::GET, "slow/", None).await
    };
    let (slow, waiting, blocked) = tokio::join!(slow, later(500), later(1000));
    assert_eq!(slow.outcome(), (200, "success", "trace"));
    assert_eq!(waiting.outcome(), (200, "success", "trace"));
    assert_eq!(blocked.outcome(), (200, "blocked", "trace"));
    assert_eq!(
        blocked.json,
        json!({
            "id": 3, "status": "blocked", "executed_at": null, "duration": null, "result": {},
        })
    );
    assert_eq!(world.get(&run("slow/traces/3/")).await.json["status"], "blocked");
}

#[tokio::test]
async fn scripts_see_arguments_configuration_and_request() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let mut body = socket("s", "e", "import json\nprint(json.dumps([ARGS, CONFIG, META]))");
    body["config"] = json!({ "a": 1, "b": 1, "timeout": 7 });
    body["dependencies"][0]["config"] = json!({ "b": 2, "timeout": 9, "fresh": true });
    body["endpoints"]["e"]["metadata"] = json!({ "title": "t", "POST": { "inputs": {}, "note": "n" } });
    world.publish(body).await;
    let request = world
        .request(Method::POST, &run(&format!("e/?x=1&x=2&user_key=u&api_key={}", world.key)))
        .header("X-Custom-Header", "v")
        .header("Authorization", "token secret")
        .header("X-User-Key", "secret")
        .header("X-Forwarded-For", "192.0.2.7, 10.0.0.1")
        .json(&json!({ "x": 0, "y": [true], "_api_key": "own" }));
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(reply.outcome(), (200, "success", "trace"), "{reply:?}");
    let stdout = reply.json["result"]["stdout"].as_str().unwrap();
    assert!(!stdout.contains("secret") && !stdout.contains(&world.key), "{stdout}");
    let seen: Value = serde_json::from_str(stdout).unwrap();
    assert_eq!(
        seen[0],
        json!({
            "x": "2", "y": [true], "user_key": "u", "_api_key": "own",
            "GET": { "x": "2", "user_key": "u" }, "POST": { "x": 0, "y": [true], "_api_key": "own" },
        })
    );
    assert_eq!(seen[1], json!({ "a": 1, "b": 2 }));
    let meta = &seen[2];
    let request = &meta["request"];
    assert_eq!(
        *meta,
        json!({
            "request": request, "metadata": { "note": "n" }, "admin": { "id": 1, "email": "admin@localhost" },
            "executed_by": "socket_endpoint", "executor": "s/e", "instance": INSTANCE, "socket": "s",
            "api_host": request["HTTP_HOST"], "async": 0,
        })
    );
    let host = world.server.server().addr().to_string();
    assert_eq!(
        *request,
        json!({
            "REQUEST_METHOD": "POST", "PATH_INFO": run("e/"), "REMOTE_ADDR": "192.0.2.7",
            "HTTP_HOST": host, "HTTP_X_CUSTOM_HEADER": "v", "HTTP_ACCEPT": "*/*",
        })
    );
    // A stranger is no admin, and the endpoint's metadata is shown where its method has none.
    let reply = world.run(Method::GET, "e/", None).await;
    let seen: Value = serde_json::from_str(reply.json["result"]["stdout"].as_str().unwrap()).unwrap();
    assert_eq!(seen[2].get("admin"), None);
    assert_eq!(seen[2]["metadata"], json!({ "title": "t", "POST": { "note": "n" } }));
    assert_eq!(seen[2]["request"]["REMOTE_ADDR"], "127.0.0.1");
    assert_eq!(seen[0], json!({ "GET": {}, "POST": {} }));
}

#[tokio::test]
async fn the_first_call_that_lists_the_method_answers() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world
        .publish(json!({
            "name": "s",
            "endpoints": { "e": { "calls": [
                { "type": "script", "name": "a", "methods": ["GET", "PATCH"] },
                { "type": "script", "name": "b", "methods": ["PATCH", "DELETE"] },
            ] } },
            "dependencies": [dependency("a", "print('a')"), dependency("b", "print('b')")],
        }))
        .await;
    for (method, script) in [(Method::GET, "a"), (Method::PATCH, "a"), (Method::DELETE, "b")] {
        let reply = world.run(method, "e/", None).await;
        assert_eq!(reply.json["result"]["stdout"], script);
    }
    for method in [Method::POST, Method::PUT, Method::HEAD] {
        let reply = world.run(method.clone(), "s/e/", None).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, PATCH, DELETE"), "{method}");
        assert_eq!(reply.header("syncano-status"), "");
    }
}

#[tokio::test]
async fn bad_calls_run_nothing() {
    let world = World::new().await;
    world.script("print(1)").await;
    let send = |body: &'static str, kind: &'static str| {
        let request = world.request(Method::POST, &run("run/")).header("content-type", kind).body(body);
        async move { Reply::of(request.send().await.unwrap()).await }
    };
    let json = "application/json";
    for scalar in ["5", "\"text\"", "true", "null"] {
        assert!(send(scalar, json).await.field("non_field_errors").contains("object or list"));
    }
    assert!(send("{", json).await.detail(400).contains("not JSON"));
    assert!(send("a=1", "application/xml").await.detail(415).contains("application/json"));
    assert!(send("{", "text/plain").await.detail(400).contains("not JSON"));
    assert!(send("x", "multipart/form-data").await.detail(400).contains("boundary"));
    assert!(send("x", "multipart/form-data; boundary=b").await.detail(400).contains("no form"));

    let exact = format!("\"{}\"", "x".repeat(512 * 1024 - 2));
    let request = world.request(Method::POST, &run("run/")).header("content-type", json);
    let reply = Reply::of(request.body(exact.clone()).send().await.unwrap()).await;
    reply.field("non_field_errors");
    let request = world.request(Method::POST, &run("run/")).header("content-type", json);
    let reply = Reply::of(request.body(format!("{exact} ")).send().await.unwrap()).await;
    assert!(reply.detail(413).contains("524288"));

    world.run(Method::GET, "unknown/", None).await.detail(404);
    world.run(Method::GET, "scripts/unknown/", None).await.detail(404);
    let reply = world.run(Method::POST, "unknown/run/", None).await;
    assert_eq!(reply.detail(404), "there is no socket endpoint named `unknown/run`");
    let reply =
        world.anonymous(Method::GET, "/v1.1/instances/unknown-one/endpoints/sockets/run/", None).await;
    assert!(reply.detail(404).contains("unknown-one"));
    let request = world.request(Method::GET, &run("run/")).header("x-api-key", "x".repeat(40));
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(reply.detail(403), "the key is not valid");

    assert_eq!(reply.header("syncano-status"), "");
    assert_eq!(world.get(&run("run/traces/")).await.json["objects"], json!([]));
}

#[tokio::test]
async fn a_private_call_needs_its_owners_key() {
    let world = World::with(|server| server.open_registration(true)).await;
    let mut body = socket("s", "e", "print(1)");
    body["endpoints"]["e"]["calls"] = json!([
        { "type": "script", "name": "script", "methods": ["GET"] },
        { "type": "script", "name": "script", "methods": ["POST"], "private": true },
    ]);
    world.publish(body).await;
    assert_eq!(world.run(Method::GET, "e/", None).await.status, 200);
    assert!(world.run(Method::POST, "e/", None).await.detail(403).contains("private"));
    let eve = json!({ "email": "eve@example.org", "password": "secret word" });
    let eve = world.anonymous(Method::POST, "/v1.1/account/register/", Some(eve)).await.json;
    let with = |key: &str| {
        let request = world.request(Method::POST, &run("e/")).header("x-api-key", key);
        async move { Reply::of(request.send().await.unwrap()).await }
    };
    with(eve["account_key"].as_str().unwrap()).await.detail(403);
    assert_eq!(with(&world.key).await.status, 200);
    let in_body = json!({ "_api_key": world.key });
    world.run(Method::POST, "e/", Some(in_body)).await.detail(403);
}

#[tokio::test]
async fn a_server_may_ask_for_a_key_always() {
    let world = World::with(|server| server.require_key(true)).await;
    world.script("print(1)").await;
    world.run(Method::GET, "run/", None).await.detail(403);
    assert_eq!(world.get(&run("run/")).await.status, 200);
}

#[tokio::test]
async fn instances_have_endpoints_of_their_own() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.post("/v1.1/instances/", json!({ "name": "other-instance" })).await;
    world.publish(socket("s", "e", "print(META['instance'])")).await;
    let other = "/v1.1/instances/other-instance/endpoints/sockets/e/";
    world.anonymous(Method::GET, other, None).await.detail(404);
    let body = socket("s", "e", "print(META['instance'])");
    world.post("/v1.1/instances/other-instance/sockets/", body).await;
    let reply = world.anonymous(Method::GET, other, None).await;
    assert_eq!((&reply.json["result"]["stdout"], &reply.json["id"]), (&json!("other-instance"), &json!(1)));
}

#[tokio::test]
async fn a_status_without_a_body_has_none() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("set_response(HttpResponse(int(ARGS['status']), 'text', 'text/plain'))").await;
    for (status, length) in [(204, ""), (304, ""), (200, "4")] {
        let reply = world.run(Method::GET, &format!("run/?status={status}"), None).await;
        assert_eq!(reply.status.as_u16(), status);
        assert!(["", "0"].contains(&reply.header("content-length")) == length.is_empty(), "{reply:?}");
    }
}

#[tokio::test]
async fn an_acl_needs_a_key_and_lists_what_applications_may() {
    if !python() {
        return;
    }
    let world = World::with(|server| server.require_key(false)).await;
    let mut body = socket("s", "e", "print(1)");
    body["endpoints"]["e"]["acl"] = json!({ "*": ["GET"] });
    world.publish(body).await;
    let keys = format!("/v1.1/instances/{}/api_keys/", super::INSTANCE);
    let key =
        async |flags: Value| world.post(&keys, flags).await.json["api_key"].as_str().unwrap().to_owned();
    let (plain, free) = (key(json!({})).await, key(json!({ "ignore_acl": true })).await);
    for (key, get, post) in
        [(None, 403, 403), (Some(&plain), 200, 403), (Some(&free), 200, 200), (Some(&world.key), 200, 200)]
    {
        for (method, expected) in [(Method::GET, get), (Method::POST, post)] {
            let mut request = world.request(method.clone(), &run("e/"));
            if let Some(key) = key {
                request = request.header("x-api-key", key);
            }
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status, expected, "{method} with {key:?}");
        }
    }
}
