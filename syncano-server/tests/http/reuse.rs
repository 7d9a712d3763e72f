//! Scripts that sockets share with people and with one another: the seed's three kinds of dependencies.

use reqwest::Method;
use serde_json::{Value, json};

use super::script_endpoints::{endpoint, endpoints};
use super::scripts::{script, scripts};
use super::{World, dependency, python, socket, sockets};

fn named(name: &str, script: &str, source: &str) -> Value {
    json!({
        "name": name,
        "endpoints": { format!("{name}-e"): { "calls": [
            { "type": "script", "name": script, "methods": ["GET"] },
        ] } },
        "dependencies": [dependency(script, source)],
    })
}

impl World {
    async fn names(&self) -> Vec<String> {
        let list = self.get(&endpoints()).await.json;
        let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
        list["objects"].as_array().unwrap().iter().map(name).collect()
    }

    async fn scripts(&self) -> usize {
        self.get(&scripts()).await.json["objects"].as_array().unwrap().len()
    }

    /// What the only endpoint of a socket prints.
    async fn printed(&self, socket: &str) -> String {
        let reply = self.run(Method::GET, &format!("{socket}-e/"), None).await;
        reply.json["result"]["stdout"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
    }
}

#[tokio::test]
async fn a_new_script_becomes_a_script_endpoint_that_goes_with_the_socket() {
    let world = World::new().await;
    world.publish(named("s", "custom", "print(1)")).await;
    assert_eq!(world.names().await, ["custom"]);
    for reply in [
        world.patch(&endpoint("custom"), json!({ "public": true })).await,
        world.post(&format!("{}reset_link/", endpoint("custom")), json!({})).await,
    ] {
        assert!(reply.detail(403).contains("`s`"), "{reply:?}");
    }
    world.delete(&format!("{}s/", sockets())).await;
    assert_eq!((world.names().await.len(), world.scripts().await), (0, 0));
}

#[tokio::test]
async fn an_equal_script_endpoint_is_used_and_another_is_left_alone() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let equal = world.new_script("print(1)").await;
    // Another name of the same runtime.
    world.patch(&script(equal), json!({ "runtime_name": "python" })).await;
    world.new_endpoint("equal", equal).await;
    let different = world.new_script("print('mine')").await;
    world.new_endpoint("different", different).await;

    let mut first = named("first", "equal", "print(1)");
    first["dependencies"][0]["runtime_name"] = json!("python_library_v4.2");
    world.publish(first).await;
    assert_eq!((world.names().await, world.scripts().await), (vec!["equal".into(), "different".into()], 2));
    let second = world.publish(named("second", "different", "print(2)")).await;
    assert_eq!(second["dependencies"][0]["name"], "different");
    assert_eq!(world.names().await, ["equal", "different", "different-2"]);
    assert_eq!((world.printed("first").await, world.printed("second").await), ("1".into(), "2".into()));
    assert_eq!(world.get(&script(different)).await.json["source"], "print('mine')");

    // What a person made stays.
    for name in ["first", "second"] {
        world.delete(&format!("{}{name}/", sockets())).await;
    }
    assert_eq!(world.names().await, ["equal", "different"]);
}

#[tokio::test]
async fn a_call_finds_a_script_endpoint_of_its_name() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id = world.new_script("print(1)").await;
    world.new_endpoint("hook", id).await;
    let mut body = named("s", "hook", "");
    body["dependencies"] = json!([]);
    world.publish(body).await;
    assert_eq!(world.printed("s").await, "1");
    // It means whatever has that name.
    let other = world.new_script("print(2)").await;
    world.patch(&endpoint("hook"), json!({ "script": other })).await;
    assert_eq!(world.printed("s").await, "2");
    world.delete(&endpoint("hook")).await;
    let path = format!("{}s/", sockets());
    assert_eq!(world.get(&path).await.json["status"], "error");
    let rechecked = world.post(&format!("{path}recheck/"), json!({})).await.json;
    assert_eq!(rechecked["status"], "error");
    let info = rechecked["status_info"].as_str().unwrap();
    assert!(info.contains("no script named `hook` for the endpoint `s-e`"), "{info}");
    world.new_endpoint("hook", id).await;
    assert_eq!(world.post(&format!("{path}recheck/"), json!({})).await.json["status"], "ok");
    assert_eq!(world.printed("s").await, "1");
}

#[tokio::test]
async fn a_recheck_makes_again_what_was_deleted() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let id = world.new_script("print(1)").await;
    world.patch(&script(id), json!({ "runtime_name": "python_library_v5.0" })).await;
    world.new_endpoint("shared", id).await;
    world.publish(named("s", "shared", "print(1)")).await;
    world.delete(&script(id)).await;
    let path = format!("{}s/", sockets());
    let broken = world.get(&path).await.json;
    assert_eq!(broken["status"], "error");
    assert!(broken["status_info"].as_str().unwrap().contains("makes the script again"));
    let rechecked = world.post(&format!("{path}recheck/"), json!({})).await;
    assert_eq!((rechecked.status.as_u16(), &rechecked.json["status"]), (200, &json!("ok")));
    assert_eq!(rechecked.json["status_info"], "");
    assert_eq!((world.printed("s").await, world.names().await), ("1".into(), vec!["shared".into()]));
}

