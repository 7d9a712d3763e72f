//! Sockets without the macro: built, changed and checked at run time.

use serde_json::{Value, json};
use syncano_client::{
    Change, Endpoint, Error, Method, Methods, NewScript, NewScriptEndpoint, Runtime, ScriptCall,
    ScriptDependency, Socket, SocketStatus,
};

use crate::{World, python};

fn socket(name: &str, endpoint: &str) -> Socket {
    Socket::builder(name)
        .script("custom_script", Runtime::Python3, "print('custom_script')")
        .call(endpoint, "custom_script", [Method::Get])
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_published_socket_is_changed() {
    let world = World::new().await;
    let mut published = world.instance.publish(&socket("one", "my_endpoint")).await.unwrap();
    let before = published.revision();

    let mut definition = published.definition().clone();
    definition.remove_endpoint("my_endpoint").unwrap();
    definition.remove_dependency("custom_script").unwrap();
    let mut endpoint = Endpoint::new();
    endpoint.add_call(ScriptCall::new("new_script", [Method::Get]).cache(60).timeout(2.5));
    definition.add_endpoint("new_endpoint", endpoint);
    definition.add_call("new_endpoint", ScriptCall::new("new_script", [Method::Post]).private(true));
    definition.add_dependency(ScriptDependency::new("new_script", Runtime::Python3, "print('new')"));
    published.update(&definition).await.unwrap();

    assert_eq!((published.change(), published.status()), (Change::Updated, SocketStatus::Ok));
    assert!(published.revision() > before);
    assert_eq!(published.definition(), &definition);
    let found = world.instance.socket("one").await.unwrap().unwrap();
    assert_eq!(found.definition(), &definition);
    assert!(found.created_at().is_some() && found.updated_at().is_some() && found.install_url().is_none());
    let calls = &found.definition().endpoint("new_endpoint").unwrap().calls;
    assert_eq!((calls[0].cache, calls[0].timeout, calls[1].private), (Some(60), Some(2.5), Some(true)));
}

#[tokio::test]
async fn an_update_is_never_written_over_somebody_else_s() {
    let world = World::new().await;
    let mut mine = world.instance.publish(&socket("one", "mine")).await.unwrap();
    let mut theirs = world.instance.socket("one").await.unwrap().unwrap();
    theirs.update(&socket("one", "theirs")).await.unwrap();

    let wanted = socket("one", "mine_again");
    assert!(matches!(mine.update(&wanted).await, Err(Error::Conflict { socket }) if socket == "one"));
    mine.reload().await.unwrap();
    assert!(mine.definition().endpoint("theirs").is_some());
    mine.update(&wanted).await.unwrap();
    assert!(mine.definition().endpoint("mine_again").is_some());
}

#[tokio::test]
async fn an_update_that_can_t_be_is_told_before_it_is_sent() {
    let world = World::new().await;
    let mut published = world.instance.publish(&socket("one", "e")).await.unwrap();
    let error = published.update(&socket("two", "e")).await.unwrap_err();
    assert_eq!(error.to_string(), "the socket `one` can't become `two`: publish that one, and delete this");
    let mut broken = published.definition().clone();
    broken.add_endpoint("9", [ScriptCall::new("custom_script", [Method::Get])]);
    assert!(matches!(published.update(&broken).await, Err(Error::Definition { .. })));
    assert_eq!(published.change(), Change::Created);
}

#[tokio::test]
async fn an_update_that_is_not_installed_is_an_error_and_is_seen() {
    let world = World::new().await;
    world.instance.publish(&socket("one", "taken")).await.unwrap();
    let mut two = world.instance.publish(&socket("two", "free")).await.unwrap();
    let error = two.update(&socket("two", "taken")).await.unwrap_err();
    assert!(matches!(&error, Error::NotInstalled { socket, .. } if socket == "two"), "{error}");
    assert_eq!(two.status(), SocketStatus::Error);
    assert!(
        two.status_info().contains("taken") && two.status_info().contains("one"),
        "{}",
        two.status_info()
    );

    // Still so, until the name is free.
    assert_eq!(two.recheck().await.unwrap(), SocketStatus::Error);
    world.instance.socket("one").await.unwrap().unwrap().delete().await.unwrap();
    assert_eq!(two.recheck().await.unwrap(), SocketStatus::Ok);
    assert_eq!(two.status_info(), "");
}

#[tokio::test]
async fn all_sockets_are_listed_with_their_status() {
    let world = World::new().await;
    world.instance.publish(&socket("one", "e")).await.unwrap();
    world.instance.publish(&socket("two", "e")).await.unwrap_err();
    world.instance.publish(&socket("three", "f")).await.unwrap();
    let found = world.instance.sockets().page_size(2).await.unwrap();
    let seen: Vec<_> = found.iter().map(|socket| (socket.name(), socket.status())).collect();
    assert_eq!(seen, [("one", SocketStatus::Ok), ("two", SocketStatus::Error), ("three", SocketStatus::Ok)]);
}

#[tokio::test]
async fn a_socket_uses_what_is_there() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let create = |source: &str| world.instance.create_script(NewScript::new(Runtime::Python3, source));
    let script = create("def main(): return 'existing script'").await.unwrap();
    let behind = create("def main(): return 'existing script endpoint'").await.unwrap();
    let new = NewScriptEndpoint::new("script_endpoint_name", behind.id());
    world.instance.create_script_endpoint(new).await.unwrap();

    let socket = Socket::builder("one")
        .existing_script("another_custom_script", script.id())
        .class("klass", vec![json!({"name": "fieldA", "type": "string"})])
        .call("script", "another_custom_script", [Method::Get])
        .call("endpoint", "script_endpoint_name", Methods::Any)
        .build()
        .unwrap();
    let published = world.instance.publish(&socket).await.unwrap();
    assert_eq!(published.run(Method::Get, "script", ()).await.unwrap(), "existing script");
    assert_eq!(published.run(Method::Patch, "endpoint", ()).await.unwrap(), "existing script endpoint");
    // The same once more changes nothing.
    assert_eq!(world.instance.publish(&socket).await.unwrap().change(), Change::Unchanged);

    // Neither goes with the socket.
    published.delete().await.unwrap();
    assert!(world.instance.script(script.id()).await.unwrap().is_some());
    assert!(world.instance.script_endpoint("script_endpoint_name").await.unwrap().is_some());
}

