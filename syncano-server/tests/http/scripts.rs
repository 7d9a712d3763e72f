//! Scripts that are run by their numbers.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, World, python, run, sockets};

pub(crate) fn scripts() -> String {
    format!("/v1.1/instances/{INSTANCE}/snippets/scripts/")
}

pub(crate) fn script(id: i64) -> String {
    format!("{}{id}/", scripts())
}

impl World {
    /// Makes a script and returns its number.
    pub(crate) async fn new_script(&self, source: &str) -> i64 {
        let reply = self.post(&scripts(), json!({ "runtime_name": "python3", "source": source })).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json["id"].as_i64().unwrap()
    }

    /// Reads a trace until it is finished.
    pub(crate) async fn finished(&self, path: &str) -> Value {
        for _ in 0..600 {
            let trace = self.get(path).await.json;
            match trace["status"].as_str() {
                Some("pending" | "processing") => tokio::time::sleep(Duration::from_millis(50)).await,
                _ => return trace,
            }
        }
        panic!("the run at {path} doesn't end");
    }
}

#[tokio::test]
async fn a_script_is_made_read_changed_and_deleted() {
    let world = World::new().await;
    let made = world.post(&scripts(), json!({ "runtime_name": "python", "source": " print(1)\n" })).await;
    assert_eq!(made.status, 201);
    let id = made.json["id"].as_i64().unwrap();
    let path = script(id);
    let mut expected = json!({
        "id": id,
        // As it was sent, alias or not; white space stays.
        "runtime_name": "python", "source": " print(1)\n",
        "config": {}, "label": "", "description": "",
        "created_at": made.json["created_at"], "updated_at": made.json["updated_at"],
        "links": {
            "self": path, "runtimes": format!("{}runtimes/", scripts()),
            "run": format!("{path}run/"), "traces": format!("{path}traces/"),
        },
    });
    assert_eq!(made.json, expected);
    assert_eq!(world.get(&path).await.json, expected);
    // An old client sends JSON in a string.
    let change = json!({ "config": "{\"timeout\": 3}", "label": "l", "description": "d", "id": 99 });
    let changed = world.patch(&path, change).await;
    expected["config"] = json!({ "timeout": 3 });
    expected["label"] = json!("l");
    expected["description"] = json!("d");
    expected["updated_at"] = changed.json["updated_at"].clone();
    assert_eq!(changed.json, expected);
    assert_eq!(world.get(&scripts()).await.json["objects"], json!([expected]));
    assert_eq!(world.delete(&path).await.status, 204);
    assert!(world.get(&path).await.detail(404).contains(&id.to_string()));
    assert_eq!(world.get(&scripts()).await.json["objects"], json!([]));
}

#[tokio::test]
async fn bad_input_names_the_field() {
    let world = World::new().await;
    let path = script(world.new_script("print(1)").await);
    for (field, body) in [
        ("runtime_name", json!({ "runtime_name": "pyhton3" })),
        ("runtime_name", json!({ "runtime_name": 3 })),
        ("source", json!({ "source": "x".repeat(3 * 1024 * 1024 + 1) })),
        ("label", json!({ "label": "x".repeat(81) })),
        ("description", json!({ "description": "x".repeat(257) })),
        ("config", json!({ "config": "{" })),
        ("config", json!({ "config": [1] })),
        ("config", json!({ "config": { "k".repeat(65): 1 } })),
    ] {
        world.patch(&path, body).await.field(field);
    }
    assert!(world.post(&scripts(), json!({})).await.field("runtime_name").contains("required"));
    let large = "x".repeat(3 * 1024 * 1024);
    assert_eq!(world.patch(&path, json!({ "source": large })).await.json["source"], large);
    // A list shows 64 KiB of it.
    let listed = world.get(&scripts()).await.json["objects"][0]["source"].as_str().unwrap().to_owned();
    assert_eq!(listed.len(), 64 * 1024);
    assert!(listed.ends_with("[cut: read the script itself]"));
}

#[tokio::test]
async fn a_list_can_be_narrowed_by_label() {
    let world = World::new().await;
    for label in ["a_1", "a_2", "A_1", "ax1"] {
        let body = json!({ "runtime_name": "python3", "label": label });
        assert_eq!(world.post(&scripts(), body).await.status, 201);
    }
    let list = world.get(&format!("{}?label__startswith=a_", scripts())).await.json;
    let labels: Vec<_> = list["objects"].as_array().unwrap().iter().map(|row| &row["label"]).collect();
    assert_eq!(labels, ["a_1", "a_2"]);
}