#[tokio::test]
async fn a_recheck_says_all_that_it_can_not_make_again() {
    let world = World::new().await;
    world.publish(socket("first", "taken", "print(1)")).await;
    let mut body = socket("second", "taken", "print(2)");
    body["endpoints"]["other"] =
        json!({ "calls": [{ "type": "script", "name": "nowhere", "methods": ["*"] }] });
    body["dependencies"] = json!([{ "type": "script", "name": "script", "script": 99 }]);
    let reply = world.post(&sockets(), body).await;
    let info = reply.json["status_info"].as_str().unwrap();
    for part in ["`nowhere`", "there is no script 99", "\"taken\" already belongs to socket \"first\""] {
        assert!(info.contains(part), "{info}");
    }
}

#[tokio::test]
async fn a_socket_that_changes_its_script_leaves_others_theirs() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.publish(named("first", "shared", "print(1)")).await;
    world.publish(named("second", "shared", "print(1)")).await;
    let mut third = named("third", "shared", "");
    third["dependencies"] = json!([]);
    world.publish(third).await;
    assert_eq!(world.scripts().await, 1);

    let change = json!({ "dependencies": [dependency("shared", "print(2)")] });
    let changed = world.patch(&format!("{}first/", sockets()), change.clone()).await;
    assert_eq!(changed.json["status"], "ok");
    assert_eq!(
        [world.printed("first").await, world.printed("second").await, world.printed("third").await],
        ["2", "1", "1"]
    );
    assert_eq!(world.names().await, ["shared", "shared-2"]);
    // The second has it for itself now, and the one who only named it follows.
    let change = json!({ "dependencies": [dependency("shared", "print(3)")] });
    world.patch(&format!("{}second/", sockets()), change).await;
    assert_eq!(
        [world.printed("first").await, world.printed("second").await, world.printed("third").await],
        ["2", "3", "3"]
    );
    assert_eq!(world.scripts().await, 2);
    // Who is left gets it.
    world.delete(&format!("{}second/", sockets())).await;
    assert_eq!(world.printed("third").await, "3");
    world.delete(&format!("{}third/", sockets())).await;
    world.delete(&format!("{}first/", sockets())).await;
    assert_eq!((world.names().await.len(), world.scripts().await), (0, 0));
}

#[tokio::test]
async fn the_name_of_public_links_is_no_script_endpoints() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let made = world.publish(named("s", "p", "print(1)")).await;
    assert_eq!(made["dependencies"][0]["name"], "p");
    assert_eq!((world.printed("s").await, world.names().await), ("1".into(), vec!["p-2".into()]));
}

#[tokio::test]
async fn short_urls_can_be_first_come_first_served() {
    if !python() {
        return;
    }
    let world = World::with(|server| server.flat_names(syncano_server::FlatNames::Alias)).await;
    world.publish(socket("first", "hello", "print(1)")).await;
    world.publish(socket("second", "hello", "print(2)")).await;
    let printed =
        async |rest: &str| world.run(Method::GET, rest, None).await.json["result"]["stdout"].clone();
    assert_eq!([printed("hello/").await, printed("second/hello/").await], ["1", "2"]);
    assert_eq!(printed("first/hello/").await, "1");
    world.delete(&format!("{}first/", sockets())).await;
    world.run(Method::GET, "hello/", None).await.detail(404);
    world.post(&format!("{}second/recheck/", sockets()), json!({})).await;
    assert_eq!(printed("hello/").await, "2");
}

#[tokio::test]
async fn sockets_agree_on_the_fields_of_a_class() {
    let world = World::new().await;
    let with_class = |name: &str, schema: Value| {
        let mut body = socket(name, name, "print(1)");
        let class = json!({ "type": "class", "name": "Book", "schema": schema });
        body["dependencies"].as_array_mut().unwrap().push(class);
        body
    };
    let first = with_class("first", json!([{ "name": "title", "type": "string", "order_index": true }]));
    let made = world.publish(first.clone()).await;
    assert_eq!(made["dependencies"][1], first["dependencies"][1]);
    // Fields are added.
    world.publish(with_class("second", json!([{ "name": "pages", "type": "integer" }]))).await;
    let third = with_class("third", json!([{ "name": "title", "type": "text" }]));
    let reply = world.post(&sockets(), third).await;
    assert_eq!((reply.status.as_u16(), &reply.json["status"]), (201, &json!("error")));
    let info = "class \"book\" has field \"title\" of another type: string, not text";
    assert_eq!(reply.json["status_info"], info);
    // The class goes with the last socket that needs it.
    world.delete(&format!("{}first/", sockets())).await;
    let rechecked = world.post(&format!("{}third/recheck/", sockets()), json!({})).await.json;
    assert_eq!(rechecked["status"], "ok");
    let bad = with_class("bad", json!([{ "name": "title", "type": "strnig" }]));
    assert!(world.post(&sockets(), bad).await.field("dependencies").contains("strnig"));
}

#[tokio::test]
async fn a_script_used_by_its_number_stays_the_one_whatever_its_name_runs() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let (first, second) = (world.new_script("print(1)").await, world.new_script("print(2)").await);
    world.new_endpoint("hook", first).await;
    let mut body = named("s", "hook", "");
    body["dependencies"] = json!([{ "type": "script", "name": "hook", "script": first }]);
    world.publish(body).await;
    world.patch(&endpoint("hook"), json!({ "script": second })).await;
    assert_eq!(
        (world.printed("s").await, world.names().await),
        ("1".into(), vec!["hook".into(), "hook-2".into()])
    );
}
