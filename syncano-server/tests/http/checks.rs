//! Scripts that can't be compiled: the socket says so when it is published, and what ran before goes on.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use super::{INSTANCE, World, dependency, node, python, socket, sockets};

const BROKEN: &str = "import re\n\ndef main(x)\n    return x\n";
const STATUS_INFO: &str = "the script \"script\" of endpoint \"e\" can't be compiled: expected ':' (line 3, column 12)\n  \
                           |\n3 | def main(x)\n  |            ^";

/// The fields that say how a socket is.
fn state(socket: &Value) -> (&str, &str) {
    (socket["status"].as_str().unwrap(), socket["status_info"].as_str().unwrap())
}

#[tokio::test]
async fn a_broken_script_is_told_with_its_place_and_what_ran_before_goes_on() {
    if !python() {
        return;
    }
    let world = World::new().await;
    world.publish(socket("s", "e", "print('first')")).await;
    let path = format!("{}s/", sockets());
    // Whatever a client sends: the whole, a part, a file.
    let reply = world.patch(&path, json!({ "dependencies": [dependency("script", BROKEN)] })).await;
    assert_eq!((reply.status.as_u16(), state(&reply.json)), (200, ("error", STATUS_INFO)));
    let reply = world.send(Method::PUT, &path, Some(socket("s", "e", BROKEN))).await;
    assert_eq!((reply.status.as_u16(), state(&reply.json)), (200, ("error", STATUS_INFO)));
    assert_eq!(world.run(Method::GET, "e/", None).await.json["result"]["stdout"], "first");
    // It is stored as it was sent, and a recheck checks it again.
    assert_eq!(reply.json["dependencies"][0]["source"], BROKEN);
    let reply = world.post(&format!("{path}recheck/"), json!({})).await;
    assert_eq!((reply.status.as_u16(), state(&reply.json)), (200, ("error", STATUS_INFO)));
    // A stale change is refused as ever; the revision is the one that the broken definition got.
    let mut stale = socket("s", "e", "print(");
    stale["expected_revision"] = json!(1);
    world.send(Method::PUT, &path, Some(stale)).await.field("expected_revision");
    let reply =
        world.patch(&path, json!({ "dependencies": [dependency("script", "print('second')")] })).await;
    assert_eq!(state(&reply.json), ("ok", ""));
    assert_eq!(world.run(Method::GET, "e/", None).await.json["result"]["stdout"], "second");
}

#[tokio::test]
async fn a_new_socket_with_broken_scripts_is_stored_and_names_each() {
    if !(python() && node()) {
        return;
    }
    let world = World::new().await;
    let call = |name: &str| json!({ "calls": [{ "type": "script", "name": name, "methods": ["*"] }] });
    let body = json!({
        "name": "s",
        "endpoints": { "a": call("one"), "b": call("one"), "c": call("two"), "d": call("fine"), "e": call("nobody") },
        "dependencies": [
            dependency("one", "x = = 1"),
            { "type": "script", "name": "two", "runtime_name": "nodejs_v8", "source": "\nconst x = ;" },
            dependency("fine", "print(1)"),
            dependency("unused", "return 1"),
        ],
    });
    let reply = world.post(&sockets(), body).await;
    assert_eq!(reply.status, 201);
    let (status, info) = state(&reply.json);
    let sentences: Vec<&str> =
        info.lines().filter(|line| !line.starts_with(' ') && !line.contains(" | ")).collect();
    assert_eq!(status, "error");
    assert!(sentences[0].contains("no script named `nobody`"), "{info}");
    let [one, two, unused] = sentences[1..] else { panic!("{info}") };
    assert_eq!(
        one,
        "the script \"one\" of endpoint \"a\" and \"b\" can't be compiled: invalid syntax (line 1, column 5)"
    );
    assert_eq!(
        two,
        "the script \"two\" of endpoint \"c\" can't be compiled: Unexpected token ';' (line 2, column 11)"
    );
    assert!(
        unused.starts_with("the script \"unused\" can't be compiled: 'return' outside function"),
        "{unused}"
    );
    for path in ["a/", "d/"] {
        world.run(Method::GET, path, None).await.detail(404);
    }
}

/// Clients of 2016 store scripts as they are and see in their traces what is wrong with them.
#[tokio::test]
async fn scripts_of_their_own_are_stored_whatever_they_are() {
    let world = World::new().await;
    let path = format!("/v1.1/instances/{INSTANCE}/snippets/scripts/");
    let reply = world.post(&path, json!({ "runtime_name": "python", "source": BROKEN })).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    // So does a socket that names one: its owner may mend it at any time.
    let mut body = socket("s", "e", "");
    body["dependencies"] = json!([{ "type": "script", "name": "script", "script": reply.json["id"] }]);
    world.publish(body).await;
}

#[tokio::test]
async fn without_their_interpreter_scripts_are_published_unchecked() {
    let world = World::with(|server| server.python("/nonexistent/python3")).await;
    world.publish(socket("s", "e", BROKEN)).await;
}

#[tokio::test]
async fn what_breaks_a_compiler_is_an_error_and_holds_up_nobody() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let deep = format!("x = {}1", "-".repeat(200_000));
    let long = "x=".repeat(1 << 20) + "1";
    let hostile = async { world.post(&sockets(), socket("hostile", "h", &long)).await };
    let others = async {
        for number in 0..5 {
            world.publish(socket(&format!("s{number}"), &format!("e{number}"), "print(1)")).await;
        }
    };
    let (reply, ()) = tokio::join!(hostile, others);
    assert_eq!((reply.status.as_u16(), state(&reply.json).0), (201, "error"));
    let reply = world.post(&sockets(), socket("deep", "d", &deep)).await;
    let (status, info) = state(&reply.json);
    assert_eq!((reply.status.as_u16(), status), (201, "error"));
    assert!(info.contains("too deeply nested") && info.len() < 500, "{info}");
}

/// Not timed, which would need luck; `--nocapture` shows what it takes.
#[tokio::test]
async fn a_hundred_scripts_are_published_at_once() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let mut body = socket("s", "e", "print(1)");
    body["dependencies"] = (0..100)
        .map(|number| {
            dependency(
                if number == 0 { "script".to_owned() } else { format!("s{number}") }.as_str(),
                &format!("print({number})\n").repeat(30),
            )
        })
        .collect();
    let start = Instant::now();
    world.publish(body.clone()).await;
    let first = start.elapsed();
    let reply = world.send(Method::PUT, &format!("{}s/", sockets()), Some(body)).await;
    assert_eq!(state(&reply.json), ("ok", ""));
    println!("100 scripts of 30 lines: {first:?}, and {:?} when they are known", start.elapsed() - first);
}