#[tokio::test]
async fn a_run_goes_on_after_its_answer() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let source =
        "import json\nprint(json.dumps([ARGS, CONFIG, {k: v for k, v in META.items() if k != 'api_host'}]))";
    let id = world.new_script(source).await;
    world.patch(&script(id), json!({ "config": { "timeout": 5, "greeting": "hi" } })).await;
    let started = world.post(&format!("{}run/", script(id)), json!({ "payload": "{\"a\": [1]}" })).await;
    let trace = started.json["links"]["self"].as_str().unwrap();
    assert_eq!(
        started.json,
        json!({ "id": 1, "status": "pending", "executed_at": null, "duration": null, "result": {},
            "links": { "self": trace } })
    );
    let finished = world.finished(trace).await;
    let printed: Value = serde_json::from_str(finished["result"]["stdout"].as_str().unwrap()).unwrap();
    let account = world.get("/v1.1/account/").await.json;
    assert_eq!(
        printed,
        json!([{ "a": [1] }, { "greeting": "hi" }, {
            "admin": { "id": account["id"], "email": account["email"] },
            "executed_by": "codebox", "executor": id, "instance": INSTANCE, "async": 0,
        }])
    );
    assert_eq!(finished["status"], "success");
    assert_eq!(finished["result"].as_object().unwrap().len(), 2);
    let list = world.get(&format!("{}traces/", script(id))).await.json;
    assert_eq!(list["objects"], json!([finished]));
    // A client of old sends no body at all, or a list.
    let started = world.post(&format!("{}run/", script(id)), json!({ "payload": [7] })).await;
    let finished = world.finished(started.json["links"]["self"].as_str().unwrap()).await;
    assert!(finished["result"]["stdout"].as_str().unwrap().starts_with("[[7], "), "{finished}");
    for payload in [json!(1), json!("{"), json!("\"text\"")] {
        world.post(&format!("{}run/", script(id)), json!({ "payload": payload })).await.field("payload");
    }
}

