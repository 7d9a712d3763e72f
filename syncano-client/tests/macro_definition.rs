//! What `definition()` holds: the scripts as they are run, and the schemas of every call.

use serde_json::{Value, json};
use syncano_client::{Dependency, Method, Methods, Runtime, ScriptSource, Socket, socket};

/// An item.
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct NewItem {
    /// Its name.
    pub name: String,
}

#[socket(name = "My_Custom_Socket", description = "A test.", runtime = "python_library_v5.0")]
mod custom {
    use super::NewItem;

    #[endpoint(
        "my_endpoint",
        GET,
        source = r#"
        def main(text, limit=None):
            return []
    "#
    )]
    pub async fn list(limit: Option<u32>, text: &str) -> Vec<u8>;

    #[endpoint("my_endpoint", POST, PUT, file = "ui/pass/scripts/add.js", runtime = "nodejs_v12")]
    pub async fn add(#[body] item: NewItem, #[query] dry: bool);

    #[endpoint("other", *, file = "ui/pass/scripts/list.py", script_name = "Lister")]
    pub async fn other() -> syncano_client::Trace;
}

#[socket]
mod by_extension {
    #[endpoint("a", GET, file = "ui/pass/scripts/list.py")]
    pub async fn python();
    #[endpoint("b", GET, file = "ui/pass/scripts/add.js")]
    pub async fn javascript();
}

fn script<'a>(socket: &'a Socket, name: &str) -> (Runtime, &'a str) {
    match &socket.script(name).expect("a script of that name").script {
        ScriptSource::New { runtime_name, source } => (*runtime_name, source),
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_are_in_their_normal_form() {
    let socket = custom::definition();
    assert_eq!((custom::NAME, socket.name.as_str()), ("my_custom_socket", "my_custom_socket"));
    assert_eq!(socket.description, "A test.");
    let names: Vec<&str> = socket.dependencies.iter().map(Dependency::name).collect();
    assert_eq!(names, ["list", "add", "lister"]);
    assert_eq!(by_extension::NAME, "by_extension");
}

#[test]
fn the_definition_is_valid() {
    assert_eq!(custom::definition().validate(), []);
    assert_eq!(by_extension::definition().validate(), []);
}

#[test]
fn scripts_are_published_as_they_are_run() {
    let socket = custom::definition();
    // The socket's runtime where its language is the file's.
    assert_eq!(
        script(&socket, "list"),
        (Runtime::PythonLibraryV5_0, "def main(text, limit=None):\n    return []\n")
    );
    assert_eq!(script(&socket, "add"), (Runtime::NodeJsV12, include_str!("ui/pass/scripts/add.js")));
    assert_eq!(
        script(&socket, "lister"),
        (Runtime::PythonLibraryV5_0, include_str!("ui/pass/scripts/list.py"))
    );

    let socket = by_extension::definition();
    assert_eq!(script(&socket, "python").0, Runtime::Python3);
    assert_eq!(script(&socket, "javascript").0, Runtime::NodeJs);
}

#[test]
fn calls_are_in_the_order_of_the_source() {
    let socket = custom::definition();
    let calls: Vec<_> =
        socket.endpoints["my_endpoint"].calls.iter().map(|c| (c.name.as_str(), &c.methods)).collect();
    assert_eq!(
        calls,
        [("list", &Methods::from([Method::Get])), ("add", &Methods::from([Method::Post, Method::Put])),]
    );
    assert_eq!(socket.endpoints["other"].calls[0].methods, Methods::Any);
}

#[test]
fn every_call_has_its_schemas() {
    let socket = custom::definition();
    let metadata = &socket.endpoints["my_endpoint"].metadata;
    let list = &metadata["GET"]["inputs"];
    assert_eq!(list["type"], "object");
    assert_eq!(list["additionalProperties"], false);
    assert_eq!(list["required"], json!(["text"]));
    assert_eq!(list["properties"]["text"]["type"], "string");
    assert_eq!(metadata["GET"]["outputs"]["type"], "array");

    let add = &metadata["POST"]["inputs"];
    assert_eq!(add, &metadata["PUT"]["inputs"]);
    assert_eq!(add["properties"]["item"]["x-syncano-in"], "body");
    assert_eq!(add["properties"]["dry"]["x-syncano-in"], "query");

    let other = &socket.endpoints["other"].metadata["*"];
    assert_eq!(other["inputs"]["properties"], json!({}));
    assert_eq!(other["outputs"], Value::Null);
}

#[test]
fn the_definition_survives_the_wire() {
    let socket = custom::definition();
    let body = serde_json::to_value(&socket).unwrap();
    assert_eq!(Socket::from_json(&body).unwrap(), socket);
}

#[socket(
    name = "everything",
    description = "All that the raw format can say.",
    runtime = "python3",
    python = "3.12",
    config = {"currency": "EUR", "limits": [1, -2.5, null, true, {"a": "b"}]},
    metadata = {"author": "Ada"},
    network = ["api.example.com", "10.0.0.1"],
    classes = {"item": [{"name": "title", "type": "string"}], "user": []},
)]
mod everything {
    #[endpoint(
        "items", GET, PUT,
        source = "def main(limit=None): pass",
        private, cache = 60, timeout = 2.5, fresh,
        config = {"page": 20},
        description = "Items.",
        metadata = {"icon": "box", "GET": {"errors": {"enum": ["SoldOut"]}}},
        acl = {"*": ["GET"]},
    )]
    pub async fn list(limit: Option<u32>);

    #[endpoint("items", POST, script = "list", private = false, metadata = {"order": 1})]
    pub async fn add(limit: u32);

    #[endpoint("report", *, script = 12, script_name = "reporter", fresh = false, config = {}, timeout = 300)]
    pub async fn report() -> syncano_client::Trace;

    #[endpoint("legacy", GET, script_endpoint = "Monthly", cache = 0)]
    pub async fn legacy() -> syncano_client::Trace;
}

