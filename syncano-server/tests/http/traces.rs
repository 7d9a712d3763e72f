//! What is recorded of runs.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Reply, World, python, run, socket};

#[tokio::test]
async fn a_caller_finds_its_own_run_at_once() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("print(ARGS['x'])").await;
    for x in 1..=3 {
        let reply = world.run(Method::POST, &format!("run/?x={x}"), Some(json!({ "y": x }))).await;
        let id = reply.header("syncano-trace");
        let path = run(&format!("scripts/run/traces/{id}/"));
        let trace = world.get(&path).await.json;
        assert_eq!(
            trace,
            json!({
                "id": x, "status": "success", "executed_at": reply.json["executed_at"],
                "duration": reply.json["duration"],
                "result": { "stdout": x.to_string(), "stderr": "" },
                "meta": trace["meta"],
                "args": { "GET": { "x": x.to_string() }, "POST": { "y": x } },
                "links": { "self": path },
            })
        );
        assert_eq!(trace["meta"]["REQUEST_METHOD"], "POST");
        assert_eq!(world.get(&run(&format!("RUN/traces/{id}/"))).await.json, trace);
    }
    // The newest first.
    let list = world.get(&run("run/traces/")).await.json;
    let ids: Vec<_> = list["objects"].as_array().unwrap().iter().map(|trace| trace["id"].clone()).collect();
    assert_eq!(ids, [3, 2, 1]);
    let first = world.get(&run("scripts/run/traces/?page_size=2")).await.json;
    let second = world.get(first["next"].as_str().unwrap()).await.json;
    assert_eq!((&second["objects"][0]["id"], &second["next"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn a_trace_keeps_what_was_answered() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.publish(socket("value", "value", "def main():\n    return {'a': 1}")).await;
    world.publish(socket("large", "large", "def main():\n    return 'x' * 100000")).await;
    let own = "set_response(HttpResponse(418, 'tea', 'text/plain', {'X-Pot': '1'}))";
    world.publish(socket("own", "own", own)).await;
    for path in ["value/", "large/", "own/"] {
        world.run(Method::GET, path, None).await;
    }
    let response =
        |path: &'static str| async { world.get(&run(path)).await.json["result"]["response"].clone() };
    assert_eq!(
        response("value/traces/1/").await,
        json!({ "status": 200, "content_type": "application/json", "content": "{\"a\":1}" })
    );
    assert_eq!(
        response("own/traces/3/").await,
        json!({
            "status": 418, "content_type": "text/plain", "content": "tea", "headers": { "X-Pot": "1" },
        })
    );
    assert_eq!(response("large/traces/2/").await["content"].as_str().unwrap().len(), 64 * 1024);
    // A list shows no more than 64 KiB of it.
    let list = world.get(&run("large/traces/")).await.json;
    assert!(list["objects"][0]["result"]["__error__"].is_string());
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let world = World::new().await;
    world.script("print(1)").await;
    for path in
        ["run/traces/1/", "run/traces/x/", "scripts/run/traces/99999999999999999999/", "unknown/traces/"]
    {
        world.get(&run(path)).await.detail(404);
    }
    let reply = world.get(&run("run/traces/?last_pk=x")).await;
    assert!(reply.detail(400).starts_with("last_pk"));
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_a_trace() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("import time\ntime.sleep(1)\nprint('done')").await;
    let request = world.request(Method::GET, &run("run/")).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    for _ in 0..50 {
        let reply = world.get(&run("run/traces/1/")).await;
        if reply.status == 200 {
            assert_eq!(reply.json["result"]["stdout"], "done");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the run left no trace");
}

#[tokio::test]
async fn many_runs_at_once_have_numbers_of_their_own() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("print(ARGS['x'])").await;
    let mut tasks = tokio::task::JoinSet::new();
    for x in 0..40 {
        let request = world.request(Method::GET, &run(&format!("run/?x={x}")));
        tasks.spawn(async move { (x, Reply::of(request.send().await.unwrap()).await) });
    }
    let mut ids = Vec::new();
    for (x, reply) in tasks.join_all().await {
        assert_eq!(reply.json["result"]["stdout"], x.to_string());
        let id = reply.json["id"].as_i64().unwrap();
        assert_eq!(
            world.get(&run(&format!("run/traces/{id}/"))).await.json["args"]["GET"]["x"],
            x.to_string()
        );
        ids.push(id);
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=40).collect::<Vec<_>>());
}
