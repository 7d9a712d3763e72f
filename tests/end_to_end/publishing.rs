//! Publishing: create, update or nothing, and never over somebody else's change.

use serde_json::Value;
use syncano_client::{Change, Error, Method, Methods, Runtime, Socket, SocketStatus, Violations, socket};

use crate::{World, python};

fn socket(name: &str, endpoint: &str, source: &str) -> Socket {
    Socket::builder(name)
        .script("script", Runtime::Python3, source)
        .call(endpoint, "script", [Method::Get])
        .build()
        .unwrap()
}

#[tokio::test]
async fn publishing_creates_updates_or_does_nothing() {
    let world = World::new().await;
    let published = world.instance.publish(&socket("One", "e", "print(1)")).await.unwrap();
    assert_eq!(
        (published.change(), published.status(), published.status_info()),
        (Change::Created, SocketStatus::Ok, "")
    );
    let again = world.instance.publish(&socket("One", "e", "print(1)")).await.unwrap();
    assert_eq!((again.change(), again.revision()), (Change::Unchanged, published.revision()));
    let other = world.instance.publish(&socket("one", "e", "print(2)")).await.unwrap();
    assert_eq!(other.change(), Change::Updated);
    assert!(other.revision() > published.revision());
}

#[socket(name = "shrinking", runtime = "python3", network = "none", results = "warn", config = {"a": 1})]
mod before {
    #[endpoint(
        "e", GET, source = "def main(): return 1",
        private, cache = 60, timeout = 2.5, fresh, config = {"b": 2}, error = String, acl = {"*": []},
        description = "All of it.",
    )]
    pub async fn e() -> u8;
}

#[socket(name = "shrinking", runtime = "python3")]
mod after {
    #[endpoint("e", GET, source = "def main(): return 1")]
    pub async fn e() -> syncano_client::Trace;
}

#[tokio::test]
async fn what_is_removed_from_the_source_is_removed_from_the_server() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let published = before::publish(&world.instance).await.unwrap();
    let first = &published.definition().endpoints["e"];
    assert_eq!(first.calls[0].private, Some(true));
    assert!(first.metadata["GET"]["errors"].is_object() && first.metadata["GET"]["outputs"].is_object());

    // Without its schema nobody knows what comes.
    let published = after::publish(&world.instance).allow_breaking(true).await.unwrap();
    assert_eq!(published.change(), Change::Updated);
    let definition = serde_json::to_value(published.definition()).unwrap();
    let (endpoint, script) = (&definition["endpoints"]["e"], &definition["dependencies"][0]);
    let call = &endpoint["calls"][0];
    assert_eq!((&call["private"], &call["cache"]), (&false.into(), &0.into()));
    assert_eq!(call.get("timeout"), None);
    let metadata: Vec<&String> = endpoint["metadata"]["GET"].as_object().unwrap().keys().collect();
    assert_eq!(metadata, ["inputs"]);
    assert_eq!(endpoint.get("acl").or(endpoint["metadata"].get("description")), None);
    assert_eq!(script["config"], Value::Object(Default::default()));
    assert_eq!((&definition["config"], &definition["metadata"]), (&script["config"], &script["config"]));
    assert_eq!(after::publish(&world.instance).await.unwrap().change(), Change::Unchanged);
    // Who has no key may call it now.
    assert_eq!(
        after::Client::new(&world.stranger()).e().await.unwrap().status,
        syncano_client::RunStatus::Success
    );
}

#[tokio::test]
async fn a_published_socket_reloads_and_goes() {
    let world = World::new().await;
    let mut published = world.instance.publish(&socket("one", "e", "print(1)")).await.unwrap();
    world.instance.publish(&socket("one", "other", "print(1)")).allow_breaking(true).await.unwrap();
    published.reload().await.unwrap();
    assert!(published.definition().endpoints.contains_key("other"));
    published.clone().delete().await.unwrap();
    assert!(world.instance.socket("one").await.unwrap().is_none());
    assert!(matches!(published.reload().await, Err(Error::Api(error)) if error.status == 404));
}

