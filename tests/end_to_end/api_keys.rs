//! API keys: made for callers that own nothing.

use secrecy::ExposeSecret as _;
use syncano_client::{ApiKey, ApiKeyOptions, Client, Instance, Method, Runtime, ScriptCall, Socket};

use crate::{World, python};

fn caller(world: &World, key: &ApiKey) -> Instance {
    let client = Client::connect(&world.server.url()).unwrap().api_key(key.secret().expose_secret());
    client.instance("test-instance")
}

#[tokio::test]
async fn keys_are_made_changed_and_deleted() {
    let world = World::new().await;
    let options = ApiKeyOptions::new().description("the app").allow_user_create(true);
    let mut key = world.instance.create_api_key(options).await.unwrap();
    assert_eq!((key.description(), key.allow_user_create(), key.ignore_acl()), ("the app", true, false));
    assert!(!format!("{key:?}").contains(key.secret().expose_secret()));

    key.update(ApiKeyOptions::new().ignore_acl(true)).await.unwrap();
    let found = world.instance.api_key(key.id()).await.unwrap().unwrap();
    assert_eq!((found.description(), found.allow_user_create(), found.ignore_acl()), ("the app", true, true));

    let other = world.instance.create_api_key(ApiKeyOptions::new()).await.unwrap();
    let listed: Vec<i64> = world.instance.api_keys().await.unwrap().iter().map(ApiKey::id).collect();
    assert_eq!(listed, [key.id(), other.id()]);
    key.clone().delete().await.unwrap();
    assert!(world.instance.api_key(key.id()).await.unwrap().is_none());
    assert_eq!(key.reload().await.unwrap_err().status().map(|status| status.as_u16()), Some(404));
}

#[tokio::test]
async fn a_private_endpoint_needs_a_key() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = Socket::builder("one")
        .script("a", Runtime::Python3, "def main(): return 1")
        .endpoint("e", [ScriptCall::new("a", [Method::Get]).private(true)])
        .build()
        .unwrap();
    world.instance.publish(&socket).await.unwrap();
    let refused = world.stranger().run(Method::Get, "one/e", ()).await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(403), "{refused}");

    let mut key = world.instance.create_api_key(ApiKeyOptions::new()).await.unwrap();
    let before = caller(&world, &key);
    assert_eq!(before.run(Method::Get, "one/e", ()).await.unwrap(), 1);
    // It calls and manages nothing.
    let refused = before.sockets().await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(403), "{refused}");

    key.reset().await.unwrap();
    let refused = before.run(Method::Get, "one/e", ()).await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(403), "{refused}");
    assert_eq!(caller(&world, &key).run(Method::Get, "one/e", ()).await.unwrap(), 1);
}
