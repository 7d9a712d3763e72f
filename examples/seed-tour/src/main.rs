//! “Custom Sockets in Syncano”, the document that this project began with, section by section in Rust.
//!
//! `cargo run -p seed-tour` starts a server inside this process and walks through it. What is printed is checked too:
//! the tour fails where the server doesn't keep what the document says.

use std::fmt::Display;

use anyhow::{Context as _, ensure};
use secrecy::ExposeSecret as _;
use serde_json::json;
use syncano_client::{
    Client, Endpoint, Error, Instance, Method, Methods, NewScript, NewScriptEndpoint, Published, Runtime,
    ScriptCall, ScriptDependency, Socket, SocketStatus, Trace, socket,
};
use syncano_server::TestServer;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = TestServer::start().await?;
    let client = Client::connect(&server.url())?.account_key(server.account_key().expose_secret());
    let instance = client.create_instance("seed-tour").await?;

    creating_a_custom_socket(&instance).await?;
    updating_the_custom_socket(&instance).await?;
    running_custom_socket(&instance).await?;
    read_all_endpoints_in_a_custom_socket(&instance).await?;
    read_all_endpoints(&instance).await?;
    custom_sockets_endpoints(&instance).await?;
    custom_socket_dependency(&instance).await?;
    custom_socket_recheck(&instance).await?;
    custom_socket_raw_format(&instance).await?;

    server.stop().await;
    Ok(())
}

async fn creating_a_custom_socket(instance: &Instance) -> anyhow::Result<()> {
    title("Creating a custom socket");

    // 1. Initialize a custom socket. Nothing is sent before it is published.
    let custom_socket = Socket::builder("my_custom_socket");

    // 2. Define endpoints: two calls on one endpoint. With GET the first script runs, with POST the second.
    let mut my_endpoint = Endpoint::new();
    my_endpoint.add_call(ScriptCall::new("custom_script", [Method::Get]));
    my_endpoint.add_call(ScriptCall::new("another_custom_script", [Method::Post]));

    // 3. Add the endpoint to the custom socket.
    let custom_socket = custom_socket.endpoint("my_endpoint", my_endpoint);

    // 4. Define dependencies.
    // 4.1 Using a new script: define a new source code.
    let custom_socket =
        custom_socket.script("custom_script", Runtime::PythonLibraryV5_0, "print('custom_script')");

    // 4.2 Using an existing script.
    let existing = NewScript::new(Runtime::Python3, "print('another_custom_script', ARGS.get('name', ''))");
    let id = instance.create_script(existing).await?.id();
    let another_custom_script = instance.script(id).await?.context("the script is there")?;
    let custom_socket = custom_socket.existing_script("another_custom_script", another_custom_script.id());

    // 4.3 Using an existing ScriptEndpoint: a call names it, and no dependency is needed.
    let third = instance.create_script(NewScript::new(Runtime::Python3, "print('script_endpoint')")).await?;
    instance.create_script_endpoint(NewScriptEndpoint::new("script_endpoint_name", third.id())).await?;
    let script_endpoint = instance.script_endpoint("script_endpoint_name").await?.context("it is there")?;
    let custom_socket = custom_socket.call("existing_endpoint", script_endpoint.name(), [Method::Get]);

    // 5. Publish it.
    let mut custom_socket: Published = instance.publish(&custom_socket.build()?).await?;

    // Reload will refresh the object.
    custom_socket.reload().await?;
    shows("status", custom_socket.status(), SocketStatus::Ok)?;
    shows("status_info", custom_socket.status_info(), "")
}

async fn updating_the_custom_socket(instance: &Instance) -> anyhow::Result<()> {
    title("Updating the custom socket");

    let mut custom_socket = instance.socket("my_custom_socket").await?.context("it was published")?;
    let mut changed = custom_socket.definition().clone();

    // To remove an endpoint or a dependency:
    changed.remove_endpoint("existing_endpoint").context("it was there")?;
    changed.remove_dependency("custom_script").context("it was there")?;

    // To add a new endpoint or dependency:
    changed.add_endpoint("new_endpoint", [ScriptCall::new("new_script", [Method::Get])]);
    changed.add_dependency(ScriptDependency::new("new_script", Runtime::Python3, "print('new_script')"));

    // `my_endpoint` calls `custom_script` still, so that the update can't be installed as it is.
    match custom_socket.update(&changed).await {
        Err(Error::NotInstalled { status_info, .. }) => shows(
            "without its script",
            status_info.as_str(),
            "no script named `custom_script` for the endpoint `my_endpoint`: add a dependency of that name, or make the script endpoint `custom_script` first",
        )?,
        other => anyhow::bail!("the update should have failed, but: {other:?}"),
    }
    shows("status", custom_socket.status(), SocketStatus::Error)?;
    let still = instance.run_as::<String>(Method::Get, "my_endpoint", ()).await?;
    shows("what was installed before keeps running", still.as_str(), "custom_script")?;

    // Save changes on Syncano.
    let script =
        ScriptDependency::new("custom_script", Runtime::PythonLibraryV5_0, "print('custom_script, changed')");
    changed.add_dependency(script);
    custom_socket.update(&changed).await?;
    shows("status", custom_socket.status(), SocketStatus::Ok)?;
    let endpoints: Vec<&str> = custom_socket.definition().endpoints.keys().map(String::as_str).collect();
    shows("endpoints", endpoints.join(", ").as_str(), "my_endpoint, new_endpoint")
}