#[tokio::test]
async fn a_definition_that_breaks_rules_is_not_sent() {
    let world = World::new().await;
    let mut broken = socket("one", "e", "print(1)");
    broken.name = "9".to_owned();
    let error = world.instance.publish(&broken).await.unwrap_err();
    let Error::Definition { violations: Violations(violations), .. } = &error else { panic!("{error}") };
    assert_eq!(violations.len(), 1);
    assert!(error.to_string().contains("start with a letter"), "{error}");
}

#[tokio::test]
async fn an_endpoint_s_name_that_is_taken_is_an_error_that_names_both() {
    let world = World::new().await;
    world.instance.publish(&socket("first", "hello", "print(1)")).await.unwrap();
    let error = world.instance.publish(&socket("second", "hello", "print(2)")).await.unwrap_err();
    let Error::NotInstalled { socket: name, status_info } = &error else { panic!("{error}") };
    assert_eq!(name, "second");
    assert!(status_info.contains("hello") && status_info.contains("first"), "{status_info}");
    // When the name is free again, publishing the same definition succeeds.
    world.instance.socket("first").await.unwrap().unwrap().delete().await.unwrap();
    let published = world.instance.publish(&socket("second", "hello", "print(2)")).await.unwrap();
    assert_eq!((published.status(), published.change()), (SocketStatus::Ok, Change::Updated));
}

#[tokio::test]
async fn a_call_without_a_script_is_an_error_that_names_it() {
    let world = World::new().await;
    let socket = Socket::builder("one").call("e", "monthly", Methods::Any).build().unwrap();
    let error = world.instance.publish(&socket).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotInstalled { status_info, .. } if status_info.contains("monthly")),
        "{error}"
    );
}

#[tokio::test]
async fn publishers_at_the_same_time_agree_or_learn_of_the_conflict() {
    let world = World::new().await;
    let publish = |source: String| {
        let instance = world.instance.clone();
        tokio::spawn(async move { instance.publish(&socket("one", "e", &source)).await })
    };
    // The same definition from many: all succeed.
    let same: Vec<_> = (0..8).map(|_| publish("print(0)".to_owned())).collect();
    for task in same {
        task.await.unwrap().unwrap();
    }
    // Different ones: each wins or is told; what is there was published by one of those that won.
    let different: Vec<_> = (1..9).map(|number| publish(format!("print({number})"))).collect();
    let mut winners = Vec::new();
    for (index, task) in different.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(_) => winners.push(format!("print({})", index + 1)),
            Err(Error::Conflict { socket }) => assert_eq!(socket, "one"),
            Err(other) => panic!("{other}"),
        }
    }
    let found = world.instance.socket("one").await.unwrap().unwrap();
    let source = serde_json::to_value(found.definition()).unwrap()["dependencies"][0]["source"].clone();
    assert!(winners.iter().any(|winner| source == winner.as_str()), "{source} is none of {winners:?}");
}

#[tokio::test]
async fn a_script_that_can_not_be_compiled_is_told_with_its_place() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let fine = socket("broken", "hello", "def main():\n    return 'fine'\n");
    let published = world.instance.publish(&fine).await.unwrap();
    let broken = socket("broken", "hello", "def main():\n    return 'fine\n");
    // Known or new, changed or not: it is told every time.
    for _ in 0..2 {
        let error = world.instance.publish(&broken).await.unwrap_err();
        let Error::NotInstalled { socket, .. } = &error else { panic!("{error:?}") };
        assert_eq!(socket, "broken");
        let text = error.to_string();
        let start = "the socket `broken` could not be installed: the script \"script\" of endpoint \"hello\" can't be \
                     compiled: unterminated string literal";
        assert!(text.starts_with(start) && text.contains("\n2 |     return 'fine\n"), "{text}");
    }
    let answer: String = published.run_as(Method::Get, "hello", ()).await.unwrap();
    assert_eq!(answer, "fine");
    assert_eq!(world.instance.publish(&fine).await.unwrap().change(), Change::Updated);
}
