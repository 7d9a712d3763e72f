//! Endpoints of sockets, listed and run without generated functions.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use syncano_client::{
    CallError, Method, Methods, Published, RunStatus, Runtime, ScriptCall, Socket, SocketEndpoint, Trace,
};

use crate::{World, python};

async fn published(world: &World) -> Published {
    let echo =
        "def main(**arguments):\n    return {'method': META['request']['REQUEST_METHOD'], **arguments}";
    let socket = Socket::builder("my_custom_socket")
        .script("custom_script", Runtime::Python3, "print('custom_script')")
        .script("echo", Runtime::Python3, echo)
        .script("fail", Runtime::Python3, "import sys; print('so far'); sys.exit('no')")
        .script("raise", Runtime::Python3, "def main(): raise AppError('OutOfStock', {'left': 2})")
        .script("slow", Runtime::Python3, "import time; time.sleep(60)")
        .call("my_endpoint", "custom_script", [Method::Get])
        .call("my_endpoint", "echo", [Method::Post, Method::Delete])
        .call("Any", "echo", Methods::Any)
        .call("failing", "fail", [Method::Get])
        .call("failing", "raise", [Method::Post])
        .call("failing", "slow", [Method::Delete])
        .build()
        .unwrap();
    world.instance.publish(&socket).await.unwrap()
}

#[tokio::test]
async fn endpoints_are_listed_by_socket_and_for_all_sockets() {
    let world = World::new().await;
    let socket = published(&world).await;
    let other = Socket::builder("other")
        .script("a", Runtime::Python3, "print(1)")
        .call("elsewhere", "a", [Method::Get])
        .build()
        .unwrap();
    world.instance.publish(&other).await.unwrap();

    let names = |endpoints: &[SocketEndpoint]| {
        endpoints.iter().map(|endpoint| endpoint.name().to_lowercase()).collect::<Vec<_>>()
    };
    let endpoints = socket.endpoints().await.unwrap();
    assert_eq!(names(&endpoints), ["any", "failing", "my_endpoint"]);
    let mine = &endpoints[2];
    assert_eq!(
        (mine.socket(), mine.full_name().as_str()),
        ("my_custom_socket", "my_custom_socket/my_endpoint")
    );
    assert_eq!(mine.allowed_methods(), [Method::Get, Method::Post, Method::Delete]);
    assert_eq!(
        mine.calls(),
        [
            ScriptCall::new("custom_script", [Method::Get]),
            ScriptCall::new("echo", [Method::Post, Method::Delete]),
        ]
    );
    assert!(mine.metadata().is_empty() && mine.acl().is_empty());
    let any = socket.endpoint("ANY").await.unwrap().unwrap();
    assert_eq!((any.allowed_methods(), &any.calls()[0].methods), (&Method::ALL[..], &Methods::Any));
    assert!(socket.endpoint("nowhere").await.unwrap().is_none());

    for all in [world.instance.socket_endpoints(), world.instance.socket_endpoints().page_size(1)] {
        let all = all.await.unwrap();
        assert_eq!(all.len(), 4);
        let full = |endpoint: &SocketEndpoint| endpoint.full_name() == "other/elsewhere";
        assert!(all.iter().any(full) && names(&all).contains(&"my_endpoint".to_owned()), "{all:?}");
    }
}

#[tokio::test]
async fn data_travels_by_the_method() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = published(&world).await;
    let any = socket.endpoint("any").await.unwrap().unwrap();
    let data = json!({"text": "ä & b", "number": 7, "none": null});
    for method in Method::ALL {
        let answer = any.run(method, &data).await.unwrap();
        let number = if method.has_body() { json!(7) } else { json!("7") };
        assert_eq!((&answer["method"], &answer["text"]), (&json!(method.as_str()), &json!("ä & b")));
        assert_eq!(answer["number"], number, "{method}");
        assert_eq!(any.run(method, ()).await.unwrap(), json!({"method": method.as_str()}));
    }
    let error = any.run(Method::Get, 7).await.unwrap_err();
    assert!(error.to_string().contains("it must be an object"), "{error}");
    let error = any.run(Method::Post, 7).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
}

#[derive(Debug, PartialEq, Deserialize)]
struct Echo {
    method: String,
}