async fn running_custom_socket(instance: &Instance) -> anyhow::Result<()> {
    title("Running custom socket");

    let custom_socket = instance.socket("my_custom_socket").await?.context("it was published")?;
    // This runs `my_endpoint` and calls `custom_script`, using GET. The script prints text, which is no JSON.
    let result = custom_socket.run_as::<String>(Method::Get, "my_endpoint", ()).await?;
    shows("GET my_endpoint", result.as_str(), "custom_script, changed")?;
    // Whoever wants to know more asks for the whole run.
    let trace = custom_socket.run_as::<Trace>(Method::Get, "my_endpoint", ()).await?;
    shows("its stdout", trace.result.stdout.as_str(), "custom_script, changed")?;
    shows("its status", trace.status.as_str(), "success")
}

async fn read_all_endpoints_in_a_custom_socket(instance: &Instance) -> anyhow::Result<()> {
    title("Read all endpoints in a custom socket");

    let custom_socket = instance.socket("my_custom_socket").await?.context("it was published")?;
    let endpoints = custom_socket.endpoints().await?;
    for endpoint in &endpoints {
        println!("  {}", endpoint.name());
        for call in endpoint.calls() {
            println!("    {}: {}", call.methods, call.name);
        }
    }
    shows("how many", endpoints.len(), 2)?;

    // To run a particular endpoint:
    let endpoint =
        endpoints.iter().find(|endpoint| endpoint.name() == "my_endpoint").context("it is there")?;
    let result = endpoint.run_as::<String>(Method::Get, ()).await?;
    shows("GET", result.as_str(), "custom_script, changed")?;
    // Data is passed in the request body.
    let result = endpoint.run_as::<String>(Method::Post, json!({"name": "test_name"})).await?;
    shows("POST", result.as_str(), "another_custom_script test_name")
}

async fn read_all_endpoints(instance: &Instance) -> anyhow::Result<()> {
    title("Read all endpoints");

    let other = Socket::builder("other_socket")
        .script("shout", Runtime::Python3, "def main(custom_data: int) -> int:\n    return custom_data + 1")
        .call("other_endpoint", "shout", [Method::Post])
        .build()?;
    instance.publish(&other).await?;

    let socket_endpoint_list = instance.socket_endpoints().await?;
    let names: Vec<String> = socket_endpoint_list.iter().map(|endpoint| endpoint.full_name()).collect();
    let expected = "my_custom_socket/my_endpoint, my_custom_socket/new_endpoint, other_socket/other_endpoint";
    shows("endpoints", names.join(", ").as_str(), expected)?;

    // To run an endpoint, choose one first.
    let endpoint = &socket_endpoint_list[2];
    shows("POST", endpoint.run(Method::Post, json!({"custom_data": 1})).await?, json!(2))?;
    let refused = endpoint.run(Method::Get, ()).await.err().context("GET is not answered")?;
    println!("  GET: {refused}");
    Ok(())
}

/// The wildcard method as a Rust module: a typed client instead of names and JSON.
#[socket(name = "wildcard_socket", runtime = "python3")]
pub mod wildcard_socket {
    #[endpoint("any_method", *, source = r#"
        def main(name: str) -> str:
            return META["request"]["REQUEST_METHOD"] + " by " + name
    "#)]
    pub async fn any_method(name: &str) -> String;
}

async fn custom_sockets_endpoints(instance: &Instance) -> anyhow::Result<()> {
    title("Custom sockets endpoints");

    // “Name is used in identification for dependency: if it's equal to 'my_script', the ScriptEndpoint with name
    // 'my_script' will be used (if it exists and script source and passed runtime match) …”
    let mine = instance.create_script(NewScript::new(Runtime::Python3, "print('my_script')")).await?;
    instance.create_script_endpoint(NewScriptEndpoint::new("my_script", mine.id())).await?;
    let same = |source: &str, name: &str| {
        Socket::builder(name)
            .script("my_script", Runtime::Python3, source)
            .call(format!("{name}_endpoint"), "my_script", [Method::Get])
            .build()
    };
    let before = instance.scripts().await?.len();
    instance.publish(&same("print('my_script')", "same")?).await?;
    shows("scripts made for an equal one", instance.scripts().await?.len() - before, 0)?;
    // “… otherwise a new one will be created.”
    let differs = instance.publish(&same("print('differs')", "differs")?).await?;
    shows("scripts made for another one", instance.scripts().await?.len() - before, 1)?;
    let result = differs.run_as::<String>(Method::Get, "differs_endpoint", ()).await?;
    shows("which runs", result.as_str(), "differs")?;

    // “There's a special wildcard method.”
    wildcard_socket::publish(instance).await?;
    let api = wildcard_socket::Client::new(instance);
    for method in Method::ALL {
        let answer = api.any_method("anybody").method(method).await?;
        shows("*", answer, format!("{method} by anybody"))?;
    }
    shows(
        "in the definition",
        &wildcard_socket::definition().endpoints["any_method"].calls[0].methods,
        &Methods::Any,
    )
}

