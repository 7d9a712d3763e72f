//! Script endpoints: a name for a script, and a public link.

use serde_json::{Value, json};
use syncano_client::{
    CallError, Error, Method, NewScript, NewScriptEndpoint, Runtime, Script, ScriptEndpoint,
    ScriptEndpointUpdate, Trace,
};

use crate::{World, python};

async fn made(world: &World, source: &str, public: bool) -> (Script, ScriptEndpoint) {
    let script = world.instance.create_script(NewScript::new(Runtime::Python3, source)).await.unwrap();
    let new = NewScriptEndpoint::new("Monthly", script.id()).public(public).description("each month");
    let endpoint = world.instance.create_script_endpoint(new).await.unwrap();
    (script, endpoint)
}

#[tokio::test]
async fn script_endpoints_are_made_changed_listed_and_deleted() {
    let world = World::new().await;
    let (script, mut monthly) = made(&world, "print(1)", false).await;
    assert_eq!((monthly.name(), monthly.script(), monthly.is_public()), ("monthly", script.id(), false));
    assert_eq!(monthly.description(), "each month");

    let other = world.instance.create_script(NewScript::new(Runtime::Python3, "print(2)")).await.unwrap();
    monthly.update(ScriptEndpointUpdate::new().script(other.id()).public(true)).await.unwrap();
    let found = world.instance.script_endpoint("MONTHLY").await.unwrap().unwrap();
    assert_eq!((found.script(), found.is_public(), found.description()), (other.id(), true, "each month"));
    let Error::Api(error) = monthly.update(ScriptEndpointUpdate::new().script(9_999)).await.unwrap_err()
    else {
        panic!()
    };
    assert!(error.fields.contains_key("script"), "{error}");

    let names: Vec<String> =
        world.instance.script_endpoints().await.unwrap().iter().map(|e| e.name().to_owned()).collect();
    assert_eq!(names, ["monthly"]);
    monthly.clone().delete().await.unwrap();
    assert!(world.instance.script_endpoint("monthly").await.unwrap().is_none());
    assert_eq!(monthly.reload().await.unwrap_err().status().map(|status| status.as_u16()), Some(404));
    assert!(world.instance.script(other.id()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_script_endpoint_runs_with_data_of_both_methods() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let (_, monthly) = made(&world, "import json; print(json.dumps(ARGS))", false).await;
    let answer = monthly.run(Method::Get, json!({"a": 1, "list": ["x", "y"]})).await.unwrap();
    assert_eq!(answer["a"], "1");
    let answer = monthly.run(Method::Post, json!({"a": [1, null]})).await.unwrap();
    assert_eq!(answer["a"], json!([1, null]));
    let error = monthly.run(Method::Put, ()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`monthly` can't be called like this: it doesn't answer PUT: use GET, POST"
    );

    let trace = monthly.run_as::<Trace>(Method::Post, json!({"b": 2})).await.unwrap();
    let recorded = monthly.trace(trace.id).await.unwrap().unwrap();
    assert_eq!(recorded.args.unwrap()["POST"], json!({"b": 2}));
    assert_eq!(recorded.meta["REQUEST_METHOD"], "POST");
    assert_eq!(recorded.result, Some(trace.result));
    assert_eq!(monthly.traces().page_size(2).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_public_link_needs_no_key_until_it_is_reset() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let (_, mut monthly) = made(&world, "def main(n=0): return int(n) + 1", true).await;
    let link = monthly.public_link().to_owned();
    assert!(monthly.public_url().starts_with(&world.server.url()) && monthly.public_url().contains(&link));
    let run = |link: &str| world.stranger().run_public(Method::Get, link, "monthly", json!({"n": 4}));
    assert_eq!(run(&link).await.unwrap(), 5);
    let refused = world.stranger().script_endpoint("monthly").await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(403));

    monthly.reset_link().await.unwrap();
    assert_ne!(monthly.public_link(), link);
    let refused = run(&link).await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(404), "{refused}");
    assert_eq!(run(monthly.public_link()).await.unwrap(), 5);

    monthly.update(ScriptEndpointUpdate::new().public(false)).await.unwrap();
    let refused = run(monthly.public_link()).await.unwrap_err();
    assert!(matches!(&refused, CallError::<Value>::Api { error, .. } if error.status == 404), "{refused}");
}