#[tokio::test]
async fn answers_are_read_as_what_is_asked_for() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = published(&world).await;
    let endpoint = socket.endpoint("my_endpoint").await.unwrap().unwrap();
    assert_eq!(endpoint.run_as::<String>(Method::Get, ()).await.unwrap(), "custom_script");
    assert_eq!(
        endpoint.run_as::<Echo>(Method::Delete, ()).await.unwrap(),
        Echo { method: "DELETE".to_owned() }
    );
    let trace = endpoint.run_as::<Trace>(Method::Get, ()).await.unwrap();
    assert_eq!((trace.status, trace.result.stdout.as_str()), (RunStatus::Success, "custom_script"));
    // Text is no JSON.
    let error = endpoint.run(Method::Get, ()).await.unwrap_err();
    assert!(matches!(&error, CallError::Decode { body, .. } if body == "custom_script"), "{error}");
    let response = endpoint.run(Method::Post, ()).send().await.unwrap();
    assert!(response.status == 200 && response.trace.is_some());
}

#[tokio::test]
async fn every_way_to_an_endpoint_leads_to_it() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = published(&world).await;
    assert_eq!(socket.run(Method::Put, "any", ()).await.unwrap()["method"], "PUT");
    assert_eq!(socket.run_as::<Echo>(Method::Put, "any", ()).await.unwrap().method, "PUT");
    // Nothing has to be read before, and no key is needed.
    let stranger = world.stranger();
    assert_eq!(stranger.run(Method::Post, "any", ()).await.unwrap()["method"], "POST");
    assert_eq!(stranger.run(Method::Post, "My_Custom_Socket/ANY", ()).await.unwrap()["method"], "POST");
    let error = stranger.run(Method::Post, "nowhere", ()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404), "{error}");
    let error = stranger.run(Method::Patch, "my_endpoint", ()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(405), "{error}");
    let read = socket.endpoint("my_endpoint").await.unwrap().unwrap();
    let error = read.run(Method::Patch, ()).await.unwrap_err();
    assert!(error.to_string().contains("it doesn't answer PATCH: use GET, POST, DELETE"), "{error}");
}

#[tokio::test]
async fn failures_are_those_of_generated_calls() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = published(&world).await;
    let CallError::Script(failure) = socket.run(Method::Get, "failing", ()).await.unwrap_err() else {
        panic!()
    };
    assert_eq!((failure.endpoint.as_str(), failure.stdout.as_str()), ("my_custom_socket/failing", "so far"));
    let error = socket.run(Method::Post, "failing", ()).await.unwrap_err();
    let CallError::App(error, ..) = error else { panic!("{error}") };
    assert_eq!(error, json!({"OutOfStock": {"left": 2}}));
    let call = socket.run(Method::Delete, "failing", ()).timeout(Duration::from_millis(100));
    let error: CallError<Value> = call.await.unwrap_err();
    assert!(matches!(&error, CallError::Transport { source, .. } if source.is_timeout()), "{error}");
}

#[tokio::test]
async fn runs_are_recorded_newest_first() {
    if !python() {
        return;
    }
    let world = World::new().await;
    let socket = published(&world).await;
    let any = socket.endpoint("any").await.unwrap().unwrap();
    assert!(any.traces().await.unwrap().is_empty());
    let mut ids = Vec::new();
    for number in 0..3 {
        let trace = any.run_as::<Trace>(Method::Post, json!({"number": number})).await.unwrap();
        ids.insert(0, trace.id);
    }
    let listed: Vec<i64> =
        any.traces().page_size(2).await.unwrap().iter().map(|recorded| recorded.id).collect();
    assert_eq!(listed, ids);
    let oldest = any.traces().oldest_first().page_size(1).next_page().await.unwrap().unwrap();
    assert_eq!(oldest[0].id, ids[2]);

    let recorded = any.trace(ids[0]).await.unwrap().unwrap();
    assert_eq!(
        (recorded.status, &recorded.args.unwrap()["POST"]),
        (RunStatus::Success, &json!({"number": 2}))
    );
    assert_eq!(recorded.meta["REQUEST_METHOD"], "POST");
    assert!(recorded.executed_at.is_some() && recorded.duration.is_some());
    assert!(any.trace(ids[0] + 1_000).await.unwrap().is_none());
    let refused = world.stranger().socket_endpoints().await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(403), "{refused}");
}
