//! `/v1.1/instances/`.

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, Reply, World};

const ALL: &str = "/v1.1/instances/";

fn one() -> String {
    format!("{ALL}{INSTANCE}/")
}

fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    // YYYY-MM-DDTHH:MM:SS.ffffffZ
    text.len() == 27 && text.as_bytes()[19] == b'.' && text.ends_with('Z')
}

#[tokio::test]
async fn an_instance_is_made_read_changed_and_deleted() {
    let world = World::new().await;
    let made = world.post(ALL, json!({ "name": " Second-One ", "metadata": "{\"a\":1}" })).await;
    assert_eq!(made.status, 201);
    let object = &made.json;
    assert!(is_time(&object["created_at"]) && is_time(&object["updated_at"]), "{object}");
    assert_eq!(
        *object,
        json!({
            "name": "second-one", "description": "", "role": "full", "location": "local",
            "metadata": { "a": 1 },
            "owner": {
                "id": 1, "email": "admin@localhost", "first_name": "", "last_name": "", "is_active": true,
                "has_password": false, "metadata": {},
            },
            "created_at": object["created_at"], "updated_at": object["updated_at"],
            "links": {
                "self": "/v1.1/instances/second-one/",
                "rename": "/v1.1/instances/second-one/rename/",
                "sockets": "/v1.1/instances/second-one/sockets/",
                "sockets-install": "/v1.1/instances/second-one/sockets/install/",
                "sockets_install": "/v1.1/instances/second-one/sockets/install/",
                "snippets": "/v1.1/instances/second-one/snippets/",
                "endpoints": "/v1.1/instances/second-one/endpoints/",
                "api_keys": "/v1.1/instances/second-one/api_keys/",
            },
        })
    );
    let path = object["links"]["self"].as_str().unwrap();
    assert_eq!(world.get(path).await.json, *object);
    assert_eq!(world.get("/v1.1/instances/SECOND-one/").await.json, *object);

    for method in [Method::PUT, Method::PATCH] {
        let change = json!({ "name": "ignored", "description": method.as_str() });
        let changed = world.send(method.clone(), path, Some(change)).await;
        assert_eq!(changed.status, 200);
        assert_eq!(changed.json["name"], "second-one");
        assert_eq!(changed.json["description"], method.as_str());
        assert_eq!(changed.json["metadata"], json!({ "a": 1 }));
    }
    let gone = world.delete(path).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    world.get(path).await.detail(404);
    world.delete(path).await.detail(404);
    assert_eq!(world.get(ALL).await.json["objects"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn deleting_an_instance_takes_everything_in_it_along() {
    let world = World::new().await;
    world.script("print(1)").await;
    assert_eq!(world.delete(&one()).await.status, 204);
    world.run(Method::GET, "run/", None).await.detail(404);
    assert_eq!(world.post(ALL, json!({ "name": INSTANCE })).await.status, 201);
    assert_eq!(world.get(&super::sockets()).await.json["objects"], json!([]));
    world.run(Method::GET, "run/", None).await.detail(404);
    world.script("print(1)").await;
}

#[tokio::test]
async fn bad_input_is_refused_and_nothing_is_made() {
    let world = World::new().await;
    assert_eq!(world.post(ALL, json!({})).await.field("name"), "this field is required");
    assert_eq!(world.post(ALL, json!({ "name": 5 })).await.field("name"), "expected a string");
    for bad in ["four", "a--b-c", "1nstance", "under_score", "status", "ends-", "slash/name"] {
        assert!(
            world.post(ALL, json!({ "name": bad })).await.field("name").contains("can't be used"),
            "{bad}"
        );
    }
    assert!(world.post(ALL, json!({ "name": "TEST-instance" })).await.field("name").contains("already"));
    let long = json!({ "name": "second-one", "description": "x".repeat(257) });
    assert!(world.post(ALL, long).await.field("description").contains("256"));
    world.post(ALL, json!({ "name": "second-one", "metadata": "{" })).await.field("metadata");
    world.post(ALL, json!([])).await.field("non_field_errors");
    assert_eq!(world.get(ALL).await.json["objects"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let world = World::new().await;
    let send = |body: Vec<u8>, kind: Option<&'static str>| {
        let mut request = world.request(Method::POST, ALL).header("x-api-key", &world.key).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        async move { Reply::of(request.send().await.unwrap()).await }
    };
    let json = Some("application/json");
    assert!(send(b"{\"name\":".to_vec(), json).await.detail(400).contains("not JSON"));
    assert!(send(b"{\"name\": \"\xff\"}".to_vec(), json).await.detail(400).contains("not JSON"));
    assert!(send("[".repeat(100_000).into(), json).await.detail(400).contains("not JSON"));
    for kind in ["application/xml", "application/json-seq; x=y", "nonsense", ""] {
        let kind_shown = format!("`{}`", kind.split(';').next().unwrap());
        assert!(send(b"name=second-one".to_vec(), Some(kind)).await.detail(415).contains(&kind_shown));
    }
    // Empty is `{}` whatever it is called.
    assert_eq!(send(Vec::new(), Some("text/plain")).await.field("name"), "this field is required");
    let large = send(vec![b' '; 16 * 1024 * 1024 + 1], json).await;
    assert!(large.detail(413).contains("16777216"));
    assert_eq!(
        send(b"{\"name\":\"second-one\"}".to_vec(), Some("Application/JSON; charset=utf-8")).await.status,
        201
    );
    assert_eq!(send(b"{\"name\":\"third-one\"}".to_vec(), None).await.status, 201);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new().await;
    for number in 1..=4 {
        world.post(ALL, json!({ "name": format!("instance-{number}") })).await;
    }
    let names = |list: &Value| -> Vec<String> {
        let objects = list["objects"].as_array().unwrap();
        objects.iter().map(|object| object["name"].as_str().unwrap().to_owned()).collect()
    };
    let whole = world.get(ALL).await.json;
    assert_eq!(names(&whole), ["test-instance", "instance-1", "instance-2", "instance-3", "instance-4"]);
    assert_eq!((&whole["next"], &whole["prev"]), (&Value::Null, &Value::Null));

    let first = world.get(&format!("{ALL}?page_size=2")).await.json;
    assert_eq!(
        (names(&first), &first["prev"]),
        (vec!["test-instance".into(), "instance-1".into()], &Value::Null)
    );
    let second = world.get(first["next"].as_str().unwrap()).await.json;
    assert_eq!(names(&second), ["instance-2", "instance-3"]);
    let third = world.get(second["next"].as_str().unwrap()).await.json;
    assert_eq!((names(&third), &third["next"]), (vec!["instance-4".to_owned()], &Value::Null));
    let back = world.get(third["prev"].as_str().unwrap()).await.json;
    assert_eq!(names(&back), names(&second));
    let back = world.get(back["prev"].as_str().unwrap()).await.json;
    assert_eq!(names(&back), names(&first));
    assert!(world.get(back["next"].as_str().unwrap()).await.json["objects"] == second["objects"]);

    let descending = world.get(&format!("{ALL}?page_size=2&ordering=desc")).await.json;
    assert_eq!(names(&descending), ["instance-4", "instance-3"]);
    assert!(descending["next"].as_str().unwrap().starts_with(&format!("{ALL}?page_size=2&ordering=desc&")));

    for bad in ["page_size=0", "page_size=x", "direction=2", "last_pk=x", "ordering=up"] {
        let reply = world.get(&format!("{ALL}?{bad}")).await;
        assert!(reply.detail(400).starts_with(bad.split('=').next().unwrap()), "{bad}");
    }
    assert_eq!(world.get(&format!("{ALL}?page_size=500")).await.status, 200);
}

#[tokio::test]
async fn a_renamed_instance_goes_on_under_its_new_name() {
    let world = World::new().await;
    world.script("print(META['instance'])").await;
    world.publish(super::socket("slow", "slow", "import time\ntime.sleep(1)\nprint('done')")).await;
    let api_key = world.post(&format!("{}api_keys/", one()), json!({})).await.json;
    let new = "/v1.1/instances/renamed-one/";
    let run = |rest: &str| format!("{new}endpoints/sockets/{rest}");
    let body = json!({ "new_name": " Renamed-ONE " });
    let reply = match super::python() {
        true => {
            world.run(Method::GET, "run/", None).await;
            // A call that runs meanwhile doesn't notice.
            let slow = world.run(Method::GET, "slow/", None);
            let rename = async {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                world.post(&format!("{}rename/", one()), body).await
            };
            let (slow, reply) = tokio::join!(slow, rename);
            assert_eq!(slow.json["result"]["stdout"], "done", "{slow:?}");
            reply
        }
        false => world.post(&format!("{}rename/", one()), body).await,
    };
    assert_eq!((reply.status.as_u16(), &reply.json["name"]), (200, &json!("renamed-one")));
    assert_eq!(reply.json["links"]["rename"], format!("{new}rename/"));
    assert_eq!(world.get(new).await.json, reply.json);

    world.get(&one()).await.detail(404);
    world.get(&super::sockets()).await.detail(404);
    world.run(Method::GET, "run/", None).await.detail(404);
    let list = world.get(&format!("{new}sockets/")).await.json;
    assert_eq!(list["objects"][0]["links"]["self"], format!("{new}sockets/scripts/"));
    let key = world.get(&format!("{new}api_keys/1/")).await.json;
    assert_eq!(key["api_key"], api_key["api_key"]);
    if super::python() {
        let reply = world.anonymous(Method::GET, &run("run/"), None).await;
        assert_eq!(reply.json["result"]["stdout"], "renamed-one");
        // Traces stay, and numbers go on.
        let traces = world.get(&run("run/traces/")).await.json;
        let stdout = |index: usize| &traces["objects"][index]["result"]["stdout"];
        assert_eq!((stdout(0), stdout(1)), (&json!("renamed-one"), &json!(INSTANCE)));
        assert_ne!(traces["objects"][0]["id"], traces["objects"][1]["id"]);
    }
    // The old name is free again, and leads to another instance.
    assert_eq!(world.post(ALL, json!({ "name": INSTANCE })).await.status, 201);
    assert_eq!(world.get(&super::sockets()).await.json["objects"], json!([]));
    assert_eq!(world.get(ALL).await.json["objects"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bad_new_name_changes_nothing() {
    let world = World::new().await;
    world.post(ALL, json!({ "name": "second-one" })).await;
    let rename = |body: Value| {
        let world = &world;
        async move { world.post(&format!("{}rename/", one()), body).await }
    };
    assert_eq!(rename(json!({})).await.field("new_name"), "this field is required");
    for bad in ["four", "a--b-c", "under_score", "status", "it's", "say \"hi\""] {
        let reply = rename(json!({ "new_name": bad })).await;
        let text = reply.field("new_name");
        assert!(text.contains("can't be used") && text.contains(&format!("`{bad}`")), "{text}");
    }
    assert!(rename(json!({ "new_name": "SECOND-one" })).await.field("new_name").contains("already"));
    assert_eq!(rename(json!({ "new_name": INSTANCE })).await.json["name"], INSTANCE);
    assert_eq!(world.get(&one()).await.status, 200);
}

#[tokio::test]
async fn what_was_begun_under_the_old_name_ends_under_the_new_one() {
    let world = World::new().await;
    let publish = async {
        for number in 0..20 {
            let name = format!("s{number}");
            world.post(&super::sockets(), super::socket(&name, &name, "print(1)")).await;
        }
    };
    let rename = async {
        for (from, to) in [(INSTANCE, "other-name"), ("other-name", INSTANCE)].into_iter().cycle().take(20) {
            let reply = world.post(&format!("{ALL}{from}/rename/"), json!({ "new_name": to })).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    };
    tokio::join!(publish, rename);
    let list = world.get(&super::sockets()).await.json;
    for socket in list["objects"].as_array().unwrap() {
        let name = socket["name"].as_str().unwrap();
        // What is stored can be called.
        let endpoints = world.get(socket["links"]["endpoints"].as_str().unwrap()).await.json;
        assert_eq!(endpoints["objects"][0]["name"], name);
    }
}

#[tokio::test]
async fn an_instance_has_a_configuration() {
    let world = World::new().await;
    let path = format!("{}snippets/config/", one());
    assert_eq!(world.get(&path).await.json, json!({ "config": {} }));
    let config = json!({ "a": 1, "b": { "ä": [null] } });
    let reply = world.send(Method::PUT, &path, Some(json!({ "config": config, "x": 1 }))).await;
    assert_eq!((reply.status.as_u16(), &reply.json), (200, &json!({ "config": config })));
    assert_eq!(world.get(&path).await.json, json!({ "config": config }));
    // As one client of old sends it.
    let text = json!({ "config": "{\"c\": 2}" });
    assert_eq!(world.patch(&path, text).await.json, json!({ "config": { "c": 2 } }));
    assert_eq!(world.patch(&path, json!({})).await.json, json!({ "config": { "c": 2 } }));
    let reply = world.send(Method::PUT, &path, Some(json!({}))).await;
    assert_eq!(reply.field("config"), "this field is required");
    let many: serde_json::Map<_, _> = (0..1025).map(|n| (n.to_string(), json!(n))).collect();
    for (bad, why) in [
        (json!([1]), "expected an object"),
        (json!("{"), "not JSON"),
        (json!(many), "1024"),
        (json!({ "k".repeat(65): 1 }), "64"),
        (json!({ "a": "x".repeat(256 * 1024) }), "262144"),
    ] {
        let reply = world.send(Method::PUT, &path, Some(json!({ "config": bad }))).await;
        assert!(reply.field("config").contains(why), "{reply:?}");
    }
    assert_eq!(world.get(&path).await.json, json!({ "config": { "c": 2 } }));
    assert_eq!(world.send(Method::PUT, &path, Some(json!({ "config": null }))).await.status, 200);
    assert_eq!(world.get(&path).await.json, json!({ "config": {} }));
}

#[tokio::test]
async fn folders_say_what_is_in_them() {
    let world = World::new().await;
    let snippets = world.get(&format!("{}snippets/", one())).await.json;
    assert_eq!(snippets["links"]["config"], format!("{}snippets/config/", one()));
    assert_eq!(snippets["links"]["scripts"], format!("{}snippets/scripts/", one()));
    let endpoints = world.get(&format!("{}endpoints/", one())).await.json;
    assert_eq!(endpoints["links"]["sockets"], format!("{}endpoints/sockets/", one()));
    assert_eq!(endpoints["links"]["scripts"], format!("{}endpoints/scripts/", one()));
}

#[tokio::test]
async fn version_2_has_the_same_routes_and_links_of_version_1() {
    let world = World::new().await;
    let made = world.post("/v2/instances/", json!({ "name": "second-one" })).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json["links"]["self"], "/v1.1/instances/second-one/");
    assert_eq!(world.get("/v2/instances/second-one/").await.json, made.json);
    let v2 = |rest: &str| format!("/v2/instances/{INSTANCE}/{rest}");
    let socket = world.post(&v2("sockets/"), super::socket("s", "e", "print(1)")).await;
    assert_eq!((socket.status.as_u16(), &socket.json["status"]), (201, &json!("ok")));
    for path in
        ["sockets/", "sockets/s/", "sockets/s/endpoints/", "sockets/s/endpoints/e/", "endpoints/sockets/"]
    {
        let reply = world.get(&v2(path)).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json),
            (200, &world.get(&format!("{}{path}", one())).await.json)
        );
    }
    assert_eq!(world.post(&v2("sockets/s/recheck/"), json!({})).await.status, 200);
    assert_eq!(world.get("/v2/account/").await.json, world.get("/v1.1/account/").await.json);
    if super::python() {
        let reply = world.anonymous(Method::GET, &v2("endpoints/sockets/s/e/"), None).await;
        assert_eq!(reply.json["result"]["stdout"], "1");
        assert_eq!(world.get(&v2("endpoints/sockets/s/e/traces/1/")).await.status, 200);
    }
    assert_eq!(world.delete(&v2("sockets/s/")).await.status, 204);
}

#[tokio::test]
async fn metadata_has_limits() {
    let world = World::new().await;
    let metadata = json!({ "metadata": { "a": "x".repeat(5000) } });
    assert!(world.patch(&one(), metadata.clone()).await.field("metadata").contains("4096"));
    assert!(world.patch("/v1.1/account/", metadata).await.field("metadata").contains("4096"));
    let name = json!({ "first_name": "x".repeat(257) });
    assert!(world.patch("/v1.1/account/", name).await.field("first_name").contains("256"));
}

#[tokio::test]
async fn what_a_process_remembers_stays_with_its_instance() {
    if !super::python() {
        return;
    }
    let world = World::new().await;
    let counter = "calls = 0\ndef main():\n    global calls\n    calls += 1\n    return calls";
    let run = async || world.run(Method::GET, "run/", None).await.json;
    world.script(counter).await;
    assert_eq!((run().await, run().await), (json!(1), json!(2)));
    // The same script in another instance that now has this name.
    world.post(&format!("{}rename/", one()), json!({ "new_name": "first-one" })).await;
    world.post(ALL, json!({ "name": INSTANCE })).await;
    world.script(counter).await;
    assert_eq!(run().await, json!(1));
    world.delete(&one()).await;
    world.post(ALL, json!({ "name": INSTANCE })).await;
    world.script(counter).await;
    assert_eq!(run().await, json!(1));
    let first = world.anonymous(Method::GET, "/v1.1/instances/first-one/endpoints/sockets/run/", None).await;
    assert_eq!(first.json, json!(3));
}