#[tokio::test]
async fn what_was_deleted_behind_a_socket_s_back_is_made_again() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let new = NewScript::new(Runtime::Python3, "print('custom_script')");
    let script = world.instance.create_script(new).await.unwrap();
    let new = NewScriptEndpoint::new("custom_script", script.id());
    world.instance.create_script_endpoint(new).await.unwrap();
    // The script endpoint is the same as the dependency, so the socket uses it.
    let mut published = world.instance.publish(&socket("one", "e")).await.unwrap();
    script.delete().await.unwrap();
    published.reload().await.unwrap();
    assert_eq!(published.status(), SocketStatus::Error);
    assert!(published.status_info().contains("custom_script"), "{}", published.status_info());
    assert_eq!(published.recheck().await.unwrap(), SocketStatus::Ok);
    assert_eq!(published.run_as::<String>(Method::Get, "e", ()).await.unwrap(), "custom_script");
}

#[tokio::test]
async fn the_raw_format_is_published_as_it_is() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let raw: Value = json!({
        "name": "my_custom_socket_3",
        "endpoints": {"my_endpoint_3": {"calls": [
            {"type": "script", "name": "my_script_3", "methods": ["POST"]}
        ]}},
        "dependencies": [{
            "type": "script", "runtime_name": "python_library_v5.0", "name": "my_script_3", "source": "print(3)"
        }]
    });
    let socket: Socket = serde_json::from_value(raw).unwrap();
    let published = world.instance.publish(&socket).await.unwrap();
    assert_eq!(published.run(Method::Post, "my_endpoint_3", ()).await.unwrap(), 3);
}
