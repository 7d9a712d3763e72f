//! An instance's OpenAPI document is valid, and a generator that knows nothing of us makes a client of it that works.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use syncano_client::{Client, socket};
use syncano_server::TestServer;

use crate::{folder, install};

/// Something to sell.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
    left: u32,
    color: Color,
    note: Option<String>,
    parts: Vec<Item>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
enum Color {
    Red,
    Green,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Payment {
    Cash { amount: f64 },
    Card { number: String },
}

/// Only its schema is used.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
enum StockError {
    OutOfStock { left: u32 },
    Closed,
}

#[socket(name = "shop", runtime = "python3")]
mod shop {
    use super::{BTreeMap, Color, Item, Payment, StockError};

    #[endpoint(
        "items",
        GET,
        description = "What there is.",
        source = r#"
        def main(tags, limit=10, color=None):
            item = {"name": "tea", "left": 3, "color": color or "Green", "note": None, "parts": []}
            return [{**item, "name": tag, "parts": [item]} for tag in tags][:limit]
    "#
    )]
    pub async fn items(tags: Vec<String>, limit: Option<u32>, color: Option<Color>) -> Vec<Item>;

    #[endpoint("items", PUT, error = StockError, private, source = r#"
        def main(item, count):
            if count > item["left"]:
                raise AppError("OutOfStock", {"left": item["left"]})
            return {**item, "left": item["left"] - count}
    "#)]
    pub async fn take(#[body] item: &Item, #[query] count: u32) -> Item;

    #[endpoint("pay", POST, source = "def main(payment, note=None): return {payment['kind']: note}")]
    pub async fn pay(payment: &Payment, note: Option<&str>) -> BTreeMap<String, Option<String>>;

    #[endpoint("printed", GET, source = "import json; print(json.dumps({'left': 3}))")]
    pub async fn printed() -> BTreeMap<String, u8>;

    #[endpoint("text", GET, source = "print('3')")]
    pub async fn text() -> String;

    #[endpoint("broken", GET, source = "def main(): return [][0]")]
    pub async fn broken() -> u8;
}

#[tokio::test]
async fn a_generated_client_calls_endpoints() {
    let Some(python) = install::generator() else { return };
    let server = TestServer::builder().start().await.expect("the test server starts");
    let key = server.account_key().expose_secret().to_owned();
    let client = Client::connect(&server.url()).unwrap().account_key(key.as_str());
    let instance = client.create_or_open_instance("generated-client").await.unwrap();
    shop::publish(&instance).await.unwrap();

    let url = format!("{}/v1.1/instances/generated-client/openapi.json", server.url());
    let document = reqwest::Client::new().get(url).header("x-api-key", &key).send().await.unwrap();
    let document = document.text().await.unwrap();
    let home = install::target().join("generated-client");
    if home.exists() {
        std::fs::remove_dir_all(&home).unwrap();
    }
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("openapi.json"), document).unwrap();

    run(&python, &home, &["-m", "openapi_spec_validator", "--errors", "all", "openapi.json"]);
    let config = folder().join("generated/config.yml").display().to_string();
    let generate = "-m openapi_python_client generate --path openapi.json --output-path shop_client --meta none --fail-on-warning";
    let generate: Vec<&str> = generate.split(' ').chain(["--config", &config]).collect();
    run(&python, &home, &generate);
    let program = folder().join("generated/call.py").display().to_string();
    // Scripts run while the program waits.
    let (url, key) = (server.url(), key.clone());
    let said =
        tokio::task::spawn_blocking(move || run(&python, &home, &[&program, &url, &key])).await.unwrap();
    assert_eq!(said.trim(), "all calls were answered");
}

/// Runs Python in the folder; what it printed.
fn run(python: &PathBuf, home: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(python);
    command.args(arguments).current_dir(home).env("PYTHONPATH", home).env("NO_PROXY", "127.0.0.1");
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout.into_owned()
}