async fn custom_socket_dependency(instance: &Instance) -> anyhow::Result<()> {
    title("Custom socket dependency");

    // Using new script, using defined script, using defined script endpoint: each answers one method.
    let defined = NewScript::new(Runtime::Python3, "def main(): return 'defined script'");
    let defined = instance.create_script(defined).await?;
    let behind = NewScript::new(Runtime::Python3, "def main(): return 'defined script endpoint'");
    let behind = instance.create_script(behind).await?;
    let script_endpoint =
        instance.create_script_endpoint(NewScriptEndpoint::new("defined_endpoint", behind.id())).await?;

    let three = Socket::builder("three_kinds")
        .script("new_kind", Runtime::Python3, "def main(): return 'new script'")
        .existing_script("defined_kind", defined.id())
        .call("three", "new_kind", [Method::Get])
        .call("three", "defined_kind", [Method::Post])
        .call("three", script_endpoint.name(), [Method::Put])
        .build()?;
    let three = instance.publish(&three).await?;
    shows("GET", three.run(Method::Get, "three", ()).await?, json!("new script"))?;
    shows("POST", three.run(Method::Post, "three", ()).await?, json!("defined script"))?;
    shows("PUT", three.run(Method::Put, "three", ()).await?, json!("defined script endpoint"))
}

async fn custom_socket_recheck(instance: &Instance) -> anyhow::Result<()> {
    title("Custom socket recheck");

    // “The creation of the socket can fail, e.g. when an endpoint name is already taken by another custom socket.”
    let late = Socket::builder("late_socket")
        .script("late_script", Runtime::Python3, "print('late')")
        .call("other_endpoint", "late_script", [Method::Post])
        .build()?;
    let refused = instance.publish(&late).await.err().context("the name is taken")?;
    println!("  publish: {refused}");
    let mut custom_socket = instance.socket("late_socket").await?.context("it is stored all the same")?;
    shows("status", custom_socket.status(), SocketStatus::Error)?;
    let taken = "endpoint \"other_endpoint\" already belongs to socket \"other_socket\": rename it, or start the server with `--flat-names alias`";
    shows("status_info", custom_socket.status_info(), taken)?;

    // “If conditions are met”: they are when the other socket is gone.
    shows("recheck", custom_socket.recheck().await?, SocketStatus::Error)?;
    instance.socket("other_socket").await?.context("it was published")?.delete().await?;
    shows("recheck, the name being free", custom_socket.recheck().await?, SocketStatus::Ok)?;

    // “If some of them are missing (e.g. some were deleted by mistake), they will be created again.”
    let mut same = instance.socket("same").await?.context("it was published")?;
    let my_script = instance.script_endpoint("my_script").await?.context("it is used by the socket")?;
    my_script.delete().await?;
    same.reload().await?;
    shows("status, its script being deleted", same.status(), SocketStatus::Error)?;
    shows("recheck", same.recheck().await?, SocketStatus::Ok)?;
    let result = same.run_as::<String>(Method::Get, "same_endpoint", ()).await?;
    shows("GET", result.as_str(), "my_script")
}

async fn custom_socket_raw_format(instance: &Instance) -> anyhow::Result<()> {
    title("Custom socket - raw format");

    let raw: Socket = serde_json::from_value(json!({
        "name": "my_custom_socket_3",
        "endpoints": {
            "my_endpoint_3": {
                "calls": [
                    {"type": "script", "name": "my_script_3", "methods": ["POST"]}
                ]
            }
        },
        "dependencies": [
            {
                "type": "script",
                "runtime_name": "python_library_v5.0",
                "name": "my_script_3",
                "source": "print(3)"
            }
        ]
    }))?;
    let published = instance.publish(&raw).await?;
    shows("status", published.status(), SocketStatus::Ok)?;
    shows("POST", published.run(Method::Post, "my_endpoint_3", ()).await?, json!(3))
}

fn title(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.len()));
}

/// Prints what is seen, and fails unless it is what the document says.
fn shows<T: PartialEq + Display>(what: &str, seen: T, expected: T) -> anyhow::Result<()> {
    println!("  {what}: {seen}");
    ensure!(seen == expected, "{what}: expected {expected}");
    Ok(())
}