#[tokio::test]
async fn a_run_shows_in_the_list_while_it_runs() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id = world.new_script("import time\ntime.sleep(1)\nprint('done')").await;
    for _ in 0..3 {
        world.post(&format!("{}run/", script(id)), json!({})).await;
    }
    let list = world.get(&format!("{}traces/?page_size=2", script(id))).await.json;
    let ids: Vec<_> = list["objects"].as_array().unwrap().iter().map(|trace| &trace["id"]).collect();
    assert_eq!(ids, [3, 2]);
    assert!(list["next"].is_string());
    for number in 1..=3 {
        let trace = world.finished(&format!("{}traces/{number}/", script(id))).await;
        assert_eq!(trace["result"]["stdout"], "done");
    }
    let list = world.get(&format!("{}traces/", script(id))).await.json;
    assert_eq!(list["objects"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn runtimes_are_listed_without_aliases() {
    let world = World::new().await;
    let runtimes = world.get(&format!("{}runtimes/", scripts())).await.json;
    assert_eq!(runtimes["python_library_v5.0"]["name"], "python_library_v5.0");
    assert!(runtimes.get("python").is_none() && runtimes.get("golang").is_some());
}

#[tokio::test]
async fn a_script_of_a_socket_is_changed_through_the_socket_only() {
    let world = World::new().await;
    world.script("print(1)").await;
    let list = world.get(&scripts()).await.json;
    let id = list["objects"][0]["id"].as_i64().unwrap();
    assert_eq!(list["objects"][0]["label"], "script");
    let reply = world.patch(&script(id), json!({ "label": "x" })).await;
    assert!(reply.detail(403).contains("`scripts`"), "{reply:?}");
    if python() {
        let started = world.post(&format!("{}run/", script(id)), json!({})).await;
        let trace = world.finished(started.json["links"]["self"].as_str().unwrap()).await;
        assert_eq!(trace["result"]["stdout"], "1");
    }
}

#[tokio::test]
async fn what_a_person_changes_is_what_sockets_run() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id = world.new_script("print(1)").await;
    let mut body = super::socket("s", "e", "");
    body["dependencies"] =
        json!([{ "type": "script", "name": "script", "script": id, "config": { "x": 2 } }]);
    let socket = world.publish(body).await;
    assert_eq!(socket["dependencies"][0]["source"], "print(1)");
    assert_eq!(world.run(Method::GET, "e/", None).await.json["result"]["stdout"], "1");
    world.patch(&script(id), json!({ "source": "print(CONFIG)", "config": { "x": 1, "y": 3 } })).await;
    assert_eq!(world.run(Method::GET, "e/", None).await.json["result"]["stdout"], "{'x': 2, 'y': 3}");

    world.delete(&script(id)).await;
    let socket = world.get(&format!("{}s/", sockets())).await.json;
    assert_eq!(socket["status"], "error");
    assert!(socket["status_info"].as_str().unwrap().contains("\"script\" was deleted"), "{socket}");
    let reply = world.run(Method::GET, "e/", None).await;
    assert!(reply.detail(404) == socket["status_info"], "{reply:?}");
    // It can't be made again from its number.
    let socket = world.post(&format!("{}s/recheck/", sockets()), json!({})).await.json;
    assert_eq!(socket["status"], "error");
    let info = format!("there is no script {id}, which the dependency \"script\" names");
    assert_eq!(socket["status_info"], info);
    assert_eq!(world.get(&run("e/traces/")).await.json["objects"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn config_comes_from_instance_socket_and_script_and_the_later_wins() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let path = format!("/v1.1/instances/{INSTANCE}/snippets/config/");
    let config = json!({ "config": { "a": "instance", "b": "instance", "c": "instance" } });
    assert_eq!(world.send(Method::PUT, &path, Some(config)).await.status, 200);
    let mut body = super::socket("s", "e", "print(sorted(CONFIG.items()))");
    body["config"] = json!({ "b": "socket", "c": "socket" });
    body["dependencies"][0]["config"] = json!({ "c": "script", "timeout": 5 });
    world.publish(body).await;
    let printed = async || world.run(Method::GET, "e/", None).await.json["result"]["stdout"].clone();
    assert_eq!(printed().await, "[('a', 'instance'), ('b', 'socket'), ('c', 'script')]");
    world.send(Method::PUT, &path, Some(json!({ "config": { "a": 2 } }))).await;
    assert_eq!(printed().await, "[('a', 2), ('b', 'socket'), ('c', 'script')]");
    let id = world.new_script("print(CONFIG)").await;
    let started = world.post(&format!("{}run/", script(id)), json!({})).await;
    let trace = world.finished(started.json["links"]["self"].as_str().unwrap()).await;
    assert_eq!(trace["result"]["stdout"], "{'a': 2}");
}

#[tokio::test]
async fn a_script_with_full_access_gets_a_token_for_its_instance() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let mut body = super::socket("s", "e", "print(META.get('token'), CONFIG)");
    body["dependencies"][0]["config"] = json!({ "allow_full_access": true });
    world.publish(body.clone()).await;
    let reply = world.run(Method::GET, "e/", None).await;
    let (token, config) = reply.json["result"]["stdout"].as_str().unwrap().split_once(' ').unwrap();
    assert_eq!(config, "{}");
    let reply = world.request(Method::GET, &sockets()).header("X-API-KEY", token).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    body["dependencies"][0]["config"] = json!({});
    world.patch(&format!("{}s/", sockets()), body).await;
    assert_eq!(world.run(Method::GET, "e/", None).await.json["result"]["stdout"], "None {}");
}

#[tokio::test]
async fn a_fresh_script_gets_a_process_for_each_run() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id = world.new_script("n = 0\ndef main():\n    global n\n    n += 1\n    print(n, CONFIG)").await;
    let mut seen = Vec::new();
    for config in [json!({}), json!({}), json!({ "fresh": true, "a": 1 }), json!({ "fresh": true, "a": 1 })] {
        world.patch(&script(id), json!({ "config": config })).await;
        let run = world.post(&format!("{}run/", script(id)), json!({})).await.json;
        let trace = world.finished(run["links"]["self"].as_str().unwrap()).await;
        let printed = trace["result"]["stdout"].as_str().unwrap().to_owned();
        seen.push(printed.splitn(2, ' ').map(str::to_owned).collect::<Vec<_>>());
    }
    // A function's own variables are there for the next run, unless that has a process of its own.
    assert_eq!([&*seen[0][0], &*seen[1][0], &*seen[2][0], &*seen[3][0]], ["1", "2", "1", "1"]);
    assert_eq!((&*seen[1][1], &*seen[3][1]), ("{}", "{'a': 1}"));
}

#[tokio::test]
async fn a_script_redefined_while_runs_go_on_is_run_whole_old_or_new() {
    if !python() {
        return;
    }
    let world = World::new().await;
    // Two places of one source that a mixture would show.
    let source =
        |n: usize| format!("import time\na = {n}\ntime.sleep(0.002)\ndef main():\n    return [a, {n}]");
    world.publish(super::socket("s", "e", &source(0))).await;
    let changes = async {
        for n in 1..20 {
            let body = super::socket("s", "e", &source(n));
            let reply = world
                .patch(&format!("{}s/", sockets()), json!({ "dependencies": body["dependencies"] }))
                .await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    };
    let runs = async {
        let mut last = 0;
        for _ in 0..60 {
            let reply = world.run(Method::POST, "e/", Some(json!({}))).await;
            assert_eq!(reply.outcome(), (200, "success", "value"), "{reply:?}");
            let (a, b) = (reply.json[0].as_u64().unwrap(), reply.json[1].as_u64().unwrap());
            assert!(a == b && a >= last, "{a} {b} {last}");
            last = a;
        }
    };
    tokio::join!(changes, runs);
    let reply = world.run(Method::POST, "e/", Some(json!({}))).await;
    assert_eq!(reply.json, json!([19, 19]));
}
