//! Scripts that belong to no socket.

use std::time::Duration;

use serde_json::json;
use syncano_client::{Error, NewScript, RunStatus, Runtime, Script, ScriptUpdate};

use crate::{World, python};

async fn script(world: &World, source: &str) -> Script {
    world.instance.create_script(NewScript::new(Runtime::Python3, source)).await.unwrap()
}

#[tokio::test]
async fn scripts_are_made_changed_listed_and_deleted() {
    let world = World::new().await;
    let config = json!({"timeout": 5}).as_object().unwrap().clone();
    let new = NewScript::new(Runtime::PythonLibraryV5_0, " print(1)\n")
        .label("report daily")
        .description("every day")
        .config(config.clone());
    let mut daily = world.instance.create_script(new).await.unwrap();
    assert_eq!((daily.runtime(), daily.source()), (Runtime::PythonLibraryV5_0, " print(1)\n"));
    assert_eq!((daily.label(), daily.description(), daily.config()), ("report daily", "every day", &config));
    assert!(daily.created_at().is_some() && daily.updated_at().is_some());

    daily.update(ScriptUpdate::new().source("print(2)").runtime(Runtime::Python3)).await.unwrap();
    let found = world.instance.script(daily.id()).await.unwrap().unwrap();
    assert_eq!(
        (found.source(), found.runtime(), found.label()),
        ("print(2)", Runtime::Python3, "report daily")
    );

    let other = script(&world, "print(3)").await;
    let ids = |scripts: Vec<Script>| scripts.iter().map(Script::id).collect::<Vec<_>>();
    assert_eq!(ids(world.instance.scripts().await.unwrap()), [daily.id(), other.id()]);
    assert_eq!(ids(world.instance.scripts_labelled("report d").await.unwrap()), [daily.id()]);
    assert_eq!(ids(world.instance.scripts_labelled("port").await.unwrap()), [0; 0]);

    other.clone().delete().await.unwrap();
    assert!(world.instance.script(other.id()).await.unwrap().is_none());
    daily.reload().await.unwrap();
}

#[tokio::test]
async fn runtimes_are_told_by_name() {
    let world = World::new().await;
    let runtimes = world.instance.runtimes().await.unwrap();
    assert_eq!(runtimes["python3"].name, "python3");
    // An alias is no runtime of its own.
    assert!(!runtimes.contains_key("python"));
}

#[tokio::test]
async fn a_run_is_waited_for() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let adder = script(&world, "import time; time.sleep(0.1); print(ARGS['a'] + ARGS.get('b', 1))").await;
    let pending = adder.run(json!({"a": 2})).await.unwrap();
    let id = pending.trace().id;
    let trace = pending.finished().await.unwrap();
    assert_eq!((trace.id, trace.status, trace.result.stdout.as_str()), (id, RunStatus::Success, "3"));
    assert!(trace.duration.unwrap() >= 100 && trace.executed_at.is_some());

    // One that fails ends too.
    let trace = adder.run(()).await.unwrap().finished().await.unwrap();
    assert!(trace.status == RunStatus::Failure && trace.result.stderr.contains("KeyError"), "{trace:?}");

    let traces = adder.traces().await.unwrap();
    assert_eq!(
        traces.iter().map(|recorded| recorded.status).collect::<Vec<_>>(),
        [RunStatus::Failure, RunStatus::Success]
    );
    let recorded = adder.trace(id).await.unwrap().unwrap();
    assert_eq!(recorded.result.map(|result| result.stdout).as_deref(), Some("3"));
    assert!(adder.trace(id + 1_000).await.unwrap().is_none());
}

#[tokio::test]
async fn waiting_ends_before_the_run_if_it_takes_too_long() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let slow = script(&world, "import time; time.sleep(1)").await;
    let pending = slow.run(()).await.unwrap();
    let error = pending.clone().timeout(Duration::from_millis(100)).finished().await.unwrap_err();
    let Error::Unfinished { status, .. } = &error else { panic!("{error}") };
    assert!(status == "pending" || status == "processing", "{error}");
    assert!(error.to_string().contains(&format!("of script {}", slow.id())), "{error}");
    assert_eq!(pending.finished().await.unwrap().status, RunStatus::Success);
}

#[tokio::test]
async fn a_payload_is_an_object_or_a_list() {
    let world = World::new().await;
    let any = script(&world, "print(ARGS)").await;
    let Error::Api(error) = any.run(3).await.unwrap_err() else { panic!() };
    assert!(error.status == 400, "{error}");
    let keys = std::collections::HashMap::from([((1, 2), 3)]);
    assert!(matches!(any.run(&keys).await.unwrap_err(), Error::Encode { .. }));
}