#[socket(network = "none")]
mod offline {
    #[endpoint("a", *, script = 1)]
    pub async fn a() -> syncano_client::Trace;
}

#[test]
fn the_macro_says_whatever_the_raw_format_says() {
    let none = || json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
    let inputs = |required: Value, ty: Value| {
        json!({
            "type": "object", "required": required, "additionalProperties": false,
            "properties": {"limit": {"type": ty, "format": "uint32", "minimum": 0}},
        })
    };
    let optional = inputs(json!([]), json!(["integer", "null"]));
    assert_eq!(
        json!(everything::definition()),
        json!({
            "name": "everything",
            "description": "All that the raw format can say.",
            "config": {"currency": "EUR", "limits": [1, -2.5, null, true, {"a": "b"}]},
            // What the source doesn't say is said, since an update keeps what isn't mentioned.
            "metadata": {
                "author": "Ada", "network": {"hosts": ["api.example.com", "10.0.0.1"]}, "results": null,
            },
            "endpoints": {
                "items": {
                    "private": false, "cache": 0, "timeout": 0.0,
                    "calls": [
                        {"type": "script", "name": "list", "methods": ["GET", "PUT"],
                         "private": true, "cache": 60, "timeout": 2.5},
                        {"type": "script", "name": "list", "methods": ["POST"],
                         "private": false, "cache": 0, "timeout": 0.0},
                    ],
                    "metadata": {
                        "description": "Items.",
                        "icon": "box",
                        "order": 1,
                        "GET": {"inputs": optional, "outputs": null, "errors": {"enum": ["SoldOut"]}},
                        "PUT": {"inputs": optional, "outputs": null, "errors": null},
                        "POST": {
                            "inputs": inputs(json!(["limit"]), json!("integer")), "outputs": null, "errors": null,
                        },
                    },
                    "acl": {"*": ["GET"]},
                },
                "report": {
                    "private": false, "cache": 0, "timeout": 0.0,
                    "calls": [{"type": "script", "name": "reporter", "methods": ["*"],
                               "private": false, "cache": 0, "timeout": 300.0}],
                    "metadata": {"*": {"inputs": none(), "outputs": null, "errors": null}},
                },
                "legacy": {
                    "private": false, "cache": 0, "timeout": 0.0,
                    "calls": [{"type": "script", "name": "monthly", "methods": ["GET"],
                               "private": false, "cache": 0, "timeout": 0.0}],
                    "metadata": {"GET": {"inputs": none(), "outputs": null, "errors": null}},
                },
            },
            "dependencies": [
                {"type": "script", "name": "list", "runtime_name": "python3",
                 "source": "def main(limit=None): pass", "config": {"page": 20, "fresh": true}},
                {"type": "script", "name": "reporter", "script": 12, "config": {"fresh": false}},
                {"type": "class", "name": "item", "schema": [{"name": "title", "type": "string"}]},
                {"type": "class", "name": "user", "schema": []},
            ],
        })
    );
    // Whether a script endpoint is there only the server knows.
    let violations: Vec<String> =
        everything::definition().validate().iter().map(|violation| violation.to_string()).collect();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].contains("no script named `monthly`"));
    assert_eq!(offline::definition().metadata["network"], "none");
}

mod application {
    use super::{by_extension, custom};

    syncano_client::sockets![custom, super::everything, by_extension];
}

#[test]
fn sockets_are_named_together() {
    let _publish = application::publish;
    let names: Vec<String> = application::definitions().into_iter().map(|socket| socket.name).collect();
    assert_eq!(names, ["my_custom_socket", "everything", "by_extension"]);
}
