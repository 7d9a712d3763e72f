//! Answers that are kept to be repeated.

use syncano_client::{Method, Runtime, ScriptCall, Socket};

use crate::{World, python};

#[tokio::test]
async fn a_kept_answer_is_repeated_until_it_is_dropped() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = Socket::builder("one")
        .script("a", Runtime::Python3, "import uuid\ndef main(): return str(uuid.uuid4())")
        .endpoint("kept", [ScriptCall::new("a", [Method::Get]).cache(600)])
        .endpoint("fresh", [ScriptCall::new("a", [Method::Get])])
        .build()
        .unwrap();
    let published = world.instance.publish(&socket).await.unwrap();
    let run = |endpoint| published.run(Method::Get, endpoint, ());
    assert_ne!(run("fresh").await.unwrap(), run("fresh").await.unwrap());
    let first = run("kept").await.unwrap();
    assert_eq!(run("kept").await.unwrap(), first);
    published.endpoint("kept").await.unwrap().unwrap().invalidate().await.unwrap();
    assert_ne!(run("kept").await.unwrap(), first);
}
