//! Publishing: conflicts, dependencies, what is installed when.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, dependency, python, socket, sockets};

#[tokio::test]
async fn a_taken_flat_name_is_an_error_that_names_both() {
    let world = World::new().await;
    world.publish(socket("first", "hello", "print(1)")).await;
    let mut second = socket("second", "Hello", "print(2)");
    second["endpoints"]["free"] = second["endpoints"]["Hello"].clone();
    let reply = world.post(&sockets(), second).await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        (&reply.json["status"], &reply.json["status_info"]),
        (
            &json!("error"),
            &json!(
                "endpoint \"hello\" already belongs to socket \"first\": rename it, or start the server with `--flat-names alias`"
            )
        )
    );
    // None of its endpoints is installed, the first's still runs.
    for path in ["free/", "second/free/", "second/hello/"] {
        world.run(Method::GET, path, None).await.detail(404);
    }
    if python() {
        let reply = world.run(Method::GET, "hello/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "1");
    }
    // When the other one is gone, a recheck installs it.
    assert_eq!(world.delete(&format!("{}first/", sockets())).await.status, 204);
    let path = format!("{}second/recheck/", sockets());
    let request = world.request(Method::POST, &path).header("x-api-key", &world.key);
    // Old clients send a content type and no body.
    let reply = request.header("content-type", "application/json").body("").send().await.unwrap();
    let reply = super::Reply::of(reply).await;
    assert_eq!((reply.status.as_u16(), &reply.json["status"]), (200, &json!("ok")));
    assert_eq!((&reply.json["status_info"], &reply.json["revision"]), (&json!(""), &json!(1)));
    if python() {
        let reply = world.run(Method::GET, "free/", None).await;
        assert_eq!(reply.json["result"]["stdout"], "2");
    }
}

#[tokio::test]
async fn a_call_without_its_script_is_stored_with_status_error() {
    let world = World::new().await;
    let mut body = socket("s", "e", "print(1)");
    body["dependencies"] = json!([]);
    let reply = world.post(&sockets(), body).await;
    assert_eq!((reply.status.as_u16(), &reply.json["status"]), (201, &json!("error")));
    let info = reply.json["status_info"].as_str().unwrap();
    assert!(info.contains("no script named `script` for the endpoint `e`"), "{info}");
    assert!(!info.contains('\n'));
    world.run(Method::GET, "e/", None).await.detail(404);
    // An error is stored as well as anything else.
    assert_eq!(world.get(&format!("{}s/", sockets())).await.json, reply.json);
}

/// The numbers of the scripts of an instance are found by naming them.
async fn script_of(world: &World, name: &str) -> Option<i64> {
    for id in 1..10 {
        let body = json!({
            "name": "probe", "endpoints": {},
            "dependencies": [{ "type": "script", "name": "x", "script": id }],
        });
        let reply = world.post(&sockets(), body).await;
        world.delete(&format!("{}probe/", sockets())).await;
        if reply.json["dependencies"][0]["source"] == format!("print('{name}')") {
            return Some(id);
        }
    }
    None
}

#[tokio::test]
async fn a_dependency_may_name_a_script_by_its_number() {
    let world = World::new().await;
    world.publish(socket("owner", "own", "print('shared')")).await;
    let id = script_of(&world, "shared").await.expect("the script has a number");
    let user = json!({
        "name": "user",
        "endpoints": { "borrowed": { "calls": [{ "type": "script", "name": "x", "methods": ["GET"] }] } },
        "dependencies": [{ "type": "script", "name": "x", "script": id }],
    });
    let object = world.publish(user.clone()).await;
    // Old clients read source and runtime of each.
    assert_eq!(
        object["dependencies"][0],
        json!({
            "type": "script", "name": "x", "script": id, "runtime_name": "python_library_v5.0",
            "source": "print('shared')",
        })
    );
    let borrowed =
        || async { world.run(Method::GET, "borrowed/", None).await.json["result"]["stdout"].clone() };
    if python() {
        assert_eq!(borrowed().await, "shared");
    }
    // Whoever owns it changes it for both.
    let change = json!({ "dependencies": [dependency("script", "print('changed')")] });
    assert_eq!(world.patch(&format!("{}owner/", sockets()), change).await.json["status"], "ok");
    if python() {
        assert_eq!(borrowed().await, "changed");
    }
    let path = format!("{}user/", sockets());
    assert_eq!(world.get(&path).await.json["dependencies"][0]["source"], "print('changed')");
    // The owner goes, the script stays for who uses it.
    world.delete(&format!("{}owner/", sockets())).await;
    assert_eq!(world.post(&format!("{path}recheck/"), json!({})).await.json["status"], "ok");
    if python() {
        assert_eq!(borrowed().await, "changed");
    }
    // The last user goes, and the script with it.
    world.delete(&path).await;
    let reply = world.post(&sockets(), user).await;
    assert_eq!((reply.status.as_u16(), &reply.json["status"]), (201, &json!("error")));
    let info = reply.json["status_info"].as_str().unwrap();
    assert_eq!(info, format!("there is no script {id}, which the dependency \"x\" names"));
    assert_eq!(reply.json["dependencies"][0]["source"], "");
}

#[tokio::test]
async fn a_script_of_another_instance_is_none() {
    let world = World::new().await;
    world.publish(socket("owner", "own", "print('shared')")).await;
    let id = script_of(&world, "shared").await.expect("the script has a number");
    world.post("/v1.1/instances/", json!({ "name": "other-instance" })).await;
    let user = json!({
        "name": "user",
        "endpoints": { "borrowed": { "calls": [{ "type": "script", "name": "x", "methods": ["GET"] }] } },
        "dependencies": [{ "type": "script", "name": "x", "script": id }],
    });
    let reply = world.post("/v1.1/instances/other-instance/sockets/", user).await;
    assert_eq!(reply.json["status"], "error");
    assert!(!reply.text.contains("print"), "{reply:?}");
}

#[tokio::test]
async fn publishes_at_the_same_time_leave_one_winner() {
    let world = World::new().await;
    let all = sockets();
    let attempts = (0..8).map(|number| {
        let body = socket(&format!("socket-{number}"), "contested", "print(1)");
        world.post(&all, body)
    });
    let replies = join_all(attempts).await;
    assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
    let won = replies.iter().filter(|reply| reply.json["status"] == "ok").count();
    assert_eq!(won, 1, "{replies:?}");

    let attempts = (0..8).map(|_| world.post(&all, socket("same", "same", "print(1)")));
    let replies = join_all(attempts).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 400).count(), 7);

    let path = format!("{}same/", sockets());
    let changes = (0..8).map(|number| {
        let body = json!({ "description": number.to_string(), "expected_revision": 1 });
        world.patch(&path, body)
    });
    let replies = join_all(changes).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for refused in replies.iter().filter(|reply| reply.status != 200) {
        assert!(refused.field("expected_revision").contains("revision 2"));
    }
    assert_eq!(world.get(&path).await.json["revision"], json!(2));
}

pub(super) async fn join_all<F: Future<Output = super::Reply>>(
    futures: impl Iterator<Item = F>,
) -> Vec<super::Reply> {
    let mut pinned: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<super::Reply>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(reply) = future.as_mut().poll(context)
            {
                *done = Some(reply);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn an_empty_socket_is_fine() {
    let world = World::new().await;
    let object = world.publish(json!({ "name": "empty" })).await;
    assert_eq!((&object["endpoints"], &object["dependencies"]), (&json!({}), &json!([])));
    assert_eq!(object["links"].as_object().map(|links| links.len()), Some(3));
    assert_ne!(object["created_at"], Value::Null);
}
