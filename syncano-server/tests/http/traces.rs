//! What is recorded of runs.

use std::time::Duration;

use reqwest::Method;
use sea_orm::{Database, SqliteTransactionMode, TransactionOptions, TransactionTrait as _};
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
                "isolation": world.anonymous(Method::GET, "/health", None).await.json["isolation"],
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
        assert_eq!(reply.status, 200, "a run can be seen before it ends");
        if reply.json["status"] == "processing" {
            assert_eq!((&reply.json["result"], &reply.json["duration"]), (&json!({}), &json!(null)));
            let list = world.get(&run("run/traces/")).await.json;
            assert_eq!(list["objects"], json!([reply.json]));
        } else {
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

#[tokio::test]
async fn large_arguments_and_output_are_not_stored() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.script("print('ä' * 50000)").await;
    let body = json!({ "x": "y".repeat(100_000) });
    let reply = world.run(Method::POST, "run/?a=1", Some(body)).await;
    // The caller gets all of it.
    assert_eq!(reply.json["result"]["stdout"], "ä".repeat(50_000));
    let trace = world.get(&run("run/traces/1/")).await.json;
    assert_eq!(
        trace["args"],
        json!({
            "GET": { "a": "1" },
            "POST": { "__error__": "not stored: 100008 bytes of JSON, a trace keeps at most 65536" },
        })
    );
    let stdout = trace["result"]["stdout"].as_str().unwrap();
    assert!(stdout.len() <= 64 * 1024, "{}", stdout.len());
    assert!(stdout.ends_with("\n[cut: 100000 bytes were printed, a stored trace keeps 65536]"));
}

/// Where the child finds its database, and where it tells the numbers of its runs.
const DATABASE: &str = "SYNCANO_TEST_TRACES_DATABASE";
const SEEN: &str = "SYNCANO_TEST_TRACES_SEEN";

/// The child of the next test: runs until it is killed.
#[tokio::test]
#[ignore = "run by another test as a process of its own"]
async fn child() {
    let (Ok(url), Ok(seen)) = (std::env::var(DATABASE), std::env::var(SEEN)) else { return };
    let world = World::with(|server| server.database(url)).await;
    loop {
        let reply = world.run(Method::GET, "run/", None).await;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&seen).unwrap();
        let line = format!("{}\n", reply.header("syncano-trace"));
        std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_number_that_a_caller_saw_is_not_used_again() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("s.db").display());
    let file = folder.path().join("seen");
    let seen = || -> Vec<i64> {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // The last line may be half there.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| line.parse().unwrap()).collect()
    };
    let wait_for = async |count: usize| {
        for _ in 0..600 {
            if seen().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the child doesn't run its script: {:?}", seen());
    };
    let world = World::with(|server| server.database(&url)).await;
    world.script("print(1)").await;
    world.server.stop().await;

    let mut child = super::process("traces::child").env(DATABASE, &url).env(SEEN, &file).spawn().unwrap();
    wait_for(3).await;
    // From here on no trace can be stored.
    let db = Database::connect(&url).await.unwrap();
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let lock = db.begin_with_options(options).await.unwrap();
    wait_for(seen().len() + 10).await;
    child.kill().unwrap();
    child.wait().unwrap();
    lock.rollback().await.unwrap();
    db.close().await.unwrap();
    let seen = seen();
    assert_eq!(seen, (1..).take(seen.len()).collect::<Vec<_>>());

    let world = World::with(|server| server.database(&url)).await;
    let next: i64 = world.run(Method::GET, "run/", None).await.header("syncano-trace").parse().unwrap();
    assert!(next > seen[seen.len() - 1], "{next} after {seen:?}");
    world.get(&run(&format!("run/traces/{next}/"))).await.json["result"]["stdout"].as_str().unwrap();
    world.server.stop().await;
    // After a clean end there is no gap.
    let world = World::with(|server| server.database(&url)).await;
    let reply = world.run(Method::GET, "run/", None).await;
    assert_eq!(reply.json["id"], next + 1);
}
