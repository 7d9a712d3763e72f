//! What all scripts of an instance see, and another name for it.

use serde_json::json;
use syncano_client::{Error, Method, NewScript, Runtime, Socket};

use crate::{World, python};

#[tokio::test]
async fn an_instance_gets_another_name() {
    let world = World::new().await;
    world.client.create_instance("taken-name").await.unwrap();
    let Error::Api(error) = world.instance.rename("taken-name").await.unwrap_err() else { panic!() };
    assert!(error.fields.contains_key("new_name"), "{error}");

    let socket = Socket::builder("s")
        .script("a", Runtime::Python3, "print(1)")
        .call("e", "a", [Method::Get])
        .build()
        .unwrap();
    world.instance.publish(&socket).await.unwrap();
    let renamed = world.instance.rename("other-name").await.unwrap();
    assert_eq!(renamed.name(), "other-name");
    assert!(renamed.exists().await.unwrap() && !world.instance.exists().await.unwrap());
    assert_eq!(renamed.socket("s").await.unwrap().unwrap().definition(), &socket);
}

#[tokio::test]
async fn all_scripts_see_the_configuration_of_their_instance() {
    if !python() {
        return;
    }
    let world = World::new().await;
    assert!(world.instance.config().await.unwrap().is_empty());
    let config = json!({"currency": "EUR", "rate": 3}).as_object().unwrap().clone();
    world.instance.set_config(config.clone()).await.unwrap();
    assert_eq!(world.instance.config().await.unwrap(), config);

    let own = json!({"rate": 4}).as_object().unwrap().clone();
    let new = NewScript::new(Runtime::Python3, "print(CONFIG['currency'], CONFIG['rate'])").config(own);
    let script = world.instance.create_script(new).await.unwrap();
    let trace = script.run(()).await.unwrap().finished().await.unwrap();
    assert_eq!(trace.result.stdout, "EUR 4", "{trace:?}");
}
